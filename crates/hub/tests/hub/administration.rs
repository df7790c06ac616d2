//! Administration through the wire: who may, what it changes at once, and what nobody learns.

use std::time::{Duration, Instant};

use crate::harness::raw::{self, Line, exchange, refusal};
use crate::harness::{
    World, code, days, document, list, new_id, now, operator, reason, test_pki, until, within,
};
use bytes::Bytes;
use lienthong_client::{
    Administration, CallError, Client, DocumentCheck, Roots, SenderPolicy, sign_document,
};
use lienthong_core::Command;
use lienthong_model::limits::{ACT_ENTRIES_MAX, REVOCATION_LIST_BYTES_MAX, REVOKED_CONNECTION_MAX};
use lienthong_model::{
    AgencyEntry, Appointment, Capacity, Day, Document, Level, Mandate, Quota, Reason, Revocation,
    Role, Signatory, SignedContent, StatusCode, Territory, Timestamp,
};
use lienthong_pki::{Authority, Identity, Profile};
use lienthong_trust::Revoked;
use lienthong_wire::proto::evidence_service_client::EvidenceServiceClient;
use lienthong_wire::proto::{self, verdict_service_client::VerdictServiceClient};
use tonic::{Code, Status};

const HOUR: Duration = Duration::from_secs(3600);

fn signatory(agency: &str, person: &str) -> Signatory {
    Signatory { agency: code(agency), person: person.to_owned() }
}

fn appointment(holder: Signatory, territory: Territory) -> Appointment {
    let from = Day(0);
    Appointment { holder, role: Role::Administrator, territory, from, until: None }
}

fn head(agency: &str, person: &str) -> Mandate {
    Mandate {
        agency: code(agency),
        signatory: signatory(agency, person),
        capacity: Capacity::Head,
        delegated_by: None,
        document_types: Vec::new(),
        from: Day(0),
        until: None,
        basis: "Quyết định bổ nhiệm".to_owned(),
    }
}

fn quota(agency: &str, documents: Option<u64>, bytes: Option<u64>) -> Quota {
    let agency = Some(code(agency));
    let (documents_per_day, document_bytes_max) = (documents, bytes);
    Quota { agency, documents_per_day, document_bytes_max, ..Quota::default() }
}

fn entry(text: &str, province: &str) -> AgencyEntry {
    let template = crate::harness::directory().remove(3);
    let province = Some(code(province));
    AgencyEntry { code: code(text), parent: province.clone(), province, ..template }
}

/// The operator of an agency, appointed offline as an administrator for a territory.
async fn administrator(world: &World, agency: &str, territory: Territory) -> Administration {
    let appointment = appointment(signatory(agency, "binh.tran"), territory);
    world.hub().administer(Command::ChangeAppointments(vec![appointment])).await.unwrap();
    person(world, agency).await.administration()
}

/// The operator of an agency.
async fn person(world: &World, agency: &str) -> Client {
    let identity = world.pki.identity(&operator(agency)).unwrap();
    Client::connect(world.endpoint(&identity)).await.unwrap()
}

/// Calls every method of administration with something that makes sense.
async fn every_act(world: &World, office: &Administration) -> Vec<Result<(), CallError>> {
    let issuing = world.pki.issuing().certificate().der().clone();
    let territory = Territory::Agency(code("H36.12"));
    let appointment = appointment(signatory("H36.12", "an"), territory);
    vec![
        office.add_authority(issuing, false).await,
        office.add_revocation_list(list(&world.pki, 9, &[])).await.map(|_| ()),
        office.set_revocation_grace(Some(HOUR)).await,
        office.change_mandates(&[head("H36.12", "an")]).await,
        office.change_appointments(&[appointment]).await,
        office.appointments().await.map(|_| ()),
        office.change_quotas(&[quota("H36.12", Some(9), None)]).await,
        office.quotas().await.map(|_| ()),
        office.change_directory(&[entry("H36.77", "H36")]).await,
    ]
}

// Who may.

#[tokio::test]
async fn a_node_and_a_person_without_an_appointment_are_refused_every_method() {
    let world = World::start().await;
    for client in [world.client("G22").await, person(&world, "G22").await] {
        for outcome in every_act(&world, &client.administration()).await {
            assert_eq!(reason(outcome), Reason::CallerNotEntitled);
        }
    }
    let policy = world.hub().reader().policy();
    assert!(policy.mandates.is_empty() && policy.appointments.all().next().is_none());
}

