//! What a request says, read into fields: the words of its query, its path, its body. What cannot be
//! read is refused like everything else, with the field that is wrong.

use std::fmt::{self, Display};

use axum::extract::rejection::JsonRejection;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use lienthong_model::{Reason, Refusal};
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};

use super::api::Declined;

/// The words of a query.
pub(super) struct Query<T>(pub T);

/// The parts of a path that are not fixed.
pub(super) struct Path<T>(pub T);

/// A body in JSON.
pub(super) struct Body<T>(pub T);

/// A word of a query with its name.
struct Word {
    name: String,
    text: String,
}

/// What is wrong with the words of a query.
#[derive(Debug)]
struct Wrong(Refusal);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Declined;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Declined> {
        let words = extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let unreadable = |text: String| Declined(Refusal::at(Reason::FieldInvalid, "query", text));
        let extract::Query(words) = words.map_err(|wrong| unreadable(wrong.body_text()))?;
        let words = words.into_iter().map(|(name, text)| (name.clone(), Word { name, text }));
        let read = T::deserialize(MapDeserializer::new(words));
        read.map(Self).map_err(|Wrong(refusal)| Declined(refusal))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Declined;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Declined> {
        let read = extract::Path::<T>::from_request_parts(parts, state).await;
        let unreadable = |text: String| Declined(Refusal::at(Reason::FieldInvalid, "path", text));
        read.map(|found| Self(found.0)).map_err(|wrong| unreadable(wrong.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let read = axum::Json::<T>::from_request(request, state).await;
        read.map(|found| Self(found.0)).map_err(|wrong| {
            let refusal = Refusal::at(Reason::FieldInvalid, "body", wrong.body_text());
            let mut response = Declined(refusal).into_response();
            // A body that is too large is told from one that is wrong.
            if let JsonRejection::BytesRejection(wrong) = &wrong
                && wrong.status() == StatusCode::PAYLOAD_TOO_LARGE
            {
                *response.status_mut() = wrong.status();
            }
            response
        })
    }
}

impl IntoDeserializer<'_, Wrong> for Word {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads a number.
macro_rules! numbers {
    ($($read:ident $visit:ident),+) => {$(
        fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.text.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Wrong(Refusal::at(Reason::FieldInvalid, self.name, self.text))),
            }
        }
    )+};
}

impl<'de> de::Deserializer<'de> for Word {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_string(self.text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    numbers!(deserialize_u32 visit_u32, deserialize_u64 visit_u64, deserialize_bool visit_bool);

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl de::Error for Wrong {
    fn custom<T: Display>(text: T) -> Self {
        Self(Refusal::at(Reason::FieldInvalid, "query", text))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        let known = format!("known are {}", known.join(", "));
        Self(Refusal::at(Reason::FieldInvalid, name, known))
    }

    fn missing_field(name: &'static str) -> Self {
        Self(Refusal::at(Reason::FieldMissing, name, ""))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self(Refusal::at(Reason::FieldInvalid, name, "it stands there more than once"))
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Wrong {}
