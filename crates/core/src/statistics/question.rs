//! A question to the statistics: what is asked, of what, cut how.

use lienthong_model::limits::{
    STATISTICS_DIMENSIONS_MAX, STATISTICS_MEASURES_MAX, STATISTICS_VALUES_MAX,
};
use lienthong_model::{DocumentType, Level, Ordinal, Reason, Refusal, Region, Timestamp};
use lienthong_trust::SignatureKind;

use super::cubes::CubeName;
use super::event::Direction;
use super::figures::{Figure, Until};
use super::period::{Grain, Period};
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

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal, $name:literal, $vi:literal, $en:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$vdoc])* $variant = $number,)+ }

        impl $type {
            /// All values, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Returns the stable number.
            pub const fn number(self) -> u8 { self as u8 }
            /// Returns the value with a stable number.
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.number() == number)
            }
            /// Returns the name in JSON and on the command line.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            /// Returns the value with a name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
            /// Returns the Vietnamese name.
            pub const fn name_vi(self) -> &'static str { match self { $(Self::$variant => $vi),+ } }
            /// Returns the English name.
            pub const fn name_en(self) -> &'static str { match self { $(Self::$variant => $en),+ } }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.name()) }
        }
    };
}

numbered! {
    /// What figures can be grouped and filtered by. Numbers are stable.
    Dimension {
        /// The province of the agency whose figures they are; of exchange: the sender's.
        Province = 1, "province", "địa phương", "province";
        /// The region of that province.
        Region = 2, "region", "vùng", "region";
        /// The agency's level; of exchange: the sender's.
        Level = 3, "level", "cấp", "level";
        /// The agency.
        Agency = 4, "agency", "cơ quan", "agency";
        /// The type of the document.
        DocumentType = 5, "type", "loại văn bản", "type";
        /// Sent or received.
        Direction = 6, "direction", "chiều", "direction";
        /// How sender and recipient lie to each other.
        Scope = 7, "scope", "phạm vi", "scope";
        /// Which signatures count.
        Signature = 8, "signature", "chữ ký", "signature";
        /// Whether a paper copy follows.
        PaperCopy = 9, "paper", "bản giấy", "paper copy";
        /// Of exchange: the recipient's province.
        PartnerProvince = 10, "to-province", "địa phương nhận", "to province";
        /// Of exchange: the region of the recipient's province.
        PartnerRegion = 11, "to-region", "vùng nhận", "to region";
        /// Of exchange: the recipient's level.
        PartnerLevel = 12, "to-level", "cấp nhận", "to level";
        /// Why something was refused by the hub.
        Reason = 13, "reason", "lý do", "reason";
    }
}

