//! Attachments that open: a plain PDF 1.4 of one to thirty pages, with Vietnamese text.
//!
//! No font is embedded. Letters are those of Courier, which every reader has and whose letters are
//! all equally wide; Vietnamese marks are drawn above and below them as strokes. What is copied or
//! searched is the text itself, by `ActualText`. Deterministic; sizes follow from what is asked.

mod glyph;

use std::fmt::Write as _;

use glyph::Glyph;

/// A4, in points.
const PAGE: (f64, f64) = (595.0, 842.0);
const MARGIN: f64 = 60.0;
const FONT_SIZE: f64 = 11.0;
const LINE: f64 = 20.0;
/// Courier: every letter is 0.6 of the size wide.
const ADVANCE: f64 = 0.6 * FONT_SIZE;
/// Letters on a line.
const COLUMNS: usize = 70;
/// Objects before the first page: catalogue, pages, font, padding.
const FIRST_PAGE: usize = 5;

/// What a file says.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// Lines of the first page.
    pub lines: &'a [String],
    /// Pages; at least 1.
    pub pages: u32,
    /// Bytes of the file; it is longer where its pages need more.
    pub bytes: usize,
}

/// Writes a file.
pub fn write(letter: &Letter<'_>) -> Vec<u8> {
    let pages: Vec<String> = (1..=letter.pages.max(1)).map(|page| content(letter, page)).collect();
    let shortest = file(&pages, 0);
    match letter.bytes.checked_sub(shortest.len()) {
        None | Some(0) => shortest,
        // Numbers of the file have a fixed width: padding makes it longer by itself alone.
        Some(missing) => file(&pages, missing),
    }
}

/// The marks of one page.
fn content(letter: &Letter<'_>, page: u32) -> String {
    let mut out = String::new();
    let mut y = PAGE.1 - MARGIN;
    let footer = format!("- {page} / {} -", letter.pages.max(1));
    let lines = letter.lines.iter().flat_map(|line| wrapped(line));
    let shown: Vec<String> = match page {
        1 => lines.collect(),
        _ => lines.take(3).collect(),
    };
    for line in shown.iter().chain([&footer]) {
        text(&mut out, line, y);
        y -= LINE;
    }
    out
}

/// A text in lines of at most [`COLUMNS`] letters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        let fits = line + 1 + word.chars().count() <= COLUMNS;
        match lines.last_mut() {
            Some(last) if fits && !last.is_empty() => {
                last.push(' ');
                last.push_str(word);
            }
            Some(last) if last.is_empty() => last.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// One line: its letters as text, its marks as strokes.
fn text(out: &mut String, line: &str, y: f64) {
    let glyphs: Vec<Glyph> = line.chars().map(Glyph::of).collect();
    let mut actual = String::from("FEFF");
    for unit in line.encode_utf16() {
        let _ = write!(actual, "{unit:04X}");
    }
    let mut letters = String::new();
    for glyph in &glyphs {
        if matches!(glyph.letter, '(' | ')' | '\\') {
            letters.push('\\');
        }
        letters.push(glyph.letter);
    }
    // Writing to a text does not fail.
    let _ = writeln!(
        out,
        "/Span <</ActualText <{actual}>>> BDC\nBT /F1 {FONT_SIZE} Tf {MARGIN} {y:.1} Td ({letters}) Tj ET\nEMC"
    );
    for (column, glyph) in glyphs.iter().enumerate() {
        #[allow(clippy::cast_precision_loss)] // At most some hundred.
        let x = MARGIN + column as f64 * ADVANCE;
        glyph.strokes(out, (x, y), FONT_SIZE);
    }
}

/// The file: header, objects, table, trailer.
fn file(pages: &[String], padding: usize) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n".to_vec();
    let kids: Vec<String> =
        (0..pages.len()).map(|page| format!("{} 0 R", FIRST_PAGE + 2 * page)).collect();
    let (width, height) = PAGE;
    let mut objects = vec![
        b"<</Type /Catalog /Pages 2 0 R>>".to_vec(),
        format!("<</Type /Pages /Count {} /Kids [{}]>>", pages.len(), kids.join(" ")).into_bytes(),
        b"<</Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding>>".to_vec(),
        stream(&vec![b' '; padding]),
    ];
    for (page, content) in pages.iter().enumerate() {
        let contents = FIRST_PAGE + 2 * page + 1;
        objects.push(
            format!(
                "<</Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] \
                 /Resources <</Font <</F1 3 0 R>>>> /Contents {contents} 0 R>>"
            )
            .into_bytes(),
        );
        objects.push(stream(content.as_bytes()));
    }
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", out.len());
        out.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    let (start, count) = (out.len(), objects.len() + 1);
    let end = format!(
        "xref\n0 {count}\n{table}trailer\n<</Size {count} /Root 1 0 R>>\nstartxref\n{start:010}\n%%EOF\n"
    );
    out.extend_from_slice(end.as_bytes());
    out
}

fn stream(bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("<</Length {:010}>>\nstream\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\nendstream");
    out
}

#[cfg(test)]
mod tests;
