//! Messages that are arriving: how many bytes have come of those that are not whole yet, or not let in
//! yet.
//!
//! A message can be judged, and finds a place among those under way, when it is whole. Whoever begins
//! many and ends none would take memory that no other bound sees. So every byte is counted as it comes:
//! for its agency, and for all. In a call it counts until there is an answer; on a stream until its
//! message is whole, since a stream reads on only when that has been let in.
//!
//! Whoever has no share left is refused, never kept waiting: messages that wait for their ends would
//! wait for one another.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use lienthong_model::limits::{
    ARRIVING_BYTES_FREE, ARRIVING_BYTES_MAX, ARRIVING_BYTES_PER_AGENCY_MAX,
};
use lienthong_model::{CodeKey, Reason, Refusal};
use lienthong_wire::to_status;
use parking_lot::Mutex;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};

use crate::peer::Peer;

/// When whoever found no share may try again.
const AGAIN: Duration = Duration::from_secs(1);
/// Bytes before each message: whether it is compressed, and its length (gRPC over HTTP/2,
/// *Length-Prefixed-Message*).
const PREFIX_BYTES: usize = 5;

/// What is arriving.
#[derive(Debug, Default)]
struct Arriving(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// Only those of whom something is arriving.
    of_agency: HashMap<CodeKey, usize>,
}

impl Arriving {
    /// Counts bytes that have come; refuses them when too much is arriving.
    fn take(&self, agency: &CodeKey, bytes: usize) -> Result<(), Refusal> {
        let mut counts = self.0.lock();
        let of_agency = counts.of_agency.get(agency).copied().unwrap_or_default() + bytes;
        let all = counts.all + bytes;
        let too_much = |bytes: usize, max: usize, whose: &str| {
            let value = format!("{bytes} bytes of {whose} are arriving, at most {max}");
            Err(Refusal::at(Reason::Overloaded, "message", value).retry_after(AGAIN))
        };
        if of_agency > ARRIVING_BYTES_PER_AGENCY_MAX {
            return too_much(of_agency, ARRIVING_BYTES_PER_AGENCY_MAX, agency.as_str());
        }
        if all > ARRIVING_BYTES_MAX && of_agency > ARRIVING_BYTES_FREE {
            return too_much(all, ARRIVING_BYTES_MAX, "all");
        }
        counts.all = all;
        counts.of_agency.insert(agency.clone(), of_agency);
        Ok(())
    }

    fn give_back(&self, agency: &CodeKey, bytes: usize) {
        let mut counts = self.0.lock();
        counts.all = counts.all.saturating_sub(bytes);
        if let Some(held) = counts.of_agency.get_mut(agency) {
            *held = held.saturating_sub(bytes);
            if *held == 0 {
                counts.of_agency.remove(agency);
            }
        }
    }
}

/// A call or stream, and what it has brought.
struct Call {
    arriving: Arc<Arriving>,
    agency: CodeKey,
    brought: Mutex<Brought>,
}

#[derive(Debug, Default)]
struct Brought {
    /// Bytes that count.
    held: usize,
    /// Those of them whose message is not whole.
    unfinished: usize,
    /// Whether it has an answer, so that whole messages do not count.
    answered: bool,
}

impl Call {
    fn new(arriving: Arc<Arriving>, agency: CodeKey) -> Self {
        Self { arriving, agency, brought: Mutex::default() }
    }

    /// Bytes have come, after which so many belong to a message that is not whole.
    fn came(&self, bytes: usize, unfinished: usize) -> Result<(), Refusal> {
        self.arriving.take(&self.agency, bytes)?;
        let mut brought = self.brought.lock();
        brought.held += bytes;
        brought.unfinished = unfinished;
        self.settle(&mut brought);
        Ok(())
    }

    /// There is an answer. A stream is answered at once, before its first message.
    fn answered(&self) {
        let mut brought = self.brought.lock();
        brought.answered = true;
        self.settle(&mut brought);
    }

    fn settle(&self, brought: &mut Brought) {
        if brought.answered && brought.held > brought.unfinished {
            self.arriving.give_back(&self.agency, brought.held - brought.unfinished);
            brought.held = brought.unfinished;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let held = self.brought.get_mut().held;
        if held > 0 {
            self.arriving.give_back(&self.agency, held);
        }
    }
}

/// Where one message ends and the next begins.
#[derive(Debug, Default)]
struct Messages {
    prefix: [u8; PREFIX_BYTES],
    /// Bytes of the message that have come, its prefix among them.
    come: usize,
}

impl Messages {
    /// Takes bytes; returns how many have come of the message that is not whole then.
    fn pass(&mut self, mut bytes: &[u8]) -> usize {
        loop {
            if let Some(room) = self.prefix.get_mut(self.come..) {
                let some = bytes.len().min(room.len());
                let (prefix, rest) = bytes.split_at(some);
                room[..some].copy_from_slice(prefix);
                (self.come, bytes) = (self.come + some, rest);
            }
            let [_, length @ ..] = self.prefix;
            let whole = PREFIX_BYTES.saturating_add(u32::from_be_bytes(length) as usize);
            if self.come < PREFIX_BYTES {
                return self.come;
            }
            let some = bytes.len().min(whole - self.come);
            (self.come, bytes) = (self.come + some, &bytes[some..]);
            if self.come < whole {
                return self.come;
            }
            self.come = 0;
        }
    }
}

/// A request's body, counted as it comes.
struct CountedBody {
    body: Body,
    messages: Messages,
    call: Arc<Call>,
}

impl hyper::body::Body for CountedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, messages, call } = self.get_mut();
        let polled = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let unfinished = messages.pass(data);
            if let Err(refusal) = call.came(data.len(), unfinished) {
                tracing::info!(%refusal, "a message is refused before it is whole");
                return Poll::Ready(Some(Err(to_status(&refusal, None))));
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Wraps services so that what arrives for them is bounded.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArrivingLayer(Arc<Arriving>);

/// A service for which what arrives is bounded.
#[derive(Debug, Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    arriving: Arc<Arriving>,
}

