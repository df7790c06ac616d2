//! The folders of a connector, and names in them that lead nowhere else.
//!
//! ```text
//! ROOT/
//!   outbox/NAME/            a document to send            inbox/NAME/           received
//!   sending/NAME/           taken, signed, under way      inbox-read/NAME/      read by the software
//!   sent/NAME/              with its receipt              inbox-rejected/NAME/  does not verify
//!   refused/NAME/           with code and remedy
//!   status/out/NAME.toml    a report to send              status/in/NAME.json   reports on ours
//!   status/{sending,sent,refused}/NAME/           status/rejected/NAME.json  does not verify
//!   .node/                  the connector's own notes
//! ```
//! A gateway has one folder more in each: `outbox/<CODE>/NAME`, `inbox/<CODE>/NAME` …

use std::path::{Path, PathBuf};

use lienthong_model::{AgencyCode, MessageId, Timestamp};

use crate::disk::{self, DiskError};

/// The folder in a document's folder that is the connector's: signed bytes, receipt, refusal.
pub const OWN: &str = "_lienthong";

/// A folder of the connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Room {
    /// Documents to send, put there by the agency's software.
    Outbox,
    /// Documents that were taken and have no outcome yet.
    Sending,
    /// Documents that the hub has.
    Sent,
    /// Documents that were declined.
    Refused,
    /// Documents received.
    Inbox,
    /// Documents received that the agency's software has read.
    InboxRead,
    /// Deliveries that did not verify.
    InboxRejected,
    /// Status reports to send, put there by the agency's software.
    StatusOut,
    /// Status reports that were taken and have no outcome yet.
    StatusSending,
    /// Status reports that the hub has.
    StatusSent,
    /// Status reports that were declined.
    StatusRefused,
    /// What the hub told beside documents, above all what recipients reported on documents sent.
    StatusIn,
    /// Reports of recipients that did not verify.
    StatusRejected,
}

impl Room {
    /// All folders, in the order in which they are made.
    pub const ALL: [Self; 13] = [
        Self::Outbox,
        Self::Sending,
        Self::Sent,
        Self::Refused,
        Self::Inbox,
        Self::InboxRead,
        Self::InboxRejected,
        Self::StatusOut,
        Self::StatusSending,
        Self::StatusSent,
        Self::StatusRefused,
        Self::StatusIn,
        Self::StatusRejected,
    ];

    /// Returns its path below the root.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Inbox => "inbox",
            Self::InboxRead => "inbox-read",
            Self::InboxRejected => "inbox-rejected",
            Self::StatusOut => "status/out",
            Self::StatusSending => "status/sending",
            Self::StatusSent => "status/sent",
            Self::StatusRefused => "status/refused",
            Self::StatusIn => "status/in",
            Self::StatusRejected => "status/rejected",
        }
    }
}

/// Where everything of a connector lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    root: PathBuf,
    own: AgencyCode,
    gateway: bool,
}

impl Places {
    /// Takes the folder of a connector, the agency of its node, and whether it serves others too.
    pub fn new(root: impl Into<PathBuf>, own: AgencyCode, gateway: bool) -> Self {
        Self { root: root.into(), own, gateway }
    }

    /// Returns the agency of the connector's node.
    pub fn own(&self) -> &AgencyCode {
        &self.own
    }

    /// Returns whether every folder has one for each agency.
    pub fn is_gateway(&self) -> bool {
        self.gateway
    }

    /// Returns the folder that holds all others.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns a folder, of all agencies together.
    pub fn room(&self, room: Room) -> PathBuf {
        self.root.join(room.path())
    }

    /// Returns an agency's folder.
    pub fn of(&self, room: Room, agency: &AgencyCode) -> PathBuf {
        let room = self.room(room);
        // A code has letters, digits and dots between them: it cannot climb.
        if self.gateway { room.join(agency.as_str()) } else { room }
    }

    /// Returns a path among the connector's own notes.
    pub(crate) fn note(&self, name: &str) -> PathBuf {
        self.root.join(".node").join(name)
    }

    /// Makes every folder that is not there yet.
    ///
    /// # Errors
    /// [`DiskError`] for the first that cannot be made.
    pub fn make(&self) -> Result<(), DiskError> {
        for room in Room::ALL {
            disk::make_folder(&self.room(room))?;
        }
        disk::make_folder(&self.note(""))?;
        if self.gateway { self.make_for(&self.own) } else { Ok(()) }
    }

