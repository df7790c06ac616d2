//! Why a hub cannot be reached, in plain words.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// A hub that cannot be reached, or a connection on which neither side accepts the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Which hub: `https://host:port`.
    pub address: String,
    /// Why.
    pub cause: Cause,
}

/// What took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Looking the host up.
    Lookup,
    /// Connecting (TCP).
    Connect,
    /// The TLS handshake.
    Handshake,
    /// The answer to a call.
    Answer,
}

/// Why a hub cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The host of the address is not known.
    HostUnknown(String),
    /// Nothing listens on the port.
    NothingListens,
    /// No network leads there, or it is forbidden to go there.
    NoWay(String),
    /// A step took too long.
    TimedOut(Step),
    /// What listens there does not speak TLS.
    NotTls,
    /// Both sides speak TLS but have no version, cipher or protocol (HTTP/2) in common.
    NoCommonProtocol(String),
    /// The hub's certificate is for other names.
    HubNameDiffers {
        /// The name that was expected.
        expected: String,
        /// The names in the certificate.
        presented: Vec<String>,
    },
    /// The hub's certificate was not issued under a root that we trust.
    HubUntrusted,
    /// The hub's certificate has expired, by the clock in use; seconds since 1970.
    HubExpired {
        /// What the clock shows.
        now: Option<u64>,
        /// The certificate's last moment.
        not_after: Option<u64>,
    },
    /// The hub's certificate is not valid yet, by the clock in use; seconds since 1970.
    HubNotYetValid {
        /// What the clock shows.
        now: Option<u64>,
        /// The certificate's first moment.
        not_before: Option<u64>,
    },
    /// The hub's certificate is revoked.
    HubRevoked,
    /// The hub's certificate cannot be used for another reason.
    HubCertificateUnsuitable(String),
    /// The hub does not know the authority that issued our certificate.
    OurAuthorityUnknown,
    /// By the hub's clock our certificate has expired or is not valid yet.
    OurCertificateNotInForce,
    /// Our certificate is revoked.
    OurCertificateRevoked,
    /// The hub wants a certificate and got none.
    OurCertificateMissing,
    /// The hub does not accept our certificate for another reason: the name of the TLS alert.
    OurCertificateRefused(String),
    /// The hub closed the connection right after the handshake without a word.
    ClosedEarly,
    /// The connection broke.
    Interrupted(String),
}

/// What a cause means and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What it means, in English.
    pub meaning: String,
    /// What it means, in Vietnamese.
    pub meaning_vi: String,
    /// What to do about it, in English.
    pub remedy: &'static str,
    /// What to do about it, in Vietnamese.
    pub remedy_vi: &'static str,
}

