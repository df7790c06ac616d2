//! The wire: code generated from `proto/`, and conversions to and from the model.
//!
//! Everything that comes from outside is checked here once, against the bounds of
//! [`lienthong_model::limits`]: a conversion from the wire is total and answers with a
//! [`lienthong_model::Refusal`] that names the field by its path in the protobuf message. What a
//! value means for the exchange is not judged here.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod administration;
mod check;
mod codec;
mod contents;
pub mod directory;
pub mod document;
mod kind;
mod language;
mod lists;
pub mod moment;
pub mod refusal;
pub mod signed;
pub mod status;
#[cfg(any(test, feature = "strategies"))]
pub mod strategies;

pub use codec::decode_message;
pub use contents::DocumentContents;
pub use document::{decode_document, encode_document};
pub use kind::{
    change_effect_from_proto, change_kind_from_proto, level_from_proto, standing_from_proto,
    urgency_from_proto,
};
pub use language::Language;
pub use refusal::{from_status, to_status};
pub use status::{decode_status, encode_status};

/// Messages, clients and servers of package `lienthong.v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
pub mod proto {
    tonic::include_proto!("lienthong.v1");
}

/// The encoded `FileDescriptorSet` of all files, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
