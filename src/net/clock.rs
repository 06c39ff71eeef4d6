//! The clock, which is an argument: a test turns its own.

use super::deadlines::Millis;
use nix::time::{ClockId, clock_gettime};

/// Tells the time; it never goes backwards.
pub type Clock = fn() -> Millis;

/// CLOCK_MONOTONIC. Asked without `Instant`, whose care for broken clocks costs as much as the question.
pub fn monotonic() -> Millis {
    // It does not fail: every kernel has this clock.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| 1000 * time.tv_sec() as Millis + time.tv_nsec() as Millis / 1_000_000)
}
