//! Routing: which rule decides, how each recipient is reached, what a refusal names.

use crate::harness::{Draft, Hub, at, code, draft, reason};
use lienthong_core::{Command, Decision, Effect, Explanation, Route, RoutingRules, Rule, Span};
use lienthong_model::{Day, DocumentType, Level, Reason};

fn any(name: &str, effect: Effect) -> Rule {
    Rule {
        name: name.to_owned(),
        from: None,
        until: None,
        from_level: None,
        to_level: None,
        span: Span::Any,
        document_type: None,
        effect,
    }
}

fn with(rules: Vec<Rule>) -> Hub {
    let mut hub = Hub::new();
    let rules = Command::SetRoutingRules(RoutingRules { rules });
    assert_eq!(hub.administer(rules), Decision::Done);
    hub
}

fn explain(hub: &Hub, from: &str, to: &str) -> Explanation {
    let directory = hub.machine.policy().directory.clone();
    let agency = |text| directory.find(&code(text)).unwrap();
    let kind = DocumentType::DECISION;
    hub.machine.policy().rules.explain(&directory, agency(from), agency(to), kind, hub.now)
}

#[test]
fn a_recipient_is_reached_by_its_own_node_its_gateway_or_later() {
    let mut hub = Hub::new();
    let to = ["H36.02", "H36.01", "H34", "H36", "H36.01.01"];
    let Decision::Accepted(accepted) = hub.submit(&draft("G22", &to)) else { panic!("refused") };
    let gateway = Route::Gateway(hub.ordinal("H36"));
    let routes: Vec<_> = accepted.deliveries.iter().map(|delivery| delivery.route).collect();
    assert_eq!(routes, [Route::Held, gateway, Route::OwnNode, Route::OwnNode, gateway]);
    let recipients: Vec<_> = accepted.deliveries.iter().map(|d| d.recipient).collect();
    assert_eq!(recipients, to.map(|to| hub.ordinal(to)), "in the sender's order");
}

#[test]
fn a_recipient_written_either_way_is_the_same_agency() {
    let mut hub = Hub::new();
    let Decision::Accepted(accepted) = hub.submit(&draft("G22", &["000.01.01.H36"])) else {
        panic!("refused")
    };
    assert_eq!(accepted.deliveries[0].recipient, hub.ordinal("H36.01.01"));
    let twice = hub.submit(&draft("G22", &["000.00.01.H36", "H36.01"]));
    assert_eq!(reason(&twice), Reason::RecipientRepeated);
}

#[test]
fn all_or_nothing_and_every_bad_recipient_is_named() {
    let mut hub = with(vec![Rule { span: Span::Between, ..any("cấm", Effect::Refuse) }]);
    let to = ["G22", "H34", "H99", "H36.03", "H34.09", "H36.02", "H36.02"];
    let Decision::Refused(refusal) = hub.submit(&draft("H36", &to)) else { panic!("accepted") };
    let named: Vec<_> = refusal
        .violations
        .iter()
        .map(|bad| (bad.reason, bad.field.as_str(), bad.value.as_str()))
        .collect();
    assert_eq!(refusal.reason, Reason::RecipientUnknown);
    assert_eq!(
        named,
        [
            (Reason::RouteRefused, "recipients[1].code", "H34: rule `cấm`"),
            (Reason::RecipientUnknown, "recipients[2].code", "H99"),
            (Reason::RecipientSuspended, "recipients[3].code", "H36.03"),
            (Reason::RecipientNotInForce, "recipients[4].code", "H34.09"),
            (Reason::RecipientRepeated, "recipients[6].code", "H36.02"),
        ]
    );
    let waiting = hub.query().track(lienthong_model::Position(0)).unwrap();
    assert_eq!(waiting, None, "nobody was given anything");
}