#[tokio::test]
async fn an_operator_and_an_ended_administrator_are_refused_every_method() {
    let world = World::start().await;
    let holder = || signatory("G22", "binh.tran");
    let operates =
        Appointment { role: Role::Operator, ..appointment(holder(), Territory::Country) };
    let ended =
        Appointment { until: Some(now().day()), ..appointment(holder(), Territory::Country) };
    let other = appointment(signatory("H36", "an"), Territory::Country);
    let appoint = Command::ChangeAppointments(vec![operates, other, ended]);
    world.hub().administer(appoint).await.unwrap();
    let office = person(&world, "G22").await.administration();
    for outcome in every_act(&world, &office).await {
        assert_eq!(reason(outcome), Reason::CallerNotEntitled);
    }
}

#[tokio::test]
async fn an_administrator_of_the_country_may_call_every_method_and_sees_what_was_entered() {
    let world = World::start().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    for outcome in every_act(&world, &office).await {
        outcome.unwrap();
    }
    let people: Vec<_> = office.appointments().await.unwrap();
    assert_eq!(people.len(), 2);
    assert_eq!(office.quotas().await.unwrap(), [quota("H36.12", Some(9), None)]);
    let reader = world.client("H34").await;
    assert_eq!(reader.mandates(&code("H36.12")).await.unwrap(), [head("H36.12", "an")]);
    assert_eq!(reader.trust().await.unwrap().grace, Some(HOUR));
    assert!(reader.agency(&code("H36.77")).await.unwrap().is_some());
    // A quota without bounds is taken away.
    office.change_quotas(&[quota("H36.12", None, None)]).await.unwrap();
    assert_eq!(office.quotas().await.unwrap(), []);
}

#[tokio::test]
async fn a_provinces_administrator_changes_its_province_only() {
    let world = World::start().await;
    let office = administrator(&world, "H36", Territory::Province(code("H36"))).await;
    office.change_mandates(&[head("H36.30.05", "an")]).await.unwrap();
    office.change_directory(&[entry("H36.77", "H36")]).await.unwrap();
    let below = Territory::Agency(code("H36.12"));
    office.change_appointments(&[appointment(signatory("H36.12", "an"), below)]).await.unwrap();

    let mixed = [head("H36.12", "an"), head("H34", "an")];
    assert_eq!(reason(office.change_mandates(&mixed).await), Reason::CallerNotEntitled);
    assert_eq!(world.client("H36").await.mandates(&code("H36.12")).await.unwrap(), []);
    let central = AgencyEntry { level: Level::Ministry, ..entry("H36.78", "H36") };
    for foreign in [entry("H34.77", "H34"), entry("H34.05", "H36"), entry("H36", "H36"), central] {
        let outcome = office.change_directory(&[foreign]).await;
        assert_eq!(reason(outcome), Reason::CallerNotEntitled);
    }
    for wider in [Territory::Country, Territory::Province(code("H34"))] {
        let wider = appointment(signatory("H36", "binh.tran"), wider);
        let outcome = office.change_appointments(&[wider]).await;
        assert_eq!(reason(outcome), Reason::CallerNotEntitled);
    }
    let quotas = office.change_quotas(&[quota("H36.12", None, None)]).await;
    assert_eq!(reason(quotas), Reason::CallerNotEntitled);
    assert_eq!(reason(office.set_revocation_grace(None).await), Reason::CallerNotEntitled);
    let given = office.add_revocation_list(list(&world.pki, 2, &[])).await;
    assert_eq!(reason(given), Reason::CallerNotEntitled);
    assert_eq!(reason(office.appointments().await), Reason::CallerNotEntitled);
}

#[tokio::test]
async fn an_act_with_too_many_entries_or_too_large_a_list_is_refused() {
    let world = World::start().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    let many = vec![head("H36", "an"); ACT_ENTRIES_MAX + 1];
    assert_eq!(reason(office.change_mandates(&many).await), Reason::ContentTooLarge);
    let large = Bytes::from(vec![0; REVOCATION_LIST_BYTES_MAX + 1]);
    assert_eq!(reason(office.add_revocation_list(large).await), Reason::ContentTooLarge);
    let nothing = office.add_revocation_list(Bytes::new()).await;
    assert_eq!(reason(nothing), Reason::FieldInvalid);
    let unknown = office.change_mandates(&[head("H99", "an")]).await;
    assert_eq!(reason(unknown), Reason::FieldInvalid);
}

