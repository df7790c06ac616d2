//! The JSON API of the operators' pages, under `/api/v1`: the same answers as gRPC gives, from the
//! same functions, cut to what the visitor may see. An answer that declines is a refusal: code,
//! fields, remedy, Vietnamese and English.

mod accounts;
mod acts;
mod agencies;
mod certificates;
mod documents;
mod evidence;
mod indicators;
mod live;
mod names;
mod overview;
mod own;
mod period;
mod province;
mod refusals;
mod session;
mod statistics;
mod traffic;
mod waiting;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use lienthong_core::engine::EngineError;
use lienthong_model::limits::HTTP_API_BYTES_MAX;
use lienthong_model::{Category, Reason, Refusal};
use serde::Serialize;
use serde_json::json;

use super::{Pages, visitor};
use crate::present::unreadable;

/// An answer, or a refusal.
type Answer<T> = Result<Json<T>, Declined>;

/// A refusal as the API gives it.
#[derive(Debug)]
pub(super) struct Declined(pub Refusal);

/// A text in both languages.
#[derive(Debug, Clone, Serialize)]
struct Words {
    vi: String,
    en: String,
}

/// Every path of the API.
pub(super) fn router(pages: Pages) -> Router<Pages> {
    Router::new()
        .route("/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/session/certificate", post(session::by_certificate))
        .route("/session/password", post(accounts::own_password))
        .route("/overview", get(overview::overview))
        .route("/live", get(live::live))
        .route("/provinces", get(traffic::provinces))
        .route("/provinces/{code}", get(province::province))
        .route("/timeline", get(traffic::timeline))
        .route("/matrix", get(traffic::matrix))
        .route("/statistics", get(statistics::ask))
        .route("/indicators", get(indicators::indicators))
        .route("/documents", get(documents::find))
        .route("/documents/{sender}/{id}", get(documents::explain))
        .route("/waiting", get(waiting::waiting))
        .route("/refusals", get(refusals::refusals))
        .route("/agencies", get(agencies::agencies))
        .route("/certificates", get(certificates::certificates))
        .route("/evidence", get(evidence::checkpoint))
        .route("/acts", get(acts::acts))
        .route("/accounts", get(accounts::list).put(accounts::set).delete(accounts::remove))
        .fallback(async || Declined(Refusal::at(Reason::DocumentUnknown, "path", "")))
        .layer(DefaultBodyLimit::max(HTTP_API_BYTES_MAX))
        .layer(middleware::from_fn_with_state(pages, visitor::from_own_pages))
}

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<EngineError> for Declined {
    fn from(error: EngineError) -> Self {
        Self(unreadable(&error))
    }
}

impl IntoResponse for Declined {
    fn into_response(self) -> Response {
        let Refusal { reason, violations, retry_after_ms } = self.0;
        let violations: Vec<_> = violations
            .iter()
            .map(|one| json!({"code": one.reason.code(), "field": one.field, "value": one.value}))
            .collect();
        let body = json!({ "error": {
            "code": reason.code(),
            "meaning": Words::meaning(reason),
            "remedy": Words::remedy(reason),
            "violations": violations,
            "retry_after_ms": retry_after_ms,
        }});
        let mut response = (status(reason.category()), Json(body)).into_response();
        if let Some(ms) = retry_after_ms {
            response.headers_mut().insert(RETRY_AFTER, ms.div_ceil(1000).into());
        }
        response
    }
}

impl Words {
    fn meaning(reason: Reason) -> Self {
        Self { vi: reason.meaning_vi().to_owned(), en: reason.meaning().to_owned() }
    }

    fn remedy(reason: Reason) -> Self {
        Self { vi: reason.remedy_vi().to_owned(), en: reason.remedy().to_owned() }
    }
}

impl From<lienthong_core::explain::texts::Text> for Words {
    fn from(text: lienthong_core::explain::texts::Text) -> Self {
        Self { vi: text.vi, en: text.en }
    }
}

/// The HTTP status of a category.
fn status(category: Category) -> StatusCode {
    match category {
        Category::Unauthenticated => StatusCode::UNAUTHORIZED,
        Category::Malformed => StatusCode::BAD_REQUEST,
        Category::Forbidden => StatusCode::FORBIDDEN,
        Category::Unknown => StatusCode::NOT_FOUND,
        Category::Conflict | Category::WrongState => StatusCode::CONFLICT,
        Category::Exhausted => StatusCode::TOO_MANY_REQUESTS,
        Category::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Category::Damaged => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Works out an answer that reads rows beside what must not wait.
async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Declined> + Send + 'static,
) -> Answer<T> {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map(Json),
        Err(_) => Err(Declined(Refusal::new(Reason::Stopped))),
    }
}

/// What has another moment later.
pub(super) async fn not_kept(response: Response) -> Response {
    ([(CACHE_CONTROL, "no-store")], response).into_response()
}
