//! Figures of the operators' API: any question, indicators with targets, and what somebody sees who
//! may see a single agency only.

use lienthong_client::{Client, Dimension, Measure, Period, Question};
use lienthong_core::Command;
use lienthong_model::{Day, Indicator, Role, StatusCode, Target, Territory};
use serde_json::{Value, json};

use crate::harness::web::Browser;
use crate::harness::{World, code, document, operator, reason, until};
use crate::pages::{appoint, person, province, signed_in};

/// Traffic of two provinces: within H36, between them, within H34.
async fn exchanged(world: &World) {
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    h36.submit(world.letter("H36", &["H36.12", "H34"])).await.unwrap();
    h36.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    h34.submit(world.letter("H34", &["H34.05", "G22"])).await.unwrap();
}

fn rows(answer: &Value) -> &Vec<Value> {
    answer["rows"].as_array().unwrap()
}

#[tokio::test]
async fn a_question_is_answered_as_grpc_answers_it_and_its_rows_add_up() {
    let world = World::start().await;
    exchanged(&world).await;
    let browser = Browser::at(&world);
    let path = "statistics?measure=documents,pages&by=province,direction&each=year";
    let shown = browser.json(path).await;
    let question = Question {
        group_by: vec![Dimension::Province, Dimension::Direction],
        bucket: Some(lienthong_client::Bucket::Year),
        ..Question::of(Period::default(), &[Measure::Documents, Measure::Pages])
    };
    let answer = world.client("H36").await.ask(&question).await.unwrap();
    let told = |row: &lienthong_client::Row| {
        let group: Vec<_> = row.group.iter().map(|one| json!(one.value)).collect();
        (group, json!(row.figures))
    };
    let read = |row: &Value| {
        let group = vec![row["province"].clone(), row["direction"].clone()];
        (group, json!([row["documents"], row["pages"]]))
    };
    let shown_rows: Vec<_> = rows(&shown).iter().map(read).collect();
    assert_eq!(shown_rows, answer.rows.iter().map(told).collect::<Vec<_>>());
    assert_eq!(shown["total"]["documents"], json!(answer.total.figure(0)));
    let sum: u64 = rows(&shown).iter().map(|row| row["documents"].as_u64().unwrap()).sum();
    assert_eq!((sum, shown["rows_total"].as_u64()), (8, Some(answer.rows_total as u64)));
    assert!(rows(&shown)[0]["province_vi"].is_string() && rows(&shown)[0]["year"].is_string());
}

#[tokio::test]
async fn questions_are_filtered_compared_sorted_and_read_in_parts() {
    let world = World::start().await;
    exchanged(&world).await;
    let browser = Browser::at(&world);
    let path = "statistics?measure=documents&by=agency,direction&where=direction=received&top=1";
    let most = browser.json(path).await;
    assert_eq!(rows(&most)[0]["agency"], "H36.12");
    assert_eq!((&rows(&most)[0]["documents"], &most["rows_total"]), (&json!(2), &json!(4)));
    let of_either = "&where=province=H36&where=province=H34&compare=before,year-before";
    let path = format!("statistics?measure=deliveries&by=province,to-province{of_either}");
    let compared = browser.json(&path).await;
    assert_eq!(compared["total"]["deliveries"], 5);
    assert_eq!(compared["total"]["deliveries.before"], 0);
    assert_eq!(compared["total"]["deliveries.year-before.growth_per_mille"], Value::Null);
    let whole = browser.json("statistics?measure=deliveries&by=to-province").await;
    let mut parts = Vec::new();
    let mut skip = json!(0);
    while !skip.is_null() {
        let path = format!("statistics?measure=deliveries&by=to-province&limit=1&skip={skip}");
        let part = browser.json(&path).await;
        parts.extend(rows(&part).clone());
        skip = part["next"].clone();
    }
    assert_eq!((&parts, parts.len()), (rows(&whole), 3));
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_refused_with_its_field_in_both_languages() {
    let world = World::start().await;
    let browser = Browser::at(&world);
    for (query, field) in [
        ("", "measure"),
        ("measure=letters", "measure"),
        ("measure=documents&by=colour", "by"),
        ("measure=documents&each=week", "each"),
        ("measure=documents&where=province", "where"),
        ("measure=documents&where=province=H99", "where"),
        ("measure=documents&compare=tomorrow", "compare"),
        ("measure=documents&top=many", "top"),
        ("measure=documents&from=yesterday", "from"),
        ("measure=documents&colour=red", "colour"),
        ("measure=documents&from=2020-02-01&until=2020-01-01", "period"),
        ("measure=documents,deliveries", "measures"),
        ("measure=arrive-p50&by=agency", "group_by"),
    ] {
        let answer = browser.get(&format!("statistics?{query}")).await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 400, "{query}: {body}");
        assert_eq!(body["error"]["violations"][0]["field"], field, "{query}: {body}");
        for words in ["meaning", "remedy"] {
            let said = &body["error"][words];
            assert!(said["vi"].is_string() && said["en"].is_string(), "{query}: {body}");
        }
    }
}

