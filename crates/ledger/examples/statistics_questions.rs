//! How long questions to the statistics take over a year of ten million documents.
//!
//! ```text
//! cargo run --release -p lienthong-ledger --features measure --example statistics_questions -- [DOCUMENTS]
//! ```
//! The cubes of a country are made as pages in a state on disk: 63 provinces and the centre, four
//! levels, 12,000 agencies, 366 days and their months, hours of the last 90 days; ten million
//! documents (or as many as are asked for), three deliveries each, spread over types, scopes and signatures. Every question is
//! asked eleven times; the median and the worst are printed. No hub runs beside it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lienthong_core::Directory;
use lienthong_core::engine::{Change, Marker, State as _};
use lienthong_core::statistics::{
    AgencyCell, Cell, CellKey, Comparison, CubeName, Dimension, Direction, Event, Figure, FlowCell,
    Grain, IndicatorQuestion, KindCell, Made, Measure, PAGE_PRICE, Period, ProgressCell, Question,
    Source, Traits, Until, Value, measure,
};
use lienthong_core::{Place, Span, Targets};
use lienthong_ledger::{SledState, StateLimits};
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Day, Digest, DocumentType, Level, Ordinal,
    SignaturePolicy, Timestamp,
};
use lienthong_trust::SignatureKind;

const DOCUMENTS: u64 = 10_000_000;
const DELIVERIES_EACH: u64 = 3;
const DAYS: i32 = 366;
const ROUNDS: usize = 11;

/// A place with agencies.
struct Spot {
    province: Option<Ordinal>,
    level: Level,
    agencies: Vec<Ordinal>,
}

type Pages = BTreeMap<measure::PageName, BTreeMap<u64, Cell>>;

fn main() {
    let (directory, spots) = country();
    let folder = std::env::temp_dir().join(format!("statistics-{}", std::process::id()));
    let began = Instant::now();
    let (state, _) = SledState::open(&folder, StateLimits::default()).unwrap();
    let until = Timestamp::parse("2021-01-01").unwrap();
    let asked = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let (documents, rows, bytes) = fill(&state, &spots, until, asked.unwrap_or(DOCUMENTS));
    println!(
        "{documents} documents, {rows} pages, {bytes} bytes, made in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    let cubes = measure::cubes(until.minus(Duration::from_secs(1)));
    let source = Source { cubes: &cubes, tables: &state, directory: &directory };
    ask_everything(&source, until);
    fold_some(&state, &spots, until);
    drop(state);
    std::fs::remove_dir_all(folder).unwrap();
}

fn country() -> (Directory, Vec<Spot>) {
    let mut directory = Directory::default();
    let mut put = |code: String, level, province: Option<String>| {
        let code_of = |text: &str| AgencyCode::parse(text).unwrap();
        let entry = AgencyEntry {
            code: code_of(&code),
            name: code.clone(),
            level,
            parent: None,
            province: province.as_deref().map(code_of),
            from: Day(0),
            until: None,
            state: AgencyState::Connected,
            policy: SignaturePolicy::Required,
            gateway: None,
        };
        directory.put(entry).ordinal
    };
    let mut spots = vec![Spot {
        province: None,
        level: Level::Ministry,
        agencies: (1..40).map(|n| put(format!("G{n:02}"), Level::Ministry, None)).collect(),
    }];
    for n in 1..=63 {
        let code = format!("H{n:02}");
        let province = put(code.clone(), Level::Province, Some(code.clone()));
        for (level, count) in [(Level::Province, 8), (Level::District, 12), (Level::Commune, 170)] {
            let name = |i: i32| format!("{code}.{}{i}", level.number());
            let agencies = (0..count).map(|i| put(name(i), level, Some(code.clone())));
            spots.push(Spot { province: Some(province), level, agencies: agencies.collect() });
        }
    }
    (directory, spots)
}

/// Numbers without a pattern; the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

fn fill(state: &SledState, spots: &[Spot], until: Timestamp, all: u64) -> (u64, u64, u64) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let last = until.day().0 - 1;
    let mut months = Pages::new();
    let (mut documents, mut rows, mut bytes, mut block) = (0, 0, 0, 0);
    for day in last - DAYS + 1..=last {
        let mut pages = Pages::new();
        let day_total = all / DAYS as u64;
        for n in 0..day_total {
            // The first of every place make all combinations; the others follow the usual ones.
            one_document(&mut pages, spots, &mut random, (day, last), n);
        }
        documents += day_total;
        let month = Day(day).month().0;
        for ((cube, grain, _, province, part), cells) in &pages {
            if *grain == Grain::Day {
                let page = (*cube, Grain::Month, month, *province, *part);
                let sums = months.entry(page).or_default();
                cells.iter().for_each(|(number, cell)| *sums.entry(*number).or_default() += *cell);
            }
        }
        let is_last = day == last;
        if Day(day + 1).month().0 != month || is_last {
            pages.append(&mut months);
        }
        block += 1;
        let writes = pages.into_iter().map(|(name, cells)| {
            let (key, row) = measure::page(name, cells.into_iter());
            rows += 1;
            bytes += row.len() as u64;
            (key, Some(row.into()))
        });
        let writes = writes.collect();
        let marker = Marker { block, hash: Digest([0; 32]) };
        state.publish(Change { marker, writes, cut: true }).unwrap();
        if day % 30 == 0 {
            eprintln!("{}: {rows} pages", Day(day));
        }
    }
    state.flush().unwrap();
    (documents, rows, bytes)
}

