//! Clerks: what they report on a document, when, and how they answer what its sender asks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lienthong_model::{AgencyCode, MessageId, Position, StatusCode, StatusReport};
use rand::RngExt as _;

use super::hub::Sent;
use super::node::Answering;
use super::sending::Then;
use super::{Event, World, WorldError};
use crate::scenario::{Answers, whole};

/// Why a clerk refuses.
const NOT_OURS: &str = "Không thuộc thẩm quyền giải quyết";
/// Why a clerk refuses a change.
const TOO_FAR: &str = "Đã triển khai, không thể thay đổi";

/// What a clerk has still to report on a document, each with its working time from the one before.
pub(crate) struct Task {
    sender: AgencyCode,
    id: MessageId,
    steps: VecDeque<(StatusCode, Duration)>,
    /// What is answered by a document once it is finished.
    reply: Option<Answering>,
}

impl World<'_> {
    pub(super) fn hand_to_clerk(
        &mut self,
        node: usize,
        position: Position,
    ) -> Result<(), WorldError> {
        let Some(index) = self.clerks[node] else { return Ok(()) };
        let scenario = self.scenario;
        let answers = &scenario.answers[index];
        let steps = self.plan(answers, position);
        let Some((last, _)) = steps.back().copied() else { return Ok(()) };
        let replies = last == StatusCode::Finished && self.dice.clerks.random_bool(answers.reply);
        let Some(document) = self.hub.document(position)? else { return Ok(()) };
        let Some(sender) = self.node_of(document.sender) else { return Ok(()) };
        let Some((_, first)) = steps.front().copied() else { return Ok(()) };
        let code = self.nodes[sender].member.entry.code.clone();
        let (reference, subject) = (document.reference, document.subject);
        let reply = replies.then_some(Answering { sender, reference, subject });
        let task = Task { sender: code, id: document.id, steps, reply };
        self.nodes[node].tasks.insert(position, task);
        let at = scenario.calendar.after(self.now, first);
        self.queue.put(at, Event::Report { node, position });
        Ok(())
    }

    /// A time of a range of hours.
    pub(super) fn hours(&mut self, (least, most): (f64, f64)) -> Duration {
        let hours = self.dice.clerks.random_range(least..=most);
        Duration::from_millis(whole(hours * 3_600_000.0))
    }

    /// What a clerk will report.
    fn plan(&mut self, answers: &Answers, position: Position) -> VecDeque<(StatusCode, Duration)> {
        use StatusCode::{Accepted, Assigned, Finished, Processing, Refused};
        let mut accepted = self.hours(answers.accepted_hours);
        let processed = self.hours(answers.processed_hours);
        let finished = self.hours(answers.finished_hours);
        if self.dice.clerks.random_bool(answers.late) {
            accepted += self.hours(answers.late_hours);
        }
        let assigned = self.dice.clerks.random_bool(answers.assigned);
        if self.dice.clerks.random_bool(answers.refused) {
            return VecDeque::from([(Refused, accepted)]);
        }
        let drawn = self.dice.clerks.random_range(0.0..1.0);
        let how_far = if answers.by_document { share_of(position) } else { drawn };
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
        let Some(task) = self.nodes[node].tasks.get_mut(&position) else { return Ok(()) };
        let Some((code, _)) = task.steps.pop_front() else { return Ok(()) };
        let about = (task.sender.clone(), task.id);
        self.send_report(node, about, (code, position), Then::Report(position))
    }

    fn send_report(
        &mut self,
        node: usize,
        about: (AgencyCode, MessageId),
        (code, position): (StatusCode, Position),
        then: Then,
    ) -> Result<(), WorldError> {
        let id = self.new_id(self.now);
        let from = self.nodes[node].member.entry.code.clone();
        let mut report = StatusReport::new(id, from.clone(), about, code);
        if code.needs_reason() {
            let reason = if code == StatusCode::Refused { NOT_OURS } else { TOO_FAR };
            report = report.because(reason);
        }
        let signed = Arc::new(self.signed_report(&report, node)?);
        self.trace.line(self.now, "reported", &[&from, &position.0, &code])?;
        self.call(node, Sent::Report(signed), then)
    }

    /// The hub has a report: the next one follows after its working time, and a reply the last.
    pub(super) fn reported(&mut self, node: usize, position: Position) -> Result<(), WorldError> {
        let task = self.nodes[node].tasks.get(&position);
        if let Some((_, work)) = task.and_then(|task| task.steps.front().copied()) {
            let at = self.scenario.calendar.after(self.now, work);
            self.queue.put(at, Event::Report { node, position });
            return Ok(());
        }
        let done = self.nodes[node].tasks.remove(&position);
        match done.and_then(|task| task.reply) {
            Some(answering) => self.reply(node, answering),
            None => Ok(()),
        }
    }

    /// A sender asks for a change: a clerk decides in working time.
    pub(super) fn ask_clerk(&mut self, node: usize, position: Position) -> Result<(), WorldError> {
        let Some(index) = self.clerks[node] else { return Ok(()) };
        let hours = self.hours(self.scenario.answers[index].change_hours);
        let at = self.scenario.calendar.after(self.now, hours);
        self.queue.put(at, Event::Decide { node, position });
        Ok(())
    }

    /// 15 or 16. Whoever agrees to a recall stops its work.
    pub(super) fn decide_change(
        &mut self,
        node: usize,
        position: Position,
    ) -> Result<(), WorldError> {
        let Some(index) = self.clerks[node] else { return Ok(()) };
        let agreed = self.dice.clerks.random_bool(self.scenario.answers[index].change_agreed);
        let Some(document) = self.hub.document(position)? else { return Ok(()) };
        let Some(sender) = self.node_of(document.sender) else { return Ok(()) };
        let about = (self.nodes[sender].member.entry.code.clone(), document.id);
        let code = match agreed {
            true => StatusCode::ChangeAgreed,
            false => StatusCode::ChangeRefused,
        };
        self.send_report(node, about, (code, position), Then::Nothing(vec![sender]))
    }
}

/// A share from 0 to 1 that is the document's own.
fn share_of(position: Position) -> f64 {
    let mixed = position.0.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
}
