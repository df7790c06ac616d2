//! What is asked on the command line, for the hub and for a folder.

use clap::Args;
use lienthong_client as client;
use lienthong_core::Directory;
use lienthong_core::statistics::{
    Comparison, Condition, Dimension, Grain, Measure, Period, Question, Value,
};
use lienthong_model::Timestamp;

use crate::say::Usage;
use crate::source;

/// Flags of a question.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Question / câu hỏi")]
pub(crate) struct AskArgs {
    /// The first moment of the period; default: since the beginning
    #[arg(long, value_name = "TIME", value_parser = source::moment)]
    pub from: Option<Timestamp>,
    /// The first moment after the period; default: until now
    #[arg(long, visible_alias = "until", value_name = "TIME", value_parser = source::moment)]
    pub to: Option<Timestamp>,
    /// What to count: documents, pages; deliveries, bytes; delivered, acknowledged, accepted,
    /// refused, processed, finished, with-due-date, on-time, overdue, arrive-p50 …; refusals
    #[arg(long, value_name = "MEASURE", value_delimiter = ',', value_parser = measure)]
    pub measure: Vec<Measure>,
    /// By what: province, region, level, agency, type, direction, scope, signature, paper,
    /// to-province, to-region, to-level, reason; at most three
    #[arg(long, visible_alias = "group-by", value_name = "DIMENSION", value_delimiter = ',')]
    #[arg(value_parser = dimension)]
    pub by: Vec<Dimension>,
    /// By time
    #[arg(long, visible_alias = "bucket", value_name = "hour|day|month|year", value_parser = grain)]
    pub each: Option<Grain>,
    /// Count only what has this value (`level=commune`, `province=H36`, `province=TW`); one
    /// dimension several times: any of them
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = condition)]
    pub only: Vec<(Dimension, String)>,
    /// Compare with the period before, with the same days of the year before
    #[arg(long, value_name = "before|year-before", value_delimiter = ',', value_parser = comparison)]
    pub compare: Vec<Comparison>,
    /// The largest first, at most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub top: Option<u32>,
}

impl AskArgs {
    /// Checks what can be checked here.
    ///
    /// # Errors
    /// [`Usage`] when the period ends before it begins.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(Usage::new(
                format!("kỳ kết thúc lúc {to}, trước khi bắt đầu lúc {from}"),
                format!("the period ends at {to}, before it begins at {from}"),
            )
            .remedy("nêu --from sớm hơn --to", "give --from an earlier moment than --to")
            .into()),
            _ => Ok(()),
        }
    }

    /// Whether anything beside the period is asked for.
    pub(crate) fn is_own_question(&self) -> bool {
        !self.measure.is_empty()
            || !self.by.is_empty()
            || self.each.is_some()
            || !self.only.is_empty()
            || !self.compare.is_empty()
            || self.top.is_some()
    }

    /// Returns the period, for the hub.
    pub(crate) fn asked(&self) -> client::Period {
        client::Period { from: self.from, to: self.to }
    }

    /// Returns the period, for a folder.
    pub(crate) fn here(&self) -> Period {
        let Period { from, until } = Period::ALL;
        Period { from: self.from.unwrap_or(from), until: self.to.unwrap_or(until) }
    }

    /// Returns the question for a folder.
    ///
    /// # Errors
    /// [`Usage`] when a condition names what the directory does not have.
    pub(crate) fn question(&self, directory: &Directory) -> anyhow::Result<Question> {
        let mut filter: Vec<Condition> = Vec::new();
        for (dimension, text) in &self.only {
            let value = Value::parse(*dimension, text, directory).ok_or_else(|| {
                let vi = format!("`{text}` không phải giá trị của {dimension}");
                Usage::new(vi, format!("`{text}` is no {dimension}")).remedy(
                    "nêu đúng như `lienthong stats --by` hiển thị",
                    "name it as `lienthong stats --by` shows it",
                )
            })?;
            match filter.iter_mut().find(|known| known.dimension == *dimension) {
                Some(known) => known.values.push(value),
                None => filter.push(Condition { dimension: *dimension, values: vec![value] }),
            }
        }
        Ok(Question {
            period: self.here(),
            bucket: self.each,
            group_by: self.by.clone(),
            filter,
            measures: self.measure.clone(),
            compare: self.compare.clone(),
            top: self.top.and(self.measure.first().copied()),
        })
    }

    /// Returns the question for a hub.
    pub(crate) fn client_question(&self) -> client::Question {
        let mut filter: Vec<(client::Dimension, Vec<String>)> = Vec::new();
        for (dimension, text) in &self.only {
            let dimension = wire_dimension(*dimension);
            match filter.iter_mut().find(|(known, _)| *known == dimension) {
                Some((_, values)) => values.push(text.clone()),
                None => filter.push((dimension, vec![text.clone()])),
            }
        }
        let first = self.measure.first().copied().map(wire_measure);
        client::Question {
            period: self.asked(),
            bucket: self.each.and_then(|grain| client::Bucket::try_from(grain as i32).ok()),
            group_by: self.by.iter().copied().map(wire_dimension).collect(),
            filter,
            measures: self.measure.iter().copied().map(wire_measure).collect(),
            compare: self
                .compare
                .iter()
                .filter_map(|with| client::Comparison::try_from(*with as i32).ok())
                .collect(),
            top: self.top.and(first),
        }
    }
}

/// The wire's numbers are those of `core`; a test in the hub holds them together.
fn wire_dimension(dimension: Dimension) -> client::Dimension {
    client::Dimension::try_from(i32::from(dimension.number())).unwrap_or_default()
}

fn wire_measure(measure: Measure) -> client::Measure {
    client::Measure::try_from(i32::from(measure.number())).unwrap_or_default()
}

fn names(all: impl Iterator<Item = &'static str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

fn measure(text: &str) -> Result<Measure, String> {
    Measure::from_name(text)
        .ok_or_else(|| format!("one of {}", names(Measure::ALL.iter().map(|one| one.name()))))
}

fn dimension(text: &str) -> Result<Dimension, String> {
    Dimension::from_name(text)
        .ok_or_else(|| format!("one of {}", names(Dimension::ALL.iter().map(|one| one.name()))))
}

fn grain(text: &str) -> Result<Grain, String> {
    let found = Grain::ALL.into_iter().find(|grain| grain.name() == text);
    found.ok_or_else(|| format!("one of {}", names(Grain::ALL.into_iter().map(Grain::name))))
}

fn comparison(text: &str) -> Result<Comparison, String> {
    let all = [Comparison::Before, Comparison::YearBefore];
    let found = all.into_iter().find(|one| one.name() == text);
    found.ok_or_else(|| format!("one of {}", names(all.into_iter().map(Comparison::name))))
}

fn condition(text: &str) -> Result<(Dimension, String), String> {
    let (name, value) = text.split_once('=').ok_or("write DIMENSION=VALUE")?;
    Ok((dimension(name)?, value.to_owned()))
}
