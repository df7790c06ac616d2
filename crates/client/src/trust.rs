//! What the hub trusts: authorities with their revocation lists, and who may sign for an agency.

use std::sync::Arc;
use std::time::Duration;

use lienthong_model::{AgencyCode, Digest, Mandate, Timestamp};
use lienthong_trust::Certificate;
use lienthong_wire::{administration, moment, proto};

use crate::client::Client;
use crate::error::CallError;
use crate::read;

/// What the hub trusts.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Every authority that the hub knows, by fingerprint.
    pub authorities: Vec<KnownAuthority>,
    /// For how long after a list was due signatures are accepted and marked; `None`: without end.
    pub grace: Option<Duration>,
}

/// An authority that the hub knows.
#[derive(Debug, Clone)]
pub struct KnownAuthority {
    /// Its certificate.
    pub certificate: Arc<Certificate>,
    /// Since when it is a trusted root; `None` when it is none.
    pub trusted_from: Option<Timestamp>,
    /// Since when the hub knows it.
    pub known_from: Option<Timestamp>,
    /// Its revocation list in force; `None` when none was entered.
    pub list: Option<RevocationListSummary>,
    /// Since when a newer list is due; `None` while one is in date.
    pub list_due: Option<Timestamp>,
    /// Documents and reports that wait for its list to be proven.
    pub unproven: u64,
}

/// What a revocation list says, without its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationListSummary {
    /// Its number.
    pub number: u64,
    /// When it was made.
    pub this_update: Timestamp,
    /// By when the next one is made; `None` when it does not say.
    pub next_update: Option<Timestamp>,
    /// How many certificates it revokes.
    pub revoked: u64,
    /// SHA-256 of its DER.
    pub sha256: Digest,
}

impl Client {
    /// Asks whom the hub relies on, until when the revocation lists are in date, and how much waits
    /// for a list.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn trust(&self) -> Result<Trust, CallError> {
        let answer = self.shared.call(|| async {
            let request = proto::GetTrustRequest {};
            Ok(self.shared.trust().get_trust(request).await?.into_inner())
        });
        let answer = answer.await?;
        let span = |span: prost_types::Duration| {
            let read = moment::duration_from_proto(&span);
            read.ok_or_else(|| CallError::answer("grace", format_args!("{span:?}")))
        };
        Ok(Trust {
            authorities: answer
                .authorities
                .into_iter()
                .map(KnownAuthority::read)
                .collect::<Result<_, _>>()?,
            grace: answer.grace.map(span).transpose()?,
        })
    }

    /// Asks who may sign for an agency; mandates that have ended or not begun too.
    ///
    /// # Errors
    /// [`CallError`]; RECIPIENT_UNKNOWN when the directory does not have the agency.
    pub async fn mandates(&self, agency: &AgencyCode) -> Result<Vec<Mandate>, CallError> {
        let request = proto::ListMandatesRequest { agency: agency.to_string() };
        let call = || {
            let (mut trust, request) = (self.shared.trust(), request.clone());
            async move { Ok(trust.list_mandates(request).await?.into_inner()) }
        };
        let mandate = |mandate| {
            administration::mandate_from_proto(mandate)
                .map_err(|refusal| CallError::answer("mandates", refusal))
        };
        self.shared.call(call).await?.mandates.into_iter().map(mandate).collect()
    }
}

impl KnownAuthority {
    fn read(authority: proto::Authority) -> Result<Self, CallError> {
        let certificate = Certificate::parse(authority.certificate)
            .map_err(|error| CallError::answer("authorities.certificate", error))?;
        let moment = |field, at: Option<&_>| read::optional_moment(field, at);
        Ok(Self {
            certificate: Arc::new(certificate),
            trusted_from: moment("authorities.trusted_from", authority.trusted_from.as_ref())?,
            known_from: moment("authorities.known_from", authority.known_from.as_ref())?,
            list: authority.list.map(RevocationListSummary::read).transpose()?,
            list_due: moment("authorities.list_due", authority.list_due.as_ref())?,
            unproven: authority.unproven,
        })
    }
}

impl RevocationListSummary {
    pub(crate) fn read(list: proto::RevocationListSummary) -> Result<Self, CallError> {
        Ok(Self {
            number: list.number,
            this_update: read::moment("list.this_update", list.this_update.as_ref())?,
            next_update: read::optional_moment("list.next_update", list.next_update.as_ref())?,
            revoked: list.revoked,
            sha256: read::digest("list.sha256", &list.sha256)?,
        })
    }
}
