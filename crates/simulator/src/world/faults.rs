//! What goes wrong on purpose.

use lienthong_model::Ordinal;
use lienthong_trust::Revoked;
use rand::RngExt as _;

use super::{Event, World, WorldError};
use crate::scenario::{Area, FaultKind, Scenario};

/// Which nodes each fault may hit.
pub(super) struct Hits(Vec<Vec<usize>>);

impl Hits {
    pub fn new(scenario: &Scenario, nodes: impl Fn(&Area) -> Vec<usize>) -> Self {
        Self(scenario.faults.iter().map(|fault| nodes(&fault.area)).collect())
    }

    fn holds(&self, fault: usize, node: usize) -> bool {
        self.0[fault].binary_search(&node).is_ok()
    }
}

impl World<'_> {
    /// Whether a fault of a kind hits a message of a node now.
    pub(super) fn struck(&mut self, kind: FaultKind, node: usize) -> bool {
        let now = self.now;
        let mut struck = false;
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            let may = fault.kind == kind
                && fault.from <= now
                && now < fault.until
                && self.hits.holds(index, node);
            struck |= may && self.dice.faults.random_bool(fault.share);
        }
        struck
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

    pub(super) fn fault_begins(&mut self, index: usize) -> Result<(), WorldError> {
        let kind = self.scenario.faults[index].kind;
        self.trace.line(self.now, "fault-begins", &[&kind.name()])?;
        self.hub.disturb(kind, &self.ordinals(index), true);
        match kind {
            FaultKind::NodeOff => {
                for node in self.hits.0[index].clone() {
                    self.nodes[node].off += 1;
                    self.hub.close(self.nodes[node].ordinal);
                }
                Ok(())
            }
            FaultKind::CertificateRevoked => self.revoke(),
            FaultKind::HubKilled => {
                self.hub.kill()
            }
            FaultKind::AcknowledgementLost
            | FaultKind::DuplicateSubmission
            | FaultKind::CertificateExpired
            | FaultKind::ContentChanged => Ok(()),
        }
    }

    pub(super) fn fault_ends(&mut self, index: usize) -> Result<(), WorldError> {
        let kind = self.scenario.faults[index].kind;
        self.trace.line(self.now, "fault-ends", &[&kind.name()])?;
        self.hub.disturb(kind, &self.ordinals(index), false);
        match kind {
            FaultKind::NodeOff => {
                for node in self.hits.0[index].clone() {
                    self.nodes[node].off = self.nodes[node].off.saturating_sub(1);
                    self.back(node)?;
                }
                Ok(())
            }
            FaultKind::HubKilled => {
                self.hub.start()?;
                // A list that came while it was down is brought again.
                self.revoke()?;
                let connected = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_on());
                for node in connected.collect::<Vec<_>>() {
                    self.later(Event::Connect(node));
                }
                Ok(())
            }
            FaultKind::AcknowledgementLost
            | FaultKind::DuplicateSubmission
            | FaultKind::CertificateRevoked
            | FaultKind::CertificateExpired
            | FaultKind::ContentChanged => Ok(()),
        }
    }

    /// The agencies that a fault hits.
    fn ordinals(&self, fault: usize) -> Vec<Ordinal> {
        self.hits.0[fault].iter().map(|node| self.nodes[*node].ordinal).collect()
    }

    /// A node is back: it connects and sends what it kept.
    fn back(&mut self, node: usize) -> Result<(), WorldError> {
        if !self.nodes[node].is_on() {
            return Ok(());
        }
        self.connect(node)?;
        for number in std::mem::take(&mut self.nodes[node].outbox) {
            self.send(number)?;
        }
        Ok(())
    }

    /// A new list with the leaders of every revocation that has begun.
    fn revoke(&mut self) -> Result<(), WorldError> {
        const KEY_COMPROMISE: u8 = 1;
        let mut revoked = Vec::new();
        let mut generations = vec![0; self.nodes.len()];
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            if fault.kind != FaultKind::CertificateRevoked || fault.from > self.now {
                continue;
            }
            for node in &self.hits.0[index] {
                let code = &self.nodes[*node].member.entry.code;
                let leader = self.keys.leader(code, generations[*node])?;
                let serial = leader.certificate().serial().to_vec();
                revoked.push(Revoked { serial, at: fault.from, reason: KEY_COMPROMISE });
                generations[*node] += 1;
            }
        }
        if revoked.is_empty() {
            return Ok(());
        }
        self.lists += 1;
        self.hub.revoke(&self.keys, self.lists, self.now, &revoked)
    }
}
