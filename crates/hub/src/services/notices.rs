//! `NoticeService`.

use futures_util::StreamExt as _;
use lienthong_core::{
    AcknowledgeNotices, Decision, NoticeKey, NoticeNumber, NoticesAcknowledged, Proposal, Push,
};
use lienthong_model::limits::{CONSUMER_CREDIT_MAX, PULL_MAX};
use lienthong_model::{Ordinal, Reason, Refusal};
use lienthong_wire::proto::notice_service_server::NoticeService;
use lienthong_wire::proto::{self, subscribe_notices_request as asked};
use lienthong_wire::{proto::subscribe_notices_response as said, refusal};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::streams::{self, Gone, Outcomes, SAID_WAITING_MAX, UNREADABLE_AGAIN};
use super::{Rooms, Services, refused};
use crate::caller::{MayExchange, served};
use crate::egress::{Consumer, Opening};
use crate::present;

#[tonic::async_trait]
impl NoticeService for Services {
    type SubscribeNoticesStream = Outcomes<proto::SubscribeNoticesResponse>;

    async fn subscribe_notices(
        &self,
        request: Request<Streaming<proto::SubscribeNoticesRequest>>,
    ) -> Result<Response<Self::SubscribeNoticesStream>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        subscribe(self.0.clone(), permit, request.into_inner()).await.map(Response::new)
    }

    async fn pull_notices(
        &self,
        request: Request<proto::PullNoticesRequest>,
    ) -> Result<Response<proto::PullNoticesResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let proto::PullNoticesRequest { agency, notices_max } = request.into_inner();
        let notices = pull(&self.0, permit, &agency, notices_max).await.map_err(refused)?;
        Ok(Response::new(proto::PullNoticesResponse { notices }))
    }

    async fn acknowledge_notices(
        &self,
        request: Request<proto::AcknowledgeNoticesRequest>,
    ) -> Result<Response<proto::AcknowledgeNoticesResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let taken = acknowledge_unary(&self.0, permit, request.into_inner()).await;
        let taken = taken.map_err(refused)?;
        Ok(Response::new(proto::AcknowledgeNoticesResponse {
            acknowledged: u32::try_from(taken.left.len()).unwrap_or(u32::MAX),
            more: taken.more,
        }))
    }
}

async fn pull(
    rooms: &Rooms,
    permit: MayExchange,
    agency: &str,
    max: u32,
) -> Result<Vec<proto::Notice>, Refusal> {
    let directory = rooms.reader.directory();
    let agency = served(permit, &directory, agency, "agency", rooms.clock.now())?;
    let max = if max == 0 { PULL_MAX } else { (max as usize).min(PULL_MAX) };
    let pushes = rooms.notices.pull(agency, max).await?;
    let load = |push| present::notice(&rooms.reader, push);
    Ok(streams::within_a_message(pushes, &rooms.notices, load).await)
}

async fn acknowledge_unary(
    rooms: &Rooms,
    permit: MayExchange,
    request: proto::AcknowledgeNoticesRequest,
) -> Result<NoticesAcknowledged, Refusal> {
    let proto::AcknowledgeNoticesRequest { agency, numbers, through } = request;
    bounded(numbers.len(), "numbers")?;
    let directory = rooms.reader.directory();
    let agency = served(permit, &directory, &agency, "agency", rooms.clock.now())?;
    let key = |number| NoticeKey { agency, number: NoticeNumber(number) };
    let keys = numbers.into_iter().map(key).collect();
    let through = (through > 0).then(|| key(through));
    acknowledge(rooms, permit, keys, through).await
}

fn bounded(count: usize, field: &str) -> Result<(), Refusal> {
    if count <= PULL_MAX {
        return Ok(());
    }
    Err(Refusal::at(Reason::ContentTooLarge, field, format!("{count}, at most {PULL_MAX}")))
}

/// Acknowledges notices; on return that is on disk.
async fn acknowledge(
    rooms: &Rooms,
    permit: MayExchange,
    keys: Vec<NoticeKey>,
    through: Option<NoticeKey>,
) -> Result<NoticesAcknowledged, Refusal> {
    let acknowledge = AcknowledgeNotices { caller: permit.0.agency, keys, through };
    let decided = rooms.sequencer.propose(Proposal::AcknowledgeNotices(acknowledge)).await?;
    match decided.decision {
        Decision::NoticesAcknowledged(taken) => Ok(taken),
        _ => Err(Refusal::new(Reason::Stopped)),
    }
}

