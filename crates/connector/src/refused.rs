//! Why something was declined, by the hub or here, in one form: code, place, remedy, in Vietnamese
//! and English. As JSON for programs and as a text for people.

use std::fmt;
use std::fmt::Write as _;

use lienthong_model::{Refusal, Violation};
use serde::{Deserialize, Serialize};

macro_rules! local_reasons {
    ($($name:ident = $code:literal, {
        en: $en:literal, vi: $vi:literal, remedy: $remedy:literal, remedy_vi: $remedy_vi:literal
    })+) => {
        /// Why the connector itself declines something, before the hub is asked. Codes are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum LocalReason { $(#[doc = $en] $name,)+ }

        impl LocalReason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The stable code, for programs.
            pub const fn code(self) -> &'static str { match self { $(Self::$name => $code),+ } }
            /// What it means, in English.
            pub const fn meaning(self) -> &'static str { match self { $(Self::$name => $en),+ } }
            /// What it means, in Vietnamese.
            pub const fn meaning_vi(self) -> &'static str { match self { $(Self::$name => $vi),+ } }
            /// What to do about it, in English.
            pub const fn remedy(self) -> &'static str { match self { $(Self::$name => $remedy),+ } }
            /// What to do about it, in Vietnamese.
            pub const fn remedy_vi(self) -> &'static str { match self { $(Self::$name => $remedy_vi),+ } }
        }
    };
}

local_reasons! {
    HeaderMissing = "HEADER_MISSING", {
        en: "the folder has neither `document.toml` nor `document.json`",
        vi: "thư mục không có `document.toml` hoặc `document.json`",
        remedy: "write one of them, then move the folder back to the outbox",
        remedy_vi: "viết một trong hai tệp đó rồi chuyển thư mục về lại hộp gửi"
    }
    HeaderTwice = "HEADER_TWICE", {
        en: "the folder has both `document.toml` and `document.json`",
        vi: "thư mục có cả `document.toml` và `document.json`",
        remedy: "keep one of them, then move the folder back to the outbox",
        remedy_vi: "chỉ giữ một tệp rồi chuyển thư mục về lại hộp gửi"
    }
    HeaderUnreadable = "HEADER_UNREADABLE", {
        en: "the header cannot be read as TOML or JSON",
        vi: "không đọc được phần khai báo dưới dạng TOML hoặc JSON",
        remedy: "correct the line named; docs/CONNECTOR.md has an example",
        remedy_vi: "sửa dòng được nêu; xem ví dụ trong docs/CONNECTOR.md"
    }
    HeaderKeyUnknown = "HEADER_KEY_UNKNOWN", {
        en: "the header has a key that there is not",
        vi: "phần khai báo có khóa không tồn tại",
        remedy: "correct the key named; docs/CONNECTOR.md lists them all",
        remedy_vi: "sửa khóa được nêu; danh sách khóa có trong docs/CONNECTOR.md"
    }
    HeaderValueMissing = "HEADER_VALUE_MISSING", {
        en: "the header misses a mandatory key",
        vi: "phần khai báo thiếu khóa bắt buộc",
        remedy: "add the key named",
        remedy_vi: "thêm khóa được nêu"
    }
    HeaderValueInvalid = "HEADER_VALUE_INVALID", {
        en: "a key of the header has a value that it may not have",
        vi: "một khóa trong phần khai báo có giá trị không hợp lệ",
        remedy: "correct the value on the line named",
        remedy_vi: "sửa giá trị ở dòng được nêu"
    }
    FileMissing = "FILE_MISSING", {
        en: "a file that the header names is not in the folder",
        vi: "tệp được nêu trong phần khai báo không có trong thư mục",
        remedy: "put the file beside the header, or correct its name",
        remedy_vi: "đặt tệp cạnh phần khai báo hoặc sửa lại tên"
    }
    FolderInside = "FOLDER_INSIDE", {
        en: "the document's folder has a folder in it, and only files can be attached",
        vi: "thư mục văn bản có thư mục con, trong khi chỉ đính kèm được tệp",
        remedy: "put the files beside the header, or pack the folder into one file",
        remedy_vi: "đặt các tệp cạnh phần khai báo hoặc nén thư mục thành một tệp"
    }
    FilesTooMany = "FILES_TOO_MANY", {
        en: "the document has more files than one document may have",
        vi: "văn bản có nhiều tệp hơn mức cho phép",
        remedy: "put files together, or send several documents",
        remedy_vi: "gộp tệp lại hoặc gửi thành nhiều văn bản"
    }
    FilesTooLarge = "FILES_TOO_LARGE", {
        en: "a file is larger than an attachment may be",
        vi: "tệp lớn hơn mức cho phép của một tệp đính kèm",
        remedy: "send it in parts",
        remedy_vi: "gửi thành nhiều phần"
    }
    FileChanged = "FILE_CHANGED", {
        en: "a file was changed after the document was signed",
        vi: "tệp bị thay đổi sau khi văn bản được ký",
        remedy: "leave the folder alone once it is in the outbox; move it back there to sign anew",
        remedy_vi: "không sửa thư mục khi đã đặt vào hộp gửi; chuyển về lại hộp gửi để ký mới"
    }
    SignerMissing = "SIGNER_MISSING", {
        en: "nobody can sign: the key is not here, or it was not said whose",
        vi: "không có ai ký được: không có khóa hoặc chưa nêu ai ký",
        remedy: "name the signer in the header, or put the key into the agency's folder",
        remedy_vi: "nêu người ký trong phần khai báo hoặc đặt khóa vào thư mục của cơ quan"
    }
    NotAReport = "NOT_A_REPORT", {
        en: "only files ending in .toml or .json are status reports",
        vi: "chỉ tệp có đuôi .toml hoặc .json là báo cáo trạng thái",
        remedy: "write the report as TOML or JSON with that ending",
        remedy_vi: "viết báo cáo dạng TOML hoặc JSON với đuôi tương ứng"
    }
}

