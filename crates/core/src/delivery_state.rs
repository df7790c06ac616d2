//! The state machine of one delivery: who may do what next, and what it leads to.
//!
//! Three things make the state: how far the recipient has come ([`Progress`]), what the document is
//! to it ([`Standing`]), and what its sender asks and has no answer to yet. Nothing here knows rows,
//! times or other deliveries. `docs/STATUSES.md` shows the tables that these functions make.
//!
//! ```text
//!  progress   waiting ─▶ picked up ─▶ 01 ─▶ 03 ─▶ 04, 05 ⟲ ─▶ 06 finished
//!                 └───────────┴───────┴─▶ 02 refused            (01 may be left out, 04 and 05 too)
//!
//!  standing   stands ──change──▶ waiting: at once withdrawn, updated, replaced
//!                                picked up: asked ──15──▶ recalled, updated, replaced
//!                                                 └─16, 02, 06──▶ as before
//!                                refused, finished: too late
//! ```

use lienthong_model::{ChangeEffect, ChangeKind, Standing, StatusCode};

/// How far the recipient has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Progress {
    /// In the mailbox: not acknowledged, though it may have been pushed.
    Waiting,
    /// On the recipient's own disk; nothing was reported.
    PickedUp,
    /// 01 was reported last.
    Arrived,
    /// 02: the end.
    Refused,
    /// 03 was reported last.
    Accepted,
    /// 04 was reported last.
    Assigned,
    /// 05 was reported last.
    Processing,
    /// 06: the end.
    Finished,
}

/// The state of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryState {
    /// How far the recipient has come.
    pub progress: Progress,
    /// What the document is to it.
    pub standing: Standing,
    /// What its sender asks.
    pub asked: Option<ChangeKind>,
}

/// Why a report may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It may not follow what was reported before.
    NotOpen,
    /// The document was taken back.
    TakenBack,
    /// Another document stands in its place.
    Replaced,
}

impl DeliveryState {
    /// A delivery that nothing was heard of.
    pub const NEW: Self =
        Self { progress: Progress::Waiting, standing: Standing::Stands, asked: None };

    /// Why nothing may be reported any more, though nothing was finished; `None` while the document
    /// stands.
    pub const fn closed(self) -> Option<Closed> {
        match self.standing {
            Standing::Stands | Standing::Updated => None,
            Standing::Withdrawn | Standing::Recalled => Some(Closed::TakenBack),
            Standing::Replaced => Some(Closed::Replaced),
        }
    }

    /// Returns the state once the recipient has the document on its own disk.
    ///
    /// # Errors
    /// [`Closed`] when the document was taken back or replaced before.
    pub const fn acknowledged(self) -> Result<Self, Closed> {
        if let Some(closed) = self.closed() {
            return Err(closed);
        }
        Ok(match self.progress {
            Progress::Waiting => Self { progress: Progress::PickedUp, ..self },
            Progress::PickedUp
            | Progress::Arrived
            | Progress::Refused
            | Progress::Accepted
            | Progress::Assigned
            | Progress::Processing
            | Progress::Finished => self,
        })
    }

    /// Returns the state after a report of the recipient. A report that ends the delivery answers
    /// what was asked with no.
    ///
    /// # Errors
    /// [`Closed`] says why the report may not be made.
    pub fn reported(self, code: StatusCode) -> Result<Self, Closed> {
        if let Some(closed) = self.closed() {
            return Err(closed);
        }
        let progress = match code {
            StatusCode::Arrived
            | StatusCode::Refused
            | StatusCode::Accepted
            | StatusCode::Assigned
            | StatusCode::Processing
            | StatusCode::Finished => Progress::of(code).ok_or(Closed::NotOpen)?,
            // The sender's: see `changed`.
            StatusCode::RecallRequested => return Err(Closed::NotOpen),
            StatusCode::ChangeAgreed => return self.answered(ChangeKind::agreed),
            StatusCode::ChangeRefused => return self.answered(|_| self.standing),
        };
        if !self.progress.may_become(progress) {
            return Err(Closed::NotOpen);
        }
        let asked = self.asked.filter(|_| !progress.is_end());
        Ok(Self { progress, asked, ..self })
    }

    fn answered(self, standing: impl FnOnce(ChangeKind) -> Standing) -> Result<Self, Closed> {
        let asked = self.asked.ok_or(Closed::NotOpen)?;
        Ok(Self { standing: standing(asked), asked: None, ..self })
    }

    /// Returns the state after a change by the sender, and what it means for this delivery. Of
    /// several changes without an answer the last one is asked.
    pub const fn changed(self, kind: ChangeKind) -> (Self, ChangeEffect) {
        if self.closed().is_some() {
            return (self, ChangeEffect::Gone);
        }
        match self.progress {
            Progress::Waiting => {
                let changed = Self { standing: kind.at_once(), asked: None, ..self };
                (changed, ChangeEffect::AtOnce)
            }
            Progress::PickedUp
            | Progress::Arrived
            | Progress::Accepted
            | Progress::Assigned
            | Progress::Processing => (Self { asked: Some(kind), ..self }, ChangeEffect::Asked),
            Progress::Refused | Progress::Finished => (self, ChangeEffect::TooLate),
        }
    }

    /// Returns the statuses that the recipient may report next, in numeric order.
    pub fn open(self) -> Vec<StatusCode> {
        let open = |code: &StatusCode| self.reported(*code).is_ok();
        StatusCode::ALL.into_iter().filter(open).collect()
    }
}

impl Progress {
    /// All values, in the order of the work.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::PickedUp,
        Self::Arrived,
        Self::Refused,
        Self::Accepted,
        Self::Assigned,
        Self::Processing,
        Self::Finished,
    ];

    /// Returns the progress after a status; `None` for one that is no progress.
    pub const fn of(code: StatusCode) -> Option<Self> {
        match code {
            StatusCode::Arrived => Some(Self::Arrived),
            StatusCode::Refused => Some(Self::Refused),
            StatusCode::Accepted => Some(Self::Accepted),
            StatusCode::Assigned => Some(Self::Assigned),
            StatusCode::Processing => Some(Self::Processing),
            StatusCode::Finished => Some(Self::Finished),
            StatusCode::RecallRequested | StatusCode::ChangeAgreed | StatusCode::ChangeRefused => {
                None
            }
        }
    }

    /// Whether nothing follows.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Refused | Self::Finished)
    }

    /// Whether a report may lead from here to there.
    const fn may_become(self, next: Self) -> bool {
        use Progress::{
            Accepted, Arrived, Assigned, Finished, PickedUp, Processing, Refused, Waiting,
        };
        match (self, next) {
            (Waiting | PickedUp, Arrived | Refused | Accepted)
            | (Arrived, Refused | Accepted)
            | (Accepted | Assigned | Processing, Assigned | Processing | Finished) => true,
            (Waiting | PickedUp, Assigned | Processing | Finished)
            | (Arrived, Arrived | Assigned | Processing | Finished)
            | (Accepted | Assigned | Processing, Arrived | Refused | Accepted)
            | (Refused | Finished, Arrived | Refused | Accepted | Assigned | Processing | Finished)
            // No report leads there.
            | (
                Waiting | PickedUp | Arrived | Refused | Accepted | Assigned | Processing
                | Finished,
                Waiting | PickedUp,
            ) => false,
        }
    }
}
