//! `AdminService`: acts of people. Whether the caller may is judged in the sequencer, by the
//! appointment in the journal; what is only shown needs one here.

use bytes::{Bytes, BytesMut};
use lienthong_core::{AddAuthority, CertificateBytes, Command, RevocationPolicy};
use lienthong_model::limits::{ACT_ENTRIES_MAX, CERTIFICATE_BYTES_MAX, REVOCATION_LIST_BYTES_MAX};
use lienthong_model::{Reason, Refusal};
use lienthong_trust::RevocationList;
use lienthong_wire::proto::admin_service_server::AdminService;
use lienthong_wire::{administration as read, directory, moment, proto};
use tonic::{Request, Response, Status, Streaming};

use super::{Services, refused};
use crate::caller::{MayAct, MayAdminister, MaySee};
use crate::present;

impl Services {
    async fn act(&self, permit: MayAct, act: Command) -> Result<(), Status> {
        let carried_out = self.0.administration.carry_out(Some(permit.0), act).await;
        carried_out.map(|_| ()).map_err(refused)
    }
}

#[tonic::async_trait]
impl AdminService for Services {
    async fn add_authority(
        &self,
        request: Request<proto::AddAuthorityRequest>,
    ) -> Result<Response<proto::AddAuthorityResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let proto::AddAuthorityRequest { certificate, trusted } = request.into_inner();
        if certificate.len() > CERTIFICATE_BYTES_MAX {
            let value = format!("{}, at most {CERTIFICATE_BYTES_MAX}", certificate.len());
            return Err(refused(Refusal::at(Reason::ContentTooLarge, "certificate", value)));
        }
        let certificate = CertificateBytes(Bytes::copy_from_slice(&certificate));
        self.act(permit, Command::AddAuthority(AddAuthority { certificate, trusted })).await?;
        Ok(Response::new(proto::AddAuthorityResponse {}))
    }

    async fn add_revocation_list(
        &self,
        request: Request<Streaming<proto::AddRevocationListRequest>>,
    ) -> Result<Response<proto::AddRevocationListResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        // Before sixteen megabytes are taken.
        self.admit::<MayAdminister, _>(&request)?;
        let der = gather(request.into_inner()).await?;
        let outcome = self.0.administration.add_revocation_list(Some(permit.0), der.clone()).await;
        outcome.map_err(refused)?;
        let trust = self.0.reader.trust();
        let given = RevocationList::parse(&der, trust.authorities()).ok();
        let list =
            given.and_then(|given| trust.list(&given.authority).map(|one| present::list(one)));
        Ok(Response::new(proto::AddRevocationListResponse { list }))
    }

    async fn set_revocation_grace(
        &self,
        request: Request<proto::SetRevocationGraceRequest>,
    ) -> Result<Response<proto::SetRevocationGraceResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let grace = request.into_inner().grace;
        let invalid = || refused(Refusal::at(Reason::FieldInvalid, "grace", "not a span of time"));
        let grace = match &grace {
            Some(span) => Some(moment::duration_from_proto(span).ok_or_else(invalid)?),
            None => None,
        };
        let grace_ms = grace.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        self.act(permit, Command::SetRevocationPolicy(RevocationPolicy { grace_ms })).await?;
        Ok(Response::new(proto::SetRevocationGraceResponse {}))
    }

    async fn change_mandates(
        &self,
        request: Request<proto::ChangeMandatesRequest>,
    ) -> Result<Response<proto::ChangeMandatesResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let mandates = all(request.into_inner().mandates, read::mandate_from_proto)?;
        self.act(permit, Command::ChangeMandates(mandates)).await?;
        Ok(Response::new(proto::ChangeMandatesResponse {}))
    }

    async fn change_appointments(
        &self,
        request: Request<proto::ChangeAppointmentsRequest>,
    ) -> Result<Response<proto::ChangeAppointmentsResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let appointments = all(request.into_inner().appointments, read::appointment_from_proto)?;
        self.act(permit, Command::ChangeAppointments(appointments)).await?;
        Ok(Response::new(proto::ChangeAppointmentsResponse {}))
    }

    async fn list_appointments(
        &self,
        request: Request<proto::ListAppointmentsRequest>,
    ) -> Result<Response<proto::ListAppointmentsResponse>, Status> {
        self.admit::<MayAdminister, _>(&request)?;
        let policy = self.0.reader.policy();
        let appointments = policy.appointments.all().map(read::appointment_to_proto).collect();
        Ok(Response::new(proto::ListAppointmentsResponse { appointments }))
    }

    async fn set_terms(
        &self,
        request: Request<proto::SetTermsRequest>,
    ) -> Result<Response<proto::SetTermsResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let missing = || refused(Refusal::at(Reason::FieldMissing, "terms", ""));
        let terms = request.into_inner().terms.ok_or_else(missing)?;
        let terms = read::terms_from_proto(&terms).map_err(refused)?;
        self.act(permit, Command::SetTerms(terms)).await?;
        Ok(Response::new(proto::SetTermsResponse {}))
    }

    async fn get_terms(
        &self,
        request: Request<proto::GetTermsRequest>,
    ) -> Result<Response<proto::GetTermsResponse>, Status> {
        self.admit::<MaySee, _>(&request)?;
        let terms = read::terms_to_proto(&self.0.reader.policy().terms);
        Ok(Response::new(proto::GetTermsResponse { terms: Some(terms) }))
    }

    async fn change_quotas(
        &self,
        request: Request<proto::ChangeQuotasRequest>,
    ) -> Result<Response<proto::ChangeQuotasResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let quotas = all(request.into_inner().quotas, |quota| read::quota_from_proto(&quota))?;
        self.act(permit, Command::ChangeQuotas(quotas)).await?;
        Ok(Response::new(proto::ChangeQuotasResponse {}))
    }

    async fn list_quotas(
        &self,
        request: Request<proto::ListQuotasRequest>,
    ) -> Result<Response<proto::ListQuotasResponse>, Status> {
        self.admit::<MayAdminister, _>(&request)?;
        let policy = self.0.reader.policy();
        let mut quotas: Vec<_> = policy.quotas.all().map(read::quota_to_proto).collect();
        quotas.sort_by(|one, other| {
            (one.agency.is_empty(), &one.agency).cmp(&(other.agency.is_empty(), &other.agency))
        });
        Ok(Response::new(proto::ListQuotasResponse { quotas }))
    }

    async fn set_password(
        &self,
        request: Request<proto::SetPasswordRequest>,
    ) -> Result<Response<proto::SetPasswordResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let proto::SetPasswordRequest { holder, password } = request.into_inner();
        let holder = read::signatory_from_proto(holder, "holder").map_err(refused)?;
        let set = self.0.administration.set_password(Some(permit.0), holder, password).await;
        set.map_err(refused)?;
        Ok(Response::new(proto::SetPasswordResponse {}))
    }

    async fn remove_account(
        &self,
        request: Request<proto::RemoveAccountRequest>,
    ) -> Result<Response<proto::RemoveAccountResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let holder = request.into_inner().holder;
        let holder = read::signatory_from_proto(holder, "holder").map_err(refused)?;
        let removed = self.0.administration.remove_account(Some(permit.0), holder).await;
        removed.map_err(refused)?;
        Ok(Response::new(proto::RemoveAccountResponse {}))
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        self.admit::<MayAdminister, _>(&request)?;
        let holders = self.0.administration.accounts.holders();
        let holders = holders.iter().map(read::signatory_to_proto).collect();
        Ok(Response::new(proto::ListAccountsResponse { holders }))
    }

    async fn change_targets(
        &self,
        request: Request<proto::ChangeTargetsRequest>,
    ) -> Result<Response<proto::ChangeTargetsResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let targets = all(request.into_inner().targets, |target| read::target_from_proto(&target))?;
        self.act(permit, Command::ChangeTargets(targets)).await?;
        Ok(Response::new(proto::ChangeTargetsResponse {}))
    }

    async fn list_targets(
        &self,
        request: Request<proto::ListTargetsRequest>,
    ) -> Result<Response<proto::ListTargetsResponse>, Status> {
        self.admit::<MaySee, _>(&request)?;
        let policy = self.0.reader.policy();
        let targets = policy.targets.all().map(read::target_to_proto).collect();
        Ok(Response::new(proto::ListTargetsResponse { targets }))
    }

    async fn change_directory(
        &self,
        request: Request<proto::ChangeDirectoryRequest>,
    ) -> Result<Response<proto::ChangeDirectoryResponse>, Status> {
        let permit = self.admit::<MayAct, _>(&request)?;
        let entries = all(request.into_inner().agencies, directory::from_proto)?;
        self.act(permit, Command::ChangeDirectory(entries)).await?;
        Ok(Response::new(proto::ChangeDirectoryResponse {}))
    }
}

