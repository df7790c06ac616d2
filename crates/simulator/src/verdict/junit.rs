//! A verdict as JUnit XML, for continuous integration.

use std::fmt::Write as _;

use super::markup::escaped;
use super::{Check, Verdict};

/// What is written.
pub(crate) struct Suite<'a> {
    pub name: &'a str,
    /// The seed that everything followed from, where there is one.
    pub seed: Option<u64>,
    /// Each with what sort of check it is.
    pub cases: &'a [(&'static str, &'a Check)],
    /// The command that does it again.
    pub replay: &'a str,
    pub seconds: f64,
}

pub(super) fn write(verdict: &Verdict, replay: &str, seconds: f64) -> String {
    let laws = verdict.laws.iter().map(|check| ("laws", check));
    let cases: Vec<_> = laws.chain(verdict.expects.iter().map(|check| ("expect", check))).collect();
    let (name, seed) = (&verdict.scenario, Some(verdict.seed));
    suite(&Suite { name, seed, cases: &cases, replay, seconds })
}

/// Writes one suite.
pub(crate) fn suite(suite: &Suite<'_>) -> String {
    let Suite { cases, seconds, .. } = suite;
    let all = cases.len();
    let failed = cases.iter().filter(|(_, check)| !check.passed).count();
    let name = escaped(suite.name);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text does not fail.
    let _ = writeln!(
        xml,
        "<testsuites tests=\"{all}\" failures=\"{failed}\" time=\"{seconds:.3}\">\n\
         \x20 <testsuite name=\"{name}\" tests=\"{all}\" failures=\"{failed}\" time=\"{seconds:.3}\">"
    );
    if let Some(seed) = suite.seed {
        let property = format!("<property name=\"seed\" value=\"{seed}\"/>");
        let _ = writeln!(xml, "    <properties>{property}</properties>");
    }
    for (kind, check) in *cases {
        case(&mut xml, &format!("{name}.{kind}"), check, suite.replay);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, class: &str, check: &Check, replay: &str) {
    let name = escaped(&check.name);
    let _ = write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\"");
    if check.passed {
        xml.push_str("/>\n");
        return;
    }
    let message = format!("expected {}, found {}", check.wanted, check.found);
    let _ = write!(xml, ">\n      <failure message=\"{}\">", escaped(&message));
    for document in &check.documents {
        let _ = writeln!(xml, "{}", escaped(document));
    }
    let _ = writeln!(xml, "{}</failure>\n    </testcase>", escaped(replay));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_documents_and_the_command_and_is_escaped() {
        let check = |passed| Check {
            name: "a < b & \"c\"".to_owned(),
            passed,
            wanted: "≥ 1".to_owned(),
            found: "0".to_owned(),
            documents: vec!["018f (H36)".to_owned()],
        };
        let verdict = Verdict {
            scenario: "x".to_owned(),
            seed: 7,
            laws: vec![check(true)],
            expects: vec![check(false)],
            documents: 0,
            deliveries: 0,
            acknowledged: 0,
            reports: 0,
            refusals: 0,
            blocks: 0,
            charts: crate::verdict::Charts {
                columns: Vec::new(),
                sent: Vec::new(),
                times: Vec::new(),
                refused: Vec::new(),
                faults: Vec::new(),
                period: (lienthong_model::Timestamp::MIN, lienthong_model::Timestamp::MIN),
            },
        };
        let xml = write(&verdict, "lienthong sim run x --seed 7", 1.5);
        for part in [
            "tests=\"2\" failures=\"1\"",
            "name=\"a &lt; b &amp; &quot;c&quot;\"/>",
            "expected ≥ 1, found 0",
            "018f (H36)",
            "sim run x --seed 7</failure>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
        assert!(!verdict.passed());
    }
}
