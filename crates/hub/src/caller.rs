//! Who calls, and what that permits: every method names the permit that it needs, as a type.

use lienthong_core::{AgencyRecord, Directory};
use lienthong_model::{AgencyCode, AgencyState, Ordinal, Reason, Refusal, Timestamp};

use crate::reader::Reader;

/// What the TLS handshake proved.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub agency: AgencyCode,
}

/// A caller that the directory knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub agency: Ordinal,
}

/// A permission, proven by its value. Deny by default: a method without one cannot be written,
/// since what it calls asks for it.
pub(crate) trait Permit: Sized {
    /// Grants the permit to a caller, or says why not.
    fn grant(caller: Caller, record: &AgencyRecord, now: Timestamp) -> Result<Self, Refusal>;
}

/// May exchange documents for the agencies that it serves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayExchange(pub Caller);

/// May read the directory, routes, the clock, and statistics down to province.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayRead(());

impl Permit for MayExchange {
    fn grant(caller: Caller, record: &AgencyRecord, now: Timestamp) -> Result<Self, Refusal> {
        let in_force = record.entry_in_force(now);
        match in_force.map(|entry| entry.state) {
            Some(AgencyState::Connected | AgencyState::Held) => Ok(Self(caller)),
            Some(AgencyState::Suspended) => {
                Err(Refusal::at(Reason::SenderSuspended, "caller", record.key.as_str()))
            }
            None => Err(Refusal::at(Reason::SenderNotInForce, "caller", record.key.as_str())),
        }
    }
}

impl Permit for MayRead {
    fn grant(_: Caller, _: &AgencyRecord, _: Timestamp) -> Result<Self, Refusal> {
        Ok(Self(()))
    }
}

/// Admits a request: its caller has proven who it is, is in the directory, and has the permit.
pub(crate) fn admit<P: Permit, T>(
    request: &tonic::Request<T>,
    reader: &Reader,
    now: Timestamp,
) -> Result<P, Refusal> {
    let peer = request.extensions().get::<Option<Peer>>().and_then(Option::as_ref);
    let peer = peer.ok_or_else(|| Refusal::new(Reason::CallerUnknown))?;
    let directory = reader.directory();
    let record = directory
        .find(&peer.agency)
        .ok_or_else(|| Refusal::at(Reason::CallerUnknown, "caller", &peer.agency))?;
    P::grant(Caller { agency: record.ordinal }, record, now)
}

/// The agency with a code, when the caller serves it.
pub(crate) fn served(
    permit: MayExchange,
    directory: &Directory,
    code: &str,
    field: &str,
    now: Timestamp,
) -> Result<Ordinal, Refusal> {
    let parsed =
        AgencyCode::parse(code).map_err(|error| Refusal::at(Reason::FieldInvalid, field, error))?;
    let agency =
        directory.find(&parsed).filter(|agency| directory.serves(permit.0.agency, agency, now));
    agency
        .map(|agency| agency.ordinal)
        .ok_or_else(|| Refusal::at(Reason::CallerNotEntitled, field, code))
}
