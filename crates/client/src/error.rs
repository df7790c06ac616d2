//! What can go wrong with a call, and what a gRPC status says about trying again.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use lienthong_model::{Category, Refusal};
use lienthong_wire::refusal;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::endpoint::EndpointError;
use crate::fault::Fault;
use crate::retry::TOLD_MAX;
use crate::unreachable::{Cause, Unreachable};

/// Why a client could not be connected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The endpoint cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The hub could not be asked for its clock.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The hub declined: a business outcome. Trying again changes nothing.
    #[error("{0}")]
    Refused(Refusal),
    /// The hub cannot be reached, for a cause that lasts.
    #[error("{0}")]
    Unreachable(Unreachable),
    /// It was tried again until the time was over. Nothing is known of the outcome: the same bytes
    /// may be handed over again later.
    #[error("gave up after {attempts} attempts in {after:?}; the last one: {last}")]
    GaveUp {
        /// Attempts made.
        attempts: u32,
        /// How long it was tried.
        after: Duration,
        /// What became of the last attempt.
        last: Setback,
    },
    /// The hub answered with a status that this version does not know.
    #[error("the hub answered {code:?}: {message}")]
    Unexpected {
        /// The gRPC code.
        code: Code,
        /// The message.
        message: String,
    },
    /// The hub's answer does not say what it should in a field.
    #[error("the hub's answer cannot be read at `{field}`: {found}")]
    Answer {
        /// The field.
        field: &'static str,
        /// What was found there.
        found: String,
    },
    /// The stream's task has ended.
    #[error("the stream is closed")]
    Closed,
}

/// An attempt that failed in a way that may pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Setback {
    /// The hub asks for patience.
    Refused(Refusal),
    /// The hub could not be reached.
    Unreachable(Unreachable),
    /// The hub answered with a status that may pass.
    Status {
        /// The gRPC code.
        code: Code,
        /// The message.
        message: String,
    },
}

impl CallError {
    pub(crate) fn answer(field: &'static str, found: impl fmt::Display) -> Self {
        Self::Answer { field, found: found.to_string() }
    }

    /// Returns the refusal, when the hub declined.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::GaveUp { last: Setback::Refused(refusal), .. } => {
                Some(refusal)
            }
            _ => None,
        }
    }

    /// Returns why the hub could not be reached, when it could not.
    pub fn unreachable(&self) -> Option<&Unreachable> {
        match self {
            Self::Unreachable(unreachable)
            | Self::GaveUp { last: Setback::Unreachable(unreachable), .. } => Some(unreachable),
            _ => None,
        }
    }

    /// Returns whether the same bytes may be handed over again later with hope.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::GaveUp { .. } | Self::Closed)
    }
}

impl ConnectError {
    /// Returns why the hub could not be reached, when it could not.
    pub fn unreachable(&self) -> Option<&Unreachable> {
        match self {
            Self::Call(error) => error.unreachable(),
            Self::Endpoint(_) => None,
        }
    }
}

impl fmt::Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unreachable(unreachable) => unreachable.fmt(f),
            Self::Status { code, message } => write!(f, "{code:?}: {message}"),
        }
    }
}

/// What follows from a failed attempt.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It may pass; the pause that the hub asks for.
    Again(Setback, Option<Duration>),
    /// It does not.
    Final(CallError),
}

/// Reads statuses of one hub.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub address: String,
    pub fault: Fault,
}

impl Reader {
    /// What follows from a status.
    pub(crate) fn verdict(&self, status: &Status) -> Verdict {
        if let Some(refusal) = refusal::from_status(status) {
            return of_refusal(refusal);
        }
        if let Some(source) = status.source() {
            return self.broken(Cause::within(source), source);
        }
        let (code, message) = (status.code(), status.message().to_owned());
        let told = status.get_details_retry_info().and_then(|info| info.retry_delay);
        match code {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted => {
                Verdict::Again(Setback::Status { code, message }, told.map(bounded))
            }
            Code::ResourceExhausted if told.is_some() => {
                Verdict::Again(Setback::Status { code, message }, told.map(bounded))
            }
            _ => Verdict::Final(CallError::Unexpected { code, message }),
        }
    }

    /// What follows from a break of the connection.
    fn broken(&self, found: Option<Cause>, source: &(dyn std::error::Error + 'static)) -> Verdict {
        let cause = found
            .or_else(|| self.fault.cause())
            .unwrap_or_else(|| Cause::Interrupted(innermost(source)));
        self.unreachable(cause)
    }

    pub(crate) fn unreachable(&self, cause: Cause) -> Verdict {
        let lasting = cause.is_lasting();
        let unreachable = Unreachable { address: self.address.clone(), cause };
        if lasting {
            Verdict::Final(CallError::Unreachable(unreachable))
        } else {
            Verdict::Again(Setback::Unreachable(unreachable), None)
        }
    }
}

/// What follows from a refusal: patience when the hub asks for it, else nothing.
pub(crate) fn of_refusal(refusal: Refusal) -> Verdict {
    let told = refusal.retry_after_ms.map(Duration::from_millis).map(bounded);
    match (refusal.reason.category(), told) {
        (Category::Unavailable, told) => Verdict::Again(Setback::Refused(refusal), told),
        (Category::Exhausted, Some(told)) => Verdict::Again(Setback::Refused(refusal), Some(told)),
        _ => Verdict::Final(CallError::Refused(refusal)),
    }
}

fn bounded(told: Duration) -> Duration {
    told.min(TOLD_MAX)
}

/// The last error of a chain: the nearest to the cause.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
