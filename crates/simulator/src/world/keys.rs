//! Keys and certificates of a scenario, all from its seed.

use std::time::Duration;

use bytes::Bytes;
use lienthong_client::Signer;
use lienthong_model::{AgencyCode, Fingerprint, Timestamp};
use lienthong_pki::{Authority, Identity, IssueError, Profile, TestPki, Validity};
use lienthong_trust::Revoked;

use super::WorldError;
use crate::draft;

/// The PKI of a scenario.
pub(super) struct Keys {
    pki: TestPki,
    begin: Timestamp,
    end: Timestamp,
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3_600)
}

impl Keys {
    pub fn new(seed: u64, begin: Timestamp, end: Timestamp) -> Result<Self, WorldError> {
        let validity =
            Validity { not_before: begin.minus(days(400)), not_after: end.plus(days(400)) };
        let seed = Fingerprint::of(format!("lienthong scenario {seed}").as_bytes());
        Ok(Self { pki: TestPki::new(*seed.as_bytes(), validity)?, begin, end })
    }

    pub fn root(&self) -> &Authority {
        self.pki.root()
    }

    pub fn issuing(&self) -> &Authority {
        self.pki.issuing()
    }

    /// Returns a day on which lists of the world are out of date at last: long after its end.
    pub fn last_update(&self) -> Timestamp {
        self.end.plus(days(366))
    }

    /// Returns the revocation list of an authority: its number, since when, and until when it is
    /// in date.
    pub fn list(
        &self,
        authority: &Authority,
        (number, at, next_update): (u64, Timestamp, Timestamp),
        revoked: &[Revoked],
    ) -> Result<Bytes, IssueError> {
        authority.revocation_list(number, at, next_update, revoked)
    }

    pub fn seal(&self, agency: &AgencyCode) -> Result<Signer, WorldError> {
        self.signer(self.pki.seal(agency)?)
    }

    /// Returns an agency's leader with the certificate of a generation: after a revocation the next.
    pub fn leader(&self, agency: &AgencyCode, generation: u32) -> Result<Signer, WorldError> {
        let id = format!("lanh-dao-{generation}");
        self.signer(self.pki.identity(&person(agency, &id))?)
    }

    /// Returns a person whose certificate ended before the scenario begins.
    pub fn expired(&self, agency: &AgencyCode) -> Result<Signer, WorldError> {
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
