//! Agencies that write, sign and send, and send again what has no answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_client::{Signer, sign_document};
use lienthong_core::Span;
use lienthong_model::{
    Attachment, AttachmentEntry, Day, Document, Level, MessageId, Ordinal, Position, Recipient,
    Urgency,
};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;

use super::{Event, Outcome, Signed, World, WorldError};
use crate::draft;
use crate::scenario::{FaultKind, Traffic};

/// Drawing a recipient is tried so often for each that is wanted.
const TRIES: u32 = 8;

/// A message to the hub.
pub(super) struct Call {
    pub number: u64,
    pub node: usize,
    pub sent: Sent,
}

/// What is sent.
#[derive(Clone)]
pub(crate) enum Sent {
    Document(Signed),
    Report(Signed),
    Acknowledge(Position),
}

/// A call without an answer yet.
pub(super) struct Pending {
    pub node: usize,
    pub sent: Sent,
    pub then: Then,
}

/// What follows the answer.
pub(super) enum Then {
    /// A document; the right bytes, when these were changed on their way.
    Document { right: Option<Signed> },
    /// The next report on a delivery.
    Report(Position),
}

impl World<'_> {
    /// A day begins: how much is written on it, and when.
    pub(super) fn day(&mut self, day: Day) -> Result<(), WorldError> {
        let next = Day(day.0 + 1);
        if next.start() < self.scenario.end() {
            self.queue.put(next.start(), Event::Day(next));
        }
        let load = self.scenario.calendar.load(day);
        for (index, traffic) in self.scenario.traffic.iter().enumerate() {
            if !traffic.active(day) {
                continue;
            }
            let mean = traffic.per_day * load;
            let chance = self.dice.writing.random_bool(mean.fract());
            let count = crate::scenario::whole(mean) + u64::from(chance);
            for _ in 0..count {
                let share = self.dice.writing.random_range(0.0..1.0);
                let at = self.scenario.calendar.moment(day, share);
                // A world that began within the day has missed what was before.
                if at >= self.now {
                    self.queue.put(at, Event::Write(index));
                }
            }
        }
        Ok(())
    }

    /// Somebody can write, and somebody can be written to.
    pub(super) fn check_traffic(&self) -> Result<(), WorldError> {
        for (traffic, senders) in self.scenario.traffic.iter().zip(&self.senders) {
            let line = traffic.line;
            if senders.is_empty() {
                return Err(WorldError::NobodyIn { line, role: "to write" });
            }
            let reaches = |sender: &usize| self.recipients_from(traffic, *sender).next().is_some();
            if !senders.iter().any(reaches) {
                return Err(WorldError::NobodyIn { line, role: "to write to" });
            }
        }
        Ok(())
    }

    /// The groups of nodes that a sender may write to.
    fn recipients_from<'w>(
        &'w self,
        traffic: &'w Traffic,
        sender: usize,
    ) -> impl Iterator<Item = &'w [usize]> {
        let own = self.nodes[sender].province;
        let fits = move |province: Option<Ordinal>, level: Level| {
            let lies = match traffic.span {
                Span::Any => true,
                Span::Inside => own.is_some() && province == own,
                Span::Between => own.is_some() && province.is_some() && province != own,
                Span::Centre => own.is_none() || province.is_none(),
            };
            lies && traffic.to_level.is_none_or(|wanted| wanted == level)
        };
        let groups = self.places.iter();
        groups
            .filter(move |((province, level), group)| {
                fits(*province, *level) && group.iter().any(|other| *other != sender)
            })
            .map(|(_, group)| group.as_slice())
    }

    /// A document is written, signed and sent.
    pub(super) fn write(&mut self, index: usize) -> Result<(), WorldError> {
        let scenario = self.scenario;
        let traffic = &scenario.traffic[index];
        let day = self.now.day();
        let ready: Vec<usize> = self.senders[index]
            .iter()
            .copied()
            .filter(|node| {
                let member = &self.nodes[*node].member;
                member.connected.holds(day) && !member.outside
            })
            .collect();
        let Some(sender) = ready.choose(&mut self.dice.writing).copied() else {
            return self.trace.line(self.now, "nobody-writes", &[&traffic.line]);
        };
        let recipients = self.draw_recipients(traffic, sender);
        if recipients.is_empty() {
            return self.trace.line(self.now, "nobody-to-write-to", &[&traffic.line]);
        }
        let document = self.compose(traffic, sender, &recipients);
        self.sign_and_send(sender, document)
    }

    fn draw_recipients(&mut self, traffic: &Traffic, sender: usize) -> Vec<usize> {
        let groups: Vec<Vec<usize>> =
            self.recipients_from(traffic, sender).map(<[usize]>::to_vec).collect();
        let everybody = groups.concat();
        let (least, most) = traffic.fan_out;
        let wanted = self.dice.writing.random_range(least..=most);
        let mut drawn = BTreeSet::new();
        let mut ordered = Vec::new();
        for _ in 0..wanted * TRIES {
            let Some(one) = everybody.choose(&mut self.dice.writing).copied() else { break };
            if one != sender && drawn.insert(one) {
                ordered.push(one);
            }
            if ordered.len() >= wanted as usize {
                break;
            }
        }
        ordered
    }

    /// The document and its attachment.
    fn compose(
        &mut self,
        traffic: &Traffic,
        sender: usize,
        recipients: &[usize],
    ) -> (Document, Vec<Attachment>) {
        let id = self.new_id();
        let codes = recipients.iter().map(|node| self.nodes[*node].member.entry.code.clone());
        let to: Vec<Recipient> = codes.map(Recipient::from).collect();
        self.nodes[sender].written += 1;
        let number = self.nodes[sender].written;
        let from = self.nodes[sender].member.entry.code.clone();
        let rng = &mut self.dice.writing;
        let subject = draft::subject(rng.random());
        let kind = rng.random();
        let document_type = traffic.document_type.unwrap_or_else(|| draft::document_type(kind));
        let mut document =
            Document::new(id, from, to, subject, self.now).issued(number, document_type, "UBND");
        if rng.random_bool(traffic.urgent) {
            document.urgency = Urgency::Express;
        }
        document.business.paper_copy = rng.random_bool(traffic.paper);
        document.pages = rng.random_range(traffic.pages.0..=traffic.pages.1);
        let kib = rng.random_range(traffic.attachment_kib.0..=traffic.attachment_kib.1);
        if kib == 0 {
            return (document, Vec::new());
        }
        let text = format!("{}\n", document.subject);
        let bytes: Vec<u8> = text.bytes().cycle().take(kib as usize * 1_024).collect();
        let content_id = "cid:van-ban".to_owned();
        document.attachments.push(AttachmentEntry::of(content_id.clone(), "van-ban.txt", &bytes));
        (document, vec![Attachment { content_id, bytes: Bytes::from(bytes) }])
    }

    /// A new id of this moment; no two are the same.
    pub(super) fn new_id(&mut self) -> MessageId {
        self.ids += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.ids.to_be_bytes());
        MessageId::new(self.now, random)
    }

    fn sign_and_send(
        &mut self,
        sender: usize,
        (document, attachments): (Document, Vec<Attachment>),
    ) -> Result<(), WorldError> {
        let changed = self.struck(FaultKind::ContentChanged, sender);
        let signer = self.signer_of(sender)?;
        let signed = sign_document(&document, attachments.clone(), &[&signer]);
        let code = document.from.code.to_string();
        let recipients = document.recipients.len();
        self.trace.line(self.now, "written", &[&code, &document.id, &recipients])?;
        let signed = Arc::new(signed);
        let (sent, right) = match changed {
            false => (signed, None),
            true => {
                let pages = document.pages.saturating_add(1);
                let other = sign_document(&Document { pages, ..document }, attachments, &[&signer]);
                let changed =
                    lienthong_model::SignedContent { content: other.content, ..(*signed).clone() };
                (Arc::new(changed), Some(signed))
            }
        };
        self.call(sender, Sent::Document(sent), Then::Document { right })
    }

    /// The person, or the seal where it is enough; an expired or revoked one when a fault says so.
    fn signer_of(&mut self, sender: usize) -> Result<Signer, WorldError> {
        let expired = self.struck(FaultKind::CertificateExpired, sender);
        let code = self.nodes[sender].member.entry.code.clone();
        let generation = self.generation(sender);
        let node = &mut self.nodes[sender];
        if expired {
            if node.expired.is_none() {
                node.expired = Some(self.keys.expired(&code)?);
            }
            return Ok(node.expired.clone().unwrap_or_else(|| node.seal.clone()));
        }
        if !node.member.personal.holds(self.now.day()) {
            return Ok(node.seal.clone());
        }
        if let Some(leader) = node.leaders.get(&generation) {
            return Ok(leader.clone());
        }
        let leader = self.keys.leader(&code, generation)?;
        node.leaders.insert(generation, leader.clone());
        Ok(leader)
    }

    /// Sends something that needs an answer.
    pub(super) fn call(&mut self, node: usize, sent: Sent, then: Then) -> Result<(), WorldError> {
        self.calls += 1;
        let number = self.calls;
        self.pending.insert(number, Pending { node, sent, then });
        self.send(number)
    }

    /// Sends a call, or keeps it until the node is back.
    pub(super) fn send(&mut self, number: u64) -> Result<(), WorldError> {
        let Some(pending) = self.pending.get(&number) else { return Ok(()) };
        let (node, sent) = (pending.node, pending.sent.clone());
        if !self.nodes[node].is_on() {
            self.nodes[node].outbox.insert(number);
            return Ok(());
        }
        let code = self.nodes[node].member.entry.code.to_string();
        self.trace.line(self.now, "sent", &[&code, &number])?;
        self.later(Event::Arrive(Call { number, node, sent }));
        if let Some(patience) = self.hub.patience() {
            self.queue.put(self.now.plus(patience), Event::Overdue(number));
        }
        Ok(())
    }

    /// No answer for a minute: the same bytes again.
    pub(super) fn overdue(&mut self, number: u64) -> Result<(), WorldError> {
        self.send(number)
    }

    pub(super) fn answered(&mut self, number: u64, outcome: Outcome) -> Result<(), WorldError> {
        if matches!(outcome, Outcome::Unanswered) {
            return self.send(number);
        }
        let Some(Pending { node, sent, then }) = self.pending.remove(&number) else {
            return Ok(());
        };
        match then {
            Then::Document { right } => match (outcome, right) {
                (Outcome::Refused(_), Some(right)) => {
                    self.call(node, Sent::Document(right), Then::Document { right: None })
                }
                (Outcome::Accepted(_), _) => self.perhaps_again(node, sent),
                _ => Ok(()),
            },
            Then::Report(position) => match outcome {
                Outcome::Accepted(_) | Outcome::Repeated(_) => self.reported(node, position),
                Outcome::Refused(_) | Outcome::Acknowledged | Outcome::Unanswered => Ok(()),
            },
        }
    }

    /// A node that forgets that it has the receipt.
    fn perhaps_again(&mut self, node: usize, sent: Sent) -> Result<(), WorldError> {
        if !self.struck(FaultKind::DuplicateSubmission, node) {
            return Ok(());
        }
        self.calls += 1;
        let code = self.nodes[node].member.entry.code.to_string();
        self.trace.line(self.now, "sent-again", &[&code, &self.calls])?;
        let number = self.calls;
        self.later(Event::Arrive(Call { number, node, sent }));
        Ok(())
    }
}
