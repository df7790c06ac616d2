//! What the axis remembers of what it heard, until nobody asks for it any more.

use std::collections::{BTreeMap, HashMap, VecDeque};

use lienthong_core::{NoticeKind, NoticeNumber};
use lienthong_model::{Ordinal, Position};

use super::node::Heading;

/// Documents whose headings are kept where what has come to its end is forgotten: more than can be
/// under way to the nodes of a sandbox at a time, and some hours of its traffic.
const HEADINGS_MAX: usize = 65_536;

/// What a run remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembers {
    /// All that a verdict asks for.
    Everything,
    /// What has not come to its end: nobody can judge the run, and it may go on for ever.
    WhatIsOpen,
}

/// What documents say of themselves: clerks who work on them need it.
pub(super) struct Headings {
    most: usize,
    by_position: HashMap<Position, Heading>,
    /// In the order in which they were heard of.
    order: VecDeque<Position>,
}

impl Headings {
    pub fn of(remembers: Remembers) -> Self {
        Self::at_most(match remembers {
            Remembers::Everything => usize::MAX,
            Remembers::WhatIsOpen => HEADINGS_MAX,
        })
    }

    fn at_most(most: usize) -> Self {
        Self { most, by_position: HashMap::new(), order: VecDeque::new() }
    }

    pub fn get(&self, position: Position) -> Option<&Heading> {
        self.by_position.get(&position)
    }

    /// A document was delivered.
    pub fn arrived(&mut self, position: Position, heading: Heading) {
        if self.by_position.insert(position, heading).is_none() {
            self.order.push_back(position);
        }
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_position.remove(&oldest);
        }
    }

    /// Somebody asks for a change of a document, which may have been delivered long ago: a notice
    /// says less of it than the document itself.
    pub fn mentioned(&mut self, position: Position, heading: Heading) {
        if !self.by_position.contains_key(&position) {
            self.arrived(position, heading);
        }
    }
}

/// What notices say, until their agencies have read them.
#[derive(Default)]
pub(super) struct Notices(BTreeMap<(Ordinal, NoticeNumber), (NoticeKind, Position)>);

impl Notices {
    pub fn put(&mut self, notice: (Ordinal, NoticeNumber), says: (NoticeKind, Position)) {
        self.0.insert(notice, says);
    }

    pub fn get(&self, agency: Ordinal, number: NoticeNumber) -> Option<(NoticeKind, Position)> {
        self.0.get(&(agency, number)).copied()
    }

    /// An agency has read all up to a number.
    pub fn forget_through(&mut self, agency: Ordinal, through: NoticeNumber) {
        let read = self.0.range((agency, NoticeNumber(0))..=(agency, through));
        let read: Vec<_> = read.map(|(notice, _)| *notice).collect();
        for notice in read {
            self.0.remove(&notice);
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{AgencyCode, MessageId, Reference, Timestamp};

    use super::*;

    fn heading(subject: &str) -> Heading {
        Heading {
            sender: AgencyCode::parse("H36").unwrap(),
            id: MessageId::new(Timestamp::from_millis(1), [0; 10]),
            reference: Reference::default(),
            subject: subject.to_owned(),
        }
    }

    #[test]
    fn of_the_headings_the_oldest_goes_when_there_are_too_many() {
        let mut headings = Headings::at_most(2);
        let subject = |headings: &Headings, position| {
            headings.get(Position(position)).map(|heading| heading.subject.clone())
        };
        headings.arrived(Position(1), heading("one"));
        headings.arrived(Position(2), heading("two"));
        // It comes again, and is asked to be taken back: it is there once, as it was delivered.
        headings.arrived(Position(2), heading("two"));
        headings.mentioned(Position(2), heading(""));
        assert_eq!(subject(&headings, 1).as_deref(), Some("one"));
        assert_eq!(subject(&headings, 2).as_deref(), Some("two"));
        // Long ago, before this run.
        headings.mentioned(Position(0), heading("by its notice"));
        assert_eq!(subject(&headings, 0).as_deref(), Some("by its notice"));
        assert_eq!(subject(&headings, 1), None);
        assert_eq!(headings.order.len(), headings.by_position.len());
    }

    #[test]
    fn a_notice_is_forgotten_once_its_agency_has_read_it() {
        let mut notices = Notices::default();
        for agency in [Ordinal(1), Ordinal(2)] {
            for number in 1..=3 {
                let says = (NoticeKind::RecallRequested, Position(number));
                notices.put((agency, NoticeNumber(number)), says);
            }
        }
        notices.forget_through(Ordinal(1), NoticeNumber(2));
        let there = |agency, number| notices.get(Ordinal(agency), NoticeNumber(number)).is_some();
        assert_eq!([1, 2, 3].map(|number| there(1, number)), [false, false, true]);
        assert_eq!([1, 2, 3].map(|number| there(2, number)), [true; 3]);
        assert_eq!(notices.0.len(), 4);
    }
}
