//! Acts of administration: what an operator with an appointment changes while the hub runs.
//!
//! An act is in force and on the hub's disk on return. All of an act is taken or nothing. To repeat
//! one changes nothing, so it is tried again like any other call.

use std::time::Duration;

use bytes::Bytes;
use lienthong_model::{AgencyEntry, Appointment, Mandate, Quota, Signatory, Target, Terms};
use lienthong_wire::{administration as form, directory, moment, proto};

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::trust::RevocationListSummary;

/// Bytes of a revocation list that go in one message.
const PIECE_BYTES: usize = 1024 * 1024;

/// What administrators do. The client must have connected with an operator's certificate, and the
/// operator's appointment must hold for everything that an act concerns.
#[derive(Debug, Clone)]
pub struct Administration {
    client: Client,
}

/// Makes a call that may be repeated.
macro_rules! ask {
    ($self:ident.$method:ident($request:expr)) => {{
        let (shared, request) = (&$self.client.shared, $request);
        let call = || {
            let (mut admin, request) = (shared.admin(), request.clone());
            async move { Ok(admin.$method(request).await?.into_inner()) }
        };
        shared.call(call).await
    }};
}

impl Client {
    /// Returns what administrators do.
    pub fn administration(&self) -> Administration {
        Administration { client: self.clone() }
    }
}

impl Administration {
    /// Makes an authority known by its certificate in DER; `trusted`: as a root.
    ///
    /// # Errors
    /// [`CallError`] as for every act: CALLER_NOT_ENTITLED without an appointment that allows it,
    /// FIELD_INVALID when it makes no sense.
    pub async fn add_authority(&self, certificate: Bytes, trusted: bool) -> Result<(), CallError> {
        let request = proto::AddAuthorityRequest { certificate, trusted };
        ask!(self.add_authority(request)).map(|_| ())
    }

