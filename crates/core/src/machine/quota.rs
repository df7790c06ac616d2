//! Daily quotas: judged last, counted by what the decision says, so that a replay counts the same.

use lienthong_model::{Day, Quota, Reason, Refusal, Timestamp};

use super::Machine;
use crate::codec;
use crate::command::Accepted;
use crate::directory::AgencyRecord;
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::quotas::Used;

impl<S: State, P: Payloads> Machine<S, P> {
    /// Whether the sender may send so many bytes more today, and what it will have used then; none
    /// without a daily quota.
    pub(super) fn judge_quota(
        &self,
        sender: &AgencyRecord,
        bytes: u64,
    ) -> Result<Result<Option<Used>, Refusal>, EngineError> {
        let Some(quota) = self.policy.quotas.of(sender.ordinal) else { return Ok(Ok(None)) };
        if let Some(max) = quota.document_bytes_max.filter(|max| bytes > *max) {
            let value = format!("{bytes} bytes, at most {max}");
            return Ok(Err(Refusal::at(Reason::DocumentTooLarge, "document", value)));
        }
        if !quota.is_daily() {
            return Ok(Ok(None));
        }
        let today = self.now().day();
        let row = self.row(&keys::quota_used(sender.ordinal))?;
        let used: Option<Used> = row.map(|row| codec::decode(&row, "quota")).transpose()?;
        let used = used.filter(|used| used.day == today);
        let used = used.unwrap_or(Used { day: today, documents: 0, bytes: 0 });
        let after = Used {
            day: today,
            documents: used.documents + 1,
            bytes: used.bytes.saturating_add(bytes),
        };
        Ok(within(quota, after, self.now()).map(|()| Some(after)))
    }

    /// Notes what the decision says that was used.
    pub(super) fn note_used(&mut self, accepted: &Accepted) {
        if let Some(used) = &accepted.used {
            self.work.put(keys::quota_used(accepted.sender), codec::encode(used));
        }
    }
}

fn within(quota: &Quota, after: Used, now: Timestamp) -> Result<(), Refusal> {
    let over = |field: &str, found: u64, max: Option<u64>| {
        let max = max.filter(|max| found > *max)?;
        let value = format!("{found} today, at most {max}");
        Some(Refusal::at(Reason::QuotaExceeded, field, value).retry_after(until_tomorrow(now)))
    };
    let refusal = over("quota.documents_per_day", after.documents, quota.documents_per_day)
        .or_else(|| over("quota.bytes_per_day", after.bytes, quota.bytes_per_day));
    refusal.map_or(Ok(()), Err)
}

fn until_tomorrow(now: Timestamp) -> std::time::Duration {
    let tomorrow = Day(now.day().0 + 1).start();
    let millis = u64::try_from(tomorrow.millis() - now.millis()).unwrap_or(0);
    std::time::Duration::from_millis(millis)
}
