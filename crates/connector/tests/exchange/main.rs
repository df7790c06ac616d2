//! A connector against a real hub over real TLS: folders, HTTP, webhook, doctor.

#[path = "../../../hub/tests/hub/harness/mod.rs"]
mod harness;

mod client;
mod doctor;
mod gateway;
mod http;
mod receiving;
mod sending;
mod stage;
mod statuses;
mod webhook;