#[tokio::test]
async fn what_was_entered_is_in_force_after_a_restart_and_the_act_names_who_did_it() {
    let mut world = World::start().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    office.change_mandates(&[head("H36", "an")]).await.unwrap();
    world.restart().await;
    let known = world.client("H34").await.mandates(&code("H36")).await.unwrap();
    assert_eq!(known, [head("H36", "an")]);
    let office = person(&world, "G22").await.administration();
    office.change_mandates(&[head("H36.12", "an")]).await.unwrap();
}

// Revocation.

/// A list of an authority that was made two days ago and says by when the next one comes.
fn list_until(authority: &Authority, number: u64, until: Timestamp) -> Bytes {
    authority.revocation_list(number, now().minus(days(2)), until, &[]).unwrap()
}

/// A hub whose root's list is in date, and whose issuing authority's has been due for an hour.
async fn with_a_late_list() -> World {
    let pki = test_pki();
    let lists = vec![
        list_until(pki.root(), 1, now().plus(days(30))),
        list_until(pki.issuing(), 1, now().minus(HOUR)),
    ];
    World::start_with(|settings| settings.revocation_lists = lists).await
}

async fn revocation(world: &World, id: lienthong_model::MessageId) -> Option<Revocation> {
    world.client("H36").await.track(&code("H36"), id).await.unwrap().revocation
}

#[tokio::test]
async fn a_list_that_an_administrator_adds_refuses_the_signer_and_ends_the_nodes_connection() {
    let world = World::start().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    let mut revoked = exchange(&world, "H36").await;
    let mut line = Line::open(&mut revoked, &[], 8).await.unwrap();
    let client = world.client("H36.12").await;
    client.submit(world.letter("H36.12", &["H34"])).await.unwrap();

    let (node, seal) = (world.node("H36"), world.pki.seal(&code("H36.12")).unwrap());
    let given = list(&world.pki, 2, &[&node, &seal]);
    let in_force = office.add_revocation_list(given.clone()).await.unwrap();
    let at = Instant::now();
    assert_eq!((in_force.number, in_force.revoked), (2, 2));
    let ends = async { while let Ok(Some(_)) = line.answers.message().await {} };
    within("the end of the connection", ends).await;
    assert!(at.elapsed() < REVOKED_CONNECTION_MAX, "{:?}", at.elapsed());
    let refused = client.submit(world.letter("H36.12", &["H34"])).await;
    assert_eq!(reason(refused), Reason::CertificateRevoked);

    // To repeat it changes nothing; one that is older is answered with the one in force.
    assert_eq!(office.add_revocation_list(given).await.unwrap(), in_force);
    let older = office.add_revocation_list(list(&world.pki, 1, &[])).await.unwrap();
    assert_eq!(older, in_force);
}

#[tokio::test]
async fn while_a_list_is_late_documents_are_accepted_marked_counted_and_settled_when_it_comes() {
    let world = with_a_late_list().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    let document = document("H36", &["H34"]);
    let signed = world.sealed(&document);
    let receipt = h36.submit(signed.clone()).await.unwrap();
    assert_eq!(receipt.revocation, Some(Revocation::NotProven));
    let delivery = h34.pull(&code("H34"), 1).await.unwrap().remove(0);
    assert_eq!(delivery.revocation, Some(Revocation::NotProven));
    assert_eq!(revocation(&world, document.id).await, Some(Revocation::NotProven));
    let issuing = *world.pki.issuing().certificate().fingerprint();
    let known = async || {
        let trust = h34.trust().await.unwrap();
        let mut known = trust.authorities.into_iter();
        known.find(|one| *one.certificate.fingerprint() == issuing).unwrap()
    };
    let late = known().await;
    assert!(late.list_due.is_some_and(|due| due < now()), "{late:?}");
    assert_eq!((late.unproven, late.trusted_from), (1, None));

    let in_force = office.add_revocation_list(list(&world.pki, 2, &[])).await.unwrap();
    until("the settlement", async || known().await.unproven == 0).await;
    assert_eq!(revocation(&world, document.id).await, Some(Revocation::Proven));
    let settled = known().await;
    assert_eq!((settled.list_due, settled.list), (None, Some(in_force)));
    let receipt = h36.submit(world.letter("H36", &["H34"])).await.unwrap();
    assert_eq!(receipt.revocation, Some(Revocation::Proven));
    // The receipt of the first one is what it was.
    let again = h36.submit(signed).await.unwrap();
    assert_eq!((again.repeated, again.revocation), (true, Some(Revocation::NotProven)));
}

