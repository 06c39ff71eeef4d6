//! Who holds how many connections, so that whoever holds too many loses some first.
//!
//! A source is an IPv4 address, or a /64 of IPv6, which is what one home or one machine gets. Its connections are a ring through
//! one table, in the order in which they came. Sources with more than one connection are crowds; crowds of the same size are a ring
//! of their own. A size changes by one at a time, so adding, removing and finding the largest crowd are constant work.

use slab::Slab;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A share is never smaller than this: a browser opens six connections, and several clients may stand behind one address.
pub const SHARE_MIN: usize = 8;

/// Connections of one source that are looked at to find the one that costs least to lose.
const LOOKS_MAX: usize = 64;

/// Sources for which there is room before their table grows.
const SOURCES_USUAL: usize = 10_000;

/// No crowd.
const NONE: u32 = u32::MAX;

/// An IPv4 address, or the first 64 bits of an IPv6 address. Of `::/32` only `::1` is a client's: it shares 0 with
/// 0.0.0.0, nobody's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(u64);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Source {
        match address {
            IpAddr::V4(address) => Source(u32::from(address).into()),
            IpAddr::V6(address) => Source((u128::from(address) >> 64) as u64),
        }
    }
}

/// The connections of one source.
#[derive(Clone, Copy, Debug)]
enum Holding {
    /// One: its slot. Most sources have no more, so that is all that they cost.
    One(u32),
    /// More: the number of the crowd.
    Crowd(u32),
}

/// The connections of a source that has more than one.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    source: Source,
    size: u32,
    /// Where its ring begins.
    first: u32,
    /// Its neighbours in the ring of the crowds of the same size.
    peers: Link,
}

/// Neighbours in a ring.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    previous: u32,
    next: u32,
}

/// The sources of all connections that have one.
#[derive(Debug)]
pub struct Sources {
    entries: HashMap<Source, Holding>,
    /// The rings of connections.
    links: Vec<Link>,
    crowds: Slab<Crowd>,
    /// For each size one of the crowds of that size, or [`NONE`]; as long as the largest crowd needs.
    sizes: Vec<u32>,
    /// Connections in all rings.
    total: usize,
}

impl Sources {
    /// No connections yet, and room for this many, though not for as many sources: an empty place in their table costs a byte.
    pub fn new(connections_max: usize) -> Sources {
        let entries = HashMap::with_capacity(connections_max.min(SOURCES_USUAL));
        Sources { entries, links: Vec::with_capacity(connections_max), crowds: Slab::new(), sizes: Vec::new(), total: 0 }
    }

    /// Adds a connection.
    pub fn add(&mut self, source: Source, slot: usize) {
        if slot >= self.links.len() {
            self.links.resize(slot + 1, Link::default());
        }
        self.total += 1;
        let slot = slot as u32;
        let crowd = match self.entries.entry(source) {
            Entry::Vacant(entry) => {
                self.links[slot as usize] = Link { previous: slot, next: slot };
                entry.insert(Holding::One(slot));
                return;
            }
            Entry::Occupied(mut entry) => match *entry.get() {
                Holding::Crowd(crowd) => crowd,
                Holding::One(first) => {
                    let peers = Link::default();
                    let crowd = self.crowds.insert(Crowd { source, size: 1, first, peers }) as u32;
                    entry.insert(Holding::Crowd(crowd));
                    crowd
                }
            },
        };
        let first = self.crowds[crowd as usize].first;
        let last = self.links[first as usize].previous;
        self.links[slot as usize] = Link { previous: last, next: first };
        self.links[last as usize].next = slot;
        self.links[first as usize].previous = slot;
        self.resize(crowd, 1);
    }

