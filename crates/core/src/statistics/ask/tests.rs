//! Any question about any period against a count of what happened, one by one.
//!
//! The time is around a leap year's February, so that periods begin and end in every part of a month,
//! and cross the borders of ten days, of months and of a 29th.

use std::collections::BTreeMap;

use bytes::Bytes;
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Day, DocumentType, Level, Ordinal, Reason, Region,
    SignaturePolicy,
};
use lienthong_trust::SignatureKind;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::directory::Place;
use crate::engine::Writes;
use crate::routing::span;
use crate::statistics::fold::Fold;
use crate::statistics::{
    Dimension, Direction, Event, Family, Figure, Made, Measure, Period, Traits, Value,
};

const HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);
/// From 25 January 2020 on, for seventy-one days; hours are kept for more.
const BEGIN: &str = "2020-01-25";
const HOURS: u32 = 71 * 24;
/// Provinces of three regions, and one that is in none.
const PROVINCES: [&str; 4] = ["H26", "H34", "H30", "H99"];

/// Rows that were written.
#[derive(Default)]
struct Written(BTreeMap<Vec<u8>, Bytes>);

impl Written {
    fn write(&mut self, writes: Writes) {
        for (key, row) in writes {
            match row {
                Some(row) => self.0.insert(key, row),
                None => self.0.remove(&key),
            };
        }
    }
}

impl Tables for Written {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        let rows = self.0.range(from.max(prefix).to_vec()..);
        let mut rows = rows.take_while(|(key, _)| key.starts_with(prefix));
        let _ = rows.all(|(key, row)| visit(key, row));
        Ok(())
    }
}

/// Something that happened, as an event and when it was folded.
type Happened = (Timestamp, Event);

/// One thing that is counted: when, of what, how much.
struct Fact {
    family: Family,
    at: Timestamp,
    of: BTreeMap<Dimension, Value>,
    measures: BTreeMap<Measure, u64>,
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    for code in PROVINCES {
        let code = AgencyCode::parse(code).unwrap();
        directory.put(AgencyEntry {
            name: code.to_string(),
            province: Some(code.clone()),
            code,
            level: Level::Province,
            parent: None,
            from: Day(0),
            until: None,
            state: AgencyState::Connected,
            policy: SignaturePolicy::Required,
            gateway: None,
        });
    }
    directory
}

fn begin() -> Timestamp {
    Timestamp::parse(BEGIN).unwrap()
}

fn place() -> impl Strategy<Value = Place> {
    let province =
        select((0..PROVINCES.len() as u32).map(|n| Some(Ordinal(n))).collect::<Vec<_>>());
    (prop::option::weighted(0.8, province), select(Level::ALL.to_vec()))
        .prop_map(|(province, level)| Place { province: province.flatten(), level })
}

fn traits() -> impl Strategy<Value = Traits> {
    let types = select(DocumentType::all().collect::<Vec<_>>());
    let of = (types, select(SignatureKind::ALL.to_vec()), any::<bool>(), 0..400u32);
    of.prop_map(|(document_type, signature, paper_copy, pages)| Traits {
        document_type,
        signature,
        paper_copy,
        pages,
    })
}

