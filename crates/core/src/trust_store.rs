//! What the hub trusts, in memory: roots, authorities, revoked certificates.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_model::limits::{AUTHORITIES_MAX, REVOCATION_GRACE_DEFAULT, REVOKED_MAX};
use lienthong_model::{Digest, Fingerprint, Timestamp};
use lienthong_trust::{Anchors, AuthorityId, Certificate, RevocationList};
use minicbor::{Decode, Encode};

use crate::command::CertificateBytes;

/// An authority as it is kept. A row: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct AuthorityRow {
    #[n(0)]
    pub certificate: CertificateBytes,
    /// Since when it is a trusted root.
    #[n(1)]
    pub trusted_from: Option<Timestamp>,
    /// Since when it is known: until its first list comes, one has been due since then.
    #[n(2)]
    pub known_from: Option<Timestamp>,
}

/// What is done while it is not known whether a certificate was revoked. Journalled: field numbers
/// are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RevocationPolicy {
    /// For how long after a list was due signatures are accepted and marked, in milliseconds; none:
    /// without end.
    #[n(0)]
    pub grace_ms: Option<u64>,
}

impl RevocationPolicy {
    /// Returns how long after a list was due signatures are accepted and marked; none: without end.
    pub fn grace(self) -> Option<Duration> {
        self.grace_ms.map(Duration::from_millis)
    }
}

impl Default for RevocationPolicy {
    fn default() -> Self {
        let grace = u64::try_from(REVOCATION_GRACE_DEFAULT.as_millis());
        Self { grace_ms: grace.ok() }
    }
}

/// Which revocation list of an issuer is in force. A row: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct RevocationRow {
    #[n(0)]
    pub payload: Digest,
    #[n(1)]
    pub this_update: Timestamp,
    #[n(2)]
    pub next_update: Option<Timestamp>,
    #[n(3)]
    pub revoked: u64,
}

/// Roots, authorities and revoked certificates.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    roots: HashMap<Fingerprint, Timestamp>,
    /// Since when each is known, whatever its certificate.
    known_from: HashMap<AuthorityId, Timestamp>,
    /// By fingerprint, so that the order says nothing of when each came.
    authorities: Vec<Arc<Certificate>>,
    /// By issuer, whatever its certificate.
    lists: HashMap<AuthorityId, Arc<RevocationList>>,
}

impl TrustStore {
    /// Returns the authorities that are known, roots included.
    pub fn authorities(&self) -> &[Arc<Certificate>] {
        &self.authorities
    }

    /// Returns the roots that are trusted.
    pub fn roots(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.authorities.iter().filter(|known| self.roots.contains_key(known.fingerprint()))
    }

    /// Returns the revocation lists in force, in no order.
    pub fn lists(&self) -> impl Iterator<Item = &Arc<RevocationList>> {
        self.lists.values()
    }

    /// Returns the number of revoked certificates.
    pub fn revoked_len(&self) -> usize {
        self.lists.values().map(|list| list.revoked.len()).sum()
    }

    /// Returns whether a list may be taken over: it is newer than the issuer's list in force and
    /// has a higher number, and the bound on revoked certificates holds.
    pub fn admits(&self, list: &RevocationList) -> bool {
        if self.authority(&list.issuer).is_none() {
            return false;
        }
        let known = self.lists.get(&list.authority);
        let others = self.revoked_len() - known.map_or(0, |known| known.revoked.len());
        let newer = known.is_none_or(|one| one.is_older_than(list) && one.number < list.number);
        newer && others + list.revoked.len() <= REVOKED_MAX
    }

    pub(crate) fn add_authority(
        &mut self,
        certificate: Arc<Certificate>,
        trusted_from: Option<Timestamp>,
        known_from: Timestamp,
    ) {
        let fingerprint = *certificate.fingerprint();
        let since = self.known_from.entry(*certificate.authority()).or_insert(known_from);
        *since = known_from.min(*since);
        if let Some(from) = trusted_from {
            self.roots.entry(fingerprint).or_insert(from);
        }
        if let Err(place) = self.place(&fingerprint) {
            self.authorities.insert(place, certificate);
        }
    }

    /// Returns whether there is room for another authority.
    pub(crate) fn has_room(&self) -> bool {
        self.authorities.len() < AUTHORITIES_MAX
    }

    /// Returns whether an authority is known already, or there is room for it.
    pub(crate) fn has_room_for(&self, certificate: &CertificateBytes) -> bool {
        self.has_room() || self.authority(&Fingerprint::of(&certificate.0)).is_some()
    }

    /// Returns a known authority's certificate.
    pub(crate) fn authority(&self, fingerprint: &Fingerprint) -> Option<&Arc<Certificate>> {
        self.place(fingerprint).ok().and_then(|place| self.authorities.get(place))
    }

    fn place(&self, fingerprint: &Fingerprint) -> Result<usize, usize> {
        self.authorities.binary_search_by(|known| known.fingerprint().cmp(fingerprint))
    }

    /// Returns the list in force of an issuer, whatever its certificate.
    pub fn list(&self, issuer: &AuthorityId) -> Option<&Arc<RevocationList>> {
        self.lists.get(issuer)
    }

    /// Returns since when an authority is known, whatever its certificate.
    pub fn known_from(&self, authority: &AuthorityId) -> Option<Timestamp> {
        self.known_from.get(authority).copied()
    }

    /// Returns since when a certificate is a trusted root; `None` when it is none.
    pub fn trusted_from(&self, fingerprint: &Fingerprint) -> Option<Timestamp> {
        self.roots.get(fingerprint).copied()
    }

    /// Puts a list in force unless a newer one is, or its issuer is not known.
    pub(crate) fn add_list(&mut self, list: Arc<RevocationList>) {
        let known = self.lists.get(&list.authority);
        if self.authority(&list.issuer).is_some()
            && known.is_none_or(|known| known.is_older_than(&list))
        {
            self.lists.insert(list.authority, list);
        }
    }
}

impl Anchors for TrustStore {
    fn trusts(&self, root: &Fingerprint, at: Timestamp) -> bool {
        self.roots.get(root).is_some_and(|from| *from <= at)
    }

    fn revoked_at(&self, issuer: &AuthorityId, serial: &[u8]) -> Option<Timestamp> {
        let revoked = &self.lists.get(issuer)?.revoked;
        let found = revoked.binary_search_by(|entry| entry.serial.as_slice().cmp(serial)).ok()?;
        revoked.get(found).map(|entry| entry.at)
    }

    fn list_due(&self, issuer: &AuthorityId, at: Timestamp) -> Option<Timestamp> {
        let due = match self.lists.get(issuer) {
            Some(list) => in_date_until(list),
            // One that is met for the first time is known from now on.
            None => self.known_from(issuer).unwrap_or(at),
        };
        (due <= at).then_some(due)
    }
}

/// Until when a list says what is revoked; one that announces no next list, at its own moment only.
pub(crate) fn in_date_until(list: &RevocationList) -> Timestamp {
    list.next_update.unwrap_or(list.this_update)
}
