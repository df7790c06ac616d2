//! The virtual hub as agencies meet it, and what it says in the end: read from `core` itself.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::statistics::{
    self, Cubes, Flow, IndicatorQuestion, PAGE_PRICE, Period, PlaceIndicators, Refusals, Source,
    Volumes,
};
use lienthong_core::{
    Block, Command, Decision, Directory, DocumentView, Entry, Mailbox as _, MailboxLane,
    NoticeKind, NoticeNumber, Push,
};
use lienthong_ledger::MemoryState;
use lienthong_model::{AgencyCode, Day, Ordinal, Position, Timestamp};

use super::post::Outgoing;
use super::{Examination, Hub, MemoryMachine, Outcome, Sent, Told};
use crate::scenario::{Days, FaultKind};
use crate::world::axis::{
    Account, AccountError, Arrived, Axis, Declined, Journalled, Leaving, Meanwhile, Named,
};
use crate::world::keys::Keys;
use crate::world::{PATIENCE, WorldError};

/// More than ever waits in one mailbox.
const WAITING_MAX: usize = usize::MAX;

impl Axis for Hub {
    fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal> {
        // Asked before anything is decided elsewhere.
        self.desk.as_ref()?.ordinal(code)
    }

    fn life(&self) -> u64 {
        self.told.restarts
    }

    fn is_up(&self) -> bool {
        self.is_up
    }

    fn open(&mut self, agency: Ordinal) {
        self.desk().post.open(agency);
    }

    fn close(&mut self, agency: Ordinal) {
        self.desk().post.close(agency);
    }

    fn take(
        &mut self,
        number: u64,
        caller: Ordinal,
        sent: &Sent,
        examination: Option<Examination>,
    ) -> Result<Option<Outcome>, WorldError> {
        Ok(Hub::take(self, number, caller, sent, examination)?)
    }

    fn examine(&self, sent: &Sent) -> Option<Examination> {
        self.examining.begin(sent)
    }

    fn is_writing(&self) -> bool {
        self.is_writing
    }

    fn begin_block(&mut self, now: Timestamp, meanwhile: Meanwhile) -> Result<(), WorldError> {
        Hub::begin_block(self, now, meanwhile);
        Ok(())
    }

    fn end_block(&mut self, now: Timestamp) -> Result<Vec<(u64, Outcome)>, WorldError> {
        let answers = Hub::end_block(self, now)?;
        self.check_acts()?;
        Ok(answers)
    }

    fn has_waiting(&mut self) -> bool {
        Hub::has_waiting(self)
    }

    fn next_deadline(&mut self) -> Option<Timestamp> {
        self.desk().machine.as_ref()?.next_deadline()
    }

    fn poll(&mut self, now: Timestamp) -> Result<Leaving, WorldError> {
        let Outgoing { documents, notices } = Hub::poll(self, now)?;
        let arrived = |push: Push| Arrived {
            recipient: push.recipient,
            position: push.position,
            attempt: push.attempt,
        };
        let noticed = |push: Push| (push.recipient, NoticeNumber(push.position.0));
        Ok(Leaving {
            documents: documents.into_iter().map(arrived).collect(),
            notices: notices.into_iter().map(noticed).collect(),
        })
    }

    fn document(&self, position: Position) -> Result<Option<Named>, WorldError> {
        let document = self.query().document(position)?;
        Ok(document.map(|row| Named {
            sender: row.sender,
            id: row.id,
            reference: row.reference,
            subject: row.subject,
        }))
    }

    fn notice(
        &self,
        _: Ordinal,
        number: NoticeNumber,
    ) -> Result<Option<(NoticeKind, Position)>, WorldError> {
        let notice = self.query().notice(number)?;
        Ok(notice.map(|notice| (notice.kind, notice.delivery.position)))
    }

    fn kill(&mut self) -> Result<(), WorldError> {
        Ok(Hub::kill(self)?)
    }

    fn start(&mut self) -> Result<(), WorldError> {
        Ok(Hub::start(self)?)
    }

    fn take_list(&mut self, keys: &Keys, list: &Bytes) -> Result<(), WorldError> {
        Ok(Hub::take_list(self, keys, list)?)
    }

    fn set_low(&mut self, low: bool) -> Result<(), WorldError> {
        self.desk().low = low;
        Ok(())
    }

    fn disturb(&mut self, _: FaultKind, _: &[Ordinal], _: bool) {
        // The network is modelled by the world itself.
    }

