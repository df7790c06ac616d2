//! From what the agency's software wrote to signed bytes on the disk.

use std::path::Path;
use std::sync::Arc;

use lienthong_client::{Signer, sign_document, sign_report};
use lienthong_model::limits::CONTENT_BYTES_MAX;
use lienthong_model::{
    AgencyCode, AgencyState, Document, Reason, Refusal, SignedContent, Timestamp, Violation,
};

use super::Kind;
use super::parcel::Parcel;
use crate::compose::{self, ComposeError};
use crate::directory::DirectoryCopy;
use crate::disk::{self, DiskError};
use crate::files::Files;
use crate::header::Header;
use crate::node::Shared;
use crate::refresh;
use crate::refused::{Fault, LocalReason, Refused};

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

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(Refused::from(&refusal)))
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
    check_recipients(&header, shared).await?;
    let keys = shared.keyring.of(&parcel.agency, shared.places.own());
    let choice = shared.keyring.complete(&header.keys, &keys);
    let signers =
        keys.choose(&choice).map_err(|why| Fault::new(LocalReason::SignerMissing, why))?;
    let files = compose::attached_files(&parcel.folder, &header)?;
    let files = Files::read(&files, |_: &Path, _, _| {}).await?;
    let (directory, id) = (shared.directory(), shared.link.new_id());
    let made = |names_printed: bool| {
        let name = |code: &AgencyCode| {
            let printed = names_printed || *code == parcel.agency;
            directory.find(code).filter(|_| printed).map(|agency| agency.name.clone())
        };
        let mut document = compose::document(&header, &parcel.agency, id, name);
        document.attachments.clone_from(&files.entries);
        compose::print_signer(&mut document, &signers);
        document
    };
    Ok(sign_what_fits(made, &signers)?)
}

/// Signs a document with the names of its recipients printed, or without where they do not fit.
fn sign_what_fits(
    made: impl Fn(bool) -> Document,
    signers: &[Signer],
) -> Result<SignedContent, Refusal> {
    let mut size = 0;
    for names_printed in [true, false] {
        let signers: Vec<&Signer> = signers.iter().collect();
        let signed = sign_document(&made(names_printed), Vec::new(), &signers);
        size = signed.content.len();
        if size <= CONTENT_BYTES_MAX {
            return Ok(signed);
        }
    }
    let value = format!("{size} bytes, at most {CONTENT_BYTES_MAX}");
    Err(Refusal::at(Reason::ContentTooLarge, "content", value))
}

/// Says of every recipient that the directory does not have, or that takes nothing today: at once,
/// all of them, and what the code may have been meant to be. The copy may be minutes old, so the
/// hub is asked first whether it is the newest; while it cannot be asked, it judges.
async fn check_recipients(header: &Header, shared: &Shared) -> Result<(), Declined> {
    let wrong = |known: &DirectoryCopy| wrong_recipients(header, known, shared.link.now());
    if shared.newest_directory().is_none_or(|known| wrong(&known).is_empty()) {
        return Ok(());
    }
    refresh::once(shared).await;
    let newest = shared.newest_directory();
    match newest.and_then(|known| Refusal::of(wrong(&known))) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

fn wrong_recipients(header: &Header, directory: &DirectoryCopy, now: Timestamp) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, code) in header.to.iter().enumerate() {
        let field = format!("recipients[{index}].code");
        match directory.find(code) {
            None => violations.push(Violation::new(Reason::RecipientUnknown, field, code)),
            Some(agency) if !agency.takes_documents(now) => {
                let value = format!("{code} ({}), {}", agency.name, agency.state);
                let reason = match agency.state == AgencyState::Suspended.name() {
                    true => Reason::RecipientSuspended,
                    false => Reason::RecipientNotInForce,
                };
                violations.push(Violation::new(reason, field, value));
            }
            Some(_) => {}
        }
    }
    violations
}

fn report(shared: &Shared, parcel: &Parcel) -> Result<SignedContent, Declined> {
    let header = compose::read_report(&parcel.folder)?;
    let keys = shared.keyring.of(&parcel.agency, shared.places.own());
    let signers =
        keys.choose(&header.choice()).map_err(|why| Fault::new(LocalReason::SignerMissing, why))?;
    let report = header.report(&parcel.agency, shared.link.new_id());
    Ok(sign_report(&report, &signers.iter().collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use lienthong_model::{Correspondent, MessageId, Recipient};
    use lienthong_wire::decode_document;

    use super::*;

    fn to_one_named(name: &str, subject: &str) -> Document {
        let code = |text| AgencyCode::parse(text).unwrap();
        let at = Timestamp::parse("2020-11-16T08:00+07:00").unwrap();
        let to = Recipient::from(Correspondent::new(code("H34")).named(name));
        Document::new(MessageId::new(at, [1; 10]), code("H36"), [to], subject, at)
    }

    #[test]
    fn recipients_names_are_left_out_where_they_do_not_fit() {
        let long = "x".repeat(CONTENT_BYTES_MAX);
        let name = |printed| if printed { long.as_str() } else { "" };
        let signed = sign_what_fits(|printed| to_one_named(name(printed), "a"), &[]).unwrap();
        let document = decode_document(&signed.content).unwrap();
        let Recipient::Agency(to) = &document.recipients[0] else { panic!("it is an agency") };
        assert_eq!(to.name, "");
        let named = sign_what_fits(|_| to_one_named("Kon Tum", "a"), &[]).unwrap();
        assert!(named.content.windows(7).any(|part| part == b"Kon Tum"));
    }

    #[test]
    fn content_above_the_bound_is_refused_before_it_is_kept() {
        let long = "x".repeat(CONTENT_BYTES_MAX);
        let refusal = sign_what_fits(|_| to_one_named("", &long), &[]).unwrap_err();
        assert_eq!(refusal.reason, Reason::ContentTooLarge);
    }
}
