//! From a header and the files beside it to a Document v1.
//!
//! Makes no id, reads no clock, signs nothing: whoever calls says which id and what time.

use std::path::Path;

use lienthong_client::Signer;
use lienthong_model::limits::HEADER_BYTES_MAX;
use lienthong_model::{
    AgencyCode, Correspondent, Document, MessageId, Recipient, Reference, Written,
};
use lienthong_trust::Holder;

use crate::disk::{self, DiskError};
use crate::fields::Format;
use crate::files::AttachedFile;
use crate::header::Header;
use crate::places::OWN;
use crate::refused::{Fault, LocalReason};
use crate::report_header::ReportHeader;

/// Why a folder is no document, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// What the agency's software wrote is wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Reads the header of a document's folder.
///
/// # Errors
/// [`ComposeError`]: no header, two, or one that is wrong.
pub fn read_header(folder: &Path) -> Result<Header, ComposeError> {
    let mut found = Vec::new();
    for (name, format) in [("document.toml", Format::Toml), ("document.json", Format::Json)] {
        if let Some(text) = text_of(folder, name)? {
            found.push((name, text, format));
        }
    }
    match found.as_slice() {
        [(name, text, format)] => Ok(Header::read(name, text, *format)?),
        [] => Err(Fault::new(LocalReason::HeaderMissing, "").into()),
        _ => Err(Fault::new(LocalReason::HeaderTwice, "").into()),
    }
}

/// Reads the file of a status report in its folder.
pub(crate) fn read_report(folder: &Path) -> Result<ReportHeader, ComposeError> {
    for (name, format) in [("report.toml", Format::Toml), ("report.json", Format::Json)] {
        if let Some(text) = text_of(folder, name)? {
            return Ok(ReportHeader::read(name, &text, format)?);
        }
    }
    Err(Fault::new(LocalReason::NotAReport, "").into())
}

