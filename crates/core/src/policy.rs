//! Policy: everything that judgement reads beside the documents, and how acts of administration
//! change it.
//!
//! One value, cheap to clone. The machine has the newest; what stood at an earlier block is folded
//! anew from the acts that the journal holds ([`Policy::take_over`]), so that yesterday's verdict
//! can be derived again.

use std::sync::Arc;

use lienthong_model::{AgencyEntry, Digest, Fingerprint, Timestamp};
use lienthong_trust::{Certificate, RevocationList};

use crate::codec;
use crate::command::{AddAuthority, AddRevocationList, CertificateBytes, Command};
use crate::directory::{AgencyRecord, Directory};
use crate::engine::{EngineError, Payloads, Tables, Writes};
use crate::keys;
use crate::routing::RoutingRules;
use crate::trust_store::{AuthorityRow, RevocationRow, TrustStore};

/// What judgement reads, as of a block.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Every agency, with its entries by date.
    pub directory: Arc<Directory>,
    /// Roots, authorities, revocation lists.
    pub trust: Arc<TrustStore>,
    /// The routing rules.
    pub rules: Arc<RoutingRules>,
}

impl Policy {
    /// Reads the rows. The second value is how many agencies there are rows of: rows behind a gap
    /// are left out and come back with the replay.
    pub(crate) fn load(
        tables: &dyn Tables,
        payloads: &dyn Payloads,
    ) -> Result<(Self, usize), EngineError> {
        let (directory, agencies) = load_directory(tables)?;
        let trust = load_trust(tables, payloads)?;
        let rules = match tables.read(keys::RULES)? {
            Some(row) => codec::decode(&row, "routing rules")?,
            None => RoutingRules::default(),
        };
        let policy =
            Self { directory: Arc::new(directory), trust: Arc::new(trust), rules: Arc::new(rules) };
        Ok((policy, agencies))
    }

    /// Returns whether both are the same version, without comparing what they hold.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.directory, &other.directory)
            && Arc::ptr_eq(&self.trust, &other.trust)
            && Arc::ptr_eq(&self.rules, &other.rules)
    }

    /// Takes an act of administration over that was decided at a moment, and returns the rows that
    /// change; none for a command that is no such act. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`EngineError`] when a payload that the act names is missing or damaged.
    pub fn take_over(
        &mut self,
        command: &Command,
        at: Timestamp,
        payloads: &dyn Payloads,
    ) -> Result<Writes, EngineError> {
        match command {
            Command::ImportDirectory(import) => {
                Ok(self.put_entries(read_entries(payloads, &import.payload)?))
            }
            Command::ChangeDirectory(entries) => Ok(self.put_entries(entries.clone())),
            Command::AddAuthority(authority) => self.add_authority(authority, at),
            Command::AddRevocationList(list) => self.add_list(list, payloads),
            Command::SetRoutingRules(rules) => {
                self.rules = Arc::new(rules.clone());
                Ok(vec![row(keys::RULES.to_vec(), rules)])
            }
            Command::Submit(_)
            | Command::Report(_)
            | Command::Acknowledge(_)
            | Command::AcknowledgeNotices(_)
            | Command::NegativeAcknowledge(_)
            | Command::Refused { .. } => Ok(Vec::new()),
        }
    }

    fn put_entries(&mut self, entries: Vec<AgencyEntry>) -> Writes {
        let directory = Arc::make_mut(&mut self.directory);
        let changed: std::collections::BTreeSet<_> =
            entries.into_iter().map(|entry| directory.put(entry).ordinal).collect();
        let agencies = changed.into_iter().filter_map(|ordinal| directory.agency(ordinal));
        agencies.map(|agency| row(keys::agency(agency.ordinal), agency)).collect()
    }

    fn add_authority(
        &mut self,
        authority: &AddAuthority,
        at: Timestamp,
    ) -> Result<Writes, EngineError> {
        let certificate = read_authority(&authority.certificate)?;
        let fingerprint = *certificate.fingerprint();
        let trusted_from = match (self.trust.trusted_from(&fingerprint), authority.trusted) {
            (Some(known), _) => Some(known),
            (None, true) => Some(at),
            (None, false) => None,
        };
        Arc::make_mut(&mut self.trust).add_authority(Arc::new(certificate), trusted_from);
        let stored = AuthorityRow { certificate: authority.certificate.clone(), trusted_from };
        Ok(vec![row(keys::authority(&fingerprint), &stored)])
    }

    fn add_list(
        &mut self,
        added: &AddRevocationList,
        payloads: &dyn Payloads,
    ) -> Result<Writes, EngineError> {
        let list = self.read_list(added, payloads)?;
        let stored = RevocationRow {
            payload: added.payload,
            this_update: list.this_update,
            next_update: list.next_update,
            revoked: list.revoked.len() as u64,
        };
        // It was the newest when it was accepted. On replay a newer one may be in force already,
        // whose row then follows this one again.
        let writes = vec![row(keys::list(&list.issuer), &stored)];
        Arc::make_mut(&mut self.trust).add_list(Arc::new(list));
        Ok(writes)
    }

    /// Reads the revocation list of an act.
    pub(crate) fn read_list(
        &self,
        added: &AddRevocationList,
        payloads: &dyn Payloads,
    ) -> Result<RevocationList, EngineError> {
        let Some(issuer) = self.trust.authority(&added.issuer) else {
            return Err(EngineError::Damaged {
                what: format!("revocation list {}", added.payload),
                why: format!("its issuer {} is not among the authorities", added.issuer),
            });
        };
        load_list(payloads, &added.payload, issuer)
    }
}

