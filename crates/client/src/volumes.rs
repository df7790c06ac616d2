//! Sums that are used together: volumes by province and level, flows, refusals. Each is a question
//! or two.

use std::collections::BTreeMap;

use lienthong_model::{AgencyCode, Level, Reason};

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::statistics::{Answer, Dimension, GroupValue, Measure, Period, Question, Row};

/// Volumes in a period. Over provinces and centre they add up to the totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volumes {
    /// One entry a province, in the order of codes.
    pub provinces: Vec<ProvinceVolume>,
    /// The central bodies.
    pub centre: ProvinceVolume,
    /// The whole country.
    pub totals: TotalVolume,
}

/// Volumes of one province, or of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProvinceVolume {
    /// The province; `None` for the centre.
    pub code: Option<AgencyCode>,
    /// Its name; empty for the centre.
    pub name: String,
    /// Documents sent: each counts once.
    pub sent: u64,
    /// Documents received: each delivery counts.
    pub received: u64,
    /// Documents sent that bear a person's signature.
    pub personally_signed: u64,
    /// The same by level.
    pub levels: Vec<LevelVolume>,
}

/// Volumes of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelVolume {
    /// The level.
    pub level: Level,
    /// Documents sent: each counts once.
    pub sent: u64,
    /// Documents received: each delivery counts.
    pub received: u64,
}

/// Volumes of the whole country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TotalVolume {
    /// Documents sent: each counts once.
    pub sent: u64,
    /// Documents received: each delivery counts.
    pub received: u64,
    /// Documents sent that bear a person's signature.
    pub personally_signed: u64,
}

/// Deliveries from one province and level to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCell {
    /// The sender's province; `None` for the centre.
    pub sender_province: Option<AgencyCode>,
    /// The sender's level.
    pub sender_level: Level,
    /// The recipient's province; `None` for the centre.
    pub recipient_province: Option<AgencyCode>,
    /// The recipient's level.
    pub recipient_level: Level,
    /// Deliveries made to mailboxes.
    pub deliveries: u64,
    /// Bytes of signed content and attachments delivered.
    pub content_bytes: u64,
}

/// Refusals in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// In all, by code.
    pub total: Vec<RefusalCount>,
    /// By province, in the order of codes.
    pub provinces: Vec<ProvinceRefusals>,
    /// Of the central bodies.
    pub centre: ProvinceRefusals,
}

/// Refusals with one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalCount {
    /// The stable code.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// Refusals of what one province's agencies handed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProvinceRefusals {
    /// The province; `None` for the centre.
    pub code: Option<AgencyCode>,
    /// Its name; empty for the centre.
    pub name: String,
    /// By code.
    pub refusals: Vec<RefusalCount>,
}

/// How the centre is written in a province's place.
const CENTRE: &str = "TW";

impl RefusalCount {
    /// Returns the reason, when this version knows it.
    pub fn known_reason(&self) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.code() == self.code)
    }
}

impl Client {
    /// Returns documents sent and received in a period, by province and level.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn volumes(&self, period: Period) -> Result<Volumes, CallError> {
        let documents = |direction: &str| Question {
            filter: vec![(Dimension::Direction, vec![direction.to_owned()])],
            ..Question::of(period, &[Measure::Documents])
        };
        let places = vec![Dimension::Province, Dimension::Level];
        let by_signature = [&places[..], &[Dimension::Signature]].concat();
        let sent = self.ask(&Question { group_by: by_signature, ..documents("sent") }).await?;
        let received = self.ask(&Question { group_by: places, ..documents("received") }).await?;
        volumes(&sent, &received)
    }

    /// Returns deliveries in a period from each province and level to each, the largest first; cells
    /// without any are left out.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn flows(&self, period: Period) -> Result<Vec<FlowCell>, CallError> {
        let mut cells = Vec::new();
        for level in Level::ALL {
            let question = Question {
                group_by: vec![Dimension::Province, Dimension::Level, Dimension::PartnerProvince],
                filter: vec![(Dimension::PartnerLevel, vec![level.name().to_owned()])],
                ..Question::of(period, &[Measure::Deliveries, Measure::Bytes])
            };
            for row in self.ask(&question).await?.rows {
                cells.push(cell(&row, level)?);
            }
        }
        cells.sort_by_key(|cell| std::cmp::Reverse(cell.deliveries));
        Ok(cells)
    }

    /// Returns refusals in a period by code, in all and by province.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn refusals(&self, period: Period) -> Result<Refusals, CallError> {
        let question = Question {
            group_by: vec![Dimension::Province, Dimension::Reason],
            ..Question::of(period, &[Measure::Refusals])
        };
        let answer = self.ask(&question).await?;
        let (mut total, mut places) = (Counts::default(), BTreeMap::new());
        for row in &answer.rows {
            let [place, reason] = group(row)?;
            let (_, counts): &mut (String, Counts) = places
                .entry(place.value.clone())
                .or_insert_with(|| (place.name_vi.clone(), Counts::default()));
            for counts in [&mut total, counts] {
                *counts.entry(reason.value.clone()).or_default() += row.figure(0);
            }
        }
        let centre = places.remove(CENTRE).unwrap_or_default();
        let provinces = places.into_iter().map(|(code, (name, counts))| {
            let code = read::optional_code("rows.group", &code)?;
            Ok(ProvinceRefusals { code, name, refusals: refusal_counts(counts) })
        });
        Ok(Refusals {
            total: refusal_counts(total),
            provinces: provinces.collect::<Result<_, CallError>>()?,
            centre: ProvinceRefusals { refusals: refusal_counts(centre.1), ..Default::default() },
        })
    }
}

