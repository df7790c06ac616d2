//! What holds at every moment of a run.

use std::collections::BTreeMap;

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
