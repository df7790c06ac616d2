//! All targets of indicators, in memory.

use std::collections::BTreeMap;

use lienthong_model::limits::TARGETS_MAX;
use lienthong_model::{AgencyCode, CodeKey, Day, Indicator, Level, Target, Territory};

use crate::directory::Directory;

/// All targets. Passed ones stay: reports of their time name them.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    by_identity: BTreeMap<Identity, Target>,
}

/// What makes two targets the same: indicator, territory, level and day.
type Identity = (Indicator, (u8, Option<CodeKey>), Option<Level>, Day);

/// Why a target cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The agency of its territory is not in the directory.
    #[error("`{0}` is not in the directory")]
    AgencyUnknown(AgencyCode),
    /// It is more than there can be.
    #[error("a target of {value} for `{indicator}`, at most {most}")]
    TooMuch {
        /// The indicator.
        indicator: Indicator,
        /// The value.
        value: u64,
        /// The most.
        most: u64,
    },
    /// More targets than the bound.
    #[error("{0} targets, at most {TARGETS_MAX}")]
    TooMany(usize),
}

impl Targets {
    /// Returns all targets, by indicator, territory, level and day.
    pub fn all(&self) -> impl Iterator<Item = &Target> {
        self.by_identity.values()
    }

    /// Checks that targets can be taken over.
    ///
    /// # Errors
    /// [`TargetError`] for the first that cannot.
    pub fn check(&self, added: &[Target], directory: &Directory) -> Result<(), TargetError> {
        let mut after = self.clone();
        for target in added {
            if let Some(code) = target.territory.agency()
                && directory.find(code).is_none()
            {
                return Err(TargetError::AgencyUnknown(code.clone()));
            }
            let indicator = target.indicator;
            if let (Some(value), Some(most)) = (target.value, indicator.most())
                && value > most
            {
                return Err(TargetError::TooMuch { indicator, value, most });
            }
            after.put(target.clone());
        }
        match after.by_identity.len() {
            count if count > TARGETS_MAX => Err(TargetError::TooMany(count)),
            _ => Ok(()),
        }
    }

    /// Takes a target over; it takes the place of the one with the same indicator, territory, level
    /// and day, and one without a value takes that away. Repeating it changes nothing.
    pub(crate) fn put(&mut self, target: Target) {
        let identity = identity(&target);
        match target.value {
            Some(_) => self.by_identity.insert(identity, target),
            None => self.by_identity.remove(&identity),
        };
    }
}

fn identity(target: &Target) -> Identity {
    let territory = match &target.territory {
        Territory::Country => (1, None),
        Territory::Province(code) => (2, Some(code.key())),
        Territory::Agency(code) => (3, Some(code.key())),
    };
    (target.indicator, territory, target.level, target.by)
}

/// What a target's row is filed under: its identity as bytes.
pub(crate) fn row_key(target: &Target) -> Vec<u8> {
    let (indicator, (kind, code), level, by) = identity(target);
    let mut key = vec![indicator.number(), kind, level.map_or(0, Level::number)];
    key.extend_from_slice(&by.0.to_be_bytes());
    key.extend_from_slice(code.as_ref().map_or("", |code| code.as_str()).as_bytes());
    key
}
