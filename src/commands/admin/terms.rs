//! Terms: how long recipients may take and contents are kept, shown and set.

use std::time::Duration;

use clap::Args;
use lienthong_model::Terms;
use serde::Serialize;

use crate::cli::Output;
use crate::office::{ActArgs, Office};
use crate::output;
use crate::values::{self, Grace};

#[derive(Debug, Args)]
pub(super) struct TermsArgs {
    /// Time to pick a document up before its sender is told, a minute to 366 days (`72h`); at first
    /// 72h / thời gian để nhận
    #[arg(long, value_name = "SPAN", value_parser = humantime::parse_duration)]
    pick_up: Option<Duration>,
    /// Time to accept or refuse it before its sender is told, a minute to 366 days (`5days`), or
    /// `forever`; at first forever / thời gian để trả lời
    #[arg(long, value_name = "SPAN", value_parser = values::grace)]
    answer: Option<Grace>,
    /// Silence after which a recipient is no longer waited for, a minute to 366 days; at first
    /// 90days / thôi chờ sau
    #[arg(long, value_name = "SPAN", value_parser = humantime::parse_duration)]
    silent: Option<Duration>,
    /// How long all contents and attachments are kept, 120 days to 100 years and longer than
    /// --silent (`730days`), or `forever`; at first forever. What a recipient has not picked up is
    /// kept / thời hạn lưu nội dung
    #[arg(long, value_name = "SPAN", value_parser = values::grace)]
    keep_content: Option<Grace>,
    #[command(flatten)]
    act: ActArgs,
}

/// The terms for programs. Milliseconds; none: without end.
#[derive(Debug, Serialize)]
struct TermsView {
    pick_up_ms: u64,
    answer_ms: Option<u64>,
    silent_ms: u64,
    keep_content_ms: Option<u64>,
}

/// Sets the terms that are named and prints all; with none named it only prints them.
pub(super) async fn run(args: &TermsArgs, output: Output) -> anyhow::Result<()> {
    let mut office = Office::open(&args.act).await?;
    let before = office.terms().await?;
    let terms = args.over(before)?;
    if terms != before {
        office.set_terms(terms).await?;
    }
    output::one(output, &TermsView::from(&terms), TermsView::text)
}

impl TermsArgs {
    fn over(&self, mut terms: Terms) -> anyhow::Result<Terms> {
        let millis = |span: Duration| u64::try_from(span.as_millis());
        let graced = |grace: Grace| grace.0.map(millis).transpose();
        if let Some(span) = self.pick_up {
            terms.pick_up_ms = millis(span)?;
        }
        if let Some(span) = self.silent {
            terms.silent_ms = Some(millis(span)?);
        }
        if let Some(grace) = self.answer {
            terms.answer_ms = graced(grace)?;
        }
        if let Some(grace) = self.keep_content {
            terms.keep_content_ms = graced(grace)?;
        }
        Ok(terms)
    }
}

impl From<&Terms> for TermsView {
    fn from(terms: &Terms) -> Self {
        Self {
            pick_up_ms: terms.pick_up_ms,
            answer_ms: terms.answer_ms,
            silent_ms: u64::try_from(terms.silent().as_millis()).unwrap_or(u64::MAX),
            keep_content_ms: terms.keep_content_ms,
        }
    }
}

impl TermsView {
    fn text(&self) -> String {
        let span = |millis: Option<u64>| {
            millis.map_or_else(
                || "không thời hạn / without end".to_owned(),
                |millis| values::grace_text(Some(Duration::from_millis(millis))),
            )
        };
        output::pairs(&[
            ("nhận văn bản / pick up", span(Some(self.pick_up_ms))),
            ("trả lời / accept or refuse", span(self.answer_ms)),
            ("im lặng / silent", span(Some(self.silent_ms))),
            ("lưu nội dung / contents kept", span(self.keep_content_ms)),
        ])
    }
}
