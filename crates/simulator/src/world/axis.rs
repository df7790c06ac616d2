//! The axis as the agencies of a scenario meet it. There are two: `core` itself in virtual time
//! ([`super::hub`]), and a running hub over TLS ([`crate::live`]). Agencies do not know which.

use std::collections::BTreeSet;
use std::sync::Arc;

use lienthong_client::CallError;
use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{Flow, Refusals, Volumes};
use lienthong_core::{Directory, DocumentView, Place};
use lienthong_model::{AgencyCode, MessageId, Ordinal, Position, Reason, Timestamp};
use lienthong_trust::Revoked;

use super::WorldError;
use super::hub::Outcome;
use super::keys::Keys;
use super::sending::Sent;
use crate::scenario::{Days, FaultKind};

/// A delivery that reaches a node.
pub(crate) struct Arrived {
    pub recipient: Ordinal,
    pub position: Position,
    pub attempt: u32,
}

/// What agencies do with it, and what is done to it on purpose.
pub(crate) trait Axis: Account {
    /// Returns the ordinal of an agency.
    fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal>;
    /// Whether it runs.
    fn is_up(&self) -> bool;
    /// A node opens its stream; a former one is closed after it.
    fn open(&mut self, agency: Ordinal);
    /// A node closes its stream.
    fn close(&mut self, agency: Ordinal);
    /// A message of a node; its outcome comes with a later [`Axis::commit`].
    fn take(&mut self, number: u64, caller: Ordinal, sent: Sent);
    /// Goes on, and returns what became of calls since the last time.
    fn commit(&mut self, now: Timestamp) -> Result<Vec<(u64, Outcome)>, WorldError>;
    /// Whether it has to go on by itself.
    fn has_waiting(&self) -> bool;
    /// When it has something to do by itself next.
    fn next_deadline(&self) -> Option<Timestamp>;
    /// Returns deliveries that are under way to their nodes since the last time.
    fn poll(&mut self, now: Timestamp) -> Result<Vec<Arrived>, WorldError>;
    /// Whether there are more.
    fn has_pushes(&self) -> bool;
    /// Returns who sent a document that was delivered, and its id.
    fn named(&self, position: Position) -> Result<Option<(AgencyCode, MessageId)>, WorldError>;
    /// It is killed.
    fn kill(&mut self) -> Result<(), WorldError>;
    /// It starts again after it was killed.
    fn start(&mut self) -> Result<(), WorldError>;
    /// A new revocation list of the issuing authority is entered.
    fn revoke(
        &mut self,
        keys: &Keys,
        number: u64,
        at: Timestamp,
        revoked: &[Revoked],
    ) -> Result<(), WorldError>;
    /// The network of some nodes is disturbed, or mended.
    fn disturb(&mut self, kind: FaultKind, nodes: &[Ordinal], begins: bool);
    /// Whether nothing is under way.
    fn is_idle(&self) -> bool;
    /// The scenario is over.
    fn finish(&mut self) -> Result<(), WorldError>;
    /// It ends in order; a hub that is not the scenario's own goes on.
    fn stop(&mut self) -> Result<(), WorldError>;
    /// How long a node waits for an answer before it sends the same bytes again; `None`: it is told
    /// when there will be none.
    fn patience(&self) -> Option<std::time::Duration>;
}

/// What the axis says in the end: its statistics, its records, its answers.
pub(crate) trait Account {
    /// The directory.
    fn directory(&self) -> Arc<Directory>;
    /// Every accepted document with its deliveries, by position. Of a row only what the axis tells
    /// is filled in.
    fn documents(&self) -> Result<Vec<DocumentView>, AccountError>;
    /// Documents by province and level.
    fn volumes(&self, days: Option<Days>) -> Result<Volumes, AccountError>;
    /// Deliveries between places.
    fn flows(&self, days: Option<Days>) -> Result<Vec<Flow>, AccountError>;
    /// Refusals.
    fn refusals(&self, days: Option<Days>) -> Result<Refusals, AccountError>;
    /// Deliveries inside provinces to places that count: those without paper copy, and all.
    fn electronic(
        &self,
        days: Option<Days>,
        counts: &dyn Fn(Place) -> bool,
    ) -> Result<(u64, u64), AccountError>;
    /// Refusals one by one.
    fn declined(&self) -> Result<Vec<Declined>, AccountError>;
    /// What waits in mailboxes; `None` where only the records tell.
    fn mailboxes(&self) -> Result<Option<BTreeSet<(Ordinal, Position)>>, AccountError>;
    /// What differs after a replay of the journal; `None` where nobody can replay it here.
    fn replay(&self) -> Result<Option<Vec<String>>, AccountError>;
    /// What recipients could not verify; `None` where they rely on the hub.
    fn distrusted(&self) -> Option<Vec<String>>;
    /// Blocks of the journal; 0 where nobody tells.
    fn blocks(&self) -> Result<u64, AccountError>;
    /// Receipts that were given again.
    fn repeated(&self) -> u64;
    /// Starts after it was killed.
    fn restarts(&self) -> u64;
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
    /// The world does not tell.
    #[error("the live world does not tell `{0}`")]
    NotTold(&'static str),
}