    /// Puts a revocation list (DER) in force, unless its issuer's list in force is as new. Returns
    /// the one in force then.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn add_revocation_list(
        &self,
        der: Bytes,
    ) -> Result<RevocationListSummary, CallError> {
        let call = || {
            let (mut admin, pieces) = (self.client.shared.admin(), pieces(&der));
            let pieces = tokio_stream::iter(pieces);
            async move { Ok(admin.add_revocation_list(pieces).await?.into_inner()) }
        };
        let answer = self.client.shared.call(call).await?;
        RevocationListSummary::read(read::present("list", answer.list)?)
    }

    /// Says for how long after a revocation list was due signatures are accepted and marked; `None`:
    /// without end.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn set_revocation_grace(&self, grace: Option<Duration>) -> Result<(), CallError> {
        let grace = grace.map(moment::duration_to_proto);
        ask!(self.set_revocation_grace(proto::SetRevocationGraceRequest { grace })).map(|_| ())
    }

    /// Sets how long recipients may take and contents are kept, for documents from then on.
    ///
    /// # Errors
    /// [`CallError`] as for every act; FIELD_INVALID for terms that do not do.
    pub async fn set_terms(&self, terms: &Terms) -> Result<(), CallError> {
        let terms = Some(form::terms_to_proto(terms));
        ask!(self.set_terms(proto::SetTermsRequest { terms })).map(|_| ())
    }

    /// Returns the terms in force.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn terms(&self) -> Result<Terms, CallError> {
        let terms = ask!(self.get_terms(proto::GetTermsRequest {}))?.terms.unwrap_or_default();
        form::terms_from_proto(&terms).map_err(|refusal| CallError::answer("terms", refusal))
    }

    /// Enters at most 1,024 mandates; one with the same agency, signatory, capacity and first day is
    /// replaced.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn change_mandates(&self, mandates: &[Mandate]) -> Result<(), CallError> {
        let mandates = mandates.iter().map(form::mandate_to_proto).collect();
        ask!(self.change_mandates(proto::ChangeMandatesRequest { mandates })).map(|_| ())
    }

    /// Enters at most 1,024 appointments; one with the same person, role, territory and first day is
    /// replaced.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn change_appointments(&self, appointments: &[Appointment]) -> Result<(), CallError> {
        let appointments = appointments.iter().map(form::appointment_to_proto).collect();
        let request = proto::ChangeAppointmentsRequest { appointments };
        ask!(self.change_appointments(request)).map(|_| ())
    }

    /// Returns every appointment, ended ones too, by agency and person.
    ///
    /// # Errors
    /// [`CallError`]; CALLER_NOT_ENTITLED for whoever does not administer the country.
    pub async fn appointments(&self) -> Result<Vec<Appointment>, CallError> {
        let answer = ask!(self.list_appointments(proto::ListAppointmentsRequest {}))?;
        let read = |appointment| {
            form::appointment_from_proto(appointment)
                .map_err(|refusal| CallError::answer("appointments", refusal))
        };
        answer.appointments.into_iter().map(read).collect()
    }

    /// Enters at most 1,024 targets; one without a value is taken away.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn change_targets(&self, targets: &[Target]) -> Result<(), CallError> {
        let targets = targets.iter().map(form::target_to_proto).collect();
        ask!(self.change_targets(proto::ChangeTargetsRequest { targets })).map(|_| ())
    }

    /// Returns every target, by indicator, place, level and day.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn targets(&self) -> Result<Vec<Target>, CallError> {
        let answer = ask!(self.list_targets(proto::ListTargetsRequest {}))?;
        let read = |target| {
            form::target_from_proto(target).map_err(|why| CallError::answer("targets", why))
        };
        answer.targets.iter().map(read).collect()
    }

    /// Sets at most 1,024 quotas; one without bounds is taken away.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn change_quotas(&self, quotas: &[Quota]) -> Result<(), CallError> {
        let quotas = quotas.iter().map(form::quota_to_proto).collect();
        ask!(self.change_quotas(proto::ChangeQuotasRequest { quotas })).map(|_| ())
    }

    /// Returns every quota by agency, that of all others last.
    ///
    /// # Errors
    /// As for [`Administration::appointments`].
    pub async fn quotas(&self) -> Result<Vec<Quota>, CallError> {
        let answer = ask!(self.list_quotas(proto::ListQuotasRequest {}))?;
        let read = |quota| {
            form::quota_from_proto(&quota).map_err(|refusal| CallError::answer("quotas", refusal))
        };
        answer.quotas.into_iter().map(read).collect()
    }

    /// Makes a person's account for signing in with a password, or sets another password.
    ///
    /// # Errors
    /// [`CallError`] as for every act; FIELD_INVALID for a password that does not do.
    pub async fn set_password(&self, holder: &Signatory, password: &str) -> Result<(), CallError> {
        let (holder, password) = (Some(form::signatory_to_proto(holder)), password.to_owned());
        ask!(self.set_password(proto::SetPasswordRequest { holder, password })).map(|_| ())
    }

    /// Removes a person's account.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn remove_account(&self, holder: &Signatory) -> Result<(), CallError> {
        let holder = Some(form::signatory_to_proto(holder));
        ask!(self.remove_account(proto::RemoveAccountRequest { holder })).map(|_| ())
    }

    /// Returns whose accounts there are, by agency and person.
    ///
    /// # Errors
    /// As for [`Administration::appointments`].
    pub async fn accounts(&self) -> Result<Vec<Signatory>, CallError> {
        let answer = ask!(self.list_accounts(proto::ListAccountsRequest {}))?;
        let read = |holder| {
            form::signatory_from_proto(Some(holder), "holders")
                .map_err(|refusal| CallError::answer("holders", refusal))
        };
        answer.holders.into_iter().map(read).collect()
    }

    /// Enters at most 1,024 entries of the directory; one with the same code and first day is
    /// replaced.
    ///
    /// # Errors
    /// [`CallError`] as for every act.
    pub async fn change_directory(&self, entries: &[AgencyEntry]) -> Result<(), CallError> {
        let agencies = entries.iter().map(directory::to_proto).collect();
        ask!(self.change_directory(proto::ChangeDirectoryRequest { agencies })).map(|_| ())
    }
}

/// The messages of a revocation list.
fn pieces(der: &Bytes) -> Vec<proto::AddRevocationListRequest> {
    let begins = (0..der.len()).step_by(PIECE_BYTES);
    let piece = |begin: usize| der.slice(begin..der.len().min(begin + PIECE_BYTES));
    begins.map(|begin| proto::AddRevocationListRequest { piece: piece(begin) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_in_pieces_of_a_mebibyte_that_are_the_list_together() {
        let der = Bytes::from((0..2 * PIECE_BYTES + 7).map(|at| at as u8).collect::<Vec<_>>());
        let pieces = pieces(&der);
        let sizes: Vec<_> = pieces.iter().map(|one| one.piece.len()).collect();
        assert_eq!(sizes, [PIECE_BYTES, PIECE_BYTES, 7]);
        let together: Vec<u8> = pieces.into_iter().flat_map(|one| one.piece).collect();
        assert_eq!(together, der);
    }
}
