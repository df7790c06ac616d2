//! What explanations say, in Vietnamese and in English. Names are stable: programs read them.

use lienthong_model::{Reason, Standing};
use lienthong_trust::SignatureKind;

use super::{Cause, Wait, What};
use crate::deadlines::DeadlineKind;
use crate::routing::Route;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

impl Text {
    fn of(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self { vi: vi.into(), en: en.into() }
    }

    /// The same words in both languages: somebody else's, or a name.
    fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { vi: text.clone(), en: text }
    }

    /// Returns whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.vi.is_empty() && self.en.is_empty()
    }
}

impl What {
    /// Returns the stable name of what happened.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Signed { .. } => "signed",
            Self::Accepted { .. } => "accepted",
            Self::ListResolved { .. } => "list_resolved",
            Self::LeftOut { .. } => "left_out",
            Self::Slices { .. } => "slices",
            Self::Queued { .. } => "queued",
            Self::PutOff { .. } => "put_off",
            Self::Delivered { .. } => "delivered",
            Self::Reported { .. } => "reported",
            Self::Lapsed { .. } => "lapsed",
            Self::Marked { .. } => "marked",
            Self::Refused(_) => "refused",
        }
    }

    /// Returns what happened.
    pub fn text(&self) -> Text {
        match self {
            Self::Signed { .. } => Text::of("ký, theo người ký", "signed, as the signer says"),
            Self::Accepted { .. } => Text::of("trục tiếp nhận", "accepted by the hub"),
            Self::ListResolved { name, members } => Text::of(
                format!("danh sách `{name}`: {members} cơ quan"),
                format!("list `{name}`: {members} agencies"),
            ),
            Self::LeftOut { codes, count, .. } => {
                let more = if *count > codes.len() { ", …" } else { "" };
                let codes = codes.join(", ");
                Text::of(
                    format!("bỏ qua {count} cơ quan của danh sách: {codes}{more}"),
                    format!("{count} agencies of lists left out: {codes}{more}"),
                )
            }
            Self::Slices { recipients, slices } => Text::of(
                format!("chuyển tới {recipients} nơi nhận theo {slices} đợt"),
                format!("goes to {recipients} recipients in {slices} slices"),
            ),
            Self::Queued { route: (route, gateway), .. } => match route {
                Route::OwnNode => Text::of(
                    "vào hộp thư; nơi nhận lấy bằng nút của mình",
                    "in the mailbox; the recipient picks it up with its own node",
                ),
                Route::Gateway(_) => Text::of(
                    format!("vào hộp thư; {gateway} lấy hộ"),
                    format!("in the mailbox; {gateway} picks it up for the recipient"),
                ),
                Route::Held => Text::of(
                    "vào hộp thư và chờ: nơi nhận chưa kết nối",
                    "in the mailbox, held: the recipient is not connected",
                ),
            },
            Self::PutOff { times, .. } => Text::of(
                format!("nơi nhận chưa lưu được ({times} lần)"),
                format!("the recipient could not take it (times: {times})"),
            ),
            // A report implies that it was acknowledged; then no attempt is known.
            Self::Delivered { attempts: 0 } => Text::of("đã nhận", "acknowledged"),
            Self::Delivered { attempts } => Text::of(
                format!("đã nhận sau {attempts} lần chuyển"),
                format!("acknowledged, attempts: {attempts}"),
            ),
            Self::Reported { code, .. } => {
                Text::of(format!("{code} {}", code.name_vi()), format!("{code} {}", code.name_en()))
            }
            Self::Lapsed { kind, laggards } => {
                let Text { vi, en } = deadline_text(*kind);
                Text::of(
                    format!("{vi}: {laggards} nơi nhận"),
                    format!("{en}: {laggards} recipients"),
                )
            }
            Self::Marked { standing, .. } => standing_text(*standing),
            Self::Refused(refusal) => Text::of(
                format!("bị từ chối: {}", refusal.reason.code()),
                format!("refused: {}", refusal.reason.code()),
            ),
        }
    }

    /// Returns why, or with what; empty where there is nothing to say.
    pub fn why(&self) -> Text {
        match self {
            Self::ListResolved { .. } | Self::Delivered { .. } => Text::default(),
            Self::Signed { by } => Text::same(by.join("; ")),
            Self::Accepted { signature, caller } => {
                let Text { vi, en } = signature_text(*signature);
                Text::of(
                    format!("{vi}; gửi qua nút {caller}"),
                    format!("{en}; by the node of {caller}"),
                )
            }
            Self::LeftOut { reason, .. } => reason_text(*reason),
            Self::Slices { .. } => Text::of(
                "nhiều nơi nhận hơn một đợt; văn bản khẩn đi trước",
                "more recipients than a slice; urgent documents go first",
            ),
            Self::Queued { rule: Some(rule), .. } => {
                Text::of(format!("quy tắc {rule}"), format!("rule {rule}"))
            }
            Self::Queued { rule: None, .. } => Text::of(
                "không có quy tắc nào áp dụng: mặc định cho phép",
                "no rule matches: the default allows",
            ),
            Self::PutOff { reason, .. }
            | Self::Reported { reason, .. }
            | Self::Marked { reason, .. } => Text::same(reason.clone()),
            Self::Lapsed { kind: DeadlineKind::Remind, .. } => {
                Text::of("mỗi nơi nhận chậm được báo", "each of those that lag was told")
            }
            Self::Lapsed { .. } => Text::of(
                "bên gửi được báo; văn bản vẫn chờ nơi nhận",
                "the sender was told; the document stays available",
            ),
            Self::Refused(refusal) => {
                let Text { mut vi, mut en } = reason_text(refusal.reason);
                for violation in refusal.violations.iter().take(3) {
                    let at = format!("; `{}`: {}", violation.field, violation.value);
                    vi.push_str(&at);
                    en.push_str(&at);
                }
                vi.push_str(&format!(". Cách xử lý: {}", refusal.reason.remedy_vi()));
                en.push_str(&format!(". What to do: {}", refusal.reason.remedy()));
                Text { vi, en }
            }
        }
    }
}

