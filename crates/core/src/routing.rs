//! Routing: which recipients a sender may reach, and how each is reached.
//!
//! Policy is data with dates. The first rule that matches decides; where none does, a document may
//! go. How it goes follows from the recipient's entry in the directory.

use std::fmt;

use lienthong_model::limits::LIST_ENTRIES_MAX;
use lienthong_model::{AgencyState, Day, DocumentType, Level, Ordinal, Reason, Timestamp};
use minicbor::{Decode, Encode};

use crate::directory::{AgencyRecord, Directory, Place};

/// The rules in force, in order. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct RoutingRules {
    /// The first that matches decides; none allows.
    #[n(0)]
    pub rules: Vec<Rule>,
}

/// One rule; an empty condition matches everything. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rule {
    /// What people call it.
    #[n(0)]
    pub name: String,
    /// The first day in force.
    #[n(1)]
    pub from: Option<Day>,
    /// The first day no longer in force.
    #[n(2)]
    pub until: Option<Day>,
    /// The sender's level.
    #[n(3)]
    pub from_level: Option<Level>,
    /// The recipient's level.
    #[n(4)]
    pub to_level: Option<Level>,
    /// How the two lie to each other.
    #[n(5)]
    pub span: Span,
    /// The document's type.
    #[n(6)]
    pub document_type: Option<DocumentType>,
    /// What follows.
    #[n(7)]
    pub effect: Effect,
}

/// How sender and recipient lie to each other. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Span {
    /// Anyhow.
    #[n(0)]
    Any = 0,
    /// Both in the same province.
    #[n(1)]
    Inside = 1,
    /// In two provinces.
    #[n(2)]
    Between = 2,
    /// At least one at the centre.
    #[n(3)]
    Centre = 3,
}

impl Span {
    /// All values, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Any, Self::Inside, Self::Between, Self::Centre];
}

/// What a rule says. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Effect {
    /// It may go.
    #[n(1)]
    Allow = 1,
    /// It may not.
    #[n(2)]
    Refuse = 2,
    /// It may go only between an agency and its direct superior.
    #[n(3)]
    ThroughSuperior = 3,
}

/// How a recipient is reached. Journalled: numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Route {
    /// By its own node.
    #[n(1)]
    OwnNode,
    /// By its gateway's node.
    #[n(2)]
    Gateway(#[n(0)] Ordinal),
    /// Not connected yet: its mailbox fills.
    #[n(3)]
    Held,
}

/// What routing says of one recipient.
pub type RouteOutcome = Result<Route, Reason>;

/// Why a route is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// How it goes, or why not.
    pub outcome: RouteOutcome,
    /// The rule that decided; none when no rule matched and the default allowed.
    pub rule: Option<Rule>,
    /// How the two lie to each other.
    pub span: Span,
    /// The agency to address instead, when it must go through the superior.
    pub superior: Option<Ordinal>,
}

/// A sender at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'d> {
    pub agency: &'d AgencyRecord,
    pub place: Place,
    pub at: Timestamp,
}

/// How a document goes to one recipient, and the recipient's place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged<'r> {
    pub outcome: RouteOutcome,
    pub rule: Option<&'r Rule>,
    pub span: Span,
    pub superior: Option<Ordinal>,
    pub place: Place,
}

impl Rule {
    fn matches(&self, from: Level, to: Level, span: Span, kind: DocumentType, day: Day) -> bool {
        self.from.is_none_or(|first| first <= day)
            && self.until.is_none_or(|end| day < end)
            && self.from_level.is_none_or(|level| level == from)
            && self.to_level.is_none_or(|level| level == to)
            && (self.span == Span::Any || self.span == span)
            && self.document_type.is_none_or(|wanted| wanted == kind)
    }
}

impl RoutingRules {
    /// Longest name of a rule, in characters.
    pub const NAME_CHARS_MAX: usize = 100;

    /// Most bytes of all rules in the encoding of [`crate::codec`]: they are one row.
    pub const BYTES_MAX: usize = 48 * 1024;

