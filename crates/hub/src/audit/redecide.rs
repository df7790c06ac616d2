//! Judging again: every signature of the journal is verified and every decision made anew, from the
//! first block on, in a second state. The same bytes must come out, block by block.
//!
//! What was refused cannot be judged again, since its content was not kept; it is taken over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::engine::EngineError;
use lienthong_core::{
    Command, Entry, Machine, Opening, Proposal, Query, RULES_VERSION, SealedBlock, SignedRecord,
    StoredContent, TakenForPushed, TrustStore, Work,
};
use lienthong_ledger::{JournalAudit, SledState, StateLimits, Step};
use lienthong_model::{Attachment, Fingerprint, Refusal, SignatureEntry, SignedContent};
use lienthong_trust::{Authorities, Known, Rejected, Verifier};
use lienthong_wire::DocumentContents;
use parking_lot::RwLock;

use super::AuditReport;
use super::at_rest::AtRest;
use super::findings::{Finding, FindingKind, Place};
use crate::reader::authorities;

/// What came of judging again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redecided {
    /// Not done, since bytes that it needs are damaged.
    Damaged,
    /// Every block came out the same, as far as it was judged by this version's rules.
    Same {
        /// Blocks that were judged.
        blocks: u64,
        /// Signatures that were verified.
        signatures: u64,
        /// Blocks whose decisions were taken over as they are, since contents that they name are
        /// kept no longer.
        taken_over: u64,
        /// The first block that was judged by another version's rules; nothing from there on was
        /// judged again.
        other_rules_from: Option<u64>,
    },
    /// A block came out differently; it is among the findings, and nothing behind it was judged.
    Differs {
        /// Which block.
        block: u64,
    },
}

impl AuditReport {
    /// Judges the journal of a folder again, unless something that this needs is damaged.
    pub(super) fn redecide(
        &mut self,
        data: &Path,
        scratch: &Path,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), EngineError> {
        let needed = |kind: FindingKind| match kind {
            FindingKind::Journal(_)
            | FindingKind::Block(_)
            | FindingKind::PayloadMissing
            | FindingKind::PayloadChanged => true,
            FindingKind::Format
            | FindingKind::State
            | FindingKind::Marker
            | FindingKind::Log
            | FindingKind::Checkpoint
            | FindingKind::Redecided
            | FindingKind::Backup => false,
        };
        if self.findings.iter().any(|finding| needed(finding.kind)) {
            self.redecided = Some(Redecided::Damaged);
            return Ok(());
        }
        let mut judge = Judge::open(data, &scratch.join("redecided"))?;
        let mut journal = JournalAudit::open(&data.join("journal"))?;
        let (mut blocks, mut taken_over) = (0, 0);
        let mut other_rules_from = None;
        while let Some(step) = journal.next() {
            let Step::Block(found) = step? else { continue };
            let number = found.block.marker.block;
            if found.block.block.rules != RULES_VERSION {
                other_rules_from = Some(number);
                break;
            }
            if judge.lacks_content(&found.block)? {
                judge.take_over(&found.block)?;
                taken_over += 1;
                continue;
            }
            if let Err(differs) = judge.block(&found.block)? {
                let place = Place::of(&found, differs.entry);
                self.findings.push(Finding::at(FindingKind::Redecided, place, differs.why));
                self.findings_total += 1;
                self.redecided = Some(Redecided::Differs { block: number });
                return Ok(());
            }
            blocks += 1;
            progress(journal.bytes_read(), journal.bytes());
        }
        let signatures = judge.signatures;
        self.redecided = Some(Redecided::Same { blocks, signatures, taken_over, other_rules_from });
        Ok(())
    }
}

/// How a block came out differently.
struct Differs {
    entry: Option<u32>,
    why: String,
}

struct Judge {
    machine: Machine<SledState, AtRest>,
    verifier: Verifier<DocumentContents, Seen>,
    seen: Seen,
    /// What is trusted as of the last block.
    trust: Arc<TrustStore>,
    payloads: AtRest,
    signatures: u64,
}

