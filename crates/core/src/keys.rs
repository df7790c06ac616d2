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
//! | `g` | one | rarely | routing rules |
//! | `w` block | a block with an act of administration | never | nothing |
//! | `i` id sender | an accepted document or report | never | position, digest, 45 bytes |
//! | `d` position | an accepted document | never | [`crate::DocumentRow`], some 300 bytes |
//! | `v` position recipient | a delivery | a few times | [`crate::DeliveryRow`], 10 to 3,000 bytes |
//! | `m` recipient lane page | what waits, 256 positions a page | often | the low bytes of positions |
//! | `s` digest | a payload file that an accepted document or report names | never | nothing |
//! | `y` level tile | a tile of the log, 256 leaves a tile | while not full | up to 256 hashes of 32 bytes |
//! | `f` hour province 0 | a page of *flow* | while open | cells |
//! | `k` day province level | a page of *kind* | while open | cells |
//! | `x` hour province 0 | a page of *refusals* | while open | cells |
//!
//! Numbers are big-endian, so that keys sort by them; an id begins with its time, so that the keys
//! of new documents rise. Hours and days have their sign bit turned for the same reason.

use lienthong_model::{Digest, Fingerprint, MessageId, Ordinal, Position};
use lienthong_trust::AuthorityId;

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
    key(b"c", &[fingerprint.as_bytes()])
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
    key(b"m", &[&recipient.0.to_be_bytes(), &[lane as u8]])
}

pub(crate) fn mailbox_page(recipient: Ordinal, lane: Lane, position: Position) -> Vec<u8> {
    let page = position.0 / MAILBOX_PAGE;
    key(b"m", &[&recipient.0.to_be_bytes(), &[lane as u8], &page.to_be_bytes()])
}

/// A payload file that an accepted document or report names.
pub(crate) fn payload(digest: &Digest) -> Vec<u8> {
    key(b"s", &[digest.as_bytes()])
}

/// A tile of the log.
pub(crate) fn tile(level: u8, index: u64) -> Vec<u8> {
    key(b"y", &[&[level], &index.to_be_bytes()])
}

/// The page's number in a mailbox page's key.
pub(crate) fn page_of(key: &[u8]) -> Option<u64> {
    let bytes: [u8; 8] = key.get(6..14)?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes))
}

/// Which page of a statistics cube: period (hour or day), province (`None`: the centre), part (a
/// level, or 0 in a cube whose pages are small enough without).
pub(crate) type CubePage = (i32, Option<Ordinal>, u8);

pub(crate) fn cube_page(cube: u8, (period, province, part): CubePage) -> Vec<u8> {
    let mut bytes = cube_period(cube, period);
    bytes.extend_from_slice(&province.map_or(u32::MAX, |province| province.0).to_be_bytes());
    bytes.push(part);
    bytes
}

/// The first key of a period of a cube.
pub(crate) fn cube_period(cube: u8, period: i32) -> Vec<u8> {
    key(&[cube], &[&(period.cast_unsigned() ^ 0x8000_0000).to_be_bytes()])
}

/// What the key of a cube's page was made of.
pub(crate) fn cube_page_of(key: &[u8]) -> Option<CubePage> {
    let period: [u8; 4] = key.get(1..5)?.try_into().ok()?;
    let province: [u8; 4] = key.get(5..9)?.try_into().ok()?;
    let period = (u32::from_be_bytes(period) ^ 0x8000_0000).cast_signed();
    let province = Some(u32::from_be_bytes(province)).filter(|number| *number != u32::MAX);
    Some((period, province.map(Ordinal), *key.get(9)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_sort_by_time_also_before_the_epoch() {
        let mut keys: Vec<_> = [5, -1, 0, i32::MIN, i32::MAX]
            .iter()
            .map(|period| cube_page(b'f', (*period, None, 0)))
            .collect();
        keys.sort();
        let periods: Vec<_> = keys.iter().map(|key| cube_page_of(key).unwrap().0).collect();
        assert_eq!(periods, [i32::MIN, -1, 0, 5, i32::MAX]);
    }

    #[test]
    fn what_a_key_was_made_of_is_read_back() {
        let page = mailbox_page(Ordinal(7), Lane::Ordinary, Position(1_000_000));
        assert_eq!(page_of(&page), Some(1_000_000 / MAILBOX_PAGE));
        assert!(page.starts_with(&mailbox(Ordinal(7), Lane::Ordinary)));
        let row = delivery(Position(9), Ordinal(70_000));
        assert_eq!(recipient_of(&row), Some(Ordinal(70_000)));
        for page in [(18_000, Some(Ordinal(3)), 4), (18_000, None, 0)] {
            assert_eq!(cube_page_of(&cube_page(b'k', page)), Some(page));
        }
    }
}
