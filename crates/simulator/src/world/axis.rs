//! The axis as the agencies of a scenario meet it. There are two: `core` itself in virtual time
//! ([`super::hub`]), and a running hub over TLS ([`crate::live`]). Agencies do not know which.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::CallError;
use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{Flow, PlaceIndicators, Refusals, Volumes};
use lienthong_core::{Directory, DocumentView, NoticeKind, NoticeNumber};
use lienthong_model::{AgencyCode, MessageId, Ordinal, Position, Reason, Reference, Timestamp};

use super::WorldError;
use super::hub::{Examination, Outcome, Sent, Told};
use super::keys::Keys;
use crate::scenario::{Days, FaultKind};

/// A delivery that reaches a node.
pub(crate) struct Arrived {
    pub recipient: Ordinal,
    pub position: Position,
    pub attempt: u32,
}

/// What leaves for the nodes.
#[derive(Default)]
pub(crate) struct Leaving {
    pub documents: Vec<Arrived>,
    /// Notices, each by whose it is.
    pub notices: Vec<(Ordinal, NoticeNumber)>,
}

/// What is known of a document that was delivered.
pub(crate) struct Named {
    pub sender: Ordinal,
    pub id: MessageId,
    pub reference: Reference,
    pub subject: String,
}

/// What happens in the world until a block is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    Nothing,
    Something,
}

/// What agencies do with it, and what is done to it on purpose.
pub(crate) trait Axis: Account {
    /// Returns the ordinal of an agency.
    fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal>;
    /// Whether it runs.
    fn is_up(&self) -> bool;
    /// How often it was started after it was killed.
    fn life(&self) -> u64 {
        self.told().restarts
    }
    /// A node opens its stream; a former one is closed after it.
    fn open(&mut self, agency: Ordinal);
    /// A node closes its stream.
    fn close(&mut self, agency: Ordinal);
    /// A message of a node; its outcome is returned, or comes with a later [`Axis::end_block`].
    fn take(
        &mut self,
        number: u64,
        caller: Ordinal,
        sent: &Sent,
        examination: Option<Examination>,
    ) -> Result<Option<Outcome>, WorldError>;
    /// A message leaves for it: what it can work out before the message arrives, with
    /// [`Axis::take`].
    fn examine(&self, _: &Sent) -> Option<Examination> {
        None
    }
    /// Whether a block is being written.
    fn is_writing(&self) -> bool;
    /// Decides what waits, at the latest until [`Axis::end_block`].
    fn begin_block(&mut self, now: Timestamp, meanwhile: Meanwhile) -> Result<(), WorldError>;
    /// What was decided is on disk: returns what became of calls since the last time.
    fn end_block(&mut self, now: Timestamp) -> Result<Vec<(u64, Outcome)>, WorldError>;
    /// Whether it has to go on by itself.
    fn has_waiting(&mut self) -> bool;
    /// When it has something to do by itself next.
    fn next_deadline(&mut self) -> Option<Timestamp>;
    /// Returns what is under way to the nodes since the last time.
    fn poll(&mut self, now: Timestamp) -> Result<Leaving, WorldError>;
    /// Returns what is known of a document that was delivered.
    fn document(&self, position: Position) -> Result<Option<Named>, WorldError>;
    /// Returns what a notice to an agency says: of what kind, about which document.
    fn notice(
        &self,
        agency: Ordinal,
        number: NoticeNumber,
    ) -> Result<Option<(NoticeKind, Position)>, WorldError>;
    /// It is killed.
    fn kill(&mut self) -> Result<(), WorldError>;
    /// It starts again after it was killed.
    fn start(&mut self) -> Result<(), WorldError>;
    /// It takes a new revocation list of the issuing authority.
    fn take_list(&mut self, keys: &Keys, list: &Bytes) -> Result<(), WorldError>;
    /// Its disk is nearly full, or is not any more.
    fn set_low(&mut self, low: bool) -> Result<(), WorldError>;
    /// The network of some nodes is disturbed, or mended; nothing where the world models it.
    fn disturb(&mut self, kind: FaultKind, nodes: &[Ordinal], begins: bool);
    /// Whether a fault of the network is done by [`Axis::disturb`] instead of by the world.
    fn disturbs(&self, kind: FaultKind) -> bool;
    /// Connections that [`Axis::disturb`] has cut.
    fn cut_connections(&self) -> u64 {
        0
    }
    /// Whether nothing is under way.
    fn is_idle(&self) -> bool;
    /// The scenario is over.
    fn finish(&mut self) -> Result<(), WorldError>;
    /// It ends in order; a hub that is not the scenario's own goes on.
    fn stop(&mut self) -> Result<(), WorldError>;
    /// How long a node waits for an answer before it sends the same bytes again.
    fn patience(&self) -> Duration;
    /// Takes a flaw of a test.
    #[cfg(test)]
    fn set_flaw(&mut self, flaw: super::Flaw);
    /// Answers that a flaw lets leave too early.
    #[cfg(test)]
    fn early_answers(&mut self) -> Vec<(u64, Outcome)>;
}

/// What the axis says in the end: its statistics, its records, its answers.
pub(crate) trait Account {
    /// The directory.
    fn directory(&self) -> Arc<Directory>;
    /// Visits every accepted document with its deliveries, by position. Of a row only what the axis
    /// tells is filled in.
    fn each(&self, visit: &mut dyn FnMut(&DocumentView)) -> Result<(), AccountError>;
    /// Documents by province and level.
    fn volumes(&self, days: Option<Days>) -> Result<Volumes, AccountError>;
    /// Deliveries between places.
    fn flows(&self, days: Option<Days>) -> Result<Vec<Flow>, AccountError>;
    /// Refusals.
    fn refusals(&self, days: Option<Days>) -> Result<Refusals, AccountError>;
    /// Indicators of a province and its levels; of the country, its provinces and the centre where no
    /// province is named.
    fn indicators(
        &self,
        days: Option<Days>,
        province: Option<Ordinal>,
    ) -> Result<Vec<PlaceIndicators>, AccountError>;
    /// What only the journal, or the answers, tell.
    fn journal(&self) -> Result<Journalled, AccountError>;
    /// What waits in mailboxes; `None` where only the records tell.
    fn mailboxes(&self) -> Result<Option<BTreeSet<(Ordinal, Position)>>, AccountError>;
    /// What differs after a replay of the journal; `None` where nobody can replay it here.
    fn replay(&self) -> Result<Option<Vec<String>>, AccountError>;
    /// What recipients could not verify; `None` where they rely on the hub.
    fn distrusted(&self) -> Option<Vec<String>>;
    /// Whether every refusal with a reason comes to somebody's ears: not where clients answer it by
    /// trying again.
    fn tells_each(&self, _: Reason) -> bool {
        true
    }
    /// What is counted of its doing.
    fn told(&self) -> Told;
}

/// What only the journal, or the answers, tell.
#[derive(Default, Clone)]
pub(crate) struct Journalled {
    /// How many documents were accepted.
    pub documents: u64,
    /// Documents of which it was not proven at acceptance that nothing was revoked.
    pub unproven: Vec<Position>,
    /// Every refusal.
    pub declined: Vec<Declined>,
    /// Blocks; 0 where nobody tells.
    pub blocks: u64,
}

/// A refusal.
#[derive(Clone)]
pub(crate) struct Declined {
    pub at: Timestamp,
    pub reason: Reason,
    pub province: Option<Ordinal>,
    /// Caller and claimed id.
    pub shown: String,
}

/// Why the axis' records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The hub did not answer, or refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A live hub cannot be asked.
    #[error(transparent)]
    Live(Box<crate::live::LiveError>),
}
