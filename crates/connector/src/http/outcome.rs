//! What became of a document or report, read from where its folder lies.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_model::AgencyCode;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::disk::{self, DiskError};
use crate::node::Shared;
use crate::outgoing::Kind;
use crate::outgoing::parcel::{RECEIPT, REFUSAL, WAITING};
use crate::places::OWN;

/// Largest note that is read, in bytes: a receipt with every agency as a route.
const NOTE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How often it is looked whether there is an outcome.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// In the folder of the agency's software, not taken yet.
    Waiting,
    /// Taken; the hub has not said anything yet.
    Sending,
    /// The hub has it.
    Sent,
    /// Declined.
    Refused,
}

/// What became of something.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Outcome {
    pub agency: String,
    pub name: String,
    pub state: State,
    /// Why it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Value>,
    #[serde(skip)]
    pub folder: PathBuf,
}

/// Looks where something of a name stands; `None` when there is none.
pub(super) fn find(
    shared: &Shared,
    kind: Kind,
    agency: &AgencyCode,
    name: &str,
) -> Result<Option<Outcome>, DiskError> {
    let rooms = kind.rooms();
    // A folder may move on while we look: it only moves in this order.
    let places = [
        (State::Waiting, rooms.waiting),
        (State::Sending, rooms.sending),
        (State::Sent, rooms.sent),
        (State::Refused, rooms.refused),
    ];
    for (state, room) in places {
        let folder = shared.places.of(room, agency);
        let found = match (kind, state) {
            (Kind::Report, State::Waiting) => ["toml", "json"]
                .map(|ending| folder.join(format!("{name}.{ending}")))
                .into_iter()
                .find(|path| path.is_file()),
            _ => Some(folder.join(name)).filter(|path| path.is_dir()),
        };
        if let Some(folder) = found {
            return read(agency, name, state, folder).map(Some);
        }
    }
    Ok(None)
}

fn read(
    agency: &AgencyCode,
    name: &str,
    state: State,
    folder: PathBuf,
) -> Result<Outcome, DiskError> {
    let own = folder.join(OWN);
    Ok(Outcome {
        agency: agency.to_string(),
        name: name.to_owned(),
        state,
        waits_for: note(&own.join(WAITING))?,
        receipt: note(&own.join(RECEIPT))?,
        refusal: note(&own.join(REFUSAL))?,
        folder,
    })
}

fn note(path: &Path) -> Result<Option<Value>, DiskError> {
    let bytes = disk::read(path, NOTE_BYTES_MAX)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Looks again until there is an outcome, for at most `patience`.
pub(super) async fn settled(
    shared: &std::sync::Arc<Shared>,
    kind: Kind,
    agency: &AgencyCode,
    name: &str,
    patience: Duration,
) -> Result<Option<Outcome>, DiskError> {
    let until = Instant::now() + patience;
    loop {
        let (owner, agency, name) = (shared.clone(), agency.clone(), name.to_owned());
        let found = disk::aside(move || find(&owner, kind, &agency, &name)).await?;
        let is_settled =
            found.as_ref().is_some_and(|one| matches!(one.state, State::Sent | State::Refused));
        if is_settled || Instant::now() >= until || shared.is_stopping() {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
