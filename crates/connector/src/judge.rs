//! Whether a delivery can be relied on: verified again from its bytes, with the roots given here and
//! what the directory asked of the sender's signatures on the day of receipt.

use std::collections::HashMap;
use std::fmt;

use lienthong_client::{
    CallError, Checked, Client, Delivery, DocumentCheck, DocumentCheckError, ReportedStatus, Roots,
    SenderPolicy,
};
use lienthong_model::{AgencyCode, CodeKey, Day, Refusal, StatusReport, Timestamp};
use lienthong_wire::{decode_document, decode_status};
use parking_lot::Mutex;

/// Senders' policies that are remembered, by day.
const POLICIES_KEPT: usize = 4_096;

/// Verifies deliveries.
pub struct Judge {
    check: DocumentCheck,
    policies: Mutex<HashMap<(CodeKey, Day), SenderPolicy>>,
}

impl Judge {
    /// Makes a judge that trusts `roots` and honours their revocation lists.
    ///
    /// # Errors
    /// [`DocumentCheckError`] when a revocation list cannot be relied on.
    pub fn new(roots: &Roots) -> Result<Self, DocumentCheckError> {
        Ok(Self { check: DocumentCheck::new(roots)?, policies: Mutex::default() })
    }

    /// Verifies a delivery from its bytes: what it is, or why it cannot be relied on. The hub is
    /// asked only for the sender's entry in the directory and for its mandates.
    ///
    /// # Errors
    /// [`CallError`] when the hub could not be asked: nothing is known of the delivery then.
    pub async fn judge(
        &self,
        client: &Client,
        delivery: &Delivery,
    ) -> Result<Result<Checked, Refusal>, CallError> {
        // Only to learn whose policy applies; the check reads the sender from the signed bytes
        // again.
        let sender = match decode_document(&delivery.signed.content) {
            Ok(document) => document.from.code,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let at = delivery.received_at;
        if let Some(policy) = self.remembered(&sender, at)
            && let Ok(checked) = self.check.check(delivery, &policy)
        {
            return Ok(Ok(checked));
        }
        // What is remembered may be older than a mandate that was entered since.
        let policy = self.policy(client, &sender, at).await?;
        Ok(self.check.check(delivery, &policy))
    }

    /// Verifies a report that the hub tells of: what it says, or why it cannot be relied on. The hub
    /// is asked only for the reporter's entry in the directory.
    ///
    /// # Errors
    /// [`CallError`] when the hub could not be asked: nothing is known of the report then.
    pub async fn report(
        &self,
        client: &Client,
        report: &ReportedStatus,
        at: Timestamp,
    ) -> Result<Result<StatusReport, Refusal>, CallError> {
        let reporter = match decode_status(&report.signed.content) {
            Ok(report) => report.from.code,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(policy) = self.remembered(&reporter, at)
            && let Ok(checked) = self.check.check_report(report, at, policy.gateway.as_ref())
        {
            return Ok(Ok(checked));
        }
        // What is remembered may be older than the gateway that serves the reporter now.
        let policy = self.policy(client, &reporter, at).await?;
        Ok(self.check.check_report(report, at, policy.gateway.as_ref()))
    }

    /// What is remembered of a sender as of the day on which the hub received something of it.
    fn remembered(&self, sender: &AgencyCode, at: Timestamp) -> Option<SenderPolicy> {
        self.policies.lock().get(&(sender.key(), at.day())).cloned()
    }

    /// Asks what was asked of the sender's signatures on that day, and who may sign for it; and
    /// remembers it.
    async fn policy(
        &self,
        client: &Client,
        sender: &AgencyCode,
        at: Timestamp,
    ) -> Result<SenderPolicy, CallError> {
        let policy = match client.agency_at(sender, at).await? {
            None => SenderPolicy::default(),
            Some(entry) => SenderPolicy {
                policy: entry.policy,
                gateway: entry.gateway.as_ref().map(AgencyCode::key),
                mandates: client.mandates(sender).await?,
            },
        };
        let mut policies = self.policies.lock();
        if policies.len() >= POLICIES_KEPT {
            policies.clear();
        }
        policies.insert((sender.key(), at.day()), policy.clone());
        Ok(policy)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("check", &self.check).finish_non_exhaustive()
    }
}
