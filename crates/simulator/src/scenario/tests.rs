//! Reading: what is written comes back, and every mistake is named with its line and remedy.

use super::*;

const HEAD: &str =
    "[scenario]\nname = \"x\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-17\n";
const REST: &str = "[[agencies]]\nprovinces = [\"H36\"]\n[[traffic]]\ndocuments-per-day = 3\n";

fn error(text: &str) -> ScenarioError {
    Scenario::parse("x.toml", text).unwrap_err()
}

#[test]
fn every_scenario_that_comes_with_it_is_read_under_its_own_name() {
    for name in names() {
        let scenario = builtin(name).unwrap_or_else(|| panic!("`{name}` is not read"));
        assert_eq!(scenario.name, name);
        assert!(!scenario.expects.is_empty(), "`{name}` expects nothing");
        assert!(!scenario.about.is_empty(), "`{name}` does not say what it shows");
    }
}

#[test]
fn a_scenario_written_as_a_file_is_read_as_the_same_one() {
    for name in names() {
        let scenario = builtin(name).unwrap();
        let text = scenario.to_toml();
        let mut again = Scenario::parse("x.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        // Lines are those of the file.
        let lines = |scenario: &mut Scenario| {
            scenario.agencies.iter_mut().for_each(|one| one.line = 0);
            scenario.traffic.iter_mut().for_each(|one| one.line = 0);
            scenario.answers.iter_mut().for_each(|one| one.line = 0);
            scenario.faults.iter_mut().for_each(|one| one.line = 0);
            scenario.expects.iter_mut().for_each(|one| one.line = 0);
        };
        let mut scenario = scenario;
        lines(&mut scenario);
        lines(&mut again);
        assert_eq!(again, scenario, "{text}");
    }
}

#[test]
fn there_is_a_scenario_for_every_fault() {
    for kind in FaultKind::ALL {
        let has = |name| builtin(name).unwrap().faults.iter().any(|fault| fault.kind == kind);
        assert!(names().any(has), "no scenario has {}", kind.name());
    }
}

#[test]
fn what_is_not_written_has_its_usual_value() {
    let scenario = Scenario::parse("x.toml", &format!("{HEAD}{REST}")).unwrap();
    assert_eq!(scenario.calendar, Calendar::default());
    assert_eq!((scenario.seed, scenario.title_en.as_str()), (1, "X"));
    let traffic = &scenario.traffic[0];
    assert_eq!((traffic.fan_out, traffic.span, traffic.per_day), ((1, 1), Span::Any, 3.0));
    assert_eq!(scenario.documents(), 6);
}

#[test]
fn an_error_names_line_key_and_remedy() {
    for (text, line, key, remedy) in [
        (format!("{HEAD}sead = 7\n{REST}"), 6, "sead", "did you mean `seed`?"),
        (format!("{HEAD}[[trafic]]\n"), 6, "trafic", "did you mean `traffic`?"),
        (format!("{HEAD}[traffic]\n"), 6, "traffic", "[[traffic]]"),
        (format!("{HEAD}{REST}fan-out = [3, 1]\n"), 10, "fan-out", "[1, 3]"),
        (format!("{HEAD}{REST}urgent-share = 2\n"), 10, "urgent-share", "0.05"),
        (format!("{HEAD}{REST}type = \"XYZ\"\n"), 10, "type", "Decree 30"),
        (format!("{HEAD}{REST}from = 2020-11-16\n"), 10, "from", "`until`"),
        (format!("{HEAD}{REST}[[fault]]\nkind = \"nod-off\"\n"), 11, "kind", "`node-off`"),
        (format!("{HEAD}{REST}[[fault]]\nkind = \"hub-killed\"\n"), 10, "until", "until ="),
        (
            format!("{HEAD}{REST}[[fault]]\nkind = \"delay\"\nclock-minutes = 3\n"),
            10,
            "clock-minutes",
            "leave",
        ),
        (
            format!("{HEAD}{REST}[[fault]]\nkind = \"reorder\"\ndelay-seconds = [1, 2]\n"),
            10,
            "delay-seconds",
            "leave",
        ),
        (
            format!("{HEAD}{REST}[[fault]]\nkind = \"disk-full\"\nprovinces = \"H36\"\n"),
            10,
            "provinces",
            "leave",
        ),
        (
            format!("{HEAD}{REST}recall-share = 0.6\nupdate-share = 0.6\n"),
            8,
            "recall-share",
            "at most 1",
        ),
        (format!("{HEAD}{REST}pages = 31\n"), 10, "pages", "30"),
        (format!("{HEAD}{REST}pages = 0x1F\n"), 10, "pages", "30"),
        (format!("{HEAD}{REST}from = 2019-11-16\nuntil = 2019-11-17\n"), 8, "from", "2020-11-16"),
        (
            format!("{HEAD}{REST}[[traffic]]\ndocuments-per-day = 2_000_000\n"),
            10,
            "documents-per-day",
            "smaller",
        ),
        (
            format!("{HEAD}{REST}[calendar]\nmonth-end-days = 31\nmonth-end-factor = 1e6\n"),
            8,
            "documents-per-day",
            "month-end-factor",
        ),
        (
            format!("{HEAD}{REST}[[expect]]\nmeasure = \"sent\"\ntarget = 0.5\n"),
            12,
            "target",
            "shares",
        ),
        (
            format!("{HEAD}{REST}[[expect]]\nmeasure = \"finished-share\"\ntarget = 0.5\n"),
            10,
            "standing",
            "met",
        ),
        (
            format!("{HEAD}{REST}[[fault]]\nkind = \"node-off\"\nfrom = 2021-01-01T08:00:00\n"),
            10,
            "from",
            "within",
        ),
        (format!("{HEAD}{REST}[[expect]]\nmeasure = \"sent\"\n"), 10, "at-least", "equals"),
        (
            format!(
                "{HEAD}{REST}[[expect]]\nmeasure = \"sent\"\nequals = 0\n\
                 from = 2020-11-18\nuntil = 2020-11-20\n"
            ),
            10,
            "from",
            "2020-11-17",
        ),
        (
            format!(
                "{HEAD}{REST}[[expect]]\nmeasure = \"growth\"\nat-least = 2\n\
                 from = 2020-11-17\nuntil = 2020-11-30\n\
                 base-from = 2019-11-17\nbase-until = 2019-11-30\n"
            ),
            10,
            "base-from",
            "2020-11-16",
        ),
        (
            format!("{HEAD}{REST}[[expect]]\nmeasure = \"sent\"\nequals = 5\nat-least = 3\n"),
            10,
            "at-least",
            "equals alone",
        ),
        (
            format!("{HEAD}{REST}[[expect]]\nmeasure = \"sent\"\nequals = 1\nstatus = \"03\"\n"),
            10,
            "status",
            "leave `status` out",
        ),
        (
            format!("{HEAD}{REST}[[expect]]\nmeasure = \"refusals\"\nreason = \"NO\"\n"),
            12,
            "reason",
            "did you mean",
        ),
        (format!("{HEAD}{REST}[calendar]\nhours = [\"7-11\"]\n"), 11, "hours", "07:30-11:30"),
        (format!("{HEAD}{REST}[calendar]\nholidays = \"Tết\"\n"), 11, "holidays", "2020-01-23"),
        (HEAD.to_owned(), 1, "agencies", "[[agencies]]"),
        ("[scenario]\nname = \"A b\"\n".to_owned(), 1, "from", "from ="),
        ("[scenario".to_owned(), 1, "", "TOML"),
    ] {
        let error = error(&text);
        assert_eq!((error.line, error.key.as_str()), (line, key), "{text}\n{error:?}");
        assert!(error.remedy.en.contains(remedy), "{remedy} in {error:?}");
        assert!(error.to_string().contains("x.toml"), "{error}");
        assert!(error.shown_vi().starts_with(&format!("`x.toml`, dòng {line}: ")), "{error:?}");
        assert!(error.what.vi != error.what.en && error.remedy.vi != error.remedy.en, "{error:?}");
        assert!(!error.what.vi.is_empty() && !error.remedy.vi.is_empty(), "{error:?}");
    }
}

#[test]
fn a_whole_number_is_read_in_each_of_tomls_notations() {
    for (text, number) in
        [("40", 40), ("+40", 40), ("1_000", 1_000), ("0x28", 40), ("0o50", 40), ("0b10_1000", 40)]
    {
        let head = format!("{HEAD}seed = {text}\ndisk-milliseconds = {text}\n");
        let rest = format!(
            "[[agencies]]\ntake = {text}\n[[traffic]]\ndocuments-per-day = {text}\n\
             [[fault]]\nkind = \"clock-off\"\nclock-minutes = {text}\n"
        );
        let scenario = Scenario::parse("x.toml", &format!("{head}{rest}"));
        let scenario = scenario.unwrap_or_else(|error| panic!("{text}: {error}"));
        let minutes = scenario.faults[0].clock_minutes;
        assert_eq!((scenario.seed, minutes), (number, number as i32), "{text}");
        assert_eq!(scenario.disk.as_millis(), u128::from(number), "{text}");
        assert_eq!(scenario.agencies[0].take, Some(number as usize), "{text}");
        assert_eq!(scenario.traffic[0].per_day.to_string(), number.to_string(), "{text}");
    }
    let shown = error(&format!("{HEAD}{REST}urgent-share = 0x2\n"));
    assert!(shown.what.en.contains("`0x2`") && shown.what.vi.contains("`0x2`"), "{shown:?}");
}

#[test]
fn days_that_lie_only_partly_outside_are_read() {
    let partly = "from = 2020-11-01\nuntil = 2020-11-16\n";
    let text = format!("{HEAD}{REST}{partly}[[expect]]\nmeasure = \"sent\"\nequals = 3\n{partly}");
    assert_eq!(Scenario::parse("x.toml", &text).unwrap().documents(), 3);
}

#[test]
fn the_page_explains_every_table_and_key() {
    let page = include_str!("../../../../docs/SCENARIOS.md");
    for (table, keys) in VOCABULARY {
        assert!(page.contains(&format!("## `{table}`")), "{table}");
        for key in keys {
            assert!(page.contains(&format!("`{key}`")), "{table}: {key}");
        }
    }
    for kind in FaultKind::ALL {
        assert!(page.contains(&format!("`{}`", kind.name())), "{}", kind.name());
    }
    for measure in Measure::ALL {
        assert!(page.contains(&format!("`{}`", measure.name())), "{}", measure.name());
    }
    for name in names() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
