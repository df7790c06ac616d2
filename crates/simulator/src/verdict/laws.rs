//! The laws: what holds after every run, whatever went wrong.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::Ordinal;

use super::records::Records;
use super::{Check, named};
use crate::world::AccountError;

/// The law of replay, which who stops a live hub of its own judges from its folder.
pub const REPLAY: &str = "chạy lại nhật ký cho cùng trạng thái / a replay gives the same rows";

pub(super) fn check(records: &Records<'_>) -> Result<Vec<Check>, AccountError> {
    let mut laws =
        vec![totals(records)?, delivered_or_explained(records)?, no_id_twice(records)];
    laws.extend(verified(records));
    laws.extend(replay(records)?);
    Ok(laws)
}

fn law(name: &str, broken: Vec<String>) -> Check {
    let found = match broken.len() {
        0 => "0".to_owned(),
        some => format!("{some} vi phạm / broken"),
    };
    Check {
        name: name.to_owned(),
        passed: broken.is_empty(),
        wanted: "0".to_owned(),
        found,
        documents: named(broken),
    }
}

/// Sent and received of one place.
type Sums = BTreeMap<Option<Ordinal>, (u64, u64)>;

/// Provinces and centre add up to the total, and each is what the records say.
fn totals(records: &Records<'_>) -> Result<Check, AccountError> {
    let volumes = records.volumes(None)?;
    let provinces = volumes.provinces.iter().map(|(province, volume)| (Some(*province), volume));
    let counted: Sums = provinces
        .chain([(None, &volumes.centre)])
        .map(|(province, volume)| (province, (volume.sent, volume.received)))
        .filter(|(_, (sent, received))| sent + received > 0)
        .collect();
    let mut recorded = Sums::new();
    for view in &records.documents {
        let at = view.document.received_at;
        let province = |agency| records.place(agency, at).and_then(|place| place.province);
        recorded.entry(province(view.document.sender)).or_default().0 += 1;
        for one in &view.deliveries {
            recorded.entry(province(one.recipient)).or_default().1 += 1;
        }
    }
    let mut broken = Vec::new();
    let places: BTreeSet<_> = counted.keys().chain(recorded.keys()).collect();
    for place in places {
        let (counted, recorded) = (counted.get(place), recorded.get(place));
        if counted != recorded {
            let code = place.map_or_else(
                || "TW / centre".to_owned(),
                |province| records.directory.code(province, records.played.ended),
            );
            broken.push(format!("{code}: statistics {counted:?}, records {recorded:?}"));
        }
    }
    let sum = counted.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if sum != (volumes.totals.sent, volumes.totals.received) {
        broken.push(format!("sum {sum:?}, total {:?}", volumes.totals));
    }
    Ok(law(
        "tỉnh + trung ương = tổng / provinces and centre are the total, and the records",
        broken,
    ))
}

/// What is not acknowledged waits in the mailbox of an agency whose node is not there.
fn delivered_or_explained(records: &Records<'_>) -> Result<Check, AccountError> {
    // Where only the records tell, what is not acknowledged waits.
    let known = records.hub.mailboxes()?;
    let mut waiting = known.clone().unwrap_or_default();
    let mut broken = Vec::new();
    for view in &records.documents {
        for one in &view.deliveries {
            let kept = waiting.remove(&(one.recipient, view.position));
            let waits = match known {
                Some(_) => kept,
                None => one.delivery.acknowledged_at.is_none(),
            };
            let absent = records.played.offline.contains(&one.recipient)
                || !records.played.takes_part(one.recipient);
            let fine = match one.delivery.acknowledged_at {
                Some(_) => !waits,
                None => waits && absent,
            };
            if !fine {
                broken.push(records.delivery_shown(view, one.recipient));
            }
        }
    }
    broken.extend(waiting.iter().map(|(agency, position)| {
        let code = records.directory.code(*agency, records.played.ended);
        format!("position {} waits for {code}, and no document has it", position.0)
    }));
    Ok(law("mỗi văn bản: đã phát hoặc đang chờ / every document is delivered or waits", broken))
}

fn no_id_twice(records: &Records<'_>) -> Check {
    let mut seen = BTreeSet::new();
    let twice = records
        .documents
        .iter()
        .filter(|view| !seen.insert((view.document.sender, *view.document.id.as_bytes())));
    law("không mã nào hai lần / no id is there twice", twice.map(|v| records.shown(v)).collect())
}

/// Nobody was handed what does not verify; where recipients verify for themselves.
fn verified(records: &Records<'_>) -> Option<Check> {
    let broken = records.hub.distrusted()?;
    Some(law("mỗi nơi nhận tự kiểm tra được chữ ký / every recipient could verify", broken))
}

/// A replay from nothing gives the same; where the journal is at hand.
fn replay(records: &Records<'_>) -> Result<Option<Check>, AccountError> {
    Ok(records.hub.replay()?.map(|broken| law(REPLAY, broken)))
}