#[tokio::test]
async fn a_document_of_the_grace_whose_signer_had_been_revoked_is_marked_so_everywhere() {
    let world = with_a_late_list().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    let document = document("H36", &["H34"]);
    world.client("H36").await.submit(world.sealed(&document)).await.unwrap();
    let serial = world.pki.seal(&code("H36")).unwrap().certificate.serial().to_vec();
    let revoked = Revoked { serial, at: now().minus(days(1)), reason: 1 };
    let made = now().minus(Duration::from_secs(1));
    let issuing = world.pki.issuing();
    let given = issuing.revocation_list(2, made, now().plus(days(30)), &[revoked]).unwrap();
    office.add_revocation_list(given).await.unwrap();
    let found = Some(Revocation::FoundRevoked);
    until("the settlement", async || revocation(&world, document.id).await == found).await;
    let delivery = world.client("H34").await.pull(&code("H34"), 1).await.unwrap().remove(0);
    assert_eq!(delivery.revocation, found);
}

#[tokio::test]
async fn after_the_grace_nothing_is_accepted_until_the_list_comes() {
    let world = with_a_late_list().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    let h36 = world.client("H36").await;
    office.set_revocation_grace(Some(HOUR / 2)).await.unwrap();
    let refused = h36.submit(world.letter("H36", &["H34"])).await;
    assert_eq!(reason(refused), Reason::RevocationNotProven);
    office.set_revocation_grace(None).await.unwrap();
    h36.submit(world.letter("H36", &["H34"])).await.unwrap();
    office.set_revocation_grace(Some(Duration::ZERO)).await.unwrap();
    office.add_revocation_list(list(&world.pki, 2, &[])).await.unwrap();
    let receipt = h36.submit(world.letter("H36", &["H34"])).await.unwrap();
    assert_eq!(receipt.revocation, Some(Revocation::Proven));
}

// Mandates.

fn signs(world: &World, agency: &str, person: &str) -> Identity {
    let (person, name) = (person.to_owned(), "Nguyễn Văn An".to_owned());
    let title = "Chủ tịch".to_owned();
    world.pki.identity(&Profile::Person { agency: code(agency), person, name, title }).unwrap()
}

/// A document of H36 that a person of an agency has signed.
fn signed_by(world: &World, (agency, person): (&str, &str)) -> SignedContent {
    let document: Document = document("H36", &["H34"]);
    let signer = world.signer(&signs(world, agency, person));
    sign_document(&document, Vec::new(), &[&signer])
}

#[tokio::test]
async fn where_an_agency_has_mandates_only_their_holders_sign() {
    let world = World::start().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    let h36 = world.client("H36").await;
    h36.submit(signed_by(&world, ("H36", "an"))).await.unwrap();
    office.change_mandates(&[head("H36", "chair")]).await.unwrap();
    let refused = h36.submit(signed_by(&world, ("H36", "an"))).await;
    assert_eq!(reason(refused), Reason::SignerWithoutAuthority);
    h36.submit(signed_by(&world, ("H36", "chair"))).await.unwrap();
    let deputy = Mandate {
        capacity: Capacity::Deputy,
        delegated_by: Some(signatory("H36", "chair")),
        ..head("H36", "an")
    };
    office.change_mandates(&[deputy]).await.unwrap();
    h36.submit(signed_by(&world, ("H36", "an"))).await.unwrap();
}

#[tokio::test]
async fn a_document_signed_by_delegation_is_accepted_by_the_hub_and_by_the_recipient() {
    let world = World::start().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    let delegate = ("H36.12", "director");
    let refused = h36.submit(signed_by(&world, delegate)).await;
    assert_eq!(reason(refused), Reason::SignerOfOtherAgency);
    let authorized = Mandate {
        signatory: signatory("H36.12", "director"),
        capacity: Capacity::ByAuthorization,
        delegated_by: Some(signatory("H36", "chair")),
        ..head("H36", "director")
    };
    office.change_mandates(&[head("H36", "chair"), authorized]).await.unwrap();
    h36.submit(signed_by(&world, delegate)).await.unwrap();

    let delivery = h34.pull(&code("H34"), 1).await.unwrap().remove(0);
    let roots = Roots::new([world.pki.root().certificate().der().clone()]).unwrap();
    let roots = roots.with_authority(world.pki.issuing().certificate().der().clone()).unwrap();
    let check = DocumentCheck::new(&roots).unwrap();
    let mandates = h34.mandates(&code("H36")).await.unwrap();
    check.check(&delivery, &SenderPolicy { mandates, ..SenderPolicy::default() }).unwrap();
    let without = check.check(&delivery, &SenderPolicy::default()).unwrap_err();
    assert_eq!(without.reason, Reason::SignerOfOtherAgency);
}

