//! Random traffic: steps that proptest makes, and how a hub takes them.

use std::time::Duration;

use lienthong_core::lists::SavedName;
use lienthong_core::{
    AddAuthority, CertificateBytes, Command, Decision, Effect, Proposal, RefusalCount,
    RefusedRequests, Remind, RemindTo, RemoveList, RevocationPolicy, RoutingRules, Rule, SaveList,
    Span,
};
use lienthong_model::{
    Actor, AgencyCode, AgencyEntry, AgencyState, Appointment, Capacity, Day, DocumentType, Level,
    Mandate, MessageId, Position, Quota, Reason, Role, Signatory, SignaturePolicy, StatusCode,
    Territory, Urgency,
};
use lienthong_model::{BusinessKind, Change};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{
    BEGIN, Draft, Hub, ReportDraft, Signs, acting, code, draft, entry, refused_request, report,
};

/// Agencies that send and receive; the last two send what is refused at first.
pub const AGENCIES: [&str; 11] = [
    "G22",
    "G01",
    "H36",
    "H36.01",
    "H36.01.01",
    "H34",
    "H34.01",
    "H34.01.01",
    "H36.02",
    "H34.03",
    "H36.03",
];

/// Names of saved lists.
const SAVED: [&str; 2] = ["one", "two"];
/// Lists that documents name: the communes are more than a slice.
const LISTS: [&str; 6] =
    ["communes", "communes-of:H34", "districts-of:H36", "saved:one", "saved:two", "ministries"];
/// Communes that the country has beside those of the harness.
pub const COMMUNES: usize = 300;

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    Submit {
        from: usize,
        to: Vec<usize>,
        urgent: bool,
        sealed: bool,
        paper: bool,
        kind: u8,
    },
    Repeat(Index),
    /// A document for everybody on lists.
    SubmitToLists {
        from: usize,
        lists: Vec<&'static str>,
        urgent: bool,
    },
    SaveList {
        owner: usize,
        name: &'static str,
        members: Vec<usize>,
    },
    RemoveList {
        owner: usize,
        name: &'static str,
    },
    Remind(Index),
    Terms(u64),
    /// Days pass.
    WaitDays(u32),
    Acknowledge {
        document: Index,
        recipient: Index,
    },
    Report {
        document: Index,
        recipient: Index,
        code: StatusCode,
    },
    AskBack {
        document: Index,
        named: bool,
    },
    Change {
        document: Index,
        kind: BusinessKind,
        added: Option<usize>,
        removed: bool,
    },
    Negative {
        document: Index,
        recipient: Index,
        times: u32,
    },
    AcknowledgeNotices {
        agency: usize,
        numbers: Vec<u64>,
        through: Option<u64>,
    },
    Move {
        agency: usize,
        level: Level,
        state: AgencyState,
        province: Option<&'static str>,
    },
    Add(Vec<u8>),
    Revoke(usize),
    /// New lists in which nothing is revoked.
    Prove,
    Mandate {
        agency: usize,
        person: bool,
        days: i32,
    },
    Quota(Option<usize>, u64, Option<u8>),
    Grace(u64),
    Appoint(usize, i32),
    TrustStranger(bool),
    Rules(Level, Effect),
    Refused {
        caller: usize,
        reason: Reason,
        added: Vec<(Reason, u32)>,
    },
    Wait(Duration),
    Cut,
    /// Ends the block.
    Block,
}

pub fn steps(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), count)
}

