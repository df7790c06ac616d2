//! The statement: what was examined, by whom, when, and what came of it, as text, JSON and HTML.

use std::fmt::Write as _;

use lienthong_simulator::conformance::{Case, Statement};
use serde::Serialize;

use crate::output::{self, escaped};

/// A case, as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    name: &'static str,
    vi: &'static str,
    en: &'static str,
}

impl Listed {
    pub fn of(case: &Case) -> Self {
        Self { name: case.name, vi: case.vi, en: case.en }
    }
}

/// The cases, for people.
pub(super) fn listed(cases: &[Listed]) -> String {
    let mut table = output::table(["Tên\nname", "Trường hợp\ncase"]);
    for case in cases {
        table.add_row([case.name.to_owned(), format!("{}\n{}", case.vi, case.en)]);
    }
    output::text_of(&table)
}

/// The statement.
#[derive(Debug, Serialize)]
pub(super) struct StatementView {
    agency: String,
    examiner: String,
    began: String,
    ended: String,
    passed: bool,
    /// Version of this software.
    version: &'static str,
    cases: Vec<CaseView>,
}

#[derive(Debug, Serialize)]
struct CaseView {
    name: &'static str,
    vi: &'static str,
    en: &'static str,
    passed: bool,
    wanted: String,
    /// What the hub has recorded.
    found: String,
    /// Documents that broke it.
    documents: Vec<String>,
}

impl StatementView {
    pub fn of(statement: &Statement) -> Self {
        let case = |(case, check): &(Case, lienthong_simulator::verdict::Check)| CaseView {
            name: case.name,
            vi: case.vi,
            en: case.en,
            passed: check.passed,
            wanted: check.wanted.clone(),
            found: check.found.clone(),
            documents: check.documents.clone(),
        };
        Self {
            agency: statement.agency.to_string(),
            examiner: statement.examiner.to_string(),
            began: statement.began.to_string(),
            ended: statement.ended.to_string(),
            passed: statement.passed(),
            version: env!("CARGO_PKG_VERSION"),
            cases: statement.outcomes.iter().map(case).collect(),
        }
    }

    fn count(&self) -> String {
        let passed = self.cases.iter().filter(|case| case.passed).count();
        format!("{passed} / {}", self.cases.len())
    }

    /// Writes it for people.
    pub fn to_table(&self) -> String {
        let mut text = output::pairs(&[
            ("biên bản / statement", format!("{}, lienthong {}", self.agency, self.version)),
            ("kiểm tra bởi / examiner", self.examiner.clone()),
            ("thời gian / time", format!("{} – {}", self.began, self.ended)),
            ("kết quả / result", self.count()),
        ]);
        text.push('\n');
        let mut table =
            output::table(["", "Trường hợp\ncase", "Phải là\nwanted", "Trục ghi nhận\nrecorded"]);
        for case in &self.cases {
            let sign = if case.passed { "✓" } else { "✗" };
            let name = format!("{}\n{}", case.name, case.vi);
            table.add_row([sign.to_owned(), name, case.wanted.clone(), case.found.clone()]);
        }
        text += &output::text_of(&table);
        for case in self.cases.iter().filter(|case| !case.passed) {
            // Writing to a text does not fail.
            let _ = writeln!(text, "\n✗ {}: {} / {}", case.name, case.vi, case.en);
            for document in &case.documents {
                let _ = writeln!(text, "    {document}");
            }
        }
        text + match self.passed {
            true => "\nphù hợp / conforms\n",
            false => "\nchưa phù hợp / does not conform\n",
        }
    }

    /// Writes it as one page that needs nothing else.
    pub fn to_html(&self) -> String {
        let mut rows = String::new();
        for case in &self.cases {
            let (class, sign) = if case.passed { ("yes", "✓") } else { ("no", "✗") };
            let mut found = escaped(&case.found);
            for document in &case.documents {
                found += &format!("<br><code>{}</code>", escaped(document));
            }
            let _ = writeln!(
                rows,
                "<tr class=\"{class}\"><td>{sign}</td><td><b>{}</b><br>{}<br><i>{}</i></td>\
                 <td>{}</td><td>{found}</td></tr>",
                case.name,
                escaped(case.vi),
                escaped(case.en),
                escaped(&case.wanted),
            );
        }
        let result = match self.passed {
            true => "Phù hợp / conforms",
            false => "Chưa phù hợp / does not conform",
        };
        format!(
            "<!doctype html>\n<html lang=\"vi\"><head><meta charset=\"utf-8\">\n\
             <title>Biên bản kiểm tra {agency}</title>\n<style>\n\
             body{{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\n\
             table{{border-collapse:collapse;width:100%}}td,th{{border:1px solid #999;padding:.4rem;\
             vertical-align:top;text-align:left}}\n\
             .yes td:first-child{{color:#05642c}}.no td:first-child{{color:#a40000}}\
             code{{overflow-wrap:anywhere}}\n\
             </style></head><body>\n\
             <h1>Biên bản kiểm tra sự phù hợp<br><small>Statement of conformance</small></h1>\n\
             <p>Cơ quan / agency: <b>{agency}</b><br>Kiểm tra bởi / examiner: {examiner}<br>\
             {began} – {ended}<br>lienthong {version}</p>\n\
             <p><b>{result}</b>: {count}. Theo ghi nhận của trục / by the hub's records.</p>\n\
             <table><thead><tr><th></th><th>Trường hợp / case</th><th>Phải là / wanted</th>\
             <th>Trục ghi nhận / recorded</th></tr></thead><tbody>\n{rows}</tbody></table>\n\
             </body></html>\n",
            agency = escaped(&self.agency),
            examiner = escaped(&self.examiner),
            began = self.began,
            ended = self.ended,
            version = self.version,
            count = self.count(),
        )
    }
}
