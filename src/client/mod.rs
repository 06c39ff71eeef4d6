//! Who asks: the address rule.
//!
//! The peer is whoever holds the other end of the connection, or whom a PROXY header names. The client is the peer, or, where
//! the peer is a trusted proxy, the last hop that a trusted proxy saw. Knows request fields, nothing of sockets or routes.

use crate::http::Field;
use std::net::{IpAddr, SocketAddr};

/// The other end of a connection: the socket's, or the one a PROXY header names. Addresses are canonical: an IPv4-mapped
/// IPv6 address is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `None` where a PROXY header said that it does not know.
    pub address: Option<IpAddr>,
    /// `None` where the address is not known.
    pub port: Option<u16>,
    /// Inside the trust list: its forwarding field is read.
    pub trusted: bool,
    /// Not trusted, but in a private or loopback range: a forwarding field from here is most likely a missing `--trusted-proxy`.
    pub suspicious: bool,
}

/// Whom the answer is for, as the address rule decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// `None` where no one can tell (PROXY `UNKNOWN`).
    pub address: Option<IpAddr>,
    /// The client's own port; `None` where it is not known. Never a proxy's.
    pub port: Option<u16>,
    /// The scheme of the client's request, where a trusted proxy told.
    pub scheme: Option<Scheme>,
}

/// The scheme of a client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

/// What decides who the client is: which peers are believed, and which one field of theirs is read.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    // trusted: TrustList, field: …
}

/// What the walk made of one entry of the forwarding field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Inside the trust list: skipped.
    Trusted,
    /// This is the client.
    Client,
    /// Left of the client: anybody may have written it.
    Ignored,
    /// Not an address: the walk ended at the hop right of it.
    Invalid,
}

/// One entry of the forwarding field, for `/explain`.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// As it was sent.
    pub raw: &'a [u8],
    /// What it was read as.
    pub address: Option<IpAddr>,
    /// What came of it.
    pub verdict: Verdict,
}

impl Rule {
    /// The peer at the socket's other end. Called once a connection.
    pub fn peer(&self, socket: SocketAddr) -> Peer {
        Peer { address: Some(socket.ip().to_canonical()), port: Some(socket.port()), trusted: false, suspicious: false }
    }

    /// The client of a request with these fields. Does not allocate; one comparison where the peer is not trusted.
    pub fn client(&self, peer: &Peer, fields: &[Field<'_>]) -> Client {
        let _ = fields;
        Client { address: peer.address, port: peer.port, scheme: None }
    }

    /// Calls `each` for every entry of the forwarding field in the order received, with what [`Rule::client`] made of it.
    pub fn explain<'b>(&self, peer: &Peer, fields: &[Field<'b>], each: impl FnMut(Hop<'b>)) {
        let _ = (peer, fields, each);
    }
}
