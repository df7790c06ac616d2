//! What came: what waits for the caller, bounded by the credit, and what the caller has.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::feed::Feed;
use crate::error::CallError;

/// Hands out what came; nothing a second time before the caller has answered for it.
#[derive(Debug)]
pub(super) struct Inbox<F: Feed> {
    state: Mutex<State<F>>,
    more: Notify,
    end: Notify,
}

#[derive(Debug)]
struct State<F: Feed> {
    waiting: VecDeque<Result<F, CallError>>,
    /// The keys of what waits.
    queued: HashSet<F::Key>,
    /// What was handed out and the caller has not answered for.
    taken: HashSet<F::Key>,
    ended: bool,
}

impl<F: Feed> Default for Inbox<F> {
    fn default() -> Self {
        let (waiting, queued, taken) = (VecDeque::new(), HashSet::new(), HashSet::new());
        let state = State { waiting, queued, taken, ended: false };
        Self { state: Mutex::new(state), more: Notify::new(), end: Notify::new() }
    }
}

impl<F: Feed> Inbox<F> {
    /// Puts something at the end, unless it waits already or the caller has it.
    pub(super) fn put(&self, item: Result<F, CallError>) {
        let mut state = self.state.lock();
        if let Ok(one) = &item
            && (state.taken.contains(one.key()) || !state.queued.insert(one.key().clone()))
        {
            return;
        }
        state.waiting.push_back(item);
        drop(state);
        self.more.notify_one();
    }

    /// Returns whether the caller has it.
    pub(super) fn is_taken(&self, key: &F::Key) -> bool {
        self.state.lock().taken.contains(key)
    }

    /// The caller has answered for it: it may be handed out again, should it come again.
    pub(super) fn release(&self, key: &F::Key) {
        let mut state = self.state.lock();
        if !state.taken.remove(key) && state.queued.remove(key) {
            state.waiting.retain(|item| !item.as_ref().is_ok_and(|one| one.key() == key));
        }
    }

    /// Drops what was not handed out: after a break it comes again. Returns what the caller has.
    pub(super) fn clear(&self) -> HashSet<F::Key> {
        let mut state = self.state.lock();
        state.waiting.clear();
        state.queued.clear();
        state.taken.clone()
    }

    /// Nothing will be put any more.
    pub(super) fn finish(&self) {
        self.state.lock().ended = true;
        self.more.notify_one();
        self.end.notify_waiters();
    }

    /// For one caller at a time.
    pub(super) async fn next(&self) -> Option<Result<F, CallError>> {
        loop {
            {
                let mut state = self.state.lock();
                if let Some(item) = state.waiting.pop_front() {
                    let key = item.as_ref().ok().and_then(|one| state.queued.take(one.key()));
                    state.taken.extend(key);
                    return Some(item);
                }
                if state.ended {
                    return None;
                }
            }
            self.more.notified().await;
        }
    }

    pub(super) async fn ended(&self) {
        let mut end = std::pin::pin!(self.end.notified());
        end.as_mut().enable();
        if self.state.lock().ended {
            return;
        }
        end.await;
    }
}
