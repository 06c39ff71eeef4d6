//! Questions that connections wait for: how many there may be, and whose a reply is.

use super::deadlines::Millis;
use super::sources::{PerClient, Source};
use crate::resource::{Question, Reply};
use mio::{Registry, Token};
use slab::Slab;
use std::sync::Arc;

/// The most questions under way in one thread. Each costs a descriptor for at most 2.5 seconds; a hundred a second is more than
/// people ask by hand.
pub const QUERIES_MAX: usize = 256;

/// The tokens that an asker may register its own sockets with begin here: those below are connections'.
pub const TOKEN_MIN: usize = usize::MAX / 2 + 1;

/// Identifies one question of one worker, also after its place has passed to another, so that a late reply belongs to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    index: u32,
    serial: u32,
}

impl Ticket {
    /// Less than [`QUERIES_MAX`], and of no other question while this one is under way.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// Finds replies. It belongs to one worker and never blocks it.
pub trait Asker: Send {
    /// Begins to find the reply to a question.
    fn ask(&mut self, ticket: Ticket, question: Question, registry: &Registry, now: Millis);

    /// Forgets a question whose time is up.
    fn cancel(&mut self, ticket: Ticket);

    /// One of its own sockets is ready: `token` is what it was registered with.
    fn event(&mut self, token: Token);

    /// When it wants to be asked for replies, whatever comes; [`NEVER`](super::deadlines::NEVER) if nothing is under way.
    fn due(&self) -> Millis;

    /// A reply that is there, as it must be when its time is up.
    fn take_reply(&mut self, registry: &Registry, now: Millis) -> Option<(Ticket, Reply)>;
}

/// A question, and since when it is under way.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What was asked.
    pub question: Question,
    /// When.
    pub at: Millis,
}

/// A reply that somebody waits for.
#[derive(Debug)]
pub struct Replied {
    /// On this slot.
    pub slot: usize,
    /// With this.
    pub ticket: Ticket,
    /// What it is the reply to.
    pub asked: Asked,
    /// What it is.
    pub reply: Reply,
}

/// A question under way.
struct Query {
    serial: u32,
    asked: Asked,
    /// Of the connection that waits; nothing when it has gone.
    slot: Option<usize>,
    source: Source,
}

/// The questions of one worker.
pub struct Queries {
    asker: Box<dyn Asker>,
    queries: Slab<Query>,
    /// One of each source, in all threads.
    sources: Arc<PerClient>,
    serial: u32,
}

impl Queries {
    /// No questions yet. `sources`: what each source asks in all threads.
    pub fn new(asker: Box<dyn Asker>, sources: Arc<PerClient>) -> Queries {
        Queries { asker, queries: Slab::new(), sources, serial: 0 }
    }

    /// Asks for a connection; `None` where too many questions are under way, or one of this source is.
    pub fn ask(&mut self, slot: usize, question: Question, registry: &Registry, now: Millis) -> Option<Ticket> {
        let source = Source::from(question.address());
        if self.queries.len() >= QUERIES_MAX || !self.sources.enter(source) {
            return None;
        }
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let ticket = Ticket {
            index: self.queries.insert(Query { serial, asked: Asked { question, at: now }, slot: Some(slot), source }) as u32,
            serial,
        };
        self.asker.ask(ticket, question, registry, now);
        Some(ticket)
    }

    /// Nobody waits for this reply any more; tells what was asked, the first time. The question goes on and keeps its place until then: or
    /// a client that resets its connection each time could have any number asked at once.
    pub fn abandon(&mut self, ticket: Ticket) -> Option<Asked> {
        let query = self.queries.get_mut(ticket.index()).filter(|query| query.serial == ticket.serial)?;
        query.slot.take().map(|_| query.asked)
    }

    /// Forgets a question whose time is up, and tells which; `None` if it was not under way.
    pub fn cancel(&mut self, ticket: Ticket) -> Option<Asked> {
        let query = self.take(ticket)?;
        self.asker.cancel(ticket);
        Some(query.asked)
    }

    /// One of the asker's own sockets is ready.
    pub fn event(&mut self, token: Token) {
        self.asker.event(token);
    }

    /// When there is something to do, whatever comes.
    pub fn due(&self) -> Millis {
        self.asker.due()
    }

    /// The next reply that somebody waits for.
    pub fn next_reply(&mut self, registry: &Registry, now: Millis) -> Option<Replied> {
        loop {
            let (ticket, reply) = self.asker.take_reply(registry, now)?;
            if let Some(Query { slot: Some(slot), asked, .. }) = self.take(ticket) {
                return Some(Replied { slot, ticket, asked, reply });
            }
        }
    }

    /// How many are under way.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    fn take(&mut self, ticket: Ticket) -> Option<Query> {
        let index = ticket.index as usize;
        if self.queries.get(index)?.serial != ticket.serial {
            return None;
        }
        let query = self.queries.remove(index);
        self.sources.leave(query.source);
        Some(query)
    }
}

impl Drop for Queries {
    /// What this thread asked is over when it ends; others may go on.
    fn drop(&mut self) {
        for query in self.queries.drain() {
            self.sources.leave(query.source);
        }
    }
}