    fn disturbs(&self, _: FaultKind) -> bool {
        false
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn finish(&mut self) -> Result<(), WorldError> {
        self.desk();
        self.follower.end();
        Ok(())
    }

    fn stop(&mut self) -> Result<(), WorldError> {
        Ok(())
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    #[cfg(test)]
    fn set_flaw(&mut self, flaw: crate::world::Flaw) {
        self.flaw = Some(flaw);
    }

    #[cfg(test)]
    fn early_answers(&mut self) -> Vec<(u64, Outcome)> {
        Hub::early_answers(self)
    }
}

impl Hub {
    /// The machine in the end, when nothing is decided elsewhere any more. A hub that is killed starts
    /// again before the end: the reader of scenarios says so.
    fn machine(&self) -> Option<&MemoryMachine> {
        self.desk.as_ref()?.machine.as_ref()
    }

    /// The statistics, as of the last block that was replayed.
    fn statistics(&self) -> (&RwLock<Cubes>, &MemoryState) {
        (&self.follower.cubes, self.follower.statistics())
    }
}

impl Account for Hub {
    fn directory(&self) -> Arc<Directory> {
        let machine = self.machine();
        machine.map(|machine| machine.policy().directory.clone()).unwrap_or_default()
    }

    fn each(&self, visit: &mut dyn FnMut(&DocumentView)) -> Result<(), AccountError> {
        Ok(self.query().each_tracked(visit)?)
    }

    fn volumes(&self, days: Option<Days>) -> Result<Volumes, AccountError> {
        let (cubes, tables) = self.statistics();
        Ok(statistics::volumes(cubes, tables, period(days))?)
    }

    fn flows(&self, days: Option<Days>) -> Result<Vec<Flow>, AccountError> {
        let (cubes, tables) = self.statistics();
        Ok(statistics::flows(cubes, tables, period(days))?)
    }

    fn refusals(&self, days: Option<Days>) -> Result<Refusals, AccountError> {
        let (cubes, tables) = self.statistics();
        Ok(statistics::refusals(cubes, tables, period(days))?)
    }

    fn indicators(
        &self,
        days: Option<Days>,
        province: Option<Ordinal>,
    ) -> Result<Vec<PlaceIndicators>, AccountError> {
        let Some(machine) = self.machine() else { return Ok(Vec::new()) };
        let directory = machine.policy().directory.clone();
        let (cubes, tables) = self.statistics();
        let source = Source { cubes, tables, directory: &directory };
        let now = machine.last_time().unwrap_or(self.begin);
        let period = period(days);
        let asked = IndicatorQuestion { period, province, now, page_price: PAGE_PRICE };
        Ok(source.indicators(&asked, &machine.policy().targets)?)
    }

    fn journal(&self) -> Result<Journalled, AccountError> {
        Ok(self.journalled.clone())
    }

    fn mailboxes(&self) -> Result<Option<BTreeSet<(Ordinal, Position)>>, AccountError> {
        let mut waiting = BTreeSet::new();
        for agency in Account::directory(self).agencies() {
            for lane in [MailboxLane::Urgent, MailboxLane::Ordinary] {
                let mail = self.query().waiting(agency.ordinal, lane, None, WAITING_MAX)?;
                waiting.extend(mail.into_iter().map(|position| (agency.ordinal, position)));
            }
        }
        Ok(Some(waiting))
    }

    fn replay(&self) -> Result<Option<Vec<String>>, AccountError> {
        Ok(Some(self.follower.differing()))
    }

    fn distrusted(&self) -> Option<Vec<String>> {
        None
    }

    fn told(&self) -> Told {
        let repeated = self.desk.as_ref().map_or(0, |desk| desk.repeated);
        Told { repeated, ..self.told }
    }
}

impl Journalled {
    /// Reads a block.
    pub(super) fn read(&mut self, block: &Block, directory: &Directory) {
        self.blocks += 1;
        for entry in &block.entries {
            self.note(entry, block.time, directory);
        }
    }

    fn note(&mut self, entry: &Entry, at: Timestamp, directory: &Directory) {
        match (&entry.command, &entry.decision) {
            (Command::Submit(_), Decision::Accepted(accepted)) => {
                self.documents += 1;
                if !accepted.unproven.is_empty() {
                    self.unproven.push(accepted.position);
                }
            }
            (Command::Refused { requests, province }, Decision::Refused(refusal)) => {
                let id = requests.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
                let caller = directory.code(requests.caller, at);
                self.declined.push(Declined {
                    at,
                    reason: refusal.reason,
                    province: *province,
                    shown: format!("{id} ({caller}): {}", refusal.reason.code()),
                });
            }
            _ => {}
        }
    }
}

/// Days as a period of the statistics.
fn period(days: Option<Days>) -> Period {
    let end = |days: Days| Day(days.last.0.saturating_add(1)).start();
    days.map_or(Period::ALL, |days| Period { from: days.first.start(), until: end(days) })
}
