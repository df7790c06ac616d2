//! The numbered kinds between the model and the wire.
//!
//! Where the field's numbers begin with 0 the wire's are one more, since 0 says *unspecified*.

use lienthong_model::{
    AgencyState, BusinessKind, Capacity, Change, ChangeEffect, ChangeKind, Level, Reason, Refusal,
    Role, SignaturePolicy, Standing, StatusCode, Steering, Urgency, Wrapping,
};

use crate::proto;

macro_rules! to_wire {
    ($($model:ident => $wire:path { $($from:ident => $to:ident),+ $(,)? })+) => {
        $(impl From<$model> for $wire {
            fn from(value: $model) -> Self {
                match value { $($model::$from => Self::$to),+ }
            }
        })+
    };
}

to_wire! {
    Level => proto::Level {
        Ministry => Ministry, Province => Province, District => District, Commune => Commune,
    }
    AgencyState => proto::AgencyState {
        Connected => Connected, Held => Held, Suspended => Suspended,
    }
    SignaturePolicy => proto::SignaturePolicy {
        Required => Required, Transition => Transition, Information => Information,
    }
    Capacity => proto::SigningCapacity {
        Head => Head, OnBehalf => OnBehalf, Deputy => Deputy, ByOrder => ByOrder,
        ByAuthorization => ByAuthorization,
    }
    Role => proto::Role {
        Viewer => Viewer, Operator => Operator, Administrator => Administrator,
    }
    Urgency => proto::Urgency {
        Normal => Normal, Urgent => Urgent, VeryUrgent => VeryUrgent, Express => Express,
        ExpressTimed => ExpressTimed,
    }
    BusinessKind => proto::BusinessKind {
        New => New, Recall => Recall, Update => Update, Replace => Replace,
    }
    Steering => proto::SteeringType { None => None, Steers => Steers, Reports => Reports }
    Wrapping => proto::Wrapping { None => None, Zip => Zip }
    ChangeKind => proto::ChangeKind { Recall => Recall, Update => Update, Replace => Replace }
    ChangeEffect => proto::ChangeEffect {
        AtOnce => AtOnce, Asked => Asked, TooLate => TooLate, Gone => Gone,
    }
    Standing => proto::Standing {
        Stands => Stands, Updated => Updated, Withdrawn => Withdrawn, Recalled => Recalled,
        Replaced => Replaced,
    }
    Change => proto::recipient_change::Change { Removed => Removed, Added => Added }
    StatusCode => proto::StatusCode {
        Arrived => Arrived, Refused => Refused, Accepted => Accepted, Assigned => Assigned,
        Processing => Processing, Finished => Finished, RecallRequested => RecallRequested,
        ChangeAgreed => ChangeAgreed, ChangeRefused => ChangeRefused,
    }
}

/// A number of the wire for a kind: said and known, not said, or unknown.
pub(crate) enum Read<T> {
    Known(T),
    Unspecified,
    Unknown,
}

impl<T> Read<T> {
    fn of(number: i32, known: impl FnOnce(u32) -> Option<T>) -> Self {
        match u32::try_from(number) {
            Ok(0) => Self::Unspecified,
            Ok(number) => known(number).map_or(Self::Unknown, Self::Known),
            Err(_) => Self::Unknown,
        }
    }
}

pub(crate) fn level(number: i32) -> Read<Level> {
    Read::of(number, |n| Level::from_number(u8::try_from(n).ok()?))
}

pub(crate) fn urgency(number: i32) -> Read<Urgency> {
    Read::of(number, |n| Urgency::from_number(n - 1))
}

pub(crate) fn business_kind(number: i32) -> Read<BusinessKind> {
    Read::of(number, |n| BusinessKind::from_number(n - 1))
}

pub(crate) fn change(number: i32) -> Read<Change> {
    Read::of(number, |n| Change::from_number(n - 1))
}

pub(crate) fn steering(number: i32) -> Read<Steering> {
    Read::of(number, Steering::from_number)
}

pub(crate) fn wrapping(number: i32) -> Read<Wrapping> {
    Read::of(number, Wrapping::from_number)
}

pub(crate) fn status_code(number: i32) -> Read<StatusCode> {
    Read::of(number, StatusCode::from_number)
}

pub(crate) fn agency_state(number: i32) -> Read<AgencyState> {
    Read::of(number, |n| AgencyState::ALL.iter().copied().find(|state| *state as u32 == n))
}

