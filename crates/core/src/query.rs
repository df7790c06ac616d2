//! Reading: documents, their deliveries, mailboxes, as the readers see them.

use lienthong_model::limits::TRACKED_DELIVERIES_MAX;
use lienthong_model::{AgencyCode, Digest, MessageId, Ordinal, Position, Timestamp};

use lienthong_trust::AuthorityId;

use crate::codec;
use crate::directory::Directory;
use crate::engine::{EngineError, Tables};
use crate::keys::{self, Lane, MAILBOX_PAGE};
use crate::lists::SavedName;
use crate::notice::{NoticeNumber, NoticeRow};
use crate::retention::NamingRow;
use crate::rows::{DeliveryRow, DocumentRow, IdRow, RefusedId, ReportPlace, SavedList};

pub use crate::keys::Lane as MailboxLane;

/// Where waiting documents are read from.
pub trait Mailbox {
    /// Returns at most `limit` positions that wait in a lane, after a position, in order.
    ///
    /// # Errors
    /// [`EngineError`] when the rows cannot be read.
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError>;
}

/// Reads rows.
#[derive(Debug)]
pub struct Query<'t, T: ?Sized>(pub &'t T);

impl<T: ?Sized> Clone for Query<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Query<'_, T> {}

/// A document and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentView {
    /// Its place in the log.
    pub position: Position,
    /// What is known of it.
    pub document: DocumentRow,
    /// Its deliveries, by the recipients' ordinals.
    pub deliveries: Vec<TrackedDelivery>,
    /// The first document of its sender with the same reference.
    pub same_reference: Option<(Position, MessageId)>,
}

