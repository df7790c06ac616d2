//! What is written is read by a reader that is not ours.

use super::*;

fn lines() -> Vec<String> {
    vec![
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM".to_owned(),
        "Về việc sử dụng chữ ký số cá nhân (đợt 2) trong gửi, nhận văn bản điện tử".to_owned(),
    ]
}

#[test]
fn every_number_of_pages_and_every_size_opens_with_as_many_pages_and_bytes() {
    let lines = lines();
    for (pages, bytes) in [(1, 0), (1, 4_096), (2, 9_999), (7, 100_000), (30, 2_000_000)] {
        let file = write(&Letter { lines: &lines, pages, bytes });
        let document = lopdf::Document::load_mem(&file).unwrap();
        assert_eq!(document.get_pages().len(), pages as usize);
        assert!(file.len() == bytes || bytes == 0, "{} of {bytes}", file.len());
        // Every object that is named is there.
        for number in document.get_pages().values() {
            assert!(!document.get_page_content(*number).is_empty());
        }
    }
}

#[test]
fn the_text_is_there_as_text_and_its_marks_as_strokes() {
    let file = write(&Letter { lines: &lines(), pages: 1, bytes: 0 });
    let document = lopdf::Document::load_mem(&file).unwrap();
    let page = *document.get_pages().values().next().unwrap();
    let content = String::from_utf8(document.get_page_content(page)).unwrap();
    assert!(content.contains("(CONG HOA XA HOI CHU NGHIA VIET NAM) Tj"), "{content}");
    assert!(content.contains("\\(dot 2\\)"), "brackets are escaped: {content}");
    let actual: String = "CỘNG".encode_utf16().map(|unit| format!("{unit:04X}")).collect();
    assert!(content.contains(&format!("<FEFF{actual}")), "{content}");
    assert!(content.contains(" l S"), "{content}");
}

#[test]
fn the_same_letter_gives_the_same_bytes() {
    let letter = || write(&Letter { lines: &lines(), pages: 3, bytes: 20_000 });
    assert_eq!(letter(), letter());
}
