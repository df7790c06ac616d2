//! What a measurement is told on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lienthong_bench::{Load, Pace, Way, Work};
use lienthong_model::AgencyCode;
use lienthong_model::limits::{ATTACHMENT_BYTES_MAX, STREAM_IN_FLIGHT_MAX};

use crate::say::Usage;
use crate::values;

/// Documents of one round when nobody says how many.
const DOCUMENTS: usize = 20_000;
/// Most documents of one round: they are signed, and kept in memory, before it.
const DOCUMENTS_MAX: usize = 2_000_000;
/// Most recipients of a document, each with a node of its own.
const FAN_OUT_MAX: usize = 200;
/// Most bytes of attachments of one round; they are written before it.
const PAYLOAD_BYTES_MAX: u64 = 8 << 30;
/// Unary calls under way when nobody says how many.
const UNARY_IN_FLIGHT: usize = 128;
/// Unary calls under way on one connection.
const UNARY_IN_FLIGHT_MAX: usize = 256;
const ROUNDS_MAX: usize = 100;

/// How far a document goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorkArg {
    /// Until its sender has the receipt
    Submit,
    /// Until every recipient has acknowledged it
    Deliver,
    /// Until every recipient has reported 03 and 06
    Statuses,
}

/// How documents are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WayArg {
    /// Many on one stream
    Streaming,
    /// A call each
    Unary,
}

/// What is asked of the hub.
#[derive(Debug, Clone, Args)]
pub(crate) struct LoadArgs {
    /// How far a document goes / công việc
    #[arg(long, value_enum, default_value = "submit")]
    work: WorkArg,
    /// How documents are handed over / cách gửi
    #[arg(long, value_enum, default_value = "streaming")]
    way: WayArg,
    /// Recipients of a document / số nơi nhận
    #[arg(long, value_name = "N", default_value_t = 1)]
    fan_out: usize,
    /// Bytes of its attachment (`100KiB`, `10MiB`); none for 0, above 1 MiB it is uploaded first
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = values::bytes)]
    payload: u64,
    /// Documents under way at a time: the next comes when one is done; default 512 on a stream, 128
    /// as calls
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    in_flight: Option<usize>,
    /// Documents due in a second, whatever became of those before: latency counts from the moment
    /// at which one was due / số văn bản mỗi giây
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Documents of one round; default 20,000
    #[arg(long, value_name = "N")]
    documents: Option<usize>,
}

/// Where it is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct GroundArgs {
    /// Rounds, each on a new hub; medians are shown / số vòng
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub rounds: usize,
    /// A folder on the disk that is to be measured; default: the system's temporary folder
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub running: RunningHubArgs,
}

/// A hub that runs already.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "A hub that runs already / trục đang chạy")]
pub(crate) struct RunningHubArgs {
    /// Measure this hub instead of starting one (`https://127.0.0.1:7443`)
    #[arg(long, value_name = "URL", requires_all = ["hub_pki", "sender"])]
    pub hub: Option<String>,
    /// The folder of its test PKI, with the authority's key: nodes and seals are made from it
    #[arg(long, value_name = "DIR", requires = "hub")]
    pub hub_pki: Option<PathBuf>,
    /// Who sends
    #[arg(long, value_name = "CODE", requires = "hub")]
    pub sender: Option<AgencyCode>,
    /// Who receives; their mailboxes must be empty
    #[arg(long, value_name = "CODE,…", requires = "hub", value_delimiter = ',')]
    pub recipients: Vec<AgencyCode>,
    /// Where it answers HTTP, for its counters
    #[arg(long, value_name = "ADDR", requires = "hub")]
    pub hub_http: Option<SocketAddr>,
    /// Its process, when it runs on this machine
    #[arg(long, value_name = "PID", requires = "hub")]
    pub hub_pid: Option<u32>,
}

impl LoadArgs {
    /// Returns the load.
    ///
    /// # Errors
    /// [`Usage`] for what is out of bounds.
    pub fn load(&self) -> Result<Load, Usage> {
        let way = match self.way {
            WayArg::Streaming => Way::Streaming,
            WayArg::Unary => Way::Unary,
        };
        let (usual, most) = match way {
            Way::Streaming => (STREAM_IN_FLIGHT_MAX, STREAM_IN_FLIGHT_MAX),
            Way::Unary => (UNARY_IN_FLIGHT, UNARY_IN_FLIGHT_MAX),
        };
        let load = Load {
            work: match self.work {
                WorkArg::Submit => Work::Submit,
                WorkArg::Deliver => Work::Deliver,
                WorkArg::Statuses => Work::Statuses,
            },
            way,
            fan_out: self.fan_out,
            payload: self.payload,
            documents: self.documents.unwrap_or(DOCUMENTS),
            pace: match self.rate {
                Some(rate) => Pace::PerSecond(rate),
                None => Pace::InFlight(self.in_flight.unwrap_or(usual)),
            },
        };
        let bounds = [
            ("--documents", load.documents as u64, DOCUMENTS_MAX as u64),
            ("--fan-out", load.fan_out as u64, FAN_OUT_MAX as u64),
            ("--in-flight", self.in_flight.unwrap_or(1) as u64, most as u64),
        ];
        for (flag, value, most) in bounds {
            within(flag, value, most)?;
        }
        if self.rate.is_some_and(|rate| !(0.1..=1e6).contains(&rate)) {
            return Err(Usage::new("`--rate` ngoài giới hạn", "`--rate` is out of bounds")
                .remedy("nêu một số từ 0.1 đến 1000000", "name 0.1 to 1,000,000"));
        }
        let bytes = load.payload.saturating_mul(load.documents as u64);
        if load.payload > ATTACHMENT_BYTES_MAX || bytes > PAYLOAD_BYTES_MAX {
            return Err(Usage::new(
                format!("`--payload` đòi {bytes} byte trong một vòng"),
                format!("`--payload` asks for {bytes} bytes in one round"),
            )
            .remedy(
                format!("tối đa {PAYLOAD_BYTES_MAX}: giảm --documents"),
                format!("at most {PAYLOAD_BYTES_MAX}: name fewer --documents"),
            ));
        }
        Ok(load)
    }
}

impl GroundArgs {
    /// # Errors
    /// [`Usage`] for what is out of bounds.
    pub fn check(&self) -> Result<(), Usage> {
        within("--rounds", self.rounds as u64, ROUNDS_MAX as u64)
    }
}

/// # Errors
/// [`Usage`] when the value is 0 or more than the bound.
pub(super) fn within(flag: &str, value: u64, most: u64) -> Result<(), Usage> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    let vi = format!("`{flag} {value}` ngoài giới hạn");
    Err(Usage::new(vi, format!("`{flag} {value}` is out of bounds"))
        .remedy(format!("nêu một số từ 1 đến {most}"), format!("name 1 to {most}")))
}
