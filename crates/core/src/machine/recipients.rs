//! Whom a document goes to: recipients that it names and the members of its lists.
//!
//! Whoever is named by code is all or nothing, and every bad one is named. Of a list those go who
//! may receive; the others are left out, and the decision says who and why. The sender is no
//! recipient of a list that it is on, which is not worth a word. An agency that is named by code
//! and is on a list counts once, and so does one that is on two lists.

use std::collections::HashSet;

use lienthong_model::limits::{RECIPIENTS_MAX, SLICE_RECIPIENTS, SLICES_WAITING_MAX};
use lienthong_model::{Addressee, AgencyCode, Header, Ordinal, Reason, Refusal, Violation};

use super::Machine;
use crate::command::{Delivery, FanOutPlan, LeftOut, Resolution, ResolvedList};
use crate::directory::{AgencyRecord, Place};
use crate::engine::{EngineError, Payloads, State};
use crate::lists;
use crate::routing::{Origin, Span, span};

/// How long a sender waits whose document brings more slices than may wait.
pub(super) const SLICES_AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

/// Whom a document is addressed to, lists resolved.
pub(super) struct Addressed {
    /// Where the sender stands.
    pub place: Place,
    /// Its recipients, in the sender's order.
    pub deliveries: Vec<Delivery>,
    lists: Vec<ResolvedList>,
    left_out: Vec<LeftOut>,
}

/// Whom a document goes to at once, or by slices.
pub(super) struct Planned {
    /// Where it goes at once.
    pub deliveries: Vec<Delivery>,
    /// What became of lists and of many recipients.
    pub resolution: Option<Box<Resolution>>,
}

/// What is found while addressees are gone through in order.
struct Gathering<'h> {
    header: &'h Header,
    deliveries: Vec<Delivery>,
    violations: Vec<Violation>,
    /// Named by code: to be named once.
    named: HashSet<Ordinal>,
    /// Named or on a list that was gone through.
    seen: HashSet<Ordinal>,
    lists: Vec<ResolvedList>,
    left_out: Vec<LeftOut>,
}

impl<S: State, P: Payloads> Machine<S, P> {
    /// Every recipient and its route, lists resolved.
    pub(super) fn addressed(
        &self,
        sender: &AgencyRecord,
        header: &Header,
    ) -> Result<Result<Addressed, Refusal>, EngineError> {
        let now = self.now();
        let place = self.policy.directory.place(sender, now);
        let from = Origin { agency: sender, place, at: now };
        let mut gathering = Gathering::of(header);
        for (index, addressee) in header.recipients.iter().enumerate() {
            match addressee {
                Addressee::Agency(code) => self.gather_named(&from, index, code, &mut gathering),
                Addressee::List(name) => self.gather_list(&from, index, name, &mut gathering)?,
            }
        }
        Ok(gathering.end(place))
    }

    /// Plans slices for more recipients than one.
    pub(super) fn plan(&self, addressed: Addressed) -> Result<Planned, Refusal> {
        let Addressed { place, deliveries, lists, left_out } = addressed;
        let count = deliveries.len();
        if count > RECIPIENTS_MAX {
            let value = format!("{count}, at most {RECIPIENTS_MAX}");
            return Err(Refusal::at(Reason::ContentTooLarge, "recipients", value));
        }
        if count <= SLICE_RECIPIENTS {
            let resolution = (!lists.is_empty())
                .then(|| Box::new(Resolution { lists, left_out, fan_out: None }));
            return Ok(Planned { deliveries, resolution });
        }
        let slices = self.slices.len() + count.div_ceil(SLICE_RECIPIENTS);
        if slices > SLICES_WAITING_MAX {
            let value = format!("{slices} slices would wait, at most {SLICES_WAITING_MAX}");
            let refusal = Refusal::at(Reason::Overloaded, "recipients", value);
            return Err(refusal.retry_after(SLICES_AGAIN));
        }
        let scope = deliveries
            .iter()
            .map(|delivery| span(place.province, delivery.place.province))
            .fold(Span::Inside, Span::max);
        let recipients = deliveries.iter().map(|delivery| delivery.recipient).collect();
        let fan_out = Some(FanOutPlan { recipients, scope });
        let resolution = Some(Box::new(Resolution { lists, left_out, fan_out }));
        Ok(Planned { deliveries: Vec::new(), resolution })
    }

