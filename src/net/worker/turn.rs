//! A turn of the event loop.

use super::Worker;
use crate::net::deadlines::{Millis, NEVER, Wait};
use mio::Events;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

impl Worker {
    /// Waits for events, `timeout` at most, and does what there is to do.
    pub(super) fn turn(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let asked = self.shared.now;
        if let Err(error) = self.poll.poll(events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error);
        }
        self.tick();
        if self.has_log {
            self.time_log();
        }
        let mut count = 0;
        for event in &*events {
            count += 1;
            self.event(event);
            if self.check_time().is_break() {
                return Ok(());
            }
        }
        let heard = if count < events.capacity() {
            self.full_polls.0 = 0;
            asked
        } else {
            self.heard(asked, count)
        };
        // Nothing is left of nearly every turn but the deadlines. One flag for all else saves 30 instructions.
        if self.has_more {
            self.end_turn(heard);
        } else if heard >= self.deadlines.due() {
            self.expire(heard);
        }
        Ok(())
    }

    /// Does what a turn may have besides events.
    fn end_turn(&mut self, heard: Millis) {
        self.take_replies();
        self.go_on();
        self.expire(heard);
        self.accept();
        self.advance_drain();
        self.write_log();
        self.has_more = !self.is_plain || !self.ready.is_empty() || self.listeners.iter().any(|listener| listener.is_ready);
    }

    /// The time before which all that had arrived has been heard, although this poll had no room for all events; 0 where that isn't
    /// known. What a poll leaves out comes first in the next one, so after enough of them every connection has been told of.
    fn heard(&mut self, asked: Millis, count: usize) -> Millis {
        // One more for what is no connection.
        let enough = self.connections.len() / count + 2;
        let (polls, since) = &mut self.full_polls;
        if *polls == 0 {
            *since = asked;
        }
        *polls += 1;
        if *polls < enough {
            return 0;
        }
        *polls = 0;
        *since
    }

    /// How long the poll may wait for events; `None`: until one comes.
    pub(super) fn timeout(&self) -> Option<Duration> {
        let mut due = self.deadlines.due();
        if self.has_more {
            due = due.min(self.rest_due());
        }
        (due != NEVER).then(|| Duration::from_millis(due.saturating_sub(self.shared.now)))
    }

    /// When there is something to do besides connections' deadlines; [`NEVER`] if nothing.
    fn rest_due(&self) -> Millis {
        let mut due = NEVER;
        if !self.ready.is_empty() {
            due = self.shared.now;
        }
        for listener in self.listeners.iter().filter(|listener| listener.is_ready) {
            due = due.min(self.accept_after.max(listener.rests_until));
        }
        if let Some(queries) = &self.queries {
            due = due.min(queries.due());
        }
        if let Some(drain) = &self.drain {
            due = due.min(drain.due());
            if self.listeners.is_empty() && self.deadlines.longest(Wait::Idle).is_some() {
                due = self.shared.now;
            }
        }
        if let Some(retry) = self.log_due() {
            due = due.min(retry);
        }
        due
    }

    /// Takes the time for this turn, and in each new second the date.
    fn tick(&mut self) {
        self.shared.now = (self.clock)();
        if self.shared.now < self.date_until {
            return;
        }
        let time = SystemTime::now();
        let passed = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_millis());
        self.date_until = self.shared.now + Millis::from(1000 - passed);
        let mut date = [b' '; 29];
        // It fits: an IMF-fixdate is 29 bytes.
        let _ = write!(&mut date[..], "{}", httpdate::HttpDate::from(time));
        self.shared.service.set_date(date);
    }
}
