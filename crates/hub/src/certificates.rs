//! Certificates in use, and when they expire: authorities, those that signed accepted content, and
//! those that connections have shown. Of one holder and purpose the newest counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use lienthong_core::engine::EngineError;
use lienthong_model::{AgencyCode, CodeKey, Timestamp};
use lienthong_trust::{Certificate, Chain, Holder};

use crate::reader::Reader;

/// A certificate in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpiringCertificate {
    /// The agency; none for an authority.
    pub agency: Option<AgencyCode>,
    /// authority, person, seal, node, operator or hub.
    pub kind: &'static str,
    /// The person, or the authority's name.
    pub name: String,
    /// When its validity ends.
    pub until: Timestamp,
}

/// Returns the certificates in use, first to expire first.
///
/// # Errors
/// [`EngineError`] when a row cannot be read.
pub(crate) fn in_use(
    reader: &Reader,
    connected: Vec<Arc<Chain>>,
) -> Result<Vec<ExpiringCertificate>, EngineError> {
    let mut newest: BTreeMap<(Option<CodeKey>, &'static str, String), ExpiringCertificate> =
        BTreeMap::new();
    let mut take = |certificate: &Certificate| {
        let one = of(certificate);
        let key = (one.agency.as_ref().map(AgencyCode::key), one.kind, one.name.clone());
        let known = newest.entry(key).or_insert_with(|| one.clone());
        if one.until > known.until {
            *known = one;
        }
    };
    reader.trust().authorities().iter().for_each(|authority| take(authority));
    reader.query().certificates(&mut |der| {
        // What cannot be read was never relied on.
        if let Ok(certificate) = Certificate::parse(der) {
            take(&certificate);
        }
        true
    })?;
    connected.iter().for_each(|chain| take(chain.leaf()));
    let mut all: Vec<_> = newest.into_values().collect();
    all.sort_by_key(|one| one.until);
    Ok(all)
}

fn of(certificate: &Certificate) -> ExpiringCertificate {
    let (agency, kind, name) = match certificate.holder() {
        Holder::Authority { .. } => (None, "authority", certificate.subject().to_string()),
        Holder::Person { agency, name, .. } => (Some(agency), "person", name.clone()),
        Holder::Seal { agency } => (Some(agency), "seal", String::new()),
        Holder::Node { agency } => (Some(agency), "node", String::new()),
        Holder::Operator { agency, name, .. } => (Some(agency), "operator", name.clone()),
        Holder::Hub { agency } => (Some(agency), "hub", String::new()),
    };
    let until = certificate.not_after();
    ExpiringCertificate { agency: agency.cloned(), kind, name, until }
}
