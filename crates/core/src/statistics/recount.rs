//! A recount of the statistics from the journal, to be compared with what the state has.
//!
//! It follows every delivery from block to block by itself and shares nothing with the fold but the
//! numbers of cells and pages. In memory are the deliveries that are not ended, and every cell.
//!
//! The state may go on meanwhile: a page says which block was folded into it last, so one that is
//! ahead of the recount is put aside and compared when the recount has come to that block. That is
//! exact for every page, and nobody waits for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;

use lienthong_model::{ChangeEffect, ChangeKind, Ordinal, Position, StatusCode, Timestamp};

use super::ask::Source;
use super::cells::{
    Address, AgencyCell, CellKey, FlowCell, InCountry, KindCell, OutflowCell, PlaceCell,
    ProgressCell, TypeCell, VolumeCell,
};
use super::cubes::CubeName;
use super::difference::Recounted;
use super::event::{Direction, Traits};
use super::figures::{Figure, Until};
use super::page::{Cell, Page, PageKey};
use super::period::{PageGrain, Period};
use super::visit::{Wanted, visit};
use crate::block::Block;
use crate::change::ChangeMade;
use crate::command::{
    Accepted, AcknowledgeOutcome, Command, Counted, Decision, Delivery, DeliveryKey, Entry, Submit,
};
use crate::directory::{Directory, Place};
use crate::engine::{Blocks, EngineError};
use crate::notice::NoticeKind;
use crate::routing::{Span, span};

/// A recount under way.
#[derive(Debug, Default)]
pub struct Recount {
    pages: HashMap<(CubeName, PageKey), BTreeMap<u64, Cell>>,
    open: HashMap<DeliveryKey, Life>,
    /// Due dates of documents that have one.
    dues: HashMap<Position, Timestamp>,
    /// The first place of the log in each block that accepts documents.
    places: Vec<(Position, u64)>,
    /// The last block that was counted.
    block: u64,
}

/// A comparison under way: pages that are ahead of the recount wait for it.
#[derive(Debug)]
pub struct Comparing {
    found: Recounted,
    ahead: BTreeMap<u64, Vec<(CubeName, PageKey, Page)>>,
}

/// What became of a delivery so far.
#[derive(Debug, Clone, Copy)]
struct Life {
    made: Timestamp,
    place: Place,
    due: Option<Timestamp>,
    picked_up: bool,
    worked_on: bool,
    overdue: bool,
}

