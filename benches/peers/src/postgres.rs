//! PostgreSQL: a row for the document and three for mailboxes in one transaction, synchronous_commit
//! on; as an application writes it (four round trips), and as one statement.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use bytes::Bytes;
use tokio::process::Command;
use tokio_postgres::{Client, NoTls};

use crate::server::{Server, free_port};
use crate::work::{Figure, Group, Size, messages, pace};

/// Where Debian keeps the server's programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// Connections: each has one transaction under way.
const CONNECTIONS: usize = 32;
const PROMISE: &str = "synced · not verified · commit";

const TABLES: &str = "\
    create table document (id bigserial primary key, content bytea not null);
    create table mailbox (recipient int not null, document bigint not null,
                          primary key (recipient, document));";
const DOCUMENT: &str = "insert into document (content) values ($1) returning id";
const MAILBOXES: &str =
    "insert into mailbox select recipient, $1 from generate_series(1, 3) recipient";
const ONE: &str = "with one as (insert into document (content) values ($1) returning id)
    insert into mailbox select recipient, one.id from one, generate_series(1, 3) recipient";

pub async fn turn(folder: &Path, size: Size) -> anyhow::Result<Vec<Figure>> {
    // The server refuses to run as root, and its folder must be its own.
    let is_root = std::env::var("USER").is_ok_and(|user| user == "root") || uid_is_root();
    let data = folder.join("data");
    std::fs::create_dir(&data)?;
    if is_root {
        for folder in folder.ancestors().take(2).chain([data.as_path()]) {
            run(Command::new("chown").arg("postgres").arg(folder)).await?;
        }
    }
    let as_owner = |program: &str| {
        let program = format!("{PROGRAMS}/{program}");
        if !is_root {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", &program]);
        command
    };
    let mut init = as_owner("initdb");
    run(init.args(["-U", "peers", "-A", "trust", "--locale=C", "-E", "UTF8", "-D"]).arg(&data))
        .await?;
    let port = free_port()?;
    let mut command = as_owner("postgres");
    command.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]);
    command.args(["-c", "synchronous_commit=on", "-c", "max_connections=64"]);
    command.args(["-c", "shared_buffers=256MB"]);
    let server = Server::start(command, port, &folder.join("postgres.log")).await?;
    let measured = measure(port, size).await;
    server.stop().await;
    let (trips, one) = measured?;
    let figure =
        |name, per_second| Figure { name, promise: PROMISE, group: Group::Three, per_second };
    Ok(vec![figure("PostgreSQL, 4 round trips", trips), figure("PostgreSQL, one statement", one)])
}

fn uid_is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().await.with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?}: {said}");
    Ok(())
}

async fn connect(port: u16) -> anyhow::Result<Client> {
    let settings = format!("host=127.0.0.1 port={port} user=peers dbname=postgres");
    let mut tries = 0;
    loop {
        match tokio_postgres::connect(&settings, NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return Ok(client);
            }
            Err(error) if tries > 100 => return Err(error.into()),
            // It listens before it takes anybody in.
            Err(_) => tries += 1,
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// A connection with its statements prepared.
struct Prepared {
    client: Client,
    document: tokio_postgres::Statement,
    mailboxes: tokio_postgres::Statement,
    one: tokio_postgres::Statement,
}

async fn measure(port: u16, size: Size) -> anyhow::Result<(f64, f64)> {
    connect(port).await?.batch_execute(TABLES).await?;
    let mut prepared = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = connect(port).await?;
        let document = client.prepare(DOCUMENT).await?;
        let mailboxes = client.prepare(MAILBOXES).await?;
        let one = client.prepare(ONE).await?;
        prepared.push(Prepared { client, document, mailboxes, one });
    }
    let pool = Arc::new(Pool::of(prepared));
    // Fewer than the others have: it is the slowest, and the rate is what counts.
    let count = (size.documents / 4).max(1);
    pace(messages(count / 10 + 1), CONNECTIONS, |message| pool.clone().trips(message)).await?;
    let trips = pace(messages(count), CONNECTIONS, |message| pool.clone().trips(message)).await?;
    let one = pace(messages(count), CONNECTIONS, |message| pool.clone().one(message)).await?;
    Ok((trips, one))
}

/// Connections that are free.
struct Pool {
    all: Vec<tokio::sync::Mutex<Prepared>>,
    next: AtomicUsize,
}

impl Pool {
    fn of(all: Vec<Prepared>) -> Self {
        Self { all: all.into_iter().map(Into::into).collect(), next: AtomicUsize::new(0) }
    }

    async fn take(&self) -> tokio::sync::MutexGuard<'_, Prepared> {
        loop {
            if let Some(free) = self.all.iter().find_map(|one| one.try_lock().ok()) {
                return free;
            }
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len();
            let _wait = self.all[turn].lock().await;
        }
    }

    async fn trips(self: Arc<Self>, message: Bytes) -> anyhow::Result<()> {
        let free = self.take().await;
        free.client.batch_execute("begin").await?;
        let row = free.client.query_one(&free.document, &[&message.as_ref()]).await?;
        free.client.execute(&free.mailboxes, &[&row.get::<_, i64>(0)]).await?;
        free.client.batch_execute("commit").await?;
        Ok(())
    }

    async fn one(self: Arc<Self>, message: Bytes) -> anyhow::Result<()> {
        let free = self.take().await;
        free.client.execute(&free.one, &[&message.as_ref()]).await?;
        Ok(())
    }
}
