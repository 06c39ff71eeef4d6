//! Answers that wait for a reply.

use super::Service;
use super::outcome::{Next, Unread};
use super::record::Recorder;
use super::state::{Kept, State};
use crate::client::Peer;
use crate::http::request::Persistence;
use crate::resource::{Lookup, Reply};

impl<R: Recorder> Service<R> {
    /// Answers the state's [question](State::question) with its reply, and says what is to be done then. To be called only while one is
    /// open.
    pub fn reply(&mut self, state: &mut State, peer: &Peer, unread: Unread, reply: &Reply, output: &mut Vec<u8>) -> Next {
        let State::Waiting(asked) = std::mem::take(state) else { return Next::Read };
        let is_last = asked.linger || (self.draining && unread == Unread::Nothing);
        let persistence = if is_last { Persistence::Close } else { asked.kept.persistence };
        self.answer_lookup(&asked.kept, &asked.lookup, peer, reply, persistence, output);
        match persistence {
            // Nothing was read while it waited, and there may be something.
            Persistence::Close => Next::Close { linger: true },
            _ if unread == Unread::Kept => Next::Again,
            _ => Next::Read,
        }
    }

    /// Gives an answer that has waited for a reply.
    pub(super) fn answer_lookup(
        &mut self,
        kept: &Kept,
        lookup: &Lookup,
        peer: &Peer,
        reply: &Reply,
        persistence: Persistence,
        output: &mut Vec<u8>,
    ) {
        self.content.clear();
        let head = lookup.answer(reply, &mut self.content);
        let record = kept.record(peer, head, self.content.len());
        self.writer.give_rare(output, &record, persistence, &self.content);
    }
}