fn step() -> impl Strategy<Value = Step> {
    let agency = || 0..AGENCIES.len();
    let status = || {
        select(StatusCode::ALL.into_iter().filter(|code| code.by_recipient()).collect::<Vec<_>>())
    };
    let state = select(vec![AgencyState::Connected, AgencyState::Held, AgencyState::Suspended]);
    let reason = || select(Reason::ALL.to_vec());
    let province = select(vec![None, Some("H36"), Some("H34")]);
    use BusinessKind::{Recall, Replace, Update};
    let kind = select(vec![Recall, Update, Replace]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), 0..3u8);
    prop_oneof![
        12 => (agency(), vec(agency(), 1..5), flags).prop_map(|(from, to, flags)| {
            let (urgent, sealed, paper, kind) = flags;
            Step::Submit { from, to, urgent, sealed, paper, kind }
        }),
        1 => any::<Index>().prop_map(Step::Repeat),
        2 => (agency(), vec(select(LISTS.to_vec()), 1..3), any::<bool>())
            .prop_map(|(from, lists, urgent)| Step::SubmitToLists { from, lists, urgent }),
        2 => (agency(), select(SAVED.to_vec()), vec(agency(), 1..6))
            .prop_map(|(owner, name, members)| Step::SaveList { owner, name, members }),
        1 => any::<Index>().prop_map(Step::Remind),
        1 => (1..100u64).prop_map(Step::Terms),
        1 => (1..5u32).prop_map(Step::WaitDays),
        1 => (agency(), select(SAVED.to_vec()))
            .prop_map(|(owner, name)| Step::RemoveList { owner, name }),
        6 => (any::<Index>(), any::<Index>())
            .prop_map(|(document, recipient)| Step::Acknowledge { document, recipient }),
        8 => (any::<Index>(), any::<Index>(), status())
            .prop_map(|(document, recipient, code)| Step::Report { document, recipient, code }),
        3 => (any::<Index>(), any::<bool>())
            .prop_map(|(document, named)| Step::AskBack { document, named }),
        4 => (any::<Index>(), kind, proptest::option::of(agency()), any::<bool>())
            .prop_map(|(document, kind, added, removed)| {
                Step::Change { document, kind, added, removed }
            }),
        2 => (any::<Index>(), any::<Index>(), 1..5u32)
            .prop_map(|(document, recipient, times)| {
                Step::Negative { document, recipient, times }
            }),
        3 => (agency(), vec(1..40u64, 0..6), proptest::option::of(0..40u64))
            .prop_map(|(agency, numbers, through)| {
                Step::AcknowledgeNotices { agency, numbers, through }
            }),
        2 => (agency(), select(Level::ALL.to_vec()), state, province)
            .prop_map(|(agency, level, state, province)| {
                Step::Move { agency, level, state, province }
            }),
        1 => vec(0..30u8, 1..4).prop_map(Step::Add),
        1 => agency().prop_map(Step::Revoke),
        1 => Just(Step::Prove),
        1 => (agency(), any::<bool>(), 0..9i32)
            .prop_map(|(agency, person, days)| Step::Mandate { agency, person, days }),
        1 => (proptest::option::of(agency()), 0..4u64, proptest::option::of(1..6u8))
            .prop_map(|(whose, n, waiting)| Step::Quota(whose, n, waiting)),
        1 => (0..200u64).prop_map(Step::Grace),
        1 => (agency(), 0..9i32).prop_map(|(agency, days)| Step::Appoint(agency, days)),
        1 => any::<bool>().prop_map(Step::TrustStranger),
        1 => (select(Level::ALL.to_vec()), select(vec![Effect::Allow, Effect::Refuse]))
            .prop_map(|(level, effect)| Step::Rules(level, effect)),
        2 => (agency(), reason(), vec((reason(), 1..50u32), 0..3))
            .prop_map(|(caller, reason, added)| Step::Refused { caller, reason, added }),
        2 => (0..30u64 * 3_600_000).prop_map(|ms| Step::Wait(Duration::from_millis(ms / 10))),
        3 => Just(Step::Cut),
        8 => Just(Step::Block),
    ]
}

/// A document that was accepted.
#[derive(Debug, Clone)]
pub struct Sent {
    pub draft: Draft,
    pub id: MessageId,
    pub position: Position,
    pub to: Vec<&'static str>,
}

/// A hub under random traffic.
pub struct Traffic {
    pub hub: Hub,
    pub sent: Vec<Sent>,
    lists: u64,
    waiting: Vec<(Proposal, Option<Sent>)>,
}

impl Traffic {
    pub fn new() -> Self {
        Self::on(lienthong_ledger::MemoryState::new())
    }

