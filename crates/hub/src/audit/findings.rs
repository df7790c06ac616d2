//! What an audit finds wrong, and where.

use lienthong_core::audit::FlawKind;
use lienthong_core::engine::EngineError;
use lienthong_ledger::{ChangedByte, Damage, DamageKind, FoundBlock};
use lienthong_model::limits::AUDIT_FINDINGS_MAX;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What sort of thing.
    pub kind: FindingKind,
    /// The file, below the data folder; `None` for what lies in no file of its own.
    pub file: Option<String>,
    /// Where in the file the frame or the header begins.
    pub offset: Option<u64>,
    /// How many bytes from there cannot be relied on.
    pub bytes: Option<u64>,
    /// The block.
    pub block: Option<u64>,
    /// The entry of the block, from 0.
    pub entry: Option<u32>,
    /// How it shows.
    pub why: String,
    /// The one byte whose change explains it.
    pub changed: Option<ChangedByte>,
    /// Whether the next start would cut the journal here.
    pub cut: bool,
}

/// What sort of thing is wrong. Names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingKind {
    /// The folder's `FORMAT` is missing or says something else.
    Format,
    /// Bytes of a journal file.
    Journal(DamageKind),
    /// A block of which every byte is as written, but which cannot be right.
    Block(FlawKind),
    /// A payload file that the journal names is not there.
    PayloadMissing,
    /// A payload file has other bytes than the journal says.
    PayloadChanged,
    /// The state does not open, or a row of it is damaged. It is made anew from the journal.
    State,
    /// The state and the journal do not belong together, or the journal lost blocks.
    Marker,
    /// The state's tiles are not those of the journal's leaves.
    Log,
    /// A signed checkpoint does not hold of this journal.
    Checkpoint,
    /// A signature does not verify, or a decision comes out differently.
    Redecided,
    /// A file of a backup is not what its manifest says.
    Backup,
}

impl FindingKind {
    /// Returns the name: capitals and underscores.
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "FORMAT",
            Self::Journal(kind) => kind.name(),
            Self::Block(FlawKind::Decision) => "DECISION",
            Self::Block(FlawKind::Position) => "POSITION",
            Self::Block(FlawKind::Time) => "TIME",
            Self::Block(FlawKind::Digest) => "DIGEST",
            Self::Block(FlawKind::Certificate) => "CERTIFICATE",
            Self::PayloadMissing => "PAYLOAD_MISSING",
            Self::PayloadChanged => "PAYLOAD_CHANGED",
            Self::State => "STATE",
            Self::Marker => "MARKER",
            Self::Log => "LOG",
            Self::Checkpoint => "CHECKPOINT",
            Self::Redecided => "REDECIDED",
            Self::Backup => "BACKUP",
        }
    }
}

impl From<FlawKind> for FindingKind {
    fn from(kind: FlawKind) -> Self {
        Self::Block(kind)
    }
}

/// Where something lies.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub file: Option<String>,
    pub offset: Option<u64>,
    pub block: Option<u64>,
    pub entry: Option<u32>,
}

impl Place {
    /// A block of the journal, or an entry of it.
    pub fn of(found: &FoundBlock, entry: Option<u32>) -> Self {
        Self {
            file: Some(format!("journal/{}", found.file)),
            offset: Some(found.offset),
            block: Some(found.block.marker.block),
            entry,
        }
    }

    /// A file below the data folder.
    pub fn file(name: impl Into<String>) -> Self {
        Self { file: Some(name.into()), ..Self::default() }
    }
}

impl Finding {
    pub(super) fn at(kind: FindingKind, place: Place, why: impl Into<String>) -> Self {
        let Place { file, offset, block, entry } = place;
        let why = why.into();
        Self { kind, file, offset, bytes: None, block, entry, why, changed: None, cut: false }
    }

    /// Something that is wrong with a file as a whole.
    pub(crate) fn of_file(kind: FindingKind, file: &str, why: String) -> Self {
        Self::at(kind, Place::file(file), why)
    }

    pub(super) fn of_damage(damage: Damage) -> Self {
        Self {
            kind: FindingKind::Journal(damage.kind),
            file: Some(format!("journal/{}", damage.file)),
            offset: Some(damage.offset),
            bytes: Some(damage.bytes),
            block: Some(damage.block),
            entry: damage.entry,
            why: damage.why,
            changed: damage.changed,
            cut: damage.cut,
        }
    }
}

/// Everything found so far, bounded.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    total: u64,
}

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        self.total += 1;
        if self.listed.len() < AUDIT_FINDINGS_MAX {
            self.listed.push(finding);
        }
    }

    /// Takes damage as a finding; other errors end the audit.
    pub fn add_damage(&mut self, kind: FindingKind, error: EngineError) -> Result<(), EngineError> {
        let EngineError::Damaged { what, why } = error else { return Err(error) };
        self.add(Finding::at(kind, Place::default(), format!("{what}: {why}")));
        Ok(())
    }

    /// The findings about the journal's end, which may be a torn one.
    pub fn torn(&mut self) -> impl Iterator<Item = &mut Finding> {
        let torn = FindingKind::Journal(DamageKind::TornTail);
        self.listed.iter_mut().filter(move |finding| finding.kind == torn)
    }

    /// What was found in the order of files and places, and how much it is.
    pub fn sorted(mut self) -> (Vec<Finding>, u64) {
        self.listed.sort_by(|a, b| {
            let place = |one: &Finding| (one.block, one.offset, one.entry);
            (&a.file, place(a)).cmp(&(&b.file, place(b)))
        });
        (self.listed, self.total)
    }
}
