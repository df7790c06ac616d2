//! Who signed a document, by what its certificates say.

use lienthong_core::Submit;
use lienthong_core::explain::{Explained, What};
use lienthong_trust::{Certificate, Holder};

use crate::reader::Reader;

/// Says who signed, by what the certificates say.
pub(crate) fn tell_signers(reader: &Reader, submit: &Submit, explained: &mut Explained) {
    let signers: Vec<String> = submit
        .signed
        .signatures
        .iter()
        .filter_map(|signature| reader.query().certificate(signature.chain.first()?).ok()?)
        .filter_map(|der| Certificate::parse(der).ok())
        .map(|certificate| match certificate.holder() {
            Holder::Person { agency, name, title, .. } => format!("{name}, {title} ({agency})"),
            Holder::Seal { agency } => format!("con dấu / seal {agency}"),
            Holder::Authority { .. }
            | Holder::Node { .. }
            | Holder::Operator { .. }
            | Holder::Hub { .. } => String::new(),
        })
        .collect();
    for event in &mut explained.events {
        if let What::Signed { by } = &mut event.what {
            by.clone_from(&signers);
        }
    }
}
