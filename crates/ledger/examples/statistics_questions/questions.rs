//! What is asked: questions by every dimension, of whole and of odd periods.

use std::time::Duration;

use lienthong_core::statistics::{
    Comparison, Dimension as D, Direction, Grain, Measure as M, Period, Question, Value,
};
use lienthong_model::{DocumentType, Level, Ordinal, Timestamp};

const DAY: Duration = Duration::from_secs(86_400);

pub fn between(from: &str, until: &str) -> Period {
    Period { from: Timestamp::parse(from).unwrap(), until: Timestamp::parse(until).unwrap() }
}

/// Questions with their names. The year is the one before `until`.
pub fn questions(until: Timestamp, province: Ordinal) -> Vec<(&'static str, Question)> {
    let year = between("2020-01-01", "2021-01-01");
    // Ten whole months between thirty days and twenty-nine: the most pages that a year can have.
    let odd = between("2020-01-02", "2020-12-30");
    let last = |days: u32| Period { from: until.minus(DAY * days), until };
    let by = |period, measures: &[M], by: &[D]| Question::of(period, measures).by(by);
    let province = [Value::Province(Some(province))];
    let times = [M::ArriveHalf, M::ArriveMost, M::AcceptHalf, M::AcceptMost, M::FinishMost];
    let progress = [M::Delivered, M::Acknowledged, M::Accepted, M::Finished, M::OnTime, M::Overdue];
    let docs = [M::Documents];
    let top = |question: Question| Question { top: Some(M::Documents), ..question };
    let both = vec![Comparison::Before, Comparison::YearBefore];
    let compared = |question: Question| Question { compare: both.clone(), ..question };
    let sent = [Value::Direction(Direction::Sent)];
    let letters = [Value::DocumentType(DocumentType::OFFICIAL_LETTER)];
    vec![
        ("documents, pages by province", by(year, &[M::Documents, M::Pages], &[D::Province])),
        ("documents by region", by(year, &docs, &[D::Region])),
        ("documents by level", by(year, &docs, &[D::Level])),
        ("documents by type", by(year, &docs, &[D::DocumentType])),
        ("documents by direction", by(year, &docs, &[D::Direction])),
        ("documents by scope", by(year, &docs, &[D::Scope])),
        ("documents by signature", by(year, &docs, &[D::Signature])),
        ("documents by province, odd period", by(odd, &docs, &[D::Province])),
        ("documents by region, odd period", by(odd, &docs, &[D::Region])),
        ("documents by type, odd period", by(odd, &docs, &[D::DocumentType])),
        ("documents by signature, odd period", by(odd, &docs, &[D::Signature])),
        ("documents by province, one day", by(last(1), &docs, &[D::Province])),
        (
            "documents by province, level, signature",
            by(year, &docs, &[D::Province, D::Level, D::Signature]),
        ),
        (
            "documents by province, level, type, odd",
            by(odd, &docs, &[D::Province, D::Level, D::DocumentType]),
        ),
        (
            "documents by province, type, signature",
            by(year, &docs, &[D::Province, D::DocumentType, D::Signature]),
        ),
        (
            "signatures of a type by province, a month",
            by(between("2020-11-16", "2020-12-16"), &docs, &[D::Province, D::Signature])
                .only(D::DocumentType, &letters),
        ),
        (
            "documents of a province by type, scope, odd",
            by(odd, &docs, &[D::DocumentType, D::Scope]).only(D::Province, &province),
        ),
        ("documents by month", by(year, &docs, &[]).each(Grain::Month)),
        ("documents by year", by(year, &docs, &[D::Direction]).each(Grain::Year)),
        ("documents by day of a year", by(year, &docs, &[]).each(Grain::Day)),
        (
            "documents by day of a year, direction",
            by(year, &docs, &[D::Direction]).each(Grain::Day),
        ),
        ("documents by day of a year, type", by(year, &docs, &[D::DocumentType]).each(Grain::Day)),
        ("documents by day of a year, province", by(year, &docs, &[D::Province]).each(Grain::Day)),
        (
            "documents by day of a month, province",
            by(between("2020-11-16", "2020-12-16"), &docs, &[D::Province]).each(Grain::Day),
        ),
        ("exchange by hour of a day", by(last(1), &[M::Deliveries], &[]).each(Grain::Hour)),
        (
            "exchange by hour of a week, province",
            by(last(7), &[M::Deliveries], &[D::Province]).each(Grain::Hour),
        ),
        ("exchange by hour of 89 days", by(last(89), &[M::Deliveries], &[]).each(Grain::Hour)),
        ("exchange by day of a year", by(year, &[M::Deliveries, M::Bytes], &[]).each(Grain::Day)),
        ("province compared with both", compared(by(year, &docs, &[D::Province]))),
        ("type compared with both, odd", compared(by(odd, &docs, &[D::DocumentType]))),
        ("months compared with both", compared(by(year, &docs, &[]).each(Grain::Month))),
        (
            "matrix of provinces",
            by(year, &[M::Deliveries, M::Bytes], &[D::Province, D::PartnerProvince]),
        ),
        (
            "matrix of provinces, odd period",
            by(odd, &[M::Deliveries], &[D::Province, D::PartnerProvince]),
        ),
        ("matrix of levels", by(year, &[M::Deliveries], &[D::Level, D::PartnerLevel])),
        ("matrix of levels, odd period", by(odd, &[M::Deliveries], &[D::Level, D::PartnerLevel])),
        ("top agencies of the country", top(by(year, &docs, &[D::Agency, D::Direction]))),
        (
            "top senders of the country",
            top(by(year, &docs, &[D::Agency]).only(D::Direction, &sent)),
        ),
        (
            "top senders of the country, odd period",
            top(by(odd, &docs, &[D::Agency]).only(D::Direction, &sent)),
        ),
        (
            "top communes of the country",
            top(by(year, &docs, &[D::Agency]).only(D::Level, &[Value::Level(Level::Commune)])),
        ),
        (
            "top agencies of a province",
            top(by(year, &docs, &[D::Agency, D::Direction]).only(D::Province, &province)),
        ),
        (
            "top agencies of a province, odd period",
            top(by(odd, &docs, &[D::Agency, D::Direction]).only(D::Province, &province)),
        ),
        ("progress by province", by(year, &progress, &[D::Province])),
        ("progress by level, odd period", by(odd, &progress, &[D::Level])),
        ("progress by day of a year", by(year, &progress, &[]).each(Grain::Day)),
        (
            "progress by agency of a province",
            by(year, &progress, &[D::Agency]).only(D::Province, &province),
        ),
        (
            "progress by agency of a province, odd",
            by(odd, &progress, &[D::Agency]).only(D::Province, &province),
        ),
        ("times by level", by(year, &times, &[D::Level])),
        ("times by province", by(year, &times, &[D::Province])),
        ("times by province, odd period", by(odd, &times, &[D::Province])),
        ("times by day of a year", by(year, &times, &[]).each(Grain::Day)),
        ("refusals by reason", by(year, &[M::Refusals], &[D::Reason])),
        (
            "refusals by province and day of a year",
            by(year, &[M::Refusals], &[D::Province]).each(Grain::Day),
        ),
    ]
}
