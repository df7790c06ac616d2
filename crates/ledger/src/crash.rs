//! Named points at which the process can be made to die, for tests that kill the hub.
//!
//! `LIENTHONG_CRASH=block-synced:3` aborts the process when it passes the point `block-synced`
//! for the third time. The variable is read once, by [`arm_from_env`]; a process that never calls
//! it, or was not given the variable, pays one relaxed load a point.
//!
//! | point | passed |
//! |---|---|
//! | `block-appended` | a block is in the journal's file, not yet synced |
//! | `block-synced` | the journal's file is synced, nothing was said to anybody |
//! | `state-half-written` | half the rows of a chunk are on their way to sled |
//! | `state-written` | a chunk and its marker are in sled, the overlay still has them |
//! | `database-begun` | a fresh database of the state has taken the place of a full one |
//! | `run-written` | a run of a full database is on disk, not yet in force |
//! | `run-in-force` | the run is in force, the database still there |
//! | `open-gathered` | several open runs are one, what it replaces still there |
//! | `settled-written` | open and settled rows are parted into new runs, not yet in force |
//! | `settled-in-force` | they are in force, what they replace still there |
//! | `settled-joined` | several settled runs are one, what it replaces still there |
//! | `archive-written` | an archive has its name, the file it was made of is still there |
//! | `archive-in-force` | the file is gone |
//! | `contents-taken-out` | an archive without contents whose term has passed has its name |
//! | `upload-appended` | a piece of an upload is written, not yet synced |
//! | `upload-synced` | an upload has all its bytes on disk and still its unfinished name |
//! | `payloads-shelved` | payloads were moved to their shelves, which are not yet synced |
//!
//! A caller may add points of its own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The environment variable: `point:n`, or `point` for the first passing.
pub const VARIABLE: &str = "LIENTHONG_CRASH";

static ARMED: AtomicBool = AtomicBool::new(false);
static PLAN: OnceLock<Plan> = OnceLock::new();

/// Where and when to die.
#[derive(Debug)]
struct Plan {
    point: String,
    passings_left: AtomicU64,
}

/// The value of [`VARIABLE`] is not `point:n`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{VARIABLE}` is `{0}`; it must be `point:n` with n from 1")]
pub struct NotAPlan(pub String);

impl Plan {
    fn parse(text: &str) -> Result<Self, NotAPlan> {
        let (point, count) = text.split_once(':').unwrap_or((text, "1"));
        match count.parse() {
            Ok(count @ 1..) if !point.is_empty() => {
                Ok(Self { point: point.to_owned(), passings_left: AtomicU64::new(count) })
            }
            _ => Err(NotAPlan(text.to_owned())),
        }
    }

    /// Counts a passing and says whether it is the one to die at.
    fn is_due(&self, name: &str) -> bool {
        self.point == name && self.passings_left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

/// Arms the point that [`VARIABLE`] names; without the variable nothing happens.
///
/// Called once, at the start of the process; a second call changes nothing.
///
/// # Errors
/// [`NotAPlan`] when the variable cannot be read.
pub fn arm_from_env() -> Result<(), NotAPlan> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let plan = Plan::parse(&text.to_string_lossy())?;
    tracing::warn!(point = %plan.point, "armed to crash");
    if PLAN.set(plan).is_ok() {
        ARMED.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Aborts the process when `name` is armed and this is the passing that was asked for.
#[inline]
pub fn point(name: &str) {
    if ARMED.load(Ordering::Relaxed) {
        passed(name);
    }
}

#[cold]
fn passed(name: &str) {
    if PLAN.get().is_some_and(|plan| plan.is_due(name)) {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_due_at_its_own_passing_only() {
        let plan = Plan::parse("block-synced:2").unwrap();
        assert!(!plan.is_due("block-synced"));
        assert!(!plan.is_due("block-appended"));
        assert!(plan.is_due("block-synced"));
        assert!(!plan.is_due("block-synced"));
    }

    #[test]
    fn a_plan_without_a_count_is_due_at_the_first_passing() {
        assert!(Plan::parse("state-written").unwrap().is_due("state-written"));
    }

    #[test]
    fn what_is_not_a_plan_is_refused_with_its_text() {
        for text in ["", ":1", "point:0", "point:x", "point:-1"] {
            assert_eq!(Plan::parse(text).unwrap_err(), NotAPlan(text.to_owned()));
        }
    }
}
