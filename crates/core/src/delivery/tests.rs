//! The delivery machine against a model that knows everything, and its rules one by one.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::reading::{LANES, ORDINARY_EVERY, READ_AHEAD};
use super::*;

const MAILBOXES: u32 = 4;

/// Mailboxes as the state has them.
#[derive(Debug, Default)]
struct Mail(BTreeMap<(Ordinal, Lane), BTreeSet<Position>>);

impl Mailbox for Mail {
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError> {
        let waiting = self.0.get(&(recipient, lane)).into_iter().flatten();
        let after = waiting.filter(|position| after.is_none_or(|after| **position > after));
        Ok(after.take(limit).copied().collect())
    }
}

/// Who has a delivery.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Holder {
    Consumer(u64),
    Until(Duration),
}

#[derive(Debug, Default)]
struct Model {
    courier: Courier,
    mail: Mail,
    now: Duration,
    positions: u64,
    /// In the mail, but the courier was not told yet.
    untold: Vec<(Ordinal, Lane, Position)>,
    credit: BTreeMap<u64, u32>,
    reads: BTreeMap<u64, BTreeSet<Ordinal>>,
    flights: BTreeMap<(Ordinal, Position), Holder>,
    attempts: BTreeMap<(Ordinal, Position), u32>,
    /// Urgent pushes of a mailbox one after the other, while ordinary mail waited.
    urgent: BTreeMap<Ordinal, u32>,
}

