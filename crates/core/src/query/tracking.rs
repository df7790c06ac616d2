//! Documents with what became of them, and who may see it.

use lienthong_model::limits::TRACKED_DELIVERIES_MAX;
use lienthong_model::{AgencyCode, MessageId, Ordinal, Position, Timestamp};

use super::Query;
use crate::codec;
use crate::directory::Directory;
use crate::engine::{EngineError, Tables};
use crate::keys;
use crate::rows::{DeliveryRow, DocumentRow};

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
}
