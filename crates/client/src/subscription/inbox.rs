//! What came and the caller has not taken yet; the credit bounds it.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::CallError;

/// What waits for the caller.
#[derive(Debug)]
pub(super) struct Inbox<T> {
    state: Mutex<State<T>>,
    more: Notify,
    end: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<Result<T, CallError>>,
    ended: bool,
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        let state = State { waiting: VecDeque::new(), ended: false };
        Self { state: Mutex::new(state), more: Notify::new(), end: Notify::new() }
    }
}

impl<T> Inbox<T> {
    pub(super) fn put(&self, item: Result<T, CallError>) {
        self.state.lock().waiting.push_back(item);
        self.more.notify_one();
    }

    /// Drops what was not taken: after a break it comes again.
    pub(super) fn clear(&self) {
        self.state.lock().waiting.clear();
    }

    /// Nothing will be put any more.
    pub(super) fn finish(&self) {
        self.state.lock().ended = true;
        self.more.notify_one();
        self.end.notify_waiters();
    }

    /// For one caller at a time.
    pub(super) async fn next(&self) -> Option<Result<T, CallError>> {
        loop {
            {
                let mut state = self.state.lock();
                if let Some(item) = state.waiting.pop_front() {
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
