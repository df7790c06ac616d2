//! How an indicator stands to its target.

use lienthong_model::Day;

use crate::scenario::{Days, Standing, Target};

/// The first and the second half of some days.
pub(super) fn halves(days: Days) -> (Days, Days) {
    let middle = Day(days.first.0 + (days.last.0 - days.first.0) / 2);
    (Days { last: middle, ..days }, Days { first: Day(middle.0 + 1), ..days })
}

/// Returns how a measured value stands to a target, over some days.
///
/// Met once the value is reached; late when the day has passed without it. Before the day, the
/// second half of the days is compared with the first: on course when the value is reached by the
/// day if it goes on rising so.
pub(super) fn standing(
    target: Target,
    value: f64,
    (before, after): (f64, f64),
    days: Days,
) -> Standing {
    if value >= target.value {
        return Standing::Met;
    }
    if target.by <= days.last {
        return Standing::Late;
    }
    let halves =
        f64::from(target.by.0 - days.last.0) / (f64::from(days.last.0 - days.first.0 + 1) / 2.0);
    let reached = after + (after - before) * halves;
    if reached >= target.value { Standing::OnCourse } else { Standing::Late }
}
