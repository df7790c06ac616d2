//! Documents: who writes what to whom, and with whose signature.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::{Signer, sign_document, sign_report};
use lienthong_model::limits::INLINE_ATTACHMENT_BYTES_MAX;
use lienthong_model::{
    Answer, Attachment, AttachmentEntry, Correspondent, Day, Document, DocumentType, MessageId,
    Recipient, SignatureEntry, SignedContent, StatusReport, Timestamp, Urgency, Written,
};
use lienthong_trust::{Holder, REHEARSED};
use rand::RngExt as _;

use super::node::Answering;
use super::sending::Sheet;
use super::{Event, World, WorldError};
use crate::scenario::{FaultKind, Traffic, whole};
use crate::{draft, pdf};

/// The name by which an attachment's bytes are found.
const CONTENT_ID: &str = "cid:van-ban";

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
            let count = whole(mean) + u64::from(chance);
            for _ in 0..count {
                let share = self.dice.writing.random_range(0.0..1.0);
                let at = self.scenario.calendar.moment(day, share);
                // A world that began within the day has missed what was before.
                if at >= self.began {
                    self.queue.put(at, Event::Write(index));
                }
            }
        }
        Ok(())
    }

    /// A document is written, signed and sent.
    pub(super) fn write(&mut self, index: usize) -> Result<(), WorldError> {
        let scenario = self.scenario;
        let traffic = &scenario.traffic[index];
        let (lane, dice) = (&self.lanes[index], &mut self.dice.writing);
        let Some(sender) = lane.draw_sender(&self.nodes, self.now.day(), dice) else {
            return self.trace.line(self.now, "nobody-writes", &[&traffic.line]);
        };
        let from = (sender, self.nodes[sender].province);
        let recipients = lane.draw_recipients(traffic, from, dice);
        let (subject, kind) = (dice.random(), dice.random());
        let kind = traffic.document_type.unwrap_or_else(|| draft::document_type(kind));
        let subject = draft::subject_of(kind, subject);
        let mut document = self.document(sender, &recipients, kind, subject);
        let attachment = self.furnish(traffic, &mut document);
        self.sign_and_send(document, attachment, Sheet::new(sender, recipients, Some(index)))
    }

    /// A clerk answers a document by one of its own.
    pub(super) fn reply(&mut self, node: usize, to: Answering) -> Result<(), WorldError> {
        let recipients = vec![to.sender];
        let subject = format!("Trả lời Văn bản số {}: {}", to.reference.text, to.subject);
        let subject = subject.chars().take(400).collect();
        let mut document = self.document(node, &recipients, DocumentType::OFFICIAL_LETTER, subject);
        let reference = to.reference;
        let part = |text: Option<String>| text.unwrap_or_default();
        document.answers.push(Answer {
            code: Written::code(part(reference.code)),
            document_code: format!("{}/{}", part(reference.number), part(reference.notation)),
            date: Written::date(part(reference.date)),
            reference: reference.text,
        });
        document.pages = 1;
        self.sign_and_send(document, None, Sheet::new(node, recipients, None))
    }

    /// A document of a sender with what every document has.
    pub(super) fn document(
        &mut self,
        sender: usize,
        recipients: &[usize],
        kind: DocumentType,
        subject: String,
    ) -> Document {
        let at = self.clock_of(sender, recipients);
        let id = self.new_id(at);
        let to: Vec<Recipient> = recipients
            .iter()
            .map(|node| Recipient::from(self.nodes[*node].member.entry.code.clone()))
            .collect();
        let year = self.now.day().to_string().get(..4).and_then(|year| year.parse().ok());
        let node = &mut self.nodes[sender];
        let number = node.next_number(year.unwrap_or_default());
        let entry = &node.member.entry;
        let from = Correspondent::new(entry.code.clone()).named(entry.name.clone());
        let unit = draft::unit(entry.level);
        let mut document = Document::new(id, from, to, subject, at).issued(number, kind, unit);
        document.urgency = Urgency::Normal;
        document
    }

    /// A node's clock, right or off.
    fn clock_of(&mut self, node: usize, others: &[usize]) -> Timestamp {
        let Some(fault) = self.strikes(FaultKind::ClockOff, node, others) else { return self.now };
        let minutes = self.scenario.faults[fault].clock_minutes;
        let off = Duration::from_secs(u64::from(minutes.unsigned_abs()) * 60);
        if minutes < 0 { self.now.minus(off) } else { self.now.plus(off) }
    }

    /// Urgency, due date, pages and attachment, as a traffic has them.
    fn furnish(&mut self, traffic: &Traffic, document: &mut Document) -> Option<Bytes> {
        let now = self.now;
        let dice = &mut self.dice.writing;
        let urgencies = &traffic.urgencies;
        let mut drawn = dice.random_range(0.0..1.0);
        for (share, urgency) in [
            (urgencies.express, Urgency::Express),
            (urgencies.very_urgent, Urgency::VeryUrgent),
            (urgencies.urgent, Urgency::Urgent),
            (urgencies.timed, Urgency::ExpressTimed),
        ] {
            if (0.0..share).contains(&drawn) {
                document.urgency = urgency;
            }
            drawn -= share;
        }
        if document.urgency == Urgency::ExpressTimed {
            let hours = dice.random_range(1..=2);
            document.deliver_by = Written::moment(now.plus(Duration::from_secs(hours * 3_600)));
        }
        if let Some((least, most)) = traffic.due_days {
            let day = now.day().0 + dice.random_range(least..=most).cast_signed();
            document.due = Written::deadline(Day(day).to_string().replace('-', "/"));
        }
        document.business.paper_copy = dice.random_bool(traffic.paper);
        document.pages = dice.random_range(traffic.pages.0..=traffic.pages.1);
        let kib = dice.random_range(traffic.attachment_kib.0..=traffic.attachment_kib.1);
        if kib == 0 {
            return None;
        }
        let lines = draft::letter(document);
        let letter =
            pdf::Letter { lines: &lines, pages: document.pages, bytes: kib as usize * 1_024 };
        let bytes = Bytes::from(pdf::write(&letter));
        let mut entry = AttachmentEntry::of(CONTENT_ID, "van-ban.pdf", &bytes);
        entry.media_type = "application/pdf".to_owned();
        entry.is_document = true;
        document.attachments.push(entry);
        Some(bytes)
    }

    /// A new id of a moment; no two are the same.
    pub(super) fn new_id(&mut self, at: Timestamp) -> MessageId {
        self.ids += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.ids.to_be_bytes());
        MessageId::new(at, random)
    }

    /// Signs a document and sends it; a large attachment is uploaded first.
    pub(super) fn sign_and_send(
        &mut self,
        mut document: Document,
        attachment: Option<Bytes>,
        mut sheet: Sheet,
    ) -> Result<(), WorldError> {
        let (sender, others) = (sheet.sender, sheet.recipients.clone());
        let changed = self.strikes(FaultKind::ContentChanged, sender, &others).is_some();
        let signer = self.signer_of(sender, &others)?;
        if let Holder::Person { name, title, .. } = signer.certificate().holder() {
            (document.signer.position, document.signer.full_name) = (title.clone(), name.clone());
        }
        let mut beside = Vec::new();
        if let Some(bytes) = attachment {
            if bytes.len() > INLINE_ATTACHMENT_BYTES_MAX {
                sheet.upload = Some(bytes);
            } else {
                beside.push(Attachment { content_id: CONTENT_ID.to_owned(), bytes });
            }
        }
        sheet.id = Some(document.id);
        let code = &self.nodes[sender].member.entry.code;
        self.trace.line(self.now, "written", &[code, &document.id, &others.len()])?;
        // Of a signature that was not made nobody can tell that the content was changed after it.
        // The die is thrown all the same, so that nothing else changes.
        let rehearsed = self.is_rehearsed() && !changed;
        let signed = Arc::new(match rehearsed {
            false => sign_document(&document, beside, &[&signer]),
            true => Self::rehearsed(sign_document(&document, beside, &[]), &signer),
        });
        let sent = match changed {
            false => signed,
            true => {
                let pages = document.pages.saturating_add(1);
                let other = Document { pages, ..document };
                let content = sign_document(&other, Vec::new(), &[]).content;
                sheet.right = Some(signed.clone());
                Arc::new(SignedContent { content, ..(*signed).clone() })
            }
        };
        self.hand_over(sent, sheet)
    }

    /// Signs a report.
    pub(super) fn signed_report(
        &mut self,
        report: &StatusReport,
        node: usize,
    ) -> Result<SignedContent, WorldError> {
        let seal = self.nodes[node].seal(&self.keys)?;
        Ok(match self.is_rehearsed() {
            false => sign_report(report, &[&seal]),
            true => Self::rehearsed(sign_report(report, &[]), &seal),
        })
    }

    /// Whether a signature may be left out, as the scenario's share of signatures has it.
    fn is_rehearsed(&mut self) -> bool {
        let share = self.scenario.signatures;
        share < 1.0 && !self.dice.signing.random_bool(share)
    }

    /// Content with what stands for a signature that was not made.
    fn rehearsed(content: SignedContent, signer: &Signer) -> SignedContent {
        let certificate = signer.certificate();
        let entry = SignatureEntry {
            certificate: *certificate.fingerprint(),
            value: Bytes::from_static(&REHEARSED),
        };
        let certificates = vec![certificate.der().clone()];
        SignedContent { signatures: vec![entry], certificates, ..content }
    }

    /// The person, or the seal where it is enough; another's, an expired or a revoked one when a
    /// fault says so.
    fn signer_of(&mut self, sender: usize, others: &[usize]) -> Result<Signer, WorldError> {
        if self.strikes(FaultKind::CertificateWrong, sender, others).is_some() {
            let other = (sender + 1) % self.nodes.len();
            return self.nodes[other].seal(&self.keys);
        }
        let expired = self.strikes(FaultKind::CertificateExpired, sender, others).is_some();
        let generation = self.generation(sender);
        let personal = self.nodes[sender].member.personal.holds(self.now.day());
        let keys = &self.keys;
        let node = &mut self.nodes[sender];
        let code = &node.member.entry.code;
        if expired {
            if node.expired.is_none() {
                node.expired = Some(keys.expired(code)?);
            }
            return node.expired.clone().map_or_else(|| node.seal(keys), Ok);
        }
        if !personal {
            return node.seal(keys);
        }
        if let Some(leader) = node.leaders.get(&generation) {
            return Ok(leader.clone());
        }
        let leader = keys.leader(code, generation)?;
        node.leaders.insert(generation, leader.clone());
        Ok(leader)
    }
}
