//! When something must have happened on each connection, and which connection waits longest.
//!
//! All waits of one kind are equally long, so that a queue in the order of their beginnings is a timer: setting, clearing and
//! the next to expire are constant work. The queues are lists through one table that is indexed by connection.

use super::Limits;
use std::time::Duration;

/// Milliseconds on the clock that nobody sets (CLOCK_MONOTONIC).
pub type Millis = u64;

/// What a connection is given time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing is under way.
    Idle,
    /// The rest of a head, or the first one of a connection.
    Head,
    /// The rest of content.
    Content,
    /// A reader who does not read.
    Write,
    /// What the client still sends after the last answer.
    Linger,
    /// A request that may have met the FIN of a connection on which nothing was under way.
    Farewell,
}

const KINDS: usize = 6;

/// Content that nobody wants is waited for this long.
pub const CONTENT_TIMEOUT: Duration = Duration::from_secs(2);
/// As long as a client may take to notice that it was answered and closed.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// The round trip after which a client's requests come from one that has seen our FIN; half the world away at most.
pub const FAREWELL_TIMEOUT: Duration = Duration::from_millis(250);

const NONE: u32 = u32::MAX;

/// Later than any time.
pub const NEVER: Millis = Millis::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    since: Millis,
    previous: u32,
    next: u32,
    wait: Option<Wait>,
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    first: u32,
    last: u32,
    timeout: Millis,
}

/// One deadline at most for each connection.
#[derive(Debug)]
pub struct Deadlines {
    links: Vec<Link>,
    queues: [Queue; KINDS],
    /// No wait is over before this. Waits that were ended in the meantime may have made it too early, which costs one look.
    due: Millis,
}

impl Deadlines {
    /// No connections yet.
    pub fn new(limits: &Limits) -> Deadlines {
        let timeouts = [limits.idle, limits.head, CONTENT_TIMEOUT, limits.write, LINGER_TIMEOUT, FAREWELL_TIMEOUT];
        Deadlines {
            links: Vec::new(),
            queues: timeouts.map(|timeout| Queue { first: NONE, last: NONE, timeout: millis(timeout) }),
            due: NEVER,
        }
    }

    /// Begins a wait at `now`, in place of the one that there was. `now` must not go backwards.
    pub fn set(&mut self, slot: usize, wait: Wait, now: Millis) {
        self.clear(slot);
        if slot >= self.links.len() {
            self.grow(slot + 1);
        }
        let index = narrow(slot);
        let queue = &mut self.queues[wait as usize];
        self.due = self.due.min(now + queue.timeout);
        let previous = std::mem::replace(&mut queue.last, index);
        match self.links.get_mut(previous as usize) {
            Some(link) => link.next = index,
            None => queue.first = index,
        }
        self.links[slot] = Link { since: now, previous, next: NONE, wait: Some(wait) };
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        self.links.resize(length, Link { since: 0, previous: NONE, next: NONE, wait: None });
    }

    /// Ends the wait of a connection, if there is one.
    pub fn clear(&mut self, slot: usize) {
        let Some(link) = self.links.get_mut(slot) else { return };
        let Some(wait) = link.wait.take() else { return };
        let Link { previous, next, .. } = *link;
        let queue = &mut self.queues[wait as usize];
        match self.links.get_mut(previous as usize) {
            Some(link) => link.next = next,
            None => queue.first = next,
        }
        match self.links.get_mut(next as usize) {
            Some(link) => link.previous = previous,
            None => queue.last = previous,
        }
    }

    /// What a connection waits for.
    pub fn wait(&self, slot: usize) -> Option<Wait> {
        self.links.get(slot)?.wait
    }

    /// The connection that has waited longest for this.
    pub fn longest(&self, wait: Wait) -> Option<usize> {
        let first = self.queues[wait as usize].first;
        (first != NONE).then_some(first as usize)
    }

    /// When to look for [expired](Deadlines::expired) waits again; [`NEVER`] where there are none.
    pub fn due(&self) -> Millis {
        self.due
    }

    /// A connection whose wait is over.
    pub fn expired(&mut self, now: Millis) -> Option<usize> {
        if now < self.due {
            return None;
        }
        let over = |queue: &Queue| self.links.get(queue.first as usize).map(|link| (link.since + queue.timeout, queue.first));
        let (due, first) = self.queues.iter().filter_map(over).min().unwrap_or((NEVER, NONE));
        self.due = due;
        (due <= now).then_some(first as usize)
    }
}

/// A duration in milliseconds, rounded up, so that nothing ends too early.
pub fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(Millis::MAX / 2)
}

fn narrow(slot: usize) -> u32 {
    u32::try_from(slot).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadlines() -> Deadlines {
        let second = Duration::from_secs(1);
        Deadlines::new(&Limits { head: 10 * second, idle: 60 * second, write: 30 * second, ..Limits::default() })
    }

    #[test]
    fn the_longest_wait_is_first_and_setting_again_goes_to_the_end() {
        let mut deadlines = deadlines();
        for slot in 0..3 {
            deadlines.set(slot, Wait::Idle, slot as u64);
        }
        deadlines.set(0, Wait::Idle, 5);
        assert_eq!(deadlines.longest(Wait::Idle), Some(1));
        assert_eq!((deadlines.due(), deadlines.expired(60_000), deadlines.due()), (60_000, None, 60_001));
        deadlines.clear(1);
        deadlines.clear(1);
        assert_eq!(deadlines.longest(Wait::Idle), Some(2));
        deadlines.set(2, Wait::Head, 6);
        assert_eq!((deadlines.longest(Wait::Idle), deadlines.longest(Wait::Head)), (Some(0), Some(2)));
        assert_eq!(deadlines.due(), 10_006);
        assert_eq!((deadlines.expired(10_005), deadlines.expired(10_006)), (None, Some(2)));
        assert_eq!((deadlines.wait(0), deadlines.wait(1), deadlines.wait(9)), (Some(Wait::Idle), None, None));
    }

    #[test]
    fn any_order_of_calls_leaves_the_same_queues_as_a_sorted_list() {
        let mut deadlines = deadlines();
        let mut naive: Vec<(usize, u64)> = Vec::new();
        let mut random = 1u64;
        for now in 0..10_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = (random >> 33) as usize % 50;
            naive.retain(|&(other, _)| other != slot);
            if random >> 60 < 5 {
                deadlines.clear(slot);
            } else {
                deadlines.set(slot, Wait::Idle, now);
                naive.push((slot, now));
            }
            assert_eq!(deadlines.longest(Wait::Idle), naive.first().map(|first| first.0));
            assert!(naive.first().is_none_or(|first| deadlines.due() <= first.1 + 60_000));
        }
    }
}
