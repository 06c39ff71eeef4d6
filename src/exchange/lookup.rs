//! Answers that wait for a reply.

use super::Service;
use super::outcome::Next;
use super::record::Recorder;
use super::state::{Kept, State};
use crate::client::Peer;
use crate::http::request::Persistence;
use crate::resource::{Lookup, Reply};

impl<R: Recorder> Service<R> {
    /// Answers the state's [question](State::question) with its reply, and tells what is to be done then. To be called while one is
    /// open. `all_is_read`: nothing is left of what was read before it waited. `more`: something has arrived since; it counts only while
    /// [stopping](Service::is_draining).
    pub fn reply(
        &mut self,
        state: &mut State,
        peer: &Peer,
        (all_is_read, more): (bool, bool),
        reply: &Reply,
        output: &mut Vec<u8>,
    ) -> Next {
        let State::Waiting(asked) = std::mem::take(state) else { return Next::Read };
        let is_last = asked.linger || self.is_last(all_is_read && !more);
        let persistence = if is_last { Persistence::Close } else { asked.kept.persistence };
        self.answer_lookup(&asked.kept, &asked.lookup, peer, reply, persistence, output);
        match persistence {
            // Nothing was read while it waited, and there may be something.
            Persistence::Close => Next::Close { linger: true },
            _ if all_is_read => Next::Read,
            _ => Next::Again,
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
        self.body.clear();
        let head = lookup.answer(reply, &mut self.body);
        let record = kept.record(peer, head, self.body.len());
        self.writer.give_rare(output, &record, persistence, &self.body);
    }
}