#[test]
fn every_condition_of_a_rule_is_asked() {
    let day = |text| at(text).day();
    let refuse = || any("cấm", Effect::Refuse);
    // From H34 (a province) to H36.01 (a district of another), a decision, on 16 November 2020.
    let cases: Vec<(Rule, bool)> = vec![
        (refuse(), true),
        (Rule { from_level: Some(Level::Province), ..refuse() }, true),
        (Rule { from_level: Some(Level::District), ..refuse() }, false),
        (Rule { to_level: Some(Level::District), ..refuse() }, true),
        (Rule { to_level: Some(Level::Province), ..refuse() }, false),
        (Rule { span: Span::Between, ..refuse() }, true),
        (Rule { span: Span::Inside, ..refuse() }, false),
        (Rule { span: Span::Centre, ..refuse() }, false),
        (Rule { document_type: Some(DocumentType::DECISION), ..refuse() }, true),
        (Rule { document_type: Some(DocumentType::OFFICIAL_LETTER), ..refuse() }, false),
        (Rule { from: Some(day("2020-11-16")), ..refuse() }, true),
        (Rule { from: Some(day("2020-11-17")), ..refuse() }, false),
        (Rule { until: Some(day("2020-11-17")), ..refuse() }, true),
        (Rule { until: Some(day("2020-11-16")), ..refuse() }, false),
    ];
    for (rule, refused) in cases {
        let mut hub = with(vec![rule.clone()]);
        let decision = hub.submit(&draft("H34", &["H36.01"]));
        assert_eq!(matches!(decision, Decision::Refused(_)), refused, "{rule}: {decision:?}");
        let explained = explain(&hub, "H34", "H36.01");
        assert_eq!(explained.rule, refused.then_some(rule));
        assert_eq!(explained.span, Span::Between);
    }
}

#[test]
fn a_rule_ends_with_its_last_day() {
    let until = Day(at("2020-11-17").day().0);
    let mut hub = with(vec![Rule { until: Some(until), ..any("cấm", Effect::Refuse) }]);
    hub.now = at("2020-11-16T23:59:59+07:00");
    assert_eq!(reason(&hub.submit(&draft("H34", &["G22"]))), Reason::RouteRefused);
    hub.now = at("2020-11-17");
    hub.accepted(&draft("H34", &["G22"]));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let allow = Rule { span: Span::Inside, ..any("trong tỉnh", Effect::Allow) };
    let mut hub = with(vec![allow.clone(), any("cấm", Effect::Refuse)]);
    hub.accepted(&draft("H34", &["H34.01"]));
    assert_eq!(reason(&hub.submit(&draft("H34", &["G22"]))), Reason::RouteRefused);
    let mut hub = with(vec![any("cấm", Effect::Refuse), allow]);
    assert_eq!(reason(&hub.submit(&draft("H34", &["H34.01"]))), Reason::RouteRefused);
    assert_eq!(explain(&Hub::new(), "H34", "G22").rule, None, "no rule: allowed");
}

#[test]
fn through_the_superior_allows_the_step_up_and_the_step_down_only() {
    let mut hub = with(vec![any("qua cấp trên", Effect::ThroughSuperior)]);
    hub.accepted(&draft("H34", &["H34.01"]));
    hub.accepted(&draft("H34.01", &["H34", "H34.01.01"]));
    let decision = hub.submit(&draft("H34", &["H34.01.01"]));
    let Decision::Refused(refusal) = decision else { panic!("accepted") };
    assert_eq!(refusal.reason, Reason::RouteThroughSuperior);
    assert_eq!(refusal.violations[0].value, "H34.01.01: through H34.01");
    assert_eq!(explain(&hub, "H34", "H34.01.01").superior, Some(hub.ordinal("H34.01")));
    assert_eq!(explain(&hub, "H34", "H34.01").superior, None);
    let upwards = explain(&hub, "H34.01.01", "H34");
    assert_eq!(upwards.outcome, Err(Reason::RouteThroughSuperior));
    assert_eq!(
        upwards.superior,
        Some(hub.ordinal("H34.01")),
        "a commune goes through its district"
    );
}

#[test]
fn a_list_that_nobody_knows_is_named() {
    let mut hub = Hub::new();
    let lists = vec!["các tỉnh".to_owned()];
    let decision = hub.submit(&Draft { lists, ..draft("G22", &["G01"]) });
    let Decision::Refused(refusal) = decision else { panic!("accepted") };
    assert_eq!(refusal.reason, Reason::RecipientListUnknown);
    assert_eq!(refusal.violations[0].field, "recipients[1].list");
}

#[test]
fn rules_out_of_bounds_are_refused() {
    let mut hub = Hub::new();
    let many = vec![any("x", Effect::Allow); 257];
    let long = vec![any(&"ấ".repeat(101), Effect::Allow)];
    let large = vec![any(&"ấ".repeat(100), Effect::Allow); 256];
    for rules in [many, long, large] {
        let command = Command::SetRoutingRules(RoutingRules { rules });
        assert_eq!(reason(&hub.administer(command)), Reason::FieldInvalid);
    }
    assert!(hub.machine.policy().rules.rules.is_empty());
}
