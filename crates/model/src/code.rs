//! Agency codes (*mã định danh*): opaque keys of the directory.
//!
//! A code is never cut up to learn its level, parent or province: those come
//! from the directory. What is understood here is only that one agency's code
//! is written in two ways (Decision 20/2020/QĐ-TTg: `H36.12`; QCVN 102:2016:
//! `000.00.12.H36`), so that both find the same entry.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};

use crate::limits::AGENCY_CODE_CHARS_MAX;

/// An agency's code exactly as somebody wrote it: 1 to 35 ASCII letters,
/// digits and dots, no empty group.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct AgencyCode(#[n(0)] Box<str>);

/// The one spelling under which the directory files a code: highest group
/// first, zero groups dropped, upper case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct CodeKey(#[n(0)] Box<str>);

/// Why a text is not an agency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The text is empty or has an empty group between dots.
    #[error("an agency code needs at least one character in every group")]
    Empty,
    /// The text is longer than 35 characters.
    #[error("an agency code has at most {AGENCY_CODE_CHARS_MAX} characters, this has {0}")]
    TooLong(usize),
    /// The text has a character other than ASCII letters, digits and dots.
    #[error("an agency code has only letters, digits and dots, this has `{0}`")]
    Character(char),
}

impl AgencyCode {
    /// Parses a code and keeps it as written.
    ///
    /// # Errors
    /// [`CodeError`] names what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let chars = text.chars().count();
        if chars > AGENCY_CODE_CHARS_MAX {
            return Err(CodeError::TooLong(chars));
        }
        if let Some(bad) = text.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '.') {
            return Err(CodeError::Character(bad));
        }
        if text.split('.').any(str::is_empty) {
            return Err(CodeError::Empty);
        }
        Ok(Self(text.into()))
    }

    /// The code as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The spelling under which the directory files it.
    ///
    /// Groups of zeros are dropped. A code whose last remaining group begins
    /// with a letter while its first does not is in the order of QCVN 102:2016
    /// and is turned round.
    pub fn key(&self) -> CodeKey {
        CodeKey(self.filed_as().into())
    }

    /// The text of [`AgencyCode::key`].
    pub fn filed_as(&self) -> String {
        let is_zero = |group: &&str| group.bytes().all(|byte| byte == b'0');
        let groups = || self.0.split('.').filter(|group| !is_zero(group));
        let lettered = |group: &str| group.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        let lowest_first = groups().next().is_some_and(|first| !lettered(first))
            && groups().next_back().is_some_and(lettered);
        let mut text = String::with_capacity(self.0.len());
        let add = |group: &str| {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(group);
        };
        match lowest_first {
            true => groups().rev().for_each(add),
            false => groups().for_each(add),
        }
        if text.is_empty() {
            text.push_str(&self.0);
        }
        text.make_ascii_uppercase();
        text
    }
}

impl CodeKey {
    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key is found by its text.
impl Borrow<str> for CodeKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgencyCode {
    type Err = CodeError;
    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::parse(text)
    }
}

impl fmt::Display for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

impl fmt::Display for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        AgencyCode::parse(text).unwrap().key().as_str().to_owned()
    }

    #[test]
    fn both_written_forms_of_a_code_have_the_same_key() {
        assert_eq!(key("000.00.12.H36"), "H36.12");
        assert_eq!(key("H36.12"), "H36.12");
        assert_eq!(key("000.00.00.H36"), "H36");
        assert_eq!(key("000.05.12.H36"), key("H36.12.05"));
        assert_eq!(key("00.00.G22"), "G22");
    }

    #[test]
    fn codes_that_break_the_pattern_are_opaque_but_still_findable() {
        assert_eq!(key("H55.242"), "H55.242");
        assert_eq!(key("H37.DN.001"), "H37.DN.001");
        assert_eq!(key("28.22.H17"), "H17.22.28");
        assert_eq!(key("000.1137.H53"), "H53.1137");
        assert_eq!(key("000.00"), "000.00");
        assert_eq!(key("h36.12"), "H36.12");
    }

    #[test]
    fn a_code_is_kept_as_written() {
        let code = AgencyCode::parse("000.00.12.H36").unwrap();
        assert_eq!(code.as_str(), "000.00.12.H36");
        assert_eq!(code.to_string(), "000.00.12.H36");
    }

    #[test]
    fn texts_that_are_no_codes_are_refused_with_the_cause() {
        assert_eq!(AgencyCode::parse(""), Err(CodeError::Empty));
        assert_eq!(AgencyCode::parse("H36..1"), Err(CodeError::Empty));
        assert_eq!(AgencyCode::parse("H36/1"), Err(CodeError::Character('/')));
        assert_eq!(AgencyCode::parse("Đ36"), Err(CodeError::Character('Đ')));
        assert_eq!(AgencyCode::parse(&"1".repeat(36)), Err(CodeError::TooLong(36)));
        assert!(AgencyCode::parse(&"1".repeat(35)).is_ok());
    }
}
