//! What is changed: documents and reports of two agencies, their certificates, and what an
//! attacker could add: a PKI of its own with the same names, and a certificate of the true issuing
//! authority by the false root.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{
    AgencyCode, Answer, Attachment, AttachmentEntry, DOCUMENT_V1, Digest, Document, DocumentType,
    Extension, Fingerprint, MessageId, Recipient, STATUS_V1, SignatureEntry, SignedContent,
    StatusCode, StatusReport, Timestamp, Wrapping, Written,
};
use lienthong_pki::{Authority, Identity, Profile, SecretKey, TestPki, Validity};
use lienthong_trust::{Certificate, Revoked, dsse};
use lienthong_wire::{encode_document, encode_status};

/// 2020-11-16 08:00 in Viet Nam.
pub const NOW: Timestamp = Timestamp::from_millis(1_605_488_400_000);
const VALIDITY: Validity = Validity {
    not_before: Timestamp::from_millis(1_546_300_800_000),
    not_after: Timestamp::from_millis(1_893_456_000_000),
};
const SEED: [u8; 32] = [1; 32];

/// Something valid.
pub struct Original {
    pub signed: SignedContent,
    pub sender: AgencyCode,
    pub digest: Digest,
    pub signers: HashSet<Fingerprint>,
}

pub struct Corpus {
    pub documents: Vec<Original>,
    pub reports: Vec<Original>,
    /// Everything that an attacker can put among the certificates.
    pub certificates: Vec<Bytes>,
    pub lists: Vec<Bytes>,
    pub pki: TestPki,
    /// Signs whatever it likes, for its own agency.
    pub insider: Identity,
    /// The same person as an honest one, by the false PKI.
    pub impostor: Identity,
    pub node: Identity,
    /// Authorities: the true ones, the false ones.
    pub authorities: Vec<Arc<Certificate>>,
}

pub fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

fn person(agency: &str) -> Profile {
    Profile::Person {
        agency: code(agency),
        person: "chief".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Chủ tịch".to_owned(),
    }
}

/// Signs a content and puts the chain of every signer beside it.
pub fn sign(pki: &TestPki, kind: &str, content: Bytes, by: &[&Identity]) -> SignedContent {
    let message = dsse::pre_authentication_encoding(kind, &content);
    let signature = |identity: &&Identity| SignatureEntry {
        certificate: *identity.certificate.fingerprint(),
        value: Bytes::copy_from_slice(&identity.key.sign(&message)),
    };
    let above = [pki.issuing(), pki.root()].map(Authority::certificate);
    let leaves = by.iter().map(|identity| &identity.certificate);
    SignedContent {
        content_type: kind.to_owned(),
        content,
        signatures: by.iter().map(signature).collect(),
        certificates: leaves.chain(above).map(|certificate| certificate.der().clone()).collect(),
        attachments: Vec::new(),
    }
}

impl Original {
    fn of(signed: SignedContent, sender: &str) -> Self {
        let digest = dsse::content_digest(&signed.content_type, &signed.content);
        let signers = signed.signatures.iter().map(|entry| entry.certificate).collect();
        Self { signed, sender: code(sender), digest, signers }
    }
}

fn plain(number: u8, from: &str, to: &[&str]) -> Document {
    let id = MessageId::new(NOW, [number; 10]);
    let to = to.iter().map(|to| Recipient::from(code(to)));
    Document::new(id, code(from), to, "Về việc họp trực tuyến", NOW).issued(
        u32::from(number),
        DocumentType::OFFICIAL_LETTER,
        "UBND",
    )
}

fn rich(number: u8, from: &str, attachments: &[Attachment]) -> Document {
    let entry = |attachment: &Attachment| AttachmentEntry {
        content_id: attachment.content_id.clone(),
        name: "Phụ lục.pdf".to_owned(),
        description: String::new(),
        media_type: "application/pdf".to_owned(),
        wrapping: Wrapping::None,
        size: attachment.bytes.len() as u64,
        sha256: Digest::of(&attachment.bytes),
        is_document: false,
    };
    let answer = Answer {
        code: Written::code("H40"),
        document_code: "15/QĐ-UBND".to_owned(),
        reference: "H40,2020/11/02,15/QĐ-UBND".to_owned(),
        date: Written::date("2020/11/02"),
    };
    let mut document = plain(number, from, &["H40", "G22", "000.00.12.H36"]);
    document.recipients.push(Recipient::List("provinces".to_owned()));
    document.recipients.extend((0..40).map(|n| Recipient::from(code(&format!("H36.{n}")))));
    document.places_to = vec!["Như trên".to_owned(), "Lưu: VT".to_owned()];
    document.answers = vec![answer.clone(), answer];
    document.extensions = vec![Extension { path: "a/b".to_owned(), text: "c".to_owned() }];
    document.business.reason = "thay thế".to_owned();
    document.business.staff.ids = vec!["1".to_owned()];
    document.attachments = attachments.iter().map(entry).collect();
    document
}

