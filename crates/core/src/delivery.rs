//! The delivery machine: which waiting document goes to which consumer next.
//!
//! It takes machine time as a parameter (a [`Duration`] since any fixed moment) and returns what to
//! push; whoever owns it moves the bytes. What waits is in the state's mailboxes; in memory is only
//! what a consumer may have in flight, and a short read-ahead for mailboxes that somebody reads.
//! After a restart everything that was not acknowledged is pushed again.
//!
//! ```text
//!              arrived / read ahead          credit             settle (acknowledged)
//!   mailbox ───────────────────▶ ready ───────────────▶ in flight ───────────▶ gone
//!                                  ▲                        │
//!                                  └── close, lease over, ──┘
//!                                      defer (after its delay)
//! ```
//! Order: urgent before ordinary, each by position; while urgent mail keeps coming, every eighth
//! place is ordinary. Mailboxes take turns: of those that may have something to push, the one that
//! was served longest ago is next, so that none starves another, however little credit there is.
//!
//! A mailbox is looked at only when something happened to it: mail came or came back, or a consumer
//! that it had to wait for has room again. So a grant costs nothing for mailboxes without mail,
//! however many one consumer reads. One that cannot be read is set aside for a minute, and keeps no
//! other one back.

mod pushed;
mod reading;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use lienthong_model::limits::{CONSUMER_CREDIT_MAX, PULL_LEASE};
use lienthong_model::{Ordinal, Position};

use crate::engine::EngineError;
use crate::keys::Lane;
use crate::query::Mailbox;
pub use pushed::{PushMarks, Pushes, TakenForPushed};
use reading::{Flight, Reading};

/// Deliveries of one mailbox pushed before the next mailbox has its turn.
const TURN: usize = 8;
/// After how long a mailbox that could not be read is looked at again.
const UNREADABLE_AGAIN: Duration = Duration::from_secs(60);
/// Most deliveries of one mailbox in flight.
const IN_FLIGHT_MAX: usize = 4 * CONSUMER_CREDIT_MAX as usize;

/// A consumer's number, given by whoever owns the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerId(pub u64);

/// How many deliveries a consumer has room for.
pub type Credit = u32;

/// A delivery to be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Push {
    /// To whom; `None` for a pull.
    pub consumer: Option<ConsumerId>,
    /// Whose mailbox it is from.
    pub recipient: Ordinal,
    /// Which of its queues.
    pub lane: Lane,
    /// Which document, or the number of which notice.
    pub position: Position,
    /// From 1: how often it was pushed, as far as is known: it begins anew when the hub starts, and
    /// when nobody has read the mailbox for a time.
    pub attempt: u32,
}

/// The delivery machine.
#[derive(Debug, Default)]
pub struct Courier {
    consumers: HashMap<ConsumerId, Consumer>,
    mailboxes: HashMap<Ordinal, Reading>,
    /// Mailboxes that may have something to push, by when they were last served.
    ready: BTreeSet<(u64, Ordinal)>,
    turns: u64,
    /// Deliveries that come back at a moment: leases and deferrals.
    returns: BTreeSet<(Duration, Ordinal, Position)>,
    /// Mailboxes that could not be read, and when they are looked at again.
    aside: BTreeSet<(Duration, Ordinal)>,
}

#[derive(Debug)]
struct Consumer {
    agencies: Vec<Ordinal>,
    credit: Credit,
    in_flight: u32,
    /// Mailboxes that wait until it has room.
    blocked: BTreeSet<Ordinal>,
}

impl Courier {
    /// Opens a consumer of some agencies' mailboxes, without credit. A consumer that is open under
    /// this number is closed first.
    pub fn open(&mut self, consumer: ConsumerId, mut agencies: Vec<Ordinal>) {
        self.close(consumer);
        agencies.sort_unstable();
        agencies.dedup();
        for agency in &agencies {
            self.mailboxes.entry(*agency).or_default().consumers.push_back(consumer);
        }
        let blocked = agencies.iter().copied().collect();
        self.consumers.insert(consumer, Consumer { agencies, credit: 0, in_flight: 0, blocked });
    }

    /// Gives a consumer room for more deliveries, up to [`CONSUMER_CREDIT_MAX`] in all.
    pub fn grant(&mut self, consumer: ConsumerId, more: Credit) {
        let Some(known) = self.consumers.get_mut(&consumer) else { return };
        known.credit = known.credit.saturating_add(more).min(CONSUMER_CREDIT_MAX);
        self.unblock(consumer);
    }

