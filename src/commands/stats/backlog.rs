//! What waits in mailboxes, agency by agency.

use lienthong_client::BacklogFilter;
use lienthong_core::Directory;
use lienthong_core::statistics::{BacklogOrder, Dimension, Value};
use lienthong_model::limits::BACKLOG_AGENCIES_MAX;
use lienthong_model::{Level, Ordinal, Timestamp};
use serde::Serialize;

use super::asking::AskArgs;
use crate::cli::Output;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source::{self, Source};
use crate::tables::short_name;

#[derive(Debug, Serialize)]
struct BacklogView {
    agencies: Vec<WaitingView>,
    waiting: u64,
    agencies_waiting: u64,
    /// Whether more waits than one look reads.
    partial: bool,
}

#[derive(Debug, Serialize)]
struct WaitingView {
    code: String,
    name: String,
    level: &'static str,
    /// `connected`, `held`, `suspended`.
    state: Option<&'static str>,
    waiting: u64,
    since: Option<String>,
    oldest_sender: Option<String>,
    oldest_id: Option<String>,
}

/// Agencies that are shown when nothing is said.
const SHOWN: u32 = 20;

/// Shows what waits: the most first, of a province or level.
pub(super) async fn show(ask: &AskArgs, source: &Source, output: Output) -> anyhow::Result<()> {
    let wanted = Wanted::of(ask)?;
    let view = match source {
        Source::Hub(client) => {
            let found = client.backlog(&wanted.filter()).await?;
            let agencies = found.agencies.into_iter().map(|one| WaitingView {
                code: one.code.to_string(),
                name: one.name,
                level: one.level.name(),
                state: one.state.map(|state| state.name()),
                waiting: one.waiting,
                since: one.since.map(|since| since.to_string()),
                oldest_sender: one.oldest.as_ref().map(|(sender, _)| sender.to_string()),
                oldest_id: one.oldest.as_ref().map(|(_, id)| id.to_string()),
            });
            BacklogView {
                agencies: agencies.collect(),
                waiting: found.waiting,
                agencies_waiting: found.agencies_waiting,
                partial: found.partial,
            }
        }
        Source::Folder(folder) => {
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            of_folder(&wanted, folder, at)?
        }
    };
    output::sheet(output, &view, &view.agencies, table)
}

/// Which agencies are wanted.
struct Wanted {
    province: Option<String>,
    level: Option<Level>,
    limit: u32,
}

impl Wanted {
    fn of(ask: &AskArgs) -> anyhow::Result<Self> {
        let mut wanted = Self { province: None, level: None, limit: ask.top.unwrap_or(SHOWN) };
        for (dimension, text) in &ask.only {
            match dimension {
                Dimension::Province => wanted.province = Some(text.clone()),
                Dimension::Level => wanted.level = Some(text.parse()?),
                _ => {
                    return Err(Usage::new(
                        format!("số đang chờ không được đếm theo {dimension}"),
                        format!("what waits is not known by {dimension}"),
                    )
                    .remedy(
                        "dùng --where province=MÃ hoặc --where level=CẤP",
                        "use --where province=CODE or --where level=LEVEL",
                    )
                    .into());
                }
            }
        }
        Ok(wanted)
    }

    fn filter(&self) -> BacklogFilter {
        BacklogFilter {
            province: self.province.clone().unwrap_or_default(),
            level: self.level,
            oldest_first: false,
            limit: u16::try_from(self.limit).unwrap_or(u16::MAX),
        }
    }

    fn holds(&self, agency: Ordinal, directory: &Directory, at: Timestamp) -> bool {
        directory.agency(agency).is_some_and(|agency| {
            let place = directory.place(agency, at);
            let province = self.province.as_ref().is_none_or(|text| {
                let wanted = Value::parse(Dimension::Province, text, directory);
                wanted == Some(Value::Province(place.province))
            });
            province && self.level.is_none_or(|level| level == place.level)
        })
    }
}

fn of_folder(
    wanted: &Wanted,
    folder: &lienthong_hub::OpenFolder,
    at: Timestamp,
) -> anyhow::Result<BacklogView> {
    let reader = folder.reader();
    let directory = reader.directory();
    let limit = (wanted.limit as usize).min(BACKLOG_AGENCIES_MAX);
    let holds = |agency| wanted.holds(agency, &directory, at);
    let found =
        reader.with_statistics(|source| source.backlog(&holds, BacklogOrder::Most, limit))?;
    let mut agencies = Vec::with_capacity(found.agencies.len());
    for one in &found.agencies {
        let oldest = reader.query().document(one.oldest)?;
        let Some(agency) = directory.agency(one.agency) else { continue };
        let entry = agency.entry(at);
        agencies.push(WaitingView {
            code: entry.code.to_string(),
            name: entry.name.clone(),
            level: entry.level.name(),
            state: Some(entry.state.name()),
            waiting: one.waiting,
            since: one.since.map(|since| since.to_string()),
            oldest_sender: oldest.as_ref().map(|oldest| directory.code(oldest.sender, at)),
            oldest_id: oldest.as_ref().map(|oldest| oldest.id.to_string()),
        });
    }
    Ok(BacklogView {
        agencies,
        waiting: found.waiting,
        agencies_waiting: found.agencies_waiting,
        partial: found.partial,
    })
}

fn table(view: &BacklogView) -> String {
    let mut table = output::table([
        "Mã\ncode",
        "Cơ quan\nagency",
        "Cấp\nlevel",
        "Trạng thái\nstate",
        "Đang chờ\nwaiting",
        "Chờ lâu nhất từ\noldest since",
    ]);
    output::right(&mut table, [4]);
    output::narrow(&mut table);
    for one in &view.agencies {
        table.add_row([
            one.code.clone(),
            short_name(&one.name),
            one.level.to_owned(),
            one.state.unwrap_or("–").to_owned(),
            thousands(one.waiting),
            one.since.clone().unwrap_or_else(|| "–".to_owned()),
        ]);
    }
    let mut text = output::text_of(&table);
    text += &format!(
        "{} văn bản chờ ở {} cơ quan / {} deliveries wait in {} mailboxes\n",
        thousands(view.waiting),
        thousands(view.agencies_waiting),
        thousands(view.waiting),
        thousands(view.agencies_waiting),
    );
    if view.partial {
        text += "còn nữa, chưa đếm hết / there is more that was not counted\n";
    }
    text
}
