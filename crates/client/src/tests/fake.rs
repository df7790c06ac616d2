//! A scripted hub: real TLS, real gRPC, answers as told. It runs on a runtime of its own, so that
//! it can be killed with all its connections.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use futures_util::Stream;
use lienthong_model::{AgencyCode, Document, Refusal, SignedContent, Timestamp};
use lienthong_pki::{Profile, TestPki, Validity};
use lienthong_trust::dsse;
use lienthong_wire::proto::exchange_service_server::{ExchangeService, ExchangeServiceServer};
use lienthong_wire::proto::subscribe_request::Request as Said;
use lienthong_wire::proto::subscribe_response::{
    Acknowledged, Opened, RefusedAcknowledgement, Response as Answer,
};
use lienthong_wire::{decode_document, decode_status, moment, proto, refusal, to_status};
use parking_lot::Mutex;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    Client, ClockSource, ConnectError, Endpoint, Identity, Retry, Roots, Signer, sign_document,
};

type Out<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

pub(super) const START: &str = "2020-11-16T08:00+07:00";

pub(super) fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

/// A PKI that is valid in 2020 only.
pub(super) fn pki(seed: u8) -> TestPki {
    let at = |text| Timestamp::parse(text).unwrap();
    let validity = Validity { not_before: at("2020-01-01"), not_after: at("2021-01-01") };
    TestPki::new([seed; 32], validity).unwrap()
}

pub(super) fn scenario() -> ClockSource {
    ClockSource::scenario(Timestamp::parse(START).unwrap(), 1.0)
}

fn convert(identity: &lienthong_pki::Identity, pki: &TestPki) -> Identity {
    let chain = vec![identity.certificate.der().clone(), pki.issuing().certificate().der().clone()];
    Identity::new(chain, &identity.key.to_pkcs8_der()).unwrap()
}

pub(super) fn node(pki: &TestPki) -> Identity {
    convert(&pki.node(&code("H36")).unwrap(), pki)
}

pub(super) fn roots(pki: &TestPki) -> Roots {
    Roots::new([pki.root().certificate().der().clone()]).unwrap()
}

pub(super) fn seal(pki: &TestPki, agency: &str) -> Signer {
    let seal = pki.seal(&code(agency)).unwrap();
    let key = SigningKey::from_pkcs8_der(&seal.key.to_pkcs8_der()).unwrap();
    let issuers = vec![pki.issuing().certificate().der().clone()];
    Signer::new(seal.certificate, issuers, key).unwrap()
}

/// A retry rule that does not keep a test waiting.
pub(super) fn quick() -> Retry {
    let first = Duration::from_millis(5);
    Retry { total: Duration::from_secs(20), first, pause_max: Duration::from_millis(50) }
}

pub(super) fn document(client: &Client, subject: &str, signers: &[&Signer]) -> SignedContent {
    let (id, now) = (client.new_id(), client.now());
    let document = Document::new(id, code("H36"), [code("H36.12")], subject, now);
    sign_document(&document, Vec::new(), signers)
}

/// What the hub does with a document.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Accept,
    Refuse(Refusal),
    /// On a stream: no outcome.
    Silence,
    /// On a stream: no outcome, and the stream ends.
    Break,
}

/// What was handed over.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub document: proto::SignedDocument,
    pub at: Instant,
    /// Which stream, from 1; 0 for a call.
    pub stream: usize,
}

/// What the hub was told and shall say.
#[derive(Default)]
pub(super) struct Script {
    pub replies: VecDeque<Reply>,
    pub seen: Vec<Seen>,
    pub streams: usize,
    /// Pushed on each subscription, as far as they are not acknowledged and credit allows.
    pub mail: Vec<proto::Delivery>,
    pub acknowledged: Vec<proto::DeliveryKey>,
    pub acknowledge_messages: usize,
    pub credit: u32,
    pub subscriptions: usize,
    /// How often a subscription breaks instead of answering an acknowledgement.
    pub breaks: usize,
    pub refuse_acknowledgements: Option<Refusal>,
    /// Pushes nothing until an acknowledgement, and then what was acknowledged: it was on its way.
    pub pushes_late: bool,
}

/// A running hub.
pub(super) struct Fake {
    pub address: SocketAddr,
    pub script: Arc<Mutex<Script>>,
    pub pki: TestPki,
    runtime: Option<Runtime>,
    pub changed: Arc<Notify>,
}

