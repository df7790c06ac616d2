//! A sandbox's folder: what is needed to go on with it, and to find it from another terminal.
//!
//! ```text
//! sandbox.toml     where the hub is, its clock, who is under test
//! pki/             the test PKI, as `lienthong pki` writes it
//! agencies.csv     the directory
//! data/            the hub's
//! stranger/        a test PKI that the hub relies on and nobody is given
//! lines/           how the network before each agency under test is
//! connector/       the connector of the agency that works through one
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use lienthong_model::{AgencyCode, AgencyEntry, Timestamp};
use lienthong_pki::{Folder, KeySource, Validity};
use lienthong_simulator::scenario::Scenario;
use lienthong_simulator::world::Keys;
use serde::{Deserialize, Serialize};

use super::life::Cast;
use crate::commands::sim::live::hub_profile;
use crate::own_hub::Time;
use crate::say::Usage;
use crate::source::machine_now;

const FILE: &str = "sandbox.toml";
/// How often it is noted where an accelerated clock stands.
pub(super) const CLOCK_NOTED_EVERY: Duration = Duration::from_secs(10);

/// An open sandbox.
pub(crate) struct Sandbox {
    folder: PathBuf,
    noted: Noted,
    time: Time,
}

/// What `sandbox.toml` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Noted {
    /// `https://host:port`; empty before it was first opened.
    hub: String,
    clock: String,
    province: String,
    living: Vec<String>,
    connector: String,
    under_test: Vec<String>,
    /// Where agencies under test reach the hub, by code.
    #[serde(default)]
    lines: BTreeMap<String, SocketAddr>,
    /// Everything random follows from it, the keys of the living agencies too.
    seed: u64,
    /// When it was made, in business time.
    begin: String,
    /// Where its clock stood when it stopped; while it runs, or after a kill, where it has not been.
    #[serde(default)]
    ended: Option<String>,
}

impl Sandbox {
    /// Takes a folder: a new one, or one to go on with.
    ///
    /// # Errors
    /// [`Usage`] when the folder holds another sandbox.
    pub(super) fn prepare(folder: &Path, rate: u32, cast: &Cast) -> anyhow::Result<Self> {
        let now = machine_now();
        let texts = |codes: &[AgencyCode]| codes.iter().map(ToString::to_string).collect();
        let new = Noted {
            hub: String::new(),
            clock: String::new(),
            province: cast.province.to_string(),
            living: texts(&cast.living),
            connector: cast.connector.to_string(),
            under_test: texts(&cast.under_test),
            lines: BTreeMap::new(),
            seed: rand_seed()?,
            begin: now.day().start().to_string(),
            ended: None,
        };
        let noted = match read(folder)? {
            None => new,
            Some(old) if (&old.living, &old.under_test) == (&new.living, &new.under_test) => old,
            Some(old) => {
                let (shown, province) = (folder.display(), old.province);
                return Err(Usage::new(
                    format!("`{shown}` là sân tập của {province} với cơ quan khác được kiểm tra"),
                    format!("`{shown}` is a sandbox of {province} with others under test"),
                )
                .remedy(
                    "tiếp tục với đúng các cơ quan đó, hoặc chọn thư mục khác bằng --folder",
                    "go on with the same agencies, or give another folder with --folder",
                )
                .into());
            }
        };
        let ended = noted.ended.as_deref().and_then(Timestamp::parse);
        let start = ended.map_or(now, |ended| ended.max(now));
        let time = match rate {
            // A clock that ran ahead cannot go back to this machine's.
            1 if start == now => Time::Real,
            rate => Time::Scenario { start, rate: f64::from(rate) },
        };
        Ok(Self { folder: folder.to_owned(), noted, time })
    }

