//! `lienthong stats verify`: the statistics counted anew from the journal.

use std::path::Path;
use std::process::ExitCode;

use lienthong_core::Directory;
use lienthong_core::statistics::{CENTRE, Difference};
use lienthong_model::Timestamp;
use serde::Serialize;

use crate::cli::Output;
use crate::output::{self, thousands};
use crate::say::Usage;
use crate::source;
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
    cube: &'static str,
    /// `hour`, `day`, `month`: the page.
    grain: &'static str,
    from: String,
    /// The code of the page's province, `TW` for the centre.
    province: String,
    cell: String,
    kept_count: u64,
    kept_measure: u64,
    recounted_count: u64,
    recounted_measure: u64,
}

/// Reads a data folder that no hub uses: every block, every delivery from its beginning to its end,
/// and every cell of every page. Exit code 1, with the cells that differ, when one is not what the
/// journal says.
pub(super) fn run(data: Option<&Path>, output: Output) -> anyhow::Result<ExitCode> {
    let data = data.ok_or_else(|| {
        Usage::new("a recount reads a data folder").remedy("give it with --data DIR")
    })?;
    let folder = source::open_folder(data)?;
    let mut progress = Progress::of("counting");
    let found = folder.recount_statistics(|block, end| progress.reached(block, end));
    progress.finish();
    let found = found?;
    let directory = folder.reader().directory();
    let at = folder.last_time().unwrap_or_else(source::machine_now);
    let view = VerifyView {
        blocks: found.blocks,
        cells: found.cells,
        differences_total: found.differences_total,
        differences: found.differences.iter().map(|one| view(one, &directory, at)).collect(),
    };
    output::sheet(output, &view, &view.differences, text)?;
    Ok(if view.differences_total == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn view(one: &Difference, directory: &Directory, at: Timestamp) -> DifferenceView {
    DifferenceView {
        cube: one.cube,
        grain: one.grain,
        from: one.from.to_string(),
        province: one
            .province
            .map_or_else(|| CENTRE.to_owned(), |province| directory.code(province, at)),
        cell: one.cell.clone(),
        kept_count: one.kept.count,
        kept_measure: one.kept.measure,
        recounted_count: one.recounted.count,
        recounted_measure: one.recounted.measure,
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
            one.cube.to_owned(),
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
