//! The keys of the state, and what stands under each. Stable: a letter is never reused.
//!
//! | key | how many | changes | value |
//! |---|---|---|---|
//! | `h` | one | every block | head: last block, its time, next position |
//! | `a` ordinal | an agency | rarely | [`crate::AgencyRecord`], some 150 bytes |
//! | `c` fingerprint | a certificate seen | never | DER, some 500 bytes |
//! | `ta` fingerprint | an authority | rarely | DER, since when trusted |
//! | `tl` fingerprint | an issuer with a list | a list | the list's payload and dates |
//! | `tp` | one | rarely | the revocation policy |
//! | `u` issuer position | what is accepted and not proven | until settled | serial numbers, some 60 bytes |
//! | `o` ordinal | an agency with mandates | rarely | its mandates, 150 bytes each |
//! | `r` ordinal person | who has an appointment | rarely | the person's appointments |
//! | `qa` ordinal | an agency with a quota | rarely | the quota |
//! | `qu` ordinal | an agency with a daily quota | a document | what it has used of the day |
//! | `qt` indicator kind level day code | a target of an indicator | rarely | the target |
//! | `g` | one | rarely | routing rules |
//! | `w` block | a block with an act of administration | never | nothing |
//! | `i` id sender | an accepted document or report | never | position, digest, 45 bytes |
//! | `d` position | an accepted document | never | [`crate::DocumentRow`], some 300 bytes |
//! | `v` position recipient | a delivery | a few times | [`crate::DeliveryRow`], 10 to 3,000 bytes |
//! | `m` recipient lane page | what waits, 256 positions a page | often | the low bytes of positions |
//! | `n` number | a notice that waits | never | [`crate::NoticeRow`], some 60 bytes |
//! | `e` agency page | notices that wait, 256 numbers a page | often | the low bytes of numbers |
//! | `b` day sender run | references of a sender's day of issue, 64 numbers a page | while they are used | 16 bytes a reference, at most 256 |
//! | `b` day sender run digest | a reference that its page had no room for | never | a position |
//! | `s` digest | a payload file that a document, a report or an act names | when another names it | up to 64 positions of documents |
//! | `y` level tile | a tile of the log, 256 leaves a tile | while not full | up to 256 hashes of 32 bytes |
//! | `l` owner name | a saved list | rarely | [`crate::SavedList`], 5 bytes a member |
//! | `pq` lane position slice | a slice of a fan-out that waits | never; goes | its recipients, 1 KiB |
//! | `pp` position slice | 256 recipients of a document with more | often | five bytes a recipient |
//! | `jr` day hash position | a document with a reference | never | nothing |
//! | `ja` day hash position | a reference that is answered | never | nothing |
//! | `js` sender page | what was sent and may wait, 256 positions a page | often | low bytes of positions |
//! | `jf` caller slot | 256 an agency at most | with each refusal | the last refusal of an id, 500 bytes |
//! | `zi` minute kind page | documents with a deadline in a minute, 256 positions a page | while it is filled and emptied | low bytes of positions |
//! | `zc` kind position | a document of which recipients are told slice by slice | each slice | the next slice |
//! | `zr` | one | rarely | [`crate::Retention`] |
//! | `zs` | one | rarely | [`lienthong_model::Terms`] |
//! | `f` grain number province 0 | a page of *flow*: hours (kept for 90 days), days, ten days, months | while open | cells |
//! | `F` grain number - 0 | a page of *outflow*: hours (kept for 90 days), days, months | while open | cells |
//! | `k` grain number province level | a page of *kind*: days, ten days, months | while open | cells |
//! | `D` grain number - 0 | a page of *place*: days, months | while open | cells |
//! | `V` grain number - level | a page of *volume*: days, months | while open | cells |
//! | `T` grain number - level and signature | a page of *type*: days, ten days, months | while open | cells |
//! | `C` grain number - level | a page of *country*: days, months | while open | cells |
//! | `A` grain number province shard | a page of *agency*: days, ten days, months; 1,024 agencies | while open | cells |
//! | `W` grain number province shard | a page of *work*: days, ten days, months; 256 agencies | as long as deliveries come further | cells |
//! | `P` grain number - level | a page of *progress*: days, months | as long as deliveries come further | cells |
//! | `H` grain number - level and histogram | a page of *times*: days, ten days, months | as long as deliveries come further | cells |
//! | `N` grain number - 0 | a page of *country-times*: days, months | as long as deliveries come further | cells |
//! | `x` grain number - 0 | a page of *refusals*: hours (kept for 90 days), days, months | while open | cells |
//!
//! Numbers are big-endian, so that keys sort by them; an id begins with its time, so that the keys
//! of new documents rise. Hours and days have their sign bit turned for the same reason.

