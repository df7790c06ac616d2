//! Keeps the copy of the directory up to date.

use std::sync::Arc;

use lienthong_client::CallError;
use lienthong_model::limits::{CONNECTOR_BACKOFF_MAX, DIRECTORY_ASKED_EVERY};

use crate::node::Shared;

/// Asks again and again whether the directory has changed, until the connector ends.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let pause = match once(&shared).await {
            true => DIRECTORY_ASKED_EVERY,
            false => CONNECTOR_BACKOFF_MAX,
        };
        if shared.pause(pause).await {
            return;
        }
    }
}

/// Asks once; says whether there was an answer. Without one, no copy is known to be the newest.
pub(crate) async fn once(shared: &Shared) -> bool {
    let Ok(client) = shared.link.client().await else {
        shared.learn(None, false);
        return false;
    };
    let copy = shared.directory();
    match copy.newer(&client, client.now()).await {
        Ok(None) => shared.learn(None, true),
        Ok(Some(newer)) => {
            tracing::info!(version = newer.version, agencies = newer.len(), "the directory");
            // The copy is asked for anew where it could not be kept.
            if let Err(error) = newer.keep(&shared.places.note("directory.json")) {
                tracing::warn!(%error, "the copy of the directory is not kept");
            }
            shared.learn(Some(newer), true);
        }
        Err(error) => {
            shared.learn(None, false);
            if !matches!(error, CallError::GaveUp { .. }) {
                tracing::warn!(%error, "the directory was not learnt");
            }
            return false;
        }
    }
    true
}
