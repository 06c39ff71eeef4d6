//! What the connections of a worker share; lent to the one that is driven.

use super::ListenerKind;
use super::deadlines::Millis;
use super::queries::Asked;
use crate::client::{Peer, Role};
use crate::exchange::Service;
use crate::observe::Observers;
use crate::observe::metrics::{Closed, Counters, Lookup, LookupResult};
use crate::resource::Question;

/// Buffers, the time, and what answers.
pub struct Shared {
    /// Answers.
    pub service: Service<Option<Box<Observers>>>,
    /// Room for input: the longest head twice, so that one is nearly always read in one piece.
    pub input: Vec<u8>,
    /// Room for answers, as many as are ever made at once: a buffer that grew would move, and what it leaves behind on the heap would stay
    /// resident when all connections are gone.
    pub output: Vec<u8>,
    /// The time of this turn.
    pub now: Millis,
}

impl Shared {
    /// What this thread counts with; `None` where nothing is counted.
    pub fn counters(&self) -> Option<&Counters> {
        self.service.recorder().as_ref()?.metrics.as_ref().map(|metrics| &*metrics.counters)
    }

    /// Counts the bytes of a connection, if anybody does.
    pub fn count_bytes(&self, peer: &Peer, received: usize, sent: usize) {
        if let Some(counters) = self.counters()
            && peer.role != Role::Monitor
        {
            counters.moved(received, sent);
        }
    }

    /// Counts a connection that was accepted.
    pub fn count_accepted(&self, kind: ListenerKind) {
        if let (Some(counters), Some(listener)) = (self.counters(), kind.counted()) {
            counters.accepted(listener);
        }
    }

    /// Counts a connection that was closed.
    pub fn count_closed(&self, kind: ListenerKind, reason: Closed) {
        if let (Some(counters), Some(listener)) = (self.counters(), kind.counted()) {
            counters.closed(listener, reason);
        }
    }

    /// Counts a question.
    pub fn count_asked(&self, question: Question) {
        if let Some(counters) = self.counters() {
            counters.asked(lookup(question));
        }
    }

    /// Counts what came of one.
    pub fn count_result(&self, asked: Asked, result: LookupResult) {
        if let Some(counters) = self.counters() {
            counters.finished(lookup(asked.question), result, self.now.saturating_sub(asked.at));
        }
    }
}

fn lookup(question: Question) -> Lookup {
    match question {
        Question::Hostname(_) => Lookup::Hostname,
        Question::Port(..) => Lookup::Port,
    }
}
