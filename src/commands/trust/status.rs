//! Authorities and their revocation lists, and loudly what is late.

use std::fmt::Write as _;
use std::time::Duration;

use lienthong_client::{KnownAuthority, RevocationListSummary, Trust};
use lienthong_hub::OpenFolder;
use lienthong_model::Timestamp;
use lienthong_model::limits::UNPROVEN_COUNTED_MAX;
use lienthong_trust::Anchors as _;
use serde::Serialize;

use crate::cli::Output;
use crate::office;
use crate::output::{self, thousands};
use crate::source::{self, Source, SourceArgs};
use crate::values::grace_text;

#[derive(Debug, Serialize)]
struct TrustView {
    now: String,
    /// Absent: without end.
    grace_seconds: Option<u64>,
    grace: String,
    /// Documents and reports that wait for proof, by the issuer that most wait for; counted up to
    /// 10,000.
    unproven: u64,
    authorities: Vec<AuthorityView>,
}

#[derive(Debug, Serialize)]
struct AuthorityView {
    subject: String,
    fingerprint: String,
    not_after: String,
    /// Since when it is a trusted root.
    trusted_from: Option<String>,
    known_from: Option<String>,
    state: &'static str,
    list: Option<ListView>,
    list_due: Option<String>,
    /// From when on what its certificates sign is refused, if no list comes.
    refused_from: Option<String>,
    unproven: u64,
}

/// A revocation list.
#[derive(Debug, Serialize)]
pub(super) struct ListView {
    pub number: u64,
    this_update: String,
    next_update: Option<String>,
    pub revoked: u64,
    pub sha256: String,
}

/// How an authority's list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InDate,
    Late,
    Refusing,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::InDate => "in-date",
            Self::Late => "late",
            Self::Refusing => "refusing",
        }
    }

    fn of(due: Option<Timestamp>, grace: Option<Duration>, now: Timestamp) -> Self {
        match (due, grace) {
            (None, _) => Self::InDate,
            (Some(due), Some(grace)) if now > due.plus(grace) => Self::Refusing,
            (Some(_), _) => Self::Late,
        }
    }
}

/// Prints how things stand.
pub(super) async fn show(source: &SourceArgs, output: Output) -> anyhow::Result<()> {
    let (trust, now) = match source.open().await? {
        Source::Hub(client) => (client.trust().await?, client.now()),
        Source::Folder(folder) => {
            let now = folder.last_time().unwrap_or_else(source::machine_now);
            (in_folder(&folder, now)?, now)
        }
    };
    output::one(output, &TrustView::of(&trust, now), text)
}

fn in_folder(folder: &OpenFolder, now: Timestamp) -> anyhow::Result<Trust> {
    let reader = folder.reader();
    let policy = reader.policy();
    let query = reader.query();
    let trust = &policy.trust;
    let authority = |certificate: &std::sync::Arc<lienthong_trust::Certificate>| {
        let id = certificate.authority();
        anyhow::Ok(KnownAuthority {
            certificate: certificate.clone(),
            trusted_from: trust.trusted_from(certificate.fingerprint()),
            known_from: trust.known_from(id),
            list: trust.list(id).map(|list| office::summary(list)),
            list_due: trust.list_due(id, now),
            unproven: query.unproven(id, UNPROVEN_COUNTED_MAX)?,
        })
    };
    let authorities = trust.authorities().iter().map(authority).collect::<Result<_, _>>()?;
    Ok(Trust { authorities, grace: policy.revocation.grace() })
}

impl TrustView {
    fn of(trust: &Trust, now: Timestamp) -> Self {
        let mut authorities: Vec<_> = trust.authorities.iter().collect();
        // Roots first, then by name.
        authorities
            .sort_by_key(|one| (one.trusted_from.is_none(), one.certificate.subject().to_string()));
        let view = |one: &KnownAuthority| AuthorityView::of(one, trust.grace, now);
        Self {
            now: now.to_string(),
            grace_seconds: trust.grace.map(|grace| grace.as_secs()),
            grace: grace_text(trust.grace),
            unproven: authorities.iter().map(|one| one.unproven).max().unwrap_or(0),
            authorities: authorities.into_iter().map(view).collect(),
        }
    }
}

