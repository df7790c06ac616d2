//! The local HTTP API: the same folders, for software that would rather not look into them.
//!
//! | method and path under `/v1` | does |
//! |---|---|
//! | `POST documents` | submits a document: JSON, or multipart with a `header` and files |
//! | `GET documents/{name}` | what became of it |
//! | `GET inbox`, `GET inbox/{name}` | lists, shows what was received |
//! | `GET inbox/{name}/attachments/{file}` | one attachment |
//! | `POST inbox/{name}/read` | moves it to `inbox-read`, reports 01 |
//! | `POST reports`, `GET reports/{name}` | reports a status, what became of the report |
//! | `GET notices`, `POST notices/{file}/read` | reports on documents sent |
//! | `GET agencies`, `GET agencies/{code}` | the copy of the directory |
//! | `GET status` | the connection, and what waits |
//!
//! Everything needs the bearer token but `GET /healthz`. A name from outside leads nowhere but to a
//! folder of that name. Nothing here sends or receives: it writes and reads what the folders hold.

mod agencies;
mod asked;
mod documents;
mod error;
mod inbox;
mod intake;
mod listing;
mod notices;
mod outcome;
mod reports;
mod status;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use lienthong_model::AgencyCode;
use lienthong_model::limits::{HTTP_BODY_BYTES_MAX, HTTP_JSON_BYTES_MAX};
use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::error::ApiError;
pub(crate) use self::intake::sweep;
use crate::node::{Shared, StartError};
use crate::secret;
use crate::settings::HttpSettings;

/// What the handlers share.
#[derive(Debug, Clone)]
struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    token: String,
    /// Held by whoever puts a report into its folder: two of one name would not see each other.
    putting: Mutex<()>,
}

impl Api {
    fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// The agency that a request names; its own where it names none.
    fn agency(&self, named: Option<&str>) -> Result<AgencyCode, ApiError> {
        let own = self.shared().places.own();
        let Some(named) = named else { return Ok(own.clone()) };
        let code =
            AgencyCode::parse(named).map_err(|_| ApiError::NoSuchAgency(named.to_owned()))?;
        if code.key() == own.key() {
            return Ok(own.clone());
        }
        let serving = self.shared().serving.lock();
        let served = serving.iter().find(|served| served.key() == code.key());
        match (self.shared().places.is_gateway(), served) {
            (true, Some(served)) => Ok(served.clone()),
            // The hub has not said yet whom we serve: it judges.
            (true, None) if serving.is_empty() => Ok(code),
            _ => Err(ApiError::NoSuchAgency(named.to_owned())),
        }
    }
}

/// Starts listening.
///
/// # Errors
/// [`StartError`] when the token cannot be read or the address not be listened on.
pub(crate) async fn start(
    settings: &HttpSettings,
    shared: Arc<Shared>,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, StartError> {
    let token = secret::read_or_make(&settings.token)?;
    let address = settings.listen;
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let inner = Inner { shared: shared.clone(), token, putting: Mutex::default() };
    let router = router(Api(Arc::new(inner)));
    tasks.spawn(async move {
        let stopped = async move { shared.stopped().await };
        let served = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        if let Err(error) = served {
            tracing::error!(%error, "the HTTP API has ended");
        }
    });
    Ok(bound)
}

fn router(api: Api) -> Router {
    let small = DefaultBodyLimit::max(HTTP_JSON_BYTES_MAX);
    let large = DefaultBodyLimit::max(HTTP_BODY_BYTES_MAX);
    let v1 = Router::new()
        .route("/documents", post(documents::submit).layer(large))
        .route("/documents/{name}", get(documents::show))
        .route("/inbox", get(inbox::list))
        .route("/inbox/{name}", get(inbox::show))
        .route("/inbox/{name}/attachments/{file}", get(inbox::attachment))
        .route("/inbox/{name}/read", post(inbox::read).layer(small))
        .route("/reports", post(reports::submit).layer(small))
        .route("/reports/{name}", get(reports::show))
        .route("/notices", get(notices::list))
        .route("/notices/{file}/read", post(notices::read))
        .route("/agencies", get(agencies::search))
        .route("/agencies/{code}", get(agencies::show))
        .route("/status", get(status::show))
        .fallback(async || ApiError::NoSuchPath)
        .method_not_allowed_fallback(async || ApiError::WrongMethod)
        .layer(middleware::from_fn_with_state(api.clone(), authenticate));
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .fallback(async || ApiError::NoSuchPath)
        .method_not_allowed_fallback(async || ApiError::WrongMethod)
        .nest("/v1", v1)
        .with_state(api)
}

/// Lets only those in who have the token; the comparison takes the same time for every token.
async fn authenticate(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(api.0.token.as_bytes())) {
        return Err(ApiError::NotAuthenticated);
    }
    Ok(next.run(request).await)
}
