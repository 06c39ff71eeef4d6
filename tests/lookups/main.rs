//! Databases of places and networks: what is asked of them, what they answer, and what is done where they are wrong.
#![allow(clippy::unwrap_used)]

#[path = "../support/mmdb.rs"]
mod mmdb;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod database;
mod oracle;
mod program;
