//! The event loop of one thread.
//!
//! A turn: poll; read the clock once; drive the connections that have events; pass on the replies that have come; drive the
//! connections that had more to do; end the waits that are over; accept. Accepting comes last, so that a slot freed in this turn
//! never gets an event meant for its predecessor.

mod accept;
mod access_log;
mod drain;
mod expire;
mod replies;
mod room;
mod settle;
mod supervised;
#[cfg(test)]
mod tests;
mod turn;

use super::clock::{self, Clock};
use super::connection::{Connection, Outcome};
use super::deadlines::{Deadlines, Millis, Wait};
use super::listener::Listener;
use super::queries::{self, Queries};
use super::shared::Shared;
use super::sources::{PerClient, Sources};
use super::tally::Tallies;
use super::{DatabaseFiles, Limits, ListenerKind, Order, Stopper, cpu};
use crate::exchange::{ANSWER_MAX, OUTPUT_MAX, Service};
use crate::http::scan::HEAD_MAX;
use crate::observe::Observers;
use drain::Drain;
use mio::event::Event;
use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::io;
use std::sync::Arc;
use supervised::Supervised;

/// Events taken at once.
const EVENTS_MAX: usize = 512;

/// The tokens of connections are their slots; those of the bell, of the timer, of the listeners and of look-ups are greater.
const SLOT_MAX: usize = queries::TOKEN_MIN - 1;

const BELL: Token = Token(usize::MAX);

/// The watchdog's timer.
const BEAT: Token = Token(BELL.0 - 1);

/// What all workers are given alike, or share.
#[derive(Clone)]
pub struct Common {
    /// How long and how much.
    pub limits: Limits,
    /// Connections of each worker.
    pub connections_max: usize,
    /// How many each source may have.
    pub per_client: Option<Arc<PerClient>>,
    /// What ends them.
    pub stopper: Stopper,
    /// What they count together.
    pub tallies: Arc<Tallies>,
    /// What addresses are looked up in.
    pub databases: Option<Arc<DatabaseFiles>>,
}

/// One thread's server.
pub struct Worker {
    poll: Poll,
    listeners: Vec<Listener>,
    connections: Slab<Connection>,
    connections_max: usize,
    deadlines: Deadlines,
    sources: Sources,
    per_client: Option<Arc<PerClient>>,
    /// What connections wait for; nothing where no look-up is on.
    queries: Option<Queries>,
    /// Connections that had more to do when their turn was over.
    ready: Vec<usize>,
    shared: Shared,
    limits: Limits,
    stopper: Stopper,
    clock: Clock,
    /// Becomes readable when something is ordered; kept open for as long as the poll has it.
    _bell: UnixStream,
    supervised: Option<Supervised>,
    drain: Option<Drain>,
    /// The order that `drain` carries out.
    handled: Option<Order>,
    date_until: Millis,
    accept_after: Millis,
    /// No look-up and no access log is on, and no stop is under way.
    is_plain: bool,
    /// This turn is more than events and deadlines: it isn't plain, or there are connections to accept or to go on with.
    has_more: bool,
    /// Polls in a row that had no room for all events, and the time before the first of them.
    full_polls: (usize, Millis),
    tallies: Arc<Tallies>,
    databases: Option<Arc<DatabaseFiles>>,
    /// The service has an access log. Here, so that metrics don't pay for looking.
    has_log: bool,
}

