//! What a request says, as axum reads it. What it cannot read is refused like everything else.

use axum::body::Bytes;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The words of a query.
pub(super) struct Query<T>(pub T);

/// The parts of a path that are not fixed.
pub(super) struct Path<T>(pub T);

/// A small body.
pub(super) struct Body(pub Bytes);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let read = extract::Query::<T>::try_from_uri(&parts.uri);
        read.map(|found| Self(found.0)).map_err(|wrong| ApiError::Malformed(wrong.body_text()))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|found| Self(found.0)).map_err(|wrong| ApiError::Malformed(wrong.body_text()))
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let read = Bytes::from_request(request, state).await;
        read.map(Self).map_err(|wrong| ApiError::unread(wrong.status(), wrong.body_text()))
    }
}
