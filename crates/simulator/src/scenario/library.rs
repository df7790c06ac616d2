//! The scenarios that come with it.

use super::Scenario;

const FILES: [(&str, &str); 10] = [
    ("central-highlands-2020-11", include_str!("library/central-highlands-2020-11.toml")),
    ("northern-provinces-2020-09", include_str!("library/northern-provinces-2020-09.toml")),
    ("quang-ninh-2019", include_str!("library/quang-ninh-2019.toml")),
    ("fault-acknowledgement-lost", include_str!("library/fault-acknowledgement-lost.toml")),
    ("fault-duplicate-submission", include_str!("library/fault-duplicate-submission.toml")),
    ("fault-node-off", include_str!("library/fault-node-off.toml")),
    ("fault-certificate-revoked", include_str!("library/fault-certificate-revoked.toml")),
    ("fault-certificate-expired", include_str!("library/fault-certificate-expired.toml")),
    ("fault-content-changed", include_str!("library/fault-content-changed.toml")),
    ("fault-hub-killed", include_str!("library/fault-hub-killed.toml")),
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
