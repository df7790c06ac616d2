//! `lienthong node init`: a connector's folders and a commented configuration.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use lienthong_connector::Places;
use serde::Serialize;

use super::keys::KEYS;
use crate::agency::AgencyFolder;
use crate::cli::Output;
use crate::config::{Key, Shape};
use crate::output;
use crate::say::Usage;

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder; made when it is not there
    dir: PathBuf,
    /// The agency's folder, as `lienthong pki` writes it
    #[arg(long = "as", value_name = "FOLDER", env = "LIENTHONG_AS")]
    as_folder: PathBuf,
    /// The hub's address
    #[arg(long, value_name = "URL", env = "LIENTHONG_HUB")]
    hub: Option<String>,
    /// Where the local HTTP API shall listen, such as 127.0.0.1:7490
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// Serve other agencies too
    #[arg(long)]
    gateway: bool,
}

#[derive(Debug, Serialize)]
struct Made {
    agency: String,
    folder: String,
    config: String,
}

/// Makes them.
///
/// # Errors
/// When there is a configuration already, or something cannot be written.
pub(super) fn run(args: &InitArgs, output: Output) -> anyhow::Result<ExitCode> {
    let agency = AgencyFolder::open(&args.as_folder, None)?.code()?;
    let path = write_folder(&Wanted {
        dir: &args.dir,
        keys: &args.as_folder,
        hub: args.hub.as_deref(),
        http: args.http.as_deref(),
        clock: None,
        gateway: args.gateway,
    })?;
    let made = Made {
        agency: agency.to_string(),
        folder: args.dir.display().to_string(),
        config: path.display().to_string(),
    };
    output::one(output, &made, |made| {
        let config = &made.config;
        output::pairs(&[
            ("cơ quan / agency", made.agency.clone()),
            ("cấu hình / configuration", config.clone()),
            ("kiểm tra / check it", format!("lienthong node doctor --config {config}")),
            ("chạy / run it", format!("lienthong node --config {config}")),
        ])
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What is said of a connector when its folder is made.
pub(crate) struct Wanted<'a> {
    /// The folder.
    pub dir: &'a Path,
    /// The agency's folder with its keys.
    pub keys: &'a Path,
    /// The hub's address.
    pub hub: Option<&'a str>,
    /// Where the local HTTP API listens.
    pub http: Option<&'a str>,
    /// The hub's clock, where it is not this machine's.
    pub clock: Option<&'a str>,
    /// Whether it serves other agencies too.
    pub gateway: bool,
}

/// Makes a connector's folders and its configuration; returns the file's path.
///
/// # Errors
/// [`Usage`] when there is one already, or something cannot be written.
pub(crate) fn write_folder(wanted: &Wanted<'_>) -> anyhow::Result<PathBuf> {
    let agency = AgencyFolder::open(wanted.keys, None)?.code()?;
    let path = wanted.dir.join("node.toml");
    if path.exists() {
        let shown = path.display();
        return Err(Usage::new(format!("đã có `{shown}`"), format!("`{shown}` is there already"))
            .remedy("sửa tệp đó, hoặc chọn thư mục khác", "edit it, or give another folder")
            .into());
    }
    Places::new(wanted.dir, agency, wanted.gateway).make()?;
    let keys = std::fs::canonicalize(wanted.keys)
        .with_context(|| format!("cannot read `{}`", wanted.keys.display()))?;
    write(&path, &template(wanted, &keys))?;
    Ok(path)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write `{}`", path.display());
    let mut file = std::fs::File::create_new(path).with_context(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)
}

/// Every key with its meaning; those that were said are set, the others commented out.
fn template(wanted: &Wanted<'_>, keys: &Path) -> String {
    let mut text = String::from(
        "# A connector's configuration. Every key can be a flag (--key) or a variable, too; flags\n\
         # go before variables, variables before this file. Relative paths are relative to it.\n",
    );
    for key in KEYS {
        text.push('\n');
        for line in wrapped(key.meaning, 94) {
            let _ = writeln!(text, "# {line}");
        }
        let said = match key.name {
            "as" => Some(quoted(&keys.display().to_string())),
            "hub" => wanted.hub.map(quoted),
            "http" => wanted.http.map(quoted),
            "clock" => wanted.clock.map(quoted),
            "gateway" if wanted.gateway => Some("true".to_owned()),
            _ => None,
        };
        match said {
            Some(value) => {
                let _ = writeln!(text, "{} = {value}", key.name);
            }
            None => {
                let _ = writeln!(text, "# {} = {}", key.name, example(key));
            }
        }
    }
    text
}

fn example(key: &Key) -> String {
    match (key.shape, key.default) {
        (Shape::Switch, default) => default.unwrap_or("false").to_owned(),
        (Shape::Number, default) => default.unwrap_or("0").to_owned(),
        (Shape::Paths | Shape::Texts, _) => "[]".to_owned(),
        (Shape::Text | Shape::Path | Shape::BuiltinOrPath, default) => {
            quoted(default.unwrap_or_default())
        }
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Breaks a text into lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(last) = lines.last_mut() else { break };
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
