//! Policy: everything that judgement reads beside the documents, and how acts of administration
//! change it.
//!
//! One value, cheap to clone. The machine has the newest; what stood at an earlier block is folded
//! anew from the acts that the journal holds ([`Policy::take_over`]), so that yesterday's verdict
//! can be derived again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lienthong_model::{
    AgencyEntry, Appointment, Digest, Fingerprint, Mandate, Ordinal, Quota, Target, Terms,
    Timestamp,
};
use lienthong_trust::{Certificate, RevocationList};

use crate::appointments::Appointments;
use crate::codec;
use crate::command::{AddAuthority, AddRevocationList, CertificateBytes, Command, SignedRecord};
use crate::directory::{AgencyRecord, Directory};
use crate::engine::{EngineError, Payloads, Tables, Writes};
use crate::keys;
use crate::mandates::Mandates;
use crate::quotas::Quotas;
use crate::retention::{NamingRow, Retention};
use crate::routing::RoutingRules;
use crate::targets::{self, Targets};
use crate::trust_store::{AuthorityRow, RevocationPolicy, RevocationRow, TrustStore};

/// Stands for all agencies without a quota of their own in the quotas' keys.
const OTHERS: Ordinal = Ordinal(u32::MAX);

/// What judgement reads, as of a block.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Every agency, with its entries by date.
    pub directory: Arc<Directory>,
    /// Roots, authorities, revocation lists.
    pub trust: Arc<TrustStore>,
    /// The routing rules.
    pub rules: Arc<RoutingRules>,
    /// Who may sign for which agency.
    pub mandates: Arc<Mandates>,
    /// What is done while revocation is not proven.
    pub revocation: RevocationPolicy,
    /// Who operates and administers the hub.
    pub appointments: Arc<Appointments>,
    /// How much agencies may send.
    pub quotas: Arc<Quotas>,
    /// How long recipients may take.
    pub terms: Terms,
    /// What indicators should reach.
    pub targets: Arc<Targets>,
    /// For how long contents are kept.
    pub retention: Retention,
}

/// What the verdict on one document reads of a policy.
#[derive(Debug, Clone, Default)]
pub struct Excerpt {
    /// Entries of the sender and of its gateway.
    pub entries: Vec<AgencyEntry>,
    /// The authorities of the chains; of each, since when it is a trusted root and since when it is
    /// known.
    pub authorities: Vec<(Arc<Certificate>, Option<Timestamp>, Timestamp)>,
    /// Their revocation lists.
    pub lists: Vec<RevocationList>,
    /// The sender's mandates.
    pub mandates: Vec<Mandate>,
    /// What is done while revocation is not proven.
    pub revocation: RevocationPolicy,
}

