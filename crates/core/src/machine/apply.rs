//! Applying: what a decision changes. The same for a decision just made and for one replayed, and
//! idempotent for the whole of a replay: every row ends as it was, from wherever it started.

use bytes::Bytes;
use lienthong_model::{Digest, Fingerprint, Ordinal, Position, Reason, Timestamp, Urgency};
use lienthong_trust::merkle::entry::LeafKind;

use super::{CERTIFICATES_REMEMBERED, Machine};
use crate::codec;
use crate::command::{
    Accepted, Acknowledge, AcknowledgeOutcome, AcknowledgedDelivery, Command, Decision,
    DeliveryKey, Entry, RefusedRequests, Report, Reported, SignedRecord, Stored, Submit,
};
use crate::engine::{EngineError, Payloads, State, Writes};
use crate::keys::{self, Lane, MAILBOX_PAGE};
use crate::routing::{Span, span};
use crate::rows::{DeliveryRow, DocumentRow, IdRow, StatusLine};
use crate::statistics::{Event, Traits};

/// Longest reason kept in a delivery's row, in characters; the journal has all of it.
const REASON_CHARS: usize = 200;

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn apply(&mut self, entry: &Entry) -> Result<(), EngineError> {
        match (&entry.command, &entry.decision) {
            (Command::Submit(submit), Decision::Accepted(accepted)) => {
                self.apply_document(submit, accepted)
            }
            (Command::Report(report), Decision::Reported(reported)) => {
                self.apply_report(report, reported)
            }
            (Command::Acknowledge(acknowledge), Decision::Acknowledged(decided)) => {
                self.apply_acknowledge(acknowledge, &decided.outcomes)
            }
            (Command::Refused { requests, province }, Decision::Refused(refusal)) => {
                self.count_refused(requests, *province, refusal.reason);
                Ok(())
            }
            (
                act @ (Command::ImportDirectory(_)
                | Command::ChangeDirectory(_)
                | Command::AddAuthority(_)
                | Command::AddRevocationList(_)
                | Command::SetRoutingRules(_)
                | Command::ChangeMandates(_)
                | Command::SetRevocationPolicy(_)
                | Command::ChangeAppointments(_)
                | Command::ChangeQuotas(_)
                | Command::Act { .. }),
                Decision::Done,
            ) => self.apply_act(act),
            (Command::SettleRevocation(settled), Decision::Settled(outcomes)) => {
                self.apply_settlement(settled, outcomes)
            }
            (command, decision) => Err(EngineError::Damaged {
                what: format!("entry {} of block {}", self.work.entry(), self.work.block),
                why: format!("a decision that the command cannot have: {command:?}: {decision:?}"),
            }),
        }
    }

    fn apply_document(&mut self, submit: &Submit, accepted: &Accepted) -> Result<(), EngineError> {
        let Submit { header, signed, .. } = submit;
        let position = accepted.position;
        self.head.next_position = Position(position.0 + 1);
        self.keep_certificates(signed)?;
        self.await_proof(position, &accepted.unproven);
        self.note_used(accepted);
        self.enter_log(position, LeafKind::Document, signed);
        self.name_payloads(signed.payloads());
        self.name_payloads(submit.uploaded().map(|attachment| attachment.sha256));
        let id = IdRow { position, digest: signed.digest, report_on: None };
        self.work.put(keys::id(&header.id, accepted.sender), codec::encode(&id));
        let row = DocumentRow {
            id: header.id,
            sender: accepted.sender,
            received_at: self.now(),
            digest: signed.digest,
            block: self.work.block,
            entry: self.work.entry(),
            signature: accepted.signature,
            reference: header.reference.clone(),
            subject: header.subject.clone(),
            document_type: header.document_type,
            urgency: header.urgency,
            signed_at: header.signed_at,
            due: header.due,
            recipients: u32::try_from(accepted.deliveries.len()).unwrap_or(u32::MAX),
            unproven: accepted.unproven.iter().map(|unproven| unproven.issuer).collect(),
            found_revoked: None,
        };
        self.work.put(keys::document(position), codec::encode(&row));
        for delivery in &accepted.deliveries {
            let row = DeliveryRow::new(delivery.route);
            self.work.put(keys::delivery(position, delivery.recipient), codec::encode(&row));
            self.enter_mailbox(delivery.recipient, lane(header.urgency), position)?;
        }
        self.count_document(submit, accepted);
        Ok(())
    }

    /// Notes payload files as named: whoever clears up must leave them.
    fn name_payloads(&mut self, payloads: impl Iterator<Item = Digest>) {
        for digest in payloads {
            self.work.put(keys::payload(&digest), Vec::new());
        }
    }

    fn count_document(&mut self, submit: &Submit, accepted: &Accepted) {
        let sender = accepted.place;
        let traits = Traits {
            document_type: submit.header.document_type,
            signature: accepted.signature,
            paper_copy: submit.header.paper_copy,
            pages: submit.header.pages,
        };
        let uploaded = submit.uploaded().map(|attachment| attachment.size).sum::<u64>();
        let bytes = size(&submit.signed).saturating_add(uploaded);
        let mut scope = Span::Inside;
        for delivery in &accepted.deliveries {
            let recipient = delivery.place;
            scope = scope.max(span(sender.province, recipient.province));
            self.count(Event::Received { sender, recipient, bytes, traits });
        }
        self.count(Event::Sent { sender, scope, traits });
    }

    fn apply_report(&mut self, report: &Report, reported: &Reported) -> Result<(), EngineError> {
        let Report { header, signed, .. } = report;
        let Reported { position, delivery, unproven } = reported;
        let (position, delivery) = (*position, *delivery);
        self.head.next_position = Position(position.0 + 1);
        self.keep_certificates(signed)?;
        self.await_proof(position, unproven);
        self.enter_log(position, LeafKind::Report, signed);
        self.name_payloads(signed.payloads());
        let id = IdRow { position, digest: signed.digest, report_on: Some(delivery) };
        self.work.put(keys::id(&header.id, delivery.recipient), codec::encode(&id));
        let now = self.now();
        let line = StatusLine {
            code: header.code,
            at: now,
            position,
            reason: header.reason.chars().take(REASON_CHARS).collect(),
        };
        // A report implies that the recipient's node has the document.
        self.acknowledge(delivery, now, 0)?;
        self.change_delivery(delivery, |row| {
            if let Err(place) = row.statuses.binary_search_by_key(&position, |known| known.position)
            {
                row.statuses.insert(place, line);
            }
        })
    }

    fn apply_acknowledge(
        &mut self,
        acknowledge: &Acknowledge,
        outcomes: &[AcknowledgeOutcome],
    ) -> Result<(), EngineError> {
        for (delivery, outcome) in acknowledge.deliveries.iter().zip(outcomes) {
            if *outcome == AcknowledgeOutcome::Counted {
                let AcknowledgedDelivery { key, attempts } = *delivery;
                self.acknowledge(key, self.now(), attempts)?;
            }
        }
        Ok(())
    }

    fn acknowledge(
        &mut self,
        key: DeliveryKey,
        at: Timestamp,
        attempts: u32,
    ) -> Result<(), EngineError> {
        self.change_delivery(key, |row| {
            if row.acknowledged_at.is_none() {
                row.acknowledged_at = Some(at);
                row.attempts = attempts;
            }
        })?;
        for lane in [Lane::Urgent, Lane::Ordinary] {
            self.leave_mailbox(key.recipient, lane, key.position)?;
        }
        Ok(())
    }

    fn count_refused(
        &mut self,
        requests: &RefusedRequests,
        province: Option<Ordinal>,
        reason: Reason,
    ) {
        self.count(Event::Refused { province, reason, count: 1 });
        for added in &requests.added_up {
            let (reason, count) = (added.reason, added.count);
            self.count(Event::Refused { province, reason, count });
        }
    }

    /// An act of administration changes the policy; the block is noted, so that the policy as of
    /// any block can be folded anew.
    fn apply_act(&mut self, act: &Command) -> Result<(), EngineError> {
        self.note_list(act);
        let writes = self.policy.take_over(act, self.now(), &self.payloads)?;
        self.write_policy(writes);
        Ok(())
    }

    fn write_policy(&mut self, writes: Writes) {
        if !writes.is_empty() {
            self.work.write(writes);
            self.work.put(keys::act(self.work.block), Vec::new());
        }
    }

    /// Keeps the certificates that are new, and learns the authorities among them.
    fn keep_certificates(&mut self, signed: &SignedRecord) -> Result<(), EngineError> {
        if !signed.new_certificates.is_empty() {
            let writes = self.policy.learn(signed, self.now())?;
            self.write_policy(writes);
        }
        for certificate in &signed.new_certificates {
            let fingerprint = Fingerprint::of(&certificate.0);
            if self.certificates.len() >= CERTIFICATES_REMEMBERED {
                self.certificates.clear();
            }
            self.certificates.insert(fingerprint);
            self.work.put(keys::certificate(&fingerprint), certificate.0.to_vec());
        }
        Ok(())
    }

    pub(super) fn knows_certificate(&self, fingerprint: &Fingerprint) -> Result<bool, EngineError> {
        Ok(self.certificates.contains(fingerprint)
            || self.row(&keys::certificate(fingerprint))?.is_some())
    }

    fn enter_mailbox(
        &mut self,
        recipient: Ordinal,
        lane: Lane,
        position: Position,
    ) -> Result<(), EngineError> {
        let key = keys::mailbox_page(recipient, lane, position);
        let slot = slot(position);
        let mut page = self.row(&key)?.map(|row| row.to_vec()).unwrap_or_default();
        if let Err(place) = page.binary_search(&slot) {
            page.insert(place, slot);
            self.work.put(key, page);
        }
        Ok(())
    }

    fn leave_mailbox(
        &mut self,
        recipient: Ordinal,
        lane: Lane,
        position: Position,
    ) -> Result<(), EngineError> {
        let key = keys::mailbox_page(recipient, lane, position);
        let Some(row) = self.row(&key)? else { return Ok(()) };
        let mut page = row.to_vec();
        if let Ok(place) = page.binary_search(&slot(position)) {
            page.remove(place);
            match page.is_empty() {
                true => self.work.delete(key),
                false => self.work.put(key, page),
            }
        }
        Ok(())
    }

    fn change_delivery(
        &mut self,
        key: DeliveryKey,
        change: impl FnOnce(&mut DeliveryRow),
    ) -> Result<(), EngineError> {
        let row_key = keys::delivery(key.position, key.recipient);
        // A delivery that is not there was settled since: there is nothing left to change.
        let Some(row) = self.row(&row_key)? else { return Ok(()) };
        let mut row: DeliveryRow = codec::decode(&row, "delivery")?;
        change(&mut row);
        self.work.put(row_key, codec::encode(&row));
        Ok(())
    }

    /// A row as the block under way sees it.
    pub(super) fn row(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        match self.work.row(key) {
            Some(row) => Ok(row.clone()),
            None => self.state.read(key),
        }
    }
}

/// Returns the queue of a mailbox that a document of an urgency enters.
pub fn lane(urgency: Urgency) -> Lane {
    if urgency.is_urgent() { Lane::Urgent } else { Lane::Ordinary }
}

#[allow(clippy::cast_possible_truncation)] // The remainder of a division by 256 fits a byte.
fn slot(position: Position) -> u8 {
    (position.0 % MAILBOX_PAGE) as u8
}

pub(super) fn size(signed: &SignedRecord) -> u64 {
    let stored = |stored: &Stored| match stored {
        Stored::Inline(bytes) => bytes.len() as u64,
        Stored::Payload { size, .. } => *size,
    };
    stored(&signed.content) + signed.attachments.iter().map(|a| stored(&a.bytes)).sum::<u64>()
}
