//! A verdict as one page of HTML: no network, no script, charts as SVG, prints on A4.

mod svg;

use std::fmt::Write as _;

use super::markup::escaped;
use super::{Check, Verdict};
use svg::{Series, bars, stacked, timeline};

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;color:#1b2733;background:#fff;max-width:60rem;\
margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\
p.en{color:#53616e;margin:.2rem 0}.en{color:#53616e}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #dde3e8}\
td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
.sign{width:1.5rem;font-weight:700}.ok .sign{color:#1a7f4b}.no .sign{color:#b3261e}\
.verdict{display:inline-block;padding:.2rem .8rem;border-radius:.3rem;color:#fff;font-weight:600}\
.verdict.ok{background:#1a7f4b}.verdict.no{background:#b3261e}\
figure{margin:0 0 1rem;break-inside:avoid}figcaption{font-weight:600}\
svg{width:100%;height:auto;font:11px system-ui,sans-serif}\
code,pre{font:13px ui-monospace,monospace}pre{background:#f3f5f7;padding:.6rem;overflow:auto;\
white-space:pre-wrap}\
@media print{body{margin:0;max-width:none;font-size:11pt}tr,figure,pre{break-inside:avoid}\
pre{background:none;border:1px solid #dde3e8}}\
@page{size:A4;margin:15mm}";

/// What a report says beside the verdict.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The scenario's titles, in Vietnamese and English.
    pub titles: (&'a str, &'a str),
    /// What it is about.
    pub about: &'a str,
    /// The command that plays it again.
    pub replay: &'a str,
    /// Figures in words, with what they are.
    pub figures: &'a [(&'a str, String)],
}

pub(super) fn write(verdict: &Verdict, frame: &Frame<'_>) -> String {
    let mut page = String::new();
    // Writing to a text does not fail.
    let _ = render(&mut page, verdict, frame);
    page
}

fn render(out: &mut String, verdict: &Verdict, frame: &Frame<'_>) -> std::fmt::Result {
    let (vi, en) = frame.titles;
    let name = escaped(&verdict.scenario);
    write!(
        out,
        "<!doctype html>\n<html lang=\"vi\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{name}</title>\n\
         <style>{STYLE}</style>\n<h1>{}</h1>\n<p class=\"en\" lang=\"en\">{}</p>\n",
        escaped(vi),
        escaped(en)
    )?;
    let (class, word) = match verdict.passed() {
        true => ("ok", "Đạt / Passed"),
        false => ("no", "Không đạt / Failed"),
    };
    writeln!(out, "<p><span class=\"verdict {class}\">{word}</span> <code>{name}</code></p>")?;
    if !frame.about.is_empty() {
        writeln!(out, "<p lang=\"en\">{}</p>", escaped(frame.about))?;
    }
    figures(out, frame)?;
    charts(out, verdict)?;
    checks(out, ("Các luật luôn đúng", "Laws"), &verdict.laws)?;
    checks(out, ("Kỳ vọng", "Expected"), &verdict.expects)?;
    writeln!(
        out,
        "<h2>Chạy lại / <span class=\"en\">Replay</span></h2>\n<pre>{}</pre>\n</html>",
        escaped(frame.replay)
    )
}

fn figures(out: &mut String, frame: &Frame<'_>) -> std::fmt::Result {
    out.push_str("<table>\n");
    for (what, value) in frame.figures {
        writeln!(out, "<tr><th scope=\"row\">{}<td class=\"n\">{}", escaped(what), escaped(value))?;
    }
    out.push_str("</table>\n");
    Ok(())
}

fn charts(out: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let charts = &verdict.charts;
    let labels: Vec<String> = charts.columns.iter().map(|days| days.first.to_string()).collect();
    let series = |rows: &[(String, Vec<u64>)]| -> Vec<Series> {
        rows.iter()
            .map(|(name, counts)| Series { name: name.clone(), counts: counts.clone() })
            .collect()
    };
    out.push_str("<h2>Diễn biến / <span class=\"en\">Course</span></h2>\n");
    figure(
        out,
        "Văn bản gửi theo ngày và tỉnh / documents sent by day and province",
        &stacked(&labels, &series(&charts.sent)),
    )?;
    let times: Vec<(String, u64)> =
        charts.times.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    figure(
        out,
        "Thời gian từ tiếp nhận ở trục đến xác nhận / time to acknowledgement",
        &bars(&times),
    )?;
    if !charts.refused.is_empty() {
        let refused: Vec<(String, Vec<u64>)> = charts
            .refused
            .iter()
            .map(|(reason, counts)| (reason.code().to_owned(), counts.clone()))
            .collect();
        figure(
            out,
            "Từ chối theo ngày và mã / refusals by day and code",
            &stacked(&labels, &series(&refused)),
        )?;
    }
    if !charts.faults.is_empty() {
        figure(out, "Sự cố / faults", &timeline(charts.period, &charts.faults))?;
    }
    Ok(())
}

fn figure(out: &mut String, caption: &str, svg: &str) -> std::fmt::Result {
    writeln!(out, "<figure>\n<figcaption>{}</figcaption>\n{svg}</figure>", escaped(caption))
}

fn checks(out: &mut String, (vi, en): (&str, &str), checks: &[Check]) -> std::fmt::Result {
    if checks.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>{vi} / <span class=\"en\">{en}</span></h2>\n<table>\n<tr><th><th>Kiểm tra / check\
         <th>Phải là / wanted<th>Thấy / found"
    )?;
    for check in checks {
        let (class, sign) = if check.passed { ("ok", "✓") } else { ("no", "✗") };
        write!(out, "<tr class=\"{class}\"><td class=\"sign\">{sign}<td>{}", escaped(&check.name))?;
        if !check.documents.is_empty() {
            write!(out, "<pre>{}</pre>", escaped(&check.documents.join("\n")))?;
        }
        writeln!(out, "<td>{}<td>{}", escaped(&check.wanted), escaped(&check.found))?;
    }
    out.push_str("</table>\n");
    Ok(())
}
