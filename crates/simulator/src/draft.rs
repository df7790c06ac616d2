//! What simulated agencies write: plausible subjects, persons and notations.

use lienthong_model::{AgencyCode, Document, DocumentType, Level, Urgency};
use lienthong_pki::Profile;

const MATTERS: [&str; 24] = [
    "công tác phòng, chống dịch COVID-19",
    "khắc phục hậu quả mưa lũ",
    "dự toán ngân sách nhà nước năm 2021",
    "chuyển đổi số và xây dựng chính quyền điện tử",
    "sử dụng chữ ký số cá nhân trong gửi, nhận văn bản điện tử",
    "công tác quản lý, bảo vệ rừng",
    "giải ngân vốn đầu tư công",
    "cải cách thủ tục hành chính",
    "tiêm chủng mở rộng",
    "chuẩn bị năm học mới",
    "quy hoạch sử dụng đất",
    "bảo đảm trật tự an toàn giao thông",
    "phòng cháy, chữa cháy",
    "chi trả chế độ cho người có công",
    "xây dựng nông thôn mới",
    "kiểm kê tài sản công",
    "bầu cử đại biểu Quốc hội và Hội đồng nhân dân các cấp",
    "an toàn thực phẩm",
    "giải quyết đơn thư khiếu nại, tố cáo",
    "cấp căn cước công dân gắn chíp",
    "tái canh cây cà phê",
    "bảo tồn không gian văn hóa cồng chiêng",
    "hỗ trợ hộ nghèo và cận nghèo",
    "kết nối, liên thông phần mềm quản lý văn bản",
];

const VERBS: [&str; 8] = [
    "Về việc",
    "Báo cáo",
    "Kế hoạch",
    "Hướng dẫn",
    "Đôn đốc",
    "Triển khai",
    "Rà soát",
    "Tăng cường",
];

const FAMILY: [&str; 12] =
    ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Y", "K'"];
const MIDDLE: [&str; 8] = ["Văn", "Thị", "Đức", "Minh", "Ngọc", "Quốc", "Thanh", "Hữu"];
const GIVEN: [&str; 16] = [
    "An", "Bình", "Cường", "Dung", "Đạt", "Giang", "Hà", "Hùng", "Khánh", "Lan", "Mai", "Nam",
    "Phúc", "Quỳnh", "Sơn", "Thảo",
];

/// The types that agencies send most, with how often of 100.
const TYPES: [(&str, u64); 8] =
    [("", 52), ("BC", 14), ("QĐ", 10), ("KH", 8), ("TB", 6), ("GM", 5), ("TTr", 3), ("HD", 2)];

/// How subjects of a type begin; the matter follows.
const OPENINGS: [(&str, &[&str]); 13] = [
    (
        "QĐ",
        &["Quyết định về việc", "Quyết định ban hành Kế hoạch", "Quyết định phê duyệt phương án"],
    ),
    ("CT", &["Chỉ thị về việc tăng cường", "Chỉ thị về"]),
    ("BC", &["Báo cáo kết quả thực hiện", "Báo cáo tình hình", "Báo cáo sơ kết"]),
    ("KH", &["Kế hoạch triển khai", "Kế hoạch thực hiện"]),
    ("TB", &["Thông báo kết luận về", "Thông báo về việc"]),
    ("GM", &["Giấy mời họp về", "Giấy mời dự hội nghị về"]),
    ("TTr", &["Tờ trình đề nghị phê duyệt", "Tờ trình về việc"]),
    ("HD", &["Hướng dẫn thực hiện", "Hướng dẫn về"]),
    ("NQ", &["Nghị quyết về"]),
    ("CTr", &["Chương trình hành động về"]),
    ("ĐA", &["Đề án"]),
    ("CĐ", &["Công điện về việc"]),
    ("", &["V/v", "V/v đôn đốc", "V/v triển khai", "V/v rà soát", "V/v góp ý dự thảo về"]),
];

/// Returns a subject of a type for a number.
pub(crate) fn subject_of(kind: DocumentType, number: u64) -> String {
    let abbreviation = kind.abbreviation();
    let matter = MATTERS[(number % 24) as usize];
    let number = (number / 24) as usize;
    match OPENINGS.iter().find(|(known, _)| *known == abbreviation) {
        Some((_, openings)) => format!("{} {matter}", openings[number % openings.len()]),
        None => format!("{} về {matter}", kind.name_vi()),
    }
}

/// Returns what a unit of a level puts behind the type in a notation.
pub(crate) fn unit(level: Level) -> &'static str {
    match level {
        Level::Ministry => "VP",
        Level::Province | Level::District | Level::Commune => "UBND",
    }
}

/// Returns what stands on a document's first page.
pub(crate) fn letter(document: &Document) -> Vec<String> {
    let to: Vec<String> =
        document.recipients.iter().take(5).map(|one| one.addressee().to_string()).collect();
    let signer = &document.signer;
    [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM".to_owned(),
        "Độc lập - Tự do - Hạnh phúc".to_owned(),
        format!("{} Số: {}/{}", document.from.name, document.number, document.notation),
        document.type_name.to_uppercase(),
        document.subject.clone(),
        format!("Kính gửi: {}", to.join(", ")),
        "Văn bản mô phỏng, không có giá trị pháp lý.".to_owned(),
        format!("{} {}", signer.position.to_uppercase(), signer.full_name),
    ]
    .into_iter()
    .filter(|line| !line.trim().is_empty())
    .collect()
}

/// Returns a subject for a number.
pub fn subject(number: u64) -> String {
    let verb = VERBS[(number % 8) as usize];
    let matter = MATTERS[(number / 8 % 24) as usize];
    format!("{verb} {matter}")
}

/// Returns a document type for a number: official letters most, then reports and decisions.
pub(crate) fn document_type(number: u64) -> DocumentType {
    let mut rest = number % 100;
    for (abbreviation, share) in TYPES {
        if rest < share {
            let known = DocumentType::by_abbreviation(abbreviation);
            return known.unwrap_or(DocumentType::OFFICIAL_LETTER);
        }
        rest -= share;
    }
    DocumentType::OFFICIAL_LETTER
}

/// Returns a person of an agency, with a name that follows from a number.
pub(crate) fn person(agency: &AgencyCode, id: &str, number: u64) -> Profile {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
    let family = FAMILY[(mixed % 12) as usize];
    let middle = MIDDLE[(mixed / 12 % 8) as usize];
    let given = GIVEN[(mixed / 96 % 16) as usize];
    Profile::Person {
        agency: agency.clone(),
        person: format!("{}-{id}", agency.as_str()),
        name: format!("{family} {middle} {given}"),
        title: "Thủ trưởng cơ quan".to_owned(),
    }
}

/// Returns an urgency for a number: one document in fifty is *hỏa tốc*.
pub(crate) fn urgency(number: u64) -> Urgency {
    match number.wrapping_mul(0x9E37_79B9) % 50 {
        0 => Urgency::Express,
        1..4 => Urgency::VeryUrgent,
        4..10 => Urgency::Urgent,
        _ => Urgency::Normal,
    }
}
