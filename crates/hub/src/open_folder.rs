//! A data folder that is open: the machine, the journal's writing side, and what readers share.
//!
//! Used by the running hub and, without a network, by commands that look into a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_core::engine::{Blocks, EngineError, Journal, Payloads, State};
use lienthong_core::{Command, Decision, Machine, Opening, Proposal, Query};
use lienthong_ledger::{
    DataFolder, JournalBlocks, JournalFiles, PayloadFiles, SledState, is_state_damaged,
};
use lienthong_model::{AccountChange, AccountChangeKind, Refusal, Signatory, Timestamp};

use crate::accounts::{Accounts, AccountsError, PasswordProof};
use crate::reader::Reader;

/// The machine on the engines of a data folder.
pub(crate) type FolderMachine = Machine<SledState, Arc<PayloadFiles>>;

/// A data folder that is open. Dropping it writes what is pending and lets the folder go.
pub struct OpenFolder {
    pub(crate) machine: FolderMachine,
    pub(crate) journal: JournalFiles,
    pub(crate) blocks: JournalBlocks,
    pub(crate) state: Arc<SledState>,
    pub(crate) payloads: Arc<PayloadFiles>,
    pub(crate) lock: lienthong_ledger::FolderLock,
    pub(crate) recovery: Recovery,
    path: PathBuf,
}

/// What opening a folder had to do.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// Blocks that were applied again.
    pub replayed: u64,
    /// Why the state could not be used as found, and was rebuilt from its last good runs or the
    /// whole journal, if it was.
    pub rebuilt: Option<String>,
    /// Bytes of an unfinished block cut off the journal's end.
    pub torn_bytes: u64,
}

impl OpenFolder {
    /// Opens or makes a data folder and replays what its state misses; a state that turns out to be
    /// damaged is made anew. `progress` is told the block reached and the last one.
    ///
    /// # Errors
    /// [`EngineError`] when the folder is in use, damaged, too new, or cannot be read.
    pub fn open(path: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Self, EngineError> {
        match Self::replayed(path, &mut progress) {
            // Whoever finds damage in the state leaves a note, after which opening makes it anew.
            Err(EngineError::Damaged { .. }) if is_state_damaged(path) => {
                Self::replayed(path, &mut progress)
            }
            opened => opened,
        }
    }

    fn replayed(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Self, EngineError> {
        let DataFolder { journal, blocks, state, replay_from, rebuilt, torn, payloads, lock } =
            DataFolder::open(path)?;
        let (state, payloads) = (Arc::new(state), Arc::new(payloads));
        let opening = Opening { state: state.clone(), payloads: payloads.clone() };
        let mut machine = Machine::open(opening)?;
        let end = blocks.end().map_or(0, |end| end.block);
        let mut replayed = 0;
        for sealed in blocks.replay(replay_from) {
            let sealed = sealed?;
            machine.replay(&sealed)?;
            replayed += 1;
            progress(sealed.marker.block, end);
        }
        machine.cut()?;
        // What was being proposed when the last process ended: the replayed rows say what was
        // accepted of it.
        payloads.settle(|digest| Query(&*state).names_payload(digest))?;
        let recovery = Recovery {
            replayed,
            rebuilt: rebuilt.map(|why| why.to_string()),
            torn_bytes: torn.iter().map(|tail| tail.bytes).sum(),
        };
        let path = path.to_owned();
        Ok(Self { machine, journal, blocks, state, payloads, lock, recovery, path })
    }

    /// Returns what opening had to do.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Returns the readers' view.
    pub fn reader(&self) -> Reader {
        Reader::new(self)
    }

    /// Returns the time of the last block.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.machine.last_time()
    }

    /// Carries out one act of administration in a block of its own, on disk on return.
    ///
    /// # Errors
    /// [`AdministerError`] when it is refused or cannot be written.
    pub fn administer(&mut self, now: Timestamp, command: Command) -> Result<(), AdministerError> {
        self.machine.begin(now);
        match self.machine.decide(Proposal::Administer(command))? {
            Decision::Done => {}
            Decision::Refused(refusal) => return Err(AdministerError::Refused(refusal)),
            Decision::Accepted(_)
            | Decision::Repeated(_)
            | Decision::Reported(_)
            | Decision::Acknowledged(_)
            | Decision::NoticesAcknowledged(_)
            | Decision::NegativelyAcknowledged(_)
            | Decision::Settled(_)
            | Decision::FannedOut(_)
            | Decision::Ticked(_)
            | Decision::Reminded(_) => return Ok(()),
        }
        if let Some(sealed) = self.machine.seal() {
            self.journal.propose(&sealed)?;
            self.journal.read_ordered()?;
            self.machine.commit()?;
        }
        Ok(())
    }

    /// Returns the accounts of the folder.
    ///
    /// # Errors
    /// [`AccountsError`] when they cannot be read.
    pub fn accounts(&self) -> Result<Accounts, AccountsError> {
        Accounts::open(&self.path)
    }

    /// Makes a person's account, or sets another password; on return the change is in the journal
    /// and the password on disk.
    ///
    /// # Errors
    /// [`AdministerError`] when it is refused or cannot be written.
    pub fn set_password(
        &mut self,
        now: Timestamp,
        holder: &Signatory,
        password: &str,
    ) -> Result<(), AdministerError> {
        let proof = PasswordProof::of(password, holder)?;
        self.change_account(now, holder, AccountChangeKind::PasswordSet)?;
        Ok(self.accounts()?.set(holder, proof)?)
    }

    /// Removes a person's account.
    ///
    /// # Errors
    /// As for [`OpenFolder::set_password`].
    pub fn remove_account(
        &mut self,
        now: Timestamp,
        holder: &Signatory,
    ) -> Result<(), AdministerError> {
        self.change_account(now, holder, AccountChangeKind::Removed)?;
        Ok(self.accounts()?.remove(holder)?)
    }

    fn change_account(
        &mut self,
        now: Timestamp,
        holder: &Signatory,
        kind: AccountChangeKind,
    ) -> Result<(), AdministerError> {
        let change = AccountChange { holder: holder.clone(), kind };
        self.administer(now, Command::ChangeAccounts(vec![change]))
    }

    /// Stores bytes as a payload.
    ///
    /// # Errors
    /// [`EngineError`] when they cannot be written.
    pub fn payload(&self, bytes: &[u8]) -> Result<lienthong_model::Digest, EngineError> {
        self.payloads.put(bytes)
    }

    /// Writes everything that is pending to the state.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be written.
    pub fn flush(&mut self) -> Result<(), EngineError> {
        self.machine.cut()?;
        self.state.flush()
    }
}

/// Why an act of administration was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdministerError {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be written.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The accounts could not be read or written.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
}
