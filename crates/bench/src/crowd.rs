//! Others beside whom a hub has to go on as usual: dead consumers of full mailboxes, submissions to
//! thousands of recipients, a thousand idle mailboxes.

use std::time::Duration;

use lienthong_client::{Client, Subscription, sign_document};
use lienthong_model::AgencyCode;
use lienthong_model::limits::CONSUMER_CREDIT_MAX;
use tokio::task::JoinHandle;

use crate::documents::letter;
use crate::error::BenchError;
use crate::process::Spent;
use crate::scene::Target;
use crate::stage::{Keyring, communes};

/// Subscriptions from which nobody reads. Dropping it closes them.
pub struct DeadConsumers(Vec<Subscription>);

/// Submissions to thousands of recipients, one after the other; ended by [`Large::end`].
pub struct Large {
    task: JoinHandle<Result<usize, BenchError>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl DeadConsumers {
    /// Fills the mailboxes of `agencies` with `each` documents, by one sender.
    ///
    /// # Errors
    /// [`BenchError`] when a document is refused.
    pub async fn fill(
        target: &Target,
        keys: &Keyring,
        from: &AgencyCode,
        agencies: &[AgencyCode],
        each: usize,
    ) -> Result<(), BenchError> {
        let (client, seal) = (keys.connect(&target.url, from).await?, keys.seal(from)?);
        let stream = client.submissions(16);
        for number in 0..each {
            let letter = letter(&client, from, agencies, number);
            stream.submit(sign_document(&letter, Vec::new(), &[&seal])).await?;
        }
        Ok(())
    }

    /// Opens the mailboxes of agencies, with as much credit as there is, and reads nothing.
    ///
    /// # Errors
    /// [`BenchError`] when one cannot be opened.
    pub async fn open(
        target: &Target,
        keys: &Keyring,
        agencies: &[AgencyCode],
    ) -> Result<Self, BenchError> {
        let mut open = Vec::with_capacity(agencies.len());
        for agency in agencies {
            let client = keys.connect(&target.url, agency).await?;
            open.push(client.subscribe(&[], CONSUMER_CREDIT_MAX).await?);
        }
        Ok(Self(open))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Opens an idle mailbox for each of some agencies, and returns by how many bytes the hub's resident
/// memory grew for each, the first `warm` not counted.
///
/// # Errors
/// [`BenchError`] when one cannot be opened.
pub async fn idle(
    target: &Target,
    keys: &Keyring,
    agencies: &[AgencyCode],
    warm: usize,
) -> Result<f64, BenchError> {
    let (first, rest) = agencies.split_at(warm.min(agencies.len()));
    let _first = DeadConsumers::open(target, keys, first).await?;
    let resident = || target.process.map_or(0, |process| Spent::by(process).resident_bytes);
    let before = resident();
    let _rest = DeadConsumers::open(target, keys, rest).await?;
    // The handshakes' own memory is given back.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(resident().saturating_sub(before) as f64 / rest.len().max(1) as f64)
}

impl Large {
    /// Hands over documents to so many communes of the stage, one every `every`, until it is ended.
    ///
    /// # Errors
    /// [`BenchError`] when the sender cannot connect.
    pub async fn start(
        target: &Target,
        keys: &Keyring,
        from: &AgencyCode,
        recipients: usize,
        every: Duration,
    ) -> Result<Self, BenchError> {
        let (client, seal) = (keys.connect(&target.url, from).await?, keys.seal(from)?);
        let to = communes(recipients)?;
        let (stop, mut stopping) = tokio::sync::watch::channel(false);
        let from = from.clone();
        let task = tokio::spawn(async move {
            let mut sent = 0;
            loop {
                submit(&client, &from, &to, &seal, sent).await?;
                sent += 1;
                let pause = tokio::time::sleep(every);
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return Ok(sent),
                    () = pause => {}
                }
            }
        });
        Ok(Self { task, stop })
    }

    /// Ends it; how many were accepted.
    ///
    /// # Errors
    /// [`BenchError`] when one was refused.
    pub async fn end(self) -> Result<usize, BenchError> {
        self.stop.send_replace(true);
        match self.task.await {
            Ok(sent) => sent,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

async fn submit(
    client: &Client,
    from: &AgencyCode,
    to: &[AgencyCode],
    seal: &lienthong_client::Signer,
    number: usize,
) -> Result<(), BenchError> {
    let letter = letter(client, from, to, number);
    client.submit(sign_document(&letter, Vec::new(), &[seal])).await?;
    Ok(())
}
