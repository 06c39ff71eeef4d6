//! Connections that wait for a reply.

use super::Worker;
use crate::net::connection::Outcome;
use crate::net::queries::{Asked, Replied};
use crate::observe::metrics::{Closed, LookupResult};
use crate::resource::Reply;

impl Worker {
    /// Asks what a connection's request is about, and has the connection wait. False: it has no ticket, because too much is being asked or
    /// nothing is to be, and does not wait.
    pub(super) fn ask(&mut self, slot: usize) -> bool {
        let Worker { connections, queries, poll, shared, .. } = self;
        let connection = &mut connections[slot];
        let question = connection.question();
        let ticket = question.and_then(|question| queries.as_mut()?.ask(slot, question, poll.registry(), shared.now));
        connection.set_ticket(ticket);
        if let Some(question) = question {
            shared.count_asked(question);
            if ticket.is_none() {
                shared.count_result(Asked { question, at: shared.now }, LookupResult::Refused);
            }
        }
        if ticket.is_none() {
            self.reply(slot, &Reply::Busy);
        }
        ticket.is_some()
    }

    /// Gives the replies that have come to those that wait for them.
    pub(super) fn take_replies(&mut self) {
        while let Some(queries) = &mut self.queries {
            let Some(Replied { slot, ticket, asked, reply }) = queries.next_reply(self.poll.registry(), self.shared.now) else {
                return;
            };
            self.shared.count_result(asked, result(&reply));
            if self.connections.get(slot).is_some_and(|connection| connection.ticket() == Some(ticket)) {
                self.reply(slot, &reply);
            }
            if self.check_time().is_break() {
                return;
            }
        }
    }

    /// No reply has come in time.
    pub(super) fn give_up_asking(&mut self, slot: usize) {
        if let Some((queries, ticket)) = self.queries.as_mut().zip(self.connections[slot].ticket())
            && let Some(asked) = queries.cancel(ticket)
        {
            self.shared.count_result(asked, LookupResult::TimedOut);
        }
        self.reply(slot, &Reply::TimedOut);
    }

    /// Nobody waits any more on this slot.
    pub(super) fn abandon(&mut self, slot: usize) {
        if let Some((queries, ticket)) = self.queries.as_mut().zip(self.connections[slot].ticket())
            && let Some(asked) = queries.abandon(ticket)
        {
            self.shared.count_result(asked, LookupResult::Cancelled);
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

/// What a reply is counted as.
fn result(reply: &Reply) -> LookupResult {
    match reply {
        Reply::Hostname { is_confirmed: true, .. } | Reply::Port { .. } => LookupResult::Answered,
        // Anybody can claim a name.
        Reply::Hostname { is_confirmed: false, .. } | Reply::Unknown | Reply::NoRoute => LookupResult::Unknown,
        Reply::TimedOut => LookupResult::TimedOut,
        Reply::Busy => LookupResult::Refused,
    }
}
