//! The configuration in layers, without a process.

use std::path::Path;

use super::{Effective, HubFlags, Origin};

fn nothing(_: &str) -> Option<String> {
    None
}

fn origin<'e>(effective: &'e Effective, name: &str) -> &'e Origin {
    &effective.settings.iter().find(|setting| setting.key.name == name).unwrap().origin
}

fn with_file(folder: &Path, text: &str) -> HubFlags {
    let path = folder.join("hub.toml");
    std::fs::write(&path, text).unwrap();
    HubFlags { config: Some(path), ..HubFlags::default() }
}

#[test]
fn a_flag_goes_before_the_environment_the_file_and_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = "listen = \"127.0.0.1:1\"\ndata = \"d\"\nclock = \"real\"\n";
    let flags = HubFlags { listen: Some("127.0.0.1:3".into()), ..with_file(folder.path(), file) };
    let environment = |name: &str| match name {
        "LIENTHONG_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "LIENTHONG_DATA" => Some("from-environment".to_owned()),
        _ => None,
    };
    let effective = flags.effective(environment).unwrap();
    assert_eq!(effective.one("listen"), Some("127.0.0.1:3"));
    assert_eq!(origin(&effective, "listen"), &Origin::Flag);
    assert_eq!(effective.one("data"), Some("from-environment"));
    assert_eq!(origin(&effective, "data"), &Origin::Environment("LIENTHONG_DATA"));
    assert_eq!(origin(&effective, "clock"), &Origin::File(folder.path().join("hub.toml"), 3));
    assert_eq!(origin(&effective, "directory"), &Origin::Default);
}

#[test]
fn relative_paths_in_a_file_are_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = "root = [\"a.pem\", \"/b.pem\"]\ndirectory = \"builtin\"\nroutes = \"r.toml\"\n";
    let effective = with_file(folder.path(), file).effective(nothing).unwrap();
    let beside = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(effective.many("root"), [beside("a.pem"), "/b.pem".to_owned()]);
    assert_eq!(effective.one("directory"), Some("builtin"));
    assert_eq!(effective.one("routes"), Some(beside("r.toml").as_str()));
}

#[test]
fn an_unknown_key_names_file_line_and_the_nearest_key() {
    let folder = tempfile::tempdir().unwrap();
    let error = with_file(folder.path(), "\nlisten_addr = \"x\"\n").effective(nothing).unwrap_err();
    let text = error.to_string();
    for part in ["hub.toml", "line 2", "`listen_addr`", "`listen`"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let error = with_file(folder.path(), "revocation_list = []").effective(nothing).unwrap_err();
    assert!(error.to_string().contains("`revocation-list`"), "{error}");
}

#[test]
fn a_value_of_another_shape_says_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let error = with_file(folder.path(), "listen = 7443").effective(nothing).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`listen` cannot be this integer"), "{text}");
    assert!(text.contains("127.0.0.1:7443"), "{text}");
    let error = with_file(folder.path(), "listen = ").effective(nothing).unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
}

#[test]
fn what_is_wrong_with_a_setting_names_its_origin_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let effective = with_file(folder.path(), "listen = \"x\"").effective(nothing).unwrap();
    let text = effective.wrong("listen", "sai", "wrong").to_string();
    for part in ["hub.toml, dòng 1): sai", "hub.toml, line 1): wrong"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn hub_toml_in_the_data_folder_is_read_when_no_other_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hub.toml"), "listen = \"127.0.0.1:9\"").unwrap();
    let data = folder.path().display().to_string();
    let flags = HubFlags { data: Some(data), ..HubFlags::default() };
    assert_eq!(flags.effective(nothing).unwrap().one("listen"), Some("127.0.0.1:9"));
    std::fs::write(folder.path().join("hub.toml"), "data = \"elsewhere\"").unwrap();
    assert!(flags.effective(nothing).unwrap_err().to_string().contains("no place"));
}

#[test]
fn several_paths_in_a_variable_are_separated_as_in_path() {
    let environment = |name: &str| {
        (name == "LIENTHONG_ROOT")
            .then(|| std::env::join_paths(["a.pem", "b.pem"]).unwrap().into_string().unwrap())
    };
    let effective = HubFlags::default().effective(environment).unwrap();
    assert_eq!(effective.many("root"), ["a.pem", "b.pem"]);
}

#[test]
fn every_key_has_a_flag_of_its_name() {
    let command = crate::command();
    let hub = command.find_subcommand("hub").unwrap();
    for key in super::KEYS {
        let flag = hub.get_arguments().find(|arg| arg.get_long() == Some(key.name));
        assert!(flag.is_some(), "--{}", key.name);
    }
}
