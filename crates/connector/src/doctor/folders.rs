//! Folders: whether they are there, can be written and synced, lie on one disk with room on it, and
//! hold nothing that nobody takes.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::{Finding, Grade, both};
use crate::disk;
use crate::places::{Places, Room};

const CHECK: &str = "folders";
/// Free space below which it is said, in bytes.
const SPACE_LOW: u64 = 1024 * 1024 * 1024;
/// Free space below which nothing can be relied on, in bytes.
const SPACE_GONE: u64 = 64 * 1024 * 1024;

/// Looks at every folder of a connector.
pub fn folders(places: &Places) -> Vec<Finding> {
    let root = places.root();
    let mut findings = Vec::new();
    let Ok(own) = fs::metadata(root) else {
        return vec![missing(root)];
    };
    findings.extend(space(root));
    for room in Room::ALL {
        let folder = places.room(room);
        match fs::metadata(&folder) {
            Err(_) => findings.push(missing(&folder)),
            Ok(found) if !found.is_dir() => findings.push(missing(&folder)),
            Ok(found) => {
                findings.extend(writable(&folder));
                if found.dev() != own.dev() {
                    findings.push(elsewhere(&folder, root));
                }
            }
        }
    }
    findings.extend(strays(places));
    findings.extend(rejected(places));
    if findings.iter().all(|finding| finding.grade == Grade::Ok) {
        let found = both("there, writable, on one disk", "đầy đủ, ghi được, cùng một ổ đĩa");
        findings.push(Finding::ok(CHECK, root.display().to_string(), found));
    }
    findings
}

fn missing(folder: &Path) -> Finding {
    let found = both("the folder is not there", "không có thư mục này");
    Finding::problem(CHECK, folder.display().to_string(), found).remedy(
        "make the folders with `lienthong node init DIR`",
        "tạo các thư mục bằng `lienthong node init DIR`",
    )
}

fn writable(folder: &Path) -> Option<Finding> {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let moved = folder.join(format!(".doctor-{}-moved", std::process::id()));
    let tried = disk::write(&probe, b"x")
        .and_then(|()| disk::rename(&probe, &moved))
        .and_then(|()| disk::remove(&moved));
    let error = tried.err()?;
    // What was written may have stayed.
    let _ = disk::remove(&probe);
    let found = (format!("{error}"), format!("không ghi được: {error}"));
    Some(Finding::problem(CHECK, folder.display().to_string(), found).remedy(
        "let this user write there, and check the disk",
        "cho phép người dùng này ghi vào đó và kiểm tra ổ đĩa",
    ))
}

fn elsewhere(folder: &Path, root: &Path) -> Finding {
    let root = root.display();
    let found = (
        format!("it is on another file system than `{root}`: nothing can be renamed into it"),
        format!("nằm ở hệ thống tệp khác với `{root}`: không đổi tên sang được"),
    );
    Finding::problem(CHECK, folder.display().to_string(), found).remedy(
        "put all folders on one file system; mount or link the folder that holds them all",
        "đặt mọi thư mục trên cùng hệ thống tệp; chỉ gắn kết thư mục chứa tất cả",
    )
}

fn space(root: &Path) -> Option<Finding> {
    let found = rustix::fs::statvfs(root).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if free >= SPACE_LOW {
        return None;
    }
    let mib = free / (1024 * 1024);
    let said = (format!("{mib} MiB are free"), format!("còn trống {mib} MiB"));
    let about = root.display().to_string();
    let finding = match free < SPACE_GONE {
        true => Finding::problem(CHECK, about, said),
        false => Finding::warning(CHECK, about, said),
    };
    Some(finding.remedy("make space on the disk", "giải phóng dung lượng đĩa"))
}

/// What lies where nobody takes it.
fn strays(places: &Places) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (room, wants_folders) in [(Room::Outbox, true), (Room::StatusOut, false)] {
        for agency in places.agencies(room).unwrap_or_default() {
            for found in disk::complete(&places.of(room, &agency)).unwrap_or_default() {
                let is_report =
                    [".toml", ".json"].iter().any(|ending| found.name.ends_with(ending));
                if found.is_folder == wants_folders && (wants_folders || is_report) {
                    continue;
                }
                let (en, vi) = match wants_folders {
                    true => ("a document is a folder, not a file", "văn bản phải là thư mục"),
                    false => (
                        "a report is a file ending in .toml or .json",
                        "báo cáo phải là tệp .toml hoặc .json",
                    ),
                };
                let finding =
                    Finding::warning(CHECK, found.path.display().to_string(), both(en, vi));
                findings.push(finding.remedy("move it away", "chuyển đi nơi khác"));
            }
        }
    }
    findings
}

/// Deliveries that did not verify wait for somebody to look.
fn rejected(places: &Places) -> Option<Finding> {
    let room = Room::InboxRejected;
    let agencies = places.agencies(room).unwrap_or_default();
    let count = |agency| disk::complete(&places.of(room, agency)).map_or(0, |found| found.len());
    let waiting: usize = agencies.iter().map(count).sum();
    if waiting == 0 {
        return None;
    }
    let found = (
        format!("{waiting} deliveries did not verify"),
        format!("{waiting} văn bản nhận được không xác minh được"),
    );
    let about = places.room(room).display().to_string();
    Some(Finding::warning(CHECK, about, found).remedy(
        "see why in their document.json; renew roots and revocation lists, then start again",
        "xem lý do trong document.json; cập nhật chứng thư gốc, danh sách thu hồi rồi chạy lại",
    ))
}

/// Looks at files that hold secrets: others than this user must not read them.
pub fn secrets(files: &[&Path]) -> Vec<Finding> {
    let open = |file: &&Path| {
        let mode = fs::metadata(file).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| {
            let found = (
                format!("others than this user may read it (mode {mode:o})"),
                format!("người dùng khác cũng đọc được (quyền {mode:o})"),
            );
            let about = file.display().to_string();
            Finding::problem("secrets", about, found)
                .remedy("chmod 600 the file", "đặt quyền bằng chmod 600")
        })
    };
    files.iter().filter_map(open).collect()
}
