//! The client: one hub, one identity, any number of tasks.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_model::limits::MESSAGE_BYTES_MAX;
use lienthong_model::{MessageId, Timestamp};
use lienthong_wire::proto::admin_service_client::AdminServiceClient;
use lienthong_wire::proto::directory_service_client::DirectoryServiceClient;
use lienthong_wire::proto::evidence_service_client::EvidenceServiceClient;
use lienthong_wire::proto::exchange_service_client::ExchangeServiceClient;
use lienthong_wire::proto::notice_service_client::NoticeServiceClient;
use lienthong_wire::proto::recipient_list_service_client::RecipientListServiceClient;
use lienthong_wire::proto::statistics_service_client::StatisticsServiceClient;
use lienthong_wire::proto::tracking_service_client::TrackingServiceClient;
use lienthong_wire::proto::transfer_service_client::TransferServiceClient;
use lienthong_wire::proto::trust_service_client::TrustServiceClient;
use lienthong_wire::proto::verdict_service_client::VerdictServiceClient;
use lienthong_wire::{Language, proto};
use parking_lot::RwLock;
use tonic::Status;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Uri};

use crate::clock::{HubClock, HubTime};
use crate::dial::Dialer;
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::{CallError, ConnectError, Reader, Setback, Verdict};
use crate::fault::Fault;
use crate::read;
use crate::retry::{Backoff, Retry};
use crate::shown::Shown;
use crate::unreachable::{Cause, Step};

/// How long an HTTP/2 ping may stay without an answer.
const PING_MAX: Duration = Duration::from_secs(20);
/// Bytes that the hub may send ahead on one stream.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
/// Bytes that the hub may send ahead on the connection.
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
/// Calls that may wait for the connection.
const CALLS_WAITING_MAX: usize = 1024;

/// A connection to a hub with everything that an agency's system does through it.
///
/// Cheap to clone; all clones share one connection, which is made again when it breaks. Must be
/// used inside a tokio runtime.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

/// What calls go through: the channel, and the language that is said with each.
pub(crate) type Calls = InterceptedService<Channel, Speaks>;

/// Says with every request in which language texts for people are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Speaks(Language);

impl Interceptor for Speaks {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        // The hub speaks it by itself to whoever asks for nothing.
        if self.0 != Language::default() {
            let tag = MetadataValue::from_static(self.0.tag());
            request.metadata_mut().insert("accept-language", tag);
        }
        Ok(request)
    }
}

/// What the clones of a client share.
#[derive(Debug)]
pub(crate) struct Shared {
    channel: Channel,
    speaks: Speaks,
    pub(crate) reader: Reader,
    pub(crate) retry: Retry,
    pub(crate) call_max: Duration,
    clock: RwLock<HubClock>,
    pub(crate) shown: Shown,
}

impl Client {
    /// Connects, proves both sides' identity, and asks for the hub's clock.
    ///
    /// The first failure is returned, except that a hub that cannot be reached is waited for as
    /// long as [`Endpoint::wait_for_hub`] says.
    ///
    /// # Errors
    /// [`ConnectError`]; its [`unreachable`](ConnectError::unreachable) says in plain words, in
    /// English and Vietnamese, what is wrong and what to do.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, ConnectError> {
        let patience = Retry { total: endpoint.wait_for_hub, ..endpoint.retry };
        let client = Self { shared: Arc::new(Shared::new(&endpoint)?) };
        match client.ask_clock(patience).await {
            Ok(_) => Ok(client),
            Err(error) => Err(ConnectError::Call(plain(error))),
        }
    }

    /// Returns business time by the hub's clock, without asking the hub.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.read().now()
    }

    /// Returns the hub's clock as it was last asked for.
    pub fn hub_clock(&self) -> HubClock {
        *self.shared.clock.read()
    }

    /// Asks for the hub's clock and keeps it. Needed after a hub on a scenario's clock was started
    /// again.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn clock(&self) -> Result<HubClock, CallError> {
        self.ask_clock(self.shared.retry).await
    }

    /// Asks for the hub's clock and returns how far it is ahead of this machine's (negative:
    /// behind), in milliseconds, half of the answer's way taken off; `None` when the hub is on a
    /// scenario's clock.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn clock_difference(&self) -> Result<Option<i64>, CallError> {
        let clock = self.clock().await?;
        Ok(clock.ahead_ms())
    }

    /// Makes a message id (UUIDv7) in business time.
    pub fn new_id(&self) -> MessageId {
        MessageId::new(self.now(), rand::random())
    }

    async fn ask_clock(&self, rule: Retry) -> Result<HubClock, CallError> {
        let (answer, asked) = self
            .shared
            .retrying(rule, || async {
                let asked = Instant::now();
                let answer = self.shared.exchange().get_clock(proto::GetClockRequest {}).await?;
                Ok((answer.into_inner(), asked))
            })
            .await?;
        let answered = Instant::now();
        let time = HubTime {
            now: read::moment("now", answer.now.as_ref())?,
            rate: answer.rate,
            scenario: answer.scenario,
        };
        let clock = HubClock::of_hub(time, asked, answered);
        *self.shared.clock.write() = clock;
        Ok(clock)
    }
}

