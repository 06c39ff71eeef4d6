//! A connection that waits for a reply.

use super::{Connection, Outcome, phase};
use crate::exchange::Unread;
use crate::net::queries::Ticket;
use crate::net::shared::Shared;
use crate::net::socket;
use crate::resource::{Question, Reply};
use std::io;

impl Connection {
    /// A client that has reset the connection is gone. One that has sent its FIN may still be waiting for the answer.
    pub(super) fn await_reply(&self, progress: bool) -> io::Result<Outcome> {
        match self.stream.take_error()? {
            Some(error) => Err(error),
            None if self.ticket().is_none() => Ok(Outcome::Asks),
            None => Ok(Outcome::Stays { progress }),
        }
    }

    /// What is to be asked, or was.
    pub fn question(&self) -> Option<Question> {
        self.active.as_ref()?.state.question()
    }

    /// Of the question that was asked and is not answered.
    pub fn ticket(&self) -> Option<Ticket> {
        self.active.as_ref()?.ticket
    }

    /// Keeps the ticket of the question that was asked.
    pub fn set_ticket(&mut self, ticket: Option<Ticket>) {
        if let Some(active) = &mut self.active {
            active.ticket = ticket;
        }
    }

    /// Answers with the reply that it waited for. To be driven after that.
    ///
    /// # Errors
    /// The socket's.
    pub fn reply(&mut self, shared: &mut Shared, reply: &Reply) -> io::Result<()> {
        let Some(mut active) = self.active.take() else { return Ok(()) };
        active.ticket = None;
        shared.output.clear();
        let unread = match active.input.is_empty() {
            false => Unread::Kept,
            true if self.may_have_more(shared) => Unread::InSocket,
            true => Unread::Nothing,
        };
        let next = shared.service.reply(&mut active.state, &self.peer, unread, reply, &mut shared.output);
        self.phase = phase(next);
        let sent = socket::send(&self.stream, &shared.output, self.phase.is_last())?;
        shared.count_bytes(&self.peer, 0, sent);
        self.hold(active, &[], &shared.output[sent..]);
        Ok(())
    }
}
