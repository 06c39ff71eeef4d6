//! The access log's part of a turn: it is told the time before the first answer, and written after the last one.

use super::Worker;
use crate::net::deadlines::Millis;
use crate::observe::access_log::AccessLog;

/// How long lines that were not taken wait for their next chance, where no client brings it about sooner.
const LOG_RETRY: Millis = 100;

impl Worker {
    fn access_log(&mut self) -> Option<&mut AccessLog> {
        if !self.has_log {
            return None;
        }
        self.shared.service.recorder_mut().as_mut()?.access_log.as_mut()
    }

    /// Tells it the time.
    pub(super) fn time_log(&mut self) {
        // The date was taken at the beginning of a second of the wall's clock, and is good for its rest.
        let milliseconds = (self.shared.now + 1000).saturating_sub(self.date_until).min(999);
        if let Some(log) = self.access_log() {
            log.begin_turn(milliseconds as u16);
        }
    }

    /// Has it write what it can; once a minute at most it is told how many lines were dropped.
    pub(super) fn write_log(&mut self) {
        let Some(log) = self.access_log() else { return };
        log.flush();
        let dropped = log.take_dropped();
        self.count_dropped(dropped);
        if let Some(count) = self.tallies.dropped_lines.note_many(dropped, self.shared.now) {
            log::warn!("lines of the access log that were dropped, because standard output did not take them: {count}");
        }
    }

    /// The last turn is over: has it write what is left, and tells what was not told yet.
    pub(super) fn close_log(&mut self) {
        let Some(log) = self.access_log() else { return };
        log.close();
        let dropped = log.take_dropped() + self.tallies.dropped_lines.take();
        if dropped > 0 {
            log::warn!(
                "lines of the access log that were dropped at the end, because standard output did not take them: {dropped}"
            );
        }
    }

    fn count_dropped(&self, lines: u64) {
        if let Some(counters) = self.shared.counters() {
            counters.access_lines_dropped(lines);
        }
    }

    /// When to write it again, although no client may ask.
    pub(super) fn log_due(&self) -> Option<Millis> {
        if !self.has_log {
            return None;
        }
        let observers = self.shared.service.recorder().as_ref()?;
        let is_pending = observers.access_log.as_ref()?.is_pending();
        is_pending.then_some(self.shared.now + LOG_RETRY)
    }
}
