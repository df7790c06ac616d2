//! Judgement of signers: facts against what is trusted, as of a date.
//!
//! Pure functions. The hub's core calls them in the order of the block with what the journal says;
//! a recipient calls them with the roots that it was given.

mod proof;

use std::fmt;
use std::sync::Arc;

use lienthong_model::{
    CodeKey, DocumentType, Fingerprint, Mandate, Reason, Refusal, SignaturePolicy, Timestamp,
    Violation, mandate_of,
};
use minicbor::{Decode, Encode};

use crate::certificate::{AuthorityId, Certificate, Holder};
use crate::chain::Chain;

pub use proof::{Serial, Unproven, revocation};

/// What somebody trusts.
pub trait Anchors {
    /// Returns whether a root is trusted at a moment.
    fn trusts(&self, root: &Fingerprint, at: Timestamp) -> bool;

    /// Returns when a certificate was revoked by its issuer; `None` when it was not.
    fn revoked_at(&self, issuer: &AuthorityId, serial: &[u8]) -> Option<Timestamp>;

    /// Returns since when a newer revocation list of an issuer has been due at a moment; `None`
    /// while one is in date, and of whoever does not ask for it.
    fn list_due(&self, issuer: &AuthorityId, at: Timestamp) -> Option<Timestamp> {
        let _ = (issuer, at);
        None
    }
}

/// What is asked of a sender's signatures.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The sending agency.
    pub agency: &'a CodeKey,
    /// The agency whose seal is accepted for the sender's, beside its own.
    pub gateway: Option<&'a CodeKey>,
    /// Which signatures are needed.
    pub policy: SignaturePolicy,
    /// The sender's mandates, whatever their dates. From the first day of the earliest one, a
    /// person signs by a mandate only; before it, and without any, every person of the agency may.
    pub mandates: &'a [Mandate],
}

/// The two dates at which a signature is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// When the signer says it was signed.
    pub signed_at: Timestamp,
    /// When it was received: revocation counts as of here.
    pub received_at: Timestamp,
}

/// Which signatures a content carries. Journalled and counted: numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum SignatureKind {
    /// None: for information only, without legal force.
    #[n(0)]
    None = 0,
    /// The agency's or its gateway's seal alone.
    #[n(1)]
    Seal = 1,
    /// One or more persons.
    #[n(2)]
    Personal = 2,
    /// One or more persons and a seal.
    #[n(3)]
    PersonalAndSeal = 3,
}

impl Dates {
    /// Both dates the same: for whoever connects, now.
    pub const fn at(moment: Timestamp) -> Self {
        Self { signed_at: moment, received_at: moment }
    }
}

impl SignatureKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [SignatureKind; 4] =
        [Self::None, Self::Seal, Self::Personal, Self::PersonalAndSeal];

    /// Returns whether a person signed.
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Personal | Self::PersonalAndSeal)
    }

    /// Returns the name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Seal => "seal",
            Self::Personal => "personal",
            Self::PersonalAndSeal => "personal-and-seal",
        }
    }
}

impl fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is wrong with a chain as of some dates: the first reason in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault<'c> {
    /// Why.
    pub reason: Reason,
    /// Which certificate.
    pub certificate: &'c Certificate,
}

/// Judges every certificate of every signer's chain: trusted root, validity at signing and at
/// receipt, revocation before receipt. Of a signer's chains one must hold ([`chain`]).
///
/// # Errors
/// A [`Refusal`] with the first reason in the order of the list; each bad certificate is named.
pub fn certificates(
    signers: &[Arc<Chain>],
    anchors: &dyn Anchors,
    dates: Dates,
) -> Result<(), Refusal> {
    let mut violations = Vec::new();
    for (index, chain) in signers.iter().enumerate() {
        if let Err(Fault { reason, certificate }) = self::chain(chain, anchors, dates) {
            let field = format!("document.signatures[{index}].certificate_sha256");
            violations.push(Violation::new(reason, field, certificate.fingerprint()));
        }
    }
    Refusal::of(violations).map_or(Ok(()), Err)
}

