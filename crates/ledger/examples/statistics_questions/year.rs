//! A year that nobody lived: a country's agencies, and what they sent each other, folded like a hub
//! folds it.

use std::collections::BTreeSet;
use std::sync::RwLock;
use std::time::Duration;

use lienthong_core::Directory;
use lienthong_core::engine::{Change, Marker, State as _, Writes};
use lienthong_core::statistics::{Cubes, Event, Figure, Made, Traits, measure};
use lienthong_core::{Place, Span};
use lienthong_ledger::SledState;
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Day, Digest, DocumentType, Level, Ordinal, Position,
    Reason, SignaturePolicy, Timestamp,
};
use lienthong_trust::SignatureKind;

const DELIVERIES_EACH: u64 = 3;
const DAYS: i32 = 366;
const MINUTE: Duration = Duration::from_secs(60);

/// A place with agencies.
pub struct Spot {
    province: Option<Ordinal>,
    level: Level,
    agencies: Vec<Ordinal>,
}

impl Spot {
    fn place(&self) -> Place {
        Place { province: self.province, level: self.level }
    }
}

/// What a year came to.
pub struct Filled {
    pub documents: u64,
    pub pages: u64,
    pub bytes: u64,
    pub folding: Duration,
}

pub fn country() -> (Directory, Vec<Spot>) {
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
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Folds a year of documents before `until`, a block a day, and writes its pages into a state.
pub fn fill(
    state: &SledState,
    cubes: &RwLock<Cubes>,
    spots: &[Spot],
    until: Timestamp,
    documents: u64,
) -> Filled {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut filled = Filled { documents: 0, pages: 0, bytes: 0, folding: Duration::ZERO };
    let last = until.day().0 - 1;
    for (day, block) in (last - DAYS + 1..=last).zip(1..) {
        let mut cubes = cubes.write().unwrap();
        let began = std::time::Instant::now();
        for n in 0..documents / DAYS as u64 {
            let made = Day(day).start().plus(MINUTE * (7 * 60 + 60 * (n % 11) as u32));
            let made = made.plus(MINUTE * random.below(60) as u32);
            let folded = one_document(spots, &mut random, (made, until), |time, events| {
                measure::fold(&mut cubes, state, (block, time), events)
            });
            folded.unwrap();
            filled.documents += 1;
        }
        filled.folding += began.elapsed();
        let end = Day(day + 1).start().minus(Duration::from_secs(1));
        let writes = measure::cut(&mut cubes, state, end).unwrap();
        let rows = writes.iter().filter_map(|(_, row)| row.as_ref());
        filled.bytes += rows.clone().map(|row| row.len() as u64).sum::<u64>();
        filled.pages += rows.count() as u64;
        let marker = Marker { block, hash: Digest([0; 32]) };
        state.publish(Change { marker, writes, cut: true }).unwrap();
        if day % 30 == 0 {
            eprintln!("{}: {} pages written", Day(day), filled.pages);
        }
    }
    let marker = Marker { block: DAYS as u64 + 1, hash: Digest([0; 32]) };
    let agencies = spots.iter().flat_map(|spot| &spot.agencies);
    let writes = agencies.flat_map(|agency| waiting(&mut random, *agency, documents)).collect();
    state.publish(Change { marker, writes, cut: true }).unwrap();
    state.flush().unwrap();
    filled
}

/// What waits in a mailbox: two of the last documents, and in every third one of long ago.
fn waiting(random: &mut Random, agency: Ordinal, documents: u64) -> Writes {
    let mut positions = BTreeSet::new();
    for _ in 0..2 {
        positions.insert(Position(documents - random.below(documents.min(30_000))));
    }
    if random.below(3) == 0 {
        positions.insert(Position(random.below(documents)));
    }
    measure::waiting(agency, &positions.into_iter().collect::<Vec<_>>())
}

type Folded<E> = Result<(), E>;

/// A document, its deliveries, and how far each of them comes.
fn one_document<E>(
    spots: &[Spot],
    random: &mut Random,
    (made_at, until): (Timestamp, Timestamp),
    mut fold: impl FnMut(Timestamp, &[Event]) -> Folded<E>,
) -> Folded<E> {
    let from = &spots[random.below(spots.len() as u64) as usize];
    let document_type = match random.below(10) {
        0..6 => DocumentType::OFFICIAL_LETTER,
        6..8 => DocumentType::DECISION,
        _ => DocumentType::from_number(random.below(30) as u8).unwrap(),
    };
    let traits = Traits {
        document_type,
        signature: random.of(&SignatureKind::ALL),
        paper_copy: random.below(8) == 0,
        pages: 1 + random.below(6) as u32,
    };
    if random.below(50) == 0 {
        let reason = random.of(&[Reason::SignatureInvalid, Reason::IdReused, Reason::FieldMissing]);
        fold(made_at, &[Event::Refused { province: from.province, reason, count: 1 }])?;
    }
    let mut scope = Span::Inside;
    for _ in 0..DELIVERIES_EACH {
        let to = match random.below(4) {
            0 => &spots[random.below(spots.len() as u64) as usize],
            _ => from,
        };
        scope = scope.max(match (from.province, to.province) {
            (Some(a), Some(b)) if a == b => Span::Inside,
            (Some(_), Some(_)) => Span::Between,
            _ => Span::Centre,
        });
        let far = random.below(10);
        let due = (far > 6).then_some(made_at.plus(Duration::from_secs(40 * 86_400)));
        let made = Made { at: made_at, place: to.place(), due };
        let agency = random.of(&to.agencies);
        let sender = from.place();
        fold(made_at, &[Event::Received { agency, sender, made, bytes: 2_000, traits }])?;
        let mut took = Duration::ZERO;
        let mut progress = |figures: &[Figure]| {
            took += Duration::from_secs(1 << random.below(21));
            let now = made_at.plus(took).min(until.minus(Duration::from_secs(1)));
            let event = |figure: &Figure| Event::Progressed { agency, made, figure: *figure };
            fold(now, &figures.iter().map(event).collect::<Vec<_>>())
        };
        if far > 0 {
            progress(&[Figure::ACKNOWLEDGED])?;
        }
        if far > 2 {
            progress(&[Figure::ACCEPTED, Figure::PROCESSED])?;
        }
        if far > 4 {
            progress(&[Figure::FINISHED])?;
        }
        if far > 6 {
            progress(&[Figure::ON_TIME])?;
        }
    }
    let (agency, sender) = (random.of(&from.agencies), from.place());
    fold(made_at, &[Event::Sent { agency, sender, scope, traits }])
}

/// What a document with one delivery counts, that is acknowledged and accepted.
pub fn delivery(spots: &[Spot], random: &mut Random, now: Timestamp) -> [Event; 4] {
    let from = &spots[random.below(spots.len() as u64) as usize];
    let to = &spots[random.below(spots.len() as u64) as usize];
    let (sender, made) = (from.place(), Made { at: now, place: to.place(), due: None });
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
