//! Tiles of the log. What is served never changes: a tile is named by how much of it is asked for.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use lienthong_core::engine::EngineError;
use lienthong_trust::merkle::entry::LeafEntry;

use super::tile_path::{TILE_WIDTH, TileOf, TilePath};
use super::{FOR_EVER, Pages, text};

const BYTES: &str = "application/octet-stream";

/// Answers `/tile/…`.
pub(super) async fn tile(State(pages): State<Pages>, Path(path): Path<String>) -> Response {
    let Some(tile) = TilePath::parse(&path) else {
        return text(StatusCode::NOT_FOUND, "no tile has this name\n");
    };
    if !has(&tile, pages.0.evidence.newest().size) {
        return text(StatusCode::NOT_FOUND, "the log has no such tile, or not as much of it yet\n");
    }
    let read = match tile.of {
        TileOf::Hashes(level) => hashes(&pages, level, &tile),
        TileOf::Entries => {
            // Reading blocks takes a while and memory: few at a time.
            let Ok(place) = pages.0.block_reads.clone().try_acquire_owned() else {
                let wait = text(StatusCode::SERVICE_UNAVAILABLE, "busy\n");
                return ([(RETRY_AFTER, "1")], wait).into_response();
            };
            let shown = pages.clone();
            let read = tokio::task::spawn_blocking(move || {
                // With the work, which goes on when its caller has gone.
                let _place = place;
                entries(&shown, &tile)
            });
            read.await.unwrap_or_else(|ended| Err(EngineError::State(ended.to_string())))
        }
    };
    match read {
        Ok(bytes) => {
            let headers = [(CONTENT_TYPE, BYTES), (CACHE_CONTROL, FOR_EVER)];
            (headers, bytes).into_response()
        }
        Err(error) => {
            tracing::error!(%error, %tile, "cannot read a tile of the log");
            text(StatusCode::INTERNAL_SERVER_ERROR, "it cannot be read; the hub's log says why\n")
        }
    }
}

/// Whether a log of a size has as much of a tile.
fn has(tile: &TilePath, size: u64) -> bool {
    let level = match tile.of {
        TileOf::Hashes(level) => u32::from(level),
        TileOf::Entries => 0,
    };
    let in_level = size.checked_shr(8 * level).unwrap_or(0);
    let before = tile.index.saturating_mul(TILE_WIDTH);
    in_level.saturating_sub(before) >= tile.width
}

fn hashes(pages: &Pages, level: u8, tile: &TilePath) -> Result<Vec<u8>, EngineError> {
    let mut hashes = pages.0.reader.query().tile_hashes(level, tile.index)?;
    hashes.truncate(usize::try_from(tile.width).unwrap_or(usize::MAX));
    if (hashes.len() as u64) < tile.width {
        let (what, why) = (format!("tile {tile}"), format!("it has {} hashes", hashes.len()));
        return Err(EngineError::Damaged { what, why });
    }
    Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
}

/// Entries, each after its length in two bytes, big-endian.
fn entries(pages: &Pages, tile: &TilePath) -> Result<Vec<u8>, EngineError> {
    let first = tile.index * TILE_WIDTH;
    let entries = pages.0.reader.leaves(first..first + tile.width)?;
    let with_length = |entry: &LeafEntry| {
        let bytes = entry.to_bytes();
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        [length.to_be_bytes().as_slice(), &bytes].concat()
    };
    Ok(entries.iter().flat_map(with_length).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_the_tiles_that_the_format_says_it_has() {
        // c2sp.org/tlog-tiles, "Partial Tiles": a tree of size 70,000.
        let has = |path: &str| has(&TilePath::parse(path).unwrap(), 70_000);
        for path in ["0/000", "0/272", "0/273.p/112", "1/000", "1/001.p/17", "2/000.p/1"] {
            assert!(has(path), "{path}");
        }
        for path in
            ["0/273", "0/273.p/113", "0/274.p/1", "1/001", "1/001.p/18", "2/000", "3/000.p/1"]
        {
            assert!(!has(path), "{path}");
        }
        assert!(has("entries/273.p/112") && !has("entries/273.p/113"));
        assert!(!has("63/000.p/1") && !has("0/x018/x446/x744/x073/x709/x551/615"));
    }
}
