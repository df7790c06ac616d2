//! `RecipientListService`.

use std::str::FromStr as _;

use lienthong_core::lists::{BuiltIn, ListName, SavedName, line_of_superiors};
use lienthong_core::{
    AgencyRecord, Decision, Directory, Proposal, RemoveList, SaveList, SavedList,
};
use lienthong_model::limits::{
    PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, RECEIPT_ROUTES_MAX, RECIPIENTS_MAX,
};
use lienthong_model::{AgencyCode, DocumentType, Ordinal, Reason, Refusal, Timestamp};
use lienthong_wire::proto::recipient_list_service_server::RecipientListService;
use lienthong_wire::{moment, proto};
use tonic::{Request, Response, Status};

use super::{Rooms, Services, refused};
use crate::caller::{MayExchange, served};
use crate::present::{self, unreadable};

#[tonic::async_trait]
impl RecipientListService for Services {
    async fn list_recipient_lists(
        &self,
        request: Request<proto::ListRecipientListsRequest>,
    ) -> Result<Response<proto::ListRecipientListsResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let lists = list(&self.0, permit, &request.into_inner().agency).map_err(refused)?;
        Ok(Response::new(proto::ListRecipientListsResponse { lists }))
    }

    async fn resolve_recipient_list(
        &self,
        request: Request<proto::ResolveRecipientListRequest>,
    ) -> Result<Response<proto::ResolveRecipientListResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let resolved = resolve(&self.0, permit, &request.into_inner());
        resolved.map(Response::new).map_err(refused)
    }

    async fn save_recipient_list(
        &self,
        request: Request<proto::SaveRecipientListRequest>,
    ) -> Result<Response<proto::SaveRecipientListResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        let list = save(&self.0, permit, request.into_inner()).await.map_err(refused)?;
        Ok(Response::new(proto::SaveRecipientListResponse { list: Some(list) }))
    }

    async fn remove_recipient_list(
        &self,
        request: Request<proto::RemoveRecipientListRequest>,
    ) -> Result<Response<proto::RemoveRecipientListResponse>, Status> {
        let permit = self.admit::<MayExchange, _>(&request)?;
        remove(&self.0, permit, &request.into_inner()).await.map_err(refused)?;
        Ok(Response::new(proto::RemoveRecipientListResponse {}))
    }
}

fn list(
    rooms: &Rooms,
    permit: MayExchange,
    agency: &str,
) -> Result<Vec<proto::RecipientList>, Refusal> {
    let (directory, now) = (rooms.reader.directory(), rooms.clock.now());
    let agency = served(permit, &directory, agency, "agency", now)?;
    let Some(agency) = directory.agency(agency) else { return Ok(Vec::new()) };
    let mut lists: Vec<_> =
        built_in(&directory, agency, now).map(|list| shown(&list, &directory, now)).collect();
    for owner in line_of_superiors(&directory, agency, now) {
        let saved = rooms.reader.query().saved_lists(owner.ordinal);
        let saved = saved.map_err(|error| unreadable(&error))?;
        lists.extend(saved.iter().map(|list| shown_saved(owner, list, now)));
    }
    Ok(lists)
}

/// The lists of the country, of the agency's province, and of the agency itself.
fn built_in<'d>(
    directory: &'d Directory,
    agency: &'d AgencyRecord,
    now: Timestamp,
) -> impl Iterator<Item = BuiltIn> + use<'d> {
    let province = directory.place(agency, now).province;
    let province = province.and_then(|province| directory.agency(province));
    let of_province = province.map(|province| province.entry(now).code.clone()).map(|code| {
        let (districts, communes) = (BuiltIn::DistrictsOf, BuiltIn::CommunesOf);
        [districts(code.clone()), communes(code.clone()), BuiltIn::DepartmentsOf(code)]
    });
    let own = BuiltIn::Below(agency.entry(now).code.clone());
    ListName::COUNTRY.into_iter().chain(of_province.into_iter().flatten()).chain([own])
}

fn shown(list: &BuiltIn, directory: &Directory, now: Timestamp) -> proto::RecipientList {
    let (title_vi, title) = list.title();
    let members = list.members(directory, now).map_or(0, |members| members.len());
    proto::RecipientList {
        name: list.to_string(),
        title_vi,
        title,
        members: count(members),
        ..Default::default()
    }
}

