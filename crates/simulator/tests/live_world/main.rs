//! The live world: scenarios, faults through a proxy, conformance, against a real hub over real TLS.

mod conformance;
mod ground;
mod node;
mod proxy;
mod scenarios;
