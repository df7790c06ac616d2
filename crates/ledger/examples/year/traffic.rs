//! The traffic of a year with ten million documents, entry by entry.

use bytes::Bytes;
use lienthong_core::*;
use lienthong_model::{
    Addressee, AgencyCode, BusinessKind, Digest, DocumentType, Fingerprint, Header, MessageId,
    Ordinal, Position, Reference, StatusCode, StatusHeader, Timestamp, Urgency,
};
use lienthong_trust::SignatureKind;

use super::hub::Hub;

const YEAR_MS: u64 = 365 * DAY_MS;
const DAY_MS: u64 = 86_400_000;
/// Documents in a year.
const PER_YEAR: u64 = 10_000_000;
/// From one document to the next.
const EVERY_MS: u64 = YEAR_MS / PER_YEAR;
/// Documents in one block, beside what is due of earlier ones.
const PER_BLOCK: u64 = 40;
/// Reports in one block, of one kind.
const REPORTS_MAX: u64 = 150;

/// Numbers that look like chance and can be had again.
pub fn mixed(of: u64) -> u64 {
    let mut number = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

pub fn random_bytes<const N: usize>(of: u64) -> [u8; N] {
    let mut bytes = [0; N];
    for (at, piece) in (0..).zip(bytes.chunks_mut(8)) {
        let random = mixed(of.wrapping_mul(31).wrapping_add(at)).to_le_bytes();
        piece.copy_from_slice(&random[..piece.len()]);
    }
    bytes
}

pub fn text(of: u64, bytes: usize) -> Vec<u8> {
    const SYLLABLES: [&str; 20] = [
        "văn", "bản", "ủy", "ban", "nhân", "dân", "tỉnh", "quyết", "định", "công", "tác", "báo",
        "cáo", "triển", "khai", "thực", "hiện", "kế", "hoạch", "ngày",
    ];
    let mut text = Vec::with_capacity(bytes + 16);
    let mut at = of;
    while text.len() < bytes {
        at = mixed(at);
        for word in [at as usize % 400, (at >> 32) as usize % 400] {
            text.extend_from_slice(SYLLABLES[word % 20].as_bytes());
            text.push(b' ');
            text.extend_from_slice(SYLLABLES[word / 20].as_bytes());
            text.push(b' ');
        }
    }
    text.truncate(bytes);
    text
}

/// The year.
pub struct Year {
    begin: u64,
    codes: Vec<AgencyCode>,
    /// Bytes that agencies signed and sent.
    pub sent_bytes: u64,
    /// The number of the last notice.
    pub last_notice: u64,
    notices: Vec<NoticeKey>,
    /// Documents submitted; acknowledged; and of each kind of report and delay, reported on.
    pub submitted: u64,
    acknowledged: u64,
    reported: [[u64; 4]; 2],
}

/// Delays of 03 and 06 in days, by the document's number modulo 4.
const DELAYS: [[u64; 4]; 2] = [[1, 2, 3, 4], [6, 7, 8, 9]];

impl Year {
    /// A year that begins a minute after a country was founded.
    pub fn of(codes: Vec<AgencyCode>, founded: Timestamp) -> Self {
        Self {
            begin: u64::try_from(founded.millis()).unwrap() + 60_000,
            codes,
            sent_bytes: 0,
            last_notice: 0,
            notices: Vec::new(),
            submitted: 0,
            acknowledged: 0,
            reported: [[0; 4]; 2],
        }
    }

    pub fn at(&self, document: u64) -> u64 {
        self.begin + document * EVERY_MS
    }

    pub fn id(&self, document: u64) -> MessageId {
        let at = Timestamp::from_millis(i64::try_from(self.at(document)).unwrap());
        MessageId::new(at, random_bytes(document * 64))
    }

    /// A document's number, by its id.
    pub fn number(&self, id: &MessageId) -> u64 {
        (u64::try_from(id.time().millis()).unwrap() - self.begin) / EVERY_MS
    }

    pub fn sender(&self, document: u64) -> usize {
        mixed(document) as usize % self.codes.len()
    }

    pub fn recipients(&self, document: u64) -> [usize; 3] {
        let first = mixed(document + 1) as usize;
        [0, 1, 2].map(|at| (first + at * 977) % self.codes.len())
    }

    pub fn submit(&mut self, hub: &Hub, document: u64, position: Position) -> Entry {
        let (sender, recipients) = (self.sender(document), self.recipients(document));
        // What judgement asks of an id.
        let ordinal = Ordinal(sender as u32);
        let id = self.id(document);
        assert_eq!(Query(&*hub.state).position(ordinal, &id).unwrap(), None);
        let now = Timestamp::from_millis(self.at(document) as i64);
        let content = text(document, 1_450);
        self.sent_bytes += content.len() as u64 + 64;
        let day = now.day().to_string().replace('-', "/");
        let number = document / self.codes.len() as u64 + 1;
        let written = format!("{},{day},{number}/QĐ-UBND", self.codes[sender]);
        let header = Header {
            id,
            sender: self.codes[sender].clone(),
            recipients: recipients.map(|one| Addressee::Agency(self.codes[one].clone())).to_vec(),
            reference: Reference {
                text: written,
                code: Some(self.codes[sender].to_string()),
                date: Some(day),
                number: Some(number.to_string()),
                notation: Some("QĐ-UBND".to_owned()),
            },
            subject: String::from_utf8_lossy(&text(document + 7, 70)).into_owned(),
            document_type: DocumentType::DECISION,
            urgency: Urgency::Normal,
            deliver_by: None,
            signed_at: now,
            due: None,
            pages: 3,
            paper_copy: false,
            kind: BusinessKind::New,
            acts_on: None,
            attachments: Vec::new(),
            answers: Vec::new(),
            reason: String::new(),
            recipient_changes: Vec::new(),
        };
        let directory = &hub.machine.policy().directory;
        let place =
            |agency: usize| directory.place(directory.agency(Ordinal(agency as u32)).unwrap(), now);
        let deliveries = recipients.map(|one| Delivery {
            recipient: Ordinal(one as u32),
            route: Route::OwnNode,
            place: place(one),
        });
        let accepted = Accepted {
            position,
            sender: ordinal,
            signature: SignatureKind::Personal,
            deliveries: deliveries.to_vec(),
            place: place(sender),
            unproven: Vec::new(),
            used: None,
            change: None,
            notices: None,
            same_reference: None,
            resolution: None,
            terms: None,
        };
        let submit =
            Submit { caller: ordinal, header, signed: record(document * 8, content, sender) };
        Entry { command: Command::Submit(Box::new(submit)), decision: Decision::Accepted(accepted) }
    }

    pub fn report(
        &mut self,
        hub: &Hub,
        document: u64,
        at: usize,
        code: StatusCode,
        now: Timestamp,
        position: Position,
    ) -> Entry {
        let recipient = self.recipients(document)[at];
        let sender = Ordinal(self.sender(document) as u32);
        let number = document * 8 + 1 + at as u64 * 2 + u64::from(code == StatusCode::Finished);
        let id = MessageId::new(now, random_bytes(number * 64));
        let ordinal = Ordinal(recipient as u32);
        let query = Query(&*hub.state);
        assert_eq!(query.position(ordinal, &id).unwrap(), None);
        let of = query.position(sender, &self.id(document)).unwrap().expect("a known document");
        let delivery = DeliveryKey { recipient: ordinal, position: of };
        let content = text(number, 210);
        self.sent_bytes += content.len() as u64 + 64;
        let header = StatusHeader {
            id,
            from: self.codes[recipient].clone(),
            document_sender: self.codes[sender.0 as usize].clone(),
            document: self.id(document),
            code,
            reason: String::new(),
            recipients: Vec::new(),
            signed_at: now,
        };
        self.last_notice += 1;
        let first = NoticeNumber(self.last_notice);
        self.notices.push(NoticeKey { agency: sender, number: first });
        let told = vec![Told { to: sender, kind: NoticeKind::Reported, delivery }];
        let reported = Reported {
            position,
            delivery,
            notices: Some(Notices { first, told }),
            change: None,
            answered: None,
            unproven: Vec::new(),
        };
        let signed = record(number, content, recipient);
        Entry {
            command: Command::Report(Box::new(Report { caller: ordinal, header, signed })),
            decision: Decision::Reported(reported),
        }
    }

    /// Acknowledgements of what was submitted.
    fn acknowledge(&mut self, hub: &Hub, entries: &mut Vec<Entry>) {
        let until = self.submitted.min(self.acknowledged + PER_BLOCK * 2);
        for document in self.acknowledged..until {
            let sender = Ordinal(self.sender(document) as u32);
            let position = Query(&*hub.state).position(sender, &self.id(document)).unwrap();
            for recipient in self.recipients(document) {
                let recipient = Ordinal(recipient as u32);
                let key = DeliveryKey { recipient, position: position.unwrap() };
                let delivery = AcknowledgedDelivery { key, attempts: 1 };
                let deliveries = vec![delivery];
                let outcomes = vec![AcknowledgeOutcome::Counted];
                entries.push(Entry {
                    command: Command::Acknowledge(Acknowledge { caller: recipient, deliveries }),
                    decision: Decision::Acknowledged(Acknowledged { outcomes }),
                });
            }
        }
        self.acknowledged = until;
        let left = std::mem::take(&mut self.notices);
        if let Some(first) = left.first() {
            let caller = first.agency;
            entries.push(Entry {
                command: Command::AcknowledgeNotices(AcknowledgeNotices {
                    caller,
                    keys: left.clone(),
                    through: None,
                }),
                decision: Decision::NoticesAcknowledged(NoticesAcknowledged { left, more: false }),
            });
        }
    }

    /// One block; `false` when nothing is left to do.
    pub fn block(&mut self, hub: &mut Hub, until: u64, reports: bool) -> bool {
        let mut entries = Vec::new();
        let mut position = hub.machine.log_size();
        let due_at = self.at(self.submitted);
        let now = Timestamp::from_millis(i64::try_from(due_at).unwrap());
        if reports {
            self.acknowledge(hub, &mut entries);
            for (kind, code) in [(0, StatusCode::Accepted), (1, StatusCode::Finished)] {
                for (class, delay) in DELAYS[kind].iter().enumerate() {
                    let mut count = 0;
                    loop {
                        let document = self.reported[kind][class] * 4 + class as u64;
                        let due = self.at(document) + delay * DAY_MS;
                        if document >= self.acknowledged || due > due_at || count >= REPORTS_MAX {
                            break;
                        }
                        self.reported[kind][class] += 1;
                        let silent = mixed(document + 5) % 100 < 5;
                        let finishing = if kind == 1 && silent { 2 } else { 3 };
                        for at in 0..finishing {
                            let entry =
                                self.report(hub, document, at, code, now, Position(position));
                            entries.push(entry);
                            position += 1;
                            count += 1;
                        }
                    }
                }
            }
        }
        let last = until.min(self.submitted + PER_BLOCK);
        for document in self.submitted..last {
            let entry = self.submit(hub, document, Position(position));
            entries.push(entry);
            position += 1;
        }
        self.submitted = last;
        let any = !entries.is_empty();
        hub.order(now, entries);
        any
    }
}

fn record(of: u64, content: Vec<u8>, signer: usize) -> SignedRecord {
    let chain = [signer as u64, 1 << 40, 2 << 40];
    SignedRecord {
        content_type: "application/vnd.lienthong.document.v1+protobuf".to_owned(),
        content: Stored::Inline(content.into()),
        attachments: Vec::new(),
        digest: Digest(random_bytes(of ^ (1 << 50))),
        signatures_digest: Digest(random_bytes(of ^ (2 << 50))),
        signatures: vec![SignatureRecord {
            chain: chain.map(|of| Fingerprint::of(&of.to_le_bytes())).to_vec(),
            value: Bytes::copy_from_slice(&random_bytes::<64>(of ^ (3 << 50))),
        }],
        new_certificates: Vec::new(),
    }
}
