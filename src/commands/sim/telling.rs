//! How far a long run is: a bar on a terminal, a line now and then where stderr goes elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// After how long a line is written where there is no terminal.
const LINE_AFTER: Duration = Duration::from_secs(30);

/// Tells how far a run is.
pub(super) struct Telling {
    bar: ProgressBar,
    steps: u64,
    /// When the next line is due; none: on a terminal.
    next: Option<Instant>,
}

impl Telling {
    /// Begins to tell of so many steps.
    pub(super) fn of(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        let style = ProgressStyle::with_template("{msg:10} {wide_bar} {percent} % {elapsed}");
        let bar = match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        let on_terminal = std::io::stderr().is_terminal();
        Self { bar, steps, next: (!on_terminal).then(|| Instant::now() + LINE_AFTER) }
    }

    /// Tells of a step: what comes now, and what more there is to say in a line.
    pub(super) fn at(&mut self, step: u64, now: impl Into<String>, more: impl FnOnce() -> String) {
        let Some(next) = &mut self.next else {
            self.bar.set_position(step);
            self.bar.set_message(now.into());
            return;
        };
        if *next <= Instant::now() {
            *next = Instant::now() + LINE_AFTER;
            let percent = step.saturating_mul(100) / self.steps.max(1);
            eprintln!("{} · {percent} % · {}", now.into(), more());
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
