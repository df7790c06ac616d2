//! Takes the body of a submission and puts a folder into the outbox: written aside, synced, renamed
//! when it is whole.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lienthong_model::limits::{HEADER_BYTES_MAX, HTTP_JSON_BYTES_MAX};
use lienthong_model::{AgencyCode, MessageId};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::AsyncWriteExt as _;

use super::Api;
use super::documents::Wanted;
use super::error::ApiError;
use super::outcome::{self, State};
use crate::disk::{self, DiskError};
use crate::fields::Format;
use crate::header::Header;
use crate::node::Shared;
use crate::outgoing::Kind;
use crate::places::{self, Places, Room};

/// How the name of a folder begins that is being written.
const UNFINISHED: &str = ".http-";

/// A submission as one JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    header: Box<RawValue>,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    base64: String,
}

/// A folder that is being written; removed unless it is put into its place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Err(error) = disk::remove(&self.0) {
            tracing::warn!(%error, "an unfinished submission is left behind");
        }
    }
}

/// Removes what a connector that was killed was writing.
///
/// # Errors
/// [`DiskError`] for the first that cannot be removed.
pub(crate) fn sweep(places: &Places) -> Result<(), DiskError> {
    for agency in places.agencies(Room::Outbox)? {
        let folder = places.of(Room::Outbox, &agency);
        for entry in std::fs::read_dir(&folder).map_err(DiskError::of("list", &folder))? {
            let entry = entry.map_err(DiskError::of("list", &folder))?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                disk::remove(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Takes a submission; on return its folder is in the outbox, or was before.
pub(super) async fn take(
    api: &Api,
    wanted: Wanted,
    request: Request,
) -> Result<(AgencyCode, String), ApiError> {
    let agency = api.agency(wanted.agency.as_deref())?;
    let now = api.shared().link.now();
    let name = match wanted.name {
        Some(name) if places::is_name(&name) => name,
        Some(name) => return Err(ApiError::Malformed(format!("`{name}` is no name"))),
        None => MessageId::new(now, rand::random()).to_string(),
    };
    let folder = api.shared().places.of(Kind::Document.rooms().waiting, &agency);
    let random = hex::encode(rand::random::<[u8; 8]>());
    let unfinished = Unfinished(folder.join(format!("{UNFINISHED}{random}")));
    let path = unfinished.0.clone();
    disk::aside(move || disk::make_folder(&path)).await?;
    write(&unfinished.0, request).await?;
    let (shared, of, named) = (api.shared().clone(), agency.clone(), name.clone());
    let put = move || put(&shared, &of, &named, &unfinished.0);
    match disk::aside(put).await? {
        Put::Done => Ok((agency, name)),
        Put::Taken => Err(ApiError::NameTaken(name)),
    }
}

async fn write(folder: &Path, request: Request) -> Result<(), ApiError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let header = match kind.unwrap_or_default() {
        kind if kind.starts_with("multipart/form-data") => multipart(folder, request).await?,
        kind if kind.starts_with("application/json") => json(folder, request).await?,
        other => {
            let why =
                format!("content-type `{other}`; send application/json or multipart/form-data");
            return Err(ApiError::Malformed(why));
        }
    };
    // What is wrong with the header is said now, not in `refused`.
    Header::read("header", &header, Format::Json)?;
    let path = folder.to_owned();
    disk::aside(move || {
        disk::write(&path.join("document.json"), header.as_bytes())?;
        disk::sync_folder(&path)
    })
    .await?;
    Ok(())
}

async fn json(folder: &Path, request: Request) -> Result<String, ApiError> {
    let body = axum::body::to_bytes(request.into_body(), HTTP_JSON_BYTES_MAX).await;
    let body = body.map_err(|error| ApiError::TooLarge(error.to_string()))?;
    let submission: Submission =
        serde_json::from_slice(&body).map_err(|error| ApiError::Malformed(error.to_string()))?;
    let mut names = HashSet::new();
    for file in submission.files {
        let path = folder.join(new_name(&mut names, &file.name)?);
        let wrong = |error| ApiError::Malformed(format!("`{}`: {error}", file.name));
        let bytes = STANDARD.decode(&file.base64).map_err(wrong)?;
        disk::aside(move || disk::write(&path, &bytes)).await?;
    }
    Ok(submission.header.get().to_owned())
}

/// Writes files as they come: none is in memory as a whole.
async fn multipart(folder: &Path, request: Request) -> Result<String, ApiError> {
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|error| ApiError::Malformed(error.body_text()))?;
    let (mut header, mut names) = (None, HashSet::new());
    while let Some(mut part) = parts.next_field().await.map_err(unread)? {
        if part.name() == Some("header") {
            let text = header_text(&mut part).await?;
            if header.replace(text).is_some() {
                let why = "there is more than one part `header`";
                return Err(ApiError::Malformed(why.to_owned()));
            }
            continue;
        }
        let name = part.file_name().unwrap_or_default().to_owned();
        let path = folder.join(new_name(&mut names, &name)?);
        let failed = |error| DiskError::of("write", &path)(error);
        let mut file = tokio::fs::File::create_new(&path).await.map_err(failed)?;
        while let Some(chunk) = part.chunk().await.map_err(unread)? {
            file.write_all(&chunk).await.map_err(failed)?;
        }
        // To sync alone would not tell that the last write has failed.
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
    }
    header.ok_or_else(|| ApiError::Malformed("there is no part `header`".to_owned()))
}

fn unread(error: MultipartError) -> ApiError {
    ApiError::unread(error.status(), error.body_text())
}

async fn header_text(part: &mut Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(unread)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > HEADER_BYTES_MAX {
            let why = format!("a header of more than {HEADER_BYTES_MAX} bytes");
            return Err(ApiError::TooLarge(why));
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::Malformed("the header is not UTF-8".to_owned()))
}

/// The name of a file beside the header.
fn file_name(name: &str) -> Result<&str, ApiError> {
    let is_plain = !name.is_empty()
        && name.len() <= 200
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
        && !disk::is_unfinished(name)
        && !matches!(name, "document.json" | "document.toml" | places::OWN);
    match is_plain {
        true => Ok(name),
        false => Err(ApiError::Malformed(format!("`{name}` is no name of a file"))),
    }
}

/// The name of a file of which there is none of that name yet.
fn new_name<'n>(names: &mut HashSet<String>, name: &'n str) -> Result<&'n str, ApiError> {
    let name = file_name(name)?;
    match names.insert(name.to_owned()) {
        true => Ok(name),
        false => Err(ApiError::Malformed(format!("there is more than one file `{name}`"))),
    }
}