fn deadline_text(kind: DeadlineKind) -> Text {
    match kind {
        DeadlineKind::PickUp | DeadlineKind::LookAgain => {
            Text::of("quá thời gian mà chưa được nhận", "not picked up in time")
        }
        DeadlineKind::Answer => Text::of(
            "quá thời gian mà chưa được tiếp nhận hoặc từ chối",
            "neither accepted nor refused in time",
        ),
        DeadlineKind::Due => Text::of("quá hạn xử lý", "not finished by the due date"),
        DeadlineKind::DeliverBy => Text::of("quá giờ hẹn giao", "not delivered by its hour"),
        DeadlineKind::Remind => Text::of("bên gửi nhắc", "reminded by the sender"),
    }
}

fn standing_text(standing: Standing) -> Text {
    match standing {
        Standing::Stands => Text::of("giữ nguyên như khi gửi", "stands as it was sent"),
        Standing::Updated => Text::of("được cập nhật", "updated by another document"),
        Standing::Withdrawn => {
            Text::of("được lấy lại trước khi nhận", "taken back before it was picked up")
        }
        Standing::Recalled => {
            Text::of("được lấy lại, nơi nhận đồng ý", "taken back with the recipient's consent")
        }
        Standing::Replaced => Text::of("được thay thế", "replaced by another document"),
    }
}

fn reason_text(reason: Reason) -> Text {
    Text::of(reason.meaning_vi(), reason.meaning())
}

fn signature_text(signature: SignatureKind) -> Text {
    match signature {
        SignatureKind::None => {
            Text::of("không ký số, chỉ để thông tin", "unsigned, for information only")
        }
        SignatureKind::Seal => Text::of("chữ ký số của cơ quan", "the agency's seal"),
        SignatureKind::Personal => {
            Text::of("chữ ký số của người có thẩm quyền", "the competent person's signature")
        }
        SignatureKind::PersonalAndSeal => Text::of(
            "chữ ký số của người có thẩm quyền và của cơ quan",
            "the competent person's signature and the agency's seal",
        ),
    }
}

