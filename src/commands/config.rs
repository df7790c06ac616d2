//! `lienthong config`: what a hub would be started with, and which keys there are.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::Output;
use crate::config::{self, Effective, HubFlags, KEYS};
use crate::output;

/// Show what a hub would be started with / xem cấu hình
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    Check(Box<CheckArgs>),
    /// List every key with its default and meaning / danh mục tham số
    Keys,
}

/// Check the configuration: print every value in force and where it comes from / kiểm tra cấu hình
///
/// Takes the flags of `lienthong hub`.
#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    flags: HubFlags,
}

#[derive(Debug, Serialize)]
struct SettingView {
    key: &'static str,
    values: Vec<String>,
    origin: String,
}

#[derive(Debug, Serialize)]
struct KeyView {
    key: &'static str,
    flag: String,
    variable: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
}

/// Runs the command.
///
/// # Errors
/// When the configuration does not do: the same error with which a hub would not start.
pub(crate) fn run(args: ConfigArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        ConfigCommand::Check(args) => {
            let effective = args.flags.effective(|name| std::env::var(name).ok())?;
            output::many(output, &views(&effective), table)?;
            // Everything that is named must be there and readable: what was printed is kept.
            config::settings(&effective)?;
        }
        ConfigCommand::Keys => keys(output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn views(effective: &Effective) -> Vec<SettingView> {
    let view = |setting: &config::Setting| SettingView {
        key: setting.key.name,
        values: setting.values.clone(),
        origin: setting.origin.to_string(),
    };
    effective.settings.iter().map(view).collect()
}

fn table(settings: &[SettingView]) -> String {
    let mut table = output::table(["Khóa / key", "Giá trị / value", "Nguồn / from"]);
    for setting in settings {
        let values = match setting.values.is_empty() {
            true => "–".to_owned(),
            false => setting.values.join("\n"),
        };
        table.add_row([setting.key.to_owned(), values, setting.origin.clone()]);
    }
    output::text_of(&table)
}

fn keys(output: Output) -> anyhow::Result<()> {
    let view = |key: &config::Key| KeyView {
        key: key.name,
        flag: format!("--{}", key.name),
        variable: key.variable,
        default: key.default,
        meaning: key.meaning,
    };
    let keys: Vec<KeyView> = KEYS.iter().map(view).collect();
    output::many(output, &keys, |keys| {
        let line = |key: &KeyView| {
            let default = key.default.map_or_else(String::new, |text| format!("  [{text}]"));
            format!("{}  --{} {}{default}\n    {}\n", key.key, key.key, key.variable, key.meaning)
        };
        keys.iter().map(line).collect()
    })
}
