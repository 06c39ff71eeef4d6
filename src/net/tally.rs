//! Counting what clients bring about, so that the log tells of it without growing with it.

use super::deadlines::Millis;
use crate::exchange::Notice;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What clients bring about is logged this often at most.
const LOG_REST: Millis = 60_000;

/// What all workers count together, so the log gets one line a minute in all.
#[derive(Default)]
pub struct Tallies {
    /// Times that a limit was reached.
    pub limited: Tally,
    /// Times that a listener failed.
    pub not_accepted: Tally,
    /// Connections that were closed for their PROXY header.
    pub aborted: Tally,
    /// PROXY headers on listeners that take none.
    pub proxy_headers: Tally,
    /// Lines of the access log that nobody took.
    pub dropped_lines: Tally,
    /// Socket options that the kernel refused.
    pub refused: Once,
    untrusted: Once,
    field_missing: Once,
    field_unreadable: Once,
}

impl Tallies {
    /// Tells what a request of this peer has shown. `field` is the one that is read from trusted peers.
    pub fn tell(&self, notice: Notice, peer: IpAddr, field: &str, now: Millis) {
        match notice {
            Notice::Untrusted if self.untrusted.is_first() => {
                log::warn!("{peer} sends forwarding headers and is not trusted: if it is your proxy, add --trusted-proxy {peer}");
            }
            Notice::FieldMissing if self.field_missing.is_first() => {
                log::warn!("{peer} is trusted and sends no {field}: its clients are answered with its own address");
            }
            Notice::FieldUnreadable if self.field_unreadable.is_first() => {
                log::warn!(
                    "{peer} is trusted and sends a {field} whose last entry is not a valid address: see /explain (--explain)"
                );
            }
            Notice::ProxyHeader => {
                if let Some(count) = self.proxy_headers.note(now) {
                    log::warn!("PROXY headers on a listener that takes none: {count}; the last from {peer}: see --listen-proxy");
                }
            }
            Notice::Untrusted | Notice::FieldMissing | Notice::FieldUnreadable => {}
        }
    }
}

/// A warning that is given once a start.
#[derive(Default)]
pub struct Once(AtomicBool);

impl Once {
    fn is_first(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// Tells what is not done for want of something that the kernel refused.
    pub fn tell(&self, consequence: &str, error: &io::Error) {
        if self.is_first() {
            log::warn!("{consequence}: the kernel refuses a socket option ({error})");
        }
    }
}

/// Counts what is worth a line in the log, which is written once a minute at most.
#[derive(Default)]
pub struct Tally {
    count: AtomicU64,
    silent_until: AtomicU64,
}

impl Tally {
    /// Counts one more; where a line is due, the count since the last one.
    pub fn note(&self, now: Millis) -> Option<u64> {
        self.note_many(1, now)
    }

    /// The same for this many more. With 0 it may be asked at any time, so that what came after a line is told, too.
    pub fn note_many(&self, more: u64, now: Millis) -> Option<u64> {
        if more > 0 {
            self.count.fetch_add(more, Ordering::Relaxed);
        } else if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let silent_until = self.silent_until.load(Ordering::Relaxed);
        if now < silent_until {
            return None;
        }
        // Of two workers at a time, one has the line.
        let next = now + LOG_REST;
        self.silent_until.compare_exchange(silent_until, next, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        Some(self.take())
    }

    /// What was counted since the last line: for the end, when no other line is due.
    pub fn take(&self) -> u64 {
        self.count.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_minute_with_the_count_since_the_last() {
        let tally = Tally::default();
        let due = [0, 1, 59_999, 60_000, 60_001, 200_000, 200_000].map(|now| tally.note(now));
        assert_eq!(due, [Some(1), None, None, Some(3), None, Some(2), None]);
    }

    #[test]
    fn what_came_after_a_line_is_told_when_nothing_more_comes() {
        let tally = Tally::default();
        let due = [(0, 0), (5, 0), (0, 1), (7, 2), (0, 59_999), (0, 60_000), (0, 130_000)];
        assert_eq!(due.map(|(more, now)| tally.note_many(more, now)), [None, Some(5), None, None, None, Some(7), None]);
    }
}
