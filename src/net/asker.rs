//! Finds the replies to questions: asks a resolver over UDP, and tries to connect to ports, on the worker's own poll.

mod hostname;
mod query;
mod reach;
#[cfg(test)]
mod tests;

use super::deadlines::{Millis, NEVER};
use super::queries::{Asker, TOKEN_MIN, Ticket};
use crate::resource::{Question, Reply};
use hostname::Hostname;
use mio::{Registry, Token};
use reach::Reach;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;

/// What is under way for one question.
enum Search {
    Hostname(Hostname),
    Reach(Reach),
}

impl Search {
    /// Goes on with what has come and with the time that has passed; the reply when there is one.
    fn advance(&mut self, scene: &mut Scene<'_>) -> Option<Reply> {
        match self {
            Search::Hostname(hostname) => hostname.advance(scene),
            Search::Reach(reach) => reach.advance(scene.now),
        }
    }

    /// When it has something to do, whatever comes.
    fn due(&self) -> Millis {
        match self {
            Search::Hostname(hostname) => hostname.due(),
            Search::Reach(reach) => reach.due(),
        }
    }
}

/// What a search needs of its worker.
struct Scene<'a> {
    registry: &'a Registry,
    /// What its socket is registered with: it has one at a time.
    token: Token,
    ids: &'a mut Ids,
    now: Millis,
}

/// Numbers that nobody can foresee who does not know the key, which the kernel chose (SipHash, as of the tables of `std`).
struct Ids {
    key: RandomState,
    count: u64,
}

impl Ids {
    fn next(&mut self) -> u16 {
        self.count += 1;
        self.key.hash_one(self.count) as u16
    }
}

/// Asks the network for one worker.
pub struct NetAsker {
    /// Whom to ask for names; nobody where that is off.
    resolver: Option<SocketAddr>,
    ids: Ids,
    /// Each in the place of its ticket's index.
    searches: Vec<Option<(Ticket, Search)>>,
    /// The places of those whose socket is ready, or whose time has come.
    touched: Vec<usize>,
    replies: VecDeque<(Ticket, Reply)>,
    /// No search has anything to do before that, unless its socket is ready.
    due: Millis,
}

impl NetAsker {
    /// One that asks this resolver for names.
    pub fn new(resolver: Option<SocketAddr>) -> NetAsker {
        let ids = Ids { key: RandomState::new(), count: 0 };
        NetAsker { resolver, ids, searches: Vec::new(), touched: Vec::new(), replies: VecDeque::new(), due: NEVER }
    }

    fn advance(&mut self, place: usize, registry: &Registry, now: Millis) {
        let Some(Some((ticket, search))) = self.searches.get_mut(place) else { return };
        let mut scene = Scene { registry, token: token(place), ids: &mut self.ids, now };
        match search.advance(&mut scene) {
            None => self.due = self.due.min(search.due()),
            Some(reply) => {
                self.replies.push_back((*ticket, reply));
                self.searches[place] = None;
            }
        }
    }

    /// Finds those whose time has come.
    fn touch_due(&mut self, now: Millis) {
        self.due = NEVER;
        for (place, search) in self.searches.iter().enumerate() {
            match search.as_ref().map(|(_, search)| search.due()) {
                Some(due) if due <= now => self.touched.push(place),
                Some(due) => self.due = self.due.min(due),
                None => {}
            }
        }
    }
}

impl Asker for NetAsker {
    fn ask(&mut self, ticket: Ticket, question: Question, registry: &Registry, now: Millis) {
        let place = ticket.index();
        let mut scene = Scene { registry, token: token(place), ids: &mut self.ids, now };
        let search = match (question, self.resolver) {
            (Question::Hostname(address), Some(resolver)) => Hostname::begin(address, resolver, &mut scene).map(Search::Hostname),
            (Question::Hostname(_), None) => Err(Reply::Unknown),
            (Question::Port(address, port), _) => Reach::begin((address, port).into(), &scene).map(Search::Reach),
        };
        match search {
            Err(reply) => self.replies.push_back((ticket, reply)),
            Ok(search) => {
                self.due = self.due.min(search.due());
                if place >= self.searches.len() {
                    self.searches.resize_with(place + 1, || None);
                }
                self.searches[place] = Some((ticket, search));
            }
        }
    }

    fn cancel(&mut self, ticket: Ticket) {
        if let Some(search) = self.searches.get_mut(ticket.index())
            && search.as_ref().is_some_and(|(other, _)| *other == ticket)
        {
            *search = None;
        }
    }

    fn event(&mut self, token: Token) {
        // It may be meant for one that was here before: to look once more does no harm.
        self.touched.push(token.0 - TOKEN_MIN);
    }

    fn due(&self) -> Millis {
        if self.replies.is_empty() && self.touched.is_empty() { self.due } else { 0 }
    }

    fn take_reply(&mut self, registry: &Registry, now: Millis) -> Option<(Ticket, Reply)> {
        loop {
            if let Some(reply) = self.replies.pop_front() {
                return Some(reply);
            }
            match self.touched.pop() {
                Some(place) => self.advance(place, registry, now),
                None if self.due <= now => self.touch_due(now),
                None => return None,
            }
        }
    }
}

fn token(place: usize) -> Token {
    Token(TOKEN_MIN + place)
}
