//! Agencies that receive, acknowledge, and whose clerks report.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lienthong_client::sign_report;
use lienthong_model::{AgencyCode, MessageId, Position, StatusCode, StatusReport};
use rand::RngExt as _;

use super::sending::{Call, Sent, Then};
use super::{Event, PATIENCE, World, WorldError};
use crate::scenario::{Answers, FaultKind};

/// What a clerk has still to report on a document, each with its working time from the one before.
pub(super) struct Task {
    sender: AgencyCode,
    id: MessageId,
    steps: VecDeque<(StatusCode, Duration)>,
}

impl World<'_> {
    /// The hub pushes what it may.
    pub(super) fn push(&mut self) -> Result<(), WorldError> {
        loop {
            let pushes = self.hub.poll(self.now)?;
            for push in &pushes {
                let Some(node) = self.by_ordinal.get(&push.recipient).copied() else { continue };
                let (position, attempt) = (push.position, push.attempt);
                self.later(Event::Pushed { node, position, attempt });
            }
            if !self.hub.has_pushes() {
                return Ok(());
            }
        }
    }

    /// A delivery reaches a node: on its disk once, acknowledged each time.
    pub(super) fn pushed(
        &mut self,
        node: usize,
        position: Position,
        attempt: u32,
    ) -> Result<(), WorldError> {
        let code = self.nodes[node].member.entry.code.to_string();
        if !self.nodes[node].is_on() {
            return self.trace.line(self.now, "missed", &[&code, &position.0]);
        }
        let first = self.nodes[node].seen.insert(position);
        let what = if first { "received" } else { "received-again" };
        self.trace.line(self.now, what, &[&code, &position.0, &attempt])?;
        if first {
            self.hand_to_clerk(node, position)?;
        }
        if self.struck(FaultKind::AcknowledgementLost, node) {
            if !std::mem::replace(&mut self.nodes[node].reconnecting, true) {
                let patience = self.hub.patience().unwrap_or(PATIENCE);
                self.queue.put(self.now.plus(patience), Event::Reconnect(node));
            }
            return self.trace.line(self.now, "acknowledgement-lost", &[&code, &position.0]);
        }
        self.calls += 1;
        let number = self.calls;
        self.later(Event::Arrive(Call { number, node, sent: Sent::Acknowledge(position) }));
        Ok(())
    }

    fn hand_to_clerk(&mut self, node: usize, position: Position) -> Result<(), WorldError> {
        let Some(index) = self.clerks[node] else { return Ok(()) };
        let Some((sender, id)) = self.hub.named(position)? else { return Ok(()) };
        let steps = self.plan(&self.scenario.answers[index]);
        let Some((_, first)) = steps.front().copied() else { return Ok(()) };
        self.nodes[node].tasks.insert(position, Task { sender, id, steps });
        let at = self.scenario.calendar.after(self.now, first);
        self.queue.put(at, Event::Report { node, position });
        Ok(())
    }

    /// What a clerk will report.
    fn plan(&mut self, answers: &Answers) -> VecDeque<(StatusCode, Duration)> {
        use StatusCode::{Accepted, Assigned, Finished, Processing, Refused};
        let rng = &mut self.dice.clerks;
        let mut hours = |(least, most): (f64, f64)| {
            let hours = rng.random_range(least..=most);
            Duration::from_millis(crate::scenario::whole(hours * 3_600_000.0))
        };
        let accepted = hours(answers.accepted_hours);
        let processed = hours(answers.processed_hours);
        let finished = hours(answers.finished_hours);
        let assigned = self.dice.clerks.random_bool(answers.assigned);
        if self.dice.clerks.random_bool(answers.refused) {
            return VecDeque::from([(Refused, accepted)]);
        }
        let how_far = self.dice.clerks.random_range(0.0..1.0);
        let mut steps = VecDeque::new();
        if how_far < answers.accepted {
            steps.push_back((Accepted, accepted));
            if assigned {
                steps.push_back((Assigned, processed / 2));
            }
        }
        if how_far < answers.processed {
            steps.push_back((Processing, processed));
        }
        if how_far < answers.finished {
            steps.push_back((Finished, finished));
        }
        steps
    }

    /// A clerk reports the next step.
    pub(super) fn report(&mut self, node: usize, position: Position) -> Result<(), WorldError> {
        let id = self.new_id();
        let sender = &mut self.nodes[node];
        let Some(task) = sender.tasks.get_mut(&position) else { return Ok(()) };
        let Some((code, _)) = task.steps.pop_front() else { return Ok(()) };
        let from = sender.member.entry.code.clone();
        let about = (task.sender.clone(), task.id);
        let mut report = StatusReport::new(id, from.clone(), about, code);
        if code.needs_reason() {
            report = report.because("Không thuộc thẩm quyền giải quyết");
        }
        let signed = Arc::new(sign_report(&report, &[&sender.seal]));
        self.trace.line(self.now, "reported", &[&from, &position.0, &code])?;
        self.call(node, Sent::Report(signed), Then::Report(position))
    }

    /// The hub has a report: the next one follows after its working time.
    pub(super) fn reported(&mut self, node: usize, position: Position) -> Result<(), WorldError> {
        let task = self.nodes[node].tasks.get(&position);
        match task.and_then(|task| task.steps.front().copied()) {
            Some((_, work)) => {
                let at = self.scenario.calendar.after(self.now, work);
                self.queue.put(at, Event::Report { node, position });
            }
            None => drop(self.nodes[node].tasks.remove(&position)),
        }
        Ok(())
    }
}
