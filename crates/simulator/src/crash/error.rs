//! Why a campaign cannot be carried on. What a hub lost is no error but a finding.

use std::io;
use std::path::{Path, PathBuf};

use lienthong_client::{
    CallError, ConnectError, DocumentCheckError, EndpointError, IdentityError, RootsError,
    SignerError, TransferError,
};
use lienthong_pki::{FolderError, IssueError};

/// Why a campaign cannot be carried on.
#[derive(Debug, thiserror::Error)]
pub enum CrashError {
    /// A file, folder or process of the campaign's own.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The hub does not start, or dies where nobody killed it.
    #[error("{when}: the hub does not run: {said}")]
    Hub {
        /// In which round.
        when: String,
        /// What it said on stderr.
        said: String,
    },
    /// A certificate cannot be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The folder of the PKI cannot be written.
    #[error(transparent)]
    Pki(#[from] FolderError),
    /// A node cannot connect.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A transfer failed.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The hub's address does not do.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An identity does not do.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A signer does not do.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The roots do not do.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The check of deliveries cannot be made.
    #[error(transparent)]
    Check(#[from] DocumentCheckError),
}

pub(super) fn io_error(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> CrashError + use<> {
    let path = path.to_owned();
    move |source| CrashError::Io { doing, path, source }
}
