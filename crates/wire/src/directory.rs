//! Entries of the directory between the model and their message form.

use lienthong_model::limits::TEXT_CHARS_MAX;
use lienthong_model::{AgencyCode, AgencyEntry, Refusal};

use crate::check::Check;
use crate::{kind, proto};

/// Returns the message form of an entry.
pub fn to_proto(entry: &AgencyEntry) -> proto::Agency {
    let code = |code: &Option<AgencyCode>| code.as_ref().map(ToString::to_string);
    proto::Agency {
        code: entry.code.to_string(),
        name: entry.name.clone(),
        level: proto::Level::from(entry.level).into(),
        parent: code(&entry.parent).unwrap_or_default(),
        province: code(&entry.province).unwrap_or_default(),
        from_day: entry.from.to_string(),
        until_day: entry.until.map(|day| day.to_string()).unwrap_or_default(),
        state: proto::AgencyState::from(entry.state).into(),
        policy: proto::SignaturePolicy::from(entry.policy).into(),
        gateway: code(&entry.gateway).unwrap_or_default(),
    }
}

/// Returns the entry of its message form.
///
/// # Errors
/// FIELD_MISSING or FIELD_INVALID, with the field's path below `agency`.
pub fn from_proto(agency: proto::Agency) -> Result<AgencyEntry, Refusal> {
    let mut check = Check::default();
    let code = check.code(format_args!("agency.code"), &agency.code);
    check.text_within(format_args!("agency.name"), &agency.name, TEXT_CHARS_MAX);
    let level = check.mandatory_kind(format_args!("agency.level"), agency.level, kind::level);
    let parent = optional_code(&mut check, "agency.parent", &agency.parent);
    let province = optional_code(&mut check, "agency.province", &agency.province);
    let from = check.day(format_args!("agency.from_day"), &agency.from_day);
    let until = check.optional_day(format_args!("agency.until_day"), &agency.until_day);
    let state =
        check.mandatory_kind(format_args!("agency.state"), agency.state, kind::agency_state);
    let policy =
        check.mandatory_kind(format_args!("agency.policy"), agency.policy, kind::signature_policy);
    let gateway = optional_code(&mut check, "agency.gateway", &agency.gateway);

    let who = code.zip(level).zip(from);
    let entry = who.zip(state.zip(policy)).map(|(who, (state, policy))| AgencyEntry {
        code: who.0.0,
        name: agency.name,
        level: who.0.1,
        parent,
        province,
        from: who.1,
        until,
        state,
        policy,
        gateway,
    });
    check.finish(entry)
}

fn optional_code(check: &mut Check, field: &str, text: &str) -> Option<AgencyCode> {
    if text.is_empty() { None } else { check.code(format_args!("{field}"), text) }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{AgencyState, Level, Reason, SignaturePolicy, Timestamp};

    use super::*;

    fn entry() -> AgencyEntry {
        let code = |text: &str| AgencyCode::parse(text).unwrap();
        AgencyEntry {
            code: code("H36.12.05"),
            name: "Ủy ban nhân dân xã Đắk Ang".into(),
            level: Level::Commune,
            parent: Some(code("H36.12")),
            province: Some(code("H36")),
            from: Timestamp::parse("2019-03-12").unwrap().day(),
            until: Some(Timestamp::parse("2025-07-01").unwrap().day()),
            state: AgencyState::Held,
            policy: SignaturePolicy::Transition,
            gateway: Some(code("H36")),
        }
    }

    #[test]
    fn an_entry_comes_back() {
        assert_eq!(from_proto(to_proto(&entry())), Ok(entry()));
        let open =
            AgencyEntry { parent: None, province: None, until: None, gateway: None, ..entry() };
        assert_eq!(from_proto(to_proto(&open)), Ok(open));
    }

    #[test]
    fn every_wrong_field_of_an_entry_is_named() {
        let wrong = proto::Agency { until_day: "soon".into(), state: 9, ..Default::default() };
        let refusal = from_proto(wrong).unwrap_err();
        assert_eq!(refusal.reason, Reason::FieldMissing);
        let fields: Vec<_> = refusal.violations.iter().map(|v| v.field.as_str()).collect();
        let expected = ["code", "level", "from_day", "until_day", "state", "policy"]
            .map(|f| format!("agency.{f}"));
        assert_eq!(fields, expected);
    }
}
