//! What is counted of an agency and of deliveries, and the buckets of how long things took.

use std::time::Duration;

/// One thing that is counted. The number is stable and kept in the keys of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Figure(u8);

/// What something takes time until.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Until {
    /// The recipient's node has it on its own disk.
    Arrived = 0,
    /// 03.
    Accepted = 1,
    /// 06.
    Finished = 2,
}

/// The upper bounds of the buckets, in seconds; the last bucket has none, and is read as a year.
const BOUNDS: [u64; BUCKETS] = [
    1,
    2,
    5,
    10,
    30,
    60,
    120,
    300,
    600,
    1_800,
    3_600,
    2 * 3_600,
    4 * 3_600,
    8 * 3_600,
    16 * 3_600,
    24 * 3_600,
    2 * 86_400,
    3 * 86_400,
    5 * 86_400,
    7 * 86_400,
    14 * 86_400,
    30 * 86_400,
    90 * 86_400,
    365 * 86_400,
];

/// Buckets of a histogram.
pub const BUCKETS: usize = 24;
/// Where the buckets begin among the figures, and how far the histograms lie apart.
const FIRST_BUCKET: u8 = 32;
const HISTOGRAM: u8 = 32;

impl Figure {
    /// Documents sent, each once.
    pub const SENT: Self = Self(1);
    /// Documents sent with a person's signature.
    pub const SENT_PERSONALLY: Self = Self(2);
    /// Documents sent of which a paper copy follows.
    pub const SENT_ON_PAPER: Self = Self(3);
    /// Deliveries received.
    pub const RECEIVED: Self = Self(4);
    /// Deliveries received from the same province.
    pub const RECEIVED_INSIDE: Self = Self(5);
    /// Those of which a paper copy follows.
    pub const RECEIVED_INSIDE_ON_PAPER: Self = Self(6);
    /// Deliveries made.
    pub const DELIVERED: Self = Self(16);
    /// Deliveries that the recipient's node has on its own disk.
    pub const ACKNOWLEDGED: Self = Self(17);
    /// Deliveries taken back or replaced before they were picked up.
    pub const TAKEN_BACK: Self = Self(18);
    /// 03.
    pub const ACCEPTED: Self = Self(19);
    /// 02.
    pub const REFUSED: Self = Self(20);
    /// 03 and at least one of 04, 05, 06.
    pub const PROCESSED: Self = Self(21);
    /// 06.
    pub const FINISHED: Self = Self(22);
    /// Deliveries of documents with a due date.
    pub const WITH_DUE_DATE: Self = Self(23);
    /// Of those: finished by the due date.
    pub const ON_TIME: Self = Self(24);
    /// Of those: not ended when it passed.
    pub const OVERDUE: Self = Self(25);

    const PLAIN: [Self; 16] = [
        Self::SENT,
        Self::SENT_PERSONALLY,
        Self::SENT_ON_PAPER,
        Self::RECEIVED,
        Self::RECEIVED_INSIDE,
        Self::RECEIVED_INSIDE_ON_PAPER,
        Self::DELIVERED,
        Self::ACKNOWLEDGED,
        Self::TAKEN_BACK,
        Self::ACCEPTED,
        Self::REFUSED,
        Self::PROCESSED,
        Self::FINISHED,
        Self::WITH_DUE_DATE,
        Self::ON_TIME,
        Self::OVERDUE,
    ];

    /// Figures have numbers below this.
    pub const END: usize = 128;

    /// Returns the bucket of a histogram that a time falls into: the first whose bound it does not
    /// pass.
    pub fn bucket(until: Until, took: Duration) -> Self {
        let place = BOUNDS.iter().position(|bound| took <= Duration::from_secs(*bound));
        Self::nth_bucket(until, place.unwrap_or(BUCKETS - 1))
    }

    #[allow(clippy::cast_possible_truncation)] // A histogram has 24 buckets.
    fn nth_bucket(until: Until, place: usize) -> Self {
        Self(FIRST_BUCKET + HISTOGRAM * until as u8 + place as u8)
    }

    /// Returns the buckets of a histogram, the shortest times first.
    pub fn buckets(until: Until) -> impl Iterator<Item = Self> {
        (0..BUCKETS).map(move |place| Self::nth_bucket(until, place))
    }