use crate::threads::ThreadKey;
use lienthong_model::{Digest, Fingerprint, MessageId, Ordinal, Position};
use lienthong_trust::AuthorityId;

use crate::deadlines::{DeadlineKind, DeadlinePage};
use crate::notice::NoticeNumber;
use crate::statistics::{PageGrain, PageKey};

/// A mailbox's two queues. Numbers are stable; urgent sorts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// *Hỏa tốc* and *hỏa tốc hẹn giờ*.
    Urgent = 0,
    /// Everything else.
    Ordinary = 1,
}

pub(crate) const HEAD: &[u8] = b"h";
pub(crate) const RULES: &[u8] = b"g";
pub(crate) const AGENCIES: &[u8] = b"a";
pub(crate) const AUTHORITIES: &[u8] = b"ta";
pub(crate) const LISTS: &[u8] = b"tl";
pub(crate) const ACTS: &[u8] = b"w";
pub(crate) const REVOCATION_POLICY: &[u8] = b"tp";
pub(crate) const UNPROVEN: &[u8] = b"u";
pub(crate) const MANDATES: &[u8] = b"o";
pub(crate) const APPOINTMENTS: &[u8] = b"r";
pub(crate) const QUOTAS: &[u8] = b"qa";
pub(crate) const CERTIFICATES: &[u8] = b"c";
pub(crate) const TARGETS: &[u8] = b"qt";
pub(crate) const RETENTION: &[u8] = b"zr";

/// All mailboxes.
pub(crate) const MAILBOXES: &[u8] = b"m";

/// Positions on one mailbox page.
pub(crate) const MAILBOX_PAGE: u64 = 256;

fn key(prefix: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    key.extend_from_slice(prefix);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

pub(crate) fn agency(ordinal: Ordinal) -> Vec<u8> {
    key(AGENCIES, &[&ordinal.0.to_be_bytes()])
}

pub(crate) fn certificate(fingerprint: &Fingerprint) -> Vec<u8> {
    key(CERTIFICATES, &[fingerprint.as_bytes()])
}

pub(crate) fn authority(fingerprint: &Fingerprint) -> Vec<u8> {
    key(AUTHORITIES, &[fingerprint.as_bytes()])
}

pub(crate) fn list(issuer: &Fingerprint) -> Vec<u8> {
    key(LISTS, &[issuer.as_bytes()])
}

/// The issuer in a list's key.
pub(crate) fn issuer_of(key: &[u8]) -> Option<Fingerprint> {
    key.strip_prefix(LISTS).and_then(Fingerprint::from_slice)
}

pub(crate) fn mandates(agency: Ordinal) -> Vec<u8> {
    key(MANDATES, &[&agency.0.to_be_bytes()])
}

pub(crate) fn appointments(agency: Ordinal, person: &str) -> Vec<u8> {
    key(APPOINTMENTS, &[&agency.0.to_be_bytes(), person.as_bytes()])
}

pub(crate) fn quota(agency: Ordinal) -> Vec<u8> {
    key(QUOTAS, &[&agency.0.to_be_bytes()])
}

pub(crate) fn target(identity: &[u8]) -> Vec<u8> {
    key(TARGETS, &[identity])
}

pub(crate) fn quota_used(agency: Ordinal) -> Vec<u8> {
    key(b"qu", &[&agency.0.to_be_bytes()])
}

/// The ordinal that follows a prefix in a key.
pub(crate) fn ordinal_of(prefix: &[u8], key: &[u8]) -> Option<Ordinal> {
    let bytes = key.strip_prefix(prefix)?.get(..4)?.try_into().ok()?;
    Some(Ordinal(u32::from_be_bytes(bytes)))
}

/// What rests on an issuer's certificates and is not proven.
pub(crate) fn unproven_of(issuer: &AuthorityId) -> Vec<u8> {
    key(UNPROVEN, &[issuer.as_bytes()])
}

pub(crate) fn unproven(issuer: &AuthorityId, position: Position) -> Vec<u8> {
    key(UNPROVEN, &[issuer.as_bytes(), &position.0.to_be_bytes()])
}

/// Issuer and position in such a key.
pub(crate) fn unproven_key(key: &[u8]) -> Option<(AuthorityId, Position)> {
    let (issuer, position) = key.strip_prefix(UNPROVEN)?.split_at_checked(32)?;
    let position = u64::from_be_bytes(position.try_into().ok()?);
    Some((AuthorityId::from_slice(issuer)?, Position(position)))
}

/// A block that holds an act of administration.
pub(crate) fn act(block: u64) -> Vec<u8> {
    key(ACTS, &[&block.to_be_bytes()])
}

/// The block in such a key.
pub(crate) fn act_block(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.strip_prefix(ACTS)?.try_into().ok()?))
}

