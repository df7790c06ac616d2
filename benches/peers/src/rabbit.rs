//! RabbitMQ: a quorum queue of one node, publisher confirms, consumer acknowledgements.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::server::{Server, free_port};
use crate::work::{Figure, Group, IN_FLIGHT, Size, messages, pace};

const PERSISTENT: u8 = 2;
/// How often it is asked whether the node takes connections.
const ASK_EVERY: std::time::Duration = std::time::Duration::from_millis(200);

pub async fn turn(folder: &Path, size: Size) -> anyhow::Result<Vec<Figure>> {
    let (port, dist, names) = (free_port()?, free_port()?, free_port()?);
    // Left to itself it starts its register of names as a daemon, which would stay.
    let mut register = Command::new("epmd");
    register.args(["-address", "127.0.0.1", "-port", &names.to_string()]);
    let register = Server::start(register, names, &folder.join("epmd.log")).await?;
    let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
    command
        .env("HOME", folder)
        .env("RABBITMQ_NODENAME", format!("peers{port}@localhost"))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", dist.to_string())
        .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_CONFIG_FILE", folder.join("none"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("no-plugins"))
        .env("ERL_EPMD_PORT", names.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1");
    let server = Server::start(command, port, &folder.join("rabbitmq.log")).await?;
    let measured = measure(port, size).await;
    server.stop().await;
    register.stop().await;
    let (publish, deliver) = measured?;
    Ok(vec![
        Figure {
            name: "RabbitMQ quorum queue, confirmed",
            promise: "synced · not verified · confirm",
            group: Group::Submit,
            per_second: publish,
        },
        Figure {
            name: "RabbitMQ, to the consumer's ack",
            promise: "synced · not verified · ack sent, not confirmed",
            group: Group::Deliver,
            per_second: deliver,
        },
    ])
}

async fn connect(port: u16) -> anyhow::Result<Connection> {
    let url = format!("amqp://127.0.0.1:{port}/%2f");
    let mut last = None;
    for _ in 0..100 {
        match Connection::connect(&url, ConnectionProperties::default()).await {
            Ok(connection) => return Ok(connection),
            // It listens before it takes anybody in.
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    Err(last.context("never tried")?.into())
}

async fn measure(port: u16, size: Size) -> anyhow::Result<(f64, f64)> {
    let connection = connect(port).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    queue(&channel, "publish").await?;
    publish_all(&channel, "publish", size.documents / 10).await?;
    let publish = publish_all(&channel, "publish", size.documents).await?;

    queue(&channel, "deliver").await?;
    let consuming = connect(port).await?;
    let inbox = consuming.create_channel().await?;
    inbox.basic_qos(IN_FLIGHT as u16, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer = inbox
        .basic_consume("deliver".into(), "peers".into(), options, FieldTable::default())
        .await?;
    // A place is free again when the consumer has acknowledged a message.
    let acknowledged = Arc::new(Semaphore::new(IN_FLIGHT));
    let free = acknowledged.clone();
    let receiving = tokio::spawn(async move {
        while let Some(delivery) = consumer.next().await {
            delivery?.ack(BasicAckOptions::default()).await?;
            free.add_permits(1);
        }
        anyhow::Ok(())
    });
    let deliver = pace(messages(size.documents), IN_FLIGHT, |message| {
        let (channel, acknowledged) = (&channel, acknowledged.clone());
        async move {
            acknowledged.acquire().await?.forget();
            publish_one(channel, "deliver", message).await
        }
    })
    .await?;
    let _all = acknowledged.acquire_many(IN_FLIGHT as u32).await?;
    receiving.abort();
    Ok((publish, deliver))
}

async fn queue(channel: &Channel, name: &str) -> anyhow::Result<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await?;
    Ok(())
}

async fn publish_all(channel: &Channel, queue: &str, count: usize) -> anyhow::Result<f64> {
    pace(messages(count), IN_FLIGHT, |message| publish_one(channel, queue, message)).await
}

async fn publish_one(channel: &Channel, queue: &str, message: Bytes) -> anyhow::Result<()> {
    let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    let options = BasicPublishOptions::default();
    let published = channel
        .basic_publish("".into(), queue.into(), options, &message, properties)
        .await?
        .await?;
    anyhow::ensure!(published.is_ack(), "not confirmed: {published:?}");
    Ok(())
}
