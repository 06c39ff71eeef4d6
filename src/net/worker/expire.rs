//! Waits that are over.

use super::Worker;
use crate::net::deadlines::{Millis, Wait};
use crate::net::socket;
use crate::observe::metrics::Closed;

impl Worker {
    /// Ends the waits that were over when the events of this turn were asked for: whoever spoke in time was heard first, however
    /// long this process was kept from running.
    pub(super) fn expire(&mut self, heard: Millis) {
        while let Some(slot) = self.deadlines.expired(heard) {
            let is_silent = self.connections[slot].is_silent();
            match self.deadlines.wait(slot) {
                Some(Wait::Content) => self.finish(slot, Closed::Content),
                Some(Wait::Head) if !is_silent => self.finish(slot, Closed::Head),
                Some(Wait::Head) => self.close_for(slot, Closed::Head),
                Some(Wait::Idle) => self.close_for(slot, Closed::Idle),
                Some(Wait::Reply) => self.give_up_asking(slot),
                Some(Wait::Write) => self.expire_write(slot),
                _ => self.close(slot),
            }
            if self.check_time().is_break() {
                return;
            }
        }
    }

    /// Gives up on a client that has taken nothing. The kernel tells of room only when a third of its buffer is free: whether less was
    /// taken is found by trying.
    fn expire_write(&mut self, slot: usize) {
        self.drive(slot, false);
        if self.deadlines.wait(slot) == Some(Wait::Write) && self.waited(slot) > 0 {
            self.give_up(slot, Closed::Write);
        }
    }

    pub(super) fn give_up(&mut self, slot: usize, reason: Closed) {
        socket::give_up(&self.connections[slot].stream);
        self.close_for(slot, reason);
    }

    /// Sends a connection's final response, if one is owed, and drives it on to its end.
    pub(super) fn finish(&mut self, slot: usize, reason: Closed) {
        let connection = &mut self.connections[slot];
        connection.ends(reason);
        match connection.expire(&mut self.shared) {
            Ok(()) => {
                self.deadlines.clear(slot);
                self.drive(slot, false);
            }
            Err(_) => self.close(slot),
        }
    }
}
