//! What an operator does about a data folder that cannot be used, in Vietnamese and English.
//!
//! The hub says what is wrong and where; here is how to go on. `docs/DISKS.md` has the same table,
//! and a test holds them together.

use std::io;

use lienthong_core::engine::EngineError;
use lienthong_hub::{AdministerError, StartError};

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Full,
    ReadOnly,
    Denied,
    Broken,
    Journal,
    Payload,
    State,
    Format,
    Key,
    TooNew,
    InUse,
    Stopped,
}

impl Trouble {
    /// Every one, in the order of the page.
    #[cfg(test)]
    const ALL: [Self; 12] = [
        Self::Full,
        Self::ReadOnly,
        Self::Denied,
        Self::Broken,
        Self::Journal,
        Self::Payload,
        Self::State,
        Self::Format,
        Self::Key,
        Self::TooNew,
        Self::InUse,
        Self::Stopped,
    ];

    /// What stands in the way of a hub that does not start or has stopped; `None` when it is not its
    /// data folder.
    pub(crate) fn of_start(error: &StartError) -> Option<Self> {
        match error {
            StartError::Engine(error) | StartError::Administer(AdministerError::Engine(error)) => {
                Some(Self::of(error))
            }
            StartError::LogKey(_) => Some(Self::Key),
            StartError::Failed(_) => Some(Self::Stopped),
            StartError::Administer(AdministerError::Refused(_) | AdministerError::Accounts(_))
            | StartError::ClockBehind { .. }
            | StartError::Listen { .. }
            | StartError::Identity(_)
            | StartError::Trust { .. }
            | StartError::Accounts(_)
            | StartError::NoAccounts(_)
            | StartError::Server(_) => None,
        }
    }

