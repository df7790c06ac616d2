//! Counts the entries of a content's lists before it is decoded, and of a question to the
//! statistics, whose lists stand deeper than those of other calls.
//!
//! An entry of two bytes can become a value of a few hundred: without this count a content of
//! 1 MiB could take a hundred times its size in memory. Only tags and lengths are read.

use lienthong_model::limits::{
    ATTACHMENTS_MAX, LIST_ENTRIES_MAX, RECIPIENTS_MAX, STATISTICS_VALUES_MAX,
};
use lienthong_model::{Reason, Refusal};

/// A field that may occur a bounded number of times.
pub(crate) struct Bound {
    field: u64,
    name: &'static str,
    occurs_max: usize,
    inside: &'static [Bound],
}

const fn list(field: u64, name: &'static str) -> Bound {
    Bound { field, name, occurs_max: LIST_ENTRIES_MAX, inside: &[] }
}

const STAFF: &[Bound] = &[list(5, "ids")];
const BUSINESS: &[Bound] = &[
    list(8, "recipient_changes"),
    Bound { inside: &[list(3, "agencies")], ..list(9, "replacements") },
    Bound { occurs_max: 1, inside: STAFF, ..list(10, "staff") },
];

/// The lists of Document v1.
pub(crate) const DOCUMENT: &[Bound] = &[
    Bound { occurs_max: RECIPIENTS_MAX, ..list(4, "recipients") },
    list(19, "places_to"),
    list(20, "answers"),
    list(21, "task_codes"),
    list(31, "appendixes"),
    Bound { occurs_max: 1, inside: BUSINESS, ..list(32, "business") },
    list(33, "trace"),
    Bound { occurs_max: ATTACHMENTS_MAX, ..list(34, "attachments") },
    list(35, "extensions"),
];

/// The lists of Status v1.
pub(crate) const STATUS: &[Bound] = &[
    Bound { occurs_max: RECIPIENTS_MAX, ..list(7, "recipients") },
    Bound { occurs_max: 1, inside: STAFF, ..list(8, "staff") },
    list(12, "extensions"),
];

const CONDITION: &[Bound] = &[Bound { occurs_max: STATISTICS_VALUES_MAX, ..list(2, "values") }];
const QUESTION: &[Bound] = &[
    list(4, "group_by"),
    Bound { inside: CONDITION, ..list(5, "filter") },
    list(6, "measures"),
    list(7, "compare"),
];

/// The lists of the calls that ask the statistics, `QueryStatistics` and `WatchStatistics`.
pub(crate) const ASK: &[Bound] =
    &[Bound { occurs_max: 1, inside: QUESTION, ..list(1, "question") }];

const FIELDS_MAX: usize = 36;

/// Counts the entries of lists in an encoded message.
///
/// # Errors
/// CONTENT_TOO_LARGE for the first list with too many, CONTENT_MALFORMED when tags or lengths
/// cannot be read.
pub(crate) fn count(message: &[u8], bounds: &[Bound]) -> Result<(), Refusal> {
    count_below(message, bounds, &mut |_| ())
}

fn count_below(
    message: &[u8],
    bounds: &[Bound],
    path: &mut dyn FnMut(&mut String),
) -> Result<(), Refusal> {
    let mut counts = [0usize; FIELDS_MAX];
    let mut rest = message;
    while !rest.is_empty() {
        let tag = varint(&mut rest).ok_or_else(malformed)?;
        let value = skip(&mut rest, tag & 7).ok_or_else(malformed)?;
        let Some(bound) = bounds.iter().find(|bound| bound.field == tag >> 3) else { continue };
        let Some(seen) = counts.get_mut(bound.field as usize) else { continue };
        *seen += 1;
        let mut name = |out: &mut String| {
            path(out);
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(bound.name);
        };
        if *seen > bound.occurs_max {
            let mut field = String::new();
            name(&mut field);
            let value = format_args!("at most {} entries", bound.occurs_max);
            return Err(Refusal::at(Reason::ContentTooLarge, field, value));
        }
        if !bound.inside.is_empty() {
            let index = *seen - 1;
            let mut indexed = |out: &mut String| {
                name(out);
                if bound.occurs_max > 1 {
                    out.push_str(&format!("[{index}]"));
                }
            };
            count_below(value, bound.inside, &mut indexed)?;
        }
    }
    Ok(())
}