#[derive(Debug, Clone)]
enum Step {
    Open(u64, Vec<u32>),
    Close(u64),
    Grant(u64, u32),
    Arrive { recipient: u32, urgent: bool, count: usize, told: bool },
    Tell,
    Settle(Index),
    SettleWaiting(Index),
    Defer(Index, u64),
    Pull(u32, usize),
    Poll(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let mailbox = || 0..MAILBOXES;
    let consumer = || 0..4u64;
    prop_oneof![
        2 => (consumer(), vec(mailbox(), 1..5)).prop_map(|(id, of)| Step::Open(id, of)),
        1 => consumer().prop_map(Step::Close),
        4 => (consumer(), prop_oneof![1..4u32, 1..2_000u32])
            .prop_map(|(id, more)| Step::Grant(id, more)),
        6 => (mailbox(), any::<bool>(), prop_oneof![1..4usize, 200..300usize], any::<bool>())
            .prop_map(|(recipient, urgent, count, told)| {
                Step::Arrive { recipient, urgent, count, told }
            }),
        2 => Just(Step::Tell),
        4 => any::<Index>().prop_map(Step::Settle),
        1 => any::<Index>().prop_map(Step::SettleWaiting),
        2 => (any::<Index>(), 0..90u64).prop_map(|(index, after)| Step::Defer(index, after)),
        2 => (mailbox(), 0..20usize).prop_map(|(recipient, max)| Step::Pull(recipient, max)),
        4 => (1..40usize).prop_map(Step::Poll),
        2 => (0..100u64).prop_map(Step::Wait),
    ]
}

impl Model {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Open(id, agencies) => {
                self.closed(*id);
                let agencies: Vec<Ordinal> = agencies.iter().map(|of| Ordinal(*of)).collect();
                self.reads.insert(*id, agencies.iter().copied().collect());
                self.credit.insert(*id, 0);
                self.courier.open(ConsumerId(*id), agencies);
            }
            Step::Close(id) => {
                self.closed(*id);
                self.courier.close(ConsumerId(*id));
            }
            Step::Grant(id, more) => {
                self.courier.grant(ConsumerId(*id), *more);
                if let Some(credit) = self.credit.get_mut(id) {
                    *credit = (*credit + more).min(CONSUMER_CREDIT_MAX);
                }
            }
            Step::Arrive { recipient, urgent, count, told } => {
                let lane = if *urgent { Lane::Urgent } else { Lane::Ordinary };
                for _ in 0..*count {
                    self.arrive(Ordinal(*recipient), lane);
                }
                if *told {
                    self.tell();
                }
            }
            Step::Tell => self.tell(),
            Step::Settle(index) => {
                if let Some((key, _)) = pick(&self.flights, index) {
                    self.settle(key);
                }
            }
            Step::SettleWaiting(index) => {
                let waiting: BTreeMap<_, ()> = self
                    .mail
                    .0
                    .iter()
                    .flat_map(|((recipient, _), all)| all.iter().map(|p| ((*recipient, *p), ())))
                    .filter(|(key, ())| self.untold.iter().all(|(_, _, p)| *p != key.1))
                    .collect();
                if let Some((key, ())) = pick(&waiting, index) {
                    self.settle(key);
                }
            }
            Step::Defer(index, after) => {
                let Some(((recipient, position), _)) = pick(&self.flights, index) else { return };
                let until = self.now + Duration::from_secs(*after);
                assert!(self.courier.defer(recipient, position, until));
                self.flights.insert((recipient, position), Holder::Until(until));
            }
            Step::Pull(recipient, max) => {
                self.expire();
                let recipient = Ordinal(*recipient);
                let pushes = self.courier.pull(recipient, *max, self.now, &self.mail).unwrap();
                assert!(pushes.len() <= *max);
                pushes.iter().for_each(|push| self.pushed(push));
            }
            Step::Poll(max) => {
                self.poll(*max);
            }
            Step::Wait(seconds) => self.now += Duration::from_secs(*seconds),
        }
        self.forget_attempts();
    }

    fn closed(&mut self, id: u64) {
        self.reads.remove(&id);
        self.credit.remove(&id);
        self.flights.retain(|_, holder| *holder != Holder::Consumer(id));
        self.forget_attempts();
    }

    fn arrive(&mut self, recipient: Ordinal, lane: Lane) {
        let position = Position(self.positions);
        self.positions += 1;
        self.mail.0.entry((recipient, lane)).or_default().insert(position);
        self.untold.push((recipient, lane, position));
    }

    fn tell(&mut self) {
        for (recipient, lane, position) in std::mem::take(&mut self.untold) {
            self.courier.arrived(recipient, lane, position);
        }
    }

    fn settle(&mut self, (recipient, position): (Ordinal, Position)) {
        // The courier hears of arrivals before it hears that they were acknowledged.
        self.tell();
        for lane in LANES {
            self.mail.0.entry((recipient, lane)).or_default().remove(&position);
        }
        let flight = self.flights.remove(&(recipient, position));
        let attempts = self.courier.settle(recipient, position);
        let expected = flight.map_or(0, |_| self.attempts[&(recipient, position)]);
        assert_eq!(attempts, expected);
    }

    fn poll(&mut self, max: usize) -> usize {
        self.expire();
        let pushes = self.courier.poll(self.now, max, &self.mail).unwrap();
        assert!(pushes.len() <= max, "{} pushes, at most {max} asked for", pushes.len());
        pushes.iter().for_each(|push| self.pushed(push));
        for id in self.reads.keys() {
            assert!(self.in_flight(*id) <= CONSUMER_CREDIT_MAX as usize);
        }
        pushes.len()
    }

    fn expire(&mut self) {
        let now = self.now;
        self.flights.retain(|_, holder| !matches!(holder, Holder::Until(at) if *at <= now));
        self.forget_attempts();
    }

    /// A mailbox that nobody reads and that has nothing in flight is forgotten.
    fn forget_attempts(&mut self) {
        for recipient in (0..MAILBOXES).map(Ordinal) {
            let read = self.reads.values().any(|agencies| agencies.contains(&recipient));
            if !read && !self.flights.keys().any(|(of, _)| *of == recipient) {
                self.attempts.retain(|(of, _), _| *of != recipient);
                self.urgent.remove(&recipient);
            }
        }
    }

    /// What the courier knows of and nobody has.
    fn available(&self, recipient: Ordinal, lane: Lane) -> Option<Position> {
        // Positions rise: those that the courier was not told of are sorted.
        let told = |at: &Position| self.untold.binary_search_by_key(at, |(_, _, at)| *at).is_err();
        let mut waiting = self.mail.0.get(&(recipient, lane)).into_iter().flatten();
        waiting.find(|at| !self.flights.contains_key(&(recipient, **at)) && told(at)).copied()
    }

    fn pushed(&mut self, push: &Push) {
        let Push { recipient, position, .. } = *push;
        let key = (recipient, position);
        let lane = LANES.into_iter().find(|lane| {
            self.mail.0.get(&(recipient, *lane)).is_some_and(|all| all.contains(&position))
        });
        let lane = lane.expect("only what waits is pushed");
        assert!(!self.flights.contains_key(&key), "{push:?} is in flight already");
        let first = self.available(recipient, lane);
        assert!(first.is_none_or(|first| position <= first), "{push:?}, but {first:?} waits");
        self.check_lane(recipient, lane);
        let attempt = self.attempts.entry(key).or_default();
        *attempt += 1;
        assert_eq!(push.attempt, *attempt, "{push:?}");
        let holder = match push.consumer {
            None => Holder::Until(self.now + PULL_LEASE),
            Some(ConsumerId(id)) => {
                assert!(self.reads[&id].contains(&recipient), "{push:?}");
                let credit = self.credit.get_mut(&id).unwrap();
                assert!(*credit > 0, "{push:?} beyond the credit");
                *credit -= 1;
                Holder::Consumer(id)
            }
        };
        self.flights.insert(key, holder);
    }

    fn check_lane(&mut self, recipient: Ordinal, lane: Lane) {
        let ordinary = self.available(recipient, Lane::Ordinary).is_some();
        let row = self.urgent.entry(recipient).or_default();
        match lane {
            Lane::Urgent => *row = if ordinary { *row + 1 } else { 0 },
            Lane::Ordinary => *row = 0,
        }
        assert!(*row < u32::from(ORDINARY_EVERY), "every eighth place is ordinary");
    }

    fn in_flight(&self, id: u64) -> usize {
        self.flights.values().filter(|holder| **holder == Holder::Consumer(id)).count()
    }

    /// Whoever has room has nothing left to take, and memory is within its bounds.
    fn check_drained(&mut self) {
        while self.courier.has_work() {
            self.poll(64);
        }
        for (id, agencies) in &self.reads {
            let room = self.credit[id] > 0 && self.in_flight(*id) < CONSUMER_CREDIT_MAX as usize;
            for recipient in agencies {
                let full =
                    self.flights.keys().filter(|(of, _)| of == recipient).count() >= IN_FLIGHT_MAX;
                for lane in LANES {
                    let left = self.available(*recipient, lane);
                    assert!(!room || full || left.is_none(), "{id} is not given {left:?}");
                }
            }
        }
        for mailbox in self.courier.mailboxes.values() {
            assert!(!mailbox.consumers.is_empty() || !mailbox.in_flight.is_empty());
            for lane in &mailbox.lanes {
                assert!(lane.ahead.len() <= READ_AHEAD, "{} read ahead", lane.ahead.len());
            }
        }
        assert!(self.courier.ready.is_empty());
        assert!(self.courier.returns.len() <= self.flights.len());
    }

    /// Delivers everything that is left.
    fn finish(&mut self) {
        self.tell();
        (0..4).for_each(|id| self.take(&Step::Close(id)));
        self.now += Duration::from_secs(1_000);
        self.take(&Step::Open(9, (0..MAILBOXES).collect()));
        loop {
            self.take(&Step::Grant(9, 100));
            self.check_drained();
            let flights: Vec<_> = self.flights.keys().copied().collect();
            if flights.is_empty() {
                break;
            }
            flights.into_iter().for_each(|key| self.settle(key));
        }
        assert!(self.mail.0.values().all(BTreeSet::is_empty), "something was never delivered");
        self.take(&Step::Close(9));
        assert!(self.courier.mailboxes.is_empty() && self.courier.returns.is_empty());
    }
}

