//! Finding a document, and everything that is known to have happened to it.

use axum::extract::State;
use lienthong_core::explain::{Event, Explained, Scope, Subject, Wait};
use lienthong_core::{Directory, DocumentRow, ProgressCounts, Stage};
use lienthong_model::limits::{EXPLAINED_RECIPIENTS_MAX, HTTP_LIST_MAX};
use lienthong_model::{MessageId, Ordinal, Position, Reason, Refusal, Timestamp};
use lienthong_trust::SignatureKind;
use serde::{Deserialize, Serialize};

use super::names::Named;
use super::{Answer, Declined, Words, names, reading};
use crate::http::Pages;
use crate::http::asked::{Path, Query};
use crate::http::visitor::Visitor;
use crate::sight::{Parties, Sight};
use crate::signed_by::tell_signers;

/// Documents of one answer to a search.
const FOUND_MAX: usize = 50;

/// What names a document.
#[derive(Debug, Serialize)]
pub(super) struct DocumentName {
    sender: String,
    id: String,
}

/// A document in a list.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    #[serde(flatten)]
    name: DocumentName,
    sender_name: String,
    reference: String,
    subject: String,
    received_at: String,
    urgency: &'static str,
    recipients: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// An id, or what the reference or subject holds.
    #[serde(default)]
    q: String,
}

/// A document and what became of it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    #[serde(flatten)]
    listed: Listed,
    /// Its place in the log.
    position: u64,
    signed_at: String,
    due: Option<String>,
    signature: &'static str,
    sha256: String,
    /// For whoever may see its sender.
    progress: Option<Counts>,
    /// At most [`HTTP_LIST_MAX`].
    deliveries: Vec<Delivery>,
    /// How many recipients may be seen, listed or not.
    deliveries_total: u64,
    /// How many of them `events` and `waits` are of, those that are least far first.
    explained: u64,
    events: Vec<Happened>,
    events_left_out: usize,
    waits: Vec<Waits>,
}

#[derive(Debug, Serialize)]
struct Counts {
    recipients: u32,
    pending: u32,
    waiting: u32,
    acknowledged: u32,
    arrived: u32,
    accepted: u32,
    finished: u32,
    refused: u32,
    withdrawn: u32,
}

#[derive(Debug, Serialize)]
struct Delivery {
    recipient: Named,
    stage: &'static str,
    acknowledged_at: Option<String>,
    attempts: u32,
}

#[derive(Debug, Serialize)]
struct Happened {
    at: String,
    /// The stable name of what happened.
    kind: &'static str,
    recipient: Option<Named>,
    what: Words,
    why: Words,
}

#[derive(Debug, Serialize)]
struct Waits {
    recipient: Option<Named>,
    since: String,
    cause: &'static str,
    why: Words,
    remedy: Words,
    actor: Option<Named>,
    overdue: bool,
}

/// Answers documents with an id, a reference or a word of the subject; without any, the newest.
pub(super) async fn find(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(search): Query<Search>,
) -> Answer<Vec<Listed>> {
    reading(move || {
        let (reader, directory) = (&pages.0.reader, pages.0.reader.directory());
        let query = reader.query();
        let may_see = |position: Position, document: &DocumentRow| {
            let parties = visitor.sight.of_document(query, &directory, position, document)?;
            Ok(parties != Parties::None)
        };
        let found = match search.q.trim().parse::<MessageId>() {
            Ok(id) => {
                let mut found = Vec::new();
                for position in query.with_id(&id)? {
                    if let Some(document) = query.document(position)?
                        && may_see(position, &document)?
                    {
                        found.push((position, document));
                    }
                }
                found
            }
            Err(_) => {
                let size = pages.0.evidence.newest().size;
                query.newest_with(&search.q, size, may_see, FOUND_MAX)?
            }
        };
        Ok(found.iter().map(|(_, document)| listed(&directory, document)).collect())
    })
    .await
}

/// Answers one document with everything that happened to it.
pub(super) async fn explain(
    State(pages): State<Pages>,
    visitor: Visitor,
    Path((sender, id)): Path<(String, String)>,
) -> Answer<Told> {
    reading(move || told(&pages, &visitor.sight, &sender, &id)).await
}