/// One thing that is wrong with what the agency's software wrote, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub reason: LocalReason,
    /// The file; empty when it is none in particular.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The key (`to[1]`, `signer.position`); empty when it is none in particular.
    pub key: String,
    /// What was found, or what would do.
    pub value: String,
}

impl Fault {
    /// Says what is wrong.
    pub fn new(reason: LocalReason, value: impl ToString) -> Self {
        let value = value.to_string();
        Self { reason, file: String::new(), line: None, key: String::new(), value }
    }

    /// Says in which file.
    pub fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }

    /// Says on which line.
    pub fn at_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// Says at which key.
    pub fn at_key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Refused::from(self.clone()).line())
    }
}

impl std::error::Error for Fault {}

/// Something declined, by the hub or by the connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// What it means, in English.
    pub meaning: String,
    /// What it means, in Vietnamese.
    pub meaning_vi: String,
    /// What to do about it, in English.
    pub remedy: String,
    /// What to do about it, in Vietnamese.
    pub remedy_vi: String,
    /// What is wrong, and where.
    pub violations: Vec<Place>,
    /// When trying again may help, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The stable code.
    pub code: String,
    /// The field of the message, or the key of the header.
    pub field: String,
    /// The value found.
    pub value: String,
    /// The file, when it is one of the agency's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The line in it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        let place = |violation: &Violation| Place {
            code: violation.reason.code().to_owned(),
            field: violation.field.clone(),
            value: violation.value.clone(),
            file: String::new(),
            line: None,
        };
        Self {
            code: refusal.reason.code().to_owned(),
            meaning: refusal.reason.meaning().to_owned(),
            meaning_vi: refusal.reason.meaning_vi().to_owned(),
            remedy: refusal.reason.remedy().to_owned(),
            remedy_vi: refusal.reason.remedy_vi().to_owned(),
            violations: refusal.violations.iter().map(place).collect(),
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let Fault { reason, file, line, key, value } = fault;
        let code = reason.code().to_owned();
        Self {
            code: code.clone(),
            meaning: reason.meaning().to_owned(),
            meaning_vi: reason.meaning_vi().to_owned(),
            remedy: reason.remedy().to_owned(),
            remedy_vi: reason.remedy_vi().to_owned(),
            violations: vec![Place { code, field: key, value, file, line }],
            retry_after_ms: None,
        }
    }
}

impl Refused {
    /// Writes it in one line, in English, for a log.
    pub fn line(&self) -> String {
        let mut text = format!("{}: {}", self.code, self.meaning);
        for place in self.violations.iter().take(3) {
            let _ = write!(text, "; {}", place.text());
        }
        text
    }

    /// Writes it for people, in both languages.
    pub fn text(&self) -> String {
        let mut text = format!("bị từ chối / refused: {}\n", self.code);
        let mut pair = |what: &str, vi: &str, en: &str| {
            let _ = writeln!(text, "  {what:<20}{vi}\n  {:<20}{en}", "");
        };
        pair("nghĩa / meaning", &self.meaning_vi, &self.meaning);
        pair("xử lý / remedy", &self.remedy_vi, &self.remedy);
        for place in &self.violations {
            let _ = writeln!(text, "  {:<20}{}", "ở / at", place.text());
        }
        text
    }
}

impl Place {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.file.is_empty() {
            parts.push(match self.line {
                Some(line) => format!("`{}`, line {line}", self.file),
                None => format!("`{}`", self.file),
            });
        }
        if !self.field.is_empty() {
            parts.push(format!("`{}`", self.field));
        }
        if !self.value.is_empty() {
            parts.push(self.value.clone());
        }
        parts.join(": ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use lienthong_model::Reason;

    use super::*;

    #[test]
    fn no_code_of_ours_is_one_of_the_hubs() {
        let hub: HashSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let own: HashSet<&str> = LocalReason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(own.len(), LocalReason::ALL.len());
        assert!(own.is_disjoint(&hub));
    }

    #[test]
    fn a_fault_is_said_with_file_line_key_and_remedy_in_both_languages() {
        let fault = Fault::new(LocalReason::HeaderKeyUnknown, "did you mean `subject`?")
            .in_file("document.toml")
            .at_line(3)
            .at_key("subjct");
        let text = Refused::from(fault).text();
        for part in [
            "HEADER_KEY_UNKNOWN",
            "`document.toml`, line 3: `subjct`: did you mean `subject`?",
            LocalReason::HeaderKeyUnknown.remedy(),
            LocalReason::HeaderKeyUnknown.meaning_vi(),
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_refusal_of_the_hub_keeps_its_code_fields_and_remedy() {
        let refusal = Refusal::at(Reason::RecipientUnknown, "recipients[0].code", "H99");
        let refused = Refused::from(&refusal);
        let json = serde_json::to_string(&refused).unwrap();
        assert_eq!(serde_json::from_str::<Refused>(&json).unwrap(), refused);
        assert!(json.contains("\"field\":\"recipients[0].code\"") && !json.contains("line"));
    }
}
