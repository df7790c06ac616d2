//! Subscriptions: credit, acknowledgements, breaks; the recipient's own check.

use std::collections::BTreeSet;
use std::time::Duration;

use lienthong_model::{Reason, Refusal, SignaturePolicy, SignedContent};
use lienthong_pki::Validity;
use lienthong_trust::{Revoked, SignatureKind};
use lienthong_wire::{moment, proto, signed};

use super::fake::{Fake, START, code, document, pki, roots, seal};
use crate::{
    Client, Delivery, DeliveryKey, DocumentCheck, NegativeAcknowledgement, SenderPolicy,
    Subscription, SubscriptionOptions,
};

fn mail(content: SignedContent, position: u64) -> proto::Delivery {
    let (document, attachments) = signed::to_proto(content);
    let at = lienthong_model::Timestamp::parse(START).unwrap();
    proto::Delivery {
        recipient: "H36.12".into(),
        position,
        received_at: Some(moment::to_proto(at.plus(Duration::from_secs(60)))),
        attempt: 1,
        document: Some(document),
        attachments,
        signature: proto::SignatureKind::Seal.into(),
        revocation: proto::RevocationState::NotProven.into(),
        ..proto::Delivery::default()
    }
}

async fn hub_with_mail(count: u64) -> (Fake, Client) {
    let hub = Fake::start();
    let (client, seal) = (hub.client().await, seal(&hub.pki, "H36"));
    let content = document(&client, "Về việc kiểm tra", &[&seal]);
    hub.script.lock().mail = (0..count).map(|n| mail(content.clone(), n)).collect();
    (hub, client)
}

async fn take(subscription: &mut Subscription, count: usize) -> Vec<DeliveryKey> {
    let mut keys = Vec::new();
    while keys.len() < count {
        keys.push(subscription.next().await.unwrap().unwrap().key);
    }
    keys
}

#[tokio::test]
async fn credit_is_given_again_as_deliveries_are_acknowledged() {
    let (hub, client) = hub_with_mail(50).await;
    let mut subscription = client.subscribe(&[code("H36.12")], 4).await.unwrap();
    assert_eq!(subscription.agencies(), [code("H36.12")]);
    let mut seen = BTreeSet::new();
    while seen.len() < 50 {
        let key = subscription.next().await.unwrap().unwrap().key;
        assert!(seen.insert(key.position.0), "{key:?} came twice");
        subscription.acknowledge(&[key]).await.unwrap();
    }
    let script = hub.script.lock();
    assert_eq!(script.acknowledged.len(), 50);
    assert!(script.credit <= 50, "{} credits for 50 deliveries", script.credit);
}

#[tokio::test]
async fn acknowledgements_that_are_not_waited_for_travel_together() {
    let (hub, client) = hub_with_mail(100).await;
    let mut subscription = client.subscribe(&[], 100).await.unwrap();
    let keys = take(&mut subscription, 100).await;
    for key in &keys {
        subscription.post(std::slice::from_ref(key)).await.unwrap();
    }
    assert!(subscription.close(Duration::from_secs(20)).await);
    let script = hub.script.lock();
    assert_eq!(script.acknowledged.len(), 100);
    assert!(script.acknowledge_messages < 100, "{} messages", script.acknowledge_messages);
}

#[tokio::test]
async fn an_acknowledgement_survives_a_break_and_its_delivery_does_not_come_again() {
    let (hub, client) = hub_with_mail(3).await;
    hub.script.lock().breaks = 1;
    let mut subscription = client.subscribe(&[], 2).await.unwrap();
    let first = take(&mut subscription, 1).await;
    subscription.acknowledge(&first).await.unwrap();
    let rest: BTreeSet<_> =
        take(&mut subscription, 2).await.into_iter().map(|key| key.position.0).collect();
    assert_eq!(rest, BTreeSet::from([1, 2]));
    let script = hub.script.lock();
    assert_eq!(script.subscriptions, 2);
    assert_eq!(script.acknowledged.len(), 1);
}

#[tokio::test]
async fn what_the_caller_has_is_not_handed_out_again_after_the_hub_was_restarted() {
    let (mut hub, client) = hub_with_mail(3).await;
    let mut subscription = client.subscribe(&[], 2).await.unwrap();
    let before = take(&mut subscription, 2).await;
    hub.restart();
    // The hub sends both again, and the third when they make room.
    subscription.acknowledge(&before).await.unwrap();
    assert_eq!(take(&mut subscription, 1).await[0].position.0, 2);
    let script = hub.script.lock();
    assert_eq!((script.subscriptions, script.acknowledged.len()), (2, 2));
}