impl<S> tower::Layer<S> for ArrivingLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, arriving: self.0.clone() }
    }
}

impl<S> Service<Request<Body>> for Counted<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Every connection has a proven peer; without one nothing is admitted.
        let Some(peer) = request.extensions().get::<Peer>() else {
            return Box::pin(self.inner.call(request));
        };
        let call = Arc::new(Call::new(self.arriving.clone(), peer.agency.key()));
        let (head, body) = request.into_parts();
        let body = CountedBody { body, messages: Messages::default(), call: call.clone() };
        let answer = self.inner.call(Request::from_parts(head, Body::new(body)));
        Box::pin(async move {
            let answer = answer.await;
            call.answered();
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use lienthong_model::AgencyCode;

    use super::*;

    fn agency(code: &str) -> CodeKey {
        AgencyCode::parse(code).unwrap().key()
    }

    fn held(arriving: &Arriving) -> usize {
        let counts = arriving.0.lock();
        assert_eq!(counts.all, counts.of_agency.values().sum::<usize>());
        assert!(counts.of_agency.values().all(|held| *held > 0), "{counts:?}");
        counts.all
    }

    /// Messages of these lengths, one after the other.
    fn messages(lengths: &[usize]) -> Vec<u8> {
        let message = |length: &usize| {
            let prefix = u32::try_from(*length).unwrap().to_be_bytes();
            [&[0], prefix.as_slice(), &vec![7; *length]].concat()
        };
        lengths.iter().flat_map(message).collect()
    }

    #[test]
    fn messages_are_told_apart_wherever_they_are_cut() {
        let bytes = messages(&[3, 0, 300, 1]);
        for one in 0..=bytes.len() {
            for other in one..=bytes.len() {
                let mut read = Messages::default();
                read.pass(&bytes[..one]);
                read.pass(&bytes[one..other]);
                assert_eq!(read.pass(&bytes[other..]), 0, "cut at {one} and {other}");
            }
        }
        let mut read = Messages::default();
        let unfinished: Vec<_> = bytes[..16].iter().map(|byte| read.pass(&[*byte])).collect();
        assert_eq!(unfinished, [1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 0, 1, 2, 3]);
    }

    #[test]
    fn a_call_counts_until_it_is_answered_and_a_stream_until_a_message_is_whole() {
        let arriving = Arc::new(Arriving::default());
        let call = Call::new(arriving.clone(), agency("H36"));
        call.came(1_000, 0).unwrap();
        assert_eq!(held(&arriving), 1_000);
        call.answered();
        assert_eq!(held(&arriving), 0);
        call.came(700, 600).unwrap();
        assert_eq!(held(&arriving), 600);
        call.came(50, 650).unwrap();
        assert_eq!(held(&arriving), 650);
        call.came(50, 0).unwrap();
        assert_eq!(held(&arriving), 0);
    }

    #[test]
    fn what_a_call_has_brought_is_given_back_with_it() {
        let arriving = Arc::new(Arriving::default());
        let (one, other) = (agency("H36"), agency("H34"));
        let calls = [one.clone(), one, other].map(|agency| Call::new(arriving.clone(), agency));
        for call in &calls {
            call.came(10, 10).unwrap();
        }
        assert_eq!(held(&arriving), 30);
        drop(calls);
        assert_eq!(held(&arriving), 0);
    }

    #[test]
    fn whoever_has_no_share_left_is_refused_and_keeps_what_it_had() {
        let arriving = Arc::new(Arriving::default());
        let call = Call::new(arriving.clone(), agency("H36"));
        call.came(ARRIVING_BYTES_PER_AGENCY_MAX, 1).unwrap();
        let refusal = call.came(1, 2).unwrap_err();
        assert_eq!(refusal.reason, Reason::Overloaded);
        assert!(
            refusal.retry_after_ms.is_some() && refusal.to_string().contains("H36"),
            "{refusal}"
        );
        Call::new(arriving.clone(), agency("H34")).came(1, 0).unwrap();
        assert_eq!(held(&arriving), ARRIVING_BYTES_PER_AGENCY_MAX);
    }

    #[test]
    fn when_all_is_taken_whoever_has_brought_little_is_still_heard() {
        let arriving = Arc::new(Arriving::default());
        let others = ARRIVING_BYTES_MAX / ARRIVING_BYTES_PER_AGENCY_MAX;
        let calls: Vec<_> = (0..others)
            .map(|number| Call::new(arriving.clone(), agency(&format!("H{}", 10 + number))))
            .collect();
        for call in &calls {
            call.came(ARRIVING_BYTES_PER_AGENCY_MAX, 1).unwrap();
        }
        let call = Call::new(arriving.clone(), agency("H36"));
        call.came(ARRIVING_BYTES_FREE, 1).unwrap();
        assert_eq!(call.came(1, 1).unwrap_err().reason, Reason::Overloaded);
    }
}
