//! One agency's way to the hub: its identity, whom it trusts, its connection.

use std::time::Duration;

use lienthong_client::{
    Acknowledger, Checked, Client, ClockSource, Delivery, DocumentCheck, Endpoint, Identity, Retry,
    Roots, SenderPolicy,
};
use lienthong_model::{AgencyCode, AgencyEntry, Refusal};
use lienthong_pki::{Authority, Identity as Certified};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::LiveError;

/// How long one attempt of a call may take: a connection that was cut in silence is found out by it.
const CALL_MAX: Duration = Duration::from_secs(10);
/// How long a call is tried again before it counts as unanswered.
const RETRY_TOTAL: Duration = Duration::from_secs(30);

/// Returns how a hub is reached with an identity below an issuing authority.
pub(super) fn endpoint(
    url: &str,
    (node, issuing): (&Certified, &Authority),
    roots: &Roots,
    clock: ClockSource,
) -> Result<Endpoint, LiveError> {
    let chain = vec![node.certificate.der().clone(), issuing.certificate().der().clone()];
    let identity = Identity::new(chain, &node.key.to_pkcs8_der())?;
    Ok(Endpoint::new(url, identity, roots.clone())?.clock(clock))
}

/// Verifies a delivery from its bytes, with the roots that the agency was given and the policy that
/// the directory's entry of the sender asks for.
pub(super) fn verified<'d>(
    check: &DocumentCheck,
    delivery: &Delivery,
    entry: impl FnOnce(&AgencyCode) -> Option<&'d AgencyEntry>,
) -> Result<Checked, Refusal> {
    check.check_with(delivery, |sender| {
        let Some(entry) = entry(sender) else { return SenderPolicy::default() };
        let gateway = entry.gateway.as_ref().map(AgencyCode::key);
        SenderPolicy { policy: entry.policy, gateway, ..SenderPolicy::default() }
    })
}

/// An agency's system on the network. It connects when it is first needed.
pub(super) struct Station {
    endpoint: Endpoint,
    client: OnceCell<Client>,
    /// Of the stream that is open.
    pub acknowledger: Mutex<Option<Acknowledger>>,
}

impl Station {
    pub fn new(endpoint: Endpoint) -> Self {
        let retry = Retry { total: RETRY_TOTAL, ..Retry::default() };
        let endpoint = endpoint.retry(retry).call_max(CALL_MAX).wait_for_hub(RETRY_TOTAL);
        Self { endpoint, client: OnceCell::new(), acknowledger: Mutex::new(None) }
    }

    /// Returns the connection.
    ///
    /// # Errors
    /// [`LiveError::Connect`] when there is none.
    pub async fn client(&self, agency: &str) -> Result<&Client, LiveError> {
        let connect = || async {
            Client::connect(self.endpoint.clone())
                .await
                .map_err(|error| LiveError::Connect { agency: agency.to_owned(), error })
        };
        self.client.get_or_try_init(connect).await
    }
}
