//! Judgement of a document's signers, whole: certificates, revocation, mandates, policy. The machine
//! calls it when a document comes in, and whoever checks a verdict again calls it with the policy
//! as it stood.

use lienthong_model::{CodeKey, Header, Refusal, Timestamp};
use lienthong_trust::{Dates, SignatureKind, Signed, Unproven, judge};

use crate::directory::AgencyRecord;
use crate::policy::Policy;

/// What the bytes of a document say.
#[derive(Debug, Clone, Copy)]
pub struct FactsOf<'a> {
    /// Its header.
    pub header: &'a Header,
    /// Its bytes and who signed them.
    pub signed: &'a Signed,
}

/// How the signers of a document were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    /// Which signatures count.
    pub signature: SignatureKind,
    /// Certificates of which it is not proven that they were not revoked; within the grace.
    pub unproven: Vec<Unproven>,
}

/// Judges the signers of a document that `sender` sends, as received at a moment.
///
/// # Errors
/// A [`Refusal`] with the first reason in the order of the list.
pub fn judge_signers(
    policy: &Policy,
    sender: &AgencyRecord,
    facts: &FactsOf<'_>,
    received_at: Timestamp,
) -> Result<Signers, Refusal> {
    let FactsOf { header, signed } = facts;
    let dates = Dates { signed_at: header.signed_at, received_at };
    judge::certificates(&signed.signers, &*policy.trust, dates)?;
    let grace = policy.revocation.grace();
    let unproven = judge::revocation(&signed.signers, &*policy.trust, received_at, grace)?;
    let asked = judge::Sender {
        agency: &sender.key,
        gateway: gateway_key(policy, sender, received_at),
        policy: sender.entry(received_at).policy,
        mandates: policy.mandates.of(sender.ordinal),
    };
    let signature = judge::holders(&signed.signers, asked, header.document_type, dates)?;
    Ok(Signers { signature, unproven })
}

/// The agency whose seal is accepted for another's: its gateway.
pub(crate) fn gateway_key<'p>(
    policy: &'p Policy,
    agency: &AgencyRecord,
    at: Timestamp,
) -> Option<&'p CodeKey> {
    let gateway = policy.directory.gateway(agency, at)?;
    policy.directory.agency(gateway).map(|gateway| &gateway.key)
}