fn happened() -> impl Strategy<Value = Happened> {
    let figures = [
        Figure::ACKNOWLEDGED,
        Figure::TAKEN_BACK,
        Figure::ACCEPTED,
        Figure::REFUSED,
        Figure::PROCESSED,
        Figure::FINISHED,
        Figure::ON_TIME,
        Figure::OVERDUE,
    ];
    let reasons = [Reason::SignatureInvalid, Reason::IdReused, Reason::FieldMissing];
    let what =
        (0..4u8, place(), place(), traits(), select(figures.to_vec()), select(reasons.to_vec()));
    // What comes of a delivery comes later, often in another month.
    let when = (0..HOURS, 0..3_600_000u32, prop::option::of(0..240u32));
    (what, when, any::<bool>(), 0..5_000u32).prop_map(
        |((what, from, to, traits, figure, reason), (hour, millis, later), due, bytes)| {
            let at =
                begin().plus(HOUR * hour).plus(std::time::Duration::from_millis(millis.into()));
            let due = due.then_some(at);
            let made = Made { at, place: to, due };
            // An agency of each place; ordinals beyond any that a directory has, too.
            let of = |place: Place| {
                let province = place.province.map_or(7, |province| province.0);
                Ordinal(province * 90_000 + u32::from(place.level.number()))
            };
            let scope = span(from.province, to.province);
            match what {
                0 => (at, Event::Sent { agency: of(from), sender: from, scope, traits }),
                1 => {
                    let (agency, bytes) = (of(to), u64::from(bytes));
                    (at, Event::Received { agency, sender: from, made, bytes, traits })
                }
                2 => {
                    let now = at.plus(HOUR * later.unwrap_or(0));
                    (now, Event::Progressed { agency: of(to), made, figure })
                }
                _ => (at, Event::Refused { province: from.province, reason, count: bytes }),
            }
        },
    )
}

fn of_place(place: Place, [province, region, level]: [Dimension; 3]) -> Vec<(Dimension, Value)> {
    let code = place.province.map(|ordinal| PROVINCES[ordinal.0 as usize]);
    let known = code.and_then(|code| Region::of_province(&AgencyCode::parse(code).unwrap().key()));
    vec![
        (province, Value::Province(place.province)),
        (region, Value::Region(known)),
        (level, Value::Level(place.level)),
    ]
}

/// What an event counts: documents sent and refusals when they are folded, the rest when the delivery
/// was made.
fn facts((now, event): &Happened) -> Vec<Fact> {
    use Dimension as D;
    const HERE: [Dimension; 3] = [D::Province, D::Region, D::Level];
    const THERE: [Dimension; 3] = [D::PartnerProvince, D::PartnerRegion, D::PartnerLevel];
    let fact = |family, at, of: Vec<_>, measures: &[(Measure, u64)]| Fact {
        family,
        at,
        of: of.into_iter().collect(),
        measures: measures.iter().copied().collect(),
    };
    let document = |at, (agency, place), direction, scope, traits: Traits| {
        let mut of = of_place(place, HERE);
        of.extend([
            (D::Agency, Value::Agency(agency)),
            (D::DocumentType, Value::DocumentType(traits.document_type)),
            (D::Direction, Value::Direction(direction)),
            (D::Scope, Value::Scope(scope)),
            (D::Signature, Value::Signature(traits.signature)),
            (D::PaperCopy, Value::PaperCopy(traits.paper_copy)),
        ]);
        let measures = [(Measure::Documents, 1), (Measure::Pages, traits.pages.into())];
        fact(Family::Documents, at, of, &measures)
    };
    let progress = |agency, made: Made, measure| {
        let mut of = of_place(made.place, HERE);
        of.push((D::Agency, Value::Agency(agency)));
        fact(Family::Progress, made.at, of, &[(measure, 1)])
    };
    match *event {
        Event::Sent { agency, sender, scope, traits } => {
            vec![document(*now, (agency, sender), Direction::Sent, scope, traits)]
        }
        Event::Received { agency, sender, made, bytes, traits } => {
            let scope = span(sender.province, made.place.province);
            let (to, direction) = ((agency, made.place), Direction::Received);
            let mut of = of_place(sender, HERE);
            of.extend(of_place(made.place, THERE));
            let measures = [(Measure::Deliveries, 1), (Measure::Bytes, bytes)];
            let mut facts = vec![
                document(made.at, to, direction, scope, traits),
                fact(Family::Exchange, made.at, of, &measures),
                progress(agency, made, Measure::Delivered),
            ];
            facts.extend(made.due.map(|_| progress(agency, made, Measure::WithDueDate)));
            facts
        }
        Event::Progressed { agency, made, figure } => {
            let counts = |measure: &&Measure| measure.figure() == Some(figure);
            let measure = Measure::ALL.iter().find(counts).unwrap();
            vec![progress(agency, made, *measure)]
        }
        Event::Refused { province, reason, count } => {
            let place = Place { province, level: Level::Commune };
            let mut of = of_place(place, HERE);
            of.push((D::Reason, Value::Reason(reason)));
            vec![fact(Family::Refusals, *now, of, &[(Measure::Refusals, count.into())])]
        }
    }
}