fn told(pages: &Pages, sight: &Sight, sender: &str, id: &str) -> Result<Told, Declined> {
    let unknown = || Refusal::at(Reason::DocumentUnknown, "document.id", id);
    let policy = pages.0.reader.policy();
    let (directory, query) = (&policy.directory, pages.0.reader.query());
    let now = pages.0.clock.now();
    let code = names::read_code(sender, "document.sender")?;
    let id: MessageId = id.parse().map_err(|_| unknown())?;
    let sender = directory.find(&code).ok_or_else(unknown)?;
    let position = query.position(sender.ordinal, &id)?.ok_or_else(unknown)?;
    let document = query.document(position)?.ok_or_else(unknown)?;
    let scope = match sight.of_document(query, directory, position, &document)? {
        Parties::All => Scope::All,
        Parties::Recipients(seen) => Scope::Recipients(seen),
        Parties::None => return Err(unknown().into()),
    };
    let (submit, accepted) = pages.0.reader.entry_of(position, &document)?;
    let subject =
        Subject { position, document: &document, accepted: &accepted, caller: submit.caller };
    let mut explained = query.explain(&policy, subject, &scope, now)?;
    tell_signers(&pages.0.reader, &submit, &mut explained);
    let deliveries = deliveries(pages, directory, position, &scope, now)?;
    let deliveries_total = match &scope {
        Scope::All => u64::from(document.recipients),
        Scope::Recipients(seen) => seen.len() as u64,
    };
    Ok(Told {
        position: position.0,
        signed_at: document.signed_at.to_string(),
        due: document.due.map(|due| due.to_string()),
        signature: match document.signature {
            SignatureKind::None => "none",
            SignatureKind::Seal => "seal",
            SignatureKind::Personal => "personal",
            SignatureKind::PersonalAndSeal => "personal-and-seal",
        },
        sha256: document.digest.to_string(),
        deliveries,
        deliveries_total,
        explained: deliveries_total.min(EXPLAINED_RECIPIENTS_MAX as u64),
        ..Told::of(directory, listed(directory, &document), explained, now)
    })
}

impl Told {
    fn of(directory: &Directory, listed: Listed, explained: Explained, now: Timestamp) -> Self {
        let named = |one: Option<Ordinal>| one.map(|one| Named::of(directory, one, now));
        let happened = |event: &Event| Happened {
            at: event.at.to_string(),
            kind: event.what.name(),
            recipient: named(event.recipient),
            what: event.what.text().into(),
            why: event.what.why().into(),
        };
        let waits = |wait: &Wait| Waits {
            recipient: named(wait.recipient),
            since: wait.since.to_string(),
            cause: wait.cause.name(),
            why: wait.text().into(),
            remedy: wait.remedy().into(),
            actor: named(wait.actor),
            overdue: wait.is_overdue,
        };
        Self {
            listed,
            position: 0,
            signed_at: String::new(),
            due: None,
            signature: "",
            sha256: String::new(),
            progress: explained.progress.map(Counts::from),
            deliveries: Vec::new(),
            deliveries_total: 0,
            explained: 0,
            events: explained.events.iter().map(happened).collect(),
            events_left_out: explained.events_left_out,
            waits: explained.waits.iter().map(waits).collect(),
        }
    }
}

fn deliveries(
    pages: &Pages,
    directory: &Directory,
    position: Position,
    scope: &Scope,
    now: Timestamp,
) -> Result<Vec<Delivery>, Declined> {
    let mut found = Vec::new();
    pages.0.reader.query().deliveries(position, None, &mut |recipient, row| {
        let seen = match scope {
            Scope::All => true,
            Scope::Recipients(seen) => seen.contains(&recipient),
        };
        if seen {
            found.push(Delivery {
                recipient: Named::of(directory, recipient, now),
                stage: stage(Stage::of(&row)),
                acknowledged_at: row.acknowledged_at.map(|at| at.to_string()),
                attempts: row.attempts,
            });
        }
        found.len() < HTTP_LIST_MAX
    })?;
    Ok(found)
}

fn listed(directory: &Directory, document: &DocumentRow) -> Listed {
    let named = Named::of(directory, document.sender, document.received_at);
    Listed {
        name: DocumentName::of(directory, document),
        sender_name: named.name,
        reference: document.reference.text.clone(),
        subject: document.subject.clone(),
        received_at: document.received_at.to_string(),
        urgency: document.urgency.name_en(),
        recipients: document.recipients,
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting",
        Stage::Acknowledged => "acknowledged",
        Stage::Arrived => "arrived",
        Stage::Accepted => "accepted",
        Stage::Finished => "finished",
        Stage::Refused => "refused",
        Stage::Withdrawn => "withdrawn",
    }
}

impl DocumentName {
    pub fn of(directory: &Directory, document: &DocumentRow) -> Self {
        let sender = directory.code(document.sender, document.received_at);
        Self { sender, id: document.id.to_string() }
    }
}

impl From<ProgressCounts> for Counts {
    fn from(counts: ProgressCounts) -> Self {
        let ProgressCounts {
            recipients,
            pending,
            waiting,
            acknowledged,
            arrived,
            accepted,
            finished,
            refused,
            withdrawn,
        } = counts;
        Self {
            recipients,
            pending,
            waiting,
            acknowledged,
            arrived,
            accepted,
            finished,
            refused,
            withdrawn,
        }
    }
}