impl Recount {
    /// Counts a block; they come in their order, from the first. `blocks` has those before it.
    ///
    /// # Errors
    /// [`EngineError`] when an earlier block cannot be read.
    pub fn count(
        &mut self,
        number: u64,
        block: &Block,
        blocks: &dyn Blocks,
    ) -> Result<(), EngineError> {
        self.block = number;
        for entry in &block.entries {
            self.entry(number, block.time, entry, blocks)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        number: u64,
        now: Timestamp,
        entry: &Entry,
        blocks: &dyn Blocks,
    ) -> Result<(), EngineError> {
        match (&entry.command, &entry.decision) {
            (Command::Submit(submit), Decision::Accepted(accepted)) => {
                if self.places.last().is_none_or(|(_, last)| *last != number) {
                    self.places.push((accepted.position, number));
                }
                self.submitted(now, submit, accepted, blocks)?;
            }
            (Command::FanOut(slice), Decision::FannedOut(deliveries)) => {
                let document = (slice.position, slice.counted);
                deliveries.iter().for_each(|one| self.delivered(now, document, *one));
            }
            (Command::Acknowledge(command), Decision::Acknowledged(decided)) => {
                for (delivery, outcome) in command.deliveries.iter().zip(&decided.outcomes) {
                    if *outcome == AcknowledgeOutcome::Counted {
                        self.picked_up(now, delivery.key);
                    }
                }
            }
            (Command::Report(report), Decision::Reported(reported)) => match &reported.change {
                Some(change) => self.changed(change),
                None => self.reported(now, reported.delivery, report.header.code),
            },
            (Command::Tick(_), Decision::Ticked(ticked)) => {
                for told in ticked.notices.iter().flat_map(|notices| &notices.told) {
                    if told.kind == NoticeKind::OverdueHere {
                        self.overdue(told.delivery);
                    }
                }
            }
            (Command::Refused { requests, province }, Decision::Refused(refusal)) => {
                let own = std::iter::once((refusal.reason, 1));
                let added = requests.added_up.iter().map(|one| (one.reason, one.count));
                for (reason, count) in own.chain(added) {
                    let add = Cell { count: u64::from(count), measure: 0 };
                    self.add(now, *province, reason, add);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn submitted(
        &mut self,
        now: Timestamp,
        submit: &Submit,
        accepted: &Accepted,
        blocks: &dyn Blocks,
    ) -> Result<(), EngineError> {
        let Accepted { position, sender, place, .. } = *accepted;
        if let Some(due) = submit.header.due {
            self.dues.insert(position, due);
        }
        let counted = counted(submit, accepted);
        let provinces = accepted.deliveries.iter().map(|one| one.place.province);
        let mut scope = accepted.fan_out().map_or(Span::Inside, |plan| plan.scope);
        for province in provinces {
            scope = scope.max(span(place.province, province));
        }
        let Traits { document_type, signature, paper_copy, pages } = counted.traits;
        let Place { province, level } = place;
        let direction = Direction::Sent;
        let key = KindCell { level, direction, scope, signature, paper_copy, document_type };
        self.document(now, province, key, pages);
        self.agency(now, (sender, place), Figure::SENT);
        if signature.is_personal() {
            self.agency(now, (sender, place), Figure::SENT_PERSONALLY);
        }
        if paper_copy {
            self.agency(now, (sender, place), Figure::SENT_ON_PAPER);
        }
        accepted.deliveries.iter().for_each(|one| self.delivered(now, (position, counted), *one));
        let Some(change) = &accepted.change else { return Ok(()) };
        self.changed(change);
        if !change.added.is_empty() {
            let old = self.counted_of(change.document, blocks)?;
            let old = Counted { sender: place, ..old };
            change.added.iter().for_each(|one| self.delivered(now, (change.document, old), *one));
        }
        Ok(())
    }

    /// What is counted of a document of an earlier block.
    fn counted_of(&self, position: Position, blocks: &dyn Blocks) -> Result<Counted, EngineError> {
        let missing = || EngineError::Damaged {
            what: format!("document {position}"),
            why: "the journal has none at that place".to_owned(),
        };
        let after = self.places.partition_point(|(first, _)| *first <= position);
        let (_, number) = after.checked_sub(1).map(|at| self.places[at]).ok_or_else(missing)?;
        let block = blocks.block(number)?.ok_or_else(missing)?;
        let found =
            block.entries.iter().find_map(|entry| match (&entry.command, &entry.decision) {
                (Command::Submit(submit), Decision::Accepted(accepted))
                    if accepted.position == position =>
                {
                    Some(counted(submit, accepted))
                }
                _ => None,
            });
        found.ok_or_else(missing)
    }

    fn delivered(
        &mut self,
        now: Timestamp,
        (position, counted): (Position, Counted),
        to: Delivery,
    ) {
        let Counted { sender, traits, bytes } = counted;
        let Traits { document_type, signature, paper_copy, pages } = traits;
        let Delivery { recipient, place, .. } = to;
        let scope = span(sender.province, place.province);
        let (level, direction) = (place.level, Direction::Received);
        let key = KindCell { level, direction, scope, signature, paper_copy, document_type };
        self.document(now, place.province, key, pages);
        let (sender_level, recipient_level) = (sender.level, level);
        let recipient_province = place.province;
        let flow = FlowCell { sender_level, recipient_province, recipient_level };
        let add = Cell { count: 1, measure: bytes };
        self.add(now, sender.province, flow, add);
        self.add(now, sender.province, OutflowCell { sender_level, recipient_level }, add);
        self.agency(now, (recipient, place), Figure::RECEIVED);
        if scope == Span::Inside {
            self.agency(now, (recipient, place), Figure::RECEIVED_INSIDE);
            if paper_copy {
                self.agency(now, (recipient, place), Figure::RECEIVED_INSIDE_ON_PAPER);
            }
        }
        let due = self.dues.get(&position).copied();
        let life =
            Life { made: now, place, due, picked_up: false, worked_on: false, overdue: false };
        self.step(recipient, life, Figure::DELIVERED);
        if due.is_some() {
            self.step(recipient, life, Figure::WITH_DUE_DATE);
        }
        self.open.insert(DeliveryKey { recipient, position }, life);
    }

    fn picked_up(&mut self, now: Timestamp, key: DeliveryKey) {
        let Some(life) = self.open.get_mut(&key) else { return };
        if !std::mem::replace(&mut life.picked_up, true) {
            let life = *life;
            self.timed(now, key.recipient, life, Figure::ACKNOWLEDGED);
        }
    }

    fn reported(&mut self, now: Timestamp, key: DeliveryKey, code: StatusCode) {
        self.picked_up(now, key);
        let Some(life) = self.open.get_mut(&key) else { return };
        let works =
            matches!(code, StatusCode::Assigned | StatusCode::Processing | StatusCode::Finished);
        let first = works && !life.worked_on;
        life.worked_on |= works;
        let life = *life;
        let recipient = key.recipient;
        if first {
            self.step(recipient, life, Figure::PROCESSED);
        }
        match code {
            StatusCode::Accepted => self.timed(now, recipient, life, Figure::ACCEPTED),
            StatusCode::Refused => self.step(recipient, life, Figure::REFUSED),
            StatusCode::Finished => {
                self.timed(now, recipient, life, Figure::FINISHED);
                if life.due.is_some_and(|due| now <= due) {
                    self.step(recipient, life, Figure::ON_TIME);
                }
            }
            _ => return,
        }
        if matches!(code, StatusCode::Refused | StatusCode::Finished) {
            if life.due.is_some_and(|due| now > due) {
                self.overdue(key);
            }
            self.open.remove(&key);
        }
    }

    fn overdue(&mut self, key: DeliveryKey) {
        let Some(life) = self.open.get_mut(&key) else { return };
        if !std::mem::replace(&mut life.overdue, true) {
            let life = *life;
            self.step(key.recipient, life, Figure::OVERDUE);
        }
    }

    /// What is taken back or replaced at once waits no more.
    fn changed(&mut self, change: &ChangeMade) {
        for one in &change.deliveries {
            let ends = one.effect == ChangeEffect::AtOnce && one.kind != ChangeKind::Update;
            let key = DeliveryKey { recipient: one.recipient, position: change.document };
            if ends && let Some(life) = self.open.get(&key).copied() {
                self.step(key.recipient, life, Figure::TAKEN_BACK);
            }
        }
    }

    fn timed(&mut self, now: Timestamp, agency: Ordinal, life: Life, figure: Figure) {
        self.step(agency, life, figure);
        let until = match figure {
            Figure::ACKNOWLEDGED => Until::Arrived,
            Figure::ACCEPTED => Until::Accepted,
            _ => Until::Finished,
        };
        let took = now.millis().saturating_sub(life.made.millis()).max(0).unsigned_abs();
        let figure = Figure::bucket(until, std::time::Duration::from_millis(took));
        let time = ProgressCell { level: life.place.level, figure };
        self.add(life.made, life.place.province, time, Cell::ONE);
        self.add(life.made, None, InCountry(time), Cell::ONE);
    }

    fn step(&mut self, agency: Ordinal, life: Life, figure: Figure) {
        let Place { province, level } = life.place;
        self.add(life.made, province, ProgressCell { level, figure }, Cell::ONE);
        self.agency(life.made, (agency, life.place), figure);
    }

    fn agency(&mut self, at: Timestamp, (agency, place): (Ordinal, Place), figure: Figure) {
        let Place { province, level } = place;
        self.add(at, province, AgencyCell { agency, level, figure }, Cell::ONE);
    }

    /// A document sent or received, in each cube that counts it.
    fn document(&mut self, at: Timestamp, province: Option<Ordinal>, kind: KindCell, pages: u32) {
        let KindCell { level, direction, scope, signature, paper_copy, document_type } = kind;
        let add = Cell { count: 1, measure: u64::from(pages) };
        self.add(at, province, kind, add);
        self.add(at, None, InCountry(kind), add);
        let volume = VolumeCell { level, direction, scope, signature, paper_copy };
        self.add(at, province, volume, add);
        self.add(at, province, PlaceCell { level, direction }, add);
        self.add(at, province, TypeCell { level, direction, signature, document_type }, add);
    }

    fn add(&mut self, at: Timestamp, province: Option<Ordinal>, key: impl CellKey, add: Cell) {
        let (cube, Address { province, part, number }) = (key.cube(), key.address(province));
        for grain in cube.grains() {
            let page = PageKey { grain: *grain, number: grain.number(at), province, part };
            let cells = self.pages.entry((cube, page)).or_default();
            *cells.entry(number).or_default() += add;
        }
    }

    /// Compares the recount with what the state has, which must be as far as the recount at least.
    /// Pages that are further wait: count on until [`Comparing::ahead`] names no block.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn compare(&self, source: &Source<'_>) -> Result<Comparing, EngineError> {
        let mut comparison = Comparing { found: Recounted::default(), ahead: BTreeMap::new() };
        let mut seen = BTreeSet::new();
        let since = source.cubes.read().unwrap_or_else(PoisonError::into_inner).hours_since();
        for cube in CubeName::ALL {
            for grain in cube.grains() {
                let from = if *grain == PageGrain::Hour { since.start() } else { Period::ALL.from };
                let period = Period { from, ..Period::ALL };
                let grains = std::slice::from_ref(grain);
                let wanted = Wanted { cube, grains, period, provinces: None };
                visit(source.cubes, source.tables, &wanted, &mut |key, cells| {
                    let page = cells.page()?;
                    seen.insert((cube, key));
                    match page.as_of() > self.block {
                        true => comparison.set_aside(cube, key, page),
                        false => {
                            let found = &mut comparison.found;
                            self.compare_page(found, (cube, key), &page, source.directory);
                        }
                    }
                    Ok(())
                })?;
            }
        }
        // What the state does not have at all. Hours that are not kept any more it need not have.
        let is_kept = |page: &PageKey| page.grain != PageGrain::Hour || page.number >= since.0;
        let missing = self
            .pages
            .keys()
            .filter(|(cube, page)| is_kept(page) && !seen.contains(&(*cube, *page)));
        let missing: BTreeSet<_> = missing.copied().collect();
        for at in missing {
            self.compare_page(&mut comparison.found, at, &Page::default(), source.directory);
        }
        Ok(comparison)
    }

    fn compare_page(
        &self,
        found: &mut Recounted,
        (cube, key): (CubeName, PageKey),
        kept: &Page,
        directory: &Directory,
    ) {
        let recounted = self.pages.get(&(cube, key)).into_iter().flatten();
        let mut both: BTreeMap<u64, (Cell, Cell)> = BTreeMap::new();
        for (number, cell) in kept.cells() {
            both.entry(number).or_default().0 = cell;
        }
        for (number, cell) in recounted {
            both.entry(*number).or_default().1 = *cell;
        }
        found.cells += both.len() as u64;
        for (number, cells) in both {
            found.compare(cube, key, number, cells, directory);
        }
    }
}

impl Comparing {
    /// Returns the last block that must still be counted; none when all is compared.
    pub fn ahead(&self) -> Option<u64> {
        self.ahead.last_key_value().map(|(block, _)| *block)
    }

    /// Compares the pages that the recount has come to. Call it after each block that is counted.
    pub fn reached(&mut self, recount: &Recount, directory: &Directory) {
        for (cube, key, page) in self.ahead.remove(&recount.block).unwrap_or_default() {
            recount.compare_page(&mut self.found, (cube, key), &page, directory);
        }
    }

    /// Returns what was found; a page of a block that never came is not what the journal says.
    pub fn finish(mut self, recount: &Recount, directory: &Directory) -> Recounted {
        for (cube, key, page) in std::mem::take(&mut self.ahead).into_values().flatten() {
            recount.compare_page(&mut self.found, (cube, key), &page, directory);
        }
        Recounted { blocks: recount.block, ..self.found }
    }

    fn set_aside(&mut self, cube: CubeName, key: PageKey, page: Page) {
        self.ahead.entry(page.as_of()).or_default().push((cube, key, page));
    }
}

/// What is counted of a document.
fn counted(submit: &Submit, accepted: &Accepted) -> Counted {
    let header = &submit.header;
    let traits = Traits {
        document_type: header.document_type,
        signature: accepted.signature,
        paper_copy: header.paper_copy,
        pages: header.pages,
    };
    Counted { sender: accepted.place, traits, bytes: submit.whole_size() }
}
