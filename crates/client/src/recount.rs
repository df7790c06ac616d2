//! A recount of a running hub's statistics from its journal.

use lienthong_model::Timestamp;
use lienthong_wire::proto;

use crate::client::Client;
use crate::error::CallError;
use crate::read;

/// What a recount found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recounted {
    /// Blocks that were counted.
    pub blocks: u64,
    /// Cells that were compared.
    pub cells: u64,
    /// How many differ.
    pub differences_total: u64,
    /// The first of them, at most 100.
    pub differences: Vec<RecountDifference>,
}

/// A cell that is not what the journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecountDifference {
    /// The cube.
    pub cube: String,
    /// The grain of its page.
    pub grain: String,
    /// The first moment of its page.
    pub from: Timestamp,
    /// The code of the page's province, `TW` for the centre.
    pub province: String,
    /// What the cell stands for.
    pub cell: String,
    /// Count and second measure that are shown.
    pub kept: (u64, u64),
    /// Count and second measure that the journal says.
    pub recounted: (u64, u64),
}

impl Client {
    /// Has the hub count its statistics anew from the journal, and compare; `told` hears the block
    /// reached and the last one. It takes as long as the journal is read.
    ///
    /// # Errors
    /// [`CallError`]; CALLER_NOT_ENTITLED when the caller does not operate the country, OVERLOADED
    /// when another recount is under way.
    pub async fn recount_statistics(
        &self,
        mut told: impl FnMut(u64, u64),
    ) -> Result<Recounted, CallError> {
        let call = || {
            let mut statistics = self.shared.statistics();
            let request = proto::VerifyStatisticsRequest {};
            async move { Ok(statistics.verify_statistics(request).await?.into_inner()) }
        };
        let mut stream = self.shared.call(call).await?;
        loop {
            let said = stream.message().await;
            let said = said.map_err(|status| self.shared.broken_off(&status))?;
            let said = read::present("recount", said)?;
            match said.found {
                None => told(said.block, said.blocks_total),
                Some(found) => return recounted(said.block, found),
            }
        }
    }
}

fn recounted(blocks: u64, found: proto::RecountedStatistics) -> Result<Recounted, CallError> {
    let difference = |one: proto::StatisticsDifference| {
        Ok(RecountDifference {
            from: read::moment("differences.from", one.from.as_ref())?,
            cube: one.cube,
            grain: one.grain,
            province: one.province,
            cell: one.cell,
            kept: cell(one.kept),
            recounted: cell(one.recounted),
        })
    };
    Ok(Recounted {
        blocks,
        cells: found.cells,
        differences_total: found.differences_total,
        differences: found
            .differences
            .into_iter()
            .map(difference)
            .collect::<Result<_, CallError>>()?,
    })
}

fn cell(cell: Option<proto::StatisticsCell>) -> (u64, u64) {
    let proto::StatisticsCell { count, measure } = cell.unwrap_or_default();
    (count, measure)
}
