//! What administrators change, between the model and its message form: mandates, appointments,
//! quotas, terms.

use std::time::Duration;

use lienthong_model::limits::{LIST_ENTRIES_MAX, TEXT_CHARS_MAX};
use lienthong_model::{
    AgencyCode, Appointment, DocumentType, Indicator, Mandate, Quota, Reason, Refusal, Signatory,
    Target, Terms, Territory,
};

use crate::check::Check;
use crate::{kind, moment, proto};

/// Longest id of a person, in characters.
const PERSON_CHARS_MAX: usize = 64;

/// Returns the message form of a mandate.
pub fn mandate_to_proto(mandate: &Mandate) -> proto::Mandate {
    let types = mandate.document_types.iter();
    proto::Mandate {
        agency: mandate.agency.to_string(),
        signatory: Some(signatory_to_proto(&mandate.signatory)),
        capacity: proto::SigningCapacity::from(mandate.capacity).into(),
        delegated_by: mandate.delegated_by.as_ref().map(signatory_to_proto),
        document_types: types.map(|kind| u32::from(kind.number())).collect(),
        from_day: mandate.from.to_string(),
        until_day: mandate.until.map(|day| day.to_string()).unwrap_or_default(),
        basis: mandate.basis.clone(),
    }
}

/// Returns the mandate of its message form.
///
/// # Errors
/// FIELD_MISSING, FIELD_INVALID or CONTENT_TOO_LARGE, with the field's path below `mandate`.
pub fn mandate_from_proto(mandate: proto::Mandate) -> Result<Mandate, Refusal> {
    let mut check = Check::default();
    let agency = check.code(format_args!("mandate.agency"), &mandate.agency);
    let person = signatory(&mut check, "mandate.signatory", mandate.signatory);
    let number = mandate.capacity;
    let capacity = check.mandatory_kind(format_args!("mandate.capacity"), number, kind::capacity);
    let delegated_by = mandate
        .delegated_by
        .map(|delegator| signatory(&mut check, "mandate.delegated_by", Some(delegator)));
    let types = document_types(&mut check, &mandate.document_types);
    let from = check.day(format_args!("mandate.from_day"), &mandate.from_day);
    let until = check.optional_day(format_args!("mandate.until_day"), &mandate.until_day);
    check.text_within(format_args!("mandate.basis"), &mandate.basis, TEXT_CHARS_MAX);

    let read = agency.zip(person).zip(capacity.zip(from)).map(|(who, (capacity, from))| Mandate {
        agency: who.0,
        signatory: who.1,
        capacity,
        delegated_by: delegated_by.flatten(),
        document_types: types,
        from,
        until,
        basis: mandate.basis,
    });
    check.finish(read)
}

/// Returns the message form of a target.
pub fn target_to_proto(target: &Target) -> proto::Target {
    let province = target.territory.agency();
    proto::Target {
        indicator: i32::from(target.indicator.number()),
        province: province.map(ToString::to_string).unwrap_or_default(),
        level: target.level.map_or(0, |level| proto::Level::from(level).into()),
        by_day: target.by.to_string(),
        value: target.value,
    }
}

/// Returns the target of its message form.
///
/// # Errors
/// FIELD_MISSING or FIELD_INVALID, with the field's path below `target`.
pub fn target_from_proto(target: &proto::Target) -> Result<Target, Refusal> {
    let level = kind::level_from_proto(target.level, "target.level")?;
    let indicator = u8::try_from(target.indicator).ok().and_then(Indicator::from_number);
    let indicator = indicator
        .ok_or_else(|| Refusal::at(Reason::FieldInvalid, "target.indicator", target.indicator))?;
    let mut check = Check::default();
    let territory = match target.province.as_str() {
        "" => Some(Territory::Country),
        code => check.code(format_args!("target.province"), code).map(Territory::Province),
    };
    let by = check.day(format_args!("target.by_day"), &target.by_day);
    let value = target.value;
    let read = territory.zip(by);
    check.finish(read.map(|(territory, by)| Target { indicator, territory, level, by, value }))
}

/// Returns the message form of an appointment.
pub fn appointment_to_proto(appointment: &Appointment) -> proto::Appointment {
    use proto::appointment::Territory as Said;
    proto::Appointment {
        holder: Some(signatory_to_proto(&appointment.holder)),
        role: proto::Role::from(appointment.role).into(),
        territory: Some(match &appointment.territory {
            Territory::Country => Said::Country(true),
            Territory::Province(code) => Said::Province(code.to_string()),
            Territory::Agency(code) => Said::Agency(code.to_string()),
        }),
        from_day: appointment.from.to_string(),
        until_day: appointment.until.map(|day| day.to_string()).unwrap_or_default(),
    }
}

