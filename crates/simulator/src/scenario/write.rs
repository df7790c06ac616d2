//! A scenario as a file, for one that was made up: what is usual is left out.

use std::fmt::{Display, Write as _};

use lienthong_core::Span;
use lienthong_model::{DocumentType, Timestamp};

use super::{
    Answers, Area, Calendar, Changes, Expect, Fault, FaultKind, Participation, Scenario, Since,
    Traffic, Urgencies,
};

/// Takes lines.
struct Lines(String);

impl Scenario {
    /// Returns it as TOML that [`Scenario::parse`] reads as the same, lines aside.
    pub fn to_toml(&self) -> String {
        let mut lines = Lines(String::new());
        lines.table("[scenario]");
        lines.text("name", &self.name);
        lines.text("title", &self.title);
        lines.text("title-en", &self.title_en);
        if !self.about.is_empty() {
            lines.text("about", &self.about);
        }
        lines.put("from", self.days.first);
        lines.put("until", self.days.last);
        lines.put("seed", self.seed);
        lines.unless("signatures", &self.signatures, &1.0);
        if self.disk != super::DISK {
            lines.put("disk-milliseconds", self.disk.as_millis());
        }
        lines.calendar(&self.calendar);
        self.agencies.iter().for_each(|one| lines.participation(one));
        self.traffic.iter().for_each(|one| lines.traffic(one));
        self.answers.iter().for_each(|one| lines.answers(one));
        self.faults.iter().for_each(|one| lines.fault(one));
        self.expects.iter().for_each(|one| lines.expect(one));
        lines.0
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

/// A moment of UTC+07:00, to the second.
fn moment(at: Timestamp) -> String {
    at.to_string()
}

impl Lines {
    fn table(&mut self, header: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(header);
        self.0.push('\n');
    }

    fn put(&mut self, key: &str, value: impl Display) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.put(key, quoted(text));
    }

    fn unless<T: PartialEq + Display>(&mut self, key: &str, value: &T, usual: &T) {
        if value != usual {
            self.put(key, value);
        }
    }

    fn range<T: PartialEq + Display>(&mut self, key: &str, value: &(T, T), usual: &(T, T)) {
        if value != usual {
            self.put(key, format!("[{}, {}]", value.0, value.1));
        }
    }

    fn area(&mut self, prefix: &str, area: &Area) {
        for (key, codes) in [("provinces", &area.provinces), ("agencies", &area.agencies)] {
            if !codes.is_empty() {
                self.put(&format!("{prefix}{key}"), list(codes));
            }
        }
        if let Some(region) = &area.region {
            self.text(&format!("{prefix}region"), region);
        }
        if !area.levels.is_empty() {
            self.put(&format!("{prefix}levels"), list(area.levels.iter().map(|l| l.name())));
        }
    }

    fn calendar(&mut self, calendar: &Calendar) {
        if *calendar == Calendar::default() {
            return;
        }
        self.table("[calendar]");
        let hour = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let hours =
            calendar.hours.iter().map(|(from, to)| format!("{}-{}", hour(*from), hour(*to)));
        self.put("hours", list(hours));
        self.put("weekend-share", calendar.weekend);
        let holidays =
            calendar.holidays.iter().map(|days| format!("{}..{}", days.first, days.last));
        self.put("holidays", list(holidays));
        self.put("month-end-days", calendar.peak_days);
        self.put("month-end-factor", calendar.peak);
    }

    fn participation(&mut self, one: &Participation) {
        self.table("[[agencies]]");
        self.area("", &one.area);
        if let Some(take) = one.take {
            self.put("take", take);
        }
        for (key, since) in
            [("connected-from", one.connected), ("personal-signature-from", one.personal)]
        {
            match since {
                Since::Always => {}
                Since::Never => self.text(key, "never"),
                Since::Day(day) => self.put(key, day),
            }
        }
    }

    fn traffic(&mut self, one: &Traffic) {
        self.table("[[traffic]]");
        self.area("", &one.area);
        self.area("to-", &one.to);
        match one.span {
            Span::Any => {}
            Span::Inside => self.text("span", "inside"),
            Span::Between => self.text("span", "between"),
            Span::Centre => self.text("span", "centre"),
        }
        if let Some(kind) = one.document_type {
            let letter = kind == DocumentType::OFFICIAL_LETTER;
            self.text("type", if letter { "CV" } else { kind.name_vi() });
        }
        self.put("documents-per-day", one.per_day);
        if let Some(days) = one.days {
            self.put("from", days.first);
            self.put("until", days.last);
        }
        self.range("fan-out", &one.fan_out, &(1, 1));
        let usual = Urgencies::default();
        self.unless("urgent-share", &one.urgencies.urgent, &usual.urgent);
        self.unless("very-urgent-share", &one.urgencies.very_urgent, &usual.very_urgent);
        self.unless("express-share", &one.urgencies.express, &usual.express);
        self.unless("timed-share", &one.urgencies.timed, &usual.timed);
        self.unless("paper-share", &one.paper, &0.0);
        self.range("pages", &one.pages, &(1, 10));
        self.range("attachment-kib", &one.attachment_kib, &(0, 0));
        if let Some(days) = &one.due_days {
            self.put("due-days", format!("[{}, {}]", days.0, days.1));
        }
        let usual = Changes::default();
        self.unless("recall-share", &one.changes.recall, &usual.recall);
        self.unless("update-share", &one.changes.update, &usual.update);
        self.unless("replace-share", &one.changes.replace, &usual.replace);
        self.range("change-hours", &one.changes.hours, &usual.hours);
    }

    fn answers(&mut self, one: &Answers) {
        self.table("[[answers]]");
        self.area("", &one.area);
        for (key, share) in [
            ("refused-share", one.refused),
            ("accepted-share", one.accepted),
            ("assigned-share", one.assigned),
            ("processed-share", one.processed),
            ("finished-share", one.finished),
            ("late-share", one.late),
            ("reply-share", one.reply),
            ("change-agreed-share", one.change_agreed),
        ] {
            self.put(key, share);
        }
        self.unless("by-document", &one.by_document, &false);
        for (key, (least, most)) in [
            ("accepted-hours", one.accepted_hours),
            ("processed-hours", one.processed_hours),
            ("finished-hours", one.finished_hours),
            ("late-hours", one.late_hours),
            ("change-hours", one.change_hours),
        ] {
            self.put(key, format!("[{least}, {most}]"));
        }
    }

    fn fault(&mut self, one: &Fault) {
        self.table("[[fault]]");
        self.text("kind", one.kind.name());
        self.area("", &one.area);
        self.area("with-", &one.with);
        self.unless("share", &one.share, &1.0);
        self.put("from", moment(one.from));
        self.put("until", moment(one.until));
        self.range("delay-seconds", &one.delay_seconds, &(30.0, 120.0));
        if one.kind == FaultKind::ClockOff {
            self.put("clock-minutes", one.clock_minutes);
        }
    }

    fn expect(&mut self, one: &Expect) {
        self.table("[[expect]]");
        self.text("measure", one.measure.name());
        if let Some(province) = &one.province {
            self.text("province", province.as_str());
        }
        if let Some(level) = one.level {
            self.text("level", level.name());
        }
        for ((from, until), days) in
            [(("from", "until"), one.days), (("base-from", "base-until"), one.base)]
        {
            if let Some(days) = days {
                self.put(from, days.first);
                self.put(until, days.last);
            }
        }
        if let Some(reason) = one.reason {
            self.text("reason", reason.code());
        }
        if let Some(status) = one.status {
            self.text("status", &status.to_string());
        }
        if let Some(percentile) = one.percentile {
            self.put("percentile", percentile);
        }
        for (key, bound) in [("at-least", one.bound.at_least), ("at-most", one.bound.at_most)] {
            if let Some(bound) = bound {
                self.put(key, bound);
            }
        }
        if let Some(target) = one.target {
            self.put("target", target.value);
            self.put("target-by", target.by);
            self.text("standing", target.standing.name());
        }
    }
}