fn one_document(
    pages: &mut Pages,
    spots: &[Spot],
    random: &mut Random,
    (day, last): (i32, i32),
    n: u64,
) {
    let from = &spots[random.below(spots.len() as u64) as usize];
    let document_type = match random.below(10) {
        0..6 => DocumentType::OFFICIAL_LETTER,
        6..8 => DocumentType::DECISION,
        _ => DocumentType::from_number(random.below(30) as u8).unwrap(),
    };
    let signature = random.of(&SignatureKind::ALL);
    let paper_copy = random.below(8) == 0;
    let pages_of = 1 + random.below(6);
    let sender = random.of(&from.agencies);
    let mut scope = Span::Inside;
    let hour = day * 24 + (7 + n % 11) as i32;
    for _ in 0..DELIVERIES_EACH {
        let to = match random.below(4) {
            0 => &spots[random.below(spots.len() as u64) as usize],
            _ => from,
        };
        let between = match (from.province, to.province) {
            (Some(a), Some(b)) if a == b => Span::Inside,
            (Some(_), Some(_)) => Span::Between,
            _ => Span::Centre,
        };
        scope = scope.max(between);
        let (level, direction) = (to.level, Direction::Received);
        let kind =
            KindCell { level, direction, scope: between, signature, paper_copy, document_type };
        let part = level.number();
        let place = to.province;
        let one = |measure| Cell { count: 1, measure };
        let mut add = |cube, grain, number, province, part, key: u64, cell| {
            let cells = pages.entry((cube, grain, number, province, part)).or_default();
            *cells.entry(key).or_default() += cell;
        };
        add(CubeName::Kind, Grain::Day, day, place, part, kind.number(), one(pages_of));
        let flow = FlowCell {
            sender_level: from.level,
            recipient_province: to.province,
            recipient_level: level,
        };
        add(CubeName::Flow, Grain::Day, day, from.province, 0, flow.number(), one(2_000));
        if last - day < 90 {
            add(CubeName::Flow, Grain::Hour, hour, from.province, 0, flow.number(), one(2_000));
        }
        let agency = random.of(&to.agencies);
        let figure = |figure| AgencyCell { agency, figure }.number();
        add(CubeName::Agency, Grain::Day, day, place, part, figure(Figure::RECEIVED), one(0));
        let far = random.below(10);
        let took = |random: &mut Random| Duration::from_secs(1 << random.below(22));
        let mut figures = vec![Figure::DELIVERED];
        if far > 0 {
            figures.push(Figure::ACKNOWLEDGED);
            figures.push(Figure::bucket(Until::Arrived, took(random)));
        }
        if far > 2 {
            figures.extend([Figure::ACCEPTED, Figure::PROCESSED]);
            figures.push(Figure::bucket(Until::Accepted, took(random)));
        }
        if far > 4 {
            figures.push(Figure::FINISHED);
            figures.push(Figure::bucket(Until::Finished, took(random)));
        }
        if far > 6 {
            figures.extend([Figure::WITH_DUE_DATE, Figure::ON_TIME]);
        }
        for figure in figures {
            let cell = ProgressCell { level, figure };
            add(CubeName::Progress, Grain::Day, day, place, 0, cell.number(), Cell::ONE);
            if figure <= Figure::OVERDUE {
                let cell = AgencyCell { agency, figure };
                let part = 16 + part;
                add(CubeName::Agency, Grain::Day, day, place, part, cell.number(), Cell::ONE);
            }
        }
    }
    let (level, direction) = (from.level, Direction::Sent);
    let kind = KindCell { level, direction, scope, signature, paper_copy, document_type };
    let name = (CubeName::Kind, Grain::Day, day, from.province, level.number());
    let cell = Cell { count: 1, measure: pages_of };
    *pages.entry(name).or_default().entry(kind.number()).or_default() += cell;
    let sent = [
        Some(Figure::SENT),
        signature.is_personal().then_some(Figure::SENT_PERSONALLY),
        paper_copy.then_some(Figure::SENT_ON_PAPER),
    ];
    for figure in sent.into_iter().flatten() {
        let name = (CubeName::Agency, Grain::Day, day, from.province, level.number());
        let cell = AgencyCell { agency: sender, figure };
        *pages.entry(name).or_default().entry(cell.number()).or_default() += Cell::ONE;
    }
}

