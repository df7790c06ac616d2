//! Who calls, and what that permits: every method names the permit that it needs, as a type.

use lienthong_core::statistics::View;
use lienthong_core::{AgencyRecord, Directory, Policy};
use lienthong_model::{
    AgencyCode, AgencyState, Ordinal, Reason, Refusal, Role, Signatory, Territory, Timestamp,
};

use crate::peer::Peer;
use crate::reader::Reader;

/// A caller that the directory knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub agency: Ordinal,
}

/// What a permit is granted on.
pub(crate) struct Grounds<'a> {
    /// Who calls, as TLS proved it.
    pub peer: &'a Peer,
    pub caller: Caller,
    /// The caller's agency.
    pub record: &'a AgencyRecord,
    /// What the journal says as of now.
    pub policy: &'a Policy,
    pub now: Timestamp,
}

/// A permission, proven by its value. Deny by default: a method without one cannot be written,
/// since what it calls asks for it.
pub(crate) trait Permit: Sized {
    /// Grants the permit to a caller, or says why not.
    fn grant(grounds: &Grounds<'_>) -> Result<Self, Refusal>;
}

/// May exchange documents for the agencies that it serves: a node, not a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayExchange(pub Caller);

/// May read the directory, routes and the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayRead(());

/// May ask for acts of administration: a person. Whether its appointment allows an act is judged
/// with the act.
#[derive(Debug, Clone)]
pub(crate) struct MayAct(pub Signatory);

/// Administers the country: may see appointments and quotas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayAdminister(());

/// Operates the country: may have the whole journal read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayOperate(());

/// May ask the statistics: what it sees, and who asks.
#[derive(Debug, Clone)]
pub(crate) struct MaySee(pub View, pub Caller);

impl Permit for MaySee {
    fn grant(grounds: &Grounds<'_>) -> Result<Self, Refusal> {
        let Grounds { peer, caller, policy, now, .. } = *grounds;
        let Some(person) = &peer.person else {
            return Ok(Self(View::of_node(caller.agency, &policy.directory, now), caller));
        };
        let signatory = Signatory { agency: peer.agency.clone(), person: person.clone() };
        View::of_person(&signatory, policy, now).map(|view| Self(view, caller)).ok_or_else(|| {
            let value = format!("{person} has no appointment in force");
            Refusal::at(Reason::CallerNotEntitled, "caller", value)
        })
    }
}

impl Permit for MayAct {
    fn grant(grounds: &Grounds<'_>) -> Result<Self, Refusal> {
        let Grounds { peer, .. } = *grounds;
        let Some(person) = &peer.person else {
            let value = format!("{} is a node, the method is for people", peer.agency);
            return Err(Refusal::at(Reason::CallerNotEntitled, "caller", value));
        };
        Ok(Self(Signatory { agency: peer.agency.clone(), person: person.clone() }))
    }
}

impl Permit for MayAdminister {
    fn grant(grounds: &Grounds<'_>) -> Result<Self, Refusal> {
        let why = "does not administer the country";
        of_the_country(grounds, &[Role::Administrator], why).map(|()| Self(()))
    }
}

impl Permit for MayOperate {
    fn grant(grounds: &Grounds<'_>) -> Result<Self, Refusal> {
        let roles = [Role::Operator, Role::Administrator];
        of_the_country(grounds, &roles, "does not operate the country").map(|()| Self(()))
    }
}

/// Whether a person has one of some roles for the country.
fn of_the_country(grounds: &Grounds<'_>, roles: &[Role], why_not: &str) -> Result<(), Refusal> {
    let MayAct(Signatory { agency, person }) = MayAct::grant(grounds)?;
    let held = grounds.policy.appointments.of(&agency.key(), &person);
    let has = held.iter().any(|one| {
        roles.contains(&one.role)
            && one.territory == Territory::Country
            && one.in_force(grounds.now)
    });
    match has {
        true => Ok(()),
        false => {
            let value = format!("{person} {why_not}");
            Err(Refusal::at(Reason::CallerNotEntitled, "caller", value))
        }
    }
}

impl Permit for MayExchange {
    fn grant(grounds: &Grounds<'_>) -> Result<Self, Refusal> {
        let Grounds { peer, caller, record, now, .. } = *grounds;
        if let Some(person) = &peer.person {
            let value = format!("{person} is a person, the method is for nodes");
            return Err(Refusal::at(Reason::CallerNotEntitled, "caller", value));
        }
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
    fn grant(_: &Grounds<'_>) -> Result<Self, Refusal> {
        Ok(Self(()))
    }
}

/// Admits a request: its caller has proven who it is, is in the directory, and has the permit.
pub(crate) fn admit<P: Permit, T>(
    request: &tonic::Request<T>,
    reader: &Reader,
    now: Timestamp,
) -> Result<(Caller, P), Refusal> {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.ok_or_else(|| Refusal::new(Reason::CallerUnknown))?;
    let policy = reader.policy();
    let record = policy
        .directory
        .find(&peer.agency)
        .ok_or_else(|| Refusal::at(Reason::CallerUnknown, "caller", &peer.agency))?;
    let caller = Caller { agency: record.ordinal };
    let permit = P::grant(&Grounds { peer, caller, record, policy: &policy, now })?;
    Ok((caller, permit))
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
