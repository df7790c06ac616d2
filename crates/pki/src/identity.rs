//! A PKI in memory, grown from a seed: identities for thousands of simulated agencies.

use std::fmt;
use std::sync::Arc;

use lienthong_model::AgencyCode;
use lienthong_trust::Certificate;

use crate::authority::{Authority, IssueError, Serial, Validity};
use crate::key::SecretKey;
use crate::profile::Profile;

/// A certificate and its secret key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// The secret key.
    pub key: SecretKey,
}

/// A root and an issuing authority whose keys, like all that they certify, follow from a seed.
///
/// The same seed, dates and profiles give the same bytes, in whatever order they are asked for.
/// Whoever has the seed has every key: this is for tests, demonstrations and simulations.
#[derive(Clone)]
pub struct TestPki {
    seed: [u8; 32],
    validity: Validity,
    root: Authority,
    issuing: Authority,
}

impl TestPki {
    /// Makes root and issuing authority; everything made by it has the same validity.
    ///
    /// # Errors
    /// [`IssueError::Date`] when a date cannot be written.
    pub fn new(seed: [u8; 32], validity: Validity) -> Result<Self, IssueError> {
        let root =
            Authority::root("Lienthong test root", validity, SecretKey::derive(&seed, "root"))?;
        let key = SecretKey::derive(&seed, "issuing");
        let issuing = root.issuing_authority("Lienthong test authority", validity, key, 0)?;
        Ok(Self { seed, validity, root, issuing })
    }

    /// Issues below a root and an issuing authority that there are already; the keys of what it
    /// makes follow from the seed.
    pub fn below(root: Authority, issuing: Authority, seed: [u8; 32], validity: Validity) -> Self {
        Self { seed, validity, root, issuing }
    }

    /// The root.
    pub fn root(&self) -> &Authority {
        &self.root
    }

    /// The authority that issues what [`TestPki::identity`] gives.
    pub fn issuing(&self) -> &Authority {
        &self.issuing
    }

    /// Makes the identity for a profile; costs two signatures and the check of a key.
    ///
    /// # Errors
    /// [`IssueError`] when the profile's texts are not what the page allows.
    pub fn identity(&self, profile: &Profile) -> Result<Identity, IssueError> {
        self.identity_within(profile, self.validity)
    }

    /// Makes the identity for a profile with a validity of its own.
    ///
    /// # Errors
    /// [`IssueError`] when the profile's texts are not what the page allows.
    pub fn identity_within(
        &self,
        profile: &Profile,
        validity: Validity,
    ) -> Result<Identity, IssueError> {
        let key = SecretKey::derive(&self.seed, &profile.key_label());
        let public = key.public_key().map_err(lienthong_trust::CertificateError::from)?;
        let certificate = self.issuing.issue(profile, &public, validity, Serial::Derived)?;
        Ok(Identity { certificate: Arc::new(certificate), key })
    }

    /// Makes the identity of an agency's node.
    ///
    /// # Errors
    /// [`IssueError`], not seen for a code that parsed.
    pub fn node(&self, agency: &AgencyCode) -> Result<Identity, IssueError> {
        self.identity(&Profile::Node { agency: agency.clone() })
    }

    /// Makes the identity of an agency's seal.
    ///
    /// # Errors
    /// [`IssueError`], not seen for a code that parsed.
    pub fn seal(&self, agency: &AgencyCode) -> Result<Identity, IssueError> {
        self.identity(&Profile::Seal { agency: agency.clone() })
    }
}

impl fmt::Debug for TestPki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestPki").field("root", self.root.certificate()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
