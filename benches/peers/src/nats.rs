//! NATS JetStream: file storage. It answers before anything is synced, unless the server is of a
//! version that can be told `sync_interval: always`; Debian's cannot.

use std::path::Path;
use std::sync::Arc;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::server::{Server, free_port};
use crate::work::{Figure, Group, IN_FLIGHT, Size, messages, pace};

pub async fn turn(folder: &Path, size: Size) -> anyhow::Result<Vec<Figure>> {
    let port = free_port()?;
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(folder);
    let server = Server::start(command, port, &folder.join("nats.log")).await?;
    let measured = measure(port, size).await;
    server.stop().await;
    let (publish, deliver) = measured?;
    Ok(vec![
        Figure {
            name: "NATS JetStream, published",
            promise: "NOT synced · not verified · sequence",
            group: Group::Submit,
            per_second: publish,
        },
        Figure {
            name: "NATS JetStream, to the ack",
            promise: "NOT synced · not verified · ack sent",
            group: Group::Deliver,
            per_second: deliver,
        },
    ])
}

async fn measure(port: u16, size: Size) -> anyhow::Result<(f64, f64)> {
    let context = jetstream::new(async_nats::connect(format!("127.0.0.1:{port}")).await?);
    stream(&context, "publish").await?;
    publish_all(&context, "publish", size.documents / 10).await?;
    let publish = publish_all(&context, "publish", size.documents).await?;

    let made = stream(&context, "deliver").await?;
    let consumer = made
        .create_consumer(pull::Config {
            durable_name: Some("peers".to_owned()),
            ack_policy: AckPolicy::Explicit,
            max_ack_pending: IN_FLIGHT as i64,
            ..pull::Config::default()
        })
        .await?;
    let mut inbox = consumer.messages().await?;
    let acknowledged = Arc::new(Semaphore::new(IN_FLIGHT));
    let free = acknowledged.clone();
    let receiving = tokio::spawn(async move {
        while let Some(message) = inbox.next().await {
            message?.ack().await.map_err(anyhow::Error::from_boxed)?;
            free.add_permits(1);
        }
        anyhow::Ok(())
    });
    let deliver = pace(messages(size.documents), IN_FLIGHT, |message| {
        let (context, acknowledged) = (&context, acknowledged.clone());
        async move {
            acknowledged.acquire().await?.forget();
            publish_one(context, "deliver", message).await
        }
    })
    .await?;
    let _all = acknowledged.acquire_many(IN_FLIGHT as u32).await?;
    receiving.abort();
    Ok((publish, deliver))
}

async fn stream(context: &Context, name: &str) -> anyhow::Result<jetstream::stream::Stream> {
    let config = Config {
        name: name.to_owned(),
        subjects: vec![name.to_owned()],
        storage: StorageType::File,
        ..Config::default()
    };
    Ok(context.create_stream(config).await?)
}

async fn publish_all(context: &Context, subject: &str, count: usize) -> anyhow::Result<f64> {
    pace(messages(count), IN_FLIGHT, |message| publish_one(context, subject, message)).await
}

async fn publish_one(context: &Context, subject: &str, message: Bytes) -> anyhow::Result<()> {
    context.publish(subject.to_owned(), message).await?.await?;
    Ok(())
}
