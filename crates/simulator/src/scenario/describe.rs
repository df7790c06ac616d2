//! What a scenario will do, in words and figures, before it runs.

use std::fmt::Write as _;

use lienthong_model::{Day, Level};

use super::calendar::whole;
use super::{Answers, Area, Bound, Country, Expect, Fault, Scenario, Since, Target, Traffic};
use crate::world::Population;

impl Area {
    /// Returns it in a few words; `*` for everybody.
    pub fn words(&self) -> String {
        let mut parts: Vec<String> = self.region.iter().cloned().collect();
        parts.extend(self.provinces.iter().map(ToString::to_string));
        parts.extend(self.agencies.iter().map(ToString::to_string));
        parts.extend(self.levels.iter().map(|level| level.name().to_owned()));
        if parts.is_empty() { "*".to_owned() } else { parts.join(" ") }
    }
}

impl Scenario {
    /// Returns how many documents it will write, about.
    pub fn documents(&self) -> u64 {
        self.traffic.iter().map(|traffic| self.documents_of(traffic)).sum()
    }

    /// Returns how many documents are written on a day, about.
    pub(super) fn documents_on(&self, day: Day) -> f64 {
        let active = self.traffic.iter().filter(|traffic| traffic.active(day));
        active.map(|traffic| traffic.per_day).sum::<f64>() * self.calendar.load(day)
    }

    /// Returns how many documents a traffic writes, about.
    pub(crate) fn documents_of(&self, traffic: &Traffic) -> u64 {
        let active = self.days.iter().filter(|day| traffic.active(*day));
        let documents: f64 = active.map(|day| self.calendar.load(day) * traffic.per_day).sum();
        whole(documents.round())
    }

    /// Describes it in Vietnamese and English.
    pub fn describe(&self, country: &Country) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = self.write(country, &mut text);
        text
    }

    fn write(&self, country: &Country, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{}\n{} / {}\n", self.name, self.title, self.title_en)?;
        if !self.about.is_empty() {
            writeln!(out, "{}\n", self.about.trim())?;
        }
        let working = self.days.iter().filter(|day| self.calendar.works(*day)).count();
        writeln!(
            out,
            "thời gian / period      {} … {}: {} ngày / days, {working} ngày làm việc / working days",
            self.days.first,
            self.days.last,
            self.days.count()
        )?;
        writeln!(out, "số hạt giống / seed     {}", self.seed)?;
        let population = Population::choose(self, country);
        let level = |level: Level| {
            let count = population.iter().filter(|member| member.entry.level == level).count();
            format!("{} {count}", level.name())
        };
        let levels = Level::ALL.map(level).join(", ");
        writeln!(out, "cơ quan / agencies      {} ({levels})", population.len())?;
        for participation in &self.agencies {
            let since = |since: Since| match since {
                Since::Always => "always".to_owned(),
                Since::Never => "never".to_owned(),
                Since::Day(day) => day.to_string(),
            };
            let take = participation.take.map_or_else(String::new, |take| format!(" (≤ {take})"));
            writeln!(
                out,
                "  {}{take}: kết nối / connected {}, ký số cá nhân / personal signatures {}",
                participation.area.words(),
                since(participation.connected),
                since(participation.personal),
            )?;
        }
        writeln!(out, "văn bản / documents     ≈ {}", self.documents())?;
        for traffic in &self.traffic {
            self.write_traffic(traffic, out)?;
        }
        self.answers.iter().try_for_each(|answers| write_answers(answers, out))?;
        self.faults.iter().try_for_each(|fault| write_fault(fault, out))?;
        writeln!(
            out,
            "kỳ vọng / expected      {} và các luật luôn đúng / and the laws",
            self.expects.len()
        )?;
        self.expects.iter().try_for_each(|expect| writeln!(out, "  {expect}"))
    }

    fn write_traffic(&self, traffic: &Traffic, out: &mut String) -> std::fmt::Result {
        let days = traffic.days.unwrap_or(self.days);
        writeln!(
            out,
            "  {} → {} ({}): {} một ngày làm việc / a working day, {} … {}, ≈ {}",
            traffic.area.words(),
            traffic.to.words(),
            traffic.span,
            traffic.per_day,
            days.first,
            days.last,
            self.documents_of(traffic),
        )
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn write_answers(answers: &Answers, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "trả lời / answers       {}: 02 {}, 03 {}, 04 {}, 05 {}, 06 {}",
        answers.area.words(),
        percent(answers.refused),
        percent(answers.accepted),
        percent(answers.assigned),
        percent(answers.processed),
        percent(answers.finished),
    )
}

fn write_fault(fault: &Fault, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "sự cố / fault           {} / {}: {}{}, {}, {} … {}",
        fault.kind.name_vi(),
        fault.kind.name(),
        fault.area.words(),
        if fault.with.is_everybody() {
            String::new()
        } else {
            format!(" ↔ {}", fault.with.words())
        },
        percent(fault.share),
        fault.from,
        fault.until,
    )
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.subject(), self.wanted())
    }
}

impl Expect {
    /// Returns what it must be, in a few words.
    pub fn wanted(&self) -> String {
        let target = self.target.map(|target| {
            let Target { value, by, standing } = target;
            format!("≥ {value} ≤ {by}: {} / {}", standing.name_vi(), standing.name())
        });
        match (self.bound == Bound::default(), target) {
            (_, None) => self.bound.to_string(),
            (true, Some(target)) => target,
            (false, Some(target)) => format!("{}; {target}", self.bound),
        }
    }

    /// Returns what is measured, of what, without its bounds.
    pub fn subject(&self) -> String {
        let mut subject = String::new();
        // Writing to a text does not fail.
        let _ = self.write_subject(&mut subject);
        subject
    }

    fn write_subject(&self, f: &mut String) -> std::fmt::Result {
        write!(f, "{} / {}", self.measure.name_vi(), self.measure.name())?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if let Some(reason) = self.reason {
            write!(f, " {}", reason.code())?;
        }
        if self.measure.is_a_time() {
            write!(f, " p{}", self.percentile() * 100.0)?;
        }
        if let Some(province) = &self.province {
            write!(f, " {province}")?;
        }
        if let Some(level) = self.level {
            write!(f, " {level}")?;
        }
        if let Some(days) = self.days {
            write!(f, " {}…{}", days.first, days.last)?;
        }
        if let Some(base) = self.base {
            write!(f, " / {}…{}", base.first, base.last)?;
        }
        Ok(())
    }
}
