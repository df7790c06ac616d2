//! Mutual TLS, as rustls wants to have it: who may connect is judged in `peer`, here the answer is
//! put into TLS's words.
//!
//! No session is resumed: a resumed one would skip the judgement of the certificate.

use std::sync::Arc;
use std::time::Duration;

use lienthong_model::Reason;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};

use crate::clock::BusinessClock;
use crate::peer::{PeerFault, PeerJudge};

/// The hub's own certificate chain and key.
#[derive(Debug)]
pub struct ServerIdentity {
    /// Leaf first, in DER.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// Makes the configuration of the hub's TLS: version 1.3, h2, client certificates required.
pub(crate) fn server_config(
    identity: ServerIdentity,
    judge: PeerJudge,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = configured(identity, judge, Client::MustShow)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Makes the configuration of the HTTP port's TLS: whoever has a client certificate may show it, and
/// it is judged like a node's; whoever has none signs in.
pub(crate) fn pages_config(
    identity: ServerIdentity,
    judge: PeerJudge,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = configured(identity, judge, Client::MayShow)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Whether a client has to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    MustShow,
    MayShow,
}

fn configured(
    identity: ServerIdentity,
    judge: PeerJudge,
    client: Client,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let time = Arc::new(BusinessTime(judge.clock));
    let algorithms = provider.signature_verification_algorithms;
    let verifier = PeerVerifier { judge, algorithms, client };
    let mut config = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(identity.chain, identity.key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

#[derive(Debug)]
struct BusinessTime(BusinessClock);

impl TimeProvider for BusinessTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Verifies the certificates of whoever connects.
struct PeerVerifier {
    judge: PeerJudge,
    algorithms: WebPkiSupportedAlgorithms,
    client: Client,
}

impl std::fmt::Debug for PeerVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeerVerifier")
    }
}

/// What TLS tells a peer that is not let in.
impl From<PeerFault> for CertificateError {
    fn from(fault: PeerFault) -> Self {
        match fault {
            PeerFault::Unreadable => Self::BadEncoding,
            PeerFault::Purpose => Self::InvalidPurpose,
            PeerFault::Chain | PeerFault::Judged(Reason::CertificateUntrusted) => {
                Self::UnknownIssuer
            }
            PeerFault::Judged(Reason::CertificateNotYetValid) => Self::NotValidYet,
            PeerFault::Judged(Reason::CertificateExpired) => Self::Expired,
            PeerFault::Judged(Reason::CertificateRevoked) => Self::Revoked,
            PeerFault::Judged(_) => Self::ApplicationVerificationFailure,
        }
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.client == Client::MustShow
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // Judged as of now, but not of `_now`, which is in whole seconds: a root is trusted from a
        // millisecond on.
        let certificates: Vec<CertificateDer<'_>> =
            std::iter::once(end_entity).chain(intermediates).cloned().collect();
        match self.judge.prove(&certificates) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(fault) => Err(rustls::Error::InvalidCertificate(fault.into())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