/// Reads every entry of an act, or names the first that does not do.
fn all<Q, A>(said: Vec<Q>, read: impl Fn(Q) -> Result<A, Refusal>) -> Result<Vec<A>, Status> {
    if said.len() > ACT_ENTRIES_MAX {
        let value = format!("{} entries, at most {ACT_ENTRIES_MAX}", said.len());
        return Err(refused(Refusal::at(Reason::ContentTooLarge, "entries", value)));
    }
    let numbered = said.into_iter().enumerate().map(|(index, one)| {
        read(one).map_err(|mut refusal| {
            for violation in &mut refusal.violations {
                violation.field = format!("[{index}].{}", violation.field);
            }
            refused(refusal)
        })
    });
    numbered.collect()
}

/// Puts the pieces of a revocation list together, within its bound.
async fn gather(mut pieces: Streaming<proto::AddRevocationListRequest>) -> Result<Bytes, Status> {
    let mut der = BytesMut::new();
    while let Some(proto::AddRevocationListRequest { piece }) = pieces.message().await? {
        if der.len() + piece.len() > REVOCATION_LIST_BYTES_MAX {
            let value = format!("more than {REVOCATION_LIST_BYTES_MAX} bytes");
            return Err(refused(Refusal::at(Reason::ContentTooLarge, "piece", value)));
        }
        der.extend_from_slice(&piece);
    }
    Ok(der.freeze())
}
