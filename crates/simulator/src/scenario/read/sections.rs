//! One function a table: who takes part, who writes, how clerks answer.

use lienthong_core::Span;

use super::section::{Field, Section};
use crate::scenario::{
    Answers, Area, Calendar, Changes, DISK, Days, Participation, Scenario, ScenarioError, Since,
    Traffic, Urgencies,
};

type Read<T> = Result<T, ScenarioError>;

/// Most days of a scenario: leap years included, ten years.
const DAYS_MAX: u64 = 3_653;
/// Most recipients of a document.
const FAN_OUT_MAX: u32 = 256;
/// Most KiB of an attachment; above 1 MiB it is uploaded first.
const ATTACHMENT_KIB_MAX: u32 = 8_192;
/// Most pages of a document.
const PAGES_MAX: u32 = 30;
/// Most days until an answer is due.
const DUE_DAYS_MAX: u32 = 366;

pub(super) fn head(section: &Section<'_>) -> Read<Scenario> {
    let first = section.need("from", "2020-11-02")?;
    let last = section.need("until", "2020-11-30")?;
    let days = Days { first: first.day()?, last: last.day()? };
    if days.first > days.last || days.count() > DAYS_MAX {
        return Err(last.wrong((
            "ghi ngày cuối: không trước `from`, nhiều nhất mười năm sau đó",
            "write the last day: not before `from`, at most ten years after",
        )));
    }
    let title = section.need("title", "\"Tây Nguyên, tháng 11 năm 2020\"")?.text()?;
    Ok(Scenario {
        name: section.need("name", "\"my-province-2020-11\"")?.name()?,
        title_en: section.or("title-en", title.clone(), |field| field.text())?,
        title,
        about: section.or("about", String::new(), |field| field.text())?,
        seed: section.or("seed", 1, |field| field.seed())?,
        signatures: section.or("signatures", 1.0, |field| field.signatures())?,
        disk: section.or("disk-milliseconds", DISK, |field| field.disk())?,
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
        let what = ("`hours` trống hoặc chồng lên nhau", "`hours` are none or overlap");
        let remedy = (
            "ghi theo thứ tự: [\"07:30-11:30\", \"13:30-17:00\"]",
            "write them in order: [\"07:30-11:30\", \"13:30-17:00\"]",
        );
        return Err(section.wrong("hours", what, remedy));
    }
    Ok(Calendar {
        hours,
        weekend: section.or("weekend-share", usual.weekend, |field| field.share())?,
        holidays: section.or("holidays", usual.holidays, |field| field.list(Field::days))?,
        peak_days: section.or("month-end-days", usual.peak_days, |field| field.whole())?,
        peak: section.or("month-end-factor", usual.peak, |field| field.number())?,
    })
}

/// The keys of an area, in the order of [`Area`]'s fields.
type AreaKeys = [&'static str; 4];

pub(super) const OWN: AreaKeys = ["provinces", "region", "levels", "agencies"];
const TO: AreaKeys = ["to-provinces", "to-region", "to-levels", "to-agencies"];
pub(super) const WITH: AreaKeys = ["with-provinces", "with-region", "with-levels", "with-agencies"];

pub(super) fn area(section: &Section<'_>, keys: AreaKeys) -> Read<Area> {
    let [provinces, region, levels, agencies] = keys;
    Ok(Area {
        provinces: section.or(provinces, Vec::new(), |field| field.list(Field::code))?,
        region: section.maybe(region, |field| field.text())?,
        levels: section.or(levels, Vec::new(), |field| field.list(Field::level))?,
        agencies: section.or(agencies, Vec::new(), |field| field.list(Field::code))?,
    })
}

pub(super) fn participation(section: &Section<'_>) -> Read<Participation> {
    let take = section.maybe("take", |field| {
        let (count, remedy) = (field.whole()?, ("ghi ít nhất là 1", "write at least 1"));
        (count > 0).then_some(count as usize).ok_or_else(|| field.wrong(remedy))
    })?;
    Ok(Participation {
        area: area(section, OWN)?,
        take,
        connected: section.or("connected-from", Since::Always, |field| field.since())?,
        personal: section.or("personal-signature-from", Since::Always, |field| field.since())?,
        line: section.line(),
    })
}

fn days(section: &Section<'_>, first: &'static str, last: &'static str) -> Read<Option<Days>> {
    let pair = (section.get(first), section.get(last));
    let (first, last) = match pair {
        (None, None) => return Ok(None),
        (Some(first), Some(last)) => (first, last),
        (Some(one), None) | (None, Some(one)) => {
            return Err(one.wrong((
                format!("ghi cả `{first}` và `{last}`, hoặc không ghi khóa nào"),
                format!("write `{first}` and `{last}`, or neither"),
            )));
        }
    };
    let days = Days { first: first.day()?, last: last.day()? };
    match days.first <= days.last {
        true => Ok(Some(days)),
        false => Err(last.wrong((
            "ghi một ngày không trước ngày đầu",
            "write a day that is not before the first",
        ))),
    }
}

/// The same, some of them among the scenario's: what is said of none of its days says nothing.
pub(super) fn days_within(
    section: &Section<'_>,
    [first, last]: [&'static str; 2],
    scenarios: Days,
) -> Read<Option<Days>> {
    let Some(days) = days(section, first, last)? else { return Ok(None) };
    if days.meets(scenarios) {
        return Ok(Some(days));
    }
    let what =
        ("các ngày này nằm ngoài thời gian của kịch bản", "these days lie outside the scenario's");
    let Days { first: begin, last: end } = scenarios;
    let remedy = (
        format!("ghi các ngày trong khoảng từ {begin} đến {end}"),
        format!("write days from {begin} to {end}"),
    );
    Err(section.wrong(first, what, remedy))
}

/// A range of whole numbers within bounds.
fn within(field: Field<'_>, (least, most): (u32, u32), remedy: (&str, &str)) -> Read<(u32, u32)> {
    let range = field.whole_range()?;
    let fits = range.0 >= least && range.1 <= most;
    fits.then_some(range).ok_or_else(|| field.wrong(remedy))
}

pub(super) fn traffic(section: &Section<'_>, scenarios: Days) -> Read<Traffic> {
    let fan_out = section.or("fan-out", (1, 1), |field| {
        let remedy = ("ghi 1 đến 256 nơi nhận", "write 1 to 256 recipients");
        within(field, (1, FAN_OUT_MAX), remedy)
    })?;
    let attachment_kib = section.or("attachment-kib", (0, 0), |field| {
        let remedy = ("ghi tối đa 8192 KiB", "write at most 8192 KiB");
        within(field, (0, ATTACHMENT_KIB_MAX), remedy)
    })?;
    let pages = section.or("pages", (1, 10), |field| {
        within(field, (1, PAGES_MAX), ("ghi 1 đến 30 trang", "write 1 to 30 pages"))
    })?;
    let due_days = section.maybe("due-days", |field| {
        within(field, (1, DUE_DAYS_MAX), ("ghi 1 đến 366 ngày", "write 1 to 366 days"))
    })?;
    Ok(Traffic {
        area: area(section, OWN)?,
        to: area(section, TO)?,
        span: section.or("span", Span::Any, |field| field.span())?,
        document_type: section.maybe("type", |field| field.document_type())?,
        per_day: section.need("documents-per-day", "40")?.number()?,
        days: days_within(section, ["from", "until"], scenarios)?,
        fan_out,
        urgencies: urgencies(section)?,
        paper: section.or("paper-share", 0.0, |field| field.share())?,
        pages,
        attachment_kib,
        due_days,
        changes: changes(section)?,
        line: section.line(),
    })
}

fn urgencies(section: &Section<'_>) -> Read<Urgencies> {
    let usual = Urgencies::default();
    let share = |key, usual| section.or(key, usual, |field| field.share());
    let urgencies = Urgencies {
        urgent: share("urgent-share", usual.urgent)?,
        very_urgent: share("very-urgent-share", usual.very_urgent)?,
        express: share("express-share", usual.express)?,
        timed: share("timed-share", usual.timed)?,
    };
    let Urgencies { urgent, very_urgent, express, timed } = urgencies;
    at_most_all(section, "urgent-share", urgent + very_urgent + express + timed)?;
    Ok(urgencies)
}

fn changes(section: &Section<'_>) -> Read<Changes> {
    let usual = Changes::default();
    let share = |key, usual| section.or(key, usual, |field| field.share());
    let changes = Changes {
        recall: share("recall-share", usual.recall)?,
        update: share("update-share", usual.update)?,
        replace: share("replace-share", usual.replace)?,
        hours: section.or("change-hours", usual.hours, |field| field.range())?,
    };
    at_most_all(section, "recall-share", changes.recall + changes.update + changes.replace)?;
    Ok(changes)
}

/// Shares that exclude each other are not more than all.
fn at_most_all(section: &Section<'_>, key: &'static str, sum: f64) -> Read<()> {
    match sum <= 1.0 {
        true => Ok(()),
        false => {
            let what = (
                "tổng các tỷ lệ loại trừ nhau lớn hơn 1",
                "shares that exclude each other are more than all",
            );
            Err(section.wrong(key, what, ("để tổng nhiều nhất là 1", "let their sum be at most 1")))
        }
    }
}

pub(super) fn answers(section: &Section<'_>) -> Read<Answers> {
    let share = |key, usual| section.or(key, usual, |field| field.share());
    let hours = |key, usual| section.or(key, usual, |field| field.range());
    let answers = Answers {
        area: area(section, OWN)?,
        refused: share("refused-share", 0.0)?,
        accepted: share("accepted-share", 1.0)?,
        assigned: share("assigned-share", 0.0)?,
        processed: share("processed-share", 0.0)?,
        finished: share("finished-share", 0.0)?,
        by_document: section.or("by-document", false, |field| field.flag())?,
        accepted_hours: hours("accepted-hours", (0.1, 4.0))?,
        processed_hours: hours("processed-hours", (0.5, 8.0))?,
        finished_hours: hours("finished-hours", (1.0, 24.0))?,
        late: share("late-share", 0.0)?,
        late_hours: hours("late-hours", (8.0, 40.0))?,
        reply: share("reply-share", 0.0)?,
        change_agreed: share("change-agreed-share", 1.0)?,
        change_hours: hours("change-hours", (0.5, 8.0))?,
        line: section.line(),
    };
    if answers.finished > answers.accepted || answers.processed > answers.accepted {
        let what = (
            "hoàn thành hoặc xử lý nhiều hơn tiếp nhận",
            "more are finished or processed than accepted",
        );
        let remedy = (
            "để finished-share và processed-share ≤ accepted-share",
            "keep finished-share and processed-share ≤ accepted-share",
        );
        return Err(section.wrong("finished-share", what, remedy));
    }
    Ok(answers)
}