pub(crate) fn id(id: &MessageId, sender: Ordinal) -> Vec<u8> {
    key(b"i", &[id.as_bytes(), &sender.0.to_be_bytes()])
}

/// An id, whoever its sender is.
pub(crate) fn ids(id: &MessageId) -> Vec<u8> {
    key(b"i", &[id.as_bytes()])
}

pub(crate) fn document(position: Position) -> Vec<u8> {
    key(b"d", &[&position.0.to_be_bytes()])
}

pub(crate) fn deliveries(position: Position) -> Vec<u8> {
    key(b"v", &[&position.0.to_be_bytes()])
}

pub(crate) fn delivery(position: Position, recipient: Ordinal) -> Vec<u8> {
    key(b"v", &[&position.0.to_be_bytes(), &recipient.0.to_be_bytes()])
}

/// The recipient in a delivery's key.
pub(crate) fn recipient_of(key: &[u8]) -> Option<Ordinal> {
    let bytes: [u8; 4] = key.get(9..13)?.try_into().ok()?;
    Some(Ordinal(u32::from_be_bytes(bytes)))
}

pub(crate) fn mailbox(recipient: Ordinal, lane: Lane) -> Vec<u8> {
    key(MAILBOXES, &[&recipient.0.to_be_bytes(), &[lane as u8]])
}

pub(crate) fn mailbox_page(recipient: Ordinal, lane: Lane, position: Position) -> Vec<u8> {
    let page = position.0 / MAILBOX_PAGE;
    key(MAILBOXES, &[&recipient.0.to_be_bytes(), &[lane as u8], &page.to_be_bytes()])
}

/// A saved list.
pub(crate) fn saved_list(owner: Ordinal, name: &str) -> Vec<u8> {
    key(b"l", &[&owner.0.to_be_bytes(), name.as_bytes()])
}

/// The saved lists of an agency.
pub(crate) fn saved_lists(owner: Ordinal) -> Vec<u8> {
    key(b"l", &[&owner.0.to_be_bytes()])
}

/// Slices that wait, urgent first.
pub(crate) const SLICES: &[u8] = b"pq";

/// Which slice of which document's fan-out. Sorts urgent first, then in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SliceKey {
    /// The queue that it waits in, and then its mailboxes' queue.
    pub lane: Lane,
    /// The document.
    pub position: Position,
    /// From 0.
    pub slice: u16,
}

pub(crate) fn slice(slice: SliceKey) -> Vec<u8> {
    let SliceKey { lane, position, slice } = slice;
    key(SLICES, &[&[lane as u8], &position.0.to_be_bytes(), &slice.to_be_bytes()])
}

