//! The scenarios that come with it.

use super::Scenario;

macro_rules! files {
    ($($name:literal,)*) => {
        [$(($name, include_str!(concat!("library/", $name, ".toml"))),)*]
    };
}

const FILES: [(&str, &str); 22] = files![
    "central-highlands-2020-11",
    "northern-provinces-2020-09",
    "quang-ninh-2019",
    "country-day",
    "country-year",
    "recall-update-replace",
    "fault-acknowledgement-lost",
    "fault-delay",
    "fault-duplicate-submission",
    "fault-reorder",
    "fault-upload-cut",
    "fault-content-changed",
    "fault-certificate-wrong",
    "fault-certificate-expired",
    "fault-certificate-revoked",
    "fault-clock-off",
    "fault-slow-reader",
    "fault-node-off",
    "fault-link",
    "fault-hub-killed",
    "fault-disk-full",
    "fault-revocation-list-late",
];

/// Returns the names of the scenarios that come with it.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// Returns the scenario with a name; none when there is none.
pub fn builtin(name: &str) -> Option<Scenario> {
    let (name, text) = FILES.iter().find(|(known, _)| *known == name)?;
    // A test reads every one of them.
    Scenario::parse(&format!("{name}.toml"), text).ok()
}
