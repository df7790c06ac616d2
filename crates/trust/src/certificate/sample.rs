//! Certificates for tests, put together byte by byte so that each can be wrong in one way.

use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use lienthong_model::Fingerprint;

/// A value in DER: tag, length, the parts one after the other.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match body.len() {
        short @ 0..=0x7f => out.push(short as u8),
        long => {
            let digits: Vec<u8> =
                long.to_be_bytes().into_iter().skip_while(|digit| *digit == 0).collect();
            out.push(0x80 | digits.len() as u8);
            out.extend(digits);
        }
    }
    out.extend(body);
    out
}

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const ED25519: [u8; 7] = [0x30, 5, 0x06, 3, 0x2b, 0x65, 0x70];
pub(crate) const DOCUMENT_SIGNING: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 36];
pub(crate) const CLIENT_AUTH: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];
pub(crate) const SERVER_AUTH: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
/// The last byte of `id-ce` (2.5.29.x) of the extensions.
pub(crate) const SUBJECT_KEY_ID: u8 = 14;
pub(crate) const KEY_USAGE: u8 = 15;
pub(crate) const ALT_NAME: u8 = 17;
pub(crate) const CONSTRAINTS: u8 = 19;
pub(crate) const AUTHORITY_KEY_ID: u8 = 35;
pub(crate) const EXTENDED_KEY_USAGE: u8 = 37;

/// An extension: last byte of its id, whether critical, value.
pub(crate) type Ext = (u8, bool, Vec<u8>);

/// What a certificate is made of, each part in DER.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) version: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) outer_algorithm: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) not_before: Vec<u8>,
    pub(crate) not_after: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) key_algorithm: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) unique_ids: Vec<u8>,
    pub(crate) extensions: Vec<Ext>,
    pub(crate) signature: Option<Vec<u8>>,
}

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// A part of a name: last byte of `id-at` (2.5.4.x), tag and text.
pub(crate) fn part(kind: u8, tag: u8, text: &[u8]) -> Vec<u8> {
    tlv(0x31, &[&tlv(SEQUENCE, &[&[0x06, 3, 0x55, 4, kind], &tlv(tag, &[text])])])
}

pub(crate) fn name(common: &str) -> Vec<u8> {
    tlv(SEQUENCE, &[&part(6, 0x13, b"VN"), &part(3, 0x0c, common.as_bytes())])
}

pub(crate) fn person_name(common: &str, title: &str) -> Vec<u8> {
    let (common, title) = (part(3, 0x0c, common.as_bytes()), part(12, 0x0c, title.as_bytes()));
    tlv(SEQUENCE, &[&part(6, 0x13, b"VN"), &common, &title])
}

pub(crate) fn uri(text: &str) -> Vec<u8> {
    tlv(0x86, &[text.as_bytes()])
}

pub(crate) fn alt_names(names: &[Vec<u8>]) -> Ext {
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    (ALT_NAME, false, tlv(SEQUENCE, &names))
}

/// A key usage of one byte: digitalSignature 0x80, nonRepudiation 0x40, keyCertSign 0x04,
/// cRLSign 0x02.
pub(crate) fn key_usage(bits: u8) -> Ext {
    (KEY_USAGE, true, vec![0x03, 2, bits.trailing_zeros() as u8, bits])
}

pub(crate) fn purposes(all: &[&[u8]]) -> Ext {
    (EXTENDED_KEY_USAGE, false, tlv(SEQUENCE, all))
}

pub(crate) fn constraints(body: &[u8]) -> Ext {
    (CONSTRAINTS, true, tlv(SEQUENCE, &[body]))
}

impl Sample {
    fn new(subject: Vec<u8>, extensions: Vec<Ext>) -> Self {
        Self {
            version: vec![0xa0, 3, 2, 1, 2],
            serial: vec![2, 2, 0x11, 0x22],
            algorithm: ED25519.to_vec(),
            outer_algorithm: ED25519.to_vec(),
            issuer: name("Issuer"),
            not_before: tlv(0x17, &[b"200101000000Z"]),
            not_after: tlv(0x17, &[b"301231235959Z"]),
            subject,
            key_algorithm: ED25519.to_vec(),
            key: key(2).verifying_key().to_bytes().to_vec(),
            unique_ids: Vec::new(),
            extensions,
            signature: None,
        }
    }