/// How the hub's TLS is set up.
pub(super) struct TlsSetup {
    pub pki: TestPki,
    pub names: Vec<String>,
    /// Whose nodes it accepts.
    pub clients: TestPki,
    pub clock: ClockSource,
}

impl Default for TlsSetup {
    fn default() -> Self {
        let names = vec!["127.0.0.1".to_owned(), "hub.test".to_owned()];
        Self { pki: pki(1), names, clients: pki(1), clock: scenario() }
    }
}

impl Fake {
    pub(super) fn start() -> Self {
        Self::with(TlsSetup::default())
    }

    pub(super) fn with(tls: TlsSetup) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        Self::at("127.0.0.1:0".parse().unwrap(), tls, script)
    }

    fn at(address: SocketAddr, tls: TlsSetup, script: Arc<Mutex<Script>>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let changed = Arc::new(Notify::new());
        let service = Service { script: script.clone(), changed: changed.clone() };
        let socket = std::net::TcpListener::bind(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let config = server_config(&tls);
        runtime.spawn(serve(socket, config, service));
        Self { address, script, pki: tls.pki, runtime: Some(runtime), changed }
    }

    /// Kills it with all connections.
    pub(super) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime may not be waited for on a thread that runs tasks.
            std::thread::spawn(move || drop(runtime)).join().unwrap();
        }
    }

    /// Starts it again on the same port, with what it was told before.
    pub(super) fn restart(&mut self) {
        self.kill();
        let address = self.address;
        *self = Self::at(address, TlsSetup::default(), self.script.clone());
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        let address = format!("https://{}", self.address);
        Endpoint::new(&address, node(&self.pki), roots(&self.pki))
            .unwrap()
            .clock(scenario())
            .retry(quick())
    }

    pub(super) async fn client(&self) -> Client {
        Client::connect(self.endpoint()).await.unwrap()
    }

    pub(super) async fn refused(endpoint: Endpoint) -> ConnectError {
        Client::connect(endpoint).await.unwrap_err()
    }

    pub(super) fn say(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().replies.extend(replies);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.script.lock().seen.clone()
    }

    /// Waits until something holds of what the hub was told.
    pub(super) async fn until(&self, holds: impl Fn(&Script) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if holds(&self.script.lock()) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.kill();
    }
}

fn server_config(tls: &TlsSetup) -> ServerConfig {
    let mut accepted = RootCertStore::empty();
    let root = tls.clients.root().certificate().der().to_vec();
    accepted.add(CertificateDer::from(root)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(accepted), provider.clone())
            .build()
            .unwrap();
    let hub = Profile::Hub { agency: code("G22"), names: tls.names.clone() };
    let hub = tls.pki.identity(&hub).unwrap();
    let chain = [hub.certificate.der(), tls.pki.issuing().certificate().der()]
        .map(|der| CertificateDer::from(der.to_vec()));
    let key = PrivatePkcs8KeyDer::from(hub.key.to_pkcs8_der());
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(tls.clock))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.to_vec(), key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn serve(socket: std::net::TcpListener, config: ServerConfig, service: Service) {
    let socket = TcpListener::from_std(socket).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let (accepted, incoming) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = socket.accept().await {
            let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
            tokio::spawn(async move {
                if let Ok(tls) = acceptor.accept(tcp).await {
                    let _ = accepted.send(Ok::<_, std::io::Error>(tls)).await;
                }
            });
        }
    });
    tonic::transport::Server::builder()
        .add_service(ExchangeServiceServer::new(service))
        .serve_with_incoming(ReceiverStream::new(incoming))
        .await
        .unwrap();
}

struct Service {
    script: Arc<Mutex<Script>>,
    changed: Arc<Notify>,
}

impl Service {
    fn hear(&self, document: proto::SignedDocument, stream: usize) -> Reply {
        let mut script = self.script.lock();
        script.seen.push(Seen { document, at: Instant::now(), stream });
        let reply = script.replies.pop_front().unwrap_or(Reply::Accept);
        drop(script);
        self.changed.notify_waiters();
        reply
    }
}