    /// What stands in the way of using a data folder.
    pub(crate) fn of(error: &EngineError) -> Self {
        match error {
            EngineError::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
                io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
                io::ErrorKind::PermissionDenied => Self::Denied,
                _ => Self::Broken,
            },
            EngineError::Damaged { what, .. } if what.contains("FORMAT") => Self::Format,
            EngineError::Damaged { what, .. } if what.contains("payload") => Self::Payload,
            EngineError::Damaged { what, .. } if what.starts_with("state") => Self::State,
            EngineError::Damaged { .. } => Self::Journal,
            EngineError::State(_) => Self::State,
            EngineError::Expired(_) => Self::Payload,
            EngineError::TooNew { .. } => Self::TooNew,
            EngineError::InUse(_) => Self::InUse,
        }
    }

    /// What to do, in English.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::Full => "make room on the disk, then start the hub again",
            Self::ReadOnly => {
                "the disk is mounted read-only, often after an error: look at the system's log, \
                 mount it for writing, then start the hub again"
            }
            Self::Denied => {
                "give the hub's user the data folder and all in it, then start it again"
            }
            Self::Broken => {
                "look at the system's log and at the disk's health; when in doubt copy the folder \
                 to a sound disk and start the hub there"
            }
            Self::Journal => {
                "`lienthong evidence audit --data DIR` lists every damaged place: bring the folder \
                 back from a backup; `lienthong evidence salvage` writes out what can still be read"
            }
            Self::Payload => {
                "bring the file named back from a backup, or from whoever has the document; it is \
                 named by the SHA-256 of its bytes"
            }
            Self::State => "start the hub again: it makes the state anew from the journal",
            Self::Format => {
                "put FORMAT back from a backup; this version's is one line, `lienthong data folder, \
                 format 1`"
            }
            Self::Key => {
                "put log.key back from a backup; without it nobody can go on with the log that \
                 receipts refer to"
            }
            Self::TooNew => {
                "use the version that wrote the folder; a state that is too new may be deleted, \
                 the next start makes it anew"
            }
            Self::InUse => {
                "one hub at a time uses a data folder: stop the other one, or give another folder \
                 with --data"
            }
            Self::Stopped => {
                "nothing acknowledged is lost: look at the disk, then start the hub again; it goes \
                 on from its journal"
            }
        }
    }

    /// The same in Vietnamese.
    pub(crate) fn remedy_vi(self) -> &'static str {
        match self {
            Self::Full => "giải phóng dung lượng đĩa rồi khởi động lại trục",
            Self::ReadOnly => {
                "đĩa đang ở chế độ chỉ đọc, thường do lỗi trước đó: xem nhật ký hệ thống, gắn lại \
                 đĩa để ghi được rồi khởi động lại trục"
            }
            Self::Denied => {
                "cấp quyền thư mục dữ liệu và mọi tệp bên trong cho người dùng chạy trục rồi khởi \
                 động lại"
            }
            Self::Broken => {
                "xem nhật ký hệ thống và tình trạng đĩa; nếu nghi ngờ, sao chép thư mục sang đĩa tốt \
                 và chạy trục tại đó"
            }
            Self::Journal => {
                "`lienthong evidence audit --data DIR` liệt kê mọi chỗ hỏng: khôi phục thư mục từ \
                 bản sao lưu; `lienthong evidence salvage` ghi ra những gì còn đọc được"
            }
            Self::Payload => {
                "khôi phục tệp được nêu từ bản sao lưu hoặc từ nơi còn giữ văn bản; tên tệp là \
                 SHA-256 của nội dung"
            }
            Self::State => "khởi động lại trục: trạng thái được dựng lại từ nhật ký giao dịch",
            Self::Format => {
                "khôi phục tệp FORMAT từ bản sao lưu; với phiên bản này tệp có một dòng `lienthong \
                 data folder, format 1`"
            }
            Self::Key => {
                "khôi phục log.key từ bản sao lưu; thiếu khóa này không thể tiếp tục nhật ký băm \
                 mà các biên nhận viện dẫn"
            }
            Self::TooNew => {
                "dùng phiên bản đã ghi thư mục này; nếu chỉ trạng thái quá mới thì có thể xóa, lần \
                 khởi động sau sẽ dựng lại"
            }
            Self::InUse => {
                "mỗi thư mục dữ liệu chỉ một trục dùng: dừng trục kia, hoặc chọn thư mục khác bằng \
                 --data"
            }
            Self::Stopped => {
                "không mất dữ liệu đã xác nhận: kiểm tra đĩa rồi khởi động lại; trục tiếp tục từ \
                 nhật ký giao dịch"
            }
        }
    }

    /// The error as a person reads it: what is wrong, then what to do.
    pub(crate) fn explained(self, error: &dyn std::fmt::Display) -> anyhow::Error {
        let (vi, en) = (self.remedy_vi(), self.remedy());
        anyhow::anyhow!("{error}\n  {:<20}{vi}\n  {:<20}{en}", "xử lý / remedy", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_disks_has_every_remedy_in_both_languages() {
        let page = include_str!("../docs/DISKS.md");
        for trouble in Trouble::ALL {
            for remedy in [trouble.remedy(), trouble.remedy_vi()] {
                assert!(page.contains(remedy), "docs/DISKS.md lacks: {remedy}");
            }
        }
    }

    #[test]
    fn an_error_is_told_by_what_failed() {
        let io = |errno| EngineError::Io {
            doing: "write",
            path: "journal/1.blocks".to_owned(),
            source: io::Error::from_raw_os_error(errno),
        };
        let damaged =
            |what: &str| EngineError::Damaged { what: what.to_owned(), why: String::new() };
        let cases = [
            (io(28), Trouble::Full),
            (io(30), Trouble::ReadOnly),
            (io(13), Trouble::Denied),
            (io(5), Trouble::Broken),
            (damaged("`/data/FORMAT`"), Trouble::Format),
            (damaged("payload file of 00"), Trouble::Payload),
            (damaged("state, row `00`"), Trouble::State),
            (damaged("journal file `1.blocks` at byte 72, block 1"), Trouble::Journal),
        ];
        for (error, trouble) in cases {
            assert_eq!(Trouble::of(&error), trouble, "{error}");
        }
    }
}
