//! Judgement of status reports: who may report what, and what follows from it. What may follow what
//! was reported before is in [`crate::delivery_state`].

use lienthong_model::limits::STATUSES_PER_DELIVERY_MAX;
use lienthong_model::{Ordinal, Position, Reason, Refusal, StatusCode, StatusHeader};
use lienthong_trust::{Dates, Signed, StatusSubmission, Unproven, judge};

use super::Machine;
use super::changes::ActedOn;
use super::decide::Judged;
use crate::change::{ActsOn, Answered, Mark};
use crate::command::{Command, Decision, DeliveryKey, Report, Reported, StoredContent};
use crate::delivery_state::{Closed, Progress};
use crate::directory::AgencyRecord;
use crate::engine::{EngineError, Payloads, State};
use crate::notice::{NoticeKind, Told};
use crate::rows::DeliveryRow;
use crate::signers::{gateway_key, in_time, may_send};

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn judge_report(
        &self,
        caller: Ordinal,
        submission: StatusSubmission,
        stored: StoredContent,
    ) -> Result<Judged, EngineError> {
        let StatusSubmission { header, signed } = submission;
        let refused = |refusal| Ok(Err(Decision::Refused(refusal)));
        let reporter = match self.sender(caller, &header.from) {
            Ok(reporter) => reporter,
            Err(refusal) => return refused(refusal),
        };
        match self.used(&header.id, reporter.ordinal, &signed.digest)? {
            Some(Ok(known)) => return Ok(Err(Decision::Repeated(known.position))),
            Some(Err(refusal)) => return refused(refusal),
            None => {}
        }
        let unproven = match self.judge_reporter(reporter, &header, &signed) {
            Ok(unproven) => unproven,
            Err(refusal) => return refused(refusal),
        };
        let judged = match header.code.by_recipient() {
            true => self.judge_recipients_report(reporter, &header)?,
            false => self.judge_senders_request(reporter, &header)?,
        };
        let reported = match judged {
            Ok(reported) => Reported { unproven, ..reported },
            Err(refusal) => return refused(refusal),
        };
        let dates = Dates { signed_at: header.signed_at, received_at: self.now() };
        let signed = self.record(signed, stored, dates)?;
        let command = Command::Report(Box::new(Report { caller, header, signed }));
        Ok(Ok((command, Decision::Reported(reported))))
    }

    fn judge_reporter(
        &self,
        reporter: &AgencyRecord,
        header: &StatusHeader,
        signed: &Signed,
    ) -> Result<Vec<Unproven>, Refusal> {
        let now = self.now();
        in_time(&header.id, header.signed_at, self.received())?;
        may_send(reporter, now)?;
        let dates = Dates { signed_at: header.signed_at, received_at: now };
        judge::certificates(&signed.signers, &*self.policy.trust, dates)?;
        let grace = self.policy.revocation.grace();
        let unproven = judge::revocation(&signed.signers, &*self.policy.trust, dates, grace)?;
        let gateway = gateway_key(&self.policy, reporter, now);
        judge::report_holders(&signed.signers, &reporter.key, gateway)?;
        Ok(unproven)
    }

    /// A report of a recipient on its delivery, told to the sender.
    fn judge_recipients_report(
        &self,
        reporter: &AgencyRecord,
        header: &StatusHeader,
    ) -> Result<Result<Reported, Refusal>, EngineError> {
        let Some((sender, position)) = self.reported_on(header)? else {
            return Ok(Err(unknown(header)));
        };
        let Some(row) = self.delivery_row(position, reporter.ordinal)? else {
            let refusal = match sender == reporter.ordinal {
                true => not_entitled(header),
                false => unknown(header),
            };
            return Ok(Err(refusal));
        };
        if let Err(refusal) = with_reason(header) {
            return Ok(Err(refusal));
        }
        let before = row.state();
        let after = match before.reported(header.code) {
            Ok(after) => after,
            Err(why) => {
                let acts_on = self.document_row(position)?.and_then(|document| document.acts_on);
                return Ok(Err(closed(why, acts_on.as_ref(), &row, header.code)));
            }
        };
        if let Err(refusal) = within_limit(&row, header.code) {
            return Ok(Err(refusal));
        }
        let delivery = DeliveryKey { recipient: reporter.ordinal, position };
        let told = Told { to: sender, kind: NoticeKind::Reported, delivery };
        let answered = row.asked.filter(|_| after.asked.is_none()).map(|by| Answered {
            mark: (after.standing != before.standing)
                .then_some(Mark { standing: after.standing, by }),
        });
        Ok(Ok(Reported {
            position: self.head.next_position,
            delivery,
            notices: self.notices(vec![told]),
            change: None,
            answered,
            unproven: Vec::new(),
        }))
    }

    /// A request of the sender to take its document back (13), told to the recipients that have it.
    fn judge_senders_request(
        &self,
        reporter: &AgencyRecord,
        header: &StatusHeader,
    ) -> Result<Result<Reported, Refusal>, EngineError> {
        let Some((sender, position)) = self.reported_on(header)? else {
            return Ok(Err(unknown(header)));
        };
        if sender != reporter.ordinal {
            let row = self.delivery_row(position, reporter.ordinal)?;
            let refusal = match row {
                Some(_) => not_entitled(header),
                None => unknown(header),
            };
            return Ok(Err(refusal));
        }
        if let Err(refusal) = with_reason(header) {
            return Ok(Err(refusal));
        }
        let Some(row) = self.document_row(position)? else { return Ok(Err(unknown(header))) };
        let change = match self.judge_recall(&ActedOn { position, row }, header)? {
            Ok(change) => change,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(Ok(Reported {
            position: self.head.next_position,
            delivery: DeliveryKey { recipient: sender, position },
            notices: self.notices(self.told_of(&change)),
            change: Some(Box::new(change)),
            answered: None,
            unproven: Vec::new(),
        }))
    }

    /// The sender of the document that a report is about, and the document's position.
    fn reported_on(
        &self,
        header: &StatusHeader,
    ) -> Result<Option<(Ordinal, Position)>, EngineError> {
        let Some(sender) = self.policy.directory.find(&header.document_sender) else {
            return Ok(None);
        };
        let position = self.position_of(sender.ordinal, &header.document)?;
        Ok(position.map(|position| (sender.ordinal, position)))
    }
}