fn ask_everything(source: &Source<'_>, until: Timestamp) {
    use Dimension as D;
    use Measure as M;
    let from = Timestamp::parse("2020-01-01").unwrap();
    let year = Period { from, until };
    // Eleven whole months and two parts.
    let odd = Period {
        from: Timestamp::parse("2020-01-16").unwrap(),
        until: Timestamp::parse("2020-12-16").unwrap(),
    };
    let day = Period { from: until.minus(Duration::from_secs(86_400)), until };
    let times = [M::ArriveHalf, M::ArriveMost, M::AcceptHalf, M::AcceptMost, M::FinishMost];
    let progress = [M::Delivered, M::Acknowledged, M::Accepted, M::Finished, M::OnTime, M::Overdue];
    let by = |period, measures: &[Measure], dimensions: &[Dimension]| {
        Question::of(period, measures).by(dimensions)
    };
    let compared = |compare| Question { compare, ..by(year, &[M::Documents], &[D::Province]) };
    let province = [Value::Province(Some(Ordinal(50)))];
    let questions: Vec<(&str, Question)> = vec![
        ("documents by province", by(year, &[M::Documents, M::Pages], &[D::Province])),
        ("documents by province, odd period", by(odd, &[M::Documents], &[D::Province])),
        ("documents by province, one day", by(day, &[M::Documents], &[D::Province])),
        ("documents by region", by(year, &[M::Documents], &[D::Region])),
        ("documents by level", by(year, &[M::Documents], &[D::Level])),
        ("documents by type", by(year, &[M::Documents], &[D::DocumentType])),
        ("documents by direction", by(year, &[M::Documents], &[D::Direction])),
        ("documents by scope", by(year, &[M::Documents], &[D::Scope])),
        ("documents by signature", by(year, &[M::Documents], &[D::Signature])),
        (
            "documents by province, level, signature",
            by(year, &[M::Documents], &[D::Province, D::Level, D::Signature]),
        ),
        ("documents by month", by(year, &[M::Documents], &[]).each(Grain::Month)),
        ("documents by day of a year", by(year, &[M::Documents], &[]).each(Grain::Day)),
        (
            "documents by day of a month",
            by(
                Period {
                    from: Timestamp::parse("2020-11-16").unwrap(),
                    until: Timestamp::parse("2020-12-16").unwrap(),
                },
                &[M::Documents],
                &[D::Direction],
            )
            .each(Grain::Day),
        ),
        ("exchange by hour of a day", by(day, &[M::Deliveries], &[]).each(Grain::Hour)),
        (
            "exchange by hour of a week",
            by(
                Period { from: until.minus(Duration::from_secs(7 * 86_400)), until },
                &[M::Deliveries],
                &[D::Province],
            )
            .each(Grain::Hour),
        ),
        ("compared with the year before", compared(vec![Comparison::YearBefore])),
        ("compared with both", compared(vec![Comparison::Before, Comparison::YearBefore])),
        (
            "matrix of provinces",
            by(year, &[M::Deliveries, M::Bytes], &[D::Province, D::PartnerProvince]),
        ),
        ("matrix of levels", by(year, &[M::Deliveries], &[D::Level, D::PartnerLevel])),
        (
            "top agencies of the country",
            Question {
                top: Some(M::Documents),
                ..by(year, &[M::Documents], &[D::Agency, D::Direction])
            },
        ),
        (
            "top agencies of a province",
            Question {
                top: Some(M::Documents),
                ..by(year, &[M::Documents], &[D::Agency, D::Direction]).only(D::Province, &province)
            },
        ),
        ("progress by province", by(year, &progress, &[D::Province])),
        (
            "progress by agency of a province",
            by(year, &progress, &[D::Agency]).only(D::Province, &province),
        ),
        ("times by level", by(year, &times, &[D::Level])),
        ("times by province, odd period", by(odd, &times, &[D::Province])),
        ("refusals by reason", by(year, &[M::Refusals], &[D::Reason])),
    ];
    println!("{:<44} {:>7} {:>9} {:>9}", "question", "rows", "median ms", "worst ms");
    let mut worst_of_all = Duration::ZERO;
    for (name, question) in questions {
        let mut rows = 0;
        let took = timed(|| rows = source.ask(&question).unwrap().unwrap().rows.len());
        worst_of_all = worst_of_all.max(took[ROUNDS - 1]);
        say(name, rows, &took);
    }
    let asked = IndicatorQuestion {
        period: year,
        province: Some(Ordinal(50)),
        now: until,
        page_price: PAGE_PRICE,
    };
    let targets = Targets::default();
    let took = timed(|| drop(source.indicators(&asked, &targets).unwrap()));
    say("all indicators of a province (report)", 1, &took);
    let took = timed(|| {
        source.backlog(&|_| true, lienthong_core::statistics::BacklogOrder::Most, 20).unwrap();
    });
    say("backlog, nothing waits", 0, &took);
    println!("worst of the questions: {:.1} ms", worst_of_all.as_secs_f64() * 1_000.0);
}

