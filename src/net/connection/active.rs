//! How far a connection has come, and what it holds while it is not idle.

use crate::exchange::{Next, State, Waiting};
use crate::net::deadlines::Millis;
use crate::net::queries::Ticket;

/// How far a connection's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Requests are read.
    Open,
    /// Requests that have been read wait for room in the output.
    Unserved,
    /// A reply is awaited, and nothing is read.
    Waiting,
    /// The last answer goes out.
    Flushing {
        /// The client may still be sending.
        linger: bool,
    },
    /// The last answer is out; what the client still sends is read and dropped.
    Lingering,
}

impl Phase {
    /// Whether what is sent now is the last of it, so that the FIN may travel along.
    pub fn is_last(self) -> bool {
        matches!(self, Phase::Flushing { .. })
    }
}

/// What a connection that is not idle needs.
#[derive(Debug, Default)]
pub struct Active {
    /// Where the exchange stands.
    pub state: State,
    /// Input that was not consumed.
    pub input: Vec<u8>,
    /// Output that the socket did not take.
    pub unsent: Vec<u8>,
    /// When lingering ends, even if the client is still sending.
    pub linger_until: Millis,
    /// Of the question that was asked.
    pub ticket: Option<Ticket>,
}

impl Active {
    /// The input with these bytes after it. It is read where it is kept: copied out and in again at each piece, a head in drips
    /// would cost its square.
    pub fn append(&mut self, input: &[u8]) -> (&mut State, &[u8]) {
        self.input.extend_from_slice(input);
        (&mut self.state, &self.input)
    }

    /// Whether it holds nothing that an idle connection does not.
    pub fn is_empty(&self) -> bool {
        self.input.is_empty() && self.unsent.is_empty() && self.state.waiting() == Waiting::Idle
    }
}

/// What a connection is to do after a call of the exchange.
pub fn phase(next: Next) -> Phase {
    match next {
        Next::Read | Next::Abort(_) => Phase::Open,
        Next::Again => Phase::Unserved,
        Next::Wait => Phase::Waiting,
        Next::Close { linger } => Phase::Flushing { linger },
    }
}
