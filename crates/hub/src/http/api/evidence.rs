//! The newest checkpoint and the key that signs it. Receipts are verified in the browser, from the
//! receipt and the key alone.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Answer;
use crate::http::Pages;
use crate::http::visitor::Visitor;

#[derive(Debug, Serialize)]
pub(super) struct Newest {
    /// How many leaves the log has.
    size: u64,
    /// The signed note.
    checkpoint: String,
    /// The log's key: name, id and key.
    key: String,
}

/// Answers the newest checkpoint.
pub(super) async fn checkpoint(State(pages): State<Pages>, _: Visitor) -> Answer<Newest> {
    let newest = pages.0.evidence.newest();
    let key = pages.0.evidence.key();
    Ok(Json(Newest { size: newest.size, checkpoint: newest.checkpoint.clone(), key }))
}
