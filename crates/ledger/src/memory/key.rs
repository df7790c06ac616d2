//! Keys of rows in memory: inline and in words, so that a search touches nothing else.

use bytes::Bytes;

/// Bytes of a key that lie inline.
const INLINE_BYTES: usize = 39;
const WORDS: usize = 5;

/// A key. Keys order as their bytes do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The first bytes, big-endian, zeros where the key is shorter; in the last byte how many they
    /// are, [`INLINE_BYTES`] + 1 when there are more.
    head: [u64; WORDS],
    /// The bytes after [`INLINE_BYTES`].
    rest: Box<[u8]>,
}

impl Key {
    pub fn of(bytes: &[u8]) -> Self {
        let (inline, rest) = bytes.split_at(bytes.len().min(INLINE_BYTES));
        let length = inline.len() + usize::from(!rest.is_empty());
        let mut head = [0; WORDS * 8];
        head[..inline.len()].copy_from_slice(inline);
        head[INLINE_BYTES] = u8::try_from(length).unwrap_or(u8::MAX);
        let (words, _) = head.as_chunks::<8>();
        let mut key = Self { head: [0; WORDS], rest: rest.into() };
        key.head.iter_mut().zip(words).for_each(|(to, word)| *to = u64::from_be_bytes(*word));
        key
    }

    /// Hands the bytes over.
    pub fn with<T>(&self, take: impl FnOnce(&[u8]) -> T) -> T {
        let mut head = [0; WORDS * 8];
        for (to, word) in head.as_chunks_mut::<8>().0.iter_mut().zip(self.head) {
            *to = word.to_be_bytes();
        }
        match usize::from(head[INLINE_BYTES]) {
            length @ ..=INLINE_BYTES => take(&head[..length]),
            _ => take(&[&head[..INLINE_BYTES], &self.rest].concat()),
        }
    }

    pub fn to_bytes(&self) -> Bytes {
        self.with(Bytes::copy_from_slice)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_what_they_were_made_of_and_order_as_their_bytes_do(
            // Few values, so that many begin alike.
            one in prop::collection::vec(0..2u8, 0..48),
            more in prop::collection::vec(0..2u8, 0..48),
        ) {
            let together = [one.as_slice(), &more].concat();
            for other in [&more, &together] {
                prop_assert_eq!(Key::of(&one).cmp(&Key::of(other)), one.cmp(other));
            }
            prop_assert_eq!(&Key::of(&together).to_bytes()[..], &together[..]);
        }
    }
}
