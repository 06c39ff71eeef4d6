//! Making room for new connections where there is none, so that one address cannot keep the others out.
//!
//! Whoever holds more than a fair share loses a connection first. Of several it is the one that costs least to lose: what was
//! answered already, what is idle, what is not finished and perhaps never will be; of equals the one that has waited longest.

use super::Worker;
use crate::net::connection::Connection;
use crate::net::deadlines::{Millis, Wait};
use crate::net::socket;
use crate::net::sources::{SHARE_MIN, Source};
use crate::observe::metrics::{Closed, Limit};

/// What costs least to lose comes first.
const ORDER: [Wait; 7] = [Wait::Linger, Wait::Farewell, Wait::Idle, Wait::Head, Wait::Content, Wait::Reply, Wait::Write];

/// In milliseconds. If no connection has waited this long, a flood is replacing all of them, from however many addresses. Then a fair
/// share has no minimum: otherwise clients that ask now and then would lose to those that never do.
const CALM: Millis = 5_000;

/// What has run out for all clients together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// As many connections as there may be.
    Connections,
    /// The process has no descriptor left; one that is closed is free at once.
    Descriptors,
    /// The machine has no file or no memory left, which closing a few connections of ours does not give back.
    Machine,
}

impl Worker {
    /// Closes a connection, if there is one that may be closed.
    pub(super) fn make_room(&mut self) -> bool {
        let Some(slot) = self.victim() else { return false };
        self.evict(slot);
        true
    }

    /// Ends a connection at once. If its answer is ready and only content is missing, that is sent; a client that waits for a look-up
    /// is told to try again.
    fn evict(&mut self, slot: usize) {
        self.abandon(slot);
        match self.deadlines.wait(slot) {
            Some(Wait::Write) if self.connections[slot].is_blocked() => return self.give_up(slot, Closed::Evicted),
            // It reads, and only waits for its turn: what was sent goes out, with what MSG_MORE holds back.
            Some(Wait::Write) => socket::finish_sending(&self.connections[slot].stream),
            // After an error there is nobody left to tell.
            Some(Wait::Content | Wait::Reply) => drop(self.connections[slot].expire_at_once(&mut self.shared)),
            _ => {}
        }
        self.close_for(slot, Closed::Evicted);
    }

    /// The connection to lose next.
    pub(super) fn victim(&mut self) -> Option<usize> {
        if let Some(source) = self.sources.over_share(SHARE_MIN) {
            return self.cheapest(source);
        }
        let longest = self.longest();
        let is_calm = longest.is_some_and(|slot| self.waited(slot) >= CALM);
        match self.sources.over_share(1).filter(|_| !is_calm) {
            Some(source) => self.cheapest(source),
            None => longest,
        }
    }

    /// Whether there is a [victim](Worker::victim).
    pub(super) fn has_victim(&self) -> bool {
        self.sources.over_share(1).is_some() || self.longest().is_some()
    }

    /// Of all connections the one that costs least to lose; none that has made progress in this turn, or in another one of the same
    /// millisecond.
    fn longest(&self) -> Option<usize> {
        ORDER.into_iter().filter_map(|wait| self.deadlines.longest(wait)).find(|&slot| self.waited(slot) > 0)
    }

    /// Of a source's connections the one that costs least to lose. One that has made progress in this turn if all have: else nobody
    /// would get in while one source keeps its many connections busy.
    fn cheapest(&mut self, source: Source) -> Option<usize> {
        let Worker { sources, deadlines, shared, .. } = self;
        let cost = |&slot: &usize| {
            let waited = deadlines.waited(slot, shared.now);
            let place = ORDER.iter().position(|&wait| deadlines.wait(slot) == Some(wait));
            (waited == 0, place, Millis::MAX - waited)
        };
        sources.connections(source).min_by_key(cost)
    }

    pub(super) fn waited(&self, slot: usize) -> Millis {
        self.deadlines.waited(slot, self.shared.now)
    }

    /// Counts a connection for its source, once that is known. False: it is one too many and is to be closed itself.
    pub(super) fn count(&mut self, slot: usize) -> bool {
        let connection = &self.connections[slot];
        if connection.is_counted || connection.is_unnamed() && connection.peer.is_trusted() {
            return true;
        }
        if let Some(source) = connection.source() {
            if !self.may_enter(source) {
                return false;
            }
            self.sources.add(source, slot);
        }
        self.connections[slot].is_counted = true;
        true
    }

    /// Takes a connection out of the count.
    pub(super) fn discount(&mut self, connection: &Connection, slot: usize) {
        if let Some(source) = connection.source().filter(|_| connection.is_counted) {
            self.sources.remove(source, slot);
            if let Some(per_client) = &self.per_client {
                per_client.leave(source);
            }
        }
    }

    /// Whether a source may have one more connection, if need be in place of its own that has been idle longest.
    fn may_enter(&mut self, source: Source) -> bool {
        let Some(per_client) = self.per_client.clone() else { return true };
        if per_client.enter(source) {
            return true;
        }
        self.count_limit(Limit::ConnectionsPerClient);
        let idle = |slot: &usize| self.deadlines.wait(*slot) == Some(Wait::Idle);
        let longest =
            self.sources.connections(source).filter(idle).max_by_key(|&slot| self.deadlines.waited(slot, self.shared.now));
        longest.is_some_and(|slot| {
            self.close_for(slot, Closed::Evicted);
            per_client.enter(source)
        })
    }

    /// Tells of a shortage, and what is done about it.
    pub(super) fn log_shortage(&mut self, shortage: Shortage) {
        const CLOSING: &str = "closing those that cost least to lose";
        let (limit, what, remedy) = match shortage {
            Shortage::Connections => (Limit::Connections, "all connections are in use", CLOSING),
            Shortage::Descriptors => (Limit::Descriptors, "descriptors have run out", CLOSING),
            Shortage::Machine => {
                (Limit::Descriptors, "this machine has no more files or memory", "new ones wait until there is more")
            }
        };
        self.count_limit(limit);
        if let Some(count) = self.tallies.limited.note(self.shared.now) {
            let connections = self.connections.len();
            log::warn!("{what} ({count} times; {connections} connections in this thread): {remedy}");
        }
    }

    fn count_limit(&self, limit: Limit) {
        if let Some(counters) = self.shared.counters() {
            counters.limited(limit);
        }
    }
}
