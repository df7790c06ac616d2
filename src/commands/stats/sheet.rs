//! An answer as it is shown: rows with the names of groups, figures, growth.

use lienthong_client as client;
use lienthong_core::Directory;
use lienthong_core::statistics::{self, Grain, Measure, growth};
use lienthong_model::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::asking::AskArgs;
use crate::output::{self, thousands};
use crate::tables::short_name;

/// An answer.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(super) struct Sheet {
    /// When it was given; none of one that is not live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The rows.
    pub rows: Vec<Line>,
    /// All rows together.
    pub total: Line,
    /// How many rows there are.
    pub rows_total: usize,
}

/// The figures of one group; as JSON one object, its fields named like what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// The first moment of its hour, day, month or year.
    pub time: Option<(Grain, Timestamp)>,
    /// Name of the dimension, value, Vietnamese and English name.
    pub group: Vec<(&'static str, client::GroupValue)>,
    /// Measure and figure.
    pub figures: Vec<(Measure, Option<u64>)>,
    /// Name of what is compared with, and its figures.
    pub compared: Vec<(&'static str, Vec<Option<u64>>)>,
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some((grain, at)) = self.time {
            map.serialize_entry(grain.name(), &at.to_string())?;
        }
        for (dimension, value) in &self.group {
            map.serialize_entry(dimension, &value.value)?;
            map.serialize_entry(&format!("{dimension}_vi"), &value.name_vi)?;
            map.serialize_entry(&format!("{dimension}_en"), &value.name_en)?;
        }
        for (measure, figure) in &self.figures {
            map.serialize_entry(measure.name(), figure)?;
        }
        for (with, figures) in &self.compared {
            for ((measure, now), before) in self.figures.iter().zip(figures) {
                map.serialize_entry(&format!("{}.{with}", measure.name()), before)?;
                if measure.percentile().is_none() {
                    let grew = now.zip(*before).and_then(|(now, before)| growth(now, before));
                    let name = format!("{}.{with}.growth_per_mille", measure.name());
                    map.serialize_entry(&name, &grew)?;
                }
            }
        }
        map.end()
    }
}

impl Sheet {
    /// Makes the sheet of the hub's answer.
    pub(super) fn of_client(args: &AskArgs, answer: client::Answer) -> Self {
        let limit = args.top.map_or(usize::MAX, |top| top as usize);
        let rows = answer.rows.into_iter().take(limit);
        Self {
            at: answer.at.map(|at| at.to_string()),
            rows: rows.map(|row| Line::of(args, row)).collect(),
            total: Line::of(args, answer.total),
            rows_total: answer.rows_total,
        }
    }

    /// Makes the sheet of a folder's answer; names are those of a moment.
    pub(super) fn of_core(
        args: &AskArgs,
        answer: &statistics::Answer,
        directory: &Directory,
        at: Timestamp,
    ) -> Self {
        let row = |row: &statistics::Row| {
            let group = row.group.iter().map(|value| {
                let [name_vi, name_en] = value.names(directory, at);
                client::GroupValue { value: value.text(directory, at), name_vi, name_en }
            });
            client::Row {
                bucket: row.bucket,
                group: group.collect(),
                figures: row.values.clone(),
                compared: row.compared.clone(),
            }
        };
        let answer = client::Answer {
            at: None,
            rows: answer.rows.iter().map(row).collect(),
            total: row(&answer.total),
            rows_total: answer.rows.len(),
        };
        Self::of_client(args, answer)
    }
}

impl Line {
    fn of(args: &AskArgs, row: client::Row) -> Self {
        let dimensions = args.by.iter().map(|dimension| dimension.name());
        let compared = args.compare.iter().map(|with| with.name());
        Self {
            time: args.each.zip(row.bucket),
            group: dimensions.zip(row.group).collect(),
            figures: args.measure.iter().copied().zip(row.figures).collect(),
            compared: compared.zip(row.compared).collect(),
        }
    }
}

