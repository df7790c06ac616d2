//! Redis Streams: `appendfsync always`, a consumer group, XACK.

use std::path::Path;
use std::sync::Arc;

use ::redis::aio::MultiplexedConnection;
use ::redis::streams::{StreamReadOptions, StreamReadReply};
use ::redis::{AsyncCommands as _, Client};
use bytes::Bytes;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::server::{Server, free_port};
use crate::work::{Figure, Group, IN_FLIGHT, Size, messages, pace};

pub async fn turn(folder: &Path, size: Size) -> anyhow::Result<Vec<Figure>> {
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(folder);
    let server = Server::start(command, port, &folder.join("redis.log")).await?;
    let measured = measure(port, size).await;
    server.stop().await;
    let (publish, deliver) = measured?;
    Ok(vec![
        Figure {
            name: "Redis stream, XADD",
            promise: "synced · not verified · id",
            group: Group::Submit,
            per_second: publish,
        },
        Figure {
            name: "Redis, to the group's XACK",
            promise: "synced · not verified · XACK synced",
            group: Group::Deliver,
            per_second: deliver,
        },
    ])
}

async fn measure(port: u16, size: Size) -> anyhow::Result<(f64, f64)> {
    let client = Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let connection = client.get_multiplexed_async_connection().await?;
    publish_all(&connection, "publish", size.documents / 10).await?;
    let publish = publish_all(&connection, "publish", size.documents).await?;

    let mut reading = client.get_multiplexed_async_connection().await?;
    let mut making = connection.clone();
    let _: () = making.xgroup_create_mkstream("deliver", "peers", "$").await?;
    let acknowledged = Arc::new(Semaphore::new(IN_FLIGHT));
    let free = acknowledged.clone();
    let receiving = tokio::spawn(async move {
        loop {
            let options =
                StreamReadOptions::default().group("peers", "one").count(IN_FLIGHT).block(1_000);
            let some: Option<StreamReadReply> =
                reading.xread_options(&["deliver"], &[">"], &options).await?;
            let keys = some.into_iter().flat_map(|reply| reply.keys);
            let ids: Vec<String> = keys.flat_map(|key| key.ids).map(|one| one.id).collect();
            if ids.is_empty() {
                continue;
            }
            let _: u64 = reading.xack("deliver", "peers", &ids).await?;
            free.add_permits(ids.len());
        }
        #[allow(unreachable_code, reason = "it names the error's type")]
        anyhow::Ok(())
    });
    let deliver = pace(messages(size.documents), IN_FLIGHT, |message| {
        let (connection, acknowledged) = (&connection, acknowledged.clone());
        async move {
            acknowledged.acquire().await?.forget();
            publish_one(connection, "deliver", message).await
        }
    })
    .await?;
    let _all = acknowledged.acquire_many(IN_FLIGHT as u32).await?;
    receiving.abort();
    Ok((publish, deliver))
}

async fn publish_all(
    connection: &MultiplexedConnection,
    stream: &str,
    count: usize,
) -> anyhow::Result<f64> {
    pace(messages(count), IN_FLIGHT, |message| publish_one(connection, stream, message)).await
}

async fn publish_one(
    connection: &MultiplexedConnection,
    stream: &str,
    message: Bytes,
) -> anyhow::Result<()> {
    let mut connection = connection.clone();
    let _: String = connection.xadd(stream, "*", &[("d", message.as_ref())]).await?;
    Ok(())
}
