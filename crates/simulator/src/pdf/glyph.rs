//! A Vietnamese letter as a letter of Courier with strokes.

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;

/// A letter of Courier, and the marks that stand on it.
pub(super) struct Glyph {
    pub letter: char,
    marks: Vec<char>,
}

/// A line through points, in thousandths of the font's size from the letter's left end and base.
type Stroke = &'static [(f64, f64)];

impl Glyph {
    /// Returns the glyph of a character; one without a letter of ASCII is a question mark.
    pub fn of(character: char) -> Self {
        let mut parts = std::iter::once(character).nfd();
        let base = parts.next().unwrap_or('?');
        let mut marks: Vec<char> = parts.filter(|mark| stroke(*mark).is_some()).collect();
        let letter = match base {
            'đ' | 'Đ' => {
                marks.push('-');
                if base == 'đ' { 'd' } else { 'D' }
            }
            '–' | '—' | '‑' => '-',
            '“' | '”' => '"',
            '…' => '.',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '?',
        };
        Self { letter, marks }
    }

    /// Draws the marks of a letter that begins at a place.
    pub fn strokes(&self, out: &mut String, (x, y): (f64, f64), size: f64) {
        let raised = if self.letter.is_uppercase() { 150.0 } else { 0.0 };
        let stacked = self.marks.iter().filter(|mark| is_above(**mark)).count() > 1;
        let mut above = 0;
        for mark in &self.marks {
            let Some(points) = stroke(*mark) else { continue };
            let lift = match is_above(*mark) {
                true => {
                    above += 1;
                    // The second mark of a letter stands beside the top of the first.
                    raised + if stacked && above == 2 { 120.0 } else { 0.0 }
                }
                false if matches!(mark, '-' | '\u{31B}') => raised / 2.0,
                false => 0.0,
            };
            line(out, points, |(dx, dy)| {
                (x + dx * size / 1_000.0, y + (dy + lift) * size / 1_000.0)
            });
        }
    }
}

fn is_above(mark: char) -> bool {
    !matches!(mark, '\u{323}' | '\u{31B}' | '-')
}

fn stroke(mark: char) -> Option<Stroke> {
    Some(match mark {
        '\u{300}' => &[(230.0, 620.0), (340.0, 500.0)],
        '\u{301}' => &[(370.0, 620.0), (260.0, 500.0)],
        '\u{302}' => &[(200.0, 500.0), (300.0, 590.0), (400.0, 500.0)],
        '\u{303}' => &[(190.0, 520.0), (250.0, 570.0), (350.0, 520.0), (410.0, 570.0)],
        '\u{306}' => &[(200.0, 580.0), (250.0, 510.0), (350.0, 510.0), (400.0, 580.0)],
        '\u{309}' => {
            &[(260.0, 610.0), (330.0, 640.0), (350.0, 590.0), (300.0, 550.0), (300.0, 510.0)]
        }
        '\u{323}' => &[(285.0, -140.0), (315.0, -140.0)],
        '\u{31B}' => &[(470.0, 400.0), (550.0, 440.0), (550.0, 520.0)],
        '-' => &[(300.0, 470.0), (560.0, 470.0)],
        _ => return None,
    })
}

fn line(out: &mut String, points: Stroke, place: impl Fn((f64, f64)) -> (f64, f64)) {
    for (index, point) in points.iter().enumerate() {
        let (x, y) = place(*point);
        let _ = write!(out, "{x:.2} {y:.2} {} ", if index == 0 { 'm' } else { 'l' });
    }
    out.push_str("S\n");
}
