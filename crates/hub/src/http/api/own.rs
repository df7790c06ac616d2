//! What somebody sees who may see single agencies only: exchange and refusals are counted by
//! province, so theirs are counted from the newest entries of the log and from the refusals that are
//! kept one by one. An answer says when that is not all.

use std::collections::BTreeMap;

use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{Period, View};
use lienthong_model::limits::DOCUMENTS_LOOKED_AT_MAX;
use lienthong_model::{Ordinal, Position};

use crate::http::Pages;
use crate::sight::Sight;

/// Deliveries from agency to agency.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// By sender and recipient.
    pub deliveries: BTreeMap<(Ordinal, Ordinal), u64>,
    /// Whether the period reaches further back than what was looked at.
    pub partial: bool,
}

/// Counts deliveries of documents accepted in a period that the agencies seen sent or received, in
/// the newest [`DOCUMENTS_LOOKED_AT_MAX`] entries of the log.
///
/// # Errors
/// [`EngineError`] when a row cannot be read.
pub(super) fn exchange(
    pages: &Pages,
    sight: &Sight,
    period: Period,
) -> Result<Exchange, EngineError> {
    let mut found = Exchange::default();
    let View::Agencies(own) = &sight.0 else { return Ok(found) };
    let (query, size) = (pages.0.reader.query(), pages.0.evidence.newest().size);
    let oldest = size.saturating_sub(DOCUMENTS_LOOKED_AT_MAX as u64);
    for position in (oldest..size).rev().map(Position) {
        // A report has a place in the log, too.
        let Some(document) = query.document(position)? else { continue };
        if document.received_at < period.from {
            return Ok(found);
        }
        if document.received_at >= period.until {
            continue;
        }
        let mut count = |recipient| {
            *found.deliveries.entry((document.sender, recipient)).or_default() += 1;
        };
        if own.contains(&document.sender) {
            query.deliveries(position, None, &mut |recipient, _| {
                count(recipient);
                true
            })?;
            continue;
        }
        for recipient in own {
            if query.delivery(position, *recipient)?.is_some() {
                count(*recipient);
            }
        }
    }
    found.partial = oldest > 0;
    Ok(found)
}