/// Opens a consumer of notices and serves its stream.
async fn subscribe(
    rooms: Arc<Rooms>,
    permit: MayExchange,
    mut requests: Streaming<proto::SubscribeNoticesRequest>,
) -> Result<Outcomes<proto::SubscribeNoticesResponse>, Status> {
    let first = requests.message().await?.and_then(|request| request.request);
    let Some(asked::Request::Open(open)) = first else {
        let refusal = Refusal::at(Reason::FieldMissing, "open", "the first message opens");
        return Err(refused(refusal));
    };
    let agencies = streams::agencies(&rooms, permit, &open.agencies).map_err(refused)?;
    let opened = said::Opened { agencies: streams::codes(&rooms, &agencies) };
    let credit = open.credit.min(CONSUMER_CREDIT_MAX);
    let opening = Opening { caller: permit.0.agency, agencies, credit };
    let consumer = rooms.notices.open(opening).await.map_err(refused)?;
    let (say, saying) = mpsc::channel(SAID_WAITING_MAX);
    let session = Session { rooms, permit, consumer, say };
    tokio::spawn(session.run(requests, said::Response::Opened(opened)));
    Ok(Box::pin(ReceiverStream::new(saying)))
}

/// One consumer's stream.
struct Session {
    rooms: Arc<Rooms>,
    permit: MayExchange,
    consumer: Consumer,
    say: mpsc::Sender<Result<proto::SubscribeNoticesResponse, Status>>,
}

impl Session {
    async fn run(
        mut self,
        requests: Streaming<proto::SubscribeNoticesRequest>,
        opened: said::Response,
    ) {
        let requests = streams::paced(self.rooms.clone(), self.permit, requests);
        let mut requests = std::pin::pin!(requests);
        let mut drained = std::pin::pin!(self.rooms.drained());
        let mut told = self.tell(opened).await;
        while told.is_ok() {
            told = tokio::select! {
                request = requests.next() => match request {
                    Some(Ok(request)) => self.asked(request.request).await,
                    Some(Err(_)) | None => return,
                },
                push = self.consumer.pushes.recv() => match push {
                    Some(push) => self.push(push).await,
                    None => return,
                },
                () = self.say.closed() => return,
                () = &mut drained => {
                    drop(self.say.send(Err(refused(Refusal::new(Reason::Draining)))).await);
                    return;
                }
            };
        }
    }

    async fn tell(&self, response: said::Response) -> Result<(), Gone> {
        let message = proto::SubscribeNoticesResponse { response: Some(response) };
        self.say.send(Ok(message)).await.map_err(|_| Gone)
    }

    async fn push(&self, push: Push) -> Result<(), Gone> {
        match present::notice(&self.rooms.reader, push) {
            Ok(Some(notice)) => self.tell(said::Response::Notice(notice)).await,
            Ok(None) => {
                // It was acknowledged on its way: the room that it took is free again.
                self.rooms.notices.grant(self.consumer.id, 1).await;
                Ok(())
            }
            Err(_) => {
                // One that cannot be read keeps no other one back; the log says which it is.
                let notices = &self.rooms.notices;
                notices.defer(push.recipient, push.position, UNREADABLE_AGAIN).await;
                notices.grant(self.consumer.id, 1).await;
                Ok(())
            }
        }
    }

    async fn asked(&self, request: Option<asked::Request>) -> Result<(), Gone> {
        match request {
            Some(asked::Request::Open(_)) => {
                let refusal = Refusal::at(Reason::FieldInvalid, "open", "opened already");
                drop(self.say.send(Err(refused(refusal))).await);
                Err(Gone)
            }
            Some(asked::Request::Credit(credit)) => {
                self.rooms.notices.grant(self.consumer.id, credit.more).await;
                Ok(())
            }
            Some(asked::Request::Acknowledge(asked)) => self.acknowledge(asked.keys).await,
            None => Ok(()),
        }
    }

    async fn acknowledge(&self, named: Vec<proto::NoticeKey>) -> Result<(), Gone> {
        if let Err(declined) = bounded(named.len(), "keys") {
            return self.tell_refused(named, &declined).await;
        }
        let (mut known, mut keys) = (Vec::new(), Vec::new());
        for key in named {
            match self.served(&key) {
                Ok(agency) => {
                    keys.push(NoticeKey { agency, number: NoticeNumber(key.number) });
                    known.push(key);
                }
                Err(declined) => self.tell_refused(vec![key], &declined).await?,
            }
        }
        match acknowledge(&self.rooms, self.permit, keys, None).await {
            Ok(_) if known.is_empty() => Ok(()),
            Ok(_) => {
                self.tell(said::Response::Acknowledged(said::Acknowledged { keys: known })).await
            }
            Err(declined) => self.tell_refused(known, &declined).await,
        }
    }

    fn served(&self, key: &proto::NoticeKey) -> Result<Ordinal, Refusal> {
        let directory = self.rooms.reader.directory();
        served(self.permit, &directory, &key.agency, "key.agency", self.rooms.clock.now())
    }

    async fn tell_refused(
        &self,
        keys: Vec<proto::NoticeKey>,
        declined: &Refusal,
    ) -> Result<(), Gone> {
        let refusal = Some(refusal::to_proto(declined));
        let refused = said::RefusedAcknowledgement { keys, refusal };
        self.tell(said::Response::RefusedAcknowledgement(refused)).await
    }
}
