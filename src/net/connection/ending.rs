//! The end of a connection: the final response, if one is owed.

use super::{Connection, Phase};
use crate::exchange::Next;
use crate::net::shared::Shared;
use crate::net::socket;
use crate::observe::metrics::Closed;
use std::io;

impl Connection {
    /// The client has sent its FIN: sends the final response, if one is owed.
    pub(super) fn end(&mut self, shared: &mut Shared) -> io::Result<()> {
        shared.output.clear();
        if let Some(active) = &mut self.active {
            shared.service.end(&mut active.state, &self.peer, &active.input, &mut shared.output);
        }
        if shared.output.is_empty() {
            self.ends(Closed::Client);
        }
        self.finish(shared, false)
    }

    /// What the connection waits for did not come in time: sends the final response, if one is owed. Where that needs a look-up, it
    /// waits for the reply, and is to be driven.
    ///
    /// # Errors
    /// The socket's.
    pub fn expire(&mut self, shared: &mut Shared) -> io::Result<()> {
        match self.final_response(shared) {
            Next::Wait => {
                self.phase = Phase::Waiting;
                Ok(())
            }
            _ => self.finish(shared, true),
        }
    }

    /// Sends the final response, if one is owed, and the FIN, and waits for nothing.
    ///
    /// # Errors
    /// The socket's.
    pub fn expire_at_once(&mut self, shared: &mut Shared) -> io::Result<()> {
        // The second time, it is the reply that has not come.
        while self.final_response(shared) == Next::Wait {}
        self.finish(shared, true)?;
        // MSG_MORE still holds back the end of it, and closing with unread input would drop that. The FIN takes it along.
        socket::finish_sending(&self.stream);
        Ok(())
    }

    fn final_response(&mut self, shared: &mut Shared) -> Next {
        shared.output.clear();
        match &mut self.active {
            Some(active) => shared.service.expire(&mut active.state, &self.peer, &active.input, &mut shared.output),
            None => Next::Close { linger: true },
        }
    }

    fn finish(&mut self, shared: &Shared, linger: bool) -> io::Result<()> {
        let output = &shared.output;
        self.phase = Phase::Flushing { linger };
        let sent = socket::send(&self.stream, output, true)?;
        shared.count_bytes(&self.peer, 0, sent);
        if self.active.is_some() || sent < output.len() {
            self.hold(Box::default(), &[], &output[sent..]);
        }
        Ok(())
    }
}
