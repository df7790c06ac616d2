//! The page of statuses is written from the state machine: what it shows is what the hub does.

use std::fmt::Write as _;

use lienthong_core::{Closed, DeliveryState, Progress};
use lienthong_model::{ChangeEffect, ChangeKind, Standing, StatusCode};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/STATUSES.md");

fn progress_name(progress: Progress) -> &'static str {
    match progress {
        Progress::Waiting => "đang chờ / waiting",
        Progress::PickedUp => "đã lấy / picked up",
        Progress::Arrived => "01 đã đến / arrived",
        Progress::Refused => "02 từ chối / refused",
        Progress::Accepted => "03 đã tiếp nhận / accepted",
        Progress::Assigned => "04 phân công / assigned",
        Progress::Processing => "05 đang xử lý / being processed",
        Progress::Finished => "06 hoàn thành / finished",
    }
}

fn kind_name(kind: ChangeKind) -> String {
    format!("{} / {}", kind.name_vi(), kind.name_en())
}

fn standing_name(standing: Standing) -> String {
    format!("{} / {}", standing.name_vi(), standing.name_en())
}

/// Where a report leads, or a dash.
fn reported(state: DeliveryState, code: StatusCode) -> String {
    match state.reported(code) {
        Ok(after) => progress_name(after.progress).chars().take(2).collect(),
        Err(Closed::NotOpen) => "–".to_owned(),
        Err(Closed::TakenBack) => "DOCUMENT_TAKEN_BACK".to_owned(),
        Err(Closed::Replaced) => "DOCUMENT_REPLACED".to_owned(),
    }
}

fn effect(effect: ChangeEffect) -> &'static str {
    match effect {
        ChangeEffect::AtOnce => "ngay / at once",
        ChangeEffect::Asked => "hỏi / asked",
        ChangeEffect::TooLate => "quá muộn / too late",
        ChangeEffect::Gone => "không còn / gone",
    }
}

fn progress_table(page: &mut String) {
    page.push_str(
        "| | 01 | 02 | 03 | 04 | 05 | 06 | 13, 1, 2, 3 |\n|---|---|---|---|---|---|---|---|\n",
    );
    for progress in Progress::ALL {
        let state = DeliveryState { progress, ..DeliveryState::NEW };
        let moves: Vec<String> = StatusCode::ALL
            .into_iter()
            .filter(|code| Progress::of(*code).is_some())
            .map(|code| reported(state, code))
            .collect();
        let (_, change) = state.changed(ChangeKind::Recall);
        assert!(ChangeKind::ALL.iter().all(|kind| state.changed(*kind).1 == change));
        let name = progress_name(progress);
        let _ = writeln!(page, "| {name} | {} | {} |", moves.join(" | "), effect(change));
    }
}

fn asked_table(page: &mut String) {
    page.push_str("| | 15 | 16 | 02, 06 | ngay / at once |\n|---|---|---|---|---|\n");
    for kind in ChangeKind::ALL {
        let state =
            DeliveryState { progress: Progress::Accepted, asked: Some(kind), ..DeliveryState::NEW };
        let after = |code| standing_name(state.reported(code).unwrap().standing);
        let finished = state.reported(StatusCode::Finished).unwrap();
        assert_eq!(finished.asked, None, "the end answers what was asked");
        let (at_once, _) = DeliveryState::NEW.changed(kind);
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            kind_name(kind),
            after(StatusCode::ChangeAgreed),
            after(StatusCode::ChangeRefused),
            standing_name(finished.standing),
            standing_name(at_once.standing),
        );
    }
}

