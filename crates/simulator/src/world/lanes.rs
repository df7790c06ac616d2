//! Who writes to whom: senders of a traffic, and recipients by province and level.

use std::collections::BTreeMap;

use lienthong_core::Span;
use lienthong_model::{Day, Level, Ordinal};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use super::Node;
use crate::scenario::{Area, Traffic};

/// Drawing somebody is tried so often for each that is wanted.
const TRIES: u32 = 16;

/// Nodes by index.
pub(super) type Nodes = Vec<usize>;

/// One traffic's senders and recipients.
pub(super) struct Lane {
    senders: Nodes,
    /// Recipients by province (none: the centre) and level.
    places: BTreeMap<(Option<Ordinal>, Level), Nodes>,
}

impl Lane {
    /// Makes the lane of a traffic; `holds` says which nodes are of an area.
    pub fn new(traffic: &Traffic, nodes: &[Node], holds: impl Fn(&Area) -> Nodes) -> Self {
        let mut places: BTreeMap<_, Nodes> = BTreeMap::new();
        for index in holds(&traffic.to) {
            let node = &nodes[index];
            places.entry((node.province, node.member.entry.level)).or_default().push(index);
        }
        Self { senders: holds(&traffic.area), places }
    }

    pub fn senders(&self) -> &[usize] {
        &self.senders
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
    pub fn reaches(&self, span: Span, sender: usize, own: Option<Ordinal>) -> bool {
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

    /// Draws recipients for a sender, each once, as many as the fan-out says and there are.
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
        if all == 0 {
            return drawn;
        }
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
                break;
            }
        }
        drawn
    }
}
