//! What the file of a status report says: `status/out/NAME.toml` or `.json`.

use lienthong_model::{AgencyCode, MessageId, Staff, StatusCode, StatusReport};

use crate::fields::{Fields, Format};
use crate::keys::Choice;
use crate::places;
use crate::refused::{Fault, LocalReason};

/// What is said of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportHeader {
    /// The sender of the document.
    pub sender: AgencyCode,
    /// The document's message id.
    pub id: MessageId,
    /// What is reported.
    pub status: StatusCode,
    /// Why, or what is being done.
    pub reason: String,
    /// For 13: the recipients meant; none means all.
    pub recipients: Vec<AgencyCode>,
    /// Who is in charge.
    pub staff: Staff,
    /// Who signs beside the seal.
    pub persons: Vec<String>,
}

impl ReportHeader {
    /// Reads a report; `file` is how errors name it.
    ///
    /// # Errors
    /// The first [`Fault`], with file, line and key.
    pub fn read(file: &str, text: &str, format: Format) -> Result<Self, Fault> {
        let mut fields = Fields::read(file, text, format)?;
        let header = read(&mut fields)?;
        fields.finish()?;
        Ok(header)
    }

    /// The report as its maker signs it.
    pub fn report(&self, reporter: &AgencyCode, id: MessageId) -> StatusReport {
        let about = (self.sender.clone(), self.id);
        let mut report =
            StatusReport::new(id, reporter.clone(), about, self.status).because(&self.reason);
        report.recipients.clone_from(&self.recipients);
        report.staff = self.staff.clone();
        report
    }

    /// Who signs: the seal, and the persons named.
    pub(crate) fn choice(&self) -> Choice {
        Choice { persons: Some(self.persons.clone()), seal: Some(true) }
    }
}

fn read(fields: &mut Fields) -> Result<ReportHeader, Fault> {
    let (sender, id) = document(fields)?;
    let status = fields.parsed("status", status)?.ok_or_else(|| missing(fields, "status"))?;
    let reason = fields.plain("reason")?;
    if status.needs_reason() && reason.trim().is_empty() {
        return Err(missing(fields, "reason"));
    }
    let mut header = ReportHeader {
        sender,
        id,
        status,
        reason,
        recipients: fields.all("recipients", AgencyCode::parse)?,
        staff: Staff::default(),
        persons: fields.all("persons", |text| Ok::<_, String>(text.to_owned()))?,
    };
    if let Some(mut staff) = fields.table("staff")? {
        header.staff = Staff {
            department: staff.plain("department")?,
            name: staff.plain("name")?,
            email: staff.plain("email")?,
            mobile: staff.plain("mobile")?,
            ids: Vec::new(),
        };
        staff.finish()?;
    }
    Ok(header)
}

/// The document meant: by the name of its folder in the inbox, or by sender and id.
fn document(fields: &mut Fields) -> Result<(AgencyCode, MessageId), Fault> {
    let named = fields.parsed("document", |text| {
        places::read_received_name(text).ok_or("write the name of a folder of the inbox")
    })?;
    let sender = fields.parsed("sender", AgencyCode::parse)?;
    let id = fields.parsed("id", str::parse::<MessageId>)?;
    match (named, sender, id) {
        (Some(named), _, _) => Ok(named),
        (None, Some(sender), Some(id)) => Ok((sender, id)),
        (None, None, _) => Err(missing(fields, "sender")),
        (None, Some(_), None) => Err(missing(fields, "id")),
    }
}

fn missing(fields: &Fields, key: &str) -> Fault {
    fields.lacking(LocalReason::HeaderValueMissing, key)
}

fn status(text: &str) -> Result<StatusCode, String> {
    let found = text.parse().ok().and_then(StatusCode::from_number);
    found.ok_or_else(|| {
        let codes: Vec<String> =
            StatusCode::ALL.iter().map(|code| format!("{code} {}", code.name_en())).collect();
        format!("write one of {}", codes.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0199d4a0-0000-7000-8000-000000000000";

    fn toml(text: &str) -> Result<ReportHeader, Fault> {
        ReportHeader::read("r.toml", text, Format::Toml)
    }

    #[test]
    fn a_report_names_its_document_by_sender_and_id_or_by_its_folder() {
        let by_id = toml(&format!("sender = \"H36\"\nid = \"{ID}\"\nstatus = \"03\"\n")).unwrap();
        let folder = format!("20201116-080000.000_H36_{ID}");
        let by_folder = toml(&format!("document = \"{folder}\"\nstatus = 3\n")).unwrap();
        assert_eq!(by_id, by_folder);
        assert_eq!(by_id.status, StatusCode::Accepted);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (text, key) in [
            ("status = \"03\"", "sender"),
            ("sender = \"H36\"\nstatus = \"03\"", "id"),
            (&format!("sender = \"H36\"\nid = \"{ID}\""), "status"),
            (&format!("sender = \"H36\"\nid = \"{ID}\"\nstatus = \"02\""), "reason"),
            (&format!("sender = \"H36\"\nid = \"{ID}\"\nstatus = \"99\""), "status"),
            (&format!("sender = \"H36\"\nid = \"{ID}\"\nstatus = 3\nreasons = \"x\""), "reasons"),
        ] {
            assert_eq!(toml(text).unwrap_err().key, key, "{text}");
        }
    }
}
