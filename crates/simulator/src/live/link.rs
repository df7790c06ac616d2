//! The network before one node, as a scenario's faults disturb it.

use lienthong_client::Endpoint;

use super::LiveError;
use super::proxy::{Mode, Proxy};
use crate::scenario::FaultKind;

/// Bytes after which an upload is cut.
const UPLOAD_CUT: u64 = 1_024 * 1_024;

/// What a fault does to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disturbance(Mode);

impl Disturbance {
    /// Returns what a kind of fault does; `None`: nothing.
    pub fn of(kind: FaultKind) -> Option<Self> {
        match kind {
            FaultKind::UploadCut => Some(Self(Mode::CutAfter(UPLOAD_CUT))),
            FaultKind::AcknowledgementLost
            | FaultKind::Delay
            | FaultKind::DuplicateSubmission
            | FaultKind::Reorder
            | FaultKind::ContentChanged
            | FaultKind::CertificateWrong
            | FaultKind::CertificateExpired
            | FaultKind::CertificateRevoked
            | FaultKind::ClockOff
            | FaultKind::SlowReader
            | FaultKind::NodeOff
            | FaultKind::HubKilled
            | FaultKind::DiskFull
            | FaultKind::RevocationListLate => None,
        }
    }
}

/// A proxy before one node's hub.
pub(super) struct Link(Proxy);

impl Link {
    /// Puts a proxy before an endpoint; returns the endpoint that leads through it.
    pub async fn before(endpoint: &Endpoint) -> Result<(Self, Endpoint), LiveError> {
        let proxy = Proxy::before(endpoint.host_and_port()).await.map_err(LiveError::Proxy)?;
        let through = endpoint.clone().through(proxy.address());
        Ok((Self(proxy), through))
    }

    /// Returns how many connections it has cut.
    pub fn cut_connections(&self) -> u64 {
        self.0.done().cut
    }

    /// Disturbs the network, or mends it.
    pub fn disturb(&self, disturbance: Option<Disturbance>) {
        self.0.set(disturbance.map_or(Mode::Open, |Disturbance(mode)| mode));
    }
}
