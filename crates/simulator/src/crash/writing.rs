//! Writing: documents of every kind, one after the other, some handed over twice, some taken back.

use std::path::PathBuf;
use std::sync::Arc;

use lienthong_client::{
    CallError, Client, FileDigest, Receipt, Reports, Submissions, TransferError, sign_document,
    sign_report,
};
use lienthong_model::{
    AgencyCode, AttachmentEntry, Document, DocumentType, Extension, MessageId, Recipient,
    SignedContent, StatusCode, StatusReport,
};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::books::{Name, Reported, Sent};
use super::ground::{AGENCIES, code, now};
use super::traffic::Shared;

/// The agency that writes to all communes.
const TO_ALL: &str = "G22";
/// The list of them.
const COMMUNES: &str = "communes-of:H34";
/// Bytes of an attachment at least: above what may travel beside a document.
const ATTACHMENT_BYTES: usize = 1_100_000;
/// Different attachments of one client.
const ATTACHMENTS: u32 = 8;

/// The ways of a client to the hub.
#[derive(Clone)]
pub(super) struct Streams {
    pub stream: Submissions,
    pub reports: Reports,
    pub patient: Client,
    /// Tries once: what fails is in doubt.
    pub impatient: Client,
}

/// Somebody who writes.
pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub agency: &'static str,
    /// Which of the agency's writers.
    pub lane: usize,
    pub streams: Streams,
    pub rng: ChaCha8Rng,
}

/// What one document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// In a record.
    Small,
    /// Too large for a record: its content is a payload file.
    Large,
    /// With an attachment that is uploaded.
    Attached,
    /// To a list, fanned out in slices.
    ToAll,
}

/// Writes and submits documents, one after the other.
pub(super) async fn write(mut writer: Writer) {
    let mut writing = writer.shared.writing.subscribe();
    while writing.wait_for(|writing| *writing).await.is_ok() {
        if writer.shared.begin() {
            if let Err(why) = writer.one().await {
                writer.shared.wrong(why);
            }
            writer.shared.end();
        }
    }
}

impl Writer {
    /// One document, from writing it to taking it back.
    async fn one(&mut self) -> Result<(), String> {
        let kind = self.kind();
        let id = MessageId::new(now(), self.rng.random());
        let name: Name = (code(self.agency), id);
        let sent = self.letter(kind, id).await?;
        let (signed, recipients) = (sent.signed.clone(), sent.recipients.clone());
        self.shared.note(|books| {
            books.touched.insert(name.clone());
            books.sent.insert(name.clone(), sent);
        });
        let receipt = self.submit(&signed).await.map_err(|error| format!("{name:?}: {error}"))?;
        self.accepted(&name, &signed, receipt)?;
        // Now and then it is handed over once more although there is a receipt.
        if self.rng.random_ratio(1, 16) {
            let again = self.streams.stream.submit(signed.clone()).await;
            let receipt = again.map_err(|error| format!("{name:?} again: {error}"))?;
            self.accepted(&name, &signed, receipt)?;
        }
        if kind == Kind::ToAll {
            self.shared.note(|books| books.figures.fan_outs += 1);
        } else if self.rng.random_ratio(1, 12) {
            self.take_back(&name, &recipients).await?;
        }
        Ok(())
    }

    fn kind(&mut self) -> Kind {
        match self.rng.random_range(0..192) {
            0..8 => Kind::Large,
            // One file of an agency is under way at a time.
            8..32 if self.lane == 0 => Kind::Attached,
            32..40 if self.agency == TO_ALL && !self.shared.communes.is_empty() => Kind::ToAll,
            _ => Kind::Small,
        }
    }