impl Judge {
    fn open(data: &Path, scratch: &Path) -> Result<Self, EngineError> {
        let (state, _) = SledState::open(scratch, StateLimits::default())?;
        let (state, payloads) = (Arc::new(state), AtRest::of(data));
        let machine = Machine::open(Opening { state: state.clone(), payloads: payloads.clone() })?;
        let known = RwLock::new(authorities(&machine.policy().trust));
        let seen = Seen { state, authorities: Arc::new(known) };
        let verifier = Verifier::new(DocumentContents, seen.clone());
        let trust = machine.policy().trust.clone();
        Ok(Self { machine, verifier, seen, trust, payloads, signatures: 0 })
    }

    /// Judges the entries of the next block; they must make the same block again.
    fn block(&mut self, journalled: &SealedBlock) -> Result<Result<(), Differs>, EngineError> {
        let block = &journalled.block;
        self.machine.allow_clock_ahead(Duration::from_millis(block.clock_ahead_ms));
        self.machine.begin(block.time);
        for (number, entry) in (0..).zip(&block.entries) {
            if let Err(why) = self.entry(entry)? {
                return Ok(Err(Differs { entry: Some(number), why }));
            }
        }
        let made = self.machine.seal();
        match made {
            Some(made) if made.marker.hash == journalled.marker.hash => {}
            made => return Ok(Err(first_difference(made.as_ref(), journalled))),
        }
        self.machine.commit()?;
        self.note_trust();
        Ok(Ok(()))
    }