/// Refusals by code.
type Counts = BTreeMap<String, u64>;

/// In the order of the list of reasons.
fn refusal_counts(counts: Counts) -> Vec<RefusalCount> {
    let place = |code: &str| Reason::ALL.iter().position(|reason| reason.code() == code);
    let counts = counts.into_iter().map(|(code, count)| RefusalCount { code, count });
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_key(|count| place(&count.code).unwrap_or(usize::MAX));
    counts
}

fn volumes(sent: &Answer, received: &Answer) -> Result<Volumes, CallError> {
    let mut places: BTreeMap<String, ProvinceVolume> = BTreeMap::new();
    let mut totals = TotalVolume::default();
    for row in &sent.rows {
        let [place, level, signature] = group(row)?;
        let (volume, count) = (of(&mut places, place, level)?, row.figure(0));
        let personal = if signature.value.starts_with("personal") { count } else { 0 };
        volume.0.sent += count;
        volume.0.personally_signed += personal;
        let level = volume.1;
        volume.0.levels[level].sent += count;
        totals.sent += count;
        totals.personally_signed += personal;
    }
    for row in &received.rows {
        let [place, level] = group(row)?;
        let (volume, level) = of(&mut places, place, level)?;
        volume.received += row.figure(0);
        volume.levels[level].received += row.figure(0);
        totals.received += row.figure(0);
    }
    let centre = places.remove(CENTRE).unwrap_or_default();
    let mut provinces: Vec<ProvinceVolume> = places.into_values().collect();
    provinces.sort_by(|a, b| {
        a.code.as_ref().map(AgencyCode::as_str).cmp(&b.code.as_ref().map(AgencyCode::as_str))
    });
    for volume in &mut provinces {
        volume.levels.sort_by_key(|one| one.level);
    }
    Ok(Volumes { provinces, centre, totals })
}

/// The volume of a place, and where its level is.
fn of<'p>(
    places: &'p mut BTreeMap<String, ProvinceVolume>,
    place: &GroupValue,
    level: &GroupValue,
) -> Result<(&'p mut ProvinceVolume, usize), CallError> {
    let level = read_level(level)?;
    let (code, name) = match place.value == CENTRE {
        true => (None, String::new()),
        false => (Some(read::code("rows.group", &place.value)?), place.name_vi.clone()),
    };
    let volume = places.entry(place.value.clone()).or_insert_with(|| ProvinceVolume {
        code,
        name,
        ..ProvinceVolume::default()
    });
    let known = volume.levels.iter().position(|one| one.level == level);
    let known = known.unwrap_or_else(|| {
        volume.levels.push(LevelVolume { level, sent: 0, received: 0 });
        volume.levels.len() - 1
    });
    Ok((volume, known))
}

fn cell(row: &Row, recipient_level: Level) -> Result<FlowCell, CallError> {
    let [from, level, to] = group(row)?;
    Ok(FlowCell {
        sender_province: province(from)?,
        sender_level: read_level(level)?,
        recipient_province: province(to)?,
        recipient_level,
        deliveries: row.figure(0),
        content_bytes: row.figure(1),
    })
}

fn province(value: &GroupValue) -> Result<Option<AgencyCode>, CallError> {
    match value.value.as_str() {
        CENTRE => Ok(None),
        code => read::code("rows.group", code).map(Some),
    }
}

fn read_level(value: &GroupValue) -> Result<Level, CallError> {
    value.value.parse().map_err(|why| CallError::answer("rows.group", why))
}

fn group<const N: usize>(row: &Row) -> Result<&[GroupValue; N], CallError> {
    row.group.as_slice().try_into().map_err(|_| CallError::answer("rows.group", row.group.len()))
}
