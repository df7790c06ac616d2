//! One function a table: what goes wrong, and what is expected.

use super::section::Section;
use super::sections::{OWN, WITH, area, days_within};
use crate::scenario::{
    Bound, Days, Expect, Fault, FaultKind, Measure, ScenarioError, Standing, Target,
};

type Read<T> = Result<T, ScenarioError>;

pub(super) fn fault(section: &Section<'_>, days: Days) -> Read<Fault> {
    let kind = section.need("kind", "\"node-off\"")?.one_of(&FaultKind::ALL, FaultKind::name)?;
    let end = lienthong_model::Day(days.last.0 + 1).start();
    let fault = Fault {
        kind,
        area: area(section, OWN)?,
        with: area(section, WITH)?,
        share: section.or("share", 1.0, |field| field.share())?,
        from: section.or("from", days.first.start(), |field| field.moment())?,
        until: section.or("until", end, |field| field.moment())?,
        delay_seconds: section.or("delay-seconds", (30.0, 120.0), |field| field.range())?,
        clock_minutes: section.or("clock-minutes", 90, |field| field.minutes())?,
        line: section.line(),
    };
    check_fault(section, &fault)?;
    if fault.from >= fault.until || fault.from < days.first.start() || fault.until > end {
        let what = (
            "sự cố bắt đầu sau khi kết thúc, hoặc nằm ngoài thời gian của kịch bản",
            "the fault begins after it ends, or lies outside the scenario",
        );
        let remedy = (
            "ghi các thời điểm trong những ngày của kịch bản",
            "write moments within the scenario's days",
        );
        return Err(section.wrong("from", what, remedy));
    }
    Ok(fault)
}

/// A key that a fault does not heed would promise what does not happen.
fn check_fault(section: &Section<'_>, fault: &Fault) -> Read<()> {
    use FaultKind::{
        CertificateRevoked, ClockOff, Delay, HubKilled, NodeOff, RevocationListLate, SlowReader,
    };
    let kind = fault.kind;
    let one_end = matches!(kind, NodeOff | CertificateRevoked) || kind.is_the_hubs();
    let delays = matches!(kind, Delay | SlowReader);
    let unheeded = |key: &&'static str| {
        let heeded = match *key {
            "delay-seconds" => delays,
            "clock-minutes" => kind == ClockOff,
            "share" => !one_end,
            key if OWN.contains(&key) => !kind.is_the_hubs(),
            _ => !one_end,
        };
        !heeded && section.get(key).is_some()
    };
    let others = ["share", "delay-seconds", "clock-minutes"];
    let mut keys = OWN.into_iter().chain(WITH).chain(others);
    if let Some(key) = keys.find(unheeded) {
        let kind = kind.name();
        let what =
            (format!("`{kind}` không dùng `{key}`"), format!("`{kind}` does not heed `{key}`"));
        return Err(section.wrong(key, what, leave_out(key)));
    }
    if kind == ClockOff && fault.clock_minutes == 0 {
        let what =
            ("đồng hồ lệch 0 phút là đồng hồ đúng", "a clock that is off by nothing is right");
        let remedy = ("ghi clock-minutes = 90 hoặc -90", "write clock-minutes = 90, or -90");
        return Err(section.wrong("clock-minutes", what, remedy));
    }
    if matches!(kind, HubKilled | RevocationListLate) && section.get("until").is_none() {
        let what = (
            "phải có lúc kết thúc: trục khởi động lại, danh sách đến",
            "it must end: the hub starts again, the list comes",
        );
        let remedy = ("ghi until = 2020-11-16T09:05:00", "write until = 2020-11-16T09:05:00");
        return Err(section.wrong("until", what, remedy));
    }
    Ok(())
}

/// The remedy for a key that is not heeded.
fn leave_out(key: &str) -> (String, String) {
    (format!("bỏ `{key}`"), format!("leave `{key}` out"))
}