    /// Whether something that must be verified is kept no longer.
    fn lacks_content(&self, journalled: &SealedBlock) -> Result<bool, EngineError> {
        for entry in &journalled.block.entries {
            let signed = match &entry.command {
                Command::Submit(submit) => &submit.signed,
                Command::Report(report) => &report.signed,
                _ => continue,
            };
            if signed.is_taken_out() {
                return Ok(true);
            }
            for digest in signed.payloads() {
                if !self.payloads.is_there(&digest)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Takes a block's decisions over as they are in the journal.
    fn take_over(&mut self, journalled: &SealedBlock) -> Result<(), EngineError> {
        self.machine.replay(journalled)?;
        self.note_trust();
        Ok(())
    }

    fn note_trust(&mut self) {
        let trust = &self.machine.policy().trust;
        if !Arc::ptr_eq(trust, &self.trust) {
            *self.seen.authorities.write() = authorities(trust);
            self.trust = trust.clone();
        }
    }

    fn entry(&mut self, entry: &Entry) -> Result<Result<(), String>, EngineError> {
        // What had been pushed by then is taken over, as what was refused is.
        self.machine.attend(Arc::new(TakenForPushed::of(&entry.decision)));
        let proposal = match &entry.command {
            Command::Submit(submit) => match self.verify(&submit.signed, Verifier::document)? {
                Ok(facts) => Proposal::Submit {
                    caller: submit.caller,
                    submission: Box::new(facts),
                    stored: stored(&submit.signed),
                },
                Err(refusal) => return Ok(Err(refusal.to_string())),
            },
            Command::Report(report) => match self.verify(&report.signed, Verifier::status)? {
                Ok(facts) => Proposal::Report {
                    caller: report.caller,
                    submission: Box::new(facts),
                    stored: stored(&report.signed),
                },
                Err(refusal) => return Ok(Err(refusal.to_string())),
            },
            Command::Acknowledge(asked) => Proposal::Acknowledge(asked.clone()),
            Command::AcknowledgeNotices(asked) => Proposal::AcknowledgeNotices(asked.clone()),
            Command::NegativeAcknowledge(said) => Proposal::NegativeAcknowledge(said.clone()),
            Command::Refused { requests, .. } => {
                let lienthong_core::Decision::Refused(refusal) = &entry.decision else {
                    return Ok(Err("a refusal without a refusal".to_owned()));
                };
                self.machine.record_refusal(requests.clone(), refusal.clone())?;
                return Ok(Ok(()));
            }
            Command::SaveList(save) => Proposal::SaveList(save.clone()),
            Command::RemoveList(remove) => Proposal::RemoveList(remove.clone()),
            Command::Remind(remind) => Proposal::Remind(*remind),
            Command::FanOut(fan_out) => Proposal::Work(Work::Slice(fan_out.key())),
            Command::Tick(tick) => Proposal::Work(Work::Tick((*tick).into())),
            Command::SettleRevocation(settled) => Proposal::Work(Work::Settle(settled.issuer)),
            Command::Act { by, act } => {
                Proposal::Act { by: by.person.clone(), act: Command::clone(act) }
            }
            administered @ (Command::ImportDirectory(_)
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
            | Command::ChangeTargets(_)) => Proposal::Administer(administered.clone()),
        };
        let decision = self.machine.decide(proposal)?;
        Ok(if decision == entry.decision {
            Ok(())
        } else {
            Err(format!("judged again it is {decision:?}, the journal has {:?}", entry.decision))
        })
    }

    /// Works out the facts of what a record holds.
    fn verify<T>(
        &mut self,
        signed: &SignedRecord,
        facts: impl FnOnce(&Verifier<DocumentContents, Seen>, SignedContent) -> Result<T, Rejected>,
    ) -> Result<Result<T, Refusal>, EngineError> {
        self.signatures += signed.signatures.len() as u64;
        let content = self.content(signed)?;
        Ok(facts(&self.verifier, content).map_err(|rejected| rejected.refusal))
    }

    /// A record as it was handed in, with every certificate of its chains.
    fn content(&self, signed: &SignedRecord) -> Result<SignedContent, EngineError> {
        let mut certificates: Vec<Bytes> =
            signed.new_certificates.iter().map(|der| der.0.clone()).collect();
        for fingerprint in signed.signatures.iter().flat_map(|signature| &signature.chain) {
            let known = Query(&*self.seen.state).certificate(fingerprint)?;
            certificates.extend(known.filter(|der| !certificates.contains(der)));
        }
        let signatures = signed.signatures.iter().filter_map(|signature| {
            let certificate = *signature.chain.first()?;
            Some(SignatureEntry { certificate, value: signature.value.clone() })
        });
        let attachments = signed.attachments.iter().map(|attachment| {
            let bytes = self.payloads.stored(&attachment.bytes)?;
            Ok(Attachment { content_id: attachment.content_id.clone(), bytes })
        });
        Ok(SignedContent {
            content_type: signed.content_type.clone(),
            content: self.payloads.stored(&signed.content)?,
            signatures: signatures.collect(),
            certificates,
            attachments: attachments.collect::<Result<_, EngineError>>()?,
        })
    }
}

fn stored(signed: &SignedRecord) -> StoredContent {
    StoredContent { content: signed.content.clone(), attachments: signed.attachments.clone() }
}

/// Where a block that was made again differs from the journal's.
fn first_difference(made: Option<&SealedBlock>, journalled: &SealedBlock) -> Differs {
    let Some(made) = made else {
        return Differs { entry: None, why: "judged again it has no entries".to_owned() };
    };
    let pairs = made.block.entries.iter().zip(&journalled.block.entries);
    let entry = (0..).zip(pairs).find(|(_, (made, journalled))| made != journalled);
    let why = match entry {
        Some(_) => {
            "judged again the entry has other contents: what its command says is not what \
                    the signed bytes say, or what was known then"
        }
        None => "judged again the block has another number, time or hash of the block before",
    };
    Differs { entry: entry.map(|(number, _)| number), why: why.to_owned() }
}

/// What the journal brought before: certificates and authorities.
#[derive(Clone)]
struct Seen {
    state: Arc<SledState>,
    authorities: Arc<RwLock<Arc<Authorities>>>,
}

impl Known for Seen {
    fn certificate(&self, fingerprint: &Fingerprint) -> Option<Bytes> {
        Query(&*self.state).certificate(fingerprint).ok().flatten()
    }

    fn authorities(&self) -> Arc<Authorities> {
        self.authorities.read().clone()
    }
}