impl Cause {
    /// Returns whether trying again cannot help before somebody has changed something.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::HostUnknown(_)
            | Self::NothingListens
            | Self::NoWay(_)
            | Self::TimedOut(_)
            | Self::ClosedEarly
            | Self::Interrupted(_) => false,
            Self::NotTls
            | Self::NoCommonProtocol(_)
            | Self::HubNameDiffers { .. }
            | Self::HubUntrusted
            | Self::HubExpired { .. }
            | Self::HubNotYetValid { .. }
            | Self::HubRevoked
            | Self::HubCertificateUnsuitable(_)
            | Self::OurAuthorityUnknown
            | Self::OurCertificateNotInForce
            | Self::OurCertificateRevoked
            | Self::OurCertificateMissing
            | Self::OurCertificateRefused(_) => true,
        }
    }

    pub(crate) fn of_connect(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::NothingListens,
            io::ErrorKind::TimedOut => Self::TimedOut(Step::Connect),
            _ => Self::NoWay(error.to_string()),
        }
    }

    pub(crate) fn of_handshake(error: &io::Error) -> Self {
        if let Some(cause) = Self::of_tls_in(error) {
            return cause;
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted => Self::ClosedEarly,
            _ => Self::Interrupted(error.to_string()),
        }
    }

    /// The cause when there is a TLS error inside.
    pub(crate) fn of_tls_in(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<rustls::Error>().map(Self::of_tls)
    }

    /// The cause that a chain of errors holds, as far as it can be seen.
    pub(crate) fn within(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(unreachable) = error.downcast_ref::<Unreachable>() {
                return Some(unreachable.cause.clone());
            }
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return Some(Self::of_tls(tls));
            }
            if let Some(cause) = error.downcast_ref::<io::Error>().and_then(Self::of_tls_in) {
                return Some(cause);
            }
            next = error.source();
        }
        None
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(why) => Self::of_hub_certificate(why),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::PeerIncompatible(why) => Self::NoCommonProtocol(format!("{why:?}")),
            rustls::Error::NoApplicationProtocol => Self::NoCommonProtocol("no HTTP/2".into()),
            rustls::Error::NoCertificatesPresented => {
                Self::HubCertificateUnsuitable("the hub presents none".into())
            }
            other => Self::Interrupted(other.to_string()),
        }
    }

    fn of_hub_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired => Self::HubExpired { now: None, not_after: None },
            CertificateError::ExpiredContext { time, not_after } => {
                Self::HubExpired { now: Some(time.as_secs()), not_after: Some(not_after.as_secs()) }
            }
            CertificateError::NotValidYet => Self::HubNotYetValid { now: None, not_before: None },
            CertificateError::NotValidYetContext { time, not_before } => Self::HubNotYetValid {
                now: Some(time.as_secs()),
                not_before: Some(not_before.as_secs()),
            },
            CertificateError::Revoked => Self::HubRevoked,
            // With the right name and another key the signature of the root does not hold.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::HubUntrusted,
            CertificateError::NotValidForName => {
                Self::HubNameDiffers { expected: String::new(), presented: Vec::new() }
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                Self::HubNameDiffers {
                    expected: expected.to_str().into_owned(),
                    presented: presented.clone(),
                }
            }
            other => Self::HubCertificateUnsuitable(other.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            // The second: another authority of the same name, whose key did not sign.
            AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                Self::OurAuthorityUnknown
            }
            AlertDescription::CertificateExpired => Self::OurCertificateNotInForce,
            AlertDescription::CertificateRevoked => Self::OurCertificateRevoked,
            AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
                Self::OurCertificateMissing
            }
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied => Self::OurCertificateRefused(format!("{alert:?}")),
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity
            | AlertDescription::NoApplicationProtocol => {
                Self::NoCommonProtocol(format!("{alert:?}"))
            }
            other => Self::Interrupted(format!("TLS alert {other:?}")),
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.cause.words();
        write!(f, "`{}`: {}; {}", self.address, words.meaning, words.remedy)
    }
}

impl Error for Unreachable {}

mod words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alert_about_our_certificate_blames_our_certificate() {
        let cause = |alert| Cause::of_tls(&rustls::Error::AlertReceived(alert));
        assert_eq!(cause(AlertDescription::UnknownCA), Cause::OurAuthorityUnknown);
        assert_eq!(cause(AlertDescription::CertificateExpired), Cause::OurCertificateNotInForce);
        assert_eq!(cause(AlertDescription::CertificateRevoked), Cause::OurCertificateRevoked);
        assert_eq!(cause(AlertDescription::CertificateRequired), Cause::OurCertificateMissing);
        let refused = cause(AlertDescription::BadCertificate);
        assert_eq!(refused, Cause::OurCertificateRefused("BadCertificate".into()));
        assert!(refused.is_lasting());
    }

    #[test]
    fn a_revoked_hub_certificate_is_called_revoked_in_both_languages() {
        let error = rustls::Error::InvalidCertificate(CertificateError::Revoked);
        let words = Cause::of_tls(&error).words();
        assert!(words.meaning.contains("revoked"), "{words:?}");
        assert!(words.meaning_vi.contains("thu hồi"), "{words:?}");
    }

    #[test]
    fn a_tls_error_is_found_inside_other_errors() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let io = io::Error::new(io::ErrorKind::InvalidData, tls);
        assert_eq!(Cause::within(&io), Some(Cause::HubUntrusted));
        assert_eq!(Cause::within(&io::Error::other("else")), None);
    }
}
