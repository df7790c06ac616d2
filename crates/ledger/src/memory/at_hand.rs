//! The rows of a state in memory: those at hand, those that have left, and what some blocks ago was
//! under them.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use lienthong_core::Settling;
use lienthong_core::engine::{Change, EngineError, Marker, Tables, Writes};
use lienthong_model::limits::CHUNK_BLOCKS;

use super::key::Key;
use super::past::{Past, Replaced};
use super::settled::{LeavingRows, SettledRows};
use crate::rows::{Merged, Row, Source};

#[derive(Debug, Default)]
pub(super) struct MemoryRows {
    rows: BTreeMap<Key, RowAtHand>,
    pub settled: Option<SettledRows>,
    pub past: Option<Past>,
    pub marker: Option<Marker>,
    blocks_since_cut: u64,
}

#[derive(Debug)]
struct RowAtHand {
    /// `None` hides what left memory before.
    value: Option<Bytes>,
    /// The round in which it was written last.
    round: u32,
}

/// A block and those after it that are not seen.
pub(super) type Unseen = Option<u64>;

impl MemoryRows {
    /// Those that let rows leave.
    pub fn leaving(settled: SettledRows) -> Self {
        Self { settled: Some(settled), ..Self::default() }
    }

    /// How many are at hand.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether a row is at hand.
    pub fn is_at_hand(&self, key: &[u8]) -> bool {
        self.rows.get(&Key::of(key)).is_some_and(|row| row.value.is_some())
    }

    /// Takes what a block changes.
    pub fn take(&mut self, change: Change) -> Result<(), EngineError> {
        self.write(change.marker.block, change.writes);
        self.blocks_since_cut += 1;
        if change.cut {
            self.blocks_since_cut = 0;
            self.marker = Some(change.marker);
        }
        let Some(settled) = &mut self.settled else { return Ok(()) };
        settled.go_on()?;
        if settled.is_due(change.cut) { self.settle() } else { Ok(()) }
    }

    /// Whether the next block is to be a cut.
    pub fn cut_due(&self) -> bool {
        match &self.settled {
            Some(settled) => settled.cut_due(self.blocks_since_cut),
            None => self.blocks_since_cut + 1 >= CHUNK_BLOCKS,
        }
    }

    fn put(&mut self, key: &[u8], value: Option<Bytes>) -> Replaced {
        let hides = self.settled.as_ref().is_some_and(|settled| settled.may_hold(key));
        let round = self.settled.as_mut().map_or(0, SettledRows::written);
        let replaced = match value.is_some() || hides {
            true => self.rows.insert(Key::of(key), RowAtHand { value, round }),
            false => self.rows.remove(&Key::of(key)),
        };
        replaced.map_or(Replaced::Left, |row| Replaced::Row(row.value))
    }

    fn write(&mut self, block: u64, writes: Writes) {
        let Some(mut past) = self.past.take() else {
            return writes.into_iter().for_each(|(key, value)| drop(self.put(&key, value)));
        };
        let put =
            |(key, value): &(Vec<u8>, Option<Bytes>)| (Key::of(key), self.put(key, value.clone()));
        let replaced = writes.iter().map(put).collect();
        past.keep(block, writes, replaced);
        self.past = Some(past);
    }

    /// The row under a key.
    pub fn read(&self, key: &[u8], unseen: Unseen) -> Result<Option<Bytes>, EngineError> {
        let short = Key::of(key);
        let before = || self.past.as_ref()?.before(unseen?, &short);
        match before() {
            Some(Replaced::Row(row)) => return Ok(row.clone()),
            Some(Replaced::Left) => return self.read_settled(key, &short),
            None => {}
        }
        match self.rows.get(&short) {
            Some(row) => Ok(row.value.clone()),
            None => self.read_settled(key, &short),
        }
    }

    fn read_settled(&self, key: &[u8], short: &Key) -> Result<Option<Bytes>, EngineError> {
        self.settled.as_ref().map_or(Ok(None), |settled| settled.read(key, short))
    }

    /// The next rows from a bound on, deleted ones among them, and how many.
    pub fn page(
        &self,
        unseen: Unseen,
        prefix: &[u8],
        from: Bound<&[u8]>,
        max: usize,
    ) -> Result<(Vec<Row>, usize), EngineError> {
        let at_hand = self
            .rows
            .range((from.map(Key::of), Bound::Unbounded))
            .map(|(key, row)| (key.to_bytes(), row.value.clone()))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(Ok);
        let before = self.past.as_ref().zip(unseen).into_iter().flat_map(|(past, unseen)| {
            past.before_all(unseen, &(from.map(Key::of), Bound::Unbounded))
                .into_iter()
                .map(|(short, replaced)| (short.to_bytes(), short, replaced))
                .take_while(|(key, ..)| key.starts_with(prefix))
                .map(|(key, short, replaced)| {
                    let row = match replaced {
                        Replaced::Row(row) => row.clone(),
                        Replaced::Left => self.read_settled(&key, short)?,
                    };
                    Ok((key, row))
                })
        });
        let settled = self.settled.as_ref().map(|settled| settled.range(prefix, from));
        let sources = [Box::new(before) as Source<'_>, Box::new(at_hand)]
            .into_iter()
            .chain(settled.into_iter().flatten());
        let page = Merged::of(sources).take(max).collect::<Result<Vec<_>, _>>()?;
        let looked_at = page.len();
        Ok((page, looked_at))
    }

    /// Lets rows leave memory.
    fn settle(&mut self) -> Result<(), EngineError> {
        let Some(settled) = &mut self.settled else { return Ok(()) };
        let survey = match settled.round() {
            None => Some(Settling::survey(&AtHand(&self.rows))?),
            Some(_) => None,
        };
        let round = settled.round();
        let untouched =
            |key: &[u8], row: &RowAtHand| Some(row.round) != round && Settling::may_rest(key);
        let leaves = |key: &[u8], row: &RowAtHand| match (&row.value, &survey) {
            (None, _) => Ok(true),
            (Some(value), Some(survey)) => survey.is_settled(key, value),
            (Some(_), None) => Ok(untouched(key, row)),
        };
        let past = self.past.as_ref().map(Past::keys).unwrap_or_default();
        let mut past = past.into_iter().peekable();
        // What a block has replaced may have left memory; what it wrote instead must not follow it.
        let mut is_past = |key: &Key| {
            while past.next_if(|past| *past < key).is_some() {}
            past.peek().is_some_and(|past| *past == key)
        };
        let (mut leaving, mut staying) = (LeavingRows::new(), Vec::with_capacity(self.rows.len()));
        for (key, row) in std::mem::take(&mut self.rows) {
            let stays = is_past(&key) || !key.with(|bytes| leaves(bytes, &row))?;
            match stays {
                true => staying.push((key, row)),
                false => leaving.push((key, row.value)),
            }
        }
        // Made anew, so that its nodes are full.
        self.rows = staying.into_iter().collect();
        settled.take(leaving)
    }
}

/// Rows in memory, as a survey looks at them.
struct AtHand<'r>(&'r BTreeMap<Key, RowAtHand>);

impl Tables for AtHand<'_> {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(&Key::of(key)).and_then(|row| row.value.clone()))
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        let mut rows = self.0.range(Key::of(prefix.max(from))..);
        rows.all(|(key, row)| {
            key.with(|key| {
                key.starts_with(prefix) && row.value.as_ref().is_none_or(|value| visit(key, value))
            })
        });
        Ok(())
    }
}
