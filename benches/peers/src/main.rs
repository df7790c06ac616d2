//! The same work beside message brokers and a database: each is started on loopback in a temporary
//! folder, all of them and the hub take turns, and the medians of the rounds are compared.
//!
//! What a peer promises stands beside its figure: none of them verifies a signature or gives a
//! receipt, and not all of them sync before they answer.

mod hub;
mod nats;
mod postgres;
mod rabbit;
mod redis;
mod server;
mod table;
mod work;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use table::Table;
use work::Size;

/// How long one turn of a peer may take.
const TURN_MAX: Duration = Duration::from_secs(300);

const HELP: &str = "\
peers --hub PROGRAM [--documents N] [--rounds N] [--data DIR] [--only NAME,…] [--json]
  --hub PROGRAM  the executable `lienthong` (release build)
  --documents N  documents of one turn (default 20000)
  --rounds N     rounds, everybody in turn; medians are shown (default 5)
  --data DIR     a folder on the disk to be used (default: the system's temporary folder)
  --only NAMES   of rabbitmq, redis, nats, postgresql
  --json         one JSON document instead of the table";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Some(asked) = Asked::read(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(());
    };
    let folder = match &asked.data {
        Some(data) => tempfile::tempdir_in(data)?,
        None => tempfile::tempdir()?,
    };
    let mut table = Table::default();
    for round in 1..=asked.rounds {
        for name in ["lienthong", "rabbitmq", "redis", "nats", "postgresql"] {
            if name != "lienthong" && !asked.takes(name) {
                continue;
            }
            eprintln!("round {round} of {}: {name}", asked.rounds);
            let turn = tempfile::tempdir_in(folder.path())?;
            let measured = async {
                match name {
                    "rabbitmq" => rabbit::turn(turn.path(), asked.size).await,
                    "redis" => redis::turn(turn.path(), asked.size).await,
                    "nats" => nats::turn(turn.path(), asked.size).await,
                    "postgresql" => postgres::turn(turn.path(), asked.size).await,
                    _ => hub::turn(&asked.hub, turn.path(), asked.size).await,
                }
            };
            let figures = tokio::time::timeout(TURN_MAX, measured).await;
            table.add(figures.with_context(|| format!("{name} took too long"))?.context(name)?);
        }
    }
    match asked.json {
        true => println!("{}", table.to_json()),
        false => println!("{}", table.to_text()),
    }
    Ok(())
}

/// What was asked on the command line.
struct Asked {
    hub: PathBuf,
    size: Size,
    rounds: usize,
    data: Option<PathBuf>,
    only: Vec<String>,
    json: bool,
}

impl Asked {
    fn read(arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Self>> {
        let mut asked = Self {
            hub: PathBuf::new(),
            size: Size { documents: 20_000 },
            rounds: 5,
            data: None,
            only: Vec::new(),
            json: false,
        };
        let mut arguments = arguments;
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("`{flag}` needs a value"));
            match flag.as_str() {
                "--hub" => asked.hub = value()?.into(),
                "--documents" => asked.size.documents = value()?.parse()?,
                "--rounds" => asked.rounds = value()?.parse()?,
                "--data" => asked.data = Some(value()?.into()),
                "--only" => asked.only = value()?.split(',').map(str::to_owned).collect(),
                "--json" => asked.json = true,
                "--help" | "-h" => return Ok(None),
                other => anyhow::bail!("`{other}` is unknown\n{HELP}"),
            }
        }
        anyhow::ensure!(asked.hub.is_file(), "name the hub's program with --hub\n{HELP}");
        anyhow::ensure!(asked.size.documents > 0 && asked.rounds > 0, "nothing is to be done");
        Ok(Some(asked))
    }

    fn takes(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|one| one == name)
    }
}
