//! Who asks the pages of operators, and what may be seen: from the session, from an operator's
//! certificate, or, on a hub without accounts, from being at the machine itself.

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use lienthong_model::{Digest, Reason, Refusal, Signatory};
use lienthong_trust::Chain;

use super::Pages;
use super::api::Declined;
use super::sessions::{Known, Owner, Use};
use crate::peer::{PeerJudge, Proven};
use crate::sight::Sight;

/// What a page sends with whatever changes something.
const TOKEN: &str = "x-csrf-token";

/// What a page sends with what it asks by itself.
pub(super) const BY_ITSELF: &str = "x-by-itself";

/// What is known of a connection.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub address: SocketAddr,
    /// Whether it is encrypted.
    pub is_tls: bool,
    /// Who a client's certificate proves to be connected, and what leads to it.
    pub proven: Option<Proven>,
}

/// Somebody who may see something.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// The person who has signed in; none at the machine itself, while there are no accounts.
    pub person: Option<Signatory>,
    pub sight: Sight,
}

/// A person who has signed in, for whatever changes something.
pub(super) struct Person(pub Signatory);

impl Caller {
    /// The operator whose certificate the connection has shown, while it can be relied on: a
    /// connection may be older than a revocation.
    pub fn operator(&self, pages: &Pages) -> Option<Signatory> {
        let Proven { peer, chain } = self.proven.as_ref()?;
        let operator = Signatory { agency: peer.agency.clone(), person: peer.person.clone()? };
        is_in_force(pages, chain).then_some(operator)
    }
}

impl Visitor {
    /// Who asks.
    ///
    /// # Errors
    /// SIGN_IN_REQUIRED.
    pub fn of(pages: &Pages, headers: &HeaderMap, caller: &Caller) -> Result<Self, Refusal> {
        let required = || Refusal::new(Reason::SignInRequired);
        let signed_in = session(pages, headers).map(|known| known.owner.holder);
        let Some(person) = signed_in.or_else(|| caller.operator(pages)) else {
            let at_the_machine = caller.address.ip().is_loopback() && !caller.is_tls;
            return match at_the_machine && pages.0.accounts.is_empty() {
                true => Ok(Self { person: None, sight: Sight::country() }),
                false => Err(required()),
            };
        };
        let now = pages.0.clock.now();
        let sight = Sight::of(&pages.0.reader.policy(), &person, now).ok_or_else(required)?;
        Ok(Self { person: Some(person), sight })
    }
}

impl FromRequestParts<Pages> for Visitor {
    type Rejection = Declined;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Declined> {
        let caller = parts.extensions.get::<Caller>();
        let caller = caller.ok_or(Declined(Refusal::new(Reason::SignInRequired)))?;
        Self::of(pages, &parts.headers, caller).map_err(Declined)
    }
}

impl FromRequestParts<Pages> for Person {
    type Rejection = Declined;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Declined> {
        // A certificate alone is not enough: a browser shows it whoever made the request.
        let known = session(pages, &parts.headers);
        let person = known.map(|known| Self(known.owner.holder));
        person.ok_or(Declined(Refusal::new(Reason::SignInRequired)))
    }
}

/// The session that a request belongs to. It ends with the password, wherever that was changed, and
/// with the certificate that it was begun by.
pub(super) fn session(pages: &Pages, headers: &HeaderMap) -> Option<Known> {
    // A page that keeps itself up to date is nobody at work.
    let of = if headers.contains_key(BY_ITSELF) { Use::ByItself } else { Use::ByPerson };
    let secret = secret(headers)?;
    let known = pages.0.sessions.find(&secret, of, Instant::now())?;
    let Owner { holder, chain, account } = &known.owner;
    if *account != pages.0.accounts.mark(holder) {
        pages.0.sessions.end(&secret);
        return None;
    }
    let holds = chain.as_ref().is_none_or(|chain| is_in_force(pages, chain));
    holds.then_some(known)
}

/// Whether a certificate is to be relied on now.
fn is_in_force(pages: &Pages, chain: &Chain) -> bool {
    let judge = PeerJudge { reader: pages.0.reader.clone(), clock: pages.0.clock };
    judge.judge(chain).is_ok()
}

/// The secret of the session's cookie.
pub(super) fn secret(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';'));
    let named = pairs.filter_map(|pair| pair.trim().split_once('='));
    let ours = named.filter(|(name, _)| *name == cookie_name(true) || *name == cookie_name(false));
    ours.map(|(_, value)| value.to_owned()).next()
}

/// The cookie's name; where it travels encrypted, one that no other host can set.
pub(super) fn cookie_name(is_tls: bool) -> &'static str {
    if is_tls { "__Host-lienthong" } else { "lienthong" }
}

/// Lets what changes something pass only from the hub's own pages: the browser says where it comes
/// from, and whoever has a session sends its token.
pub(super) async fn from_own_pages(
    State(pages): State<Pages>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let headers = request.headers();
    let is_tls = request.extensions().get::<Caller>().is_some_and(|caller| caller.is_tls);
    let foreign = |field: &str, value: &str| {
        Declined(Refusal::at(Reason::RequestForeign, field, value)).into_response()
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(origin) = text(ORIGIN.as_str())
        && Some(origin.to_owned()) != own_origin(headers, is_tls)
    {
        return foreign("origin", origin);
    }
    if let Some(site) = text("sec-fetch-site")
        && site != "same-origin"
    {
        return foreign("sec-fetch-site", site);
    }
    if let Some(known) = session(&pages, headers)
        && !text(TOKEN).is_some_and(|token| same(token, &known.token))
    {
        return foreign(TOKEN, "not the session's");
    }
    next.run(request).await
}

/// Whether two tokens are the same, in a time that does not tell how far they are.
fn same(one: &str, other: &str) -> bool {
    Digest::of(one.as_bytes()) == Digest::of(other.as_bytes())
}

fn own_origin(headers: &HeaderMap, is_tls: bool) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    Some(format!("{}://{host}", if is_tls { "https" } else { "http" }))
}
