//! Any question to the statistics, in the words of the command line: the answer has the fields that
//! `lienthong stats --output json` has.

use axum::extract::State;
use lienthong_core::Directory;
use lienthong_core::statistics::{
    Comparison, Condition, Dimension, Grain, Measure, Period, Question, Row, Value, growth,
};
use lienthong_model::limits::STATISTICS_PAGE_MAX;
use lienthong_model::{Reason, Refusal, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::period::{self, Span};
use super::{Answer, reading};
use crate::http::Pages;
use crate::http::asked::Query;
use crate::http::visitor::Visitor;

/// Rows of an answer when nothing is said.
const ROWS_DEFAULT: usize = 1_000;

#[derive(Debug, Serialize)]
pub(super) struct Sheet {
    #[serde(flatten)]
    span: Span,
    /// Each an object whose fields are named like what was asked for.
    rows: Vec<Json>,
    /// All rows together, those that are not listed too.
    total: Json,
    /// How many rows there are, listed or not.
    rows_total: usize,
    /// Where `skip` goes on; none at the end.
    next: Option<usize>,
}

/// What a query asks for.
struct Asked {
    question: Question,
    skip: usize,
    limit: usize,
}

/// Answers a question, cut to what may be seen.
pub(super) async fn ask(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(words): Query<Vec<(String, String)>>,
) -> Answer<Sheet> {
    reading(move || {
        let (reader, now) = (&pages.0.reader, pages.0.clock.now());
        let directory = reader.directory();
        let Asked { question, skip, limit } = Asked::read(&words, &directory, now)?;
        let asked = visitor.sight.0.cut(question);
        let found = reader.ask(&asked)?.map_err(|why| why.refusal())?;
        let line = |row: &Row| line(&asked, row, &directory, now);
        let rows_total = found.rows.len();
        let end = skip.saturating_add(limit);
        Ok(Sheet {
            span: Span::of(asked.period),
            rows: found.rows.iter().skip(skip).take(limit).map(line).collect(),
            total: line(&found.total),
            rows_total,
            next: (end < rows_total).then_some(end),
        })
    })
    .await
}

impl Asked {
    /// Reads the words of a query; whether the question has an answer is not judged here.
    fn read(
        words: &[(String, String)],
        directory: &Directory,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let period = Period { from: Period::ALL.from, until: now };
        let (mut question, mut top) = (Question::of(period, &[]), false);
        let (mut skip, mut limit) = (0, ROWS_DEFAULT);
        for (name, text) in words.iter().filter(|(_, text)| !text.is_empty()) {
            match name.as_str() {
                "from" => question.period.from = period::moment("from", text)?,
                "until" => question.period.until = period::moment("until", text)?,
                "measure" => question.measures.extend(each("measure", text, MEASURES)?),
                "by" => question.group_by.extend(each("by", text, DIMENSIONS)?),
                "each" => question.bucket = Some(one_of("each", text, GRAINS)?),
                "where" => add_condition(&mut question, text, directory)?,
                "compare" => question.compare.extend(each("compare", text, COMPARISONS)?),
                "top" => (top, limit) = (true, number("top", text)?),
                "skip" => skip = number("skip", text)?,
                "limit" => limit = number("limit", text)?,
                _ => return Err(Refusal::at(Reason::FieldInvalid, name, KNOWN)),
            }
        }
        if question.measures.is_empty() {
            return Err(Refusal::at(Reason::FieldMissing, "measure", names(MEASURES)));
        }
        question.top = question.measures.first().copied().filter(|_| top);
        Ok(Self { question, skip, limit: limit.min(STATISTICS_PAGE_MAX) })
    }
}

const KNOWN: &str = "known are from, until, measure, by, each, where, compare, top, skip, limit";

/// Words and what they mean.
type Known<T> = fn() -> Vec<(&'static str, T)>;

const MEASURES: Known<Measure> = || Measure::ALL.iter().map(|one| (one.name(), *one)).collect();
const DIMENSIONS: Known<Dimension> =
    || Dimension::ALL.iter().map(|one| (one.name(), *one)).collect();
const GRAINS: Known<Grain> = || Grain::ALL.map(|one| (one.name(), one)).to_vec();
const COMPARISONS: Known<Comparison> =
    || [Comparison::Before, Comparison::YearBefore].map(|one| (one.name(), one)).to_vec();

fn names<T>(known: Known<T>) -> String {
    let names: Vec<_> = known().into_iter().map(|(name, _)| name).collect();
    format!("one of {}", names.join(", "))
}

fn one_of<T>(field: &str, text: &str, known: Known<T>) -> Result<T, Refusal> {
    let found = known().into_iter().find(|(name, _)| *name == text);
    found.map(|(_, one)| one).ok_or_else(|| {
        Refusal::at(Reason::FieldInvalid, field, format!("`{text}` is not {}", names(known)))
    })
}

/// Reads words with commas between them.
fn each<T>(field: &str, text: &str, known: Known<T>) -> Result<Vec<T>, Refusal> {
    text.split(',').map(|text| one_of(field, text.trim(), known)).collect()
}

fn number(field: &str, text: &str) -> Result<usize, Refusal> {
    text.parse().map_err(|_| Refusal::at(Reason::FieldInvalid, field, text))
}

/// Reads `DIMENSION=VALUE`; of one dimension named several times, any of its values.
fn add_condition(
    question: &mut Question,
    text: &str,
    directory: &Directory,
) -> Result<(), Refusal> {
    let invalid = |why: String| Refusal::at(Reason::FieldInvalid, "where", why);
    let split = text.split_once('=');
    let (name, value) = split.ok_or_else(|| invalid(format!("`{text}` is no DIMENSION=VALUE")))?;
    let dimension = one_of("where", name, DIMENSIONS)?;
    let value = Value::parse(dimension, value, directory)
        .ok_or_else(|| invalid(format!("`{value}` is no {dimension}")))?;
    match question.filter.iter_mut().find(|known| known.dimension == dimension) {
        Some(known) => known.values.push(value),
        None => question.filter.push(Condition { dimension, values: vec![value] }),
    }
    Ok(())
}

/// A row as an object.
fn line(asked: &Question, row: &Row, directory: &Directory, now: Timestamp) -> Json {
    let mut line = Map::new();
    if let (Some(grain), Some(at)) = (asked.bucket, row.bucket) {
        line.insert(grain.name().to_owned(), json!(at.to_string()));
    }
    for (dimension, value) in asked.group_by.iter().zip(&row.group) {
        let [vi, en] = value.names(directory, now);
        line.insert(dimension.name().to_owned(), json!(value.text(directory, now)));
        line.insert(format!("{dimension}_vi"), json!(vi));
        line.insert(format!("{dimension}_en"), json!(en));
    }
    for (measure, value) in asked.measures.iter().zip(&row.values) {
        line.insert(measure.name().to_owned(), json!(value));
    }
    for (with, before) in asked.compare.iter().zip(&row.compared) {
        for ((measure, now), before) in asked.measures.iter().zip(&row.values).zip(before) {
            let name = format!("{measure}.{}", with.name());
            if measure.percentile().is_none() {
                let grew = now.zip(*before).and_then(|(now, before)| growth(now, before));
                line.insert(format!("{name}.growth_per_mille"), json!(grew));
            }
            line.insert(name, json!(before));
        }
    }
    Json::Object(line)
}
