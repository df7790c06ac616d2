//! Asking: directory, routes, statistics, the clock, health, reflection.

use crate::harness::raw::channel;
use crate::harness::{World, code, directory, document, within};
use futures_util::{StreamExt as _, TryStreamExt as _};
use lienthong_client::{AgencyFilter, Period, Route, RouteQuestion};
use lienthong_core::{Effect, RoutingRules, Rule, Span};
use lienthong_hub::Hub;
use lienthong_model::{AgencyEntry, DocumentType, Level, Reason};
use lienthong_wire::proto;
use lienthong_wire::proto::directory_service_client::DirectoryServiceClient;

fn codes(entries: &[AgencyEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.code.as_str()).collect()
}

#[tokio::test]
async fn an_agency_is_found_by_its_code_in_either_order_and_an_unknown_one_is_none() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let expected = directory().into_iter().find(|entry| entry.code == code("H36.30.05"));
    assert_eq!(client.agency(&code("H36.30.05")).await.unwrap(), expected);
    assert_eq!(client.agency(&code("000.05.30.H36")).await.unwrap(), expected);
    assert_eq!(client.agency(&code("H63")).await.unwrap(), None);
}

#[tokio::test]
async fn a_search_does_not_mind_diacritics_or_case() {
    let world = World::start().await;
    let client = world.client("H36").await;
    for text in ["duc trong", "ĐỨC TRỌNG", "Đức Trọng", "h36.30"] {
        let found = client.search(text, 10).await.unwrap();
        assert!(codes(&found).contains(&"H36.30"), "{text}: {:?}", codes(&found));
    }
    assert_eq!(codes(&client.search("lam dong", 10).await.unwrap()), ["H36", "H36.12"]);
    assert_eq!(client.search("lam dong", 1).await.unwrap().len(), 1);
    assert!(client.search("không có", 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn pages_hold_every_agency_once() {
    let world = World::start().await;
    let mut client = DirectoryServiceClient::new(channel(&world, "H36").await);
    let (mut seen, mut sizes, mut page_token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let request = proto::ListAgenciesRequest { page_size: 4, page_token, ..Default::default() };
        let page = client.list_agencies(request).await.unwrap().into_inner();
        sizes.push(page.agencies.len());
        seen.extend(page.agencies.into_iter().map(|agency| agency.code));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [4, 4, 3]);
    assert_eq!(seen, codes(&directory()));
    let request = proto::ListAgenciesRequest { page_token: "x".to_owned(), ..Default::default() };
    let status = client.list_agencies(request).await.unwrap_err();
    assert_eq!(crate::harness::raw::refusal(&status).violations[0].field, "page_token");
}

#[tokio::test]
async fn a_listing_is_cut_to_province_parent_and_level() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let listed = async |filter: AgencyFilter| -> Vec<AgencyEntry> {
        client.agencies(filter).try_collect().await.unwrap()
    };
    let province = AgencyFilter { province: Some(code("H34")), ..AgencyFilter::default() };
    assert_eq!(codes(&listed(province.clone()).await), ["H34", "H34.05", "H34.40", "H34.40.01"]);
    let level = AgencyFilter { level: Some(Level::District), ..province };
    assert_eq!(codes(&listed(level).await), ["H34.40"]);
    let parent = AgencyFilter { parent: Some(code("H36")), ..AgencyFilter::default() };
    assert_eq!(codes(&listed(parent).await), ["H36.12", "H36.30"]);
}

#[tokio::test]
async fn a_route_is_explained_with_the_rule_that_decides() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let ask = async |sender: &str, recipient: &str| {
        let question = RouteQuestion {
            sender: code(sender),
            recipient: code(recipient),
            document_type: DocumentType::OFFICIAL_LETTER,
            at: None,
        };
        client.explain_route(&question).await.unwrap()
    };
    let allowed = ask("H36", "H34.40").await;
    assert_eq!(allowed.outcome, Ok(Route::Gateway(code("H34"))));
    assert!(allowed.rule.contains("default"), "{}", allowed.rule);
    assert_eq!(ask("H36", "H01").await.outcome, Ok(Route::Held));
    let suspended = ask("H36", "H02").await.outcome.unwrap_err();
    assert_eq!(suspended.reason, Reason::RecipientSuspended);
    world.stop().await.unwrap();
    let mut settings = world.settings();
    settings.listen = world.address;
    settings.rules = Some(RoutingRules {
        rules: vec![Rule {
            name: "tỉnh gửi xã qua huyện".to_owned(),
            from: None,
            until: None,
            from_level: Some(Level::Province),
            to_level: Some(Level::Commune),
            span: Span::Inside,
            document_type: None,
            effect: Effect::ThroughSuperior,
        }],
    });
    let hub = Hub::start(settings, |_, _| {}).await.unwrap();
    let refused = ask("H36", "H36.30.05").await;
    assert!(refused.rule.contains("tỉnh gửi xã qua huyện"), "{}", refused.rule);
    let refusal = refused.outcome.unwrap_err();
    assert_eq!(refusal.reason, Reason::RouteThroughSuperior);
    assert!(refusal.violations[0].value.contains("H36.30"), "{refusal}");
    let outcome = client.submit(world.letter("H36", &["H36.30.05"])).await;
    assert_eq!(crate::harness::reason(outcome), Reason::RouteThroughSuperior);
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn statistics_count_each_document_once_and_each_delivery_and_add_up() {
    let mut world = World::start().await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    for to in [&["H36.12", "H34"][..], &["G22"], &["H01"]] {
        h36.submit(world.letter("H36", to)).await.unwrap();
    }
    let again = world.sealed(&document("H34.40", &["H34.40.01"]));
    h34.submit(again.clone()).await.unwrap();
    h34.submit(again).await.unwrap();
    h34.submit(world.letter("H34", &["H63"])).await.unwrap_err();
    for restarted in [false, true] {
        if restarted {
            world.restart().await;
        }
        let volumes = h36.volumes(Period::default()).await.unwrap();
        let of = |text: &str| {
            let found = volumes.provinces.iter().find(|p| p.code == Some(code(text)));
            found.map_or((0, 0), |province| (province.sent, province.received))
        };
        assert_eq!((of("H36"), of("H34"), of("H01")), ((3, 1), (1, 2), (0, 1)));
        assert_eq!((volumes.centre.sent, volumes.centre.received), (0, 1));
        assert_eq!((volumes.totals.sent, volumes.totals.received), (4, 5));
        for province in volumes.provinces.iter().chain([&volumes.centre]) {
            let sent: u64 = province.levels.iter().map(|level| level.sent).sum();
            let received: u64 = province.levels.iter().map(|level| level.received).sum();
            assert_eq!((sent, received), (province.sent, province.received));
        }
        let flows = h36.flows(Period::default()).await.unwrap();
        assert_eq!(flows.iter().map(|cell| cell.deliveries).sum::<u64>(), 5);
        let inside = flows.iter().find(|cell| cell.recipient_level == Level::Commune).unwrap();
        assert_eq!(inside.sender_province, Some(code("H34")));
        assert_eq!((inside.sender_level, inside.deliveries), (Level::District, 1));
    }
}

#[tokio::test]
async fn the_health_check_says_that_every_service_serves() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    let world = World::start().await;
    let mut health = HealthClient::new(channel(&world, "H36").await);
    for service in
        ["", "ExchangeService", "DirectoryService", "StatisticsService", "EvidenceService"]
    {
        let service = match service {
            "" => String::new(),
            name => format!("lienthong.v1.{name}"),
        };
        let answer = health.check(HealthCheckRequest { service: service.clone() }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn reflection_lists_the_services() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
    let world = World::start().await;
    let mut reflection = ServerReflectionClient::new(channel(&world, "H36").await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let asked = tokio_stream::iter([request]);
    let mut answers = reflection.server_reflection_info(asked).await.unwrap().into_inner();
    let answer: ServerReflectionResponse =
        within("an answer", answers.next()).await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for name in [
        "lienthong.v1.ExchangeService",
        "lienthong.v1.DirectoryService",
        "lienthong.v1.StatisticsService",
        "lienthong.v1.EvidenceService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.iter().any(|listed| listed == name), "{name} in {names:?}");
    }
}

#[tokio::test]
async fn a_client_of_a_hub_on_the_real_clock_uses_its_own() {
    let world = World::start().await;
    let clock = world.client("H36").await.hub_clock();
    assert!(!clock.is_scenario());
    assert!((clock.rate() - 1.0).abs() < f64::EPSILON);
}
