//! Judgement, in the order of the list of refusals. It reads what the journal brought and nothing
//! else, and it never touches cryptography: facts come with the proposal.

use std::collections::HashSet;

use lienthong_model::{
    AgencyCode, BusinessKind, Digest, Fingerprint, Header, MessageId, Ordinal, Reason, Refusal,
    Terms,
};
use lienthong_trust::{Chain, Dates, Signed, Submission, judge};

use super::Machine;
use super::mailboxes::with_patience;
use super::recipients::Planned;
use crate::codec;
use crate::command::{
    Accepted, Acknowledge, AcknowledgeOutcome, Acknowledged, CertificateBytes, Command, Decision,
    DeliveryKey, Proposal, SignatureRecord, SignedRecord, StoredContent, Submit, Work,
};
use crate::delivery_state::Closed;
use crate::directory::AgencyRecord;
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::rows::{DeliveryRow, IdRow};
use crate::signers::{FactsOf, Received, Signers, judge_signers};

/// What is to be journalled, or a decision that leaves no trace (a refusal, a repetition).
pub(super) type Judged = Result<(Command, Decision), Decision>;

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn judge(&mut self, proposal: Proposal) -> Result<Judged, EngineError> {
        match proposal {
            Proposal::Submit { caller, submission, stored } => {
                self.judge_document(caller, submission.into_inner(), stored)
            }
            Proposal::Report { caller, submission, stored } => {
                self.judge_report(caller, submission.into_inner(), stored)
            }
            Proposal::Acknowledge(acknowledge) => self.judge_acknowledge(acknowledge),
            Proposal::NegativeAcknowledge(negative) => self.judge_negatives(negative),
            Proposal::AcknowledgeNotices(acknowledge) => {
                self.judge_acknowledge_notices(acknowledge)
            }
            Proposal::SaveList(save) => self.judge_save_list(save),
            Proposal::RemoveList(remove) => self.judge_remove_list(remove),
            Proposal::Administer(act) => self.judge_administration(act),
            Proposal::Act { by, act } => self.judge_act_of(by, act),
            Proposal::Work(Work::Settle(issuer)) => self.judge_settlement(issuer),
            Proposal::Remind(remind) => self.judge_remind(remind),
            Proposal::Work(Work::Tick(page)) => self.judge_tick(page),
            Proposal::Work(Work::Slice(slice)) => self.judge_fan_out(slice),
        }
    }

    fn judge_document(
        &self,
        caller: Ordinal,
        submission: Submission,
        stored: StoredContent,
    ) -> Result<Judged, EngineError> {
        let Submission { header, signed } = submission;
        let refused = |refusal| Ok(Err(Decision::Refused(with_patience(refusal))));
        let sender = match self.sender(caller, &header.sender) {
            Ok(sender) => sender,
            Err(refusal) => return refused(refusal),
        };
        match self.used(&header.id, sender.ordinal, &signed.digest)? {
            Some(Ok(known)) => return Ok(Err(Decision::Repeated(known.position))),
            Some(Err(refusal)) => return refused(refusal),
            None => {}
        }
        let judged = self.judge_new_document(sender, &header, &signed);
        let Signers { signature, unproven } = match judged {
            Ok(judged) => judged,
            Err(refusal) => return refused(refusal),
        };
        let mut addressed = match self.addressed(sender, &header)? {
            Ok(addressed) => addressed,
            Err(refusal) => return refused(refusal),
        };
        let change = match self.judge_change(sender, &header, &mut addressed.deliveries)? {
            Ok(change) => change.map(Box::new),
            Err(refusal) => return refused(refusal),
        };
        let (place, planned) = (addressed.place, self.plan(addressed));
        let Planned { deliveries, resolution } = match planned {
            Ok(planned) => planned,
            Err(refusal) => return refused(refusal),
        };
        let used = match self.judge_quota(sender, signed.whole_size(&header.attachments))? {
            Ok(used) => used,
            Err(refusal) => return refused(refusal),
        };
        let told = change.as_ref().map(|change| self.told_of(change)).unwrap_or_default();
        let same_reference = match header.kind {
            BusinessKind::New => self.first_with(sender.ordinal, &header.reference)?,
            BusinessKind::Recall | BusinessKind::Update | BusinessKind::Replace => None,
        };
        let accepted = Accepted {
            position: self.head.next_position,
            sender: sender.ordinal,
            signature,
            deliveries,
            place,
            unproven,
            used,
            change,
            notices: self.notices(told),
            same_reference,
            resolution,
            terms: (self.policy.terms != Terms::default()).then_some(self.policy.terms),
        };
        let dates = Dates { signed_at: header.signed_at, received_at: self.now() };
        let signed = self.record(signed, stored, dates)?;
        let command = Command::Submit(Box::new(Submit { caller, header, signed }));
        Ok(Ok((command, Decision::Accepted(accepted))))
    }

    /// What is judged of a document whose id is new before its recipients, in the order of the
    /// list.
    fn judge_new_document(
        &self,
        sender: &AgencyRecord,
        header: &Header,
        signed: &Signed,
    ) -> Result<Signers, Refusal> {
        if header.kind != BusinessKind::New && header.acts_on.is_none() {
            return Err(Refusal::at(Reason::FieldMissing, "business.acts_on", ""));
        }
        judge_signers(&self.policy, sender, &FactsOf { header, signed }, self.received())
    }

    fn judge_acknowledge(&self, acknowledge: Acknowledge) -> Result<Judged, EngineError> {
        let mut outcomes = Vec::with_capacity(acknowledge.deliveries.len());
        let mut counted = HashSet::new();
        for delivery in &acknowledge.deliveries {
            let DeliveryKey { recipient, position } = delivery.key;
            let entitled = self.serves(acknowledge.caller, recipient);
            let row = match entitled {
                true => self.row(&keys::delivery(position, recipient))?,
                false => None,
            };
            outcomes.push(match row {
                None => AcknowledgeOutcome::Unknown,
                Some(row) => {
                    let row: DeliveryRow = codec::decode(&row, "delivery")?;
                    match row.state().acknowledged() {
                        Err(Closed::Replaced) => AcknowledgeOutcome::Replaced,
                        Err(Closed::TakenBack | Closed::NotOpen) => AcknowledgeOutcome::TakenBack,
                        Ok(_) if row.acknowledged_at.is_none() && counted.insert(delivery.key) => {
                            AcknowledgeOutcome::Counted
                        }
                        Ok(_) => AcknowledgeOutcome::Repeated,
                    }
                }
            });
        }
        let decision = Decision::Acknowledged(Acknowledged { outcomes });
        Ok(match counted.is_empty() {
            true => Err(decision),
            false => Ok((Command::Acknowledge(acknowledge), decision)),
        })
    }

    /// The agency that a content names as its sender, when the caller may act for it.
    pub(super) fn sender(
        &self,
        caller: Ordinal,
        code: &AgencyCode,
    ) -> Result<&AgencyRecord, Refusal> {
        let Some(sender) = self.policy.directory.find(code) else {
            return Err(Refusal::at(Reason::SenderUnknown, "from.code", code));
        };
        match self.policy.directory.serves(caller, sender, self.now()) {
            true => Ok(sender),
            false => Err(Refusal::at(Reason::SenderNotEntitled, "from.code", code)),
        }
    }

    /// Whether the sender has used the id: for the same content, or for another.
    pub(super) fn used(
        &self,
        id: &MessageId,
        sender: Ordinal,
        digest: &Digest,
    ) -> Result<Option<Result<IdRow, Refusal>>, EngineError> {
        let Some(row) = self.row(&keys::id(id, sender))? else { return Ok(None) };
        let row: IdRow = codec::decode(&row, "id")?;
        Ok(Some(match row.digest == *digest {
            true => Ok(row),
            false => Err(Refusal::at(Reason::IdReused, "id", id)),
        }))
    }

    /// What the block under way says of whatever it receives.
    pub(super) fn received(&self) -> Received {
        Received { at: self.now(), clock_ahead: self.clock_ahead }
    }

    /// Signed bytes in the form of the journal, with the chains that hold; certificates that it
    /// has are left out.
    pub(super) fn record(
        &self,
        signed: Signed,
        stored: StoredContent,
        dates: Dates,
    ) -> Result<SignedRecord, EngineError> {
        let trust = &*self.policy.trust;
        let chains = signed.signers.iter();
        let chains = chains.map(|signer| judge::chain(signer, trust, dates).unwrap_or(signer));
        let chains: Vec<&Chain> = chains.collect();
        let mut new_certificates = Vec::new();
        let mut added: Vec<&Fingerprint> = Vec::new();
        for chain in &chains {
            for certificate in chain.certificates() {
                let fingerprint = certificate.fingerprint();
                if !added.contains(&fingerprint) && !self.knows_certificate(fingerprint)? {
                    added.push(fingerprint);
                    new_certificates.push(CertificateBytes(certificate.der().clone()));
                }
            }
        }
        let signatures = signed.content.signatures.iter().zip(&chains);
        Ok(SignedRecord {
            content: stored.content,
            attachments: stored.attachments,
            digest: signed.digest,
            signatures_digest: signed.signatures_digest,
            signatures: signatures
                .map(|(entry, chain)| SignatureRecord {
                    chain: chain.certificates().iter().map(|c| *c.fingerprint()).collect(),
                    value: bytes::Bytes::copy_from_slice(&entry.value),
                })
                .collect(),
            new_certificates,
            content_type: signed.content.content_type,
        })
    }
}
