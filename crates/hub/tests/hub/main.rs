//! The hub through the wire: one binary, so that it is linked once.

mod access;
mod administration;
mod attachments;
mod audit;
mod backup;
mod bounds;
mod callers;
mod changes;
mod deadlines;
mod delivery;
mod draining;
mod evidence;
mod exchange;
mod fairness;
mod harness;
mod http;
mod lists;
mod metrics;
mod notices;
mod pages;
mod questions;
mod refusals;
mod revocation;
mod statistics;
mod statuses;
mod tracking;
