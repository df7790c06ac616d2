//! What is wrong with a connector's surroundings: its certificates and keys, its folders, the way to
//! the hub, the clock, the directory. Every finding says what to do, in Vietnamese and English.
//!
//! Looks only: the one thing written is a file in each folder, to see whether that can be done, and
//! it is removed.

mod certificates;
mod folders;
mod hub;

use serde::Serialize;

pub use certificates::{Holding, Presented, Role, Trust, certificate};
pub use folders::{folders, secrets};
pub use hub::hub;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, but will not for long, or not for everything.
    Warning,
    /// It does not work.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `clock`, `certificate`, `network`, `folders`, `directory`, `secrets`.
    pub check: &'static str,
    /// How grave it is.
    pub grade: Grade,
    /// Which one: a certificate's role, a folder, an address.
    pub about: String,
    /// What was found, in English.
    pub meaning: String,
    /// What was found, in Vietnamese.
    pub meaning_vi: String,
    /// What to do about it, in English; empty when nothing is to be done.
    pub remedy: String,
    /// What to do about it, in Vietnamese; empty when nothing is to be done.
    pub remedy_vi: String,
}

impl Finding {
    /// Everything as it should be.
    pub(crate) fn ok(
        check: &'static str,
        about: impl Into<String>,
        (en, vi): (String, String),
    ) -> Self {
        Self {
            check,
            grade: Grade::Ok,
            about: about.into(),
            meaning: en,
            meaning_vi: vi,
            remedy: String::new(),
            remedy_vi: String::new(),
        }
    }

    /// Something is wrong.
    pub(crate) fn problem(
        check: &'static str,
        about: impl Into<String>,
        found: (String, String),
    ) -> Self {
        Self { grade: Grade::Problem, ..Self::ok(check, about, found) }
    }

    /// Something will be wrong.
    pub(crate) fn warning(
        check: &'static str,
        about: impl Into<String>,
        found: (String, String),
    ) -> Self {
        Self { grade: Grade::Warning, ..Self::ok(check, about, found) }
    }

    /// Says what to do about it.
    pub(crate) fn remedy(mut self, en: impl Into<String>, vi: impl Into<String>) -> Self {
        self.remedy = en.into();
        self.remedy_vi = vi.into();
        self
    }
}

/// Both languages of a fixed text.
fn both(en: &str, vi: &str) -> (String, String) {
    (en.to_owned(), vi.to_owned())
}
