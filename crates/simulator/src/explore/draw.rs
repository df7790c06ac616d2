//! A scenario from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_core::Span;
use lienthong_model::{AgencyCode, Day, Level, Timestamp};
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::scenario::{
    Answers, Area, Calendar, Changes, Country, Days, Fault, FaultKind, Participation, Scenario,
    Since, Traffic, Urgencies,
};

/// Provinces and agencies of each level and province in the small country.
const PROVINCES: usize = 3;
const OF_A_LEVEL: usize = 3;
/// The first days on which scenarios begin.
const BEGINS: &str = "2020-11-16";
const BEGINS_WITHIN: i32 = 360;
const DAY_MS: i64 = 24 * 3_600_000;

pub(super) fn sample(country: &Country) -> Country {
    let is_province = |code: &AgencyCode| {
        country
            .entries
            .iter()
            .any(|entry| entry.code == *code && entry.province.as_ref() == Some(code))
    };
    let mut provinces: Vec<&AgencyCode> = Vec::new();
    for code in country.entries.iter().filter_map(|entry| entry.province.as_ref()) {
        if provinces.len() < PROVINCES && !provinces.contains(&code) && is_province(code) {
            provinces.push(code);
        }
    }
    let mut taken: BTreeMap<(Option<String>, Level), usize> = BTreeMap::new();
    let entries = country.entries.iter().filter(|entry| {
        let known = entry.province.as_ref().is_none_or(|code| provinces.contains(&code));
        let place = (entry.province.as_ref().map(ToString::to_string), entry.level);
        let count = taken.entry(place).or_default();
        *count += usize::from(known);
        known && *count <= OF_A_LEVEL
    });
    Country { entries: entries.cloned().collect(), regions: BTreeMap::new() }
}

/// Returns the scenario of a seed.
pub fn scenario(seed: u64, country: &Country) -> Scenario {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let first = Timestamp::parse(BEGINS).map_or(Day(0), Timestamp::day);
    let first = Day(first.0 + dice.random_range(0..BEGINS_WITHIN));
    let days = Days { first, last: Day(first.0 + dice.random_range(0..4)) };
    let mut provinces: Vec<AgencyCode> = Vec::new();
    for code in country.entries.iter().filter_map(|entry| entry.province.clone()) {
        if !provinces.contains(&code) {
            provinces.push(code);
        }
    }
    let area = |provinces: Vec<AgencyCode>, levels| Area { provinces, levels, ..Area::default() };
    let mut agencies = vec![Participation {
        area: area(Vec::new(), vec![Level::Ministry]),
        take: Some(dice.random_range(1..=2)),
        connected: Since::Always,
        personal: Since::Always,
        line: 0,
    }];
    for province in &provinces {
        agencies.push(Participation {
            area: area(vec![province.clone()], Vec::new()),
            take: Some(dice.random_range(1..=2)),
            connected: since(&mut dice, days),
            personal: since(&mut dice, days),
            line: 0,
        });
    }
    let traffic = (0..dice.random_range(1..=3)).map(|_| traffic(&mut dice)).collect();
    let faults =
        (0..dice.random_range(0..=4)).map(|_| fault(&mut dice, days, &provinces)).collect();
    Scenario {
        name: format!("explore-{seed}"),
        title: format!("Ngẫu nhiên {seed}"),
        title_en: format!("Random {seed}"),
        about: String::new(),
        seed,
        signatures: 1.0,
        disk: crate::scenario::DISK,
        days,
        calendar: Calendar { weekend: 1.0, ..Calendar::default() },
        agencies,
        traffic,
        answers: vec![answers(&mut dice)],
        faults,
        expects: Vec::new(),
    }
}

/// Mostly always, at times from a day of the scenario on.
fn since(dice: &mut ChaCha8Rng, days: Days) -> Since {
    match dice.random_range(0..6) {
        0 => Since::Day(Day(dice.random_range(days.first.0..=days.last.0))),
        1 => Since::Never,
        _ => Since::Always,
    }
}

/// A share in hundredths, often none.
fn share(dice: &mut ChaCha8Rng, most: u32) -> f64 {
    match dice.random_bool(0.5) {
        true => 0.0,
        false => f64::from(dice.random_range(0..=most)) / 100.0,
    }
}

