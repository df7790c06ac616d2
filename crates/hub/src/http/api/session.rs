//! Signing in and out.

use std::time::Instant;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use lienthong_model::limits::SESSION_AGE_MAX;
use lienthong_model::{Reason, Refusal, Signatory};
use serde::{Deserialize, Serialize};

use super::names::{self, Place};
use super::{Answer, Declined};
use crate::http::Pages;
use crate::http::asked::Body;
use crate::http::sessions::Owner;
use crate::http::visitor::{self, Caller, Visitor};
use crate::sight::in_force;

/// Who is signed in, and what every page shows.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// Whether there are accounts; without them the machine itself sees everything.
    accounts: bool,
    /// Whether something may be seen.
    admitted: bool,
    person: Option<String>,
    appointments: Vec<Held>,
    /// What a page sends with whatever changes something.
    token: Option<String>,
    clock: Clock,
    version: &'static str,
    /// Whether the connection shows an operator's certificate.
    certificate: Option<String>,
}

#[derive(Debug, Serialize)]
struct Held {
    role: &'static str,
    territory: Place,
}

#[derive(Debug, Serialize)]
struct Clock {
    now: String,
    scenario: bool,
    /// Seconds of business time in one of machine time.
    rate: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    person: String,
    password: String,
}

/// Answers who is signed in.
pub(super) async fn show(
    State(pages): State<Pages>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Json<Shown> {
    let shown = &pages.0;
    let now = shown.clock.now();
    let known = visitor::session(&pages, &headers);
    let visitor = Visitor::of(&pages, &headers, &caller);
    let person = visitor.as_ref().ok().and_then(|visitor| visitor.person.clone());
    let appointments = shown.reader.policy().appointments;
    let held = person.iter().flat_map(|person| in_force(&appointments, person, now));
    let held = held
        .map(|one| Held { role: one.role.name(), territory: Place::of(&one.territory) })
        .collect();
    Json(Shown {
        accounts: !shown.accounts.is_empty(),
        admitted: visitor.is_ok(),
        token: person.is_some().then(|| known.map(|known| known.token)).flatten(),
        person: person.as_ref().map(names::person),
        appointments: held,
        clock: Clock {
            now: now.to_string(),
            scenario: shown.clock.is_scenario(),
            rate: shown.clock.rate(),
        },
        version: env!("CARGO_PKG_VERSION"),
        certificate: caller.operator(&pages).as_ref().map(names::person),
    })
}

/// Signs in by name and password. Every failure looks the same and takes as long.
pub(super) async fn sign_in(
    State(pages): State<Pages>,
    Extension(caller): Extension<Caller>,
    Body(given): Body<SignIn>,
) -> Result<Response, Declined> {
    let holder = names::read_person(&given.person)?;
    let of = [names::person(&holder).to_lowercase(), format!("address {}", caller.address.ip())];
    if let Err(wait) = pages.0.attempts.begin(&of, Instant::now()) {
        return Err(Refusal::new(Reason::SignInLimited).retry_after(wait).into());
    }
    let name = holder.clone();
    let proven = pages.0.accounts.hash(move |accounts| accounts.proves(&name, &given.password));
    let account = proven.await?;
    if account.is_none() || !is_appointed(&pages, &holder) {
        return Err(Refusal::new(Reason::SignInFailed).into());
    }
    pages.0.attempts.succeeded(&of);
    Ok(begin(&pages, &caller, Owner { holder, chain: None, account }))
}

/// Signs in by the certificate that the connection has shown.
pub(super) async fn by_certificate(
    State(pages): State<Pages>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Declined> {
    let holder = caller.operator(&pages).filter(|holder| is_appointed(&pages, holder));
    let holder = holder.ok_or_else(|| Refusal::new(Reason::SignInFailed))?;
    let chain = caller.proven.as_ref().map(|proven| proven.chain.clone());
    let account = pages.0.accounts.mark(&holder);
    Ok(begin(&pages, &caller, Owner { holder, chain, account }))
}

/// Signs out; repeating it changes nothing.
pub(super) async fn sign_out(
    State(pages): State<Pages>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    if let Some(secret) = visitor::secret(&headers) {
        pages.0.sessions.end(&secret);
    }
    with_cookie(&caller, "", 0, Json(serde_json::json!({ "signed_in": false })).into_response())
}

fn is_appointed(pages: &Pages, holder: &Signatory) -> bool {
    let appointments = pages.0.reader.policy().appointments;
    in_force(&appointments, holder, pages.0.clock.now()).next().is_some()
}

fn begin(pages: &Pages, caller: &Caller, owner: Owner) -> Response {
    tracing::info!(person = %names::person(&owner.holder), address = %caller.address, "signed in");
    let begun = pages.0.sessions.begin(owner, Instant::now());
    let answer = Json(serde_json::json!({ "signed_in": true, "token": begun.token }));
    with_cookie(caller, &begun.secret, SESSION_AGE_MAX.as_secs(), answer.into_response())
}

fn with_cookie(caller: &Caller, secret: &str, seconds: u64, mut response: Response) -> Response {
    let name = visitor::cookie_name(caller.is_tls);
    let secure = if caller.is_tls { "; Secure" } else { "" };
    let cookie =
        format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// The answer to a change that has been made.
pub(super) fn done() -> Answer<serde_json::Value> {
    Ok(Json(serde_json::json!({ "done": true })))
}
