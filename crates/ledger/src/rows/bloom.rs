//! A filter that says which keys are certainly not in a run. One line of 64 bytes a key, so that a
//! look costs one miss of the processor's cache. **Stable.**
//!
//! With ten bits a key about one key in a hundred is asked for in vain.

const LINE_BYTES: usize = 64;
const BITS_PER_KEY: usize = 10;
/// Bits set for a key.
const PROBES: u32 = 6;

/// The filter of a run; an empty one says nothing.
#[derive(Debug, Default)]
pub(super) struct Filter(Vec<u8>);

impl Filter {
    /// A filter with room for so many keys.
    pub fn with_room(keys: u64) -> Self {
        let keys = usize::try_from(keys).unwrap_or(usize::MAX);
        let lines = keys.saturating_mul(BITS_PER_KEY).div_ceil(LINE_BYTES * 8).max(1);
        Self(vec![0; lines * LINE_BYTES])
    }

    /// Notes a key; an empty filter notes none.
    pub fn add(&mut self, key: &[u8]) {
        let hash = hash(key);
        if let Some(line) = line(&mut self.0, hash) {
            bits(hash).for_each(|bit| line[bit / 8] |= 1 << (bit % 8));
        }
    }

    /// Takes a filter over as it was written.
    pub fn read(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a key may be in the run.
    pub fn may_have(&self, key: &[u8]) -> bool {
        let hash = hash(key);
        let at = line_of(self.0.len(), hash);
        let line = at.and_then(|at| self.0.get(at..at + LINE_BYTES));
        line.is_none_or(|line| bits(hash).all(|bit| line[bit / 8] & (1 << (bit % 8)) != 0))
    }
}

/// A key's hash: FNV-1a, and a finish that spreads it over all bits.
fn hash(key: &[u8]) -> u64 {
    let fnv = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn line(bytes: &mut [u8], hash: u64) -> Option<&mut [u8]> {
    let at = line_of(bytes.len(), hash)?;
    bytes.get_mut(at..at + LINE_BYTES)
}

/// Where the line of a hash begins; none in an empty filter.
fn line_of(bytes: usize, hash: u64) -> Option<usize> {
    let lines = (bytes / LINE_BYTES) as u64;
    // The low ten bits choose bits in the line, too: the line is chosen by others.
    let line = (hash >> 10).checked_rem(lines)?;
    usize::try_from(line).ok().map(|line| line * LINE_BYTES)
}

/// The bits of a line, each below 512.
fn bits(hash: u64) -> impl Iterator<Item = usize> {
    let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..PROBES).map(move |probe| ((spread >> (probe * 9)) & 511) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_knows_every_key_it_was_made_of_and_few_others() {
        let key = |number: u64| [b"i".as_slice(), &number.to_be_bytes()].concat();
        let mut filter = Filter::with_room(20_000);
        (0..20_000).for_each(|number| filter.add(&key(number)));
        assert!((0..20_000).all(|number| filter.may_have(&key(number))));
        let wrong = (20_000..120_000).filter(|number| filter.may_have(&key(*number))).count();
        assert!(wrong < 3_000, "{wrong} of 100000 keys are asked for in vain");
        assert!(Filter::default().may_have(b"anything"));
    }
}
