//! The cast: the agencies that take part, with their keys and certificates.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use lienthong_model::{
    AgencyCode, AgencyEntry, AgencyState, Fingerprint, Level, SignaturePolicy, Timestamp,
};
use lienthong_pki::{Folder, FolderError, Identity, IssueError, Profile, TestPki, Validity};

use lienthong_trust::Revoked;

use crate::draft;

/// Persons whose certificate was revoked, and persons whose certificate has expired, one an agency.
const BAD_PERSONS: usize = 10;
/// What every leader's person id ends with.
const LEADER: &str = "lanh-dao";

/// What a demonstration is about.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    /// Codes of the provinces that take part beside the centre.
    pub provinces: Vec<AgencyCode>,
    /// Provinces where the seal is still enough.
    pub transition: Vec<AgencyCode>,
    /// The province that one gateway serves.
    pub gateway: Option<AgencyCode>,
    /// When it begins.
    pub start: Timestamp,
}

/// One agency that takes part.
#[derive(Debug)]
pub struct Member {
    /// Its entry in the directory.
    pub entry: AgencyEntry,
    /// Its certificate and key for TLS.
    pub node: Identity,
    /// Its seal.
    pub seal: Identity,
    /// Its leader.
    pub leader: Identity,
    /// The member whose node serves it; itself when it has its own.
    pub served_by: usize,
    /// The superior, when it takes part.
    pub parent: Option<usize>,
    /// Subordinates that take part.
    pub children: Vec<usize>,
}

/// Everybody who takes part.
#[derive(Debug)]
pub struct Cast {
    /// The agencies, in the directory's order.
    pub members: Vec<Member>,
    /// The whole directory: those that take part connected, the others held.
    pub directory: Vec<AgencyEntry>,
    /// Persons of members that require a person's signature, whose certificates are revoked.
    pub revoked: Vec<(usize, Identity)>,
    /// Persons of such members whose certificates have expired.
    pub expired: Vec<(usize, Identity)>,
    /// The root's certificate.
    pub root: Bytes,
    /// The issuing authority's certificate.
    pub issuing: Bytes,
    /// The revocation lists in force: the issuing authority's and the root's.
    pub revocation_lists: Vec<Bytes>,
    /// The hub's certificate and key.
    pub hub: Identity,
    pki: TestPki,
    start: Timestamp,
}

/// Why there is no cast.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// A code is not a province's.
    #[error(
        "`{0}` is not a province of the directory: see `lienthong directory list --level province`"
    )]
    NoProvince(AgencyCode),
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Issue(#[from] IssueError),
}

impl Cast {
    /// Chooses the agencies of a scenario from a directory and makes their certificates.
    ///
    /// # Errors
    /// [`CastError`] when a province is unknown or a certificate cannot be made.
    pub fn new(scenario: &Scenario, directory: Vec<AgencyEntry>) -> Result<Self, CastError> {
        let directory = prepare(scenario, directory)?;
        let validity = Validity {
            not_before: scenario.start.minus(days(400)),
            not_after: scenario.start.plus(days(3650)),
        };
        let pki = TestPki::new(key_seed(scenario.seed), validity)?;
        let members = members(&directory, &pki, validity)?;
        let strict: Vec<usize> = members
            .iter()
            .enumerate()
            .filter(|(_, member)| member.entry.policy == SignaturePolicy::Required)
            .map(|(index, _)| index)
            .take(BAD_PERSONS)
            .collect();
        let expired_on = Validity {
            not_before: scenario.start.minus(days(300)),
            not_after: scenario.start.minus(days(16)),
        };
        let person = |index: usize, id: &str, validity: Validity| {
            let agency = &members[index].entry.code;
            let profile = draft::person(agency, id, index as u64);
            Ok::<_, CastError>((index, pki.identity_within(&profile, validity)?))
        };
        let one_each = |id: &str, validity: Validity| {
            strict.iter().map(|index| person(*index, id, validity)).collect::<Result<Vec<_>, _>>()
        };
        let revoked = one_each("thu-hoi", validity)?;
        let expired = one_each("het-han", expired_on)?;
        let revocation_lists = lists(&pki, &revoked, scenario.start)?;
        let hub = pki.identity(&hub_profile(&directory))?;
        Ok(Self {
            members,
            directory,
            revoked,
            expired,
            root: pki.root().certificate().der().clone(),
            issuing: pki.issuing().certificate().der().clone(),
            revocation_lists,
            hub,
            pki,
            start: scenario.start,
        })
    }