numbered! {
    /// What is counted. Numbers are stable.
    Measure {
        /// Documents sent (each once) and deliveries received: tell them apart by direction.
        Documents = 1, "documents", "văn bản", "documents";
        /// Their pages.
        Pages = 2, "pages", "trang", "pages";
        /// Deliveries between places.
        Deliveries = 3, "deliveries", "lượt gửi", "deliveries";
        /// Bytes of their content and attachments.
        Bytes = 4, "bytes", "byte", "bytes";
        /// Deliveries made.
        Delivered = 5, "delivered", "đã chuyển", "delivered";
        /// Deliveries that the recipient's node has on its own disk.
        Acknowledged = 6, "acknowledged", "đã nhận", "acknowledged";
        /// Deliveries taken back or replaced before they were picked up.
        TakenBack = 7, "taken-back", "lấy lại", "taken back";
        /// 03.
        Accepted = 8, "accepted", "đã tiếp nhận", "accepted";
        /// 02.
        Refused = 9, "refused", "bị từ chối", "refused";
        /// 03 and at least one of 04, 05, 06.
        Processed = 10, "processed", "xử lý điện tử", "processed";
        /// 06.
        Finished = 11, "finished", "hoàn thành", "finished";
        /// Deliveries with a due date.
        WithDueDate = 12, "with-due-date", "có hạn", "with due date";
        /// Finished by the due date.
        OnTime = 13, "on-time", "đúng hạn", "on time";
        /// Not ended when the due date passed.
        Overdue = 14, "overdue", "quá hạn", "overdue";
        /// Requests refused by the hub.
        Refusals = 15, "refusals", "lượt bị từ chối", "refusals";
        /// Milliseconds within which half arrived on the recipient's disk.
        ArriveHalf = 20, "arrive-p50", "đến, 50 %", "arrive, 50 %";
        /// Milliseconds within which 90 % did.
        ArriveMost = 21, "arrive-p90", "đến, 90 %", "arrive, 90 %";
        /// Milliseconds within which 99 % did.
        ArriveAll = 22, "arrive-p99", "đến, 99 %", "arrive, 99 %";
        /// Milliseconds within which half were accepted, of those that were.
        AcceptHalf = 23, "accept-p50", "tiếp nhận, 50 %", "accept, 50 %";
        /// Milliseconds within which 90 % were.
        AcceptMost = 24, "accept-p90", "tiếp nhận, 90 %", "accept, 90 %";
        /// Milliseconds within which 99 % were.
        AcceptAll = 25, "accept-p99", "tiếp nhận, 99 %", "accept, 99 %";
        /// Milliseconds within which half were finished, of those that were.
        FinishHalf = 26, "finish-p50", "hoàn thành, 50 %", "finish, 50 %";
        /// Milliseconds within which 90 % were.
        FinishMost = 27, "finish-p90", "hoàn thành, 90 %", "finish, 90 %";
        /// Milliseconds within which 99 % were.
        FinishAll = 28, "finish-p99", "hoàn thành, 99 %", "finish, 99 %";
    }
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

/// What measures are asked of together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Documents by what they are.
    Documents,
    /// Deliveries between places.
    Exchange,
    /// How far deliveries came, by the day on which they were made.
    Progress,
    /// What the hub refused.
    Refusals,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The rows, in the order asked for; a group in which nothing was counted is left out.
    pub rows: Vec<Row>,
    /// All rows together: for every measure that counts, their sum.
    pub total: Row,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        self.dimensions().any(|dimension| dimension == Dimension::Agency)
    }

    pub(super) fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        let filtered = self.filter.iter().map(|condition| condition.dimension);
        self.group_by.iter().copied().chain(filtered)
    }

    /// Returns the cube that has the answer.
    pub(super) fn check(&self) -> Result<CubeName, Unanswerable> {
        let Self { period, bucket, group_by, filter, measures, compare, top } = self;
        if period.from >= period.until {
            return Err(Unanswerable::Period);
        }
        let counted = [
            ("measures", measures.len(), 1, STATISTICS_MEASURES_MAX),
            ("group_by", group_by.len(), 0, STATISTICS_DIMENSIONS_MAX),
            ("filter", filter.len(), 0, Dimension::ALL.len() + 1),
            ("compare", compare.len(), 0, 2),
        ];
        let values =
            filter.iter().map(|one| ("filter", one.values.len(), 1, STATISTICS_VALUES_MAX));
        for (what, found, least, most) in counted.into_iter().chain(values) {
            if !(least..=most).contains(&found) {
                return Err(Unanswerable::Count { what, found, least, most });
            }
        }
        let first = measures[0];
        let other = measures.iter().chain(top).find(|other| other.family() != first.family());
        if let Some(other) = other {
            return Err(Unanswerable::Mixed(first, *other));
        }
        for Condition { dimension, values } in filter {
            if values.iter().any(|value| value.number_in(*dimension).is_none()) {
                return Err(Unanswerable::OtherDimension(*dimension));
            }
        }
        let cube = first.family().cube(self.names_agencies());
        let dimensions = cube.dimensions(first.family());
        for measure in measures.iter().chain(top) {
            let missing = self.dimensions().find(|dimension| !dimensions.contains(dimension));
            let timed = measure.percentile().is_some() && cube == CubeName::Agency;
            let missing = missing.or(timed.then_some(Dimension::Agency));
            if let Some(dimension) = missing {
                let known: Vec<_> = dimensions.iter().map(|one| one.name()).collect();
                let (measure, known) = (*measure, known.join(", "));
                return Err(Unanswerable::NotCountedBy { measure, dimension, known });
            }
            let pages = *measure == Measure::Pages && cube == CubeName::Agency;
            if pages {
                let (measure, dimension) = (*measure, Dimension::Agency);
                let known = "every other dimension".to_owned();
                return Err(Unanswerable::NotCountedBy { measure, dimension, known });
            }
        }
        if *bucket == Some(Grain::Hour) && cube.grains()[0] != Grain::Hour {
            return Err(Unanswerable::NotByHour(first));
        }
        Ok(cube)
    }
}

