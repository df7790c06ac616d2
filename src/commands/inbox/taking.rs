//! One delivery: verified from its bytes, kept, then reported on.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use lienthong_client::{
    CallError, Checked, Client, Delivery, DeliveryKey, DocumentCheck, NegativeAcknowledgement,
    SenderPolicy, Signer, sign_report,
};
use lienthong_model::{AgencyCode, CodeKey, Day, Refusal, StatusCode, StatusReport, Timestamp};
use lienthong_wire::decode_document;

use super::keep::{self, Received};
use super::view::{DocumentView, ReportedView};
use crate::agency::AgencyFolder;
use crate::connect::Connected;
use crate::say::{self, Usage};

/// Senders' policies that are remembered, by day.
const POLICIES_KEPT: usize = 4_096;

/// When a delivery that did not verify shall come again: roots or lists may have changed by then.
const AGAIN_AFTER: Duration = Duration::from_secs(300);

/// Takes deliveries.
pub(super) struct Taker {
    client: Client,
    agency: AgencyFolder,
    check: DocumentCheck,
    seal: Option<Signer>,
    statuses: Vec<StatusCode>,
    /// Where documents are kept; `None`: nothing is.
    folder: Option<PathBuf>,
    /// What is asked of each sender's signatures.
    policies: Mutex<HashMap<(CodeKey, Day), SenderPolicy>>,
}

/// What became of a delivery.
pub(super) struct Outcome {
    view: DocumentView,
    kept: bool,
    refusals: Vec<Refusal>,
}

impl Taker {
    pub(super) fn new(
        connected: Connected,
        statuses: &[StatusCode],
        folder: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let Connected { client, agency, roots } = connected;
        let seal = agency.seal()?;
        if !statuses.is_empty() && seal.is_none() {
            return Err(no_seal().into());
        }
        let check = DocumentCheck::new(&roots)?;
        let policies = Mutex::default();
        Ok(Self { client, agency, check, seal, statuses: statuses.to_vec(), folder, policies })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The agency that the node's certificate names.
    pub(super) fn own_code(&self) -> anyhow::Result<AgencyCode> {
        self.agency.code()
    }

    /// Verifies a delivery and keeps it; on return it is on the disk, unless it does not verify.
    pub(super) async fn take(&self, delivery: &Delivery) -> anyhow::Result<Outcome> {
        let checked = match self.verified(delivery).await? {
            Ok(checked) => checked,
            Err(refusal) => {
                let mut view = DocumentView::unverified(delivery);
                view.refused = Some(say::refusal_json(&refusal));
                return Ok(Outcome { view, kept: false, refusals: vec![refusal] });
            }
        };
        let mut view = DocumentView::of(delivery, &checked);
        if let Some(folder) = &self.folder {
            let received = Received { delivery, checked: &checked, view: &view };
            let kept = keep::keep(&self.client, folder, &received).await?;
            view.saved = Some(kept.display().to_string());
        }
        Ok(Outcome { view, kept: self.folder.is_some(), refusals: Vec::new() })
    }

    /// Reports the statuses asked for; a refusal of one leaves out those after it.
    pub(super) async fn report(
        &self,
        delivery: &Delivery,
        outcome: &mut Outcome,
    ) -> anyhow::Result<()> {
        let Some(seal) = &self.seal else { return Ok(()) };
        for code in &self.statuses {
            let about = (outcome.view.sender_code()?, outcome.view.message()?);
            let from = delivery.key.recipient.clone();
            let report = StatusReport::new(self.client.new_id(), from, about, *code);
            match self.client.report(sign_report(&report, &[seal])).await {
                Ok(receipt) => outcome.view.reported.push(ReportedView {
                    code: code.to_string(),
                    name: code.name_en(),
                    position: receipt.position.0,
                }),
                Err(CallError::Refused(refusal)) => {
                    outcome.refusals.push(refusal);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn verified(&self, delivery: &Delivery) -> anyhow::Result<Result<Checked, Refusal>> {
        // Only to learn whose policy applies; the check reads the sender from the signed bytes
        // again.
        let sender = match decode_document(&delivery.signed.content) {
            Ok(document) => document.from.code,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let policy = self.policy(&sender, delivery.received_at).await?;
        Ok(self.check.check(delivery, &policy))
    }

    /// What was asked of the sender's signatures on the day the hub received the document.
    async fn policy(&self, sender: &AgencyCode, at: Timestamp) -> anyhow::Result<SenderPolicy> {
        let key = (sender.key(), at.day());
        let known = |policies: &HashMap<_, SenderPolicy>| policies.get(&key).cloned();
        if let Some(policy) =
            known(&self.policies.lock().unwrap_or_else(|error| error.into_inner()))
        {
            return Ok(policy);
        }
        let policy = match self.client.agency_at(sender, at).await? {
            None => SenderPolicy::default(),
            Some(entry) => SenderPolicy {
                policy: entry.policy,
                gateway: entry.gateway.as_ref().map(AgencyCode::key),
                ..SenderPolicy::default()
            },
        };
        let mut policies = self.policies.lock().unwrap_or_else(|error| error.into_inner());
        if policies.len() >= POLICIES_KEPT {
            policies.clear();
        }
        policies.insert(key, policy.clone());
        Ok(policy)
    }
}

/// What is said where a seal is needed and missing.
pub(crate) fn no_seal() -> Usage {
    Usage::new("the agency's folder has no seal, and reports are signed with it")
        .remedy("issue one with `lienthong pki issue DIR --agency CODE --seal`")
}

impl Outcome {
    /// Whether it is on the disk.
    pub(super) fn kept(&self) -> bool {
        self.kept
    }

    /// Notes that it was acknowledged, or that the hub did not take that.
    pub(super) fn acknowledged(&mut self, refusal: Option<Refusal>) {
        self.view.acknowledged = refusal.is_none();
        self.refusals.extend(refusal);
    }

    /// What went wrong.
    pub(super) fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Says to the hub that it could not be taken.
    pub(super) fn negative(&self, key: DeliveryKey) -> NegativeAcknowledgement {
        let reason = self.refusals.first().map(ToString::to_string).unwrap_or_default();
        let reason = reason.chars().take(500).collect();
        NegativeAcknowledgement { key, reason, delay: Some(AGAIN_AFTER) }
    }

    pub(super) fn into_view(self) -> DocumentView {
        self.view
    }
}
