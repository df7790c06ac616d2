//! Who writes to whom: senders of a traffic, and recipients by province and level.

use std::collections::BTreeMap;

use lienthong_core::Span;
use lienthong_model::{Day, Level, Ordinal};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use super::{Node, Role};
use crate::scenario::{Area, Traffic};

/// Drawing somebody is tried so often for each that is wanted, before it is drawn from the rest.
const TRIES: u32 = 16;

/// Nodes by index.
pub(super) type Nodes = Vec<usize>;

/// One traffic's senders and recipients.
pub(super) struct Lane {
    /// Those who may write to somebody; whoever may not writes nothing of it.
    senders: Nodes,
    /// Recipients by province (none: the centre) and level.
    places: BTreeMap<(Option<Ordinal>, Level), Nodes>,
}

impl Lane {
    /// Makes the lane of a traffic; `holds` says which nodes are of an area.
    ///
    /// # Errors
    /// The part that nobody has.
    pub fn new(
        traffic: &Traffic,
        nodes: &[Node],
        holds: impl Fn(&Area) -> Nodes,
    ) -> Result<Self, Role> {
        let mut places: BTreeMap<_, Nodes> = BTreeMap::new();
        for index in holds(&traffic.to) {
            let node = &nodes[index];
            places.entry((node.province, node.member.entry.level)).or_default().push(index);
        }
        let mut lane = Self { senders: Nodes::new(), places };
        let mut senders = holds(&traffic.area);
        if senders.is_empty() {
            return Err(Role::Writer);
        }
        senders.retain(|sender| lane.reaches(traffic.span, *sender, nodes[*sender].province));
        if senders.is_empty() {
            return Err(Role::Addressee);
        }
        lane.senders = senders;
        Ok(lane)
    }

    /// The groups of nodes that a sender of a province may write to.
    fn groups(&self, span: Span, own: Option<Ordinal>) -> Vec<&[usize]> {
        let lies = |province: Option<Ordinal>| match span {
            Span::Any => true,
            Span::Inside => own.is_some() && province == own,
            Span::Between => own.is_some() && province.is_some() && province != own,
            Span::Centre => own.is_none() || province.is_none(),
        };
        let groups = self.places.iter().filter(|((province, _), _)| lies(*province));
        groups.map(|(_, group)| group.as_slice()).collect()
    }

    /// Whether a sender may write to anybody.
    fn reaches(&self, span: Span, sender: usize, own: Option<Ordinal>) -> bool {
        self.groups(span, own).iter().any(|group| group.iter().any(|other| *other != sender))
    }

    /// Draws a sender that is connected on a day; none when nobody is.
    pub fn draw_sender(&self, nodes: &[Node], day: Day, dice: &mut ChaCha8Rng) -> Option<usize> {
        let ready = |index: &&usize| {
            let member = &nodes[**index].member;
            member.connected.holds(day) && !member.outside
        };
        for _ in 0..TRIES {
            let drawn = self.senders.choose(dice)?;
            if ready(&drawn) {
                return Some(*drawn);
            }
        }
        let all: Vec<usize> = self.senders.iter().filter(ready).copied().collect();
        all.choose(dice).copied()
    }

    /// Draws recipients for a sender, each once, as many as the fan-out says and there are: one at
    /// least.
    pub fn draw_recipients(
        &self,
        traffic: &Traffic,
        (sender, own): (usize, Option<Ordinal>),
        dice: &mut ChaCha8Rng,
    ) -> Nodes {
        let groups = self.groups(traffic.span, own);
        let all: usize = groups.iter().map(|group| group.len()).sum();
        let (least, most) = traffic.fan_out;
        let wanted = dice.random_range(least..=most) as usize;
        let mut drawn = Nodes::with_capacity(wanted);
        for _ in 0..wanted * TRIES as usize {
            let mut place = dice.random_range(0..all);
            let group = groups.iter().find(|group| {
                let here = place < group.len();
                place -= if here { 0 } else { group.len() };
                here
            });
            let Some(one) = group.map(|group| group[place]) else { break };
            if one != sender && !drawn.contains(&one) {
                drawn.push(one);
            }
            if drawn.len() >= wanted {
                return drawn;
            }
        }
        // Nearly everybody was drawn, or there are fewer than are wanted.
        let mut rest: Nodes = groups.concat();
        rest.retain(|one| *one != sender && !drawn.contains(one));
        while drawn.len() < wanted && !rest.is_empty() {
            drawn.push(rest.swap_remove(dice.random_range(0..rest.len())));
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;
    use crate::scenario::{Scenario, Since};
    use crate::world::Member;

    fn scenario(traffic: &str) -> Scenario {
        let text = format!(
            "[scenario]\nname = \"lanes\"\ntitle = \"X\"\nfrom = 2020-11-16\nuntil = 2020-11-16\n\
             [[agencies]]\n[[traffic]]\ndocuments-per-day = 1\n{traffic}"
        );
        Scenario::parse("lanes.toml", &text).unwrap()
    }

    /// Nodes of agencies, each of the province beside it.
    fn nodes(provinces: &[Option<Ordinal>]) -> Vec<Node> {
        let entries = lienthong_country::entries().unwrap();
        let node = |(index, province): (usize, &Option<Ordinal>)| {
            let (connected, personal) = (Since::Always, Since::Always);
            let entry = entries[index].clone();
            let member = Member { entry, connected, personal, outside: false };
            Node::new(member, Ordinal(100), *province)
        };
        provinces.iter().enumerate().map(node).collect()
    }

    #[test]
    fn the_only_addressee_is_found_however_often_the_sender_itself_is_drawn() {
        let (scenario, nodes) = (scenario(""), nodes(&[None, None]));
        let traffic = &scenario.traffic[0];
        let lane = Lane::new(traffic, &nodes, |_| vec![0, 1]).unwrap();
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        // The sender is drawn sixteen times running once in 65,536 times.
        for _ in 0..400_000 {
            assert_eq!(lane.draw_recipients(traffic, (0, None), &mut dice), [1]);
        }
    }

    #[test]
    fn recipients_are_as_many_as_there_are_when_more_are_wanted() {
        let (scenario, nodes) = (scenario("fan-out = 9\n"), nodes(&[None; 4]));
        let traffic = &scenario.traffic[0];
        let lane = Lane::new(traffic, &nodes, |_| vec![0, 1, 2, 3]).unwrap();
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let mut drawn = lane.draw_recipients(traffic, (2, None), &mut dice);
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 1, 3]);
    }

    #[test]
    fn whoever_may_write_to_nobody_is_no_sender() {
        // Two of a province, one alone in another, one of the centre.
        let (here, there) = (Some(Ordinal(1)), Some(Ordinal(2)));
        let nodes = nodes(&[here, here, there, None]);
        let inside = scenario("span = \"inside\"\n");
        let lane = |held: &[usize]| Lane::new(&inside.traffic[0], &nodes, |_| held.to_vec());
        assert_eq!(lane(&[0, 1, 2, 3]).map(|lane| lane.senders), Ok(vec![0, 1]));
        assert_eq!(lane(&[1, 2, 3]).map(|lane| lane.senders), Err(Role::Addressee));
        assert_eq!(lane(&[]).map(|lane| lane.senders), Err(Role::Writer));
    }
}
