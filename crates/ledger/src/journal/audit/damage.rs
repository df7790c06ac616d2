//! Places where a journal's files are not what was written.

/// A place where a journal's files are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What sort of damage it is.
    pub kind: DamageKind,
    /// The file's name.
    pub file: String,
    /// Where in the file it begins: at the frame, or at the header, that is not right.
    pub offset: u64,
    /// How many bytes from there cannot be relied on.
    pub bytes: u64,
    /// The block that stands there, or follows there.
    pub block: u64,
    /// The entry of the block in which the changed byte lies, from 0, when it is known.
    pub entry: Option<u32>,
    /// How it shows.
    pub why: String,
    /// The one byte whose change explains it; `None` when more was changed.
    pub changed: Option<ChangedByte>,
    /// Whether opening the journal would cut the file here, since nothing after it says that it was
    /// synced.
    pub cut: bool,
}

/// What sort of damage a place shows. Names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// A file's header is not right.
    Header,
    /// A frame is not right.
    Frame,
    /// A block does not follow the one before it.
    Chain,
    /// Blocks are missing.
    Missing,
    /// The last file ends with bytes that are no frame, and nothing says that they were ever
    /// whole: a write that was cut short, which nobody was answered for, or the last batch changed.
    TornTail,
}

impl DamageKind {
    /// Returns the name: capitals and underscores.
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "HEADER",
            Self::Frame => "FRAME",
            Self::Chain => "CHAIN",
            Self::Missing => "MISSING",
            Self::TornTail => "TORN_TAIL",
        }
    }
}

/// A byte that was changed after it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedByte {
    /// Where it is in the file.
    pub offset: u64,
    /// What stands there.
    pub is: u8,
    /// What was written.
    pub was: u8,
    /// Whether a hash or a second check value confirms it; else only the one check value says so.
    pub certain: bool,
}
