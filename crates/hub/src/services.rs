//! The gRPC services. A method converts, calls, converts.

mod admin;
mod directory;
mod evidence;
mod exchange;
mod notices;
mod recipient_lists;
mod statistics;
mod streams;
mod tracking;
mod transfer;
mod trust;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use lienthong_model::limits::{MESSAGE_BYTES_MAX, SUBMISSION_BYTES_UNDER_WAY_MAX};
use lienthong_model::{MessageId, Refusal, Timestamp};
use lienthong_wire::{moment, to_status};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::{Request, Status};

use crate::administration::Administration;
use crate::admission::{Admission, Place};
use crate::caller::{MayExchange, Permit, admit};
use crate::clock::BusinessClock;
use crate::egress::Egress;
use crate::evidence::Evidence;
use crate::ingress::Ingress;
use crate::meters::Meters;
use crate::places::SharedPlaces;
use crate::rate::{Load, RateGate};
use crate::reader::Reader;
use crate::sequencer::Sequencer;
use crate::transfer::Transfers;

/// What the services call.
pub(crate) struct Rooms {
    pub reader: Reader,
    pub ingress: Ingress,
    pub egress: Egress,
    pub notices: Egress,
    pub sequencer: Sequencer,
    pub administration: Administration,
    pub clock: BusinessClock,
    pub evidence: Arc<Evidence>,
    /// How fast each agency asks.
    pub rates: RateGate,
    pub transfers: Transfers,
    /// Places for submissions and reports under way.
    pub admission: Arc<Admission>,
    /// Room for messages under way.
    pub room: Room,
    /// Places for those who wait for recipients to get somewhere.
    pub waits: Arc<SharedPlaces>,
    /// Places for live questions to the statistics.
    pub live: Arc<SharedPlaces>,
    /// Places for recounts of the statistics.
    pub recounts: Arc<Semaphore>,
    /// Places for evidence bundles.
    pub bundles: Arc<SharedPlaces>,
    /// Where refusals are counted.
    pub meters: Arc<Meters>,
    /// Becomes true when the hub drains: streams end themselves.
    pub stopping: watch::Receiver<bool>,
}

impl Rooms {
    /// Lets the message of a unary call in: its caller's rate allows the bytes, and it has a place
    /// among those under way, which dropping the answer gives back.
    pub async fn let_in(&self, permit: MayExchange, bytes: usize) -> Result<LetIn, Refusal> {
        let load = Load { requests: 0, bytes };
        self.counted(self.rates.pass(permit.0.agency, load, &self.reader.directory()))?;
        let place = Some(self.counted(self.admission.enter().await)?);
        Ok(LetIn { _place: place, _room: self.room.clone().place(bytes).await })
    }

    /// Lets a message of a stream in when nothing keeps it waiting.
    pub fn let_in_at_once(&self, permit: MayExchange, bytes: usize) -> Option<LetIn> {
        let _room = Some(self.room.at_once(bytes)?);
        let _place = Some(self.admission.at_once()?);
        let load = Load { requests: 1, bytes };
        let passes = self.rates.passes(permit.0.agency, load, &self.reader.directory());
        passes.then_some(LetIn { _place, _room })
    }

    /// Lets a message of a stream in, like [`Rooms::let_in`]; waits for the rate within its bound,
    /// and for a place.
    pub async fn let_in_slowly(&self, permit: MayExchange, bytes: usize) -> Result<LetIn, Refusal> {
        self.counted(self.pace(permit, bytes).await)?;
        let place = self.admission.wait().await;
        Ok(LetIn { _place: place, _room: self.room.clone().place(bytes).await })
    }

    /// Waits within its bound until the caller's rate allows one more message of a stream.
    pub async fn pace(&self, permit: MayExchange, bytes: usize) -> Result<(), Refusal> {
        let load = Load { requests: 1, bytes };
        self.rates.wait(permit.0.agency, load, &self.reader.directory()).await
    }

    /// Waits until the caller's rate allows one more message of a stream, for as long as it takes.
    pub async fn slow_down(&self, permit: MayExchange) {
        while let Err(refusal) = self.pace(permit, 0).await {
            let again = refusal.retry_after_ms.unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(again)).await;
        }
    }

    /// Counts a document or report that is refused before anything of it is looked at.
    fn counted<T>(&self, let_in: Result<T, Refusal>) -> Result<T, Refusal> {
        let_in.inspect_err(|refusal| self.meters.refused(refusal.reason))
    }

    /// Waits until the hub drains.
    pub fn drained(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.clone();
        async move {
            // The sender gone is a hub gone.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }
}

/// A message that was let in; it is dropped with its answer.
pub(crate) struct LetIn {
    _place: Option<Place>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Room for the messages of submissions and reports under way, by their bytes: whoever finds none
/// waits, and its connection with it.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    const KIB: usize = 1024;

    /// Makes the room of [`SUBMISSION_BYTES_UNDER_WAY_MAX`].
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(SUBMISSION_BYTES_UNDER_WAY_MAX / Self::KIB)))
    }

    /// Waits for a place for a message; dropping it gives it back.
    pub async fn place(self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.0.acquire_many_owned(Self::kib(bytes)).await.ok()
    }

    /// A place for a message when there is one.
    fn at_once(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_many_owned(Self::kib(bytes)).ok()
    }

    fn kib(bytes: usize) -> u32 {
        let kib = bytes.min(MESSAGE_BYTES_MAX) / Self::KIB + 1;
        u32::try_from(kib).unwrap_or(1)
    }
}

/// One implementation of all services; cheap to clone.
#[derive(Clone)]
pub(crate) struct Services(pub Arc<Rooms>);

impl Services {
    /// Admits a request: who calls may, and not too often.
    fn admit<P: Permit, T>(&self, request: &Request<T>) -> Result<P, Status> {
        self.admitted(request).map_err(refused)
    }

    /// Admits a request that brings a document or report; one that is refused is counted.
    fn admit_content<T>(&self, request: &Request<T>) -> Result<MayExchange, Status> {
        self.0.counted(self.admitted(request)).map_err(refused)
    }

    fn admitted<P: Permit, T>(&self, request: &Request<T>) -> Result<P, Refusal> {
        let Rooms { reader, clock, rates, .. } = &*self.0;
        let (caller, permit) = admit(request, reader, clock.now())?;
        let load = Load { requests: 1, bytes: 0 };
        rates.pass(caller.agency, load, &reader.directory())?;
        Ok(permit)
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
