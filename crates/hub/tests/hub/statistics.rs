//! Questions to the statistics of a running hub: answers, pages, access, live answers, backlog.

use lienthong_client::{
    BacklogFilter, Bucket, Client, Comparison, Dimension, Measure, Period, Question,
};
use lienthong_core::Command;
use lienthong_model::{
    Appointment, Day, Indicator, Level, MessageId, Reason, Role, Signatory, Target, Territory,
};

use crate::harness::{World, code, document, now, operator, reason, until, within};

fn by(measures: &[Measure], dimensions: &[Dimension]) -> Question {
    Question { group_by: dimensions.to_vec(), ..Question::of(Period::default(), measures) }
}

async fn sent(world: &mut World) {
    let h36 = world.client("H36").await;
    for to in [&["H36.12", "H34"][..], &["G22"], &["H01"]] {
        h36.submit(world.letter("H36", to)).await.unwrap();
    }
}

#[tokio::test]
async fn the_groups_of_every_dimension_add_up_to_the_total() {
    let mut world = World::start().await;
    sent(&mut world).await;
    let h36 = world.client("H36").await;
    let documents = [
        Dimension::Province,
        Dimension::Region,
        Dimension::Level,
        Dimension::DocumentType,
        Dimension::Direction,
        Dimension::Scope,
        Dimension::Signature,
        Dimension::PaperCopy,
    ];
    for dimension in documents {
        let answer = h36.ask(&by(&[Measure::Documents], &[dimension])).await.unwrap();
        let sum: u64 = answer.rows.iter().map(|row| row.figure(0)).sum();
        assert_eq!((sum, answer.total.figure(0)), (7, 7), "{dimension:?}");
    }
    let regions = by(&[Measure::Deliveries], &[Dimension::Region, Dimension::PartnerRegion]);
    let answer = h36.ask(&regions).await.unwrap();
    assert_eq!(answer.rows.iter().map(|row| row.figure(0)).sum::<u64>(), 4);
    assert!(answer.rows.iter().all(|row| row.group[0].value == "central-highlands"), "{answer:?}");
    let compared = Question {
        bucket: Some(Bucket::Year),
        compare: vec![Comparison::YearBefore],
        period: Period {
            from: lienthong_model::Timestamp::parse("2020-01-01"),
            to: lienthong_model::Timestamp::parse("2030-01-01"),
        },
        ..by(&[Measure::Documents], &[])
    };
    let answer = h36.ask(&compared).await.unwrap();
    assert_eq!(answer.total.figures, [Some(7)]);
    assert_eq!(answer.rows.iter().map(|row| row.figure(0)).sum::<u64>(), 7);
}

#[tokio::test]
async fn a_question_without_an_answer_is_refused_with_what_to_ask_instead() {
    let world = World::start().await;
    let h36 = world.client("H36").await;
    let cases = [
        (by(&[], &[]), "measures"),
        (by(&[Measure::Documents, Measure::Refusals], &[]), "measures"),
        (by(&[Measure::Refusals], &[Dimension::Level]), "group_by"),
        (Question { bucket: Some(Bucket::Hour), ..by(&[Measure::Documents], &[]) }, "bucket"),
        (
            Question {
                filter: vec![(Dimension::Province, vec!["H99".to_owned()])],
                ..by(&[Measure::Documents], &[])
            },
            "question.filter.values",
        ),
    ];
    for (question, field) in cases {
        let error = h36.ask(&question).await.unwrap_err();
        let refusal = error.refusal().unwrap_or_else(|| panic!("{error}")).clone();
        assert_eq!(refusal.reason, Reason::FieldInvalid, "{question:?}");
        assert_eq!(refusal.violations[0].field, field, "{refusal}");
    }
}

