//! `GET inbox`, `GET inbox/{name}`, its attachments, `POST inbox/{name}/read`.

use std::path::PathBuf;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use lienthong_model::{AgencyCode, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::asked::{Path, Query};
use super::error::ApiError;
use super::listing::{self, Listed};
use super::{Api, reports};
use crate::disk::{self, DiskError, Found};
use crate::files::media_type;
use crate::node::Shared;
use crate::places::{self, Room};

/// Largest `document.json` that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Bytes of an attachment that are read at a time.
const CHUNK: usize = 64 * 1024;

/// Lists the inbox in the order of receipt.
pub(super) async fn list(
    State(api): State<Api>,
    Query(listed): Query<Listed>,
) -> Result<Json<Value>, ApiError> {
    let agency = api.agency(listed.agency.as_deref())?;
    let folder = api.shared().places.of(Room::Inbox, &agency);
    let read = |found: Found| record(&found.path, found.name);
    let documents = listed.page(folder, |one| one.is_folder, read).await?;
    Ok(Json(json!({ "agency": agency.to_string(), "documents": documents })))
}

/// What `document.json` says, with the name of its folder.
fn record(folder: &std::path::Path, name: String) -> Result<Option<Value>, DiskError> {
    listing::object(&folder.join("document.json"), RECORD_BYTES_MAX, ("name", name))
}

/// Which agency's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    pub agency: Option<String>,
}

/// Shows one document.
pub(super) async fn show(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Value>, ApiError> {
    let agency = api.agency(of.agency.as_deref())?;
    let folder = folder(api.shared(), &agency, &name)?;
    let wanted = name.clone();
    let found = disk::aside(move || record(&folder, wanted)).await?;
    found.map(Json).ok_or(ApiError::NotFound(name))
}

/// The folder of a document, read or not.
fn folder(shared: &Shared, agency: &AgencyCode, name: &str) -> Result<PathBuf, ApiError> {
    let rooms = [Room::Inbox, Room::InboxRead].into_iter();
    let mut folders = rooms.map(|room| shared.places.of(room, agency).join(name));
    match places::is_name(name) {
        true => folders.find(|folder| folder.is_dir()),
        false => None,
    }
    .ok_or_else(|| ApiError::NotFound(name.to_owned()))
}

/// Sends one attachment, a piece at a time.
pub(super) async fn attachment(
    State(api): State<Api>,
    Path((name, file)): Path<(String, String)>,
    Query(of): Query<Of>,
) -> Result<Response, ApiError> {
    let agency = api.agency(of.agency.as_deref())?;
    let folder = folder(api.shared(), &agency, &name)?.join("attachments");
    // Only a file that stands in the list is opened: a name from outside makes no path.
    let listed = disk::aside(move || disk::complete(&folder)).await?;
    let is_it = |one: &disk::Found| one.name == file && !one.is_folder;
    let found = listed.into_iter().find(is_it).ok_or(ApiError::NotFound(file))?;
    let opened = tokio::fs::File::open(&found.path).await;
    let opened = opened.map_err(|error| DiskError::of("read", &found.path)(error))?;
    let chunks = stream::try_unfold(opened, |mut file| async move {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((chunk, file)))
    });
    Ok(([(CONTENT_TYPE, media_type(&found.path))], Body::from_stream(chunks)).into_response())
}

/// What is said when a document was read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read {
    agency: Option<String>,
    /// Whether to report 01; only with a seal. Default true.
    report: Option<bool>,
}

/// Takes a document out of the inbox: the agency's software shows it now, which is what 01 says.
pub(super) async fn read(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(read): Query<Read>,
) -> Result<Json<Value>, ApiError> {
    let agency = api.agency(read.agency.as_deref())?;
    folder(api.shared(), &agency, &name)?;
    let has_seal = api.shared().keyring.of(&agency, api.shared().places.own()).seal.is_some();
    let report = match read.report.unwrap_or(has_seal) {
        false => None,
        true => {
            let header = json!({ "document": name, "status": StatusCode::Arrived.to_string() });
            // Under the same name again: told twice, it is reported once.
            let own = format!("read-{}", name.rsplit('_').next().unwrap_or(&name));
            reports::put(&api, &agency, &own, header.to_string()).await?;
            Some(own)
        }
    };
    let (shared, of, named) = (api.shared().clone(), agency.clone(), name.clone());
    disk::aside(move || {
        let from = shared.places.of(Room::Inbox, &of).join(&named);
        let to = shared.places.of(Room::InboxRead, &of);
        disk::make_folder(&to)?;
        if from.is_dir() { disk::rename(&from, &to.join(&named)) } else { Ok(()) }
    })
    .await?;
    Ok(Json(json!({ "agency": agency.to_string(), "name": name, "report": report })))
}
