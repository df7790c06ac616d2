//! The streaming methods: answers to each message, and the consumer's two-way stream.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use lienthong_core::{DeliveryKey, Push};
use lienthong_model::limits::{
    CONSUMER_CREDIT_MAX, MESSAGE_BYTES_MAX, STREAM_IN_FLIGHT_MAX, SUBSCRIPTION_AGENCIES_MAX,
};
use lienthong_model::{Ordinal, Position, Reason, Refusal};
use lienthong_wire::proto::{self, subscribe_request as asked, subscribe_response as said};
use lienthong_wire::{moment, refusal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::exchange::{Settled, acknowledge};
use super::{Rooms, refused};
use crate::caller::{MayExchange, served};
use crate::egress::{Consumer, Egress, Opening};
use crate::negatives::NotTaken;
use crate::present;

/// A stream of answers.
pub(crate) type Outcomes<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Answers that wait for a slow consumer.
pub(super) const SAID_WAITING_MAX: usize = 8;
/// Calls for acknowledgement of one consumer that are under way.
const ACKNOWLEDGING_MAX: usize = 64;
/// When a delivery that was negatively acknowledged without a delay comes again.
const COME_AGAIN: Duration = Duration::from_secs(5);
/// When a document that cannot be read is tried again.
pub(super) const UNREADABLE_AGAIN: Duration = Duration::from_secs(60);
/// The longest delay that a consumer may ask for.
const COME_AGAIN_MAX: Duration = Duration::from_secs(3600);

/// Answers each message of a stream, in parallel, in any order; a bounded number is under way. A
/// message that its caller's rate does not let in is told so and is not to be carried out.
/// When the hub drains, what was read is answered and the stream ends with DRAINING.
///
/// Every message has a task of its own, from waiting for its place to its answer: signatures are
/// verified on every core, and a caller that does not read its answers holds no place. What need
/// not wait is let in by whoever reads the stream, which then reads on.
pub(super) fn answer_each<Q, A, F>(
    rooms: &Arc<Rooms>,
    permit: MayExchange,
    requests: Streaming<Q>,
    answer: impl Fn(Q, Result<(), Refusal>) -> F + Send + Sync + 'static,
) -> Outcomes<A>
where
    Q: prost::Message + 'static,
    A: Send + 'static,
    F: Future<Output = A> + Send + 'static,
{
    let entrance = rooms.clone();
    let stopping = rooms.stopping.clone();
    let draining = stream::once(async move { *stopping.borrow() }).filter_map(async |stopping| {
        stopping.then(|| Err(refused(Refusal::new(Reason::Draining))))
    });
    let answer = Arc::new(answer);
    let answers = requests
        .take_until(rooms.drained())
        .then(move |request| {
            let (entrance, answer) = (entrance.clone(), answer.clone());
            async move {
                let request = request?;
                let bytes = request.encoded_len();
                if let Some(place) = entrance.let_in_at_once(permit, bytes) {
                    return Ok(tokio::spawn(async move {
                        let answered = answer(request, Ok(())).await;
                        drop(place);
                        answered
                    }));
                }
                let (let_in, is_let_in) = oneshot::channel();
                let task = tokio::spawn(async move {
                    let place = entrance.let_in_slowly(permit, bytes).await;
                    // A stream that has gone reads no further message.
                    let _ = let_in.send(());
                    match &place {
                        Ok(_) => answer(request, Ok(())).await,
                        Err(refusal) => answer(request, Err(refusal.clone())).await,
                    }
                });
                // The next message is read when this one is let in.
                let _ = is_let_in.await;
                Ok(task)
            }
        })
        .map(|task: Result<JoinHandle<A>, Status>| async move {
            match task?.await {
                Ok(answered) => Ok(answered),
                Err(_) => Err(refused(Refusal::new(Reason::Stopped))),
            }
        })
        .buffer_unordered(STREAM_IN_FLIGHT_MAX)
        .chain(draining);
    Box::pin(answers)
}

/// The messages of a consumer as its caller's rate lets them in: the next one is read when the one
/// before was let in, however long that takes. None is refused, since most of them have no answer.
pub(super) fn paced<Q: Send + 'static>(
    rooms: Arc<Rooms>,
    permit: MayExchange,
    requests: Streaming<Q>,
) -> impl Stream<Item = Result<Q, Status>> + Send {
    requests.then(move |request| {
        let rooms = rooms.clone();
        async move {
            if request.is_ok() {
                rooms.slow_down(permit).await;
            }
            request
        }
    })
}

