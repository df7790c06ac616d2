//! An entry of the directory as it is printed, and the filters of `directory list`.

use clap::Args;
use lienthong_core::Directory;
use lienthong_model::{AgencyCode, AgencyEntry, CodeKey, Level, Timestamp};
use serde::Serialize;

use crate::output;

/// An entry for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EntryView {
    code: String,
    name: String,
    level: &'static str,
    parent: Option<String>,
    province: Option<String>,
    from: String,
    until: Option<String>,
    state: &'static str,
    policy: &'static str,
    gateway: Option<String>,
}

/// Which agencies are wanted; what is given must all hold.
#[derive(Debug, Clone, Args)]
pub(crate) struct FilterArgs {
    /// Only those directly under this agency
    #[arg(long, value_name = "CODE")]
    pub parent: Option<AgencyCode>,
    /// Only those of this province
    #[arg(long, value_name = "CODE")]
    pub province: Option<AgencyCode>,
    /// Only those on this level: ministry, province, district or commune
    #[arg(long)]
    pub level: Option<Level>,
}

impl FilterArgs {
    /// Returns the entries of a directory, in force at a moment, that are wanted.
    pub(crate) fn of<'d>(&self, directory: &'d Directory, at: Timestamp) -> Vec<&'d AgencyEntry> {
        let same = |code: &Option<AgencyCode>, wanted: &Option<CodeKey>| match wanted {
            None => true,
            Some(wanted) => code.as_ref().is_some_and(|code| code.key() == *wanted),
        };
        let parent = self.parent.as_ref().map(AgencyCode::key);
        let province = self.province.as_ref().map(AgencyCode::key);
        directory
            .agencies()
            .iter()
            .filter_map(|agency| agency.entry_in_force(at))
            .filter(|entry| self.level.is_none_or(|level| entry.level == level))
            .filter(|entry| same(&entry.parent, &parent) && same(&entry.province, &province))
            .collect()
    }
}

impl From<&AgencyEntry> for EntryView {
    fn from(entry: &AgencyEntry) -> Self {
        let code = |code: &Option<AgencyCode>| code.as_ref().map(ToString::to_string);
        Self {
            code: entry.code.to_string(),
            name: entry.name.clone(),
            level: entry.level.name(),
            parent: code(&entry.parent),
            province: code(&entry.province),
            from: entry.from.to_string(),
            until: entry.until.map(|until| until.to_string()),
            state: entry.state.name(),
            policy: entry.policy.name(),
            gateway: code(&entry.gateway),
        }
    }
}

/// Writes entries as a table.
pub(crate) fn table(entries: &[EntryView]) -> String {
    if entries.is_empty() {
        return "không có cơ quan nào / no agency".to_owned();
    }
    let mut table = output::table([
        "Mã / code",
        "Tên / name",
        "Cấp / level",
        "Trên / superior",
        "Trạng thái / state",
    ]);
    for entry in entries {
        let parent = entry.parent.clone().unwrap_or_default();
        table.add_row([&entry.code, &entry.name, entry.level, &parent, entry.state]);
    }
    output::text_of(&table)
}

/// Writes everything of one entry.
pub(crate) fn whole(entry: &EntryView) -> String {
    let given = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let until = given(&entry.until);
    output::pairs(&[
        ("mã / code", entry.code.clone()),
        ("tên / name", entry.name.clone()),
        ("cấp / level", entry.level.to_owned()),
        ("cấp trên / superior", given(&entry.parent)),
        ("tỉnh / province", given(&entry.province)),
        ("hiệu lực / in force", format!("{} → {until}", entry.from)),
        ("trạng thái / state", entry.state.to_owned()),
        ("chữ ký / signatures", entry.policy.to_owned()),
        ("cổng / gateway", given(&entry.gateway)),
    ])
}
