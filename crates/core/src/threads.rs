//! Threads: documents that answer each other, found by the references that they bear.
//!
//! A document is filed under its own reference (`jr`), and under each reference that it answers
//! (`ja`). Both keys are made of the reference alone, so a case can be followed in both directions,
//! and an answer that came before what it answers finds it all the same. A key begins with the day
//! of issue, so that keys rise.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lienthong_model::limits::THREAD_DOCUMENTS_MAX;
use lienthong_model::{AgencyCode, Digest, Position, Reference, Timestamp};
use minicbor::{Decode, Encode};

use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::query::Query;
use crate::rows::DocumentRow;

/// Characters kept of a reference that is answered.
const REFERENCE_CHARS: usize = 100;

/// A reference that a document answers. Kept in its row: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AnsweredReference {
    /// The reference as written, cut at 100 characters.
    #[n(0)]
    pub text: String,
    /// Under which it is filed; none when it cannot be read.
    #[n(1)]
    pub key: Option<ThreadKey>,
}

/// Under what a reference is filed: its day of issue and a hash of issuer, number and notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ThreadKey {
    /// The day of issue.
    #[n(0)]
    pub day: i32,
    /// The first eight bytes of the SHA-256 of the rest.
    #[n(1)]
    pub rest: u64,
}

impl ThreadKey {
    /// Returns under what a reference is filed; none unless issuer, number, notation and day can be
    /// read from its parts or its text (`H36,2020/11/16,15/QĐ-UBND`). Case, white space around the
    /// parts, zeros before the number and the order of the issuer's code make no difference.
    pub fn of(reference: &Reference) -> Option<Self> {
        let mut written = reference.text.splitn(3, ',').map(str::trim);
        let (code, date, rest) = (written.next(), written.next(), written.next());
        let (number, notation) = match rest.and_then(|rest| rest.split_once('/')) {
            Some((number, notation)) => (Some(number), Some(notation)),
            None => (None, None),
        };
        let part = |part: &Option<String>, written: Option<&str>| {
            let part = part.as_deref().or(written)?.trim();
            (!part.is_empty()).then(|| part.to_owned())
        };
        let code = part(&reference.code, code)?;
        let code = AgencyCode::parse(&code).ok()?.key();
        let date = part(&reference.date, date)?.replace('/', "-");
        let number = part(&reference.number, number)?;
        let notation = part(&reference.notation, notation)?.to_uppercase();
        let number = number.trim_start_matches('0');
        let day = Timestamp::parse(&date)?.day().0;
        let text = format!("{}\n{number}\n{notation}", code.as_str());
        let hash = Digest::of(text.as_bytes()).0;
        let rest = hash.first_chunk().copied().map(u64::from_be_bytes)?;
        Some(Self { day, rest })
    }
}

impl AnsweredReference {
    /// Keeps a reference that a document answers.
    pub(crate) fn of(reference: &Reference) -> Self {
        let text = match reference.text.is_empty() {
            false => reference.text.clone(),
            true => {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                let (number, notation) = (part(&reference.number), part(&reference.notation));
                format!("{},{},{number}/{notation}", part(&reference.code), part(&reference.date))
            }
        };
        let text = text.chars().take(REFERENCE_CHARS).collect();
        Self { text, key: ThreadKey::of(reference) }
    }
}

/// A document of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadDocument {
    /// What is known of it.
    pub document: DocumentRow,
    /// Documents of the case that it answers.
    pub answers: BTreeSet<Position>,
    /// References that it answers and that lead to no document that may be seen.
    pub unresolved: Vec<String>,
}

