//! Refusals in the caller's language: what leaves the hub as a gRPC status has its
//! `google.rpc.LocalizedMessage` put into the language that `accept-language` asks for.
//!
//! In one place, on the way out, whether the status comes instead of an answer (in the headers) or
//! at the end of a stream (in the trailers). Methods make statuses without a thought of language.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use lienthong_wire::{Language, refusal};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, Request, Response, header};

/// The header in which details of a status travel.
const DETAILS: &str = "grpc-status-details-bin";

/// Wraps services so that they speak the caller's language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpeakLayer;

/// A service that speaks the caller's language.
#[derive(Debug, Clone)]
pub(crate) struct Speak<S>(S);

impl<S> tower::Layer<S> for SpeakLayer {
    type Service = Speak<S>;

    fn layer(&self, inner: S) -> Speak<S> {
        Speak(inner)
    }
}

impl<S> Service<Request<Body>> for Speak<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let language = asked(request.headers());
        let answer = self.0.call(request);
        // What the hub says by itself needs no change.
        if language == Language::default() {
            return Box::pin(answer);
        }
        Box::pin(async move { Ok(speak(answer.await?, language)) })
    }
}

fn asked(headers: &HeaderMap) -> Language {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    header.map(Language::accepted).unwrap_or_default()
}

fn speak(answer: Response<Body>, language: Language) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    put_into(language, &mut head.headers);
    let body = body.map_frame(move |mut frame| {
        if let Some(trailers) = frame.trailers_mut() {
            put_into(language, trailers);
        }
        frame
    });
    Response::from_parts(head, Body::new(body))
}

/// Puts the status among headers into a language, when it is a refusal.
fn put_into(language: Language, headers: &mut HeaderMap) {
    if !headers.contains_key(DETAILS) {
        return;
    }
    let status = Status::from_header_map(headers);
    if let Some(status) = status.and_then(|status| refusal::in_language(&status, language)) {
        // Headers that cannot be written leave those that were there.
        let _ = status.add_header(headers);
    }
}