/// Reads a text that the agency's software wrote; `None` when it is not there.
pub(crate) fn text_of(folder: &Path, name: &str) -> Result<Option<String>, ComposeError> {
    let unreadable = |why: String| Fault::new(LocalReason::HeaderUnreadable, why).in_file(name);
    match disk::read(&folder.join(name), HEADER_BYTES_MAX as u64) {
        Ok(None) => Ok(None),
        Ok(Some(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(unreadable("it is not UTF-8".to_owned()).into()),
        },
        Err(error) if error.source.kind() == std::io::ErrorKind::FileTooLarge => {
            Err(unreadable(error.source.to_string()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the files that a header attaches: the document itself first, then those named, or every
/// other file of the folder by name.
///
/// # Errors
/// [`ComposeError`] when one is not there, or a folder stands among them.
pub fn attached_files(folder: &Path, header: &Header) -> Result<Vec<AttachedFile>, ComposeError> {
    let mut names: Vec<&str> = header.body.iter().map(String::as_str).collect();
    let all;
    match &header.files {
        Some(files) => names.extend(files.iter().map(String::as_str)),
        None => {
            all = every_file(folder)?;
            names.extend(all.iter().map(String::as_str));
        }
    }
    let mut files: Vec<AttachedFile> = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let path = folder.join(name);
        // Not through a link: it may lead to what only this process may read.
        if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            return Err(Fault::new(LocalReason::FileMissing, name).at_key("files").into());
        }
        if !files.iter().any(|file| file.path == path) {
            files.push(AttachedFile { path, is_document: index == 0 && header.body.is_some() });
        }
    }
    Ok(files)
}

fn every_file(folder: &Path) -> Result<Vec<String>, ComposeError> {
    let mut names = Vec::new();
    for found in disk::complete(folder)? {
        if found.is_folder && found.name != OWN {
            return Err(Fault::new(LocalReason::FolderInside, found.name).into());
        }
        if !found.is_folder && !matches!(found.name.as_str(), "document.toml" | "document.json") {
            names.push(found.name);
        }
    }
    Ok(names)
}

/// Returns the document that a header describes, signed at the moment that its id carries; the
/// attachments are put in by the caller. `name` looks up how an agency is called.
pub fn document(
    header: &Header,
    sender: &AgencyCode,
    id: MessageId,
    name: impl Fn(&AgencyCode) -> Option<String>,
) -> Document {
    let agency =
        |code: &AgencyCode| Correspondent::new(code.clone()).named(name(code).unwrap_or_default());
    let to = header.to.iter().map(|code| Recipient::from(agency(code)));
    let to = to.chain(header.lists.iter().cloned().map(Recipient::List));
    let mut document = Document::new(id, agency(sender), to, &header.subject, id.time());
    issue(&mut document, header);
    document.type_name = header.document_type.name_vi().to_owned();
    document.place_of_issue.clone_from(&header.place);
    document.abstract_text.clone_from(&header.abstract_text);
    document.signer = header.signer.clone();
    document.urgency = header.urgency;
    document.deliver_by = header.deliver_by.clone();
    document.due = header.due.clone();
    document.places_to.clone_from(&header.places_to);
    document.answers.clone_from(&header.answers);
    document.task_codes.clone_from(&header.tasks);
    document.steering = header.steering;
    document.sphere.clone_from(&header.sphere);
    document.copies = header.copies;
    document.pages = header.pages;
    document.appendixes.clone_from(&header.appendixes);
    document.business = header.business.clone();
    document
}

/// Number, notation, day of issue, and the reference made of them.
fn issue(document: &mut Document, header: &Header) {
    if let Some(day) = header.issued_on.value {
        let text = day.day().to_string().replace('-', "/");
        document.issued_on = Written { text, value: Some(day) };
    }
    let Some(number) = header.number else { return };
    let date = match document.issued_on.text.as_str() {
        "" => document.signed_at.day().to_string().replace('-', "/"),
        given => given.to_owned(),
    };
    let notation = match (header.notation.as_str(), header.document_type.abbreviation()) {
        ("", "") => header.unit.clone(),
        ("", abbreviation) => format!("{abbreviation}-{}", header.unit),
        (given, _) => given.to_owned(),
    };
    document.reference = Reference {
        text: format!("{},{date},{number}/{notation}", document.from.code),
        code: Some(document.from.code.to_string()),
        date: Some(date.clone()),
        number: Some(number.to_string()),
        notation: Some(notation.clone()),
    };
    document.issued_on = Written::date(date);
    document.number = number.to_string();
    document.notation = notation;
}

/// Prints the first person who signs on the document, where the header does not say otherwise.
pub fn print_signer(document: &mut Document, signers: &[Signer]) {
    let holder = signers.first().map(|signer| signer.certificate().holder());
    if let Some(Holder::Person { name, title, .. }) = holder {
        if document.signer.full_name.is_empty() {
            document.signer.full_name.clone_from(name);
        }
        if document.signer.position.is_empty() {
            document.signer.position.clone_from(title);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use lienthong_model::{DocumentType, Timestamp};

    use super::*;

    fn reason(error: ComposeError) -> LocalReason {
        match error {
            ComposeError::Fault(fault) => fault.reason,
            ComposeError::Disk(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_folder_without_a_header_or_with_two_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(reason(read_header(folder.path()).unwrap_err()), LocalReason::HeaderMissing);
        fs::write(folder.path().join("document.toml"), "to = \"H34\"\nsubject = \"x\"").unwrap();
        assert_eq!(read_header(folder.path()).unwrap().subject, "x");
        fs::write(folder.path().join("document.json"), "{}").unwrap();
        assert_eq!(reason(read_header(folder.path()).unwrap_err()), LocalReason::HeaderTwice);
        fs::remove_file(folder.path().join("document.toml")).unwrap();
        fs::write(folder.path().join("document.json"), [0xff]).unwrap();
        assert_eq!(reason(read_header(folder.path()).unwrap_err()), LocalReason::HeaderUnreadable);
    }

    #[test]
    fn every_other_file_is_attached_by_name_and_the_document_itself_stands_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["document.toml", "b.pdf", "a.txt", ".hidden", "tmp-x"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        fs::create_dir(folder.path().join(OWN)).unwrap();
        let mut header = Header { body: Some("b.pdf".into()), ..Header::default() };
        let files = attached_files(folder.path(), &header).unwrap();
        let file =
            |name: &str, is_document| AttachedFile { path: folder.path().join(name), is_document };
        assert_eq!(files, [file("b.pdf", true), file("a.txt", false)]);
        header.files = Some(vec!["none.pdf".into()]);
        let error = attached_files(folder.path(), &header).unwrap_err();
        assert_eq!(reason(error), LocalReason::FileMissing);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        header.files = Some(vec!["link".into()]);
        let error = attached_files(folder.path(), &header).unwrap_err();
        assert_eq!(reason(error), LocalReason::FileMissing);
        fs::create_dir(folder.path().join("more")).unwrap();
        header.files = None;
        let error = attached_files(folder.path(), &header).unwrap_err();
        assert_eq!(reason(error), LocalReason::FolderInside);
    }

    #[test]
    fn number_and_notation_make_the_reference_of_the_field() {
        let at = Timestamp::parse("2020-11-16T08:00+07:00").unwrap();
        let sender = AgencyCode::parse("H36").unwrap();
        let header = Header {
            to: vec![AgencyCode::parse("H34").unwrap()],
            subject: "x".into(),
            document_type: DocumentType::DECISION,
            number: Some(15),
            unit: "UBND".into(),
            ..Header::default()
        };
        let name = |code: &AgencyCode| (code.as_str() == "H34").then(|| "Kon Tum".to_owned());
        let made = document(&header, &sender, MessageId::new(at, [1; 10]), name);
        assert_eq!(made.reference.text, "H36,2020/11/16,15/QĐ-UBND");
        assert_eq!(
            made.recipients[0],
            Correspondent::new(header.to[0].clone()).named("Kon Tum").into()
        );
        let issued = Header { issued_on: Written::date("2020-11-10"), ..header };
        let made = document(&issued, &sender, MessageId::new(at, [1; 10]), |_| None);
        assert_eq!(made.reference.text, "H36,2020/11/10,15/QĐ-UBND");
    }
}
