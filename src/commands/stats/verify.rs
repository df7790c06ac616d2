//! `lienthong stats verify`: the statistics counted anew from the journal.

use std::ops::ControlFlow;
use std::process::ExitCode;

use lienthong_core::Directory;
use lienthong_core::statistics::{CENTRE, Difference, Recounted};
use lienthong_model::Timestamp;
use serde::Serialize;

use crate::cli::Output;
use crate::output::{self, thousands};
use crate::source::{self, Source, SourceArgs};
use crate::terminal::Progress;

#[derive(Debug, Serialize)]
struct VerifyView {
    blocks: u64,
    cells: u64,
    differences_total: u64,
    differences: Vec<DifferenceView>,
}

#[derive(Debug, Serialize)]
struct DifferenceView {
    cube: String,
    /// `hour`, `day`, `month`: the page.
    grain: String,
    from: String,
    /// The code of the page's province, `TW` for the centre.
    province: String,
    cell: String,
    kept_count: u64,
    kept_measure: u64,
    recounted_count: u64,
    recounted_measure: u64,
}

/// Reads every block, every delivery from its beginning to its end, and every cell of every page: of
/// a data folder, or by a running hub while it goes on. Exit code 1, with the cells that differ, when
/// one is not what the journal says.
pub(super) async fn run(source: &SourceArgs, output: Output) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::of("đếm lại / counting");
    let view = match source.open().await? {
        Source::Hub(client) => {
            let told = |block, end| progress.reached(block, end);
            VerifyView::from(client.recount_statistics(told).await?)
        }
        Source::Folder(folder) => {
            let reader = folder.reader();
            let at = folder.last_time().unwrap_or_else(source::machine_now);
            let found = reader.recount_statistics(&mut |block, end| {
                progress.reached(block, end);
                ControlFlow::Continue(())
            })?;
            VerifyView::of_core(&found.unwrap_or_default(), &reader.directory(), at)
        }
    };
    progress.finish();
    output::sheet(output, &view, &view.differences, text)?;
    Ok(if view.differences_total == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl VerifyView {
    fn of_core(found: &Recounted, directory: &Directory, at: Timestamp) -> Self {
        let province = |one: &Difference| match one.province {
            Some(province) => directory.code(province, at),
            None => CENTRE.to_owned(),
        };
        let difference = |one: &Difference| DifferenceView {
            cube: one.cube.to_owned(),
            grain: one.grain.to_owned(),
            from: one.from.to_string(),
            province: province(one),
            cell: one.cell.clone(),
            kept_count: one.kept.count,
            kept_measure: one.kept.measure,
            recounted_count: one.recounted.count,
            recounted_measure: one.recounted.measure,
        };
        Self {
            blocks: found.blocks,
            cells: found.cells,
            differences_total: found.differences_total,
            differences: found.differences.iter().map(difference).collect(),
        }
    }
}

impl From<lienthong_client::Recounted> for VerifyView {
    fn from(found: lienthong_client::Recounted) -> Self {
        let differences = found.differences.into_iter().map(|one| DifferenceView {
            cube: one.cube,
            grain: one.grain,
            from: one.from.to_string(),
            province: one.province,
            cell: one.cell,
            kept_count: one.kept.0,
            kept_measure: one.kept.1,
            recounted_count: one.recounted.0,
            recounted_measure: one.recounted.1,
        });
        Self {
            blocks: found.blocks,
            cells: found.cells,
            differences_total: found.differences_total,
            differences: differences.collect(),
        }
    }
}

fn text(view: &VerifyView) -> String {
    let (blocks, cells) = (thousands(view.blocks), thousands(view.cells));
    let mut text = format!(
        "Đã đếm lại {blocks} khối, {cells} ô / {blocks} blocks counted anew, {cells} cells\n"
    );
    if view.differences_total == 0 {
        return text + "Khớp / every cell agrees\n";
    }
    let mut table = output::table([
        "Khối / cube",
        "Trang / page",
        "Nơi / place",
        "Ô / cell",
        "Đang lưu\nkept",
        "Đếm lại\nrecounted",
    ]);
    output::right(&mut table, 4..6);
    output::narrow(&mut table);
    let cell = |count: u64, measure: u64| match measure {
        0 => thousands(count),
        measure => format!("{} ({})", thousands(count), thousands(measure)),
    };
    for one in &view.differences {
        table.add_row([
            one.cube.clone(),
            format!("{} {}", one.grain, one.from.get(..16).unwrap_or(&one.from)),
            one.province.clone(),
            one.cell.clone(),
            cell(one.kept_count, one.kept_measure),
            cell(one.recounted_count, one.recounted_measure),
        ]);
    }
    text += &output::text_of(&table);
    let total = thousands(view.differences_total);
    text + &format!("{total} ô không khớp / {total} cells differ\n")
}
