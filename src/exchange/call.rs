//! One call of the exchange.

use super::OUTPUT_MAX;
use super::outcome::Next;
use crate::client::Peer;

/// One call of [`Service::serve`]: what it was given, and how far it has come.
pub(super) struct Call<'c> {
    pub peer: &'c mut Peer,
    /// Of the input.
    pub length: usize,
    /// There is more than the input.
    pub more: bool,
    pub output: &'c mut Vec<u8>,
    pub consumed: usize,
    pub answered: bool,
    /// The bytes of content that were made and are not in the output: for HEAD, or because they wait for a request's content.
    pub unsent: usize,
    /// `None`: to go on with the rest of the input.
    pub next: Option<Next>,
}

impl Call<'_> {
    /// The bytes of all that was made.
    pub fn work(&self) -> usize {
        self.output.len() + self.unsent
    }

    /// Whether more of the input is looked at now. If only the work done so far forbids it, what is next is [`Next::Again`].
    pub fn goes_on(&mut self) -> bool {
        if self.next.is_some() || self.consumed == self.length {
            return false;
        }
        if self.work() >= OUTPUT_MAX {
            self.next = Some(Next::Again);
        }
        self.next.is_none()
    }

    /// Consumes a request that was answered, or is as soon as its content is there.
    pub fn answered(&mut self, length: usize) {
        self.consumed += length;
        self.answered = true;
    }

    /// Consumes a request whose reply is awaited.
    pub fn wait_after(&mut self, length: usize) {
        self.consumed += length;
        self.next = Some(Next::Wait);
    }

    /// Consumes a request that was answered, and after which the connection closes. `linger`: not all of it is read.
    pub fn close_after(&mut self, length: usize, linger: bool) {
        self.consumed += length;
        self.next = Some(Next::Close { linger: linger || self.more || self.consumed < self.length });
    }
}