/// What became of something that was to be put into a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Done,
    /// Something else has the name.
    Taken,
}

/// Puts a folder into the outbox unless the same is under way or done. What was refused is tried
/// again, the same or a corrected one.
fn put(
    shared: &Shared,
    agency: &AgencyCode,
    name: &str,
    unfinished: &Path,
) -> Result<Put, DiskError> {
    while let Some(found) = outcome::find(shared, Kind::Document, agency, name)? {
        if found.state == State::Refused {
            break;
        }
        if is_same(unfinished, &found.folder)? {
            return Ok(Put::Done);
        }
        // Else it moved on while we looked; it does so three times at most.
        if found.folder.exists() {
            return Ok(Put::Taken);
        }
    }
    let place = shared.places.of(Kind::Document.rooms().waiting, agency).join(name);
    match disk::rename(unfinished, &place) {
        Ok(()) => Ok(Put::Done),
        // Another request with the name was quicker.
        Err(_) if place.is_dir() => Ok(Put::Taken),
        Err(error) => Err(error),
    }
}

/// Whether two folders have the same files, the connector's own aside.
fn is_same(one: &Path, other: &Path) -> Result<bool, DiskError> {
    let files = |folder: &Path| -> Result<Vec<(String, PathBuf)>, DiskError> {
        let found = disk::complete(folder)?.into_iter().filter(|found| !found.is_folder);
        Ok(found.map(|found| (found.name, found.path)).collect())
    };
    let (ones, others) = (files(one)?, files(other)?);
    if ones.iter().map(|file| &file.0).ne(others.iter().map(|file| &file.0)) {
        return Ok(false);
    }
    for ((_, one), (_, other)) in ones.iter().zip(&others) {
        if !same_bytes(one, other).map_err(DiskError::of("read", other))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_bytes(one: &Path, other: &Path) -> std::io::Result<bool> {
    use std::io::{BufRead as _, BufReader};
    let mut one = BufReader::new(std::fs::File::open(one)?);
    let mut other = BufReader::new(std::fs::File::open(other)?);
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let common = left.len().min(right.len());
        if left.get(..common) != right.get(..common) || (common == 0 && left.len() != right.len()) {
            return Ok(false);
        }
        if common == 0 {
            return Ok(true);
        }
        one.consume(common);
        other.consume(common);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_the_same_when_their_files_are() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for folder in [&one, &other] {
            std::fs::write(folder.path().join("a"), vec![7; 20_000]).unwrap();
        }
        std::fs::create_dir(other.path().join(places::OWN)).unwrap();
        assert!(is_same(one.path(), other.path()).unwrap());
        std::fs::write(other.path().join("a"), vec![7; 20_001]).unwrap();
        assert!(!is_same(one.path(), other.path()).unwrap());
        std::fs::write(other.path().join("b"), "").unwrap();
        assert!(!is_same(one.path(), other.path()).unwrap());
    }

    #[test]
    fn a_file_from_outside_cannot_lead_elsewhere() {
        for name in ["", "..", "a/b", "document.json", ".x", "tmp-a", "_lienthong", "a\nb"] {
            assert!(file_name(name).is_err(), "{name}");
        }
        assert!(file_name("Quyết định 15.pdf").is_ok());
    }
}
