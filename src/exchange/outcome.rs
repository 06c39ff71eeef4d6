//! What a call of the exchange comes to.

use crate::client::proxy_protocol::Malformed;
use std::fmt;

/// What is to be done after the output went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read more; what was not consumed is the start of it.
    Read,
    /// Call again with what was not consumed: there was more to answer than one output holds.
    Again,
    /// Find the reply to the state's question, and tell it to [`Service::reply`](super::Service::reply); read nothing until then.
    Wait,
    /// Close without an answer: the PROXY header is malformed, or its sender is not trusted.
    Abort(ProxyFault),
    /// Close. `linger`: the client may still be sending, so read and drop that first, or the answer is reset away.
    Close {
        /// Something that the client sends is not read.
        linger: bool,
    },
}

/// Why a connection has no PROXY header that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// It is not well-formed.
    Malformed(Malformed),
    /// Its sender is not in the trust list.
    Untrusted,
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyFault::Malformed(malformed) => malformed.fmt(formatter),
            ProxyFault::Untrusted => formatter.write_str("its sender is not a --trusted-proxy"),
        }
    }
}

/// What the operator is told about a peer: once per start, or now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An untrusted peer sends a forwarding field.
    Untrusted,
    /// A trusted peer sends no forwarding field.
    FieldMissing,
    /// A trusted peer sends a forwarding field whose last entry is not an address.
    FieldUnreadable,
    /// A PROXY header came where none is taken.
    ProxyHeader,
}

/// What a call did with its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// The bytes of the input that are done with.
    pub consumed: usize,
    /// At least one request was answered.
    pub answered: bool,
    /// The bytes of all answers, with the content that was made for HEAD and is not sent: a measure of the time that they took.
    pub work: usize,
    /// What is to be done.
    pub next: Next,
}

/// What has arrived after a request whose reply was awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Nothing.
    Nothing,
    /// Perhaps something, in the socket. Known only while [stopping](super::Service::is_draining), when it counts.
    InSocket,
    /// Input that was read before the wait, and is kept.
    Kept,
}
