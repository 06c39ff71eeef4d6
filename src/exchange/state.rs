//! Where a connection stands between two calls of the exchange, and what it waits for.

use crate::client::Client;
use crate::http::Method;
use crate::http::content::Content;
use crate::http::request::Persistence;
use crate::http::scan::Scan;
use crate::resource::{Lookup, Question, Resource, ResponseHead};

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
    /// Inside content; the answer is made, or its look-up known, and waits for its end.
    Content(Box<Pending>),
    /// A reply is awaited.
    Waiting(Box<Asked>),
}

/// An answer that waits for the end of its request's content.
#[derive(Debug)]
pub struct Pending {
    pub(super) content: Content,
    pub(super) kept: Kept,
    pub(super) answer: Prepared,
}

/// What is answered when the content has come.
#[derive(Debug)]
pub(super) enum Prepared {
    /// This.
    Content(ResponseHead, Vec<u8>),
    /// What comes of this.
    Lookup(Lookup),
}

/// An answer that waits for a reply.
#[derive(Debug)]
pub struct Asked {
    pub(super) kept: Kept,
    pub(super) lookup: Lookup,
    /// Not all of the request's content was read.
    pub(super) linger: bool,
}

/// What is kept of a request that is answered later.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub resource: Resource,
    pub method: Method,
    /// As much of the request's head as whoever looks at the answer wants.
    pub sent: Box<[u8]>,
    pub client: Client,
    pub persistence: Persistence,
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
    /// The reply to the [question](State::question).
    Reply,
}

impl State {
    /// What the connection waits for.
    pub fn waiting(&self) -> Waiting {
        match self {
            State::Idle => Waiting::Idle,
            // Empty lines before a request are none of it (RFC 9112 §2.2).
            State::Head(scan) if !scan.has_begun() => Waiting::Idle,
            State::Head(_) | State::Proxy => Waiting::Head,
            State::Content(_) => Waiting::Content,
            State::Waiting(_) => Waiting::Reply,
        }
    }

    /// The question whose reply is awaited.
    pub fn question(&self) -> Option<Question> {
        match self {
            State::Waiting(asked) => Some(asked.lookup.question),
            _ => None,
        }
    }
}
