//! How an indicator stands to its target.

use crate::world::AccountError;
use lienthong_model::Day;

use super::measure;
use crate::scenario::{Days, Expect, Standing, Target};
use crate::verdict::records::Records;

/// Returns how a measured value stands to a target, over some days.
///
/// Met once the value is reached; late when the day has passed without it. Before the day, the
/// second half of the days is compared with the first: on course when the value is reached by the
/// day if it goes on rising so.
///
/// # Errors
/// [`AccountError`] when the records cannot be read.
pub(in crate::verdict) fn standing(
    target: Target,
    value: f64,
    (expect, days): (&Expect, Days),
    records: &Records<'_>,
) -> Result<Standing, AccountError> {
    if value >= target.value {
        return Ok(Standing::Met);
    }
    if target.by <= days.last {
        return Ok(Standing::Late);
    }
    let middle = Day(days.first.0 + (days.last.0 - days.first.0) / 2);
    let half = |first, last| {
        let days = Some(Days { first, last });
        measure(&Expect { days, ..expect.clone() }, records).map(|measured| measured.value)
    };
    let (before, after) = (half(days.first, middle)?, half(Day(middle.0 + 1), days.last)?);
    let halves =
        f64::from(target.by.0 - days.last.0) / (f64::from(days.last.0 - days.first.0 + 1) / 2.0);
    let reached = after + (after - before) * halves;
    Ok(if reached >= target.value { Standing::OnCourse } else { Standing::Late })
}
