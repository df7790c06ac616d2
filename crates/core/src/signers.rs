//! Judgement of a document's sender and signers, whole: dates, certificates, revocation, mandates,
//! policy. The machine
//! calls it when a document comes in, and whoever checks a verdict again calls it with the policy
//! as it stood.

use std::time::Duration;

use lienthong_model::limits::MESSAGE_AGE_MAX;
use lienthong_model::{AgencyState, CodeKey, Header, MessageId, Reason, Refusal, Timestamp};
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

/// When something was received, and how far ahead of that a sender's clock may have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// When.
    pub at: Timestamp,
    /// How far ahead.
    pub clock_ahead: Duration,
}

/// Judges a document of `sender` as far as its recipients do not matter: its dates, the sender, and
/// the signers.
///
/// # Errors
/// A [`Refusal`] with the first reason in the order of the list.
pub fn judge_signers(
    policy: &Policy,
    sender: &AgencyRecord,
    facts: &FactsOf<'_>,
    received: Received,
) -> Result<Signers, Refusal> {
    let FactsOf { header, signed } = facts;
    let received_at = received.at;
    in_time(&header.id, header.signed_at, received)?;
    may_send(sender, received_at)?;
    let dates = Dates { signed_at: header.signed_at, received_at };
    judge::certificates(&signed.signers, &*policy.trust, dates)?;
    let grace = policy.revocation.grace();
    let unproven = judge::revocation(&signed.signers, &*policy.trust, dates, grace)?;
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

/// Whether id and signature are from the days before, and not from after the sender's clock can have
/// been.
pub(crate) fn in_time(
    id: &MessageId,
    signed_at: Timestamp,
    received: Received,
) -> Result<(), Refusal> {
    let now = received.at;
    let (first, last) = (now.minus(MESSAGE_AGE_MAX), now.plus(received.clock_ahead));
    let within = |at: Timestamp| first <= at && at <= last;
    if !within(id.time()) {
        let value = format!("{}, received {now}", id.time());
        return Err(Refusal::at(Reason::IdTimeOutOfRange, "id", value));
    }
    if !within(signed_at) {
        let value = format!("{signed_at}, received {now}");
        return Err(Refusal::at(Reason::SignedAtOutOfRange, "signed_at", value));
    }
    Ok(())
}

/// Whether an agency may send at a moment.
pub(crate) fn may_send(sender: &AgencyRecord, now: Timestamp) -> Result<(), Refusal> {
    let Some(entry) = sender.entry_in_force(now) else {
        return Err(Refusal::at(Reason::SenderNotInForce, "from.code", sender.key.as_str()));
    };
    match entry.state {
        AgencyState::Connected | AgencyState::Held => Ok(()),
        AgencyState::Suspended => {
            Err(Refusal::at(Reason::SenderSuspended, "from.code", &entry.code))
        }
    }
}
