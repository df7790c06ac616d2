//! `POST reports`, `GET reports/{name}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use lienthong_model::{AgencyCode, MessageId};

use super::Api;
use super::documents::{Wanted, answer, found};
use super::error::ApiError;
use super::inbox::Of;
use super::outcome::{self, Outcome};
use crate::disk;
use crate::fields::Format;
use crate::outgoing::{self, Kind};
use crate::places;
use crate::report_header::ReportHeader;

/// Reports a status. The same name again changes nothing.
pub(super) async fn submit(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
    body: Bytes,
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

/// Puts a report into `status/out`, unless one of the name is under way or done.
pub(super) async fn put(
    api: &Api,
    agency: &AgencyCode,
    name: &str,
    text: String,
) -> Result<(), ApiError> {
    ReportHeader::read("report", &text, Format::Json)?;
    let (shared, agency, name) = (api.shared().clone(), agency.clone(), name.to_owned());
    disk::aside(move || {
        if let Some(found) = outcome::find(&shared, Kind::Report, &agency, &name)?
            && found.state != outcome::State::Refused
        {
            return Ok(());
        }
        let folder = shared.places.of(Kind::Report.rooms().waiting, &agency);
        disk::make_folder(&folder)?;
        disk::replace(&folder.join(format!("{name}.json")), text.as_bytes())
    })
    .await?;
    outgoing::nudge(api.shared(), Kind::Report);
    Ok(())
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
