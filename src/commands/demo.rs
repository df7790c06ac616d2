//! `lienthong demo`: the Central Highlands of November 2020 through a real hub.
//!
//! A hub on a free loopback port, with a PKI and a data folder of its own; every agency of the
//! provinces that take part, and the central bodies, as clients with keys of their own. What goes
//! wrong on purpose is compared with the refusal that it provokes. In the end a document goes by way
//! of two connectors.

mod connectors;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use lienthong_core::statistics::Period;
use lienthong_hub::{
    Clock, DirectoryImport, Hub, ListFiles, Rates, ServerIdentity, Settings, StorageSettings,
};
use lienthong_model::{AgencyCode, Timestamp};
use lienthong_simulator::{Address, Cast, CastError, Plan, Progress, Scenario, Stage, Tally};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::cli::Output;
use crate::output;
use crate::say::Usage;
use report::Report;

/// Lâm Đồng, Kon Tum, Đắk Lắk, Đắk Nông, Gia Lai.
const CENTRAL_HIGHLANDS: &str = "H36,H34,H15,H16,H21";
/// Đắk Nông and Gia Lai, whose leaders did not sign in person yet.
const TRANSITION: [&str; 2] = ["H16", "H21"];
/// Đắk Lắk, the largest of the five: one gateway serves all its agencies.
const GATEWAY: &str = "H15";
/// The Office of the Government.
const OFFICE: &str = "G22";
/// The day of the conference on which the figures of November 2020 were reported.
const START: &str = "2020-11-16T08:00:00+07:00";
/// A second of the demo is a minute of its clock.
const RATE: f64 = 60.0;

/// Run a country of simulated agencies through a hub / chạy thử cả nước
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Submissions to make, at least 1,000 / số lượt gửi
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    documents: usize,
    /// Codes of the provinces that take part / các tỉnh tham gia
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', default_value = CENTRAL_HIGHLANDS)]
    provinces: Vec<AgencyCode>,
    /// Everything random follows from it; the same seed counts the same / số hạt giống
    #[arg(long, value_name = "N", default_value_t = 2020)]
    seed: u64,
    /// Where to keep the hub's data folder, new or empty; without it a temporary one / thư mục dữ liệu
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs the demo and prints its report.
///
/// # Errors
/// When the arguments do not do, or the demo cannot be run to its end.
pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    check(&args)?;
    let began = Instant::now();
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let data = args.data.clone().unwrap_or_else(|| temporary.path().join("hub"));
    let scenario = scenario(&args)?;
    let cast = Cast::new(&scenario, lienthong_country::entries()?).map_err(|error| {
        let vi = match &error {
            CastError::NoProvince(code) => format!(
                "`{code}` không phải tỉnh trong danh bạ: xem `lienthong directory list --level \
                 province`"
            ),
            CastError::Issue(_) => "không cấp được chứng thư cho các bên tham gia".to_owned(),
        };
        Usage::new(vi, error.to_string())
    })?;
    let plan = Arc::new(Plan::new(&cast, args.documents, args.seed));
    introduce(&args, &cast, &plan, output)?;
    let hub = Hub::start(settings(&cast, &data, &scenario), |_, _| {}).await?;
    let address =
        Address { url: format!("https://{}", hub.address()), now: scenario.start, rate: RATE };
    let cast = Arc::new(cast);
    let tally = exchange(cast.clone(), plan, address.clone()).await;
    let tally = tally?;
    let by_connectors = by_connectors(&cast, &args, temporary.path(), &address).await?;
    let volumes = hub.reader().volumes(Period::ALL)?;
    let directory = hub.reader().directory();
    let ended_at = hub.now();
    hub.stop().await?;
    if let Some(data) = &args.data {
        keep(&cast, data, ended_at)?;
    }
    let taking_part = report::Participants { provinces: &args.provinces, directory: &directory };
    let report =
        Report::new(args.seed, (&tally, by_connectors), &volumes, taking_part, began.elapsed())?;
    output::one(output, &report, |report| report.to_table(args.data.as_deref()))?;
    Ok(verdict(&tally))
}

