//! What a journal says of itself, checked block by block: that every decision can belong to its
//! command, positions and times follow each other, digests are those of the bytes, certificates
//! that are named are there. Nothing is judged again and no signature is checked.
//!
//! What lies elsewhere, payload files and the tiles of the log, is named for whoever can read it.

use std::collections::HashSet;

use lienthong_model::limits::SLICE_RECIPIENTS;
use lienthong_model::{Digest, Fingerprint, Position, SignatureEntry, Timestamp};
use lienthong_trust::dsse;
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};

use crate::block::Block;
use crate::command::{Command, Decision, SignedRecord, Stored};

/// Follows the blocks of a journal in their order. It keeps 32 bytes a certificate, and where the
/// log stands.
#[derive(Debug, Default)]
pub struct JournalCheck {
    certificates: HashSet<Fingerprint>,
    authorities: HashSet<Fingerprint>,
    last: Option<(u64, Timestamp)>,
    next_position: u64,
}

/// What a block is found to hold.
#[derive(Debug, Default)]
pub struct CheckedBlock {
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
    /// Payload files that it names.
    pub payloads: Vec<NamedPayload>,
    /// Contents that are not behind it any more.
    pub taken_out: Vec<TakenOutContent>,
    /// Its leaves of the log, by position.
    pub leaves: Vec<NamedLeaf>,
}

/// Something that cannot be as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Which entry, from 0; `None` when the block as a whole is meant.
    pub entry: Option<u32>,
    /// What sort of thing is wrong.
    pub kind: FlawKind,
    /// How that shows.
    pub why: String,
}

/// What sort of thing is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawKind {
    /// A decision that the command cannot have.
    Decision,
    /// A position that does not follow the last one.
    Position,
    /// A block's time before that of the block before.
    Time,
    /// A digest that is not that of the bytes.
    Digest,
    /// A certificate that is named and was never there.
    Certificate,
}

/// A payload file that an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPayload {
    /// Which entry of the block.
    pub entry: u32,
    /// The file's name.
    pub digest: Digest,
    /// How many bytes it must have, when the entry says so.
    pub size: Option<u64>,
    /// When it is a signed content: its type and the SHA-256 of the DSSE bytes.
    pub signed: Option<(String, Digest)>,
    /// Whether it is kept for ever: what a document names may go after its term.
    pub for_ever: bool,
}

/// A content that was taken out of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOutContent {
    /// Which entry of the block.
    pub entry: u32,
    /// Its SHA-256.
    pub digest: Digest,
}

/// A leaf that an entry has in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedLeaf {
    /// Which entry of the block.
    pub entry: u32,
    /// Its place.
    pub position: Position,
    /// What was hashed.
    pub leaf: LeafEntry,
}

impl JournalCheck {
    /// Checks the next block. Blocks may be left out, where the journal is damaged: positions then
    /// go on behind the gap, and each certificate that was in it is reported once.
    pub fn block(&mut self, block: &Block) -> CheckedBlock {
        let mut found = CheckedBlock::default();
        let mut gap = self.last.is_none_or(|(number, _)| number + 1 != block.number);
        gap &= block.number != 1;
        if let Some((number, time)) = self.last
            && block.time < time
        {
            let why = format!("its time {} is before {time}, that of block {number}", block.time);
            found.flaws.push(Flaw { entry: None, kind: FlawKind::Time, why });
        }
        self.last = Some((block.number, block.time));
        for (number, entry) in (0..).zip(&block.entries) {
            let for_ever = !matches!(entry.command, Command::Submit(_));
            let (time, found) = (block.time, &mut found);
            let mut about = About { entry: number, time, gap, for_ever, found };
            self.entry(&entry.command, &entry.decision, &mut about);
            gap = about.gap;
        }
        found
    }

    /// Returns how many certificates the blocks brought.
    pub fn certificates(&self) -> usize {
        self.certificates.len()
    }

    fn entry(&mut self, command: &Command, decision: &Decision, about: &mut About<'_>) {
        // One arm a command: whoever adds one says here which decision it can have, and what its
        // entry names.
        match command {
            Command::Submit(submit) => match decision {
                Decision::Accepted(accepted) => {
                    self.signed(LeafKind::Document, &submit.signed, accepted.position, about);
                    for uploaded in submit.uploaded() {
                        about.payload(uploaded.sha256, Some(uploaded.size), None);
                    }
                }
                other => about.mismatch(command, other),
            },
            Command::Report(report) => match decision {
                Decision::Reported(reported) => {
                    self.signed(LeafKind::Report, &report.signed, reported.position, about);
                }
                other => about.mismatch(command, other),
            },
            Command::Acknowledge(acknowledge) => match decision {
                Decision::Acknowledged(decided)
                    if decided.outcomes.len() == acknowledge.deliveries.len() => {}
                other => about.mismatch(command, other),
            },
            Command::Refused { .. } => match decision {
                Decision::Refused(_) => {}
                other => about.mismatch(command, other),
            },
            Command::ImportDirectory(import) => {
                about.payload(import.payload, None, None);
                about.done(command, decision);
            }
            Command::AddAuthority(authority) => {
                self.authorities.insert(Fingerprint::of(&authority.certificate.0));
                about.done(command, decision);
            }
            Command::AddRevocationList(list) => {
                if self.authorities.insert(list.issuer) {
                    let why = format!("the list's issuer {} was never entered", list.issuer);
                    about.flaw(FlawKind::Certificate, why);
                }
                about.payload(list.payload, None, None);
                about.done(command, decision);
            }
            Command::SettleRevocation(settled) => match decision {
                Decision::Settled(outcomes) if outcomes.len() == settled.positions.len() => {}
                other => about.mismatch(command, other),
            },
            Command::ChangeDirectory(_)
            | Command::SetRoutingRules(_)
            | Command::ChangeMandates(_)
            | Command::SetRevocationPolicy(_)
            | Command::ChangeAppointments(_)
            | Command::ChangeQuotas(_)
            | Command::ChangeAccounts(_)
            | Command::ChangeTargets(_)
            | Command::SaveList(_)
            | Command::RemoveList(_)
            | Command::SetTerms(_) => about.done(command, decision),
            Command::AcknowledgeNotices(_) => match decision {
                Decision::NoticesAcknowledged(_) => {}
                other => about.mismatch(command, other),
            },
            Command::NegativeAcknowledge(negative) => match decision {
                Decision::NegativelyAcknowledged(counts)
                    if counts.len() == negative.deliveries.len() => {}
                other => about.mismatch(command, other),
            },
            Command::FanOut(_) => match decision {
                Decision::FannedOut(deliveries) if deliveries.len() <= SLICE_RECIPIENTS => {}
                other => about.mismatch(command, other),
            },
            Command::Tick(_) => match decision {
                Decision::Ticked(_) => {}
                other => about.mismatch(command, other),
            },
            Command::Remind(_) => match decision {
                Decision::Reminded(_) => {}
                other => about.mismatch(command, other),
            },
            Command::Act { act, .. } => match **act {
                // An act is not an act by a person again.
                Command::Act { .. } => about.mismatch(command, decision),
                _ => self.entry(act, decision, about),
            },
        }
    }

