//! What nodes have on their own disks, small: positions of what they received, nearly in order, in
//! four bytes each, and receipts in eight.

use lienthong_model::{MessageId, Position};

/// A receipt that a sender holds: a position, and by what the document's id is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Receipt {
    position: u32,
    check: u32,
}

impl Receipt {
    pub fn of(id: &MessageId, position: Position) -> Self {
        // What follows the moment: a number of its own, or random.
        let [.., a, b, c, d] = *id.as_bytes();
        let position = u32::try_from(position.0).unwrap_or(u32::MAX);
        Self { position, check: u32::from_be_bytes([a, b, c, d]) }
    }

    pub fn position(self) -> Position {
        Position(self.position.into())
    }
}

/// A set of positions.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<u32>);

impl Seen {
    /// Puts a position in; returns whether it is new.
    pub fn insert(&mut self, position: Position) -> bool {
        let Ok(position) = u32::try_from(position.0) else { return false };
        if self.0.last().is_none_or(|last| *last < position) {
            self.0.push(position);
            return true;
        }
        match self.0.binary_search(&position) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, position);
                true
            }
        }
    }

    /// Returns whether a position is in it.
    pub fn holds(&self, position: Position) -> bool {
        u32::try_from(position.0).is_ok_and(|position| self.0.binary_search(&position).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_there_once_whatever_the_order() {
        let mut seen = Seen::default();
        for (position, new) in [(3, true), (5, true), (4, true), (4, false), (5, false)] {
            assert_eq!(seen.insert(Position(position)), new, "{position}");
        }
        assert!(seen.holds(Position(4)) && !seen.holds(Position(6)));
    }
}
