//! Which folder is gone on with next: a bounded number at a time, those with something to upload
//! apart from the others, and none before its pause is over.
//!
//! It reads neither disk nor clock: whoever owns it says what lies there and what became of each.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use lienthong_model::limits::{CONNECTOR_BACKOFF_MAX, OUTGOING_AT_A_TIME_MAX};
use tokio::time::Instant;

use super::hand_over::Outcome;
use super::parcel::Parcel;

/// The first pause of what waits; it doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(1);

/// With which others a folder is under way; of each there are [`OUTGOING_AT_A_TIME_MAX`] at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// All of its files travel beside the content.
    Small,
    /// Some may have to be uploaded, which may take hours.
    Large,
}

/// Until when nothing is tried.
#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Instant,
    span: Duration,
}

/// The folders that have no outcome yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    small: VecDeque<Parcel>,
    large: VecDeque<Parcel>,
    under_way: HashMap<PathBuf, Lane>,
    known_large: HashSet<PathBuf>,
    /// Those that wait for something of their own.
    pauses: HashMap<PathBuf, Pause>,
    /// The hub was away: nothing is tried until then.
    away: Option<Pause>,
}

impl Pause {
    fn after(before: Option<Self>, now: Instant) -> Self {
        let span = before.map_or(PAUSE, |pause| (pause.span * 2).min(CONNECTOR_BACKOFF_MAX));
        Self { until: now + span, span }
    }
}

impl Queue {
    /// Takes what lies there now. What is under way or pauses is not begun.
    pub(super) fn list(&mut self, parcels: Vec<Parcel>, now: Instant) {
        let there: HashSet<&PathBuf> = parcels.iter().map(|parcel| &parcel.folder).collect();
        self.known_large.retain(|folder| there.contains(folder));
        self.pauses.retain(|folder, _| there.contains(folder));
        self.small.clear();
        self.large.clear();
        for parcel in parcels {
            let pauses = self.pauses.get(&parcel.folder).is_some_and(|pause| now < pause.until);
            if pauses || self.under_way.contains_key(&parcel.folder) {
                continue;
            }
            let lane = match self.known_large.contains(&parcel.folder) {
                true => Lane::Large,
                false => Lane::Small,
            };
            self.waiting(lane).push_back(parcel);
        }
    }

    /// Returns one that is to be gone on with now, and in which lane. Until it has
    /// [`ended`](Self::ended) it does not come again.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Parcel, Lane)> {
        if self.away.is_some_and(|pause| now < pause.until) {
            return None;
        }
        for lane in [Lane::Small, Lane::Large] {
            let busy = self.under_way.values().filter(|other| **other == lane).count();
            if busy < OUTGOING_AT_A_TIME_MAX
                && let Some(parcel) = self.waiting(lane).pop_front()
            {
                self.under_way.insert(parcel.folder.clone(), lane);
                return Some((parcel, lane));
            }
        }
        None
    }

    /// Takes what became of one.
    pub(super) fn ended(&mut self, parcel: Parcel, outcome: Outcome, now: Instant) {
        self.under_way.remove(&parcel.folder);
        match outcome {
            Outcome::Done => {
                self.away = None;
                self.pauses.remove(&parcel.folder);
                self.known_large.remove(&parcel.folder);
            }
            Outcome::Large => {
                self.known_large.insert(parcel.folder.clone());
                self.large.push_back(parcel);
            }
            Outcome::Waits => {
                let pause = Pause::after(self.pauses.get(&parcel.folder).copied(), now);
                self.pauses.insert(parcel.folder, pause);
            }
            // Several that were under way say it of one and the same absence.
            Outcome::Away if self.away.is_none_or(|pause| pause.until <= now) => {
                self.away = Some(Pause::after(self.away, now));
            }
            Outcome::Away => {}
        }
    }

    /// Lets the hub be tried at once, should it have been away: somebody is waiting.
    pub(super) fn hurry(&mut self, now: Instant) {
        if let Some(pause) = &mut self.away {
            pause.until = pause.until.min(now);
        }
    }

    fn waiting(&mut self, lane: Lane) -> &mut VecDeque<Parcel> {
        match lane {
            Lane::Small => &mut self.small,
            Lane::Large => &mut self.large,
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::AgencyCode;

    use super::*;
    use crate::outgoing::Kind;

    fn parcel(name: &str) -> Parcel {
        let agency = AgencyCode::parse("H36").unwrap();
        let folder = PathBuf::from("sending").join(name);
        Parcel { kind: Kind::Document, agency, name: name.to_owned(), folder }
    }

    fn names(queue: &mut Queue, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| queue.next(now)).map(|(parcel, _)| parcel.name).collect()
    }

    #[test]
    fn documents_without_uploads_do_not_queue_behind_those_with_them() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let many: Vec<Parcel> = (0..20).map(|n| parcel(&format!("map-{n}"))).collect();
        queue.list(many.clone(), now);
        let first: Vec<_> = std::iter::from_fn(|| queue.next(now)).collect();
        assert_eq!(first.len(), OUTGOING_AT_A_TIME_MAX);
        for (parcel, lane) in first {
            assert_eq!(lane, Lane::Small, "nobody has looked into it yet");
            queue.ended(parcel, Outcome::Large, now);
        }
        // The others are found to be large, too; then every slot for uploads is taken.
        while let Some((parcel, lane)) = queue.next(now) {
            if lane == Lane::Small {
                queue.ended(parcel, Outcome::Large, now);
            }
        }
        queue.list(many.into_iter().chain([parcel("letter")]).collect(), now);
        assert_eq!(names(&mut queue, now), ["letter"]);
        queue.ended(parcel("map-0"), Outcome::Done, now);
        assert_eq!(names(&mut queue, now).len(), 1, "a slot for the next large one");
    }

    #[test]
    fn what_is_under_way_is_not_begun_again_and_what_waits_pauses_alone() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let both = || vec![parcel("a"), parcel("b")];
        queue.list(both(), now);
        assert_eq!(names(&mut queue, now), ["a", "b"]);
        queue.list(both(), now);
        assert_eq!(names(&mut queue, now), [] as [&str; 0]);
        queue.ended(parcel("a"), Outcome::Waits, now);
        queue.ended(parcel("b"), Outcome::Done, now);
        queue.list(both(), now);
        assert_eq!(names(&mut queue, now), ["b"], "of the same name, or moved back");
        let later = now + PAUSE;
        queue.list(both(), later);
        assert_eq!(names(&mut queue, later), ["a"]);
        queue.ended(parcel("a"), Outcome::Waits, later);
        queue.list(both(), later + PAUSE);
        assert_eq!(names(&mut queue, later + PAUSE), [] as [&str; 0], "the pause has doubled");
    }

    #[test]
    fn while_the_hub_is_away_nothing_is_tried_but_when_somebody_waits() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.list(vec![parcel("a"), parcel("b")], now);
        assert_eq!(names(&mut queue, now), ["a", "b"]);
        queue.ended(parcel("a"), Outcome::Away, now);
        queue.ended(parcel("b"), Outcome::Away, now);
        queue.list(vec![parcel("a"), parcel("b")], now);
        assert!(queue.next(now).is_none());
        let later = now + PAUSE;
        assert!(queue.next(later).is_some(), "said twice of one absence, it pauses once");
        queue.hurry(now);
        assert!(queue.next(now).is_some());
    }
}
