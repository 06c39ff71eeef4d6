//! The event loop of one thread.
//!
//! A turn: poll; take the time once; drive the connections that have events, then those that had more to do; end the waits that
//! are over; accept. Accepting comes last, so that no slot that was freed in this turn meets an event meant for its predecessor.

mod drain;

use super::connection::{Connection, Fate, Lent, Phase};
use super::deadlines::{Deadlines, Millis, NEVER, Wait};
use super::tally::Tallies;
use super::{Limits, Stopper, cpu};
use crate::exchange::{OUTPUT_MAX, Service, Waiting};
use crate::http::scan::HEAD_MAX;
use drain::Drain;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream, UnixStream};
use mio::{Events, Interest, Poll, Token};
use nix::time::{ClockId, clock_gettime};
use slab::Slab;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Connections accepted in one turn from one listener. With 1 accepting costs 4 % more; without a limit a flood of connections
/// starves those that are there.
const ACCEPTS_MAX: usize = 64;

/// Events taken at once.
const EVENTS_MAX: usize = 512;

/// How long accepting rests when there is no room and none can be made.
const ACCEPT_REST: Millis = 100;

/// The tokens of connections are their slots; those of the bell and of the listeners are greater.
const SLOT_MAX: usize = usize::MAX / 2;

const BELL: Token = Token(usize::MAX);

struct Listener {
    socket: TcpListener,
    /// Its connections begin with a PROXY header.
    proxy: bool,
    /// It may have connections for us that no new event will announce.
    is_ready: bool,
}

/// One thread's server.
pub struct Worker {
    poll: Poll,
    listeners: Vec<Listener>,
    connections: Slab<Connection>,
    connections_max: usize,
    deadlines: Deadlines,
    /// Connections that had more to do when their turn was over.
    ready: Vec<usize>,
    lent: Lent,
    limits: Limits,
    stopper: Stopper,
    /// Rings when something was ordered; kept, because closing it takes it out of the poll.
    _bell: UnixStream,
    drain: Option<Drain>,
    date_until: Millis,
    accept_after: Millis,
    tallies: Arc<Tallies>,
}

impl Worker {
    /// A worker with these listeners. With each listener: whether its connections begin with a PROXY header.
    ///
    /// # Errors
    /// The kernel gives no poll.
    pub fn new(
        sockets: Vec<(TcpListener, bool)>,
        service: Service,
        limits: Limits,
        connections_max: usize,
        stopper: Stopper,
        tallies: Arc<Tallies>,
    ) -> io::Result<Worker> {
        let poll = Poll::new()?;
        let mut bell = stopper.bell()?;
        poll.registry().register(&mut bell, BELL, Interest::READABLE)?;
        let mut listeners = Vec::new();
        for (index, (mut socket, proxy)) in sockets.into_iter().enumerate() {
            poll.registry().register(&mut socket, listener_token(index), Interest::READABLE)?;
            listeners.push(Listener { socket, proxy, is_ready: false });
        }
        Ok(Worker {
            poll,
            listeners,
            connections: Slab::new(),
            connections_max,
            deadlines: Deadlines::new(&limits),
            ready: Vec::new(),
            lent: Lent { service, input: vec![0; 2 * HEAD_MAX], output: Vec::with_capacity(OUTPUT_MAX), now: 0 },
            limits,
            stopper,
            _bell: bell,
            drain: None,
            date_until: 0,
            accept_after: 0,
            tallies,
        })
    }

