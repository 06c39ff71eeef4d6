//! The bytes of DNS (RFC 1035), as much of them as finds the name of an address: a question out, the reply to it in. No sockets and
//! no clock.
//!
//! A reply is whatever someone sent: it is read strictly, and what is malformed anywhere in it answers nothing.

mod message;
mod name;

pub use message::{QUERY_MAX, REPLY_MAX, Records, query, read};
pub use name::{NAME_MAX, Name};

/// A record's type (RFC 1035 §3.2.2, RFC 3596 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// An IPv4 address.
    A = 1,
    /// The name that this alias stands for.
    Cname = 5,
    /// A name: an address's own, if asked for [`Name::of_address`].
    Ptr = 12,
    /// An IPv6 address.
    Aaaa = 28,
}

/// What is asked: these records of this name, in the class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of which name.
    pub name: Name,
    /// Which records.
    pub kind: Kind,
}
