//! The core by its public functions: one binary, so that it is linked once.

mod administration;
mod attachments;
mod block;
mod changes;
mod deadlines;
mod delivery_model;
mod directory;
mod fan_out;
mod harness;
mod judgement;
mod lists;
mod log;
mod mailbox_bound;
mod mandates;
mod notices;
mod replay;
mod retention;
mod routing;
mod settling;
mod statistics;
mod statuses;
mod statuses_page;
mod trust;