fn check(args: &Args) -> anyhow::Result<()> {
    if args.documents < Plan::SUBMISSIONS_MIN {
        let found = args.documents;
        let least = Plan::SUBMISSIONS_MIN;
        return Err(Usage::new(
            format!("`--documents {found}` là quá ít"),
            format!("`--documents {found}` is too few"),
        )
        .remedy(format!("yêu cầu ít nhất {least}"), format!("ask for at least {least}"))
        .into());
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = args.provinces.iter().find(|province| !seen.insert(province.key())) {
        let vi = format!("`{twice}` được nêu hai lần");
        return Err(Usage::new(vi, format!("`{twice}` is named twice"))
            .remedy("nêu mỗi tỉnh một lần", "name every province once")
            .into());
    }
    if let Some(data) = &args.data
        && data.read_dir().is_ok_and(|mut entries| entries.next().is_some())
    {
        let shown = data.display();
        return Err(Usage::new(format!("`{shown}` không rỗng"), format!("`{shown}` is not empty"))
            .remedy(
                "nêu thư mục mới hoặc rỗng: màn trình diễn bắt đầu từ con số không",
                "name a new or an empty folder: the demo starts from nothing",
            )
            .into());
    }
    Ok(())
}

fn scenario(args: &Args) -> anyhow::Result<Scenario> {
    let taking_part = |code: &str| {
        args.provinces.iter().find(|province| province.key().as_str() == code).cloned()
    };
    let start = Timestamp::parse(START).context("the demo's clock")?;
    Ok(Scenario {
        seed: args.seed,
        transition: TRANSITION.into_iter().filter_map(taking_part).collect(),
        gateway: taking_part(GATEWAY).or_else(|| args.provinces.first().cloned()),
        provinces: args.provinces.clone(),
        start,
    })
}

fn settings(cast: &Cast, data: &Path, scenario: &Scenario) -> Settings {
    let der = |der: &bytes::Bytes| CertificateDer::from(der.to_vec());
    Settings {
        data: data.to_owned(),
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        http: None,
        clock: Clock::Scenario { start: scenario.start, rate: RATE },
        identity: ServerIdentity {
            chain: vec![der(cast.hub.certificate.der()), der(&cast.issuing)],
            key: PrivateKeyDer::Pkcs8(cast.hub.key.to_pkcs8_der().into()),
        },
        roots: vec![cast.root.clone()],
        authorities: vec![cast.issuing.clone()],
        revocation_lists: cast.revocation_lists.clone(),
        list_files: ListFiles::default(),
        rates: Rates::default(),
        directory: Some(DirectoryImport {
            source: "Viet Nam, built in; the demo's provinces connected".to_owned(),
            entries: cast.directory.clone(),
        }),
        rules: None,
        storage: StorageSettings::short_lived(),
    }
}

/// Says on stderr what is about to happen, when a person reads.
fn introduce(args: &Args, cast: &Cast, plan: &Plan, output: Output) -> anyhow::Result<()> {
    if output != Output::Table {
        return Ok(());
    }
    let known = lienthong_country::provinces()?;
    let named = known
        .into_iter()
        .filter(|province| args.provinces.iter().any(|code| code.key() == province.code.key()));
    let names: Vec<String> = named.map(|province| province.name).collect();
    let nodes = cast.members.iter().enumerate().filter(|(i, m)| m.served_by == *i).count();
    eprintln!(
        "Trục liên thông văn bản / document interlink axis\n\
         16/11/2020 / 16 November 2020 · {} và trung ương / and the centre\n\
         {} cơ quan, mỗi nơi một khóa / agencies with a key each, {nodes} nút / nodes, \
         {} lượt gửi / submissions, {} lượt phát / deliveries",
        names.join(", "),
        output::thousands(cast.members.len() as u64),
        output::thousands(plan.submissions() as u64),
        output::thousands(plan.deliveries() as u64),
    );
    Ok(())
}

async fn exchange(cast: Arc<Cast>, plan: Arc<Plan>, address: Address) -> anyhow::Result<Tally> {
    let bar = report::bar();
    let told = bar.clone();
    let tally = lienthong_simulator::run(cast, plan, address, move |progress: Progress| {
        told.set_length(progress.total);
        told.set_position(progress.done);
        told.set_message(match progress.stage {
            Stage::Connecting => "kết nối / nodes connecting",
            Stage::Exchanging => "đã nhận / deliveries acknowledged",
        });
    })
    .await;
    bar.finish_and_clear();
    Ok(tally?)
}

/// The Office of the Government writes to the first province, each with a connector.
async fn by_connectors(
    cast: &Cast,
    args: &Args,
    folder: &Path,
    address: &Address,
) -> anyhow::Result<connectors::ByConnectors> {
    let pki = folder.join("pki");
    cast.write_pki(&pki).context("cannot write the demo's PKI")?;
    let clock = format!("start={},rate={RATE}", address.now);
    let ground = connectors::Ground { folder, pki: &pki, url: &address.url, clock: &clock };
    let to = args.provinces.first().context("no province takes part")?;
    connectors::exchange(&ground, &AgencyCode::parse(OFFICE)?, to).await
}

/// Puts beside the kept data what is needed to go on with it: the PKI, and a configuration whose
/// clock goes on where the demo's ended.
fn keep(cast: &Cast, data: &Path, ended_at: Timestamp) -> anyhow::Result<()> {
    cast.write_pki(&data.join("pki")).context("cannot keep the demo's PKI")?;
    let text = format!(
        "# Written by `lienthong demo`: run `lienthong hub --data` with this folder to go on.\n\
         listen = \"127.0.0.1:7890\"\n\
         pki = \"pki\"\n\
         clock = \"start={ended_at},rate=1\"\n"
    );
    std::fs::write(data.join("hub.toml"), text).context("cannot write `hub.toml`")
}

fn verdict(tally: &Tally) -> ExitCode {
    if tally.mismatched == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "lỗi / error: {} kết quả không như phải có / outcomes are not as they had to be:",
        tally.mismatched
    );
    for mismatch in &tally.mismatches {
        eprintln!("  {mismatch}");
    }
    ExitCode::FAILURE
}
