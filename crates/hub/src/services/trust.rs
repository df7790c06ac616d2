//! `TrustService`: what signatures are judged by. Open to every caller of the directory.

use std::collections::HashMap;

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
        let unproven = self.0.reader.query().unproven();
        let unproven: HashMap<_, _> =
            unproven.map_err(|error| refused(present::unreadable(&error)))?.into_iter().collect();
        let now = self.0.clock.now();
        let authorities = policy.trust.authorities().iter().map(|certificate| {
            let waiting = unproven.get(certificate.authority()).copied().unwrap_or(0);
            present::authority(certificate, &policy.trust, now, waiting)
        });
        Ok(Response::new(proto::GetTrustResponse {
            authorities: authorities.collect(),
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
