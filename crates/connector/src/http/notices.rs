//! `GET notices`, `POST notices/{file}/read`: what recipients reported on documents sent.

use axum::Json;
use axum::extract::{Path, Query, State};
use lienthong_model::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::error::ApiError;
use super::inbox::Of;
use crate::disk::{self, DiskError};
use crate::places::Room;

/// Which are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    agency: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Lists them in the order in which the hub received them.
pub(super) async fn list(
    State(api): State<Api>,
    Query(listed): Query<Listed>,
) -> Result<Json<Value>, ApiError> {
    let agency = api.agency(listed.agency.as_deref())?;
    let limit = listed.limit.unwrap_or(PAGE_SIZE_DEFAULT).clamp(1, PAGE_SIZE_MAX);
    let folder = api.shared().places.of(Room::StatusIn, &agency);
    let notices = disk::aside(move || {
        let after = |name: &str| listed.after.as_deref().is_none_or(|after| name > after);
        let found = disk::complete(&folder)?.into_iter();
        let page = found.filter(|one| !one.is_folder && after(&one.name)).take(limit);
        page.map(|one| {
            let bytes = disk::read(&one.path, 1024 * 1024)?.unwrap_or_default();
            let notice = serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object);
            Ok(notice.map(|mut notice| {
                notice["file"] = json!(one.name);
                notice
            }))
        })
        .collect::<Result<Vec<_>, DiskError>>()
    })
    .await?;
    let notices: Vec<Value> = notices.into_iter().flatten().collect();
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
