//! Asking the directory: who exists, and how a document would go.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use lienthong_model::limits::PAGE_SIZE_MAX;
use lienthong_model::{AgencyCode, AgencyEntry, DocumentType, Level, Refusal, Timestamp};
use lienthong_wire::{directory, moment, proto};

use crate::client::Client;
use crate::error::CallError;
use crate::read;
use crate::receipt::Route;

/// Which agencies are wanted; what is given must all hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgencyFilter {
    /// Only those directly under this agency.
    pub parent: Option<AgencyCode>,
    /// Only those of this province.
    pub province: Option<AgencyCode>,
    /// Only those on this level.
    pub level: Option<Level>,
}

/// Whether a document may go from one agency to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteQuestion {
    /// The sender.
    pub sender: AgencyCode,
    /// The recipient.
    pub recipient: AgencyCode,
    /// The administrative type.
    pub document_type: DocumentType,
    /// As of which moment; `None`: now.
    pub at: Option<Timestamp>,
}

/// The rule that decides, and what it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteExplanation {
    /// The rule, as a text.
    pub rule: String,
    /// How the recipient would be reached, or why the document would not be taken.
    pub outcome: Result<Route, Refusal>,
}

impl Client {
    /// Returns an agency's entry in force now; the code in either order of writing. `None` when
    /// there is none.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn agency(&self, code: &AgencyCode) -> Result<Option<AgencyEntry>, CallError> {
        self.entry_of(code, None).await
    }

    /// Returns an agency's entry in force at a moment: what was asked of a document's signatures
    /// is what was in force when the hub received it.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn agency_at(
        &self,
        code: &AgencyCode,
        at: Timestamp,
    ) -> Result<Option<AgencyEntry>, CallError> {
        self.entry_of(code, Some(at)).await
    }

    async fn entry_of(
        &self,
        code: &AgencyCode,
        at: Option<Timestamp>,
    ) -> Result<Option<AgencyEntry>, CallError> {
        use lienthong_model::Category;
        let at = at.map(moment::to_proto);
        let request = proto::GetAgencyRequest { code: code.to_string(), at };
        let call = || {
            let (mut directory, request) = (self.shared.directory(), request.clone());
            async move { Ok(directory.get_agency(request).await?.into_inner()) }
        };
        match self.shared.call(call).await {
            Ok(answer) => entry(read::present("agency", answer.agency)?).map(Some),
            Err(CallError::Refused(why)) if why.reason.category() == Category::Unknown => Ok(None),
            Err(CallError::Unexpected { code: tonic::Code::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the directory's version: it rises with every change of it.
    ///
    /// # Errors
    /// [`CallError`] as for every call; unexpected from a hub of an older version.
    pub async fn directory_version(&self) -> Result<u64, CallError> {
        let answer = self.shared.call(|| async {
            let request = proto::GetDirectoryVersionRequest {};
            Ok(self.shared.directory().get_directory_version(request).await?.into_inner())
        });
        Ok(answer.await?.version)
    }

    /// Returns agencies whose name or code holds a text, best first; at most `limit` (1 to 1,000).
    /// Diacritics and case do not matter.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn search(&self, text: &str, limit: usize) -> Result<Vec<AgencyEntry>, CallError> {
        let limit = i32::try_from(limit.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1);
        let request = proto::SearchAgenciesRequest { text: text.to_owned(), limit };
        let call = || {
            let (mut directory, request) = (self.shared.directory(), request.clone());
            async move { Ok(directory.search_agencies(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        answer.agencies.into_iter().map(entry).collect()
    }

    /// Returns agencies in force now in the order of their codes; pages of 1,000 are asked for as
    /// the stream is read. It ends with the first error.
    pub fn agencies(
        &self,
        filter: AgencyFilter,
    ) -> impl Stream<Item = Result<AgencyEntry, CallError>> + Send + 'static {
        let client = self.clone();
        let pages = stream::try_unfold(Some(String::new()), move |token| {
            let (client, filter) = (client.clone(), filter.clone());
            async move {
                let Some(token) = token else { return Ok(None) };
                let answer = client.page(&filter, token).await?;
                let next = Some(answer.next_page_token).filter(|token| !token.is_empty());
                Ok::<_, CallError>(Some((answer.agencies, next)))
            }
        });
        pages.map_ok(|agencies| stream::iter(agencies.into_iter().map(entry))).try_flatten().boxed()
    }

    /// Returns which rule decides whether a document may go from one agency to another, and how.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn explain_route(
        &self,
        question: &RouteQuestion,
    ) -> Result<RouteExplanation, CallError> {
        let request = proto::ExplainRouteRequest {
            sender: question.sender.to_string(),
            recipient: question.recipient.to_string(),
            document_type: question.document_type.number().into(),
            at: question.at.map(moment::to_proto),
        };
        let call = || {
            let (mut directory, request) = (self.shared.directory(), request.clone());
            async move { Ok(directory.explain_route(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        let outcome = if answer.allowed {
            Ok(Route::read("route", answer.route, &answer.gateway)?)
        } else {
            Err(read::refusal(answer.refusal)?)
        };
        Ok(RouteExplanation { rule: answer.rule, outcome })
    }

    async fn page(
        &self,
        filter: &AgencyFilter,
        page_token: String,
    ) -> Result<proto::ListAgenciesResponse, CallError> {
        let code = |code: &Option<AgencyCode>| code.as_ref().map(ToString::to_string);
        let request = proto::ListAgenciesRequest {
            parent: code(&filter.parent).unwrap_or_default(),
            province: code(&filter.province).unwrap_or_default(),
            level: filter.level.map_or(0, |level| proto::Level::from(level).into()),
            page_size: i32::try_from(PAGE_SIZE_MAX).unwrap_or_default(),
            page_token,
        };
        let call = || {
            let (mut directory, request) = (self.shared.directory(), request.clone());
            async move { Ok(directory.list_agencies(request).await?.into_inner()) }
        };
        self.shared.call(call).await
    }
}

fn entry(agency: proto::Agency) -> Result<AgencyEntry, CallError> {
    directory::from_proto(agency).map_err(|refusal| CallError::answer("agency", refusal))
}
