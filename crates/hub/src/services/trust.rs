//! `TrustService`: what signatures are judged by. Open to every caller of the directory.

use lienthong_core::engine::EngineError;
use lienthong_model::limits::UNPROVEN_COUNTED_MAX;
use lienthong_model::{AgencyCode, Reason, Refusal};
use lienthong_wire::proto::trust_service_server::TrustService;
use lienthong_wire::{administration as read, moment, proto};
use tonic::{Request, Response, Status};

use super::{Services, refused};
use crate::caller::MayRead;
use crate::present;

#[tonic::async_trait]
impl TrustService for Services {
    async fn get_trust(
        &self,
        request: Request<proto::GetTrustRequest>,
    ) -> Result<Response<proto::GetTrustResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let policy = self.0.reader.policy();
        let now = self.0.clock.now();
        let query = self.0.reader.query();
        let authorities = policy.trust.authorities().iter().map(|certificate| {
            let waiting = query.unproven(certificate.authority(), UNPROVEN_COUNTED_MAX)?;
            Ok(present::authority(certificate, &policy.trust, now, waiting))
        });
        let authorities: Result<Vec<_>, EngineError> = authorities.collect();
        Ok(Response::new(proto::GetTrustResponse {
            authorities: authorities.map_err(|error| refused(present::unreadable(&error)))?,
            grace: policy.revocation.grace().map(moment::duration_to_proto),
        }))
    }

    async fn list_mandates(
        &self,
        request: Request<proto::ListMandatesRequest>,
    ) -> Result<Response<proto::ListMandatesResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let code = request.into_inner().agency;
        let parsed = AgencyCode::parse(&code)
            .map_err(|error| refused(Refusal::at(Reason::FieldInvalid, "agency", error)))?;
        let policy = self.0.reader.policy();
        let agency = policy.directory.find(&parsed);
        let unknown = || refused(Refusal::at(Reason::RecipientUnknown, "agency", &code));
        let agency = agency.ok_or_else(unknown)?;
        let mandates = policy.mandates.of(agency.ordinal).iter().map(read::mandate_to_proto);
        Ok(Response::new(proto::ListMandatesResponse { mandates: mandates.collect() }))
    }
}
