//! `GET agencies`, `GET agencies/{code}`: the copy of the directory.

use axum::Json;
use axum::extract::State;
use lienthong_model::AgencyCode;
use lienthong_model::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::asked::{Path, Query};
use super::error::ApiError;

/// What is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Words of a code or name, with or without diacritics.
    text: String,
    limit: Option<usize>,
}

/// Searches the copy.
pub(super) async fn search(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, ApiError> {
    let directory = api.shared().directory();
    let limit = wanted.limit.unwrap_or(PAGE_SIZE_DEFAULT).clamp(1, PAGE_SIZE_MAX);
    Ok(Json(json!({
        "version": directory.version, "asked_at": directory.asked_at,
        "agencies": directory.search(&wanted.text, limit),
    })))
}

/// Shows one agency.
pub(super) async fn show(
    State(api): State<Api>,
    Path(code): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let parsed = AgencyCode::parse(&code).ok();
    let directory = api.shared().directory();
    let found = parsed.and_then(|code| directory.find(&code).map(|agency| json!(agency)));
    found.map(Json).ok_or(ApiError::NotFound(code))
}
