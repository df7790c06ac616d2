//! What goes out: documents and status reports, from the folder of the agency's software to the hub.
//!
//! ```text
//!  outbox/NAME ──rename──▶ sending/NAME ──sign, sync──▶ signed ──▶ hub ──▶ receipt, sync ──rename──▶ sent/NAME
//!                              │                          ▲ │
//!                              │                          └─┘ hub away: the same bytes again
//!                              └── declined, here or there ──▶ refusal, sync ──rename──▶ refused/NAME
//! ```
//! The id is fixed and the signed bytes are on the disk before the hub is first spoken to: a retry
//! sends the same bytes and gets the first receipt again. Every arrow can be cut by a kill and is
//! taken again at the next start; the folder itself says how far it came ([`parcel`]).
//!
//! The folders are looked at again and again, whatever is under way; which is gone on with next is
//! said by the [`queue`].

mod compose;
mod hand_over;
pub(crate) mod parcel;
mod queue;
pub(crate) mod turns;

use std::path::PathBuf;
use std::sync::Arc;

use lienthong_model::AgencyCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::disk::{self, DiskError, Found};
use crate::node::Shared;
use crate::places::{OWN, Room};
use parcel::Parcel;
use queue::Queue;

/// What goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A document: a folder with a header and files.
    Document,
    /// A status report: a small file.
    Report,
}

impl Kind {
    /// Where it waits, is under way, and ends.
    pub(crate) const fn rooms(self) -> Rooms {
        match self {
            Self::Document => Rooms {
                waiting: Room::Outbox,
                sending: Room::Sending,
                sent: Room::Sent,
                refused: Room::Refused,
            },
            Self::Report => Rooms {
                waiting: Room::StatusOut,
                sending: Room::StatusSending,
                sent: Room::StatusSent,
                refused: Room::StatusRefused,
            },
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Document => 0,
            Self::Report => 1,
        }
    }

    /// Its name in events and the HTTP API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Report => "report",
        }
    }
}

/// The folders that one kind passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rooms {
    pub waiting: Room,
    pub sending: Room,
    pub sent: Room,
    pub refused: Room,
}

/// Sends one kind until the connector ends; then lets what is under way come to its end.
pub(crate) async fn run(shared: Arc<Shared>, kind: Kind) {
    let (mut queue, mut tasks) = (Queue::default(), JoinSet::new());
    let mut next_look = Instant::now();
    while !shared.is_stopping() {
        if next_look <= Instant::now() {
            look(&shared, kind, &mut queue).await;
            next_look = Instant::now() + shared.poll;
        }
        while let Some((parcel, lane)) = queue.next(Instant::now()) {
            let shared = shared.clone();
            tasks.spawn(async move {
                let outcome = hand_over::go_on(&shared, &parcel, lane).await;
                (parcel, outcome)
            });
        }
        tokio::select! {
            Some(ended) = tasks.join_next() => match ended {
                Ok((parcel, outcome)) => queue.ended(parcel, outcome, Instant::now()),
                // It has panicked: so does the connector, and is started again.
                Err(gone) => std::panic::resume_unwind(gone.into_panic()),
            },
            () = sleep_until(next_look) => {}
            () = shared.nudge[kind.index()].notified() => {
                next_look = Instant::now();
                queue.hurry(next_look);
            }
            () = shared.stopped() => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Says that something was put into a folder just now.
pub(crate) fn nudge(shared: &Shared, kind: Kind) {
    shared.nudge[kind.index()].notify_one();
}

/// Takes what is complete, and lists everything that was taken and has no outcome.
async fn look(shared: &Arc<Shared>, kind: Kind, queue: &mut Queue) {
    if let Err(error) = take_all(shared, kind).await {
        tracing::error!(%error, "nothing is taken from the {} folder", kind.name());
    }
    match under_way(shared, kind).await {
        Ok(parcels) => queue.list(parcels, Instant::now()),
        Err(error) => tracing::error!(%error, "what is under way cannot be listed"),
    }
}

async fn under_way(shared: &Arc<Shared>, kind: Kind) -> Result<Vec<Parcel>, DiskError> {
    let shared = shared.clone();
    disk::aside(move || {
        let room = kind.rooms().sending;
        let mut parcels = Vec::new();
        for agency in shared.places.agencies(room)? {
            let found = disk::complete(&shared.places.of(room, &agency))?;
            let folders = found.into_iter().filter(|found| found.is_folder);
            parcels.extend(folders.map(|found| Parcel {
                kind,
                agency: agency.clone(),
                name: found.name,
                folder: found.path,
            }));
        }
        Ok(parcels)
    })
    .await
}

/// Takes everything that is complete.
async fn take_all(shared: &Arc<Shared>, kind: Kind) -> Result<(), DiskError> {
    let shared = shared.clone();
    disk::aside(move || {
        let room = kind.rooms().waiting;
        for agency in shared.places.agencies(room)? {
            for found in disk::complete(&shared.places.of(room, &agency))? {
                let path = found.path.display().to_string();
                if let Err(error) = take(&shared, kind, &agency, found) {
                    tracing::error!(%path, %error, "not taken; tried again");
                }
            }
        }
        Ok(())
    })
    .await
}

/// Takes one: from the rename on it is the connector's. A name that is under way waits for its
/// turn.
fn take(shared: &Shared, kind: Kind, agency: &AgencyCode, found: Found) -> Result<(), DiskError> {
    let sending = shared.places.of(kind.rooms().sending, agency);
    disk::make_folder(&sending)?;
    match (kind, found.is_folder) {
        (Kind::Document, true) => {
            let place = sending.join(&found.name);
            if place.exists() {
                return Ok(());
            }
            // From a former life: a folder moved back after a refusal, or a copy of one sent. It may
            // not come back with the folder after a power cut: a receipt in it would be believed.
            let own = found.path.join(OWN);
            if own.exists() {
                disk::remove(&own)?;
                disk::sync_folder(&found.path)?;
            }
            disk::rename(&found.path, &place)?;
        }
        (Kind::Report, false) => {
            let Some(place) = report_place(&sending, &found) else { return Ok(()) };
            if place.parent().is_some_and(std::path::Path::exists) {
                // Made by a start that ended before the file was in it, or under way.
                if !parcel::is_empty(&place)? {
                    return Ok(());
                }
            }
            if let Some(folder) = place.parent() {
                disk::make_folder(folder)?;
            }
            disk::rename(&found.path, &place)?;
        }
        // Not ours to judge: `node doctor` names it.
        (Kind::Document, false) | (Kind::Report, true) => return Ok(()),
    }
    shared.point("taken");
    Ok(())
}

/// A report's file becomes the one file of a folder: `NAME.toml` → `NAME/report.toml`.
fn report_place(sending: &std::path::Path, found: &Found) -> Option<PathBuf> {
    let (stem, ending) = found.name.rsplit_once('.')?;
    let file = match ending {
        "toml" => "report.toml",
        "json" => "report.json",
        _ => return None,
    };
    Some(sending.join(stem).join(file))
}
