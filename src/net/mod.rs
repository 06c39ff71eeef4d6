//! Sockets, clock and threads; knows no fields and no routes.
//!
//! Each worker is a thread with all that it needs of its own: listeners, poll, connections, deadlines, buffers, response heads.
//! What they share, most of it only where an option is on:
//!
//! - orders to stop and to reload, and the bell that announces them (`Stopper`);
//! - counts of what the log tells once a minute (`Tallies`), and of the lines that it lost (`LinesDropped`);
//! - how many connections each client has, and how many look-ups (`PerClient`, one for each of the two);
//! - counters, which one thread writes and the first one reads for a scrape (`Metrics`);
//! - where the lines of both logs go (`Output`);
//! - the databases, which nobody changes, and their files, which are opened anew (`DatabaseFiles`);
//! - the watchdog's round (`Supervisor`);
//! - listeners that were handed down, each with one queue for all (`inherited`).

mod asker;
mod backlog;
mod clock;
mod connection;
mod cpu;
mod databases;
mod deadlines;
mod inherited;
mod listener;
mod queries;
mod server;
mod shared;
mod socket;
mod sources;
mod stopper;
mod supervisor;
mod tally;
mod wait;
mod worker;

pub use databases::{DatabaseFiles, FileError};
pub use inherited::Role;
pub use listener::DEFAULT_PORT;
pub use server::Server;
pub use stopper::{Order, Stopper};
pub use supervisor::Supervision;

use crate::client::Rule;
use crate::observe::access_log;
use crate::observe::metrics::{self, LinesDropped};
use crate::resource::Site;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// One address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where. `[::]` takes IPv4 too (dual stack). With port 0 the kernel chooses one.
    pub address: SocketAddr,
    /// Only a port was named: `[::]`, or `0.0.0.0` on a machine without IPv6.
    pub any: bool,
    /// What comes to it.
    pub kind: ListenerKind,
}

/// What comes to a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListenerKind {
    /// Clients, or proxies that send their requests on.
    #[default]
    Plain,
    /// Proxies whose every connection begins with a PROXY protocol header.
    Proxy,
    /// Whoever monitors this server. The first thread alone serves it, and what is asked there is not counted.
    Metrics,
}

impl ListenerKind {
    /// The option that names one.
    pub fn option(self) -> &'static str {
        match self {
            ListenerKind::Plain => "--listen",
            ListenerKind::Proxy => "--listen-proxy",
            ListenerKind::Metrics => "--listen-metrics",
        }
    }

    /// What counters call it; `None` where nothing is counted.
    fn counted(self) -> Option<metrics::Listener> {
        match self {
            ListenerKind::Plain => Some(metrics::Listener::Plain),
            ListenerKind::Proxy => Some(metrics::Listener::Proxy),
            ListenerKind::Metrics => None,
        }
    }
}

/// How many workers there are, each with a thread of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// This many. The kernel decides where they run, and spreads the connections over them.
    Spread(NonZeroUsize),
    /// One on each CPU that this process may use, which serves what arrives on that CPU.
    Pinned,
}

impl Threads {
    /// How many that is; 1 where the kernel does not tell.
    pub fn count(self) -> NonZeroUsize {
        match self {
            Threads::Spread(count) => count,
            Threads::Pinned => cpu::usable().ok().and_then(|cpus| NonZeroUsize::new(cpus.len())).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// How long and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of all threads together; each thread has an equal share. `None`: what the descriptor limit leaves after
    /// the server's own descriptors, at most 1,000,000.
    pub connections: Option<NonZeroUsize>,
    /// Connections that one client may have: one IPv4 address, or one /64 of IPv6. `None`: as many as there is room for.
    pub connections_per_client: Option<NonZeroUsize>,
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

/// Longer than the 60 s of the common balancers: whoever closes an idle connection first may do so while a request is on its
/// way, and the balancer knows that it has sent one.
const IDLE: Duration = Duration::from_secs(75);

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: None,
            connections_per_client: None,
            head: Duration::from_secs(10),
            idle: IDLE,
            write: Duration::from_secs(30),
            drain_grace: Duration::from_secs(3),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// All that a server is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listeners: Vec<Listen>,
    /// What the listeners are for that are handed down to this process, in their order; the environment is as sd_listen_fds(3)
    /// tells then.
    pub inherited: Vec<Role>,
    /// Whom to tell how it fares; `None`: nobody.
    pub supervision: Option<Supervision>,
    /// How many workers.
    pub threads: Threads,
    /// How long and how much.
    pub limits: Limits,
    /// Who is believed.
    pub rule: Rule,
    /// What the answers say of this site.
    pub site: Site,
    /// What addresses are looked up in.
    pub databases: Option<Arc<DatabaseFiles>>,
    /// The resolver that is asked for the names of addresses, where [`Site::reverse_dns`] is on.
    pub resolver: Option<SocketAddr>,
    /// The access log, if there is one.
    pub access_log: Option<access_log::Settings>,
    /// The lines that the log lost; whoever writes it counts them.
    pub log_lines_dropped: LinesDropped,
}

/// Why there is no server.
#[derive(Debug)]
pub enum BindError {
    /// Another program listens there.
    Taken(SocketAddr),
    /// The kernel's answer to the address.
    Other {
        /// Where it should have been.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The descriptor of this number was handed down as a listener and is none.
    Inherited(i32),
    /// Listeners with this address were handed down with different names.
    Roles(SocketAddr),
    /// Threads may not be bound to CPUs.
    Pinning(io::Error),
    /// The kernel gave no poll, or no thread.
    Resources(io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BindError::Taken(address) => write!(formatter, "{address} is taken"),
            BindError::Other { address, source } => write!(formatter, "cannot listen on {address}: {source}"),
            BindError::Inherited(descriptor) => {
                write!(formatter, "LISTEN_FDS: descriptor {descriptor} is not a TCP listener: leave it out of the socket unit")
            }
            BindError::Roles(address) => {
                write!(
                    formatter,
                    "LISTEN_FDNAMES: the listeners at {address} have different names: give each name an address of its own"
                )
            }
            BindError::Pinning(source) => {
                write!(
                    formatter,
                    "--threads pinned: cannot bind a thread to its CPU: {source}: allow sched_setaffinity, or leave that option out"
                )
            }
            BindError::Resources(source) => write!(formatter, "cannot start: {source}"),
        }
    }
}

impl std::error::Error for BindError {}
