//! `DirectoryService`.

use lienthong_core::{AgencyRecord, Directory};
use lienthong_model::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use lienthong_model::{AgencyCode, DocumentType, Ordinal, Reason, Refusal, Timestamp};
use lienthong_wire::proto::directory_service_server::DirectoryService;
use lienthong_wire::{directory, level_from_proto, proto, refusal};
use tonic::{Request, Response, Status};

use super::{Services, refused};
use crate::caller::MayRead;
use crate::present;

#[tonic::async_trait]
impl DirectoryService for Services {
    async fn get_agency(
        &self,
        request: Request<proto::GetAgencyRequest>,
    ) -> Result<Response<proto::GetAgencyResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let request = request.into_inner();
        let at = self.moment(request.at.as_ref());
        let known = self.0.reader.directory();
        let agency = find(&known, &request.code, "code").map_err(refused)?;
        let agency = Some(directory::to_proto(agency.entry(at)));
        Ok(Response::new(proto::GetAgencyResponse { agency }))
    }

    async fn list_agencies(
        &self,
        request: Request<proto::ListAgenciesRequest>,
    ) -> Result<Response<proto::ListAgenciesResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let at = self.0.clock.now();
        let listed = list(&self.0.reader.directory(), &request.into_inner(), at);
        listed.map(Response::new).map_err(refused)
    }

    async fn search_agencies(
        &self,
        request: Request<proto::SearchAgenciesRequest>,
    ) -> Result<Response<proto::SearchAgenciesResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let request = request.into_inner();
        let at = self.0.clock.now();
        let known = self.0.reader.directory();
        let found = known.search(&request.text, page_size(request.limit));
        let agencies = found.iter().map(|agency| directory::to_proto(agency.entry(at))).collect();
        Ok(Response::new(proto::SearchAgenciesResponse { agencies }))
    }

    async fn get_directory_version(
        &self,
        request: Request<proto::GetDirectoryVersionRequest>,
    ) -> Result<Response<proto::GetDirectoryVersionResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let known = self.0.reader.directory();
        let agencies = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let version = known.version();
        Ok(Response::new(proto::GetDirectoryVersionResponse { version, agencies }))
    }

    async fn explain_route(
        &self,
        request: Request<proto::ExplainRouteRequest>,
    ) -> Result<Response<proto::ExplainRouteResponse>, Status> {
        self.admit::<MayRead, _>(&request)?;
        let request = request.into_inner();
        let at = self.moment(request.at.as_ref());
        let explained = explain(self, &request, at);
        explained.map(Response::new).map_err(refused)
    }
}

fn page_size(asked: i32) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => PAGE_SIZE_DEFAULT,
        Ok(asked) => asked.min(PAGE_SIZE_MAX),
    }
}

fn find<'d>(known: &'d Directory, code: &str, field: &str) -> Result<&'d AgencyRecord, Refusal> {
    let code =
        AgencyCode::parse(code).map_err(|error| Refusal::at(Reason::FieldInvalid, field, error))?;
    known.find(&code).ok_or_else(|| Refusal::at(Reason::RecipientUnknown, field, code))
}

fn list(
    known: &Directory,
    request: &proto::ListAgenciesRequest,
    at: Timestamp,
) -> Result<proto::ListAgenciesResponse, Refusal> {
    let level = level_from_proto(request.level, "level")?;
    let of = |code: &str, field: &str| match code {
        "" => Ok(None),
        code => find(known, code, field).map(|agency| Some(agency.ordinal)),
    };
    let (parent, province) = (of(&request.parent, "parent")?, of(&request.province, "province")?);
    let first: usize = match request.page_token.as_str() {
        "" => 0,
        token => {
            token.parse().map_err(|_| Refusal::at(Reason::FieldInvalid, "page_token", token))?
        }
    };
    let named = |code: &Option<AgencyCode>, wanted: Option<Ordinal>| {
        wanted.is_none_or(|wanted| {
            let found = code.as_ref().and_then(|code| known.find(code));
            found.is_some_and(|found| found.ordinal == wanted)
        })
    };
    let size = page_size(request.page_size);
    let mut page = known.agencies().iter().skip(first).filter(|agency| {
        let entry = agency.entry(at);
        level.is_none_or(|level| entry.level == level)
            && named(&entry.parent, parent)
            && named(&entry.province, province)
    });
    let listed: Vec<&AgencyRecord> = page.by_ref().take(size).collect();
    let next_page_token = page.next().map_or_else(String::new, |next| next.ordinal.0.to_string());
    let agencies = listed.iter().map(|agency| directory::to_proto(agency.entry(at))).collect();
    Ok(proto::ListAgenciesResponse { agencies, next_page_token })
}

fn explain(
    services: &Services,
    request: &proto::ExplainRouteRequest,
    at: Timestamp,
) -> Result<proto::ExplainRouteResponse, Refusal> {
    let reader = &services.0.reader;
    let known = reader.directory();
    let sender = find(&known, &request.sender, "sender")?;
    let recipient = find(&known, &request.recipient, "recipient")?;
    let kind = u8::try_from(request.document_type).ok().and_then(DocumentType::from_number);
    let kind = kind
        .ok_or_else(|| Refusal::at(Reason::FieldInvalid, "document_type", request.document_type))?;
    let explained = reader.rules().explain(&known, sender, recipient, kind, at);
    let rule = explained.rule.as_ref().map_or_else(
        || format!("no rule matches ({}): the default allows", explained.span),
        ToString::to_string,
    );
    Ok(match explained.outcome {
        Ok(route) => {
            let (route, gateway) = present::route(route, &known, at);
            proto::ExplainRouteResponse { allowed: true, rule, route, gateway, refusal: None }
        }
        Err(reason) => {
            let value = match explained.superior {
                Some(superior) => format!("through {}", known.code(superior, at)),
                None => request.recipient.clone(),
            };
            let refusal = refusal::to_proto(&Refusal::at(reason, "recipient", value));
            proto::ExplainRouteResponse {
                allowed: false,
                rule,
                refusal: Some(refusal),
                ..Default::default()
            }
        }
    })
}
