//! Every question that can be asked by up to three dimensions: which are the slowest.

use lienthong_core::Span;
use lienthong_core::statistics::{
    Dimension, Direction, Measure as M, Period, Question, Source, Value,
};
use lienthong_model::{DocumentType, Level, Ordinal, Region};
use lienthong_trust::SignatureKind;

use crate::{ROWS, Took, timed};

/// The slowest that are named.
const NAMED: usize = 12;

/// What was asked, and how long it took.
pub struct Asked {
    pub name: String,
    pub rows: usize,
    pub took: Took,
}

/// Asks by every combination of one to three dimensions and, of documents, with every condition
/// beside it; returns how many there were, and the slowest.
pub fn slowest(
    source: &Source<'_>,
    periods: &[(&str, Period)],
    province: Ordinal,
) -> (usize, Vec<Asked>) {
    let times = [M::ArriveHalf, M::AcceptMost, M::FinishMost];
    let families: [&[M]; 5] = [
        &[M::Documents, M::Pages],
        &[M::Documents],
        &[M::Deliveries, M::Bytes],
        &[M::Delivered, M::Acknowledged, M::Accepted, M::Finished, M::OnTime, M::Overdue],
        &times,
    ];
    let refusals: &[M] = &[M::Refusals];
    let mut asked: Vec<Asked> = Vec::new();
    for measures in families.into_iter().chain([refusals]) {
        for (period_name, period) in periods {
            for groups in combinations() {
                let question = Question::of(*period, measures).by(&groups);
                let plain = (String::new(), question.clone());
                let conditions = Dimension::ALL.iter().filter(|one| !groups.contains(one));
                let with = conditions.filter_map(|dimension| {
                    let value = value_of(*dimension, province)?;
                    let text = format!(" of one {}", dimension.name());
                    Some((text, question.clone().only(*dimension, &[value])))
                });
                for (condition, question) in std::iter::once(plain).chain(with) {
                    let names: Vec<_> = groups.iter().map(|one| one.name()).collect();
                    let names = names.join(", ");
                    let name = format!("{} by {names}{condition}, {period_name}", measures[0]);
                    asked.extend(ask(source, name, &question));
                }
            }
        }
    }
    let all = asked.len();
    asked.sort_by_key(|one| std::cmp::Reverse(one.took.processor));
    asked.truncate(NAMED);
    (all, asked)
}

/// None when there is no answer.
fn ask(source: &Source<'_>, name: String, question: &Question) -> Option<Asked> {
    let rows = source.ask_rows(question, 0..ROWS).unwrap().ok()?.rows_total;
    let took = timed(3, || {
        std::hint::black_box(source.ask_rows(question, 0..ROWS).unwrap().unwrap());
    });
    Some(Asked { name, rows, took })
}

fn combinations() -> Vec<Vec<Dimension>> {
    let all = Dimension::ALL;
    let mut found = Vec::new();
    for (one, first) in all.iter().enumerate() {
        found.push(vec![*first]);
        for (two, second) in all.iter().enumerate().skip(one + 1) {
            found.push(vec![*first, *second]);
            found.extend(all.iter().skip(two + 1).map(|third| vec![*first, *second, *third]));
        }
    }
    found
}

fn value_of(dimension: Dimension, province: Ordinal) -> Option<Value> {
    use Dimension as D;
    Some(match dimension {
        D::Province | D::PartnerProvince => Value::Province(Some(province)),
        D::Region | D::PartnerRegion => Value::Region(Some(Region::ALL[0])),
        D::Level | D::PartnerLevel => Value::Level(Level::Commune),
        D::DocumentType => Value::DocumentType(DocumentType::OFFICIAL_LETTER),
        D::Direction => Value::Direction(Direction::Received),
        D::Scope => Value::Scope(Span::Inside),
        D::Signature => Value::Signature(SignatureKind::Seal),
        D::PaperCopy => Value::PaperCopy(true),
        D::Agency | D::Reason => return None,
    })
}