    /// Makes the folders that an agency of a gateway writes into.
    pub(crate) fn make_for(&self, agency: &AgencyCode) -> Result<(), DiskError> {
        for room in [Room::Outbox, Room::StatusOut] {
            disk::make_folder(&self.of(room, agency))?;
        }
        Ok(())
    }

    /// Returns the agencies that have a folder in a room; a connector of one agency has its own.
    pub(crate) fn agencies(&self, room: Room) -> Result<Vec<AgencyCode>, DiskError> {
        if !self.gateway {
            return Ok(vec![self.own.clone()]);
        }
        let found = disk::complete(&self.room(room))?;
        let folders = found.iter().filter(|found| found.is_folder);
        Ok(folders.filter_map(|found| AgencyCode::parse(&found.name).ok()).collect())
    }
}

/// Returns the name of a received document: names sort by the time at which the hub received it.
/// Codes and ids have letters, digits, dots and dashes only.
pub fn received_name(at: Timestamp, sender: &AgencyCode, id: MessageId) -> String {
    format!("{}_{sender}_{id}", stamp(at))
}

/// Returns the sender and the id that [`received_name`] put into a name.
pub fn read_received_name(name: &str) -> Option<(AgencyCode, MessageId)> {
    let mut parts = name.rsplitn(3, '_');
    let (id, sender) = (parts.next()?, parts.next()?);
    Some((AgencyCode::parse(sender).ok()?, id.parse().ok()?))
}

/// Returns a moment in UTC+07:00 as a name: `20201116-080000.123`.
pub(crate) fn stamp(at: Timestamp) -> String {
    let text = at.to_string();
    let millis = at.millis().rem_euclid(1000);
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) => {
            format!("{}-{}.{millis:03}", day.replace('-', ""), time.replace(':', ""))
        }
        _ => format!("{:020}", at.millis()),
    }
}

/// Returns whether a name given from outside may stand in a folder here: 1 to 100 letters, digits,
/// dots, dashes and underscores, none that says that its writer is not done.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~');
    (1..=100).contains(&name.len()) && name.chars().all(plain) && !disk::is_unfinished(name)
}

/// Returns the first path in a folder that is free for a name: `NAME`, `NAME~2`, `NAME~3` …
pub(crate) fn free(folder: &Path, name: &str) -> PathBuf {
    let first = folder.join(name);
    if !first.exists() {
        return first;
    }
    // A folder has fewer entries than there are numbers.
    let mut numbered = (2u64..).map(|number| folder.join(format!("{name}~{number}")));
    numbered.find(|path| !path.exists()).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> AgencyCode {
        AgencyCode::parse(text).unwrap()
    }

    #[test]
    fn names_sort_by_time_and_give_back_sender_and_id() {
        let at = |text| Timestamp::parse(text).unwrap();
        let id = MessageId::new(at("2020-11-16"), [7; 10]);
        let early = received_name(at("2020-11-16T08:00:00.005+07:00"), &code("H36.12"), id);
        let late = received_name(at("2020-11-16T08:00:00.040+07:00"), &code("H01"), id);
        assert!(early < late, "{early} {late}");
        assert!(early.starts_with("20201116-080000.005_H36.12_"), "{early}");
        assert!(is_name(&early));
        assert_eq!(read_received_name(&early), Some((code("H36.12"), id)));
        assert_eq!(read_received_name("nothing"), None);
    }

    #[test]
    fn a_name_from_outside_cannot_lead_elsewhere() {
        for name in ["", "..", ".a", "a/b", "a\\b", "tmp-1", "a\0", "ế", &"a".repeat(101)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("cv-15_2020.a"));
    }

    #[test]
    fn a_gateway_has_a_folder_for_each_agency() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::new(folder.path(), code("H34"), true);
        places.make().unwrap();
        places.make_for(&code("H34.05")).unwrap();
        assert_eq!(places.agencies(Room::Outbox).unwrap(), [code("H34"), code("H34.05")]);
        assert!(places.of(Room::Inbox, &code("H34.05")).ends_with("inbox/H34.05"));
        let one = Places::new(folder.path(), code("H36"), false);
        assert!(one.of(Room::Inbox, &code("H36")).ends_with("inbox"));
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(folder.path(), "a").ends_with("a"));
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::create_dir(folder.path().join("a~2")).unwrap();
        assert!(free(folder.path(), "a").ends_with("a~3"));
    }
}
