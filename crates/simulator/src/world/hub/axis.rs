//! The virtual hub as agencies meet it, and what it says in the end: read from `core` itself.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use lienthong_core::engine::Blocks as _;
use lienthong_core::statistics::{self, Cubes, Direction, Flow, Period, Refusals, Volumes};
use lienthong_core::{
    Command, Decision, Directory, DocumentView, Mailbox as _, MailboxLane, Place, Span,
};
use lienthong_model::{AgencyCode, Day, MessageId, Ordinal, Position, Timestamp};
use lienthong_trust::Revoked;

use super::{Hub, Outcome, replayed, rows};
use crate::scenario::{Days, FaultKind};
use crate::world::axis::{Account, AccountError, Arrived, Axis, Declined};
use crate::world::keys::Keys;
use crate::world::sending::Sent;
use crate::world::{PATIENCE, WorldError};

/// More than ever waits in one mailbox.
const WAITING_MAX: usize = usize::MAX;

impl Axis for Hub {
    fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal> {
        Hub::ordinal(self, code)
    }

    fn is_up(&self) -> bool {
        self.machine.is_some()
    }

    fn open(&mut self, agency: Ordinal) {
        Hub::open(self, agency);
    }

    fn close(&mut self, agency: Ordinal) {
        Hub::close(self, agency);
    }

    fn take(&mut self, number: u64, caller: Ordinal, sent: Sent) {
        Hub::take(self, number, caller, sent);
    }

    fn commit(&mut self, now: Timestamp) -> Result<Vec<(u64, Outcome)>, WorldError> {
        Ok(Hub::commit(self, now)?)
    }

    fn has_waiting(&self) -> bool {
        Hub::has_waiting(self)
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        Hub::next_deadline(self)
    }

    fn poll(&mut self, now: Timestamp) -> Result<Vec<Arrived>, WorldError> {
        let pushes = Hub::poll(self, now)?.into_iter();
        let arrived = pushes.map(|push| Arrived {
            recipient: push.recipient,
            position: push.position,
            attempt: push.attempt,
        });
        Ok(arrived.collect())
    }

    fn has_pushes(&self) -> bool {
        Hub::has_pushes(self)
    }

    fn named(&self, position: Position) -> Result<Option<(AgencyCode, MessageId)>, WorldError> {
        let (Some(machine), Some(document)) = (&self.machine, self.query().document(position)?)
        else {
            return Ok(None);
        };
        let directory = &machine.policy().directory;
        let sender = directory.agency(document.sender);
        let code = sender.map(|sender| sender.entry(document.received_at).code.clone());
        Ok(code.map(|code| (code, document.id)))
    }

    fn kill(&mut self) -> Result<(), WorldError> {
        Hub::kill(self);
        Ok(())
    }

    fn start(&mut self) -> Result<(), WorldError> {
        Ok(Hub::start(self)?)
    }

    fn revoke(
        &mut self,
        keys: &Keys,
        number: u64,
        at: Timestamp,
        revoked: &[Revoked],
    ) -> Result<(), WorldError> {
        Hub::revoke(self, keys, number, at, revoked)
    }

    fn disturb(&mut self, _: FaultKind, _: &[Ordinal], _: bool) {
        // The network is modelled by the world itself.
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn finish(&mut self) -> Result<(), WorldError> {
        Ok(Hub::finish(self)?)
    }

    fn stop(&mut self) -> Result<(), WorldError> {
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }
}

impl Hub {
    /// Who is written to and who waits is asked of a hub that runs; one that does not has nobody.
    fn cubes(&self) -> Arc<RwLock<Cubes>> {
        self.machine.as_ref().map(super::MemoryMachine::cubes).unwrap_or_default()
    }

