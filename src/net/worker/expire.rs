//! Waits that are over.

use super::Worker;
use crate::net::deadlines::{Millis, Wait};
use crate::net::socket;

impl Worker {
    /// Ends the waits that were over when the events of this turn were asked for: whoever spoke in time was heard first, however
    /// long this process was kept from running.
    pub(super) fn expire(&mut self, heard: Millis) {
        while let Some(slot) = self.deadlines.expired(heard) {
            let is_silent = self.connections[slot].is_silent();
            match self.deadlines.wait(slot) {
                Some(Wait::Content) => self.finish(slot),
                Some(Wait::Head) if !is_silent => self.finish(slot),
                Some(Wait::Reply) => self.give_up_asking(slot),
                Some(Wait::Write) => self.give_up(slot),
                _ => self.close(slot),
            }
            if self.is_out_of_time() {
                return;
            }
        }
    }

    pub(super) fn give_up(&mut self, slot: usize) {
        socket::give_up(&self.connections[slot].stream);
        self.close(slot);
    }

    /// Says what is still to be said to a connection, and no more.
    pub(super) fn finish(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        match connection.expire(&mut self.shared) {
            Ok(()) => {
                self.deadlines.clear(slot);
                self.drive(slot, false);
            }
            Err(_) => self.close(slot),
        }
    }
}
