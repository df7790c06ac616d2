//! The register of what an authority has issued (`issued.csv`): one line a certificate, in the
//! order of issue, with its revocation.
//!
//! ```text
//! serial,fingerprint,profile,agency,not_after,revoked_at,reason
//! 4f0c…,9a31…,person-an.nguyen,H36.12,2021-12-31T23:59:59+07:00,,
//! ```
//! No field holds a comma or a quote, so lines are cut at commas.

use std::fmt::Write as _;

use lienthong_model::{AgencyCode, Fingerprint, Timestamp};
use lienthong_trust::{Certificate, Holder, Revoked};

/// The first line. Stable.
const HEADER: &str = "serial,fingerprint,profile,agency,not_after,revoked_at,reason";

/// Certificates in the order of their issue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Register {
    entries: Vec<Entry>,
}

/// One certificate issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its serial number, big endian without leading zeros.
    pub serial: Vec<u8>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// For what: `node`, `seal`, `hub`, `person-<id>`, `operator-<id>`,
    /// `authority`.
    pub profile: String,
    /// For whom; `None` for an authority.
    pub agency: Option<AgencyCode>,
    /// The last moment of its validity.
    pub not_after: Timestamp,
    /// Its revocation, if there was one.
    pub withdrawn: Option<Withdrawal>,
}

/// When and why a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawal {
    /// From when on.
    pub at: Timestamp,
    /// The reason's number (RFC 5280, section 5.3.1); 0 for none.
    pub reason: u8,
}

/// What is wrong with a register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The first line is another than expected.
    #[error("the first line of the register is not `{HEADER}`")]
    Header,
    /// A line cannot be read.
    #[error("line {line} of the register: `{field}` cannot be read")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// The column.
        field: &'static str,
    },
    /// No entry has the fingerprint.
    #[error("the register has no certificate `{0}`")]
    Unknown(Fingerprint),
    /// The certificate is revoked already.
    #[error("the certificate `{fingerprint}` is revoked since {at}")]
    Withdrawn {
        /// The certificate.
        fingerprint: Fingerprint,
        /// Since when.
        at: Timestamp,
    },
}

impl Register {
    /// Reads the text of a register.
    ///
    /// # Errors
    /// [`RegisterError`] names line and column.
    pub fn parse(text: &str) -> Result<Self, RegisterError> {
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, first)| first != HEADER) {
            return Err(RegisterError::Header);
        }
        let entries = lines
            .filter(|(_, line)| !line.is_empty())
            .map(|(index, line)| {
                Entry::parse(line).map_err(|field| RegisterError::Line { line: index + 1, field })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// Writes the text of the register.
    pub fn to_csv(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for entry in &self.entries {
            entry.write(&mut text);
        }
        text
    }

    /// The entries, in the order of issue.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds a certificate that was just issued.
    pub fn add(&mut self, certificate: &Certificate) {
        let holder = certificate.holder();
        let profile = match holder {
            Holder::Person { person, .. } | Holder::Operator { person, .. } => {
                format!("{}-{person}", holder.kind())
            }
            Holder::Authority { .. }
            | Holder::Seal { .. }
            | Holder::Node { .. }
            | Holder::Hub { .. } => holder.kind().to_owned(),
        };
        self.entries.push(Entry {
            serial: certificate.serial().to_vec(),
            fingerprint: *certificate.fingerprint(),
            profile,
            agency: certificate.agency().cloned(),
            not_after: certificate.not_after(),
            withdrawn: None,
        });
    }

    /// Notes that a certificate is revoked.
    ///
    /// # Errors
    /// [`RegisterError`] when it is not in the register or revoked already.
    pub fn withdraw(
        &mut self,
        fingerprint: &Fingerprint,
        withdrawal: Withdrawal,
    ) -> Result<&Entry, RegisterError> {
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| entry.fingerprint == *fingerprint)
            .ok_or(RegisterError::Unknown(*fingerprint))?;
        if let Some(Withdrawal { at, .. }) = entry.withdrawn {
            return Err(RegisterError::Withdrawn { fingerprint: *fingerprint, at });
        }
        entry.withdrawn = Some(withdrawal);
        Ok(entry)
    }

    /// What the revocation list about these certificates says.
    pub(crate) fn revoked(&self, of: Listed) -> Vec<Revoked> {
        self.entries
            .iter()
            .filter(|entry| (entry.agency.is_none()) == (of == Listed::Authorities))
            .filter_map(|entry| {
                let Withdrawal { at, reason } = entry.withdrawn?;
                Some(Revoked { serial: entry.serial.clone(), at, reason })
            })
            .collect()
    }
}

/// Which certificates a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Those of authorities, which the root issued.
    Authorities,
    /// Those of end entities, which the issuing authority issued.
    EndEntities,
}

impl Entry {
    fn write(&self, text: &mut String) {
        let agency = self.agency.as_ref().map(AgencyCode::as_str).unwrap_or_default();
        let (at, reason) = match self.withdrawn {
            Some(Withdrawal { at, reason }) => (at.to_string(), reason.to_string()),
            None => (String::new(), String::new()),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{},{},{},{agency},{},{at},{reason}",
            hex::encode(&self.serial),
            self.fingerprint,
            self.profile,
            self.not_after,
        );
    }

    /// Reads a line; the name of the column that cannot be read.
    fn parse(line: &str) -> Result<Self, &'static str> {
        let fields: Vec<&str> = line.split(',').collect();
        let [serial, fingerprint, profile, agency, not_after, at, reason] = fields.as_slice()
        else {
            return Err("number of columns");
        };
        let fingerprint = hex::decode(fingerprint).ok();
        let withdrawn = match (at.is_empty(), reason.is_empty()) {
            (true, true) => None,
            _ => Some(Withdrawal {
                at: Timestamp::parse(at).ok_or("revoked_at")?,
                reason: reason.parse().map_err(|_| "reason")?,
            }),
        };
        Ok(Self {
            serial: hex::decode(serial).ok().filter(|bytes| !bytes.is_empty()).ok_or("serial")?,
            fingerprint: fingerprint
                .and_then(|bytes| Fingerprint::from_slice(&bytes))
                .ok_or("fingerprint")?,
            profile: (*profile).to_owned(),
            agency: match *agency {
                "" => None,
                code => Some(AgencyCode::parse(code).map_err(|_| "agency")?),
            },
            not_after: Timestamp::parse(not_after).ok_or("not_after")?,
            withdrawn,
        })
    }
}
