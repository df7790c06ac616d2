//! The gRPC server: its services, their bounds, and what the health service says of them.

use std::net::SocketAddr;
use std::time::Duration;

use lienthong_model::limits::{
    CALL_MAX, CONNECTION_AGE_GRACE, CONNECTION_AGE_MAX, MESSAGE_BYTES_MAX,
    STREAMS_PER_CONNECTION_MAX,
};
use lienthong_wire::proto::admin_service_server::AdminServiceServer;
use lienthong_wire::proto::directory_service_server::DirectoryServiceServer;
use lienthong_wire::proto::evidence_service_server::EvidenceServiceServer;
use lienthong_wire::proto::exchange_service_server::ExchangeServiceServer;
use lienthong_wire::proto::notice_service_server::NoticeServiceServer;
use lienthong_wire::proto::recipient_list_service_server::RecipientListServiceServer;
use lienthong_wire::proto::statistics_service_server::StatisticsServiceServer;
use lienthong_wire::proto::tracking_service_server::TrackingServiceServer;
use lienthong_wire::proto::transfer_service_server::TransferServiceServer;
use lienthong_wire::proto::trust_service_server::TrustServiceServer;
use lienthong_wire::proto::verdict_service_server::VerdictServiceServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::server::HealthReporter;
use tower::layer::util::{Identity, Stack};

use super::StartError;
use crate::arriving::ArrivingLayer;
use crate::language::SpeakLayer;
use crate::services::Services;
use crate::space::Level;

/// How often an idle connection is asked whether it still lives, and how long it may take.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Binds a socket to an address.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let failed = |source| StartError::Listen { address, source };
    TcpListener::bind(address).await.map_err(failed)
}

/// Every service, as the health service names it.
const SERVICES: [&str; 11] = [
    <ExchangeServiceServer<Services> as NamedService>::NAME,
    <DirectoryServiceServer<Services> as NamedService>::NAME,
    <StatisticsServiceServer<Services> as NamedService>::NAME,
    <EvidenceServiceServer<Services> as NamedService>::NAME,
    <TransferServiceServer<Services> as NamedService>::NAME,
    <TrustServiceServer<Services> as NamedService>::NAME,
    <AdminServiceServer<Services> as NamedService>::NAME,
    <VerdictServiceServer<Services> as NamedService>::NAME,
    <RecipientListServiceServer<Services> as NamedService>::NAME,
    <TrackingServiceServer<Services> as NamedService>::NAME,
    <NoticeServiceServer<Services> as NamedService>::NAME,
];

/// Ends the streams of whoever watches the health, after what was set last.
pub(super) async fn clear_health(health: &mut HealthReporter) {
    for service in SERVICES.into_iter().chain([""]) {
        health.clear_service_status(service).await;
    }
}

pub(super) async fn set_health(health: &HealthReporter, serving: bool) {
    use tonic_health::ServingStatus::{NotServing, Serving};
    let status = if serving { Serving } else { NotServing };
    for service in SERVICES.into_iter().chain([""]) {
        health.set_service_status(service, status).await;
    }
}

/// Makes a service whose messages are bounded in both directions.
macro_rules! bounded {
    ($service:ident, $of:expr) => {
        $service::new($of.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    };
}

/// What stands before every service, the outermost last.
type Layers = Stack<ArrivingLayer, Stack<SpeakLayer, Identity>>;

/// Makes the server with every service, health and reflection.
pub(super) fn router<H>(services: Services, health: H) -> Result<Router<Layers>, StartError>
where
    H: tonic::codegen::Service<
            tonic::codegen::http::Request<tonic::body::Body>,
            Response = tonic::codegen::http::Response<tonic::body::Body>,
            Error = std::convert::Infallible,
        > + tonic::server::NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    H::Future: Send + 'static,
{
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(lienthong_wire::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| StartError::Server(error.to_string()))?;
    Ok(Server::builder()
        .layer(SpeakLayer)
        .layer(ArrivingLayer::default())
        .timeout(CALL_MAX)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_connection_age(CONNECTION_AGE_MAX)
        .max_connection_age_grace(CONNECTION_AGE_GRACE)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(health)
        .add_service(reflection)
        .add_service(bounded!(ExchangeServiceServer, services))
        .add_service(bounded!(DirectoryServiceServer, services))
        .add_service(bounded!(StatisticsServiceServer, services))
        .add_service(bounded!(EvidenceServiceServer, services))
        .add_service(bounded!(RecipientListServiceServer, services))
        .add_service(bounded!(TrackingServiceServer, services))
        .add_service(bounded!(TransferServiceServer, services))
        .add_service(bounded!(TrustServiceServer, services))
        .add_service(bounded!(AdminServiceServer, services))
        .add_service(bounded!(VerdictServiceServer, services))
        .add_service(bounded!(NoticeServiceServer, services)))
}

/// Keeps the health with the disk space: a hub that is read only is not ready.
pub(super) async fn follow_space(
    health: HealthReporter,
    mut levels: watch::Receiver<Level>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return,
            changed = levels.changed() => if changed.is_err() { return },
        }
        let ready = *levels.borrow_and_update() != Level::ReadOnly;
        set_health(&health, ready).await;
    }
}
