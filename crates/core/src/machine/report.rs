//! Judgement of status reports: who may report, and what may follow what was reported before.

use lienthong_model::limits::STATUSES_PER_DELIVERY_MAX;
use lienthong_model::{Ordinal, Reason, Refusal, StatusCode, StatusHeader};
use lienthong_trust::{Dates, Signed, StatusSubmission, Unproven, judge};

use super::Machine;
use super::decide::Judged;
use crate::codec;
use crate::command::{Command, Decision, DeliveryKey, Report, Reported, StoredContent};
use crate::directory::AgencyRecord;
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::rows::{DeliveryRow, IdRow};
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
        let delivery = match self.reportable(reporter.ordinal, &header)? {
            Ok(delivery) => delivery,
            Err(refusal) => return refused(refusal),
        };
        let reported = Reported { position: self.head.next_position, delivery, unproven };
        let signed = self.record(signed, stored)?;
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
        let unproven = judge::revocation(&signed.signers, &*self.policy.trust, now, grace)?;
        let gateway = gateway_key(&self.policy, reporter, now);
        judge::report_holders(&signed.signers, &reporter.key, gateway)?;
        Ok(unproven)
    }

    /// Whether a report may be made: the delivery exists, the status is the reporter's, it has its
    /// reason, and it may follow what was reported before.
    fn reportable(
        &self,
        reporter: Ordinal,
        header: &StatusHeader,
    ) -> Result<Result<DeliveryKey, Refusal>, EngineError> {
        let unknown = || Refusal::at(Reason::DocumentUnknown, "document_id", header.document);
        let Some(sender) = self.policy.directory.find(&header.document_sender) else {
            return Ok(Err(unknown()));
        };
        let Some(known) = self.row(&keys::id(&header.document, sender.ordinal))? else {
            return Ok(Err(unknown()));
        };
        let known: IdRow = codec::decode(&known, "id")?;
        let key = DeliveryKey { recipient: reporter, position: known.position };
        let row = self.row(&keys::delivery(key.position, key.recipient))?;
        let is_party = row.is_some() || sender.ordinal == reporter;
        if known.report_on.is_some() || !is_party {
            return Ok(Err(unknown()));
        }
        let refused = |reason, field| Ok(Err(Refusal::at(reason, field, header.code)));
        let entitled = match header.code.by_recipient() {
            true => row.is_some(),
            false => sender.ordinal == reporter,
        };
        if !entitled {
            return refused(Reason::ReporterNotEntitled, "status_code");
        }
        if header.code.needs_reason() && header.reason.trim().is_empty() {
            return refused(Reason::ReasonMissing, "reason");
        }
        let Some(row) = row.filter(|_| header.code.by_recipient()) else {
            return refused(Reason::KindNotSupported, "status_code");
        };
        let delivery: DeliveryRow = codec::decode(&row, "delivery")?;
        Ok(may_follow(&delivery, header).map(|()| key))
    }
}

fn may_follow(delivery: &DeliveryRow, header: &StatusHeader) -> Result<(), Refusal> {
    let open = delivery.open_statuses();
    if !open.contains(&header.code) {
        let open: Vec<String> = open.iter().map(ToString::to_string).collect();
        let open = if open.is_empty() { "none".to_owned() } else { open.join(", ") };
        let value = format!("{}; open: {open}", header.code);
        return Err(Refusal::at(Reason::StatusNotOpen, "status_code", value));
    }
    // The last place is kept for the report that ends the delivery.
    let ends = matches!(header.code, StatusCode::Refused | StatusCode::Finished);
    if delivery.statuses.len() + usize::from(!ends) >= STATUSES_PER_DELIVERY_MAX {
        let value = format!("{}, at most {STATUSES_PER_DELIVERY_MAX}", delivery.statuses.len());
        return Err(Refusal::at(Reason::StatusLimit, "status_code", value));
    }
    Ok(())
}