/// What is asked, by places among what can be.
#[derive(Debug, Clone)]
struct Drawn {
    family: Family,
    measures: Vec<Measure>,
    groups: Vec<Index>,
    condition: Option<(Index, Index)>,
    bucket: Option<Grain>,
    hours: (u32, u32),
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let families = [Family::Documents, Family::Exchange, Family::Progress, Family::Refusals];
    let buckets = prop::option::weighted(0.4, select(Grain::ALL.to_vec()));
    let span = 0..HOURS + 96;
    let asked = (select(families.to_vec()), prop::collection::vec(any::<Index>(), 0..4));
    let condition = prop::option::of((any::<Index>(), any::<Index>()));
    (asked, condition, buckets, (span.clone(), span), any::<bool>()).prop_map(
        |((family, groups), condition, bucket, hours, more)| {
            let of =
                |measure: &&Measure| measure.family() == family && measure.percentile().is_none();
            let all = Measure::ALL.iter().filter(of).copied();
            // Without the second measure, too: it is left out where it is not asked for.
            let measures = all.take(if more { 24 } else { 1 }).collect();
            Drawn { family, measures, groups, condition, bucket, hours }
        },
    )
}

/// The question, of dimensions that the facts of its family have.
fn question(drawn: &Drawn, facts: &[Fact]) -> Question {
    let facts: Vec<&Fact> = facts.iter().filter(|fact| fact.family == drawn.family).collect();
    let (one, other) = drawn.hours;
    let early = begin().minus(HOUR * 48);
    let [from, until] = [one.min(other), one.max(other) + 1].map(|hour| early.plus(HOUR * hour));
    let mut question = Question::of(Period { from, until }, &drawn.measures);
    let hourly = matches!(drawn.family, Family::Exchange | Family::Refusals);
    question.bucket = drawn.bucket.filter(|bucket| hourly || *bucket != Grain::Hour);
    let Some(first) = facts.first() else { return question };
    let known: Vec<Dimension> = first.of.keys().copied().collect();
    // No level is counted of refusals.
    let known: Vec<_> = known
        .into_iter()
        .filter(|one| drawn.family != Family::Refusals || *one != Dimension::Level)
        .collect();
    for index in &drawn.groups {
        let dimension = *index.get(&known);
        if !question.group_by.contains(&dimension) {
            question.group_by.push(dimension);
        }
    }
    if let Some((dimension, fact)) = &drawn.condition {
        let dimension = *dimension.get(&known);
        question = question.only(dimension, &[fact.get(&facts).of[&dimension]]);
    }
    // Of single agencies, traits and pages are not counted.
    if drawn.family == Family::Documents && question.names_agencies() {
        use Dimension as D;
        let counted = [D::Province, D::Region, D::Level, D::Agency, D::Direction];
        question.group_by.retain(|one| counted.contains(one));
        question.filter.retain(|one| counted.contains(&one.dimension));
        question.measures = vec![Measure::Documents];
    }
    question
}

type Rows = BTreeMap<(Option<Timestamp>, Vec<Value>), Vec<u64>>;

