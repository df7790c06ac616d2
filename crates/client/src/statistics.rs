//! Asking for statistics: one question, answered once or live, and what waits.

use lienthong_model::{AgencyCode, AgencyState, Level, MessageId, Timestamp};
use lienthong_wire::{moment, proto};

pub use lienthong_wire::proto::{Bucket, Comparison, Dimension, Measure};

use crate::client::Client;
use crate::error::CallError;
use crate::read;

/// Rows fetched at a time.
const PAGE: i32 = 4_096;

/// A period; a bound is rounded to whole hours or days in UTC+07:00. The default is all time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// The first moment; `None`: since the beginning.
    pub from: Option<Timestamp>,
    /// The first moment after it; `None`: until now.
    pub to: Option<Timestamp>,
}

/// A question to the statistics; its measures are of one family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// When.
    pub period: Period,
    /// By time; `None`: the whole period at once.
    pub bucket: Option<Bucket>,
    /// By what else; at most three.
    pub group_by: Vec<Dimension>,
    /// What counts: what has, for each dimension named, one of its values.
    pub filter: Vec<(Dimension, Vec<String>)>,
    /// What is asked.
    pub measures: Vec<Measure>,
    /// What it is compared with.
    pub compare: Vec<Comparison>,
    /// The largest of a measure first; `None`: in the order of time and groups.
    pub top: Option<Measure>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When it was given; `None` of one that is not live.
    pub at: Option<Timestamp>,
    /// The rows.
    pub rows: Vec<Row>,
    /// All rows together, those left out too.
    pub total: Row,
    /// How many rows there are; more than `rows` when they were limited.
    pub rows_total: usize,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The first moment of the hour, day, month or year.
    pub bucket: Option<Timestamp>,
    /// One value a dimension.
    pub group: Vec<GroupValue>,
    /// One figure a measure; `None` where there is nothing to measure.
    pub figures: Vec<Option<u64>>,
    /// The same in each period compared with.
    pub compared: Vec<Vec<Option<u64>>>,
}

/// The value of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupValue {
    /// As filters take it; `TW` for the centre.
    pub value: String,
    /// Its Vietnamese name.
    pub name_vi: String,
    /// Its English name.
    pub name_en: String,
}

/// Of which agencies the backlog is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BacklogFilter {
    /// The code of a province, or `TW`; empty: everywhere that the caller may see.
    pub province: String,
    /// Only agencies of a level.
    pub level: Option<Level>,
    /// Those whose oldest waits longest first, instead of those with the most.
    pub oldest_first: bool,
    /// Most agencies; 0: 100.
    pub limit: u16,
}

/// What waits in mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Agencies, in the order asked for.
    pub agencies: Vec<AgencyBacklog>,
    /// Deliveries that wait, of all agencies asked for.
    pub waiting: u64,
    /// In how many mailboxes something waits.
    pub agencies_waiting: u64,
    /// Whether more waits than one look reads.
    pub partial: bool,
}

/// What waits in one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyBacklog {
    /// The agency's code.
    pub code: AgencyCode,
    /// Its name.
    pub name: String,
    /// Its level.
    pub level: Level,
    /// Whether it takes part; `None` when this version does not know how.
    pub state: Option<AgencyState>,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Since when the oldest waits.
    pub since: Option<Timestamp>,
    /// The sender of the oldest and its id; `None` when they are not known.
    pub oldest: Option<(AgencyCode, MessageId)>,
}

/// Answers as they change.
pub struct LiveAnswers {
    stream: tonic::Streaming<proto::WatchStatisticsResponse>,
    client: Client,
}

