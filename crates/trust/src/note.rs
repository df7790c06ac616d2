//! Signed notes (c2sp.org/signed-note): a text with signatures below it, as the log's checkpoints
//! are published. Making keys and signatures is not here.
//!
//! Why these few lines and not the crate `signed_note`: its version 0.2 brings a second generation
//! of `ed25519-dalek`, `sha2` and `base64` with it, and its verification is not the strict one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lienthong_model::Digest;

use crate::ed25519::{PublicKey, SIGNATURE_BYTES};

/// The signature type of Ed25519 over the note's text.
const ED25519: u8 = 1;
/// Bytes of a key's id.
const KEY_ID_BYTES: usize = 4;
/// Longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;
/// Most signatures below a note that is read.
pub const NOTE_SIGNATURES_MAX: usize = 16;
/// Longest name of a key, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// An Ed25519 key with the name under which it signs notes.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    id: [u8; KEY_ID_BYTES],
    key: PublicKey,
}

/// Why a text is no key for notes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteKeyError {
    /// The name is empty, too long, or has a space, a control character or a `+`.
    #[error("`{0}` cannot be the name of a key")]
    Name(String),
    /// It is not `name+id+key`.
    #[error("a key is written name+id+key, with 8 hexadecimal digits and base64 of an Ed25519 key")]
    Form,
    /// The id is not that of name and key.
    #[error("the id does not belong to name and key")]
    Id,
}

/// Why a note is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is longer than [`NOTE_BYTES_MAX`].
    #[error("the note has {0} bytes, at most {NOTE_BYTES_MAX}")]
    TooLong(usize),
    /// It is not a text, a blank line and signature lines.
    #[error("the note is malformed")]
    Malformed,
    /// No signature is of the key.
    #[error("the note bears no signature of this key")]
    Unsigned,
    /// A signature that names the key does not verify.
    #[error("the signature of this key does not verify")]
    Signature,
}

impl NoteKey {
    /// Gives a key its name.
    ///
    /// # Errors
    /// [`NoteKeyError::Name`].
    pub fn new(name: &str, key: PublicKey) -> Result<Self, NoteKeyError> {
        if !is_name(name) {
            return Err(NoteKeyError::Name(name.chars().take(KEY_NAME_BYTES_MAX).collect()));
        }
        let named = [name.as_bytes(), &[b'\n', ED25519], key.as_bytes()].concat();
        let [a, b, c, d, ..] = Digest::of(&named).0;
        Ok(Self { name: name.to_owned(), id: [a, b, c, d], key })
    }

    /// Reads a key as [`fmt::Display`] writes it: name, `+`, id in 8 hexadecimal digits, `+`,
    /// base64 of the type and the 32 bytes (the verifier key of Go's `sumdb/note`).
    ///
    /// # Errors
    /// [`NoteKeyError`].
    pub fn parse(text: &str) -> Result<Self, NoteKeyError> {
        let mut parts = text.trim_end().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteKeyError::Form);
        };
        let typed = STANDARD.decode(key).map_err(|_| NoteKeyError::Form)?;
        let key = match typed.split_first() {
            Some((&ED25519, key)) => PublicKey::from_bytes(key).map_err(|_| NoteKeyError::Form)?,
            _ => return Err(NoteKeyError::Form),
        };
        let named = Self::new(name, key)?;
        if named.id_text() == id { Ok(named) } else { Err(NoteKeyError::Id) }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Puts this key's signature below a text, which must end with a line feed.
    pub fn note(&self, text: &str, signature: &[u8; SIGNATURE_BYTES]) -> String {
        let bytes = [self.id.as_slice(), signature].concat();
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }

    /// Checks a note and returns its text. Signatures of other keys are not looked at.
    ///
    /// # Errors
    /// [`NoteError`] when the note is malformed or no signature of this key holds.
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let (text, signatures) = parts(note)?;
        let mut signed = false;
        for line in signatures.split_terminator('\n') {
            let (name, id, signature) = signature_of(line).ok_or(NoteError::Malformed)?;
            if name != self.name || id != self.id {
                continue;
            }
            if !self.key.verify(text.as_bytes(), &signature) {
                return Err(NoteError::Signature);
            }
            signed = true;
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned) }
    }

    /// Returns the id in 8 hexadecimal digits: the first bytes of SHA-256 of the name, a line feed,
    /// the byte 1 and the key.
    pub fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [[ED25519].as_slice(), self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, self.id_text(), STANDARD.encode(typed))
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text can be the name of a key: something, without white space, control characters and
/// `+`.
fn is_name(name: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && name.len() <= KEY_NAME_BYTES_MAX && !name.contains(odd)
}

/// The text, with its last line feed, and the signature lines.
fn parts(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong(note.len()));
    }
    if note.contains(|c: char| c.is_ascii_control() && c != '\n') {
        return Err(NoteError::Malformed);
    }
    let split = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, below) = note.split_at(split + 1);
    let signatures = below.strip_prefix('\n').ok_or(NoteError::Malformed)?;
    let lines = signatures.split_terminator('\n').count();
    if !signatures.ends_with('\n') || lines > NOTE_SIGNATURES_MAX {
        return Err(NoteError::Malformed);
    }
    Ok((text, signatures))
}

/// Name, key id and signature of a line.
fn signature_of(line: &str) -> Option<(&str, [u8; KEY_ID_BYTES], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk()?;
    (is_name(name) && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

#[cfg(test)]
mod tests;
