//! Documents wrong in one way each.

use bytes::Bytes;
use lienthong_client::sign_document;
use lienthong_core::Command;
use lienthong_model::limits::CONTENT_BYTES_MAX;
use lienthong_model::{
    Attachment, Capacity, Day, Document, Fingerprint, Mandate, MessageId, Quota, Recipient,
    Signatory, SignedContent,
};
use lienthong_pki::{Identity, Profile, TestPki, Validity};

use super::sample::Sample;
use super::scene::Scene;
use crate::harness::{code, days, document, list, noise, now, validity, with_attachment};

/// A letter of H36 to its department, sealed.
fn right(scene: &Scene) -> SignedContent {
    letter(scene, "H36")
}

/// A letter to H36's department, sealed by its sender.
pub fn letter(scene: &Scene, from: &str) -> SignedContent {
    scene.world.letter(from, &["H36.12"])
}

/// A letter of H36, sealed.
pub fn to(scene: &Scene, recipients: &[&str]) -> SignedContent {
    scene.world.letter("H36", recipients)
}

/// A letter from one agency to another, sealed.
pub fn between(scene: &Scene, from: &str, to: &str) -> SignedContent {
    scene.world.letter(from, &[to])
}

pub fn other_type(scene: &Scene) -> SignedContent {
    SignedContent { content_type: "text/plain".to_owned(), ..right(scene) }
}

pub fn too_large(scene: &Scene) -> SignedContent {
    SignedContent { content: vec![0; CONTENT_BYTES_MAX + 1].into(), ..right(scene) }
}

pub fn garbage(scene: &Scene) -> SignedContent {
    SignedContent { content: Bytes::from_static(&[0xff; 20]), ..right(scene) }
}

pub fn superfluous(scene: &Scene) -> SignedContent {
    let attachment = Attachment { content_id: "cid:x".to_owned(), bytes: noise(10) };
    SignedContent { attachments: vec![attachment], ..right(scene) }
}

pub fn short_signature(scene: &Scene) -> SignedContent {
    let mut signed = right(scene);
    signed.signatures[0].value = Bytes::from_static(&[1; 63]);
    signed
}

pub fn unseen_signer(scene: &Scene) -> SignedContent {
    let mut signed = right(scene);
    signed.signatures[0].certificate = Fingerprint::of(b"nobody has seen it");
    signed
}

/// The letter with the certificate `der` in the place of the signer's.
fn signed_with(scene: &Scene, der: Bytes) -> SignedContent {
    let mut signed = right(scene);
    signed.signatures[0].certificate = Fingerprint::of(&der);
    signed.certificates.push(der);
    signed
}

pub fn no_certificate(scene: &Scene) -> SignedContent {
    signed_with(scene, Bytes::from_static(b"no certificate"))
}

pub fn weak_key(scene: &Scene) -> SignedContent {
    let mut sample = Sample::seal();
    sample.key = vec![0; 32];
    signed_with(scene, sample.sign(1))
}

pub fn signed_by_node(scene: &Scene) -> SignedContent {
    let node = scene.world.node("H36").certificate;
    signed_with(scene, node.der().clone())
}

/// A PKI that the hub does not know.
fn stranger() -> TestPki {
    TestPki::new([77; 32], validity()).unwrap()
}

/// The letter, signed by a holder of a certificate with these others beside it.
fn signed_by(document: &Document, by: &Identity, others: &[&Bytes]) -> SignedContent {
    let issuers = others.iter().map(|der| (*der).clone()).collect();
    let key = by.key.to_signing_key();
    let signer = lienthong_client::Signer::new(by.certificate.clone(), issuers, key).unwrap();
    sign_document(document, Vec::new(), &[&signer])
}

pub fn without_issuer(_: &Scene) -> SignedContent {
    let seal = stranger().seal(&code("H36")).unwrap();
    signed_by(&document("H36", &["H36.12"]), &seal, &[])
}

pub fn strangers(_: &Scene) -> SignedContent {
    let pki = stranger();
    let seal = pki.seal(&code("H36")).unwrap();
    let [issuing, root] = [pki.issuing(), pki.root()].map(|one| one.certificate().der().clone());
    signed_by(&document("H36", &["H36.12"]), &seal, &[&issuing, &root])
}

pub fn other_signature(scene: &Scene) -> SignedContent {
    let mut signed = right(scene);
    signed.signatures[0].value = right(scene).signatures[0].value.clone();
    signed
}