/// The answer, one fact after the other.
fn counted_one_by_one(question: &Question, family: Family, facts: &[Fact]) -> Rows {
    let Period { from, until } = question.period;
    let hourly = matches!(family, Family::Exchange | Family::Refusals);
    let counts = |at: Timestamp| match hourly {
        true => from <= at && at < until,
        // The days that it touches.
        false => from.day() <= at.day() && at.day().start() < until,
    };
    let mut rows = Rows::new();
    for fact in facts.iter().filter(|fact| fact.family == family && counts(fact.at)) {
        let holds =
            |one: &crate::statistics::Condition| one.values.contains(&fact.of[&one.dimension]);
        if !question.filter.iter().all(holds) {
            continue;
        }
        let bucket = question.bucket.map(|bucket| bucket.start(bucket.number(fact.at)));
        let group = question.group_by.iter().map(|one| fact.of[one]).collect();
        let row = rows.entry((bucket, group)).or_insert_with(|| vec![0; question.measures.len()]);
        for (sum, measure) in row.iter_mut().zip(&question.measures) {
            *sum += fact.measures.get(measure).copied().unwrap_or(0);
        }
    }
    rows.retain(|_, row| row.iter().any(|sum| *sum > 0));
    rows
}

fn answered(source: &Source<'_>, question: &Question) -> Rows {
    let answer = source.ask(question).unwrap().unwrap();
    let row = |row: crate::statistics::Row| {
        let values: Vec<u64> = row.values.into_iter().map(Option::unwrap).collect();
        ((row.bucket, row.group), values)
    };
    let mut rows: Rows = answer.rows.into_iter().map(row).collect();
    rows.retain(|_, row| row.iter().any(|sum| *sum > 0));
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_question_about_any_period_counts_what_happened_in_it(
        happened in prop::collection::vec(happened(), 1..120),
        asked in prop::collection::vec(drawn(), 24),
        cut_every in 1..60usize,
    ) {
        let mut happened = happened;
        happened.sort_by_key(|(now, _)| *now);
        let (directory, mut tables) = (directory(), Written::default());
        let mut cubes = Cubes::at(begin());
        for (nth, (now, event)) in happened.iter().enumerate() {
            let fold = Fold { block: nth as u64 + 1, time: *now };
            cubes.fold(&tables, fold, std::slice::from_ref(event)).unwrap();
            if nth % cut_every == 0 {
                let mut writes = Writes::new();
                cubes.cut(&tables, *now, &mut writes).unwrap();
                tables.write(writes);
            }
        }
        let cubes = RwLock::new(cubes);
        let source = Source { cubes: &cubes, tables: &tables, directory: &directory };
        let facts: Vec<Fact> = happened.iter().flat_map(facts).collect();
        for drawn in &asked {
            let question = question(drawn, &facts);
            let expected = counted_one_by_one(&question, drawn.family, &facts);
            prop_assert_eq!(answered(&source, &question), expected, "{:?}", question);
        }
    }
}

// Comparisons around the 29th of February.

/// Documents that a ministry sent, so many on each day; the days in order.
fn sent(days: &[(&str, usize)]) -> Cubes {
    let traits = Traits {
        document_type: DocumentType::DECISION,
        signature: SignatureKind::Seal,
        paper_copy: false,
        pages: 1,
    };
    let (agency, sender) = (Ordinal(7), Place { province: None, level: Level::Ministry });
    let event = Event::Sent { agency, sender, scope: span(None, None), traits };
    let mut cubes = Cubes::default();
    for ((day, count), block) in days.iter().zip(1..) {
        let fold = Fold { block, time: Timestamp::parse(day).unwrap() };
        cubes.fold(&Written::default(), fold, &vec![event; *count]).unwrap();
    }
    cubes
}

/// From the last days of one February to the first ones of the next but one.
const DAYS: [(&str, usize); 10] = [
    ("2019-02-28", 2),
    ("2019-03-01", 3),
    ("2019-03-02", 4),
    ("2020-01-01", 1),
    ("2020-01-29", 10),
    ("2020-01-31", 20),
    ("2020-02-28", 5),
    ("2020-02-29", 6),
    ("2020-03-01", 7),
    ("2021-03-01", 8),
];

/// The day, its documents, and those of what it is compared with; the total has no day.
type Compared = (Option<String>, u64, u64);

