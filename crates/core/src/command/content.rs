//! Signed content as the journal keeps it: documents, reports, their bytes and their signatures.
//!
//! Stable: fields are numbered, new ones are added at the end, none is reused.

use std::collections::HashSet;

use bytes::Bytes;
use lienthong_model::{AttachmentHeader, Digest, Fingerprint, Header, Ordinal, StatusHeader};
use minicbor::{Decode, Encode};

/// An accepted document.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Submit {
    /// Whose connection brought it: the sender's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// What the signed bytes say.
    #[n(1)]
    pub header: Header,
    /// The bytes and who signed them.
    #[n(2)]
    pub signed: SignedRecord,
}

impl Submit {
    /// Returns the attachments that did not travel beside the content: each was uploaded before and
    /// is the payload of its digest.
    pub fn uploaded(&self) -> impl Iterator<Item = &AttachmentHeader> {
        let beside: HashSet<&str> = self
            .signed
            .attachments
            .iter()
            .map(|attachment| attachment.content_id.as_str())
            .collect();
        let named = self.header.attachments.iter();
        named.filter(move |header| !beside.contains(header.content_id.as_str()))
    }

    /// Returns the bytes of content and attachments, those of uploaded ones included.
    pub fn whole_size(&self) -> u64 {
        let uploaded = self.uploaded().map(|attachment| attachment.size).sum::<u64>();
        self.signed.size().saturating_add(uploaded)
    }
}

impl SignedRecord {
    /// Returns the payload files that hold its bytes, those of uploaded attachments left out.
    pub fn payloads(&self) -> impl Iterator<Item = Digest> {
        self.stored().filter_map(|stored| match stored {
            Stored::Inline(_) | Stored::Apart { .. } => None,
            Stored::Payload { digest, .. } => Some(*digest),
        })
    }

    /// Returns where the content and the attachments beside it are, in this order.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Stored> {
        let beside = self.attachments.iter().map(|attachment| &attachment.bytes);
        std::iter::once(&self.content).chain(beside)
    }

    pub(crate) fn stored_mut(&mut self) -> impl Iterator<Item = &mut Stored> {
        let beside = self.attachments.iter_mut().map(|attachment| &mut attachment.bytes);
        std::iter::once(&mut self.content).chain(beside)
    }

    /// Whether bytes of it were taken out of the journal when their term had passed.
    pub fn is_taken_out(&self) -> bool {
        self.stored().any(|stored| matches!(stored, Stored::Apart { .. }))
    }
}

/// An accepted status report.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Report {
    /// Whose connection brought it: the reporter's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// What the signed bytes say.
    #[n(1)]
    pub header: StatusHeader,
    /// The bytes and who signed them.
    #[n(2)]
    pub signed: SignedRecord,
}

/// Signed bytes as the journal keeps them. Certificates are kept once, by fingerprint.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SignedRecord {
    /// The content type.
    #[n(0)]
    pub content_type: String,
    /// The content.
    #[n(1)]
    pub content: Stored,
    /// Attachments that travelled beside it.
    #[n(2)]
    pub attachments: Vec<StoredAttachment>,
    /// SHA-256 of the DSSE bytes.
    #[n(3)]
    pub digest: Digest,
    /// SHA-256 of the signatures.
    #[n(4)]
    pub signatures_digest: Digest,
    /// The signatures and their signers' chains.
    #[n(5)]
    pub signatures: Vec<SignatureRecord>,
    /// Certificates (DER) that the journal did not have yet.
    #[n(6)]
    pub new_certificates: Vec<CertificateBytes>,
}

impl SignedRecord {
    /// Returns the bytes of content and attachments.
    pub fn size(&self) -> u64 {
        let attachments = self.attachments.iter().map(|attachment| attachment.bytes.size());
        self.content.size() + attachments.sum::<u64>()
    }
}

/// A certificate's DER.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(transparent)]
pub struct CertificateBytes(#[cbor(n(0), with = "crate::rows::shared_bytes")] pub Bytes);

/// One signature.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SignatureRecord {
    /// The signer's certificate first, the root last.
    #[n(0)]
    pub chain: Vec<Fingerprint>,
    /// The signature.
    #[cbor(n(1), with = "crate::rows::shared_bytes")]
    pub value: Bytes,
}

/// Bytes in the journal or in a payload file.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Stored {
    /// At hand. In a block's record only what is kept for ever stands so.
    #[n(0)]
    Inline(#[cbor(n(0), with = "crate::rows::shared_bytes")] Bytes),
    /// In a payload file that was on disk before the record was.
    #[n(1)]
    Payload {
        /// Its name.
        #[n(0)]
        digest: Digest,
        /// Its length in bytes.
        #[n(1)]
        size: u64,
    },
    /// In a block's record: behind it. In a block that was read: taken out, its term has passed.
    #[n(2)]
    Apart {
        /// Their SHA-256.
        #[n(0)]
        digest: Digest,
        /// How many there are.
        #[n(1)]
        size: u64,
    },
}

impl Stored {
    /// Puts digest and size in the place of bytes at hand; returns what was there.
    pub(crate) fn set_apart(&mut self) -> Self {
        let Self::Inline(bytes) = &*self else { return self.clone() };
        let apart = Self::Apart { digest: Digest::of(bytes), size: bytes.len() as u64 };
        std::mem::replace(self, apart)
    }

    /// Returns how many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Payload { size, .. } | Self::Apart { size, .. } => *size,
        }
    }
}

/// An attachment that travelled beside the content.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct StoredAttachment {
    /// The content id by which the document names it.
    #[n(0)]
    pub content_id: String,
    /// The bytes.
    #[n(1)]
    pub bytes: Stored,
}

/// Where the bytes of a content are.
#[derive(Debug, Clone)]
pub struct StoredContent {
    /// The content.
    pub content: Stored,
    /// The attachments beside it, in the order of the submission.
    pub attachments: Vec<StoredAttachment>,
}
