//! Whether it is proven that certificates were not revoked: every issuer in a chain needs a
//! revocation list that is in date. What is not proven is accepted for a grace, and marked.

use std::sync::Arc;
use std::time::Duration;

use lienthong_model::{Reason, Refusal, Violation};
use minicbor::{Decode, Encode};

use super::{Anchors, Dates};
use crate::certificate::AuthorityId;
use crate::chain::Chain;

/// Certificates of one issuer whose revocation is not proven. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Unproven {
    /// The issuer whose list is due.
    #[n(0)]
    pub issuer: AuthorityId,
    /// The serial numbers, sorted, each once.
    #[n(1)]
    pub serials: Vec<Serial>,
}

/// A serial number, as [`crate::Certificate::serial`] gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Serial(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// Judges whether revocation is proven for every certificate of every signer's chain that holds
/// ([`chain`](super::chain)), at the time of receipt, and returns what is not, by issuer; empty
/// when all is.
///
/// # Errors
/// A [`Refusal`] when a list has been due for longer than `grace`; `None` is without end.
pub fn revocation(
    signers: &[Arc<Chain>],
    anchors: &dyn Anchors,
    dates: Dates,
    grace: Option<Duration>,
) -> Result<Vec<Unproven>, Refusal> {
    let received_at = dates.received_at;
    let mut unproven: Vec<Unproven> = Vec::new();
    let mut violations = Vec::new();
    for (index, chain) in signers.iter().enumerate() {
        let chain = super::chain(chain, anchors, dates).unwrap_or(chain);
        for pair in chain.certificates().windows(2) {
            let [certificate, issuer] = pair else { continue };
            let Some(due) = anchors.list_due(issuer.authority(), received_at) else { continue };
            if grace.is_some_and(|grace| due.plus(grace) < received_at) {
                let field = format!("document.signatures[{index}].certificate_sha256");
                let value = format!("{}: due since {due}", issuer.subject());
                violations.push(Violation::new(Reason::RevocationNotProven, field, value));
            }
            note(&mut unproven, *issuer.authority(), certificate.serial());
        }
    }
    Refusal::of(violations).map_or(Ok(unproven), Err)
}

fn note(unproven: &mut Vec<Unproven>, issuer: AuthorityId, serial: &[u8]) {
    let serial = Serial(serial.to_vec());
    match unproven.iter_mut().find(|known| known.issuer == issuer) {
        None => unproven.push(Unproven { issuer, serials: vec![serial] }),
        Some(known) => {
            if let Err(place) = known.serials.binary_search(&serial) {
                known.serials.insert(place, serial);
            }
        }
    }
}
