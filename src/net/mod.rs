//! Sockets, clock and threads; knows no fields and no routes.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

/// One address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where. `[::]` takes IPv4 too (dual stack).
    pub address: SocketAddr,
    /// Only a port was named: `[::]`, or `0.0.0.0` on a machine without IPv6.
    pub any: bool,
    /// Every connection begins with a PROXY protocol header.
    pub proxy: bool,
}

/// How long and how much; see `http.md`-like documentation in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of all threads together; each thread has an equal share. `None`: the descriptor limit less 64, at most 1,000,000.
    pub connections: Option<NonZeroUsize>,
    /// From the first byte of a request head to its last (for a new connection: from accept).
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// Without progress on a pending write.
    pub write: Duration,
    /// Accepting goes on for this long after a stop was asked for.
    pub drain_grace: Duration,
    /// From the request to stop to the exit, at the latest.
    pub drain_timeout: Duration,
}
