//! Stopping without losing a request.
//!
//! ```text
//! Grace                    Silence                     Finish                   end
//! readiness is denied,     listeners are closed,       what is in flight        the thread ends,
//! all is served as ever,   idle connections are        is finished              whatever there still is
//! last answers close       shut down
//! ```

use super::Worker;
use crate::net::connection::Connection;
use crate::net::deadlines::{Millis, Wait, millis};
use crate::net::listener;
use std::sync::atomic::{AtomicU8, Ordering};

/// How long a connection that was accepted last of all may be silent before it is shut down.
const DRAIN_SILENCE: Millis = 500;

/// What all workers are told.
#[derive(Debug, Default)]
pub struct Orders(AtomicU8);

const DRAIN: u8 = 1;
const DRAIN_AT_ONCE: u8 = 2;

impl Orders {
    /// Orders the workers, once they are woken, to stop; `at_once` without a grace.
    pub fn drain(&self, at_once: bool) {
        self.0.fetch_max(if at_once { DRAIN_AT_ONCE } else { DRAIN }, Ordering::Relaxed);
    }
}

/// How far stopping has come: accepting, then closing, then the end.
#[derive(Clone, Copy)]
pub struct Drain {
    stage: Stage,
    /// When the stage is over.
    until: Millis,
    /// When all is over.
    end: Millis,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// New connections are accepted and served as ever.
    Grace,
    /// The listeners are closed; who has just connected may still send.
    Silence,
    /// What is in flight is finished.
    Finish,
}

impl Drain {
    /// When there is something to do, whatever else happens.
    pub fn due(&self) -> Millis {
        self.until.min(self.end)
    }
}

impl Worker {
    /// Whether it was ordered to stop and has.
    pub(super) fn is_done(&self) -> bool {
        self.drain.is_some_and(|drain| self.now >= drain.end || (drain.stage != Stage::Grace && self.connections.is_empty()))
    }

    /// Woken: begins what was ordered.
    pub(super) fn obey(&mut self) {
        let order = self.orders.0.load(Ordering::Relaxed);
        if order == 0 {
            return;
        }
        let grace = if order == DRAIN { millis(self.limits.drain_grace) } else { 0 };
        self.service.drain();
        for listener in &mut self.listeners {
            // It fails only on a socket that is none; then there is nothing to announce.
            let _ = listener::announce_at_once(&listener.socket);
            listener.is_ready = true;
        }
        let end = self.drain.map_or(self.now + millis(self.limits.drain_timeout), |drain| drain.end);
        self.drain = Some(Drain { stage: Stage::Grace, until: self.now + grace, end });
    }

    /// Goes on to the next stage when it is time.
    pub(super) fn advance_drain(&mut self) {
        let Some(drain) = &mut self.drain else { return };
        if self.now < drain.until {
            return;
        }
        match drain.stage {
            Stage::Grace => {
                (drain.stage, drain.until) = (Stage::Silence, self.now + DRAIN_SILENCE);
                self.close_listeners();
                self.dismiss_idle();
            }
            Stage::Silence => {
                (drain.stage, drain.until) = (Stage::Finish, Millis::MAX);
                self.dismiss_silent();
            }
            Stage::Finish => {}
        }
    }

    /// Serves what waits to be accepted, because closing a listener resets it.
    fn close_listeners(&mut self) {
        self.accept_after = self.now;
        for index in 0..self.listeners.len() {
            self.listeners[index].is_ready = true;
            while self.listeners[index].is_ready && self.has_room() {
                self.accept_one(index);
            }
        }
        self.listeners.clear();
    }

    /// Shuts down what is between two requests, the oldest first; what has arrived in the meantime is still answered.
    fn dismiss_idle(&mut self) {
        while let Some(slot) = self.deadlines.longest(Wait::Idle) {
            self.drive(slot, true);
            if self.deadlines.wait(slot) == Some(Wait::Idle) {
                self.dismiss(slot);
            }
        }
    }

    /// Shuts down what has never sent a byte.
    fn dismiss_silent(&mut self) {
        let is_silent = |(slot, connection): (usize, &Connection)| {
            let is_silent = connection.is_silent() && self.deadlines.wait(slot) == Some(Wait::Head);
            is_silent.then_some(slot)
        };
        let silent: Vec<usize> = self.connections.iter().filter_map(is_silent).collect();
        for slot in silent {
            self.dismiss(slot);
        }
    }
}
