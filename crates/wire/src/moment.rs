//! Moments and spans between the model and the well-known types of protobuf.

use std::time::Duration;

use lienthong_model::Timestamp;

/// The first and the last second of `google.protobuf.Timestamp`: years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Returns the moment as a `google.protobuf.Timestamp`. A moment outside of the years 1 to 9999
/// is written all the same, and refused by who reads it.
pub fn to_proto(at: Timestamp) -> prost_types::Timestamp {
    let nanos = at.millis().rem_euclid(1000) * 1_000_000;
    prost_types::Timestamp {
        seconds: at.millis().div_euclid(1000),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

/// Returns the moment of a `google.protobuf.Timestamp`, rounded down to the millisecond; `None`
/// when it is outside of the years 1 to 9999 or its nanoseconds are no fraction of a second.
pub fn from_proto(at: &prost_types::Timestamp) -> Option<Timestamp> {
    if !SECONDS.contains(&at.seconds) || !(0..1_000_000_000).contains(&at.nanos) {
        return None;
    }
    Some(Timestamp::from_millis(at.seconds * 1000 + i64::from(at.nanos / 1_000_000)))
}

/// Returns the span as a `google.protobuf.Duration`, held at its bound of 10,000 years.
pub fn duration_to_proto(span: Duration) -> prost_types::Duration {
    let span = span.min(Duration::from_secs(315_576_000_000));
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or_default(),
    }
}

/// Returns the span of a `google.protobuf.Duration`; `None` when it is negative or malformed.
pub fn duration_from_proto(span: &prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(span.seconds).ok().filter(|s| *s <= 315_576_000_000)?;
    let nanos = u32::try_from(span.nanos).ok().filter(|n| *n < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_before_the_epoch_come_back() {
        for millis in [-62_135_596_800_000, -1, 0, 1, 1_605_488_400_123, 253_402_300_799_999] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(from_proto(&to_proto(at)), Some(at), "{millis}");
        }
    }

    #[test]
    fn what_is_no_moment_is_not_read() {
        let at = |seconds, nanos| from_proto(&prost_types::Timestamp { seconds, nanos });
        assert_eq!(at(0, -1), None);
        assert_eq!(at(0, 1_000_000_000), None);
        assert_eq!(at(i64::MAX, 0), None);
        assert_eq!(at(i64::MIN, 0), None);
        assert_eq!(at(1, 999_999), Some(Timestamp::from_millis(1000)));
        assert_eq!(from_proto(&to_proto(Timestamp::MIN)), None);
    }

    #[test]
    fn spans_come_back_and_negative_ones_are_not_read() {
        let span = Duration::from_millis(1500);
        assert_eq!(duration_from_proto(&duration_to_proto(span)), Some(span));
        assert!(duration_from_proto(&duration_to_proto(Duration::MAX)).is_some());
        let negative = prost_types::Duration { seconds: -1, nanos: 0 };
        assert_eq!(duration_from_proto(&negative), None);
    }
}
