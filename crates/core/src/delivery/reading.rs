//! Mailboxes that somebody reads: what is ready, in its order, and what is in flight.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use lienthong_model::limits::CONSUMER_CREDIT_MAX;
use lienthong_model::{Ordinal, Position};

use super::{Consumer, ConsumerId};
use crate::engine::EngineError;
use crate::keys::Lane;
use crate::query::Mailbox;

/// Positions read ahead of a mailbox's consumers.
pub(super) const READ_AHEAD: usize = 256;
/// With urgent mail waiting, one place in this many is ordinary.
pub(super) const ORDINARY_EVERY: u8 = 8;

pub(super) const LANES: [Lane; 2] = [Lane::Urgent, Lane::Ordinary];

/// A mailbox that somebody reads.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub consumers: VecDeque<ConsumerId>,
    pub lanes: [Queue; 2],
    pub in_flight: BTreeMap<Position, Flight>,
    pub urgent_in_a_row: u8,
    /// The number of its last turn; 0 before the first.
    pub served: u64,
    /// When it is looked at again, if it could not be read.
    pub aside_until: Option<Duration>,
}

/// One lane of a mailbox, from the cursor on.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Came back; with the attempts made.
    pub back: BTreeMap<Position, u32>,
    pub ahead: VecDeque<Position>,
    /// Everything up to here was read into `ahead`.
    pub read_to: Option<Position>,
    /// Whether nothing lies beyond `read_to`.
    pub caught_up: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    pub lane: Lane,
    pub attempt: u32,
    pub consumer: Option<ConsumerId>,
    pub returns: Option<Duration>,
}

impl Reading {
    /// The next consumer with room, in turn.
    pub fn willing(&mut self, consumers: &HashMap<ConsumerId, Consumer>) -> Option<ConsumerId> {
        for _ in 0..self.consumers.len() {
            let consumer = self.consumers.pop_front()?;
            self.consumers.push_back(consumer);
            let room = consumers
                .get(&consumer)
                .is_some_and(|known| known.credit > 0 && known.in_flight < CONSUMER_CREDIT_MAX);
            if room {
                return Some(consumer);
            }
        }
        None
    }

    /// The next delivery and its attempt, by lane and position.
    pub fn next(
        &mut self,
        recipient: Ordinal,
        mail: &dyn Mailbox,
    ) -> Result<Option<(Lane, Position, u32)>, EngineError> {
        let ordinary_first = self.urgent_in_a_row >= ORDINARY_EVERY - 1;
        let order = if ordinary_first { [Lane::Ordinary, Lane::Urgent] } else { LANES };
        for lane in order {
            let in_flight = &self.in_flight;
            let queue = &mut self.lanes[lane as usize];
            let Some((position, attempt)) = queue.pop(recipient, lane, mail, in_flight)? else {
                continue;
            };
            self.urgent_in_a_row = match lane {
                Lane::Urgent => self.urgent_in_a_row.saturating_add(1),
                Lane::Ordinary => 0,
            };
            return Ok(Some((lane, position, attempt)));
        }
        Ok(None)
    }

    pub fn bring_back(&mut self, position: Position) {
        if let Some(flight) = self.in_flight.remove(&position) {
            self.lanes[flight.lane as usize].back.insert(position, flight.attempt);
        }
    }
}

impl Queue {
    pub fn arrived(&mut self, position: Position) {
        if self.read_to.is_some_and(|read_to| position <= read_to) {
            return self.arrived_behind(position);
        }
        if self.caught_up && self.ahead.len() < READ_AHEAD {
            self.ahead.push_back(position);
            self.read_to = Some(position);
        } else {
            self.caught_up = false;
        }
    }

    /// Takes in a position up to which was read already. Mostly it was read; but a scan that ran
    /// beside the writing of its block may have passed its page too early and a later one in time.
    fn arrived_behind(&mut self, position: Position) {
        if self.back.contains_key(&position) {
            return;
        }
        if let Err(place) = self.ahead.binary_search(&position) {
            self.ahead.insert(place, position);
        }
        if self.ahead.len() > READ_AHEAD {
            self.ahead.pop_back();
            self.read_to = self.ahead.back().copied();
            self.caught_up = false;
        }
    }

    pub fn forget(&mut self, position: Position) {
        self.back.remove(&position);
        if let Ok(place) = self.ahead.binary_search(&position) {
            self.ahead.remove(place);
        }
    }

    fn pop(
        &mut self,
        recipient: Ordinal,
        lane: Lane,
        mail: &dyn Mailbox,
        in_flight: &BTreeMap<Position, Flight>,
    ) -> Result<Option<(Position, u32)>, EngineError> {
        let ahead = self.ahead.front().copied();
        if let Some(first) = self.back.first_entry()
            && ahead.is_none_or(|ahead| *first.key() < ahead)
        {
            let (position, attempts) = first.remove_entry();
            return Ok(Some((position, attempts + 1)));
        }
        while self.ahead.is_empty() && !self.caught_up {
            let read = mail.waiting(recipient, lane, self.read_to, READ_AHEAD)?;
            self.caught_up = read.len() < READ_AHEAD;
            self.read_to = read.last().copied().or(self.read_to);
            let known = |p: &Position| in_flight.contains_key(p) || self.back.contains_key(p);
            self.ahead.extend(read.into_iter().filter(|p| !known(p)));
        }
        Ok(self.ahead.pop_front().map(|position| (position, 1)))
    }
}
