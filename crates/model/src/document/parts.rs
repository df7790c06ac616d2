//! The parts of which a document is made: correspondents, signer, answers, trace, attachments.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::code::AgencyCode;
use crate::document::{Wrapping, Written};
use crate::header::Reference;
use crate::ids::Digest;
use crate::time::Timestamp;

/// Whom a document is addressed to. Journalled: numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Addressee {
    /// One agency, by its code as written.
    #[n(0)]
    Agency(#[n(0)] AgencyCode),
    /// Every agency in force of a list that the directory knows by this name.
    #[n(1)]
    List(#[n(0)] String),
}

impl fmt::Display for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agency(code) => code.fmt(f),
            Self::List(name) => f.pad(name),
        }
    }
}

/// An agency as it stands on a document: sender or recipient (`From`, `To` of edXML).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correspondent {
    /// The code.
    pub code: AgencyCode,
    /// The code exactly as a source wrote it, when that differs; empty otherwise.
    pub code_as_written: String,
    /// The agency's name; at most 500 characters.
    pub name: String,
    /// The body in charge of it; at most 500 characters.
    pub in_charge: String,
    /// The postal address.
    pub address: String,
    /// The e-mail address.
    pub email: String,
    /// The telephone.
    pub telephone: String,
    /// The fax.
    pub fax: String,
    /// The website.
    pub website: String,
}

impl Correspondent {
    /// An agency by its code alone.
    pub fn new(code: AgencyCode) -> Self {
        Self {
            code,
            code_as_written: String::new(),
            name: String::new(),
            in_charge: String::new(),
            address: String::new(),
            email: String::new(),
            telephone: String::new(),
            fax: String::new(),
            website: String::new(),
        }
    }

    /// The same agency with its name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl From<AgencyCode> for Correspondent {
    fn from(code: AgencyCode) -> Self {
        Self::new(code)
    }
}

/// An entry of the recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// An agency.
    Agency(Box<Correspondent>),
    /// The name of a list of the directory; 1 to 500 characters.
    List(String),
}

impl Recipient {
    /// Whom the entry means.
    pub fn addressee(&self) -> Addressee {
        match self {
            Self::Agency(agency) => Addressee::Agency(agency.code.clone()),
            Self::List(name) => Addressee::List(name.clone()),
        }
    }
}

impl From<AgencyCode> for Recipient {
    fn from(code: AgencyCode) -> Self {
        Self::Agency(Box::new(code.into()))
    }
}

impl From<Correspondent> for Recipient {
    fn from(agency: Correspondent) -> Self {
        Self::Agency(Box::new(agency))
    }
}

impl From<Addressee> for Recipient {
    fn from(addressee: Addressee) -> Self {
        match addressee {
            Addressee::Agency(code) => code.into(),
            Addressee::List(name) => Self::List(name),
        }
    }
}

/// The signer as printed on the document; who signed it in fact is in the certificates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signer {
    /// In whose stead the signer signs (*thay mặt*, *ký thay*, *thừa lệnh* …).
    pub competence: String,
    /// The position.
    pub position: String,
    /// The full name.
    pub full_name: String,
}

/// A document that is answered (`ResponseFor` of edXML).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The agency that issued it.
    pub code: Written<AgencyCode>,
    /// Its number and notation as written (`7816/VPCP-TTĐT`).
    pub document_code: String,
    /// Its reference as written.
    pub reference: String,
    /// Its day of issue.
    pub date: Written<Timestamp>,
}

impl Answer {
    /// The reference of the document answered: number and notation are what stands before and
    /// after the first slash of the document's code.
    pub fn into_reference(self) -> Reference {
        let (number, notation) = match self.document_code.split_once('/') {
            Some((number, notation)) => (number, notation),
            None => (self.document_code.as_str(), ""),
        };
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Reference {
            number: given(number),
            notation: given(notation),
            text: self.reference,
            code: given(&self.code.text)
                .or_else(|| self.code.value.as_ref().map(|code| code.to_string())),
            date: given(&self.date.text),
        }
    }
}

/// One hop of a message before the hub (`TraceHeader` of edXML).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceHop {
    /// The agency whose system it passed.
    pub code: Written<AgencyCode>,
    /// When.
    pub time: Written<Timestamp>,
}

/// An attachment as the content names it; the bytes travel beside the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentEntry {
    /// The id by which the bytes are found; unique in the document.
    pub content_id: String,
    /// The file name; at most 500 characters.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The media type of the bytes inside the wrapping.
    pub media_type: String,
    /// How the bytes are wrapped as they travel.
    pub wrapping: Wrapping,
    /// Bytes as they travel (wrapping included).
    pub size: u64,
    /// SHA-256 of the bytes as they travel (wrapping included).
    pub sha256: Digest,
    /// Whether this attachment is the document itself.
    pub is_document: bool,
}

impl AttachmentEntry {
    /// An entry for bytes that travel as they are.
    pub fn of(content_id: impl Into<String>, name: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            content_id: content_id.into(),
            name: name.into(),
            description: String::new(),
            media_type: String::new(),
            wrapping: Wrapping::None,
            size: bytes.len() as u64,
            sha256: Digest::of(bytes),
            is_document: false,
        }
    }
}

/// Something that a source has and Document v1 has no field for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Extension {
    /// Where it stood in the source (`MessageHeader/OtherInfo/…`).
    pub path: String,
    /// Its text.
    pub text: String,
}
