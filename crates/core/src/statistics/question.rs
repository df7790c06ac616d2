//! A question to the statistics: what is asked, of what, cut how.

use lienthong_model::{DocumentType, Level, Ordinal, Reason, Refusal, Region, Timestamp};
use lienthong_trust::SignatureKind;

use super::event::Direction;
use super::period::{Grain, Period};
use super::vocabulary::{Dimension, Measure};
use crate::routing::Span;

/// A question. All its measures must be of one family: see [`Measure::family`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// When. Rounded to whole hours (exchange, refusals) or days (everything else) that it touches.
    pub period: Period,
    /// By time; none: the whole period at once.
    pub bucket: Option<Grain>,
    /// By what else, at most three dimensions.
    pub group_by: Vec<Dimension>,
    /// What counts: what has, for each dimension named, one of its values.
    pub filter: Vec<Condition>,
    /// What is asked.
    pub measures: Vec<Measure>,
    /// With which other periods it is compared.
    pub compare: Vec<Comparison>,
    /// The largest of a measure first; none: in the order of time and groups.
    pub top: Option<Measure>,
}

/// That a dimension has one of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The dimension.
    pub dimension: Dimension,
    /// The values; at most 1,024.
    pub values: Vec<Value>,
}

/// What to compare with. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The period right before, as long.
    Before = 1,
    /// The same days of the year before.
    YearBefore = 2,
}

/// What a dimension can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A province; none for the centre.
    Province(Option<Ordinal>),
    /// A region; none for the centre, and for provinces that are in none.
    Region(Option<Region>),
    /// A level.
    Level(Level),
    /// An agency.
    Agency(Ordinal),
    /// A type.
    DocumentType(DocumentType),
    /// Sent or received.
    Direction(Direction),
    /// A scope.
    Scope(Span),
    /// Signatures.
    Signature(SignatureKind),
    /// Whether a paper copy follows.
    PaperCopy(bool),
    /// A reason.
    Reason(Reason),
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The rows, in the order asked for; a group in which nothing was counted is left out.
    pub rows: Vec<Row>,
    /// How many rows there are, those that were not wanted too.
    pub rows_total: usize,
    /// All rows together: for every measure that counts, their sum.
    pub total: Row,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The first moment of the hour, day, month or year; none when the question is not by time.
    pub bucket: Option<Timestamp>,
    /// The values of the dimensions, in the order asked for; none of them in the total.
    pub group: Vec<Value>,
    /// The measures, in the order asked for; none where there is nothing to measure.
    pub values: Vec<Option<u64>>,
    /// The same in each period compared with, in the order asked for.
    pub compared: Vec<Vec<Option<u64>>>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// Nothing is asked, or too much.
    #[error("{found} {what}, {least} to {most} can be asked for")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many were given.
        found: usize,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// Measures of two families.
    #[error("`{0}` and `{1}` are counted apart: ask for them one after the other")]
    Mixed(Measure, Measure),
    /// A dimension that the measure does not have.
    #[error("`{measure}` is not counted by `{dimension}`; it is by {known}")]
    NotCountedBy {
        /// The measure.
        measure: Measure,
        /// The dimension.
        dimension: Dimension,
        /// Those that it has.
        known: String,
    },
    /// A bucket finer than what is kept.
    #[error("`{0}` is counted by day, month and year, not by hour")]
    NotByHour(Measure),
    /// Hours that are not kept any more.
    #[error("hours are kept since {0}: ask for a later period, or by day")]
    HoursGone(Timestamp),
    /// A value of another dimension.
    #[error("a value of `{0}` is of another dimension")]
    OtherDimension(Dimension),
    /// It ends before it begins.
    #[error("the period ends before it begins")]
    Period,
    /// More rows than can be returned.
    #[error("the answer has more than {0} rows: ask for a shorter period, or fewer dimensions")]
    TooManyRows(usize),
}

impl Unanswerable {
    /// Returns the refusal that says so.
    pub fn refusal(&self) -> Refusal {
        let field = match self {
            Self::Count { what, .. } => what,
            Self::Mixed(..) => "measures",
            Self::NotCountedBy { .. } => "group_by",
            Self::NotByHour(_) | Self::HoursGone(_) => "bucket",
            Self::OtherDimension(_) => "filter",
            Self::Period | Self::TooManyRows(_) => "period",
        };
        Refusal::at(Reason::FieldInvalid, field, self)
    }
}

impl Question {
    /// Returns a question without groups, filters and comparisons.
    pub fn of(period: Period, measures: &[Measure]) -> Self {
        Self {
            period,
            bucket: None,
            group_by: Vec::new(),
            filter: Vec::new(),
            measures: measures.to_vec(),
            compare: Vec::new(),
            top: None,
        }
    }

    /// Groups by dimensions.
    #[must_use]
    pub fn by(mut self, dimensions: &[Dimension]) -> Self {
        self.group_by = dimensions.to_vec();
        self
    }

    /// Adds a condition.
    #[must_use]
    pub fn only(mut self, dimension: Dimension, values: &[Value]) -> Self {
        self.filter.push(Condition { dimension, values: values.to_vec() });
        self
    }

    /// Groups by time.
    #[must_use]
    pub fn each(mut self, bucket: Grain) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Returns whether it asks for what single agencies did.
    pub fn names_agencies(&self) -> bool {
        self.names(Dimension::Agency)
    }

    /// Returns whether it groups or filters by a dimension.
    pub(super) fn names(&self, dimension: Dimension) -> bool {
        self.dimensions().any(|one| one == dimension)
    }

    pub(super) fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        let filtered = self.filter.iter().map(|condition| condition.dimension);
        self.group_by.iter().copied().chain(filtered)
    }
}

impl Comparison {
    /// Returns the period that a period is compared with.
    pub fn of(self, period: Period) -> Period {
        match self {
            Self::Before => period.before(),
            Self::YearBefore => period.year_before(),
        }
    }

    /// Returns the comparison with a stable number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Before, Self::YearBefore].into_iter().find(|one| *one as u8 == number)
    }

    /// Returns the name in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::YearBefore => "year-before",
        }
    }
}

/// The least number that growth is reckoned from.
pub const BASIS_MIN: u64 = 100;

/// Returns by how many tenths of a per cent a number grew; `None` when there is no basis: the
/// earlier number is below [`BASIS_MIN`].
pub fn growth(now: u64, before: u64) -> Option<i64> {
    if before < BASIS_MIN {
        return None;
    }
    let (now, before) = (i128::from(now), i128::from(before));
    i64::try_from((now - before) * 1_000 / before).ok()
}
