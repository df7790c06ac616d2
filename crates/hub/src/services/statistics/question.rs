//! Questions and answers between the wire and `core`.

use lienthong_core::Directory;
use lienthong_core::statistics::{
    Comparison, Condition, Dimension, Grain, Measure, Period, Question, Row, Value,
};
use lienthong_model::limits::STATISTICS_VALUES_MAX;
use lienthong_model::{Reason, Refusal, Timestamp};
use lienthong_wire::{moment, proto};

/// Reads a question. Whether it has an answer is not judged here.
pub(super) fn read(
    question: Option<proto::StatisticsQuestion>,
    directory: &Directory,
) -> Result<Question, Refusal> {
    let asked =
        question.ok_or_else(|| Refusal::at(Reason::FieldMissing, "question", "not there"))?;
    at_most("question.filter", asked.filter.len(), Dimension::ALL.len())?;
    let filter = asked.filter.iter().map(|one| condition(one, directory));
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
        filter: filter.collect::<Result<_, _>>()?,
        measures: measures.collect::<Result<_, _>>()?,
        compare: compare.collect::<Result<_, _>>()?,
        top: match asked.top {
            0 => None,
            number => Some(measure("question.top", number)?),
        },
    })
}

/// Reads a condition. Values are looked up once it is known that there are not too many.
fn condition(
    asked: &proto::StatisticsCondition,
    directory: &Directory,
) -> Result<Condition, Refusal> {
    let field = "question.filter.values";
    let dimension = dimension("question.filter.dimension", asked.dimension)?;
    at_most(field, asked.values.len(), STATISTICS_VALUES_MAX)?;
    let values = asked.values.iter().map(|text| {
        let value = Value::parse(dimension, text, directory);
        value.ok_or_else(|| {
            let value = format!("`{text}` is no {dimension}");
            Refusal::at(Reason::FieldInvalid, field, value)
        })
    });
    Ok(Condition { dimension, values: values.collect::<Result<_, _>>()? })
}

fn at_most(field: &str, found: usize, most: usize) -> Result<(), Refusal> {
    if found > most {
        let value = format!("{found}, at most {most}");
        return Err(Refusal::at(Reason::FieldInvalid, field, value));
    }
    Ok(())
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
    fn values_are_counted_before_they_are_looked_up() {
        let read_with = |conditions: usize, values: usize| {
            let dimension = proto::Dimension::Scope.into();
            let values = vec!["inside".to_owned(); values];
            let condition = proto::StatisticsCondition { dimension, values };
            let filter = vec![condition; conditions];
            let asked = proto::StatisticsQuestion { filter, ..Default::default() };
            read(Some(asked), &Directory::default())
        };
        let field = |refused: Result<Question, Refusal>| {
            refused.unwrap_err().violations.into_iter().next().unwrap().field
        };
        let read = read_with(1, STATISTICS_VALUES_MAX).unwrap();
        assert_eq!(read.filter[0].values.len(), STATISTICS_VALUES_MAX);
        let refused = read_with(1, STATISTICS_VALUES_MAX + 1);
        assert_eq!(field(refused), "question.filter.values");
        assert_eq!(field(read_with(Dimension::ALL.len() + 1, 1)), "question.filter");
    }

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