impl Client {
    /// Answers a question; all its rows.
    ///
    /// # Errors
    /// [`CallError`]; FIELD_INVALID when the question has no answer.
    pub async fn ask(&self, question: &Question) -> Result<Answer, CallError> {
        let mut request = proto::QueryStatisticsRequest {
            question: Some(question.to_proto()),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut rows = Vec::new();
        loop {
            let call = || {
                let (mut statistics, request) = (self.shared.statistics(), request.clone());
                async move { Ok(statistics.query_statistics(request).await?.into_inner()) }
            };
            let page = self.shared.call(call).await?;
            for row in page.rows {
                rows.push(Row::read(row)?);
            }
            if page.next_page_token.is_empty() {
                let total = Row::read(read::present("total", page.total)?)?;
                return Ok(Answer { at: None, rows_total: rows.len(), rows, total });
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Answers a question now and whenever its figures change, at most once a second; at most
    /// `rows_max` rows an answer, 0: 1,000.
    ///
    /// # Errors
    /// [`CallError`]; FIELD_INVALID when the question has no answer, OVERLOADED when too many are
    /// live.
    pub async fn watch(
        &self,
        question: &Question,
        rows_max: u16,
    ) -> Result<LiveAnswers, CallError> {
        let question = Some(question.to_proto());
        let request = proto::WatchStatisticsRequest { question, rows_max: i32::from(rows_max) };
        let call = || {
            let (mut statistics, request) = (self.shared.statistics(), request.clone());
            async move { Ok(statistics.watch_statistics(request).await?.into_inner()) }
        };
        let stream = self.shared.call(call).await?;
        Ok(LiveAnswers { stream, client: self.clone() })
    }

    /// Returns what waits in mailboxes, agency by agency.
    ///
    /// # Errors
    /// [`CallError`] as for every call.
    pub async fn backlog(&self, filter: &BacklogFilter) -> Result<Backlog, CallError> {
        let order = match filter.oldest_first {
            true => proto::BacklogOrder::Oldest,
            false => proto::BacklogOrder::Unspecified,
        };
        let request = proto::ListBacklogRequest {
            province: filter.province.clone(),
            level: filter.level.map_or(0, |level| proto::Level::from(level).into()),
            order: order.into(),
            limit: i32::from(filter.limit),
        };
        let call = || {
            let (mut statistics, request) = (self.shared.statistics(), request.clone());
            async move { Ok(statistics.list_backlog(request).await?.into_inner()) }
        };
        let answer = self.shared.call(call).await?;
        let agencies = answer.agencies.into_iter().map(AgencyBacklog::read);
        Ok(Backlog {
            agencies: agencies.collect::<Result<_, _>>()?,
            waiting: answer.waiting,
            agencies_waiting: answer.agencies_waiting,
            partial: answer.partial,
        })
    }
}

impl LiveAnswers {
    /// Returns the next answer; waits for it.
    ///
    /// # Errors
    /// [`CallError`] when the stream ends.
    pub async fn next(&mut self) -> Result<Answer, CallError> {
        let next = self.stream.message().await;
        let next = next.map_err(|status| self.client.shared.broken_off(&status))?;
        let next = read::present("answer", next)?;
        let rows = next.rows.into_iter().map(Row::read).collect::<Result<_, _>>()?;
        Ok(Answer {
            at: Some(read::moment("at", next.at.as_ref())?),
            rows,
            total: Row::read(read::present("total", next.total)?)?,
            rows_total: usize::try_from(next.rows_total).unwrap_or(0),
        })
    }
}

impl Question {
    /// Returns a question for measures of a period.
    pub fn of(period: Period, measures: &[Measure]) -> Self {
        Self { period, measures: measures.to_vec(), ..Self::default() }
    }

    fn to_proto(&self) -> proto::StatisticsQuestion {
        let filter = self.filter.iter().map(|(dimension, values)| proto::StatisticsCondition {
            dimension: (*dimension).into(),
            values: values.clone(),
        });
        proto::StatisticsQuestion {
            from: self.period.from.map(moment::to_proto),
            to: self.period.to.map(moment::to_proto),
            bucket: self.bucket.map_or(0, Into::into),
            group_by: self.group_by.iter().map(|one| (*one).into()).collect(),
            filter: filter.collect(),
            measures: self.measures.iter().map(|one| (*one).into()).collect(),
            compare: self.compare.iter().map(|one| (*one).into()).collect(),
            top: self.top.map_or(0, Into::into),
        }
    }
}

impl Row {
    fn read(row: proto::StatisticsRow) -> Result<Self, CallError> {
        let figures = |figures: Vec<proto::Figure>| -> Vec<Option<u64>> {
            figures.into_iter().map(|figure| figure.value).collect()
        };
        let group = row.group.into_iter().map(|group| GroupValue {
            value: group.value,
            name_vi: group.name_vi,
            name_en: group.name_en,
        });
        Ok(Self {
            bucket: read::optional_moment("rows.bucket", row.bucket.as_ref())?,
            group: group.collect(),
            figures: figures(row.figures),
            compared: row.compared.into_iter().map(|with| figures(with.figures)).collect(),
        })
    }

    /// Returns a figure; 0 where there is none.
    pub fn figure(&self, place: usize) -> u64 {
        self.figures.get(place).copied().flatten().unwrap_or(0)
    }
}

impl AgencyBacklog {
    fn read(one: proto::AgencyBacklog) -> Result<Self, CallError> {
        let state = match one.state() {
            proto::AgencyState::Connected => Some(AgencyState::Connected),
            proto::AgencyState::Held => Some(AgencyState::Held),
            proto::AgencyState::Suspended => Some(AgencyState::Suspended),
            proto::AgencyState::Unspecified => None,
        };
        let sender = read::optional_code("agencies.oldest_sender", &one.oldest_sender)?;
        let id = match one.oldest_id.is_empty() {
            true => None,
            false => Some(read::id("agencies.oldest_id", &one.oldest_id)?),
        };
        Ok(Self {
            code: read::code("agencies.code", &one.code)?,
            name: one.name,
            level: read::level("agencies.level", one.level)?,
            state,
            waiting: one.waiting,
            since: read::optional_moment("agencies.since", one.since.as_ref())?,
            oldest: sender.zip(id),
        })
    }
}
