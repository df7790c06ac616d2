//! What waits: deliveries in mailboxes, counted from the mailboxes themselves.

use lienthong_model::limits::{BACKLOG_AGENCIES_MAX, BACKLOG_PAGES_MAX};
use lienthong_model::{Ordinal, Position, Timestamp};

use super::ask::Source;
use crate::engine::EngineError;
use crate::keys::{self, MAILBOX_PAGE};
use crate::query::Query;

/// What waits in mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Agencies with waiting deliveries, in the order asked for.
    pub agencies: Vec<AgencyBacklog>,
    /// Deliveries that wait, of all agencies that were looked at.
    pub waiting: u64,
    /// Agencies in whose mailboxes something waits.
    pub agencies_waiting: u64,
    /// Whether more pages of mailboxes wait than one look reads: the figures are then too small.
    pub partial: bool,
}

/// What waits in one mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgencyBacklog {
    /// Whose mailbox it is.
    pub agency: Ordinal,
    /// Deliveries that wait.
    pub waiting: u64,
    /// The document that waits longest.
    pub oldest: Position,
    /// Since when it waits; none when that is not known.
    pub since: Option<Timestamp>,
}

/// Which agencies come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BacklogOrder {
    /// Those with the most.
    #[default]
    Most,
    /// Those whose oldest waits longest.
    Oldest,
}

impl Source<'_> {
    /// Returns what waits in the mailboxes of agencies that `wanted` admits: at most `limit`
    /// agencies, [`BACKLOG_AGENCIES_MAX`] at most.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn backlog(
        &self,
        wanted: &dyn Fn(Ordinal) -> bool,
        order: BacklogOrder,
        limit: usize,
    ) -> Result<Backlog, EngineError> {
        let mut backlog = self.mailboxes(wanted)?;
        backlog.agencies.sort_by_key(|one| match order {
            BacklogOrder::Most => (u64::MAX - one.waiting, one.oldest),
            BacklogOrder::Oldest => (one.oldest.0, one.oldest),
        });
        backlog.agencies.truncate(limit.min(BACKLOG_AGENCIES_MAX));
        let query = Query(self.tables);
        for one in &mut backlog.agencies {
            let delivery = query.delivery(one.oldest, one.agency)?;
            one.since = delivery.and_then(|delivery| delivery.made).map(|made| made.at);
        }
        Ok(backlog)
    }

    /// Returns what waits in every mailbox of agencies that `wanted` admits, by ordinal, without
    /// since when.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn mailboxes(&self, wanted: &dyn Fn(Ordinal) -> bool) -> Result<Backlog, EngineError> {
        let mut backlog = Backlog::default();
        let mut pages = 0;
        self.tables.scan(keys::MAILBOXES, keys::MAILBOXES, &mut |key, row| {
            pages += 1;
            backlog.partial = pages > BACKLOG_PAGES_MAX;
            let agency = keys::ordinal_of(keys::MAILBOXES, key);
            let (Some(agency), Some(page), Some(first)) = (agency, keys::page_of(key), row.first())
            else {
                return !backlog.partial;
            };
            let first = Position(page * MAILBOX_PAGE + u64::from(*first));
            let waiting = row.len() as u64;
            match backlog.agencies.last_mut() {
                Some(last) if last.agency == agency => {
                    last.waiting += waiting;
                    last.oldest = last.oldest.min(first);
                }
                _ if wanted(agency) => backlog.agencies.push(AgencyBacklog {
                    agency,
                    waiting,
                    oldest: first,
                    since: None,
                }),
                _ => {}
            }
            !backlog.partial
        })?;
        backlog.waiting = backlog.agencies.iter().map(|one| one.waiting).sum();
        backlog.agencies_waiting = backlog.agencies.len() as u64;
        Ok(backlog)
    }
}
