//! Mutual TLS: who may connect is judged like who may sign, by the hub's own trust, as of business
//! time. A revoked or expired node is refused at its next handshake, without a restart.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_model::Timestamp;
use lienthong_trust::{Anchors, Certificate, Chain, Holder};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};

use crate::caller::Peer;
use crate::clock::BusinessClock;
use crate::reader::Reader;

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
    reader: Reader,
    clock: BusinessClock,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = NodeVerifier { reader, clock, algorithms: algorithms(&provider) };
    let time = Arc::new(BusinessTime(clock));
    let mut config = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn algorithms(provider: &CryptoProvider) -> WebPkiSupportedAlgorithms {
    provider.signature_verification_algorithms
}

/// The agency that a verified client certificate names.
pub(crate) fn peer(certificate: &CertificateDer<'_>) -> Option<Peer> {
    let parsed = Certificate::parse(Bytes::copy_from_slice(certificate)).ok()?;
    match parsed.holder() {
        Holder::Node { agency } => Some(Peer { agency: agency.clone() }),
        Holder::Authority { .. }
        | Holder::Person { .. }
        | Holder::Seal { .. }
        | Holder::Operator { .. }
        | Holder::Hub { .. } => None,
    }
}

#[derive(Debug)]
struct BusinessTime(BusinessClock);

impl TimeProvider for BusinessTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Verifies node certificates against the hub's trust.
struct NodeVerifier {
    reader: Reader,
    clock: BusinessClock,
    algorithms: WebPkiSupportedAlgorithms,
}

impl std::fmt::Debug for NodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeVerifier")
    }
}

impl NodeVerifier {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: Timestamp,
    ) -> Result<(), CertificateError> {
        let parse = |der: &CertificateDer<'_>| {
            Certificate::parse(Bytes::copy_from_slice(der)).map(Arc::new)
        };
        let leaf = parse(leaf).map_err(|_| CertificateError::BadEncoding)?;
        if !matches!(leaf.holder(), Holder::Node { .. }) {
            return Err(CertificateError::InvalidPurpose);
        }
        let trust = self.reader.trust();
        let mut pool = trust.authorities().to_vec();
        pool.extend(intermediates.iter().take(8).filter_map(|der| parse(der).ok()));
        let chain = Chain::build(leaf, &pool).map_err(|_| CertificateError::UnknownIssuer)?;
        if !trust.trusts(chain.root().fingerprint(), at) {
            return Err(CertificateError::UnknownIssuer);
        }
        for pair in chain.certificates().windows(2) {
            let [certificate, issuer] = pair else { continue };
            let revoked = trust.revoked_at(issuer.authority(), certificate.serial());
            if revoked.is_some_and(|since| since <= at) {
                return Err(CertificateError::Revoked);
            }
        }
        for certificate in chain.certificates() {
            if at < certificate.not_before() {
                return Err(CertificateError::NotValidYet);
            }
            if at > certificate.not_after() {
                return Err(CertificateError::Expired);
            }
        }
        Ok(())
    }
}

impl ClientCertVerifier for NodeVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // Not `now`, which is in whole seconds: a root is trusted from a millisecond on.
        self.judge(end_entity, intermediates, self.clock.now())
            .map(|()| ClientCertVerified::assertion())
            .map_err(rustls::Error::InvalidCertificate)
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
