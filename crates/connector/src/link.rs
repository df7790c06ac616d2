//! The connection to the hub: made when it is needed, made again when it cannot be, and known to
//! everybody who wants to say why something waits.

use std::time::Duration;

use lienthong_client::{
    CallError, Client, ClockSource, ConnectError, Endpoint, EndpointError, Unreachable,
};
use lienthong_model::{MessageId, Refusal, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::disk::DiskError;

/// Why the hub cannot be spoken to, or what else one waits for, in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// What it means, in English.
    pub meaning: String,
    /// What it means, in Vietnamese.
    pub meaning_vi: String,
    /// What to do about it, in English.
    pub remedy: String,
    /// What to do about it, in Vietnamese.
    pub remedy_vi: String,
}

impl Away {
    /// Says it in the words of the client.
    pub fn of(unreachable: &Unreachable) -> Self {
        let words = unreachable.cause.words();
        Self {
            meaning: words.meaning,
            meaning_vi: words.meaning_vi,
            remedy: words.remedy.to_owned(),
            remedy_vi: words.remedy_vi.to_owned(),
        }
    }

    /// Says it in the words of a refusal.
    pub fn of_refusal(refusal: &Refusal) -> Self {
        let reason = refusal.reason;
        Self {
            meaning: reason.meaning().to_owned(),
            meaning_vi: reason.meaning_vi().to_owned(),
            remedy: reason.remedy().to_owned(),
            remedy_vi: reason.remedy_vi().to_owned(),
        }
    }

    /// Says why there is no connection.
    pub(crate) fn of_connect(error: &ConnectError) -> Self {
        if let Some(unreachable) = error.unreachable() {
            return Self::of(unreachable);
        }
        match error {
            ConnectError::Call(CallError::Refused(refusal)) => Self::of_refusal(refusal),
            ConnectError::Call(_) | ConnectError::Endpoint(_) => Self::plain(error),
        }
    }

    /// Says what the disk does not do, and where.
    pub(crate) fn of_disk(error: &DiskError) -> Self {
        let vi = match error.what {
            "read" => "đọc",
            "write" => "ghi",
            "move" => "di chuyển",
            "list" => "liệt kê",
            "remove" => "xóa",
            "make" => "tạo",
            "sync" => "đồng bộ",
            other => other,
        };
        let (path, source) = (error.path.display(), &error.source);
        Self {
            meaning: error.to_string(),
            meaning_vi: format!("không {vi} được `{path}`: {source}"),
            remedy: "put right what is named: permissions, space, the file itself; it is tried \
                again by itself"
                .to_owned(),
            remedy_vi: "khắc phục chỗ được nêu: quyền truy cập, dung lượng hoặc chính tệp đó; sẽ \
                tự thử lại"
                .to_owned(),
        }
    }

    /// Says it in the words of an error that has none in Vietnamese.
    pub fn plain(error: impl ToString) -> Self {
        Self {
            meaning: error.to_string(),
            meaning_vi: error.to_string(),
            remedy: "see the connector's log; it is tried again".to_owned(),
            remedy_vi: "xem nhật ký chương trình của bộ kết nối; sẽ tự thử lại".to_owned(),
        }
    }
}

/// The connection to one hub.
#[derive(Debug)]
pub(crate) struct Link {
    endpoint: Endpoint,
    before: ClockSource,
    client: Mutex<Option<Client>>,
    known: RwLock<Known>,
}

/// What is known of it without waiting.
#[derive(Debug, Default)]
struct Known {
    client: Option<Client>,
    away: Option<Away>,
}

impl Link {
    /// Takes how the hub is reached, and the clock by which time is told before it was.
    pub(crate) fn new(endpoint: Endpoint, before: ClockSource) -> Self {
        let endpoint = endpoint.wait_for_hub(Duration::ZERO);
        Self { endpoint, before, client: Mutex::default(), known: RwLock::default() }
    }

    /// Returns the client; connects when that has not succeeded yet.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn client(&self) -> Result<Client, Away> {
        match self.connect().await {
            Ok(client) => Ok(client),
            Err(error) => {
                let away = Away::of_connect(&error);
                self.note(Some(away.clone()));
                Err(away)
            }
        }
    }

    /// Connects for the first time: only what no patience mends is an error.
    ///
    /// # Errors
    /// [`EndpointError`] when key and certificate do not fit, or a root cannot be used.
    pub(crate) async fn try_first(&self) -> Result<(), EndpointError> {
        match self.connect().await {
            Err(ConnectError::Endpoint(error)) => Err(error),
            Err(error) => {
                self.note(Some(Away::of_connect(&error)));
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    async fn connect(&self) -> Result<Client, ConnectError> {
        let mut held = self.client.lock().await;
        if let Some(client) = &*held {
            return Ok(client.clone());
        }
        let client = Client::connect(self.endpoint.clone()).await?;
        *held = Some(client.clone());
        self.known.write().client = Some(client.clone());
        self.note(None);
        tracing::info!("connected to the hub");
        Ok(client)
    }

    /// Notes whether the hub answers; a change is logged.
    pub(crate) fn note(&self, away: Option<Away>) {
        let mut known = self.known.write();
        match (&known.away, &away) {
            (None, Some(away)) => {
                tracing::warn!(why = %away.meaning, remedy = %away.remedy, "the hub is away");
            }
            (Some(_), None) => tracing::info!("the hub is back"),
            _ => {}
        }
        known.away = away;
    }

    /// Returns why the hub is away; `None` while it answers.
    pub(crate) fn away(&self) -> Option<Away> {
        self.known.read().away.clone()
    }

    /// Returns business time: the hub's once it was reached.
    pub(crate) fn now(&self) -> Timestamp {
        match &self.known.read().client {
            Some(client) => client.now(),
            None => self.before.now(),
        }
    }

    /// Makes a message id in business time.
    pub(crate) fn new_id(&self) -> MessageId {
        MessageId::new(self.now(), rand::random())
    }
}