/// What a slice's key was made of.
pub(crate) fn slice_of(key: &[u8]) -> Option<SliceKey> {
    let rest = key.strip_prefix(SLICES)?;
    let (lane, rest) = rest.split_first()?;
    let (position, slice) = rest.split_first_chunk::<8>()?;
    Some(SliceKey {
        lane: if *lane == Lane::Urgent as u8 { Lane::Urgent } else { Lane::Ordinary },
        position: Position(u64::from_be_bytes(*position)),
        slice: u16::from_be_bytes(slice.try_into().ok()?),
    })
}

/// How far the recipients of a slice are.
pub(crate) fn progress(position: Position, slice: u16) -> Vec<u8> {
    key(b"pp", &[&position.0.to_be_bytes(), &slice.to_be_bytes()])
}

/// Documents that bear a reference; a position follows.
pub(crate) fn referred(key: ThreadKey) -> Vec<u8> {
    filed(b"jr", key)
}

/// Documents that answer a reference; a position follows.
pub(crate) fn answering(key: ThreadKey) -> Vec<u8> {
    filed(b"ja", key)
}

fn filed(prefix: &[u8], of: ThreadKey) -> Vec<u8> {
    let day = of.day.cast_unsigned() ^ 0x8000_0000;
    key(prefix, &[&day.to_be_bytes(), &of.rest.to_be_bytes()])
}

/// A position behind a prefix.
pub(crate) fn at(mut prefix: Vec<u8>, position: Position) -> Vec<u8> {
    prefix.extend_from_slice(&position.0.to_be_bytes());
    prefix
}

/// What an agency sent and may wait for somebody.
pub(crate) fn sent(sender: Ordinal) -> Vec<u8> {
    key(b"js", &[&sender.0.to_be_bytes()])
}

pub(crate) fn sent_page(sender: Ordinal, position: Position) -> Vec<u8> {
    at(sent(sender), Position(position.0 / MAILBOX_PAGE))
}

/// The last refusals of all callers.
pub(crate) const REFUSED: &[u8] = b"jf";

/// The last refusal of an id, by the id's last byte.
pub(crate) fn refusal(caller: Ordinal, id: &MessageId) -> Vec<u8> {
    let [.., slot] = id.as_bytes();
    key(REFUSED, &[&caller.0.to_be_bytes(), &[*slot]])
}

/// A notice that waits.
pub(crate) fn notice(number: NoticeNumber) -> Vec<u8> {
    key(b"n", &[&number.0.to_be_bytes()])
}

/// The pages of an agency's notice mailbox.
pub(crate) fn notice_pages(agency: Ordinal) -> Vec<u8> {
    // The byte stands where a mailbox has its lane: pages of both are read alike.
    key(b"e", &[&agency.0.to_be_bytes(), &[0]])
}

pub(crate) fn notice_page(agency: Ordinal, number: NoticeNumber) -> Vec<u8> {
    let page = number.0 / MAILBOX_PAGE;
    key(&notice_pages(agency), &[&page.to_be_bytes()])
}

/// A page of the index of references.
pub(crate) fn references(day: u32, sender: Ordinal, run: u32) -> Vec<u8> {
    key(b"b", &[&day.to_be_bytes(), &sender.0.to_be_bytes(), &run.to_be_bytes()])
}

/// The index of deadlines.
pub(crate) const DEADLINES: &[u8] = b"zi";
/// How long recipients may take.
pub(crate) const TERMS: &[u8] = b"zs";

/// A page of the index of deadlines.
pub(crate) fn deadline(page: DeadlinePage) -> Vec<u8> {
    let minute = page.minute.cast_unsigned() ^ 0x8000_0000;
    key(DEADLINES, &[&minute.to_be_bytes(), &[page.kind as u8], &page.page.to_be_bytes()])
}

/// What the key of a page of deadlines was made of.
pub(crate) fn deadline_page_of(key: &[u8]) -> Option<DeadlinePage> {
    let (minute, rest) = key.strip_prefix(DEADLINES)?.split_first_chunk::<4>()?;
    let (kind, page) = rest.split_first()?;
    Some(DeadlinePage {
        minute: (u32::from_be_bytes(*minute) ^ 0x8000_0000).cast_signed(),
        kind: DeadlineKind::from_number(*kind)?,
        page: u64::from_be_bytes(page.try_into().ok()?),
    })
}

