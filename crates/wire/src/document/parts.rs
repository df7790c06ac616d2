//! The parts of Document v1 between the model and their protobuf forms.
//!
//! What comes from the wire was checked before: a code, id or kind that cannot be read is absent.

use bytes::Bytes;
use lienthong_model::{
    Addressee, AgencyCode, Answer, AttachmentEntry, AttachmentHeader, Business, BusinessKind,
    Change, Correspondent, Extension, MessageId, Recipient, RecipientChange, Reference,
    Replacement, Signer, Staff, Timestamp, TraceHop, Wrapping, Written,
};

use super::known;
use crate::{kind, moment, proto};

/// A moment as written and as read.
pub(crate) fn written_moment(
    text: String,
    value: Option<prost_types::Timestamp>,
) -> Written<Timestamp> {
    Written { text, value: value.as_ref().and_then(moment::from_proto) }
}

fn written_code(code: &str, as_written: String) -> Written<AgencyCode> {
    Written { text: as_written, value: AgencyCode::parse(code).ok() }
}

fn code_text(code: &Written<AgencyCode>) -> String {
    code.value.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn id_bytes(id: Option<MessageId>) -> Bytes {
    id.map(|id| Bytes::copy_from_slice(id.as_bytes())).unwrap_or_default()
}

pub(super) fn reference_to_proto(reference: &Reference) -> proto::Reference {
    let Reference { text, code, date, number, notation } = reference.clone();
    proto::Reference { text, code, date, number, notation }
}

pub(crate) fn correspondent_to_proto(agency: &Correspondent) -> proto::Correspondent {
    proto::Correspondent {
        code: agency.code.to_string(),
        code_as_written: agency.code_as_written.clone(),
        name: agency.name.clone(),
        in_charge: agency.in_charge.clone(),
        address: agency.address.clone(),
        email: agency.email.clone(),
        telephone: agency.telephone.clone(),
        fax: agency.fax.clone(),
        website: agency.website.clone(),
    }
}

pub(crate) fn correspondent_from_proto(
    agency: proto::Correspondent,
    code: AgencyCode,
) -> Correspondent {
    Correspondent {
        code,
        code_as_written: agency.code_as_written,
        name: agency.name,
        in_charge: agency.in_charge,
        address: agency.address,
        email: agency.email,
        telephone: agency.telephone,
        fax: agency.fax,
        website: agency.website,
    }
}

pub(super) fn recipient_to_proto(recipient: &Recipient) -> proto::Recipient {
    let agency = match recipient {
        Recipient::List(list) => {
            return proto::Recipient { list: list.clone(), ..Default::default() };
        }
        Recipient::Agency(agency) => agency,
    };
    proto::Recipient {
        code: agency.code.to_string(),
        code_as_written: agency.code_as_written.clone(),
        name: agency.name.clone(),
        in_charge: agency.in_charge.clone(),
        address: agency.address.clone(),
        email: agency.email.clone(),
        telephone: agency.telephone.clone(),
        fax: agency.fax.clone(),
        website: agency.website.clone(),
        list: String::new(),
    }
}

pub(super) fn recipient_from_proto(entry: proto::Recipient, addressee: Addressee) -> Recipient {
    match addressee {
        Addressee::List(name) => Recipient::List(name),
        Addressee::Agency(code) => Recipient::from(Correspondent {
            code,
            code_as_written: entry.code_as_written,
            name: entry.name,
            in_charge: entry.in_charge,
            address: entry.address,
            email: entry.email,
            telephone: entry.telephone,
            fax: entry.fax,
            website: entry.website,
        }),
    }
}

pub(super) fn signer_to_proto(signer: &Signer) -> proto::Signer {
    let Signer { competence, position, full_name } = signer.clone();
    proto::Signer { competence, position, full_name }
}

pub(super) fn signer_from_proto(signer: proto::Signer) -> Signer {
    let proto::Signer { competence, position, full_name } = signer;
    Signer { competence, position, full_name }
}

pub(super) fn answer_to_proto(answer: &Answer) -> proto::Answer {
    proto::Answer {
        code: code_text(&answer.code),
        code_as_written: answer.code.text.clone(),
        document_code: answer.document_code.clone(),
        reference: answer.reference.clone(),
        date_as_written: answer.date.text.clone(),
        date: answer.date.value.map(moment::to_proto),
    }
}

pub(super) fn answer_from_proto(answer: proto::Answer) -> Answer {
    Answer {
        code: written_code(&answer.code, answer.code_as_written),
        document_code: answer.document_code,
        reference: answer.reference,
        date: written_moment(answer.date_as_written, answer.date),
    }
}

pub(super) fn business_to_proto(business: &Business) -> proto::Business {
    let change = |change: &RecipientChange| proto::RecipientChange {
        code: code_text(&change.code),
        code_as_written: change.code.text.clone(),
        change: proto::recipient_change::Change::from(change.change).into(),
    };
    let mention = |code: &Written<AgencyCode>| proto::AgencyMention {
        code: code_text(code),
        code_as_written: code.text.clone(),
    };
    let replacement = |replacement: &Replacement| proto::Replacement {
        reference: replacement.reference.clone(),
        message: id_bytes(replacement.message),
        agencies: replacement.agencies.iter().map(mention).collect(),
    };
    proto::Business {
        kind: proto::BusinessKind::from(business.kind).into(),
        acts_on_reference: business.acts_on_reference.clone(),
        acts_on: id_bytes(business.acts_on),
        reason: business.reason.clone(),
        paper_copy: business.paper_copy,
        changed_document: business.changed_document.clone(),
        changed_recipients: business.changed_recipients.clone(),
        recipient_changes: business.recipient_changes.iter().map(change).collect(),
        replacements: business.replacements.iter().map(replacement).collect(),
        staff: Some(staff_to_proto(&business.staff)),
    }
}

pub(super) fn business_from_proto(business: proto::Business) -> Business {
    let change = |change: proto::RecipientChange| RecipientChange {
        code: written_code(&change.code, change.code_as_written),
        change: known(kind::change(change.change)).unwrap_or(Change::Removed),
    };
    let mention = |agency: proto::AgencyMention| written_code(&agency.code, agency.code_as_written);
    let replacement = |replacement: proto::Replacement| Replacement {
        reference: replacement.reference,
        message: MessageId::from_bytes(&replacement.message).ok(),
        agencies: replacement.agencies.into_iter().map(mention).collect(),
    };
    Business {
        kind: known(kind::business_kind(business.kind)).unwrap_or(BusinessKind::New),
        acts_on_reference: business.acts_on_reference,
        acts_on: MessageId::from_bytes(&business.acts_on).ok(),
        reason: business.reason,
        paper_copy: business.paper_copy,
        changed_document: business.changed_document,
        changed_recipients: business.changed_recipients,
        recipient_changes: business.recipient_changes.into_iter().map(change).collect(),
        replacements: business.replacements.into_iter().map(replacement).collect(),
        staff: business.staff.map(staff_from_proto).unwrap_or_default(),
    }
}

pub(crate) fn staff_to_proto(staff: &Staff) -> proto::Staff {
    let Staff { department, name, email, mobile, ids } = staff.clone();
    proto::Staff { department, name, email, mobile, ids }
}

pub(crate) fn staff_from_proto(staff: proto::Staff) -> Staff {
    let proto::Staff { department, name, email, mobile, ids } = staff;
    Staff { department, name, email, mobile, ids }
}

pub(super) fn hop_to_proto(hop: &TraceHop) -> proto::TraceHop {
    proto::TraceHop {
        code: code_text(&hop.code),
        code_as_written: hop.code.text.clone(),
        time_as_written: hop.time.text.clone(),
        time: hop.time.value.map(moment::to_proto),
    }
}

pub(super) fn hop_from_proto(hop: proto::TraceHop) -> TraceHop {
    TraceHop {
        code: written_code(&hop.code, hop.code_as_written),
        time: written_moment(hop.time_as_written, hop.time),
    }
}

pub(super) fn attachment_to_proto(entry: &AttachmentEntry) -> proto::AttachmentEntry {
    proto::AttachmentEntry {
        content_id: entry.content_id.clone(),
        name: entry.name.clone(),
        description: entry.description.clone(),
        media_type: entry.media_type.clone(),
        wrapping: proto::Wrapping::from(entry.wrapping).into(),
        size: entry.size,
        sha256: Bytes::copy_from_slice(entry.sha256.as_bytes()),
        is_document: entry.is_document,
    }
}

pub(super) fn attachment_from_proto(
    entry: proto::AttachmentEntry,
    read: AttachmentHeader,
) -> AttachmentEntry {
    AttachmentEntry {
        content_id: read.content_id,
        name: entry.name,
        description: entry.description,
        media_type: entry.media_type,
        wrapping: known(kind::wrapping(entry.wrapping)).unwrap_or(Wrapping::None),
        size: read.size,
        sha256: read.sha256,
        is_document: entry.is_document,
    }
}

pub(crate) fn extension_to_proto(extension: &Extension) -> proto::Extension {
    let Extension { path, text } = extension.clone();
    proto::Extension { path, text }
}

pub(crate) fn extension_from_proto(extension: proto::Extension) -> Extension {
    let proto::Extension { path, text } = extension;
    Extension { path, text }
}