pub(super) fn expect(section: &Section<'_>, scenarios: Days) -> Read<Expect> {
    let measure = section.need("measure", "\"sent\"")?.one_of(&Measure::ALL, Measure::name)?;
    let equals = section.maybe("equals", |field| field.number())?;
    if equals.is_some()
        && let Some(key) =
            ["at-least", "at-most"].into_iter().find(|key| section.get(key).is_some())
    {
        let what = (
            format!("`equals` và `{key}` nói hai điều khác nhau"),
            format!("`equals` and `{key}` say two things"),
        );
        let remedy = (
            "chỉ ghi equals, hoặc ghi at-least và at-most",
            "write equals alone, or at-least and at-most",
        );
        return Err(section.wrong(key, what, remedy));
    }
    let bound = Bound {
        at_least: section.maybe("at-least", |field| field.number())?.or(equals),
        at_most: section.maybe("at-most", |field| field.number())?.or(equals),
    };
    let expect = Expect {
        measure,
        province: section.maybe("province", |field| field.code())?,
        level: section.maybe("level", |field| field.level())?,
        days: days_within(section, ["from", "until"], scenarios)?,
        // What was before the scenario nobody has recorded.
        base: days_within(section, ["base-from", "base-until"], scenarios)?,
        reason: section.maybe("reason", |field| field.reason())?,
        status: section.maybe("status", |field| field.status())?,
        percentile: section.maybe("percentile", |field| field.share())?,
        bound,
        target: target(section, measure)?,
        line: section.line(),
    };
    if bound == Bound::default() && expect.target.is_none() {
        let what = ("chưa nói giá trị phải là bao nhiêu", "nothing is said of what it must be");
        let remedy = ("ghi at-least, at-most hoặc equals", "write at-least, at-most or equals");
        return Err(section.wrong("at-least", what, remedy));
    }
    if measure == Measure::Growth && (expect.base.is_none() || expect.days.is_none()) {
        let what = (
            "tăng trưởng so sánh một khoảng ngày với khoảng ngày khác",
            "growth compares days with other days",
        );
        let remedy = (
            "ghi from, until, base-from và base-until",
            "write from, until, base-from and base-until",
        );
        return Err(section.wrong("base-from", what, remedy));
    }
    if measure == Measure::ReportedShare && expect.status.is_none() {
        let what = ("chưa nói trạng thái nào", "of which status is not said");
        let remedy = ("ghi status = \"03\"", "write status = \"03\"");
        return Err(section.wrong("status", what, remedy));
    }
    only(section, &expect)?;
    Ok(expect)
}

fn target(section: &Section<'_>, measure: Measure) -> Read<Option<Target>> {
    let Some(field) = section.get("target") else {
        for key in ["target-by", "standing"] {
            if section.get(key).is_some() {
                let what = (
                    format!("không có chỉ tiêu thì `{key}` không có nghĩa"),
                    format!("`{key}` says nothing without a target"),
                );
                let remedy = ("ghi target = 0.7", "write target = 0.7");
                return Err(section.wrong(key, what, remedy));
            }
        }
        return Ok(None);
    };
    if !measure.is_a_share() {
        return Err(field.wrong((
            "bỏ `target`: chỉ tỷ lệ mới có chỉ tiêu",
            "leave `target` out: only shares have targets",
        )));
    }
    let standing = section.need("standing", "\"met\"")?;
    Ok(Some(Target {
        value: field.share()?,
        by: section.need("target-by", "2020-11-30")?.day()?,
        standing: standing.one_of(&Standing::ALL, Standing::name)?,
    }))
}

/// A key that a measure does not read would promise what is not measured.
fn only(section: &Section<'_>, expect: &Expect) -> Read<()> {
    use Measure::{Growth, LevelsConnected, Refusals, ReportedShare};
    let measure = expect.measure;
    let answers = measure.is_of_answers();
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
        ("percentile", !measure.is_a_time() && expect.percentile.is_some()),
    ];
    if let Some((key, _)) = unread.iter().find(|(_, unread)| *unread) {
        let name = measure.name();
        let what = (
            format!("`{name}` không đo theo `{key}`"),
            format!("`{name}` is not measured by `{key}`"),
        );
        return Err(section.wrong(key, what, leave_out(key)));
    }
    Ok(())
}
