//! What a running hub says in the end, asked through its public API.
//!
//! Which documents to ask about is known from the hub's receipts; what became of them is what it
//! answers. A hub that was not started for the run had traffic before: that is taken off.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use lienthong_client::{self as client, CallError, Client, Receipt, TrackedDocument};
use lienthong_core::statistics::{
    Area, Flow, IndicatorFigure, LevelVolume, PlaceIndicators, Refusals, Share, Totals, Volume,
    Volumes,
};
use lienthong_core::{
    ChangeMessage, DeliveryRow, Directory, DocumentRow, DocumentView, Mark, StatusLine,
    TrackedDelivery,
};
use lienthong_model::{
    AgencyCode, Day, MessageId, Ordinal, Position, Reason, Reference, Revocation,
};

use super::axis::LiveAxis;
use super::{LiveError, Remembers, node};
use crate::scenario::{Days, Expect, Scenario};
use crate::world::{Account, AccountError, Axis as _, Declined, Journalled, Told};

/// Documents asked about at a time.
const ASKING: usize = 32;

/// What the hub's answers told while it was played.
pub(super) struct Known {
    remembers: Remembers,
    /// Documents by position: their senders and ids.
    accepted: BTreeMap<Position, (Ordinal, MessageId)>,
    /// Documents whose first receipt said that no proof of revocation was at hand.
    unproven: BTreeSet<Position>,
    declined: Vec<Declined>,
    distrusted: Vec<String>,
    pub told: Told,
    /// What became of the documents, asked once: in the end.
    views: OnceCell<Vec<DocumentView>>,
}

impl Known {
    pub fn of(remembers: Remembers) -> Self {
        Self {
            remembers,
            accepted: BTreeMap::new(),
            unproven: BTreeSet::new(),
            declined: Vec::new(),
            distrusted: Vec::new(),
            told: Told::default(),
            views: OnceCell::new(),
        }
    }

    /// Whether what has come to its end is remembered, too.
    pub fn is_whole(&self) -> bool {
        self.remembers == Remembers::Everything
    }

    pub fn accepted(&mut self, caller: Ordinal, receipt: &Receipt) {
        self.told.repeated += u64::from(receipt.repeated);
        if !self.is_whole() {
            return;
        }
        if !receipt.repeated && receipt.revocation == Some(Revocation::NotProven) {
            self.unproven.insert(receipt.position);
        }
        // The first receipt may have been lost: the one that comes again tells as much.
        self.accepted.insert(receipt.position, (caller, receipt.id));
    }

    pub fn declined(
        &mut self,
        node::Declined { at, reason }: node::Declined,
        province: Option<Ordinal>,
        caller: Option<&AgencyCode>,
    ) {
        if self.is_whole() {
            let caller = caller.map(ToString::to_string).unwrap_or_default();
            let shown = format!("{caller}: {}", reason.code());
            self.declined.push(Declined { at, reason, province, shown });
        }
    }

    pub fn distrusted(&mut self, what: String) {
        if self.is_whole() {
            self.distrusted.push(what);
        }
    }
}

/// What the hub had counted before.
#[derive(Default)]
pub(super) struct Baseline {
    counted: BTreeMap<DaysKey, Counted>,
    indicators: BTreeMap<(DaysKey, Option<AgencyCode>), Vec<client::PlaceIndicators>>,
}

type DaysKey = Option<(i32, i32)>;

/// Statistics of some days.
#[derive(Clone)]
struct Counted {
    volumes: client::Volumes,
    flows: Vec<client::FlowCell>,
    refusals: client::Refusals,
}

fn key(days: Option<Days>) -> DaysKey {
    days.map(|days| (days.first.0, days.last.0))
}

fn period(days: Option<Days>) -> client::Period {
    let end = |days: Days| Day(days.last.0.saturating_add(1)).start();
    client::Period { from: days.map(|days| days.first.start()), to: days.map(end) }
}

impl LiveAxis {
    /// Remembers what the hub has counted already, for all days and provinces that will be asked
    /// about.
    pub fn take_baseline(&mut self, scenario: &Scenario) -> Result<(), LiveError> {
        let expects = || scenario.expects.iter();
        for days in expects().flat_map(|expect| [expect.days, expect.base]).chain([None]) {
            let counted = self.counted(days)?;
            self.baseline.counted.insert(key(days), counted);
        }
        for Expect { days, province, .. } in expects() {
            let told = self.counted_indicators(*days, province.as_ref())?;
            self.baseline.indicators.insert((key(*days), province.clone()), told);
        }
        Ok(())
    }

    fn counted_indicators(
        &self,
        days: Option<Days>,
        province: Option<&AgencyCode>,
    ) -> Result<Vec<client::PlaceIndicators>, LiveError> {
        let ask = async |client: &Client| client.indicators(period(days), province, 0).await;
        Ok(self.ask(None, ask)??)
    }

