//! Handing over one document or report: the same id and the same bytes until there is an outcome.

use lienthong_model::SignedContent;
use lienthong_wire::{proto, signed};

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::receipt::{self, Receipt, StatusReceipt};
use crate::shown::misses_certificates;

impl Client {
    /// Hands over a signed document; on return it is on the hub's disk.
    ///
    /// While the hub cannot be reached or asks for patience, the same bytes are handed over again
    /// ([`Retry`](crate::Retry)). Handing over the same document again gives the first receipt
    /// again. Certificates that the hub has accepted from this client are left out.
    ///
    /// # Errors
    /// [`CallError`]: refused, unreachable, given up.
    pub async fn submit(&self, signed: SignedContent) -> Result<Receipt, CallError> {
        let answer = self.hand_over(&signed, |content| self.submit_once(content)).await?;
        let receipt = Receipt::read(read::present("receipt", answer.receipt)?)?;
        receipt::matches(receipt.sha256, &signed)?;
        Ok(receipt)
    }

    /// Hands over a signed status report; on return it is on the hub's disk. Repeating is as for
    /// [`Client::submit`].
    ///
    /// # Errors
    /// [`CallError`]: refused, unreachable, given up.
    pub async fn report(&self, signed: SignedContent) -> Result<StatusReceipt, CallError> {
        let answer = self.hand_over(&signed, |content| self.report_once(content)).await?;
        let receipt = StatusReceipt::read(read::present("receipt", answer.receipt)?)?;
        receipt::matches(receipt.sha256, &signed)?;
        Ok(receipt)
    }

    /// Hands over without certificates where the hub has them, and once more with them when it has
    /// not.
    async fn hand_over<T, F>(
        &self,
        signed: &SignedContent,
        once: impl Fn(SignedContent) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let shown = &self.shared.shown;
        if let Some(lean) = shown.lean(signed) {
            match once(lean).await {
                Err(CallError::Refused(refusal)) if misses_certificates(&refusal) => {
                    shown.forget(signed);
                }
                outcome => return outcome,
            }
        }
        let answer = once(signed.clone()).await?;
        shown.accepted(signed);
        Ok(answer)
    }

    async fn submit_once(
        &self,
        content: SignedContent,
    ) -> Result<proto::SubmitDocumentResponse, CallError> {
        let (document, attachments) = signed::to_proto(content);
        let request = proto::SubmitDocumentRequest { document: Some(document), attachments };
        let call = || {
            let (mut exchange, request) = (self.shared.exchange(), request.clone());
            async move { Ok(exchange.submit_document(request).await?.into_inner()) }
        };
        self.shared.call(call).await
    }

    async fn report_once(
        &self,
        content: SignedContent,
    ) -> Result<proto::ReportStatusResponse, CallError> {
        let (report, _) = signed::to_proto(content);
        let request = proto::ReportStatusRequest { report: Some(report) };
        let call = || {
            let (mut exchange, request) = (self.shared.exchange(), request.clone());
            async move { Ok(exchange.report_status(request).await?.into_inner()) }
        };
        self.shared.call(call).await
    }
}
