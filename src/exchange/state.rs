//! Where a connection stands between two calls of the exchange, and what it waits for.

use crate::client::Client;
use crate::http::Method;
use crate::http::content::Content;
use crate::http::request::Persistence;
use crate::http::scan::Scan;
use crate::resource::{Name, ResponseHead};

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
    pub(super) name: Name,
    pub(super) head: ResponseHead,
    pub(super) body: Vec<u8>,
    pub(super) persistence: Persistence,
    pub(super) method: Method,
    pub(super) target: Box<[u8]>,
    pub(super) client: Client,
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
}
