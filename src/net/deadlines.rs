//! When something must have happened on each connection, and which connection waits longest.
//!
//! All waits of one kind are equally long, so that a queue in the order of their beginnings is a timer: setting, clearing and
//! the next to expire are constant work. The queues are rings through one table, which has an entry for each queue, where its
//! ring begins and ends, and after those one for each connection. An entry in no queue is a ring of its own: so there is no
//! first, no last and no missing neighbour to ask for.

use super::Limits;
use std::time::Duration;

/// Milliseconds on the clock that nobody sets (CLOCK_MONOTONIC).
pub type Millis = u64;

/// The lower half of a [`Millis`]: enough to tell how long a wait has taken, because none takes more than a day.
type Since = u32;

/// What a connection is given time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing is under way.
    Idle,
    /// The rest of a head, or the first one of a connection.
    Head,
    /// The rest of content.
    Content,
    /// The reply to a question.
    Reply,
    /// Answers that wait for the client to read.
    Write,
    /// What the client still sends after the last answer.
    Linger,
    /// A request that may have met the FIN of a connection on which nothing was under way.
    Farewell,
}

const KINDS: usize = 7;

/// How long a request's content is waited for; nobody uses it.
pub const CONTENT_TIMEOUT: Duration = Duration::from_secs(2);
/// Two tries of one second each, and half a second for delays.
pub const REPLY_TIMEOUT: Duration = Duration::from_millis(2500);
/// How long a client may take to notice that it was answered and that the connection is closed.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// A round trip halfway around the world: after it, a client has seen our FIN before it sends a request.
pub const FAREWELL_TIMEOUT: Duration = Duration::from_millis(250);

/// Later than any time.
pub const NEVER: Millis = Millis::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    since: Since,
    previous: u32,
    next: u32,
    wait: Option<Wait>,
}

impl Link {
    /// In no queue.
    fn alone(index: usize) -> Link {
        let index = narrow(index);
        Link { since: 0, previous: index, next: index, wait: None }
    }

    /// When the wait began, which may be a little after `now`.
    fn begun(&self, now: Millis) -> Millis {
        let waited = (now as Since).wrapping_sub(self.since).cast_signed();
        now.saturating_add_signed(-i64::from(waited))
    }
}

/// One deadline at most for each connection.
#[derive(Debug)]
pub struct Deadlines {
    links: Vec<Link>,
    timeouts: [Millis; KINDS],
    /// No wait is over before this. Waits that were ended in the meantime may have made it too early, which costs one look.
    due: Millis,
}

impl Deadlines {
    /// No connections yet, and room for this many.
    pub fn new(limits: &Limits, connections_max: usize) -> Deadlines {
        // In the order of `Wait`.
        let timeouts = [limits.idle, limits.head, CONTENT_TIMEOUT, REPLY_TIMEOUT, limits.write, LINGER_TIMEOUT, FAREWELL_TIMEOUT];
        let mut links = Vec::with_capacity(KINDS + connections_max);
        links.extend((0..KINDS).map(Link::alone));
        Deadlines { links, timeouts: timeouts.map(millis), due: NEVER }
    }

    /// Begins a wait at `now`, in place of the one that there was. `now` must not go backwards.
    #[inline(always)] // See `Worker::drive`.
    pub fn set(&mut self, slot: usize, wait: Wait, now: Millis) {
        let index = slot + KINDS;
        if index >= self.links.len() {
            self.grow(index);
        }
        self.take_out(index);
        let queue = wait as usize;
        let last = self.links[queue].previous;
        self.links[index] = Link { since: now as Since, previous: last, next: narrow(queue), wait: Some(wait) };
        self.links[last as usize].next = narrow(index);
        self.links[queue].previous = narrow(index);
        self.due = self.due.min(now + self.timeouts[queue]);
    }

    fn grow(&mut self, index: usize) {
        self.links.extend((self.links.len()..=index).map(Link::alone));
    }

    /// Ends the wait of a connection, if there is one.
    pub fn clear(&mut self, slot: usize) {
        let index = slot + KINDS;
        if index < self.links.len() {
            self.take_out(index);
            self.links[index] = Link::alone(index);
        }
    }

    #[inline(always)] // See `Worker::drive`.
    fn take_out(&mut self, index: usize) {
        let Link { previous, next, .. } = self.links[index];
        self.links[previous as usize].next = next;
        self.links[next as usize].previous = previous;
    }

    /// How long a connection has waited.
    pub fn waited(&self, slot: usize, now: Millis) -> Millis {
        self.links.get(slot + KINDS).map_or(0, |link| now.saturating_sub(link.begun(now)))
    }

    /// What a connection waits for.
    pub fn wait(&self, slot: usize) -> Option<Wait> {
        self.links.get(slot + KINDS)?.wait
    }

    /// The connection that has waited longest for this.
    pub fn longest(&self, wait: Wait) -> Option<usize> {
        (self.links[wait as usize].next as usize).checked_sub(KINDS)
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
        let over = |(queue, timeout): (&Link, &Millis)| {
            let slot = (queue.next as usize).checked_sub(KINDS)?;
            Some((self.links[queue.next as usize].begun(now) + timeout, slot))
        };
        let (due, slot) = self.links.iter().zip(&self.timeouts).filter_map(over).min().unwrap_or((NEVER, 0));
        self.due = due;
        (due <= now).then_some(slot)
    }
}

/// The ticks after which a duration has surely elapsed: milliseconds rounded up, and one more, because the clock may be about
/// to tick when it begins.
pub fn millis(duration: Duration) -> Millis {
    match duration.as_nanos().div_ceil(1_000_000) {
        0 => 0,
        millis => Millis::try_from(millis + 1).unwrap_or(Millis::MAX / 2),
    }
}

/// There are no more entries than descriptors, whose numbers are narrower still.
fn narrow(index: usize) -> u32 {
    index as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadlines() -> Deadlines {
        let second = Duration::from_secs(1);
        Deadlines::new(&Limits { head: 10 * second, idle: 60 * second, write: 30 * second, ..Limits::default() }, 50)
    }

    #[test]
    fn the_longest_wait_is_first_and_setting_again_goes_to_the_end() {
        let mut deadlines = deadlines();
        for slot in 0..3 {
            deadlines.set(slot, Wait::Idle, slot as u64);
        }
        deadlines.set(0, Wait::Idle, 5);
        assert_eq!(deadlines.longest(Wait::Idle), Some(1));
        assert_eq!((deadlines.due(), deadlines.expired(60_001), deadlines.due()), (60_001, None, 60_002));
        deadlines.clear(1);
        deadlines.clear(1);
        assert_eq!(deadlines.longest(Wait::Idle), Some(2));
        deadlines.set(2, Wait::Head, 6);
        assert_eq!((deadlines.longest(Wait::Idle), deadlines.longest(Wait::Head)), (Some(0), Some(2)));
        assert_eq!(deadlines.due(), 10_007);
        assert_eq!((deadlines.expired(10_006), deadlines.expired(10_007)), (None, Some(2)));
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
            assert!(naive.first().is_none_or(|first| deadlines.due() <= first.1 + 60_001));
        }
    }
}