fn malformed() -> Refusal {
    Refusal::at(Reason::ContentMalformed, "content", "a tag or length cannot be read")
}

/// Takes one value of a wire type; the inside when it is delimited by its length.
pub(crate) fn skip<'a>(rest: &mut &'a [u8], wire_type: u64) -> Option<&'a [u8]> {
    let length = match wire_type {
        0 => return varint(rest).map(|_| [].as_slice()),
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(value)
}

/// Takes a number of at most ten bytes.
pub(crate) fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::proto;

    fn field_of(refusal: Refusal) -> String {
        assert_eq!(refusal.reason, Reason::ContentTooLarge);
        refusal.violations.into_iter().next().unwrap().field
    }

    #[test]
    fn every_repeated_field_has_a_bound() {
        use prost_types::field_descriptor_proto::{Label, Type};
        let set = prost_types::FileDescriptorSet::decode(crate::FILE_DESCRIPTOR_SET).unwrap();
        let messages: Vec<_> = set.file.into_iter().flat_map(|file| file.message_type).collect();
        let message = |name: &str| messages.iter().find(|m| m.name() == name).unwrap();
        let roots = [
            ("Document", DOCUMENT),
            ("StatusReport", STATUS),
            ("QueryStatisticsRequest", ASK),
            ("WatchStatisticsRequest", ASK),
        ];
        let mut open: Vec<_> = roots.map(|(name, bounds)| (name.to_owned(), bounds)).into();
        while let Some((name, bounds)) = open.pop() {
            for field in &message(&name).field {
                let bound = bounds.iter().find(|bound| bound.field == field.number() as u64);
                let repeated = field.label() == Label::Repeated;
                assert!(!repeated || bound.is_some(), "{name}.{}", field.name());
                assert!(bound.is_none_or(|b| b.name == field.name()), "{name}.{}", field.name());
                let inner = field.type_name().rsplit('.').next().unwrap_or_default();
                if field.r#type() == Type::Message && inner != "Timestamp" {
                    open.push((inner.to_owned(), bound.map_or(&[], |bound| bound.inside)));
                }
            }
        }
    }

    #[test]
    fn a_list_with_too_many_entries_is_refused_by_its_path() {
        let many = |n| vec![String::new(); n];
        let places = proto::Document { places_to: many(257), ..Default::default() };
        assert_eq!(field_of(count(&places.encode_to_vec(), DOCUMENT).unwrap_err()), "places_to");
        let places = proto::Document { places_to: many(256), ..Default::default() };
        assert_eq!(count(&places.encode_to_vec(), DOCUMENT), Ok(()));

        let agencies = vec![proto::AgencyMention::default(); 257];
        let full = proto::Replacement { agencies, ..Default::default() };
        let replacements = vec![proto::Replacement::default(), full];
        let business = Some(proto::Business { replacements, ..Default::default() });
        let nested = proto::Document { business, ..Default::default() };
        let refusal = count(&nested.encode_to_vec(), DOCUMENT).unwrap_err();
        assert_eq!(field_of(refusal), "business.replacements[1].agencies");

        let staff = Some(proto::Staff { ids: many(300), ..Default::default() });
        let report = proto::StatusReport { staff, ..Default::default() };
        assert_eq!(field_of(count(&report.encode_to_vec(), STATUS).unwrap_err()), "staff.ids");
    }

    #[test]
    fn a_list_cannot_be_continued_in_a_second_part() {
        let staff = |ids| proto::Staff { ids: vec![String::new(); ids], ..Default::default() };
        let half = proto::StatusReport { staff: Some(staff(200)), ..Default::default() };
        let twice = [half.encode_to_vec(), half.encode_to_vec()].concat();
        assert_eq!(field_of(count(&twice, STATUS).unwrap_err()), "staff");
    }
}
