//! What comes of driving a connection: what epoll and the deadlines are told, and the end.

use super::Worker;
use crate::exchange::ProxyFault;
use crate::net::connection::{Connection, Outcome};
use crate::net::wait;
use crate::observe::metrics::Closed;
use mio::Token;
use std::io;

impl Worker {
    /// Acts on the outcome of driving a connection: registers what it waits for with epoll, and sets its deadline.
    pub(super) fn settle(&mut self, slot: usize, outcome: Outcome) {
        self.log_notice();
        let progress = match outcome {
            Outcome::Stays { progress } => progress,
            Outcome::Ready => {
                if !std::mem::replace(&mut self.connections[slot].is_ready, true) {
                    self.ready.push(slot);
                    self.has_more = true;
                }
                true
            }
            Outcome::Asks => {
                if !self.count(slot) {
                    return self.close_for(slot, Closed::Evicted);
                }
                if !self.ask(slot) {
                    return;
                }
                true
            }
            Outcome::Aborts(fault) => {
                self.log_abort(fault);
                return self.close_for(slot, Closed::ProxyHeader);
            }
            Outcome::Closes => return self.close(slot),
        };
        if self.register(slot).is_err() {
            return self.close_for(slot, Closed::Error);
        }
        if !self.count(slot) {
            return self.close_for(slot, Closed::Evicted);
        }
        let connection = &self.connections[slot];
        if let Some(wait) = wait::next(connection.activity(), self.deadlines.wait(slot), progress) {
            self.deadlines.set(slot, wait, self.shared.now);
        }
    }

    /// Tells epoll what a connection waits for.
    fn register(&mut self, slot: usize) -> io::Result<()> {
        let connection = &mut self.connections[slot];
        let wanted = connection.wanted();
        let registry = self.poll.registry();
        match connection.interest.replace(wanted) {
            Some(interest) if interest == wanted => Ok(()),
            Some(_) => registry.reregister(&mut connection.stream, Token(slot), wanted),
            None => registry.register(&mut connection.stream, Token(slot), wanted),
        }
    }

    /// Logs what a connection's first request, or a refused one, has shown.
    pub(super) fn log_notice(&mut self) {
        if let Some((notice, peer)) = self.shared.service.take_notice() {
            self.tallies.tell(notice, peer, self.shared.service.rule().field_name(), self.shared.now);
        }
    }

    pub(super) fn log_abort(&self, fault: ProxyFault) {
        if let Some(count) = self.tallies.aborted.note(self.shared.now) {
            log::warn!("connections closed for their PROXY header: {count}; the last one: {fault}");
        }
    }

    /// Closes a connection for this reason, unless its end had another one before.
    pub(super) fn close_for(&mut self, slot: usize, reason: Closed) {
        self.connections[slot].ends(reason);
        self.close(slot);
    }

    /// Closes a connection that has [ended](Connection::ends), or to which all was said.
    pub(super) fn close(&mut self, slot: usize) {
        self.deadlines.clear(slot);
        self.abandon(slot);
        // Dropping the socket closes it, which takes it out of epoll too.
        let connection = self.connections.remove(slot);
        self.count_closed(&connection);
        self.discount(&connection, slot);
    }

    /// Counts the end of a connection.
    pub(super) fn count_closed(&self, connection: &Connection) {
        let usual = if self.drain.is_some() { Closed::Drained } else { Closed::Answered };
        self.shared.count_closed(connection.kind, connection.closed.unwrap_or(usual));
    }
}
