//! The laws: what holds after every run, whatever went wrong. Folded over the records in one walk.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_core::{DocumentView, TrackedDelivery};
use lienthong_model::{Ordinal, Position};

use super::Check;
use super::ids::Ids;
use super::measure::Found;
use super::records::Records;
use crate::world::{AccountError, Receipt};

/// The law of replay, which whoever stops a live hub of its own judges from its folder.
pub const REPLAY: &str = "chạy lại nhật ký cho cùng trạng thái / a replay gives the same rows";

/// What is folded so far.
pub(super) struct Laws<'r, 'p> {
    records: &'r Records<'p>,
    /// Documents and deliveries by province, as the records say.
    recorded: Sums,
    /// What waits in mailboxes and was not met yet; none where only the records tell.
    waiting: Option<BTreeSet<(Ordinal, Position)>>,
    unexplained: Found,
    ids: Ids,
    /// The receipts by position, and how many of them were met.
    receipts: Vec<Receipt>,
    met: usize,
    without_document: Found,
    not_there: Found,
}

/// Sent and received of one place.
type Sums = BTreeMap<Option<Ordinal>, (u64, u64)>;

impl<'r, 'p> Laws<'r, 'p> {
    pub fn new(records: &'r Records<'p>) -> Result<Self, AccountError> {
        let mut receipts = records.played.receipts().to_vec();
        receipts.sort_unstable();
        Ok(Self {
            records,
            recorded: Sums::new(),
            waiting: records.hub.mailboxes()?,
            unexplained: Found::default(),
            ids: Ids::default(),
            receipts,
            met: 0,
            without_document: Found::default(),
            not_there: Found::default(),
        })
    }

    /// Looks at the next document.
    pub fn see(&mut self, view: &DocumentView) {
        let (records, at) = (self.records, view.document.received_at);
        let province = |agency| records.place(agency, at).and_then(|place| place.province);
        self.recorded.entry(province(view.document.sender)).or_default().0 += 1;
        self.ids.add(view.document.sender, &view.document.id);
        self.see_receipts(view);
        for one in &view.deliveries {
            self.recorded.entry(province(one.recipient)).or_default().1 += 1;
            self.see_delivery(view, one);
        }
    }

    /// Whoever holds a receipt finds the document where the receipt says: an answer left only after
    /// the block was on disk.
    fn see_receipts(&mut self, view: &DocumentView) {
        let wanted = Receipt::of(&view.document.id, view.position);
        while let Some(receipt) = self.receipts.get(self.met).copied() {
            if receipt.position() > view.position {
                break;
            }
            if receipt != wanted {
                self.without_document.add(|| format!("position {}", receipt.position().0));
            }
            self.met += 1;
        }
    }

    /// What is not acknowledged waits in the mailbox of an agency whose node is not there, and what
    /// is acknowledged lies on the recipient's disk.
    fn see_delivery(&mut self, view: &DocumentView, one: &TrackedDelivery) {
        let (records, row) = (self.records, &one.delivery);
        // What was taken back or replaced before it was picked up does not wait any more.
        let taken_out = row.state().closed().is_some();
        let waits = match &mut self.waiting {
            Some(waiting) => waiting.remove(&(one.recipient, view.position)),
            // Where only the records tell, what is not acknowledged waits.
            None => row.acknowledged_at.is_none() && !taken_out,
        };
        let explained = match row.acknowledged_at {
            Some(_) => !waits,
            None if taken_out => !waits,
            None => waits && records.played.is_absent(one.recipient),
        };
        if !explained {
            self.unexplained.add(|| records.delivery_shown(view, one.recipient));
        }
        if row.acknowledged_at.is_some() && !records.played.has(one.recipient, view.position) {
            self.not_there.add(|| records.delivery_shown(view, one.recipient));
        }
    }

    /// Returns what came of it.
    pub fn check(mut self) -> Result<Vec<Check>, AccountError> {
        let records = self.records;
        for (agency, position) in self.waiting.unwrap_or_default() {
            let code = records.directory.code(agency, records.played.ended);
            let shown = format!("position {} waits for {code}, and no document has it", position.0);
            self.unexplained.add(|| shown);
        }
        for receipt in self.receipts.get(self.met..).unwrap_or_default() {
            self.without_document.add(|| format!("position {}", receipt.position().0));
        }
        let mut laws = vec![
            totals(records, &self.recorded)?,
            law(
                "mỗi văn bản: đã phát hoặc đang chờ / every document is delivered or waits",
                self.unexplained,
            ),
            law("không mã nào hai lần / no id is there twice", self.ids.twice(records)?),
            law(
                "có biên nhận là có văn bản / a receipt's document is there",
                self.without_document,
            ),
            law("đã xác nhận là đã có ở nơi nhận / what is acknowledged is there", self.not_there),
            refusals(records)?,
        ];
        laws.extend(verified(records));
        laws.extend(replay(records)?);
        Ok(laws)
    }
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

/// Provinces and centre add up to the total, and each is what the records say.
fn totals(records: &Records<'_>, recorded: &Sums) -> Result<Check, AccountError> {
    let volumes = records.volumes(None)?;
    let provinces = volumes.provinces.iter().map(|(province, volume)| (Some(*province), volume));
    let counted: Sums = provinces
        .chain([(None, &volumes.centre)])
        .map(|(province, volume)| (province, (volume.sent, volume.received)))
        .filter(|(_, (sent, received))| sent + received > 0)
        .collect();
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

/// Every refusal of the journal is counted, and no other.
fn refusals(records: &Records<'_>) -> Result<Check, AccountError> {
    let mut journalled = BTreeMap::new();
    for one in &records.declined {
        *journalled.entry(one.reason).or_insert(0) += 1;
    }
    let counted = records.refusals()?.by_reason;
    let mut broken = Found::default();
    let reasons: BTreeSet<_> = counted.keys().chain(journalled.keys()).collect();
    for reason in reasons.into_iter().filter(|reason| records.hub.tells_each(**reason)) {
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
