//! Counting what clients bring about, so that the log tells of it without growing with it.

use super::deadlines::Millis;

/// What clients bring about is logged this often at most.
const LOG_REST: Millis = 60_000;

/// Counts what is worth a line in the log, which is written once a minute at most.
#[derive(Default)]
pub struct Tally {
    count: u64,
    silent_until: Millis,
}

impl Tally {
    /// Counts one more; where a line is due, the count since the last one.
    pub fn note(&mut self, now: Millis) -> Option<u64> {
        self.count += 1;
        if now < self.silent_until {
            return None;
        }
        self.silent_until = now + LOG_REST;
        Some(std::mem::take(&mut self.count))
    }
}
