//! Keys with their lines, in both languages.

use super::*;

const TOML: &str = "\
subject = \"Về việc thử\"
to = [\n  \"H34\",\n  \"H35\",\n]
due = 2020-11-30
copies = 3
seal = true
[signer]
position = \"Chủ tịch\"
[[answers]]
reference = \"a\"
[[answers]]
reference = \"b\"
";

const JSON: &str = r#"{
  "subject": "Về việc thử",
  "to": [
    "H34", "H35"
  ],
  "due": "2020-11-30",
  "copies": 3,
  "seal": true,
  "signer": {
    "position": "Chủ tịch"
  },
  "answers": [ {"reference": "a"}, {"reference": "b"} ]
}"#;

#[test]
fn both_languages_say_the_same() {
    for (text, format) in [(TOML, Format::Toml), (JSON, Format::Json)] {
        let mut fields = Fields::read("x", text, format).unwrap();
        assert_eq!(fields.mandatory("subject").unwrap().0, "Về việc thử");
        assert_eq!(fields.all("to", |text| Ok::<_, String>(text.to_owned())).unwrap().len(), 2);
        assert_eq!(fields.plain("due").unwrap(), "2020-11-30");
        assert_eq!(fields.number("copies").unwrap(), Some(3));
        assert_eq!(fields.switch("seal").unwrap(), Some(true));
        let mut signer = fields.table("signer").unwrap().unwrap();
        assert_eq!(signer.plain("position").unwrap(), "Chủ tịch");
        signer.finish().unwrap();
        assert_eq!(fields.tables("answers").unwrap().len(), 2);
        fields.finish().unwrap();
    }
}

#[test]
fn an_unknown_key_names_file_line_and_the_nearest_key() {
    for (text, format) in
        [("a = 1\n\nsubjct = 2\n", Format::Toml), ("{\n\"a\":1,\n\"subjct\": 2}", Format::Json)]
    {
        let mut fields = Fields::read("document.toml", text, format).unwrap();
        fields.number("a").unwrap();
        fields.text("subject").unwrap();
        fields.text("to").unwrap();
        let fault = fields.finish().unwrap_err();
        assert_eq!(fault.reason, LocalReason::HeaderKeyUnknown);
        assert_eq!((fault.file.as_str(), fault.line), ("document.toml", Some(3)));
        assert_eq!(fault.key, "subjct");
        assert!(fault.value.contains("`subject`"), "{fault:?}");
    }
}

#[test]
fn a_value_of_another_shape_or_content_names_its_line_and_place() {
    let mut fields =
        Fields::read("f", "to = [\n\"H34\",\n3 ]\ncopies = -1\n", Format::Toml).unwrap();
    let fault = fields.texts("to").unwrap_err();
    assert_eq!((fault.key.as_str(), fault.line), ("to[1]", Some(3)));
    let fault = fields.number("copies").unwrap_err();
    assert_eq!((fault.reason, fault.line), (LocalReason::HeaderValueInvalid, Some(4)));
    let mut fields = Fields::read("f", "{\"signer\": {\n \"name\": 1.5}}", Format::Json).unwrap();
    let mut signer = fields.table("signer").unwrap().unwrap();
    let fault = signer.text("name").unwrap_err();
    assert_eq!((fault.key.as_str(), fault.line), ("signer.name", Some(2)));
}

#[test]
fn what_is_no_table_is_unreadable_with_its_line() {
    let fault = Fields::read("f", "a = \n", Format::Toml).unwrap_err();
    assert_eq!((fault.reason, fault.line), (LocalReason::HeaderUnreadable, Some(1)));
    let fault = Fields::read("f", "{\n\"a\": }", Format::Json).unwrap_err();
    assert_eq!((fault.reason, fault.line), (LocalReason::HeaderUnreadable, Some(2)));
    assert!(Fields::read("f", "[1]", Format::Json).is_err());
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    assert!(Fields::read("f", &format!("{{\"a\":{deep}}}"), Format::Json).is_err());
}