fn pick<K: Copy, V: Copy>(map: &BTreeMap<K, V>, index: &Index) -> Option<(K, V)> {
    let at = (!map.is_empty()).then(|| index.index(map.len()))?;
    map.iter().nth(at).map(|(key, value)| (*key, *value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_is_lost_or_doubled_and_order_credit_and_bounds_hold(
        steps in vec(step(), 1..60),
        drained in vec(any::<bool>(), 60),
    ) {
        let mut model = Model::default();
        for (step, drain) in steps.iter().zip(drained) {
            model.take(step);
            if drain {
                model.check_drained();
            }
        }
        model.finish();
    }
}

/// A courier whose consumer 1 reads mailboxes, and the mail.
fn reading(agencies: &[u32]) -> Model {
    let mut model = Model::default();
    model.take(&Step::Open(1, agencies.to_vec()));
    model
}

fn arrive(model: &mut Model, recipient: u32, urgent: bool, count: usize) {
    model.take(&Step::Arrive { recipient, urgent, count, told: true });
}

fn polled(model: &mut Model, max: usize) -> Vec<(u32, u64)> {
    let pushes = model.courier.poll(model.now, max, &model.mail).unwrap();
    pushes.iter().for_each(|push| model.pushed(push));
    pushes.iter().map(|push| (push.recipient.0, push.position.0)).collect()
}

#[test]
fn urgent_mail_goes_first_and_every_eighth_place_is_ordinary() {
    let mut model = reading(&[1]);
    arrive(&mut model, 1, false, 3);
    arrive(&mut model, 1, true, 20);
    model.take(&Step::Grant(1, 100));
    let order: Vec<u64> = polled(&mut model, 100).iter().map(|(_, position)| *position).collect();
    let expected: Vec<u64> =
        (3..10).chain([0]).chain(10..17).chain([1]).chain(17..23).chain([2]).collect();
    assert_eq!(order, expected);
}

#[test]
fn mailboxes_take_turns_of_eight() {
    let mut model = reading(&[1, 2]);
    arrive(&mut model, 1, false, 20);
    arrive(&mut model, 2, false, 20);
    model.take(&Step::Grant(1, 24));
    let order: Vec<u32> = polled(&mut model, 100).iter().map(|(of, _)| *of).collect();
    assert_eq!(order, [[1; 8], [2; 8], [1; 8]].concat());
}

#[test]
fn mailboxes_take_turns_also_when_credit_comes_one_by_one() {
    let mut model = reading(&[1, 2, 3]);
    (1..=3).for_each(|of| arrive(&mut model, of, false, 10));
    let mut order = Vec::new();
    for _ in 0..9 {
        model.take(&Step::Grant(1, 1));
        order.extend(polled(&mut model, 100).iter().map(|(of, _)| *of));
    }
    assert_eq!(order, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
}

#[test]
fn what_a_closed_consumer_had_goes_to_another_at_once() {
    let mut model = reading(&[1]);
    model.take(&Step::Open(2, vec![1]));
    arrive(&mut model, 1, false, 3);
    model.take(&Step::Grant(1, 10));
    assert_eq!(polled(&mut model, 100).len(), 3);
    model.take(&Step::Grant(2, 10));
    assert_eq!(polled(&mut model, 100), []);
    model.take(&Step::Close(1));
    assert!(model.courier.has_work());
    assert_eq!(polled(&mut model, 100), [(1, 0), (1, 1), (1, 2)]);
    assert_eq!(model.courier.attempts(Ordinal(1), Position(0)), 2);
}

#[test]
fn a_full_consumer_that_gets_room_takes_from_every_mailbox_that_waited() {
    let mut model = reading(&[1, 2]);
    arrive(&mut model, 1, false, CONSUMER_CREDIT_MAX as usize);
    model.take(&Step::Grant(1, CONSUMER_CREDIT_MAX));
    model.check_drained();
    assert_eq!(model.in_flight(1), CONSUMER_CREDIT_MAX as usize);
    arrive(&mut model, 2, false, 1);
    model.take(&Step::Grant(1, 1));
    assert_eq!(polled(&mut model, 100), []);
    model.settle((Ordinal(1), Position(0)));
    assert_eq!(polled(&mut model, 100), [(2, u64::from(CONSUMER_CREDIT_MAX))]);
}

#[test]
fn a_pulled_delivery_comes_back_after_its_lease_and_a_deferred_one_after_its_delay() {
    let mut model = Model::default();
    arrive(&mut model, 1, false, 2);
    model.take(&Step::Pull(1, 10));
    assert_eq!(model.courier.next_return(), Some(PULL_LEASE));
    model.take(&Step::Open(1, vec![1]));
    model.take(&Step::Grant(1, 10));
    assert_eq!(polled(&mut model, 10), []);
    model.settle((Ordinal(1), Position(1)));
    model.take(&Step::Wait(60));
    model.expire();
    assert_eq!(polled(&mut model, 10), [(1, 0)]);
    assert!(model.courier.defer(Ordinal(1), Position(0), model.now + Duration::from_secs(5)));
    model.flights.clear();
    assert_eq!(polled(&mut model, 10), []);
    model.now += Duration::from_secs(5);
    assert_eq!(polled(&mut model, 10), [(1, 0)]);
    assert_eq!(model.courier.settle(Ordinal(1), Position(0)), 3);
    assert_eq!(model.courier.next_return(), None);
}

#[test]
fn a_position_that_a_scan_passed_too_early_is_delivered_when_it_is_told_of() {
    let mut model = reading(&[1]);
    model.arrive(Ordinal(1), Lane::Ordinary);
    model.arrive(Ordinal(1), Lane::Ordinary);
    // The scan saw only the second of the block's two positions.
    let mut early = Mail::default();
    early.0.insert((Ordinal(1), Lane::Ordinary), BTreeSet::from([Position(1)]));
    model.take(&Step::Grant(1, 10));
    let pushes = model.courier.poll(model.now, 10, &early).unwrap();
    pushes.iter().for_each(|push| model.pushed(push));
    assert_eq!(pushes.len(), 1);
    model.tell();
    assert_eq!(polled(&mut model, 10), [(1, 0)]);
}

/// Mailboxes of which one cannot be read.
struct Torn<'m>(&'m Mail, Ordinal);

impl Mailbox for Torn<'_> {
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError> {
        match recipient == self.1 {
            true => Err(EngineError::State("a page is torn".to_owned())),
            false => self.0.waiting(recipient, lane, after, limit),
        }
    }
}

#[test]
fn a_mailbox_that_cannot_be_read_keeps_no_other_one_back_and_is_looked_at_again() {
    let mut model = reading(&[1, 2, 3]);
    (1..=3).for_each(|of| arrive(&mut model, of, false, 2));
    model.take(&Step::Grant(1, 6));
    let (mut failed, mut pushed) = (0, Vec::new());
    while model.courier.has_work() {
        match model.courier.poll(model.now, 100, &Torn(&model.mail, Ordinal(2))) {
            Ok(pushes) => pushed.extend(pushes),
            Err(_) => failed += 1,
        }
    }
    pushed.iter().for_each(|push| model.pushed(push));
    let of: Vec<u32> = pushed.iter().map(|push| push.recipient.0).collect();
    assert_eq!((of, failed), (vec![1, 1, 3, 3], 1));
    // What happens to it meanwhile does not bring it back; mail of others goes on.
    arrive(&mut model, 2, false, 1);
    assert!(!model.courier.has_work());
    assert_eq!(model.courier.next_return(), Some(UNREADABLE_AGAIN));
    model.now = UNREADABLE_AGAIN;
    let of: Vec<u32> = polled(&mut model, 100).iter().map(|(of, _)| *of).collect();
    assert_eq!(of, [2, 2], "with the credit that is left");
    assert_eq!(model.courier.next_return(), None);
}

#[test]
fn a_mailbox_that_cannot_be_read_is_forgotten_with_its_last_reader() {
    let mut model = reading(&[1]);
    model.take(&Step::Grant(1, 1));
    let torn = Torn(&model.mail, Ordinal(1));
    assert!(model.courier.poll(model.now, 10, &torn).is_err());
    assert!(model.courier.pull(Ordinal(1), 10, model.now, &torn).is_err());
    model.courier.close(ConsumerId(1));
    assert!(model.courier.mailboxes.is_empty() && model.courier.aside.is_empty());
    assert_eq!(model.courier.next_return(), None);
}

#[test]
fn what_was_read_before_a_pull_failed_is_lent_and_the_next_pull_is_told() {
    let mut model = Model::default();
    arrive(&mut model, 1, false, READ_AHEAD + 1);
    model.take(&Step::Pull(1, 1));
    let torn = Torn(&model.mail, Ordinal(1));
    let pulled = model.courier.pull(Ordinal(1), 2 * READ_AHEAD, model.now, &torn).unwrap();
    assert_eq!(pulled.len(), READ_AHEAD - 1);
    assert!(model.courier.pull(Ordinal(1), 1, model.now, &torn).is_err());
}

#[test]
fn a_grant_looks_only_at_mailboxes_that_waited_for_it() {
    let mut model = reading(&[0, 1, 2, 3]);
    arrive(&mut model, 2, false, 2);
    model.take(&Step::Grant(1, 1));
    assert_eq!(model.courier.ready.len(), 4, "at first all of them");
    assert_eq!(polled(&mut model, 10), [(2, 0)]);
    model.take(&Step::Grant(1, 1));
    assert_eq!(model.courier.ready.iter().map(|(_, of)| of.0).collect::<Vec<_>>(), [3, 2]);
    polled(&mut model, 10);
    model.take(&Step::Grant(1, 1));
    polled(&mut model, 10);
    model.take(&Step::Grant(1, 1));
    assert!(!model.courier.has_work(), "nobody waits");
}
