//! One thread's counters.

use super::lookups::{Lookup, LookupResult, Lookups};
use crate::exchange::Record;
use crate::http::Refusal;
use crate::resource::{Resource, ResponseHead};
use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering};

const RESOURCES: usize = Resource::ALL.len();
const HEADS: usize = ResponseHead::TEXTS.len();
const REFUSALS: usize = Refusal::ALL.len();

/// Two cache lines, because processors fetch them in pairs: no thread's counting slows another one down.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    /// Bytes that went out on clients' connections.
    pub(super) sent: Count,
    /// Bytes that came in on them.
    pub(super) received: Count,
    /// By what answered, and how.
    pub(super) answers: [[Count; HEADS]; RESOURCES],
    pub(super) refusals: [Count; REFUSALS],
    pub(super) accepted: [Count; Listener::ALL.len()],
    pub(super) closed: [[Count; Closed::ALL.len()]; Listener::ALL.len()],
    pub(super) limits: [Count; Limit::ALL.len()],
    pub(super) access_lines_dropped: Count,
    pub(super) lookups: [Lookups; Lookup::ALL.len()],
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            sent: Count::default(),
            received: Count::default(),
            answers: from_fn(|_| from_fn(|_| Count::default())),
            refusals: from_fn(|_| Count::default()),
            accepted: from_fn(|_| Count::default()),
            closed: from_fn(|_| from_fn(|_| Count::default())),
            limits: from_fn(|_| Count::default()),
            access_lines_dropped: Count::default(),
            lookups: from_fn(|_| Lookups::default()),
        }
    }
}

impl Counters {
    /// An answer was given.
    pub fn answered(&self, record: &Record<'_>) {
        self.answers[record.resource as usize][record.head as usize].add(1);
        // On the hot path the compiler knows that there is none.
        if let Some(refusal) = record.refusal {
            self.refused(record.resource, refusal);
        }
    }

    fn refused(&self, resource: Resource, refusal: Refusal) {
        if resource != Resource::Monitoring {
            self.refusals[refusal.index()].add(1);
        }
    }

    /// Bytes came in on a client's connection, or went out.
    pub fn moved(&self, received: usize, sent: usize) {
        self.received.add(received as u64);
        self.sent.add(sent as u64);
    }

    /// A client's connection was accepted.
    pub fn accepted(&self, listener: Listener) {
        self.accepted[listener as usize].add(1);
    }

    /// A client's connection was closed.
    pub fn closed(&self, listener: Listener, reason: Closed) {
        self.closed[listener as usize][reason as usize].add(1);
    }

    /// A limit was reached.
    pub fn limited(&self, limit: Limit) {
        self.limits[limit as usize].add(1);
    }

    /// Lines of the access log were not written.
    pub fn access_lines_dropped(&self, lines: u64) {
        self.access_lines_dropped.add(lines);
    }

    /// A look-up was asked for.
    pub fn asked(&self, lookup: Lookup) {
        self.lookups[lookup as usize].asked.add(1);
    }

    /// A look-up finished, this many milliseconds after it was asked for.
    pub fn finished(&self, lookup: Lookup, result: LookupResult, milliseconds: u64) {
        self.lookups[lookup as usize].finished(result, milliseconds);
    }

    /// The connections that are open. Right to a few where their thread is busy: it opens and closes others while this is added up.
    pub(super) fn open(&self, listener: Listener) -> u64 {
        let closed: u64 = self.closed[listener as usize].iter().map(Count::value).sum();
        self.accepted[listener as usize].value().saturating_sub(closed)
    }
}

/// A number that one thread counts up, and any thread may read.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// Not `fetch_add`, which locks the memory, and is for those who share a counter.
    pub(super) fn add(&self, number: u64) {
        self.0.store(self.value().wrapping_add(number), Ordering::Relaxed);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! labels {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $name:ident = $label:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind { $($(#[$doc])* $name,)* }

        impl $kind {
            /// All that there are, in the order of their declaration.
            pub const ALL: &[$kind] = &[$($kind::$name),*];

            /// As a label says it.
            pub fn label(self) -> &'static str {
                match self { $($kind::$name => $label,)* }
            }
        }
    };
}

pub(super) use labels;

labels! {
    /// What a client's connection came to.
    Listener {
        /// `--listen`
        Plain = "plain",
        /// `--listen-proxy`
        Proxy = "proxy",
    }
}

labels! {
    /// Why a connection was closed: the first reason that there was.
    Closed {
        /// The client closed it while nothing was owed to it.
        Client = "client",
        /// The last answer was given: the client, the protocol or a refusal wanted it so.
        Answered = "answered",
        /// No request came in `--idle-timeout`.
        Idle = "idle",
        /// No whole head came in `--head-timeout`.
        Head = "head",
        /// The client took nothing in `--write-timeout`.
        Write = "write",
        /// A request's content did not come in time.
        Content = "content",
        /// Its place was needed, or its client had too many.
        Evicted = "evicted",
        /// Its PROXY header was wrong, or its sender not trusted.
        ProxyHeader = "proxy_header",
        /// The socket's error: nearly always the client's reset.
        Error = "error",
        /// This server was stopping.
        Drained = "drained",
    }
}

labels! {
    /// The limit.
    Limit {
        /// `--max-connections`
        Connections = "connections",
        /// `--max-connections-per-client`
        ConnectionsPerClient = "connections_per_client",
        /// The kernel's descriptors or memory.
        Descriptors = "descriptors",
    }
}