/// Says why a status may not be reported, and what may be done instead.
fn closed(
    closed: Closed,
    acts_on: Option<&ActsOn>,
    row: &DeliveryRow,
    code: StatusCode,
) -> Refusal {
    let by = row.mark.as_ref().map(|mark| format!(" {} at {}", mark.by.id, mark.by.at));
    let by = by.unwrap_or_default();
    let (reason, value) = match closed {
        Closed::TakenBack => (Reason::DocumentTakenBack, format!("taken back by{by}")),
        Closed::Replaced => (Reason::DocumentReplaced, format!("replaced by{by}")),
        Closed::NotOpen => {
            let open: Vec<String> = row.open_statuses().iter().map(ToString::to_string).collect();
            let open = if open.is_empty() { "none".to_owned() } else { open.join(", ") };
            let hint = match (code, acts_on) {
                (StatusCode::ChangeAgreed | StatusCode::ChangeRefused, Some(acts_on)) => {
                    format!("; answer on the document acted on, {}", acts_on.id)
                }
                _ => String::new(),
            };
            (Reason::StatusNotOpen, format!("{code}; open: {open}{hint}"))
        }
    };
    Refusal::at(reason, "status_code", value)
}

fn unknown(header: &StatusHeader) -> Refusal {
    Refusal::at(Reason::DocumentUnknown, "document_id", header.document)
}

fn not_entitled(header: &StatusHeader) -> Refusal {
    Refusal::at(Reason::ReporterNotEntitled, "status_code", header.code)
}

fn with_reason(header: &StatusHeader) -> Result<(), Refusal> {
    match header.code.needs_reason() && header.reason.trim().is_empty() {
        true => Err(Refusal::at(Reason::ReasonMissing, "reason", header.code)),
        false => Ok(()),
    }
}

/// Reports of progress are limited, and the last place is kept for the one that ends the delivery.
/// Answers are as many as there are changes.
fn within_limit(row: &DeliveryRow, code: StatusCode) -> Result<(), Refusal> {
    let Some(progress) = Progress::of(code) else { return Ok(()) };
    let reports = row.progress_reports();
    if reports + usize::from(!progress.is_end()) < STATUSES_PER_DELIVERY_MAX {
        return Ok(());
    }
    let value = format!("{reports}, at most {STATUSES_PER_DELIVERY_MAX}");
    Err(Refusal::at(Reason::StatusLimit, "status_code", value))
}