    fn counted(&self, days: Option<Days>) -> Result<Counted, LiveError> {
        let period = period(days);
        let asked = self.ask(None, async |client| {
            Ok::<_, CallError>(Counted {
                volumes: client.volumes(period).await?,
                flows: client.flows(period).await?,
                refusals: client.refusals(period).await?,
            })
        });
        Ok(asked??)
    }

    fn told<T>(&self, asked: Result<T, LiveError>) -> Result<T, AccountError> {
        asked.map_err(|error| match error {
            LiveError::Call(error) => AccountError::Call(error),
            other => AccountError::Live(Box::new(other)),
        })
    }

    fn province(&self, code: Option<&AgencyCode>) -> Option<Ordinal> {
        self.ordinal(code?)
    }
}

impl Account for LiveAxis {
    fn directory(&self) -> Arc<Directory> {
        self.directory.clone()
    }

    fn each(&self, visit: &mut dyn FnMut(&DocumentView)) -> Result<(), AccountError> {
        self.views()?.iter().for_each(visit);
        Ok(())
    }

    fn volumes(&self, days: Option<Days>) -> Result<Volumes, AccountError> {
        let counted = self.told(self.counted(days))?.volumes;
        let before = self.baseline.counted.get(&key(days)).map(|counted| &counted.volumes);
        let mut volumes = Volumes::default();
        for province in counted.provinces.iter().chain([&counted.centre]) {
            let was = before.and_then(|before| {
                before
                    .provinces
                    .iter()
                    .chain([&before.centre])
                    .find(|one| one.code == province.code)
            });
            let volume = volume(province, was);
            volumes.totals.sent += volume.sent;
            volumes.totals.received += volume.received;
            match self.province(province.code.as_ref()) {
                Some(ordinal) => drop(volumes.provinces.insert(ordinal, volume)),
                // A province without anybody who takes part has nothing of ours.
                None if province.code.is_some() => {}
                None => volumes.centre = volume,
            }
        }
        let total = |counted: client::TotalVolume| (counted.sent, counted.received);
        let (now, was) = (total(counted.totals), before.map_or((0, 0), |b| total(b.totals)));
        volumes.totals = Totals { sent: now.0 - was.0, received: now.1 - was.1 };
        Ok(volumes)
    }

    fn flows(&self, days: Option<Days>) -> Result<Vec<Flow>, AccountError> {
        let counted = self.told(self.counted(days))?.flows;
        let before = self.baseline.counted.get(&key(days)).map(|counted| &counted.flows);
        let flow = |cell: &client::FlowCell| {
            let same = |other: &&client::FlowCell| {
                (&other.sender_province, other.sender_level, &other.recipient_province)
                    == (&cell.sender_province, cell.sender_level, &cell.recipient_province)
                    && other.recipient_level == cell.recipient_level
            };
            let was = before.and_then(|before| before.iter().find(same));
            let deliveries = cell.deliveries - was.map_or(0, |was| was.deliveries);
            (deliveries > 0).then(|| Flow {
                from_province: self.province(cell.sender_province.as_ref()),
                from_level: cell.sender_level,
                to_province: self.province(cell.recipient_province.as_ref()),
                to_level: cell.recipient_level,
                deliveries,
                bytes: cell.content_bytes - was.map_or(0, |was| was.content_bytes),
            })
        };
        Ok(counted.iter().filter_map(flow).collect())
    }

    fn refusals(&self, days: Option<Days>) -> Result<Refusals, AccountError> {
        let counted = self.told(self.counted(days))?.refusals;
        let before = self.baseline.counted.get(&key(days)).map(|counted| &counted.refusals);
        let mut refusals = Refusals::default();
        for province in counted.provinces.iter().chain([&counted.centre]) {
            let was = before.and_then(|before| {
                before
                    .provinces
                    .iter()
                    .chain([&before.centre])
                    .find(|one| one.code == province.code)
            });
            for one in &province.refusals {
                let was = was.and_then(|was| was.refusals.iter().find(|w| w.code == one.code));
                let count = one.count - was.map_or(0, |was| was.count);
                let Some(reason) = one.known_reason().filter(|_| count > 0) else { continue };
                let ordinal = self.province(province.code.as_ref());
                *refusals.by_province.entry((ordinal, reason)).or_default() += count;
                *refusals.by_reason.entry(reason).or_default() += count;
            }
        }
        Ok(refusals)
    }