#[tokio::test]
async fn a_question_is_cut_to_the_territory_of_whoever_asks() {
    let world = World::start().await;
    exchanged(&world).await;
    let browser = signed_in(&world, person("H34", "an"), Role::Viewer, province("H34")).await;
    let own = browser.json("statistics?measure=documents&by=province,direction").await;
    assert!(rows(&own).iter().all(|row| row["province"] == "H34"), "{own}");
    assert_eq!(own["total"]["documents"], 3, "one sent, two received");
    let others = browser.json("statistics?measure=documents&by=agency&where=province=H36").await;
    assert_eq!((rows(&others).len(), &others["total"]["documents"]), (0, &json!(0)));
    let of_one = browser.json("statistics?measure=documents&where=agency=H36.12").await;
    assert_eq!(of_one["total"]["documents"], 0);
}

#[tokio::test]
async fn indicators_are_shown_with_targets_and_who_holds_them_back_within_the_territory() {
    let world = World::start().await;
    exchanged(&world).await;
    let target = |territory| Target {
        indicator: Indicator::PersonalSignature,
        territory,
        level: None,
        by: Day(18_500),
        value: Some(900),
    };
    let targets = vec![target(province("H36")), target(Territory::Country)];
    world.hub().administer(Command::ChangeTargets(targets)).await.unwrap();
    let signature = |report: &Value, place: usize| {
        let figures = report["places"][place]["figures"].as_array().unwrap().iter();
        figures.clone().find(|one| one["indicator"] == "personal-signature").unwrap().clone()
    };
    let browser = Browser::at(&world);
    let country = browser.json("indicators?from=2020-01-01").await;
    let figure = signature(&country, 0);
    assert_eq!(figure["share"], json!({ "numerator": 0, "denominator": 3, "value": 0 }));
    assert_eq!(
        (&figure["targets"][0]["state"], &figure["unit"]),
        (&json!("late"), &json!("per-mille"))
    );
    let held = figure["targets"][0]["holders"].as_array().unwrap().iter();
    let held: Vec<_> = held.map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(held, ["H36", "H34"], "the one that lacks most first");
    assert!(figure["name"]["vi"].is_string() && figure["name"]["en"].is_string());
    let codes = country["places"].as_array().unwrap().iter().map(|one| one["code"].clone());
    assert!(codes.collect::<Vec<_>>().contains(&json!("TW")));

    let viewer = signed_in(&world, person("H36", "an"), Role::Viewer, province("H36")).await;
    let own = viewer.json("indicators?province=H36&from=2020-01-01").await;
    assert_eq!(signature(&own, 0)["targets"][0]["holders"][0]["code"], "H36");
    assert_eq!(own["province"]["code"], "H36");
    for other in ["indicators", "indicators?province=H34"] {
        let refused = viewer.get(other).await;
        assert_eq!((refused.status, refused.code()), (403, "CALLER_NOT_ENTITLED".to_owned()));
    }
}

