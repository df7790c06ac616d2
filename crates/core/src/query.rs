//! Reading: documents, their deliveries, mailboxes, as the readers see them.

use lienthong_model::{Digest, MessageId, Ordinal, Position, Timestamp};
use lienthong_trust::AuthorityId;

use crate::codec;
use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::lists::SavedName;
use crate::notice::{NoticeNumber, NoticeRow};
use crate::retention::NamingRow;
use crate::rows::{DeliveryRow, DocumentRow, IdRow, RefusedId, ReportPlace, SavedList};

mod mailbox;
mod tracking;

pub use crate::keys::Lane as MailboxLane;
pub(crate) use mailbox::on_page;
pub use mailbox::{Mailbox, NoticeMailbox};
pub use tracking::{DocumentView, TrackedDelivery};

/// Reads rows.
#[derive(Debug)]
pub struct Query<'t, T: ?Sized>(pub &'t T);

impl<T: ?Sized> Clone for Query<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Query<'_, T> {}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Returns the place of what a sender's id names; for a report that of the report.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn position(
        &self,
        sender: Ordinal,
        id: &MessageId,
    ) -> Result<Option<Position>, EngineError> {
        let row = self.0.read(&keys::id(id, sender))?;
        Ok(row.map(|row| codec::decode::<IdRow>(&row, "id")).transpose()?.map(|row| row.position))
    }

    /// Returns the document at a place; `None` when there is none, or a report.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn document(&self, position: Position) -> Result<Option<DocumentRow>, EngineError> {
        let row = self.0.read(&keys::document(position))?;
        row.map(|row| codec::decode(&row, "document")).transpose()
    }

    /// Returns one delivery.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn delivery(
        &self,
        position: Position,
        recipient: Ordinal,
    ) -> Result<Option<DeliveryRow>, EngineError> {
        let row = self.0.read(&keys::delivery(position, recipient))?;
        row.map(|row| codec::decode(&row, "delivery")).transpose()
    }

    /// Returns when the hub accepted a reporter's report; `None` when there is none with that id.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn reported_at(
        &self,
        reporter: Ordinal,
        id: &MessageId,
    ) -> Result<Option<Timestamp>, EngineError> {
        let Some(row) = self.0.read(&keys::id(id, reporter))? else { return Ok(None) };
        let row: IdRow = codec::decode(&row, "id")?;
        if let Some(place) = row.reported {
            return Ok(Some(place.at));
        }
        // One from before version 0.2 is found on its delivery.
        let Some(key) = row.report_on else { return Ok(None) };
        let delivery = self.delivery(key.position, key.recipient)?;
        let statuses = delivery.map(|delivery| delivery.statuses).unwrap_or_default();
        Ok(statuses.iter().find(|line| line.position == row.position).map(|line| line.at))
    }

    /// Returns where a reporter's report stands; `None` when there is none with that id, or it is
    /// from before version 0.2.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn report_place(
        &self,
        reporter: Ordinal,
        id: &MessageId,
    ) -> Result<Option<ReportPlace>, EngineError> {
        let row = self.0.read(&keys::id(id, reporter))?;
        let row = row.map(|row| codec::decode::<IdRow>(&row, "id")).transpose()?;
        Ok(row.and_then(|row| row.reported))
    }

    /// Visits a document's deliveries by ordinal, after one of them, until `visit` returns `false`.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn deliveries(
        &self,
        position: Position,
        after: Option<Ordinal>,
        visit: &mut dyn FnMut(Ordinal, DeliveryRow) -> bool,
    ) -> Result<(), EngineError> {
        let prefix = keys::deliveries(position);
        let from = after.map_or_else(|| prefix.clone(), |after| keys::delivery(position, after));
        let mut outcome = Ok(());
        self.0.scan(&prefix, &from, &mut |key, row| {
            let recipient = keys::recipient_of(key).filter(|recipient| after != Some(*recipient));
            let Some(recipient) = recipient else { return true };
            match codec::decode(row, "delivery") {
                Ok(delivery) => visit(recipient, delivery),
                Err(error) => {
                    outcome = Err(error);
                    false
                }
            }
        })?;
        outcome
    }

    /// Returns the last refusal of an id that a caller used; none when later refusals have taken
    /// its place, or there was none.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn refused(
        &self,
        caller: Ordinal,
        id: &MessageId,
    ) -> Result<Option<RefusedId>, EngineError> {
        let Some(row) = self.0.read(&keys::refusal(caller, id))? else { return Ok(None) };
        let row: RefusedId = codec::decode(&row, "refusal")?;
        Ok(Some(row).filter(|row| row.id == *id))
    }

    /// Returns a saved list of an agency.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn saved_list(
        &self,
        owner: Ordinal,
        name: &SavedName,
    ) -> Result<Option<SavedList>, EngineError> {
        let row = self.0.read(&keys::saved_list(owner, name.as_str()))?;
        row.map(|row| codec::decode(&row, "saved list")).transpose()
    }

    /// Returns the saved lists of an agency, by name; at most
    /// [`lienthong_model::limits::SAVED_LISTS_MAX`].
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn saved_lists(&self, owner: Ordinal) -> Result<Vec<SavedList>, EngineError> {
        let prefix = keys::saved_lists(owner);
        let (mut lists, mut outcome) = (Vec::new(), Ok(()));
        self.0.scan(&prefix, &prefix, &mut |_, row| {
            match codec::decode(row, "saved list") {
                Ok(list) => lists.push(list),
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok()
        })?;
        outcome.map(|()| lists)
    }

    /// Returns a notice that waits; `None` once it was acknowledged.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn notice(&self, number: NoticeNumber) -> Result<Option<NoticeRow>, EngineError> {
        let row = self.0.read(&keys::notice(number))?;
        row.map(|row| codec::decode(&row, "notice")).transpose()
    }

    /// Returns whether a content may be gone: every document that names its file was accepted
    /// before `kept_from` ([`crate::Retention::kept_from`]) and picked up by all its recipients.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn content_expired(
        &self,
        digest: &Digest,
        kept_from: Timestamp,
    ) -> Result<bool, EngineError> {
        let Some(row) = self.0.read(&keys::payload(digest))? else { return Ok(false) };
        let naming: NamingRow = codec::decode(&row, "naming")?;
        let Some(documents) = naming.documents() else { return Ok(false) };
        // The newest is the likeliest to be kept.
        for position in documents.iter().rev() {
            if !self.document_expired(*position, kept_from)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether the contents of a document may go: it was accepted before `kept_from`, and every
    /// recipient has picked it up.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn document_expired(
        &self,
        position: Position,
        kept_from: Timestamp,
    ) -> Result<bool, EngineError> {
        let Some(document) = self.document(position)? else { return Ok(false) };
        if document.received_at >= kept_from {
            return Ok(false);
        }
        let progress = self.progress(position, &document)?;
        Ok(progress.pending == 0 && progress.waiting == 0)
    }

    /// Returns whether an accepted document or report names a payload file.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn names_payload(&self, digest: &Digest) -> Result<bool, EngineError> {
        Ok(self.0.read(&keys::payload(digest))?.is_some())
    }

    /// Returns the blocks up to one that hold acts of administration, in order: folding them with
    /// [`crate::Policy::take_over`] gives the policy as of that block.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn acts_until(&self, block: u64) -> Result<Vec<u64>, EngineError> {
        let mut blocks = Vec::new();
        self.0.scan(keys::ACTS, keys::ACTS, &mut |key, _| {
            let number = keys::act_block(key).filter(|number| *number <= block);
            blocks.extend(number);
            number.is_some()
        })?;
        Ok(blocks)
    }

    /// Returns how many documents and reports rest on an issuer's certificates of which it is not
    /// proven that they were not revoked; `max` when there are as many or more.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn unproven(&self, issuer: &AuthorityId, max: u64) -> Result<u64, EngineError> {
        let prefix = keys::unproven_of(issuer);
        let mut count = 0;
        self.0.scan(&prefix, &prefix, &mut |_, _| {
            count += 1;
            count < max
        })?;
        Ok(count)
    }

    /// Visits the DER of every certificate that the journal has, until `visit` returns `false`.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn certificates(
        &self,
        visit: &mut dyn FnMut(bytes::Bytes) -> bool,
    ) -> Result<(), EngineError> {
        self.0.scan(keys::CERTIFICATES, keys::CERTIFICATES, &mut |_, der| {
            visit(bytes::Bytes::copy_from_slice(der))
        })
    }

    /// Returns the DER of a certificate that the journal has.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn certificate(
        &self,
        fingerprint: &lienthong_model::Fingerprint,
    ) -> Result<Option<bytes::Bytes>, EngineError> {
        self.0.read(&keys::certificate(fingerprint))
    }
}