fn shown_saved(owner: &AgencyRecord, list: &SavedList, now: Timestamp) -> proto::RecipientList {
    let owner = owner.entry(now).code.clone();
    let name = ListName::Saved { owner: Some(owner.clone()), name: list.name.clone() };
    proto::RecipientList {
        name: name.to_string(),
        title_vi: list.title.clone(),
        title: list.title.clone(),
        members: count(list.members.len()),
        owner: owner.to_string(),
        version: list.version,
        saved_at: Some(moment::to_proto(list.saved_at)),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn resolve(
    rooms: &Rooms,
    permit: MayExchange,
    request: &proto::ResolveRecipientListRequest,
) -> Result<proto::ResolveRecipientListResponse, Refusal> {
    let (policy, now) = (rooms.reader.policy(), rooms.clock.now());
    let directory = &policy.directory;
    let sender = served(permit, directory, &request.sender, "sender", now)?;
    let unknown = || Refusal::at(Reason::RecipientListUnknown, "name", &request.name);
    let sender = directory.agency(sender).ok_or_else(unknown)?;
    let kind = u8::try_from(request.document_type).ok().and_then(DocumentType::from_number);
    let kind = kind
        .ok_or_else(|| Refusal::at(Reason::FieldInvalid, "document_type", request.document_type))?;
    // Says what is wrong with a name that follows no form.
    ListName::from_str(&request.name)
        .map_err(|error| Refusal::at(Reason::RecipientListUnknown, "name", error))?;
    let resolved = rooms.reader.query().resolve_list(&policy, sender, &request.name, kind, now);
    let resolved = resolved.map_err(|error| unreadable(&error))?.ok_or_else(unknown)?;
    let first: usize = match request.page_token.as_str() {
        "" => 0,
        token => {
            token.parse().map_err(|_| Refusal::at(Reason::FieldInvalid, "page_token", token))?
        }
    };
    let size = match usize::try_from(request.page_size) {
        Ok(0) | Err(_) => PAGE_SIZE_DEFAULT,
        Ok(asked) => asked.min(PAGE_SIZE_MAX),
    };
    let total = resolved.recipients.len();
    let page = resolved.recipients.iter().skip(first).take(size);
    let recipients = page.map(|(recipient, how)| {
        let (route, gateway) = present::route(*how, directory, now);
        proto::RecipientRoute { code: directory.code(*recipient, now), route, gateway }
    });
    let next = first.saturating_add(size);
    Ok(proto::ResolveRecipientListResponse {
        recipients: recipients.collect(),
        recipients_total: count(total),
        left_out: present::left_out(
            resolved.left_out.iter().take(RECEIPT_ROUTES_MAX),
            directory,
            now,
        ),
        left_out_total: count(resolved.left_out.len()),
        next_page_token: if next < total { next.to_string() } else { String::new() },
        version: resolved.version.unwrap_or(0),
    })
}

fn saved_name(name: &str) -> Result<SavedName, Refusal> {
    SavedName::parse(name).map_err(|error| Refusal::at(Reason::FieldInvalid, "name", error))
}

async fn save(
    rooms: &Rooms,
    permit: MayExchange,
    request: proto::SaveRecipientListRequest,
) -> Result<proto::RecipientList, Refusal> {
    let proto::SaveRecipientListRequest { owner, name, title, members } = request;
    let (directory, now) = (rooms.reader.directory(), rooms.clock.now());
    let owner = served(permit, &directory, &owner, "owner", now)?;
    let name = saved_name(&name)?;
    let members = ordinals(&directory, &members)?;
    let caller = Some(permit.0.agency);
    let save = SaveList { caller, owner, name: name.clone(), title, members };
    done(rooms, Proposal::SaveList(save)).await?;
    let saved = rooms.reader.query().saved_list(owner, &name);
    let saved = saved.map_err(|error| unreadable(&error))?;
    // Somebody may have removed it in the very next block.
    let gone = || Refusal::at(Reason::RecipientListUnknown, "name", name.as_str());
    let owner = directory.agency(owner).ok_or_else(gone)?;
    saved.as_ref().map(|saved| shown_saved(owner, saved, now)).ok_or_else(gone)
}

async fn remove(
    rooms: &Rooms,
    permit: MayExchange,
    request: &proto::RemoveRecipientListRequest,
) -> Result<(), Refusal> {
    let (directory, now) = (rooms.reader.directory(), rooms.clock.now());
    let owner = served(permit, &directory, &request.owner, "owner", now)?;
    let name = saved_name(&request.name)?;
    let remove = RemoveList { caller: Some(permit.0.agency), owner, name };
    done(rooms, Proposal::RemoveList(remove)).await
}

/// Proposes, and waits until it is carried out on disk.
async fn done(rooms: &Rooms, proposal: Proposal) -> Result<(), Refusal> {
    match rooms.sequencer.propose(proposal).await?.decision {
        Decision::Refused(refusal) => Err(refusal),
        _ => Ok(()),
    }
}

fn ordinals(directory: &Directory, codes: &[String]) -> Result<Vec<Ordinal>, Refusal> {
    if codes.len() > RECIPIENTS_MAX {
        let value = format!("{}, at most {RECIPIENTS_MAX}", codes.len());
        return Err(Refusal::at(Reason::ContentTooLarge, "members", value));
    }
    let member = |(index, text): (usize, &String)| {
        let field = || format!("members[{index}]");
        let code = AgencyCode::parse(text)
            .map_err(|error| Refusal::at(Reason::FieldInvalid, field(), error))?;
        let agency = directory.find(&code);
        let agency = agency.ok_or_else(|| Refusal::at(Reason::RecipientUnknown, field(), text))?;
        Ok(agency.ordinal)
    };
    codes.iter().enumerate().map(member).collect()
}
