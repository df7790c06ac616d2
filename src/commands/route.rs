//! `lienthong route`: which rule decides, and whether a file of rules is right.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use lienthong_client::{Route, RouteQuestion};
use lienthong_core::{AgencyRecord, Directory, RoutingRules};
use lienthong_model::{AgencyCode, DocumentType, Refusal, Timestamp};
use serde::Serialize;

use crate::cli::Output;
use crate::output;
use crate::routes;
use crate::say::{self, Usage};
use crate::source::{self, Source, SourceArgs};
use crate::values;

/// Explain and check routing rules / quy tắc định tuyến
#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    #[command(subcommand)]
    command: RouteCommand,
}

#[derive(Debug, Subcommand)]
enum RouteCommand {
    /// Say which rule decides whether a document may go, and how it goes / giải thích
    Explain(Box<ExplainArgs>),
    /// Read a file of rules and print them in order, without a hub / kiểm tra tệp quy tắc
    Check {
        /// The file (TOML, one `[[rule]]` after the other)
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The sender's code
    from: AgencyCode,
    /// The recipient's code
    to: AgencyCode,
    /// The document's type: an abbreviation (QĐ, TB, CV …) or a name
    #[arg(long = "type", value_name = "TYPE", value_parser = values::document_type)]
    document_type: Option<DocumentType>,
    /// As of which moment; default: now
    #[arg(long, value_name = "TIME", value_parser = source::moment)]
    at: Option<Timestamp>,
    /// Rules to explain instead of those in force; reads the built-in directory or --data
    #[arg(long, value_name = "FILE.toml")]
    routes: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
}

/// What was decided.
#[derive(Debug, Serialize)]
struct Explained {
    from: String,
    to: String,
    allowed: bool,
    rule: String,
    route: Option<&'static str>,
    gateway: Option<String>,
    refusal: Option<serde_json::Value>,
    #[serde(skip)]
    said: Option<String>,
}

#[derive(Debug, Serialize)]
struct RuleView {
    place: usize,
    rule: String,
}

/// Runs the command; exit code 1 when the document may not go.
///
/// # Errors
/// When the source cannot be read or an agency is not in the directory.
pub(crate) async fn run(args: RouteArgs, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        RouteCommand::Explain(args) => {
            let explained = explain(&args).await?;
            output::one(output, &explained, text)?;
            Ok(ExitCode::from(u8::from(!explained.allowed)))
        }
        RouteCommand::Check { file } => {
            let rules = routes::read(&file)?.rules;
            let view = |(index, rule): (usize, &lienthong_core::Rule)| RuleView {
                place: index + 1,
                rule: rule.to_string(),
            };
            let views: Vec<RuleView> = rules.iter().enumerate().map(view).collect();
            output::many(output, &views, |views| {
                let lines = views.iter().map(|view| format!("{:>3}  {}\n", view.place, view.rule));
                let end = "  –  mặc định cho phép / what no rule matches is allowed\n".to_owned();
                lines.chain([end]).collect()
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn explain(args: &ExplainArgs) -> anyhow::Result<Explained> {
    let rules = args.routes.as_deref().map(routes::read).transpose()?;
    if rules.is_some() && args.source.data.is_none() || args.source.is_unnamed() {
        let at = args.at.unwrap_or_else(source::machine_now);
        return here(args, &source::builtin()?, &rules.unwrap_or_default(), at);
    }
    match args.source.open().await? {
        Source::Folder(folder) => {
            let reader = folder.reader();
            let last = folder.last_time().unwrap_or_else(source::machine_now);
            let in_force = reader.rules();
            let rules = rules.as_ref().unwrap_or(&in_force);
            here(args, &reader.directory(), rules, args.at.unwrap_or(last))
        }
        Source::Hub(client) => {
            let question = RouteQuestion {
                sender: args.from.clone(),
                recipient: args.to.clone(),
                document_type: args.document_type.unwrap_or_default(),
                at: args.at,
            };
            let answer = client.explain_route(&question).await?;
            Ok(Explained::new(args, answer.rule, answer.outcome))
        }
    }
}

/// Explains without a hub.
fn here(
    args: &ExplainArgs,
    directory: &Directory,
    rules: &RoutingRules,
    at: Timestamp,
) -> anyhow::Result<Explained> {
    let (from, to) = (find(directory, &args.from)?, find(directory, &args.to)?);
    let kind = args.document_type.unwrap_or_default();
    let explained = rules.explain(directory, from, to, kind, at);
    let rule = explained.rule.as_ref().map_or_else(
        || format!("no rule matches ({}): the default allows", explained.span),
        ToString::to_string,
    );
    let outcome = match explained.outcome {
        Ok(lienthong_core::Route::OwnNode) => Ok(Route::OwnNode),
        Ok(lienthong_core::Route::Held) => Ok(Route::Held),
        Ok(lienthong_core::Route::Gateway(gateway)) => {
            Ok(Route::Gateway(AgencyCode::parse(&directory.code(gateway, at))?))
        }
        Err(reason) => {
            let value = match explained.superior {
                Some(superior) => format!("through {}", directory.code(superior, at)),
                None => args.to.to_string(),
            };
            Err(Refusal::at(reason, "recipient", value))
        }
    };
    Ok(Explained::new(args, rule, outcome))
}

fn find<'d>(directory: &'d Directory, code: &AgencyCode) -> Result<&'d AgencyRecord, Usage> {
    directory.find(code).ok_or_else(|| source::unknown_agency(code))
}

/// The name of a route for programs, and its gateway.
pub(crate) fn route_name(route: &Route) -> (&'static str, Option<String>) {
    (route.name(), route.gateway().map(ToString::to_string))
}

/// A route for people.
pub(crate) fn route_text(route: &str, gateway: Option<&str>) -> String {
    match (route, gateway) {
        ("gateway", Some(gateway)) => format!("qua cổng / through the gateway {gateway}"),
        ("held", _) => "chờ kết nối / held until it is connected".to_owned(),
        _ => "nút riêng / own node".to_owned(),
    }
}

impl Explained {
    fn new(args: &ExplainArgs, rule: String, outcome: Result<Route, Refusal>) -> Self {
        let (route, refusal) = match &outcome {
            Ok(route) => (Some(route_name(route)), None),
            Err(refusal) => (None, Some(refusal)),
        };
        Self {
            from: args.from.to_string(),
            to: args.to.to_string(),
            allowed: refusal.is_none(),
            rule,
            route: route.as_ref().map(|(name, _)| *name),
            gateway: route.and_then(|(_, gateway)| gateway),
            refusal: refusal.map(say::refusal_json),
            said: refusal.map(say::refused),
        }
    }
}

fn text(explained: &Explained) -> String {
    let decision = match explained.route {
        Some(route) => {
            format!("được gửi / allowed: {}", route_text(route, explained.gateway.as_deref()))
        }
        None => "không được gửi / not allowed".to_owned(),
    };
    let mut text = output::pairs(&[
        ("tuyến / route", format!("{} → {}", explained.from, explained.to)),
        ("kết luận / decision", decision),
        ("quy tắc / rule", explained.rule.clone()),
    ]);
    if let Some(said) = &explained.said {
        text.push_str(said);
    }
    text
}
