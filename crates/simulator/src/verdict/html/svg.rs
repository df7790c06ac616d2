//! Charts as SVG, drawn by hand: stacked columns, bars, a time line.

use std::fmt::Write as _;

use lienthong_model::Timestamp;

use crate::verdict::markup::escaped;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 56.0;
const BOTTOM: f64 = 26.0;
const TOP: f64 = 8.0;
/// The room that a day needs.
const LABEL: f64 = 66.0;
/// Distinguishable also without colour vision, and in grey.
const COLOURS: [&str; 8] =
    ["#0b4f8a", "#e08e0b", "#3f8f5f", "#a63d6f", "#6fb1d9", "#7a5a2b", "#8c7bc9", "#9aa5ae"];

/// Counts of one kind over the columns.
pub(super) struct Series {
    pub name: String,
    pub counts: Vec<u64>,
}

#[allow(clippy::cast_precision_loss)] // Counts, for a picture.
fn number(count: u64) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss)] // A few columns.
fn place(index: usize) -> f64 {
    index as f64
}

/// The next round number from a largest value on; even from 2 on, so that it has a half.
fn rounded(largest: u64) -> u64 {
    let mut step: u64 = 1;
    loop {
        for factor in [1, 2, 4, 6, 8] {
            if largest <= step.saturating_mul(factor) {
                return step.saturating_mul(factor);
            }
        }
        step = step.saturating_mul(10);
    }
}

fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// Columns of several series, one on the other.
pub(super) fn stacked(labels: &[String], series: &[Series]) -> String {
    let sum =
        |column: usize| -> u64 { series.iter().filter_map(|one| one.counts.get(column)).sum() };
    let most = rounded((0..labels.len()).map(sum).max().unwrap_or(0));
    let width = (WIDTH - LEFT) / place(labels.len().max(1));
    let mut out = open(HEIGHT);
    scale(&mut out, most);
    for (column, label) in labels.iter().enumerate() {
        let x = LEFT + width * place(column);
        let mut y = HEIGHT - BOTTOM;
        for (index, one) in series.iter().enumerate() {
            let count = one.counts.get(column).copied().unwrap_or(0);
            let height = (HEIGHT - BOTTOM - TOP) * number(count) / number(most);
            y -= height;
            if count > 0 {
                let _ = writeln!(
                    out,
                    "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" \
                     fill=\"{}\"><title>{} {}: {count}</title></rect>",
                    x + width * 0.1,
                    width * 0.8,
                    colour(index),
                    escaped(label),
                    escaped(&one.name)
                );
            }
        }
        if column % labels.len().div_ceil(8).max(1) == 0 && x + LABEL <= WIDTH {
            text(&mut out, (x, HEIGHT - 8.0), label);
        }
    }
    out.push_str("</svg>\n");
    legend(&mut out, series);
    out
}

/// One bar a class, with its count above it.
pub(super) fn bars(classes: &[(String, u64)]) -> String {
    let most = rounded(classes.iter().map(|(_, count)| *count).max().unwrap_or(0));
    let width = (WIDTH - LEFT) / place(classes.len().max(1));
    let mut out = open(HEIGHT);
    scale(&mut out, most);
    for (index, (name, count)) in classes.iter().enumerate() {
        let x = LEFT + width * place(index);
        let height = (HEIGHT - BOTTOM - TOP - 14.0) * number(*count) / number(most);
        let y = HEIGHT - BOTTOM - height;
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
            x + width * 0.15,
            width * 0.7,
            COLOURS[0]
        );
        let middle = x + width * 0.5;
        centred(&mut out, (middle, y - 3.0), &count.to_string());
        centred(&mut out, (middle, HEIGHT - 8.0), name);
    }
    out + "</svg>\n"
}

/// One line a fault, from its beginning to its end.
pub(super) fn timeline(
    (begin, end): (Timestamp, Timestamp),
    faults: &[(String, Timestamp, Timestamp)],
) -> String {
    const ROW: f64 = 34.0;
    let height = ROW * place(faults.len()) + BOTTOM;
    let span = end.millis() - begin.millis();
    #[allow(clippy::cast_precision_loss)] // Milliseconds of some years, for a picture.
    let x = |at: Timestamp| WIDTH * (at.millis() - begin.millis()) as f64 / span.max(1) as f64;
    let mut out = open(height);
    for (index, (name, from, until)) in faults.iter().enumerate() {
        let y = ROW * place(index);
        let when = format!("{from} … {until}");
        let (from, until) = (x(*from), x(*until));
        let _ = writeln!(
            out,
            "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"10\" fill=\"{}\">\
             <title>{}</title></rect>",
            y + 18.0,
            (until - from).max(2.0),
            COLOURS[3],
            escaped(&when)
        );
        // Near the end the name stands before the bar, so that it stays on the page.
        let anchor = if from > WIDTH * 0.6 { "end" } else { "start" };
        let at = if anchor == "end" { until.max(from + 2.0).min(WIDTH) } else { from };
        let _ = writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            y + 12.0,
            escaped(name)
        );
    }
    let _ = writeln!(
        out,
        "<line x1=\"0\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\" stroke=\"#9aa5ae\"/>",
        height - 18.0
    );
    text(&mut out, (0.0, height - 4.0), &begin.day().to_string());
    let _ = writeln!(
        out,
        "<text x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        height - 4.0,
        end.day()
    );
    out + "</svg>\n"
}

fn open(height: f64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" fill=\"#1b2733\">\n")
}

/// Lines at nothing, half and all.
fn scale(out: &mut String, most: u64) {
    for (share, value) in [(0.0, 0), (0.5, most / 2), (1.0, most)] {
        if share == 0.5 && most < 2 {
            continue;
        }
        let y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share;
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dde3e8\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
}

fn text(out: &mut String, (x, y): (f64, f64), words: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(words));
}

fn centred(out: &mut String, (x, y): (f64, f64), words: &str) {
    let words = escaped(words);
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{words}</text>");
}

/// The colours, in words, below a chart.
fn legend(out: &mut String, series: &[Series]) {
    out.push_str("<p class=\"en\">");
    for (index, one) in series.iter().enumerate() {
        let total: u64 = one.counts.iter().sum();
        let _ = write!(
            out,
            "<span style=\"white-space:nowrap\"><svg viewBox=\"0 0 10 10\" style=\"width:.8em;\
             height:.8em\"><rect width=\"10\" height=\"10\" fill=\"{}\"/></svg> {} ({total})</span> \
             &nbsp; ",
            colour(index),
            escaped(&one.name)
        );
    }
    out.push_str("</p>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_the_next_round_number() {
        for (largest, round) in
            [(0, 1), (1, 1), (3, 4), (11, 20), (99, 100), (201, 400), (590, 600)]
        {
            assert_eq!(rounded(largest), round, "{largest}");
        }
    }

    #[test]
    fn every_count_that_is_not_nothing_has_its_rectangle_and_its_words() {
        let series = [
            Series { name: "H36 <b>".to_owned(), counts: vec![3, 0] },
            Series { name: "H34".to_owned(), counts: vec![1, 2] },
        ];
        let svg = stacked(&["2020-11-16".to_owned(), "2020-11-17".to_owned()], &series);
        assert_eq!(svg.matches("<title>").count(), 3);
        assert!(svg.contains("2020-11-17 H34: 2"), "{svg}");
        assert!(svg.contains("H36 &lt;b&gt; (3)") && !svg.contains("<b>"), "{svg}");
    }
}
