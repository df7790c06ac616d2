//! `POST reports`, `GET reports/{name}`.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lienthong_model::{AgencyCode, MessageId};

use super::Api;
use super::asked::{Body, Path, Query};
use super::documents::{Wanted, answer, found};
use super::error::ApiError;
use super::inbox::Of;
use super::intake::Put;
use super::outcome::{self, Outcome};
use crate::compose::{self, ComposeError};
use crate::disk::{self, DiskError};
use crate::fields::Format;
use crate::outgoing::{self, Kind};
use crate::places;
use crate::report_header::ReportHeader;

/// Reports a status. The same name and content again changes nothing and answers what became of
/// the first.
pub(super) async fn submit(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let agency = api.agency(wanted.agency.as_deref())?;
    let patience = wanted.patience();
    let name = match wanted.name {
        Some(name) if places::is_name(&name) => name,
        Some(name) => return Err(ApiError::Malformed(format!("`{name}` is no name"))),
        None => MessageId::new(api.shared().link.now(), rand::random()).to_string(),
    };
    let text = String::from_utf8(body.to_vec())
        .map_err(|_| ApiError::Malformed("the report is not UTF-8".to_owned()))?;
    put(&api, &agency, &name, text).await?;
    answer(&api, Kind::Report, &agency, &name, patience).await
}

/// Puts a report into `status/out`, unless the same is under way or done. What was refused is tried
/// again, the same or a corrected one.
pub(super) async fn put(
    api: &Api,
    agency: &AgencyCode,
    name: &str,
    text: String,
) -> Result<(), ApiError> {
    let report = ReportHeader::read("report", &text, Format::Json)?;
    let (owner, agency, named) = (api.clone(), agency.clone(), name.to_owned());
    let put = move || put_once(&owner, &agency, &named, (&report, text.as_str()));
    if disk::aside(put).await? == Put::Taken {
        return Err(ApiError::NameTaken(name.to_owned()));
    }
    outgoing::nudge(api.shared(), Kind::Report);
    Ok(())
}

fn put_once(
    api: &Api,
    agency: &AgencyCode,
    name: &str,
    (report, text): (&ReportHeader, &str),
) -> Result<Put, DiskError> {
    let _turn = api.0.putting.lock();
    while let Some(found) = outcome::find(api.shared(), Kind::Report, agency, name)? {
        if found.state == outcome::State::Refused {
            break;
        }
        let is_same = match there(&found) {
            Ok(there) => there.as_ref() == Some(report),
            Err(ComposeError::Fault(_)) => false,
            Err(ComposeError::Disk(error)) => return Err(error),
        };
        if is_same {
            return Ok(Put::Done);
        }
        // Else it moved on while we looked; it does so three times at most.
        if found.folder.exists() {
            return Ok(Put::Taken);
        }
    }
    let folder = api.shared().places.of(Kind::Report.rooms().waiting, agency);
    disk::make_folder(&folder)?;
    disk::replace(&folder.join(format!("{name}.json")), text.as_bytes())?;
    Ok(Put::Done)
}

/// What a report says that is there; a file while it waits, then the one file of a folder.
fn there(found: &Outcome) -> Result<Option<ReportHeader>, ComposeError> {
    if found.state != outcome::State::Waiting {
        return compose::read_report(&found.folder).map(Some);
    }
    let (folder, file) = (found.folder.parent(), found.folder.file_name());
    let (Some(folder), Some(file)) = (folder, file.and_then(|file| file.to_str())) else {
        return Ok(None);
    };
    let format = if file.ends_with(".json") { Format::Json } else { Format::Toml };
    let text = compose::text_of(folder, file)?;
    Ok(text.map(|text| ReportHeader::read(file, &text, format)).transpose()?)
}

/// Says what became of a report.
pub(super) async fn show(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Outcome>, ApiError> {
    let agency = api.agency(of.agency.as_deref())?;
    found(&api, Kind::Report, &agency, &name).await.map(Json)
}