    /// Takes out a connection that was added for this source.
    pub fn remove(&mut self, source: Source, slot: usize) {
        let Some(&holding) = self.entries.get(&source) else { return };
        self.total -= 1;
        let Holding::Crowd(crowd) = holding else {
            self.entries.remove(&source);
            return;
        };
        let Link { previous, next } = self.links[slot];
        self.links[previous as usize].next = next;
        self.links[next as usize].previous = previous;
        self.resize(crowd, -1);
        let entry = &mut self.crowds[crowd as usize];
        if entry.first == slot as u32 {
            entry.first = next;
        }
        if entry.size == 1 {
            self.entries.insert(source, Holding::One(next));
            self.crowds.remove(crowd as usize);
        }
    }

    /// Moves a crowd to the ring of its new size; of size 1 there is none.
    fn resize(&mut self, crowd: u32, change: i32) {
        let size = self.crowds[crowd as usize].size;
        if size > 1 {
            let Link { previous, next } = self.crowds[crowd as usize].peers;
            self.crowds[previous as usize].peers.next = next;
            self.crowds[next as usize].peers.previous = previous;
            self.sizes[size as usize] = if next == crowd { NONE } else { next };
        }
        let size = size.saturating_add_signed(change);
        self.crowds[crowd as usize].size = size;
        if size > 1 {
            self.join(crowd, size as usize);
        }
        while self.sizes.last() == Some(&NONE) {
            self.sizes.pop();
        }
    }

    fn join(&mut self, crowd: u32, size: usize) {
        if size >= self.sizes.len() {
            self.sizes.resize(size + 1, NONE);
        }
        let first = std::mem::replace(&mut self.sizes[size], crowd);
        let peers = if first == NONE {
            Link { previous: crowd, next: crowd }
        } else {
            let last = std::mem::replace(&mut self.crowds[first as usize].peers.previous, crowd);
            self.crowds[last as usize].peers.next = crowd;
            Link { previous: last, next: first }
        };
        self.crowds[crowd as usize].peers = peers;
    }

    /// The source that holds most, if that is more than a fair share of the connections: as many as there are for each source, and
    /// no fewer than `least`, which is at least 1. Of several the one that has got there last.
    pub fn over_share(&self, least: usize) -> Option<Source> {
        let share = (self.total / self.entries.len().max(1)).max(least);
        let heaviest = self.crowds.get(*self.sizes.last()? as usize)?;
        (heaviest.size as usize > share).then_some(heaviest.source)
    }

    /// Connections of a source, at most [`LOOKS_MAX`] of them, in the order in which they came. If there are more, the next call
    /// begins with those that were left out.
    pub fn connections(&mut self, source: Source) -> impl Iterator<Item = usize> {
        let (first, looks) = match self.entries.get(&source) {
            None => (0, 0),
            Some(&Holding::One(slot)) => (slot, 1),
            Some(&Holding::Crowd(crowd)) => {
                let crowd = &mut self.crowds[crowd as usize];
                let (first, looks) = (crowd.first, LOOKS_MAX.min(crowd.size as usize));
                crowd.first = (0..looks).fold(first, |slot, _| self.links[slot as usize].next);
                (first, looks)
            }
        };
        std::iter::successors(Some(first), |&slot| Some(self.links[slot as usize].next)).map(|slot| slot as usize).take(looks)
    }
}

/// How many each source may have in all threads: connections (`--max-connections-per-client`), or questions. A lock, which is taken for
/// nothing else.
#[derive(Debug)]
pub struct PerClient {
    max: usize,
    counts: Mutex<HashMap<Source, usize>>,
}

impl PerClient {
    /// Nobody has any yet.
    pub fn new(max: usize) -> PerClient {
        PerClient { max, counts: Mutex::default() }
    }

    /// Counts one more connection; false, and nothing, where the source has as many as it may.
    pub fn enter(&self, source: Source) -> bool {
        let mut counts = self.counts();
        let count = counts.entry(source).or_default();
        let may_enter = *count < self.max;
        *count += usize::from(may_enter);
        may_enter
    }

