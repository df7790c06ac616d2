//! The medians of all rounds, and the hub's share of each.

use std::fmt::Write as _;

use crate::work::{Figure, Group};

/// Figures of all turns, by name, in the order in which they came first.
#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    figure: Figure,
    all: Vec<f64>,
}

impl Table {
    /// Adds what one turn showed.
    pub fn add(&mut self, figures: Vec<Figure>) {
        for figure in figures {
            let per_second = figure.per_second;
            match self.0.iter_mut().find(|row| row.figure.name == figure.name) {
                Some(row) => row.all.push(per_second),
                None => self.0.push(Row { figure, all: vec![per_second] }),
            }
        }
    }

    /// The hub's figures of the same round divided by this one's; the median. `None` for the hub's.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let hub = self.0.iter().find(|one| one.figure.group == row.figure.group)?;
        let is_hub = row.figure.name.starts_with("lienthong");
        let ratios = hub.all.iter().zip(&row.all).map(|(hub, peer)| hub / peer);
        (!is_hub).then(|| median(ratios.collect()))
    }

    /// The table for people, 100 columns wide.
    pub fn to_text(&self) -> String {
        let rounds = self.0.first().map_or(0, |row| row.all.len());
        let mut text = String::new();
        for (group, title) in [
            (Group::Submit, "Nộp và được xác nhận / handed over and confirmed"),
            (Group::Deliver, "Đến khi nơi nhận xác nhận / to the recipient's acknowledgement"),
            (Group::Three, "Cho ba nơi nhận / for three recipients"),
        ] {
            let rows: Vec<&Row> = self.0.iter().filter(|row| row.figure.group == group).collect();
            if rows.is_empty() {
                continue;
            }
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{title}");
            for row in rows {
                let ratio = self.ratio(row).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
                let Figure { name, promise, .. } = row.figure;
                let per_second = median(row.all.clone());
                let _ = writeln!(text, "  {name:<33} {per_second:>8.0}/s  {ratio:>5}  {promise}");
            }
        }
        let _ = write!(
            text,
            "{rounds} vòng / rounds, medians; third column: the hub's figure divided by this one,\n\
             median by round. 1.6 KB messages, 512 under way (PostgreSQL: 32 connections)."
        );
        text
    }

    /// The table for programs.
    pub fn to_json(&self) -> String {
        let rows: Vec<serde_json::Value> = self
            .0
            .iter()
            .map(|row| {
                serde_json::json!({
                    "name": row.figure.name,
                    "promise": row.figure.promise,
                    "per_second": median(row.all.clone()),
                    "rounds": row.all,
                    "hub_by_this": self.ratio(row),
                })
            })
            .collect();
        serde_json::Value::from(rows).to_string()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
