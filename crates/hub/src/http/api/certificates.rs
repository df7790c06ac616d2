//! Certificates soon to expire, and the age of revocation lists.

use std::time::Duration;

use axum::extract::State;
use lienthong_model::limits::HTTP_LIST_MAX;
use serde::{Deserialize, Serialize};

use super::names::Named;
use super::{Answer, reading};
use crate::certificates::ExpiringCertificate;
use crate::http::Pages;
use crate::http::asked::Query;
use crate::http::visitor::Visitor;

/// Days ahead that are looked at where nobody says.
const DAYS_DEFAULT: u32 = 90;
/// Most days ahead.
const DAYS_MAX: u32 = 3_660;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    days: Option<u32>,
    /// How many of them are left out, from an answer before.
    #[serde(default)]
    skip: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Certificates {
    /// How many days ahead were looked at.
    days: u32,
    /// Those that expire within them, first to expire first.
    expiring: Vec<Expiring>,
    /// How many there are, listed or not.
    total: u64,
    /// Where `skip` goes on; none at the end.
    next: Option<usize>,
    /// How many certificates are in use and may be seen.
    in_use: u64,
    lists: Vec<List>,
}

#[derive(Debug, Serialize)]
struct Expiring {
    agency: Option<Named>,
    kind: &'static str,
    name: String,
    until: String,
    expired: bool,
}

#[derive(Debug, Serialize)]
struct List {
    issuer: String,
    number: String,
    this_update: String,
    next_update: Option<String>,
    late: bool,
    revoked: u64,
}

/// Answers certificates that expire soon, of agencies that may be seen, at most [`HTTP_LIST_MAX`],
/// and every revocation list.
pub(super) async fn certificates(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Certificates> {
    let days = asked.days.unwrap_or(DAYS_DEFAULT).min(DAYS_MAX);
    let all = pages.0.survey.certificates(&pages.0.reader, &pages.0.meters.connections).await?;
    reading(move || {
        let now = pages.0.clock.now();
        let directory = pages.0.reader.directory();
        let until = now.plus(Duration::from_secs(u64::from(days) * 86_400));
        let may_see = |one: &&ExpiringCertificate| match &one.agency {
            None => true,
            Some(_) if visitor.sight.is_country() => true,
            Some(code) => {
                directory.find(code).is_some_and(|found| visitor.sight.has(&directory, found, now))
            }
        };
        // The first to expire come first.
        let seen: Vec<&ExpiringCertificate> = all.iter().filter(may_see).collect();
        let total = seen.partition_point(|one| one.until < until);
        let end = asked.skip.saturating_add(HTTP_LIST_MAX).min(total);
        let soon = seen.get(asked.skip.min(end)..end).unwrap_or_default();
        let expiring = soon.iter().map(|one| {
            let found = one.agency.as_ref().and_then(|code| directory.find(code));
            Expiring {
                agency: found.map(|found| Named::of(&directory, found.ordinal, now)),
                kind: one.kind,
                name: one.name.clone(),
                until: one.until.to_string(),
                expired: one.until <= now,
            }
        });
        let trust = pages.0.reader.trust();
        let issuer = |list: &lienthong_trust::RevocationList| {
            let known = trust.authorities().iter().find(|one| *one.authority() == list.authority);
            known.map(|one| one.subject().to_string()).unwrap_or_default()
        };
        let lists = trust.lists().map(|list| List {
            issuer: issuer(list),
            number: list.number.to_string(),
            this_update: list.this_update.to_string(),
            next_update: list.next_update.map(|at| at.to_string()),
            late: list.next_update.is_some_and(|due| due < now),
            revoked: list.revoked.len() as u64,
        });
        Ok(Certificates {
            days,
            expiring: expiring.collect(),
            total: total as u64,
            next: (end < total).then_some(end),
            in_use: seen.len() as u64,
            lists: lists.collect(),
        })
    })
    .await
}