impl AuthorityView {
    fn of(authority: &KnownAuthority, grace: Option<Duration>, now: Timestamp) -> Self {
        let certificate = &authority.certificate;
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let due = authority.list_due;
        Self {
            subject: certificate.subject().to_string(),
            fingerprint: certificate.fingerprint().to_string(),
            not_after: certificate.not_after().to_string(),
            trusted_from: text(authority.trusted_from),
            known_from: text(authority.known_from),
            state: State::of(due, grace, now).name(),
            list: authority.list.as_ref().map(ListView::from),
            list_due: text(due),
            refused_from: text(due.zip(grace).map(|(due, grace)| due.plus(grace))),
            unproven: authority.unproven,
        }
    }
}

impl From<&RevocationListSummary> for ListView {
    fn from(list: &RevocationListSummary) -> Self {
        Self {
            number: list.number,
            this_update: list.this_update.to_string(),
            next_update: list.next_update.map(|at| at.to_string()),
            revoked: list.revoked,
            sha256: list.sha256.to_string(),
        }
    }
}

fn text(view: &TrustView) -> String {
    let mut table = output::table([
        "Nơi cấp\nauthority",
        "Tin cậy\ntrusted",
        "Danh sách\nlist",
        "Thu hồi\nrevoked",
        "Hạn\nnext due",
        "Chờ\nwaiting",
        "Tình trạng\nstate",
    ]);
    output::right(&mut table, [3, 5]);
    for one in &view.authorities {
        let list = one.list.as_ref();
        table.add_row([
            one.subject.clone(),
            if one.trusted_from.is_some() { "gốc / root" } else { "" }.to_owned(),
            list.map_or_else(|| "–".to_owned(), |list| format!("#{}", list.number)),
            list.map_or_else(|| "–".to_owned(), |list| thousands(list.revoked)),
            list.and_then(|list| list.next_update.as_deref()).map_or("–", minute).to_owned(),
            waiting(one.unproven),
            shown(one.state).replace(" / ", "\n"),
        ]);
    }
    let mut text = output::text_of(&table);
    text.push('\n');
    text.push_str(&output::pairs(&[
        ("thời gian chờ / grace", view.grace.clone()),
        ("lúc / as of", view.now.clone()),
    ]));
    for one in &view.authorities {
        let late = one.list_due.as_deref();
        let _ = late.map_or(Ok(()), |due| write!(text, "\n{}", alarm(one, due)));
    }
    text
}

/// How many wait: they are counted up to a bound.
fn waiting(unproven: u64) -> String {
    let more = if unproven < UNPROVEN_COUNTED_MAX { "" } else { "+" };
    format!("{}{more}", thousands(unproven))
}

/// A moment as it is written, without its seconds and zone.
fn minute(moment: &str) -> &str {
    moment.get(..16).unwrap_or(moment)
}

fn shown(state: &str) -> &'static str {
    match state {
        "late" => "QUÁ HẠN / LATE",
        "refusing" => "TỪ CHỐI / REFUSING",
        _ => "còn hạn / in date",
    }
}

/// What is said loudly of a list that is late.
fn alarm(one: &AuthorityView, due: &str) -> String {
    let head = shown(one.state);
    let mut lines = vec![
        ("  nơi cấp / authority", one.subject.clone()),
        ("  danh sách mới phải có từ / a newer list is due since", due.to_owned()),
        ("  chờ chứng minh / wait for proof", waiting(one.unproven)),
    ];
    let from = one.refused_from.clone();
    let never = || "không / never (grace: forever)".to_owned();
    lines.push(("  từ chối từ / refused from", from.unwrap_or_else(never)));
    lines.push(("  xử lý / remedy", "lienthong trust add-list FILE".to_owned()));
    format!("!! {head}\n{}", output::pairs(&lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_in_date_then_late_then_refused() {
        let (due, hour) = (Timestamp::from_millis(0), Duration::from_secs(3600));
        let state =
            |due, grace, after| State::of(due, grace, Timestamp::from_millis(0).plus(after));
        assert_eq!(state(None, Some(hour), hour), State::InDate);
        assert_eq!(state(Some(due), Some(hour), hour), State::Late, "as the hub judges: up to it");
        assert_eq!(state(Some(due), Some(hour), 2 * hour), State::Refusing);
        assert_eq!(state(Some(due), None, 2 * hour), State::Late);
    }
}
