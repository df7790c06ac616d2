//! Questions and answers between the wire and `core`.

use lienthong_core::Directory;
use lienthong_core::statistics::{
    Comparison, Condition, Dimension, Grain, Measure, Period, Question, Row, Value,
};
use lienthong_model::{Reason, Refusal, Timestamp};
use lienthong_wire::{moment, proto};

/// Reads a question. Whether it has an answer is not judged here.
pub(super) fn read(
    question: Option<proto::StatisticsQuestion>,
    directory: &Directory,
) -> Result<Question, Refusal> {
    let asked =
        question.ok_or_else(|| Refusal::at(Reason::FieldMissing, "question", "not there"))?;
    let mut filter = Vec::with_capacity(asked.filter.len().min(Dimension::ALL.len()));
    for condition in &asked.filter {
        let dimension = dimension("question.filter.dimension", condition.dimension)?;
        let values = condition.values.iter().map(|text| {
            let value = Value::parse(dimension, text, directory);
            value.ok_or_else(|| {
                let value = format!("`{text}` is no {dimension}");
                Refusal::at(Reason::FieldInvalid, "question.filter.values", value)
            })
        });
        filter.push(Condition { dimension, values: values.collect::<Result<_, _>>()? });
    }
    let field = "question.group_by";
    let group_by = asked.group_by.iter().map(|number| dimension(field, *number));
    let field = "question.measures";
    let measures = asked.measures.iter().map(|number| measure(field, *number));
    let compare = asked
        .compare
        .iter()
        .map(|number| of_number("question.compare", *number, Comparison::from_number));
    Ok(Question {
        period: period(asked.from.as_ref(), asked.to.as_ref())?,
        bucket: match asked.bucket {
            0 => None,
            number => Some(of_number("question.bucket", number, Grain::from_number)?),
        },
        group_by: group_by.collect::<Result<_, _>>()?,
        filter,
        measures: measures.collect::<Result<_, _>>()?,
        compare: compare.collect::<Result<_, _>>()?,
        top: match asked.top {
            0 => None,
            number => Some(measure("question.top", number)?),
        },
    })
}

/// The message form of a row.
pub(super) fn row(row: &Row, directory: &Directory, now: Timestamp) -> proto::StatisticsRow {
    let group = row.group.iter().map(|value| {
        let [name_vi, name_en] = value.names(directory, now);
        proto::GroupValue { value: value.text(directory, now), name_vi, name_en }
    });
    let compared = row.compared.iter();
    proto::StatisticsRow {
        bucket: row.bucket.map(moment::to_proto),
        group: group.collect(),
        figures: figures(&row.values),
        compared: compared
            .map(|values| proto::ComparedFigures { figures: figures(values) })
            .collect(),
    }
}

/// Reads a period; what is not said is open.
pub(super) fn period(
    from: Option<&prost_types::Timestamp>,
    to: Option<&prost_types::Timestamp>,
) -> Result<Period, Refusal> {
    let read = |at: Option<&prost_types::Timestamp>, field: &str, open: Timestamp| match at {
        None => Ok(open),
        Some(at) => moment::from_proto(at)
            .ok_or_else(|| Refusal::at(Reason::FieldInvalid, field, at.seconds)),
    };
    Ok(Period {
        from: read(from, "question.from", Period::ALL.from)?,
        until: read(to, "question.to", Period::ALL.until)?,
    })
}

fn figures(values: &[Option<u64>]) -> Vec<proto::Figure> {
    values.iter().map(|value| proto::Figure { value: *value }).collect()
}

fn dimension(field: &str, number: i32) -> Result<Dimension, Refusal> {
    of_number(field, number, Dimension::from_number)
}

fn measure(field: &str, number: i32) -> Result<Measure, Refusal> {
    of_number(field, number, Measure::from_number)
}

/// The wire's numbers are those of `core`.
fn of_number<T>(
    field: &str,
    number: i32,
    known: impl FnOnce(u8) -> Option<T>,
) -> Result<T, Refusal> {
    let found = u8::try_from(number).ok().and_then(known);
    found.ok_or_else(|| Refusal::at(Reason::FieldInvalid, field, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_on_the_wire_is_the_one_in_core() {
        for measure in Measure::ALL {
            let wire = proto::Measure::try_from(i32::from(measure.number())).unwrap();
            let name = measure.name().replace('-', "_").to_uppercase();
            assert_eq!(wire.as_str_name(), format!("MEASURE_{name}"));
        }
        for dimension in Dimension::ALL {
            assert!(proto::Dimension::try_from(i32::from(dimension.number())).is_ok());
        }
        for grain in Grain::ALL {
            let wire = proto::Bucket::try_from(grain as i32).unwrap();
            assert_eq!(wire.as_str_name(), format!("BUCKET_{}", grain.name().to_uppercase()));
        }
    }
}