fn compared(period: [&str; 2], bucket: Option<Grain>, with: Comparison) -> Vec<Compared> {
    let (directory, tables, cubes) = (directory(), Written::default(), RwLock::new(sent(&DAYS)));
    let source = Source { cubes: &cubes, tables: &tables, directory: &directory };
    let [from, until] = period.map(|day| Timestamp::parse(day).unwrap());
    let question = Question::of(Period { from, until }, &[Measure::Documents]);
    let question = Question { bucket, compare: vec![with], ..question };
    let answer = source.ask(&question).unwrap().unwrap();
    assert_eq!(answer.rows.len(), answer.rows_total);
    let rows = answer.rows.into_iter().filter(|_| bucket.is_some()).chain([answer.total]);
    let row = |row: crate::statistics::Row| {
        let day = row.bucket.map(|bucket| bucket.day().to_string());
        (day, row.values[0].unwrap(), row.compared[0][0].unwrap())
    };
    rows.map(row).collect()
}

fn row(day: &str, now: u64, before: u64) -> Compared {
    (Some(day.to_owned()), now, before)
}

#[test]
fn a_day_is_compared_with_the_same_day_of_the_year_before_and_the_29th_with_none() {
    let of_days = |from, until| compared([from, until], Some(Grain::Day), Comparison::YearBefore);
    let around = [
        row("2020-02-28", 5, 2),
        row("2020-02-29", 6, 0),
        row("2020-03-01", 7, 3),
        row("2020-03-02", 0, 4),
        (None, 18, 9),
    ];
    assert_eq!(of_days("2020-02-27", "2020-03-03"), around);
    // However far the period begins before it.
    let long = of_days("2019-12-01", "2020-03-03");
    assert_eq!(long[3..7], around[..4]);
    assert_eq!(long[7..], [(None, 1 + 10 + 20 + 18, 9)]);
    // A 29th of the year before has no row, and counts in the total alone.
    let after = [row("2021-02-28", 0, 5), row("2021-03-01", 8, 7), (None, 8, 5 + 6 + 7)];
    assert_eq!(of_days("2021-02-27", "2021-03-03"), after);
}

#[test]
fn days_and_months_that_end_before_a_29th_are_compared_with_as_many() {
    let of_days = |from, until| compared([from, until], Some(Grain::Day), Comparison::YearBefore);
    let only = [row("2020-02-28", 5, 2), (None, 5, 2)];
    assert_eq!(of_days("2020-02-28", "2020-02-29"), only);
    assert_eq!(of_days("2020-02-01", "2020-02-29"), only);
    let whole = |from, until| compared([from, until], None, Comparison::YearBefore);
    assert_eq!(whole("2020-02-28", "2020-02-29"), [(None, 5, 2)]);
    // A part of two months, by month: the 29th counts in its month.
    let parts = ["2021-02-10", "2021-03-10"];
    let expected = [row("2021-02-01", 0, 5 + 6), row("2021-03-01", 8, 7), (None, 8, 18)];
    assert_eq!(compared(parts, Some(Grain::Month), Comparison::YearBefore), expected);
}

#[test]
fn no_row_lies_outside_the_period_whose_days_are_compared_with_those_of_a_longer_month() {
    let of_days = compared(["2020-02-01", "2020-03-01"], Some(Grain::Day), Comparison::Before);
    let expected = [
        row("2020-02-01", 0, 1),
        row("2020-02-28", 5, 0),
        row("2020-02-29", 6, 10),
        // All of January, its 31st too, which no day of February stands beside.
        (None, 11, 31),
    ];
    assert_eq!(of_days, expected);
    // Nor one of April, where the days before are parts of two months.
    let of_months = compared(["2020-03-02", "2020-03-31"], Some(Grain::Month), Comparison::Before);
    assert_eq!(of_months, [row("2020-03-01", 0, 11), (None, 0, 11 + 7)]);
}
