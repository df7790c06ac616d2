//! How an indicator stands to its target.

use std::cmp::Ordering;

use lienthong_model::Day;

use crate::scenario::{Days, Standing, Target};

/// The first and the second half of some days.
pub(super) fn halves(days: Days) -> (Days, Days) {
    let middle = Day(days.first.0 + (days.last.0 - days.first.0) / 2);
    (Days { last: middle, ..days }, Days { first: Day(middle.0 + 1), ..days })
}

/// Returns how a measured value stands to a target, over some days; none without a basis: a value
/// of nothing, or before the day a half of nothing.
///
/// Met once the value is reached; late when the day has passed without it. Before the day, the
/// second half of the days is compared with the first: on course when the value is reached by the
/// day if it goes on rising so.
pub(super) fn standing(
    target: Target,
    value: f64,
    (before, after): (f64, f64),
    days: Days,
) -> Option<Standing> {
    if value.is_nan() {
        return None;
    }
    if value >= target.value {
        return Some(Standing::Met);
    }
    if target.by <= days.last {
        return Some(Standing::Late);
    }
    let halves =
        f64::from(target.by.0 - days.last.0) / (f64::from(days.last.0 - days.first.0 + 1) / 2.0);
    let reached = after + (after - before) * halves;
    match reached.partial_cmp(&target.value)? {
        Ordering::Less => Some(Standing::Late),
        Ordering::Equal | Ordering::Greater => Some(Standing::OnCourse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of all by the twentieth day.
    const TARGET: Target = Target { value: 0.5, by: Day(20), standing: Standing::Late };

    fn stands(value: f64, halves: (f64, f64), last: i32) -> Option<Standing> {
        standing(TARGET, value, halves, Days { first: Day(1), last: Day(last) })
    }

    #[test]
    fn a_value_is_reached_late_or_on_course_to_the_target() {
        assert_eq!(stands(0.5, (0.5, 0.5), 20), Some(Standing::Met));
        assert_eq!(stands(0.4, (0.3, 0.5), 20), Some(Standing::Late), "the day has passed");
        assert_eq!(stands(0.3, (0.2, 0.4), 10), Some(Standing::OnCourse), "0.8 by the day");
        assert_eq!(stands(0.3, (0.3, 0.3), 10), Some(Standing::Late), "it does not rise");
    }

    #[test]
    fn without_a_basis_nothing_stands_to_a_target_not_even_late() {
        assert_eq!(stands(f64::NAN, (f64::NAN, f64::NAN), 20), None, "the day has passed");
        assert_eq!(stands(f64::NAN, (f64::NAN, f64::NAN), 10), None);
        assert_eq!(stands(0.3, (f64::NAN, 0.3), 10), None, "nothing to rise from");
        assert_eq!(stands(0.3, (0.3, f64::NAN), 10), None);
        assert_eq!(stands(0.6, (f64::NAN, 0.6), 10), Some(Standing::Met), "reached is reached");
        assert_eq!(stands(0.3, (f64::NAN, 0.3), 20), Some(Standing::Late), "over is over");
    }
}
