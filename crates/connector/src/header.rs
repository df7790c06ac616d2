//! The header of a document to send: what `document.toml` or `document.json` says.
//!
//! Read here, made into a Document v1 in [`compose`](crate::compose). Every key is documented in
//! docs/CONNECTOR.md; an unknown one is an error that names the nearest.

use lienthong_model::{
    AgencyCode, BusinessKind, DocumentType, MessageId, Steering, Timestamp, Urgency, Written,
};

use crate::fields::{Fields, Format};
use crate::keys::Choice;
use crate::refused::{Fault, LocalReason};

/// What is said of a document to send; what is not said is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// Recipients, in order.
    pub to: Vec<AgencyCode>,
    /// Lists of recipients that the directory names.
    pub lists: Vec<String>,
    /// What it is about (*trích yếu*).
    pub subject: String,
    /// A summary.
    pub abstract_text: String,
    /// The administrative type.
    pub document_type: DocumentType,
    /// The number.
    pub number: Option<u32>,
    /// The notation behind the number (`QĐ-UBND`); empty: made of type and unit.
    pub notation: String,
    /// The issuing unit in the notation (`UBND`).
    pub unit: String,
    /// The day of issue; empty: the day on which it is signed.
    pub issued_on: Written<Timestamp>,
    /// Where it was issued.
    pub place: String,
    /// How urgent it is.
    pub urgency: Urgency,
    /// When it must have been delivered.
    pub deliver_by: Written<Timestamp>,
    /// When an answer is due.
    pub due: Written<Timestamp>,
    /// The signer as printed; what is empty comes from the certificate.
    pub signer: lienthong_model::Signer,
    /// Who signs, and whether the seal does.
    pub keys: Choice,
    /// The file that is the document itself.
    pub body: Option<String>,
    /// The files attached, in order; `None`: every file of the folder, by name.
    pub files: Option<Vec<String>>,
    /// The documents that this one answers.
    pub answers: Vec<lienthong_model::Answer>,
    /// Places that it goes to, as printed.
    pub places_to: Vec<String>,
    /// Codes of the tasks that it assigns or answers.
    pub tasks: Vec<String>,
    /// Whether it steers.
    pub steering: Option<Steering>,
    /// The sphere in which it may be published.
    pub sphere: String,
    /// Copies issued.
    pub copies: u32,
    /// Pages.
    pub pages: u32,
    /// Names of appendixes.
    pub appendixes: Vec<String>,
    /// What the message does to documents before it.
    pub business: lienthong_model::Business,
}

impl Header {
    /// Reads a header; `file` is how errors name it.
    ///
    /// # Errors
    /// The first [`Fault`], with file, line and key.
    pub fn read(file: &str, text: &str, format: Format) -> Result<Self, Fault> {
        let mut fields = Fields::read(file, text, format)?;
        let header = read(&mut fields)?;
        fields.finish()?;
        Ok(header)
    }
}

fn read(fields: &mut Fields) -> Result<Header, Fault> {
    let mut header = Header {
        to: fields.all("to", AgencyCode::parse)?,
        lists: fields.all("lists", text)?,
        subject: fields.mandatory("subject")?.0,
        abstract_text: fields.plain("abstract")?,
        document_type: document_type(fields)?,
        number: fields.number("number")?,
        notation: fields.plain("notation")?,
        unit: fields.plain("unit")?,
        issued_on: fields.parsed("issued-on", date)?.unwrap_or_default(),
        place: fields.plain("place")?,
        urgency: fields.parsed("urgency", urgency)?.unwrap_or_default(),
        deliver_by: fields.parsed("deliver-by", date)?.unwrap_or_default(),
        due: fields.parsed("due", deadline)?.unwrap_or_default(),
        keys: keys(fields)?,
        body: fields.parsed("body", file_name)?,
        files: files(fields)?,
        places_to: fields.all("places-to", text)?,
        tasks: fields.all("tasks", text)?,
        steering: fields.parsed("steering", steering)?,
        sphere: fields.plain("sphere")?,
        copies: fields.number("copies")?.unwrap_or(0),
        pages: fields.number("pages")?.unwrap_or(0),
        appendixes: fields.all("appendixes", text)?,
        ..Header::default()
    };
    if header.to.is_empty() && header.lists.is_empty() {
        return Err(fields.missing("to"));
    }
    if header.number.is_some() && header.notation.is_empty() && header.unit.is_empty() {
        return Err(fields.missing("unit"));
    }
    if header.urgency == Urgency::ExpressTimed && header.deliver_by.value.is_none() {
        return Err(fields.missing("deliver-by"));
    }
    if let Some(mut signer) = fields.table("signer")? {
        header.signer = lienthong_model::Signer {
            competence: signer.plain("competence")?,
            position: signer.plain("position")?,
            full_name: signer.plain("full-name")?,
        };
        signer.finish()?;
    }
    for mut one in fields.tables("answers")? {
        header.answers.push(answer(&mut one)?);
        one.finish()?;
    }
    header.business = business(fields)?;
    Ok(header)
}

