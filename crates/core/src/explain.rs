//! Explaining: everything that is known to have happened to a document, in order, and what it waits
//! for now: since when, why, who has to act, and how.
//!
//! It reads rows and what the journal's entry says; it judges nothing. What each thing is called in
//! Vietnamese and English stands in [`texts`].

pub mod texts;
mod waits;

use lienthong_model::limits::{EXPLAINED_EVENTS_MAX, EXPLAINED_RECIPIENTS_MAX};
use lienthong_model::{Ordinal, Position, Reason, Refusal, Standing, StatusCode, Timestamp};
use lienthong_trust::SignatureKind;

use crate::command::{Accepted, FanOutPlan};
use crate::deadlines::DeadlineKind;
use crate::directory::Directory;
use crate::engine::{EngineError, Tables};
use crate::policy::Policy;
use crate::progress::{ProgressCounts, Stage};
use crate::query::Query;
use crate::routing::Route;
use crate::rows::{DeliveryRow, DocumentRow, LapsedLine};

pub use waits::{Cause, Wait};

/// A document and what the journal has of its acceptance.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'d> {
    /// Its place in the log.
    pub position: Position,
    /// What is known of it.
    pub document: &'d DocumentRow,
    /// How it was accepted.
    pub accepted: &'d Accepted,
    /// Whose connection brought it.
    pub caller: Ordinal,
}

/// Whose part of a document is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it: the sender's view.
    All,
    /// What these recipients may see, and one that was asked for.
    Recipients(Vec<Ordinal>),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Which recipient it is about; none for all.
    pub recipient: Option<Ordinal>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// It was signed, as its signer says.
    Signed {
        /// By whom, as the certificates say; whoever has the certificates fills it.
        by: Vec<String>,
    },
    /// The hub received and accepted it.
    Accepted {
        /// Which signatures count.
        signature: SignatureKind,
        /// The code of the agency whose node brought it.
        caller: String,
    },
    /// A list was resolved.
    ListResolved {
        /// Its name as written.
        name: String,
        /// How many were on it.
        members: u32,
    },
    /// Agencies of lists were left out for a reason.
    LeftOut {
        /// The first of them, by code.
        codes: Vec<String>,
        /// How many there are.
        count: usize,
        /// Why.
        reason: Reason,
    },
    /// It goes to its recipients by slices.
    Slices {
        /// How many recipients.
        recipients: u32,
        /// How many slices.
        slices: u16,
    },
    /// It entered the recipient's mailbox.
    Queued {
        /// How the recipient is reached, and the gateway's code.
        route: (Route, String),
        /// The routing rule that let it pass; none when no rule matched.
        rule: Option<String>,
    },
    /// The recipient's node could not take it.
    PutOff {
        /// How often.
        times: u32,
        /// The node's last reason.
        reason: String,
    },
    /// It is on the recipient's disk.
    Delivered {
        /// How often it was pushed.
        attempts: u32,
    },
    /// The recipient reported.
    Reported {
        /// What.
        code: StatusCode,
        /// Why, or what is being done.
        reason: String,
    },
    /// A deadline passed while recipients lagged: whoever has to know was told.
    Lapsed {
        /// What about.
        kind: DeadlineKind,
        /// How many lagged.
        laggards: u32,
    },
    /// The document is no longer, to this recipient, what it was when it was sent.
    Marked {
        /// What it is now.
        standing: Standing,
        /// Why.
        reason: String,
    },
    /// A submission with this id was refused.
    Refused(Refusal),
}

/// A document explained.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explained {
    /// What happened, in order; the last [`EXPLAINED_EVENTS_MAX`].
    pub events: Vec<Event>,
    /// How many events were left out.
    pub events_left_out: usize,
    /// What it waits for, longest first; at most [`EXPLAINED_RECIPIENTS_MAX`].
    pub waits: Vec<Wait>,
    /// How far all recipients are; for whoever may see all of them.
    pub progress: Option<ProgressCounts>,
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Explains a document at a moment.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn explain(
        &self,
        policy: &Policy,
        subject: Subject<'_>,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Explained, EngineError> {
        let mut explained = Explained::default();
        let Subject { position, document, .. } = subject;
        if *scope == Scope::All {
            explained.progress = Some(self.progress(position, document)?);
        }
        explained.events = beginning(&policy.directory, subject, scope);
        for recipient in self.explained_recipients(position, document, scope)? {
            let Some(delivery) = self.delivery(position, recipient)? else { continue };
            explained.events.extend(of_delivery(policy, document, recipient, &delivery));
            let wait = waits::of(&policy.directory, document, recipient, &delivery, now);
            explained.waits.extend(wait);
        }
        let pending = explained.progress.map_or(0, |progress| progress.pending);
        explained.waits.extend(waits::of_slices(document, pending));
        explained.order();
        Ok(explained)
    }

    /// The recipients that an explanation goes into: those of the scope, or those that are least
    /// far, each kind in the sender's order.
    fn explained_recipients(
        &self,
        position: Position,
        document: &DocumentRow,
        scope: &Scope,
    ) -> Result<Vec<Ordinal>, EngineError> {
        if let Scope::Recipients(recipients) = scope {
            return Ok(recipients.iter().copied().take(EXPLAINED_RECIPIENTS_MAX).collect());
        }
        let mut by_stage: [Vec<Ordinal>; Stage::ALL.len()] = Default::default();
        self.stages(position, document, None, &mut |recipient, stage| {
            let same = &mut by_stage[stage as usize];
            if same.len() < EXPLAINED_RECIPIENTS_MAX {
                same.push(recipient);
            }
            by_stage[Stage::Waiting as usize].len() < EXPLAINED_RECIPIENTS_MAX
        })?;
        Ok(by_stage.into_iter().flatten().take(EXPLAINED_RECIPIENTS_MAX).collect())
    }
}