/// One delivery of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedDelivery {
    /// The recipient.
    pub recipient: Ordinal,
    /// What became of it.
    pub delivery: DeliveryRow,
}

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

    /// Returns a document with its deliveries.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn track(&self, position: Position) -> Result<Option<DocumentView>, EngineError> {
        self.track_within(position, usize::MAX)
    }

    /// Returns a document with its first deliveries by ordinal, at most `limit`.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn track_within(
        &self,
        position: Position,
        limit: usize,
    ) -> Result<Option<DocumentView>, EngineError> {
        let Some(document) = self.document(position)? else { return Ok(None) };
        let mut deliveries = Vec::new();
        self.deliveries(position, None, &mut |recipient, delivery| {
            deliveries.push(TrackedDelivery { recipient, delivery });
            deliveries.len() < limit
        })?;
        self.view(position, document, deliveries).map(Some)
    }

    /// Visits every document with its deliveries, by position, in one walk over the rows; what the
    /// sender sent before under the same reference is left out.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn each_tracked(&self, visit: &mut dyn FnMut(&DocumentView)) -> Result<(), EngineError> {
        let mut next = Some(Position(0));
        while let Some(first) = next {
            let mut page = self.documents_from(first)?;
            let Some(last) = page.last().map(|view| view.position) else { return Ok(()) };
            self.add_deliveries(&mut page, last)?;
            page.iter().for_each(&mut *visit);
            next = last.0.checked_add(1).map(Position);
        }
        Ok(())
    }

    /// Documents from a position on, without their deliveries; a page of them.
    fn documents_from(&self, first: Position) -> Result<Vec<DocumentView>, EngineError> {
        const PAGE: usize = 4_096;
        let from = keys::document(first);
        let (mut page, mut outcome) = (Vec::new(), Ok(()));
        self.0.scan(&from[..1], &from, &mut |key, row| {
            let position = keys::page_number(key, 1).filter(|_| key.len() == from.len());
            let Some(position) = position.map(Position) else { return true };
            match codec::decode(row, "document") {
                Ok(document) => page.push(DocumentView {
                    position,
                    document,
                    deliveries: Vec::new(),
                    same_reference: None,
                }),
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok() && page.len() < PAGE
        })?;
        outcome.map(|()| page)
    }

    /// Adds the deliveries of the documents of a page: both come in the order of positions.
    fn add_deliveries(&self, page: &mut [DocumentView], last: Position) -> Result<(), EngineError> {
        let Some(first) = page.first().map(|view| view.position) else { return Ok(()) };
        let from = keys::deliveries(first);
        let (mut views, mut outcome) = (page.iter_mut().peekable(), Ok(()));
        self.0.scan(&from[..1], &from, &mut |key, row| {
            let position = keys::page_number(key, 1).map(Position);
            let (Some(position), Some(recipient)) = (position, keys::recipient_of(key)) else {
                return true;
            };
            if position > last {
                return false;
            }
            while views.next_if(|view| view.position < position).is_some() {}
            let Some(view) = views.peek_mut().filter(|view| view.position == position) else {
                return true;
            };
            match codec::decode(row, "delivery") {
                Ok(delivery) => view.deliveries.push(TrackedDelivery { recipient, delivery }),
                Err(error) => outcome = Err(error),
            }
            outcome.is_ok()
        })?;
        outcome
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

    /// Returns the document of a sender's id, when `caller` may see it: it serves the sender or one
    /// of the recipients; at most [`TRACKED_DELIVERIES_MAX`] deliveries of it. Whoever may not learns nothing, not even that the id exists.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn track_as(
        &self,
        directory: &Directory,
        caller: Ordinal,
        sender: &AgencyCode,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<Option<DocumentView>, EngineError> {
        let Some(sender) = directory.find(sender) else { return Ok(None) };
        let Some(position) = self.position(sender.ordinal, id)? else { return Ok(None) };
        if directory.serves(caller, sender, now) {
            return self.track_within(position, TRACKED_DELIVERIES_MAX);
        }
        // A recipient sees its own delivery, not what others did with theirs.
        let Some(document) = self.document(position)? else { return Ok(None) };
        let mut deliveries = Vec::new();
        for recipient in directory.served_by(caller, now) {
            if let Some(delivery) = self.delivery(position, recipient)? {
                deliveries.push(TrackedDelivery { recipient, delivery });
            }
            if deliveries.len() >= TRACKED_DELIVERIES_MAX {
                break;
            }
        }
        deliveries.sort_by_key(|delivery| delivery.recipient);
        if deliveries.is_empty() {
            return Ok(None);
        }
        // What the sender sent before is not this caller's to see.
        let view = self.view(position, document, deliveries)?;
        Ok(Some(DocumentView { same_reference: None, ..view }))
    }

    fn view(
        &self,
        position: Position,
        document: DocumentRow,
        deliveries: Vec<TrackedDelivery>,
    ) -> Result<DocumentView, EngineError> {
        let same_reference = match document.same_reference {
            Some(first) => self.document(first)?.map(|row| (first, row.id)),
            None => None,
        };
        Ok(DocumentView { position, document, deliveries, same_reference })
    }

    /// Returns a notice that waits; `None` once it was acknowledged.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn notice(&self, number: NoticeNumber) -> Result<Option<NoticeRow>, EngineError> {
        let row = self.0.read(&keys::notice(number))?;
        row.map(|row| codec::decode(&row, "notice")).transpose()
    }

    /// Returns the place of the document of a sender's id, when `caller` is a party to it: it serves
    /// the sender or one of the recipients. Whoever is not learns nothing, as in
    /// [`Query::track_as`].
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn position_as(
        &self,
        directory: &Directory,
        caller: Ordinal,
        sender: &AgencyCode,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<Option<Position>, EngineError> {
        let Some(sender) = directory.find(sender) else { return Ok(None) };
        let Some(position) = self.position(sender.ordinal, id)? else { return Ok(None) };
        if self.document(position)?.is_none() {
            return Ok(None);
        }
        if directory.serves(caller, sender, now) {
            return Ok(Some(position));
        }
        let mut party = self.delivery(position, caller)?.is_some();
        let prefix = keys::deliveries(position);
        if !party {
            self.0.scan(&prefix, &prefix, &mut |key, _| {
                let recipient = keys::recipient_of(key).and_then(|one| directory.agency(one));
                party = recipient.is_some_and(|one| directory.serves(caller, one, now));
                !party
            })?;
        }
        Ok(party.then_some(position))
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

impl<T: Tables + ?Sized> Mailbox for Query<'_, T> {
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError> {
        let prefix = keys::mailbox(recipient, lane);
        let from = match after {
            Some(after) => keys::mailbox_page(recipient, lane, after),
            None => prefix.clone(),
        };
        on_pages(self.0, (&prefix, &from), after, limit)
    }
}

/// The mailboxes of notices; numbers stand as positions, and all are ordinary.
#[derive(Debug, Clone, Copy)]
pub struct NoticeMailbox<'t, T: ?Sized>(pub &'t T);

impl<T: Tables + ?Sized> Mailbox for NoticeMailbox<'_, T> {
    fn waiting(
        &self,
        recipient: Ordinal,
        lane: Lane,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, EngineError> {
        if lane == Lane::Urgent {
            return Ok(Vec::new());
        }
        let prefix = keys::notice_pages(recipient);
        let from = match after {
            Some(after) => keys::notice_page(recipient, NoticeNumber(after.0)),
            None => prefix.clone(),
        };
        on_pages(self.0, (&prefix, &from), after, limit)
    }
}

/// At most `limit` positions after one, from pages with a prefix.
fn on_pages<T: Tables + ?Sized>(
    tables: &T,
    (prefix, from): (&[u8], &[u8]),
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Position>, EngineError> {
    let mut positions = Vec::new();
    tables.scan(prefix, from, &mut |key, page| {
        positions.extend(on_page(key, page).filter(|p| after.is_none_or(|after| *p > after)));
        positions.len() < limit
    })?;
    positions.truncate(limit);
    Ok(positions)
}

/// The positions on a page of a mailbox, in order.
pub(crate) fn on_page(key: &[u8], page: &[u8]) -> impl Iterator<Item = Position> {
    let first = keys::page_of(key).map(|number| number.saturating_mul(MAILBOX_PAGE));
    let on = move |slot: &u8| Some(Position(first?.saturating_add(u64::from(*slot))));
    page.iter().filter_map(on)
}
