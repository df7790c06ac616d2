//! One agency's system.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_client::Signer;
use lienthong_core::NoticeNumber;
use lienthong_model::{Ordinal, Position, Reference, Timestamp};

use super::clerks::Task;
use super::keys::Keys;
use super::population::Member;
use super::seen::Seen;
use super::{Event, World, WorldError};

/// One agency's system.
pub(crate) struct Node {
    pub member: Member,
    pub ordinal: Ordinal,
    /// Its province; none for the centre.
    pub province: Option<Ordinal>,
    pub seal: Option<Signer>,
    /// The leader's certificates, one after the other.
    pub leaders: BTreeMap<u32, Signer>,
    pub expired: Option<Signer>,
    /// Whether it has a connection that it keeps up.
    pub connected: bool,
    /// Faults under way that keep it off.
    pub off: u32,
    pub reconnecting: bool,
    /// What it has on its own disk.
    pub seen: Seen,
    pub tasks: BTreeMap<Position, Task>,
    /// The last notice that it has, and whether it is about to tell the hub so.
    pub notices: NoticeNumber,
    pub tells_notices: bool,
    /// When the last notice comes that is under way to it.
    pub noticed_until: Timestamp,
    /// Calls that wait until it is back.
    pub outbox: BTreeSet<u64>,
    /// A document that is held until the next one has left.
    pub held: Option<u64>,
    /// Documents written; numbers restart every year.
    pub written: u32,
    pub year: i32,
}

impl Node {
    pub fn new(member: Member, ordinal: Ordinal, province: Option<Ordinal>) -> Self {
        Self {
            member,
            ordinal,
            province,
            seal: None,
            leaders: BTreeMap::new(),
            expired: None,
            connected: false,
            off: 0,
            reconnecting: false,
            seen: Seen::default(),
            tasks: BTreeMap::new(),
            notices: NoticeNumber(0),
            tells_notices: false,
            noticed_until: Timestamp::from_millis(0),
            outbox: BTreeSet::new(),
            held: None,
            written: 0,
            year: 0,
        }
    }

    /// Whether its system runs and has been connected.
    pub fn is_on(&self) -> bool {
        self.connected && self.off == 0
    }

    /// Its seal; made when it is needed first.
    pub fn seal(&mut self, keys: &Keys) -> Result<Signer, WorldError> {
        if let Some(seal) = &self.seal {
            return Ok(seal.clone());
        }
        let seal = keys.seal(&self.member.entry.code)?;
        Ok(self.seal.insert(seal).clone())
    }

    /// The next number of the year.
    pub fn next_number(&mut self, year: i32) -> u32 {
        if year != self.year {
            (self.year, self.written) = (year, 0);
        }
        self.written += 1;
        self.written
    }
}

/// What a reply answers, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Answering {
    pub sender: usize,
    pub reference: Reference,
    pub subject: String,
}

impl World<'_> {
    pub(super) fn connect(&mut self, node: usize) -> Result<(), WorldError> {
        self.nodes[node].connected = true;
        if self.nodes[node].off > 0 || !self.hub.is_up() {
            return Ok(());
        }
        self.hub.open(self.nodes[node].ordinal);
        self.trace.line(self.now, "connected", &[&self.nodes[node].member.entry.code])?;
        self.push()
    }

    pub(super) fn reconnect(&mut self, node: usize) -> Result<(), WorldError> {
        self.nodes[node].reconnecting = false;
        self.connect(node)
    }

    /// A node is back: it connects and sends what it kept.
    pub(super) fn back(&mut self, node: usize) -> Result<(), WorldError> {
        if !self.nodes[node].is_on() {
            return Ok(());
        }
        self.connect(node)?;
        for number in std::mem::take(&mut self.nodes[node].outbox) {
            self.queue.put(self.now, Event::Again(number));
        }
        Ok(())
    }
}
