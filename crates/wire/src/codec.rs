//! The codec of every call: protobuf, with the fields of a message counted before it is decoded.
//!
//! The generated decoder makes every entry of a list before anybody can count them, and two bytes
//! can become an entry of 64: a message of 4 MiB took up to 192 MiB. Only tags and lengths are
//! read here, of the message and of what stands directly in it; contents are bytes, and are
//! counted when they are read ([`crate::lists`]). A question to the statistics has lists one level
//! further down: those are counted by its own bounds.

use std::any::TypeId;
use std::marker::PhantomData;

use bytes::{Buf as _, Bytes};
use lienthong_model::limits::AGENCIES_MAX;
use lienthong_model::{Reason, Refusal};
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstDecoder, ProstEncoder};

use crate::lists::{self, Bound, skip, varint};
use crate::proto;
use crate::refusal::to_status;

/// Most fields in a message and directly below: the longest honest list is that of a receipt,
/// which names each agency at most once as a route and once as left out.
const FIELDS_MAX: usize = 2 * AGENCIES_MAX;

/// Encodes as `tonic_prost::ProstCodec` does; decodes only what [`FIELDS_MAX`] allows.
#[derive(Debug, Clone)]
pub(crate) struct CountedCodec<T, U>(PhantomData<(T, U)>);

/// Counts, then decodes.
#[derive(Debug, Clone)]
pub(crate) struct CountedDecoder<U>(ProstDecoder<U>);

impl<T, U> Default for CountedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for CountedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = CountedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        CountedDecoder(ProstDecoder::default())
    }
}

impl<U: Message + Default + 'static> Decoder for CountedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // The transport gathers a message in one piece before it is decoded.
        count::<U>(buf.chunk()).map_err(|refusal| to_status(&refusal, None))?;
        self.0.decode(buf)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}

/// Returns the message that bytes hold, read as every call reads it: its fields are counted first.
///
/// # Errors
/// CONTENT_TOO_LARGE for more than 131,072 fields or a list of a question that is too long,
/// CONTENT_MALFORMED when it cannot be decoded.
pub fn decode_message<M: Message + Default + 'static>(message: Bytes) -> Result<M, Refusal> {
    count::<M>(&message)?;
    M::decode(message).map_err(|error| Refusal::at(Reason::ContentMalformed, "", error))
}

fn count<M: 'static>(message: &[u8]) -> Result<(), Refusal> {
    if fields(message) > FIELDS_MAX {
        let value = format_args!("more than {FIELDS_MAX} fields");
        return Err(Refusal::at(Reason::ContentTooLarge, "", value));
    }
    deeper::<M>().map_or(Ok(()), |bounds| lists::count(message, bounds))
}

/// The bounds of a message with lists that stand deeper than its fields are counted.
fn deeper<M: 'static>() -> Option<&'static [Bound]> {
    let asks = [
        TypeId::of::<proto::QueryStatisticsRequest>(),
        TypeId::of::<proto::WatchStatisticsRequest>(),
    ];
    asks.contains(&TypeId::of::<M>()).then_some(lists::ASK)
}

/// The fields of a message and of its parts, up to where it can be read no further: the decoder
/// stops there too. Counting ends once there are too many.
fn fields(message: &[u8]) -> usize {
    let mut found = 0;
    each_field(message, |part| {
        found += 1;
        each_field(part, |_| {
            found += 1;
            found <= FIELDS_MAX
        });
        found <= FIELDS_MAX
    });
    found
}

/// Visits the inside of each field until `visit` says no; a field that is not delimited by its
/// length has an empty one.
fn each_field(message: &[u8], mut visit: impl FnMut(&[u8]) -> bool) {
    const GROUP_BEGINS: u64 = 3;
    const GROUP_ENDS: u64 = 4;
    let mut rest = message;
    while !rest.is_empty() {
        let Some(tag) = varint(&mut rest) else { return };
        let part = match tag & 7 {
            // The decoder steps over groups: what stands in one is counted like the rest.
            GROUP_BEGINS | GROUP_ENDS => Some([].as_slice()),
            wire_type => skip(&mut rest, wire_type),
        };
        let Some(part) = part else { return };
        if !visit(part) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::codec::{Decoder as _, Encoder as _};

    use super::*;

    #[test]
    fn fields_are_counted_at_the_top_and_directly_below() {
        let signature =
            proto::Signature { certificate_sha256: vec![1; 32].into(), value: vec![2; 64].into() };
        let document = proto::SignedDocument {
            content_type: "t".into(),
            content: vec![0x0a, 0, 0x0a, 0].into(),
            signatures: vec![signature; 3],
            certificates: vec![vec![3; 5].into(); 2],
        };
        let request = proto::SubmitDocumentRequest {
            document: Some(document),
            attachments: vec![proto::Attachment::default(); 4],
        };
        // One document with 1 + 1 + 3 + 2 fields, four empty attachments.
        assert_eq!(fields(&request.encode_to_vec()), 1 + 7 + 4);
        assert_eq!(fields(&[]), 0);
    }

    #[test]
    fn a_group_hides_nothing_and_nonsense_ends_the_count() {
        let hidden = [&[0x0b][..], &[0x12, 0].repeat(5), &[0x0c]].concat();
        assert_eq!(fields(&hidden), 7);
        assert_eq!(fields(&[0x12, 0, 0x12, 0, 0x0e, 0x12, 0]), 2);
        assert_eq!(fields(&[0x12, 0, 0x12, 200]), 1);
    }

    #[test]
    fn counting_ends_once_there_are_too_many() {
        let many = [0x12, 0].repeat(FIELDS_MAX + 1_000);
        assert_eq!(fields(&many), FIELDS_MAX + 1);
        let below = [&[0x0a, 0x80, 0x80, 0x20][..], &[0x1a, 0].repeat(1 << 18)].concat();
        assert_eq!(fields(&below), FIELDS_MAX + 1);
        let honest = [0x12, 0].repeat(FIELDS_MAX);
        assert_eq!(fields(&honest), FIELDS_MAX);
    }

    #[test]
    fn the_codec_of_the_generated_services_is_this_one() {
        let mut codec = CountedCodec::<proto::GetClockRequest, proto::GetClockRequest>::default();
        let _ = (codec.encoder().buffer_settings(), codec.decoder().buffer_settings());
        let generated = include_str!(concat!(env!("OUT_DIR"), "/lienthong.v1.rs"));
        assert!(generated.contains("crate::codec::CountedCodec::default()"));
        assert!(!generated.contains("tonic_prost::ProstCodec"));
    }
}