fn report(number: u8, from: &str, to: &str, status: StatusCode) -> StatusReport {
    let about = (code(to), MessageId::new(NOW, [1; 10]));
    let id = MessageId::new(NOW, [number; 10]);
    StatusReport::new(id, code(from), about, status).because("vì nhầm nơi nhận")
}

impl Corpus {
    pub fn new() -> Self {
        let pki = TestPki::new(SEED, VALIDITY).unwrap();
        let stranger = TestPki::new([2; 32], VALIDITY).unwrap();
        let of = |pki: &TestPki, profile: &Profile| pki.identity(profile).unwrap();
        let (chief36, chief40) = (of(&pki, &person("H36")), of(&pki, &person("H40")));
        let (seal36, seal40) = (pki.seal(&code("H36")).unwrap(), pki.seal(&code("H40")).unwrap());
        let impostor = of(&stranger, &person("H36"));
        let node = pki.node(&code("H36")).unwrap();
        let name = "Lienthong test authority";
        let issuing_key = SecretKey::derive(&SEED, "issuing");
        let crossed = stranger.root().issuing_authority(name, VALIDITY, issuing_key, 0).unwrap();
        let authorities: Vec<_> =
            [pki.issuing(), pki.root(), &crossed, stranger.root(), stranger.issuing()]
                .map(|authority| authority.certificate().clone())
                .to_vec();
        let leaves = [&chief36, &chief40, &seal36, &seal40, &impostor, &node];
        let certificates = leaves.map(|identity| identity.certificate.der().clone());
        let issuers = authorities.iter().map(|authority| authority.der().clone());
        Self {
            documents: documents(&pki, [&chief36, &seal36, &chief40, &seal40]),
            reports: reports(&pki, [&chief36, &seal36, &chief40, &seal40]),
            certificates: certificates.into_iter().chain(issuers).collect(),
            lists: lists(&pki, &stranger),
            insider: chief40,
            impostor,
            node,
            authorities,
            pki,
        }
    }
}

fn documents(pki: &TestPki, [chief36, seal36, chief40, seal40]: [&Identity; 4]) -> Vec<Original> {
    let attachment = |id: &str, byte| Attachment {
        content_id: id.to_owned(),
        bytes: Bytes::from(vec![byte; 700]),
    };
    let attachments = vec![attachment("cid:1", 1), attachment("cid:2", 2)];
    let signed = |document: &Document, by: &[&Identity]| {
        sign(pki, DOCUMENT_V1, encode_document(document), by)
    };
    let with_attachments = SignedContent {
        attachments: attachments.clone(),
        ..signed(&rich(2, "H36", &attachments), &[chief36])
    };
    vec![
        Original::of(signed(&plain(1, "H36", &["H40"]), &[chief36, seal36]), "H36"),
        Original::of(with_attachments, "H36"),
        Original::of(signed(&plain(3, "H40", &["H36"]), &[chief40, seal40]), "H40"),
        Original::of(signed(&rich(4, "H40", &[]), &[seal40, chief40]), "H40"),
    ]
}

fn reports(pki: &TestPki, [chief36, seal36, _, seal40]: [&Identity; 4]) -> Vec<Original> {
    let signed =
        |report: &StatusReport, by: &[&Identity]| sign(pki, STATUS_V1, encode_status(report), by);
    let recall = StatusReport {
        recipients: vec![code("H40"), code("G22")],
        ..report(12, "H36", "H36", StatusCode::RecallRequested)
    };
    vec![
        Original::of(signed(&report(11, "H40", "H36", StatusCode::Refused), &[seal40]), "H40"),
        Original::of(signed(&recall, &[seal36, chief36]), "H36"),
    ]
}

fn lists(pki: &TestPki, stranger: &TestPki) -> Vec<Bytes> {
    let later = Timestamp::from_millis(NOW.millis() + 7 * 24 * 3_600_000);
    let revoked = |serial: u8| Revoked { serial: vec![serial; 16], at: NOW, reason: serial % 2 };
    let some: Vec<Revoked> = (1..=20).map(revoked).collect();
    vec![
        pki.issuing().revocation_list(1, NOW, later, &[]).unwrap(),
        pki.issuing().revocation_list(2, NOW, later, &some).unwrap(),
        pki.root().revocation_list(1, NOW, later, &some[..2]).unwrap(),
        stranger.issuing().revocation_list(3, NOW, later, &some).unwrap(),
    ]
}
