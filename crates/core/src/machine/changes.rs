//! Recall, update, replace: what they do is decided in the order of the block, for each delivery.

use std::collections::BTreeSet;

use lienthong_model::limits::CHANGES_PER_DOCUMENT_MAX;
use lienthong_model::{
    Change, ChangeEffect, ChangeKind, Header, MessageId, Ordinal, Position, Reason,
    RecipientChangeHeader, Refusal, Standing, StatusCode, StatusHeader, Violation,
};

use super::Machine;
use super::apply::{lane, shortened};
use super::recipients::SLICES_AGAIN;
use crate::change::{ActsOn, ChangeMade, ChangeMessage, DeliveryChange, LastChange, Mark};
use crate::codec;
use crate::command::{Counted, Delivery, DeliveryKey};
use crate::directory::{AgencyRecord, Place};
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::notice::{NoticeKind, Told};
use crate::progress;
use crate::routing::Origin;
use crate::rows::{DeliveryRow, DocumentRow, IdRow, StatusLine};
use crate::statistics::{Figure, Traits};

/// A document that is acted on.
pub(super) struct ActedOn {
    pub position: Position,
    pub row: DocumentRow,
}

/// Whom a change concerns, with the field that names each.
type Concerned = Vec<(Ordinal, ChangeKind, String)>;

/// What can be read, or why the request is refused.
type Judged<T> = Result<Result<T, Refusal>, EngineError>;

