use lienthong_core::{AddAuthority, CertificateBytes, Command};
use lienthong_model::{AgencyCode, Timestamp};
use lienthong_pki::{Identity, Profile, TestPki, Validity};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::*;
use crate::clock::{BusinessClock, Clock};
use crate::connections::Shares;
use crate::open_folder::OpenFolder;
use crate::tls::{ServerIdentity, server_config};

const PATIENCE: Duration = Duration::from_secs(20);

/// A listener, and what it accepted.
struct Bench {
    pki: TestPki,
    address: std::net::SocketAddr,
    accepted: mpsc::Receiver<io::Result<Connection>>,
    connections: Connections,
    _folder: TempDir,
}

fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

fn chain(pki: &TestPki, identity: &Identity) -> Vec<CertificateDer<'static>> {
    [&identity.certificate, pki.issuing().certificate()]
        .map(|certificate| certificate.der().to_vec().into())
        .to_vec()
}

async fn listening(shares: Shares, handshake_max: Duration) -> Bench {
    let validity = Validity {
        not_before: Timestamp::from_millis(0),
        not_after: Timestamp::from_millis(4_000_000_000_000),
    };
    let pki = TestPki::new([3; 32], validity).unwrap();
    let place = tempfile::tempdir().unwrap();
    let mut folder = OpenFolder::open(place.path(), |_, _| {}).unwrap();
    let certificate = CertificateBytes(pki.root().certificate().der().clone());
    let root = Command::AddAuthority(AddAuthority { certificate, trusted: true });
    folder.administer(Timestamp::from_millis(1), root).unwrap();
    let judge = PeerJudge { reader: folder.reader(), clock: BusinessClock::start(Clock::Real) };
    let hub = Profile::Hub { agency: code("G22"), names: vec!["localhost".to_owned()] };
    let hub = pki.identity(&hub).unwrap();
    let identity = ServerIdentity {
        chain: chain(&pki, &hub),
        key: PrivateKeyDer::Pkcs8(hub.key.to_pkcs8_der().into()),
    };
    let tls = Arc::new(server_config(identity, judge.clone()).unwrap());
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let connections = Connections::new(shares);
    let listener = Listener { socket, tls, judge, connections: connections.clone(), handshake_max };
    Bench { pki, address, accepted: accept(listener), connections, _folder: place }
}

impl Bench {
    /// Connects as the node of an agency; what the hub does of it shows later.
    async fn node(&self, agency: &str) -> tokio_rustls::client::TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.pki.root().certificate().der().to_vec().into()).unwrap();
        let node = self.pki.node(&code(agency)).unwrap();
        let key = PrivateKeyDer::Pkcs8(node.key.to_pkcs8_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain(&self.pki, &node), key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    async fn accepted(&mut self) -> Connection {
        let accepted = tokio::time::timeout(PATIENCE, self.accepted.recv()).await;
        accepted.expect("it is let in").unwrap().unwrap()
    }
}

async fn closed(mut stream: impl AsyncRead + Unpin) {
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0])).await;
    assert_eq!(read.expect("it is closed").unwrap_or(0), 0);
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_closed() {
    let bench = listening(Shares::within(u64::MAX), Duration::from_millis(20)).await;
    closed(TcpStream::connect(bench.address).await.unwrap()).await;
}

#[tokio::test]
async fn a_connection_over_the_bound_is_closed_at_once_and_those_before_it_stay() {
    let mut bench = listening(Shares { all: 1, agency: 2, handshakes: 8 }, PATIENCE).await;
    let mut first = bench.node("H36").await;
    let mut served = bench.accepted().await;
    closed(bench.node("H34").await).await;
    first.write_all(b"?").await.unwrap();
    assert_eq!(served.read(&mut [0]).await.unwrap(), 1);
    // One that goes leaves its place to another.
    drop((first, served));
    let _other = bench.node("H34").await;
    assert_eq!(bench.accepted().await.peer.agency, code("H34"));
}

#[tokio::test]
async fn whoever_is_at_a_handshake_takes_no_place_of_those_who_are_through_and_ends_with_the_hub() {
    let mut bench = listening(Shares { all: 1, agency: 1, handshakes: 8 }, PATIENCE).await;
    let silent = TcpStream::connect(bench.address).await.unwrap();
    let _node = bench.node("H36").await;
    let _served = bench.accepted().await;
    let nothing = silent.try_read(&mut [0]).unwrap_err();
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    drop(bench.accepted);
    closed(silent).await;
}

#[tokio::test]
async fn who_connects_while_all_handshakes_are_under_way_waits_for_a_turn_and_has_it() {
    let patience = Duration::from_secs(2);
    let mut bench = listening(Shares { all: 8, agency: 8, handshakes: 1 }, patience).await;
    let began = std::time::Instant::now();
    let silent = TcpStream::connect(bench.address).await.unwrap();
    let _node = bench.node("H36").await;
    bench.accepted().await;
    // The one before it had all the time that a handshake may take.
    assert!(began.elapsed() >= patience, "{:?}", began.elapsed());
    closed(silent).await;
}

#[tokio::test]
async fn an_agency_with_its_share_of_connections_leaves_room_for_others() {
    let mut bench = listening(Shares { all: 8, agency: 2, handshakes: 8 }, PATIENCE).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let node = bench.node("H36").await;
        held.push((node, bench.accepted().await));
    }
    // The same agency in the other form of its code.
    closed(bench.node("000.00.00.H36").await).await;
    let _other = bench.node("H34").await;
    assert_eq!(bench.accepted().await.peer.agency, code("H34"));
    // A connection that has gone gives its place back.
    held.pop();
    let _again = bench.node("H36").await;
    assert_eq!(bench.accepted().await.peer.agency, code("H36"));
}

#[tokio::test]
async fn every_connection_ends_when_the_hub_stops_and_so_does_one_that_comes_late() {
    let mut bench = listening(Shares::within(u64::MAX), PATIENCE).await;
    let _early = bench.node("H36").await;
    let mut early = bench.accepted().await;
    bench.connections.cut_all();
    let _late = bench.node("H36").await;
    let mut late = bench.accepted().await;
    for connection in [&mut early, &mut late] {
        for _ in 0..2 {
            let read = tokio::time::timeout(PATIENCE, connection.read(&mut [0])).await;
            assert_eq!(read.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        }
    }
}
