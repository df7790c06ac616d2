//! Why something could not be measured.

use std::path::PathBuf;

use lienthong_client::{
    CallError, ConnectError, EndpointError, IdentityError, RootsError, SignerError, TransferError,
};
use lienthong_pki::{FolderError, IssueError, KeyError};

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file or folder does not do.
    #[error("`{path}`: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The hub's process cannot be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The hub ended before it was ready, or did not become ready in time.
    #[error("the hub did not become ready; it said: {0}")]
    NotReady(String),
    /// The hub's HTTP port does not answer as it must.
    #[error("cannot read the hub's counters at `{address}`: {why}")]
    Meters {
        /// Where.
        address: String,
        /// Why not.
        why: String,
    },
    /// A node cannot connect.
    #[error("`{agency}` cannot connect: {source}")]
    Connect {
        /// Whose node.
        agency: String,
        /// Why not.
        source: ConnectError,
    },
    /// The hub declined, or could not be reached for too long.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An attachment did not get through.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The hub's address does not do.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An identity does not do.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The roots do not do.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// A signer does not do.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A certificate cannot be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// A key does not do.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The PKI's folder cannot be written or read.
    #[error(transparent)]
    Pki(#[from] FolderError),
    /// A code is not an agency's.
    #[error("`{0}` is no agency's code")]
    Code(String),
    /// There are fewer recipients than a document is to have.
    #[error("a document goes to {wanted} recipients, {found} are named")]
    TooFewRecipients {
        /// How many a document is to have.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// A mailbox has mail that is not of this series.
    #[error("the mailbox of `{0}` is not empty: name recipients whose mail nobody waits for")]
    NotEmpty(String),
    /// Nothing moved for too long.
    #[error("nothing moved for {seconds} s: {done} of {total} documents were done")]
    Still {
        /// How long.
        seconds: u64,
        /// Documents done.
        done: usize,
        /// Documents asked for.
        total: usize,
    },
}

impl BenchError {
    /// An error of a file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
