//! Stopping without losing a request.
//!
//! ```text
//! Grace                    Handshakes               Silence                  Finish                   end
//! readiness is denied,     connecting is ignored,   listeners are closed,    what is in flight        the thread ends,
//! all is served as before,  what had begun is        idle connections are     is finished              whatever there still is
//! last answers close       accepted                 shut down
//! ```
//!
//! Listeners that are inherited stay open, and the next process serves what waits there. After the grace they are let go of, as
//! they are: what is done to our own would be done to that process. Where all are inherited there is no stage of handshakes.

use super::{EVENTS_MAX, Worker};
use crate::net::connection::Connection;
use crate::net::deadlines::{Millis, NEVER, Wait, millis};
use crate::net::{Order, listener};
use crate::observe::metrics::Closed;
use std::ops::ControlFlow;

/// In milliseconds, the least and the most time for handshakes under way; in between, it is the grace. At least what a client nearby needs
/// to send its first bytes, until which the kernel holds it back; at most a round trip halfway around the world.
const DRAIN_HANDSHAKES: (Millis, Millis) = (20, 200);

/// How long a connection that was accepted last of all may be silent before it is shut down.
const DRAIN_SILENCE: Millis = 500;

/// How far stopping has come.
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
    /// New connections are accepted and served as before.
    Grace,
    /// No new connection begins; those that are being made are accepted.
    Handshakes,
    /// The listeners are closed or let go of; who has just connected may still send.
    Silence,
    /// What is in flight is finished, and who has never sent a byte is shut down, from this slot on.
    Finish { from: usize },
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
        self.drain.is_some_and(|drain| self.shared.now >= drain.end || (self.listeners.is_empty() && self.connections.is_empty()))
    }

    /// Once a stop is ordered: takes the time, begins what was ordered, and breaks where stopping has taken all its time. To be called
    /// after each connection's turn, so that no number of them delays the stop, or the moment from which its time counts.
    pub(super) fn check_time(&mut self) -> ControlFlow<()> {
        if self.stopper.is_ordered() { self.look_at_the_clock() } else { ControlFlow::Continue(()) }
    }

    fn look_at_the_clock(&mut self) -> ControlFlow<()> {
        self.shared.now = (self.clock)();
        self.handle_order();
        if self.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Whether no new connection begins, but those that are being made are accepted.
    pub(super) fn ignores_new(&self) -> bool {
        self.drain.is_some_and(|drain| drain.stage == Stage::Handshakes)
    }

    /// Begins what was ordered. The same order again changes nothing.
    pub(super) fn handle_order(&mut self) {
        if self.stopper.order() == self.handled {
            return;
        }
        self.handled = self.stopper.order();
        self.is_plain = false;
        self.has_more = true;
        self.shared.service.drain();
        for listener in self.listeners.iter_mut().filter(|listener| !listener.is_inherited) {
            if let Err(error) = listener::announce_at_once(&listener.socket) {
                self.tallies.refused.tell("connections that have sent nothing when a listener closes are reset", &error);
            }
            listener.reset_backlog();
            listener.is_ready = true;
        }
        let until = self.shared.now + self.grace();
        self.drain = Some(match self.drain {
            None => Drain { stage: Stage::Grace, until, end: self.shared.now + millis(self.limits.drain_timeout) },
            Some(drain) if drain.stage == Stage::Grace => Drain { until, ..drain },
            Some(drain) => drain,
        });
    }

    fn grace(&self) -> Millis {
        if self.stopper.order() == Some(Order::Drain) { millis(self.limits.drain_grace) } else { 0 }
    }

    /// Goes on to the next stage when it is time.
    pub(super) fn advance_drain(&mut self) {
        let Some(Drain { stage, until, end }) = self.drain else { return };
        if self.listeners.is_empty() {
            self.close_idle();
        }
        if self.shared.now < until {
            return;
        }
        let (stage, until) = match stage {
            Stage::Grace => self.end_grace(),
            Stage::Handshakes => self.end_handshakes(),
            Stage::Silence => self.close_silent(0),
            Stage::Finish { from } => self.close_silent(from),
        };
        self.drain = Some(Drain { stage, until, end });
    }

    /// What comes after the grace, and until when.
    fn end_grace(&mut self) -> (Stage, Millis) {
        if self.let_go_of_inherited() {
            return self.begin_silence();
        }
        self.ignore_new();
        let (least, most) = DRAIN_HANDSHAKES;
        (Stage::Handshakes, self.shared.now + self.grace().clamp(least, most))
    }

    /// What comes after the handshakes, which go on where there is no room for what waits.
    fn end_handshakes(&mut self) -> (Stage, Millis) {
        if self.close_listeners() { self.begin_silence() } else { (Stage::Handshakes, self.accept_after) }
    }

    fn begin_silence(&mut self) -> (Stage, Millis) {
        self.close_idle();
        (Stage::Silence, self.shared.now + DRAIN_SILENCE)
    }

    /// Stops accepting from the listeners that are not our own; true where there are no others. Dropping ours of several duplicates
    /// does not take it out of epoll.
    fn let_go_of_inherited(&mut self) -> bool {
        while let Some(mut last) = self.listeners.pop_if(|last| last.is_inherited) {
            // It fails only on a socket that is gone.
            let _ = self.poll.registry().deregister(&mut last.socket);
        }
        self.listeners.is_empty()
    }

    fn ignore_new(&self) {
        for listener in &self.listeners {
            if let Err(error) = listener::ignore_new(&listener.socket) {
                self.tallies.refused.tell("connections that are being made when a listener closes are reset", &error);
            }
        }
    }

    /// Closes the listeners, each as soon as what waits there is served, because closing resets it, or when it fails; true when all
    /// are closed. False: there is no room for what waits.
    fn close_listeners(&mut self) -> bool {
        while let Some(last) = self.listeners.len().checked_sub(1) {
            self.listeners[last].is_ready = true;
            self.listeners[last].rests_until = 0;
            while self.listeners[last].is_due(self.shared.now) {
                if self.admit().is_break() || self.check_time().is_break() {
                    return false;
                }
                self.accept_one(last);
            }
            self.listeners.pop();
        }
        true
    }

    /// Shuts down what is between two requests, the oldest first; what has arrived in the meantime is still answered. The rest is left to
    /// the next turn, so that others are served meanwhile.
    fn close_idle(&mut self) {
        for _ in 0..EVENTS_MAX {
            let Some(slot) = self.deadlines.longest(Wait::Idle) else { return };
            self.drive(slot, true);
            if self.deadlines.wait(slot) == Some(Wait::Idle) {
                self.shut_down_idle(slot);
            }
            if self.check_time().is_break() {
                return;
            }
        }
    }

    /// Shuts down what has never sent a byte, from this slot on, and leaves the rest to the next turn, so that others are served
    /// meanwhile. No slot passes to another connection: the listeners are closed.
    fn close_silent(&mut self, from: usize) -> (Stage, Millis) {
        let slots = self.connections.capacity();
        let end = slots.min(from + EVENTS_MAX);
        for slot in from..end {
            let is_silent = self.connections.get(slot).is_some_and(Connection::is_silent);
            if is_silent && self.deadlines.wait(slot) == Some(Wait::Head) {
                self.shut_down_idle(slot);
                if self.check_time().is_break() {
                    break;
                }
            }
        }
        (Stage::Finish { from: end }, if end < slots { self.shared.now } else { NEVER })
    }

    /// Shuts a connection down on which nothing is under way, and does not wait for a client who does not care.
    fn shut_down_idle(&mut self, slot: usize) {
        self.finish(slot, Closed::Drained);
        if self.deadlines.wait(slot) == Some(Wait::Linger) {
            self.deadlines.set(slot, Wait::Farewell, self.shared.now);
        }
    }
}