/// Returns the appointment of its message form.
///
/// # Errors
/// FIELD_MISSING or FIELD_INVALID, with the field's path below `appointment`.
pub fn appointment_from_proto(said: proto::Appointment) -> Result<Appointment, Refusal> {
    let mut check = Check::default();
    let holder = signatory(&mut check, "appointment.holder", said.holder);
    let role = check.mandatory_kind(format_args!("appointment.role"), said.role, kind::role);
    let territory = territory(&mut check, said.territory);
    let from = check.day(format_args!("appointment.from_day"), &said.from_day);
    let until = check.optional_day(format_args!("appointment.until_day"), &said.until_day);

    let read = holder.zip(role).zip(territory.zip(from));
    let read = read.map(|((holder, role), (territory, from))| Appointment {
        holder,
        role,
        territory,
        from,
        until,
    });
    check.finish(read)
}

/// Returns the message form of a quota.
pub fn quota_to_proto(quota: &Quota) -> proto::Quota {
    proto::Quota {
        agency: quota.agency.as_ref().map(ToString::to_string).unwrap_or_default(),
        documents_per_day: quota.documents_per_day,
        bytes_per_day: quota.bytes_per_day,
        document_bytes_max: quota.document_bytes_max,
        waiting_max: quota.waiting_max,
    }
}

/// Returns the quota of its message form.
///
/// # Errors
/// FIELD_INVALID, with the field's path below `quota`.
pub fn quota_from_proto(quota: &proto::Quota) -> Result<Quota, Refusal> {
    let mut check = Check::default();
    let agency = match quota.agency.as_str() {
        "" => None,
        code => check.code(format_args!("quota.agency"), code),
    };
    check.finish(Some(Quota {
        agency,
        documents_per_day: quota.documents_per_day,
        bytes_per_day: quota.bytes_per_day,
        document_bytes_max: quota.document_bytes_max,
        waiting_max: quota.waiting_max,
    }))
}

/// Returns the message form of the terms.
pub fn terms_to_proto(terms: &Terms) -> proto::Terms {
    let span = |millis: u64| moment::duration_to_proto(Duration::from_millis(millis));
    proto::Terms {
        pick_up: Some(span(terms.pick_up_ms)),
        answer: terms.answer_ms.map(span),
        silent: terms.silent_ms.map(span),
        keep_content: terms.keep_content_ms.map(span),
    }
}

/// Returns the terms of their message form; one that is not set is as by default.
///
/// # Errors
/// FIELD_INVALID, with the field's path below `terms`.
pub fn terms_from_proto(terms: &proto::Terms) -> Result<Terms, Refusal> {
    let span = |field: &str, span: &Option<prost_types::Duration>| match span {
        None => Ok(None),
        Some(span) => {
            let millis = moment::duration_from_proto(span).map(|span| span.as_millis());
            let millis = millis.and_then(|millis| u64::try_from(millis).ok());
            let invalid = || {
                Refusal::at(Reason::FieldInvalid, format!("terms.{field}"), "not a span of time")
            };
            millis.map(Some).ok_or_else(invalid)
        }
    };
    let default = Terms::default();
    Ok(Terms {
        pick_up_ms: span("pick_up", &terms.pick_up)?.unwrap_or(default.pick_up_ms),
        answer_ms: span("answer", &terms.answer)?,
        silent_ms: span("silent", &terms.silent)?,
        keep_content_ms: span("keep_content", &terms.keep_content)?,
    })
}

/// Returns the message of a person.
pub fn signatory_to_proto(signatory: &Signatory) -> proto::Signatory {
    let Signatory { agency, person } = signatory;
    proto::Signatory { agency: agency.to_string(), person: person.clone() }
}

/// Reads a person.
///
/// # Errors
/// A [`Refusal`] that names what is missing or wrong.
pub fn signatory_from_proto(
    said: Option<proto::Signatory>,
    field: &str,
) -> Result<Signatory, Refusal> {
    let mut check = Check::default();
    let read = signatory(&mut check, field, said);
    check.finish(read)
}

fn signatory(check: &mut Check, field: &str, said: Option<proto::Signatory>) -> Option<Signatory> {
    let Some(proto::Signatory { agency, person }) = said else {
        check.missing(format_args!("{field}"));
        return None;
    };
    check.text_within(format_args!("{field}.person"), &person, PERSON_CHARS_MAX);
    if person.is_empty() {
        check.missing(format_args!("{field}.person"));
    }
    let agency = check.code(format_args!("{field}.agency"), &agency)?;
    Some(Signatory { agency, person })
}

fn document_types(check: &mut Check, numbers: &[u32]) -> Vec<DocumentType> {
    if numbers.len() > LIST_ENTRIES_MAX {
        let found = format_args!("{}, at most {LIST_ENTRIES_MAX}", numbers.len());
        check.invalid(format_args!("mandate.document_types"), found);
        return Vec::new();
    }
    let mut types = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        match u8::try_from(*number).ok().and_then(DocumentType::from_number) {
            Some(kind) => types.push(kind),
            None => check.invalid(format_args!("mandate.document_types[{index}]"), number),
        }
    }
    types
}

