//! Keys of rows in memory: inline and in words, so that a search touches nothing else.

use bytes::Bytes;

/// Bytes of a key that lie inline: those of every key that is asked for often.
const INLINE_BYTES: usize = 23;
const WORDS: usize = 3;

/// A key. Keys order as their bytes do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The first bytes, big-endian, zeros where the key is shorter; in the last byte how many they
    /// are, [`INLINE_BYTES`] + 1 when there are more.
    head: [u64; WORDS],
    /// The bytes after [`INLINE_BYTES`], if there are any.
    rest: Option<Box<Rest>>,
}

/// In a box of its own, so that a key without it is a word smaller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rest(Box<[u8]>);

impl Key {
    pub fn of(bytes: &[u8]) -> Self {
        let (inline, rest) = bytes.split_at(bytes.len().min(INLINE_BYTES));
        let length = inline.len() + usize::from(!rest.is_empty());
        let mut head = [0; WORDS * 8];
        head[..inline.len()].copy_from_slice(inline);
        head[INLINE_BYTES] = u8::try_from(length).unwrap_or(u8::MAX);
        let (words, _) = head.as_chunks::<8>();
        let rest = (!rest.is_empty()).then(|| Box::new(Rest(rest.into())));
        let mut key = Self { head: [0; WORDS], rest };
        key.head.iter_mut().zip(words).for_each(|(to, word)| *to = u64::from_be_bytes(*word));
        key
    }

    /// Hands the bytes over.
    pub fn with<T>(&self, take: impl FnOnce(&[u8]) -> T) -> T {
        let mut head = [0; WORDS * 8];
        for (to, word) in head.as_chunks_mut::<8>().0.iter_mut().zip(self.head) {
            *to = word.to_be_bytes();
        }
        match &self.rest {
            None => take(&head[..usize::from(head[INLINE_BYTES]).min(INLINE_BYTES)]),
            Some(rest) => take(&[&head[..INLINE_BYTES], &rest.0].concat()),
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