    /// Closes a consumer; what it had in flight is pushed to others, or when somebody opens again.
    pub fn close(&mut self, consumer: ConsumerId) {
        let Some(closed) = self.consumers.remove(&consumer) else { return };
        for agency in closed.agencies {
            let Some(mailbox) = self.mailboxes.get_mut(&agency) else { continue };
            mailbox.consumers.retain(|other| *other != consumer);
            let lost: Vec<Position> = mailbox
                .in_flight
                .iter()
                .filter(|(_, flight)| flight.consumer == Some(consumer))
                .map(|(position, _)| *position)
                .collect();
            for position in lost {
                mailbox.bring_back(position);
            }
            self.queue(agency);
            self.rest(agency);
        }
    }

    /// Notes that a document entered a mailbox.
    pub fn arrived(&mut self, recipient: Ordinal, lane: Lane, position: Position) {
        let Some(mailbox) = self.mailboxes.get_mut(&recipient) else { return };
        let known = mailbox.in_flight.contains_key(&position);
        if !known {
            mailbox.lanes[lane as usize].arrived(position);
        }
        self.queue(recipient);
    }

    /// Notes that a delivery was acknowledged. Returns how often it had been pushed.
    pub fn settle(&mut self, recipient: Ordinal, position: Position) -> u32 {
        let Some(mailbox) = self.mailboxes.get_mut(&recipient) else { return 0 };
        for queue in &mut mailbox.lanes {
            queue.forget(position);
        }
        let flight = mailbox.in_flight.remove(&position);
        if let Some(flight) = flight {
            self.land(recipient, position, flight);
        }
        self.rest(recipient);
        flight.map_or(0, |flight| flight.attempt)
    }

    /// Returns how often a delivery in flight was pushed; 0 when it is not in flight.
    pub fn attempts(&self, recipient: Ordinal, position: Position) -> u32 {
        let flight = self.mailboxes.get(&recipient).and_then(|m| m.in_flight.get(&position));
        flight.map_or(0, |flight| flight.attempt)
    }

    /// Takes a delivery back from its consumer, to be pushed again at `until`.
    /// Returns whether it was in flight.
    pub fn defer(&mut self, recipient: Ordinal, position: Position, until: Duration) -> bool {
        let Some(mailbox) = self.mailboxes.get_mut(&recipient) else { return false };
        let Some(mut flight) = mailbox.in_flight.remove(&position) else { return false };
        self.land(recipient, position, flight);
        flight.consumer = None;
        flight.returns = Some(until);
        if let Some(mailbox) = self.mailboxes.get_mut(&recipient) {
            mailbox.in_flight.insert(position, flight);
        }
        self.returns.insert((until, recipient, position));
        true
    }

