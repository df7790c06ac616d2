//! Deliveries that the caller has not taken yet; the credit bounds them.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::delivery::Delivery;
use crate::error::CallError;

/// What waits for the caller.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    more: Notify,
    end: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Result<Delivery, CallError>>,
    ended: bool,
}

impl Inbox {
    pub(super) fn put(&self, item: Result<Delivery, CallError>) {
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
    pub(super) async fn next(&self) -> Option<Result<Delivery, CallError>> {
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
