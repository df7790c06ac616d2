//! What a subscription carries: the messages of its stream and what they say.

use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;

use lienthong_model::Refusal;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::client::Client;
use crate::error::CallError;

/// Something that comes by subscription: a delivery, a notice. Only this crate can name it.
pub trait Feed: Sized + Debug + Send + 'static {
    /// Names one.
    type Key: Clone + Eq + Hash + Debug + Send + Sync;
    /// Asks for one to come again later; uninhabited where that cannot be asked.
    type Later: Debug + Send;
    /// What is said to the hub.
    type Request: Send + 'static;
    /// What the hub says.
    type Answer: Send + 'static;

    /// Makes the call.
    #[doc(hidden)]
    fn call(
        client: &Client,
        requests: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Streaming<Self::Answer>, Status>> + Send;

    /// The first message.
    #[doc(hidden)]
    fn open(agencies: Vec<String>, credit: u32) -> Self::Request;

    /// Gives credit.
    #[doc(hidden)]
    fn credit(more: u32) -> Self::Request;

    /// Acknowledges.
    #[doc(hidden)]
    fn acknowledge(keys: &[Self::Key]) -> Self::Request;

    /// Asks for one to come again later; with it, which one.
    #[doc(hidden)]
    fn later(later: Self::Later) -> (Self::Key, Self::Request);

    /// Reads what the hub says.
    #[doc(hidden)]
    fn heard(answer: Self::Answer) -> Result<Heard<Self>, CallError>;

    /// Returns its name.
    fn key(&self) -> &Self::Key;
}

/// What the hub said.
#[derive(Debug)]
pub enum Heard<F: Feed> {
    /// The subscription has begun, for agencies with these codes.
    Opened(Vec<String>),
    /// Something came; or something that cannot be read.
    Arrived(Result<F, CallError>),
    /// Acknowledgements are on the hub's disk.
    Acknowledged(Vec<F::Key>),
    /// Acknowledgements are not taken.
    Refused(Vec<F::Key>, Refusal),
    /// A later version may say more.
    Other,
}
