//! Where a connection stands between two calls of the exchange, and what it waits for.

use crate::http::content::Content;
use crate::http::request::{self, Persistence};
use crate::http::response;
use crate::http::scan::Scan;

/// Where a connection stands between two calls.
#[derive(Debug, Default)]
pub enum State {
    /// Between two requests.
    #[default]
    Idle,
    /// Inside a PROXY protocol header, or before one.
    Proxy,
    /// Inside a head.
    Head(Scan),
    /// Inside content; the answer is made and waits for its end.
    Content(Box<Pending>),
}

/// An answer that waits for the end of its request's content.
#[derive(Debug)]
pub struct Pending {
    pub(super) content: Content,
    /// As [`Heads::begin`](response::Heads::begin) leaves it.
    pub(super) head: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) persistence: Persistence,
    pub(super) to_head: bool,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The first byte of a request.
    Idle,
    /// The rest of a head, or of the PROXY header before the first one.
    Head,
    /// The rest of content.
    Content,
}

impl State {
    /// What the connection waits for.
    pub fn waiting(&self) -> Waiting {
        match self {
            State::Idle => Waiting::Idle,
            State::Head(_) | State::Proxy => Waiting::Head,
            State::Content(_) => Waiting::Content,
        }
    }

    /// Whether the request at the start of `input`, or the one whose content this is, is a HEAD: then no content is sent back.
    pub(super) fn is_to_head(&self, input: &[u8]) -> bool {
        match self {
            State::Idle | State::Head(_) => input[request::leading_lines(input)..].starts_with(b"HEAD "),
            State::Content(pending) => pending.to_head,
            State::Proxy => false,
        }
    }
}

impl Pending {
    /// Appends the answer.
    pub(super) fn finish(&self, persistence: Persistence, output: &mut Vec<u8>) {
        output.extend_from_slice(&self.head);
        output.extend_from_slice(response::end(persistence));
        output.extend_from_slice(&self.body);
    }
}