    fn gather_named(
        &self,
        from: &Origin<'_>,
        index: usize,
        code: &AgencyCode,
        gathering: &mut Gathering<'_>,
    ) {
        let field = || format!("recipients[{index}].code");
        match self.delivery(from, gathering.header, code, field) {
            Ok(delivery) if gathering.named.insert(delivery.recipient) => gathering.take(delivery),
            Ok(_) => {
                let repeated = Violation::new(Reason::RecipientRepeated, field(), code);
                gathering.violations.push(repeated);
            }
            Err(violation) => gathering.violations.push(violation),
        }
    }

    /// How a document goes to an agency that is named by its code.
    pub(super) fn delivery(
        &self,
        from: &Origin<'_>,
        header: &Header,
        code: &AgencyCode,
        field: impl FnOnce() -> String,
    ) -> Result<Delivery, Violation> {
        let directory = &self.policy.directory;
        let Some(recipient) = directory.find(code) else {
            return Err(Violation::new(Reason::RecipientUnknown, field(), code));
        };
        let judged = self.policy.rules.judge(directory, from, recipient, header.document_type);
        match judged.outcome {
            Ok(route) => match self.mailbox_full(recipient.ordinal) {
                None => Ok(Delivery { recipient: recipient.ordinal, route, place: judged.place }),
                Some(waiting) => {
                    let value = format!("{code}: {waiting} wait");
                    Err(Violation::new(Reason::MailboxFull, field(), value))
                }
            },
            Err(reason) => {
                let value = judged.value(code.as_str(), directory, from.at);
                Err(Violation::new(reason, field(), value))
            }
        }
    }

    fn gather_list(
        &self,
        from: &Origin<'_>,
        index: usize,
        name: &str,
        gathering: &mut Gathering<'_>,
    ) -> Result<(), EngineError> {
        let directory = &self.policy.directory;
        let read = |key: &[u8]| self.row(key);
        let found = lists::members(directory, from.agency, name, from.at, read)?;
        let Some((version, members)) = found else {
            let field = format!("recipients[{index}].list");
            let unknown = Violation::new(Reason::RecipientListUnknown, field, name);
            gathering.violations.push(unknown);
            return Ok(());
        };
        let kind = gathering.header.document_type;
        let mut counted = 0;
        let members = members.into_iter().filter(|member| *member != from.agency.ordinal);
        for member in members.filter_map(|member| directory.agency(member)) {
            counted += 1;
            if gathering.seen.contains(&member.ordinal) {
                continue;
            }
            let judged = self.policy.rules.judge(directory, from, member, kind);
            let full = self.mailbox_full(member.ordinal).map(|_| Reason::MailboxFull);
            match judged.outcome.and_then(|route| full.map_or(Ok(route), Err)) {
                Ok(route) => gathering.take(Delivery {
                    recipient: member.ordinal,
                    route,
                    place: judged.place,
                }),
                Err(reason) => {
                    gathering.seen.insert(member.ordinal);
                    gathering.left_out.push(LeftOut { agency: member.ordinal, reason });
                }
            }
        }
        let name = name.to_owned();
        gathering.lists.push(ResolvedList { name, members: counted, version });
        Ok(())
    }
}

impl<'h> Gathering<'h> {
    fn of(header: &'h Header) -> Self {
        let count = header.recipients.len();
        Self {
            header,
            deliveries: Vec::with_capacity(count),
            violations: Vec::new(),
            named: HashSet::with_capacity(count),
            seen: HashSet::with_capacity(count),
            lists: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Takes a recipient in, once.
    fn take(&mut self, delivery: Delivery) {
        if self.seen.insert(delivery.recipient) {
            self.deliveries.push(delivery);
        }
    }

    fn end(self, place: Place) -> Result<Addressed, Refusal> {
        let Self { deliveries, violations, lists, left_out, .. } = self;
        if let Some(refusal) = Refusal::of(violations) {
            return Err(refusal);
        }
        if deliveries.is_empty() {
            let value = format!("{} left out", left_out.len());
            return Err(Refusal::at(Reason::RecipientListEmpty, "recipients", value));
        }
        Ok(Addressed { place, deliveries, lists, left_out })
    }
}
