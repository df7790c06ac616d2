//! The documents that the cases send.

use bytes::Bytes;
use lienthong_model::{
    Answer, Attachment, AttachmentEntry, Correspondent, Document, DocumentType, Extension,
    Recipient, Reference, Signer, Staff, Steering, TraceHop, Urgency, Written,
};

use super::Examination;

/// A document and its attachments.
pub(super) type Paper = (Document, Vec<Attachment>);

impl Examination {
    /// A plain document with a subject; `what` is the case that it belongs to.
    pub(super) fn paper(&self, what: &str) -> Paper {
        let examiner = &self.examiner;
        let id = examiner.client.new_id();
        let to = Correspondent::new(self.agency.clone());
        let subject = format!("Kiểm thử liên thông ({what}): đề nghị tiếp nhận, xử lý, hoàn thành");
        let document =
            Document::new(id, examiner.agency.clone(), [Recipient::from(to)], subject, id.time())
                .issued(examiner.next_number(), DocumentType::OFFICIAL_LETTER, "UBND");
        (document, Vec::new())
    }

    /// A document with attachments of some names.
    pub(super) fn with_files(&self, what: &str, names: &[&str]) -> Paper {
        let (mut document, mut attachments) = self.paper(what);
        for (index, name) in names.iter().enumerate() {
            let bytes = format!("{what}: {name}\n").repeat(64 + index).into_bytes();
            let content_id = format!("cid:{index}");
            let entry = AttachmentEntry::of(content_id.clone(), *name, &bytes);
            let is_document = index == 0;
            document.attachments.push(AttachmentEntry { is_document, ..entry });
            attachments.push(Attachment { content_id, bytes: Bytes::from(bytes) });
        }
        (document, attachments)
    }

    /// A document with nothing but what is mandatory.
    pub(super) fn mandatory_only(&self) -> Paper {
        let examiner = &self.examiner;
        let id = examiner.client.new_id();
        let to = [Recipient::from(self.agency.clone())];
        (Document::new(id, examiner.agency.clone(), to, "Tối thiểu", id.time()), Vec::new())
    }

    /// A document with every field that there is.
    pub(super) fn all_fields(&self) -> Paper {
        let (document, attachments) =
            self.with_files("mọi trường", &["Toàn văn.pdf", "Phụ lục 1.docx"]);
        let now = document.signed_at;
        let day = document.issued_on.clone();
        let tomorrow = Written::moment(now.plus(std::time::Duration::from_secs(86_400)));
        let agency = self.examiner.agency.to_string();
        let reference = document.reference.clone();
        let answer = Answer {
            code: Written::code(agency.clone()),
            document_code: "01/UBND".to_owned(),
            reference: reference.text.clone(),
            date: day.clone(),
        };
        let mut business = document.business.clone();
        business.paper_copy = true;
        business.staff = Staff {
            department: "Văn phòng".to_owned(),
            name: "Trần Thị Bình".to_owned(),
            email: "binh@example.gov.vn".to_owned(),
            mobile: "0900000000".to_owned(),
            ids: vec!["cb-01".to_owned()],
        };
        let full = |code: &lienthong_model::AgencyCode| Correspondent {
            in_charge: "Ủy ban nhân dân".to_owned(),
            address: "Số 1, đường Trần Phú".to_owned(),
            email: "vanthu@example.gov.vn".to_owned(),
            telephone: "0263 3822 000".to_owned(),
            fax: "0263 3822 001".to_owned(),
            website: "https://example.gov.vn".to_owned(),
            ..Correspondent::new(code.clone()).named("Cơ quan kiểm thử")
        };
        let document = Document {
            from: full(&self.examiner.agency),
            recipients: vec![Recipient::from(full(&self.agency))],
            reference: Reference { ..reference },
            place_of_issue: "Đà Lạt".to_owned(),
            type_code: "2".to_owned(),
            type_detail: "1".to_owned(),
            abstract_text: "Tóm tắt: mọi trường của văn bản đều có giá trị.".to_owned(),
            signer: Signer {
                competence: "TM. ỦY BAN NHÂN DÂN".to_owned(),
                position: "Chủ tịch".to_owned(),
                full_name: "Nguyễn Văn An".to_owned(),
            },
            due: tomorrow.clone(),
            places_to: vec!["Như trên".to_owned(), "Lưu: VT".to_owned()],
            answers: vec![answer],
            task_codes: vec!["NV-2020-15".to_owned()],
            steering: Some(Steering::Steers),
            urgency: Urgency::Urgent,
            sphere: "Lưu hành nội bộ".to_owned(),
            typist_mark: "PL-300".to_owned(),
            copies: 12,
            pages: 3,
            direction: "đi".to_owned(),
            appendixes: vec!["Phụ lục 1".to_owned()],
            business,
            trace: vec![TraceHop { code: Written::code(agency), time: Written::moment(now) }],
            extensions: vec![Extension {
                path: "edXML/Header/Ghi chú".to_owned(),
                text: "giá trị riêng của nơi gửi".to_owned(),
            }],
            ..document
        };
        (document, attachments)
    }
}