/// Judges every certificate of a leaf's chains: a signer's, or those of whoever connects, for whom
/// both dates are now. Returns the first that holds.
///
/// Cheap: no signature is checked.
///
/// # Errors
/// Where none holds, the [`Fault`] of the one that came farthest. A chain's fault is the one with
/// the first reason in the order of the list.
pub fn chain<'c>(
    chain: &'c Chain,
    anchors: &dyn Anchors,
    dates: Dates,
) -> Result<&'c Chain, Fault<'c>> {
    let mut farthest: Option<Fault<'c>> = None;
    for one in chain.all() {
        let Some(fault) = fault(one, anchors, dates) else { return Ok(one) };
        if farthest.is_none_or(|known| fault.reason > known.reason) {
            farthest = Some(fault);
        }
    }
    farthest.map_or(Ok(chain), Err)
}

fn fault<'c>(chain: &'c Chain, anchors: &dyn Anchors, dates: Dates) -> Option<Fault<'c>> {
    let root = chain.root();
    if !anchors.trusts(root.fingerprint(), dates.received_at) {
        return Some(Fault { reason: Reason::CertificateUntrusted, certificate: root });
    }
    let of_dates = chain.certificates().iter().filter_map(|certificate| {
        let reason = dates_fault(certificate, dates)?;
        Some(Fault { reason, certificate })
    });
    of_dates.chain(revoked(chain, anchors, dates.received_at)).min_by_key(|fault| fault.reason)
}

fn dates_fault(certificate: &Certificate, dates: Dates) -> Option<Reason> {
    // A signer's clock may be ahead.
    let first = dates.signed_at.min(dates.received_at);
    if first < certificate.not_before() {
        return Some(Reason::CertificateNotYetValid);
    }
    let last = dates.signed_at.max(dates.received_at);
    (last > certificate.not_after()).then_some(Reason::CertificateExpired)
}

fn revoked<'c>(
    chain: &'c Chain,
    anchors: &dyn Anchors,
    received_at: Timestamp,
) -> Option<Fault<'c>> {
    chain.certificates().windows(2).find_map(|pair| {
        let [certificate, issuer] = pair else { return None };
        let at = anchors.revoked_at(issuer.authority(), certificate.serial())?;
        let reason = Reason::CertificateRevoked;
        (at <= received_at).then_some(Fault { reason, certificate })
    })
}

/// Judges whose signatures they are and whether they are enough for a type of documents: a seal must
/// be `sender`'s or its gateway's; a person must belong to `sender`, and where mandates are in force,
/// one must have a mandate at signing and at receipt. A person of another agency needs one always.
///
/// # Errors
/// A [`Refusal`] for a signer of another agency, persons of whom none has a mandate, or a signature
/// that the policy misses.
pub fn holders(
    signers: &[Arc<Chain>],
    sender: Sender<'_>,
    document_type: DocumentType,
    dates: Dates,
) -> Result<SignatureKind, Refusal> {
    let judged = persons_by_mandate(signers, sender, document_type, dates);
    let kind = kind_of(signers, sender.agency, sender.gateway, |index| {
        judged.get(index).is_some_and(|person| *person == Person::Mandated)
    })?;
    if judged.contains(&Person::WithoutMandate) && !judged.contains(&Person::Mandated) {
        let without = signers.iter().enumerate().zip(&judged);
        let without = without.filter(|(_, judged)| **judged == Person::WithoutMandate);
        let violations = without.map(|((index, chain), _)| {
            let person = match chain.leaf().holder() {
                Holder::Person { person, name, .. } => format!("{person} ({name})"),
                _ => chain.leaf().fingerprint().to_string(),
            };
            let field = format!("document.signatures[{index}].certificate_sha256");
            Violation::new(Reason::SignerWithoutAuthority, field, person)
        });
        return Refusal::of(violations.collect()).map_or(Ok(kind), Err);
    }
    match sender.policy {
        SignaturePolicy::Required if !kind.is_personal() => {
            Err(Refusal::at(Reason::PersonalSignatureRequired, "document.signatures", kind))
        }
        SignaturePolicy::Transition if kind == SignatureKind::None => {
            Err(Refusal::at(Reason::SealRequired, "document.signatures", kind))
        }
        _ => Ok(kind),
    }
}

