//! The client against a scripted hub over real TLS.

mod fake;
mod hostile;
mod receiving;
mod streams;
mod submitting;
mod tls;