fn document_type(fields: &mut Fields) -> Result<DocumentType, Fault> {
    let read = |text: &str| {
        read_type(text).ok_or("write an abbreviation (QĐ, TB; CV for an official letter) or a name")
    };
    Ok(fields.parsed("type", read)?.unwrap_or(DocumentType::OFFICIAL_LETTER))
}

/// Reads an administrative type: an abbreviation of Decree 30/2020/NĐ-CP, `CV` for an official
/// letter, or a name.
pub fn read_type(text: &str) -> Option<DocumentType> {
    if text.eq_ignore_ascii_case("CV") {
        return Some(DocumentType::OFFICIAL_LETTER);
    }
    DocumentType::by_abbreviation(text).or_else(|| DocumentType::by_name(text))
}

fn keys(fields: &mut Fields) -> Result<Choice, Fault> {
    let persons = fields.texts("persons")?;
    let persons = persons.map(|texts| texts.into_iter().map(|(text, _)| text).collect());
    Ok(Choice { persons, seal: fields.switch("seal")? })
}

fn files(fields: &mut Fields) -> Result<Option<Vec<String>>, Fault> {
    let Some(texts) = fields.texts("files")? else { return Ok(None) };
    let name = |(text, at): (String, crate::fields::At)| {
        file_name(&text).map_err(|why| fields.invalid(&at, format!("`{text}`: {why}")))
    };
    texts.into_iter().map(name).collect::<Result<Vec<_>, _>>().map(Some)
}

fn answer(fields: &mut Fields) -> Result<lienthong_model::Answer, Fault> {
    Ok(lienthong_model::Answer {
        code: Written::code(fields.plain("agency")?),
        document_code: fields.plain("document")?,
        reference: fields.plain("reference")?,
        date: Written::date(fields.plain("date")?),
    })
}

fn business(fields: &mut Fields) -> Result<lienthong_model::Business, Fault> {
    use lienthong_model::{Business, Change, RecipientChange, Replacement, Staff};
    let code = |text: &str| AgencyCode::parse(text).map(|_| Written::code(text));
    let mut business = Business {
        kind: fields.parsed("kind", kind)?.unwrap_or_default(),
        acts_on: fields.parsed("acts-on", str::parse::<MessageId>)?,
        acts_on_reference: fields.plain("acts-on-reference")?,
        reason: fields.plain("reason")?,
        paper_copy: fields.switch("paper-copy")?.unwrap_or(false),
        ..Business::default()
    };
    for (key, change) in [("add", Change::Added), ("remove", Change::Removed)] {
        let codes = fields.all(key, code)?;
        let one = |code| RecipientChange { code, change };
        business.recipient_changes.extend(codes.into_iter().map(one));
    }
    for mut one in fields.tables("replaces")? {
        business.replacements.push(Replacement {
            message: one.parsed("id", str::parse::<MessageId>)?,
            reference: one.plain("reference")?,
            agencies: one.all("agencies", code)?,
        });
        one.finish()?;
    }
    if let Some(mut staff) = fields.table("staff")? {
        business.staff = Staff {
            department: staff.plain("department")?,
            name: staff.plain("name")?,
            email: staff.plain("email")?,
            mobile: staff.plain("mobile")?,
            ids: staff.all("ids", text)?,
        };
        staff.finish()?;
    }
    Ok(business)
}

fn text(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.to_owned())
}

fn date(text: &str) -> Result<Written<Timestamp>, &'static str> {
    let date = Written::date(text);
    date.value.map(|_| date.clone()).ok_or("write a day (`2020-11-30`) or a moment (RFC 3339)")
}

fn deadline(text: &str) -> Result<Written<Timestamp>, &'static str> {
    let due = Written::deadline(text);
    due.value.map(|_| due.clone()).ok_or("write a day (`2020-11-30`) or a moment (RFC 3339)")
}

fn urgency(text: &str) -> Result<Urgency, &'static str> {
    let number = text.parse().ok().and_then(Urgency::from_number);
    let named = |one: &Urgency| one.name_vi() == text.to_lowercase() || one.name_en() == text;
    number
        .or_else(|| Urgency::ALL.into_iter().find(named))
        .ok_or("write 0 to 4, or thường, khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ")
}

fn steering(text: &str) -> Result<Steering, &'static str> {
    let number = text.parse().ok().and_then(Steering::from_number);
    number.ok_or("write 1 (no steering document), 2 (steers) or 3 (reports on steering)")
}

