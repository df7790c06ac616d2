use std::fmt::Write as _;

use proptest::prelude::*;

use super::error::HEADER;
use super::*;

const GOOD: &str = "H36,Lâm Đồng,province,,H36,2019-03-12,,connected,required,";

fn file(lines: &[&str]) -> String {
    lines.iter().fold(format!("{HEADER}\n"), |text, line| text + line + "\n")
}

fn fault(bytes: impl AsRef<[u8]>) -> CsvError {
    read_csv(bytes.as_ref()).unwrap_err()
}

/// The whole message, after checking where it points.
fn message(bytes: impl AsRef<[u8]>, line: u64, column: &str) -> String {
    let error = fault(bytes);
    assert_eq!((error.line, error.column.as_str()), (line, column), "{error}");
    error.to_string()
}

fn written(entries: &[AgencyEntry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_csv(&mut bytes, entries).unwrap();
    bytes
}

#[test]
fn the_whole_country_comes_back_as_it_was_written() {
    let country = crate::entries().unwrap();
    let bytes = written(&country);
    assert!(read_csv(bytes.as_slice()).unwrap() == country);
    assert!(bytes == written(&crate::entries().unwrap()), "the same bytes every time");
    assert!(bytes.len() < FILE_BYTES_MAX);
}

#[test]
fn the_first_line_is_that_of_the_documentation() {
    assert_eq!(COLUMNS.join(","), HEADER);
    assert_eq!(written(&[]), format!("{HEADER}\n").into_bytes());
    assert_eq!(read_csv(HEADER.as_bytes()).unwrap(), []);
}

#[test]
fn columns_may_stand_in_any_order() {
    let turned = "gateway,policy,state,until,from,province,parent,level,name,code\n\
                  H36,required,held,2025-07-01,2019-03-12,H36,H36,district,Lạc Dương,H36.21\n";
    let entries = read_csv(turned.as_bytes()).unwrap();
    let line = "H36.21,Lạc Dương,district,H36,H36,2019-03-12,2025-07-01,held,required,H36\n";
    assert_eq!(String::from_utf8(written(&entries)).unwrap(), format!("{HEADER}\n{line}"));
}

#[test]
fn a_byte_order_mark_windows_line_ends_and_empty_lines_are_accepted() {
    let text = format!("\u{feff}{HEADER}\r\n\r\n{GOOD}\r\n\r\n");
    assert_eq!(read_csv(text.as_bytes()).unwrap().len(), 1);
    message(text + &GOOD.replace("2019", "last year") + "\r\n", 5, "from");
}

#[test]
fn a_first_line_that_is_not_the_header_is_refused_by_column() {
    assert_eq!(
        message("", 1, ""),
        format!("line 1: the file is empty: its first line must be `{HEADER}`")
    );
    let unknown = message(format!("{HEADER},colour\n"), 1, "colour");
    assert!(unknown.starts_with("line 1, column `colour`: there is no such column: the first"));
    let semicolons = HEADER.replace(',', ";");
    assert!(fault(semicolons).to_string().ends_with("with commas between"));
    assert!(message(format!("{HEADER},code\n"), 1, "code").contains("named twice"));
    let lacking = HEADER.replace(",policy", "");
    assert!(message(lacking, 1, "policy").contains("missing"));
}

#[test]
fn a_bad_value_is_refused_by_line_and_column_with_the_remedy() {
    let cases = [
        ("H36,", "H36/1,", "code", "write it like `H36.12`"),
        ("H36,", ",", "code", "write it like `H36.12`"),
        ("Lâm Đồng", "", "name", "an agency needs a name"),
        ("Lâm Đồng", "  ", "name", "an agency needs a name"),
        ("Lâm Đồng", "\"Lâm\nĐồng\"", "name", "this has '\\n'"),
        ("province,", "tỉnh,", "level", "`tỉnh` is no level: write ministry, province"),
        (",,H36", ",H 6,H36", "parent", "this has ` `"),
        (",,H36", ",,H..36", "province", "in every group"),
        ("2019-03-12", "12/03/2019", "from", "`12/03/2019` is no day: write it like"),
        ("2019-03-12", "2019-02-29", "from", "is no day"),
        ("2019-03-12", "", "from", "`` is no day"),
        ("12,,", "12,soon,", "until", "`soon` is no day"),
        ("12,,", "12,2019-03-12,", "until", "`2019-03-12` is not after `2019-03-12`"),
        ("connected", "on", "state", "`on` is no state: write connected, held or suspended"),
        ("required", "seal", "policy", "write required, transition or information"),
        ("required,", "required,Đ1", "gateway", "this has `Đ`"),
    ];
    for (old, new, column, remedy) in cases {
        let bad = GOOD.replacen(old, new, 1);
        let message = message(file(&["", GOOD.replace("H36", "H01").as_str(), &bad]), 4, column);
        assert!(message.starts_with(&format!("line 4, column `{column}`: ")), "{message}");
        assert!(message.contains(remedy), "{message}");
    }
}

#[test]
fn a_line_with_a_field_too_few_or_too_many_is_refused() {
    let few = GOOD.trim_end_matches(',');
    assert!(message(file(&[few]), 2, "").contains("9 fields instead of 10"));
    let many = GOOD.replace("Lâm Đồng", "Lâm, Đồng");
    assert!(message(file(&[&many]), 2, "").contains("11 fields instead of 10: put a text"));
}

#[test]
fn bytes_that_are_not_utf8_are_refused_by_line_and_column() {
    let mut bytes = file(&[GOOD]).into_bytes();
    let place = bytes.iter().position(|byte| *byte == 0xC3).unwrap();
    bytes[place] = 0xFF;
    assert!(message(bytes, 2, "name").contains("save the file as `CSV UTF-8`"));
}

#[test]
fn a_name_of_500_characters_is_read_and_one_more_is_refused() {
    let named = |chars: usize| file(&[&GOOD.replace("Lâm Đồng", &"ồ".repeat(chars))]);
    assert_eq!(read_csv(named(500).as_bytes()).unwrap().len(), 1);
    assert!(message(named(501), 2, "name").contains("at most 500 characters, this has 501"));
}

#[test]
fn an_agency_may_have_several_spans_but_not_two_from_one_day() {
    let later = GOOD.replace("2019-03-12", "2025-07-01");
    assert_eq!(read_csv(file(&[GOOD, &later]).as_bytes()).unwrap().len(), 2);
    let turned = GOOD.replacen("H36", "000.00.00.H36", 1);
    let message = message(file(&[GOOD, &later, &turned]), 4, "code");
    assert!(message.contains("line 2 has the same agency"), "{message}");
}

#[test]
fn one_entry_more_than_a_directory_has_is_refused() {
    let mut text = file(&[]);
    for number in 0..AGENCIES_MAX {
        writeln!(text, "{}", GOOD.replacen("H36", &format!("A{number}"), 1)).unwrap();
    }
    assert_eq!(read_csv(text.as_bytes()).unwrap().len(), AGENCIES_MAX);
    text.push_str(GOOD);
    let line = AGENCIES_MAX as u64 + 2;
    assert!(message(text, line, "").contains("more than 65536 entries"));
}

#[test]
fn a_file_without_end_is_refused_and_not_held_in_memory() {
    let error = read_csv(std::io::repeat(b'x')).unwrap_err();
    assert!(matches!(error.why, CsvFault::TooLarge), "{error}");
    assert_eq!(error.to_string(), "more than 67108864 bytes: split the file");
}

#[test]
fn a_failing_input_is_reported_with_its_cause() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    assert_eq!(read_csv(Broken).unwrap_err().to_string(), "cannot be read: the disk is gone");
}