/// What a delivery costs the block that makes it, acknowledges it and has it accepted.
fn fold_some(state: &SledState, spots: &[Spot], now: Timestamp) {
    const BLOCKS: u64 = 2_000;
    const A_BLOCK: u64 = 100;
    let cubes = measure::cubes(now);
    let mut cubes = cubes.write().unwrap();
    let mut random = Random(7);
    let blocks: Vec<Vec<Event>> = (0..BLOCKS)
        .map(|_| (0..A_BLOCK).flat_map(|_| delivery(spots, &mut random, now)).collect())
        .collect();
    let began = Instant::now();
    for (events, block) in blocks.iter().zip(10..) {
        measure::fold(&mut cubes, state, (block, now), events).unwrap();
    }
    let each = began.elapsed().as_secs_f64() / (BLOCKS * A_BLOCK) as f64;
    println!(
        "folding a document with one delivery, acknowledged and accepted: {:.2} us",
        each * 1e6
    );
}

fn delivery(spots: &[Spot], random: &mut Random, now: Timestamp) -> [Event; 4] {
    let place = |spot: &Spot| Place { province: spot.province, level: spot.level };
    let from = &spots[random.below(spots.len() as u64) as usize];
    let to = &spots[random.below(spots.len() as u64) as usize];
    let (sender, made) = (place(from), Made { at: now, place: place(to), due: None });
    let traits = Traits {
        document_type: DocumentType::OFFICIAL_LETTER,
        signature: random.of(&SignatureKind::ALL),
        paper_copy: false,
        pages: 2,
    };
    let agency = random.of(&to.agencies);
    let progressed = |figure| Event::Progressed { agency, made, figure };
    [
        Event::Sent { agency: random.of(&from.agencies), sender, scope: Span::Between, traits },
        Event::Received { agency, sender, made, bytes: 2_000, traits },
        progressed(Figure::ACKNOWLEDGED),
        progressed(Figure::ACCEPTED),
    ]
}

fn timed(mut work: impl FnMut()) -> Vec<Duration> {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took
}

fn say(name: &str, rows: usize, took: &[Duration]) {
    let ms = |at: usize| took[at].as_secs_f64() * 1_000.0;
    println!("{name:<44} {rows:>7} {:>9.2} {:>9.2}", ms(ROUNDS / 2), ms(ROUNDS - 1));
}
