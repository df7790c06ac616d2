//! Applying: what a decision changes. The same for a decision just made and for one replayed, and
//! idempotent for the whole of a replay: every row ends as it was, from wherever it started.

use bytes::Bytes;
use lienthong_model::{
    BusinessKind, ChangeKind, Digest, Fingerprint, Position, Refusal, Timestamp, Urgency,
};
use lienthong_trust::merkle::entry::LeafKind;

use super::changes::acts_on;
use super::fan_out::counted;
use super::{CERTIFICATES_REMEMBERED, Machine};
use crate::change::{ChangeMessage, Extent};
use crate::codec;
use crate::command::{
    Accepted, Acknowledge, AcknowledgeOutcome, AcknowledgedDelivery, Command, Decision,
    DeliveryKey, Entry, FanOutPlan, RefusedRequests, Report, Reported, SignedRecord, Submit,
};
use crate::engine::{EngineError, Payloads, State, Writes};
use crate::keys::{self, Lane};
use crate::retention::NamingRow;
use crate::rows::{DeliveryRow, DocumentRow, IdRow, RefusedId, ReportPlace, StatusLine};
use crate::statistics::Figure;
use crate::threads::{AnsweredReference, ThreadKey};

/// Longest reason kept in a delivery's row, in characters; the journal has all of it.
const REASON_CHARS: usize = 200;
/// Violations kept of an id's last refusal.
const REFUSED_VIOLATIONS: usize = 10;

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
            (Command::AcknowledgeNotices(_), Decision::NoticesAcknowledged(decided)) => {
                self.apply_acknowledge_notices(decided)
            }
            (Command::NegativeAcknowledge(negative), Decision::NegativelyAcknowledged(counts)) => {
                self.apply_negatives(negative, counts)
            }
            (Command::Refused { requests, province }, Decision::Refused(refusal)) => {
                self.count_refused(requests, *province, refusal.reason);
                self.keep_refusal(requests, refusal);
                Ok(())
            }
            (Command::FanOut(fan_out), Decision::FannedOut(deliveries)) => {
                self.apply_fan_out(fan_out, deliveries)
            }
            (Command::Tick(tick), Decision::Ticked(ticked)) => {
                self.apply_tick((*tick).into(), ticked)
            }
            (Command::Remind(remind), Decision::Reminded(_)) => self.apply_remind(remind),
            (Command::SaveList(save), Decision::Done) => {
                self.apply_save_list(save);
                Ok(())
            }
            (Command::RemoveList(remove), Decision::Done) => {
                self.apply_remove_list(remove);
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
                | Command::SetTerms(_)
                | Command::ChangeAppointments(_)
                | Command::ChangeQuotas(_)
                | Command::ChangeAccounts(_)
                | Command::ChangeTargets(_)
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
        let uploaded = submit.uploaded().map(|attachment| attachment.sha256);
        self.name_payloads(signed.payloads().chain(uploaded), Some(position))?;
        let id = IdRow { position, digest: signed.digest, report_on: None, reported: None };
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
            recipients: u32::try_from(accepted.recipients()).unwrap_or(u32::MAX),
            slices: accepted.fan_out().map(FanOutPlan::slices),
            lapsed: None,
            reminded: None,
            answers: (!header.answers.is_empty())
                .then(|| header.answers.iter().map(AnsweredReference::of).collect()),
            unproven: accepted.unproven.iter().map(|unproven| unproven.issuer).collect(),
            found_revoked: None,
            same_reference: accepted.same_reference,
            acts_on: accepted.change.as_ref().and_then(|change| acts_on(header, change)),
            changed: None,
            extent: Some(Extent {
                pages: header.pages,
                paper_copy: header.paper_copy,
                bytes: submit.whole_size(),
            }),
        };
        self.work.put(keys::document(position), codec::encode(&row));
        self.file(position, &row)?;
        let terms = accepted.terms.unwrap_or_default();
        self.file_deadlines(position, &row, terms, header.deliver_by)?;
        let counted = counted(submit, accepted);
        for delivery in &accepted.deliveries {
            let row = self.made(*delivery, header.due);
            self.put_delivery(position, delivery.recipient, &row);
            self.enter_mailbox(delivery.recipient, lane(header.urgency), position)?;
            self.count_received(delivery.recipient, &row, counted);
        }
        if let Some(plan) = accepted.fan_out() {
            self.plan_fan_out(header, accepted, counted, plan);
        }
        self.count_sent(accepted, counted);
        if header.kind == BusinessKind::New && accepted.same_reference.is_none() {
            self.file_reference(accepted.sender, &header.reference, position)?;
        }
        self.apply_documents_change(submit, accepted)
    }

    fn apply_documents_change(
        &mut self,
        submit: &Submit,
        accepted: &Accepted,
    ) -> Result<(), EngineError> {
        let header = &submit.header;
        let (Some(change), Some(kind)) = (&accepted.change, ChangeKind::of(header.kind)) else {
            return Ok(());
        };
        let (position, reason) = (accepted.position, shortened(&header.reason));
        let cause = self.cause(position, None, reason.clone());
        self.tell(accepted.notices.as_ref(), Some(&cause))?;
        let message = ChangeMessage { kind, position, id: header.id, at: self.now(), reason };
        self.apply_change(change, &message, Some(accepted.place))
    }

    /// Notes payload files as named by a document, or for ever: whoever clears up must leave them.
    fn name_payloads(
        &mut self,
        payloads: impl Iterator<Item = Digest>,
        document: Option<Position>,
    ) -> Result<(), EngineError> {
        for digest in payloads {
            let key = keys::payload(&digest);
            let row = match (document, self.row(&key)?) {
                (None, _) => NamingRow::for_ever(),
                (Some(document), row) => {
                    let row = row.map(|row| codec::decode(&row, "naming")).transpose()?;
                    let mut row: NamingRow = row.unwrap_or_default();
                    row.add(document);
                    row
                }
            };
            self.work.put(key, codec::encode(&row));
        }
        Ok(())
    }

    fn apply_report(&mut self, report: &Report, reported: &Reported) -> Result<(), EngineError> {
        let Report { header, signed, .. } = report;
        let Reported { position, delivery, .. } = *reported;
        self.head.next_position = Position(position.0 + 1);
        self.keep_certificates(signed)?;
        self.await_proof(position, &reported.unproven);
        self.enter_log(position, LeafKind::Report, signed);
        self.name_payloads(signed.payloads(), None)?;
        let at = self.now();
        let place = ReportPlace { at, block: self.work.block, entry: self.work.entry() };
        let id = IdRow {
            position,
            digest: signed.digest,
            report_on: Some(delivery),
            reported: Some(place),
        };
        self.work.put(keys::id(&header.id, delivery.recipient), codec::encode(&id));
        let reason = shortened(&header.reason);
        let cause = self.cause(position, Some(header.code), reason.clone());
        self.tell(reported.notices.as_ref(), Some(&cause))?;
        if let Some(change) = &reported.change {
            let kind = ChangeKind::Recall;
            let message = ChangeMessage { kind, position, id: header.id, at, reason };
            return self.apply_change(change, &message, None);
        }
        let here = self.here();
        let changed = self.change_delivery(delivery, |row| {
            // A report implies that the recipient's node has the document.
            row.pick_up(at, 0, here);
            row.file(StatusLine { code: header.code, at, position, reason });
            if let Some(answered) = &reported.answered {
                row.asked = None;
                row.mark = answered.mark.clone().or(row.mark.take());
            }
        })?;
        self.picked_up(delivery, changed.as_ref())?;
        self.count_report(delivery, changed.as_ref(), header.code, position)
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
        let here = self.here();
        let changed = self.change_delivery(key, |row| row.pick_up(at, attempts, here))?;
        self.picked_up(key, changed.as_ref())
    }

    /// What follows when this entry is the first to say that a recipient's node has a document.
    fn picked_up(
        &mut self,
        key: DeliveryKey,
        delivery: Option<&DeliveryRow>,
    ) -> Result<(), EngineError> {
        let here = Some(self.here());
        if delivery.is_none_or(|row| row.picked_up_by != here) {
            return Ok(());
        }
        self.count_progress(key.recipient, delivery, Figure::ACKNOWLEDGED);
        self.leave_mailbox(key)
    }

    /// An act of administration changes the policy; the block is noted, so that the policy as of
    /// any block can be folded anew.
    fn apply_act(&mut self, act: &Command) -> Result<(), EngineError> {
        self.note_list(act);
        let writes = self.policy.take_over(act, self.now(), &self.payloads)?;
        self.write_policy(writes);
        // Whoever lists the acts finds those that change no row, too.
        self.work.put(keys::act(self.work.block), Vec::new());
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

    /// Files a document under its sender, its reference, and what it answers.
    fn file(&mut self, position: Position, row: &DocumentRow) -> Result<(), EngineError> {
        self.enter_page(keys::sent_page(row.sender, position), position)?;
        if let Some(own) = ThreadKey::of(&row.reference) {
            self.work.put(keys::at(keys::referred(own), position), Vec::new());
        }
        for answered in row.answers.iter().flatten().filter_map(|answered| answered.key) {
            self.work.put(keys::at(keys::answering(answered), position), Vec::new());
        }
        Ok(())
    }

    /// Keeps the last refusal of an id, so that whoever was refused can ask why.
    fn keep_refusal(&mut self, requests: &RefusedRequests, refusal: &Refusal) {
        let Some(id) = requests.id else { return };
        let mut refusal = refusal.clone();
        refusal.violations.truncate(REFUSED_VIOLATIONS);
        let (at, digest, size) = (self.now(), requests.digest, requests.size);
        let row = RefusedId { id, at, refusal, digest, size };
        self.work.put(keys::refusal(requests.caller, &id), codec::encode(&row));
    }

    /// Changes a delivery, and returns it as it is then.
    pub(super) fn change_delivery(
        &mut self,
        key: DeliveryKey,
        change: impl FnOnce(&mut DeliveryRow),
    ) -> Result<Option<DeliveryRow>, EngineError> {
        let row_key = keys::delivery(key.position, key.recipient);
        // A delivery that is not there was settled since: there is nothing left to change.
        let Some(row) = self.row(&row_key)? else { return Ok(None) };
        let mut row: DeliveryRow = codec::decode(&row, "delivery")?;
        change(&mut row);
        self.put_delivery(key.position, key.recipient, &row);
        self.note_progress(key.position, &row)?;
        Ok(Some(row))
    }

    /// A row as the block under way sees it.
    pub(super) fn row(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        match self.work.row(key) {
            Some(row) => Ok(row.clone()),
            None => self.state.read(key),
        }
    }
}

/// A reason as rows keep it.
pub(super) fn shortened(reason: &str) -> String {
    reason.chars().take(REASON_CHARS).collect()
}

/// Returns the queue of a mailbox that a document of an urgency enters.
pub fn lane(urgency: Urgency) -> Lane {
    if urgency.is_urgent() { Lane::Urgent } else { Lane::Ordinary }
}
