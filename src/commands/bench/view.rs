//! Figures as a person reads them.

use lienthong_bench::{Latency, Load, Pace, Way, Work};

use super::compare::Ratios;
use super::series::Row;
use crate::output::{self, thousands};

/// Writes a row a load and hub, and what the columns are.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = output::table([
        "Tải\nload",
        "văn bản/s\ndocs/s",
        "p50 · p99 · p99.9\nms",
        "đĩa p99\ndisk ms",
        "CPU µs\nhub · gen",
        "MiB\nRSS",
        "khối\nblock",
        "sync/s",
    ]);
    output::right(&mut table, 1..8);
    output::narrow(&mut table);
    for row in rows {
        let round = &row.median;
        let hub = round.hub.map_or("–".to_owned(), |hub| format!("{:.0}", hub.cpu_us));
        let journal = |figure: fn(&lienthong_bench::JournalFigures) -> f64| {
            round
                .journal
                .as_ref()
                .map_or("–".to_owned(), |journal| format!("{:.0}", figure(journal)))
        };
        table.add_row([
            format!("{}{}", of_hub(&row.hub), load(&round.load)),
            throughput(row),
            latency(&round.done),
            millis(round.disk.sync.p99_us),
            format!("{hub} · {:.0}", round.generator_cpu_us),
            round.hub.map_or("–".to_owned(), |hub| format!("{}", hub.resident_bytes_max >> 20)),
            journal(|journal| journal.entries_per_block),
            journal(|journal| journal.syncs_per_second),
        ]);
    }
    let rounds = rows.first().map_or(0, |row| row.rounds.len());
    format!(
        "{}\n{rounds} vòng, số trung vị / rounds, medians. Độ trễ tới khi xong việc / latency until \
         the work is done;\nđĩa / disk: 4 KiB + fdatasync, cùng lúc đo / in the same run; CPU: µs \
         mỗi văn bản / a document.\n",
        output::text_of(&table)
    )
}

/// Writes the ratios of two hubs.
pub(super) fn ratios(ratios: &Ratios) -> String {
    let cpu = ratios.hub_cpu.map_or("–".to_owned(), |cpu| format!("{cpu:.3}"));
    format!(
        "\nA / B, trung vị theo vòng / median by round: văn bản/s docs/s {:.3} · CPU {cpu} · p99 \
         {:.3}\n",
        ratios.documents_per_second, ratios.done_p99
    )
}

fn of_hub(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}\n") }
}

/// A load in words.
pub(super) fn load(load: &Load) -> String {
    let work = match load.work {
        Work::Submit => "gửi / submit",
        Work::Deliver => "gửi–nhận / to ack",
        Work::Statuses => "đến 03, 06 / statuses",
    };
    let way = match load.way {
        Way::Streaming => "stream",
        Way::Unary => "unary",
    };
    let pace = match load.pace {
        Pace::InFlight(room) => format!("{way} ×{room}"),
        Pace::PerSecond(rate) => format!("{way} {rate}/s"),
    };
    let to = format!("→{}", load.fan_out);
    match load.payload {
        0 => format!("{work}\n{pace} {to}"),
        bytes => format!("{work}\n{pace} {to} +{}", size(bytes)),
    }
}

fn throughput(row: &Row) -> String {
    let documents = row.median.documents_per_second;
    let documents = match documents < 100.0 {
        true => format!("{documents:.1}"),
        false => thousands(documents as u64),
    };
    match row.median.payload_bytes_per_second {
        bytes if bytes > 0.0 => format!("{documents}\n{:.1} MiB/s", bytes / f64::from(1 << 20)),
        _ => documents,
    }
}

fn latency(latency: &Latency) -> String {
    let Latency { p50_us, p99_us, p999_us, .. } = *latency;
    format!("{} · {} · {}", millis(p50_us), millis(p99_us), millis(p999_us))
}

/// Microseconds as milliseconds, to three figures or so.
pub(super) fn millis(micros: u64) -> String {
    let millis = micros as f64 / 1e3;
    match millis {
        small if small < 10.0 => format!("{small:.2}"),
        middle if middle < 100.0 => format!("{middle:.1}"),
        large => format!("{large:.0}"),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}
