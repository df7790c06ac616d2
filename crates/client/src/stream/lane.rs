//! The two kinds of stream: documents and status reports.

use std::future::Future;
use std::pin::Pin;

use lienthong_model::{Digest, SignedContent};
use lienthong_wire::proto::exchange_service_client::ExchangeServiceClient;
use lienthong_wire::{proto, signed};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::client::Calls;
use crate::error::CallError;
use crate::read;
use crate::receipt::{Receipt, StatusReceipt};

/// The answers of a stream that is being opened.
pub(super) type Opening<A> =
    Pin<Box<dyn Future<Output = Result<Streaming<A>, Status>> + Send + 'static>>;

/// One kind of stream.
pub(super) trait Lane: Send + 'static {
    type Receipt: Send + 'static;
    type Request: Send + 'static;
    type Answer: Send + 'static;

    fn request(correlation: u64, content: SignedContent) -> Self::Request;
    fn open(
        exchange: ExchangeServiceClient<Calls>,
        requests: ReceiverStream<Self::Request>,
    ) -> Opening<Self::Answer>;
    /// Which request it answers, and how.
    fn outcome(answer: Self::Answer) -> (u64, Result<Self::Receipt, CallError>);
    fn sha256(receipt: &Self::Receipt) -> Digest;
}

/// Documents.
pub(super) struct Documents;

/// Status reports.
pub(super) struct StatusReports;

impl Lane for Documents {
    type Receipt = Receipt;
    type Request = proto::SubmitDocumentsRequest;
    type Answer = proto::SubmitDocumentsResponse;

    fn request(correlation: u64, content: SignedContent) -> Self::Request {
        let (document, attachments) = signed::to_proto(content);
        proto::SubmitDocumentsRequest { correlation, document: Some(document), attachments }
    }

    fn open(
        mut exchange: ExchangeServiceClient<Calls>,
        requests: ReceiverStream<Self::Request>,
    ) -> Opening<Self::Answer> {
        Box::pin(async move { Ok(exchange.submit_documents(requests).await?.into_inner()) })
    }

    fn outcome(answer: Self::Answer) -> (u64, Result<Receipt, CallError>) {
        use proto::submit_documents_response::Outcome;
        let outcome = match answer.outcome {
            Some(Outcome::Receipt(receipt)) => Receipt::read(receipt),
            Some(Outcome::Refusal(refusal)) => Err(read::refused(refusal)),
            None => Err(CallError::answer("outcome", "nothing")),
        };
        (answer.correlation, outcome)
    }

    fn sha256(receipt: &Receipt) -> Digest {
        receipt.sha256
    }
}

impl Lane for StatusReports {
    type Receipt = StatusReceipt;
    type Request = proto::ReportStatusesRequest;
    type Answer = proto::ReportStatusesResponse;

    fn request(correlation: u64, content: SignedContent) -> Self::Request {
        let (report, _) = signed::to_proto(content);
        proto::ReportStatusesRequest { correlation, report: Some(report) }
    }

    fn open(
        mut exchange: ExchangeServiceClient<Calls>,
        requests: ReceiverStream<Self::Request>,
    ) -> Opening<Self::Answer> {
        Box::pin(async move { Ok(exchange.report_statuses(requests).await?.into_inner()) })
    }

    fn outcome(answer: Self::Answer) -> (u64, Result<StatusReceipt, CallError>) {
        use proto::report_statuses_response::Outcome;
        let outcome = match answer.outcome {
            Some(Outcome::Receipt(receipt)) => StatusReceipt::read(receipt),
            Some(Outcome::Refusal(refusal)) => Err(read::refused(refusal)),
            None => Err(CallError::answer("outcome", "nothing")),
        };
        (answer.correlation, outcome)
    }

    fn sha256(receipt: &StatusReceipt) -> Digest {
        receipt.sha256
    }
}
