//! How many connections may wait in the queue of a listener.
//!
//! Where more come than can be served, a queue of fixed length is always full, and every client waits for all of it. When that takes
//! longer than clients are willing to wait, all that is served is what they have given up on. So a queue that has not been empty for
//! [`WAIT`] gets the length that is served in that time. A client that finds no place in it is not refused: its SYN is dropped and sent
//! again a second later; if its handshake was under way, its request is dropped and sent again after 0.2 s.
//!
//! Linux bounds handshakes under way by the same length. Beyond it, it answers with SYN cookies, which undo TCP_DEFER_ACCEPT, and logs
//! "Possible SYN flooding" once.

use super::deadlines::Millis;

/// The most connections that wait. With the 128 that std and mio ask for, 8,000 connections at once took six times as long as with this.
pub const BACKLOG_MAX: u16 = 4096;

/// Never shorter, however slow this thread is: more than a few proxies open at once (`maxconn` in deploy).
const BACKLOG_MIN: u16 = 512;

/// In milliseconds, how long the last one waits in a queue that has not been empty for as long. Impatient clients give up after a second,
/// which is also when a SYN that was dropped is sent again. With half of this, a burst on a slow machine drops more of them, and no more
/// are answered in time.
const WAIT: Millis = 500;

/// In milliseconds. No turn takes this long.
const STALL: Millis = 4 * WAIT;

/// The length of one listener's queue.
#[derive(Debug)]
pub struct Backlog {
    length: u16,
    /// The turn that found the queue not empty, and how many have been accepted since its beginning.
    busy: Option<(Millis, u32)>,
}

impl Default for Backlog {
    fn default() -> Backlog {
        Backlog { length: BACKLOG_MAX, busy: None }
    }
}

impl Backlog {
    /// To be called at the end of each turn that accepts. Gives the queue's new length, if it changes.
    pub fn adapt(&mut self, accepted: u32, is_empty: bool, now: Millis) -> Option<u16> {
        if is_empty {
            return self.reset();
        }
        let (since, count) = self.busy.get_or_insert((now, 0));
        *count += accepted;
        // A turn takes time, so the interval may be longer than WAIT: what was accepted in it is scaled down.
        let (elapsed, count) = (now - *since, *count);
        if elapsed < WAIT {
            return None;
        }
        self.busy = Some((now, 0));
        // The process was stopped, and what it accepted says nothing.
        if elapsed > STALL {
            return None;
        }
        let length = u64::from(count) * WAIT / elapsed;
        self.change(u16::try_from(length).unwrap_or(BACKLOG_MAX).clamp(BACKLOG_MIN, BACKLOG_MAX))
    }

    /// Forgets what was counted: accepting rests, which says nothing about how fast clients are served.
    pub fn forget(&mut self) {
        self.busy = None;
    }

    /// Begins anew, with a long queue. Gives its new length, if it changes.
    pub fn reset(&mut self) -> Option<u16> {
        self.busy = None;
        self.change(BACKLOG_MAX)
    }

    fn change(&mut self, length: u16) -> Option<u16> {
        (std::mem::replace(&mut self.length, length) != length).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a backlog is told in one turn after another: how many were accepted, whether none are left, and when.
    fn lengths(turns: &[(u32, bool, Millis)]) -> Vec<Option<u16>> {
        let mut backlog = Backlog::default();
        turns.iter().map(|&(accepted, is_empty, now)| backlog.adapt(accepted, is_empty, now)).collect()
    }

    #[test]
    fn a_queue_that_is_never_empty_has_what_is_served_in_half_a_second() {
        let turns = [(64, false, 1000), (300, false, 1200), (236, false, 1500), (64, false, 1600), (1192, false, 2500)];
        // At last 1256 in a second.
        assert_eq!(lengths(&turns), [None, None, Some(600), None, Some(628)]);
        assert_eq!(lengths(&[(64, false, 0), (4000, false, 500), (300, false, 1000)]), [None, Some(4064), Some(512)]);
        assert_eq!(lengths(&[(64, false, 0), (9000, false, 500)]), [None, None], "no longer than the greatest");
    }

    #[test]
    fn an_empty_queue_may_be_long_again() {
        let turns = [
            (64, false, 0),
            (0, false, 500),
            (5, true, 600),
            (64, false, 601),
            (64, false, 1100),
            (0, true, 1200),
            (1, true, 1201),
        ];
        assert_eq!(lengths(&turns), [None, Some(512), Some(4096), None, None, None, None]);
    }

    #[test]
    fn a_queue_that_is_emptied_now_and_then_stays_as_it_is() {
        let turns: Vec<_> = (0..100).map(|turn| (64, turn % 5 == 4, turn * 120)).collect();
        assert_eq!(lengths(&turns), [None; 100]);
    }

    #[test]
    fn a_process_that_was_stopped_is_not_slow() {
        assert_eq!(
            lengths(&[(64, false, 0), (64, false, 10_000), (64, false, 10_499), (900, false, 10_500)]),
            [None, None, None, Some(964)]
        );
    }

    #[test]
    fn a_rest_is_not_slowness() {
        let mut backlog = Backlog::default();
        for now in (0..2000).step_by(100) {
            assert_eq!(backlog.adapt(0, false, now), None);
            backlog.forget();
        }
    }
}