    /// Returns the buckets of a histogram, the shortest times first, with the upper bound of each;
    /// none of the last.
    pub fn bounded_buckets(until: Until) -> impl Iterator<Item = (Self, Option<Duration>)> {
        let bounds = BOUNDS.into_iter().map(|bound| Some(Duration::from_secs(bound)));
        Self::buckets(until).zip(bounds.take(BUCKETS - 1).chain([None]))
    }

    /// Returns all figures.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.into_iter().chain(Until::ALL.into_iter().flat_map(Self::buckets))
    }

    /// Returns the stable number, below [`Figure::END`].
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Returns a name for people.
    pub fn name(self) -> String {
        const NAMES: [&str; 16] = [
            "sent",
            "sent with a personal signature",
            "sent with a paper copy",
            "received",
            "received from inside",
            "received from inside with a paper copy",
            "delivered",
            "acknowledged",
            "taken back",
            "accepted",
            "refused",
            "processed",
            "finished",
            "with due date",
            "on time",
            "overdue",
        ];
        if let Some(place) = Self::PLAIN.iter().position(|plain| *plain == self) {
            return NAMES[place].to_owned();
        }
        let found = Until::ALL.into_iter().find_map(|until| {
            let place = Self::buckets(until).position(|bucket| bucket == self)?;
            Some(format!("{} within {} s", until.name(), BOUNDS[place]))
        });
        found.unwrap_or_else(|| format!("figure {}", self.0))
    }

    /// Returns the figure with a stable number.
    pub fn of_number(number: u8) -> Option<Self> {
        let figure = Self(number);
        match Until::of_bucket(figure) {
            Some(_) => usize::from((number - FIRST_BUCKET) % HISTOGRAM) < BUCKETS,
            None => Self::PLAIN.contains(&figure),
        }
        .then_some(figure)
    }
}

impl Until {
    /// All of them, in the order of the work.
    pub const ALL: [Self; 3] = [Self::Arrived, Self::Accepted, Self::Finished];

    const fn name(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Accepted => "accepted",
            Self::Finished => "finished",
        }
    }

    /// Until what the histogram counts that a figure is a bucket of; `None` for one that is not.
    pub(super) fn of_bucket(figure: Figure) -> Option<Self> {
        let histogram = figure.0.checked_sub(FIRST_BUCKET)? / HISTOGRAM;
        Self::ALL.get(usize::from(histogram)).copied()
    }

    /// What a figure is timed until; `None` for one that is not.
    pub(super) fn of(figure: Figure) -> Option<Self> {
        match figure {
            Figure::ACKNOWLEDGED => Some(Self::Arrived),
            Figure::ACCEPTED => Some(Self::Accepted),
            Figure::FINISHED => Some(Self::Finished),
            _ => None,
        }
    }
}

/// Returns the time within which `share` per cent of what a histogram holds took, as the upper bound
/// of the bucket that holds it; `None` when it holds nothing. The last bucket reads as a year.
pub fn percentile(buckets: &[u64], share: u64) -> Option<Duration> {
    let all: u64 = buckets.iter().sum();
    if all == 0 {
        return None;
    }
    let wanted = (u128::from(all) * u128::from(share)).div_ceil(100).max(1);
    let mut sum = 0;
    let place = buckets.iter().position(|count| {
        sum += u128::from(*count);
        sum >= wanted
    });
    Some(Duration::from_secs(BOUNDS[place.unwrap_or(BUCKETS - 1).min(BUCKETS - 1)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_figures_are_unique_and_below_the_end() {
        let mut numbers: Vec<_> = Figure::all().map(Figure::number).collect();
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
        assert!(numbers.iter().all(|number| usize::from(*number) < Figure::END));
    }

    #[test]
    fn a_percentile_is_the_bound_of_the_bucket_that_holds_it() {
        let mut counts = [0; BUCKETS];
        for seconds in 1..=100 {
            let figure = Figure::bucket(Until::Accepted, Duration::from_secs(seconds));
            let place = Figure::buckets(Until::Accepted).position(|one| one == figure);
            counts[place.unwrap()] += 1;
        }
        let of = |share| percentile(&counts, share).map(|took| took.as_secs());
        assert_eq!((of(1), of(50), of(61), of(100)), (Some(1), Some(60), Some(120), Some(120)));
        assert_eq!(percentile(&[0; BUCKETS], 50), None);
    }
}
