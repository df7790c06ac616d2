//! What people changed, from the journal: who, by which role, when, what.

use axum::extract::State;
use lienthong_core::Command;
use lienthong_core::engine::EngineError;
use lienthong_model::{Actor, IndicatorUnit, Reason, Refusal, Target, Timestamp};
use serde::Serialize;

use super::{Answer, Words, names, reading};
use crate::http::Pages;
use crate::http::visitor::Visitor;

/// Acts that are listed, newest first.
const ACTS_MAX: usize = 100;
/// Blocks with acts that are looked at, newest first.
const BLOCKS_MAX: usize = 400;

/// A change that somebody made.
#[derive(Debug, Serialize)]
pub(super) struct Act {
    at: String,
    block: u64,
    /// Who; none for what the hub entered when it started.
    by: Option<String>,
    role: Option<&'static str>,
    /// The stable name of what was done.
    kind: &'static str,
    what: Words,
}

/// Answers the last acts, for whoever sees the whole country.
pub(super) async fn acts(State(pages): State<Pages>, visitor: Visitor) -> Answer<Vec<Act>> {
    if !visitor.sight.is_country() {
        let value = "the whole country's operators only";
        return Err(Refusal::at(Reason::CallerNotEntitled, "territory", value).into());
    }
    let Ok(place) = pages.0.block_reads.clone().try_acquire_owned() else {
        let soon = std::time::Duration::from_secs(1);
        return Err(Refusal::new(Reason::Overloaded).retry_after(soon).into());
    };
    reading(move || {
        // With the work, which goes on when its caller has gone.
        let _place = place;
        Ok(last(&pages)?)
    })
    .await
}

fn last(pages: &Pages) -> Result<Vec<Act>, EngineError> {
    let reader = &pages.0.reader;
    let blocks = reader.query().acts_until(u64::MAX)?;
    let mut acts = Vec::new();
    for number in blocks.into_iter().rev().take(BLOCKS_MAX) {
        let block = reader.block(number)?;
        for entry in block.entries.iter().rev() {
            acts.extend(act(&entry.command, number, block.time));
        }
        if acts.len() >= ACTS_MAX {
            break;
        }
    }
    acts.truncate(ACTS_MAX);
    Ok(acts)
}

fn act(command: &Command, block: u64, at: Timestamp) -> Option<Act> {
    let (by, command) = match command {
        Command::Act { by, act } => (Some(by), &**act),
        other => (None, other),
    };
    let (kind, vi, en) = words(command)?;
    let person = by.map(|Actor { person, .. }| names::person(person));
    let role = by.map(|by| by.role.name());
    Some(Act { at: at.to_string(), block, by: person, role, kind, what: Words { vi, en } })
}

/// What an act did; none for what is no act of administration.
fn words(command: &Command) -> Option<(&'static str, String, String)> {
    let count = |name, many: usize, vi: &str, en: &str| {
        Some((name, format!("{vi}: {many}"), format!("{en}: {many}")))
    };
    match command {
        Command::ImportDirectory(import) => Some((
            "import-directory",
            format!("nạp danh bạ: {}", import.source),
            format!("imported a directory: {}", import.source),
        )),
        Command::ChangeDirectory(all) => count(
            "change-directory",
            all.len(),
            "sửa danh bạ, số mục",
            "changed entries of the directory",
        ),
        Command::AddAuthority(added) => match added.trusted {
            true => count("add-root", 1, "tin cậy chứng thư gốc", "trusted a root"),
            false => {
                count("add-authority", 1, "ghi nhận cơ quan cấp chứng thư", "entered an authority")
            }
        },
        Command::AddRevocationList(_) => {
            count("add-revocation-list", 1, "nạp danh sách thu hồi", "entered a revocation list")
        }
        Command::SetRoutingRules(_) => {
            count("set-routes", 1, "đặt quy tắc định tuyến", "set the routing rules")
        }
        Command::ChangeMandates(all) => {
            count("change-mandates", all.len(), "thay đổi thẩm quyền ký", "changed mandates")
        }
        Command::SetRevocationPolicy(_) => count(
            "set-grace",
            1,
            "đặt thời hạn chờ danh sách thu hồi",
            "set the grace of revocation lists",
        ),
        Command::SetTerms(_) => count("set-terms", 1, "đặt thời hạn xử lý", "set the terms"),
        Command::ChangeQuotas(all) => {
            count("change-quotas", all.len(), "thay đổi hạn mức", "changed quotas")
        }
        Command::ChangeTargets(all) => {
            let (vi, en): (Vec<_>, Vec<_>) = all.iter().map(target).unzip();
            let (vi, en) = (vi.join("; "), en.join("; "));
            Some(("change-targets", format!("mục tiêu: {vi}"), format!("targets: {en}")))
        }
        Command::ChangeAppointments(all) => {
            let who: Vec<String> = all
                .iter()
                .map(|one| {
                    let (person, role) = (names::person(&one.holder), one.role.name());
                    format!("{person} ({role}, {})", one.territory)
                })
                .collect();
            let who = who.join("; ");
            Some(("change-appointments", format!("bổ nhiệm: {who}"), format!("appointed: {who}")))
        }
        Command::ChangeAccounts(all) => {
            let who = |one: &lienthong_model::AccountChange| {
                format!("{} ({})", names::person(&one.holder), one.kind.name())
            };
            let who: Vec<String> = all.iter().map(who).collect();
            let who = who.join("; ");
            Some((
                "change-accounts",
                format!("thay đổi tài khoản: {who}"),
                format!("changed accounts: {who}"),
            ))
        }
        Command::Act { .. }
        | Command::Submit(_)
        | Command::Report(_)
        | Command::Acknowledge(_)
        | Command::AcknowledgeNotices(_)
        | Command::NegativeAcknowledge(_)
        | Command::SettleRevocation(_)
        | Command::Refused { .. }
        | Command::FanOut(_)
        | Command::SaveList(_)
        | Command::RemoveList(_)
        | Command::Tick(_)
        | Command::Remind(_) => None,
    }
}

/// A target in Vietnamese and in English.
fn target(one: &Target) -> (String, String) {
    let Target { indicator, territory, level, by, value } = one;
    let (level_vi, level_en) = match level {
        Some(level) => (format!(", cấp {}", level.name_vi()), format!(", {level} level")),
        None => (String::new(), String::new()),
    };
    let value = value.map(|value| match indicator.unit() {
        IndicatorUnit::PerMille => format!("{}.{} %", value / 10, value % 10),
        IndicatorUnit::Count => value.to_string(),
        IndicatorUnit::Dong => format!("{value} đ"),
    });
    let (value_vi, value_en) = match &value {
        Some(value) => (format!("{value}, hạn {by}"), format!("{value} by {by}")),
        None => (format!("bỏ, hạn {by}"), format!("taken away, by {by}")),
    };
    let place_vi = match territory.agency() {
        Some(code) => code.to_string(),
        None => "cả nước".to_owned(),
    };
    (
        format!("{} ({place_vi}{level_vi}): {value_vi}", indicator.name_vi()),
        format!("{} ({territory}{level_en}): {value_en}", indicator.name_en()),
    )
}