#[tokio::test]
async fn whoever_sees_one_agency_sees_its_own_exchange_and_nothing_else() {
    let world = World::start().await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    let own = document("H36", &["H36.12", "H34"]);
    h36.submit(world.sealed(&own)).await.unwrap();
    let to_it = document("H34", &["H36.12", "G22", "H34.05"]);
    h34.submit(world.sealed(&to_it)).await.unwrap();
    let elsewhere = document("H36", &["H36", "H34"]);
    h36.submit(world.sealed(&elsewhere)).await.unwrap();
    let neighbour = document("H34", &["H34.05"]);
    h34.submit(world.sealed(&neighbour)).await.unwrap();
    let sealed = document("H36.12", &["H36"]);
    let h3612 = world.client("H36.12").await;
    h3612.submit(world.sealed(&sealed)).await.unwrap();
    for (client, from) in [(&h3612, "H36.12"), (&h36, "H36"), (&h34, "H34")] {
        client.submit(world.letter(from, &["nowhere"])).await.unwrap_err();
    }
    let accepted = world.report("H36.12", ("H36", own.id), StatusCode::Accepted, "");
    h3612.report(accepted).await.unwrap();
    let agency = Territory::Agency(code("H36.12"));
    let browser = signed_in(&world, person("H36.12", "an"), Role::Viewer, agency).await;

    let overview = browser.json("overview").await;
    let today = &overview["today"];
    assert_eq!((&today["sent"], &today["received"]), (&json!(1), &json!(2)));
    assert_eq!(today["refused"], Value::Null, "refusals are not counted by agency");
    assert_eq!(
        (&overview["agencies"]["all"], &overview["undelivered"]["documents"]),
        (&json!(1), &json!(1))
    );

    let matrix = browser.json("matrix").await;
    let cells = matrix["agencies"].as_array().unwrap().iter();
    let mut cells: Vec<_> = cells
        .map(|one| format!("{} {} {}", one["from"]["code"], one["to"]["code"], one["deliveries"]))
        .map(|text| text.replace('"', ""))
        .collect();
    cells.sort();
    assert_eq!(cells, ["H34 H36.12 1", "H36 H36.12 1", "H36.12 H36 1"]);
    assert_eq!((&matrix["levels"], &matrix["provinces"]), (&json!([]), &json!([])));
    assert_eq!(matrix["partial"], false);

    until("its refusal", async || browser.json("refusals").await["total"] == 1).await;
    let refusals = browser.json("refusals").await;
    let examples = refusals["reasons"][0]["examples"].as_array().unwrap();
    assert!(examples.iter().all(|one| one["caller"]["code"] == "H36.12"), "{examples:?}");
    assert_eq!((examples.len(), &refusals["partial"]), (1, &json!(true)));

    let progress = browser.json("statistics?measure=delivered,accepted&by=agency").await;
    assert_eq!(rows(&progress).len(), 1);
    assert_eq!(
        (
            &rows(&progress)[0]["agency"],
            &progress["total"]["delivered"],
            &progress["total"]["accepted"]
        ),
        (&json!("H36.12"), &json!(2), &json!(1))
    );
    let steps = browser.json("timeline").await;
    let steps = steps["steps"].as_array().unwrap().iter();
    assert_eq!(steps.map(|one| one["deliveries"].as_u64().unwrap()).sum::<u64>(), 2);
    let stuck = browser.json("waiting").await;
    assert_eq!(
        (stuck["total"].as_u64(), stuck["mailboxes"][0]["agency"]["code"].as_str()),
        (Some(1), Some("H36.12"))
    );
    let listed = browser.json("documents").await;
    let mut ids: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    let mut seen = [own.id, to_it.id, sealed.id].map(|id| json!(id.to_string())).to_vec();
    seen.sort_by_key(ToString::to_string);
    assert_eq!(ids, seen);
    // Of a document that went to others too, only its own part.
    let told = browser.json(&format!("documents/H34/{}", to_it.id)).await;
    let recipients = told["deliveries"].as_array().unwrap().iter();
    let recipients: Vec<_> = recipients.map(|one| one["recipient"]["code"].clone()).collect();
    assert_eq!(recipients, [json!("H36.12")]);
    let places = browser.json("provinces").await;
    assert_eq!(
        (places["places"].as_array().unwrap().len(), &places["totals"]["sent"]),
        (1, &json!(1))
    );
    assert_eq!(browser.json("agencies").await["total"], 1);

    for (path, status) in [
        (format!("documents/H36/{}", elsewhere.id), 404),
        (format!("documents/H34/{}", neighbour.id), 404),
        ("provinces/H34".to_owned(), 404),
        ("indicators".to_owned(), 403),
        ("indicators?province=H36".to_owned(), 403),
        ("acts".to_owned(), 403),
        ("accounts".to_owned(), 403),
        ("statistics?measure=deliveries&by=province".to_owned(), 400),
        ("statistics?measure=refusals&by=reason".to_owned(), 400),
    ] {
        assert_eq!(browser.get(&path).await.status, status, "{path}");
    }
    let other = browser.json("statistics?measure=documents&where=agency=H36").await;
    assert_eq!(other["total"]["documents"], 0);
}

#[tokio::test]
async fn a_running_hub_recounts_its_statistics_while_documents_come() {
    let world = World::start().await;
    exchanged(&world).await;
    let identity = world.pki.identity(&operator("G22")).unwrap();
    let person_of = async || Client::connect(world.endpoint(&identity)).await.unwrap();
    let holder = person("G22", "binh.tran");
    appoint(&world, holder.clone(), Role::Viewer, Territory::Country).await;
    let refused = person_of().await.recount_statistics(|_, _| {}).await;
    assert_eq!(reason(refused), lienthong_model::Reason::CallerNotEntitled, "a viewer");
    let refused = world.client("H36").await.recount_statistics(|_, _| {}).await;
    assert_eq!(reason(refused), lienthong_model::Reason::CallerNotEntitled, "a node");
    appoint(&world, holder, Role::Operator, Territory::Country).await;

    let office = person_of().await;
    let sender = world.client("H36").await;
    let sending = async {
        loop {
            sender.submit(world.letter("H36", &["H36.12", "H34", "G22"])).await.unwrap();
        }
    };
    let counting = async {
        let mut blocks = 0;
        while blocks < 40 {
            let found = office.recount_statistics(|_, _| {}).await.unwrap();
            assert_eq!(found.differences, [], "{found:?}");
            assert!(found.cells > 20 && found.blocks >= blocks, "{found:?}");
            blocks = found.blocks;
        }
    };
    tokio::select! {
        () = counting => {}
        () = sending => {}
    }
}
