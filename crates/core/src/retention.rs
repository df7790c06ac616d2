//! Retention: for how long the contents of documents are kept. A record is kept for ever.
//!
//! The terms say how long; a content may go when every document that names its file was accepted
//! longer ago than that, and no recipient still has to pick one of them up. What an act of
//! administration or a report names is kept for ever.
//!
//! A document's place, digests, signatures, decision and reports do not depend on its content:
//! replay, proofs and recounts work without it.

use lienthong_model::limits::PAYLOAD_NAMES_MAX;
use lienthong_model::{Position, Timestamp};
use minicbor::{Decode, Encode};

use crate::command::Command;

/// For how long contents are kept, and what is given up. A row: field numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Retention {
    /// After acceptance, in milliseconds; none: for ever.
    #[n(0)]
    keep_ms: Option<u64>,
    /// Contents of documents accepted before this were given up under terms that have changed since:
    /// a longer term does not bring them back.
    #[n(1)]
    given_up: Option<Timestamp>,
}

impl Retention {
    /// Makes it of what it says.
    pub fn of(keep_ms: Option<u64>, given_up: Option<Timestamp>) -> Self {
        Self { keep_ms, given_up }
    }

    /// Returns for how long contents are kept after acceptance, in milliseconds; none: for ever.
    pub fn keep_ms(&self) -> Option<u64> {
        self.keep_ms
    }

    /// Returns before which acceptance contents were given up, whatever the terms say now.
    pub fn given_up(&self) -> Option<Timestamp> {
        self.given_up
    }

    /// Takes over what a command at a moment says about contents; whether it says anything.
    /// Repeating it, alone or with what came after it, changes nothing.
    pub fn take_over(&mut self, command: &Command, at: Timestamp) -> bool {
        match command {
            Command::SetTerms(terms) => {
                let before = self.kept_from(at);
                self.keep_ms = terms.keep_content_ms;
                self.given_up = before.max(self.kept_from(at));
                true
            }
            Command::Act { act, .. } => self.take_over(act, at),
            _ => false,
        }
    }

    /// Returns the moment from which on contents are kept: one of a document that was accepted
    /// before it may be gone. None while all are kept.
    pub fn kept_from(&self, now: Timestamp) -> Option<Timestamp> {
        let term = self.keep_ms.map(|keep| now.minus(std::time::Duration::from_millis(keep)));
        term.max(self.given_up)
    }
}

/// Which documents name a payload file. A row: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub(crate) struct NamingRow {
    /// The documents, rising; at most [`PAYLOAD_NAMES_MAX`].
    #[n(0)]
    documents: Vec<Position>,
    /// Whether it is kept for ever.
    #[n(1)]
    for_ever: bool,
}

impl NamingRow {
    /// What is kept for ever.
    pub fn for_ever() -> Self {
        Self { documents: Vec::new(), for_ever: true }
    }

    /// Adds a document. A file that more of them name than are noted is kept for ever.
    pub fn add(&mut self, document: Position) {
        if self.for_ever {
            return;
        }
        if let Err(place) = self.documents.binary_search(&document) {
            self.documents.insert(place, document);
        }
        if self.documents.len() > PAYLOAD_NAMES_MAX {
            *self = Self::for_ever();
        }
    }

    /// The documents that name it; none when it is kept for ever.
    pub fn documents(&self) -> Option<&[Position]> {
        (!self.for_ever).then_some(&self.documents)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use lienthong_model::Terms;

    const DAY: Duration = Duration::from_secs(86_400);

    fn terms(days: Option<u64>) -> Command {
        let keep_content_ms = days.map(|days| days * 86_400_000);
        Command::SetTerms(Terms { keep_content_ms, ..Terms::default() })
    }

    fn day(number: u32) -> Timestamp {
        Timestamp::parse("2020-01-01").unwrap().plus(DAY * number)
    }

    #[test]
    fn a_longer_term_does_not_bring_back_what_was_given_up() {
        let mut retention = Retention::default();
        assert_eq!(retention.kept_from(day(1000)), None);
        assert!(retention.take_over(&terms(Some(200)), day(300)));
        assert_eq!(retention.kept_from(day(300)), Some(day(100)));
        retention.take_over(&terms(Some(900)), day(350));
        assert_eq!(retention.kept_from(day(351)), Some(day(150)));
        assert_eq!(retention.kept_from(day(1100)), Some(day(200)));
        retention.take_over(&terms(None), day(1100));
        assert_eq!(retention.kept_from(day(9000)), Some(day(200)));
    }

    #[test]
    fn acts_that_are_replayed_change_nothing() {
        let acts = [(Some(200), 300), (Some(900), 350), (Some(400), 700), (None, 800)];
        let mut retention = Retention::default();
        let mut replay = |from: usize| {
            for (days, at) in &acts[from..] {
                retention.take_over(&terms(*days), day(*at));
            }
            retention
        };
        let once = replay(0);
        for from in [0, 1, 2, 3, 0] {
            assert_eq!(replay(from), once, "from act {from}");
        }
    }

    #[test]
    fn a_file_that_too_many_documents_name_is_kept_for_ever() {
        let mut row = NamingRow::default();
        for position in (0..PAYLOAD_NAMES_MAX as u64).rev() {
            row.add(Position(position));
            row.add(Position(position));
        }
        let noted: Vec<_> = (0..PAYLOAD_NAMES_MAX as u64).map(Position).collect();
        assert_eq!(row.documents(), Some(&noted[..]));
        row.add(Position(1 << 40));
        assert_eq!(row.documents(), None);
        row.add(Position(1));
        assert_eq!(row, NamingRow::for_ever());
    }
}
