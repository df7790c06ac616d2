//! Reading a scenario: TOML with a fixed vocabulary; every error names line, key and remedy.

mod judging;
mod section;
mod sections;
mod values;

use lienthong_model::Day;
use toml::de::DeTable;

use super::{Scenario, ScenarioError};
use section::{File, Section};

/// Most documents of a day: of some forty working days of the whole country.
const DOCUMENTS_A_DAY_MAX: f64 = 2_000_000.0;

/// The keys of every table, in the order of the page that explains them.
pub const VOCABULARY: [(&str, &[&str]); 7] = [
    (
        "scenario",
        &[
            "name",
            "title",
            "title-en",
            "about",
            "from",
            "until",
            "seed",
            "signatures",
            "disk-milliseconds",
        ],
    ),
    ("calendar", &["hours", "weekend-share", "holidays", "month-end-days", "month-end-factor"]),
    (
        "agencies",
        &[
            "provinces",
            "region",
            "levels",
            "agencies",
            "take",
            "connected-from",
            "personal-signature-from",
        ],
    ),
    (
        "traffic",
        &[
            "provinces",
            "region",
            "levels",
            "agencies",
            "to-provinces",
            "to-region",
            "to-levels",
            "to-agencies",
            "span",
            "type",
            "documents-per-day",
            "from",
            "until",
            "fan-out",
            "urgent-share",
            "very-urgent-share",
            "express-share",
            "timed-share",
            "paper-share",
            "pages",
            "attachment-kib",
            "due-days",
            "recall-share",
            "update-share",
            "replace-share",
            "change-hours",
        ],
    ),
    (
        "answers",
        &[
            "provinces",
            "region",
            "levels",
            "agencies",
            "refused-share",
            "accepted-share",
            "assigned-share",
            "processed-share",
            "finished-share",
            "by-document",
            "accepted-hours",
            "processed-hours",
            "finished-hours",
            "late-share",
            "late-hours",
            "reply-share",
            "change-agreed-share",
            "change-hours",
        ],
    ),
    (
        "fault",
        &[
            "kind",
            "provinces",
            "region",
            "levels",
            "agencies",
            "with-provinces",
            "with-region",
            "with-levels",
            "with-agencies",
            "share",
            "from",
            "until",
            "delay-seconds",
            "clock-minutes",
        ],
    ),
    (
        "expect",
        &[
            "measure",
            "province",
            "level",
            "from",
            "until",
            "base-from",
            "base-until",
            "reason",
            "status",
            "percentile",
            "at-least",
            "at-most",
            "equals",
            "target",
            "target-by",
            "standing",
        ],
    ),
];

/// Tables that stand once; the others are lists, begun with `[[name]]`.
const ONCE: [&str; 2] = ["scenario", "calendar"];

/// Reads a scenario; `shown` names the file in errors.
pub(super) fn scenario(shown: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let file = File { shown, text };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let why = error.message();
        let remedy = (
            "ghi các bảng theo cú pháp TOML, ví dụ [scenario]",
            "write tables of TOML, such as [scenario]",
        );
        file.wrong(at, "", ("không phải TOML đúng cú pháp", why), remedy)
    })?;
    check_tables(&file, table.get_ref())?;
    let lists = |name: &str| file.sections(table.get_ref(), name);
    let Some(head) = lists("scenario")?.into_iter().next() else {
        let remedy = (
            "bắt đầu bằng [scenario] với name, title, from và until",
            "begin with [scenario] and name, title, from and until",
        );
        let what = ("không có bảng [scenario]", "there is no table [scenario]");
        return Err(file.wrong(0, "scenario", what, remedy));
    };
    let mut scenario = sections::head(&head)?;
    if let Some(calendar) = lists("calendar")?.first() {
        scenario.calendar = sections::calendar(calendar)?;
    }
    scenario.agencies = all(&lists("agencies")?, sections::participation)?;
    let days = scenario.days;
    scenario.traffic = all(&lists("traffic")?, |section| sections::traffic(section, days))?;
    scenario.answers = all(&lists("answers")?, sections::answers)?;
    scenario.faults = all(&lists("fault")?, |section| judging::fault(section, days))?;
    scenario.expects = all(&lists("expect")?, |section| judging::expect(section, days))?;
    if scenario.agencies.is_empty() || scenario.traffic.is_empty() {
        let what = (
            "không cơ quan nào tham gia, hoặc không ai gửi",
            "nobody takes part, or nobody writes",
        );
        let remedy = (
            "ghi ít nhất một [[agencies]] và một [[traffic]]",
            "write at least one [[agencies]] and one [[traffic]]",
        );
        return Err(file.wrong(0, "agencies", what, remedy));
    }
    check_volume(&file, &scenario)?;
    Ok(scenario)
}

/// What is written on a day is made up at once when the day begins.
fn check_volume(file: &File<'_>, scenario: &Scenario) -> Result<(), ScenarioError> {
    let too_much = |day: &Day| scenario.documents_on(*day) > DOCUMENTS_A_DAY_MAX;
    let Some(day) = scenario.days.iter().find(too_much) else { return Ok(()) };
    let active = scenario.traffic.iter().filter(|traffic| traffic.active(day));
    let most = active.max_by(|one, other| one.per_day.total_cmp(&other.per_day));
    let documents = scenario.documents_on(day);
    let what = (
        format!("ngày {day} có {documents:.0} văn bản, tối đa {DOCUMENTS_A_DAY_MAX}"),
        format!("{documents:.0} documents are written on {day}, at most {DOCUMENTS_A_DAY_MAX}"),
    );
    let remedy = (
        "giảm documents-per-day, hoặc month-end-factor",
        "write a smaller documents-per-day, or month-end-factor",
    );
    let line = most.map_or(1, |traffic| traffic.line);
    Err(file.wrong_on(line, "documents-per-day", what, remedy))
}

fn all<T>(
    sections: &[Section<'_>],
    read: impl Fn(&Section<'_>) -> Result<T, ScenarioError>,
) -> Result<Vec<T>, ScenarioError> {
    sections.iter().map(read).collect()
}

/// Every table is known, and stands once or is a list as the vocabulary says.
fn check_tables(file: &File<'_>, table: &DeTable<'_>) -> Result<(), ScenarioError> {
    for (name, value) in table {
        let (at, name) = (name.span().start, name.get_ref().as_ref());
        let Some((known, _)) = VOCABULARY.iter().find(|(known, _)| *known == name) else {
            let names = VOCABULARY.map(|(known, _)| known);
            let what = (format!("không có bảng `{name}`"), format!("there is no table `{name}`"));
            return Err(file.wrong(at, name, what, section::did_you_mean(name, &names)));
        };
        let once = ONCE.contains(known);
        let fits = match once {
            true => value.get_ref().is_table(),
            false => value.get_ref().is_array(),
        };
        if !fits {
            let form = if once { format!("[{name}]") } else { format!("[[{name}]]") };
            let what = (
                format!("`{name}` không được ghi dưới dạng {form}"),
                format!("`{name}` is not written as {form}"),
            );
            let remedy = (format!("bắt đầu bằng {form}"), format!("begin it with {form}"));
            return Err(file.wrong(at, name, what, remedy));
        }
    }
    Ok(())
}