/// A range of tenths.
fn range(dice: &mut ChaCha8Rng, most: u32) -> (f64, f64) {
    let least = dice.random_range(0..most);
    let most = dice.random_range(least..=most);
    (f64::from(least) / 10.0, f64::from(most) / 10.0)
}

fn traffic(dice: &mut ChaCha8Rng) -> Traffic {
    let spans = [Span::Any, Span::Any, Span::Inside, Span::Between, Span::Centre];
    let fan_out = dice.random_range(1..=6);
    Traffic {
        area: Area::default(),
        to: Area::default(),
        span: spans.choose(dice).copied().unwrap_or(Span::Any),
        document_type: None,
        per_day: f64::from(dice.random_range(1..=12)),
        days: None,
        fan_out: (1, fan_out),
        urgencies: Urgencies {
            urgent: share(dice, 20),
            very_urgent: share(dice, 20),
            express: share(dice, 20),
            timed: share(dice, 20),
        },
        paper: share(dice, 50),
        pages: (1, 3),
        attachment_kib: match dice.random_range(0..8) {
            0 => (1, 64),
            1 => (1_025, 1_600),
            _ => (0, 0),
        },
        due_days: dice.random_bool(0.5).then_some((1, 2)),
        changes: Changes {
            recall: share(dice, 30),
            update: share(dice, 30),
            replace: share(dice, 30),
            hours: range(dice, 60),
        },
        line: 0,
    }
}

fn answers(dice: &mut ChaCha8Rng) -> Answers {
    let accepted = dice.random_range(0..=100);
    let processed = dice.random_range(0..=accepted);
    let finished = dice.random_range(0..=processed);
    let of = |hundredths: u32| f64::from(hundredths) / 100.0;
    Answers {
        area: Area::default(),
        refused: share(dice, 40),
        accepted: of(accepted),
        assigned: share(dice, 100),
        processed: of(processed),
        finished: of(finished),
        by_document: dice.random_bool(0.2),
        accepted_hours: range(dice, 20),
        processed_hours: range(dice, 30),
        finished_hours: range(dice, 40),
        late: share(dice, 30),
        late_hours: range(dice, 80),
        reply: share(dice, 50),
        change_agreed: of(dice.random_range(0..=100)),
        change_hours: range(dice, 30),
        line: 0,
    }
}

fn fault(dice: &mut ChaCha8Rng, days: Days, provinces: &[AgencyCode]) -> Fault {
    let kind = FaultKind::ALL.choose(dice).copied().unwrap_or(FaultKind::HubKilled);
    let begin = days.first.start().millis();
    let length = (i64::from(days.last.0 - days.first.0) + 1) * DAY_MS;
    // To the second, as a file has it.
    let moment = |share: f64| {
        let shift = crate::scenario::whole(share * 1_000_000.0).cast_signed();
        Timestamp::from_millis((begin + length / 1_000 * shift / 1_000) / 1_000 * 1_000)
    };
    let from = dice.random_range(0.0..0.9);
    let until = dice.random_range(from..1.0);
    let (from, until) = (moment(from), moment(until).plus(Duration::from_secs(60)));
    let end = Timestamp::from_millis(begin + length);
    let by_node = !kind.is_the_hubs();
    let links = by_node && !matches!(kind, FaultKind::NodeOff | FaultKind::CertificateRevoked);
    let mut area = |wanted: bool| match provinces.choose(dice) {
        Some(province) if wanted && dice.random_bool(0.4) => {
            Area { provinces: vec![province.clone()], ..Area::default() }
        }
        _ => Area::default(),
    };
    let (area, with) = (area(by_node), area(links));
    Fault {
        kind,
        area,
        with,
        share: if links { f64::from(dice.random_range(10..=100)) / 100.0 } else { 1.0 },
        from,
        until: until.min(end),
        delay_seconds: match kind {
            FaultKind::Delay | FaultKind::SlowReader => (1.0, 300.0),
            _ => (30.0, 120.0),
        },
        clock_minutes: if kind == FaultKind::ClockOff { dice.random_range(6..=90) } else { 90 },
        line: 0,
    }
}