pub fn two_of_one_id(scene: &Scene) -> [SignedContent; 2] {
    let first = document("H36", &["H36.12"]);
    let second = Document { subject: "Nội dung khác".to_owned(), ..first.clone() };
    [scene.world.sealed(&first), scene.world.sealed(&second)]
}

/// A document that names an attachment too large to travel with it.
pub fn not_uploaded(scene: &Scene) -> SignedContent {
    let (named, _) = with_attachment(document("H36", &["H36.12"]), noise(1000));
    scene.world.sealed(&named)
}

pub fn old_id(scene: &Scene) -> SignedContent {
    let id = MessageId::new(now().minus(days(31)), [7; 10]);
    scene.world.sealed(&Document { id, ..document("H36", &["H36.12"]) })
}

pub fn signed_long_ago(scene: &Scene) -> SignedContent {
    let signed_at = now().minus(days(31));
    scene.world.sealed(&Document { signed_at, ..document("H36", &["H36.12"]) })
}

/// The letter under a seal of H36 with a validity of its own.
fn sealed_within(scene: &Scene, validity: Validity) -> (SignedContent, Identity) {
    let pki = &scene.world.pki;
    let seal = pki.identity_within(&Profile::Seal { agency: code("H36") }, validity).unwrap();
    let issuing = pki.issuing().certificate().der();
    (signed_by(&document("H36", &["H36.12"]), &seal, &[issuing]), seal)
}

pub fn of_tomorrow(scene: &Scene) -> SignedContent {
    let validity = Validity { not_before: now().plus(days(1)), not_after: now().plus(days(9)) };
    sealed_within(scene, validity).0
}

pub fn of_yesterday(scene: &Scene) -> SignedContent {
    let validity = Validity { not_before: now().minus(days(9)), not_after: now().minus(days(1)) };
    sealed_within(scene, validity).0
}

pub async fn revoked(scene: &Scene) -> SignedContent {
    let validity = Validity { not_before: now().minus(days(7)), not_after: now().plus(days(7)) };
    let (signed, seal) = sealed_within(scene, validity);
    let list = list(&scene.world.pki, 2, &[&seal]);
    scene.world.hub().add_revocation_list(list).await.unwrap();
    signed
}

pub fn others_seal(scene: &Scene) -> SignedContent {
    let document = document("H36", &["H36.12"]);
    sign_document(&document, Vec::new(), &[&scene.world.seal("H34")])
}

/// A person of H34, where only another one has a mandate.
pub async fn person_without_mandate(scene: &Scene) -> SignedContent {
    let agency = code("H34");
    let mandate = Mandate {
        agency: agency.clone(),
        signatory: Signatory { agency: agency.clone(), person: "chu-tich".to_owned() },
        capacity: Capacity::Head,
        delegated_by: None,
        document_types: Vec::new(),
        from: Day(0),
        until: None,
        basis: "Quyết định 1/QĐ-UBND".to_owned(),
    };
    scene.world.hub().administer(Command::ChangeMandates(vec![mandate])).await.unwrap();
    let person = Profile::Person {
        agency,
        person: "chuyen-vien".to_owned(),
        name: "Lê Văn Cường".to_owned(),
        title: "Chuyên viên".to_owned(),
    };
    let person = scene.world.signer(&scene.world.pki.identity(&person).unwrap());
    sign_document(&document("H34", &["H36.12"]), Vec::new(), &[&person])
}

pub fn unsigned(_: &Scene) -> SignedContent {
    sign_document(&document("H36", &["H36.12"]), Vec::new(), &[])
}

/// A letter to H34.05, for which one document may wait and one does.
pub async fn to_a_full_mailbox(scene: &Scene) -> SignedContent {
    let quota = Quota { agency: Some(code("H34.05")), waiting_max: Some(1), ..Quota::default() };
    scene.world.hub().administer(Command::ChangeQuotas(vec![quota])).await.unwrap();
    scene.world.client("H36").await.submit(to(scene, &["H34.05"])).await.unwrap();
    to(scene, &["H34.05"])
}

pub fn to_list(scene: &Scene) -> SignedContent {
    let recipients = vec![Recipient::List("không có danh sách này".to_owned())];
    scene.world.sealed(&Document { recipients, ..document("H36", &[]) })
}

/// A letter of H36.12, which may send no more than one byte.
pub async fn above_quota(scene: &Scene) -> SignedContent {
    let quota =
        Quota { agency: Some(code("H36.12")), document_bytes_max: Some(1), ..Quota::default() };
    scene.world.hub().administer(Command::ChangeQuotas(vec![quota])).await.unwrap();
    scene.world.letter("H36.12", &["H36"])
}
