//! The access log.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../fuzz/oracles/access_log.rs"]
mod oracle;
mod properties;