/// Reads the entries of a directory that is kept as a payload.
pub(crate) fn read_entries(
    payloads: &dyn Payloads,
    digest: &Digest,
) -> Result<Vec<AgencyEntry>, EngineError> {
    codec::decode(&payload(payloads, digest)?, "directory")
}

/// Reads an authority's certificate.
pub(crate) fn read_authority(der: &CertificateBytes) -> Result<Certificate, EngineError> {
    Certificate::parse(der.0.clone()).map_err(|error| EngineError::Damaged {
        what: format!("authority {}", Fingerprint::of(&der.0)),
        why: error.to_string(),
    })
}

fn row<T: minicbor::Encode<()>>(key: Vec<u8>, value: &T) -> (Vec<u8>, Option<bytes::Bytes>) {
    (key, Some(codec::encode(value).into()))
}

/// The directory up to the first gap, and how many agencies there are rows of.
fn load_directory(tables: &dyn Tables) -> Result<(Directory, usize), EngineError> {
    let mut directory = Directory::default();
    let mut rows = 0;
    load(tables, keys::AGENCIES, "agency", |_, record: AgencyRecord| {
        rows = record.ordinal.0 as usize + 1;
        directory.restore(record);
        Ok(())
    })?;
    Ok((directory, rows))
}

fn load_trust(tables: &dyn Tables, payloads: &dyn Payloads) -> Result<TrustStore, EngineError> {
    let mut trust = TrustStore::default();
    load(tables, keys::AUTHORITIES, "authority", |_, row: AuthorityRow| {
        let certificate = read_authority(&row.certificate)?;
        trust.add_authority(Arc::new(certificate), row.trusted_from);
        Ok(())
    })?;
    load(tables, keys::LISTS, "revocation list", |key, row: RevocationRow| {
        // After a kill a list may be there and its issuer missing; the replay brings both.
        if let Some(issuer) = keys::issuer_of(key).and_then(|issuer| trust.authority(&issuer)) {
            let list = load_list(payloads, &row.payload, issuer)?;
            trust.add_list(Arc::new(list));
        }
        Ok(())
    })?;
    Ok(trust)
}

fn load_list(
    payloads: &dyn Payloads,
    digest: &Digest,
    issuer: &Arc<Certificate>,
) -> Result<RevocationList, EngineError> {
    let der = payload(payloads, digest)?;
    RevocationList::parse(&der, std::slice::from_ref(issuer)).map_err(|error| {
        EngineError::Damaged { what: format!("revocation list {digest}"), why: error.to_string() }
    })
}

fn payload(payloads: &dyn Payloads, digest: &Digest) -> Result<bytes::Bytes, EngineError> {
    payloads.get(digest)?.ok_or_else(|| EngineError::Damaged {
        what: format!("payload {digest}"),
        why: "the file is missing".to_owned(),
    })
}

pub(crate) fn load<T: for<'b> minicbor::Decode<'b, ()>>(
    tables: &dyn Tables,
    prefix: &[u8],
    what: &str,
    mut take: impl FnMut(&[u8], T) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut outcome = Ok(());
    tables.scan(prefix, prefix, &mut |key, row| {
        outcome = codec::decode(row, what).and_then(|row| take(key, row));
        outcome.is_ok()
    })?;
    outcome
}
