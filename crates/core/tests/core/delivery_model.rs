//! Statuses, recalls, updates and replacements against a model that was written apart from the
//! code, from the words of the field: after every step both must agree on the verdict, on what may
//! be reported next, on what waits in every mailbox, and on what everybody was told.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{Draft, Hub, ReportDraft, acting, draft, report};
use lienthong_core::{
    AcknowledgeOutcome, Acknowledged, Decision, Mailbox as _, MailboxLane, NoticeNumber,
};
use lienthong_model::limits::CHANGES_PER_DOCUMENT_MAX;
use lienthong_model::{BusinessKind, Change, MessageId, Position, Reason, StatusCode, Urgency};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

const SENDER: &str = "G22";
const RECIPIENTS: [&str; 4] = ["H34", "G01", "H36.01", "H34.01"];

/// After which number which may be reported; 0 stands for nothing yet.
const TABLE: [(u8, &[u8]); 7] = [
    (0, &[1, 2, 3]),
    (1, &[2, 3]),
    (2, &[]),
    (3, &[4, 5, 6]),
    (4, &[4, 5, 6]),
    (5, &[4, 5, 6]),
    (6, &[]),
];

/// A recipient's copy of a document.
#[derive(Debug, Clone, Copy, Default)]
struct Copy_ {
    on_its_disk: bool,
    in_the_mailbox: bool,
    last: u8,
    taken_back: bool,
    replaced: bool,
    /// 1 recall, 2 update, 3 replace; 0 nothing is asked.
    asked: u8,
}

#[derive(Debug, Clone)]
struct Letter {
    id: MessageId,
    kind: u8,
    changes: u32,
    copies: BTreeMap<&'static str, Copy_>,
}

