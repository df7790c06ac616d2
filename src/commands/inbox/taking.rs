//! One delivery: verified from its bytes, kept, then reported on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_client::{
    CallError, Checked, Client, Delivery, DeliveryKey, NegativeAcknowledgement, Signer, sign_report,
};
use lienthong_connector::{Judge, Received, Refused, received};
use lienthong_model::{AgencyCode, Refusal, StatusCode, StatusReport};

use super::view::{DocumentView, ReportedView};
use crate::agency::AgencyFolder;
use crate::connect::Connected;
use crate::say::Usage;
use crate::terminal::Bars;

/// When a delivery that did not verify shall come again: roots or lists may have changed by then.
const AGAIN_AFTER: Duration = Duration::from_secs(300);

/// Takes deliveries.
pub(super) struct Taker {
    client: Client,
    agency: AgencyFolder,
    judge: Judge,
    seal: Option<Signer>,
    statuses: Vec<StatusCode>,
    /// Where documents are kept; `None`: nothing is.
    folder: Option<PathBuf>,
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
        let judge = Judge::new(&roots)?;
        Ok(Self { client, agency, judge, seal, statuses: statuses.to_vec(), folder })
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
        let checked = match self.judge.judge(&self.client, delivery).await? {
            Ok(checked) => checked,
            Err(refusal) => {
                let received = Received::unverified(delivery, Some(Refused::from(&refusal)));
                let view = DocumentView::new(delivery, received);
                return Ok(Outcome { view, kept: false, refusals: vec![refusal] });
            }
        };
        let mut view = DocumentView::new(delivery, Received::of(delivery, &checked));
        if let Some(folder) = &self.folder {
            let kept = self.keep(folder, delivery, &checked, &view.received).await?;
            view.saved = Some(kept.display().to_string());
        }
        Ok(Outcome { view, kept: self.folder.is_some(), refusals: Vec::new() })
    }

    /// Keeps a document as `DIR/<recipient>/<sender>_<id>/`; returns its folder. One that is there
    /// already stays as it is.
    async fn keep(
        &self,
        folder: &Path,
        delivery: &Delivery,
        checked: &Checked,
        received: &Received,
    ) -> anyhow::Result<PathBuf> {
        // Codes and ids have letters, digits, dots and dashes only: they cannot climb.
        let mailbox = folder.join(delivery.key.recipient.as_str());
        let name = format!("{}_{}", received.sender, received.id);
        let (place, unfinished) = (mailbox.join(&name), mailbox.join(format!("{name}.part")));
        if place.is_dir() {
            return Ok(place);
        }
        let mut bars = Bars::of("tải về / downloading");
        let progress = |path: &Path, at, of| bars.reached(path, at, of);
        received::prepare(&unfinished, received)?;
        received::download(&self.client, &unfinished, checked, received, progress).await?;
        received::write(&unfinished, received, &delivery.signed)?;
        received::put(&unfinished, &place)?;
        Ok(place)
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
                    name_vi: code.name_vi(),
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
}

/// What is said where a seal is needed and missing.
pub(crate) fn no_seal() -> Usage {
    Usage::new(
        "thư mục của cơ quan không có con dấu, mà báo cáo phải ký bằng con dấu",
        "the agency's folder has no seal, and reports are signed with it",
    )
    .remedy(
        "cấp bằng `lienthong pki issue THƯ_MỤC --agency MÃ --seal`",
        "issue one with `lienthong pki issue DIR --agency CODE --seal`",
    )
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