impl Worker {
    /// A worker with these listeners, those that are inherited last.
    ///
    /// # Errors
    /// The kernel gives no poll.
    pub fn new(
        mut listeners: Vec<Listener>,
        mut service: Service<Option<Box<Observers>>>,
        queries: Option<Queries>,
        common: Common,
    ) -> io::Result<Worker> {
        let Common { limits, connections_max, per_client, stopper, tallies, databases } = common;
        if let Some(databases) = &databases {
            service.set_databases(databases.databases());
        }
        let poll = Poll::new()?;
        let mut bell = stopper.bell()?;
        poll.registry().register(&mut bell, BELL, Interest::READABLE)?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(&mut listener.socket, listener_token(index), Interest::READABLE)?;
        }
        // One is let in before another is closed for it.
        let places = connections_max + 1;
        let has_log = service.recorder().as_ref().is_some_and(|observers| observers.access_log.is_some());
        Ok(Worker {
            is_plain: !has_log && queries.is_none(),
            has_more: has_log || queries.is_some(),
            full_polls: (0, 0),
            has_log,
            poll,
            listeners,
            // Room for all of them, of which the kernel gives what is used: a table that grows is copied, and leaves its old places on
            // the heap.
            connections: Slab::with_capacity(places),
            connections_max,
            deadlines: Deadlines::new(&limits, places),
            sources: Sources::new(places),
            per_client,
            queries,
            ready: Vec::new(),
            shared: Shared { service, input: vec![0; 2 * HEAD_MAX], output: Vec::with_capacity(OUTPUT_MAX + ANSWER_MAX), now: 0 },
            limits,
            stopper,
            clock: clock::monotonic,
            _bell: bell,
            supervised: None,
            drain: None,
            handled: None,
            date_until: 0,
            accept_after: 0,
            tallies,
            databases,
        })
    }

    /// Has the kernel hand each new connection to the worker on the CPU where it arrives, except those of inherited listeners. To be
    /// called for the first worker.
    ///
    /// # Errors
    /// The kernel's.
    pub fn steer(&self, cpus: &[usize]) -> io::Result<()> {
        // What is handed down is shared as it is, and what the first worker serves alone has nowhere else to go.
        let is_shared = |listener: &&Listener| !listener.is_inherited && listener.kind != ListenerKind::Metrics;
        let mut own = self.listeners.iter().filter(is_shared);
        own.try_for_each(|listener| cpu::steer(&listener.socket, cpus))
    }

    /// Serves until it is ordered to stop and has.
    ///
    /// # Errors
    /// The poll's.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.is_done() {
            let timeout = self.timeout();
            self.turn(&mut events, timeout)?;
        }
        self.close_log();
        Ok(())
    }

    fn event(&mut self, event: &Event) {
        match event.token() {
            Token(slot) if slot <= SLOT_MAX => self.drive(slot, event.is_read_closed()),
            token => self.rare_event(token),
        }
    }

    fn rare_event(&mut self, token: Token) {
        if token == BELL {
            self.tell_supervisor();
            self.handle_order();
            self.handle_reload();
        } else if token == BEAT {
            self.beat();
        } else if let Some(listener) = self.listeners.get_mut(listener_index(token)) {
            listener.is_ready = true;
            self.has_more = true;
        } else if let Some(queries) = &mut self.queries {
            queries.event(token);
        }
    }

    /// The bell has rung: begins to open the databases anew where that is ordered, and from now on uses those that were opened last.
    fn handle_reload(&mut self) {
        let supervisor = self.supervised.as_ref().map(Supervised::supervisor);
        if self.stopper.takes_reload() {
            // What a signal's handler puts into the bell, nobody else takes out.
            self.stopper.ring();
            match (&self.databases, supervisor) {
                (Some(databases), _) => databases.begin_reload(&self.stopper, supervisor.map(Arc::clone)),
                (None, Some(supervisor)) => supervisor.reloaded(supervisor.status()),
                (None, None) => {}
            }
        }
        if let Some(databases) = &self.databases {
            self.shared.service.set_databases(databases.databases());
        }
    }

    /// Drives those whose turn was over before they were done.
    fn go_on(&mut self) {
        // No more than events at once, so that the poll has its turn, and with it whoever watches this thread.
        let count = self.ready.len().min(EVENTS_MAX);
        for index in 0..count {
            let slot = self.ready[index];
            // The slot may have passed to another connection; driving one without need does no harm.
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.is_ready = false;
                self.drive(slot, true);
            }
            if self.check_time().is_break() {
                break;
            }
        }
        self.ready.drain(..count);
    }

    /// The one entry for all that may happen to a connection.
    #[inline(always)] // With the two of `Deadlines`, 34 instructions a request.
    fn drive(&mut self, slot: usize, read_closed: bool) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let outcome = connection.drive(&mut self.shared, read_closed);
        // Nearly always: it was answered, and waits for its next request as it did before.
        if outcome == (Outcome::Stays { progress: true })
            && connection.is_idle()
            && connection.interest == Some(Interest::READABLE)
            && connection.is_counted
            && !self.shared.service.has_notice()
        {
            return self.deadlines.set(slot, Wait::Idle, self.shared.now);
        }
        self.settle(slot, outcome);
    }
}

fn listener_token(index: usize) -> Token {
    Token(BEAT.0 - 1 - index)
}

fn listener_index(token: Token) -> usize {
    BEAT.0 - 1 - token.0
}
