//! The client against a scripted hub over real TLS.

mod fake;
mod receiving;
mod streams;
mod submitting;
mod tls;