/// Goes on with what was judged, or returns the refusal.
macro_rules! unless_refused {
    ($judged:expr) => {
        match $judged {
            Ok(judged) => judged,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}

impl<S: State, P: Payloads> Machine<S, P> {
    /// What a recall, an update or a replacement does; `None` for a new document. An update's new
    /// recipients get the update too: they are entered into `deliveries`.
    pub(super) fn judge_change(
        &self,
        sender: &AgencyRecord,
        header: &Header,
        deliveries: &mut Vec<Delivery>,
    ) -> Judged<Option<ChangeMade>> {
        let Some(kind) = ChangeKind::of(header.kind) else { return Ok(Ok(None)) };
        let unknown = || {
            let id = header.acts_on.map(|id| id.to_string()).unwrap_or_default();
            Refusal::at(Reason::DocumentUnknown, "business.acts_on", id)
        };
        let Some(document) = self.acted_on(sender, header)? else { return Ok(Err(unknown())) };
        if header.reason.trim().is_empty() {
            return Ok(Err(Refusal::at(Reason::ReasonMissing, "business.reason", "")));
        }
        let mut concerned: Concerned = Vec::new();
        for (index, delivery) in deliveries.iter().enumerate() {
            concerned.push((delivery.recipient, kind, format!("recipients[{index}].code")));
        }
        let changes = self.recipient_changes(sender, header, &document, deliveries)?;
        let RecipientChanges { added, removed, wrong } = changes;
        concerned.retain(|(recipient, ..)| !added.iter().any(|one| one.recipient == *recipient));
        if kind == ChangeKind::Replace {
            // Whoever never had the old document simply gets the new one.
            let mut known = Vec::new();
            for one in concerned {
                if self.delivery_row(document.position, one.0)?.is_some() {
                    known.push(one);
                }
            }
            concerned = known;
        }
        concerned.extend(removed);
        for one in &added {
            if !deliveries.iter().any(|delivery| delivery.recipient == one.recipient) {
                deliveries.push(*one);
            }
        }
        let field = "business.acts_on";
        let change = unless_refused!(self.change(&document, concerned, wrong, field)?);
        if kind == ChangeKind::Recall {
            unless_refused!(in_time_for_somebody(&change));
        }
        let first_added = match added.as_slice() {
            [] => None,
            _ => self.next_index(&document)?,
        };
        Ok(Ok(Some(ChangeMade { added, first_added, ..change })))
    }

    /// What a request to take a document back (13) does.
    pub(super) fn judge_recall(
        &self,
        document: &ActedOn,
        header: &StatusHeader,
    ) -> Judged<ChangeMade> {
        let concerned = match header.recipients.as_slice() {
            [] => {
                let all = self.recipients_of(document.position)?.into_iter();
                all.map(|recipient| (recipient, ChangeKind::Recall, String::new())).collect()
            }
            named => {
                let mut concerned: Concerned = Vec::with_capacity(named.len());
                for (index, code) in named.iter().enumerate() {
                    let field = format!("recipients[{index}]");
                    let Some(agency) = self.policy.directory.find(code) else {
                        return Ok(Err(Refusal::at(Reason::RecipientUnknown, field, code)));
                    };
                    concerned.push((agency.ordinal, ChangeKind::Recall, field));
                }
                concerned
            }
        };
        let change = unless_refused!(self.change(document, concerned, Vec::new(), "document")?);
        Ok(in_time_for_somebody(&change).map(|()| change))
    }

    /// The effect on each delivery concerned, unless something is `wrong`; `field` names the
    /// document.
    fn change(
        &self,
        document: &ActedOn,
        concerned: Concerned,
        mut wrong: Vec<Violation>,
        field: &str,
    ) -> Judged<ChangeMade> {
        let acts = document.row.acts_on.as_ref();
        if acts.is_some_and(|acts| acts.kind == ChangeKind::Recall) {
            let value = format!("{} is a recall itself", document.row.id);
            return Ok(Err(Refusal::at(Reason::FieldInvalid, field, value)));
        }
        let mut deliveries = Vec::with_capacity(concerned.len());
        if self.fan_out_is_under_way(document) {
            // What is not in a mailbox yet could not be taken out of it.
            let value = format!("{} is on its way to its recipients", document.row.id);
            let refusal = Refusal::at(Reason::FanOutUnderWay, field, value);
            return Ok(Err(refusal.retry_after(SLICES_AGAIN)));
        }
        let mut seen = BTreeSet::new();
        for (recipient, kind, named) in concerned {
            let Some(row) = self.delivery_row(document.position, recipient)? else {
                let code = self.policy.directory.code(recipient, self.now());
                wrong.push(Violation::new(Reason::NotARecipient, named, code));
                continue;
            };
            let (_, effect) = row.state().changed(kind);
            if seen.insert(recipient) {
                deliveries.push(DeliveryChange { recipient, kind, effect });
            }
        }
        if let Some(refusal) = Refusal::of(wrong) {
            return Ok(Err(refusal));
        }
        let number = document.row.changed.as_ref().map_or(0, |last| last.number) + 1;
        if number > CHANGES_PER_DOCUMENT_MAX {
            let value = format!("{number}, at most {CHANGES_PER_DOCUMENT_MAX}");
            return Ok(Err(Refusal::at(Reason::ChangeLimit, field, value)));
        }
        let (urgency, added) = (document.row.urgency, Vec::new());
        let document = document.position;
        Ok(Ok(ChangeMade { document, number, deliveries, added, urgency, first_added: None }))
    }

    /// The document that a header acts on: one of the same sender.
    fn acted_on(
        &self,
        sender: &AgencyRecord,
        header: &Header,
    ) -> Result<Option<ActedOn>, EngineError> {
        let Some(id) = header.acts_on else { return Ok(None) };
        let Some(position) = self.position_of(sender.ordinal, &id)? else { return Ok(None) };
        Ok(self.document_row(position)?.map(|row| ActedOn { position, row }))
    }

    /// The position of the document of a sender's id; `None` when there is none, or a report.
    pub(super) fn position_of(
        &self,
        sender: Ordinal,
        id: &MessageId,
    ) -> Result<Option<Position>, EngineError> {
        let Some(row) = self.row(&keys::id(id, sender))? else { return Ok(None) };
        let known: IdRow = codec::decode(&row, "id")?;
        Ok(known.report_on.is_none().then_some(known.position))
    }

    /// The recipients that an update adds and removes.
    fn recipient_changes(
        &self,
        sender: &AgencyRecord,
        header: &Header,
        document: &ActedOn,
        deliveries: &[Delivery],
    ) -> Result<RecipientChanges, EngineError> {
        let mut changes = RecipientChanges::default();
        let now = self.now();
        let from =
            Origin { agency: sender, place: self.policy.directory.place(sender, now), at: now };
        let update = ChangeKind::of(header.kind) == Some(ChangeKind::Update);
        let mut seen = BTreeSet::new();
        for (index, RecipientChangeHeader { code, change }) in
            header.recipient_changes.iter().enumerate()
        {
            let field = format!("business.recipient_changes[{index}].code");
            let code_text = code.as_ref().map(ToString::to_string).unwrap_or_default();
            let known =
                code.as_ref().and_then(|code| Some((code, self.policy.directory.find(code)?)));
            let Some((code, agency)) = known else {
                changes.wrong.push(Violation::new(Reason::RecipientUnknown, field, code_text));
                continue;
            };
            let recipient = agency.ordinal;
            let has = self.delivery_row(document.position, recipient)?.is_some();
            let named = deliveries.iter().any(|delivery| delivery.recipient == recipient);
            let why = match change {
                _ if !update => Some("only an update changes recipients"),
                _ if !seen.insert(recipient) => Some("named twice"),
                Change::Added if has => Some("has, or had, the document already"),
                Change::Removed if !has => Some("never had the document"),
                Change::Removed if named => Some("removed, and a recipient of the update"),
                Change::Added | Change::Removed => None,
            };
            if let Some(why) = why {
                let value = format!("{code_text}: {why}");
                changes.wrong.push(Violation::new(Reason::RecipientChangeInvalid, field, value));
                continue;
            }
            match change {
                // What is added to a mailbox must be there to be delivered.
                Change::Added if self.is_beyond_retention(&document.row) => {
                    let value = format!("{code_text}: accepted {}", document.row.received_at);
                    changes.wrong.push(Violation::new(Reason::ContentExpired, field, value));
                }
                Change::Removed => changes.removed.push((recipient, ChangeKind::Recall, field)),
                Change::Added => match self.delivery(&from, header, code, || field) {
                    Ok(delivery) => changes.added.push(delivery),
                    Err(violation) => changes.wrong.push(violation),
                },
            }
        }
        Ok(changes)
    }

    /// Whether a document's content may be gone.
    fn is_beyond_retention(&self, document: &DocumentRow) -> bool {
        let kept_from = self.policy.retention.kept_from(self.now());
        kept_from.is_some_and(|kept_from| document.received_at < kept_from)
    }

    /// Who has a delivery of a document, as the block under way sees it, by ordinal.
    fn recipients_of(&self, position: Position) -> Result<BTreeSet<Ordinal>, EngineError> {
        let prefix = keys::deliveries(position);
        let mut recipients: BTreeSet<Ordinal> =
            self.work.keys_with(&prefix).filter_map(keys::recipient_of).collect();
        self.state.scan(&prefix, &prefix, &mut |key, _| {
            recipients.extend(keys::recipient_of(key));
            true
        })?;
        Ok(recipients)
    }

    /// What recipients are told of a change. One that had not acknowledged the document is told of
    /// its end only if it may have been pushed to it: nobody learns of what it never saw.
    pub(super) fn told_of(&self, change: &ChangeMade) -> Vec<Told> {
        let told = |one: &DeliveryChange| {
            let DeliveryChange { recipient, kind, effect } = *one;
            let kind = match (effect, kind) {
                (ChangeEffect::TooLate | ChangeEffect::Gone, _) => return None,
                (ChangeEffect::Asked, ChangeKind::Recall) => NoticeKind::RecallRequested,
                (ChangeEffect::Asked, ChangeKind::Update) => NoticeKind::UpdateRequested,
                (ChangeEffect::Asked, ChangeKind::Replace) => NoticeKind::ReplacementRequested,
                (ChangeEffect::AtOnce, ChangeKind::Recall) => NoticeKind::Withdrawn,
                (ChangeEffect::AtOnce, ChangeKind::Update) => NoticeKind::Updated,
                (ChangeEffect::AtOnce, ChangeKind::Replace) => NoticeKind::Replaced,
            };
            let lane = lane(change.urgency);
            let unseen = effect == ChangeEffect::AtOnce
                && self
                    .pushes
                    .as_ref()
                    .is_some_and(|pushes| !pushes.may_have_been(recipient, lane, change.document));
            let delivery = DeliveryKey { recipient, position: change.document };
            (!unseen).then_some(Told { to: recipient, kind, delivery })
        };
        change.deliveries.iter().filter_map(told).collect()
    }

    /// Carries a change out. `from` is where its sender stands.
    pub(super) fn apply_change(
        &mut self,
        change: &ChangeMade,
        message: &ChangeMessage,
        from: Option<Place>,
    ) -> Result<(), EngineError> {
        let document = change.document;
        let last = LastChange { number: change.number, by: message.clone() };
        let last_added = change.added_by_index().last().and_then(|(index, _)| index);
        let row = self.change_document(document, |row| {
            row.changed = Some(last);
            row.slices = last_added.map(progress::pages).or(row.slices);
        })?;
        for one in &change.deliveries {
            self.apply_delivery_change(
                DeliveryKey { recipient: one.recipient, position: document },
                *one,
                message,
            )?;
        }
        for (index, delivery) in change.added_by_index() {
            let made = self.made(*delivery, row.as_ref().and_then(|row| row.due));
            let new = DeliveryRow { index, ..made };
            self.put_delivery(document, delivery.recipient, &new);
            if let Some(index) = index {
                let key = DeliveryKey { recipient: delivery.recipient, position: document };
                self.enter_progress(key, index)?;
            }
            self.enter_mailbox(delivery.recipient, lane(change.urgency), document)?;
            if let (Some(row), Some(sender)) = (&row, from) {
                let extent = row.extent.unwrap_or_default();
                let traits = Traits {
                    document_type: row.document_type,
                    signature: row.signature,
                    paper_copy: extent.paper_copy,
                    pages: extent.pages,
                };
                let counted = Counted { sender, traits, bytes: extent.bytes };
                self.count_received(delivery.recipient, &new, counted);
            }
        }
        Ok(())
    }

    fn apply_delivery_change(
        &mut self,
        key: DeliveryKey,
        one: DeliveryChange,
        message: &ChangeMessage,
    ) -> Result<(), EngineError> {
        let message = ChangeMessage { kind: one.kind, ..message.clone() };
        let line = (one.kind == ChangeKind::Recall).then(|| StatusLine {
            code: StatusCode::RecallRequested,
            at: message.at,
            position: message.position,
            reason: message.reason.clone(),
        });
        match one.effect {
            ChangeEffect::TooLate | ChangeEffect::Gone => Ok(()),
            ChangeEffect::Asked => {
                self.change_delivery(key, |row| {
                    line.into_iter().for_each(|line| row.file(line));
                    row.asked = Some(message);
                })?;
                Ok(())
            }
            ChangeEffect::AtOnce => {
                let standing = one.kind.at_once();
                let changed = self.change_delivery(key, |row| {
                    line.into_iter().for_each(|line| row.file(line));
                    row.asked = None;
                    row.mark = Some(Mark { standing, by: message });
                })?;
                match standing {
                    Standing::Withdrawn | Standing::Recalled | Standing::Replaced => {
                        let figure = Figure::TAKEN_BACK;
                        self.count_progress(key.recipient, changed.as_ref(), figure);
                        self.leave_mailbox(key)
                    }
                    Standing::Stands | Standing::Updated => Ok(()),
                }
            }
        }
    }

    pub(super) fn delivery_row(
        &self,
        position: Position,
        recipient: Ordinal,
    ) -> Result<Option<DeliveryRow>, EngineError> {
        let row = self.row(&keys::delivery(position, recipient))?;
        row.map(|row| codec::decode(&row, "delivery")).transpose()
    }

    pub(super) fn document_row(
        &self,
        position: Position,
    ) -> Result<Option<DocumentRow>, EngineError> {
        let row = self.row(&keys::document(position))?;
        row.map(|row| codec::decode(&row, "document")).transpose()
    }

    fn change_document(
        &mut self,
        position: Position,
        change: impl FnOnce(&mut DocumentRow),
    ) -> Result<Option<DocumentRow>, EngineError> {
        // A document that is not there was settled since: there is nothing left to change.
        let Some(mut row) = self.document_row(position)? else { return Ok(None) };
        change(&mut row);
        self.work.put(keys::document(position), codec::encode(&row));
        Ok(Some(row))
    }
}

/// The recipients that an update adds and removes, and what is wrong with that.
#[derive(Default)]
struct RecipientChanges {
    added: Vec<Delivery>,
    removed: Concerned,
    wrong: Vec<Violation>,
}

/// Refuses a recall that comes too late for everybody.
fn in_time_for_somebody(change: &ChangeMade) -> Result<(), Refusal> {
    let useful = |one: &DeliveryChange| match one.effect {
        ChangeEffect::AtOnce | ChangeEffect::Asked => true,
        ChangeEffect::TooLate | ChangeEffect::Gone => false,
    };
    match change.deliveries.iter().any(useful) {
        true => Ok(()),
        false => {
            let count = change.deliveries.len();
            Err(Refusal::at(Reason::RecallTooLate, "recipients", format!("{count} recipients")))
        }
    }
}

/// What a document's row says of the document that it acts on.
pub(super) fn acts_on(header: &Header, change: &ChangeMade) -> Option<ActsOn> {
    Some(ActsOn {
        kind: ChangeKind::of(header.kind)?,
        position: change.document,
        id: header.acts_on?,
        reason: shortened(&header.reason),
    })
}
