//! Pages stay within what a row may have.

use lienthong_model::{DocumentType, Level, Ordinal, Reason};
use lienthong_trust::SignatureKind;

use super::*;
use crate::directory::Place;
use crate::engine::Tables;
use crate::routing::{Span, span};
use crate::statistics::event::{Event, Made, Traits};
use crate::statistics::figures::Figure;
use crate::statistics::fold::Fold;

/// What every engine takes for a value.
const VALUE_BYTES_MAX: usize = 128 * 1024;
/// More than the country has had, before and after the reform of 2025 together.
const PROVINCES: u32 = 100;

struct Nothing;

impl Tables for Nothing {
    fn read(&self, _: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(None)
    }

    fn scan(
        &self,
        _: &[u8],
        _: &[u8],
        _: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        Ok(())
    }
}

fn places() -> Vec<Place> {
    // Ordinals of provinces lie as far apart as they have agencies.
    let provinces = (0..PROVINCES).map(|n| Some(Ordinal(n * 400))).chain([None]);
    let levels = |province| Level::ALL.into_iter().map(move |level| Place { province, level });
    provinces.flat_map(levels).collect()
}

/// Documents of every type and of every signature between each place and a place in each scope, and
/// of everything together at a few.
fn documents(at: Timestamp, places: &[Place]) -> Vec<Event> {
    let mut events = Vec::new();
    let kinds = DocumentType::all().flat_map(|document_type| {
        let of = move |signature| [true, false].map(|paper| (document_type, signature, paper));
        SignatureKind::ALL.into_iter().flat_map(of)
    });
    for (document_type, signature, paper_copy) in kinds {
        let traits = Traits { document_type, signature, paper_copy, pages: u32::MAX };
        let usual = (DocumentType::OFFICIAL_LETTER, SignatureKind::Personal);
        let all = document_type == usual.0 || signature == usual.1 && paper_copy;
        let shown = if all { places.len() } else { 2 * Level::ALL.len() };
        for (n, place) in places.iter().enumerate().take(shown) {
            let other = places[(n + Level::ALL.len()) % places.len()];
            for sender in [*place, other, Place { province: None, level: Level::Ministry }] {
                let agency = Ordinal(0);
                let made = Made { at, place: *place, due: Some(at) };
                events.push(Event::Received { agency, sender, made, bytes: 1, traits });
                let scope: Span = span(place.province, sender.province);
                events.push(Event::Sent { agency, sender: *place, scope, traits });
            }
        }
    }
    events
}

/// A delivery from every place to every place, and every step of one at every place.
fn deliveries(at: Timestamp, places: &[Place]) -> Vec<Event> {
    let traits = Traits {
        document_type: DocumentType::OFFICIAL_LETTER,
        signature: SignatureKind::Personal,
        paper_copy: true,
        pages: 1,
    };
    let mut events = Vec::new();
    for place in places {
        let made = Made { at, place: *place, due: None };
        let received = |sender: &Place| {
            let (agency, sender, bytes) = (Ordinal(0), *sender, 1 << 40);
            Event::Received { agency, sender, made, bytes, traits }
        };
        events.extend(places.iter().map(received));
        let figures = Figure::all().filter(|figure| *figure >= Figure::DELIVERED);
        let step = |figure| Event::Progressed { agency: Ordinal(0), made, figure };
        events.extend(figures.map(step));
        let province = place.province;
        let refused =
            |reason: &Reason| Event::Refused { province, reason: *reason, count: 1 << 30 };
        events.extend(Reason::ALL.iter().map(refused));
    }
    // And a province with many agencies.
    let place = Place { province: Some(Ordinal(7)), level: Level::Commune };
    for agency in (0..4_000).map(Ordinal) {
        let made = Made { at, place, due: None };
        events.push(Event::Sent { agency, sender: place, scope: Span::Inside, traits });
        events.push(Event::Received { agency, sender: place, made, bytes: 1, traits });
        let figures = Figure::all().filter(|figure| *figure <= Figure::OVERDUE);
        events.extend(figures.map(|figure| Event::Progressed { agency, made, figure }));
    }
    events
}

#[test]
fn a_page_with_every_cell_there_can_be_fits_a_row() {
    let mut cubes = Cubes::default();
    let time = Timestamp::from_millis(0);
    let places = places();
    for (events, block) in [documents(time, &places), deliveries(time, &places)].iter().zip(1..) {
        cubes.fold(&Nothing, Fold { block, time }, events).unwrap();
    }
    let mut writes = Writes::new();
    cubes.cut(&Nothing, time, &mut writes).unwrap();
    let size = |(key, row): &(Vec<u8>, Option<Bytes>)| {
        (row.as_ref().map_or(0, Bytes::len), char::from(key[0]))
    };
    let largest = writes.iter().map(size).max().unwrap();
    assert!(largest.0 < VALUE_BYTES_MAX, "{largest:?}");
    let all =
        CubeName::ALL.iter().all(|cube| writes.iter().any(|(key, _)| key[0] == cube.letter()));
    assert!(all, "every cube has a page");
}

#[test]
fn blocks_that_are_folded_together_make_the_pages_that_they_make_one_by_one() {
    let (mut together, mut apart) = (Cubes::default(), Cubes::default());
    together.gather();
    let places = &places()[..24];
    type Make = fn(Timestamp, &[Place]) -> Vec<Event>;
    let events: Vec<Event> = [documents as Make, deliveries]
        .iter()
        .flat_map(|make| {
            // Of two days, in turn.
            let days = [0, 86_400_000].map(Timestamp::from_millis);
            let [one, other] = days.map(|at| make(at, places));
            one.into_iter().zip(other).step_by(5).flat_map(|(one, other)| [one, other])
        })
        .collect();
    let (mut waited, mut pieces) = (0, 0);
    for (events, block) in events.chunks(7).zip(1..) {
        let fold = Fold { block, time: Timestamp::from_millis(90_000_000) };
        for cubes in [&mut together, &mut apart] {
            cubes.fold(&Nothing, fold, events).unwrap();
        }
        // Sometimes it is gone on with, sometimes nobody has the time.
        if block % 1_000 < 500 {
            pieces += usize::from(together.go_on(&Nothing).unwrap());
        }
        waited = waited.max(together.cubes.iter().map(|cube| cube.gathered.len()).max().unwrap());
    }
    assert!((STATISTICS_GATHERED..=2 * STATISTICS_GATHERED).contains(&waited), "{waited}");
    assert!(pieces > 100, "{pieces} pieces");
    let written = [together, apart].map(|mut cubes| {
        let mut writes = Writes::new();
        cubes.cut(&Nothing, Timestamp::from_millis(90_000_000), &mut writes).unwrap();
        writes
    });
    assert_eq!(written[0], written[1]);
    assert!(written[0].len() > 100, "{} pages", written[0].len());
}