#[tokio::test]
async fn a_node_sees_agencies_of_its_own_province_only() {
    let mut world = World::start().await;
    sent(&mut world).await;
    let h34 = world.client("H34").await;
    h34.submit(world.sealed(&crate::harness::document("H34.40", &["H34.40.01"]))).await.unwrap();
    let question = by(&[Measure::Documents], &[Dimension::Agency, Dimension::Direction]);
    let seen = async |agency: &str| {
        let answer = world.client(agency).await.ask(&question).await.unwrap();
        let mut seen: Vec<String> =
            answer.rows.iter().map(|row| row.group[0].value.clone()).collect();
        seen.dedup();
        seen
    };
    assert_eq!(seen("H36").await, ["H36", "H36.12"]);
    assert_eq!(seen("H34").await, ["H34", "H34.40", "H34.40.01"]);
    assert_eq!(seen("G22").await, ["G22"]);
    let everywhere = by(&[Measure::Documents], &[Dimension::Province]);
    let provinces = world.client("H34").await.ask(&everywhere).await.unwrap();
    assert_eq!(provinces.rows.len(), 4, "{provinces:?}");
    let waits = world.client("H34").await.backlog(&BacklogFilter::default()).await.unwrap();
    let waiting: Vec<_> =
        waits.agencies.iter().map(|one| (one.code.as_str(), one.level, one.waiting)).collect();
    assert_eq!(waiting, [("H34", Level::Province, 1), ("H34.40.01", Level::Commune, 1)]);
    assert_eq!(waits.agencies[0].oldest.as_ref().unwrap().0, code("H36"));
}

#[tokio::test]
async fn a_person_sees_the_territory_of_its_appointments_and_nothing_without_one() {
    let mut world = World::start().await;
    sent(&mut world).await;
    let identity = world.pki.identity(&operator("G22")).unwrap();
    let person = Client::connect(world.endpoint(&identity)).await.unwrap();
    let question = by(&[Measure::Documents], &[Dimension::Province]);
    assert_eq!(reason(person.ask(&question).await), Reason::CallerNotEntitled);
    let holder = Signatory { agency: code("G22"), person: "binh.tran".to_owned() };
    let territory = Territory::Province(code("H34"));
    let (role, from) = (Role::Viewer, Day(0));
    let appointment = Appointment { holder, role, territory, from, until: None };
    world.hub().administer(Command::ChangeAppointments(vec![appointment])).await.unwrap();
    let answer = person.ask(&question).await.unwrap();
    let seen: Vec<_> = answer.rows.iter().map(|row| row.group[0].value.as_str()).collect();
    assert_eq!((seen, answer.total.figure(0)), (vec!["H34"], 1));
    let waits = person.backlog(&BacklogFilter::default()).await.unwrap();
    assert_eq!((waits.agencies.len(), waits.waiting), (1, 1));
}

#[tokio::test]
async fn a_live_answer_follows_the_figures() {
    let mut world = World::start().await;
    let h36 = world.client("H36").await;
    let question = by(&[Measure::Deliveries, Measure::Bytes], &[Dimension::Province]);
    let mut live = h36.watch(&question, 10).await.unwrap();
    let first = within("the first answer", live.next()).await.unwrap();
    assert_eq!((first.rows.len(), first.total.figure(0)), (0, 0));
    sent(&mut world).await;
    loop {
        let next = within("an answer with the figures", live.next()).await.unwrap();
        assert!(next.at >= first.at);
        if next.total.figure(0) == 4 {
            assert_eq!(next.rows[0].group[0].value, "H36");
            break;
        }
    }
}

#[tokio::test]
async fn a_target_is_entered_by_an_administrator_and_shown_with_who_holds_it_back() {
    let mut world = World::start().await;
    sent(&mut world).await;
    let identity = world.pki.identity(&operator("G22")).unwrap();
    let person = Client::connect(world.endpoint(&identity)).await.unwrap();
    let target = Target {
        indicator: Indicator::PersonalSignature,
        territory: Territory::Province(code("H36")),
        level: None,
        by: Day(20_000),
        value: Some(900),
    };
    let refused = person.administration().change_targets(std::slice::from_ref(&target)).await;
    assert_eq!(reason(refused), Reason::CallerNotEntitled);
    let holder = Signatory { agency: code("G22"), person: "binh.tran".to_owned() };
    let (role, from) = (Role::Administrator, Day(0));
    let territory = Territory::Country;
    let appointment = Appointment { holder, role, territory, from, until: None };
    world.hub().administer(Command::ChangeAppointments(vec![appointment])).await.unwrap();
    let office = person.administration();
    office.change_targets(std::slice::from_ref(&target)).await.unwrap();
    let too_much = Target { value: Some(1_001), ..target.clone() };
    assert_eq!(reason(office.change_targets(&[too_much]).await), Reason::FieldInvalid);
    for restarted in [false, true] {
        if restarted {
            world.restart().await;
        }
        let h36 = world.client("H36").await;
        let places = h36.indicators(Period::default(), Some(&code("H36")), 0).await.unwrap();
        let figure = places[0].figures.iter().find(|one| one.indicator == target.indicator);
        let figure = figure.unwrap();
        assert_eq!((figure.share.numerator, figure.share.denominator), (0, 3));
        assert_eq!((figure.targets.len(), figure.targets[0].state), (1, "late"));
        assert_eq!(figure.targets[0].target, target);
        let holders: Vec<_> =
            figure.targets[0].holders.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(holders, ["H36"]);
        // Another province learns the figure, and no agency's name.
        let h34 = world.client("H34").await;
        let places = h34.indicators(Period::default(), Some(&code("H36")), 0).await.unwrap();
        let figure = places[0].figures.iter().find(|one| one.indicator == target.indicator);
        assert_eq!(figure.unwrap().targets[0].holders, []);
    }
    let none = Target { value: None, ..target };
    let again = Client::connect(world.endpoint(&identity)).await.unwrap().administration();
    again.change_targets(&[none]).await.unwrap();
    assert_eq!(again.targets().await.unwrap(), []);
}