pub(super) fn receipt(document: &proto::SignedDocument) -> proto::Receipt {
    let read = decode_document(&document.content).unwrap();
    let digest = dsse::content_digest(&document.content_type, &document.content);
    proto::Receipt {
        sender: read.from.code.to_string(),
        id: Bytes::copy_from_slice(read.id.as_bytes()),
        position: 7,
        received_at: Some(moment::to_proto(Timestamp::parse(START).unwrap())),
        sha256: Bytes::copy_from_slice(digest.as_bytes()),
        signature: proto::SignatureKind::Seal.into(),
        ..Default::default()
    }
}

fn status_receipt(report: &proto::SignedDocument) -> proto::StatusReceipt {
    let read = decode_status(&report.content).unwrap();
    let digest = dsse::content_digest(&report.content_type, &report.content);
    proto::StatusReceipt {
        reporter: read.from.code.to_string(),
        id: Bytes::copy_from_slice(read.id.as_bytes()),
        position: 8,
        received_at: Some(moment::to_proto(Timestamp::parse(START).unwrap())),
        sha256: Bytes::copy_from_slice(digest.as_bytes()),
        repeated: false,
        proof: None,
        changes: Vec::new(),
    }
}

#[tonic::async_trait]
impl ExchangeService for Service {
    type SubmitDocumentsStream = Out<proto::SubmitDocumentsResponse>;
    type SubscribeStream = Out<proto::SubscribeResponse>;
    type ReportStatusesStream = Out<proto::ReportStatusesResponse>;

    async fn submit_document(
        &self,
        request: Request<proto::SubmitDocumentRequest>,
    ) -> Result<Response<proto::SubmitDocumentResponse>, Status> {
        let document = request.into_inner().document.unwrap();
        match self.hear(document.clone(), 0) {
            Reply::Refuse(refusal) => Err(to_status(&refusal, None)),
            Reply::Break | Reply::Silence => Err(Status::unavailable("not now")),
            Reply::Accept => {
                let receipt = Some(receipt(&document));
                Ok(Response::new(proto::SubmitDocumentResponse { receipt }))
            }
        }
    }