impl Cause {
    /// Returns the stable name of the cause.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Slices { .. } => "slices",
            Self::NotConnected => "not_connected",
            Self::Suspended => "suspended",
            Self::NotPickedUp => "not_picked_up",
            Self::NotPickedUpByGateway => "not_picked_up_by_gateway",
            Self::PutOff { .. } => "put_off",
            Self::NotRegistered => "not_registered",
            Self::NotAccepted => "not_accepted",
            Self::NotFinished => "not_finished",
        }
    }

    /// Returns what the document waits for and why.
    pub fn text(&self) -> Text {
        match self {
            Self::Slices { pending } => Text::of(
                format!("trục đang chuyển tới {pending} nơi nhận còn lại"),
                format!("the hub is on its way to {pending} more recipients"),
            ),
            Self::NotConnected => Text::of(
                "nơi nhận chưa kết nối với trục; hộp thư giữ văn bản",
                "the recipient is not connected; its mailbox keeps the document",
            ),
            Self::Suspended => Text::of(
                "nơi nhận đang bị tạm dừng; hộp thư giữ văn bản",
                "the recipient is suspended; its mailbox keeps the document",
            ),
            Self::NotPickedUp => Text::of(
                "nút của nơi nhận chưa lấy văn bản",
                "the recipient's node has not picked it up",
            ),
            Self::NotPickedUpByGateway => Text::of(
                "nút của cổng kết nối chưa lấy văn bản",
                "the gateway's node has not picked it up",
            ),
            Self::PutOff { reason } => Text::of(
                format!("nút đã nhận nhưng chưa lưu được: {reason}"),
                format!("the node was offered it and could not take it: {reason}"),
            ),
            Self::NotRegistered => Text::of(
                "đã nhận; văn thư chưa báo tiếp nhận",
                "acknowledged; the clerks have reported nothing",
            ),
            Self::NotAccepted => Text::of(
                "đã đến; văn thư chưa tiếp nhận hoặc từ chối",
                "arrived; the clerks have neither accepted nor refused it",
            ),
            Self::NotFinished => {
                Text::of("đã tiếp nhận; chưa báo hoàn thành", "accepted; not reported as finished")
            }
        }
    }

    fn remedy(&self) -> Text {
        match self {
            Self::Slices { .. } => Text::of(
                "không cần làm gì; hỏi lại sau ít giây",
                "nothing to do; ask again in some seconds",
            ),
            Self::NotConnected => Text::of(
                "cơ quan cần kết nối nút, hoặc đăng ký cổng kết nối; gửi kèm bản giấy nếu cần gấp",
                "the agency has to connect a node or register a gateway; send paper if it is urgent",
            ),
            Self::Suspended => {
                Text::of("liên hệ đơn vị vận hành trục", "ask the operator of the axis")
            }
            Self::NotPickedUp => Text::of(
                "bật nút của cơ quan và kiểm tra kết nối, chứng thư",
                "start the agency's node and check its connection and certificate",
            ),
            Self::NotPickedUpByGateway => Text::of(
                "cổng kết nối cần bật nút và kiểm tra kết nối, chứng thư",
                "the gateway has to start its node and check its connection and certificate",
            ),
            Self::PutOff { .. } => Text::of(
                "khắc phục lỗi mà nút nêu (ổ đĩa, quyền ghi); trục sẽ gửi lại",
                "mend what the node says (disk, permissions); the hub pushes it again",
            ),
            Self::NotRegistered => Text::of(
                "văn thư nơi nhận mở văn bản và báo 01, 02 hoặc 03",
                "the recipient's clerks open it and report 01, 02 or 03",
            ),
            Self::NotAccepted => Text::of(
                "văn thư nơi nhận báo 03 tiếp nhận hoặc 02 từ chối kèm lý do",
                "the recipient's clerks report 03, or 02 with a reason",
            ),
            Self::NotFinished => Text::of(
                "nơi nhận xử lý và báo 06 hoàn thành",
                "the recipient deals with it and reports 06",
            ),
        }
    }
}