// Quotas.

#[tokio::test]
async fn a_quota_refuses_what_is_over_it_and_says_when_to_come_again() {
    let world = World::start().await;
    let office = administrator(&world, "G22", Territory::Country).await;
    office.change_quotas(&[quota("H36", Some(1), None)]).await.unwrap();
    let mut raw = exchange(&world, "H36").await;
    raw.submit_document(raw::request(world.letter("H36", &["H34"]))).await.unwrap();
    let over = raw.submit_document(raw::request(world.letter("H36", &["H34"]))).await;
    let status = over.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let refusal = refusal(&status);
    assert_eq!(refusal.reason, Reason::QuotaExceeded);
    let wait = refusal.retry_after_ms.unwrap();
    assert!((1..=24 * 3_600_000).contains(&wait), "{wait} ms");
    // Others have none.
    world.client("H34").await.submit(world.letter("H34", &["H36"])).await.unwrap();
    office.change_quotas(&[quota("H36", None, Some(16))]).await.unwrap();
    let large = raw.submit_document(raw::request(world.letter("H36", &["H34"]))).await;
    assert_eq!(crate::harness::raw::refusal(&large.unwrap_err()).reason, Reason::DocumentTooLarge);
}

// What nobody learns.

/// What a refusal says, but for the id that was asked for.
fn without(id: &lienthong_model::MessageId, status: &Status) -> (Code, String, String) {
    let refusal = format!("{:?}", refusal(status));
    let id = id.to_string();
    (status.code(), status.message().replace(&id, "ID"), refusal.replace(&id, "ID"))
}

#[tokio::test]
async fn another_agencys_document_is_answered_like_one_that_does_not_exist() {
    let world = World::start().await;
    let theirs = document("H36", &["H36.12"]);
    world.client("H36").await.submit(world.sealed(&theirs)).await.unwrap();
    let channel = raw::channel(&world, "H34").await;
    let mut exchange = exchange(&world, "H34").await;
    let mut verdict = VerdictServiceClient::new(channel.clone());
    let mut evidence = EvidenceServiceClient::new(channel);
    let mut answers = Vec::new();
    for id in [theirs.id, new_id()] {
        let (sender, bytes) = ("H36".to_owned(), Bytes::copy_from_slice(id.as_bytes()));
        let track = proto::TrackDocumentRequest { sender: sender.clone(), id: bytes.clone() };
        let track = exchange.track_document(track).await.unwrap_err();
        let leaf = proto::GetLeafRequest { sender: sender.clone(), id: bytes.clone() };
        let leaf = evidence.get_leaf(leaf).await.unwrap_err();
        let bundle = proto::GetEvidenceBundleRequest { sender, id: bytes };
        let bundle = verdict.get_evidence_bundle(bundle).await.unwrap_err();
        let report = world.report("H34", ("H36", id), StatusCode::Accepted, "");
        let (report, _) = lienthong_wire::signed::to_proto(report);
        let report = proto::ReportStatusRequest { report: Some(report) };
        let report = exchange.report_status(report).await.unwrap_err();
        answers.push([track, leaf, bundle, report].map(|status| without(&id, &status)));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].iter().all(|(code, ..)| *code == Code::NotFound), "{answers:?}");
}

#[tokio::test]
async fn another_agencys_delivery_is_acknowledged_like_one_that_does_not_exist() {
    let world = World::start().await;
    let receipt = world.client("H36").await.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    let mut exchange = exchange(&world, "H34").await;
    let mut answers = Vec::new();
    for position in [receipt.position.0, 1_000_000] {
        let key = proto::DeliveryKey { recipient: "H34".to_owned(), position };
        let keys = proto::AcknowledgeDocumentsRequest { keys: vec![key] };
        let answer = exchange.acknowledge_documents(keys).await.unwrap().into_inner();
        let refused = format!("{:?}", answer.refused);
        answers.push(refused.replace(&position.to_string(), "POSITION"));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn the_logs_proof_for_a_position_is_hashes_and_the_same_for_everybody() {
    let world = World::start().await;
    let h36 = world.client("H36").await;
    h36.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    let theirs = h36.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    let mut answers = Vec::new();
    for caller in ["H36", "H34"] {
        let mut evidence = EvidenceServiceClient::new(raw::channel(&world, caller).await);
        let request = proto::GetInclusionRequest { position: theirs.position.0, size: 0 };
        answers.push(evidence.get_inclusion(request).await.unwrap().into_inner());
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].hashes.iter().all(|hash| hash.len() == 32));
}
