//! A running hub as a scenario's agencies meet it: every node a client of its own, over TLS.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lienthong_client::{
    Client, ClockSource, DeliveryKey, DocumentCheck, Endpoint, HubClock, Roots, Route,
};
use lienthong_core::{Directory, NoticeKind, NoticeNumber};
use lienthong_model::{AgencyCode, AgencyEntry, Digest, Ordinal, Position, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::account::{Baseline, Known};
use super::link::{Disturbance, Link};
use super::node::{self, Heard, Mouth};
use super::remembered::{Headings, Notices, Remembers};
use super::station::{Station, endpoint};
use super::{HubControl, LiveError};
use crate::scenario::FaultKind;
use crate::world::{
    Arrived, Axis, Bell, Examination, Keys, Leaving, Meanwhile, Named, Outcome, Piece, Sent,
    WorldError,
};

/// Messages to the hub under way at a time, by all agencies together.
const UNDER_WAY: usize = 256;

/// How long a node waits for an answer in machine time: longer than its client tries by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a scenario is played live.
pub struct Ground {
    /// `https://host:port`.
    pub url: String,
    /// The clock by which its TLS is judged before it was asked.
    pub clock: ClockSource,
    /// How the hub itself is killed, started and told of lists; one of our own only.
    pub control: Option<Box<dyn HubControl>>,
}

/// An agency that takes part.
struct Node {
    code: AgencyCode,
    endpoint: Endpoint,
    station: Arc<Station>,
    link: Option<Link>,
    /// The streams of documents and of notices.
    receiving: Option<[AbortHandle; 2]>,
}

/// The axis.
pub(crate) struct LiveAxis {
    runtime: Handle,
    pub(super) directory: Arc<Directory>,
    nodes: BTreeMap<Ordinal, Node>,
    check: DocumentCheck,
    control: Option<Box<dyn HubControl>>,
    /// The process of the hub that answered last; none of one that is not ours.
    process: Option<u32>,
    clock: HubClock,
    places: Arc<Semaphore>,
    mouth: Mouth,
    heard: std::sync::mpsc::Receiver<Heard>,
    answers: Vec<(u64, Outcome)>,
    /// Documents and notices under way to their nodes.
    leaving: Leaving,
    /// By delivery that is not acknowledged: its key as the hub writes it.
    keys: HashMap<(Ordinal, Position), DeliveryKey>,
    headings: Headings,
    notices: Notices,
    /// Attachments that nodes bring piece by piece, until they are whole.
    uploads: HashMap<(Ordinal, Digest), Vec<u8>>,
    /// Deliveries that the hub said it makes to nodes that are played here, until it has their
    /// acknowledgements; like those that it has, only where nothing is forgotten.
    expected: BTreeSet<(Ordinal, Position)>,
    acknowledged: HashSet<(Ordinal, Position)>,
    /// What there is to ask about in the end.
    pub(super) known: Known,
    pub(super) baseline: Baseline,
    failed: Option<LiveError>,
}

impl LiveAxis {
    /// Makes the way of every agency of `played` to the hub; none connects yet but the first, which
    /// asks for the clock.
    pub fn new(
        ground: Ground,
        keys: &Keys,
        entries: Vec<AgencyEntry>,
        played: &[AgencyCode],
        bell: &Bell,
        remembers: Remembers,
    ) -> Result<Self, LiveError> {
        let runtime = Handle::current();
        let roots = keys.roots()?;
        let mut directory = Directory::default();
        for entry in entries {
            directory.put(entry);
        }
        let mut nodes = BTreeMap::new();
        for code in played {
            let Some(ordinal) = directory.find(code).map(|agency| agency.ordinal) else { continue };
            let endpoint = reached(&ground, keys, &roots, code)?;
            let station = Arc::new(Station::new(endpoint.clone()));
            let code = code.clone();
            nodes.insert(ordinal, Node { code, endpoint, station, link: None, receiving: None });
        }
        let first = nodes.values().next().ok_or(LiveError::Nobody)?;
        let clock = runtime.block_on(first.station.client(first.code.as_str()))?.hub_clock();
        let (mouth, heard) = Mouth::new(bell.clone());
        Ok(Self {
            runtime,
            directory: Arc::new(directory),
            check: DocumentCheck::new(&roots)?,
            nodes,
            process: ground.control.as_ref().and_then(|control| control.process()),
            control: ground.control,
            clock,
            places: Arc::new(Semaphore::new(UNDER_WAY)),
            mouth,
            heard,
            answers: Vec::new(),
            leaving: Leaving::default(),
            keys: HashMap::new(),
            headings: Headings::of(remembers),
            notices: Notices::default(),
            uploads: HashMap::new(),
            expected: BTreeSet::new(),
            acknowledged: HashSet::new(),
            known: Known::of(remembers),
            baseline: Baseline::default(),
            failed: None,
        })
    }

    /// The hub's clock.
    pub fn clock(&self) -> HubClock {
        self.clock
    }

    /// Puts a proxy on the way of some agencies, so that it can be disturbed.
    pub fn put_links(&mut self, agencies: &[Ordinal]) -> Result<(), LiveError> {
        for agency in agencies {
            let Some(node) = self.nodes.get_mut(agency).filter(|node| node.link.is_none()) else {
                continue;
            };
            let (link, endpoint) = self.runtime.block_on(Link::before(&node.endpoint))?;
            node.endpoint = endpoint;
            node.station = Arc::new(Station::new(node.endpoint.clone()));
            node.link = Some(link);
        }
        Ok(())
    }

    /// Runs a question to the hub to its end, asked by an agency; without one by the first.
    pub(super) fn ask<T>(
        &self,
        agency: Option<Ordinal>,
        question: impl AsyncFnOnce(&Client) -> T,
    ) -> Result<T, LiveError> {
        let node = agency.and_then(|agency| self.nodes.get(&agency));
        let node = node.or_else(|| self.nodes.values().next()).ok_or(LiveError::Nobody)?;
        self.runtime.block_on(async {
            let client = node.station.client(node.code.as_str()).await?;
            Ok(question(client).await)
        })
    }

    /// Each agency's own connection, for questions that only it may ask.
    pub(super) fn stations(&self) -> HashMap<Ordinal, (AgencyCode, Arc<Station>)> {
        let node = |(ordinal, node): (&Ordinal, &Node)| {
            (*ordinal, (node.code.clone(), node.station.clone()))
        };
        self.nodes.iter().map(node).collect()
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Takes what was heard.
    fn listen(&mut self) {
        while let Ok(heard) = self.heard.try_recv() {
            match heard {
                Heard::Answered { number, outcome } => self.answers.push((number, outcome)),
                Heard::Accepted { number, caller, receipt } => {
                    self.accepted(number, caller, &receipt)
                }
                Heard::Declined { number, caller, declined } => {
                    let province = self.place_of(caller, declined.at);
                    let outcome = Outcome::Refused(declined.reason);
                    self.known.declined(
                        declined,
                        province,
                        self.nodes.get(&caller).map(|n| &n.code),
                    );
                    self.answers.push((number, outcome));
                }
                Heard::Acknowledged { key } => {
                    self.expected.remove(&key);
                    if self.known.is_whole() {
                        self.acknowledged.insert(key);
                    }
                    self.keys.remove(&key);
                }
                Heard::Arrived { recipient, delivery } => {
                    let position = delivery.key.position;
                    self.headings.arrived(position, delivery.heading);
                    self.keys.insert((recipient, position), delivery.key);
                    let attempt = delivery.attempt;
                    self.leaving.documents.push(Arrived { recipient, position, attempt });
                }
                Heard::Noticed { agency, number, kind, position, heading } => {
                    if asks(kind) {
                        self.headings.mentioned(position, heading);
                    }
                    self.notices.put((agency, number), (kind, position));
                    self.leaving.notices.push((agency, number));
                }
                Heard::Withdrawn { recipient, position } => {
                    self.expected.remove(&(recipient, position));
                }
                Heard::Distrusted(what) => self.known.distrusted(what),
                Heard::Failed(error) => self.failed = Some(error),
            }
        }
    }

    fn accepted(&mut self, number: u64, caller: Ordinal, receipt: &lienthong_client::Receipt) {
        let outcome = match receipt.repeated {
            true => Outcome::Repeated(receipt.position),
            false => Outcome::Accepted(receipt.position),
        };
        self.answers.push((number, outcome));
        self.known.accepted(caller, receipt);
        if !self.known.is_whole() {
            return;
        }
        for route in receipt.routes.iter().filter(|route| route.route != Route::Held) {
            let Some(ordinal) = self.ordinal(&route.code) else { continue };
            let key = (ordinal, receipt.position);
            if self.nodes.contains_key(&ordinal) && !self.acknowledged.contains(&key) {
                self.expected.insert(key);
            }
        }
    }

    fn place_of(&self, agency: Ordinal, at: Timestamp) -> Option<Ordinal> {
        let agency = self.directory.agency(agency)?;
        self.directory.place(agency, at).province
    }
}

/// Whether a notice asks a recipient for a decision on a document that it has.
fn asks(kind: NoticeKind) -> bool {
    use NoticeKind::{RecallRequested, ReplacementRequested, UpdateRequested};
    matches!(kind, RecallRequested | UpdateRequested | ReplacementRequested)
}

/// How a member reaches the hub.
fn reached(
    ground: &Ground,
    keys: &Keys,
    roots: &Roots,
    code: &AgencyCode,
) -> Result<Endpoint, LiveError> {
    let node = keys.node(code)?;
    endpoint(&ground.url, (&node, keys.issuing()), roots, ground.clock)
}

impl Axis for LiveAxis {
    fn ordinal(&self, code: &AgencyCode) -> Option<Ordinal> {
        self.directory.find(code).map(|agency| agency.ordinal)
    }

    fn is_up(&self) -> bool {
        // Whoever sends to one that is not waits for it.
        true
    }

    fn open(&mut self, agency: Ordinal) {
        let Some(node) = self.nodes.get_mut(&agency) else { return };
        for former in node.receiving.take().into_iter().flatten() {
            former.abort();
        }
        let receiving = node::Receiving {
            agency,
            code: node.code.clone(),
            station: node.station.clone(),
            check: self.check.clone(),
            directory: self.directory.clone(),
            mouth: self.mouth.clone(),
        };
        let hearing = self.runtime.spawn(receiving.clone().hear()).abort_handle();
        node.receiving = Some([self.runtime.spawn(receiving.run()).abort_handle(), hearing]);
    }

    fn close(&mut self, agency: Ordinal) {
        let Some(node) = self.nodes.get_mut(&agency) else { return };
        for former in node.receiving.take().into_iter().flatten() {
            former.abort();
        }
        // It is off: its connection ends with it.
        node.station.acknowledger.lock().take();
        node.station = Arc::new(Station::new(node.endpoint.clone()));
    }

    fn take(
        &mut self,
        number: u64,
        caller: Ordinal,
        sent: &Sent,
        _: Option<Examination>,
    ) -> Result<Option<Outcome>, WorldError> {
        if let Sent::Piece(piece) = sent
            && let Some(stored) = self.gather(caller, piece)
        {
            return Ok(Some(Outcome::Stored(stored)));
        }
        let Some(node) = self.nodes.get(&caller) else { return Ok(None) };
        let work = match sent {
            Sent::Document(signed) => node::Work::Submit(signed.clone()),
            Sent::Report(signed) => node::Work::Report(signed.clone()),
            Sent::Acknowledge(position) => match self.keys.get(&(caller, *position)).cloned() {
                Some(key) => node::Work::Acknowledge(key),
                None => return Ok(None),
            },
            Sent::AcknowledgeNotices(through) => {
                self.notices.forget_through(caller, *through);
                node::Work::KnowNotices(through.0)
            }
            Sent::Piece(piece) => {
                let bytes = self.uploads.remove(&(caller, piece.digest)).unwrap_or_default();
                node::Work::Upload(bytes.into())
            }
        };
        let sending = node::Sending {
            number,
            caller,
            code: node.code.clone(),
            station: node.station.clone(),
            mouth: self.mouth.clone(),
        };
        let places = self.places.clone();
        self.runtime.spawn(async move {
            let Ok(_place) = places.acquire_owned().await else { return };
            sending.run(work).await;
        });
        Ok(None)
    }

    fn is_writing(&self) -> bool {
        false
    }

    fn begin_block(&mut self, _: Timestamp, _: Meanwhile) -> Result<(), WorldError> {
        self.listen();
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    fn end_block(&mut self, _: Timestamp) -> Result<Vec<(u64, Outcome)>, WorldError> {
        self.listen();
        Ok(std::mem::take(&mut self.answers))
    }

    fn has_waiting(&mut self) -> bool {
        false
    }

    fn next_deadline(&mut self) -> Option<Timestamp> {
        None
    }

    fn poll(&mut self, _: Timestamp) -> Result<Leaving, WorldError> {
        Ok(std::mem::take(&mut self.leaving))
    }

    fn document(&self, position: Position) -> Result<Option<Named>, WorldError> {
        let named = self.headings.get(position).and_then(|heading| {
            Some(Named {
                sender: self.ordinal(&heading.sender)?,
                id: heading.id,
                reference: heading.reference.clone(),
                subject: heading.subject.clone(),
            })
        });
        Ok(named)
    }

    fn notice(
        &self,
        agency: Ordinal,
        number: NoticeNumber,
    ) -> Result<Option<(NoticeKind, Position)>, WorldError> {
        Ok(self.notices.get(agency, number))
    }

    fn kill(&mut self) -> Result<(), WorldError> {
        Ok(self.controlled(|control, _| control.kill())?)
    }

    fn start(&mut self) -> Result<(), WorldError> {
        self.controlled(|control, now| control.start(now))?;
        let process = self.control.as_ref().and_then(|control| control.process());
        // It was started again where another process answers.
        self.known.told.restarts += u64::from(process != self.process);
        self.process = process;
        Ok(())
    }

    fn take_list(&mut self, _: &Keys, list: &Bytes) -> Result<(), WorldError> {
        Ok(self.controlled(|control, _| control.enter_list(list))?)
    }

    fn set_low(&mut self, low: bool) -> Result<(), WorldError> {
        Ok(self.controlled(|control, _| control.set_low(low))?)
    }

    fn disturb(&mut self, kind: FaultKind, nodes: &[Ordinal], begins: bool) {
        let Some(disturbance) = Disturbance::of(kind) else { return };
        for node in nodes {
            if let Some(link) = self.nodes.get(node).and_then(|node| node.link.as_ref()) {
                link.disturb(if begins { Some(disturbance) } else { None });
            }
        }
    }

    fn disturbs(&self, kind: FaultKind) -> bool {
        Disturbance::of(kind).is_some()
    }

    fn cut_connections(&self) -> u64 {
        self.nodes.values().filter_map(|node| node.link.as_ref()).map(Link::cut_connections).sum()
    }

    fn is_idle(&self) -> bool {
        let is_on = |ordinal: &Ordinal| {
            self.nodes.get(ordinal).is_some_and(|node| node.receiving.is_some())
        };
        !self.expected.iter().any(|(recipient, _)| is_on(recipient))
    }

    fn finish(&mut self) -> Result<(), WorldError> {
        self.listen();
        Ok(())
    }

    fn stop(&mut self) -> Result<(), WorldError> {
        for agency in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.close(agency);
        }
        let stopped = self.control.as_mut().map_or(Ok(()), |control| control.stop());
        Ok(stopped.map_err(LiveError::Control)?)
    }

    fn patience(&self) -> Duration {
        PATIENCE.mul_f64(self.clock.rate())
    }

    #[cfg(test)]
    fn set_flaw(&mut self, _: crate::world::Flaw) {}

    #[cfg(test)]
    fn early_answers(&mut self) -> Vec<(u64, Outcome)> {
        Vec::new()
    }
}

impl LiveAxis {
    /// Takes a piece of an attachment; returns how much is there, and nothing once it is whole: then
    /// it is brought to the hub.
    fn gather(&mut self, caller: Ordinal, piece: &Piece) -> Option<u64> {
        let stored = self.uploads.entry((caller, piece.digest)).or_default();
        if stored.len() as u64 == piece.offset {
            stored.extend_from_slice(&piece.bytes);
        }
        let there = stored.len() as u64;
        (there < piece.size).then_some(there)
    }

    fn controlled(
        &mut self,
        act: impl FnOnce(&mut dyn HubControl, Timestamp) -> std::io::Result<()>,
    ) -> Result<(), LiveError> {
        let now = self.clock.now();
        let control = self.control.as_mut().ok_or(LiveError::NotOurHub)?;
        act(&mut **control, now).map_err(LiveError::Control)
    }
}