/// A case: documents that answer each other, by their places in the log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thread {
    /// The documents.
    pub documents: BTreeMap<Position, ThreadDocument>,
    /// Whether there are more than [`THREAD_DOCUMENTS_MAX`].
    pub truncated: bool,
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Returns the case of a document, through documents that may be seen only.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn thread(
        &self,
        first: Position,
        may_see: impl Fn(Position, &DocumentRow) -> Result<bool, EngineError>,
    ) -> Result<Thread, EngineError> {
        let mut thread = Thread::default();
        let mut to_visit = VecDeque::from([first]);
        let mut known = BTreeSet::from([first]);
        while let Some(position) = to_visit.pop_front() {
            let Some(document) = self.document(position)? else { continue };
            if !may_see(position, &document)? {
                continue;
            }
            if thread.documents.len() >= THREAD_DOCUMENTS_MAX {
                thread.truncated = true;
                break;
            }
            let own = ThreadKey::of(&document.reference);
            let mut beside = match own {
                Some(key) => self.filed(keys::answering(key), &mut thread.truncated)?,
                None => Vec::new(),
            };
            if let Some(key) = own {
                beside.extend(self.filed(keys::referred(key), &mut thread.truncated)?);
            }
            for answered in document.answers.iter().flatten() {
                if let Some(key) = answered.key {
                    beside.extend(self.filed(keys::referred(key), &mut thread.truncated)?);
                }
            }
            to_visit.extend(beside.into_iter().filter(|position| known.insert(*position)));
            let seen =
                ThreadDocument { document, answers: BTreeSet::new(), unresolved: Vec::new() };
            thread.documents.insert(position, seen);
        }
        thread.link();
        Ok(thread)
    }

    /// The documents that are filed under a key, at most [`THREAD_DOCUMENTS_MAX`].
    fn filed(&self, prefix: Vec<u8>, truncated: &mut bool) -> Result<Vec<Position>, EngineError> {
        let mut positions = Vec::new();
        self.0.scan(&prefix, &prefix, &mut |key, _| {
            let number = key.get(prefix.len()..).and_then(|rest| rest.try_into().ok());
            positions.extend(number.map(|number| Position(u64::from_be_bytes(number))));
            positions.len() <= THREAD_DOCUMENTS_MAX
        })?;
        *truncated |= positions.len() > THREAD_DOCUMENTS_MAX;
        positions.truncate(THREAD_DOCUMENTS_MAX);
        Ok(positions)
    }
}

impl Thread {
    /// Says of each document which of the others it answers.
    fn link(&mut self) {
        let mut by_key: BTreeMap<ThreadKey, Vec<Position>> = BTreeMap::new();
        for (position, document) in &self.documents {
            if let Some(key) = ThreadKey::of(&document.document.reference) {
                by_key.entry(key).or_default().push(*position);
            }
        }
        for document in self.documents.values_mut() {
            for answered in document.document.answers.iter().flatten() {
                match answered.key.and_then(|key| by_key.get(&key)) {
                    Some(positions) => document.answers.extend(positions),
                    None => document.unresolved.push(answered.text.clone()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        Reference { text: text.to_owned(), ..Reference::default() }
    }

    #[test]
    fn a_reference_is_filed_the_same_however_it_is_written() {
        let parts = Reference {
            text: String::new(),
            code: Some("H36".to_owned()),
            date: Some("2020/11/16".to_owned()),
            number: Some("15".to_owned()),
            notation: Some("QĐ-UBND".to_owned()),
        };
        let key = ThreadKey::of(&parts).unwrap();
        for text in ["H36,2020/11/16,15/QĐ-UBND", "h36, 2020-11-16 , 015/qđ-ubnd"] {
            assert_eq!(ThreadKey::of(&reference(text)), Some(key), "{text}");
        }
        for text in
            ["H36,2020/11/17,15/QĐ-UBND", "H36,2020/11/16,16/QĐ-UBND", "H34,2020/11/16,15/QĐ-UBND"]
        {
            assert_ne!(ThreadKey::of(&reference(text)), Some(key), "{text}");
        }
    }

    #[test]
    fn a_reference_of_which_a_part_cannot_be_read_is_not_filed() {
        for text in ["", "15/QĐ-UBND", "H36,2020/13/40,15/QĐ-UBND", "H36,2020/11/16,15", ",,/"] {
            assert_eq!(ThreadKey::of(&reference(text)), None, "{text}");
        }
    }
}