    /// Has the kernel give the connections of all workers to them by CPU. To be called for the first one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn steer(&self, cpus: &[usize]) -> io::Result<()> {
        self.listeners.iter().try_for_each(|listener| cpu::steer(&listener.socket, cpus))
    }

    /// Serves until it is ordered to stop and has.
    ///
    /// # Errors
    /// The poll's.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.is_done() {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => self.tick(),
            }
            for event in &events {
                self.event(event);
            }
            self.go_on();
            self.expire();
            self.accept();
            self.advance_drain();
        }
        Ok(())
    }

    /// How long there is nothing to do but wait for events.
    fn timeout(&self) -> Option<Duration> {
        let mut due = self.deadlines.due();
        if !self.ready.is_empty() {
            due = self.lent.now;
        }
        if self.listeners.iter().any(|listener| listener.is_ready) {
            due = due.min(self.accept_after);
        }
        if let Some(drain) = &self.drain {
            due = due.min(drain.due());
        }
        (due != NEVER).then(|| Duration::from_millis(due.saturating_sub(self.lent.now)))
    }

    /// Takes the time for this turn, and in each new second the date.
    fn tick(&mut self) {
        self.lent.now = now();
        if self.lent.now < self.date_until {
            return;
        }
        let time = SystemTime::now();
        let passed = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_millis());
        self.date_until = self.lent.now + Millis::from(1000 - passed);
        let mut date = [b' '; 29];
        // It fits: an IMF-fixdate is 29 bytes.
        let _ = write!(&mut date[..], "{}", httpdate::HttpDate::from(time));
        self.lent.service.set_date(date);
    }

    fn event(&mut self, event: &Event) {
        match event.token() {
            Token(slot) if slot <= SLOT_MAX => self.drive(slot, event.is_read_closed()),
            token => self.rare_event(token),
        }
    }

    #[cold]
    fn rare_event(&mut self, token: Token) {
        if token == BELL {
            self.obey();
        } else if let Some(listener) = self.listeners.get_mut(listener_index(token)) {
            listener.is_ready = true;
        }
    }

    /// Drives those whose turn was over before they were done.
    fn go_on(&mut self) {
        let count = self.ready.len();
        for index in 0..count {
            let slot = self.ready[index];
            // The slot may have passed to another connection; driving one without need does no harm.
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.is_ready = false;
                self.drive(slot, true);
            }
        }
        self.ready.drain(..count);
    }

    /// The one entry for all that may happen to a connection.
    fn drive(&mut self, slot: usize, read_closed: bool) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let fate = connection.drive(&mut self.lent, read_closed);
        // Nearly always: it was answered, and waits for its next request as it did before.
        if fate == (Fate::Stays { progress: true }) && connection.is_idle() && connection.interest == Some(Interest::READABLE) {
            return self.deadlines.set(slot, Wait::Idle, self.lent.now);
        }
        self.settle(slot, fate);
    }

    /// Does what came of driving a connection: has epoll and the deadlines know what it waits for.
    fn settle(&mut self, slot: usize, fate: Fate) {
        let connection = &mut self.connections[slot];
        let progress = match fate {
            Fate::Stays { progress } => progress,
            Fate::Ready => {
                if !std::mem::replace(&mut connection.is_ready, true) {
                    self.ready.push(slot);
                }
                true
            }
            Fate::Aborts(fault) => {
                if let Some(count) = self.tallies.aborted.note(self.lent.now) {
                    log::warn!("connections closed for their PROXY header: {count}; the last one: {fault}");
                }
                return self.close(slot);
            }
            Fate::Closes => return self.close(slot),
        };
        let wanted = connection.wanted();
        let registry = self.poll.registry();
        let registered = match connection.interest {
            Some(interest) if interest == wanted => Ok(()),
            Some(_) => registry.reregister(&mut connection.stream, Token(slot), wanted),
            None => registry.register(&mut connection.stream, Token(slot), wanted),
        };
        if registered.is_err() {
            return self.close(slot);
        }
        connection.interest = Some(wanted);
        let current = self.deadlines.wait(slot);
        let wait = match (connection.phase, connection.waiting()) {
            _ if wanted == Interest::WRITABLE => Wait::Write,
            (Phase::Lingering, _) => Wait::Linger,
            // A new connection waits for its first head.
            (_, Waiting::Idle) if !progress && current.is_none() => Wait::Head,
            (_, Waiting::Idle) => Wait::Idle,
            (_, Waiting::Head) => Wait::Head,
            (_, Waiting::Content) => Wait::Content,
        };
        // Drips do not restart a wait; that for a first head begins when the connection is accepted.
        let goes_on = match current {
            _ if progress => false,
            Some(Wait::Head) => matches!(wait, Wait::Head | Wait::Idle),
            current => current == Some(wait),
        };
        if !goes_on {
            self.deadlines.set(slot, wait, self.lent.now);
        }
    }

    fn close(&mut self, slot: usize) {
        self.deadlines.clear(slot);
        // Dropping the socket closes it, which takes it out of epoll too.
        self.connections.remove(slot);
    }

    /// Ends the waits that are over.
    fn expire(&mut self) {
        while let Some(slot) = self.deadlines.expired(self.lent.now) {
            let is_silent = self.connections[slot].is_silent();
            match self.deadlines.wait(slot) {
                Some(Wait::Content) => self.dismiss(slot),
                Some(Wait::Head) if !is_silent => self.dismiss(slot),
                _ => self.close(slot),
            }
        }
    }

    /// Says what is still to be said to a connection, and no more.
    fn dismiss(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        match connection.expire(&mut self.lent) {
            Ok(()) => {
                self.deadlines.clear(slot);
                self.drive(slot, false);
            }
            Err(_) => self.close(slot),
        }
    }

    fn accept(&mut self) {
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_MAX {
                if !self.listeners[index].is_ready || !self.has_room() {
                    break;
                }
                self.accept_one(index);
            }
        }
    }

    fn accept_one(&mut self, index: usize) {
        let listener = &mut self.listeners[index];
        match listener.socket.accept() {
            Ok((stream, address)) => {
                let proxy = listener.proxy;
                self.open(stream, address, proxy);
            }
            Err(error) => match (error.kind(), error.raw_os_error()) {
                (io::ErrorKind::WouldBlock, _) => listener.is_ready = false,
                // Under edge triggering a full table is not announced again: the listener stays ready.
                (_, Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                    self.log_limit("descriptors or memory have run out");
                    if !self.make_room() {
                        self.accept_after = self.lent.now + ACCEPT_REST;
                    }
                }
                // The client has gone before it was accepted, and the like.
                _ => {}
            },
        }
    }

    fn open(&mut self, stream: TcpStream, address: SocketAddr, proxy: bool) {
        let mut connection = Connection::new(stream, self.lent.service.rule().peer(address), proxy);
        // The request is there already, more often than not, and the connection perhaps never needs a slot.
        let fate = connection.drive(&mut self.lent, false);
        if fate == Fate::Closes {
            return;
        }
        // Room is made when somebody is there who needs it, not before.
        if self.connections.len() >= self.connections_max {
            self.log_limit("all connections are in use");
            self.make_room();
        }
        let slot = self.connections.insert(connection);
        self.settle(slot, fate);
    }

    /// Whether there is room for one more connection, or some can be made; if not, accepting rests.
    fn has_room(&mut self) -> bool {
        if self.lent.now < self.accept_after {
            return false;
        }
        if self.connections.len() < self.connections_max || self.evictable().is_some() {
            return true;
        }
        self.log_limit("all connections are in use");
        self.accept_after = self.lent.now + ACCEPT_REST;
        false
    }

    /// A connection that was answered already, else one that was bidden farewell, else the one that has been idle longest, else the
    /// oldest unfinished head.
    fn evictable(&self) -> Option<usize> {
        [Wait::Linger, Wait::Farewell, Wait::Idle, Wait::Head].into_iter().find_map(|wait| self.deadlines.longest(wait))
    }

    /// Closes a connection, if there is one that may be closed.
    fn make_room(&mut self) -> bool {
        let evicted = self.evictable();
        if let Some(slot) = evicted {
            self.close(slot);
        }
        evicted.is_some()
    }

    fn log_limit(&mut self, limit: &str) {
        if let Some(count) = self.tallies.limited.note(self.lent.now) {
            let connections = self.connections.len();
            log::warn!("{limit} ({count} times; {connections} connections in this thread): closing those idle longest");
        }
    }
}

/// The time of the clock that nobody sets. Asked without `Instant`, whose care for broken clocks costs as much as the question.
fn now() -> Millis {
    // It does not fail: every kernel has this clock.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| 1000 * time.tv_sec() as Millis + time.tv_nsec() as Millis / 1_000_000)
}

fn listener_token(index: usize) -> Token {
    Token(BELL.0 - 1 - index)
}

fn listener_index(token: Token) -> usize {
    BELL.0 - 1 - token.0
}
