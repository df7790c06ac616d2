//! Where the HTTP port lets in: on loopback without TLS, elsewhere with TLS and accounts.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;

use crate::accounts::Accounts;
use crate::hub::StartError;
use crate::peer::PeerJudge;
use crate::settings::HttpAddress;
use crate::tls;

/// A bound port.
pub(crate) struct HttpDoor {
    pub socket: TcpListener,
    pub tls: Option<Arc<ServerConfig>>,
    pub judge: PeerJudge,
}

impl HttpDoor {
    /// Binds the port.
    ///
    /// # Errors
    /// [`StartError`] when it cannot be bound, or would be open to a network without accounts.
    pub async fn open(
        http: HttpAddress,
        accounts: &Accounts,
        judge: PeerJudge,
    ) -> Result<Self, StartError> {
        let address: SocketAddr = http.address();
        if !address.ip().is_loopback() && accounts.is_empty() {
            return Err(StartError::NoAccounts(address));
        }
        let tls = http.into_identity().map(|identity| tls::pages_config(identity, judge.clone()));
        let tls = tls.transpose()?.map(Arc::new);
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|source| StartError::Listen { address, source })?;
        Ok(Self { socket, tls, judge })
    }
}
