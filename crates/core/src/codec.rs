//! The encoding of everything that is kept: CBOR (RFC 8949) with numbered fields.

use std::cell::Cell;

use lienthong_model::Digest;
use minicbor::{Decode, Encode};

use crate::engine::EngineError;

/// Bytes that a thread keeps to encode in.
const ROOM_BYTES_MAX: usize = 64 * 1_024;

/// Encodes a value, into memory of just its size. Encoding into memory cannot fail.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    thread_local! {
        static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut room = ROOM.take();
    encode_into(value, &mut room);
    let bytes = room.as_slice().to_vec();
    room.clear();
    room.shrink_to(ROOM_BYTES_MAX);
    ROOM.set(room);
    bytes
}

/// Encodes what has about so many bytes: if it has no more, they are never moved.
pub fn encode_within<T: Encode<()>>(value: &T, capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity);
    encode_into(value, &mut bytes);
    bytes
}

fn encode_into<T: Encode<()>>(value: &T, bytes: &mut Vec<u8>) {
    if let Err(never) = minicbor::encode(value, bytes) {
        unreachable!("encoding into memory failed: {never}");
    }
}

/// Returns how many bytes [`encode`] makes of a value, without making them.
pub fn encoded_len<T: Encode<()>>(value: &T) -> usize {
    let mut counted = Counted(0);
    match minicbor::encode(value, &mut counted) {
        Ok(()) => counted.0,
        Err(never) => unreachable!("counting bytes failed: {never}"),
    }
}

struct Counted(usize);

impl minicbor::encode::Write for Counted {
    type Error = std::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// Decodes a value that this hub wrote.
///
/// # Errors
/// [`EngineError::Damaged`], naming `what` and the digest of the bytes.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8], what: &str) -> Result<T, EngineError> {
    decode_first(bytes, what).map(|(value, _)| value)
}

/// Decodes a value at the beginning of some bytes; returns how many of them it has, too.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_first<'b, T: Decode<'b, ()>>(
    bytes: &'b [u8],
    what: &str,
) -> Result<(T, usize), EngineError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|error| EngineError::Damaged {
        what: format!("{what} ({} bytes, sha256 {})", bytes.len(), Digest::of(bytes)),
        why: error.to_string(),
    })?;
    Ok((value, decoder.position()))
}

/// A list that takes no byte when it is empty: for fields that few values have.
pub(crate) mod sparse {
    use minicbor::decode::{Decode, Decoder, Error};
    use minicbor::encode::{Encode, Encoder, Write};

    pub fn encode<C, T: Encode<C>, W: Write>(
        list: &[T],
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        list.encode(encoder, context)
    }

    pub fn decode<'b, C, T: Decode<'b, C>>(
        decoder: &mut Decoder<'b>,
        context: &mut C,
    ) -> Result<Vec<T>, Error> {
        Vec::decode(decoder, context)
    }

    pub fn is_nil<T>(list: &[T]) -> bool {
        list.is_empty()
    }

    // The type is what the derived code asks for.
    #[allow(clippy::unnecessary_wraps)]
    pub fn nil<T>() -> Option<Vec<T>> {
        Some(Vec::new())
    }
}
