//! A client without the SDK's manners: plain tonic over a TLS connection of the test's own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use lienthong_model::Refusal;
use lienthong_pki::{Identity, TestPki};
use lienthong_wire::proto::exchange_service_client::ExchangeServiceClient;
use lienthong_wire::proto::{self, subscribe_request as asked, subscribe_response as said};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Status, Streaming};

use super::{World, der, within};

/// A client's TLS for gRPC, with or without a certificate.
pub fn tls(pki: &TestPki, identity: Option<&Identity>) -> TlsConnector {
    tls_for(pki, identity, b"h2")
}

/// A client's TLS for a protocol, with or without a certificate.
pub fn tls_for(pki: &TestPki, identity: Option<&Identity>, protocol: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(der(pki.root().certificate().der())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let issuing = pki.issuing().certificate().der();
            let chain = vec![der(identity.certificate.der()), der(issuing)];
            let key = PrivateKeyDer::Pkcs8(identity.key.to_pkcs8_der().into());
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// Connects, with the handshake done as far as the client sees it.
pub async fn connect(tls: TlsConnector, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    // Without it every small message waits for the hub's acknowledgement of the one before.
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").expect("it is a name");
    tls.connect(name, stream).await
}

/// The alert with which the hub refuses a connection; `None` when it speaks HTTP/2.
pub async fn alert(world: &World, identity: Option<&Identity>) -> Option<AlertDescription> {
    let shaken = connect(tls(&world.pki, identity), world.address).await;
    let read = async {
        let mut stream = shaken?;
        stream.read(&mut [0; 64]).await
    };
    match within("a word of the hub", read).await {
        Ok(read) => {
            assert!(read > 0, "the hub closed without a word");
            None
        }
        Err(error) => {
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match tls {
                Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
                other => panic!("not an alert: {other:?} in {error}"),
            }
        }
    }
}

/// A channel with the certificate of an agency's node.
pub async fn channel(world: &World, agency: &str) -> Channel {
    channel_as(world, &world.node(agency)).await
}

/// A channel with a certificate.
pub async fn channel_as(world: &World, identity: &Identity) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", world.address)).unwrap();
    channel_by(world, identity, endpoint).await
}

async fn channel_by(world: &World, identity: &Identity, endpoint: Endpoint) -> Channel {
    let (tls, address) = (tls(&world.pki, Some(identity)), world.address);
    let connector = tower::service_fn(move |_: Uri| {
        let tls = tls.clone();
        async move { Ok::<_, io::Error>(TokioIo::new(connect(tls, address).await?)) }
    });
    endpoint.connect_with_connector(connector).await.unwrap()
}

/// A channel of a node to which the hub may send so many bytes of a stream ahead.
pub async fn narrow_channel(world: &World, agency: &str, window: u32) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", world.address)).unwrap();
    let endpoint = endpoint.initial_stream_window_size(window);
    channel_by(world, &world.node(agency), endpoint).await
}

/// The exchange, for a caller to whom the hub may send so many bytes of a stream ahead.
pub async fn narrow_exchange(
    world: &World,
    agency: &str,
    window: u32,
) -> ExchangeServiceClient<Channel> {
    ExchangeServiceClient::new(narrow_channel(world, agency, window).await)
}

/// The exchange, without bounds of the client's own on messages.
pub async fn exchange(world: &World, agency: &str) -> ExchangeServiceClient<Channel> {
    ExchangeServiceClient::new(channel(world, agency).await)
        .max_decoding_message_size(64 << 20)
        .max_encoding_message_size(64 << 20)
}

/// The refusal that a status carries.
pub fn refusal(status: &Status) -> Refusal {
    lienthong_wire::from_status(status).unwrap_or_else(|| panic!("no refusal in {status:?}"))
}

/// A subscription in the hands of the test.
pub struct Line {
    pub ask: mpsc::Sender<proto::SubscribeRequest>,
    pub answers: Streaming<proto::SubscribeResponse>,
    pub agencies: Vec<String>,
}

impl Line {
    /// Opens a subscription.
    pub async fn open(
        exchange: &mut ExchangeServiceClient<Channel>,
        agencies: &[&str],
        credit: u32,
    ) -> Result<Self, Status> {
        let (ask, asking) = mpsc::channel(64);
        let agencies = agencies.iter().map(ToString::to_string).collect();
        let open = asked::Request::Open(asked::Open { agencies, credit });
        ask.send(proto::SubscribeRequest { request: Some(open) }).await.unwrap();
        let mut answers = exchange.subscribe(ReceiverStream::new(asking)).await?.into_inner();
        match within("opened", answers.message()).await?.and_then(|said| said.response) {
            Some(said::Response::Opened(opened)) => {
                Ok(Self { ask, answers, agencies: opened.agencies })
            }
            other => panic!("not opened: {other:?}"),
        }
    }

    /// Says something.
    pub async fn say(&self, request: asked::Request) {
        self.ask.send(proto::SubscribeRequest { request: Some(request) }).await.unwrap();
    }

    /// Acknowledges.
    pub async fn acknowledge(&self, keys: Vec<proto::DeliveryKey>) {
        self.say(asked::Request::Acknowledge(asked::Acknowledge { keys })).await;
    }

    /// What comes next; the status when the stream ends.
    pub async fn next(&mut self) -> Result<said::Response, Status> {
        match within("an answer", self.answers.message()).await? {
            Some(answer) => Ok(answer.response.expect("something is said")),
            None => panic!("the stream ended without a status"),
        }
    }

    /// The next answer, which must be a delivery.
    pub async fn delivery(&mut self) -> proto::Delivery {
        match self.next().await.unwrap() {
            said::Response::Delivery(delivery) => delivery,
            other => panic!("not a delivery: {other:?}"),
        }
    }

    /// The next answer, which refuses acknowledgements.
    pub async fn refused(&mut self) -> (Vec<proto::DeliveryKey>, Refusal) {
        match self.next().await {
            Ok(said::Response::RefusedAcknowledgement(refused)) => {
                let refusal = refused.refusal.expect("it says why");
                (refused.keys, lienthong_wire::refusal::from_proto(refusal).expect("it is known"))
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The next answer, which must be that acknowledgements are on disk.
    pub async fn acknowledged(&mut self) -> Vec<proto::DeliveryKey> {
        match self.next().await.unwrap() {
            said::Response::Acknowledged(acknowledged) => acknowledged.keys,
            other => panic!("not acknowledged: {other:?}"),
        }
    }
}

/// Names a delivery.
pub fn key(delivery: &proto::Delivery) -> proto::DeliveryKey {
    proto::DeliveryKey { recipient: delivery.recipient.clone(), position: delivery.position }
}

/// A signed document in the form of the wire.
pub fn request(signed: lienthong_model::SignedContent) -> proto::SubmitDocumentRequest {
    let (document, attachments) = lienthong_wire::signed::to_proto(signed);
    proto::SubmitDocumentRequest { document: Some(document), attachments }
}