/// Loads what is to be pushed until a message is full; what does not fit is given back at once.
pub(super) async fn within_a_message<M: prost::Message>(
    pushes: Vec<Push>,
    egress: &Egress,
    load: impl Fn(Push) -> Result<Option<M>, Refusal>,
) -> Vec<M> {
    let mut loaded = Vec::new();
    let mut bytes = 0;
    let mut full = false;
    for push in pushes {
        let message = match full {
            true => None,
            false => match load(push) {
                Ok(message) => message,
                Err(_) => {
                    // One that cannot be read keeps no other one back.
                    egress.defer(push.recipient, push.position, UNREADABLE_AGAIN).await;
                    continue;
                }
            },
        };
        let fits = message.filter(|message| {
            bytes += message.encoded_len() + 16;
            loaded.is_empty() || bytes < MESSAGE_BYTES_MAX * 3 / 4
        });
        match fits {
            Some(message) => loaded.push(message),
            None => {
                full = true;
                egress.defer(push.recipient, push.position, Duration::ZERO).await;
            }
        }
    }
    loaded
}

/// Opens a consumer and serves its stream.
pub(super) async fn subscribe(
    rooms: Arc<Rooms>,
    permit: MayExchange,
    mut requests: Streaming<proto::SubscribeRequest>,
) -> Result<Outcomes<proto::SubscribeResponse>, Status> {
    let first = requests.message().await?.and_then(|request| request.request);
    let Some(asked::Request::Open(open)) = first else {
        let refusal = Refusal::at(Reason::FieldMissing, "open", "the first message opens");
        return Err(refused(refusal));
    };
    let agencies = agencies(&rooms, permit, &open.agencies).map_err(refused)?;
    let credit = open.credit.min(CONSUMER_CREDIT_MAX);
    let opened = codes(&rooms, &agencies);
    let opened = said::Response::Opened(said::Opened { agencies: opened });
    let opening = Opening { caller: permit.0.agency, agencies, credit };
    let consumer = rooms.egress.open(opening).await.map_err(refused)?;
    let (say, saying) = mpsc::channel(SAID_WAITING_MAX);
    let session = Session { rooms, permit, consumer, say, attempts: HashMap::new() };
    tokio::spawn(session.run(requests, opened));
    Ok(Box::pin(ReceiverStream::new(saying)))
}

/// The agencies whose mailboxes a consumer wants: those that it names, or all that it serves.
pub(super) fn agencies(
    rooms: &Rooms,
    permit: MayExchange,
    named: &[String],
) -> Result<Vec<Ordinal>, Refusal> {
    let directory = rooms.reader.directory();
    let now = rooms.clock.now();
    if named.len() > SUBSCRIPTION_AGENCIES_MAX {
        let value = format!("{}, at most {SUBSCRIPTION_AGENCIES_MAX}", named.len());
        return Err(Refusal::at(Reason::ContentTooLarge, "open.agencies", value));
    }
    if named.is_empty() {
        return Ok(directory.served_by(permit.0.agency, now));
    }
    let one = |(index, code): (usize, &String)| {
        served(permit, &directory, code, &format!("open.agencies[{index}]"), now)
    };
    let mut agencies = named.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    agencies.sort_unstable();
    agencies.dedup();
    Ok(agencies)
}

/// The codes of agencies, as of now.
pub(super) fn codes(rooms: &Rooms, agencies: &[Ordinal]) -> Vec<String> {
    let directory = rooms.reader.directory();
    let now = rooms.clock.now();
    agencies.iter().map(|agency| directory.code(*agency, now)).collect()
}

/// One consumer's stream.
struct Session {
    rooms: Arc<Rooms>,
    permit: MayExchange,
    consumer: Consumer,
    say: mpsc::Sender<Result<proto::SubscribeResponse, Status>>,
    /// What was pushed here and is not acknowledged; bounded by the consumer's credit.
    attempts: HashMap<(Ordinal, Position), u32>,
}

type Acknowledging =
    Pin<Box<dyn Future<Output = (Vec<proto::DeliveryKey>, Result<Settled, Refusal>)> + Send>>;

impl Session {
    async fn run(mut self, requests: Streaming<proto::SubscribeRequest>, opened: said::Response) {
        let mut acknowledging: stream::FuturesUnordered<Acknowledging> =
            stream::FuturesUnordered::new();
        let requests = paced(self.rooms.clone(), self.permit, requests);
        let mut requests = std::pin::pin!(requests.fuse());
        let mut drained = std::pin::pin!(self.rooms.drained());
        let mut draining = false;
        if self.tell(opened).await.is_err() {
            return;
        }
        loop {
            let room = acknowledging.len() < ACKNOWLEDGING_MAX;
            let told = tokio::select! {
                Some((keys, settled)) = acknowledging.next(), if !acknowledging.is_empty() => {
                    self.settled(keys, settled).await
                }
                request = requests.next(), if room => match request {
                    Some(Ok(proto::SubscribeRequest { request: Some(request) })) => {
                        self.asked(request, &mut acknowledging).await
                    }
                    Some(Ok(proto::SubscribeRequest { request: None })) => Ok(()),
                    Some(Err(_)) | None => break,
                },
                push = self.consumer.pushes.recv() => match push {
                    Some(push) => self.push(push).await,
                    None => break,
                },
                () = self.say.closed() => break,
                () = &mut drained => {
                    draining = true;
                    break;
                }
            };
            if told.is_err() {
                break;
            }
        }
        // What is under way is on its way to disk: let it be told to the delivery machine.
        while let Some((keys, settled)) = acknowledging.next().await {
            if self.settled(keys, settled).await.is_err() {
                return;
            }
        }
        if draining {
            drop(self.say.send(Err(refused(Refusal::new(Reason::Draining)))).await);
        }
    }

