//! Judgement, in the order of the list of refusals. It reads what the journal brought and nothing
//! else, and it never touches cryptography: facts come with the proposal.

use std::collections::HashSet;

use lienthong_model::{
    Addressee, AgencyCode, BusinessKind, Digest, Fingerprint, Header, MessageId, Ordinal, Reason,
    Refusal, Violation,
};
use lienthong_trust::{Signed, Submission};

use super::Machine;
use crate::codec;
use crate::command::{
    Accepted, Acknowledge, AcknowledgeOutcome, Acknowledged, CertificateBytes, Command, Decision,
    Delivery, DeliveryKey, Proposal, SignatureRecord, SignedRecord, StoredContent, Submit, Work,
};
use crate::directory::{AgencyRecord, Place};
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::routing::Origin;
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
            Proposal::Administer(act) => self.judge_administration(act),
            Proposal::Act { by, act } => self.judge_act_of(by, act),
            Proposal::Work(Work::Settle(issuer)) => self.judge_settlement(issuer),
        }
    }

    fn judge_document(
        &self,
        caller: Ordinal,
        submission: Submission,
        stored: StoredContent,
    ) -> Result<Judged, EngineError> {
        let Submission { header, signed } = submission;
        let refused = |refusal| Ok(Err(Decision::Refused(refusal)));
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
        let NewDocument { signers: Signers { signature, unproven }, place, deliveries } =
            match judged {
                Ok(judged) => judged,
                Err(refusal) => return refused(refusal),
            };
        let used = match self.judge_quota(sender, signed.whole_size(&header.attachments))? {
            Ok(used) => used,
            Err(refusal) => return refused(refusal),
        };
        let position = self.head.next_position;
        let sender = sender.ordinal;
        let accepted = Accepted { position, sender, signature, deliveries, place, unproven, used };
        let signed = self.record(signed, stored)?;
        let command = Command::Submit(Box::new(Submit { caller, header, signed }));
        Ok(Ok((command, Decision::Accepted(accepted))))
    }

    /// Everything that is judged of a document whose id is new, in the order of the list.
    fn judge_new_document(
        &self,
        sender: &AgencyRecord,
        header: &Header,
        signed: &Signed,
    ) -> Result<NewDocument, Refusal> {
        let facts = FactsOf { header, signed };
        let signers = judge_signers(&self.policy, sender, &facts, self.received())?;
        let (place, deliveries) = self.deliveries(sender, header)?;
        match header.kind {
            BusinessKind::New => Ok(NewDocument { signers, place, deliveries }),
            BusinessKind::Recall | BusinessKind::Update | BusinessKind::Replace => {
                Err(Refusal::at(Reason::KindNotSupported, "business.kind", header.kind as u8))
            }
        }
    }

    fn judge_acknowledge(&self, acknowledge: Acknowledge) -> Result<Judged, EngineError> {
        let mut outcomes = Vec::with_capacity(acknowledge.deliveries.len());
        let mut counted = HashSet::new();
        for delivery in &acknowledge.deliveries {
            let DeliveryKey { recipient, position } = delivery.key;
            let entitled = self.policy.directory.agency(recipient).is_some_and(|agency| {
                self.policy.directory.serves(acknowledge.caller, agency, self.now())
            });
            let row = match entitled {
                true => self.row(&keys::delivery(position, recipient))?,
                false => None,
            };
            outcomes.push(match row {
                None => AcknowledgeOutcome::Unknown,
                Some(row) => {
                    let row: DeliveryRow = codec::decode(&row, "delivery")?;
                    match row.acknowledged_at.is_none() && counted.insert(delivery.key) {
                        true => AcknowledgeOutcome::Counted,
                        false => AcknowledgeOutcome::Repeated,
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

    /// Every named recipient's route: all or nothing, and every bad one is named.
    fn deliveries(
        &self,
        sender: &AgencyRecord,
        header: &Header,
    ) -> Result<(Place, Vec<Delivery>), Refusal> {
        let now = self.now();
        let from =
            Origin { agency: sender, place: self.policy.directory.place(sender, now), at: now };
        let mut deliveries = Vec::with_capacity(header.recipients.len());
        let mut violations = Vec::new();
        let mut seen = HashSet::with_capacity(header.recipients.len());
        for (index, addressee) in header.recipients.iter().enumerate() {
            let field = || format!("recipients[{index}].code");
            match self.delivery(&from, header, addressee, field) {
                Ok(delivery) if seen.insert(delivery.recipient) => deliveries.push(delivery),
                Ok(_) => {
                    let code = named(addressee);
                    violations.push(Violation::new(Reason::RecipientRepeated, field(), code));
                }
                Err(violation) => violations.push(violation),
            }
        }
        Refusal::of(violations).map_or(Ok((from.place, deliveries)), Err)
    }

    fn delivery(
        &self,
        from: &Origin<'_>,
        header: &Header,
        addressee: &Addressee,
        field: impl Fn() -> String,
    ) -> Result<Delivery, Violation> {
        let code = match addressee {
            Addressee::Agency(code) => code,
            Addressee::List(name) => {
                return Err(Violation::new(Reason::RecipientListUnknown, field(), name));
            }
        };
        let Some(recipient) = self.policy.directory.find(code) else {
            return Err(Violation::new(Reason::RecipientUnknown, field(), code));
        };
        let judged =
            self.policy.rules.judge(&self.policy.directory, from, recipient, header.document_type);
        match judged.outcome {
            Ok(route) => Ok(Delivery { recipient: recipient.ordinal, route, place: judged.place }),
            Err(reason) => {
                let value = judged.value(code.as_str(), &self.policy.directory, from.at);
                Err(Violation::new(reason, field(), value))
            }
        }
    }

    /// What the block under way says of whatever it receives.
    pub(super) fn received(&self) -> Received {
        Received { at: self.now(), clock_ahead: self.clock_ahead }
    }

    /// Signed bytes in the form of the journal; certificates that it has are left out.
    pub(super) fn record(
        &self,
        signed: Signed,
        stored: StoredContent,
    ) -> Result<SignedRecord, EngineError> {
        let mut new_certificates = Vec::new();
        let mut added: Vec<&Fingerprint> = Vec::new();
        for chain in &signed.signers {
            for certificate in chain.certificates() {
                let fingerprint = certificate.fingerprint();
                if !added.contains(&fingerprint) && !self.knows_certificate(fingerprint)? {
                    added.push(fingerprint);
                    new_certificates.push(CertificateBytes(certificate.der().clone()));
                }
            }
        }
        let signatures = signed.content.signatures.iter().zip(&signed.signers);
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

/// What is judged of a document whose id is new.
struct NewDocument {
    signers: Signers,
    place: Place,
    deliveries: Vec<Delivery>,
}

fn named(addressee: &Addressee) -> &str {
    match addressee {
        Addressee::Agency(code) => code.as_str(),
        Addressee::List(name) => name,
    }
}