    /// Writes the PKI as a folder, as `lienthong pki` does: the authorities with their keys, the
    /// hub, and those members that have a seat of their own (the provinces' committees and the body
    /// that runs the hub). Whoever has the folder can issue for every other agency.
    ///
    /// # Errors
    /// [`FolderError`] when there is a PKI already or a file cannot be written.
    pub fn write_pki(&self, path: &Path) -> Result<(), FolderError> {
        let (this_update, next_update) = (self.start.minus(days(2)), self.start.plus(days(30)));
        let (root, issuing) = (self.pki.root().clone(), self.pki.issuing().clone());
        let folder = Folder::adopt(path, root, issuing, this_update, next_update)?;
        let hub = hub_profile(&self.directory);
        folder.keep_identity(&hub, &self.hub)?;
        for (index, member) in self.members.iter().enumerate() {
            let code = &member.entry.code;
            let seat = member.entry.province.as_ref() == Some(code) || code == hub.agency();
            if seat {
                let agency = code.clone();
                folder.keep_identity(&Profile::Node { agency: agency.clone() }, &member.node)?;
                folder.keep_identity(&Profile::Seal { agency }, &member.seal)?;
                let leader = draft::person(code, LEADER, index as u64);
                folder.keep_identity(&leader, &member.leader)?;
            }
        }
        Ok(())
    }

    /// The issuing authority.
    pub(crate) fn issuing_authority(&self) -> &lienthong_pki::Authority {
        self.pki.issuing()
    }

    /// The members' place by code.
    pub fn by_code(&self) -> HashMap<&str, usize> {
        let coded = self.members.iter().enumerate();
        coded.map(|(index, member)| (member.entry.code.as_str(), index)).collect()
    }
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}

fn key_seed(seed: u64) -> [u8; 32] {
    *Fingerprint::of(format!("lienthong demonstration {seed}").as_bytes()).as_bytes()
}

/// The hub's certificate: of the body that runs the axis, the Office of the Government, or the
/// first one of a directory without it.
fn hub_profile(directory: &[AgencyEntry]) -> Profile {
    let office = directory.iter().find(|entry| entry.code.as_str() == "G22");
    let Some(body) = office.or_else(|| directory.first()) else {
        unreachable!("a directory without entries has no provinces");
    };
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    Profile::Hub { agency: body.code.clone(), names }
}

/// The directory with states, policies and gateways as the scenario has them.
fn prepare(
    scenario: &Scenario,
    mut directory: Vec<AgencyEntry>,
) -> Result<Vec<AgencyEntry>, CastError> {
    for code in scenario.provinces.iter().chain(&scenario.transition).chain(&scenario.gateway) {
        let is_province =
            |entry: &AgencyEntry| entry.code == *code && entry.province.as_ref() == Some(code);
        if !directory.iter().any(is_province) {
            return Err(CastError::NoProvince(code.clone()));
        }
    }
    for entry in &mut directory {
        let province = entry.province.clone();
        let takes_part = match &province {
            None => true,
            Some(province) => scenario.provinces.contains(province),
        };
        entry.state = if takes_part { AgencyState::Connected } else { AgencyState::Held };
        let Some(province) = province else { continue };
        if scenario.transition.contains(&province) {
            entry.policy = SignaturePolicy::Transition;
        }
        if scenario.gateway.as_ref() == Some(&province) && entry.code != province {
            entry.gateway = Some(province);
        }
    }
    Ok(directory)
}

fn members(
    directory: &[AgencyEntry],
    pki: &TestPki,
    validity: Validity,
) -> Result<Vec<Member>, CastError> {
    let taking_part = directory.iter().filter(|entry| entry.state == AgencyState::Connected);
    let mut members = Vec::new();
    for (index, entry) in taking_part.enumerate() {
        let leader = draft::person(&entry.code, LEADER, index as u64);
        members.push(Member {
            node: pki.node(&entry.code)?,
            seal: pki.seal(&entry.code)?,
            leader: pki.identity_within(&leader, validity)?,
            entry: entry.clone(),
            served_by: index,
            parent: None,
            children: Vec::new(),
        });
    }
    let place: HashMap<AgencyCode, usize> =
        members.iter().enumerate().map(|(index, m)| (m.entry.code.clone(), index)).collect();
    for index in 0..members.len() {
        let entry = &members[index].entry;
        let parent = entry.parent.as_ref().and_then(|code| place.get(code)).copied();
        let gateway = entry.gateway.as_ref().and_then(|code| place.get(code)).copied();
        members[index].served_by = gateway.unwrap_or(index);
        members[index].parent = parent;
        if let Some(parent) = parent {
            members[parent].children.push(index);
        }
    }
    Ok(members)
}

fn lists(
    pki: &TestPki,
    revoked: &[(usize, Identity)],
    start: Timestamp,
) -> Result<Vec<Bytes>, CastError> {
    const KEY_COMPROMISE: u8 = 1;
    let (this_update, next_update) = (start.minus(days(1)), start.plus(days(30)));
    let at = start.minus(days(10));
    let revoked: Vec<_> = revoked
        .iter()
        .map(|(_, person)| Revoked {
            serial: person.certificate.serial().to_vec(),
            at,
            reason: KEY_COMPROMISE,
        })
        .collect();
    Ok(vec![
        pki.issuing().revocation_list(1, this_update, next_update, &revoked)?,
        pki.root().revocation_list(1, this_update, next_update, &[])?,
    ])
}

impl Member {
    /// The level of the agency.
    pub fn level(&self) -> Level {
        self.entry.level
    }
}
