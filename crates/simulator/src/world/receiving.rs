//! Agencies that receive: documents and notices reach a node's disk, and the hub is told so.

use std::time::Duration;

use lienthong_core::{NoticeKind, NoticeNumber};
use lienthong_model::{Ordinal, Position};

use super::hub::Sent;
use super::{Arrived, Event, Leaving, PATIENCE, World, WorldError};
use crate::scenario::FaultKind;

/// After how long a node tells the hub of the notices that came meanwhile.
const NOTICES_AFTER: Duration = Duration::from_secs(2);

impl World<'_> {
    /// The hub pushes what it may.
    pub(super) fn push(&mut self) -> Result<(), WorldError> {
        let Leaving { documents, notices } = self.hub.poll(self.now)?;
        for Arrived { recipient, position, attempt } in documents {
            let Some(node) = self.node_of(recipient) else { continue };
            let senders = self.sender_when(FaultKind::Delay, position)?;
            let added = self.delay(FaultKind::Delay, node, &senders);
            self.later(Event::Pushed { node, position, attempt }, added);
        }
        for (agency, number) in notices {
            let Some(node) = self.node_of(agency) else { continue };
            // They come by a stream: none overtakes another.
            let under_way = self.network() + self.delay(FaultKind::Delay, node, &[]);
            let at = self.now.plus(under_way).max(self.nodes[node].noticed_until);
            self.nodes[node].noticed_until = at;
            self.queue.put(at, Event::Noticed { node, number });
        }
        Ok(())
    }

    /// Whom a delivery is from, when a fault under way may ask for it.
    pub(super) fn sender_when(
        &self,
        kind: FaultKind,
        position: Position,
    ) -> Result<Vec<usize>, WorldError> {
        if !self.hits.is_under_way(kind) {
            return Ok(Vec::new());
        }
        let document = self.hub.document(position)?;
        Ok(document.and_then(|row| self.node_of(row.sender)).into_iter().collect())
    }

    pub(super) fn node_of(&self, ordinal: Ordinal) -> Option<usize> {
        self.by_ordinal.get(&ordinal).copied()
    }

    /// A delivery reaches a node: on its disk once, acknowledged each time.
    pub(super) fn pushed(
        &mut self,
        node: usize,
        position: Position,
        attempt: u32,
    ) -> Result<(), WorldError> {
        let code = &self.nodes[node].member.entry.code;
        if !self.nodes[node].is_on() {
            return self.trace.line(self.now, "missed", &[code, &position.0]);
        }
        let code = code.clone();
        let first = self.nodes[node].seen.insert(position);
        let what = if first { "received" } else { "received-again" };
        self.trace.line(self.now, what, &[&code, &position.0, &attempt])?;
        if first {
            self.hand_to_clerk(node, position)?;
        }
        let senders = self.sender_when(FaultKind::AcknowledgementLost, position)?;
        if self.strikes(FaultKind::AcknowledgementLost, node, &senders).is_some() {
            if !std::mem::replace(&mut self.nodes[node].reconnecting, true) {
                let patience = self.hub.patience().min(PATIENCE);
                self.queue.put(self.now.plus(patience), Event::Reconnect(node));
            }
            return self.trace.line(self.now, "acknowledgement-lost", &[&code, &position.0]);
        }
        let senders = self.sender_when(FaultKind::SlowReader, position)?;
        let slow = self.delay(FaultKind::SlowReader, node, &senders);
        if slow.is_zero() {
            return self.acknowledge(node, position);
        }
        self.queue.put(self.now.plus(slow), Event::Acknowledge { node, position });
        Ok(())
    }

    /// A node that is still there acknowledges.
    pub(super) fn acknowledge(
        &mut self,
        node: usize,
        position: Position,
    ) -> Result<(), WorldError> {
        if self.nodes[node].is_on() {
            let sender = self.sender_when(FaultKind::Delay, position)?;
            self.tell(node, Sent::Acknowledge(position), &sender);
        }
        Ok(())
    }

    /// A notice reaches a node. What asks for a decision goes to a clerk, what ends a task ends it.
    pub(super) fn noticed(&mut self, node: usize, number: NoticeNumber) -> Result<(), WorldError> {
        if !self.nodes[node].is_on() {
            return Ok(());
        }
        // The hub may not have heard that it knows one that comes again.
        if !std::mem::replace(&mut self.nodes[node].tells_notices, true) {
            self.queue.put(self.now.plus(NOTICES_AFTER), Event::KnowsNotices(node));
        }
        if number <= self.nodes[node].notices {
            return Ok(());
        }
        self.nodes[node].notices = number;
        // One that the hub no longer has is known by now.
        let agency = self.nodes[node].ordinal;
        let Some((kind, position)) = self.hub.notice(agency, number)? else { return Ok(()) };
        match kind {
            NoticeKind::RecallRequested
            | NoticeKind::UpdateRequested
            | NoticeKind::ReplacementRequested => self.ask_clerk(node, position),
            NoticeKind::Withdrawn | NoticeKind::Replaced => {
                self.nodes[node].tasks.remove(&position);
                Ok(())
            }
            NoticeKind::Reported
            | NoticeKind::Updated
            | NoticeKind::Undelivered
            | NoticeKind::Unanswered
            | NoticeKind::Overdue
            | NoticeKind::DeliverByMissed
            | NoticeKind::OverdueHere
            | NoticeKind::Reminder => Ok(()),
        }
    }

    /// A node tells the hub up to which notice it knows all.
    pub(super) fn acknowledge_notices(&mut self, node: usize) -> Result<(), WorldError> {
        self.nodes[node].tells_notices = false;
        if self.nodes[node].is_on() {
            let through = self.nodes[node].notices;
            self.tell(node, Sent::AcknowledgeNotices(through), &[]);
        }
        Ok(())
    }
}
