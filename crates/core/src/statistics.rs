//! Statistics, folded in the same block as the event that they count.
//!
//! Small cubes instead of a wide one: no key a document is written on the hot path, and a question
//! reads the one with the fewest cells that has its dimensions. Each cube is cut into *pages* (an hour,
//! day, ten days or month; in large cubes a province; a level or a shard of agencies); the open pages are in
//! memory, behind a lock that readers share, and are written as one packed row each when the state
//! cuts a chunk. A page knows the last block folded into it: replaying an older block changes nothing.
//!
//! ```text
//!  entry + decision ─▶ Event ─▶ pages of each cube and grain ─▶ rows, at a cut
//!                                     │
//!  Question ─▶ the smallest cube ─────┴─▶ the fewest pages of its period ─▶ Tally ─▶ Answer
//! ```

mod answer;
mod ask;
mod asked;
mod backlog;
mod cells;
mod count;
mod cover;
mod cubes;
mod difference;
mod dimensions;
mod event;
mod examples;
mod figures;
mod fold;
mod indicators;
#[cfg(feature = "measure")]
pub mod measure;
mod packed;
mod page;
mod period;
mod question;
mod quick;
mod recount;
mod tally;
mod value;
mod view;
mod visit;
mod vocabulary;
mod volumes;

pub use ask::Source;
pub use backlog::{AgencyBacklog, Backlog, BacklogOrder};
pub use cells::{AgencyCell, FlowCell, KindCell, ProgressCell, VolumeCell};
pub use cubes::{CubeName, Cubes};
pub use difference::{Difference, Recounted};
pub use event::{Direction, Event, Made, Traits};
pub use examples::RefusalExample;
pub use figures::{BUCKETS, Figure, Until, percentile};
pub(crate) use fold::Fold;
pub use indicators::{
    Area, Holder, IndicatorFigure, IndicatorQuestion, PAGE_PRICE, PROCESSED_WITHIN,
    PlaceIndicators, Share, TargetProgress, TargetState,
};
pub use page::Cell;
pub(crate) use page::PageKey;
pub use period::{Grain, PageGrain, Period};
pub use question::{
    Answer, BASIS_MIN, Comparison, Condition, Question, Row, Unanswerable, Value, growth,
};
pub use recount::{Comparing, Recount};
pub use value::CENTRE;
pub use view::View;
pub use visit::{
    Visited, visit_agency, visit_flow, visit_kind, visit_progress, visit_refusals, visit_volume,
};
pub use vocabulary::{Dimension, Family, Measure};
pub use volumes::{Flow, LevelVolume, Refusals, Totals, Volume, Volumes, flows, refusals, volumes};

/// Returns whether rows of the state with this key, or with keys that begin so, are pages of the
/// statistics.
pub fn is_page(key: &[u8]) -> bool {
    CubeName::ALL.iter().any(|cube| key.first() == Some(&cube.letter()))
}
