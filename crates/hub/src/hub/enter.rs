//! What a hub enters into its journal when it starts: authorities, lists, the directory, rules.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use lienthong_core::{
    AddAuthority, AddRevocationList, CertificateBytes, Command, ImportDirectory, codec,
};
use lienthong_model::limits::CLOCK_AHEAD_MAX;
use lienthong_model::{AgencyEntry, Timestamp};
use lienthong_trust::{Anchors as _, Certificate, RevocationList};

use super::StartError;
use crate::clock::{BusinessClock, Clock};
use crate::open_folder::{AdministerError, OpenFolder};
use crate::settings::{DirectoryImport, Settings};
use crate::tls;

pub(super) fn check_clock(
    clock: &Clock,
    business: &BusinessClock,
    folder: &OpenFolder,
) -> Result<(), StartError> {
    let (now, Some(last)) = (business.now(), folder.last_time()) else { return Ok(()) };
    match clock {
        Clock::Real if now.plus(CLOCK_AHEAD_MAX) < last => {
            Err(StartError::ClockBehind { now, last })
        }
        Clock::Real | Clock::Scenario { .. } => Ok(()),
    }
}

/// Enters what is new in the settings into the journal; returns what is left of them.
pub(super) fn enter(
    folder: &mut OpenFolder,
    settings: Settings,
    now: Timestamp,
) -> Result<(tls::ServerIdentity, SocketAddr), StartError> {
    for (certificates, trusted) in [(settings.roots, true), (settings.authorities, false)] {
        for der in certificates {
            enter_authority(folder, der, trusted, now)?;
        }
    }
    for der in settings.revocation_lists {
        enter_list(folder, &der, "given", now)?;
    }
    let unread = |(path, why): (PathBuf, String)| StartError::of_list(path.display(), why);
    for (path, der) in settings.list_files.read_all().map_err(unread)? {
        enter_list(folder, &der, path.display(), now)?;
    }
    if let Some(import) = settings.directory
        && folder.machine.policy().directory.is_empty()
    {
        import_directory(folder, import, now)?;
    }
    if let Some(rules) = settings.rules
        && *folder.machine.policy().rules != rules
    {
        folder.administer(now, Command::SetRoutingRules(rules))?;
    }
    Ok((settings.identity, settings.listen))
}

fn enter_authority(
    folder: &mut OpenFolder,
    der: Bytes,
    trusted: bool,
    now: Timestamp,
) -> Result<(), StartError> {
    let certificate = Certificate::parse(der.clone()).map_err(|error| StartError::Trust {
        what: "an authority's certificate",
        why: error.to_string(),
    })?;
    let trust = folder.machine.policy().trust.clone();
    let fingerprint = certificate.fingerprint();
    let known = match trusted {
        true => trust.trusts(fingerprint, Timestamp::from_millis(i64::MAX)),
        false => trust.authorities().iter().any(|known| known.fingerprint() == fingerprint),
    };
    if known {
        return Ok(());
    }
    let certificate = CertificateBytes(der);
    Ok(folder.administer(now, Command::AddAuthority(AddAuthority { certificate, trusted }))?)
}

fn enter_list(
    folder: &mut OpenFolder,
    der: &[u8],
    named: impl fmt::Display,
    now: Timestamp,
) -> Result<(), StartError> {
    let trust = folder.machine.policy().trust.clone();
    let list = RevocationList::parse(der, trust.authorities())
        .map_err(|error| StartError::of_list(&named, error))?;
    if !trust.admits(&list) {
        return Ok(());
    }
    let payload = folder.payload(der)?;
    let command = Command::AddRevocationList(AddRevocationList { payload, issuer: list.issuer });
    match folder.administer(now, command) {
        Err(AdministerError::Refused(refusal)) => Err(StartError::of_list(named, refusal)),
        entered => Ok(entered?),
    }
}

/// Imports a directory by one command that names the hash of its entries.
fn import_directory(
    folder: &mut OpenFolder,
    import: DirectoryImport,
    now: Timestamp,
) -> Result<(), StartError> {
    let DirectoryImport { source, entries } = import;
    let payload = folder.payload(&codec::encode::<Vec<AgencyEntry>>(&entries))?;
    let command = Command::ImportDirectory(ImportDirectory { source, payload });
    Ok(folder.administer(now, command)?)
}