    fn counted<T>(&self, count: impl FnOnce(&Cubes) -> T) -> T {
        count(&self.cubes().read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Account for Hub {
    fn directory(&self) -> Arc<Directory> {
        let machine = self.machine.as_ref();
        machine.map(|machine| machine.policy().directory.clone()).unwrap_or_default()
    }

    fn documents(&self) -> Result<Vec<DocumentView>, AccountError> {
        let size = self.machine.as_ref().map_or(0, super::MemoryMachine::log_size);
        let mut documents = Vec::new();
        for position in 0..size {
            documents.extend(self.query().track(Position(position))?);
        }
        Ok(documents)
    }

    fn volumes(&self, days: Option<Days>) -> Result<Volumes, AccountError> {
        Ok(self.counted(|cubes| statistics::volumes(cubes, &self.state, period(days)))?)
    }

    fn flows(&self, days: Option<Days>) -> Result<Vec<Flow>, AccountError> {
        Ok(self.counted(|cubes| statistics::flows(cubes, &self.state, period(days)))?)
    }

    fn refusals(&self, days: Option<Days>) -> Result<Refusals, AccountError> {
        Ok(self.counted(|cubes| statistics::refusals(cubes, &self.state, period(days)))?)
    }

    fn electronic(
        &self,
        days: Option<Days>,
        counts: &dyn Fn(Place) -> bool,
    ) -> Result<(u64, u64), AccountError> {
        let (mut electronic, mut all) = (0, 0);
        let mut visit = |province, cell: &statistics::KindCell, sum: statistics::Cell| {
            let inside = cell.direction == Direction::Received && cell.scope == Span::Inside;
            if inside && counts(Place { province, level: cell.level }) {
                all += sum.count;
                electronic += if cell.paper_copy { 0 } else { sum.count };
            }
        };
        self.counted(|cubes| cubes.visit_kind(&self.state, period(days), &mut visit))?;
        Ok((electronic, all))
    }

    fn declined(&self) -> Result<Vec<Declined>, AccountError> {
        let (directory, mut declined, mut number) = (self.directory(), Vec::new(), 1);
        while let Some(block) = self.blocks.block(number)? {
            number += 1;
            for entry in &block.entries {
                if let (Command::Refused { requests, province }, Decision::Refused(refusal)) =
                    (&entry.command, &entry.decision)
                {
                    let id = requests.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
                    let caller = directory.code(requests.caller, block.time);
                    declined.push(Declined {
                        at: block.time,
                        reason: refusal.reason,
                        province: *province,
                        shown: format!("{id} ({caller}): {}", refusal.reason.code()),
                    });
                }
            }
        }
        Ok(declined)
    }

    fn mailboxes(&self) -> Result<Option<BTreeSet<(Ordinal, Position)>>, AccountError> {
        let mut waiting = BTreeSet::new();
        for agency in self.directory().agencies() {
            for lane in [MailboxLane::Urgent, MailboxLane::Ordinary] {
                let mail = self.query().waiting(agency.ordinal, lane, None, WAITING_MAX)?;
                waiting.extend(mail.into_iter().map(|position| (agency.ordinal, position)));
            }
        }
        Ok(Some(waiting))
    }

    fn replay(&self) -> Result<Option<Vec<String>>, AccountError> {
        let (state, mut machine) = replayed(&self.blocks, &self.payloads)?;
        machine.cut()?;
        let (found, again) = (rows(&self.state)?, rows(&state)?);
        let mut broken = Vec::new();
        if found.len() != again.len() {
            broken.push(format!("{} rows, replayed {}", found.len(), again.len()));
        }
        let differing = found.iter().zip(&again).filter(|(one, other)| one != other);
        broken.extend(differing.map(|((key, _), _)| format!("row {}", key.escape_ascii())));
        Ok(Some(broken))
    }

    fn distrusted(&self) -> Option<Vec<String>> {
        None
    }

    fn blocks(&self) -> Result<u64, AccountError> {
        let mut blocks = 0;
        while self.blocks.block(blocks + 1)?.is_some() {
            blocks += 1;
        }
        Ok(blocks)
    }

    fn repeated(&self) -> u64 {
        self.repeated
    }

    fn restarts(&self) -> u64 {
        self.restarts
    }
}

/// Days as a period of the statistics.
fn period(days: Option<Days>) -> Period {
    let end = |days: Days| Day(days.last.0.saturating_add(1)).start();
    days.map_or(Period::ALL, |days| Period { from: days.first.start(), until: end(days) })
}
