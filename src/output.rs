//! Results on stdout: a table for people, JSON and CSV for programs.

mod csv;
mod file;

use std::io::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::cli::Output;
pub(crate) use file::{ResultFile, all_of, cannot_write};

/// How wide a table may be where the terminal does not say.
const WIDTH: u16 = 100;
/// A rule under the header, no frames.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Prints text on stdout. A reader that has closed its end is nobody's fault.
///
/// # Errors
/// When stdout cannot be written for another reason than a closed pipe.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Writes a word of a command that can be copied into a shell.
pub(crate) fn shell_word(text: &str) -> String {
    // One with a NUL is no word of any command.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// Writes text as it stands in HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Prints a value: `table` makes the text for people.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn one<T: Serialize>(
    output: Output,
    value: &T,
    table: impl FnOnce(&T) -> String,
) -> anyhow::Result<()> {
    match output {
        Output::Table => print(&with_line_end(table(value))),
        Output::Json => print(&with_line_end(serde_json::to_string_pretty(value)?)),
        Output::Jsonl => print(&with_line_end(serde_json::to_string(value)?)),
        Output::Csv => print(&csv::of(std::slice::from_ref(value))?),
    }
}

/// Prints a value that is above all its lines: whole in a table and in JSON, else a line at a time.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn sheet<T: Serialize, L: Serialize>(
    output: Output,
    value: &T,
    lines: &[L],
    table: impl FnOnce(&T) -> String,
) -> anyhow::Result<()> {
    match output {
        Output::Table | Output::Json => one(output, value, table),
        Output::Jsonl | Output::Csv => many(output, lines, |_| String::new()),
    }
}

/// Prints a list: in JSON as an array, in JSONL one value a line.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn many<T: Serialize>(
    output: Output,
    values: &[T],
    table: impl FnOnce(&[T]) -> String,
) -> anyhow::Result<()> {
    match output {
        Output::Table => print(&with_line_end(table(values))),
        Output::Json => print(&with_line_end(serde_json::to_string_pretty(values)?)),
        Output::Jsonl => {
            let lines = values.iter().map(|value| Ok(serde_json::to_string(value)? + "\n"));
            print(&lines.collect::<anyhow::Result<String>>()?)
        }
        Output::Csv => print(&csv::of(values)?),
    }
}

fn with_line_end(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Returns an empty table with a header, without frames or colours.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.force_no_tty();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    table.set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// Returns an empty table with a header of any length, without frames or colours.
pub(crate) fn table_of(header: &[String]) -> Table {
    let mut whole = table::<0>([]);
    whole.set_header(header);
    for column in whole.column_iter_mut() {
        column.set_padding((0, 2));
    }
    whole
}

/// Aligns columns to the right, for numbers.
pub(crate) fn right(table: &mut Table, columns: impl IntoIterator<Item = usize>) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Leaves one blank between columns instead of two.
pub(crate) fn narrow(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
}

/// Writes a table without the blanks at its lines' ends.
pub(crate) fn text_of(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// Writes lines of a name and a value, the values under each other.
pub(crate) fn pairs(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        let gap = " ".repeat(width - name.chars().count());
        format!("{name}{gap}  {value}\n")
    };
    lines.iter().map(line).collect()
}

/// Writes a number with commas between thousands.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a share as a percentage with one decimal; a dash when there is nothing to share.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_by_commas() {
        let shown = [0, 7, 999, 1_000, 12_345, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn a_share_is_rounded_to_a_tenth_and_nothing_has_no_share() {
        assert_eq!(percent(1, 3), "33.3");
        assert_eq!(percent(2, 3), "66.7");
        assert_eq!(percent(5, 5), "100.0");
        assert_eq!(percent(0, 0), "–");
    }
}