/// Writes an answer as a table: one line a group, then the total.
pub(super) fn table(args: &AskArgs, sheet: &Sheet) -> String {
    let mut header: Vec<String> = Vec::new();
    header.extend(args.each.map(|_| "Thời gian\ntime".to_owned()));
    header.extend(args.by.iter().map(|one| format!("{}\n{}", one.name_vi(), one.name_en())));
    let first = header.len();
    for measure in &args.measure {
        header.push(format!("{}\n{}", measure.name_vi(), measure.name_en()));
        for with in &args.compare {
            header.push(match with {
                statistics::Comparison::Before => "kỳ trước\nbefore".to_owned(),
                statistics::Comparison::YearBefore => "năm trước\nyear before".to_owned(),
            });
        }
    }
    let columns = header.len();
    let mut table = output::table_of(&header);
    output::right(&mut table, first..columns);
    output::narrow(&mut table);
    for line in &sheet.rows {
        table.add_row(cells(line));
    }
    if sheet.rows.len() != 1 || first > 0 {
        let mut total = cells(&sheet.total);
        let mut cells = vec!["Cộng / total".to_owned()];
        cells.resize(first.max(1), String::new());
        if first == 0 {
            cells.clear();
        }
        cells.append(&mut total);
        table.add_row(cells);
    }
    let mut text = output::text_of(&table);
    if sheet.rows.len() < sheet.rows_total {
        let (shown, all) = (sheet.rows.len(), sheet.rows_total);
        text += &format!("{shown} trong {all} dòng / {shown} of {all} rows\n");
    }
    text
}

fn cells(line: &Line) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    cells.extend(line.time.map(|(grain, at)| moment(grain, at)));
    for (dimension, value) in &line.group {
        cells.push(match (*dimension, value.name_vi == value.name_en) {
            ("reason", _) => value.value.clone(),
            (_, true) if value.name_vi.is_empty() => value.value.clone(),
            (_, true) => format!("{} {}", value.value, short_name(&value.name_vi)),
            (_, false) => format!("{} / {}", value.name_vi, value.name_en),
        });
    }
    for (place, (measure, figure)) in line.figures.iter().enumerate() {
        cells.push(shown(*measure, *figure));
        for (_, before) in &line.compared {
            let before = before.get(place).copied().flatten();
            let grew = figure.zip(before).and_then(|(now, before)| growth(now, before));
            let grew = match (measure.percentile(), grew) {
                (Some(_), _) => String::new(),
                (None, Some(grew)) => format!(
                    " ({}{}.{} %)",
                    if grew < 0 { "-" } else { "+" },
                    grew.abs() / 10,
                    grew.abs() % 10
                ),
                (None, None) => " (–)".to_owned(),
            };
            cells.push(format!("{}{grew}", shown(*measure, before)));
        }
    }
    cells
}

fn shown(measure: Measure, figure: Option<u64>) -> String {
    match (figure, measure.percentile()) {
        (None, _) => "–".to_owned(),
        (Some(figure), None) => thousands(figure),
        (Some(millis), Some(_)) => format!("≤ {}", span(millis)),
    }
}

/// A time as people say it: `30 s`, `5 ph / min`, `2 giờ / h`, `3 ngày / d`.
fn span(millis: u64) -> String {
    match millis / 1_000 {
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds if seconds < 3_600 => format!("{} min", seconds / 60),
        seconds if seconds < 86_400 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

fn moment(grain: Grain, at: Timestamp) -> String {
    let text = at.to_string();
    let chars = match grain {
        Grain::Hour => 16,
        Grain::Day => 10,
        Grain::Month => 7,
        Grain::Year => 4,
    };
    text.get(..chars).unwrap_or(&text).replace('T', " ")
}

/// Writes a matrix of two dimensions: senders down, recipients across; for at most twelve columns,
/// else as a list.
pub(super) fn matrix(args: &AskArgs, sheet: &Sheet) -> String {
    let mut across: Vec<&client::GroupValue> = Vec::new();
    let mut down: Vec<&client::GroupValue> = Vec::new();
    for line in &sheet.rows {
        let [(_, from), (_, to)] = &line.group[..] else { return table(args, sheet) };
        for (list, value) in [(&mut down, from), (&mut across, to)] {
            if !list.iter().any(|known| known.value == value.value) {
                list.push(value);
            }
        }
    }
    if across.len() > MATRIX_COLUMNS || across.is_empty() {
        return table(args, sheet);
    }
    across.sort_by(|a, b| a.value.cmp(&b.value));
    let mut header = vec!["Từ \\ đến\nfrom \\ to".to_owned()];
    header.extend(across.iter().map(|value| value.value.clone()));
    let columns = header.len();
    let mut grid = output::table_of(&header);
    output::right(&mut grid, 1..columns);
    output::narrow(&mut grid);
    for from in down {
        let mut row = vec![from.value.clone()];
        row.extend(across.iter().map(|to| {
            let cell = sheet.rows.iter().find(|line| {
                line.group[0].1.value == from.value && line.group[1].1.value == to.value
            });
            cell.and_then(|line| line.figures[0].1).map_or_else(|| "·".to_owned(), thousands)
        }));
        grid.add_row(row);
    }
    output::text_of(&grid) + "TW: trung ương / the centre\n"
}

/// Columns of a matrix that fit a terminal.
const MATRIX_COLUMNS: usize = 12;