    /// Takes up to `max` deliveries of a mailbox for a caller without a stream. They are kept from
    /// others for [`PULL_LEASE`].
    ///
    /// # Errors
    /// [`EngineError`] when nothing of the mailbox can be read.
    pub fn pull(
        &mut self,
        recipient: Ordinal,
        max: usize,
        now: Duration,
        mail: &dyn Mailbox,
    ) -> Result<Vec<Push>, EngineError> {
        self.bring_back_due(now);
        let mailbox = self.mailboxes.entry(recipient).or_default();
        let returns = now + PULL_LEASE;
        let (mut pushes, mut failed) = (Vec::new(), None);
        while pushes.len() < max && mailbox.in_flight.len() < IN_FLIGHT_MAX {
            let (lane, position, attempt) = match mailbox.next(recipient, mail) {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let flight = Flight { lane, attempt, consumer: None, returns: Some(returns) };
            mailbox.in_flight.insert(position, flight);
            self.returns.insert((returns, recipient, position));
            pushes.push(Push { consumer: None, recipient, lane, position, attempt });
        }
        self.rest(recipient);
        match failed {
            Some(error) if pushes.is_empty() => Err(error),
            // What was read before is lent; whoever pulls next is told.
            _ => Ok(pushes),
        }
    }

    /// Returns what is to be pushed now, at most `max` deliveries.
    ///
    /// # Errors
    /// [`EngineError`] when a mailbox cannot be read. It is set aside, and nothing was chosen; the
    /// others may have more to do.
    pub fn poll(
        &mut self,
        now: Duration,
        max: usize,
        mail: &dyn Mailbox,
    ) -> Result<Vec<Push>, EngineError> {
        self.bring_back_due(now);
        let mut pushes = Vec::new();
        while pushes.len() < max {
            let Some((_, recipient)) = self.ready.pop_first() else { break };
            self.turns += 1;
            match self.turn_of(recipient, max, mail, &mut pushes) {
                Ok(true) => self.queue(recipient),
                Ok(false) => {}
                Err(error) if pushes.is_empty() => {
                    self.set_aside(recipient, now);
                    return Err(error);
                }
                Err(_) => {
                    // What was chosen leaves first. It is met again then, and told.
                    self.queue(recipient);
                    break;
                }
            }
        }
        Ok(pushes)
    }

    /// Returns whether [`Courier::poll`] has more to do at once.
    pub fn has_work(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Returns when a delivery, or a mailbox that could not be read, comes back next.
    pub fn next_return(&self) -> Option<Duration> {
        let delivery = self.returns.first().map(|(at, _, _)| *at);
        let mailbox = self.aside.first().map(|(at, _)| *at);
        delivery.into_iter().chain(mailbox).min()
    }

    /// One mailbox's turn; returns whether it may have more to push.
    fn turn_of(
        &mut self,
        recipient: Ordinal,
        max: usize,
        mail: &dyn Mailbox,
        pushes: &mut Vec<Push>,
    ) -> Result<bool, EngineError> {
        let Some(mailbox) = self.mailboxes.get_mut(&recipient) else { return Ok(false) };
        for _ in 0..TURN.min(max - pushes.len()) {
            // What lands makes room, and queues the mailbox again.
            if mailbox.in_flight.len() >= IN_FLIGHT_MAX {
                return Ok(false);
            }
            let Some(consumer) = mailbox.willing(&self.consumers) else {
                for consumer in &mailbox.consumers {
                    if let Some(known) = self.consumers.get_mut(consumer) {
                        known.blocked.insert(recipient);
                    }
                }
                return Ok(false);
            };
            let Some((lane, position, attempt)) = mailbox.next(recipient, mail)? else {
                return Ok(false);
            };
            let flight = Flight { lane, attempt, consumer: Some(consumer), returns: None };
            mailbox.in_flight.insert(position, flight);
            mailbox.served = self.turns;
            if let Some(known) = self.consumers.get_mut(&consumer) {
                known.credit -= 1;
                known.in_flight += 1;
            }
            pushes.push(Push { consumer: Some(consumer), recipient, lane, position, attempt });
        }
        Ok(true)
    }

    fn queue(&mut self, recipient: Ordinal) {
        let Some(mailbox) = self.mailboxes.get(&recipient) else { return };
        if mailbox.aside_until.is_none() {
            self.ready.insert((mailbox.served, recipient));
        }
    }

    fn set_aside(&mut self, recipient: Ordinal, now: Duration) {
        let Some(mailbox) = self.mailboxes.get_mut(&recipient) else { return };
        let until = now + UNREADABLE_AGAIN;
        mailbox.aside_until = Some(until);
        self.aside.insert((until, recipient));
    }

    /// Looks again at the mailboxes that waited for a consumer's room.
    fn unblock(&mut self, consumer: ConsumerId) {
        let Some(known) = self.consumers.get_mut(&consumer) else { return };
        for recipient in std::mem::take(&mut known.blocked) {
            self.queue(recipient);
        }
    }

    /// Ends a flight for its consumer and its timer.
    fn land(&mut self, recipient: Ordinal, position: Position, flight: Flight) {
        if let Some(at) = flight.returns {
            self.returns.remove(&(at, recipient, position));
        }
        if let Some(id) = flight.consumer
            && let Some(consumer) = self.consumers.get_mut(&id)
        {
            let was_full = consumer.in_flight >= CONSUMER_CREDIT_MAX;
            consumer.in_flight = consumer.in_flight.saturating_sub(1);
            if was_full {
                self.unblock(id);
            }
        }
        self.queue(recipient);
    }

    fn bring_back_due(&mut self, now: Duration) {
        while let Some((at, recipient)) = self.aside.first().copied().filter(|(at, _)| *at <= now) {
            self.aside.remove(&(at, recipient));
            if let Some(mailbox) = self.mailboxes.get_mut(&recipient) {
                mailbox.aside_until = None;
            }
            self.queue(recipient);
        }
        while let Some((at, recipient, position)) = self.returns.first().copied() {
            if at > now {
                return;
            }
            self.returns.pop_first();
            if let Some(mailbox) = self.mailboxes.get_mut(&recipient) {
                mailbox.bring_back(position);
            }
            self.queue(recipient);
            self.rest(recipient);
        }
    }

    /// Forgets a mailbox that nobody reads and that has nothing in flight.
    fn rest(&mut self, recipient: Ordinal) {
        let idle = self
            .mailboxes
            .get(&recipient)
            .is_some_and(|mailbox| mailbox.consumers.is_empty() && mailbox.in_flight.is_empty());
        if idle && let Some(mailbox) = self.mailboxes.remove(&recipient) {
            self.ready.remove(&(mailbox.served, recipient));
            if let Some(until) = mailbox.aside_until {
                self.aside.remove(&(until, recipient));
            }
        }
    }
}

#[cfg(test)]
mod tests;
