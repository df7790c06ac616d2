//! Every reason of the list of refusals can be reached, through the real wire: a client meets it
//! where the page says, under the gRPC code of its category.
//!
//! The table is a `match` without `_`: a new reason without an entry does not compile.

mod changes;
mod documents;
mod faults;
mod scene;
// The samples that the unit tests of `trust` are made of: bytes put together one by one.
#[allow(dead_code)]
#[path = "../../../trust/src/certificate/sample.rs"]
mod sample;

use crate::harness::raw::refusal;
use lienthong_model::{Reason, Refusal};
use lienthong_wire::refusal::code;
use scene::Scene;
use tonic::Status;

/// How a reason was met.
#[derive(Debug)]
enum Met {
    /// As the status of a call or a stream.
    Status(Status),
    /// As the outcome of one message of a stream.
    Outcome(Refusal),
    /// As the JSON API's status and code.
    Page(u16, String),
    /// It is not given any more. Its number and code stay taken.
    Retired(&'static str),
}

impl From<Status> for Met {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// Makes the hub give a reason.
async fn meet(reason: Reason, scene: &Scene) -> Met {
    use documents as of;
    match reason {
        // Who is calling.
        Reason::CallerUnknown => scene.clock_as("H63").await.into(),
        Reason::CallerNotEntitled => scene.pull("H36", "H36.12").await.into(),
        Reason::RateLimited => faults::too_fast().await.into(),
        Reason::SignInRequired
        | Reason::SignInFailed
        | Reason::SignInLimited
        | Reason::RequestForeign => {
            let (status, code) = faults::of_the_pages(reason).await;
            Met::Page(status, code)
        }
        // The bytes.
        Reason::ContentTypeUnknown => scene.submit("H36", of::other_type(scene)).await.into(),
        Reason::ContentTooLarge => scene.submit("H36", of::too_large(scene)).await.into(),
        Reason::ContentMalformed => scene.submit("H36", of::garbage(scene)).await.into(),
        Reason::FieldMissing => scene.submit_nothing("H36").await.into(),
        Reason::FieldInvalid => scene.pull("H36", "no agency!").await.into(),
        Reason::AttachmentMismatch => scene.submit("H36", of::superfluous(scene)).await.into(),
        // The signatures, from the bytes.
        Reason::SignatureMalformed => scene.submit("H36", of::short_signature(scene)).await.into(),
        Reason::CertificateUnknown => scene.submit("H36", of::unseen_signer(scene)).await.into(),
        Reason::CertificateMalformed => scene.submit("H36", of::no_certificate(scene)).await.into(),
        Reason::CertificateKeyWeak => scene.submit("H36", of::weak_key(scene)).await.into(),
        Reason::CertificateUnsuitable => {
            scene.submit("H36", of::signed_by_node(scene)).await.into()
        }
        Reason::CertificateChainBroken => {
            scene.submit("H36", of::without_issuer(scene)).await.into()
        }
        Reason::SignatureInvalid => scene.submit("H36", of::other_signature(scene)).await.into(),
        // The message.
        Reason::IdReused => {
            let [first, second] = of::two_of_one_id(scene);
            scene.accepted("H36", first).await;
            scene.submit("H36", second).await.into()
        }
        Reason::AttachmentNotUploaded => scene.submit("H36", of::not_uploaded(scene)).await.into(),
        Reason::UploadMisplaced => faults::upload(scene, 1, b"bytes").await.into(),
        Reason::UploadDigestWrong => faults::upload(scene, 0, b"other").await.into(),
        Reason::IdTimeOutOfRange => scene.submit("H36", of::old_id(scene)).await.into(),
        Reason::SignedAtOutOfRange => scene.submit("H36", of::signed_long_ago(scene)).await.into(),
        // The sender.
        Reason::SenderUnknown => scene.submit("H36", of::letter(scene, "H63")).await.into(),
        Reason::SenderNotEntitled => scene.submit("H36", of::letter(scene, "G22")).await.into(),
        Reason::SenderNotInForce => scene.submit("H03", of::letter(scene, "H03")).await.into(),
        Reason::SenderSuspended => scene.submit("H02", of::letter(scene, "H02")).await.into(),
        // The certificates, as of a date.
        Reason::CertificateUntrusted => scene.submit("H36", of::strangers(scene)).await.into(),
        Reason::CertificateNotYetValid => scene.submit("H36", of::of_tomorrow(scene)).await.into(),
        Reason::CertificateExpired => scene.submit("H36", of::of_yesterday(scene)).await.into(),
        Reason::CertificateRevoked => scene.submit("H36", of::revoked(scene).await).await.into(),
        Reason::RevocationNotProven => faults::list_overdue().await.into(),
        Reason::SignerOfOtherAgency => scene.submit("H36", of::others_seal(scene)).await.into(),
        Reason::SignerWithoutAuthority => {
            scene.submit("H34", of::person_without_mandate(scene).await).await.into()
        }
        Reason::PersonalSignatureRequired => {
            scene.submit("G22", of::letter(scene, "G22")).await.into()
        }
        Reason::SealRequired => scene.submit("H36", of::unsigned(scene)).await.into(),
        // Where it goes.
        Reason::RecipientUnknown => scene.submit("H36", of::to(scene, &["H63"])).await.into(),
        Reason::RecipientNotInForce => scene.submit("H36", of::to(scene, &["H03"])).await.into(),
        Reason::RecipientSuspended => scene.submit("H36", of::to(scene, &["H02"])).await.into(),
        Reason::RecipientRepeated => {
            scene.submit("H36", of::to(scene, &["H36.12", "H36.12"])).await.into()
        }
        Reason::RouteRefused => {
            scene.submit("H36.30", of::between(scene, "H36.30", "H34.40")).await.into()
        }
        Reason::RouteThroughSuperior => {
            scene.submit("H36.30.05", of::between(scene, "H36.30.05", "H34")).await.into()
        }
        Reason::RecipientListUnknown => scene.submit("H36", of::to_list(scene)).await.into(),
        Reason::RecipientListEmpty => changes::to_nobody(scene).await.into(),
        Reason::MailboxFull => scene.submit("H36", of::to_a_full_mailbox(scene).await).await.into(),
        Reason::ListLimit => changes::lists_without_end(scene).await.into(),
        Reason::DocumentTooLarge => {
            scene.submit("H36.12", of::above_quota(scene).await).await.into()
        }
        Reason::QuotaExceeded => faults::quota_used_up().await.into(),
        // What a report acts on.
        Reason::DocumentUnknown => scene.track_nothing("H36").await.into(),
        Reason::ReporterNotEntitled => scene.report_as_sender().await.into(),
        Reason::ReasonMissing => scene.refuse_without_reason().await.into(),
        Reason::NotARecipient => changes::recall_from_others(scene).await.into(),
        Reason::RecipientChangeInvalid => changes::add_a_recipient_again(scene).await.into(),
        Reason::DocumentTakenBack => changes::report_on_a_recalled(scene).await.into(),
        Reason::DocumentReplaced => changes::report_on_a_replaced(scene).await.into(),
        Reason::RecallTooLate => changes::recall_too_late(scene).await.into(),
        Reason::ChangeLimit => changes::updates_without_end(scene).await.into(),
        Reason::FanOutUnderWay => changes::recall_under_way().await.into(),
        Reason::ReminderTooSoon => changes::remind_twice(scene).await.into(),
        Reason::StatusNotOpen => scene.accept_after_refusing().await.into(),
        Reason::StatusLimit => scene.report_without_end().await.into(),
        Reason::KindNotSupported => {
            Met::Retired("recalls, updates and replacements are carried out")
        }
        Reason::ContentExpired => crate::retention::expired_download().await.into(),
        // The hub.
        Reason::StorageLow => faults::disk_with(faults::LOW).await.into(),
        Reason::UploadQuota => faults::second_upload().await.into(),
        Reason::Overloaded => faults::too_many_consumers().await.into(),
        Reason::Draining => faults::draining().await.into(),
        Reason::ReadOnly => faults::disk_with(faults::NONE).await.into(),
        Reason::StorageDamaged => faults::damaged_payload().await.into(),
        Reason::Stopped => Met::Outcome(faults::failed_read().await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reason_can_be_met_or_is_said_to_be_given_no_more() {
    let scene = Scene::start().await;
    for reason in Reason::ALL.iter().copied() {
        let met = meet(reason, &scene).await;
        match met {
            Met::Status(status) => {
                let found = refusal(&status);
                assert_eq!(found.reason, reason, "{found}");
                assert_eq!(status.code(), code(reason.category()), "{reason}");
            }
            Met::Page(status, found) => {
                assert_eq!(found, reason.code());
                assert!((400..500).contains(&status), "{reason}: {status}");
            }
            Met::Outcome(found) => assert_eq!(found.reason, reason, "{found}"),
            Met::Retired(why) => assert!(!why.is_empty(), "{reason}"),
        }
    }
}
