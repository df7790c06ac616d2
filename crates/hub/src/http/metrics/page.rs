//! The text so far. Names are ours; values of labels are escaped.

use std::fmt::{Display, Write as _};

use lienthong_model::Timestamp;

use crate::histogram::Histogram;

#[derive(Default)]
pub(super) struct Page(String);

/// Names and values of labels.
type Labels<'l> = &'l [(&'l str, &'l str)];

impl Page {
    pub fn text(self) -> String {
        self.0
    }

    /// Begins a counter.
    pub fn counter(&mut self, name: &str, help: &str) {
        self.begin(name, "counter", help);
    }

    /// Begins a gauge.
    pub fn gauge(&mut self, name: &str, help: &str) {
        self.begin(name, "gauge", help);
    }

    /// Begins a measure of a kind.
    pub fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Writes a value without labels.
    pub fn value(&mut self, name: &str, value: impl Display) {
        self.labelled(name, &[], value);
    }

    /// Writes a value.
    pub fn labelled(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// Writes a moment in Unix time.
    pub fn seconds(&mut self, name: &str, labels: Labels<'_>, at: Timestamp) {
        self.labelled(name, labels, format!("{:.3}", at.millis() as f64 / 1000.0));
    }

    /// Writes a histogram.
    pub fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.begin(name, "histogram", help);
        let counted = histogram.counted();
        for (end, count) in counted.up_to {
            self.labelled(&format!("{name}_bucket"), &[("le", &end.to_string())], count);
        }
        self.labelled(&format!("{name}_bucket"), &[("le", "+Inf")], counted.count);
        self.value(&format!("{name}_sum"), counted.seconds);
        self.value(&format!("{name}_count"), counted.count);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_cannot_end_their_line() {
        let mut page = Page::default();
        page.labelled("a", &[("b", "c\"d\\e\nf")], 1);
        assert_eq!(page.text(), "a{b=\"c\\\"d\\\\e\\nf\"} 1\n");
    }
}
