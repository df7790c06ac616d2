//! A bundle's basis, read: every part is checked, none is believed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::{Excerpt, RevocationPolicy};
use lienthong_model::{Fingerprint, Reason, Refusal, SignedContent, Timestamp};
use lienthong_trust::{Authorities, Certificate, Known, RevocationList, SignatureKind};
use lienthong_wire::{administration, directory, moment, proto, signed};

/// The basis of a verdict.
pub(super) struct Basis {
    /// The document as it was signed.
    pub content: SignedContent,
    /// When the hub received it.
    pub received_at: Timestamp,
    /// Which signatures the hub found.
    pub signature: SignatureKind,
    /// Whether the hub found that revocation was not proven.
    pub unproven: bool,
    /// How far ahead of the hub's clock the sender's could be.
    pub clock_ahead: Duration,
    /// The version of the rules of judgement.
    pub rules: u32,
    /// What judgement read of the policy.
    pub excerpt: Excerpt,
    /// The place in the log.
    pub position: u64,
    /// That it is in the log.
    pub proof: proto::LogProof,
}

/// The certificates that are known to whoever derives a verdict: the bundle's.
pub(super) struct OfBundle(pub Arc<Authorities>);

impl Known for OfBundle {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.0.clone()
    }
}

impl Basis {
    /// Reads a basis.
    ///
    /// # Errors
    /// A [`Refusal`] that names the first part that does not do.
    pub(super) fn read(basis: proto::VerdictBasis) -> Result<Self, Refusal> {
        let missing = |field: &str| Refusal::at(Reason::FieldMissing, field, "");
        let verdict = basis.verdict.ok_or_else(|| missing("verdict"))?;
        let received_at = verdict.received_at.as_ref().and_then(moment::from_proto);
        let ahead = basis.clock_ahead.as_ref().and_then(moment::duration_from_proto);
        let authorities = basis.authorities.into_iter().map(authority);
        let authorities = authorities.collect::<Result<Vec<_>, _>>()?;
        let certificates: Vec<_> = authorities.iter().map(|(found, ..)| found.clone()).collect();
        let lists = basis.revocation_lists.iter().map(|der| {
            let list = RevocationList::parse(der, &certificates);
            list.map_err(|error| Refusal::at(Reason::FieldInvalid, "revocation_lists", error))
        });
        let grace = basis.grace.as_ref().and_then(moment::duration_from_proto);
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let mandates = basis.mandates.into_iter().map(administration::mandate_from_proto);
        let excerpt = Excerpt {
            entries: basis
                .agencies
                .into_iter()
                .map(directory::from_proto)
                .collect::<Result<_, _>>()?,
            lists: lists.collect::<Result<_, _>>()?,
            authorities,
            mandates: mandates.collect::<Result<_, _>>()?,
            revocation: RevocationPolicy { grace_ms: grace.map(millis) },
        };
        Ok(Self {
            content: signed::document_from_proto(basis.document, basis.attachments)?,
            received_at: received_at.ok_or_else(|| missing("verdict.received_at"))?,
            signature: signature(verdict.signature)?,
            unproven: !verdict.unproven.is_empty(),
            clock_ahead: ahead.ok_or_else(|| missing("clock_ahead"))?,
            rules: basis.rules,
            excerpt,
            position: basis.position,
            proof: basis.proof.ok_or_else(|| missing("proof"))?,
        })
    }
}

fn authority(
    said: proto::Authority,
) -> Result<(Arc<Certificate>, Option<Timestamp>, Timestamp), Refusal> {
    let invalid =
        |error: &dyn std::fmt::Display| Refusal::at(Reason::FieldInvalid, "authorities", error);
    let certificate = Certificate::parse(said.certificate).map_err(|error| invalid(&error))?;
    let known_from = said.known_from.as_ref().and_then(moment::from_proto);
    let known_from = known_from.ok_or_else(|| invalid(&"no moment"))?;
    let trusted_from = said.trusted_from.as_ref().and_then(moment::from_proto);
    Ok((Arc::new(certificate), trusted_from, known_from))
}

fn signature(number: i32) -> Result<SignatureKind, Refusal> {
    let known = match proto::SignatureKind::try_from(number) {
        Ok(proto::SignatureKind::None) => Some(SignatureKind::None),
        Ok(proto::SignatureKind::Seal) => Some(SignatureKind::Seal),
        Ok(proto::SignatureKind::Personal) => Some(SignatureKind::Personal),
        Ok(proto::SignatureKind::PersonalAndSeal) => Some(SignatureKind::PersonalAndSeal),
        Ok(proto::SignatureKind::Unspecified) | Err(_) => None,
    };
    known.ok_or_else(|| Refusal::at(Reason::FieldInvalid, "verdict.signature", number))
}
