//! Who holds how many connections, so that whoever holds too many loses some first.
//!
//! A source is an IPv4 address, or a /64 of IPv6, which is what one home or one machine gets. Its connections are a ring through
//! one table, in the order in which they came; an entry for each source has their number and where the ring begins.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A share is never smaller than this: a browser opens six connections, and several clients may stand behind one address.
pub const SHARE_MIN: usize = 8;

/// Connections of one source that are looked at to find the one that costs least to lose.
const LOOKS_MAX: usize = 256;

/// After a search through all sources that found none over its share there is none until this part of them has been served.
const REST_PARTS: usize = 64;

/// An IPv4 address, or the first 64 bits of an IPv6 address. No client's address is in `::/32`, so the two don't meet.
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
struct Ring {
    count: u32,
    /// Where its ring begins.
    first: u32,
}

/// The neighbours of a connection in the ring of its source.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    previous: u32,
    next: u32,
}

/// The sources of all connections that have one.
#[derive(Debug, Default)]
pub struct Sources {
    entries: HashMap<Source, Ring>,
    links: Vec<Link>,
    /// Connections in all rings.
    total: usize,
    /// The source that reached the greatest number last, and how many it has now.
    heaviest: Option<(Source, u32)>,
    /// Questions for the heaviest that need no search.
    rest: usize,
}

impl Sources {
    /// Adds a connection.
    pub fn add(&mut self, source: Source, slot: usize) {
        if slot >= self.links.len() {
            self.links.resize(slot + 1, Link::default());
        }
        self.total += 1;
        let index = slot as u32;
        let entry = self.entries.entry(source).or_insert(Ring { count: 0, first: index });
        entry.count += 1;
        let Ring { count, first } = *entry;
        if self.heaviest.is_none_or(|(_, greatest)| count >= greatest) {
            self.heaviest = Some((source, count));
        }
        let last = if count == 1 { index } else { self.links[first as usize].previous };
        self.links[slot] = Link { previous: last, next: first };
        self.links[last as usize].next = index;
        self.links[first as usize].previous = index;
    }

    /// Takes out a connection that was added for this source.
    pub fn remove(&mut self, source: Source, slot: usize) {
        let Some(entry) = self.entries.get_mut(&source) else { return };
        let Link { previous, next } = self.links[slot];
        self.links[previous as usize].next = next;
        self.links[next as usize].previous = previous;
        self.total -= 1;
        entry.count -= 1;
        if entry.first == slot as u32 {
            entry.first = next;
        }
        let count = entry.count;
        if count == 0 {
            self.entries.remove(&source);
        }
        if let Some(heaviest) = self.heaviest.as_mut().filter(|(heaviest, _)| *heaviest == source) {
            heaviest.1 = count;
        }
    }

    /// A source that holds more than a fair share of the connections: as many as there are for each source, and no fewer than
    /// `least`. The one that grew largest last, else any.
    pub fn over_share(&mut self, least: usize) -> Option<Source> {
        let share = (self.total / self.entries.len().max(1)).max(least);
        let is_over = |count: u32| count as usize > share;
        if let Some((source, _)) = self.heaviest.filter(|&(_, count)| is_over(count)) {
            return Some(source);
        }
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        self.heaviest = self.entries.iter().map(|(&source, entry)| (source, entry.count)).max_by_key(|&(_, count)| count);
        let found = self.heaviest.filter(|&(_, count)| is_over(count)).map(|(source, _)| source);
        if found.is_none() {
            self.rest = self.entries.len() / REST_PARTS;
        }
        found
    }

    /// Connections of a source, at most [`LOOKS_MAX`] of them, in the order in which they came. If there are more, the next call
    /// begins with those that were left out.
    pub fn connections(&mut self, source: Source) -> impl Iterator<Item = usize> {
        let (first, count) = self.entries.get(&source).map_or((0, 0), |entry| (entry.first, entry.count as usize));
        let after = |slot: u32| self.links[slot as usize].next;
        let looks = count.min(LOOKS_MAX);
        let next = (0..looks).fold(first, |slot, _| after(slot));
        if let Some(entry) = self.entries.get_mut(&source).filter(|_| looks < count) {
            entry.first = next;
        }
        std::iter::successors(Some(first), |&slot| Some(self.links[slot as usize].next)).map(|slot| slot as usize).take(looks)
    }
}

/// How many connections each source may have in all threads, `--max-connections-per-client`. The one lock in this program: without
/// the option there is none.
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
        let mut sources = Sources::default();
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
        let mut sources = Sources::default();
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
        let mut sources = Sources::default();
        let many = source("203.0.113.9");
        (0..3 * LOOKS_MAX).for_each(|slot| sources.add(many, slot));
        let seen: Vec<usize> = (0..3).flat_map(|_| sources.connections(many).collect::<Vec<_>>()).collect();
        assert_eq!(seen, (0..3 * LOOKS_MAX).collect::<Vec<_>>());
    }

    #[test]
    fn any_order_of_calls_leaves_the_same_rings_as_lists() {
        let mut sources = Sources::default();
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
            let over = sources.over_share(0).map(|source| of(source).count());
            let share = naive.len() / distinct.max(1);
            assert_eq!(over.is_some(), most > share, "{over:?}: the share is {share}, the most {most}");
            assert!(over.is_none_or(|count| count > share));
        }
    }
}