#[tokio::test]
async fn what_was_on_its_way_when_its_acknowledgement_was_taken_is_not_handed_out_again() {
    let (mut hub, client) = hub_with_mail(2).await;
    let mut subscription = client.subscribe(&[], 1).await.unwrap();
    let before = take(&mut subscription, 1).await;
    hub.script.lock().pushes_late = true;
    hub.restart();
    subscription.acknowledge(&before).await.unwrap();
    assert_eq!(take(&mut subscription, 1).await[0].position.0, 1);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_on_another_subscription() {
    let (mut hub, client) = hub_with_mail(2).await;
    let mut subscription = client.subscribe(&[], 8).await.unwrap();
    let before = take(&mut subscription, 2).await;
    hub.restart();
    drop(subscription);
    let mut subscription = client.subscribe(&[], 8).await.unwrap();
    let after = take(&mut subscription, 2).await;
    assert_eq!(before, after);
    subscription.acknowledge(&after).await.unwrap();
    assert_eq!(hub.script.lock().acknowledged.len(), 2);
}

#[tokio::test]
async fn what_the_caller_has_not_taken_comes_again_after_a_break() {
    let (mut hub, client) = hub_with_mail(2).await;
    let mut subscription = client.subscribe(&[], 8).await.unwrap();
    hub.restart();
    hub.until(|script| script.subscriptions == 2).await;
    let came = take(&mut subscription, 2).await;
    assert_eq!(came.iter().map(|key| key.position.0).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn without_reconnecting_a_break_ends_the_subscription_with_its_cause() {
    let (mut hub, client) = hub_with_mail(1).await;
    let options = SubscriptionOptions { reconnect: false, ..SubscriptionOptions::default() };
    let mut subscription = client.subscribe_with(&[], options).await.unwrap();
    take(&mut subscription, 1).await;
    hub.kill();
    assert!(subscription.next().await.unwrap().unwrap_err().may_pass());
    assert!(subscription.next().await.is_none());
    let key = DeliveryKey { recipient: code("H36.12"), position: lienthong_model::Position(0) };
    assert!(subscription.acknowledge(&[key]).await.is_err());
}

#[tokio::test]
async fn a_refused_acknowledgement_is_told_to_who_waits_for_it() {
    let (hub, client) = hub_with_mail(1).await;
    hub.script.lock().refuse_acknowledgements = Some(Refusal::new(Reason::DocumentUnknown));
    let mut subscription = client.subscribe(&[], 1).await.unwrap();
    let keys = take(&mut subscription, 1).await;
    let error = subscription.acknowledge(&keys).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().reason, Reason::DocumentUnknown);
}

#[tokio::test]
async fn a_negative_acknowledgement_frees_its_credit_and_lets_it_come_again() {
    let (mut hub, client) = hub_with_mail(2).await;
    let mut subscription = client.subscribe(&[], 1).await.unwrap();
    let key = take(&mut subscription, 1).await.remove(0);
    let reason = "disk full".to_owned();
    let negative = NegativeAcknowledgement { key, reason, delay: None };
    subscription.negative_acknowledge(negative).await.unwrap();
    assert_eq!(take(&mut subscription, 1).await[0].position.0, 1);
    assert!(hub.script.lock().acknowledged.is_empty());
    hub.restart();
    assert_eq!(take(&mut subscription, 1).await[0].position.0, 0);
}

#[tokio::test]
async fn documents_are_pulled_and_acknowledged_without_a_stream() {
    let (hub, client) = hub_with_mail(3).await;
    let pulled = client.pull(&code("H36.12"), 2).await.unwrap();
    assert_eq!(pulled.len(), 2);
    let keys: Vec<_> = pulled.into_iter().map(|delivery| delivery.key).collect();
    assert!(client.acknowledge(&keys).await.unwrap().is_empty());
    assert_eq!(hub.script.lock().acknowledged.len(), 2);
}

async fn delivery() -> (Fake, Delivery) {
    let (hub, client) = hub_with_mail(1).await;
    let delivery = client.pull(&code("H36.12"), 1).await.unwrap().remove(0);
    (hub, delivery)
}

#[tokio::test]
async fn a_recipient_proves_a_delivery_from_its_bytes() {
    let (hub, delivery) = delivery().await;
    let check = DocumentCheck::new(&roots(&hub.pki)).unwrap();
    let checked = check.check(&delivery, &SenderPolicy::default()).unwrap();
    assert_eq!(checked.signature, SignatureKind::Seal);
    assert_eq!(checked.document.subject, "Về việc kiểm tra");
    assert_eq!(checked.signers[0].agency(), Some(&code("H36")));
}

#[tokio::test]
async fn a_recipient_finds_what_was_changed_untrusted_or_not_signed_by_enough() {
    let (hub, delivery) = delivery().await;
    let check = DocumentCheck::new(&roots(&hub.pki)).unwrap();
    let policy = SenderPolicy::default();
    let reason = |delivery: &Delivery, policy| check.check(delivery, policy).unwrap_err().reason;

    let mut changed = delivery.clone();
    let mut bytes = changed.signed.content.to_vec();
    let at = bytes.windows(4).position(|part| part == b"vi\xe1\xbb").unwrap();
    bytes[at] = b'w';
    changed.signed.content = bytes.into();
    assert_eq!(reason(&changed, &policy), Reason::SignatureInvalid);

    let other = DocumentCheck::new(&roots(&pki(9))).unwrap();
    let refusal = other.check(&delivery, &policy).unwrap_err();
    assert_eq!(refusal.reason, Reason::CertificateChainBroken);

    let strict = SenderPolicy { policy: SignaturePolicy::Required, ..SenderPolicy::default() };
    assert_eq!(reason(&delivery, &strict), Reason::PersonalSignatureRequired);

    let lied = Delivery { signature: SignatureKind::PersonalAndSeal, ..delivery.clone() };
    assert_eq!(reason(&lied, &policy), Reason::FieldInvalid);
}

#[tokio::test]
async fn a_seal_of_another_agency_counts_only_when_it_is_the_gateway() {
    let hub = Fake::start();
    let (client, gateway) = (hub.client().await, seal(&hub.pki, "H99"));
    hub.script.lock().mail = vec![mail(document(&client, "a", &[&gateway]), 0)];
    let delivery = client.pull(&code("H36.12"), 1).await.unwrap().remove(0);
    let check = DocumentCheck::new(&roots(&hub.pki)).unwrap();
    let refusal = check.check(&delivery, &SenderPolicy::default()).unwrap_err();
    assert_eq!(refusal.reason, Reason::SignerOfOtherAgency);
    let known = SenderPolicy { gateway: Some(code("H99").key()), ..SenderPolicy::default() };
    assert_eq!(check.check(&delivery, &known).unwrap().signature, SignatureKind::Seal);
}

#[tokio::test]
async fn a_recipient_that_knows_an_authoritys_next_certificate_takes_the_one_in_force() {
    let (hub, delivery) = delivery().await;
    let at = |text| lienthong_model::Timestamp::parse(text).unwrap();
    let later = Validity { not_before: at("2020-12-01"), not_after: at("2030-01-01") };
    let key = hub.pki.issuing().key().clone();
    let name = "Lienthong test authority";
    let renewed = hub.pki.root().issuing_authority(name, later, key, 0).unwrap();
    let roots = roots(&hub.pki).with_authority(renewed.certificate().der().clone()).unwrap();
    let check = DocumentCheck::new(&roots).unwrap();
    let checked = check.check(&delivery, &SenderPolicy::default()).unwrap();
    assert_eq!(checked.signature, SignatureKind::Seal);
}

#[tokio::test]
async fn a_signature_of_a_revoked_certificate_is_refused() {
    let (hub, delivery) = delivery().await;
    let issuing = hub.pki.issuing();
    let start = lienthong_model::Timestamp::parse(START).unwrap();
    let serial = hub.pki.seal(&code("H36")).unwrap().certificate.serial().to_vec();
    let revoked = Revoked { serial, at: start, reason: 1 };
    let next = start.plus(Duration::from_secs(86_400));
    let list = issuing.revocation_list(1, start, next, &[revoked]).unwrap();
    let roots = roots(&hub.pki).with_authority(issuing.certificate().der().clone()).unwrap();
    let check = DocumentCheck::new(&roots.with_revocation_list(list)).unwrap();
    let refusal = check.check(&delivery, &SenderPolicy::default()).unwrap_err();
    assert_eq!(refusal.reason, Reason::CertificateRevoked);
}
