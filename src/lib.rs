//! swagip: a fast and honest "what is my IP" server.
//!
//! The modules, in the order of their dependencies; each may name only those above it. Bytes become bytes in the pure half
//! (`swar`, `http`, `client`, `mmdb`, `resource`, `exchange`, and `dns` beside them: no sockets, no clock, no threads); `observe` counts
//! what it answers, and `net` is the thin shell around it.
//!
//! ```text
//! swar → http → client → mmdb → resource → exchange → dns ‖ observe → net → config → main
//! ```

#![deny(unsafe_code)]

mod swar;

pub mod http;

pub mod client;

pub mod mmdb;

pub mod resource;

pub mod exchange;

pub mod dns;

pub mod observe;

pub mod net;

pub mod config;