#[tokio::test]
async fn refusals_have_examples_for_their_own_province() {
    let world = World::start().await;
    let h36 = world.client("H36").await;
    // Of the ids that end alike only the last one's refusal is kept.
    for end in 0..3 {
        let mut document = document("H36", &["H63"]);
        document.id = MessageId::new(now(), [end; 10]);
        h36.submit(world.sealed(&document)).await.unwrap_err();
    }
    until("every refusal in the journal", async || {
        let examples = h36.refusal_examples("RECIPIENT_UNKNOWN", "", 0).await.unwrap();
        examples.len() == 3
    })
    .await;
    let examples = h36.refusal_examples("", "H36", 2).await.unwrap();
    assert_eq!((examples.len(), examples[0].caller.as_str()), (2, "H36"));
    assert!(examples[0].value.contains("H63"), "{examples:?}");
    let others = world.client("H34").await.refusal_examples("", "", 0).await.unwrap();
    assert_eq!(others, []);
}

#[tokio::test]
async fn a_recount_agrees_with_the_state_and_names_a_cell_that_was_changed() {
    use lienthong_core::engine::{Change, State as _, Tables as _};
    use lienthong_core::statistics::PageGrain;
    use std::ops::ControlFlow;
    let mut world = World::start().await;
    sent(&mut world).await;
    let h34 = world.client("H34").await;
    let waiting = h34.pull(&code("H34"), 10).await.unwrap();
    let keys: Vec<_> = waiting.iter().map(|delivery| delivery.key.clone()).collect();
    assert_eq!((keys.len(), h34.acknowledge(&keys).await.unwrap().len()), (1, 0));
    world.stop().await.unwrap();
    let recount = |world: &World| {
        let folder = lienthong_hub::OpenFolder::open(&world.data(), |_, _| {}).unwrap();
        folder.reader().recount_statistics(&mut |_, _| ControlFlow::Continue(())).unwrap().unwrap()
    };
    let found = recount(&world);
    assert!(found.cells > 20 && found.blocks > 3, "{found:?}");
    assert_eq!(found.differences, []);
    {
        let folder = lienthong_ledger::DataFolder::open(&world.data()).unwrap();
        let mut changed = None;
        let month = [b'f', PageGrain::Month as u8];
        folder
            .state
            .scan(&month, &month, &mut |key, row| {
                let mut row = row.to_vec();
                // The last measure of the page: bytes of the last flow.
                *row.last_mut().unwrap() ^= 1;
                changed = Some((key.to_vec(), Some(bytes::Bytes::from(row))));
                false
            })
            .unwrap();
        let marker = folder.state.marker().unwrap();
        let change = Change { marker, writes: vec![changed.unwrap()], cut: true };
        folder.state.publish(change).unwrap();
        folder.state.flush().unwrap();
    }
    let found = recount(&world);
    assert_eq!(found.differences_total, 1, "{found:?}");
    let difference = &found.differences[0];
    assert_eq!((difference.cube, difference.grain), ("flow", "month"));
    assert_ne!(difference.kept.measure, difference.recounted.measure);
    assert_eq!(difference.kept.count, difference.recounted.count);
}
