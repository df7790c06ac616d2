//! `lienthong sim diff`: where two traces part.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use lienthong_simulator::diff::{Difference, compare, meaning};
use serde::Serialize;

use crate::cli::Output;
use crate::output;

/// Show the first difference between two traces / điểm khác nhau đầu tiên
///
/// Exit code 0 when they are the same, 1 when they differ.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// A trace (`lienthong sim run NAME --trace FILE`)
    first: PathBuf,
    /// Another one
    second: PathBuf,
}

#[derive(Debug, Serialize)]
struct Outcome {
    same: bool,
    line: Option<u64>,
    before: Vec<String>,
    first: Option<String>,
    second: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &DiffArgs, output: Output) -> anyhow::Result<ExitCode> {
    let difference = compare(open(&args.first)?, open(&args.second)?)?;
    let same = difference.is_none();
    let outcome = Outcome::of(difference);
    output::one(output, &outcome, |outcome| outcome.to_text(args))?;
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(BufReader::new(file))
}

impl Outcome {
    fn of(difference: Option<Difference>) -> Self {
        let Some(Difference { line, before, first, second }) = difference else {
            return Self { same: true, line: None, before: Vec::new(), first: None, second: None };
        };
        Self { same: false, line: Some(line), before, first, second }
    }

    fn to_text(&self, args: &DiffArgs) -> String {
        let Some(line) = self.line else {
            return "giống nhau / the same\n".to_owned();
        };
        let shown = |path: &Path, text: Option<&String>| match text {
            Some(text) => format!("{}:\n  {text}\n  ({})\n", path.display(), meaning(text)),
            None => format!("{}:\n  (hết / ends here)\n", path.display()),
        };
        let before: String = self.before.iter().map(|line| format!("  {line}\n")).collect();
        format!(
            "khác nhau từ dòng {line} / they differ from line {line} on; trước đó / before it:\n\
             {before}\n{}{}",
            shown(&args.first, self.first.as_ref()),
            shown(&args.second, self.second.as_ref())
        )
    }
}
