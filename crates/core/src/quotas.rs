//! All quotas, in memory, and what is used of them.

use std::collections::{BTreeSet, HashMap};

use lienthong_model::limits::QUOTAS_MAX;
use lienthong_model::{AgencyCode, Day, Ordinal, Quota};
use minicbor::{Decode, Encode};

use crate::directory::Directory;

/// What an agency has sent in a day, as far as a quota asks. A row: field numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Used {
    /// The day.
    #[n(0)]
    pub day: Day,
    /// Documents accepted.
    #[n(1)]
    pub documents: u64,
    /// Their bytes.
    #[n(2)]
    pub bytes: u64,
}

/// All quotas.
#[derive(Debug, Clone, Default)]
pub struct Quotas {
    own: HashMap<Ordinal, Quota>,
    others: Option<Quota>,
}

/// Why a quota cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// The agency is not in the directory.
    #[error("`{0}` is not in the directory")]
    AgencyUnknown(AgencyCode),
    /// More quotas than the bound.
    #[error("{0} agencies with a quota, at most {QUOTAS_MAX}")]
    TooMany(usize),
}

impl Quotas {
    /// Returns the quota that holds for an agency.
    pub fn of(&self, agency: Ordinal) -> Option<&Quota> {
        self.own.get(&agency).or(self.others.as_ref())
    }

    /// Returns all quotas: that of all others last.
    pub fn all(&self) -> impl Iterator<Item = &Quota> {
        self.own.values().chain(&self.others)
    }

    /// Checks that quotas can be taken over.
    ///
    /// # Errors
    /// [`QuotaError`] for the first that cannot.
    pub fn check(&self, added: &[Quota], directory: &Directory) -> Result<(), QuotaError> {
        let mut new = BTreeSet::new();
        for quota in added {
            let Some(code) = &quota.agency else { continue };
            let found = directory.find(code);
            let agency = found.ok_or_else(|| QuotaError::AgencyUnknown(code.clone()))?.ordinal;
            if !quota.is_empty() && !self.own.contains_key(&agency) {
                new.insert(agency);
            }
        }
        let after = self.own.len() + new.len();
        if after > QUOTAS_MAX { Err(QuotaError::TooMany(after)) } else { Ok(()) }
    }

    /// Takes a quota over for an agency, `None` for all others; one without bounds takes it away.
    pub(crate) fn put(&mut self, agency: Option<Ordinal>, quota: Quota) {
        match (agency, quota.is_empty()) {
            (Some(agency), true) => {
                self.own.remove(&agency);
            }
            (Some(agency), false) => {
                self.own.insert(agency, quota);
            }
            (None, empty) => self.others = (!empty).then_some(quota),
        }
    }
}