#[test]
fn a_message_repeats_only_the_beginning_of_a_long_value() {
    let bad = GOOD.replace("connected", &"x".repeat(1000));
    let shown = format!("`{}…` is no state", "x".repeat(60));
    assert!(message(file(&[&bad]), 2, "state").contains(&shown));
    let bell = GOOD.replace("connected", "\u{7}");
    assert!(message(file(&[&bell]), 2, "state").contains("`\\u{7}` is no state"));
}

fn codes() -> impl Strategy<Value = AgencyCode> {
    "[A-Za-z0-9]{1,8}(\\.[A-Za-z0-9]{1,8}){0,2}".prop_map(|text| AgencyCode::parse(&text).unwrap())
}

prop_compose! {
    fn any_entry()(
        code in codes(),
        name in "[^\\p{Cc}]{0,40}[\\p{L}\",]",
        level in prop::sample::select(Level::ALL.to_vec()),
        parent in prop::option::of(codes()),
        province in prop::option::of(codes()),
        from in 0..40_000_i32,
        days in prop::option::of(1..9_000_i32),
        state in prop::sample::select(AgencyState::ALL),
        policy in prop::sample::select(SignaturePolicy::ALL),
        gateway in prop::option::of(codes()),
    ) -> AgencyEntry {
        let until = days.map(|days| Day(from + days));
        AgencyEntry {
            code, name, level, parent, province, from: Day(from), until, state, policy, gateway,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_entry_comes_back_as_it_was_written(entry in any_entry()) {
        let bytes = written(std::slice::from_ref(&entry));
        prop_assert_eq!(read_csv(bytes.as_slice()).unwrap(), vec![entry]);
    }

    #[test]
    fn any_bytes_below_the_header_are_read_or_refused_with_a_line(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut input = format!("{HEADER}\n").into_bytes();
        input.extend(&bytes);
        if let Err(error) = read_csv(input.as_slice()) {
            prop_assert!(error.line >= 2, "{}", error);
        }
    }
}