    async fn tell(&self, response: said::Response) -> Result<(), Gone> {
        let message = proto::SubscribeResponse { response: Some(response) };
        self.say.send(Ok(message)).await.map_err(|_| Gone)
    }

    async fn push(&mut self, push: Push) -> Result<(), Gone> {
        match present::delivery(&self.rooms.reader, push) {
            Ok(Some(delivery)) => {
                self.attempts.insert((push.recipient, push.position), push.attempt);
                self.tell(said::Response::Delivery(delivery)).await
            }
            Ok(None) => {
                // It was taken back on its way: the room that it took is free again.
                self.rooms.egress.grant(self.consumer.id, 1).await;
                Ok(())
            }
            Err(_) => {
                // One that cannot be read keeps no other one back; the log says which it is.
                let egress = &self.rooms.egress;
                egress.defer(push.recipient, push.position, UNREADABLE_AGAIN).await;
                egress.grant(self.consumer.id, 1).await;
                Ok(())
            }
        }
    }

    async fn asked(
        &mut self,
        request: asked::Request,
        acknowledging: &mut stream::FuturesUnordered<Acknowledging>,
    ) -> Result<(), Gone> {
        match request {
            asked::Request::Open(_) => {
                let refusal = Refusal::at(Reason::FieldInvalid, "open", "opened already");
                drop(self.say.send(Err(refused(refusal))).await);
                return Err(Gone);
            }
            asked::Request::Credit(credit) => {
                self.rooms.egress.grant(self.consumer.id, credit.more).await;
            }
            asked::Request::Acknowledge(asked) => {
                acknowledging.push(self.acknowledge(asked.keys));
            }
            asked::Request::NegativeAcknowledge(asked) => self.defer(asked).await,
        }
        Ok(())
    }

    fn acknowledge(&self, keys: Vec<proto::DeliveryKey>) -> Acknowledging {
        let (rooms, permit) = (self.rooms.clone(), self.permit);
        let directory = rooms.reader.directory();
        let attempts: HashMap<(Ordinal, Position), u32> = keys
            .iter()
            .filter_map(|key| {
                let code = lienthong_model::AgencyCode::parse(&key.recipient).ok()?;
                let place = (directory.find(&code)?.ordinal, Position(key.position));
                Some((place, *self.attempts.get(&place)?))
            })
            .collect();
        Box::pin(async move {
            let of = |key: &DeliveryKey| {
                attempts.get(&(key.recipient, key.position)).copied().unwrap_or(1)
            };
            let settled = acknowledge(&rooms, permit, keys.clone(), of).await;
            (keys, settled)
        })
    }

    async fn settled(
        &mut self,
        keys: Vec<proto::DeliveryKey>,
        settled: Result<Settled, Refusal>,
    ) -> Result<(), Gone> {
        match settled {
            Ok(settled) => {
                for key in &settled.keys {
                    self.attempts.remove(key);
                }
                for (key, declined) in settled.refused {
                    self.tell_refused(vec![key], &declined).await?;
                }
                let keys = settled.acknowledged;
                if keys.is_empty() {
                    return Ok(());
                }
                self.tell(said::Response::Acknowledged(said::Acknowledged { keys })).await
            }
            Err(declined) => self.tell_refused(keys, &declined).await,
        }
    }

    async fn tell_refused(
        &self,
        keys: Vec<proto::DeliveryKey>,
        declined: &Refusal,
    ) -> Result<(), Gone> {
        let refusal = Some(refusal::to_proto(declined));
        let refused = said::RefusedAcknowledgement { keys, refusal };
        self.tell(said::Response::RefusedAcknowledgement(refused)).await
    }

    async fn defer(&mut self, asked: asked::NegativeAcknowledge) {
        let Some(key) = asked.key else { return };
        let directory = self.rooms.reader.directory();
        let now = self.rooms.clock.now();
        let Ok(recipient) = served(self.permit, &directory, &key.recipient, "key", now) else {
            return;
        };
        let delay = asked.delay.as_ref().and_then(moment::duration_from_proto);
        let delay = delay.unwrap_or(COME_AGAIN).min(COME_AGAIN_MAX);
        let key = DeliveryKey { recipient, position: Position(key.position) };
        self.attempts.remove(&(recipient, key.position));
        self.rooms.egress.defer(recipient, key.position, delay).await;
        let not_taken = NotTaken::new(self.permit.0.agency, key, &asked.reason);
        self.rooms.sequencer.not_taken(not_taken).await;
    }
}

/// The consumer has gone.
pub(super) struct Gone;