    fn indicators(
        &self,
        days: Option<Days>,
        province: Option<Ordinal>,
    ) -> Result<Vec<PlaceIndicators>, AccountError> {
        let agency = province.and_then(|province| self.directory.agency(province));
        let code = agency.map(|agency| agency.entry(self.clock().now()).code.clone());
        let asked = self.told(self.counted_indicators(days, code.as_ref()))?;
        let before = self.baseline.indicators.get(&(key(days), code));
        let place = |place: &client::PlaceIndicators| {
            let area = match place.code.as_str() {
                "" => Area::Country,
                "TW" => Area::Centre,
                code => Area::Province(self.ordinal(&AgencyCode::parse(code).ok()?)?),
            };
            let same = |was: &&client::PlaceIndicators| {
                (&was.code, was.level) == (&place.code, place.level)
            };
            let was = before.and_then(|places| places.iter().find(same));
            let figures = place.figures.iter().map(|now| figure(now, was)).collect();
            Some(PlaceIndicators { area, level: place.level, figures })
        };
        Ok(asked.iter().filter_map(place).collect())
    }

    fn journal(&self) -> Result<Journalled, AccountError> {
        Ok(Journalled {
            documents: self.views()?.len() as u64,
            unproven: self.known.unproven.iter().copied().collect(),
            declined: self.known.declined.clone(),
            blocks: 0,
        })
    }

    fn mailboxes(&self) -> Result<Option<BTreeSet<(Ordinal, Position)>>, AccountError> {
        Ok(None)
    }

    fn replay(&self) -> Result<Option<Vec<String>>, AccountError> {
        Ok(None)
    }

    fn distrusted(&self) -> Option<Vec<String>> {
        Some(self.known.distrusted.clone())
    }

    fn tells_each(&self, reason: Reason) -> bool {
        reason != Reason::StorageLow
    }

    fn told(&self) -> Told {
        self.known.told
    }
}

