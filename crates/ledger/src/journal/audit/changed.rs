//! Which single byte of something with a CRC was changed.
//!
//! A CRC is linear: the difference between the check value that is right for the bytes as they are
//! and the one that stands there depends on the change alone, not on the bytes. Undoing the steps
//! of the CRC one byte at a time from the end, that difference becomes a number below 256 just where
//! one changed byte would make it, and the number is the change.

/// A byte whose change explains a wrong check value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The byte at an index of what is checked differs by these bits.
    Checked { index: usize, bits: u8 },
    /// The byte at an index of the check value itself (little-endian) does.
    Check { index: usize, bits: u8 },
}

/// More explanations than this are none.
const CHANGES_MAX: usize = 8;
/// The polynomial of CRC-32C (RFC 3720, appendix B.4), reflected.
const POLYNOMIAL: u32 = 0x82f6_3b78;
const TABLE: [u32; 256] = table();
/// By its highest byte, which entry of the table it is: no two have the same.
const INVERSE: [u8; 256] = inverse();

/// Returns every single change that would make `difference`, the check value that is right XOR the
/// one that stands there, of `length` checked bytes; nothing when there is no difference.
pub(super) fn single_changes(difference: u32, length: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    if difference == 0 {
        return changes;
    }
    for (index, bits) in difference.to_le_bytes().into_iter().enumerate() {
        if u32::from(bits) << (8 * index) == difference {
            changes.push(Change::Check { index, bits });
        }
    }
    let mut state = difference;
    for index in (0..length).rev() {
        state = step_back(state);
        if let Ok(bits) = u8::try_from(state) {
            changes.push(Change::Checked { index, bits });
        }
    }
    if changes.len() > CHANGES_MAX {
        changes.clear();
    }
    changes
}

/// The state of the CRC before a zero byte, or before the byte that the result is when it is below
/// 256 and the state was 0.
fn step_back(state: u32) -> u32 {
    let [.., highest] = state.to_le_bytes();
    let entry = INVERSE[usize::from(highest)];
    ((state ^ TABLE[usize::from(entry)]) << 8) | u32::from(entry)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

#[allow(clippy::cast_possible_truncation)] // An index below 256.
const fn inverse() -> [u8; 256] {
    let mut inverse = [0; 256];
    let mut index = 0;
    while index < 256 {
        inverse[(TABLE[index] >> 24) as usize] = index as u8;
        index += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_changed_byte_is_among_the_explanations(
            mut bytes in prop::collection::vec(any::<u8>(), 1..5_000),
            at: prop::sample::Index,
            bits in 1..=255u8,
        ) {
            let check = crc32c::crc32c(&bytes);
            let index = at.index(bytes.len());
            bytes[index] ^= bits;
            let changes = single_changes(crc32c::crc32c(&bytes) ^ check, bytes.len());
            prop_assert!(changes.contains(&Change::Checked { index, bits }), "{changes:?}");
        }

        #[test]
        fn a_changed_check_value_is_among_the_explanations(
            bytes in prop::collection::vec(any::<u8>(), 0..5_000),
            index in 0..4usize,
            bits in 1..=255u8,
        ) {
            let check = crc32c::crc32c(&bytes);
            let mut stored = check.to_le_bytes();
            stored[index] ^= bits;
            let difference = check ^ u32::from_le_bytes(stored);
            let changes = single_changes(difference, bytes.len());
            prop_assert!(changes.contains(&Change::Check { index, bits }), "{changes:?}");
        }

        #[test]
        fn whatever_the_difference_every_explanation_is_one(difference: u32, length in 0..3_000usize) {
            for change in single_changes(difference, length) {
                if let Change::Checked { index, bits } = change {
                    let (mut zeros, mut changed) = (vec![0; length], vec![0; length]);
                    changed[index] ^= bits;
                    zeros[0] ^= 0;
                    prop_assert_eq!(crc32c::crc32c(&zeros) ^ crc32c::crc32c(&changed), difference);
                }
            }
        }
    }
}
