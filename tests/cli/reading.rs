//! Directory and routes without a hub.

use crate::process::{fail, json, run, succeed, text};

#[test]
fn the_directory_is_searched_without_diacritics() {
    let plain = "so thong tin va truyen thong tinh lam dong";
    let found = json(&["directory", "search", plain]);
    assert_eq!(found[0]["name"], "Sở Thông tin và Truyền thông tỉnh Lâm Đồng");
    assert_eq!(found[0]["code"], "H36.11");
    assert_eq!(json(&["directory", "search", "qqqq"]).as_array().unwrap().len(), 0);
}

#[test]
fn an_agency_is_shown_by_its_code_in_either_order() {
    let shown = json(&["directory", "show", "000.00.00.H36"]);
    assert_eq!(shown["code"], "H36");
    let said = fail(2, &["directory", "show", "H99"]);
    assert!(said.contains("lienthong directory search"), "{said}");
}

#[test]
fn a_list_is_cut_to_level_and_province_and_jsonl_has_a_line_an_agency() {
    let arguments = ["directory", "list", "--province", "H36", "--level", "district"];
    let lines = succeed(&[&arguments[..], &["--output", "jsonl"]].concat());
    assert_eq!(lines.lines().count(), 12);
    for line in lines.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&entry["level"], &entry["province"]), (&"district".into(), &"H36".into()));
    }
}

#[test]
fn what_is_exported_is_applied_to_a_data_folder_and_read_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("agencies.csv"));
    let csv = "code,name,level,parent,province,from,until,state,policy,gateway\n\
               H36,UBND tỉnh,province,,H36,2020-01-01,,connected,required,\n\
               H36.01,Sở một,province,H36,H36,2020-01-01,,held,transition,\n";
    std::fs::write(&file, csv).unwrap();
    let applied = json(&["directory", "apply", text(&file), "--data", text(&data)]);
    assert_eq!((&applied["entries"], &applied["agencies"]), (&2.into(), &2.into()));
    let exported = succeed(&["directory", "export", "--data", text(&data)]);
    assert_eq!(exported, csv);
    let explained = json(&["route", "explain", "H36", "H36.01", "--data", text(&data)]);
    assert_eq!((&explained["allowed"], &explained["route"]), (&true.into(), &"held".into()));
    std::fs::write(&file, csv.replace("connected", "conected")).unwrap();
    let said = fail(2, &["directory", "apply", text(&file), "--data", text(&data)]);
    assert!(said.contains("conected"), "{said}");
}

#[test]
fn reading_a_folder_that_is_no_data_folder_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["directory", "export"][..], &["stats"], &["directory", "list"]] {
        let said = fail(2, &[arguments, &["--data", text(folder.path())]].concat());
        assert!(said.contains("lienthong hub --data"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_route_is_explained_with_the_rule_that_decides() {
    let explained = json(&["route", "explain", "H36", "H35", "--type", "QĐ"]);
    assert_eq!((&explained["allowed"], &explained["route"]), (&true.into(), &"own-node".into()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    let rules = "[[rule]]\nname = \"no decisions between provinces\"\nspan = \"between\"\n\
                 type = \"QĐ\"\nfrom = 2020-01-01\neffect = \"refuse\"\n";
    std::fs::write(&file, rules).unwrap();
    let explain = |kind: &str, at: &str| {
        let routes = ["--routes", text(&file), "--type", kind, "--at", at, "--output", "json"];
        let output = run(&[&["route", "explain", "H36", "H35"], &routes[..]].concat());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), json)
    };
    let (code, refused) = explain("QĐ", "2020-11-16");
    assert_eq!(code, Some(1));
    assert_eq!(refused["refusal"]["code"], "ROUTE_REFUSED");
    assert!(refused["rule"].as_str().unwrap().contains("no decisions between provinces"));
    assert_eq!(explain("TB", "2020-11-16").0, Some(0));
    assert_eq!(explain("QĐ", "2019-11-16").0, Some(0));
    assert!(succeed(&["route", "check", text(&file)]).contains("no decisions between provinces"));
}

#[test]
fn a_wrong_rule_is_named_by_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    std::fs::write(&file, "[[rule]]\nname = \"r\"\neffect = \"forbid\"\n").unwrap();
    let said = fail(2, &["route", "check", text(&file)]);
    for part in ["line 3", "`effect`", "`forbid`", "refuse"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn the_demo_refuses_what_it_cannot_count() {
    let said = fail(2, &["demo", "--provinces", "H36,000.00.00.H36"]);
    assert!(said.contains("twice"), "{said}");
    let said = fail(2, &["demo", "--documents", "999"]);
    assert!(said.contains("1000"), "{said}");
    let said = fail(2, &["demo", "--data", env!("CARGO_MANIFEST_DIR")]);
    assert!(said.contains("not empty"), "{said}");
}

#[test]
fn a_period_that_ends_before_it_begins_is_refused() {
    let said = fail(2, &["stats", "--from", "2020-11-17", "--to", "2020-11-16", "--data", "x"]);
    assert!(said.contains("before it begins"), "{said}");
}
