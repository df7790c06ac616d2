//! The gRPC services. A method converts, calls, converts.

mod directory;
mod evidence;
mod exchange;
mod statistics;
mod streams;

use std::sync::Arc;

use lienthong_model::{MessageId, Refusal, Timestamp};
use lienthong_wire::{moment, to_status};
use tokio::sync::watch;
use tonic::{Request, Status};

use crate::caller::{Permit, admit};
use crate::clock::BusinessClock;
use crate::egress::Egress;
use crate::evidence::Evidence;
use crate::ingress::Ingress;
use crate::reader::Reader;
use crate::sequencer::Sequencer;

/// What the services call.
pub(crate) struct Rooms {
    pub reader: Reader,
    pub ingress: Ingress,
    pub egress: Egress,
    pub sequencer: Sequencer,
    pub clock: BusinessClock,
    pub evidence: Arc<Evidence>,
    /// Becomes true when the hub drains: streams end themselves.
    pub stopping: watch::Receiver<bool>,
}

impl Rooms {
    /// Waits until the hub drains.
    pub fn drained(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.clone();
        async move {
            // The sender gone is a hub gone.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }
}

/// One implementation of all services; cheap to clone.
#[derive(Clone)]
pub(crate) struct Services(pub Arc<Rooms>);

impl Services {
    fn admit<P: Permit, T>(&self, request: &Request<T>) -> Result<P, Status> {
        admit(request, &self.0.reader, self.0.clock.now()).map_err(refused)
    }

    /// The moment that a request names, or now.
    fn moment(&self, at: Option<&prost_types::Timestamp>) -> Timestamp {
        at.and_then(moment::from_proto).unwrap_or_else(|| self.0.clock.now())
    }
}

fn refused(refusal: Refusal) -> Status {
    to_status(&refusal, None)
}

fn refused_about(refusal: Refusal, id: Option<MessageId>) -> Status {
    to_status(&refusal, id)
}
