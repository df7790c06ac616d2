//! The names of tiles in paths (c2sp.org/tlog-tiles): level or `entries`, index, width.

use std::fmt;

/// Hashes or entries of a full tile.
pub(super) const TILE_WIDTH: u64 = lienthong_core::TILE_HASHES;
/// The highest level that the format names.
const LEVEL_MAX: u8 = 63;

/// Which tile a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TilePath {
    pub of: TileOf,
    /// Which of its level, from 0.
    pub index: u64,
    /// How many hashes or entries, 1 to [`TILE_WIDTH`]; less than that is a partial tile.
    pub width: u64,
}

/// What a tile is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TileOf {
    /// Hashes of a level.
    Hashes(u8),
    /// Entries of leaves.
    Entries,
}

impl TilePath {
    /// Reads what follows `/tile/`. There is one spelling of each tile.
    pub fn parse(path: &str) -> Option<Self> {
        let (of, rest) = path.split_once('/')?;
        let of = match of {
            "entries" => TileOf::Entries,
            level => TileOf::Hashes(decimal(level).filter(|level| *level <= LEVEL_MAX)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, u64::from(decimal(width)?)),
            None => (rest, TILE_WIDTH),
        };
        let index = parse_index(index)?;
        (width > 0).then_some(Self { of, index, width })
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            TileOf::Hashes(level) => write!(f, "{level}/")?,
            TileOf::Entries => f.write_str("entries/")?,
        }
        let digits = format!("{:03}", self.index);
        let first = digits.len() % 3;
        let padded =
            if first == 0 { digits } else { format!("{:0>1$}", digits, digits.len() + 3 - first) };
        let groups = padded.len() / 3;
        for (number, group) in padded.as_bytes().chunks(3).enumerate() {
            let last = number + 1 == groups;
            let group = String::from_utf8_lossy(group);
            if last { write!(f, "{group}")? } else { write!(f, "x{group}/")? }
        }
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// A number up to 255 in decimal digits, without sign and leading zeros.
fn decimal(text: &str) -> Option<u8> {
    let number: u8 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// An index in elements of three digits, all but the last with an `x` before them.
fn parse_index(text: &str) -> Option<u64> {
    let mut index: u64 = 0;
    let mut elements = text.split('/').peekable();
    let mut first = true;
    while let Some(element) = elements.next() {
        let last = elements.peek().is_none();
        let digits = if last { element } else { element.strip_prefix('x')? };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if first && !last && digits == "000" {
            return None;
        }
        first = false;
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_own_examples_are_read_and_written() {
        for (text, of, index, width) in [
            ("0/x001/x234/067", TileOf::Hashes(0), 1_234_067, 256),
            ("0/273.p/112", TileOf::Hashes(0), 273, 112),
            ("1/000", TileOf::Hashes(1), 0, 256),
            ("63/001.p/1", TileOf::Hashes(63), 1, 1),
            ("entries/x001/000.p/255", TileOf::Entries, 1_000, 255),
        ] {
            let tile = TilePath { of, index, width };
            assert_eq!(TilePath::parse(text), Some(tile), "{text}");
            assert_eq!(tile.to_string(), text);
        }
    }

    #[test]
    fn every_other_spelling_is_no_tile() {
        for text in [
            "",
            "0",
            "0/",
            "0/1",
            "0/01",
            "0/0001",
            "00/001",
            "64/001",
            "+1/001",
            "-1/001",
            "x/001",
            "0/x000/001",
            "0/001/",
            "0//001",
            "0/x001",
            "0/001/002",
            "0/x1/001",
            "0/0x1",
            "0/ 01",
            "0/001.p/0",
            "0/001.p/256",
            "0/001.p/01",
            "0/001.p/",
            "0/001.p",
            "0/001.p/1/2",
            "0/001.p/1.p/1",
            "entries",
            "entries/1",
            "data/001",
            "0/x999/x999/x999/x999/x999/x999/999",
            "0/٠٠١",
            "0/001?x",
            "entries/x001/x/001",
        ] {
            assert_eq!(TilePath::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_tile_comes_back_from_its_path() {
        let indexes = (0..70).flat_map(|bits| {
            let power = 1_u64.checked_shl(bits % 64).unwrap_or(0);
            [power.wrapping_sub(1), power, power.wrapping_add(999)]
        });
        for (number, index) in indexes.enumerate() {
            let of = match number % 9 {
                0 => TileOf::Entries,
                other => TileOf::Hashes(other as u8 * 7),
            };
            let tile = TilePath { of, index, width: 1 + number as u64 * 31 % 256 };
            assert_eq!(TilePath::parse(&tile.to_string()), Some(tile), "{tile}");
        }
    }
}
