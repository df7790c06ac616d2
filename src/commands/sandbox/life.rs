//! Who lives in a sandbox, and how: a scenario without an end.

use lienthong_model::{AgencyCode, Level, Timestamp};
use lienthong_simulator::scenario::{Country, Scenario};
use lienthong_simulator::world::Population;

use crate::say::Usage;

/// How long a sandbox's scenario is: a year, longer than anybody lets one run.
const DAYS: i32 = 365;

/// Who takes part.
pub(super) struct Cast {
    pub province: AgencyCode,
    /// Clients of the simulator.
    pub living: Vec<AgencyCode>,
    /// Works through the connector.
    pub connector: AgencyCode,
    /// Left to whoever tests.
    pub under_test: Vec<AgencyCode>,
}

/// How it lives.
pub(super) struct Life {
    /// Documents a minute of this machine.
    pub pace: u16,
    /// How many times faster than life.
    pub rate: u32,
}

impl Cast {
    /// Chooses agencies of a province, of every level some.
    pub fn choose(
        country: &Country,
        province: &AgencyCode,
        count: u16,
        under_test: &[AgencyCode],
    ) -> anyhow::Result<Self> {
        let is = |one: &AgencyCode, other: &AgencyCode| one.key() == other.key();
        let own: Vec<(&AgencyCode, Level)> = country
            .entries
            .iter()
            .filter(|entry| entry.province.as_ref().is_some_and(|code| is(code, province)))
            .map(|entry| (&entry.code, entry.level))
            .collect();
        if own.is_empty() {
            let vi = format!("không có tỉnh `{province}`");
            return Err(Usage::new(vi, format!("there is no province `{province}`"))
                .remedy(
                    "`lienthong directory list --level province` liệt kê các tỉnh",
                    "`lienthong directory list --level province` lists them",
                )
                .into());
        }
        if let Some(unknown) = under_test.iter().find(|code| !own.iter().any(|(o, _)| is(o, code)))
        {
            let list = format!("`lienthong directory list --province {province}`");
            return Err(Usage::new(
                format!("`{unknown}` không phải cơ quan của {province}"),
                format!("`{unknown}` is no agency of {province}"),
            )
            .remedy(format!("{list} liệt kê các cơ quan"), format!("{list} lists them"))
            .into());
        }
        let under_test = match under_test {
            [] => last_of_each_level(&own, province),
            some => some.to_vec(),
        };
        let free = |code: &AgencyCode| !under_test.iter().any(|other| is(other, code));
        let mut living = Vec::new();
        // In turn: a department, a district, a commune …
        let mut by_level: Vec<Vec<&AgencyCode>> =
            [Level::Province, Level::District, Level::Commune]
                .map(|level| {
                    let here = own.iter().filter(|(code, l)| *l == level && free(code));
                    here.map(|(code, _)| *code).rev().collect()
                })
                .into();
        while living.len() < usize::from(count) + 1
            && by_level.iter().any(|level| !level.is_empty())
        {
            living.extend(by_level.iter_mut().filter_map(Vec::pop).cloned());
        }
        living.truncate(usize::from(count) + 1);
        // The second is a district: it works through the connector.
        let connector = living.remove(1.min(living.len().saturating_sub(1)));
        Ok(Self { province: province.clone(), living, connector, under_test })
    }

    /// Everybody, those of others left to them.
    pub fn population(&self, scenario: &Scenario, country: &Country) -> anyhow::Result<Population> {
        let mut population = Population::of(scenario, country)?;
        let mut outside = self.under_test.clone();
        outside.push(self.connector.clone());
        population.leave(&outside);
        Ok(population)
    }
}

fn last_of_each_level(own: &[(&AgencyCode, Level)], province: &AgencyCode) -> Vec<AgencyCode> {
    let last = |level| {
        let here = own.iter().rev().find(|(code, l)| *l == level && code.key() != province.key());
        here.map(|(code, _)| (*code).clone())
    };
    [Level::Province, Level::District, Level::Commune].into_iter().filter_map(last).collect()
}

impl Life {
    /// The scenario from a day on: round the clock, every day; clerks answer within seconds to a
    /// minute of this machine.
    pub fn scenario(&self, cast: &Cast, begin: Timestamp) -> anyhow::Result<Scenario> {
        let list = |codes: &[&AgencyCode]| {
            let quoted: Vec<String> = codes.iter().map(|code| format!("\"{code}\"")).collect();
            format!("[{}]", quoted.join(", "))
        };
        let living: Vec<&AgencyCode> = cast.living.iter().collect();
        let under_test: Vec<&AgencyCode> = cast.under_test.iter().collect();
        let all = [living.clone(), vec![&cast.connector], under_test.clone()].concat();
        let day = begin.day();
        let until = lienthong_model::Day(day.0.saturating_add(DAYS));
        // A day of business time passes in 1,440 / rate minutes.
        let a_day = f64::from(self.pace) * 1_440.0 / f64::from(self.rate);
        let hours = |seconds: f64| seconds * f64::from(self.rate) / 3_600.0;
        let text = format!(
            "[scenario]\nname = \"sandbox\"\ntitle = \"Sân tập {province}\"\n\
             title-en = \"Sandbox of {province}\"\nfrom = {day}\nuntil = {until}\n\
             [calendar]\nhours = [\"00:00-23:59\"]\nweekend-share = 1.0\n\
             [[agencies]]\nagencies = {all}\n\
             [[traffic]]\nagencies = {living}\ndocuments-per-day = {half}\nfan-out = [1, 3]\n\
             recall-share = 0.05\nchange-hours = [{change_least}, {change_most}]\n\
             pages = [1, 4]\nattachment-kib = [4, 64]\n\
             [[traffic]]\nagencies = {living}\nto-agencies = {under_test}\n\
             documents-per-day = {half}\nrecall-share = 0.1\n\
             change-hours = [{change_least}, {change_most}]\n\
             pages = [1, 4]\nattachment-kib = [4, 64]\n\
             [[answers]]\nagencies = {living}\nrefused-share = 0.03\nassigned-share = 0.4\n\
             processed-share = 0.9\nfinished-share = 0.8\n\
             reply-share = 0.2\n\
             accepted-hours = [{soon}, {later}]\nprocessed-hours = [{soon}, {later}]\n\
             finished-hours = [{soon}, {later}]\nchange-hours = [{soon}, {later}]\n",
            province = cast.province,
            all = list(&all),
            living = list(&living),
            under_test = list(&under_test),
            half = a_day / 2.0,
            change_least = hours(15.0),
            change_most = hours(60.0),
            soon = hours(3.0),
            later = hours(15.0),
        );
        Ok(Scenario::parse("sandbox", &text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clerks_answer_within_a_minute_of_this_machine_at_any_rate() {
        let country = crate::commands::sim::country().unwrap();
        let province = AgencyCode::parse("H36").unwrap();
        let cast = Cast::choose(&country, &province, 6, &[]).unwrap();
        let begin = Timestamp::parse("2020-11-16T00:00:00+07:00").unwrap();
        for rate in [1, 60, 3_600] {
            let scenario = Life { pace: 6, rate }.scenario(&cast, begin).unwrap();
            let [answers] = &scenario.answers[..] else { panic!("{:?}", scenario.answers) };
            for (what, (_, most)) in [
                ("accepted", answers.accepted_hours),
                ("processed", answers.processed_hours),
                ("finished", answers.finished_hours),
                ("change", answers.change_hours),
            ] {
                let seconds = most * 3_600.0 / f64::from(rate);
                assert!(seconds <= 60.0, "{what}: {seconds} s at a rate of {rate}");
            }
        }
    }
}
