//! Connections that wait for a reply.

use super::Worker;
use crate::net::connection::Outcome;
use crate::observe::metrics::Closed;
use crate::resource::Reply;

impl Worker {
    /// Asks what a connection's request is about, and has the connection wait; false where too much is being asked, and it was
    /// answered so.
    #[cold]
    pub(super) fn ask(&mut self, slot: usize) -> bool {
        let Worker { connections, queries, poll, shared, .. } = self;
        let connection = &mut connections[slot];
        let Some(question) = connection.question() else { return true };
        let ticket = queries.as_mut().and_then(|queries| queries.ask(slot, question, poll.registry(), shared.now));
        connection.set_ticket(ticket);
        if ticket.is_none() {
            self.reply(slot, &Reply::Busy);
        }
        ticket.is_some()
    }

    /// Gives the replies that have come to those that wait for them.
    pub(super) fn take_replies(&mut self) {
        while let Some(queries) = &mut self.queries {
            let Some((slot, ticket, reply)) = queries.next_reply(self.poll.registry(), self.shared.now) else { return };
            if self.connections.get(slot).is_some_and(|connection| connection.ticket() == Some(ticket)) {
                self.reply(slot, &reply);
            }
            if self.is_out_of_time() {
                return;
            }
        }
    }

    /// No reply has come in time.
    pub(super) fn give_up_asking(&mut self, slot: usize) {
        if let Some((queries, ticket)) = self.queries.as_mut().zip(self.connections[slot].ticket()) {
            queries.cancel(ticket);
        }
        self.reply(slot, &Reply::Unknown);
    }

    /// Nobody waits any more on this slot.
    pub(super) fn abandon(&mut self, slot: usize) {
        if let Some((queries, ticket)) = self.queries.as_mut().zip(self.connections[slot].ticket()) {
            queries.abandon(ticket);
        }
    }

    /// Answers a connection that waits. What it has asked after that has a turn of its own.
    fn reply(&mut self, slot: usize, reply: &Reply) {
        match self.connections[slot].reply(&mut self.shared, reply) {
            Ok(()) => self.settle(slot, Outcome::Ready),
            Err(_) => self.close_for(slot, Closed::Error),
        }
    }
}