impl Wait {
    /// Returns what the document waits for and why; says so when the due date is over.
    pub fn text(&self) -> Text {
        let Text { mut vi, mut en } = self.cause.text();
        if self.is_overdue {
            vi.push_str(" (đã quá hạn)");
            en.push_str(" (overdue)");
        }
        Text { vi, en }
    }

    /// Returns what has to be done.
    pub fn remedy(&self) -> Text {
        self.cause.remedy()
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{Refusal, StatusCode};

    use super::*;

    fn every_what() -> Vec<What> {
        let queued = |route| What::Queued { route: (route, "H36".to_owned()), rule: None };
        let accepted = |signature| What::Accepted { signature, caller: "H36".to_owned() };
        let codes = vec!["H36".to_owned()];
        let mut all = vec![
            What::Signed { by: vec!["Nguyễn Văn An".to_owned()] },
            What::ListResolved { name: "communes".to_owned(), members: 3 },
            What::LeftOut { codes, count: 3, reason: Reason::RecipientSuspended },
            What::Slices { recipients: 600, slices: 3 },
            queued(Route::OwnNode),
            queued(Route::Gateway(lienthong_model::Ordinal(1))),
            queued(Route::Held),
            What::PutOff { times: 2, reason: "ổ đĩa đầy".to_owned() },
            What::Delivered { attempts: 0 },
            What::Delivered { attempts: 2 },
        ];
        let kinds = [
            SignatureKind::None,
            SignatureKind::Seal,
            SignatureKind::Personal,
            SignatureKind::PersonalAndSeal,
        ];
        all.extend(kinds.map(accepted));
        all.extend(DeadlineKind::ALL.map(|kind| What::Lapsed { kind, laggards: 3 }));
        let marked = |standing| What::Marked { standing, reason: String::new() };
        all.extend(Standing::ALL.map(marked));
        let reported = |code| What::Reported { code, reason: String::new() };
        all.extend(StatusCode::ALL.map(reported));
        all.extend(Reason::ALL.iter().map(|reason| What::Refused(Refusal::new(*reason))));
        all
    }

    fn every_cause() -> Vec<Cause> {
        vec![
            Cause::Slices { pending: 3 },
            Cause::NotConnected,
            Cause::Suspended,
            Cause::NotPickedUp,
            Cause::NotPickedUpByGateway,
            Cause::PutOff { reason: "ổ đĩa đầy".to_owned() },
            Cause::NotRegistered,
            Cause::NotAccepted,
            Cause::NotFinished,
        ]
    }

    fn assert_said(name: &str, text: &Text) {
        assert!(!text.vi.trim().is_empty() && !text.en.trim().is_empty(), "{name}: {text:?}");
        assert_ne!(text.vi, text.en, "{name}");
    }

    #[test]
    fn nothing_that_can_happen_lacks_a_text_in_either_language() {
        for what in every_what() {
            assert_said(what.name(), &what.text());
            let why = what.why();
            assert_eq!(why.vi.is_empty(), why.en.is_empty(), "{}", what.name());
        }
    }

    #[test]
    fn every_cause_of_waiting_has_a_text_and_a_remedy_in_both_languages() {
        let mut names = std::collections::BTreeSet::new();
        for cause in every_cause() {
            assert_said(cause.name(), &cause.text());
            assert_said(cause.name(), &cause.remedy());
            assert!(names.insert(cause.name()), "{} is used twice", cause.name());
        }
    }

    #[test]
    fn a_wait_past_the_due_date_says_so() {
        let wait = |is_overdue| Wait {
            recipient: None,
            since: lienthong_model::Timestamp::MIN,
            cause: Cause::NotPickedUp,
            actor: None,
            is_overdue,
        };
        assert!(wait(true).text().en.ends_with("(overdue)"));
        assert!(!wait(false).text().vi.contains("quá hạn"));
    }
}