impl Family {
    fn cube(self, names_agencies: bool) -> CubeName {
        match (self, names_agencies) {
            (Self::Documents | Self::Progress, true) => CubeName::Agency,
            (Self::Documents, false) => CubeName::Kind,
            (Self::Exchange, _) => CubeName::Flow,
            (Self::Progress, false) => CubeName::Progress,
            (Self::Refusals, _) => CubeName::Refusals,
        }
    }
}

impl CubeName {
    fn dimensions(self, family: Family) -> &'static [Dimension] {
        use Dimension::{
            Agency, Direction, DocumentType, Level, PaperCopy, PartnerLevel, PartnerProvince,
            PartnerRegion, Province, Reason, Region, Scope, Signature,
        };
        match (self, family) {
            (Self::Flow, _) => {
                &[Province, Region, Level, PartnerProvince, PartnerRegion, PartnerLevel]
            }
            (Self::Kind, _) => &[
                Province,
                Region,
                Level,
                Direction,
                Scope,
                DocumentType,
                Signature,
                PaperCopy,
                Agency,
            ],
            (Self::Agency, Family::Documents) => &[Province, Region, Level, Agency, Direction],
            (Self::Agency, _) => &[Province, Region, Level, Agency],
            (Self::Progress, _) => &[Province, Region, Level, Agency],
            (Self::Refusals, _) => &[Province, Region, Reason],
        }
    }
}

impl Measure {
    /// Returns what it is asked together with.
    pub fn family(self) -> Family {
        match self {
            Self::Documents | Self::Pages => Family::Documents,
            Self::Deliveries | Self::Bytes => Family::Exchange,
            Self::Refusals => Family::Refusals,
            Self::Delivered
            | Self::Acknowledged
            | Self::TakenBack
            | Self::Accepted
            | Self::Refused
            | Self::Processed
            | Self::Finished
            | Self::WithDueDate
            | Self::OnTime
            | Self::Overdue
            | Self::ArriveHalf
            | Self::ArriveMost
            | Self::ArriveAll
            | Self::AcceptHalf
            | Self::AcceptMost
            | Self::AcceptAll
            | Self::FinishHalf
            | Self::FinishMost
            | Self::FinishAll => Family::Progress,
        }
    }

    /// Returns, for a measure of time, until what and the share in per cent.
    pub fn percentile(self) -> Option<(Until, u64)> {
        Some(match self {
            Self::ArriveHalf => (Until::Arrived, 50),
            Self::ArriveMost => (Until::Arrived, 90),
            Self::ArriveAll => (Until::Arrived, 99),
            Self::AcceptHalf => (Until::Accepted, 50),
            Self::AcceptMost => (Until::Accepted, 90),
            Self::AcceptAll => (Until::Accepted, 99),
            Self::FinishHalf => (Until::Finished, 50),
            Self::FinishMost => (Until::Finished, 90),
            Self::FinishAll => (Until::Finished, 99),
            _ => return None,
        })
    }

    /// The figure that it is, for a count of progress.
    pub(super) fn figure(self) -> Option<Figure> {
        Some(match self {
            Self::Delivered => Figure::DELIVERED,
            Self::Acknowledged => Figure::ACKNOWLEDGED,
            Self::TakenBack => Figure::TAKEN_BACK,
            Self::Accepted => Figure::ACCEPTED,
            Self::Refused => Figure::REFUSED,
            Self::Processed => Figure::PROCESSED,
            Self::Finished => Figure::FINISHED,
            Self::WithDueDate => Figure::WITH_DUE_DATE,
            Self::OnTime => Figure::ON_TIME,
            Self::Overdue => Figure::OVERDUE,
            _ => return None,
        })
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