/// Says of one single attempt what became of it, not that it was given up.
fn plain(error: CallError) -> CallError {
    match error {
        CallError::GaveUp { last: Setback::Unreachable(unreachable), .. } => {
            CallError::Unreachable(unreachable)
        }
        CallError::GaveUp { last: Setback::Refused(refusal), .. } => CallError::Refused(refusal),
        other => other,
    }
}

/// Clients of the services on the one connection, with the bounds of messages.
macro_rules! clients {
    ($($name:ident: $client:ident),+ $(,)?) => {
        $(pub(crate) fn $name(&self) -> $client<Calls> {
            $client::with_interceptor(self.channel.clone(), self.speaks.clone())
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX)
        })+
    };
}

impl Shared {
    fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let fault = Fault::default();
        let dialer = Dialer::new(endpoint, fault.clone())?;
        let address = endpoint.address();
        let wrong = |_| EndpointError::Address(address.clone());
        let origin: Uri = address.parse().map_err(wrong)?;
        // The connector does TLS itself, so that it can say what went wrong; tonic would add its
        // own to an https address.
        let plain = format!("http://{}:{}", endpoint.host, endpoint.port);
        let channel = tonic::transport::Endpoint::from_shared(plain)
            .map_err(|_| EndpointError::Address(address.clone()))?
            .origin(origin)
            .buffer_size(CALLS_WAITING_MAX)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(endpoint.keep_alive)
            .keep_alive_timeout(PING_MAX)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(tower::service_fn(move |_: Uri| dialer.clone().dial()));
        Ok(Self {
            channel,
            speaks: Speaks(endpoint.language),
            reader: Reader { address, fault },
            retry: endpoint.retry,
            call_max: endpoint.call_max,
            clock: RwLock::new(HubClock::OWN),
            shown: Shown::default(),
        })
    }

    clients! {
        exchange: ExchangeServiceClient,
        directory: DirectoryServiceClient,
        statistics: StatisticsServiceClient,
        evidence: EvidenceServiceClient,
        verdict: VerdictServiceClient,
        transfer: TransferServiceClient,
        trust: TrustServiceClient,
        admin: AdminServiceClient,
        notices: NoticeServiceClient,
        lists: RecipientListServiceClient,
        tracking: TrackingServiceClient,
    }

    /// Says why a stream of answers broke off.
    pub(crate) fn broken_off(&self, status: &Status) -> CallError {
        match self.reader.verdict(status) {
            Verdict::Final(error) => error,
            Verdict::Again(last, _) => {
                CallError::GaveUp { attempts: 1, after: Duration::ZERO, last }
            }
        }
    }

    /// Makes a call by the client's own rule.
    pub(crate) async fn call<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, Status>>,
    {
        self.retrying(self.retry, attempt).await
    }

    /// Makes attempts until one succeeds, fails for good, or the rule's time is over.
    pub(crate) async fn retrying<T, F>(
        &self,
        rule: Retry,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let begun = Instant::now();
        let mut backoff = Backoff::new(rule);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let verdict = match tokio::time::timeout(self.call_max, attempt()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(status)) => self.reader.verdict(&status),
                Err(_) => self.reader.unreachable(Cause::TimedOut(Step::Answer)),
            };
            let (last, told) = match verdict {
                Verdict::Final(error) => return Err(error),
                Verdict::Again(last, told) => (last, told),
            };
            let pause = backoff.pause(told);
            if begun.elapsed() + pause > rule.total {
                return Err(CallError::GaveUp { attempts, after: begun.elapsed(), last });
            }
            tracing::debug!(attempts, ?pause, %last, "trying again");
            tokio::time::sleep(pause).await;
        }
    }
}
