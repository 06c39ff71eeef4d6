//! Accepting.

use super::Worker;
use crate::net::connection::{Connection, Outcome};
use crate::net::deadlines::Millis;
use crate::net::{ListenerKind, listener};
use crate::observe::metrics::{Closed, Limit};
use mio::net::TcpStream;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;

/// Connections accepted in one turn from one listener. With 1 accepting costs 4 % more; without a limit a flood of connections
/// starves those that are there.
const ACCEPTS_MAX: usize = 64;

/// How long accepting rests when there is no room and none can be made.
const ACCEPT_REST: Millis = 100;

impl Worker {
    /// Accepts what waits in the queues of the listeners.
    pub(super) fn accept(&mut self) {
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_MAX {
                if !self.listeners[index].is_ready || self.admit().is_break() || self.check_time().is_break() {
                    break;
                }
                self.accept_one(index);
            }
        }
        self.may_accept = self.listeners.iter().any(|listener| listener.is_ready);
    }

    pub(super) fn accept_one(&mut self, index: usize) {
        let listener = &mut self.listeners[index];
        match listener.socket.accept() {
            Ok((stream, address)) => {
                let kind = listener.kind;
                self.open(stream, address, kind);
            }
            Err(error) => match (error.kind(), error.raw_os_error()) {
                (io::ErrorKind::WouldBlock, _) => listener.is_ready = false,
                // Under edge triggering a full table is not announced again: the listener stays ready.
                (_, Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                    self.log_limit(Limit::Descriptors);
                    if !self.make_room() {
                        self.accept_after = self.shared.now + ACCEPT_REST;
                    }
                }
                // The client has gone before it was accepted, and the like.
                _ => {}
            },
        }
    }

    fn open(&mut self, stream: TcpStream, address: SocketAddr, kind: ListenerKind) {
        if self.ignores_new()
            && let Err(error) = listener::hear(&stream)
        {
            self.tallies.refused.tell("connections that were being made when this server stopped are not heard", &error);
        }
        let mut connection = Connection::new(stream, address, kind, self.shared.service.rule());
        self.shared.count_accepted(kind);
        // The request is there already, more often than not, and the connection perhaps never needs a slot.
        let outcome = connection.drive(&mut self.shared, false);
        self.tell();
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
            self.log_limit(Limit::Connections);
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
        self.log_limit(Limit::Connections);
        self.accept_after = self.shared.now + 1;
        ControlFlow::Break(())
    }
}
