//! The small country, and how codes and moments are written.

use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Day, Level, SignaturePolicy, Timestamp,
};

pub fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

pub fn day(text: &str) -> Day {
    Timestamp::parse(text).unwrap().day()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// An entry of the directory, in force from the beginning of 2020.
pub fn entry(text: &str, level: Level, province: Option<&str>) -> AgencyEntry {
    let parent = text.rsplit_once('.').map(|(above, _)| code(above));
    AgencyEntry {
        code: code(text),
        name: format!("Cơ quan {text}"),
        level,
        parent,
        province: province.map(code),
        from: day("2020-01-01"),
        until: None,
        state: AgencyState::Connected,
        policy: SignaturePolicy::Required,
        gateway: None,
    }
}

/// The country, in the order of its ordinals.
pub fn country() -> Vec<AgencyEntry> {
    use Level::{Commune, District, Ministry, Province};
    let h36 = |text, level| entry(text, level, Some("H36"));
    let h34 = |text, level| entry(text, level, Some("H34"));
    let through = Some(code("H36"));
    vec![
        entry("G22", Ministry, None),
        entry("G01", Ministry, None),
        h36("H36", Province),
        AgencyEntry { gateway: through.clone(), ..h36("H36.01", District) },
        AgencyEntry { gateway: through, ..h36("H36.01.01", Commune) },
        AgencyEntry { state: AgencyState::Held, ..h36("H36.02", District) },
        AgencyEntry { state: AgencyState::Suspended, ..h36("H36.03", District) },
        h34("H34", Province),
        h34("H34.01", District),
        h34("H34.01.01", Commune),
        AgencyEntry { policy: SignaturePolicy::Transition, ..h34("H34.02", District) },
        AgencyEntry { policy: SignaturePolicy::Information, ..h34("H34.03", District) },
        AgencyEntry { from: day("2021-01-01"), ..h34("H34.09", District) },
    ]
}

/// Communes of H34, `H34.C0` and on: many recipients.
pub fn communes(count: usize) -> Vec<AgencyEntry> {
    (0..count).map(|n| entry(&format!("H34.C{n}"), Level::Commune, Some("H34"))).collect()
}