    async fn submit_documents(
        &self,
        request: Request<Streaming<proto::SubmitDocumentsRequest>>,
    ) -> Result<Response<Self::SubmitDocumentsStream>, Status> {
        use proto::submit_documents_response::Outcome;
        let mut requests = request.into_inner();
        let stream = {
            let mut script = self.script.lock();
            script.streams += 1;
            script.streams
        };
        let (out, answers) = mpsc::channel(512);
        let service = Service { script: self.script.clone(), changed: self.changed.clone() };
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let document = request.document.unwrap();
                let outcome = match service.hear(document.clone(), stream) {
                    Reply::Accept => Outcome::Receipt(receipt(&document)),
                    Reply::Refuse(refusal) => Outcome::Refusal(refusal::to_proto(&refusal)),
                    Reply::Silence => continue,
                    Reply::Break => {
                        let _ = out.send(Err(Status::unavailable("broken"))).await;
                        return;
                    }
                };
                let correlation = request.correlation;
                let answer = proto::SubmitDocumentsResponse { correlation, outcome: Some(outcome) };
                let _ = out.send(Ok(answer)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn subscribe(
        &self,
        request: Request<Streaming<proto::SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        self.script.lock().subscriptions += 1;
        let (out, answers) = mpsc::channel(2048);
        let service = Service { script: self.script.clone(), changed: self.changed.clone() };
        tokio::spawn(service.consumer(request.into_inner(), out));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn pull_documents(
        &self,
        request: Request<proto::PullDocumentsRequest>,
    ) -> Result<Response<proto::PullDocumentsResponse>, Status> {
        let max = request.into_inner().deliveries_max as usize;
        let deliveries = self.script.lock().mail.iter().take(max).cloned().collect();
        Ok(Response::new(proto::PullDocumentsResponse { deliveries }))
    }

    async fn acknowledge_documents(
        &self,
        request: Request<proto::AcknowledgeDocumentsRequest>,
    ) -> Result<Response<proto::AcknowledgeDocumentsResponse>, Status> {
        let acknowledged = request.into_inner().keys;
        self.script.lock().acknowledged.extend(acknowledged.clone());
        let refused = Vec::new();
        Ok(Response::new(proto::AcknowledgeDocumentsResponse { acknowledged, refused }))
    }

    async fn report_status(
        &self,
        request: Request<proto::ReportStatusRequest>,
    ) -> Result<Response<proto::ReportStatusResponse>, Status> {
        let report = request.into_inner().report.unwrap();
        match self.hear(report.clone(), 0) {
            Reply::Refuse(refusal) => Err(to_status(&refusal, None)),
            Reply::Break | Reply::Silence => Err(Status::unavailable("not now")),
            Reply::Accept => {
                let receipt = Some(status_receipt(&report));
                Ok(Response::new(proto::ReportStatusResponse { receipt }))
            }
        }
    }

    async fn report_statuses(
        &self,
        request: Request<Streaming<proto::ReportStatusesRequest>>,
    ) -> Result<Response<Self::ReportStatusesStream>, Status> {
        use proto::report_statuses_response::Outcome;
        let mut requests = request.into_inner();
        let (out, answers) = mpsc::channel(512);
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let outcome = Outcome::Receipt(status_receipt(&request.report.unwrap()));
                let correlation = request.correlation;
                let answer = proto::ReportStatusesResponse { correlation, outcome: Some(outcome) };
                let _ = out.send(Ok(answer)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn track_document(
        &self,
        _: Request<proto::TrackDocumentRequest>,
    ) -> Result<Response<proto::TrackDocumentResponse>, Status> {
        Err(to_status(&Refusal::new(lienthong_model::Reason::DocumentUnknown), None))
    }

    async fn get_clock(
        &self,
        _: Request<proto::GetClockRequest>,
    ) -> Result<Response<proto::GetClockResponse>, Status> {
        let now = Some(moment::to_proto(Timestamp::parse(START).unwrap()));
        Ok(Response::new(proto::GetClockResponse { now, rate: 1.0, scenario: true }))
    }
}

impl Service {
    /// One subscription: pushes mail within the credit, takes acknowledgements.
    async fn consumer(
        self,
        mut requests: Streaming<proto::SubscribeRequest>,
        out: mpsc::Sender<Result<proto::SubscribeResponse, Status>>,
    ) {
        let send = |answer: Answer| {
            let message = proto::SubscribeResponse { response: Some(answer) };
            let _ = out.try_send(Ok(message));
        };
        let (mut credit, mut pushed) = (0, 0);
        while let Ok(Some(request)) = requests.message().await {
            let mut script = self.script.lock();
            match request.request {
                Some(Said::Open(open)) => {
                    credit += open.credit;
                    send(Answer::Opened(Opened { agencies: open.agencies }));
                }
                Some(Said::Credit(given)) => {
                    credit += given.more;
                    script.credit += given.more;
                }
                Some(Said::Acknowledge(given)) => {
                    script.acknowledge_messages += 1;
                    if script.breaks > 0 {
                        script.breaks -= 1;
                        let _ = out.try_send(Err(Status::unavailable("broken")));
                        return;
                    }
                    let keys = given.keys;
                    match &script.refuse_acknowledgements {
                        Some(why) => {
                            let refusal = Some(refusal::to_proto(why));
                            let refused = RefusedAcknowledgement { keys, refusal };
                            send(Answer::RefusedAcknowledgement(refused));
                        }
                        None => {
                            script.acknowledged.extend(keys.clone());
                            let taken = &keys;
                            let gone = |mail: &proto::Delivery| {
                                taken.iter().any(|key| key.position == mail.position)
                            };
                            let (left, on_their_way): (Vec<_>, Vec<_>) =
                                script.mail.drain(..).partition(|mail| !gone(mail));
                            script.mail = left;
                            send(Answer::Acknowledged(Acknowledged { keys }));
                            if std::mem::take(&mut script.pushes_late) {
                                credit -= on_their_way.len() as u32;
                                for mail in on_their_way {
                                    send(Answer::Delivery(mail));
                                }
                            } else {
                                pushed -= on_their_way.len();
                            }
                        }
                    }
                }
                Some(Said::NegativeAcknowledge(_)) | None => {}
            }
            while !script.pushes_late && credit > 0 && pushed < script.mail.len() {
                send(Answer::Delivery(script.mail[pushed].clone()));
                (credit, pushed) = (credit - 1, pushed + 1);
            }
            drop(script);
            self.changed.notify_waiters();
        }
    }
}