    /// Opens the folder of a sandbox that runs.
    ///
    /// # Errors
    /// [`Usage`] when it is none.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let none = || {
            let shown = folder.display();
            Usage::new(format!("`{shown}` không phải sân tập"), format!("`{shown}` is no sandbox"))
                .remedy(
                    "khởi động bằng `lienthong sandbox`, hoặc chỉ thư mục của nó bằng --sandbox",
                    "start one with `lienthong sandbox`, or name its folder with --sandbox",
                )
        };
        let noted = read(folder)?.filter(|noted| !noted.hub.is_empty()).ok_or_else(none)?;
        let time = match lienthong_hub::Clock::parse(&noted.clock)? {
            lienthong_hub::Clock::Real => Time::Real,
            lienthong_hub::Clock::Scenario { start, rate } => Time::Scenario { start, rate },
        };
        Ok(Self { folder: folder.to_owned(), noted, time })
    }

    /// Returns where it is kept.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns where the hub is.
    pub(crate) fn hub(&self) -> &str {
        &self.noted.hub
    }

    /// Returns where an agency under test reaches the hub: by a line that can be disturbed.
    pub(crate) fn line(&self, agency: &str) -> Option<SocketAddr> {
        self.noted.lines.get(agency).copied()
    }

    /// Returns its clock.
    pub(crate) fn time(&self) -> Time {
        self.time
    }

    pub(super) fn seed(&self) -> u64 {
        self.noted.seed
    }

    /// Returns the day on which it was made.
    pub(super) fn begin(&self) -> Timestamp {
        Timestamp::parse(&self.noted.begin).unwrap_or_else(machine_now)
    }

    /// Returns the PKI that the hub relies on and nobody is given.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn stranger(&self) -> anyhow::Result<Folder> {
        let path = self.folder.join("stranger");
        Folder::open(&path).with_context(|| format!("`{}`", path.display()))
    }

    /// Returns its PKI.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn pki(&self) -> anyhow::Result<Folder> {
        let path = self.folder.join("pki");
        Folder::open(&path).with_context(|| format!("`{}`", path.display()))
    }

    /// Returns the agencies under test.
    pub(crate) fn under_test(&self) -> &[String] {
        &self.noted.under_test
    }

    /// Returns how the sandbox writes the code of an agency under test; `None` when it is not.
    pub(crate) fn tested(&self, agency: &AgencyCode) -> Option<String> {
        let is_it =
            |code: &&String| AgencyCode::parse(code).is_ok_and(|code| code.key() == agency.key());
        self.under_test().iter().find(is_it).cloned()
    }

    /// Returns agencies that live as clients of the simulator.
    pub(crate) fn living(&self) -> &[String] {
        &self.noted.living
    }

    /// Returns the keys of the living agencies: those of the PKI, once there is one.
    pub(super) fn keys(&self, scenario: &Scenario) -> anyhow::Result<Keys> {
        Ok(Keys::new(self.noted.seed, self.begin(), scenario.end())?)
    }

    /// Writes what the hub begins with, unless it is there.
    pub(super) fn write(
        &self,
        keys: &Keys,
        directory: &[AgencyEntry],
        cast: &Cast,
    ) -> anyhow::Result<()> {
        // What is written last.
        if self.folder.join("agencies.csv").is_file() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder).with_context(|| cannot("make", &self.folder))?;
        // A start that fails from here on goes on with the same seed, and so with the same keys.
        self.note()?;
        let unfinished = self.folder.join("unfinished");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).with_context(|| cannot("remove", &unfinished))?;
        }
        let pki = keys.write(&unfinished.join("pki"), &hub_profile()?)?;
        keys.write_agency(&pki, &cast.connector)?;
        let seed = lienthong_model::Digest::of(format!("stranger {}", self.seed()).as_bytes());
        let day = Duration::from_secs(24 * 3_600);
        let validity = Validity {
            not_before: self.begin().minus(day * 2),
            not_after: self.begin().plus(day * 800),
        };
        let stranger = KeySource::Seed(*seed.as_bytes());
        Folder::create(&unfinished.join("stranger"), &stranger, validity, validity.not_after)?;
        for name in ["pki", "stranger"] {
            let place = self.folder.join(name);
            if !place.exists() {
                std::fs::rename(unfinished.join(name), &place)
                    .with_context(|| cannot("make", &place))?;
            }
        }
        std::fs::remove_dir_all(&unfinished).with_context(|| cannot("remove", &unfinished))?;
        crate::own_hub::OwnHub::write_directory(&self.folder, directory)
    }

    /// Notes where the hub is, for other terminals.
    pub(super) fn opened(
        &mut self,
        hub: &str,
        lines: BTreeMap<String, SocketAddr>,
    ) -> anyhow::Result<()> {
        self.noted.lines = lines;
        self.noted.hub = hub.replace("127.0.0.1", "localhost");
        self.noted.clock = self.time.text();
        self.note()
    }

    /// Notes where an accelerated clock will not have been before the next note, so that it does not go
    /// back however the sandbox ends. This machine's needs no note.
    pub(super) fn note_clock(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let Time::Scenario { rate, .. } = self.time else { return Ok(()) };
        // A note may be late by as much again.
        self.noted.ended = Some(now.plus(CLOCK_NOTED_EVERY.mul_f64(rate * 2.0)).to_string());
        self.note()
    }

    /// Notes where the clock stood in the end.
    pub(super) fn ended(&mut self, at: Timestamp) -> anyhow::Result<()> {
        self.noted.ended = Some(at.to_string());
        self.note()
    }

    fn note(&self) -> anyhow::Result<()> {
        let path = self.folder.join(FILE);
        let text = toml::to_string(&self.noted)?;
        // Whole or not at all, wherever it is killed.
        let unfinished = path.with_extension("new");
        std::fs::write(&unfinished, text)
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .with_context(|| cannot("write", &path))
    }
}

fn cannot(what: &str, path: &Path) -> String {
    format!("cannot {what} `{}`", path.display())
}

fn read(folder: &Path) -> anyhow::Result<Option<Noted>> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let text = crate::agency::read(&path)?;
    Ok(Some(toml::from_str(&text).with_context(|| format!("`{}`", path.display()))?))
}

/// A seed that nobody can guess: whoever has it has every key of the living agencies.
fn rand_seed() -> anyhow::Result<u64> {
    let serial = lienthong_pki::Serial::random()?;
    match serial {
        lienthong_pki::Serial::Of(bytes) => {
            let mut seed = [0; 8];
            seed.copy_from_slice(&bytes[..8]);
            // TOML's numbers have a sign.
            Ok(u64::from_be_bytes(seed) >> 1)
        }
        lienthong_pki::Serial::Derived => {
            anyhow::bail!("the operating system gives no random bytes")
        }
    }
}
