//! One function a table.

use lienthong_core::Span;

use super::section::{Field, Section};
use crate::scenario::{
    Answers, Area, Bound, Calendar, Days, Expect, Fault, FaultKind, Measure, Participation,
    Scenario, ScenarioError, Since, Traffic,
};

type Read<T> = Result<T, ScenarioError>;

/// Most days of a scenario: leap years included, ten years.
const DAYS_MAX: u64 = 3_653;
/// Most recipients of a document.
const FAN_OUT_MAX: u32 = 256;
/// Most KiB of an attachment: it travels beside the content.
const ATTACHMENT_KIB_MAX: u32 = 512;

pub(super) fn head(section: &Section<'_>) -> Read<Scenario> {
    let first = section.need("from", "2020-11-02")?;
    let last = section.need("until", "2020-11-30")?;
    let days = Days { first: first.day()?, last: last.day()? };
    if days.first > days.last || days.count() > DAYS_MAX {
        return Err(last.wrong("write the last day: not before `from`, at most ten years after"));
    }
    let title = section.need("title", "\"Tây Nguyên, tháng 11 năm 2020\"")?.text()?;
    Ok(Scenario {
        name: section.need("name", "\"my-province-2020-11\"")?.name()?,
        title_en: section.or("title-en", title.clone(), |field| field.text())?,
        title,
        about: section.or("about", String::new(), |field| field.text())?,
        seed: section.or("seed", 1, |field| field.seed())?,
        days,
        calendar: Calendar::default(),
        agencies: Vec::new(),
        traffic: Vec::new(),
        answers: Vec::new(),
        faults: Vec::new(),
        expects: Vec::new(),
    })
}

pub(super) fn calendar(section: &Section<'_>) -> Read<Calendar> {
    let usual = Calendar::default();
    let hours = section.or("hours", usual.hours, |field| field.list(Field::hours))?;
    if hours.is_empty() || hours.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        let remedy = "write them in order: [\"07:30-11:30\", \"13:30-17:00\"]";
        return Err(section.wrong("hours", "`hours` are none or overlap", remedy));
    }
    Ok(Calendar {
        hours,
        weekend: section.or("weekend-share", usual.weekend, |field| field.share())?,
        holidays: section.or("holidays", usual.holidays, |field| field.list(Field::days))?,
        peak_days: section.or("month-end-days", usual.peak_days, |field| field.whole())?,
        peak: section.or("month-end-factor", usual.peak, |field| field.number())?,
    })
}

fn area(section: &Section<'_>) -> Read<Area> {
    Ok(Area {
        provinces: section.or("provinces", Vec::new(), |field| field.list(Field::code))?,
        region: section.maybe("region", |field| field.text())?,
        levels: section.or("levels", Vec::new(), |field| field.list(Field::level))?,
        agencies: section.or("agencies", Vec::new(), |field| field.list(Field::code))?,
    })
}

pub(super) fn participation(section: &Section<'_>) -> Read<Participation> {
    let take = section.maybe("take", |field| {
        let count = field.whole()?;
        (count > 0).then_some(count as usize).ok_or_else(|| field.wrong("write at least 1"))
    })?;
    Ok(Participation {
        area: area(section)?,
        take,
        connected: section.or("connected-from", Since::Always, |field| field.since())?,
        personal: section.or("personal-signature-from", Since::Always, |field| field.since())?,
    })
}

fn days(section: &Section<'_>, first: &'static str, last: &'static str) -> Read<Option<Days>> {
    let pair = (section.get(first), section.get(last));
    let (first, last) = match pair {
        (None, None) => return Ok(None),
        (Some(first), Some(last)) => (first, last),
        (Some(one), None) | (None, Some(one)) => {
            return Err(one.wrong(&format!("write `{first}` and `{last}`, or neither")));
        }
    };
    let days = Days { first: first.day()?, last: last.day()? };
    match days.first <= days.last {
        true => Ok(Some(days)),
        false => Err(last.wrong("write a day that is not before the first")),
    }
}

pub(super) fn traffic(section: &Section<'_>) -> Read<Traffic> {
    let fan_out = section.or("fan-out", (1, 1), |field| {
        let range = field.whole_range()?;
        let fits = range.0 >= 1 && range.1 <= FAN_OUT_MAX;
        fits.then_some(range).ok_or_else(|| field.wrong("write 1 to 256 recipients"))
    })?;
    let attachment_kib = section.or("attachment-kib", (0, 0), |field| {
        let range = field.whole_range()?;
        let fits = range.1 <= ATTACHMENT_KIB_MAX;
        fits.then_some(range).ok_or_else(|| field.wrong("write at most 512 KiB"))
    })?;
    Ok(Traffic {
        area: area(section)?,
        to_level: section.maybe("to-level", |field| field.level())?,
        span: section.or("span", Span::Any, |field| field.span())?,
        document_type: section.maybe("type", |field| field.document_type())?,
        per_day: section.need("documents-per-day", "40")?.number()?,
        days: days(section, "from", "until")?,
        fan_out,
        urgent: section.or("urgent-share", 0.02, |field| field.share())?,
        paper: section.or("paper-share", 0.0, |field| field.share())?,
        pages: section.or("pages", (1, 10), |field| field.whole_range())?,
        attachment_kib,
        line: section.line(),
    })
}

