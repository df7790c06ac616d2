use std::collections::HashMap;

use lienthong_model::CodeKey;
use lienthong_model::limits::{AGENCIES_MAX, TEXT_CHARS_MAX};

use super::*;

fn country() -> HashMap<CodeKey, AgencyEntry> {
    entries().unwrap().into_iter().map(|entry| (entry.code.key(), entry)).collect()
}

fn name(country: &HashMap<CodeKey, AgencyEntry>, code: &str) -> String {
    country[&AgencyCode::parse(code).unwrap().key()].name.clone()
}

#[test]
fn the_country_has_exactly_the_counted_agencies() {
    let entries = entries().unwrap();
    let count =
        |wanted: &dyn Fn(&AgencyEntry) -> bool| entries.iter().filter(|e| wanted(e)).count();
    assert_eq!(count(&|e| e.level == Level::Ministry), 28);
    assert_eq!(count(&|e| e.level == Level::Province && e.parent.is_none()), 63);
    assert_eq!(count(&|e| e.level == Level::Province && e.parent.is_some()), 63 * 17);
    assert_eq!(count(&|e| e.level == Level::District), 705);
    assert_eq!(count(&|e| e.level == Level::Commune), 10_599);
    assert_eq!(entries.len(), 28 + 63 + 63 * 17 + 705 + 10_599);
    assert_eq!(entries.len(), 12_466);
    assert!(entries.len() <= AGENCIES_MAX);
}

#[test]
fn codes_are_unique_and_lead_back_to_themselves() {
    let entries = entries().unwrap();
    assert_eq!(country().len(), entries.len());
    for entry in &entries {
        assert_eq!(entry.code.key().as_str(), entry.code.as_str(), "generated as a key is written");
    }
}

#[test]
fn every_superior_and_province_exists_and_fits_the_level() {
    let country = country();
    for entry in country.values() {
        let superior = entry.parent.as_ref().map(|parent| &country[&parent.key()]);
        let province = entry.province.as_ref().map(|province| &country[&province.key()]);
        let whole_province =
            |e: &AgencyEntry| e.level == Level::Province && e.province.as_ref() == Some(&e.code);
        assert!(province.is_none_or(whole_province), "{}", entry.code);
        match entry.level {
            Level::Ministry => assert!(superior.is_none() && province.is_none()),
            Level::Province if superior.is_none() => assert!(whole_province(entry)),
            Level::Province | Level::District => assert_eq!(superior, province),
            Level::Commune => {
                let district = superior.unwrap();
                assert_eq!(district.level, Level::District);
                assert_eq!(district.province, entry.province);
            }
        }
    }
}

#[test]
fn a_superior_stands_before_its_subordinates() {
    let mut seen = std::collections::HashSet::new();
    for entry in entries().unwrap() {
        if let Some(parent) = &entry.parent {
            assert!(seen.contains(&parent.key()), "{} before {parent}", entry.code);
        }
        seen.insert(entry.code.key());
    }
}

#[test]
fn two_digits_are_enough_for_every_generated_group() {
    for entry in entries().unwrap() {
        let groups: Vec<&str> = entry.code.as_str().split('.').collect();
        assert!(groups[1..].iter().all(|group| group.len() == 2), "{}", entry.code);
    }
}

#[test]
fn names_read_as_the_agencies_write_them() {
    let country = country();
    assert_eq!(name(&country, "G22"), "Văn phòng Chính phủ");
    assert_eq!(name(&country, "H36"), "Ủy ban nhân dân tỉnh Lâm Đồng");
    assert_eq!(name(&country, "H36.01"), "Văn phòng Ủy ban nhân dân tỉnh Lâm Đồng");
    assert_eq!(name(&country, "H36.02"), "Sở Nội vụ tỉnh Lâm Đồng");
    assert_eq!(name(&country, "H36.17"), "Thanh tra tỉnh Lâm Đồng");
    assert_eq!(name(&country, "H36.18"), "Ủy ban nhân dân thành phố Đà Lạt, tỉnh Lâm Đồng");
    assert_eq!(name(&country, "H36.21"), "Ủy ban nhân dân huyện Lạc Dương, tỉnh Lâm Đồng");
    assert_eq!(
        name(&country, "H26.18.01"),
        "Ủy ban nhân dân phường Phúc Xá, quận Ba Đình, thành phố Hà Nội"
    );
    assert_eq!(name(&country, "H29.02"), "Sở Nội vụ Thành phố Hồ Chí Minh");
    assert_eq!(name(&country, "H29.18"), "Ủy ban nhân dân Quận 1, Thành phố Hồ Chí Minh");
    for entry in country.values() {
        assert!(entry.name.chars().count() <= TEXT_CHARS_MAX);
        assert!(!entry.name.contains("  ") && entry.name.trim() == entry.name, "{}", entry.name);
    }
}

#[test]
fn lam_dong_has_twelve_districts_numbered_after_its_departments() {
    let entries = entries().unwrap();
    let lam_dong = Some(AgencyCode::parse("H36").unwrap());
    let districts: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.level == Level::District && entry.province == lam_dong)
        .map(|entry| entry.code.as_str())
        .collect();
    assert_eq!(districts.len(), 12);
    assert_eq!((districts[0], districts[11]), ("H36.18", "H36.29"));
}

#[test]
fn hoang_sa_and_truong_sa_are_there() {
    let entries = entries().unwrap();
    let province_of = |name: &str| {
        let entry = entries.iter().find(|entry| entry.name == name).unwrap();
        assert_eq!(entry.level, Level::District);
        entry.province.as_ref().unwrap().as_str()
    };
    assert_eq!(province_of("Ủy ban nhân dân huyện Hoàng Sa, thành phố Đà Nẵng"), "H17");
    assert_eq!(province_of("Ủy ban nhân dân huyện Trường Sa, tỉnh Khánh Hòa"), "H32");
}

#[test]
fn every_entry_is_in_force_from_the_first_day_of_the_axis() {
    assert_eq!(first_day().to_string(), "2019-03-12");
    for entry in entries().unwrap() {
        assert!(!entry.in_force(Day(FIRST_DAY.0 - 1).start()));
        assert!(entry.in_force(FIRST_DAY.start()));
        assert_eq!(
            (entry.until, entry.state, entry.policy, entry.gateway),
            (None, AgencyState::Connected, SignaturePolicy::Required, None)
        );
    }
}
