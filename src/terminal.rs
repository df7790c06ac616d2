//! What belongs to the terminal: the log on stderr and progress bars. Results are not here.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, LogFormat};
use crate::say::Usage;

/// How long something must take before a bar is shown.
const BAR_AFTER: Duration = Duration::from_secs(2);

/// Installs the log: on stderr, colours only on a terminal.
///
/// # Errors
/// [`Usage`] when the filter cannot be read.
pub(crate) fn log(cli: &Cli) -> anyhow::Result<()> {
    let default = match &cli.command {
        Command::Hub(_) | Command::Node(_) => "info",
        // Its clients lose their connections all the time.
        Command::Selftest(_) => "error",
        _ => "warn",
    };
    let text = cli.global.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::builder().parse(text).map_err(|error| {
        let vi = format!("`--log {text}` không phải bộ lọc nhật ký chương trình");
        Usage::new(vi, format!("`--log {text}` is no filter: {error}")).remedy(
            "ghi một mức (`info`), hoặc các đích kèm mức (`info,lienthong_hub=debug`)",
            "write a level (`info`), or targets with levels (`info,lienthong_hub=debug`)",
        )
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second installation, in tests, changes nothing.
    let _ = match cli.global.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}

/// A progress bar on stderr that shows itself only when the work takes more than two seconds, and
/// only on a terminal.
pub(crate) struct Progress {
    began: Instant,
    what: String,
    template: &'static str,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins to wait for something.
    pub(crate) fn of(what: impl Into<String>) -> Self {
        Self::with(what, "{msg} {wide_bar} {pos}/{len} ({eta})")
    }

    /// Begins to wait for something that is counted in bytes.
    pub(crate) fn of_bytes(what: impl Into<String>) -> Self {
        Self::with(what, "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} ({eta})")
    }

    fn with(what: impl Into<String>, template: &'static str) -> Self {
        Self { began: Instant::now(), what: what.into(), template, bar: None }
    }

    /// Notes the step that was reached and how many there are.
    pub(crate) fn reached(&mut self, step: u64, end: u64) {
        if self.bar.is_none() && self.began.elapsed() >= BAR_AFTER {
            let style = ProgressStyle::with_template(self.template);
            let bar = ProgressBar::new(end).with_message(self.what.clone());
            self.bar = Some(match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            });
        }
        if let Some(bar) = &self.bar {
            bar.set_position(step);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A progress bar for each file of a document, one after the other.
pub(crate) struct Bars {
    what: &'static str,
    current: Option<(PathBuf, Progress)>,
}

impl Bars {
    /// Begins to wait for something that is done with files.
    pub(crate) fn of(what: &'static str) -> Self {
        Self { what, current: None }
    }

    /// Notes how many bytes of a file are done.
    pub(crate) fn reached(&mut self, file: &Path, bytes: u64, of: u64) {
        if self.current.as_ref().is_none_or(|(current, _)| current != file) {
            self.finish();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let bar = Progress::of_bytes(format!("{} {name}", self.what));
            self.current = Some((file.to_owned(), bar));
        }
        if let Some((_, bar)) = &mut self.current {
            bar.reached(bytes, of);
        }
    }

    fn finish(&mut self) {
        if let Some((_, bar)) = self.current.take() {
            bar.finish();
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.finish();
    }
}
