//! What goes wrong on purpose.

use std::time::Duration;

use lienthong_model::Ordinal;
use lienthong_trust::Revoked;
use rand::RngExt as _;

use super::lanes::Nodes;
use super::{Event, Role, World, WorldError};
use crate::scenario::{Area, FaultKind, Scenario, whole};

/// Whom each fault may hit, and which are under way.
pub(super) struct Hits {
    faults: Vec<Hit>,
    under_way: Vec<usize>,
    kinds: Vec<FaultKind>,
}

/// Whom one fault may hit, by index, in order.
struct Hit {
    nodes: Nodes,
    /// The other end; none: anybody.
    others: Option<Nodes>,
}

impl Hits {
    pub fn new(scenario: &Scenario, nodes: impl Fn(&Area) -> Nodes) -> Self {
        let hit = |fault: &crate::scenario::Fault| Hit {
            nodes: nodes(&fault.area),
            others: (!fault.with.is_everybody()).then(|| nodes(&fault.with)),
        };
        Self {
            faults: scenario.faults.iter().map(hit).collect(),
            under_way: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// Every fault has somebody whom it may hit.
    pub fn check(&self, scenario: &Scenario) -> Result<(), WorldError> {
        for (hit, fault) in self.faults.iter().zip(&scenario.faults) {
            let nobody = |role| Err(WorldError::NobodyIn { line: fault.line, role });
            if hit.nodes.is_empty() {
                return nobody(Role::Struck);
            }
            if hit.others.as_ref().is_some_and(Vec::is_empty) {
                return nobody(Role::OtherEnd);
            }
        }
        Ok(())
    }

    /// Whether a fault of a kind is under way.
    pub fn is_under_way(&self, kind: FaultKind) -> bool {
        self.kinds.contains(&kind)
    }

    fn set(&mut self, scenario: &Scenario, fault: usize, under_way: bool) {
        self.under_way.retain(|other| *other != fault);
        if under_way {
            self.under_way.push(fault);
        }
        self.kinds = self.under_way.iter().map(|fault| scenario.faults[*fault].kind).collect();
    }

    fn holds(&self, fault: usize, node: usize) -> bool {
        self.faults[fault].nodes.binary_search(&node).is_ok()
    }

    fn holds_link(&self, fault: usize, node: usize, others: &[usize]) -> bool {
        self.holds(fault, node)
            && self.faults[fault]
                .others
                .as_ref()
                .is_none_or(|known| others.iter().any(|other| known.binary_search(other).is_ok()))
    }
}

impl World<'_> {
    /// The fault of a kind that hits a message of a node now; `others` are those whom the document
    /// is exchanged with.
    pub(super) fn strikes(
        &mut self,
        kind: FaultKind,
        node: usize,
        others: &[usize],
    ) -> Option<usize> {
        if !self.hits.is_under_way(kind) {
            return None;
        }
        let mut struck = None;
        for fault in &self.hits.under_way {
            let (index, fault) = (*fault, &self.scenario.faults[*fault]);
            let may = fault.kind == kind && self.hits.holds_link(index, node, others);
            if may && self.dice.faults.random_bool(fault.share) {
                struck = Some(index);
            }
        }
        struck
    }

    /// By how much a fault of a kind delays a message; not at all when none does.
    pub(super) fn delay(&mut self, kind: FaultKind, node: usize, others: &[usize]) -> Duration {
        let Some(fault) = self.strikes(kind, node, others) else { return Duration::ZERO };
        let (least, most) = self.scenario.faults[fault].delay_seconds;
        let seconds = self.dice.faults.random_range(least..=most);
        Duration::from_millis(whole(seconds * 1_000.0))
    }

    /// Which of its certificates a node's leader uses: a new one after each revocation that ended.
    pub(super) fn generation(&self, node: usize) -> u32 {
        let faults = self.scenario.faults.iter().enumerate();
        let replaced = faults.filter(|(index, fault)| {
            fault.kind == FaultKind::CertificateRevoked
                && fault.until <= self.now
                && self.hits.holds(*index, node)
        });
        u32::try_from(replaced.count()).unwrap_or(u32::MAX)
    }

    /// The agencies that a fault hits.
    fn ordinals(&self, fault: usize) -> Vec<Ordinal> {
        self.hits.faults[fault].nodes.iter().map(|node| self.nodes[*node].ordinal).collect()
    }

    pub(super) fn fault_begins(&mut self, index: usize) -> Result<(), WorldError> {
        let kind = self.scenario.faults[index].kind;
        self.hits.set(self.scenario, index, true);
        self.trace.line(self.now, "fault-begins", &[&kind.name()])?;
        self.hub.disturb(kind, &self.ordinals(index), true);
        match kind {
            FaultKind::NodeOff => {
                for node in self.hits.faults[index].nodes.clone() {
                    self.nodes[node].off += 1;
                    self.hub.close(self.nodes[node].ordinal);
                }
                Ok(())
            }
            FaultKind::CertificateRevoked => self.bring_list(),
            FaultKind::HubKilled => {
                self.dying = self.hub.is_up();
                Ok(())
            }
            FaultKind::DiskFull => self.hub.set_low(true),
            FaultKind::AcknowledgementLost
            | FaultKind::Delay
            | FaultKind::DuplicateSubmission
            | FaultKind::Reorder
            | FaultKind::UploadCut
            | FaultKind::ContentChanged
            | FaultKind::CertificateWrong
            | FaultKind::CertificateExpired
            | FaultKind::ClockOff
            | FaultKind::SlowReader
            | FaultKind::RevocationListLate => Ok(()),
        }
    }

    pub(super) fn fault_ends(&mut self, index: usize) -> Result<(), WorldError> {
        let kind = self.scenario.faults[index].kind;
        self.hits.set(self.scenario, index, false);
        self.trace.line(self.now, "fault-ends", &[&kind.name()])?;
        self.hub.disturb(kind, &self.ordinals(index), false);
        match kind {
            FaultKind::NodeOff => {
                for node in self.hits.faults[index].nodes.clone() {
                    self.nodes[node].off = self.nodes[node].off.saturating_sub(1);
                    self.back(node)?;
                }
                Ok(())
            }
            FaultKind::HubKilled => self.hub_starts(),
            FaultKind::RevocationListLate => self.bring_list(),
            FaultKind::DiskFull => self.hub.set_low(self.hits.is_under_way(kind)),
            FaultKind::AcknowledgementLost
            | FaultKind::Delay
            | FaultKind::DuplicateSubmission
            | FaultKind::Reorder
            | FaultKind::UploadCut
            | FaultKind::ContentChanged
            | FaultKind::CertificateWrong
            | FaultKind::CertificateExpired
            | FaultKind::CertificateRevoked
            | FaultKind::ClockOff
            | FaultKind::SlowReader => Ok(()),
        }
    }

    /// The hub is killed: with a block that is not on disk, when one is being written.
    pub(super) fn hub_dies(&mut self) -> Result<(), WorldError> {
        self.dying = false;
        self.hub.kill()?;
        self.trace.line(self.now, "hub-dies", &[])
    }

    /// The hub starts, unless another fault keeps it down; one that nobody asked anything dies now.
    fn hub_starts(&mut self) -> Result<(), WorldError> {
        if self.hits.is_under_way(FaultKind::HubKilled) {
            return Ok(());
        }
        if self.hub.is_up() {
            self.hub_dies()?;
        }
        self.hub.start()?;
        // A list that came while it was down is brought again.
        self.bring_list()?;
        for node in 0..self.nodes.len() {
            if self.nodes[node].is_on() {
                self.later(Event::Connect(node), Duration::ZERO);
            }
        }
        self.await_deadline();
        if self.hub.has_waiting() {
            self.commit_soon();
        }
        Ok(())
    }

    /// A hub that runs already has lists that stay in date: where one is to be late, it gets one that
    /// goes out of date in time.
    pub(super) fn let_lists_go_out_of_date(&mut self) -> Result<(), WorldError> {
        let late = |fault: &crate::scenario::Fault| fault.kind == FaultKind::RevocationListLate;
        if !self.scenario.faults.iter().any(late) {
            return Ok(());
        }
        let now = self.now;
        self.now = now.minus(Duration::from_secs(60));
        self.bring_list()?;
        self.now = now;
        Ok(())
    }

    /// A new list with the leaders of every revocation that has begun, in date until the next fault
    /// that keeps one back; none while one is kept back.
    fn bring_list(&mut self) -> Result<(), WorldError> {
        const KEY_COMPROMISE: u8 = 1;
        if !self.hub.is_up() || self.hits.is_under_way(FaultKind::RevocationListLate) {
            return Ok(());
        }
        let faults = || self.scenario.faults.iter().enumerate();
        let late = faults().filter(|(_, fault)| {
            fault.kind == FaultKind::RevocationListLate && fault.from > self.now
        });
        let next_update = late.map(|(_, fault)| fault.from).min();
        let mut revoked = Vec::new();
        let mut generations = vec![0; self.nodes.len()];
        for (index, fault) in faults() {
            if fault.kind != FaultKind::CertificateRevoked || fault.from > self.now {
                continue;
            }
            for node in &self.hits.faults[index].nodes {
                let code = &self.nodes[*node].member.entry.code;
                let leader = self.keys.leader(code, generations[*node])?;
                let serial = leader.certificate().serial().to_vec();
                revoked.push(Revoked { serial, at: fault.from, reason: KEY_COMPROMISE });
                generations[*node] += 1;
            }
        }
        let any = faults().any(|(_, fault)| {
            matches!(fault.kind, FaultKind::CertificateRevoked | FaultKind::RevocationListLate)
        });
        if !any {
            return Ok(());
        }
        self.lists += 1;
        let until = next_update.unwrap_or(self.keys.last_update());
        let list = self.keys.list(self.keys.issuing(), (self.lists, self.now, until), &revoked)?;
        self.hub.take_list(&self.keys, &list)?;
        self.commit_soon();
        Ok(())
    }
}