    pub(crate) fn person() -> Self {
        let names = [uri("urn:lienthong:agency:H36.12"), uri("urn:lienthong:person:an.nguyen")];
        let extensions = vec![key_usage(0xc0), purposes(&[&DOCUMENT_SIGNING]), alt_names(&names)];
        Self::new(person_name("Nguyễn Văn An", "Giám đốc"), extensions)
    }

    pub(crate) fn seal() -> Self {
        let names = [uri("urn:lienthong:agency:H36.12")];
        let extensions = vec![key_usage(0xc0), purposes(&[&DOCUMENT_SIGNING]), alt_names(&names)];
        Self::new(name("seal"), extensions)
    }

    pub(crate) fn node() -> Self {
        let names = [uri("urn:lienthong:agency:000.00.12.H36")];
        let extensions = vec![key_usage(0x80), purposes(&[&CLIENT_AUTH]), alt_names(&names)];
        Self::new(name("node"), extensions)
    }

    pub(crate) fn operator() -> Self {
        let names = [uri("urn:lienthong:agency:H36.12"), uri("urn:lienthong:person:an.nguyen")];
        let extensions = vec![key_usage(0x80), purposes(&[&CLIENT_AUTH]), alt_names(&names)];
        Self::new(person_name("Nguyễn Văn An", "Giám đốc"), extensions)
    }

    pub(crate) fn hub() -> Self {
        let names = [uri("urn:lienthong:agency:G22"), tlv(0x82, &[b"hub.example"])];
        let extensions = vec![key_usage(0x80), purposes(&[&SERVER_AUTH]), alt_names(&names)];
        Self::new(name("hub"), extensions)
    }

    /// An authority called `subject`, with the key of `number`.
    pub(crate) fn authority(subject: &str, number: u8, path_len: Option<u8>) -> Self {
        let constraints = match path_len {
            None => constraints(&[1, 1, 0xff]),
            Some(path_len) => constraints(&[1, 1, 0xff, 2, 1, path_len]),
        };
        let mut sample = Self::new(name(subject), vec![constraints, key_usage(0x06)]);
        sample.key = key(number).verifying_key().to_bytes().to_vec();
        sample
    }

    /// The same, issued by `issuer`.
    pub(crate) fn by(mut self, issuer: &str) -> Self {
        self.issuer = name(issuer);
        self
    }

    pub(crate) fn with(mut self, extension: Ext) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Puts another value in the place of an extension.
    pub(crate) fn replace(&mut self, extension: Ext) {
        let at = self.extensions.iter().position(|own| own.0 == extension.0).unwrap();
        self.extensions[at] = extension;
    }

    pub(crate) fn remove(&mut self, id: u8) {
        self.extensions.retain(|own| own.0 != id);
    }

    /// The certificate, signed with the key of `number`.
    pub(crate) fn sign(&self, number: u8) -> Bytes {
        let extensions: Vec<Vec<u8>> = self.extensions.iter().map(extension).collect();
        let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
        let extensions = match extensions.is_empty() {
            true => Vec::new(),
            false => tlv(0xa3, &[&tlv(SEQUENCE, &extensions)]),
        };
        let tbs = tlv(
            SEQUENCE,
            &[
                &self.version,
                &self.serial,
                &self.algorithm,
                &self.issuer,
                &tlv(SEQUENCE, &[&self.not_before, &self.not_after]),
                &self.subject,
                &tlv(SEQUENCE, &[&self.key_algorithm, &tlv(3, &[&[0], &self.key])]),
                &self.unique_ids,
                &extensions,
            ],
        );
        signed(&tbs, &self.outer_algorithm, self.signature.as_deref(), number)
    }
}

/// An extension in DER.
pub(crate) fn extension((id, critical, value): &Ext) -> Vec<u8> {
    let critical: &[u8] = if *critical { &[1, 1, 0xff] } else { &[] };
    tlv(SEQUENCE, &[&[0x06, 3, 0x55, 0x1d, *id], critical, &tlv(4, &[value])])
}

/// The frame around what is signed.
pub(crate) fn signed(tbs: &[u8], algorithm: &[u8], signature: Option<&[u8]>, number: u8) -> Bytes {
    let own = key(number).sign(tbs).to_bytes();
    let signature = signature.unwrap_or(&own);
    tlv(SEQUENCE, &[tbs, algorithm, &tlv(3, &[&[0], signature])]).into()
}

/// The first 20 bytes of a key's SHA-256, as a key identifier.
pub(crate) fn key_id(number: u8) -> Vec<u8> {
    Fingerprint::of(&key(number).verifying_key().to_bytes()).as_bytes()[..20].to_vec()
}