    async fn letter(&mut self, kind: Kind, id: MessageId) -> Result<Sent, String> {
        let others = AGENCIES.into_iter().filter(|other| *other != self.agency);
        let others: Vec<AgencyCode> = others.map(code).collect();
        let first = self.rng.random_range(0..others.len());
        let count = self.rng.random_range(1..=others.len());
        let (recipients, to): (Vec<AgencyCode>, Vec<Recipient>) = match kind {
            Kind::ToAll => {
                (self.shared.communes.clone(), vec![Recipient::List(COMMUNES.to_owned())])
            }
            _ => {
                let to = others.iter().cycle().skip(first).take(count);
                (to.clone().cloned().collect(), to.cloned().map(Recipient::from).collect())
            }
        };
        let number = self.rng.random_range(1..10_000);
        let mut document = Document::new(id, code(self.agency), to, "Về việc", id.time()).issued(
            number,
            DocumentType::OFFICIAL_LETTER,
            "UBND",
        );
        let filling = match kind {
            Kind::Large => 20_000,
            _ => self.rng.random_range(1..1_500),
        };
        document.extensions = (0..filling / 1_000 + 1)
            .map(|part| Extension {
                path: format!("phan/{part}"),
                text: "x".repeat(filling.min(1_000)),
            })
            .collect();
        let mut bytes = 0;
        if kind == Kind::Attached {
            let FileDigest { size, sha256 } = self.upload().await?;
            let entry = AttachmentEntry::of("cid:phu-luc", "phu-luc.zip", b"");
            document.attachments = vec![AttachmentEntry { size, sha256, ..entry }];
            bytes = size;
        }
        let signed = sign_document(&document, Vec::new(), &[&self.shared.seals[self.agency]]);
        bytes += signed.content.len() as u64;
        Ok(Sent { signed, recipients, bytes, receipt: None })
    }

    /// Makes an attachment and brings it to the hub.
    async fn upload(&mut self) -> Result<FileDigest, String> {
        let variant = self.rng.random_range(0..ATTACHMENTS);
        let path: PathBuf = self.shared.folder.join(format!("{}-{variant}", self.agency));
        let mut bytes = vec![variant.to_le_bytes()[0]; ATTACHMENT_BYTES + variant as usize];
        for (to, from) in bytes.iter_mut().zip(self.agency.bytes()) {
            *to = from;
        }
        let failed = |error: TransferError| format!("an upload of {}: {error}", self.agency);
        tokio::fs::write(&path, bytes).await.map_err(|error| error.to_string())?;
        let whole = FileDigest::of(&path, |_| ()).await.map_err(failed)?;
        self.streams.patient.upload(&path, &whole, |_| ()).await.map_err(failed)?;
        self.shared.enter(|books| books.figures.uploads += 1);
        Ok(whole)
    }

    /// Hands a document over; every third one by a client that does not try again by itself.
    async fn submit(&mut self, signed: &SignedContent) -> Result<Receipt, CallError> {
        if self.rng.random_ratio(1, 3) {
            match self.streams.impatient.submit(signed.clone()).await {
                Err(error) if in_doubt(&error) => {
                    self.shared.note(|books| books.figures.doubts += 1);
                }
                outcome => return outcome,
            }
        }
        self.streams.stream.submit(signed.clone()).await
    }

    /// Checks a receipt's proof and enters both.
    fn accepted(
        &self,
        name: &Name,
        signed: &SignedContent,
        receipt: Receipt,
    ) -> Result<(), String> {
        let key = self.shared.key.lock().clone();
        let key = key.ok_or("the log's key is unknown")?;
        let stated = receipt.prove(signed, &key);
        let stated = stated.map_err(|why| format!("the receipt of {name:?}: {why}"))?;
        self.shared.enter(|books| {
            books.stated(stated.size, stated.root);
            books.accepted(name, receipt);
        });
        Ok(())
    }

    /// Asks for a document back.
    async fn take_back(&mut self, name: &Name, recipients: &[AgencyCode]) -> Result<(), String> {
        let id = MessageId::new(now(), self.rng.random());
        let report =
            StatusReport::new(id, code(self.agency), name.clone(), StatusCode::RecallRequested)
                .because("Gửi nhầm");
        let signed = sign_report(&report, &[&self.shared.seals[self.agency]]);
        match self.streams.reports.report(signed.clone()).await {
            Ok(receipt) => {
                let told = receipt.changes.len();
                let recall = Reported { code: StatusCode::RecallRequested, signed, receipt };
                self.shared.enter(|books| books.recalled.insert(name.clone(), recall));
                if told != recipients.len() {
                    return Err(format!("the recall of {name:?} says nothing of some recipients"));
                }
                Ok(())
            }
            // Everybody had finished, or refused it.
            Err(CallError::Refused(_)) => {
                self.shared.enter(|books| books.figures.recalls_refused += 1);
                Ok(())
            }
            Err(error) => Err(format!("the recall of {name:?}: {error}")),
        }
    }
}

fn in_doubt(error: &CallError) -> bool {
    error.may_pass() || matches!(error, CallError::Unreachable(_))
}
