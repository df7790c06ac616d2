//! Keys and certificates of a scenario, all from its seed.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::{Roots, Signer};
use lienthong_model::{AgencyCode, Fingerprint, Timestamp};
use lienthong_pki::{
    Authority, Folder, FolderError, Identity, IssueError, Profile, TestPki, Validity,
};
use lienthong_trust::Revoked;

use super::WorldError;
use crate::draft;
use crate::live::LiveError;

/// The PKI of a scenario.
#[derive(Debug)]
pub struct Keys {
    pki: TestPki,
    begin: Timestamp,
    end: Timestamp,
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3_600)
}

fn validity(begin: Timestamp, end: Timestamp) -> Validity {
    Validity { not_before: begin.minus(days(400)), not_after: end.plus(days(400)) }
}

fn key_seed(seed: u64) -> [u8; 32] {
    *Fingerprint::of(format!("lienthong scenario {seed}").as_bytes()).as_bytes()
}

impl Keys {
    /// Grows a PKI for a scenario's time.
    ///
    /// # Errors
    /// When a date cannot be written.
    pub fn new(seed: u64, begin: Timestamp, end: Timestamp) -> Result<Self, WorldError> {
        Ok(Self { pki: TestPki::new(key_seed(seed), validity(begin, end))?, begin, end })
    }

    /// Issues below a PKI that there is already; keys follow from the seed.
    pub fn below(folder: &Folder, seed: u64, begin: Timestamp, end: Timestamp) -> Self {
        let (root, issuing) = (folder.root().clone(), folder.issuing().clone());
        let pki = TestPki::below(root, issuing, key_seed(seed), validity(begin, end));
        Self { pki, begin, end }
    }

    /// Writes it as a folder, as `lienthong pki` does: the authorities with their keys and lists, and
    /// the hub's certificate. Whoever has the folder can issue for every agency.
    ///
    /// # Errors
    /// [`FolderError`] when there is a PKI already or a file cannot be written.
    pub fn write(&self, path: &Path, hub: &Profile) -> Result<Folder, FolderError> {
        let (root, issuing) = (self.root().clone(), self.issuing().clone());
        let folder =
            Folder::adopt(path, root, issuing, self.begin.minus(days(2)), self.last_update())?;
        folder.keep_identity(hub, &self.pki.identity(hub)?)?;
        Ok(folder)
    }

    /// Writes an agency's node, seal and leader into the folder of the PKI.
    ///
    /// # Errors
    /// [`FolderError`] when they are there already or cannot be written.
    pub fn write_agency(&self, folder: &Folder, agency: &AgencyCode) -> Result<(), FolderError> {
        let node = Profile::Node { agency: agency.clone() };
        let seal = Profile::Seal { agency: agency.clone() };
        for profile in [node, seal, person(agency, "lanh-dao-0")] {
            folder.keep_identity(&profile, &self.pki.identity(&profile)?)?;
        }
        Ok(())
    }

    /// Whom agencies trust.
    pub(crate) fn roots(&self) -> Result<Roots, LiveError> {
        let root = Roots::new([self.root().certificate().der().clone()])?;
        Ok(root.with_authority(self.issuing().certificate().der().clone())?)
    }

    /// Returns an agency's node.
    pub(crate) fn node(&self, agency: &AgencyCode) -> Result<Identity, IssueError> {
        self.pki.node(agency)
    }

    pub(crate) fn root(&self) -> &Authority {
        self.pki.root()
    }

    pub(crate) fn issuing(&self) -> &Authority {
        self.pki.issuing()
    }

    /// Returns a day on which lists of the world are out of date at last: long after its end.
    pub(crate) fn last_update(&self) -> Timestamp {
        self.end.plus(days(366))
    }

    /// Returns the revocation list of an authority: its number, since when, and until when it is
    /// in date.
    pub(crate) fn list(
        &self,
        authority: &Authority,
        (number, at, next_update): (u64, Timestamp, Timestamp),
        revoked: &[Revoked],
    ) -> Result<Bytes, IssueError> {
        authority.revocation_list(number, at, next_update, revoked)
    }

    pub(crate) fn seal(&self, agency: &AgencyCode) -> Result<Signer, WorldError> {
        self.signer(self.pki.seal(agency)?)
    }

    /// Returns an agency's leader with the certificate of a generation: after a revocation the next.
    pub(crate) fn leader(
        &self,
        agency: &AgencyCode,
        generation: u32,
    ) -> Result<Signer, WorldError> {
        let id = format!("lanh-dao-{generation}");
        self.signer(self.pki.identity(&person(agency, &id))?)
    }

    /// Returns a person whose certificate ended before the scenario begins.
    pub(crate) fn expired(&self, agency: &AgencyCode) -> Result<Signer, WorldError> {
        let validity = Validity {
            not_before: self.begin.minus(days(300)),
            not_after: self.begin.minus(days(1)),
        };
        self.signer(self.pki.identity_within(&person(agency, "het-han"), validity)?)
    }

    fn signer(&self, identity: Identity) -> Result<Signer, WorldError> {
        // The hub knows the authorities: only the signer's certificate travels.
        Ok(Signer::new(identity.certificate, Vec::new(), identity.key.to_signing_key())?)
    }
}

/// A person with a name that follows from the agency's code.
fn person(agency: &AgencyCode, id: &str) -> Profile {
    let digest = Fingerprint::of(agency.as_str().as_bytes());
    let mut number = [0; 8];
    number.copy_from_slice(&digest.as_bytes()[..8]);
    draft::person(agency, id, u64::from_be_bytes(number))
}
