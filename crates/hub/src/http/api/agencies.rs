//! Agencies: whether they take part, whether their node is connected now, and what waits for them.

use std::collections::HashMap;

use axum::extract::State;
use lienthong_core::AgencyRecord;
use lienthong_core::statistics::AgencyBacklog;
use lienthong_model::limits::HTTP_LIST_MAX;
use lienthong_model::{AgencyEntry, AgencyState, Ordinal};
use serde::{Deserialize, Serialize};

use super::{Answer, names, reading};
use crate::http::Pages;
use crate::http::asked::Query;
use crate::http::visitor::Visitor;

#[derive(Debug, Serialize)]
pub(super) struct Agencies {
    agencies: Vec<Agency>,
    /// How many there are in all, listed or not.
    total: u64,
}

#[derive(Debug, Serialize)]
struct Agency {
    code: String,
    name: String,
    level: &'static str,
    province: Option<String>,
    /// connected, held or suspended, as the directory says.
    state: &'static str,
    gateway: Option<String>,
    /// Connections that are open now, its gateway's for one that is served.
    connections: usize,
    undelivered: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Words of the name, or the code.
    #[serde(default)]
    q: String,
    /// The code of a province.
    province: Option<String>,
    /// connected, held or suspended.
    state: Option<String>,
    /// online or offline: whether a node is connected now.
    link: Option<String>,
}

/// Answers agencies that may be seen, at most [`HTTP_LIST_MAX`]; those for whom most waits first.
pub(super) async fn agencies(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Agencies> {
    let now = pages.0.clock.now();
    let province = asked.province.as_deref().filter(|code| !code.is_empty());
    let province = province.map(|code| names::read_code(code, "province")).transpose()?;
    let province = province.map(|code| code.key());
    let state = asked.state.as_deref().and_then(AgencyState::from_name);
    let backlogs = pages.0.survey.backlogs(&pages.0.reader).await?;
    reading(move || {
        let directory = pages.0.reader.directory();
        let waiting: HashMap<Ordinal, &AgencyBacklog> =
            backlogs.iter().map(|one| (one.agency, one)).collect();
        let open = pages.0.meters.connections.by_agency();
        let connections = |agency: &AgencyRecord| {
            let served_by = directory.gateway(agency, now).and_then(|one| directory.agency(one));
            let node = served_by.unwrap_or(agency);
            open.get(&node.key).copied().unwrap_or(0)
        };
        let candidates: Vec<&AgencyRecord> = match asked.q.trim() {
            "" => directory.agencies().iter().collect(),
            text => directory.search(text, directory.len()),
        };
        let undelivered =
            |agency: &AgencyRecord| waiting.get(&agency.ordinal).map_or(0, |one| one.waiting);
        let mut found: Vec<(&AgencyRecord, &AgencyEntry)> = Vec::new();
        for agency in candidates.into_iter().filter(|one| visitor.sight.has(&directory, one, now)) {
            let Some(entry) = agency.entry_in_force(now) else { continue };
            let linked = match asked.link.as_deref() {
                Some("online") => connections(agency) > 0,
                Some("offline") => connections(agency) == 0,
                _ => true,
            };
            let of_province = || entry.province.as_ref().map(|code| code.key());
            let wanted = linked
                && province.as_ref().is_none_or(|code| of_province().as_ref() == Some(code))
                && state.is_none_or(|state| entry.state == state);
            if wanted {
                found.push((agency, entry));
            }
        }
        let total = found.len() as u64;
        if asked.q.trim().is_empty() {
            found.sort_by_cached_key(|(agency, _)| std::cmp::Reverse(undelivered(agency)));
        }
        let agencies = found.into_iter().take(HTTP_LIST_MAX).map(|(agency, entry)| Agency {
            code: entry.code.to_string(),
            name: entry.name.clone(),
            level: entry.level.name(),
            province: entry.province.as_ref().map(ToString::to_string),
            state: entry.state.name(),
            gateway: entry.gateway.as_ref().map(ToString::to_string),
            connections: connections(agency),
            undelivered: undelivered(agency),
        });
        Ok(Agencies { agencies: agencies.collect(), total })
    })
    .await
}