    fn signed(
        &mut self,
        kind: LeafKind,
        signed: &SignedRecord,
        position: Position,
        about: &mut About<'_>,
    ) {
        if position.0 != self.next_position && !(about.gap && position.0 > self.next_position) {
            let why = format!("position {position}, where {} follows", self.next_position);
            about.flaw(FlawKind::Position, why);
        }
        about.gap = false;
        self.next_position = position.0.saturating_add(1);
        about.digests(signed);
        let new = signed.new_certificates.iter().map(|der| Fingerprint::of(&der.0));
        self.certificates.extend(new);
        // Issuers that come with accepted content are known from then on.
        let issuers = signed.signatures.iter().flat_map(|signature| signature.chain.iter().skip(1));
        self.authorities.extend(issuers);
        for fingerprint in signed.signatures.iter().flat_map(|signature| &signature.chain) {
            if self.certificates.insert(*fingerprint) {
                let why = format!("certificate {fingerprint} is named and was never entered");
                about.flaw(FlawKind::Certificate, why);
            }
        }
        let leaf = LeafEntry {
            kind,
            time: about.time,
            content: signed.digest,
            signatures: signed.signatures_digest,
        };
        about.found.leaves.push(NamedLeaf { entry: about.entry, position, leaf });
    }
}

/// The entry under way, and what is found of its block.
struct About<'f> {
    entry: u32,
    time: Timestamp,
    /// Blocks are missing between the last leaf and here.
    gap: bool,
    /// What it names is kept for ever.
    for_ever: bool,
    found: &'f mut CheckedBlock,
}

impl About<'_> {
    fn flaw(&mut self, kind: FlawKind, why: String) {
        self.found.flaws.push(Flaw { entry: Some(self.entry), kind, why });
    }

    fn mismatch(&mut self, command: &Command, decision: &Decision) {
        let (command, decision) = (variant(command), variant(decision));
        let why = format!("a command `{command}` cannot have this decision `{decision}`");
        self.flaw(FlawKind::Decision, why);
    }

    fn done(&mut self, command: &Command, decision: &Decision) {
        if *decision != Decision::Done {
            self.mismatch(command, decision);
        }
    }

    fn payload(&mut self, digest: Digest, size: Option<u64>, signed: Option<(String, Digest)>) {
        let (entry, for_ever) = (self.entry, self.for_ever);
        self.found.payloads.push(NamedPayload { entry, digest, size, signed, for_ever });
    }

    fn taken_out(&mut self, digest: Digest) {
        let entry = self.entry;
        self.found.taken_out.push(TakenOutContent { entry, digest });
    }

    /// Whether the digests that the log commits to are those of the bytes.
    fn digests(&mut self, signed: &SignedRecord) {
        match &signed.content {
            Stored::Inline(content) => {
                let found = dsse::content_digest(&signed.content_type, content);
                if found != signed.digest {
                    let why = format!("the content has the digest {found}, not {}", signed.digest);
                    self.flaw(FlawKind::Digest, why);
                }
            }
            Stored::Payload { digest, size } => {
                let content = (signed.content_type.clone(), signed.digest);
                self.payload(*digest, Some(*size), Some(content));
            }
            Stored::Apart { digest, .. } => self.taken_out(*digest),
        }
        for attachment in &signed.attachments {
            match attachment.bytes {
                Stored::Inline(_) => {}
                Stored::Payload { digest, size } => self.payload(digest, Some(size), None),
                Stored::Apart { digest, .. } => self.taken_out(digest),
            }
        }
        let entries: Vec<SignatureEntry> = signed
            .signatures
            .iter()
            .filter_map(|signature| {
                let certificate = *signature.chain.first()?;
                Some(SignatureEntry { certificate, value: signature.value.clone() })
            })
            .collect();
        let found = dsse::signatures_digest(&entries);
        if found != signed.signatures_digest {
            let why =
                format!("the signatures have the digest {found}, not {}", signed.signatures_digest);
            self.flaw(FlawKind::Digest, why);
        }
    }
}

/// The name of a variant.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
