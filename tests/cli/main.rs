//! The command line as its users meet it: the real binary, real files, a real hub on loopback.

mod account;
mod backup;
mod bench;
mod case;
mod configuration;
mod draining;
mod exchange;
mod help;
mod node;
mod pki;
mod process;
mod reading;
mod sandbox;
mod sim;
mod statistics;
mod tracking;
mod trust;