/// What mandates say of a signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Person {
    /// It is no person, or mandates are not in force.
    NotJudged,
    /// A mandate stands.
    Mandated,
    /// None does.
    WithoutMandate,
}

fn persons_by_mandate(
    signers: &[Arc<Chain>],
    sender: Sender<'_>,
    document_type: DocumentType,
    dates: Dates,
) -> Vec<Person> {
    let today = dates.received_at.day();
    let by_mandate = sender.mandates.iter().any(|mandate| mandate.from <= today);
    let moments = [dates.signed_at, dates.received_at];
    let judge = |chain: &Arc<Chain>| match chain.leaf().holder() {
        Holder::Person { agency, person, .. } if by_mandate => {
            let who = (&agency.key(), person.as_str());
            match mandate_of(sender.mandates, who, document_type, &moments) {
                Some(_) => Person::Mandated,
                None => Person::WithoutMandate,
            }
        }
        _ => Person::NotJudged,
    };
    signers.iter().map(judge).collect()
}

/// Judges the signatures of a status report: the seal of the reporting agency or of its gateway is
/// needed, a person of the agency may add theirs.
///
/// # Errors
/// A [`Refusal`] for a signer of another agency or a missing seal.
pub fn report_holders(
    signers: &[Arc<Chain>],
    reporter: &CodeKey,
    gateway: Option<&CodeKey>,
) -> Result<SignatureKind, Refusal> {
    let kind = kind_of(signers, reporter, gateway, |_| false)?;
    match kind {
        SignatureKind::Seal | SignatureKind::PersonalAndSeal => Ok(kind),
        SignatureKind::None | SignatureKind::Personal => {
            Err(Refusal::at(Reason::SealRequired, "report.signatures", kind))
        }
    }
}

fn kind_of(
    signers: &[Arc<Chain>],
    agency: &CodeKey,
    gateway: Option<&CodeKey>,
    mandated: impl Fn(usize) -> bool,
) -> Result<SignatureKind, Refusal> {
    let (mut personal, mut sealed) = (false, false);
    let mut violations = Vec::new();
    for (index, chain) in signers.iter().enumerate() {
        let field = || format!("document.signatures[{index}].certificate_sha256");
        match chain.leaf().holder() {
            Holder::Person { agency: of, .. } if of.key() == *agency || mandated(index) => {
                personal = true;
            }
            Holder::Seal { agency: of } if of.key() == *agency => sealed = true,
            Holder::Seal { agency: of } if Some(&of.key()) == gateway => sealed = true,
            Holder::Person { agency: of, .. } | Holder::Seal { agency: of } => {
                violations.push(Violation::new(Reason::SignerOfOtherAgency, field(), of));
            }
            Holder::Authority { .. }
            | Holder::Node { .. }
            | Holder::Operator { .. }
            | Holder::Hub { .. } => {
                let name = chain.leaf().fingerprint();
                violations.push(Violation::new(Reason::CertificateUnsuitable, field(), name));
            }
        }
    }
    if let Some(refusal) = Refusal::of(violations) {
        return Err(refusal);
    }
    Ok(match (personal, sealed) {
        (false, false) => SignatureKind::None,
        (false, true) => SignatureKind::Seal,
        (true, false) => SignatureKind::Personal,
        (true, true) => SignatureKind::PersonalAndSeal,
    })
}