impl Policy {
    /// Makes the policy that an excerpt is of, as far as it goes: whoever derives a verdict again
    /// has no more.
    pub fn of_excerpt(excerpt: Excerpt) -> Self {
        let Excerpt { entries, authorities, lists, mandates, revocation } = excerpt;
        let mut policy = Self { revocation, ..Self::default() };
        policy.put_entries(entries);
        let trust = Arc::make_mut(&mut policy.trust);
        for (certificate, trusted_from, known_from) in authorities {
            trust.add_authority(certificate, trusted_from, known_from);
        }
        for list in lists {
            trust.add_list(Arc::new(list));
        }
        policy.put_mandates(&mandates);
        policy
    }

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
        let policy = Self {
            directory: Arc::new(directory),
            trust: Arc::new(trust),
            rules: Arc::new(rules),
            mandates: Arc::new(load_mandates(tables)?),
            revocation: match tables.read(keys::REVOCATION_POLICY)? {
                Some(row) => codec::decode(&row, "revocation policy")?,
                None => RevocationPolicy::default(),
            },
            appointments: Arc::new(load_appointments(tables)?),
            quotas: Arc::new(load_quotas(tables)?),
            terms: match tables.read(keys::TERMS)? {
                Some(row) => codec::decode(&row, "terms")?,
                None => Terms::default(),
            },
            targets: Arc::new(load_targets(tables)?),
            retention: match tables.read(keys::RETENTION)? {
                Some(row) => codec::decode(&row, "retention")?,
                None => Retention::default(),
            },
        };
        Ok((policy, agencies))
    }

    /// Returns whether both are the same version, without comparing what they hold.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.directory, &other.directory)
            && Arc::ptr_eq(&self.trust, &other.trust)
            && Arc::ptr_eq(&self.rules, &other.rules)
            && Arc::ptr_eq(&self.mandates, &other.mandates)
            && Arc::ptr_eq(&self.appointments, &other.appointments)
            && Arc::ptr_eq(&self.quotas, &other.quotas)
            && self.revocation == other.revocation
            && self.terms == other.terms
            && self.retention == other.retention
            && Arc::ptr_eq(&self.targets, &other.targets)
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
                let mut writes = self.put_entries(read_entries(payloads, &import.payload)?);
                writes.push(row(keys::payload(&import.payload), &NamingRow::for_ever()));
                Ok(writes)
            }
            Command::ChangeDirectory(entries) => Ok(self.put_entries(entries.clone())),
            Command::AddAuthority(authority) => self.add_authority(authority, at),
            Command::AddRevocationList(list) => self.add_list(list, payloads),
            Command::SetRoutingRules(rules) => {
                self.rules = Arc::new(rules.clone());
                Ok(vec![row(keys::RULES.to_vec(), rules)])
            }
            Command::ChangeMandates(mandates) => Ok(self.put_mandates(mandates)),
            Command::SetRevocationPolicy(policy) => {
                self.revocation = *policy;
                Ok(vec![row(keys::REVOCATION_POLICY.to_vec(), policy)])
            }
            Command::ChangeAppointments(appointments) => Ok(self.put_appointments(appointments)),
            Command::ChangeQuotas(quotas) => Ok(self.put_quotas(quotas)),
            Command::ChangeTargets(targets) => Ok(self.put_targets(targets)),
            Command::Act { act, .. } => self.take_over(act, at, payloads),
            Command::Submit(submit) => self.learn(&submit.signed, at),
            Command::Report(report) => self.learn(&report.signed, at),
            Command::Acknowledge(_)
            | Command::AcknowledgeNotices(_)
            | Command::NegativeAcknowledge(_)
            | Command::Refused { .. }
            | Command::SettleRevocation(_)
            | Command::FanOut(_)
            | Command::SaveList(_)
            | Command::RemoveList(_)
            | Command::Tick(_)
            | Command::Remind(_)
            | Command::ChangeAccounts(_) => Ok(Vec::new()),
            Command::SetTerms(terms) => {
                self.terms = *terms;
                self.retention.take_over(command, at);
                let retention = row(keys::RETENTION.to_vec(), &self.retention);
                Ok(vec![row(keys::TERMS.to_vec(), terms), retention])
            }
        }
    }

    /// Learns the authorities that came with accepted content, so that their revocation lists can
    /// be read: they lead to a trusted root, but are not trusted for themselves.
    pub(crate) fn learn(
        &mut self,
        signed: &SignedRecord,
        at: Timestamp,
    ) -> Result<Writes, EngineError> {
        let mut writes = Vec::new();
        for certificate in &signed.new_certificates {
            let fingerprint = Fingerprint::of(&certificate.0);
            let issued = signed.signatures.iter().flat_map(|one| one.chain.iter().skip(1));
            let is_authority = issued.into_iter().any(|issuer| *issuer == fingerprint);
            let is_new = self.trust.authority(&fingerprint).is_none();
            if is_authority && is_new && self.trust.has_room() {
                let certificate = certificate.clone();
                writes
                    .extend(self.add_authority(&AddAuthority { certificate, trusted: false }, at)?);
            }
        }
        Ok(writes)
    }

    fn put_mandates(&mut self, added: &[Mandate]) -> Writes {
        let mandates = Arc::make_mut(&mut self.mandates);
        let mut changed = BTreeSet::new();
        for mandate in added {
            let Some(agency) = self.directory.find(&mandate.agency) else { continue };
            mandates.put(agency.ordinal, mandate.clone());
            changed.insert(agency.ordinal);
        }
        let rows = changed.into_iter();
        rows.map(|agency| row(keys::mandates(agency), &mandates.of(agency).to_vec())).collect()
    }

    fn put_appointments(&mut self, added: &[Appointment]) -> Writes {
        let appointments = Arc::make_mut(&mut self.appointments);
        let mut rows = BTreeMap::new();
        for appointment in added {
            let holder = &appointment.holder;
            let Some(agency) = self.directory.find(&holder.agency) else { continue };
            let all = appointments.put(appointment.clone()).to_vec();
            rows.insert(keys::appointments(agency.ordinal, &holder.person), all);
        }
        rows.into_iter().map(|(key, all)| row(key, &all)).collect()
    }

    fn put_quotas(&mut self, added: &[Quota]) -> Writes {
        let quotas = Arc::make_mut(&mut self.quotas);
        let mut rows = BTreeMap::new();
        for quota in added {
            let agency = quota.agency.as_ref().map(|code| self.directory.find(code));
            let agency = match agency {
                Some(None) => continue,
                Some(Some(found)) => Some(found.ordinal),
                None => None,
            };
            quotas.put(agency, quota.clone());
            rows.insert(keys::quota(agency.unwrap_or(OTHERS)), quota.clone());
        }
        rows.into_iter().map(|(key, quota)| row(key, &quota)).collect()
    }

    fn put_targets(&mut self, added: &[Target]) -> Writes {
        let targets = Arc::make_mut(&mut self.targets);
        let mut rows = BTreeMap::new();
        for target in added {
            targets.put(target.clone());
            let stored = target.value.map(|_| codec::encode(target).into());
            rows.insert(keys::target(&targets::row_key(target)), stored);
        }
        rows.into_iter().collect()
    }

    fn put_entries(&mut self, entries: Vec<AgencyEntry>) -> Writes {
        let directory = Arc::make_mut(&mut self.directory);
        let changed: BTreeSet<_> =
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
        let known = self.trust.known_from(certificate.authority());
        let known_from = known.map_or(at, |known| known.min(at));
        let trust = Arc::make_mut(&mut self.trust);
        trust.add_authority(Arc::new(certificate), trusted_from, known_from);
        let certificate = authority.certificate.clone();
        let stored = AuthorityRow { certificate, trusted_from, known_from: Some(known_from) };
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
        let kept = row(keys::payload(&added.payload), &NamingRow::for_ever());
        let writes = vec![row(keys::list(&list.issuer), &stored), kept];
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
        let known_from = row.known_from.unwrap_or(Timestamp::MIN);
        trust.add_authority(Arc::new(certificate), row.trusted_from, known_from);
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

fn load_mandates(tables: &dyn Tables) -> Result<Mandates, EngineError> {
    let mut mandates = Mandates::default();
    load(tables, keys::MANDATES, "mandates", |key, row: Vec<Mandate>| {
        if let Some(agency) = keys::ordinal_of(keys::MANDATES, key) {
            mandates.restore(agency, row);
        }
        Ok(())
    })?;
    Ok(mandates)
}

fn load_appointments(tables: &dyn Tables) -> Result<Appointments, EngineError> {
    let mut appointments = Appointments::default();
    load(tables, keys::APPOINTMENTS, "appointments", |_, row: Vec<Appointment>| {
        appointments.restore(row);
        Ok(())
    })?;
    Ok(appointments)
}

fn load_quotas(tables: &dyn Tables) -> Result<Quotas, EngineError> {
    let mut quotas = Quotas::default();
    load(tables, keys::QUOTAS, "quota", |key, row: Quota| {
        quotas.put(keys::ordinal_of(keys::QUOTAS, key).filter(|own| *own != OTHERS), row);
        Ok(())
    })?;
    Ok(quotas)
}

fn load_targets(tables: &dyn Tables) -> Result<Targets, EngineError> {
    let mut targets = Targets::default();
    load(tables, keys::TARGETS, "target", |_, row: Target| {
        targets.put(row);
        Ok(())
    })?;
    Ok(targets)
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