/// What somebody was told: the number of the kind, which letter, whose copy.
type Told = (u8, usize, &'static str);

#[derive(Debug, Default)]
struct Model {
    letters: Vec<Letter>,
    told: BTreeMap<&'static str, Vec<Told>>,
}

type Verdict = Result<(), Reason>;

impl Copy_ {
    fn may(&self, code: u8) -> Verdict {
        if self.taken_back {
            return Err(Reason::DocumentTakenBack);
        }
        if self.replaced {
            return Err(Reason::DocumentReplaced);
        }
        let open = match code {
            15 | 16 => self.asked > 0,
            _ => TABLE.iter().any(|(last, next)| *last == self.last && next.contains(&code)),
        };
        if open { Ok(()) } else { Err(Reason::StatusNotOpen) }
    }

    fn open(&self) -> Vec<u8> {
        [1, 2, 3, 4, 5, 6, 15, 16].into_iter().filter(|code| self.may(*code).is_ok()).collect()
    }

    fn is_gone(&self) -> bool {
        self.taken_back || self.replaced
    }

    fn is_done(&self) -> bool {
        self.last == 2 || self.last == 6
    }

    /// The change takes effect, or is agreed to.
    fn change(&mut self, kind: u8) {
        self.asked = 0;
        self.taken_back |= kind == 1;
        self.replaced |= kind == 3;
        self.in_the_mailbox &= !self.is_gone();
    }
}

impl Model {
    fn acknowledge(&mut self, letter: usize, who: &'static str) -> AcknowledgeOutcome {
        let Some(copy) = self.letters[letter].copies.get_mut(who) else {
            return AcknowledgeOutcome::Unknown;
        };
        match (copy.taken_back, copy.replaced) {
            (true, _) => AcknowledgeOutcome::TakenBack,
            (_, true) => AcknowledgeOutcome::Replaced,
            _ if copy.on_its_disk => AcknowledgeOutcome::Repeated,
            _ => {
                copy.on_its_disk = true;
                copy.in_the_mailbox = false;
                AcknowledgeOutcome::Counted
            }
        }
    }

    fn report(&mut self, letter: usize, who: &'static str, code: u8) -> Verdict {
        let copy = self.letters[letter].copies.get_mut(who).ok_or(Reason::DocumentUnknown)?;
        copy.may(code)?;
        copy.on_its_disk = true;
        copy.in_the_mailbox = false;
        match code {
            15 => copy.change(copy.asked),
            16 => copy.asked = 0,
            _ => {
                copy.last = code;
                if copy.is_done() {
                    copy.asked = 0;
                }
            }
        }
        self.told.entry(SENDER).or_default().push((1, letter, who));
        Ok(())
    }

    /// Whether somebody concerned still can be reached by a recall.
    fn reaches(&self, letter: usize, concerned: &[(&'static str, u8)]) -> bool {
        concerned.iter().any(|(who, _)| {
            let copy = self.letters[letter].copies[who];
            !copy.is_gone() && !copy.is_done()
        })
    }

    fn carry_out(&mut self, letter: usize, concerned: &[(&'static str, u8)]) {
        self.letters[letter].changes += 1;
        for (who, kind) in concerned {
            let copy = self.letters[letter].copies.get_mut(who).unwrap();
            if copy.is_gone() || copy.is_done() {
                continue;
            }
            // Nobody knows what was pushed here: it may have been.
            let told = if copy.on_its_disk {
                copy.asked = *kind;
                [2, 3, 4][usize::from(*kind) - 1]
            } else {
                copy.change(*kind);
                [5, 6, 7][usize::from(*kind) - 1]
            };
            self.told.entry(who).or_default().push((told, letter, who));
        }
    }

    fn check_change(&self, letter: usize, concerned: &[(&'static str, u8)]) -> Verdict {
        let letter = &self.letters[letter];
        if letter.kind == 1 {
            return Err(Reason::FieldInvalid);
        }
        if concerned.iter().any(|(who, _)| !letter.copies.contains_key(who)) {
            return Err(Reason::NotARecipient);
        }
        if letter.changes >= CHANGES_PER_DOCUMENT_MAX {
            return Err(Reason::ChangeLimit);
        }
        Ok(())
    }

    fn ask_back(&mut self, letter: usize, named: &[&'static str]) -> Verdict {
        let all: Vec<&'static str> = self.letters[letter].copies.keys().copied().collect();
        let meant = if named.is_empty() { all } else { named.to_vec() };
        let concerned: Vec<_> = meant.into_iter().map(|who| (who, 1)).collect();
        self.check_change(letter, &concerned)?;
        if !self.reaches(letter, &concerned) {
            return Err(Reason::RecallTooLate);
        }
        self.carry_out(letter, &concerned);
        Ok(())
    }

    fn change(&mut self, letter: usize, asked: &Acts, id: MessageId) -> Verdict {
        let Acts { kind, to, added, removed } = asked;
        let has = |who: &&'static str| self.letters[letter].copies.contains_key(who);
        let mut concerned: Vec<(&'static str, u8)> = Vec::new();
        for who in to {
            // A replacement may go to somebody who never had the old document.
            let new = (*kind == 2 && added.contains(who)) || (*kind == 3 && !has(who));
            if !new {
                concerned.push((who, *kind));
            }
        }
        let odd = *kind != 2 && !(added.is_empty() && removed.is_empty());
        let odd = odd
            || added.iter().any(|who| has(who) || removed.contains(who))
            || removed.iter().any(|who| !has(who) || to.contains(who));
        match self.check_change(letter, &concerned) {
            Err(reason @ (Reason::FieldInvalid | Reason::NotARecipient)) => return Err(reason),
            _ if odd => return Err(Reason::RecipientChangeInvalid),
            other => other?,
        }
        if *kind == 1 && !self.reaches(letter, &concerned) {
            return Err(Reason::RecallTooLate);
        }
        concerned.extend(removed.iter().map(|who| (*who, 1)));
        self.carry_out(letter, &concerned);
        for who in added {
            self.letters[letter]
                .copies
                .insert(who, Copy_ { in_the_mailbox: true, ..Copy_::default() });
        }
        self.sent(id, *kind, to.iter().chain(added).copied());
        Ok(())
    }

    fn sent(&mut self, id: MessageId, kind: u8, to: impl Iterator<Item = &'static str>) {
        let copy = Copy_ { in_the_mailbox: true, ..Copy_::default() };
        let copies = to.map(|who| (who, copy)).collect();
        self.letters.push(Letter { id, kind, changes: 0, copies });
    }
}

/// A recall, an update, a replacement by a document.
#[derive(Debug, Clone)]
struct Acts {
    kind: u8,
    to: Vec<&'static str>,
    added: Vec<&'static str>,
    removed: Vec<&'static str>,
}

#[derive(Debug, Clone)]
enum Step {
    Send(Vec<&'static str>),
    Acknowledge(Index, &'static str),
    Report(Index, &'static str, u8),
    AskBack(Index, Vec<&'static str>),
    Change(Index, Acts),
    /// Proposals up to here are decided in one block.
    Block,
}

fn some(count: impl Into<proptest::sample::SizeRange>) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(RECIPIENTS.to_vec(), count)
}

fn step() -> impl Strategy<Value = Step> {
    let who = || prop::sample::select(RECIPIENTS.to_vec());
    let code = prop::sample::select(vec![1, 2, 3, 3, 4, 5, 6, 15, 15, 16]);
    let few = || prop_oneof![3 => Just(Vec::new()), 1 => some(1..3)];
    let acts = (1..4u8, some(1..5), few(), few()).prop_map(|(kind, to, added, removed)| Acts {
        kind,
        to,
        added,
        removed,
    });
    prop_oneof![
        2 => some(1..4).prop_map(Step::Send),
        4 => (any::<Index>(), who()).prop_map(|(letter, who)| Step::Acknowledge(letter, who)),
        9 => (any::<Index>(), who(), code)
            .prop_map(|(letter, who, code)| Step::Report(letter, who, code)),
        2 => (any::<Index>(), prop_oneof![Just(Vec::new()), some(1..4)])
            .prop_map(|(letter, named)| Step::AskBack(letter, named)),
        4 => (any::<Index>(), acts).prop_map(|(letter, acts)| Step::Change(letter, acts)),
        3 => Just(Step::Block),
    ]
}

/// The hub beside the model.
struct Pair {
    hub: Hub,
    model: Model,
    positions: Vec<Position>,
    in_block: bool,
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self {
            hub: Hub::new(),
            model: Model::default(),
            positions: Vec::new(),
            in_block: false,
        };
        pair.take(&Step::Send(RECIPIENTS[..3].to_vec()));
        pair
    }

    fn decide(&mut self, proposal: lienthong_core::Proposal) -> Decision {
        if !std::mem::replace(&mut self.in_block, true) {
            self.hub.machine.begin(self.hub.now);
        }
        self.hub.machine.decide(proposal).unwrap()
    }

    fn end_block(&mut self) {
        if std::mem::take(&mut self.in_block) {
            self.hub.commit();
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Send(to) => self.send(draft(SENDER, to), |model, id| {
                model.sent(id, 0, to.iter().copied());
                Ok(())
            }),
            Step::Acknowledge(letter, who) => {
                let letter = letter.index(self.positions.len());
                let to = [(*who, self.positions[letter])];
                let proposal = self.hub.acknowledgement(who, &to);
                let outcomes = vec![self.model.acknowledge(letter, who)];
                let expected = Decision::Acknowledged(Acknowledged { outcomes });
                assert_eq!(self.decide(proposal), expected);
            }
            Step::Report(letter, who, code) => {
                let letter = letter.index(self.positions.len());
                let code_of = StatusCode::from_number(u32::from(*code)).unwrap();
                let asked = report(who, SENDER, self.model.letters[letter].id, code_of);
                let expected = self.model.report(letter, who, *code);
                self.report(&asked, expected);
            }
            Step::AskBack(letter, named) => {
                let letter = letter.index(self.positions.len());
                let id = self.model.letters[letter].id;
                let asked = report(SENDER, SENDER, id, StatusCode::RecallRequested);
                let asked = ReportDraft { recipients: named.clone(), ..asked };
                let expected = self.model.ask_back(letter, named);
                self.report(&asked, expected);
            }
            Step::Change(letter, acts) => {
                let letter = letter.index(self.positions.len());
                let on = self.model.letters[letter].id;
                let kind = BusinessKind::from_number(u32::from(acts.kind)).unwrap();
                let change = |change: Change| move |who: &&'static str| (*who, change);
                let added = acts.added.iter().map(change(Change::Added));
                let changes = added.chain(acts.removed.iter().map(change(Change::Removed)));
                let changes = changes.collect();
                let draft = Draft { changes, ..acting(kind, SENDER, on, &acts.to) };
                self.send(draft, |model, id| model.change(letter, acts, id));
            }
            Step::Block => self.end_block(),
        }
    }

    fn send(&mut self, draft: Draft, model: impl FnOnce(&mut Model, MessageId) -> Verdict) {
        let id = self.hub.signers.new_id(self.hub.now);
        let proposal = self.hub.submission(&Draft { id: Some(id), ..draft.clone() });
        let expected = model(&mut self.model, id);
        match (self.decide(proposal), expected) {
            (Decision::Accepted(accepted), Ok(())) => self.positions.push(accepted.position),
            (Decision::Refused(refusal), Err(reason)) if refusal.reason == reason => {}
            (decision, expected) => panic!("{draft:?}\n{decision:?}\nexpected {expected:?}"),
        }
    }

    fn report(&mut self, asked: &ReportDraft, expected: Verdict) {
        let proposal = self.hub.report_proposal(asked);
        match (self.decide(proposal), expected) {
            (Decision::Reported(_), Ok(())) => {}
            (Decision::Refused(refusal), Err(reason)) if refusal.reason == reason => {}
            (decision, expected) => panic!("{asked:?}\n{decision:?}\nexpected {expected:?}"),
        }
    }

    /// Both agree on everything that can be seen.
    fn compare(&mut self) {
        self.end_block();
        let query = self.hub.query();
        for who in RECIPIENTS {
            let agency = self.hub.ordinal(who);
            let waiting = query.waiting(agency, MailboxLane::Ordinary, None, 1_000).unwrap();
            let mut expected = BTreeSet::new();
            for (letter, position) in self.model.letters.iter().zip(&self.positions) {
                let row = query.delivery(*position, agency).unwrap();
                let copy = letter.copies.get(who);
                assert_eq!(row.is_some(), copy.is_some(), "{who} at {position}");
                let (Some(row), Some(copy)) = (row, copy) else { continue };
                let open: Vec<u8> = row.open_statuses().iter().map(|code| code.number()).collect();
                assert_eq!(open, copy.open(), "{who} at {position}: {row:?}");
                assert_eq!(row.acknowledged_at.is_some(), copy.on_its_disk);
                if copy.in_the_mailbox {
                    expected.insert(*position);
                }
            }
            assert_eq!(waiting.into_iter().collect::<BTreeSet<_>>(), expected, "{who}");
        }
        for who in RECIPIENTS.into_iter().chain([SENDER]) {
            let told: Vec<(u8, Position, String)> = self
                .hub
                .notices_of(who)
                .into_iter()
                .map(|number| {
                    let row = query.notice(NoticeNumber(number)).unwrap().unwrap();
                    let whose = self
                        .hub
                        .machine
                        .policy()
                        .directory
                        .code(row.delivery.recipient, self.hub.now);
                    (row.kind as u8, row.delivery.position, whose)
                })
                .collect();
            let expected = self.model.told.get(who).cloned().unwrap_or_default();
            let expected: Vec<(u8, Position, String)> = expected
                .into_iter()
                .map(|(kind, letter, whose)| (kind, self.positions[letter], whose.to_owned()))
                .collect();
            assert_eq!(told, expected, "what {who} was told");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_hub_and_the_model_agree_after_every_step(steps in vec(step(), 1..60)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.take(step);
            pair.compare();
        }
    }

    #[test]
    fn races_within_a_block_are_decided_in_its_order(steps in vec(step(), 1..90)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.take(step);
        }
        pair.compare();
    }
}

#[test]
fn an_urgent_document_is_taken_back_from_its_own_queue() {
    for urgency in [Urgency::Express, Urgency::Normal] {
        let mut hub = Hub::new();
        let (id, _) = hub.accepted(&Draft { urgency, ..draft(SENDER, &["H34"]) });
        hub.report(&report(SENDER, SENDER, id, StatusCode::RecallRequested));
        let agency = hub.ordinal("H34");
        for lane in [MailboxLane::Urgent, MailboxLane::Ordinary] {
            assert!(hub.query().waiting(agency, lane, None, 10).unwrap().is_empty());
        }
    }
}

#[test]
fn random_steps_meet_every_verdict() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let steps = vec(step(), 60..90).new_tree(&mut runner).unwrap().current();
        let mut pair = Pair::new();
        pair.hub.journals_refusals = true;
        for step in &steps {
            pair.take(step);
        }
        pair.compare();
        for sealed in pair.hub.sealed() {
            let changes = sealed.block.entries.iter().filter_map(|entry| match &entry.decision {
                Decision::Accepted(accepted) => accepted.change.as_ref(),
                Decision::Reported(reported) => reported.change.as_ref(),
                _ => None,
            });
            seen.extend(changes.flat_map(|c| &c.deliveries).map(|one| (one.kind, one.effect)));
        }
    }
    // 3 kinds and 4 effects.
    assert_eq!(seen.len(), 12, "{seen:?}");
}