impl Explained {
    /// Puts events and waits in order, within their bounds.
    fn order(&mut self) {
        self.events.sort_by_key(|event| event.at);
        self.events_left_out = self.events.len().saturating_sub(EXPLAINED_EVENTS_MAX);
        self.events.drain(..self.events_left_out);
        self.waits.sort_by_key(|wait| wait.since);
        self.waits.truncate(EXPLAINED_RECIPIENTS_MAX);
    }
}

/// What happened until recipients had it.
fn beginning(directory: &Directory, subject: Subject<'_>, scope: &Scope) -> Vec<Event> {
    let Subject { document, accepted, caller, .. } = subject;
    let at = document.received_at;
    let event = |what| Event { at, recipient: None, what };
    let signed = Event {
        at: document.signed_at.min(at),
        recipient: None,
        what: What::Signed { by: Vec::new() },
    };
    let signature = accepted.signature;
    let caller = directory.code(caller, at);
    let mut events = vec![signed, event(What::Accepted { signature, caller })];
    if *scope != Scope::All {
        return events;
    }
    let lists = accepted.resolution.iter().flat_map(|resolution| &resolution.lists);
    events.extend(
        lists.map(|list| {
            event(What::ListResolved { name: list.name.clone(), members: list.members })
        }),
    );
    events.extend(left_out(directory, accepted, at).into_iter().map(event));
    if let Some(slices) = accepted.fan_out().map(FanOutPlan::slices) {
        events.push(event(What::Slices { recipients: document.recipients, slices }));
    }
    events.extend(document.lapsed.iter().flatten().map(|line| {
        let LapsedLine { kind, at, laggards } = *line;
        Event { at, recipient: None, what: What::Lapsed { kind, laggards } }
    }));
    events
}

/// Codes of agencies left out that are named; the others are counted.
const LEFT_OUT_NAMED: usize = 10;

fn left_out(directory: &Directory, accepted: &Accepted, at: Timestamp) -> Vec<What> {
    let mut by_reason: std::collections::BTreeMap<Reason, Vec<Ordinal>> = Default::default();
    for left in accepted.left_out() {
        by_reason.entry(left.reason).or_default().push(left.agency);
    }
    let what = |(reason, agencies): (Reason, Vec<Ordinal>)| What::LeftOut {
        codes: agencies
            .iter()
            .take(LEFT_OUT_NAMED)
            .map(|agency| directory.code(*agency, at))
            .collect(),
        count: agencies.len(),
        reason,
    };
    by_reason.into_iter().map(what).collect()
}

fn of_delivery(
    policy: &Policy,
    document: &DocumentRow,
    recipient: Ordinal,
    delivery: &DeliveryRow,
) -> Vec<Event> {
    let directory = &policy.directory;
    let at = document.received_at;
    let event = |at, what| Event { at, recipient: Some(recipient), what };
    let gateway = match delivery.route {
        Route::Gateway(gateway) => directory.code(gateway, at),
        Route::OwnNode | Route::Held => String::new(),
    };
    let rule = match (directory.agency(document.sender), directory.agency(recipient)) {
        (Some(from), Some(to)) => {
            policy.rules.explain(directory, from, to, document.document_type, at).rule
        }
        _ => None,
    };
    let rule = rule.map(|rule| rule.to_string());
    let mut events = vec![event(at, What::Queued { route: (delivery.route, gateway), rule })];
    if let Some(negative) = &delivery.negative {
        let (times, reason) = (negative.count, negative.reason.clone());
        events.push(event(negative.at, What::PutOff { times, reason }));
    }
    if let Some(at) = delivery.acknowledged_at {
        events.push(event(at, What::Delivered { attempts: delivery.attempts }));
    }
    if let Some(mark) = &delivery.mark {
        let (standing, reason) = (mark.standing, mark.by.reason.clone());
        events.push(event(mark.by.at, What::Marked { standing, reason }));
    }
    events.extend(delivery.statuses.iter().map(|line| {
        event(line.at, What::Reported { code: line.code, reason: line.reason.clone() })
    }));
    events
}