fn kind(text: &str) -> Result<BusinessKind, &'static str> {
    let named = |one: &BusinessKind| one.name_en() == text || one.name_vi() == text;
    let found = BusinessKind::ALL.into_iter().find(named);
    found.ok_or("write new, recall, update or replace")
}

/// A file beside the header: its name alone.
fn file_name(text: &str) -> Result<String, &'static str> {
    let plain = !text.is_empty() && !text.contains(['/', '\\', '\0']) && !text.starts_with('.');
    plain.then(|| text.to_owned()).ok_or("write the name of a file beside the header")
}

impl Fields {
    /// Says that a key must be there.
    fn missing(&self, key: &str) -> Fault {
        self.lacking(LocalReason::HeaderValueMissing, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str) -> Result<Header, Fault> {
        Header::read("document.toml", text, Format::Toml)
    }

    #[test]
    fn the_least_header_has_recipients_and_a_subject() {
        let header = toml("to = [\"H34\"]\nsubject = \"Về việc thử\"\n").unwrap();
        assert_eq!(header.to, [AgencyCode::parse("H34").unwrap()]);
        assert_eq!(header.document_type, DocumentType::OFFICIAL_LETTER);
        assert_eq!(header.files, None, "every file of the folder");
        let fault = toml("subject = \"x\"\n").unwrap_err();
        assert_eq!((fault.reason, fault.key.as_str()), (LocalReason::HeaderValueMissing, "to"));
        let fault = toml("to = \"H34\"\nsubject = \" \"\n").unwrap_err();
        assert_eq!((fault.key.as_str(), fault.line), ("subject", Some(2)));
    }

    #[test]
    fn a_full_header_is_read() {
        let header = toml(
            "to = [\"H34\", \"000.00.12.H36\"]\nsubject = \"x\"\ntype = \"QĐ\"\nnumber = 15\n\
             unit = \"UBND\"\nissued-on = 2020-11-16\nurgency = \"hỏa tốc\"\ndue = 2020-11-30\n\
             persons = [\"an.nguyen\"]\nseal = false\nbody = \"qd.pdf\"\nfiles = [\"a.pdf\"]\n\
             kind = \"replace\"\nreason = \"sai số\"\npaper-copy = true\n\
             [signer]\nposition = \"Chủ tịch\"\n[[answers]]\nagency = \"H01\"\n\
             document = \"7816/VPCP-TTĐT\"\n[[replaces]]\nreference = \"H36,2020/11/01,1/QĐ\"\n",
        )
        .unwrap();
        assert_eq!(header.urgency, Urgency::Express);
        assert_eq!(header.keys.persons.as_deref(), Some(&["an.nguyen".to_owned()][..]));
        assert_eq!(header.business.kind, BusinessKind::Replace);
        assert_eq!(header.business.replacements.len(), 1);
        assert_eq!(header.answers[0].document_code, "7816/VPCP-TTĐT");
        assert_eq!(header.due.value, Timestamp::parse("2020-12-01"), "the whole day is in time");
    }

    #[test]
    fn the_page_has_every_key() {
        let page = include_str!("../../../docs/CONNECTOR.md");
        let text = "to = \"H34\"\nsubject = \"x\"\n[signer]\n[[answers]]\n[[replaces]]\n[staff]\n";
        let mut fields = Fields::read("x", text, Format::Toml).unwrap();
        super::read(&mut fields).unwrap();
        for key in fields.asked() {
            assert!(page.contains(&format!("`{key}`")), "`{key}` is not in docs/CONNECTOR.md");
        }
    }

    #[test]
    fn wrong_values_name_key_and_line() {
        for (text, key, line) in [
            ("to = [\n\"H34\",\n\"H 35\"]\nsubject = \"x\"", "to[1]", 3),
            ("to = \"H34\"\nsubject = \"x\"\nurgency = 7", "urgency", 3),
            ("to = \"H34\"\nsubject = \"x\"\nfiles = [\"../a\"]", "files[0]", 3),
            ("to = \"H34\"\nsubject = \"x\"\ndue = \"soon\"", "due", 3),
            ("to = \"H34\"\nsubject = \"x\"\ntype = \"Thư tình\"", "type", 3),
            ("to = \"H34\"\nsubject = \"x\"\nnumber = 3", "unit", 1),
            ("to = \"H34\"\nsubject = \"x\"\nurgency = 4", "deliver-by", 1),
            ("to = \"H34\"\nsubject = \"x\"\n[signer]\nname = \"An\"", "signer.name", 4),
        ] {
            let fault = toml(text).unwrap_err();
            assert_eq!((fault.key.as_str(), fault.line), (key, Some(line)), "{fault:?}");
        }
    }
}
