//! What was accepted before its revocation was proven, and how a list that comes later settles it.
//!
//! ```text
//!   accepted in the grace ─▶ a row `u` an issuer ─▶ a list that is in date for the receipt
//!                                                    ─▶ proven, or found revoked
//! ```
//! A list settles in slices, so that a block stays small however much was waiting.

use lienthong_model::limits::SETTLED_PER_ENTRY_MAX;
use lienthong_model::{Position, Timestamp};
use lienthong_trust::{AuthorityId, RevocationList, Unproven};

use super::Machine;
use super::decide::Judged;
use crate::codec;
use crate::command::{Command, Decision, SettleRevocation, Settlement, Work};
use crate::engine::{EngineError, Payloads, State, Tables};
use crate::keys;
use crate::rows::{DocumentRow, UnprovenRow};
use crate::trust_store::in_date_until;

impl<S: State, P: Payloads> Machine<S, P> {
    /// Notes which issuers have a list that settles something: when the machine is opened.
    pub(super) fn find_unsettled(&mut self) -> Result<(), EngineError> {
        for list in self.policy.trust.lists() {
            if !unsettled(&*self.state, list, 1)?.is_empty() {
                self.settling.insert(list.authority);
            }
        }
        Ok(())
    }

    /// Notes that an act may bring a list that settles something.
    pub(super) fn note_list(&mut self, act: &Command) {
        match act {
            Command::AddRevocationList(added) => {
                let issuer = self.policy.trust.authority(&added.issuer);
                self.settling.extend(issuer.map(|issuer| *issuer.authority()));
            }
            Command::Act { act, .. } => self.note_list(act),
            _ => {}
        }
    }

    /// The next slice that a list settles.
    pub(super) fn settlement_due(&self) -> Option<Work> {
        self.settling.first().copied().map(Work::Settle)
    }

    pub(super) fn judge_settlement(&mut self, issuer: AuthorityId) -> Result<Judged, EngineError> {
        let nothing = Ok(Err(Decision::Settled(Vec::new())));
        let Some(list) = self.policy.trust.list(&issuer).cloned() else {
            self.settling.remove(&issuer);
            return nothing;
        };
        let rows = unsettled(&*self.state, &list, SETTLED_PER_ENTRY_MAX)?;
        if rows.is_empty() && self.work.entries.is_empty() {
            // Rows of the block under way are not looked at: asked in the next block, they are.
            self.settling.remove(&issuer);
        }
        let waiting: Vec<_> =
            rows.into_iter().filter(|(at, _)| !self.is_settled(&issuer, *at)).collect();
        if waiting.is_empty() {
            return nothing;
        }
        let outcomes = waiting.iter().map(|(_, row)| settle(&list, row)).collect();
        let positions = waiting.into_iter().map(|(position, _)| position).collect();
        let settled = SettleRevocation { issuer, list: list.digest, positions };
        Ok(Ok((Command::SettleRevocation(settled), Decision::Settled(outcomes))))
    }

    /// Whether the block under way has settled it already.
    fn is_settled(&self, issuer: &AuthorityId, position: Position) -> bool {
        self.work.row(&keys::unproven(issuer, position)).is_some_and(Option::is_none)
    }

    pub(super) fn apply_settlement(
        &mut self,
        settled: &SettleRevocation,
        outcomes: &[Settlement],
    ) -> Result<(), EngineError> {
        for (position, outcome) in settled.positions.iter().zip(outcomes) {
            self.work.delete(keys::unproven(&settled.issuer, *position));
            let key = keys::document(*position);
            // A report has no row of its own.
            let Some(row) = self.row(&key)? else { continue };
            let mut row: DocumentRow = codec::decode(&row, "document")?;
            row.unproven.retain(|issuer| *issuer != settled.issuer);
            if *outcome == Settlement::Revoked {
                let now = self.now();
                row.found_revoked = Some(row.found_revoked.map_or(now, |first| first.min(now)));
            }
            self.work.put(key, codec::encode(&row));
        }
        Ok(())
    }

    /// Notes what was accepted and is not proven.
    pub(super) fn await_proof(&mut self, position: Position, unproven: &[Unproven]) {
        for Unproven { issuer, serials } in unproven {
            let row = UnprovenRow { received_at: self.now(), serials: serials.clone() };
            self.work.put(keys::unproven(issuer, position), codec::encode(&row));
        }
    }
}

/// What a list settles, by position: everything that was received while it was, or would have been,
/// in date.
fn unsettled(
    tables: &dyn Tables,
    list: &RevocationList,
    max: usize,
) -> Result<Vec<(Position, UnprovenRow)>, EngineError> {
    let prefix = keys::unproven_of(&list.authority);
    let until = in_date_until(list);
    let mut found = Vec::new();
    let mut outcome = Ok(());
    tables.scan(&prefix, &prefix, &mut |key, row| {
        let Some((_, position)) = keys::unproven_key(key) else { return true };
        match codec::decode::<UnprovenRow>(row, "an unproven signature") {
            // Positions rise with time: nothing after it is settled either.
            Ok(row) if row.received_at > until => return false,
            Ok(row) => found.push((position, row)),
            Err(error) => outcome = Err(error),
        }
        outcome.is_ok() && found.len() < max
    })?;
    outcome.map(|()| found)
}

fn settle(list: &RevocationList, row: &UnprovenRow) -> Settlement {
    let revoked = |at: Timestamp| at <= row.received_at;
    let mut found = row.serials.iter().filter_map(|serial| list.find(&serial.0));
    match found.any(|entry| revoked(entry.at)) {
        true => Settlement::Revoked,
        false => Settlement::Proven,
    }
}