fn standing_table(page: &mut String) {
    page.push_str(
        "| | báo 06 / report 06 | xác nhận / acknowledge | thay đổi nữa / a further change |\n\
         |---|---|---|---|\n",
    );
    for standing in Standing::ALL {
        let state = DeliveryState { progress: Progress::Accepted, standing, ..DeliveryState::NEW };
        let acknowledged = match state.acknowledged() {
            Ok(_) => "được / yes",
            Err(Closed::TakenBack | Closed::NotOpen) => "DOCUMENT_TAKEN_BACK",
            Err(Closed::Replaced) => "DOCUMENT_REPLACED",
        };
        let (_, change) = state.changed(ChangeKind::Replace);
        let _ = writeln!(
            page,
            "| {} | {} | {acknowledged} | {} |",
            standing_name(standing),
            reported(state, StatusCode::Finished),
            effect(change),
        );
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Trạng thái, thu hồi, cập nhật, thay thế / statuses, recall, update, replacement\n\n\
         Written from `crates/core/src/delivery_state.rs`; a test holds the two together \
         (`LIENTHONG_WRITE_PAGES=1 cargo nextest run -p lienthong-core statuses_page` writes \
         it anew). A second test (`delivery_model.rs`) checks the machine against a model that was \
         written apart.\n\n\
         Viết từ `crates/core/src/delivery_state.rs`; có kiểm thử giữ trang này khớp với mã nguồn.\n\n\
         ## Tiến độ / progress\n\n\
         Mỗi dòng là tiến độ của một nơi nhận, mỗi cột là báo cáo tiếp theo: hai chữ số là trạng thái \
         mới, gạch ngang là bị từ chối (STATUS_NOT_OPEN nêu các bước còn được phép). Cột cuối: nơi \
         gửi thu hồi (13 hoặc loại 1), cập nhật (loại 2), thay thế (loại 3).\n\n\
         A line is how far a recipient has come, a column the next report: two digits are the new \
         state, a dash is refused (STATUS_NOT_OPEN names what is open). The last column: the sender \
         recalls (13, or a document of kind 1), updates (kind 2), replaces (kind 3). *Picked up* \
         means acknowledged or reported on; what was pushed and not acknowledged still *waits*. A \
         report implies the acknowledgement. 02, 13 and 16 need a reason, documents of kind 1 to 3 \
         too. At most 64 reports of progress a delivery (the last place is kept for 02 or 06) and 16 \
         changes a document.\n\n",
    );
    progress_table(&mut page);
    page.push_str(
        "\n## Khi nơi gửi yêu cầu / what a sender asks\n\n\
         Nơi nhận đã lấy văn bản thì phải đồng ý (15) hoặc từ chối (16), trả lời trên *văn bản bị tác \
         động*. Báo 02 hoặc 06 khi đang được hỏi nghĩa là không đồng ý. Yêu cầu sau thay yêu cầu \
         trước chưa được trả lời.\n\n\
         A recipient that has the document must agree (15) or refuse (16); it answers on *the document \
         acted on*. To report 02 or 06 meanwhile is to say no. A later request takes the place of one \
         without an answer. The table shows what the document is afterwards.\n\n",
    );
    asked_table(&mut page);
    page.push_str(
        "\n## Văn bản còn hiệu lực không / what a document is by now\n\n\
         A withdrawn document, and one replaced before it was picked up, leave the mailbox; who may \
         have been pushed it is told by a notice, and by the answer to a late acknowledgement. A \
         replacement is delivered to everybody it names, also to those who finished the old document \
         or never had it. An update adds recipients, who get the old document too, and removes others \
         by a recall. Every delivery, tracked document and notice carries the mark and the message \
         that made it. A recall itself cannot be recalled, updated or replaced.\n\n\
         Văn bản đã rút hoặc bị thay thế trước khi được lấy thì rời hộp thư; nơi nhận nào có thể đã \
         được đẩy sẽ nhận thông báo, và xác nhận muộn được trả lời rõ. Bản cập nhật có thể thêm nơi \
         nhận (được gửi cả văn bản cũ) và bớt nơi nhận (như thu hồi).\n\n",
    );
    standing_table(&mut page);
    page
}

#[test]
fn the_page_of_statuses_shows_what_the_state_machine_does() {
    if std::env::var_os("LIENTHONG_WRITE_PAGES").is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    let (found, expected) = (std::fs::read_to_string(PAGE).unwrap_or_default(), page());
    let differs = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert_eq!(differs, None, "the first line that differs: as found, as expected");
    assert_eq!(found.lines().count(), expected.lines().count(), "lines of the page");
}
