//! What the hub's statistics and indicators say.

use std::collections::BTreeSet;

use crate::world::AccountError;
use lienthong_core::statistics::BASIS_MIN;
use lienthong_model::{Indicator, Reason};

use super::{Found, Measured, Scope};
use crate::scenario::Days;
use crate::verdict::records::{Records, within};

type Result = std::result::Result<Measured, AccountError>;

pub(super) fn sent(scope: &Scope, records: &Records<'_>) -> Result {
    let sent = scope.volume(records, scope.days)?.sent;
    Ok(Measured::count(sent))
}

pub(super) fn received(scope: &Scope, records: &Records<'_>) -> Result {
    let received = scope.volume(records, scope.days)?.received;
    Ok(Measured::count(received))
}

/// A share as the hub's own indicators have it.
pub(super) fn indicator(indicator: Indicator, scope: &Scope, records: &Records<'_>) -> Result {
    let (mut part, mut whole) = (0, 0);
    for share in scope.shares(indicator, records)? {
        part += share.numerator;
        whole += share.denominator;
    }
    Ok(Measured::share(part, whole))
}

pub(super) fn growth(scope: &Scope, base: Option<Days>, records: &Records<'_>) -> Result {
    let now = scope.volume(records, scope.days)?.sent;
    let base = scope.volume(records, base)?.sent;
    let share = Measured::share(now, base);
    let value = if base < BASIS_MIN { f64::NAN } else { share.value };
    Ok(Measured { value, ..share })
}

/// Levels of a province where something was sent and something received, and the centre when it
/// wrote to the province and the province to it.
pub(super) fn levels_connected(scope: &Scope, records: &Records<'_>) -> Result {
    let (mut sending, mut receiving) = (BTreeSet::new(), BTreeSet::new());
    for flow in records.flows(scope.days)? {
        let from_centre = flow.from_province.is_none();
        let to_centre = flow.to_province.is_none();
        let from_here = scope.holds_province(flow.from_province);
        let to_here = scope.holds_province(flow.to_province);
        if from_here || (from_centre && to_here) {
            sending.insert(flow.from_level);
        }
        if to_here || (to_centre && from_here) {
            receiving.insert(flow.to_level);
        }
    }
    Ok(Measured::count(sending.intersection(&receiving).count() as u64))
}

pub(super) fn refusals(reason: Option<Reason>, scope: &Scope, records: &Records<'_>) -> Result {
    let wanted = |code| reason.is_none_or(|only| only == code);
    let counted = records.refusals_in(scope.days)?;
    let here = counted
        .by_province
        .iter()
        .filter(|((province, reason), _)| scope.holds_province(*province) && wanted(*reason));
    let count = here.map(|(_, count)| count).sum();
    let mut found = Found::default();
    for one in &records.declined {
        if within(scope.days, one.at) && scope.holds_province(one.province) && wanted(one.reason) {
            found.add(|| one.shown.clone());
        }
    }
    Ok(Measured::count(count).with(found.named))
}
