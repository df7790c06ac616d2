//! `bench overload`: more than the hub can take.

use clap::Args;
use lienthong_bench::{Cast, Flood, Flooded, HubProcess, Program, Stage, Target, Way};

use super::args::{WayArg, within};
use super::series::temporary;
use super::view::millis;
use crate::cli::Output;
use crate::output::{self, thousands};
use crate::terminal::Progress;

/// Longest flood, in seconds: what it needs is signed, and kept in memory, before it.
const SECONDS_MAX: u64 = 300;
const SENDERS_MAX: u64 = 64;
const WINDOW_MAX: u64 = 512;

/// Offer more than the hub can take / quá tải
///
/// First work, as long as the flood; then the capacity, in a closed loop; then 0.8 of it, the
/// usual; then so many times the capacity; then 0.8 again, and the capacity. Documents that are due
/// while their sender's window is full are kept back by the sender, as a stream's flow control
/// does; those that the hub declines may come again.
#[derive(Debug, Args)]
pub(crate) struct OverloadArgs {
    /// How documents are handed over / cách gửi
    #[arg(long, value_enum, default_value = "streaming")]
    way: WayArg,
    /// How many times the capacity is offered
    #[arg(long, value_name = "N", default_value_t = 3.0)]
    factor: f64,
    /// How long, in seconds / số giây
    #[arg(long, value_name = "N", default_value_t = 20)]
    seconds: u64,
    /// How long capacity and the usual are measured, each, in seconds
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds_before: u64,
    /// Connections, a sender each
    #[arg(long, value_name = "N", default_value_t = 4)]
    senders: usize,
    /// Documents that one sender has under way at most
    #[arg(long, value_name = "N", default_value_t = 256)]
    window: usize,
    /// A folder on the disk that is to be measured; default: the system's temporary folder
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
}

/// Carries it out and prints what it showed.
///
/// # Errors
/// When the hub cannot be started, or fails in another way than by asking for patience.
pub(super) async fn run(args: OverloadArgs, output: Output) -> anyhow::Result<()> {
    within("--seconds", args.seconds, SECONDS_MAX)?;
    within("--seconds-before", args.seconds_before, SECONDS_MAX)?;
    within("--senders", args.senders as u64, SENDERS_MAX)?;
    within("--window", args.window as u64, WINDOW_MAX)?;
    let flood = Flood {
        way: match args.way {
            WayArg::Streaming => Way::Streaming,
            WayArg::Unary => Way::Unary,
        },
        senders: args.senders,
        window: args.window,
        factor: args.factor.clamp(0.1, 100.0),
        seconds: args.seconds as f64,
        seconds_before: args.seconds_before as f64,
    };
    let folder = temporary(args.data.as_deref())?;
    let stage = Stage::write(folder.path(), Cast::numbered(args.senders, args.senders)?, 0)?;
    let hub = HubProcess::start(&Program::this()?, &stage, &folder.path().join("hub")).await?;
    let target = Target::of(&hub, folder.path().to_owned());
    let bar = Progress::of("đang đo / measuring");
    let flooded = flood.carry_out(&target, &stage.keys, &stage.cast).await;
    bar.finish();
    let ended = hub.stop().await;
    let flooded = flooded?;
    anyhow::ensure!(ended, "the hub did not end well after the flood");
    output::one(output, &flooded, view)
}

fn view(flooded: &Flooded) -> String {
    let Flooded { flood, usual, accepted, .. } = flooded;
    let ratio = |of: f64, to: f64| if to > 0.0 { format!("{:.2}", of / to) } else { "–".into() };
    let again = flooded.as_usual_after_ms;
    output::pairs(&[
        (
            "Năng lực / capacity",
            format!(
                "{} /s; lúc đầu / at first {}, sau cùng / after all {}",
                thousands(flooded.capacity as u64),
                thousands(flooded.capacity_at_first as u64),
                thousands(flooded.capacity_after as u64)
            ),
        ),
        (
            "Đề nghị / offered",
            format!(
                "{} /s, × {} trong / for {} s",
                thousands(flooded.offered_per_second as u64),
                ratio(flooded.offered_per_second, flooded.capacity),
                flood.seconds
            ),
        ),
        (
            "Đã nhận / accepted",
            format!(
                "{} /s, × {} năng lực / of the capacity",
                thousands(flooded.accepted_per_second as u64),
                ratio(flooded.accepted_per_second, flooded.capacity)
            ),
        ),
        ("p99 thường / usual (0.8)", format!("{} ms", millis(usual.p99_us))),
        (
            "p99 khi quá tải / of what is accepted",
            format!(
                "{} ms, × {}",
                millis(accepted.p99_us),
                ratio(accepted.p99_us as f64, usual.p99_us as f64)
            ),
        ),
        (
            "Từ chối / declined",
            format!(
                "{}, có hẹn giờ / told when to come again: {}",
                thousands(flooded.declined),
                thousands(flooded.told_when)
            ),
        ),
        ("Bên gửi giữ lại / kept back", thousands(flooded.kept_back)),
        (
            "Trở lại như thường / as usual after",
            again.map_or("không thấy trong 5 s / not within 5 s".to_owned(), |ms| {
                format!("{ms} ms")
            }),
        ),
        ("RSS", format!("{} MiB", flooded.resident_bytes_max >> 20)),
    ])
}
