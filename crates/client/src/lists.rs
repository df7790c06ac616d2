//! Lists of recipients.

use lienthong_model::{AgencyCode, DocumentType, Timestamp};
use lienthong_wire::proto;

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::receipt::{LeftOut, RecipientRoute};

/// A list of recipients that a document may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientList {
    /// The name by which a document names it.
    pub name: String,
    /// What it is, in Vietnamese.
    pub title_vi: String,
    /// What it is, in English.
    pub title: String,
    /// How many agencies are on it, in force or not.
    pub members: u32,
    /// For a saved list: whose it is, its version, and when it was saved.
    pub saved: Option<SavedBy>,
}

/// Who saved a list, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedBy {
    /// The owner's code.
    pub owner: AgencyCode,
    /// Its version, higher with every change.
    pub version: u64,
    /// When it was saved, in business time.
    pub at: Timestamp,
}

/// Who of a list would get a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedList {
    /// Who would get it, in the order of the list.
    pub recipients: Vec<RecipientRoute>,
    /// Who would be left out and why; the first 256.
    pub left_out: Vec<LeftOut>,
    /// How many would be left out.
    pub left_out_total: u32,
}

/// A list to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListToSave {
    /// Whose list it is.
    pub owner: AgencyCode,
    /// Its name among the owner's: 1 to 64 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// Its members, in order, none twice.
    pub members: Vec<AgencyCode>,
}

impl Client {
    /// Asks for the lists that an agency may name: built-in ones, its own, its superiors'.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn recipient_lists(
        &self,
        agency: &AgencyCode,
    ) -> Result<Vec<RecipientList>, CallError> {
        let request = proto::ListRecipientListsRequest { agency: agency.to_string() };
        let call = || {
            let (mut lists, request) = (self.shared.lists(), request.clone());
            async move { Ok(lists.list_recipient_lists(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        answer.lists.into_iter().map(RecipientList::read).collect()
    }

    /// Asks who of a list would get a document of a type from a sender now; reads all pages.
    ///
    /// # Errors
    /// [`CallError`]; refused when the sender has no list of that name.
    pub async fn resolve_list(
        &self,
        sender: &AgencyCode,
        name: &str,
        document_type: DocumentType,
    ) -> Result<ResolvedList, CallError> {
        let mut request = proto::ResolveRecipientListRequest {
            sender: sender.to_string(),
            name: name.to_owned(),
            document_type: u32::from(document_type.number()),
            page_size: 1_000,
            page_token: String::new(),
        };
        let mut recipients = Vec::new();
        loop {
            let call = || {
                let (mut lists, request) = (self.shared.lists(), request.clone());
                async move { Ok(lists.resolve_recipient_list(request).await?.into_inner()) }
            };
            let page = self.shared.call(call).await?;
            for route in page.recipients {
                recipients.push(RecipientRoute::read(route)?);
            }
            if page.next_page_token.is_empty() {
                let left_out = page.left_out.into_iter().map(LeftOut::read);
                return Ok(ResolvedList {
                    recipients,
                    left_out: left_out.collect::<Result<_, _>>()?,
                    left_out_total: page.left_out_total,
                });
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Saves a list, anew or instead of the one before; on return it is on the hub's disk.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn save_list(&self, list: ListToSave) -> Result<RecipientList, CallError> {
        let request = proto::SaveRecipientListRequest {
            owner: list.owner.to_string(),
            name: list.name,
            title: list.title,
            members: list.members.iter().map(ToString::to_string).collect(),
        };
        let call = || {
            let (mut lists, request) = (self.shared.lists(), request.clone());
            async move { Ok(lists.save_recipient_list(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        RecipientList::read(read::present("list", answer.list)?)
    }

    /// Removes a saved list. Documents that named it keep their recipients.
    ///
    /// # Errors
    /// [`CallError`]; refused when there is none of that name.
    pub async fn remove_list(&self, owner: &AgencyCode, name: &str) -> Result<(), CallError> {
        let (owner, name) = (owner.to_string(), name.to_owned());
        let request = proto::RemoveRecipientListRequest { owner, name };
        let call = || {
            let (mut lists, request) = (self.shared.lists(), request.clone());
            async move { Ok(lists.remove_recipient_list(request).await?.into_inner()) }
        };
        self.shared.call(call).await.map(|_| ())
    }
}

impl RecipientList {
    fn read(list: proto::RecipientList) -> Result<Self, CallError> {
        let saved = match read::optional_code("list.owner", &list.owner)? {
            Some(owner) => Some(SavedBy {
                owner,
                version: list.version,
                at: read::moment("list.saved_at", list.saved_at.as_ref())?,
            }),
            None => None,
        };
        Ok(Self {
            name: list.name,
            title_vi: list.title_vi,
            title: list.title,
            members: list.members,
            saved,
        })
    }
}
