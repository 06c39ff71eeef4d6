//! The access log: what is asked and the lines that it leaves, and what becomes of lines that nobody reads.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../fuzz/oracles/access_log.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod kept;
mod lines;
mod program;
mod properties;
