//! What holds at every moment of a run.

use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::scenario::Country;

/// A scenario of one province on 16 November 2020; `rest` is its traffic and what goes wrong.
fn scenario(disk_milliseconds: u32, rest: &str) -> Scenario {
    let text = format!(
        "[scenario]\nname = \"moments\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-17\n\
         disk-milliseconds = {disk_milliseconds}\n{rest}"
    );
    Scenario::parse("moments.toml", &text).unwrap()
}

fn country() -> Country {
    Country { entries: lienthong_country::entries().unwrap(), regions: BTreeMap::new() }
}

/// Plays a scenario; `before` looks at every event before it happens, `after` at the world after it.
fn play(
    scenario: &Scenario,
    mut before: impl FnMut(&World<'_>, &Event),
    mut after: impl FnMut(&mut World<'_>),
) {
    let mut world = World::new(scenario, &country(), None, None).unwrap();
    while let Some((at, event)) = world.next_event().unwrap() {
        world.now = at;
        before(&world, &event);
        world.happens(event).unwrap();
        after(&mut world);
    }
}

#[test]
fn what_cannot_be_played_to_its_end_is_not_begun_and_the_year_of_the_country_is_far_from_it() {
    let year = crate::scenario::builtin("country-year").unwrap();
    assert!(year.documents() * 10 < DOCUMENTS_MAX, "{} documents", year.documents());
    let text = "[scenario]\nname = \"x\"\ntitle = \"X\"\nfrom = 2020-01-01\nuntil = 2020-12-31\n\
                [[agencies]]\n[[traffic]]\ndocuments-per-day = 1\n\
                [[traffic]]\ndocuments-per-day = 1_000_000\n";
    let scenario = Scenario::parse("x.toml", text).unwrap();
    match World::new(&scenario, &country(), None, None) {
        Err(WorldError::TooMany { line: 9, documents }) => assert!(documents > DOCUMENTS_MAX),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn nothing_is_pushed_while_a_block_is_being_written_not_even_to_whoever_connects_then() {
    let scenario = scenario(
        500,
        "[[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
         [[traffic]]\nprovinces = [\"H36\"]\ndocuments-per-day = 20\nfan-out = [1, 2]\n",
    );
    let (mut written, mut pushed) = (0, 0);
    play(
        &scenario,
        |_, event| pushed += u32::from(matches!(event, Event::Pushed { .. })),
        |world| {
            if !world.hub.is_writing() {
                return;
            }
            written += 1;
            // A new connection is given everything that waits, the block's mail too.
            let agencies: Vec<Ordinal> = world.nodes.iter().map(|node| node.ordinal).collect();
            agencies.iter().for_each(|agency| world.hub.open(*agency));
            let Leaving { documents, notices } = world.hub.poll(world.now).unwrap();
            assert_eq!((documents.len(), notices.len()), (0, 0));
        },
    );
    assert!(written > 20 && pushed > 20, "{written} looks, {pushed} pushes");
}

#[test]
fn of_many_notices_that_come_at_once_none_overtakes_another() {
    // A department writes and goes off; what is reported of its documents waits until it is back.
    let scenario = scenario(
        5,
        "[[agencies]]\nagencies = [\"H36.01\", \"H36.02\"]\n\
         [[traffic]]\nagencies = [\"H36.01\"]\nto-agencies = [\"H36.02\"]\ndocuments-per-day = 200\n\
         [[answers]]\n\
         [[fault]]\nkind = \"node-off\"\nagencies = [\"H36.01\"]\n\
         from = 2020-11-16T11:00:00\nuntil = 2020-11-17T11:00:00\n",
    );
    let (mut came, mut at_once) = (HashSet::new(), BTreeMap::<_, u32>::new());
    play(
        &scenario,
        |world, event| {
            let Event::Noticed { node, number } = event else { return };
            if world.nodes[*node].is_on() && came.insert((*node, *number)) {
                assert!(world.nodes[*node].notices < *number, "{number:?} came too late");
                *at_once.entry(world.now.millis() / 1_000).or_default() += 1;
            }
        },
        |_| (),
    );
    let most = at_once.values().max().copied();
    assert!(most.is_some_and(|most| most > 20), "{most:?} within a second at most");
}

#[test]
fn a_node_whose_word_that_it_knows_a_notice_was_lost_says_so_when_it_comes_again() {
    let scenario = scenario(
        5,
        "[[agencies]]\nagencies = [\"H36.01\", \"H36.02\"]\n\
         [[traffic]]\nagencies = [\"H36.01\"]\nto-agencies = [\"H36.02\"]\ndocuments-per-day = 1\n\
         [[answers]]\nprocessed-share = 0.0\nfinished-share = 0.0\n",
    );
    let mut world = World::new(&scenario, &country(), None, None).unwrap();
    let (mut lost, mut again) = (None, false);
    while let Some((at, event)) = world.next_event().unwrap() {
        world.now = at;
        if let Event::Arrive(Call { node, sent: Sent::AcknowledgeNotices(through), .. }) = &event {
            if lost.is_none() {
                lost = Some((*node, *through));
                // It connects anew, so that the hub pushes what it takes for not known.
                world.connect(*node).unwrap();
                continue;
            }
            again |= lost == Some((*node, *through));
        }
        world.happens(event).unwrap();
    }
    assert!(lost.is_some() && again, "{lost:?}");
}

#[test]
fn what_agencies_were_sent_they_have_while_the_hub_is_down() {
    let scenario = scenario(
        5,
        "[[agencies]]\nprovinces = [\"H36\"]\ntake = 2\n\
         [[traffic]]\nprovinces = [\"H36\"]\ndocuments-per-day = 200\n\
         [[fault]]\nkind = \"hub-killed\"\n\
         from = 2020-11-16T10:00:00\nuntil = 2020-11-16T16:00:00\n",
    );
    let (mut received, mut looked) = (Vec::new(), 0);
    play(
        &scenario,
        |world, event| {
            if let Event::Pushed { node, position, .. } = event
                && world.nodes[*node].is_on()
            {
                received.push(*position);
            }
            if world.hub.is_up() {
                return;
            }
            // The last ones come while it is down, or shortly before.
            for position in received.iter().rev().take(4) {
                looked += 1;
                assert!(world.hub.document(*position).unwrap().is_some(), "{position:?}");
            }
        },
        |_| (),
    );
    assert!(looked > 0, "the hub was never down, or nothing was sent before");
}

#[test]
fn a_deadline_is_kept_though_a_block_is_being_written_or_the_hub_is_down_when_it_comes() {
    // Recipients are off, so most documents miss the time by which it was to be delivered.
    let scenario = scenario(
        1_000,
        "[[agencies]]\nagencies = [\"H36.01\", \"H36.02\"]\n\
         [[traffic]]\nagencies = [\"H36.01\"]\nto-agencies = [\"H36.02\"]\ndocuments-per-day = 600\n\
         timed-share = 0.8\n\
         [[fault]]\nkind = \"node-off\"\nagencies = [\"H36.02\"]\n\
         from = 2020-11-16T07:00:00\nuntil = 2020-11-17T17:00:00\n\
         [[fault]]\nkind = \"hub-killed\"\n\
         from = 2020-11-16T14:00:00\nuntil = 2020-11-16T16:30:00\n",
    );
    let (mut missed, mut ahead) = (0, None);
    play(
        &scenario,
        |_, _| (),
        |world| {
            if !world.hub.is_up() || world.hub.is_writing() {
                return;
            }
            let next = world.hub.next_deadline().filter(|at| *at < world.scenario.end());
            missed += u32::from(ahead.is_some() && next != ahead);
            ahead = next;
            let Some(next) = next else { return };
            let woken =
                world.deadline.is_some_and(|set| set >= world.now && set <= next.max(world.now));
            assert!(woken, "{next} came, now {}, and nothing is set", world.now);
        },
    );
    assert!(missed > 50, "{missed} deadlines");
}

#[test]
fn a_delay_on_a_link_holds_back_what_is_sent_both_ways() {
    const DELAY: i64 = 600_000;
    let scenario = scenario(
        5,
        "[[agencies]]\nagencies = [\"H36.01\", \"H36.02\"]\n\
         [[traffic]]\nagencies = [\"H36.01\"]\nto-agencies = [\"H36.02\"]\ndocuments-per-day = 1\n\
         [[answers]]\n\
         [[fault]]\nkind = \"delay\"\nagencies = [\"H36.02\"]\nwith-agencies = [\"H36.01\"]\n\
         delay-seconds = [600, 600]\n",
    );
    // What happened first, by what it is, and when; of the second agency.
    let mut first = BTreeMap::new();
    play(
        &scenario,
        |world, event| {
            let what = match event {
                Event::Pushed { .. } => "pushed",
                Event::Arrive(Call { node: 1, sent: Sent::Acknowledge(_), .. }) => "acknowledged",
                Event::Report { .. } => "reported",
                Event::Arrive(Call { node: 1, sent: Sent::Report(_), .. }) => "report arrived",
                Event::Answered { number, .. }
                    if world.pending.get(number).is_some_and(|pending| pending.node == 1) =>
                {
                    "answered"
                }
                Event::Arrive(Call { node: 0, sent: Sent::Document(_), .. }) => "written",
                _ => return,
            };
            first.entry(what).or_insert(world.now.millis());
        },
        |_| (),
    );
    for (one, then) in [
        ("written", "pushed"),
        ("pushed", "acknowledged"),
        ("reported", "report arrived"),
        ("report arrived", "answered"),
    ] {
        assert!(first[then] - first[one] >= DELAY, "{one}, {then}: {first:?}");
    }
}
