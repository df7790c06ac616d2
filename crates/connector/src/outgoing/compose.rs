//! From what the agency's software wrote to signed bytes on the disk.

use std::path::Path;
use std::sync::Arc;

use lienthong_client::{sign_document, sign_report};
use lienthong_model::{Reason, Refusal, SignedContent, Violation};

use super::Kind;
use super::parcel::Parcel;
use crate::compose::{self, ComposeError, text_of};
use crate::directory::DirectoryCopy;
use crate::disk::{self, DiskError};
use crate::fields::Format;
use crate::files::Files;
use crate::header::Header;
use crate::node::Shared;
use crate::refused::{Fault, LocalReason, Refused};
use crate::report_header::ReportHeader;

/// Why nothing was signed.
pub(super) enum Declined {
    /// What was written is wrong, or cannot be sent.
    Refused(Box<Refused>),
    /// The disk does not do: nothing is known.
    Disk(DiskError),
}

impl From<ComposeError> for Declined {
    fn from(error: ComposeError) -> Self {
        match error {
            ComposeError::Fault(fault) => fault.into(),
            ComposeError::Disk(error) => Self::Disk(error),
        }
    }
}

impl From<Fault> for Declined {
    fn from(fault: Fault) -> Self {
        Self::Refused(Box::new(fault.into()))
    }
}

impl From<DiskError> for Declined {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// Composes and signs; on return the signed bytes are on the disk. Attachments are not with them.
///
/// # Errors
/// [`Declined`].
pub(super) async fn compose(
    shared: &Arc<Shared>,
    parcel: &Parcel,
) -> Result<SignedContent, Declined> {
    let signed = match parcel.kind {
        Kind::Document => document(shared, parcel).await?,
        Kind::Report => report(shared, parcel)?,
    };
    shared.point("composed");
    let (own, kept) = (parcel.clone(), signed.clone());
    disk::aside(move || own.keep_signed(&kept)).await?;
    shared.point("signed");
    Ok(signed)
}

async fn document(shared: &Shared, parcel: &Parcel) -> Result<SignedContent, Declined> {
    let header = compose::read_header(&parcel.folder)?;
    if let Some(newest) = shared.newest_directory() {
        check_recipients(&header, &newest, shared)?;
    }
    let keys = shared.keyring.of(&parcel.agency, shared.places.own());
    let choice = shared.keyring.complete(&header.keys, &keys);
    let signers =
        keys.choose(&choice).map_err(|why| Fault::new(LocalReason::SignerMissing, why))?;
    let files = compose::attached_files(&parcel.folder, &header)?;
    let files = Files::read(&files, |_: &Path, _, _| {}).await?;
    let directory = shared.directory();
    let name = |code: &_| directory.find(code).map(|agency| agency.name.clone());
    let mut document = compose::document(&header, &parcel.agency, shared.link.new_id(), name);
    document.attachments = files.entries;
    compose::print_signer(&mut document, &signers);
    Ok(sign_document(&document, Vec::new(), &signers.iter().collect::<Vec<_>>()))
}

/// Says of every recipient that the newest directory does not have, or that takes nothing today:
/// at once, all of them, and what the code may have been meant to be.
fn check_recipients(
    header: &Header,
    directory: &DirectoryCopy,
    shared: &Shared,
) -> Result<(), Declined> {
    let now = shared.link.now();
    let mut violations = Vec::new();
    for (index, code) in header.to.iter().enumerate() {
        let field = format!("recipients[{index}].code");
        match directory.find(code) {
            None => violations.push(Violation::new(Reason::RecipientUnknown, field, code)),
            Some(agency) if !agency.takes_documents(now) => {
                let value = format!("{code} ({}), {}", agency.name, agency.state);
                let suspended = agency.state == lienthong_model::AgencyState::Suspended.name();
                let reason = match suspended {
                    true => Reason::RecipientSuspended,
                    false => Reason::RecipientNotInForce,
                };
                violations.push(Violation::new(reason, field, value));
            }
            Some(_) => {}
        }
    }
    match Refusal::of(violations) {
        Some(refusal) => Err(Declined::Refused(Box::new(Refused::from(&refusal)))),
        None => Ok(()),
    }
}

fn report(shared: &Shared, parcel: &Parcel) -> Result<SignedContent, Declined> {
    let mut found = None;
    for (name, format) in [("report.toml", Format::Toml), ("report.json", Format::Json)] {
        if let Some(text) = text_of(&parcel.folder, name)? {
            found = Some((name, text, format));
        }
    }
    let (name, text, format) = found.ok_or_else(|| Fault::new(LocalReason::NotAReport, ""))?;
    let header = ReportHeader::read(name, &text, format)?;
    let keys = shared.keyring.of(&parcel.agency, shared.places.own());
    let signers =
        keys.choose(&header.choice()).map_err(|why| Fault::new(LocalReason::SignerMissing, why))?;
    let report = header.report(&parcel.agency, shared.link.new_id());
    Ok(sign_report(&report, &signers.iter().collect::<Vec<_>>()))
}
