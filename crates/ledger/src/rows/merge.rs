//! Several sorted sources of rows as one: of rows with the same key the newest source's counts.

use lienthong_core::engine::EngineError;

use super::Row;

/// Rows in rising order of their keys.
pub(crate) type Source<'s> = Box<dyn Iterator<Item = Result<Row, EngineError>> + 's>;

/// The newest row of each key, deletions included. Ends after its first error.
pub(crate) struct Merged<'s> {
    /// Newest first, each with the row at hand.
    sources: Vec<(Option<Row>, Source<'s>)>,
    failed: Option<EngineError>,
}

impl<'s> Merged<'s> {
    /// Merges sources, the newest first.
    pub fn of(sources: impl IntoIterator<Item = Source<'s>>) -> Self {
        let mut merged = Self { sources: Vec::new(), failed: None };
        for mut source in sources {
            match source.next().transpose() {
                Ok(Some(row)) => merged.sources.push((Some(row), source)),
                Ok(None) => {}
                Err(error) => merged.failed = Some(error),
            }
        }
        merged
    }

    fn step(&mut self) -> Result<Option<Row>, EngineError> {
        if let Some(error) = self.failed.take() {
            self.sources.clear();
            return Err(error);
        }
        let mut newest: Option<usize> = None;
        for at in 0..self.sources.len() {
            let Some((key, _)) = self.head(at) else { continue };
            if newest.and_then(|newest| self.head(newest)).is_none_or(|(known, _)| key < known) {
                newest = Some(at);
            }
        }
        let Some(row) = newest.and_then(|at| self.advance(at)) else { return Ok(None) };
        for at in 0..self.sources.len() {
            if self.head(at).is_some_and(|(key, _)| *key == row.0) {
                self.advance(at);
            }
        }
        self.sources.retain(|(head, _)| head.is_some());
        Ok(Some(row))
    }

    fn head(&self, at: usize) -> Option<&Row> {
        self.sources.get(at)?.0.as_ref()
    }

    /// Takes the row at hand of a source; an error is told at the next step.
    fn advance(&mut self, at: usize) -> Option<Row> {
        let (head, source) = self.sources.get_mut(at)?;
        let taken = head.take();
        match source.next().transpose() {
            Ok(next) => *head = next,
            Err(error) => self.failed = Some(error),
        }
        taken
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Row, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
