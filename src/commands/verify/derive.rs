//! The verdict, derived again: facts from the bytes, judgement by the functions that the hub's core
//! calls, and the comparison with what the hub concluded.

use std::sync::Arc;

use anyhow::Context as _;
use lienthong_core::{FactsOf, Policy, Received, judge_signers};
use lienthong_model::{Digest, Reason, Refusal};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::{PROOF_HASHES_MAX, verify_inclusion};
use lienthong_trust::{
    Authorities, Checkpoint, NoteKey, Signed, Submission, Verifier, bundle_statement,
};
use lienthong_wire::{DocumentContents, decode_message, proto};

use super::Reliance;
use super::basis::{Basis, OfBundle};
use super::view::{Check, Derived};

/// Derives the verdict of a bundle.
///
/// # Errors
/// When the basis cannot be read; a verdict that does not hold is no error.
pub(super) fn verdict(
    bundle: &proto::EvidenceBundle,
    reliance: &Reliance,
) -> anyhow::Result<Derived> {
    let basis: proto::VerdictBasis =
        decode_message(bundle.basis.clone()).context("the bundle's basis")?;
    let mut basis = Basis::read(basis).context("the bundle's basis")?;
    rely_on(&mut basis, reliance);
    let mut derived = Derived::of(&basis);
    if let Some(key) = &reliance.key {
        derived.check(Check::Statement, statement(bundle, key));
    }
    let submission = match facts(&basis) {
        Ok(submission) => submission,
        Err(refusal) => {
            derived.check(Check::Facts, Err(refusal.to_string()));
            return Ok(derived);
        }
    };
    derived.document(&submission);
    derived.check(Check::Facts, Ok(signers(&submission.signed)));
    derived.check(Check::Verdict, judged(&basis, &submission));
    if let Some(key) = &reliance.key {
        derived.check(Check::Log, in_log(&basis, &submission.signed, key));
    }
    Ok(derived)
}

/// Takes trust away from roots that whoever checks does not rely on.
fn rely_on(basis: &mut Basis, reliance: &Reliance) {
    let Some(roots) = &reliance.roots else { return };
    for (certificate, trusted_from, _) in &mut basis.excerpt.authorities {
        if !roots.contains(certificate.fingerprint()) {
            *trusted_from = None;
        }
    }
}

fn facts(basis: &Basis) -> Result<Submission, Refusal> {
    let roots = basis.excerpt.authorities.iter();
    let certificates = roots.clone().map(|(certificate, ..)| certificate.clone());
    let is_root = |one: &lienthong_trust::Certificate| {
        let mut roots = roots.clone().filter(|(_, trusted, _)| trusted.is_some());
        roots.any(|(root, ..)| root.fingerprint() == one.fingerprint())
    };
    let known = OfBundle(Arc::new(Authorities::new(certificates, is_root)));
    let verifier = Verifier::new(DocumentContents, known);
    let verified = verifier.document(basis.content.clone());
    verified.map(|verified| verified.into_inner()).map_err(|rejected| rejected.refusal)
}

fn signers(signed: &Signed) -> String {
    let named = signed.signers.iter().map(|chain| chain.leaf().subject().to_string());
    named.collect::<Vec<_>>().join("; ")
}

/// Judges with the policy of the bundle, and compares.
fn judged(basis: &Basis, submission: &Submission) -> Result<String, String> {
    let Submission { header, signed } = submission;
    let policy = Policy::of_excerpt(basis.excerpt.clone());
    let sender = policy.directory.find(&header.sender);
    let sender = sender
        .ok_or_else(|| Refusal::at(Reason::SenderUnknown, "from.code", &header.sender))
        .map_err(|refusal| refusal.to_string())?;
    let received = Received { at: basis.received_at, clock_ahead: basis.clock_ahead };
    let found = judge_signers(&policy, sender, &FactsOf { header, signed }, received)
        .map_err(|refusal| refusal.to_string())?;
    if found.signature != basis.signature {
        let (hub, found) = (basis.signature, found.signature);
        return Err(format!("the hub says {hub}, the bundle gives {found}"));
    }
    match (found.unproven.is_empty(), basis.unproven) {
        (true, false) => Ok(found.signature.to_string()),
        (false, true) => {
            Ok(format!("{}; chưa chứng minh / revocation not proven", found.signature))
        }
        (proven, _) => {
            let (hub, bundle) = if proven { ("not proven", "proven") } else { ("proven", "not") };
            Err(format!("the hub says that revocation is {hub}, the bundle gives {bundle}"))
        }
    }
}

fn in_log(basis: &Basis, signed: &Signed, key: &NoteKey) -> Result<String, String> {
    let checkpoint = Checkpoint::open(&basis.proof.checkpoint, key);
    let checkpoint = checkpoint.map_err(|error| error.to_string())?;
    if basis.proof.hashes.len() > PROOF_HASHES_MAX {
        return Err("the proof is too long".to_owned());
    }
    let hashes = basis.proof.hashes.iter().map(|hash| Digest::from_slice(hash));
    let hashes: Option<Vec<Digest>> = hashes.collect();
    let hashes = hashes.ok_or("a hash of the proof is malformed")?;
    let entry = LeafEntry {
        kind: LeafKind::Document,
        time: basis.received_at,
        content: signed.digest,
        signatures: signed.signatures_digest,
    };
    let (position, size) = (basis.position, checkpoint.size);
    verify_inclusion(&entry.hash(), position, &hashes, size, &checkpoint.root)
        .map_err(|error| error.to_string())?;
    Ok(format!("#{position} of {size} in {}", checkpoint.origin))
}

fn statement(bundle: &proto::EvidenceBundle, key: &NoteKey) -> Result<String, String> {
    let stated = key.open(&bundle.statement).map_err(|error| error.to_string())?;
    match stated == bundle_statement(&Digest::of(&bundle.basis)) {
        true => Ok(key.name().to_owned()),
        false => Err("the hub's statement is about another bundle".to_owned()),
    }
}
