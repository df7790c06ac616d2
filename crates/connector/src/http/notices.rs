//! `GET notices`, `POST notices/{file}/read`: what recipients reported on documents sent.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Api;
use super::asked::{Path, Query};
use super::error::ApiError;
use super::inbox::Of;
use super::listing::{self, Listed};
use crate::disk::{self, Found};
use crate::places::Room;

/// Largest notice that is read, in bytes.
const NOTICE_BYTES_MAX: u64 = 1024 * 1024;

/// Lists them in the order in which the hub received them.
pub(super) async fn list(
    State(api): State<Api>,
    Query(listed): Query<Listed>,
) -> Result<Json<Value>, ApiError> {
    let agency = api.agency(listed.agency.as_deref())?;
    let folder = api.shared().places.of(Room::StatusIn, &agency);
    let read = |found: Found| listing::object(&found.path, NOTICE_BYTES_MAX, ("file", found.name));
    let notices = listed.page(folder, |one| !one.is_folder, read).await?;
    Ok(Json(json!({ "agency": agency.to_string(), "notices": notices })))
}

/// Removes one that was read; the hub keeps what it says.
pub(super) async fn read(
    State(api): State<Api>,
    Path(file): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Value>, ApiError> {
    let agency = api.agency(of.agency.as_deref())?;
    let folder = api.shared().places.of(Room::StatusIn, &agency);
    let wanted = file.clone();
    let removed = disk::aside(move || {
        // Only a file that stands in the list: a name from outside makes no path.
        let found = disk::complete(&folder)?.into_iter().find(|one| one.name == wanted);
        found.map(|one| disk::remove(&one.path)).transpose()
    })
    .await?;
    removed.map(|()| Json(json!({ "file": file }))).ok_or(ApiError::NotFound(file))
}
