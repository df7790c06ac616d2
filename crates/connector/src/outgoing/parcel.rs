//! A folder under way: how far it came is read from what lies in it.
//!
//! | in `_lienthong/` | state | what follows |
//! |---|---|---|
//! | nothing | taken | compose, sign |
//! | `signatures.json` (written last) | signed | hand over |
//! | `receipt.json` | accepted | move to `sent` |
//! | `refusal.json` | declined | move to `refused` |
//!
//! `waiting.json` says why one waits; it is for people and programs, and decides nothing.

use std::path::{Path, PathBuf};

use lienthong_model::limits::INLINE_ATTACHMENT_BYTES_MAX;
use lienthong_model::{AgencyCode, SignedContent};
use serde::Serialize;

use super::Kind;
use crate::disk::{self, DiskError};
use crate::link::Away;
use crate::places::OWN;
use crate::receipts::Evidence;
use crate::refused::Refused;
use crate::signed_files;

pub(crate) const RECEIPT: &str = "receipt.json";
pub(crate) const REFUSAL: &str = "refusal.json";
pub(crate) const WAITING: &str = "waiting.json";
const REFUSAL_TEXT: &str = "refusal.txt";
const EVIDENCE: &str = "evidence.json";

/// A folder that was taken and has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parcel {
    pub kind: Kind,
    /// Whose document or report it is.
    pub agency: AgencyCode,
    /// The name that the agency's software gave it.
    pub name: String,
    pub folder: PathBuf,
}

/// How far a folder came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    Taken,
    Signed(SignedContent),
    Accepted,
    Declined,
}

impl Parcel {
    /// Returns the connector's own folder in it.
    pub(crate) fn own(&self) -> PathBuf {
        self.folder.join(OWN)
    }

    /// Reads how far it came.
    pub(crate) fn state(&self) -> Result<State, DiskError> {
        let own = self.own();
        if own.join(RECEIPT).is_file() {
            return Ok(State::Accepted);
        }
        if own.join(REFUSAL).is_file() {
            return Ok(State::Declined);
        }
        Ok(match signed_files::read(&own)? {
            Some(signed) => State::Signed(signed),
            None => State::Taken,
        })
    }

    /// Returns whether its files may not all fit beside the content: some are uploaded then.
    pub(crate) fn is_large(&self) -> Result<bool, DiskError> {
        let mut size = 0_u64;
        for found in disk::complete(&self.folder)? {
            let data = std::fs::symlink_metadata(&found.path);
            let data = data.map_err(DiskError::of("read", &found.path))?;
            size = size.saturating_add(if found.is_folder { 0 } else { data.len() });
        }
        Ok(size > INLINE_ATTACHMENT_BYTES_MAX as u64)
    }

    /// Keeps the signed bytes; on return they are on the disk.
    pub(crate) fn keep_signed(&self, signed: &SignedContent) -> Result<(), DiskError> {
        disk::make_folder(&self.own())?;
        signed_files::write(&self.own(), signed)
    }

    /// Forgets the signed bytes: the hub never accepted them, and they are signed anew.
    pub(crate) fn forget_signed(&self) -> Result<(), DiskError> {
        signed_files::remove(&self.own())?;
        disk::sync_folder(&self.own())
    }

    /// Keeps a receipt and its evidence.
    pub(crate) fn keep_receipt(
        &self,
        receipt: &impl Serialize,
        evidence: Option<&Evidence>,
    ) -> Result<(), DiskError> {
        if let Some(evidence) = evidence {
            self.write(EVIDENCE, evidence)?;
        }
        disk::remove(&self.own().join(WAITING))?;
        self.write(RECEIPT, receipt)
    }

    /// Keeps why it was declined, for programs and for people.
    pub(crate) fn keep_refusal(&self, refused: &Refused) -> Result<(), DiskError> {
        disk::make_folder(&self.own())?;
        disk::remove(&self.own().join(WAITING))?;
        disk::replace(&self.own().join(REFUSAL_TEXT), refused.text().as_bytes())?;
        self.write(REFUSAL, refused)
    }

    /// Notes why it waits, unless that is noted already.
    pub(crate) fn note_waiting(&self, away: &Away) -> Result<(), DiskError> {
        disk::make_folder(&self.own())?;
        let path = self.own().join(WAITING);
        let json = serde_json::to_vec_pretty(away).unwrap_or_default();
        if disk::read(&path, 64 * 1024)?.is_some_and(|noted| noted == json) {
            return Ok(());
        }
        disk::replace(&path, &json)
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), DiskError> {
        let path = self.own().join(name);
        let json = serde_json::to_vec_pretty(value)
            .map_err(|why| DiskError::of("write", &path)(std::io::Error::other(why)))?;
        disk::replace(&path, &json)
    }
}

/// Returns whether the folder of a report's file has nothing in it.
pub(crate) fn is_empty(report: &Path) -> Result<bool, DiskError> {
    let Some(folder) = report.parent() else { return Ok(false) };
    let mut entries = std::fs::read_dir(folder).map_err(DiskError::of("list", folder))?;
    Ok(entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(folder: &Path) -> Parcel {
        Parcel {
            kind: Kind::Document,
            agency: AgencyCode::parse("H36").unwrap(),
            name: "a".to_owned(),
            folder: folder.to_owned(),
        }
    }

    #[test]
    fn a_folder_says_by_itself_how_far_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let parcel = parcel(folder.path());
        assert_eq!(parcel.state().unwrap(), State::Taken);
        let signed = SignedContent { content_type: "t".into(), ..SignedContent::default() };
        parcel.keep_signed(&signed).unwrap();
        assert_eq!(parcel.state().unwrap(), State::Signed(signed));
        parcel.forget_signed().unwrap();
        assert_eq!(parcel.state().unwrap(), State::Taken);
        parcel.note_waiting(&Away::plain("x")).unwrap();
        assert_eq!(parcel.state().unwrap(), State::Taken, "why it waits decides nothing");
        parcel.keep_receipt(&"r", None).unwrap();
        assert_eq!(parcel.state().unwrap(), State::Accepted);
        assert!(!parcel.own().join(WAITING).exists());
    }

    #[test]
    fn half_written_signed_bytes_are_not_signed() {
        let folder = tempfile::tempdir().unwrap();
        let parcel = parcel(folder.path());
        std::fs::create_dir(parcel.own()).unwrap();
        std::fs::write(parcel.own().join("content.bin"), "x").unwrap();
        std::fs::write(parcel.own().join(".signatures.json.part"), "{").unwrap();
        assert_eq!(parcel.state().unwrap(), State::Taken);
    }
}
