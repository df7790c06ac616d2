//! Receiving from the hub again and again: one loop for documents and for notices.

use std::sync::Arc;
use std::time::Duration;

use lienthong_client::{CallError, Client};
use lienthong_model::limits::CONNECTOR_BACKOFF_MAX;

use crate::link::Away;
use crate::node::Shared;

/// The first pause after a stream ended; it doubles while the hub is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens a stream with `receive`, and again whenever it ends, until the connector ends. `what` names
/// it in the log.
pub(crate) async fn again(
    shared: &Arc<Shared>,
    what: &str,
    receive: impl AsyncFn(&Arc<Shared>, &Client) -> Result<(), CallError>,
) {
    let mut pause = PAUSE;
    loop {
        // Where there is no client, the link has said why.
        if let Ok(client) = shared.link.client().await {
            match receive(shared, &client).await {
                Ok(()) => pause = PAUSE,
                Err(error) => {
                    if let Some(unreachable) = error.unreachable() {
                        shared.link.note(Some(Away::of(unreachable)));
                    }
                    tracing::warn!(%error, "receiving {what} is begun anew");
                }
            }
        }
        if shared.pause(pause).await {
            return;
        }
        pause = (pause * 2).min(CONNECTOR_BACKOFF_MAX);
    }
}
