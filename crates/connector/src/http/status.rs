//! `GET status`: the connection, and what waits.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use crate::disk;
use crate::places::Room;

/// Shows it.
pub(super) async fn show(State(api): State<Api>) -> Result<Json<Value>, ApiError> {
    let shared = api.shared().clone();
    let away = shared.link.away();
    let directory = shared.directory();
    let serving: Vec<String> = shared.serving.lock().iter().map(ToString::to_string).collect();
    let now = shared.link.now().to_string();
    let own = shared.places.own().to_string();
    let counts = disk::aside(move || {
        let mut counts = serde_json::Map::new();
        for room in Room::ALL {
            let mut count = 0;
            for agency in shared.places.agencies(room)? {
                count += disk::complete(&shared.places.of(room, &agency))?.len();
            }
            counts.insert(room.path().to_owned(), json!(count));
        }
        counts.insert("webhook".to_owned(), json!(shared.events.waiting()?.len()));
        Ok(counts)
    })
    .await?;
    Ok(Json(json!({
        "agency": own, "mailboxes": serving, "connected": away.is_none(), "away": away,
        "now": now, "folders": counts,
        "directory": {
            "version": directory.version, "asked_at": directory.asked_at,
            "agencies": directory.len(),
        },
    })))
}