impl LiveAxis {
    fn views(&self) -> Result<&[DocumentView], AccountError> {
        if self.known.views.get().is_none() {
            // Nobody else sets it.
            let _ = self.known.views.set(self.tracked()?);
        }
        Ok(self.known.views.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// Every document, as its sender is told.
    fn tracked(&self) -> Result<Vec<DocumentView>, AccountError> {
        let stations = self.stations();
        let asked = self.known.accepted.values().filter_map(|(sender, id)| {
            let (code, station) = stations.get(sender)?.clone();
            let id = *id;
            Some(async move {
                let client = station.client(code.as_str()).await?;
                Ok::<_, LiveError>(there(client.track(&code, id).await)?)
            })
        });
        let tracked: Vec<_> =
            self.runtime().block_on(stream::iter(asked).buffered(ASKING).collect());
        let tracked: Result<Vec<Option<TrackedDocument>>, LiveError> =
            tracked.into_iter().collect();
        let documents = self.told(tracked)?.into_iter().flatten();
        Ok(documents.filter_map(|one| view(one, &self.directory)).collect())
    }
}

/// A document that the hub says it does not have is not there: a law judges that. Whoever does not
/// answer has said nothing.
fn there(
    tracked: Result<TrackedDocument, CallError>,
) -> Result<Option<TrackedDocument>, CallError> {
    match tracked {
        Ok(document) => Ok(Some(document)),
        Err(CallError::Refused(refusal)) if refusal.reason == Reason::DocumentUnknown => Ok(None),
        Err(error) => Err(error),
    }
}

/// An indicator's figure, without what had been counted before.
fn figure(now: &client::IndicatorFigure, was: Option<&client::PlaceIndicators>) -> IndicatorFigure {
    let same = |one: &&client::IndicatorFigure| one.indicator == now.indicator;
    let was = was.and_then(|place| place.figures.iter().find(same));
    let was = was.map_or(client::Share::default(), |was| was.share);
    let share = Share {
        numerator: now.share.numerator.saturating_sub(was.numerator),
        denominator: now.share.denominator.saturating_sub(was.denominator),
        value: None,
    };
    let (indicator, before, targets) = (now.indicator, Share::default(), Vec::new());
    IndicatorFigure { indicator, share, before, targets }
}

fn volume(now: &client::ProvinceVolume, was: Option<&client::ProvinceVolume>) -> Volume {
    let level = |one: &client::LevelVolume| {
        let was = was.and_then(|was| was.levels.iter().find(|w| w.level == one.level));
        let volume = LevelVolume {
            sent: one.sent - was.map_or(0, |was| was.sent),
            received: one.received - was.map_or(0, |was| was.received),
            personally_signed: 0,
        };
        (one.level, volume)
    };
    Volume {
        sent: now.sent - was.map_or(0, |was| was.sent),
        received: now.received - was.map_or(0, |was| was.received),
        personally_signed: now.personally_signed - was.map_or(0, |was| was.personally_signed),
        by_level: now.levels.iter().map(level).collect(),
    }
}

/// A document as the records of `core` have it; what the API does not tell is empty.
fn view(tracked: TrackedDocument, directory: &Directory) -> Option<DocumentView> {
    let ordinal = |code: &AgencyCode| directory.find(code).map(|agency| agency.ordinal);
    let deliveries = tracked.deliveries.into_iter().filter_map(|one| {
        let statuses = one.statuses.into_iter().map(|line| StatusLine {
            code: line.code,
            at: line.at,
            position: line.position,
            reason: line.reason,
        });
        let delivery = DeliveryRow {
            route: route(&one.route, directory),
            acknowledged_at: one.acknowledged_at,
            attempts: one.attempts,
            statuses: statuses.collect(),
            mark: one.mark.as_ref().map(mark),
            asked: None,
            negative: None,
            index: None,
            made: None,
            picked_up_by: None,
            overdue_by: None,
        };
        Some(TrackedDelivery { recipient: ordinal(&one.recipient)?, delivery })
    });
    let deliveries = deliveries.collect();
    let found_revoked =
        (tracked.revocation == Some(Revocation::FoundRevoked)).then_some(tracked.received_at);
    let document = DocumentRow {
        id: tracked.id,
        sender: ordinal(&tracked.sender)?,
        received_at: tracked.received_at,
        digest: tracked.sha256,
        block: 0,
        entry: 0,
        signature: tracked.signature,
        reference: Reference { text: tracked.reference, ..Reference::default() },
        subject: tracked.subject,
        document_type: tracked.document_type,
        urgency: tracked.urgency,
        signed_at: tracked.signed_at,
        due: tracked.due,
        recipients: tracked.recipients,
        unproven: Vec::new(),
        found_revoked,
        same_reference: None,
        acts_on: None,
        changed: None,
        extent: None,
        slices: None,
        answers: None,
        lapsed: None,
        reminded: None,
    };
    let position = tracked.position;
    Some(DocumentView { position, document, deliveries, same_reference: None })
}

fn route(told: &client::Route, directory: &Directory) -> lienthong_core::Route {
    match told {
        client::Route::OwnNode => lienthong_core::Route::OwnNode,
        client::Route::Held => lienthong_core::Route::Held,
        client::Route::Gateway(gateway) => match directory.find(gateway) {
            Some(gateway) => lienthong_core::Route::Gateway(gateway.ordinal),
            None => lienthong_core::Route::Held,
        },
    }
}

fn mark(told: &client::DeliveryMark) -> Mark {
    let by = &told.by;
    let by = ChangeMessage {
        kind: by.kind,
        position: by.position,
        id: by.id,
        at: by.at,
        reason: by.reason.clone(),
    };
    Mark { standing: told.standing, by }
}

#[cfg(test)]
mod tests {
    use lienthong_model::{Digest, Refusal, Timestamp};
    use lienthong_trust::SignatureKind;

    use super::*;

    fn receipt(repeated: bool) -> Receipt {
        let at = Timestamp::from_millis(1);
        Receipt {
            sender: AgencyCode::parse("H36").unwrap(),
            id: MessageId::new(at, [0; 10]),
            position: Position(3),
            received_at: at,
            sha256: Digest::of(b"x"),
            repeated,
            signature: SignatureKind::Seal,
            routes: Vec::new(),
            left_out: Vec::new(),
            recipients: 0,
            left_out_total: 0,
            proof: None,
            revocation: Some(Revocation::NotProven),
            same_reference: None,
            changes: Vec::new(),
        }
    }

    #[test]
    fn where_nobody_judges_what_is_over_is_counted_and_not_kept() {
        for (remembers, kept) in [(Remembers::Everything, 1), (Remembers::WhatIsOpen, 0)] {
            let mut known = Known::of(remembers);
            known.accepted(Ordinal(1), &receipt(false));
            known.accepted(Ordinal(1), &receipt(true));
            let declined =
                node::Declined { at: Timestamp::from_millis(1), reason: Reason::StorageLow };
            known.declined(declined, None, None);
            known.distrusted("a delivery".to_owned());
            let held = [
                known.accepted.len(),
                known.unproven.len(),
                known.declined.len(),
                known.distrusted.len(),
            ];
            assert_eq!(held, [kept; 4], "{remembers:?}");
            assert_eq!(known.told.repeated, 1, "{remembers:?}");
        }
    }

    #[test]
    fn what_the_hub_does_not_have_is_not_there_and_every_other_refusal_is_an_error() {
        let refused = |reason| Err(CallError::Refused(Refusal::new(reason)));
        assert_eq!(there(refused(Reason::DocumentUnknown)), Ok(None));
        assert!(there(refused(Reason::Draining)).is_err());
    }
}
