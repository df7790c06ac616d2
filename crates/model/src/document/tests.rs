use std::collections::HashSet;

use super::*;
use crate::code::AgencyCode;
use crate::text::fold_diacritics;

fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

fn document() -> Document {
    let at = Timestamp::parse("2020-11-16T08:00:00+07:00").unwrap();
    Document::new(MessageId::new(at, [1; 10]), code("H36"), [code("H40.12")], "Về việc họp", at)
}

#[test]
fn the_table_of_types_is_the_published_list() {
    let file = include_str!("../../../../data/document_types.csv");
    let rows: Vec<Vec<&str>> = file.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let table: Vec<Vec<&str>> = DocumentType::TABLE
        .iter()
        .map(|entry| vec![entry.abbreviation, entry.name_vi, entry.name_en])
        .collect();
    assert_eq!(rows, table);
}

#[test]
fn a_type_is_found_by_abbreviation_and_by_name() {
    for (index, entry) in DocumentType::TABLE.iter().enumerate() {
        let expected = DocumentType::from_number(u8::try_from(index + 1).unwrap());
        assert_eq!(DocumentType::by_name(entry.name_vi), expected);
        assert_eq!(DocumentType::by_name(&fold_diacritics(entry.name_vi)), expected);
        if !entry.abbreviation.is_empty() {
            assert_eq!(DocumentType::by_abbreviation(entry.abbreviation), expected);
        }
    }
    assert_eq!(DocumentType::from_number(30), None);
    assert_eq!(DocumentType::OFFICIAL_LETTER.name_vi(), "Công văn");
    assert_eq!(DocumentType::DECISION.abbreviation(), "QĐ");
}

#[test]
fn names_of_types_stay_apart_without_diacritics() {
    let folded: HashSet<_> =
        DocumentType::TABLE.iter().map(|entry| fold_diacritics(entry.name_vi)).collect();
    assert_eq!(folded.len(), DocumentType::TABLE.len());
}

#[test]
fn a_contract_is_not_a_guidance() {
    let contract = DocumentType::by_abbreviation("HĐ").unwrap();
    let guidance = DocumentType::by_abbreviation("HD").unwrap();
    assert_eq!(contract.name_vi(), "Hợp đồng");
    assert_eq!(guidance.name_vi(), "Hướng dẫn");
    assert_eq!(DocumentType::by_abbreviation("hd"), None);
}

#[test]
fn the_type_comes_from_the_name_and_only_without_one_from_the_notation() {
    assert_eq!(DocumentType::of("QUYẾT ĐỊNH", "TB-UBND"), DocumentType::DECISION);
    assert_eq!(DocumentType::of("", "QĐ-UBND"), DocumentType::DECISION);
    assert_eq!(DocumentType::of("", "VPCP-TTĐT"), DocumentType::OTHER);
    assert_eq!(DocumentType::of("Thư mời", "QĐ-UBND"), DocumentType::OTHER);
}

#[test]
fn dates_are_read_in_the_ways_the_field_writes_them_and_kept() {
    let day = Timestamp::parse("2020-11-16");
    for text in ["2020/11/16", "2020-11-16", "16/11/2020", " 2020/11/16 "] {
        let written = Written::date(text);
        assert_eq!(written.value, day, "{text}");
        assert_eq!(written.text, text);
    }
    let moment = Timestamp::parse("2020-11-16T08:30:05+07:00");
    assert_eq!(Written::date("2020/11/16 08:30:05").value, moment);
    assert_eq!(Written::date("2020-11-16T01:30:05Z").value, moment);
    assert_eq!(Written::moment(moment.unwrap()).text, "2020/11/16 08:30:05");
    for text in ["", "soon", "2020/13/01", "2020/11", "2020/11/16/1", "1/1/20"] {
        assert_eq!(Written::date(text).value, None, "{text}");
    }
}

#[test]
fn an_answer_on_the_day_it_is_due_is_in_time() {
    assert_eq!(Written::deadline("2020/11/16").value, Timestamp::parse("2020-11-17"));
    let hour = Written::deadline("2020/11/16 17:00:00");
    assert_eq!(hour.value, Timestamp::parse("2020-11-16T17:00:00+07:00"));
}

#[test]
fn a_code_is_read_and_kept_as_written() {
    let written = Written::code(" 000.00.12.H36");
    assert_eq!(written.text, " 000.00.12.H36");
    assert_eq!(written.value, Some(code("000.00.12.H36")));
    assert_eq!(Written::code("H36/1").value, None);
}

#[test]
fn an_issued_document_has_the_reference_of_the_field() {
    let document = document().issued(15, DocumentType::DECISION, "UBND");
    assert_eq!(document.reference.text, "H36,2020/11/16,15/QĐ-UBND");
    assert_eq!(document.header().document_type, DocumentType::DECISION);
    let letter = super::tests::document().issued(7816, DocumentType::OFFICIAL_LETTER, "VPCP-TTĐT");
    assert_eq!(letter.reference.text, "H36,2020/11/16,7816/VPCP-TTĐT");
}

#[test]
fn the_header_says_what_the_document_says() {
    let mut document = document();
    document.recipients.push(Recipient::List("all provinces".into()));
    document.urgency = Urgency::ExpressTimed;
    document.due = Written::deadline("2020/11/30");
    document.business.paper_copy = true;
    document.answers.push(Answer {
        code: Written::code("G22"),
        document_code: "7816/VPCP-TTĐT".into(),
        reference: "G22,2020/10/01,7816/VPCP-TTĐT".into(),
        date: Written::date("2020/10/01"),
    });
    let header = document.header();
    assert_eq!(header.sender, code("H36"));
    let list = Addressee::List("all provinces".into());
    assert_eq!(header.recipients, [Addressee::Agency(code("H40.12")), list]);
    assert_eq!(header.due, Timestamp::parse("2020-12-01"));
    assert!(header.paper_copy && header.urgency.is_urgent());
    let answer = &header.answers[0];
    assert_eq!(answer.number.as_deref(), Some("7816"));
    assert_eq!(answer.notation.as_deref(), Some("VPCP-TTĐT"));
    assert_eq!(answer.code.as_deref(), Some("G22"));
}

#[test]
fn only_the_two_express_grades_are_urgent() {
    let urgent: Vec<_> = Urgency::ALL.into_iter().filter(|urgency| urgency.is_urgent()).collect();
    assert_eq!(urgent, [Urgency::Express, Urgency::ExpressTimed]);
    assert!(Urgency::Normal < Urgency::Urgent && Urgency::Express < Urgency::ExpressTimed);
}

#[test]
fn journalled_kinds_come_back_from_their_numbers() {
    for urgency in Urgency::ALL {
        let bytes = minicbor::to_vec(urgency).unwrap();
        assert_eq!(bytes, [urgency.number()]);
        assert_eq!(minicbor::decode::<Urgency>(&bytes).unwrap(), urgency);
    }
    for kind in BusinessKind::ALL {
        let bytes = minicbor::to_vec(kind).unwrap();
        assert_eq!(bytes, [kind.number()]);
        assert_eq!(minicbor::decode::<BusinessKind>(&bytes).unwrap(), kind);
    }
    let header = document().header();
    let bytes = minicbor::to_vec(&header).unwrap();
    assert_eq!(minicbor::decode::<Header>(&bytes).unwrap(), header);
}
