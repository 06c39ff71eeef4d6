//! How many connections may wait in the queue of a listener.
//!
//! Where more come than can be served, a queue of fixed length is always full, and every client waits for all of it. When that takes
//! longer than clients are willing to wait, all that is served is what they have given up on. So a queue that has not been empty for
//! [`WAIT`] gets the length that is served in that time. Whoever finds no place in it is not refused: a SYN that the kernel drops is sent
//! again, a second later.

use super::deadlines::Millis;

/// The most connections that wait. With the 128 that std and mio ask for, 8,000 connections at once took six times as long as with this.
pub const BACKLOG_MAX: u16 = 4096;

/// Never shorter: what std asks for, and what the kernel allowed at most (somaxconn) before Linux 5.4.
const BACKLOG_MIN: u16 = 128;

/// In milliseconds, how long a connection waits at most. Impatient clients give up after a second, which is also when a SYN that was dropped is sent again.
/// With half of this, a burst on a slow machine drops more of them, and no more are answered in time.
const WAIT: Millis = 500;

/// The length of one listener's queue.
#[derive(Debug)]
pub struct Backlog {
    length: u16,
    /// When the queue was seen not to be empty, and how many have been accepted from it since then.
    busy: Option<(Millis, u32)>,
}

impl Default for Backlog {
    fn default() -> Backlog {
        Backlog { length: BACKLOG_MAX, busy: None }
    }
}

impl Backlog {
    /// To be told at the end of each turn that accepts, how many were `accepted` and whether the queue was emptied. The length that the
    /// queue is to have from now on, if it changes.
    pub fn adapt(&mut self, accepted: u32, is_empty: bool, now: Millis) -> Option<u16> {
        if is_empty {
            self.busy = None;
            return self.change(BACKLOG_MAX);
        }
        let (since, count) = self.busy.get_or_insert((now, 0));
        *count += accepted;
        // A turn takes time, so the interval may be longer than WAIT: what was accepted in it is scaled down.
        let (elapsed, count) = (now - *since, *count);
        if elapsed < WAIT {
            return None;
        }
        self.busy = Some((now, 0));
        let length = u64::from(count) * WAIT / elapsed;
        self.change(u16::try_from(length).unwrap_or(BACKLOG_MAX).clamp(BACKLOG_MIN, BACKLOG_MAX))
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
        let turns = [(64, false, 1000), (300, false, 1200), (236, false, 1500), (64, false, 1600), (192, false, 2500)];
        // At last 256 in a second.
        assert_eq!(lengths(&turns), [None, None, Some(600), None, Some(128)]);
        assert_eq!(lengths(&[(64, false, 0), (4000, false, 500), (300, false, 1000)]), [None, Some(4064), Some(300)]);
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
        assert_eq!(lengths(&turns), [None, Some(128), Some(4096), None, None, None, None]);
    }

    #[test]
    fn a_queue_that_is_emptied_now_and_then_stays_as_it_is() {
        let turns: Vec<_> = (0..100).map(|turn| (64, turn % 5 == 4, turn * 120)).collect();
        assert_eq!(lengths(&turns), [None; 100]);
    }
}
