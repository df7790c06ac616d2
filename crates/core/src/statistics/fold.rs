//! Folding: which events count in which cells.

use std::time::Duration;

use lienthong_model::{Ordinal, Timestamp};

use super::cells::{AgencyCell, CellKey, FlowCell, InCountry, KindCell, OutflowCell, ProgressCell};
use super::cubes::{Cubes, Moment};
use super::event::{Direction, Event, Made, Traits};
use super::figures::{Figure, Until};
use super::page::Cell;
use crate::directory::Place;
use crate::engine::{EngineError, Tables};
use crate::routing::{Span, span};

/// Which block is being folded, and its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fold {
    pub block: u64,
    pub time: Timestamp,
}

/// What folding a block needs.
struct Folding<'a> {
    cubes: &'a mut Cubes,
    fold: Fold,
    now: Moment,
}

impl Cubes {
    /// Folds the events of one block that stands on disk.
    pub(crate) fn fold(
        &mut self,
        tables: &dyn Tables,
        fold: Fold,
        events: &[Event],
    ) -> Result<(), EngineError> {
        self.passed(fold.time);
        let mut folding = Folding { cubes: self, fold, now: Moment::of(fold.time) };
        events.iter().for_each(|event| folding.count(event));
        self.folded(tables)
    }
}

impl Folding<'_> {
    fn count(&mut self, event: &Event) {
        match *event {
            Event::Sent { agency, sender, scope, traits } => {
                self.documents(sender, Direction::Sent, scope, traits);
                self.sent(agency, sender, traits);
            }
            Event::Received { agency, sender, made, bytes, traits } => {
                let scope = span(sender.province, made.place.province);
                self.exchange(sender, made.place, bytes);
                self.documents(made.place, Direction::Received, scope, traits);
                self.received(agency, made, (scope, traits.paper_copy));
            }
            Event::Progressed { agency, made, figure } => self.progress(agency, made, figure),
            Event::Refused { province, reason, count } => {
                let add = Cell { count: u64::from(count), measure: 0 };
                self.add(self.now, province, reason, add);
            }
        }
    }

    fn exchange(&mut self, from: Place, to: Place, bytes: u64) {
        let flow = FlowCell {
            sender_level: from.level,
            recipient_province: to.province,
            recipient_level: to.level,
        };
        let outflow = OutflowCell { sender_level: from.level, recipient_level: to.level };
        let add = Cell { count: 1, measure: bytes };
        self.add(self.now, from.province, flow, add);
        self.add(self.now, from.province, outflow, add);
    }

    fn documents(&mut self, place: Place, direction: Direction, scope: Span, traits: Traits) {
        let Place { province, level } = place;
        let Traits { document_type, signature, paper_copy, pages } = traits;
        let kind = KindCell { level, direction, scope, signature, paper_copy, document_type };
        let add = Cell { count: 1, measure: u64::from(pages) };
        self.add(self.now, province, kind, add);
        self.add(self.now, province, kind.place(), add);
        self.add(self.now, province, kind.volume(), add);
        self.add(self.now, province, kind.of_type(), add);
        self.add(self.now, province, InCountry(kind), add);
    }

    fn sent(&mut self, agency: Ordinal, sender: Place, traits: Traits) {
        let figures = [
            Some(Figure::SENT),
            traits.signature.is_personal().then_some(Figure::SENT_PERSONALLY),
            traits.paper_copy.then_some(Figure::SENT_ON_PAPER),
        ];
        let now = self.now;
        figures.into_iter().flatten().for_each(|one| self.agency(now, (agency, sender), one));
    }

    fn received(&mut self, agency: Ordinal, made: Made, (scope, paper): (Span, bool)) {
        let inside = scope == Span::Inside;
        let figures = [
            Some(Figure::RECEIVED),
            inside.then_some(Figure::RECEIVED_INSIDE),
            (inside && paper).then_some(Figure::RECEIVED_INSIDE_ON_PAPER),
        ];
        for figure in figures.into_iter().flatten() {
            self.agency(self.now, (agency, made.place), figure);
        }
        self.progress(agency, made, Figure::DELIVERED);
        if made.due.is_some() {
            self.progress(agency, made, Figure::WITH_DUE_DATE);
        }
    }

    /// Counts how far a delivery came where it was made, and how long that took.
    fn progress(&mut self, agency: Ordinal, made: Made, figure: Figure) {
        let Place { province, level } = made.place;
        let then = Moment::of(made.at);
        self.add(then, province, ProgressCell { level, figure }, Cell::ONE);
        self.agency(then, (agency, made.place), figure);
        let Some(until) = Until::of(figure) else { return };
        let took = self.fold.time.millis().saturating_sub(made.at.millis());
        let took = Duration::from_millis(took.max(0).unsigned_abs());
        let time = ProgressCell { level, figure: Figure::bucket(until, took) };
        self.add(then, province, time, Cell::ONE);
        self.add(then, province, InCountry(time), Cell::ONE);
    }

    fn agency(&mut self, at: Moment, (agency, place): (Ordinal, Place), figure: Figure) {
        let Place { province, level } = place;
        self.add(at, province, AgencyCell { agency, level, figure }, Cell::ONE);
    }

    fn add(&mut self, at: Moment, province: Option<Ordinal>, key: impl CellKey, add: Cell) {
        self.cubes.add(key.cube(), at, key.address(province), (self.fold.block, add));
    }
}