pub(super) fn answers(section: &Section<'_>) -> Read<Answers> {
    let share = |key, usual| section.or(key, usual, |field| field.share());
    let hours = |key, usual| section.or(key, usual, |field| field.range());
    let answers = Answers {
        area: area(section)?,
        refused: share("refused-share", 0.0)?,
        accepted: share("accepted-share", 1.0)?,
        assigned: share("assigned-share", 0.0)?,
        processed: share("processed-share", 0.0)?,
        finished: share("finished-share", 0.0)?,
        accepted_hours: hours("accepted-hours", (0.1, 4.0))?,
        processed_hours: hours("processed-hours", (0.5, 8.0))?,
        finished_hours: hours("finished-hours", (1.0, 24.0))?,
    };
    if answers.finished > answers.processed || answers.processed > answers.accepted {
        let what = "more are finished than processed, or more processed than accepted";
        let remedy = "keep finished-share ≤ processed-share ≤ accepted-share";
        return Err(section.wrong("finished-share", what, remedy));
    }
    Ok(answers)
}

pub(super) fn fault(section: &Section<'_>, days: Days) -> Read<Fault> {
    let kind = section.need("kind", "\"node-off\"")?.one_of(&FaultKind::ALL, FaultKind::name)?;
    let end = lienthong_model::Day(days.last.0 + 1).start();
    let fault = Fault {
        kind,
        area: area(section)?,
        share: section.or("share", 1.0, |field| field.share())?,
        from: section.or("from", days.first.start(), |field| field.moment())?,
        until: section.or("until", end, |field| field.moment())?,
        line: section.line(),
    };
    if fault.from >= fault.until || fault.from < days.first.start() || fault.until > end {
        let what = "the fault begins after it ends, or lies outside the scenario";
        return Err(section.wrong("from", what, "write moments within the scenario's days"));
    }
    if kind == FaultKind::HubKilled && section.get("until").is_none() {
        let what = "a hub that is killed must start again";
        return Err(section.wrong("until", what, "write until = 2020-11-16T09:05:00"));
    }
    Ok(fault)
}

pub(super) fn expect(section: &Section<'_>) -> Read<Expect> {
    let measure = section.need("measure", "\"sent\"")?.one_of(&Measure::ALL, Measure::name)?;
    let equals = section.maybe("equals", |field| field.number())?;
    let bound = Bound {
        at_least: section.maybe("at-least", |field| field.number())?.or(equals),
        at_most: section.maybe("at-most", |field| field.number())?.or(equals),
    };
    let expect = Expect {
        measure,
        province: section.maybe("province", |field| field.code())?,
        level: section.maybe("level", |field| field.level())?,
        days: days(section, "from", "until")?,
        base: days(section, "base-from", "base-until")?,
        reason: section.maybe("reason", |field| field.reason())?,
        status: section.maybe("status", |field| field.status())?,
        bound,
        line: section.line(),
    };
    if bound == Bound::default() {
        let what = "nothing is said of what it must be";
        return Err(section.wrong("at-least", what, "write at-least, at-most or equals"));
    }
    if measure == Measure::Growth && (expect.base.is_none() || expect.days.is_none()) {
        let what = "growth compares days with other days";
        let remedy = "write from, until, base-from and base-until";
        return Err(section.wrong("base-from", what, remedy));
    }
    if measure == Measure::ReportedShare && expect.status.is_none() {
        let what = "of which status is not said";
        return Err(section.wrong("status", what, "write status = \"03\""));
    }
    only(section, &expect)?;
    Ok(expect)
}

/// A key that a measure does not read would promise what is not measured.
fn only(section: &Section<'_>, expect: &Expect) -> Read<()> {
    use Measure::{
        Growth, HubRestarts, LevelsConnected, Refusals, RepeatedReceipts, ReportedShare,
    };
    let measure = expect.measure;
    let answers = matches!(measure, RepeatedReceipts | HubRestarts);
    let unread = [
        ("province", answers && expect.province.is_some()),
        (
            "level",
            expect.level.is_some() && (answers || matches!(measure, Refusals | LevelsConnected)),
        ),
        ("from", answers && expect.days.is_some()),
        ("base-from", measure != Growth && expect.base.is_some()),
        ("reason", measure != Refusals && expect.reason.is_some()),
        ("status", measure != ReportedShare && expect.status.is_some()),
    ];
    if let Some((key, _)) = unread.iter().find(|(_, unread)| *unread) {
        let what = format!("`{}` is not measured by `{key}`", measure.name());
        return Err(section.wrong(key, &what, &format!("leave `{key}` out")));
    }
    Ok(())
}