fn territory(check: &mut Check, said: Option<proto::appointment::Territory>) -> Option<Territory> {
    use proto::appointment::Territory as Said;
    let code = |check: &mut Check, field: &str, code: &str| -> Option<AgencyCode> {
        check.code(format_args!("appointment.{field}"), code)
    };
    match said {
        Some(Said::Country(true)) => Some(Territory::Country),
        Some(Said::Province(province)) => {
            code(check, "province", &province).map(Territory::Province)
        }
        Some(Said::Agency(agency)) => code(check, "agency", &agency).map(Territory::Agency),
        Some(Said::Country(false)) | None => {
            check.missing(format_args!("appointment.territory"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{Capacity, Day, Reason, Role};
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> AgencyCode {
        AgencyCode::parse(text).unwrap()
    }

    fn person(agency: &str) -> Signatory {
        Signatory { agency: code(agency), person: "chu-tich.01".to_owned() }
    }

    proptest! {
        #[test]
        fn a_mandate_comes_back(
            capacity in prop::sample::select(Capacity::ALL.to_vec()),
            delegated: bool,
            types in prop::collection::vec(0..29u8, 0..4),
            from in 0..40_000i32,
            until in prop::option::of(0..40_000i32),
            basis in "\\PC{0,40}",
        ) {
            let types = types.into_iter().filter_map(DocumentType::from_number);
            let mandate = Mandate {
                agency: code("H36"),
                signatory: person("H36.05"),
                capacity,
                delegated_by: delegated.then(|| person("H36")),
                document_types: types.collect(),
                from: Day(from),
                until: until.map(Day),
                basis,
            };
            prop_assert_eq!(mandate_from_proto(mandate_to_proto(&mandate)), Ok(mandate));
        }

        #[test]
        fn an_appointment_comes_back(
            role in prop::sample::select(Role::ALL.to_vec()),
            territory in 0..3usize,
            from in 0..40_000i32,
            until in prop::option::of(0..40_000i32),
        ) {
            let territory = [
                Territory::Country,
                Territory::Province(code("H36")),
                Territory::Agency(code("H36.05")),
            ][territory].clone();
            let (from, until) = (Day(from), until.map(Day));
            let appointment = Appointment { holder: person("G22"), role, territory, from, until };
            let back = appointment_from_proto(appointment_to_proto(&appointment));
            prop_assert_eq!(back, Ok(appointment));
        }

        #[test]
        fn terms_come_back(
            pick_up_ms in 0..1u64 << 45, answer_ms in prop::option::of(0..1u64 << 45),
            silent_ms in prop::option::of(0..1u64 << 45),
            keep_content_ms in prop::option::of(0..1u64 << 45),
        ) {
            let terms = Terms { pick_up_ms, answer_ms, silent_ms, keep_content_ms };
            prop_assert_eq!(terms_from_proto(&terms_to_proto(&terms)), Ok(terms));
        }

        #[test]
        fn a_quota_comes_back(
            own: bool, documents: Option<u64>, bytes: Option<u64>, document: Option<u64>,
            waiting: Option<u64>,
        ) {
            let quota = Quota {
                agency: own.then(|| code("H36")),
                documents_per_day: documents,
                bytes_per_day: bytes,
                document_bytes_max: document,
                waiting_max: waiting,
            };
            prop_assert_eq!(quota_from_proto(&quota_to_proto(&quota)), Ok(quota));
        }
    }

    #[test]
    fn every_wrong_field_of_a_mandate_is_named() {
        let wrong = proto::Mandate {
            capacity: 9,
            document_types: vec![1, 300],
            until_day: "mai".to_owned(),
            ..Default::default()
        };
        let refusal = mandate_from_proto(wrong).unwrap_err();
        assert_eq!(refusal.reason, Reason::FieldMissing);
        let fields: Vec<_> = refusal.violations.iter().map(|v| v.field.as_str()).collect();
        let expected =
            ["agency", "signatory", "capacity", "document_types[1]", "from_day", "until_day"];
        assert_eq!(fields, expected.map(|field| format!("mandate.{field}")));
    }

    #[test]
    fn an_appointment_without_a_territory_is_refused() {
        let appointment = Appointment {
            holder: person("G22"),
            role: Role::Viewer,
            territory: Territory::Country,
            from: Day(1),
            until: None,
        };
        let mut said = appointment_to_proto(&appointment);
        for nowhere in [None, Some(proto::appointment::Territory::Country(false))] {
            said.territory = nowhere;
            let refusal = appointment_from_proto(said.clone()).unwrap_err();
            assert_eq!(refusal.violations[0].field, "appointment.territory");
        }
    }
}
