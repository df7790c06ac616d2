//! `POST documents`, `GET documents/{name}`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lienthong_client::TrackedDelivery;
use lienthong_model::limits::HTTP_WAIT_MAX;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Path, Query};
use super::error::ApiError;
use super::outcome::{self, Outcome};
use super::{Api, intake};
use crate::disk;
use crate::outgoing::{self, Kind};

/// What a request may ask for beside its body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Which agency's; the connector's own when it is not said.
    pub agency: Option<String>,
    /// The name; made when it is not given.
    pub name: Option<String>,
    /// Seconds to wait for the outcome.
    #[serde(default)]
    pub wait: u64,
}

impl Wanted {
    /// How long an outcome is waited for.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.wait).min(HTTP_WAIT_MAX)
    }
}

/// Submits a document. The same name and content again changes nothing and answers what became of
/// the first.
pub(super) async fn submit(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
    request: Request,
) -> Result<Response, ApiError> {
    let patience = wanted.patience();
    let (agency, name) = intake::take(&api, wanted, request).await?;
    outgoing::nudge(api.shared(), Kind::Document);
    answer(&api, Kind::Document, &agency, &name, patience).await
}

/// Answers a submission: 201 with the receipt, 422 with the refusal, 202 while there is neither.
pub(super) async fn answer(
    api: &Api,
    kind: Kind,
    agency: &lienthong_model::AgencyCode,
    name: &str,
    patience: Duration,
) -> Result<Response, ApiError> {
    let found = outcome::settled(api.shared(), kind, agency, name, patience).await?;
    let found = found.ok_or_else(|| ApiError::NotFound(name.to_owned()))?;
    let status = match found.state {
        outcome::State::Sent => StatusCode::CREATED,
        outcome::State::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        outcome::State::Waiting | outcome::State::Sending => StatusCode::ACCEPTED,
    };
    Ok((status, Json(found)).into_response())
}

/// What may be asked of a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    pub agency: Option<String>,
    /// Whether to ask the hub for its deliveries and reports.
    #[serde(default)]
    deliveries: bool,
}

/// Says what became of a document; with `deliveries=true` what its recipients reported, too.
pub(super) async fn show(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(shown): Query<Shown>,
) -> Result<Json<Value>, ApiError> {
    let agency = api.agency(shown.agency.as_deref())?;
    let found = found(&api, Kind::Document, &agency, &name).await?;
    let mut value = json!(found);
    if shown.deliveries {
        value["deliveries"] = deliveries(&api, &found).await;
    }
    Ok(Json(value))
}

/// What there is of a name.
pub(super) async fn found(
    api: &Api,
    kind: Kind,
    agency: &lienthong_model::AgencyCode,
    name: &str,
) -> Result<Outcome, ApiError> {
    if !crate::places::is_name(name) {
        return Err(ApiError::NotFound(name.to_owned()));
    }
    let (shared, agency, name) = (api.shared().clone(), agency.clone(), name.to_owned());
    let wanted = name.clone();
    let found = disk::aside(move || outcome::find(&shared, kind, &agency, &wanted)).await?;
    found.ok_or(ApiError::NotFound(name))
}

/// What the hub says of the deliveries; null while it is away or has no receipt.
async fn deliveries(api: &Api, found: &Outcome) -> Value {
    let text = |field: &str| found.receipt.as_ref()?.get(field)?.as_str().map(ToOwned::to_owned);
    let (Some(sender), Some(id)) = (text("sender"), text("id")) else { return Value::Null };
    let (Ok(sender), Ok(id)) = (lienthong_model::AgencyCode::parse(&sender), id.parse()) else {
        return Value::Null;
    };
    let Ok(client) = api.shared().link.client().await else { return Value::Null };
    let tracked = match client.track(&sender, id).await {
        Ok(tracked) => tracked,
        Err(error) => {
            tracing::warn!(%error, "a document cannot be followed");
            return Value::Null;
        }
    };
    let directory = api.shared().directory();
    let delivery = |delivery: &TrackedDelivery| {
        let statuses = delivery.statuses.iter().map(|status| {
            json!({
                "code": status.code.to_string(), "name_vi": status.code.name_vi(),
                "name_en": status.code.name_en(), "at": status.at.to_string(),
                "reason": status.reason,
            })
        });
        json!({
            "recipient": delivery.recipient.to_string(),
            "recipient_name": directory.find(&delivery.recipient).map(|one| one.name.clone()),
            "route": delivery.route.name(),
            "acknowledged_at": delivery.acknowledged_at.map(|at| at.to_string()),
            "statuses": statuses.collect::<Vec<_>>(),
        })
    };
    tracked.deliveries.iter().map(delivery).collect()
}
