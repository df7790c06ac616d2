//! Acts of administration while the hub runs: each becomes a command in the journal, through the
//! same sequencer as everything else. Whether a person may is judged there.

use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::engine::Payloads as _;
use lienthong_core::{AddRevocationList, Command, Decision, Proposal};
use lienthong_ledger::PayloadFiles;
use lienthong_model::{
    AccountChange, AccountChangeKind, Digest, Reason, Refusal, Signatory, Timestamp,
};
use lienthong_trust::RevocationList;

use crate::accounts::{Accounts, AccountsError, PasswordProof};
use crate::reader::Reader;
use crate::sequencer::Sequencer;
use crate::space::Space;

/// Carries acts of administration out; cheap to clone.
#[derive(Clone)]
pub(crate) struct Administration {
    pub reader: Reader,
    pub payloads: Arc<PayloadFiles>,
    pub sequencer: Sequencer,
    pub accounts: Arc<Accounts>,
    pub space: Space,
}

/// What became of a revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOutcome {
    /// It is in force, from the block of this time on.
    InForce(Timestamp),
    /// The issuer's list in force is as new or newer.
    NotNewer,
}

impl Administration {
    /// Carries an act out; on return it is on disk, in force, and seen by every reader. Returns
    /// the time of its block.
    ///
    /// # Errors
    /// A [`Refusal`] when the act is refused, or the hub is stopping or has failed.
    pub async fn administer(&self, command: Command) -> Result<Timestamp, Refusal> {
        self.carry_out(None, command).await
    }

    /// Carries an act out like [`Administration::administer`], as a person's when `by` names one:
    /// then the person's appointment must allow it.
    ///
    /// # Errors
    /// As there, and CALLER_NOT_ENTITLED.
    pub async fn carry_out(
        &self,
        by: Option<Signatory>,
        act: Command,
    ) -> Result<Timestamp, Refusal> {
        let proposal = match by {
            Some(by) => Proposal::Act { by, act },
            None => Proposal::Administer(act),
        };
        let decided = self.sequencer.propose(proposal).await?;
        match decided.decision {
            Decision::Done => Ok(decided.at),
            Decision::Refused(refusal) => Err(refusal),
            Decision::Accepted(_)
            | Decision::Repeated(_)
            | Decision::Reported(_)
            | Decision::Acknowledged(_)
            | Decision::Settled(_)
            | Decision::NoticesAcknowledged(_)
            | Decision::NegativelyAcknowledged(_)
            | Decision::Ticked(_)
            | Decision::Reminded(_)
            | Decision::FannedOut(_) => Err(Refusal::new(Reason::Stopped)),
        }
    }

    /// Sets a person's password; on return the change is in the journal, the password on disk, and
    /// the person's sessions have ended. Nothing is hashed for whoever may not set it.
    ///
    /// # Errors
    /// A [`Refusal`] when the password does not do or the change is refused, and STORAGE_LOW when
    /// the file cannot be written: then it is set again.
    pub async fn set_password(
        &self,
        by: Option<Signatory>,
        holder: Signatory,
        password: String,
    ) -> Result<(), Refusal> {
        PasswordProof::check(&password, &holder)?;
        self.change_account(by, &holder, AccountChangeKind::PasswordSet).await?;
        let accounts = self.accounts.clone();
        to_its_end(async move {
            let _turn = accounts.turn().await;
            let set = accounts.hash(move |accounts| {
                PasswordProof::of(&password, &holder).map(|proof| accounts.set(&holder, proof))
            });
            written(set.await??)
        })
        .await
    }

    /// Removes a person's account; on return nobody signs in with it, and its sessions have ended.
    /// What the person may do ends with its appointments.
    ///
    /// # Errors
    /// As for [`Administration::set_password`].
    pub async fn remove_account(
        &self,
        by: Option<Signatory>,
        holder: Signatory,
    ) -> Result<(), Refusal> {
        self.change_account(by, &holder, AccountChangeKind::Removed).await?;
        let accounts = self.accounts.clone();
        to_its_end(async move {
            let _turn = accounts.turn().await;
            let file = accounts.clone();
            let removed = tokio::task::spawn_blocking(move || file.remove(&holder)).await;
            written(removed.map_err(|_| Refusal::new(Reason::Stopped))?)
        })
        .await
    }

    async fn change_account(
        &self,
        by: Option<Signatory>,
        holder: &Signatory,
        kind: AccountChangeKind,
    ) -> Result<(), Refusal> {
        let change = AccountChange { holder: holder.clone(), kind };
        self.carry_out(by, Command::ChangeAccounts(vec![change])).await.map(drop)
    }

    /// Stores bytes that a command is to name, on disk on return.
    ///
    /// # Errors
    /// A [`Refusal`] when they cannot be written.
    pub async fn payload(&self, bytes: Bytes) -> Result<Digest, Refusal> {
        let payloads = self.payloads.clone();
        let stored = tokio::task::spawn_blocking(move || payloads.put(&bytes)).await;
        match stored {
            Ok(stored) => stored.map_err(|error| self.space.write_failed(error)),
            Err(error) => {
                tracing::error!(%error, "a write of a payload file ended without a word");
                Err(Refusal::new(Reason::Stopped))
            }
        }
    }

    /// Puts a revocation list in force unless the one in force is as new. Connections that it
    /// revokes end within `REVOKED_CONNECTION_MAX`.
    ///
    /// # Errors
    /// A [`Refusal`] when it cannot be read or its issuer is not known, and as for
    /// [`Administration::administer`].
    pub async fn add_revocation_list(
        &self,
        by: Option<Signatory>,
        der: Bytes,
    ) -> Result<ListOutcome, Refusal> {
        let (reader, bytes) = (self.reader.clone(), der.clone());
        let parsed = tokio::task::spawn_blocking(move || {
            let trust = reader.trust();
            let list = RevocationList::parse(&bytes, trust.authorities())?;
            let admitted = trust.admits(&list);
            Ok((list.issuer, admitted))
        });
        let read: Result<_, lienthong_trust::RevocationListError> =
            parsed.await.map_err(|_| Refusal::new(Reason::Stopped))?;
        let invalid = |error| Refusal::at(Reason::FieldInvalid, "revocation_list", error);
        let (issuer, admitted) = read.map_err(invalid)?;
        if !admitted {
            return Ok(ListOutcome::NotNewer);
        }
        let payload = self.payload(der).await?;
        let list = AddRevocationList { payload, issuer };
        let act = Command::AddRevocationList(list);
        self.carry_out(by, act).await.map(ListOutcome::InForce)
    }
}

/// Carries out what is in the journal already, whether its caller still waits or not.
async fn to_its_end(
    change: impl Future<Output = Result<(), Refusal>> + Send + 'static,
) -> Result<(), Refusal> {
    tokio::spawn(change).await.map_err(|_| Refusal::new(Reason::Stopped))?
}

/// What a change of the file of accounts is answered with.
fn written(changed: Result<(), AccountsError>) -> Result<(), Refusal> {
    changed.map_err(|error| {
        tracing::error!(%error, "cannot write the accounts");
        Refusal::new(Reason::StorageLow).retry_after(std::time::Duration::from_secs(10))
    })
}