pub(crate) fn signature_policy(number: i32) -> Read<SignaturePolicy> {
    Read::of(number, |n| SignaturePolicy::ALL.iter().copied().find(|policy| *policy as u32 == n))
}

/// Returns the kind of change of a wire number; `None` when it is not one.
pub fn change_kind_from_proto(number: i32) -> Option<ChangeKind> {
    ChangeKind::ALL.into_iter().find(|kind| proto::ChangeKind::from(*kind) as i32 == number)
}

/// Returns the effect of a change of a wire number; `None` when it is not one.
pub fn change_effect_from_proto(number: i32) -> Option<ChangeEffect> {
    ChangeEffect::ALL.into_iter().find(|one| proto::ChangeEffect::from(*one) as i32 == number)
}

/// Returns what a document is, of a wire number; `None` when it is not one.
pub fn standing_from_proto(number: i32) -> Option<Standing> {
    Standing::ALL.into_iter().find(|standing| proto::Standing::from(*standing) as i32 == number)
}

pub(crate) fn capacity(number: i32) -> Read<Capacity> {
    Read::of(number, Capacity::from_number)
}

pub(crate) fn role(number: i32) -> Read<Role> {
    Read::of(number, Role::from_number)
}

/// Returns the level of a wire number, `None` when it is not said.
///
/// # Errors
/// FIELD_INVALID for `field` when the number is unknown.
pub fn level_from_proto(number: i32, field: &str) -> Result<Option<Level>, Refusal> {
    match level(number) {
        Read::Known(level) => Ok(Some(level)),
        Read::Unspecified => Ok(None),
        Read::Unknown => Err(Refusal::at(Reason::FieldInvalid, field, number)),
    }
}

/// Returns the urgency of a wire number; unspecified is read as normal.
///
/// # Errors
/// FIELD_INVALID for `field` when the number is unknown.
pub fn urgency_from_proto(number: i32, field: &str) -> Result<Urgency, Refusal> {
    match urgency(number) {
        Read::Known(urgency) => Ok(urgency),
        Read::Unspecified => Ok(Urgency::Normal),
        Read::Unknown => Err(Refusal::at(Reason::FieldInvalid, field, number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wire's number of every value, and what is read back from it.
    macro_rules! comes_back {
        ($read:ident, $wire:path, $all:expr, $plus:literal) => {
            for value in $all {
                let number = <$wire>::from(value) as i32;
                assert_eq!(number, value as i32 + $plus);
                assert!(matches!($read(number), Read::Known(back) if back == value));
            }
            assert!(matches!($read(0), Read::Unspecified));
            for unknown in [-1, 7, 99, i32::MIN, i32::MAX] {
                assert!(matches!($read(unknown), Read::Unknown), "{unknown}");
            }
        };
    }

    #[test]
    fn every_kind_comes_back_and_unknown_numbers_are_told_apart() {
        comes_back!(level, proto::Level, Level::ALL, 0);
        comes_back!(urgency, proto::Urgency, Urgency::ALL, 1);
        comes_back!(business_kind, proto::BusinessKind, BusinessKind::ALL, 1);
        comes_back!(change, proto::recipient_change::Change, Change::ALL, 1);
        comes_back!(steering, proto::SteeringType, Steering::ALL, 0);
        comes_back!(wrapping, proto::Wrapping, Wrapping::ALL, 0);
        comes_back!(status_code, proto::StatusCode, StatusCode::ALL, 0);
        comes_back!(capacity, proto::SigningCapacity, Capacity::ALL, 0);
        comes_back!(role, proto::Role, Role::ALL, 0);
        comes_back!(agency_state, proto::AgencyState, AgencyState::ALL.to_vec(), 0);
        comes_back!(signature_policy, proto::SignaturePolicy, SignaturePolicy::ALL.to_vec(), 0);
    }

    #[test]
    fn an_unknown_level_is_refused_with_its_field() {
        let refusal = level_from_proto(9, "level").unwrap_err();
        assert_eq!(refusal, Refusal::at(Reason::FieldInvalid, "level", 9));
        assert_eq!(level_from_proto(0, "level"), Ok(None));
        assert_eq!(urgency_from_proto(0, "urgency"), Ok(Urgency::Normal));
    }
}