    /// Counts one connection less.
    pub fn leave(&self, source: Source) {
        let mut counts = self.counts();
        if let Entry::Occupied(mut count) = counts.entry(source) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Source, usize>> {
        // Nothing panics while it holds the lock, and a panic ends the process.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_source_is_an_address_or_a_64() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1:2:3"));
        for (one, other) in [("203.0.113.9", "203.0.113.8"), ("2001:db8::1", "2001:db8:0:1::1"), ("0.0.0.1", "2001::1")] {
            assert_ne!(source(one), source(other));
        }
    }

    #[test]
    fn more_than_its_share_has_who_has_more_than_the_others_and_more_than_the_least() {
        let mut sources = Sources::new(100);
        let (many, few) = (source("203.0.113.9"), source("2001:db8::1"));
        for slot in 0..9 {
            sources.add(many, slot);
        }
        assert_eq!(sources.over_share(8), None, "alone it has a right to all");
        sources.add(few, 9);
        assert_eq!(sources.over_share(8), Some(many));
        sources.remove(many, 4);
        assert_eq!(sources.over_share(8), None);
        assert_eq!(sources.over_share(1), Some(many), "4 is the share of each");
        assert_eq!(sources.connections(many).collect::<Vec<_>>(), [0, 1, 2, 3, 5, 6, 7, 8]);
        (0..9).filter(|&slot| slot != 4).for_each(|slot| sources.remove(many, slot));
        assert_eq!((sources.over_share(1), sources.connections(many).count()), (None, 0));
        assert_eq!(sources.connections(few).collect::<Vec<_>>(), [9]);
    }

    #[test]
    fn one_that_was_second_is_found_when_the_first_is_gone() {
        let mut sources = Sources::new(100);
        for slot in 0..20 {
            sources.add(source("203.0.113.9"), slot);
            sources.add(source("203.0.113.8"), 20 + slot);
        }
        (0..20).for_each(|slot| sources.add(Source(1000 + slot as u64), 40 + slot));
        (0..20).for_each(|slot| sources.remove(source("203.0.113.8"), 20 + slot));
        assert_eq!(sources.over_share(8), Some(source("203.0.113.9")));
    }

    #[test]
    fn no_more_than_the_limit_enter() {
        let per_client = PerClient::new(2);
        let (one, other) = (source("203.0.113.9"), source("203.0.113.8"));
        assert_eq!([one, one, one, other].map(|source| per_client.enter(source)), [true, true, false, true]);
        per_client.leave(one);
        assert_eq!([one, one].map(|source| per_client.enter(source)), [true, false]);
        [one, one, other].into_iter().for_each(|source| per_client.leave(source));
        assert!(per_client.counts().is_empty());
    }

    #[test]
    fn of_many_connections_each_has_its_look() {
        let mut sources = Sources::new(100);
        let many = source("203.0.113.9");
        (0..3 * LOOKS_MAX).for_each(|slot| sources.add(many, slot));
        let seen: Vec<usize> = (0..3).flat_map(|_| sources.connections(many).collect::<Vec<_>>()).collect();
        assert_eq!(seen, (0..3 * LOOKS_MAX).collect::<Vec<_>>());
    }

    #[test]
    fn any_order_of_calls_leaves_the_same_rings_as_lists() {
        let mut sources = Sources::new(100);
        let mut naive: Vec<(usize, Source)> = Vec::new();
        let mut random = 1u64;
        for _ in 0..10_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (slot, source) = ((random >> 33) as usize % 50, Source(random >> 60));
            match naive.iter().position(|&(other, _)| other == slot) {
                Some(place) => sources.remove(naive.remove(place).1, slot),
                None => {
                    sources.add(source, slot);
                    naive.push((slot, source));
                }
            }
            let of = |source| naive.iter().filter(move |&&(_, other)| other == source).map(|&(slot, _)| slot);
            assert!(sources.connections(source).eq(of(source)));
            let most = naive.iter().map(|&(_, source)| of(source).count()).max().unwrap_or(0);
            let distinct = naive.iter().map(|&(_, source)| source).collect::<std::collections::HashSet<_>>().len();
            let over = sources.over_share(1).map(|source| of(source).count());
            let share = (naive.len() / distinct.max(1)).max(1);
            assert_eq!(over, (most > share).then_some(most), "the share is {share}");
        }
    }
}