    pub fn on(state: lienthong_ledger::MemoryState) -> Self {
        let mut hub = Hub::on(state);
        hub.journals_refusals = true;
        hub.change(super::communes(COMMUNES));
        Self { hub, sent: Vec::new(), lists: 0, waiting: Vec::new() }
    }

    pub fn run(steps: &[Step]) -> Self {
        Self::run_on(lienthong_ledger::MemoryState::new(), steps)
    }

    pub fn run_on(state: lienthong_ledger::MemoryState, steps: &[Step]) -> Self {
        let mut traffic = Self::on(state);
        for step in steps {
            traffic.take(step);
        }
        traffic.end_block();
        traffic
    }

    pub fn end_block(&mut self) {
        let (proposals, sent): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        let decisions = self.hub.block(proposals);
        for (decision, sent) in decisions.into_iter().zip(sent) {
            if let (Decision::Accepted(accepted), Some(sent)) = (decision, sent) {
                self.sent.push(Sent { position: accepted.position, ..sent });
            }
        }
    }

    fn wait_for(&mut self, proposal: Proposal) {
        self.waiting.push((proposal, None));
    }

    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Submit { from, to, urgent, sealed, paper, kind } => {
                let from = AGENCIES[*from];
                let mut names: Vec<&'static str> = to.iter().map(|to| AGENCIES[*to]).collect();
                names.sort_unstable();
                names.dedup();
                let mut draft = draft(from, &names);
                if *sealed {
                    draft.signs.push(Signs::Seal(from));
                }
                if *urgent {
                    draft.urgency = Urgency::Express;
                }
                draft.paper_copy = *paper;
                draft.document_type = DocumentType::from_number(*kind).unwrap();
                draft.pages = u32::from(*kind) * 7;
                draft.due = paper.then(|| self.hub.now.plus(super::DAY));
                draft.deliver_by = urgent.then(|| self.hub.now.plus(super::HOUR));
                // Some name what was uploaded before, the same for several.
                if *paper {
                    draft.uploaded = vec![[&b"one"[..], b"two", b"three"][usize::from(*kind) % 3]];
                }
                let id = self.hub.signers.new_id(self.hub.now);
                draft.id = Some(id);
                draft.signed_at = Some(self.hub.now);
                let proposal = self.hub.submission(&draft);
                let sent = Sent { draft, id, position: Position(0), to: names };
                self.waiting.push((proposal, Some(sent)));
            }
            Step::Repeat(index) => {
                if let Some(sent) = pick(&self.sent, index).cloned() {
                    let proposal = self.hub.submission(&sent.draft);
                    self.wait_for(proposal);
                }
            }
            Step::SubmitToLists { from, lists, urgent } => {
                let from = AGENCIES[*from];
                let mut draft = draft(from, &[]);
                draft.lists = lists.iter().map(ToString::to_string).collect();
                if *urgent {
                    draft.urgency = Urgency::Express;
                }
                let id = self.hub.signers.new_id(self.hub.now);
                draft.id = Some(id);
                draft.signed_at = Some(self.hub.now);
                let proposal = self.hub.submission(&draft);
                // Some of these have it, when their slice was delivered.
                let to = vec!["H34.C0", "H34.C7", "H34.C299", "H34.01.01", "H36.01"];
                let sent = Sent { draft, id, position: Position(0), to };
                self.waiting.push((proposal, Some(sent)));
            }
            Step::SaveList { owner, name, members } => {
                let mut members: Vec<_> =
                    members.iter().map(|member| self.hub.ordinal(AGENCIES[*member])).collect();
                members.sort_unstable();
                members.dedup();
                let owner = self.hub.ordinal(AGENCIES[*owner]);
                let name = SavedName::parse(name).unwrap();
                let title = "một danh sách".to_owned();
                let save = SaveList { caller: Some(owner), owner, name, title, members };
                self.wait_for(Proposal::SaveList(save));
            }
            Step::Remind(document) => {
                if let Some(sent) = pick(&self.sent, document).cloned() {
                    let caller = self.hub.ordinal(sent.draft.from);
                    let remind = Remind { caller, position: sent.position, to: RemindTo::Answer };
                    self.wait_for(Proposal::Remind(remind));
                }
            }
            Step::WaitDays(days) => {
                self.end_block();
                self.hub.now = self.hub.now.plus(super::DAY * *days);
            }
            Step::RemoveList { owner, name } => {
                let owner = self.hub.ordinal(AGENCIES[*owner]);
                let name = SavedName::parse(name).unwrap();
                self.wait_for(Proposal::RemoveList(RemoveList { caller: None, owner, name }));
            }
            Step::Acknowledge { document, recipient } => {
                if let Some(sent) = pick(&self.sent, document).cloned() {
                    let recipient = *recipient.get(&sent.to);
                    let to = [(recipient, sent.position)];
                    self.wait_for(self.hub.acknowledgement(recipient, &to));
                }
            }
            Step::Report { document, recipient, code } => {
                if let Some(sent) = pick(&self.sent, document).cloned() {
                    let recipient = *recipient.get(&sent.to);
                    let draft = report(recipient, sent.draft.from, sent.id, *code);
                    let proposal = self.hub.report_proposal(&draft);
                    self.wait_for(proposal);
                }
            }
            Step::AskBack { document, named } => {
                if let Some(sent) = pick(&self.sent, document).cloned() {
                    let from = sent.draft.from;
                    let asked = report(from, from, sent.id, StatusCode::RecallRequested);
                    let recipients = if *named { sent.to[..1].to_vec() } else { Vec::new() };
                    let proposal = self.hub.report_proposal(&ReportDraft { recipients, ..asked });
                    self.wait_for(proposal);
                }
            }
            Step::Change { document, kind, added, removed } => {
                if let Some(sent) = pick(&self.sent, document).cloned() {
                    self.change(&sent, *kind, added.map(|added| AGENCIES[added]), *removed);
                }
            }
            Step::Negative { document, recipient, times } => {
                if let Some(sent) = pick(&self.sent, document).cloned() {
                    let recipient = *recipient.get(&sent.to);
                    self.wait_for(self.hub.negative(recipient, sent.position, *times));
                }
            }
            Step::AcknowledgeNotices { agency, numbers, through } => {
                let proposal =
                    self.hub.notice_acknowledgement(AGENCIES[*agency], numbers, *through);
                self.wait_for(proposal);
            }
            Step::Cut => {
                self.end_block();
                self.hub.cut();
            }
            Step::Block => self.end_block(),
            Step::Wait(time) => {
                self.end_block();
                self.hub.now = self.hub.now.plus(*time);
            }
            Step::Refused { caller, reason, added } => {
                self.end_block();
                let added_up = added
                    .iter()
                    .map(|(reason, count)| RefusalCount { reason: *reason, count: *count });
                let caller = self.hub.ordinal(AGENCIES[*caller]);
                let request =
                    RefusedRequests { added_up: added_up.collect(), ..refused_request(caller) };
                self.hub.refuse(request, *reason);
            }
            Step::Prove => {
                self.lists += 1;
                for list in self.hub.empty_lists(self.lists) {
                    self.wait_for(Proposal::Administer(list));
                }
            }
            _ => {
                let command = self.command(step);
                self.wait_for(Proposal::Administer(command));
            }
        }
    }

    /// A document that acts on one sent before, for all its recipients but the first when that one
    /// is removed.
    fn change(
        &mut self,
        on: &Sent,
        kind: BusinessKind,
        added: Option<&'static str>,
        removed: bool,
    ) {
        let mut to = on.to.clone();
        let mut changes = Vec::new();
        if kind == BusinessKind::Update {
            changes.extend(added.map(|added| (added, Change::Added)));
            if removed && to.len() > 1 {
                changes.push((to.remove(0), Change::Removed));
            }
        }
        let draft = Draft { changes, ..acting(kind, on.draft.from, on.id, &to) };
        let id = self.hub.signers.new_id(self.hub.now);
        let draft = Draft { id: Some(id), signed_at: Some(self.hub.now), ..draft };
        let proposal = self.hub.submission(&draft);
        let to = to.into_iter().chain(added).collect();
        self.waiting.push((proposal, Some(Sent { draft, id, position: Position(0), to })));
    }

    fn command(&mut self, step: &Step) -> Command {
        match step {
            Step::Move { agency, level, state, province } => {
                let name = AGENCIES[*agency];
                let gateway = name.starts_with("H36.01").then(|| code("H36"));
                Command::ChangeDirectory(vec![AgencyEntry {
                    state: *state,
                    gateway,
                    policy: SignaturePolicy::Required,
                    ..entry(name, *level, *province)
                }])
            }
            Step::Add(numbers) => {
                let added = numbers
                    .iter()
                    .map(|n| entry(&format!("H34.X{n}"), Level::Commune, Some("H34")));
                Command::ChangeDirectory(added.collect())
            }
            Step::Revoke(agency) => {
                self.lists += 1;
                let revoked = [Signs::Seal(AGENCIES[*agency])];
                self.hub.revocation(self.lists, &revoked, self.hub.now)
            }
            Step::Mandate { agency, person, days } => {
                let agency = code(AGENCIES[*agency]);
                let person = if *person { "chief" } else { "deputy" };
                Command::ChangeMandates(vec![Mandate {
                    signatory: signatory(&agency, person),
                    agency,
                    capacity: Capacity::Head,
                    delegated_by: None,
                    document_types: Vec::new(),
                    from: Day(BEGIN.day().0 + days),
                    until: Some(Day(BEGIN.day().0 + days + 3)),
                    basis: "Quyết định".to_owned(),
                }])
            }
            Step::Quota(whose, documents, waiting) => Command::ChangeQuotas(vec![Quota {
                agency: whose.map(|agency| code(AGENCIES[agency])),
                documents_per_day: (*documents > 0).then_some(*documents),
                waiting_max: waiting.map(u64::from),
                ..Quota::default()
            }]),
            Step::Grace(hours) => Command::SetRevocationPolicy(RevocationPolicy {
                grace_ms: (*hours < 100).then_some(*hours * 3_600_000),
            }),
            Step::Appoint(agency, days) => {
                let appointment = Appointment {
                    holder: signatory(&code(AGENCIES[*agency]), "operator"),
                    role: Role::Operator,
                    territory: Territory::Country,
                    from: Day(BEGIN.day().0 + days),
                    until: None,
                };
                let person = signatory(&code("G22"), "admin");
                let by = Actor { person, role: Role::Administrator };
                Command::Act { by, act: Box::new(Command::ChangeAppointments(vec![appointment])) }
            }
            Step::Terms(hours) => Command::SetTerms(lienthong_model::Terms {
                pick_up_ms: hours * 3_600_000,
                answer_ms: (hours % 2 == 0).then_some(hours * 7_200_000),
                silent_ms: (hours % 3 == 0).then_some(hours * 7_200_000),
                keep_content_ms: (hours % 4 == 0).then_some(120 * 86_400_000 + hours),
            }),
            Step::TrustStranger(trusted) => {
                let der = self.hub.signers.stranger.root().certificate().der().clone();
                let (certificate, trusted) = (CertificateBytes(der), *trusted);
                Command::AddAuthority(AddAuthority { certificate, trusted })
            }
            Step::Rules(level, effect) => Command::SetRoutingRules(RoutingRules {
                rules: vec![Rule {
                    name: "một quy tắc".to_owned(),
                    from: None,
                    until: None,
                    from_level: Some(*level),
                    to_level: None,
                    span: Span::Between,
                    document_type: None,
                    effect: *effect,
                }],
            }),
            other => unreachable!("not an act of administration: {other:?}"),
        }
    }
}

fn signatory(agency: &AgencyCode, person: &str) -> Signatory {
    Signatory { agency: agency.clone(), person: person.to_owned() }
}

fn pick<'s>(sent: &'s [Sent], index: &Index) -> Option<&'s Sent> {
    (!sent.is_empty()).then(|| index.get(sent))
}
