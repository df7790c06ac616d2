//! The laws: what holds after every run, whatever went wrong.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::world::AccountError;
use lienthong_model::Ordinal;

use super::Check;
use super::measure::Found;
use super::records::Records;

/// The law of replay, which whoever stops a live hub of its own judges from its folder.
pub const REPLAY: &str = "chạy lại nhật ký cho cùng trạng thái / a replay gives the same rows";

pub(super) fn check(records: &Records<'_>) -> Result<Vec<Check>, AccountError> {
    let mut laws = vec![
        totals(records)?,
        delivered_or_explained(records)?,
        no_id_twice(records)?,
        receipts(records)?,
        acknowledged_is_there(records)?,
        refusals(records)?,
    ];
    laws.extend(verified(records));
    laws.extend(replay(records)?);
    Ok(laws)
}

fn law(name: &str, broken: Found) -> Check {
    let found = match broken.count {
        0 => "0".to_owned(),
        some => format!("{some} vi phạm / broken"),
    };
    Check {
        name: name.to_owned(),
        passed: broken.count == 0,
        wanted: "0".to_owned(),
        found,
        documents: broken.named,
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
    records.each(|view| {
        let at = view.document.received_at;
        let province = |agency| records.place(agency, at).and_then(|place| place.province);
        recorded.entry(province(view.document.sender)).or_default().0 += 1;
        for one in &view.deliveries {
            recorded.entry(province(one.recipient)).or_default().1 += 1;
        }
    })?;
    let mut broken = Found::default();
    let places: BTreeSet<_> = counted.keys().chain(recorded.keys()).collect();
    for place in places {
        let (counted, recorded) = (counted.get(place), recorded.get(place));
        if counted != recorded {
            let code = place.map_or_else(
                || "TW / centre".to_owned(),
                |province| records.directory.code(province, records.played.ended),
            );
            broken.add(|| format!("{code}: statistics {counted:?}, records {recorded:?}"));
        }
    }
    let sum = counted.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if sum != (volumes.totals.sent, volumes.totals.received) {
        broken.add(|| format!("sum {sum:?}, total {:?}", volumes.totals));
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
    let mut broken = Found::default();
    records.each(|view| {
        for one in &view.deliveries {
            let row = &one.delivery;
            let kept = waiting.remove(&(one.recipient, view.position));
            let open = row.acknowledged_at.is_none() && row.state().closed().is_none();
            let waits = if known.is_some() { kept } else { open };
            // What was taken back or replaced before it was picked up does not wait any more.
            let taken_out = row.state().closed().is_some();
            let fine = match row.acknowledged_at {
                Some(_) => !waits,
                None if taken_out => !waits,
                None => waits && records.played.is_absent(one.recipient),
            };
            if !fine {
                broken.add(|| records.delivery_shown(view, one.recipient));
            }
        }
    })?;
    for (agency, position) in &waiting {
        let code = records.directory.code(*agency, records.played.ended);
        broken.add(|| format!("position {} waits for {code}, and no document has it", position.0));
    }
    Ok(law("mỗi văn bản: đã phát hoặc đang chờ / every document is delivered or waits", broken))
}

fn no_id_twice(records: &Records<'_>) -> Result<Check, AccountError> {
    let (mut seen, mut broken) = (HashSet::new(), Found::default());
    records.each(|view| {
        if !seen.insert((view.document.sender, *view.document.id.as_bytes())) {
            broken.add(|| records.shown(view));
        }
    })?;
    Ok(law("không mã nào hai lần / no id is there twice", broken))
}

/// Whoever holds a receipt finds the document where the receipt says: an answer left only after
/// the block was on disk.
fn receipts(records: &Records<'_>) -> Result<Check, AccountError> {
    let mut broken = Found::default();
    for (id, position) in records.played.receipts() {
        if records.hub.id_at(*position)? != Some(*id) {
            broken.add(|| format!("{id} (position {})", position.0));
        }
    }
    Ok(law("có biên nhận là có văn bản / a receipt's document is there", broken))
}

/// What is acknowledged lies on the recipient's disk.
fn acknowledged_is_there(records: &Records<'_>) -> Result<Check, AccountError> {
    let mut broken = Found::default();
    records.each(|view| {
        for one in &view.deliveries {
            let acknowledged = one.delivery.acknowledged_at.is_some();
            if acknowledged && !records.played.has(one.recipient, view.position) {
                broken.add(|| records.delivery_shown(view, one.recipient));
            }
        }
    })?;
    Ok(law("đã xác nhận là đã có ở nơi nhận / what is acknowledged is there", broken))
}

/// Every refusal of the journal is counted, and no other.
fn refusals(records: &Records<'_>) -> Result<Check, AccountError> {
    let mut journalled = BTreeMap::new();
    for one in &records.declined {
        *journalled.entry(one.reason).or_insert(0) += 1;
    }
    let counted = records.refusals()?.by_reason;
    let mut broken = Found::default();
    for reason in counted.keys().chain(journalled.keys()).collect::<BTreeSet<_>>() {
        let (counted, journalled) = (counted.get(reason), journalled.get(reason));
        if counted != journalled {
            let code = reason.code();
            broken.add(|| format!("{code}: statistics {counted:?}, journal {journalled:?}"));
        }
    }
    Ok(law("từ chối: thống kê = nhật ký / refusals are counted as journalled", broken))
}

/// Nobody was handed what does not verify; where recipients verify for themselves.
fn verified(records: &Records<'_>) -> Option<Check> {
    let broken = found(records.hub.distrusted()?);
    Some(law("mỗi nơi nhận tự kiểm tra được chữ ký / every recipient could verify", broken))
}

/// A replay from nothing gives the same; where the journal is at hand.
fn replay(records: &Records<'_>) -> Result<Option<Check>, AccountError> {
    Ok(records.hub.replay()?.map(|broken| law(REPLAY, found(broken))))
}

fn found(broken: Vec<String>) -> Found {
    let mut found = Found::default();
    for one in broken {
        found.add(|| one);
    }
    found
}