/// Where telling the recipients of a document goes on.
pub(crate) fn lapse(kind: DeadlineKind, position: Position) -> Vec<u8> {
    key(b"zc", &[&[kind as u8], &position.0.to_be_bytes()])
}

/// A payload file that a document, a report or an act names.
pub(crate) fn payload(digest: &Digest) -> Vec<u8> {
    key(b"s", &[digest.as_bytes()])
}

/// A tile of the log.
pub(crate) fn tile(level: u8, index: u64) -> Vec<u8> {
    key(b"y", &[&[level], &index.to_be_bytes()])
}

/// The page's number in the key of a page of documents or notices.
pub(crate) fn page_of(key: &[u8]) -> Option<u64> {
    page_number(key, 6)
}

/// The page's number that stands at a place of a key.
pub(crate) fn page_number(key: &[u8], at: usize) -> Option<u64> {
    let bytes: [u8; 8] = key.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes))
}

/// The key of a page of a statistics cube.
pub(crate) fn cube_page(cube: u8, page: PageKey) -> Vec<u8> {
    let PageKey { grain, number, province, part } = page;
    let mut bytes = cube_period(cube, grain, number);
    bytes.extend_from_slice(&province.map_or(u32::MAX, |province| province.0).to_be_bytes());
    bytes.extend_from_slice(&part.to_be_bytes());
    bytes
}

/// The first key of a period of a cube.
pub(crate) fn cube_period(cube: u8, grain: PageGrain, number: i32) -> Vec<u8> {
    key(&[cube, grain as u8], &[&(number.cast_unsigned() ^ 0x8000_0000).to_be_bytes()])
}

/// What the key of a cube's page was made of.
pub(crate) fn cube_page_of(key: &[u8]) -> Option<PageKey> {
    let grain = PageGrain::from_number(*key.get(1)?)?;
    let number: [u8; 4] = key.get(2..6)?.try_into().ok()?;
    let province: [u8; 4] = key.get(6..10)?.try_into().ok()?;
    let part: [u8; 4] = key.get(10..14)?.try_into().ok()?;
    let number = (u32::from_be_bytes(number) ^ 0x8000_0000).cast_signed();
    let province = Some(u32::from_be_bytes(province)).filter(|number| *number != u32::MAX);
    let province = province.map(Ordinal);
    Some(PageKey { grain, number, province, part: u32::from_be_bytes(part) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_sort_by_time_also_before_the_epoch() {
        let mut keys: Vec<_> = [5, -1, 0, i32::MIN, i32::MAX]
            .iter()
            .map(|number| {
                let grain = PageGrain::Hour;
                cube_page(b'f', PageKey { grain, number: *number, province: None, part: 0 })
            })
            .collect();
        keys.sort();
        let periods: Vec<_> = keys.iter().map(|key| cube_page_of(key).unwrap().number).collect();
        assert_eq!(periods, [i32::MIN, -1, 0, 5, i32::MAX]);
    }

    #[test]
    fn what_a_key_was_made_of_is_read_back() {
        let page = mailbox_page(Ordinal(7), Lane::Ordinary, Position(1_000_000));
        assert_eq!(page_of(&page), Some(1_000_000 / MAILBOX_PAGE));
        assert!(page.starts_with(&mailbox(Ordinal(7), Lane::Ordinary)));
        let row = delivery(Position(9), Ordinal(70_000));
        assert_eq!(recipient_of(&row), Some(Ordinal(70_000)));
        let waits = SliceKey { lane: Lane::Ordinary, position: Position(9), slice: 46 };
        assert_eq!(slice_of(&slice(waits)), Some(waits));
        for minute in [i32::MIN, -1, 0, 26_758_140] {
            let page = DeadlinePage { minute, kind: DeadlineKind::Due, page: 7 };
            assert_eq!(deadline_page_of(&deadline(page)), Some(page));
        }
        for (province, part) in [(Some(Ordinal(3)), 4), (None, 0)] {
            let page = PageKey { grain: PageGrain::Day, number: 18_000, province, part };
            assert_eq!(cube_page_of(&cube_page(b'k', page)), Some(page));
        }
    }
}