    /// Checks the bounds: at most 256 rules, names of at most 100 characters, one row.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.rules.len() > LIST_ENTRIES_MAX {
            return Err(format!("{} rules, at most {LIST_ENTRIES_MAX}", self.rules.len()));
        }
        match self.rules.iter().find(|rule| rule.name.chars().count() > Self::NAME_CHARS_MAX) {
            Some(rule) => Err(format!("a rule's name is too long: `{}`", rule.name)),
            None => match crate::codec::encoded_len(self) {
                bytes if bytes > Self::BYTES_MAX => {
                    Err(format!("{bytes} bytes of rules, at most {}", Self::BYTES_MAX))
                }
                _ => Ok(()),
            },
        }
    }

    /// Decides how a document of a type goes from one agency to another at a moment, and says why.
    pub fn explain(
        &self,
        directory: &Directory,
        from: &AgencyRecord,
        to: &AgencyRecord,
        document_type: DocumentType,
        at: Timestamp,
    ) -> Explanation {
        let from = Origin { agency: from, place: directory.place(from, at), at };
        let judged = self.judge(directory, &from, to, document_type);
        let Judged { outcome, rule, span, superior, .. } = judged;
        Explanation { outcome, rule: rule.cloned(), span, superior }
    }

    /// The same without a copy of the rule, for a sender whose place is known.
    pub(crate) fn judge(
        &self,
        directory: &Directory,
        from: &Origin<'_>,
        to: &AgencyRecord,
        document_type: DocumentType,
    ) -> Judged<'_> {
        let (at, sender, place) = (from.at, from.place, directory.place(to, from.at));
        let span = span(sender.province, place.province);
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.matches(sender.level, place.level, span, document_type, at.day()));
        let outcome = match rule.map_or(Effect::Allow, |rule| rule.effect) {
            _ if to.entry_in_force(at).is_none() => Err(Reason::RecipientNotInForce),
            _ if to.entry(at).state == AgencyState::Suspended => Err(Reason::RecipientSuspended),
            Effect::Refuse => Err(Reason::RouteRefused),
            Effect::ThroughSuperior if !adjacent(directory, from.agency, to, at) => {
                Err(Reason::RouteThroughSuperior)
            }
            Effect::Allow | Effect::ThroughSuperior => Ok(route(directory, to, at)),
        };
        let superior = match outcome {
            Err(Reason::RouteThroughSuperior) => {
                // Whoever stands lower goes through its own superior, whoever writes down through
                // the recipient's.
                let lower = if sender.level > place.level { from.agency } else { to };
                superior(directory, lower, at)
            }
            _ => None,
        };
        Judged { outcome, rule, span, superior, place }
    }
}

impl Judged<'_> {
    /// Returns what a violation says of a recipient: its code, and the agency to address instead
    /// or the rule that refused.
    pub(crate) fn value(&self, code: &str, directory: &Directory, at: Timestamp) -> String {
        match (self.superior, self.rule) {
            (Some(superior), _) => format!("{code}: through {}", directory.code(superior, at)),
            (None, Some(rule)) if self.outcome == Err(Reason::RouteRefused) => {
                format!("{code}: rule `{}`", rule.name)
            }
            _ => code.to_owned(),
        }
    }
}

/// Returns how two provinces lie to each other.
pub(crate) fn span(from: Option<Ordinal>, to: Option<Ordinal>) -> Span {
    match (from, to) {
        (Some(from), Some(to)) if from == to => Span::Inside,
        (Some(_), Some(_)) => Span::Between,
        _ => Span::Centre,
    }
}

pub(crate) fn route(directory: &Directory, to: &AgencyRecord, at: Timestamp) -> Route {
    if to.entry(at).state == AgencyState::Held {
        return Route::Held;
    }
    match directory.gateway(to, at) {
        Some(gateway) => Route::Gateway(gateway),
        None => Route::OwnNode,
    }
}

fn superior(directory: &Directory, agency: &AgencyRecord, at: Timestamp) -> Option<Ordinal> {
    let parent = agency.entry(at).parent.as_ref()?;
    directory.find(parent).map(|parent| parent.ordinal)
}

fn adjacent(directory: &Directory, from: &AgencyRecord, to: &AgencyRecord, at: Timestamp) -> bool {
    superior(directory, to, at) == Some(from.ordinal)
        || superior(directory, from, at) == Some(to.ordinal)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Span::Any => "any",
            Span::Inside => "inside the province",
            Span::Between => "between provinces",
            Span::Centre => "with the centre",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = |level: Option<Level>| level.map_or("any level", Level::name);
        write!(f, "`{}`: {} → {}", self.name, level(self.from_level), level(self.to_level))?;
        write!(f, ", {}", self.span)?;
        if let Some(kind) = self.document_type {
            write!(f, ", type {}", kind.name_en())?;
        }
        if let Some(from) = self.from {
            write!(f, ", from {from}")?;
        }
        if let Some(until) = self.until {
            write!(f, ", until {until}")?;
        }
        write!(
            f,
            " ⇒ {}",
            match self.effect {
                Effect::Allow => "allow",
                Effect::Refuse => "refuse",
                Effect::ThroughSuperior => "through the superior",
            }
        )
    }
}
