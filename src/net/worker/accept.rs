//! Accepting.

use super::Worker;
use super::room::Shortage;
use crate::net::connection::{Connection, Outcome};
use crate::net::deadlines::Millis;
use crate::net::listener::Listener;
use crate::net::{ListenerKind, listener};
use crate::observe::metrics::Closed;
use mio::net::TcpStream;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;

/// Connections accepted in one turn from one listener. With 1 accepting costs 4 % more; without a limit a flood of connections
/// starves those that are there.
const ACCEPTS_MAX: u32 = 64;

/// In milliseconds: how long accepting rests when something has run out and closing a connection has not helped, so that at most one
/// is closed to no purpose in this time; and how long a failing listener rests.
pub(super) const ACCEPT_REST: Millis = 100;

/// The client has gone before it was accepted, or its network has (accept(2)): the next one may well be there.
const GONE: [i32; 10] = [
    libc::ECONNABORTED,
    libc::EINTR,
    libc::ENETDOWN,
    libc::EPROTO,
    libc::ENOPROTOOPT,
    libc::EHOSTDOWN,
    libc::ENONET,
    libc::EHOSTUNREACH,
    libc::EOPNOTSUPP,
    libc::ENETUNREACH,
];

impl Worker {
    /// Accepts what waits in the queues of the listeners.
    pub(super) fn accept(&mut self) {
        for index in 0..self.listeners.len() {
            if !self.listeners[index].is_due(self.shared.now) {
                continue;
            }
            let mut accepted = 0;
            while accepted < ACCEPTS_MAX && self.admit().is_continue() && self.check_time().is_continue() {
                self.accept_one(index);
                if !self.listeners[index].is_due(self.shared.now) {
                    break;
                }
                accepted += 1;
            }
            // While stopping, whoever connects finds room, or would be reset when the listener closes.
            if self.drain.is_none() {
                self.listeners[index].adapt_backlog(accepted, self.shared.now);
            }
        }
    }

    pub(super) fn accept_one(&mut self, index: usize) {
        self.try_accept(index, true);
    }

    /// `may_evict`: a client may be closed for one that finds no descriptor.
    fn try_accept(&mut self, index: usize, may_evict: bool) {
        let listener = &mut self.listeners[index];
        match listener.socket.accept() {
            Ok((stream, address)) => {
                let kind = listener.kind;
                self.open(stream, address, kind);
            }
            Err(error) => self.accept_failed(index, &error, may_evict),
        }
    }

    pub(super) fn accept_failed(&mut self, index: usize, error: &io::Error, may_evict: bool) {
        match error.raw_os_error() {
            Some(libc::EAGAIN) => self.listeners[index].is_ready = false,
            Some(libc::EMFILE) => self.accept_short(index, Shortage::Descriptors, may_evict),
            Some(libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => self.accept_short(index, Shortage::Machine, false),
            Some(error) if GONE.contains(&error) => {}
            _ => self.accept_broken(index, error),
        }
    }

    /// Something has run out that accepting needs. One client is closed for one that waits, where that may help; where it has not,
    /// accepting rests. Under edge triggering nothing of this is announced again: the listener stays ready.
    fn accept_short(&mut self, index: usize, shortage: Shortage, may_evict: bool) {
        let listener = &mut self.listeners[index];
        // The kernel asks for a descriptor first, whether anybody waits or not.
        if !listener.has_waiting() {
            listener.is_ready = false;
            return;
        }
        self.log_shortage(shortage);
        if may_evict && self.make_room() {
            return self.try_accept(index, false);
        }
        self.listeners.iter_mut().for_each(Listener::forget_pace);
        self.accept_after = self.shared.now + ACCEPT_REST;
    }

    /// A listener fails in a way that may not pass, as one does that another process has shut down. Only this one rests.
    fn accept_broken(&mut self, index: usize, error: &io::Error) {
        let listener = &mut self.listeners[index];
        listener.rests_until = self.shared.now + ACCEPT_REST;
        if let Some(count) = self.tallies.not_accepted.note(self.shared.now) {
            let address = listener.socket.local_addr().map_or_else(|_| "an unknown address".to_owned(), |at| at.to_string());
            log::warn!("accepting fails ({count} times, the last at {address}: {error}): trying again every 100 ms");
        }
    }

    fn open(&mut self, stream: TcpStream, address: SocketAddr, kind: ListenerKind) {
        if self.ignores_new()
            && let Err(error) = listener::hear(&stream)
        {
            self.tallies.refused.tell("connections that were being made when this server stopped get no answer", &error);
        }
        let mut connection = Connection::new(stream, address, kind, self.shared.service.rule());
        self.shared.count_accepted(kind);
        // The request is there already, more often than not, and the connection perhaps never needs a slot.
        let outcome = connection.drive(&mut self.shared, false);
        self.log_notice();
        match outcome {
            Outcome::Closes => return self.count_closed(&connection),
            Outcome::Aborts(fault) => {
                connection.ends(Closed::ProxyHeader);
                self.count_closed(&connection);
                return self.log_abort(fault);
            }
            Outcome::Stays { .. } | Outcome::Ready | Outcome::Asks => {}
        }
        let slot = self.connections.insert(connection);
        self.settle(slot, outcome);
        // Room is made when somebody is there who needs it and may stay, not before.
        if self.connections.len() > self.connections_max {
            self.log_shortage(Shortage::Connections);
            if !self.make_room() {
                self.close_for(slot, Closed::Evicted);
            }
        }
    }

    /// Lets one more connection in where there is room, or some can be made; if not, accepting rests.
    pub(super) fn admit(&mut self) -> ControlFlow<()> {
        if self.shared.now < self.accept_after {
            return ControlFlow::Break(());
        }
        if self.connections.len() < self.connections_max || self.has_victim() {
            return ControlFlow::Continue(());
        }
        self.log_shortage(Shortage::Connections);
        self.accept_after = self.shared.now + 1;
        ControlFlow::Break(())
    }
}
