//! Who is asking: the address rule.
//!
//! The peer is the other end of the connection, or the address in a PROXY header. The client is the peer or, if the peer is a trusted
//! proxy, the last hop that a trusted proxy saw. Knows request fields, but no sockets or routes.
//!
//! ```text
//! X-Forwarded-For: 6.6.6.6, 203.0.113.9       written by the client, then by 10.0.0.2
//! X-Forwarded-For: 10.0.0.2                   written by the peer, 10.0.0.1
//!
//! trusted: 10.0.0.0/8      peer 10.0.0.1 ─▶ 10.0.0.2 ─▶ 203.0.113.9: the client.  6.6.6.6 is never looked at.
//! ```
//!
//! Only what a trusted proxy wrote counts, and proxies write at the right end. So the walk begins there, and the first address that is
//! not a trusted proxy's is the client.

mod forwarded;
mod forwarding;
mod node;
pub mod proxy_protocol;
pub mod trust;

use crate::http::{Field, field};
use node::Node;
use proxy_protocol::Header;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;

pub use forwarding::{ForwardingField, NotAFieldName};
pub use trust::TrustList;

/// The other end of a connection: the socket's, or the one a PROXY header names. Addresses are canonical: an IPv4-mapped
/// IPv6 address is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `None` if the PROXY header gives no address.
    pub address: Option<IpAddr>,
    /// `None` if the address is not known.
    pub port: Option<u16>,
    /// What it is to this server.
    pub role: Role,
    /// A request from here may reveal a mistake in the setup, and none has been checked yet; see [`Rule::mistake`].
    pub watched: bool,
    /// The proxy whose PROXY header named it, by its number; see [`Rule::proxy`]. A number, because a connection keeps it.
    pub via: Option<NonZeroU8>,
}

/// What a peer is to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It asks for itself.
    Client,
    /// It is in the trust list and asks for others: its forwarding field is read.
    Proxy,
    /// It is in the trust list and asks for itself (PROXY `LOCAL`): a forwarding field would be another's, and is not read.
    Local,
    /// It has come to a listener for monitoring: what it asks is answered there, and is no client's request.
    Monitor,
}

impl Peer {
    /// The peer when the PROXY header gives no address.
    const UNKNOWN: Peer = Peer { address: None, port: None, role: Role::Client, watched: false, via: None };

    /// Whether it is in the trust list.
    pub fn is_trusted(&self) -> bool {
        matches!(self.role, Role::Proxy | Role::Local)
    }

    /// Whether it asks for others, so that its forwarding field is read.
    pub fn relays(&self) -> bool {
        self.role == Role::Proxy
    }
}

/// The client, as the address rule found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// `None` if there is no telling (PROXY `UNKNOWN`).
    pub address: Option<IpAddr>,
    /// The client's own port, if known. Never a proxy's.
    pub port: Option<u16>,
    /// The scheme of the client's request, if a trusted proxy said so.
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

impl Scheme {
    /// In lower case.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn parse(name: &[u8]) -> Option<Scheme> {
        [Scheme::Http, Scheme::Https].into_iter().find(|scheme| name.eq_ignore_ascii_case(scheme.name().as_bytes()))
    }
}

/// The most entries of the forwarding field that are walked, and shown by `/explain`. No real chain of proxies is longer, but a client
/// can write 1,600 entries into one head. After this many the walk ends at the last good hop, as at an invalid entry.
pub const HOPS_MAX: usize = 64;

/// How the client is found: which peers are trusted, and which one field of theirs is read.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    trusted: TrustList,
    field: ForwardingField,
    /// The proxies that have sent PROXY headers, for `/explain`; at most 255. A proxy's number is its index plus 1.
    proxies: Vec<IpAddr>,
}

/// A mistake in the setup of this server or the proxies in front of it, as a request reveals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake<'b> {
    /// A forwarding field came from a peer that is not trusted.
    Untrusted {
        /// The peer's address.
        address: IpAddr,
        /// The field's name, as it was sent.
        field: &'b str,
    },
    /// A trusted peer sent no forwarding field, or an empty one.
    Missing,
    /// A trusted peer sent one whose last entry is not an address.
    Unreadable,
    /// The client's address is in the trust list, or only proxies are named.
    Inside,
}

/// What the walk found for one entry of the forwarding field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Inside the trust list: skipped.
    Trusted,
    /// This is the client.
    Client,
    /// Left of the client: it may be forged.
    Ignored,
    /// Not an address: the walk ended at the hop right of it.
    Invalid,
}

impl Verdict {
    /// As `/explain` says it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Trusted => "trusted",
            Verdict::Client => "client",
            Verdict::Ignored => "ignored",
            Verdict::Invalid => "invalid",
        }
    }
}

/// One entry of the forwarding field, for `/explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop<'a> {
    /// The entry as sent.
    pub raw: &'a [u8],
    /// The address in it.
    pub address: Option<IpAddr>,
    /// The walk's verdict.
    pub verdict: Verdict,
}

/// What [`Rule::explain`] found besides the hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained<'b> {
    /// The number of entries before those that were shown.
    pub more: usize,
    /// As [`Rule::mistake`].
    pub mistake: Option<Mistake<'b>>,
}

impl Rule {
    /// The rule that trusts these proxies, and reads this one field of theirs.
    pub fn new(trusted: TrustList, field: ForwardingField) -> Rule {
        Rule { trusted, field, proxies: Vec::new() }
    }

    /// The peer at the other end of a socket. Called once for each connection.
    pub fn peer(&self, socket: SocketAddr) -> Peer {
        let address = socket.ip().to_canonical();
        let role = if self.trusts(address) { Role::Proxy } else { Role::Client };
        // If no proxy is trusted, any peer that sends a forwarding field may be one. Otherwise strangers are expected to forge some.
        let watched = role == Role::Proxy || self.trusted.is_empty() || trust::is_local(address);
        Peer { address: Some(address), port: node::known(socket.port()), role, watched, via: None }
    }

    /// The peer at the other end of a connection to a listener for monitoring. Nobody relays to it, so nobody is trusted.
    pub fn monitor(&self, socket: SocketAddr) -> Peer {
        Peer { role: Role::Monitor, watched: false, ..self.peer(socket) }
    }

    /// The peer that a PROXY header from `socket` names. `None` if `socket` is not trusted: close the connection. `LOCAL` changes no
    /// address, so anybody on this machine may send it: `swagip healthcheck` does.
    pub fn proxied(&mut self, socket: &Peer, header: Header) -> Option<Peer> {
        match header {
            Header::Local => {
                let from_here = socket.address.is_some_and(|address| address.is_loopback());
                let role = if socket.is_trusted() { Role::Local } else { socket.role };
                (socket.is_trusted() || from_here).then_some(Peer { role, watched: false, ..*socket })
            }
            _ if !socket.is_trusted() => None,
            Header::Unknown => Some(Peer { via: self.number(socket), ..Peer::UNKNOWN }),
            Header::Source(source) => Some(Peer { via: self.number(socket), ..self.peer(source) }),
        }
    }

    /// The number of a proxy, from 1. `None` if there are more proxies than numbers: then `/explain` doesn't name it.
    fn number(&mut self, socket: &Peer) -> Option<NonZeroU8> {
        let proxy = socket.address?;
        let known = self.proxies.iter().position(|&other| other == proxy);
        let number = NonZeroU8::new(u8::try_from(known.unwrap_or(self.proxies.len()) + 1).ok()?)?;
        if known.is_none() {
            self.proxies.push(proxy);
        }
        Some(number)
    }

    /// The proxy whose PROXY header named this peer, if one did.
    pub fn proxy(&self, peer: &Peer) -> Option<IpAddr> {
        self.proxies.get(usize::from(peer.via?.get()) - 1).copied()
    }

    /// The client of a request with these fields. Does not allocate; one comparison if the peer is not trusted.
    pub fn client(&self, peer: &Peer, fields: &[Field<'_>]) -> Client {
        match peer.relays() {
            false => Client { address: peer.address, port: peer.port, scheme: None },
            true => self.relayed(peer, fields),
        }
    }

    /// The client of a request that a trusted peer relays.
    #[inline(never)] // 24 instructions of a request that is not relayed.
    fn relayed(&self, peer: &Peer, fields: &[Field<'_>]) -> Client {
        let walk = self.walk(fields);
        let scheme = match self.field {
            ForwardingField::Forwarded => walk.client.and_then(|found| found.scheme),
            ForwardingField::List(_) => forwarded_scheme(fields),
        };
        match walk.client {
            Some(Found { node, .. }) => Client { address: Some(node.address), port: node.port, scheme },
            // The peer relays a client that it does not name, so the peer's port is not the client's.
            None if self.lines(fields).next().is_some() => Client { address: peer.address, port: None, scheme },
            // The peer itself asks, as a health check does.
            None => Client { address: peer.address, port: peer.port, scheme },
        }
    }

    /// Calls `each` for the last [`HOPS_MAX`] entries of the forwarding field in the order received, with the verdict of
    /// [`Rule::client`]; for none if the peer is not trusted.
    pub fn explain<'b>(&self, peer: &Peer, fields: &[Field<'b>], mut each: impl FnMut(Hop<'b>)) -> Explained<'b> {
        if !peer.relays() {
            return Explained { more: 0, mistake: self.mistake(peer, fields) };
        }
        let mut entries = self.entries(fields);
        // Read each only once: an entry may be 16 KiB long.
        let mut shown = [(&b""[..], None); HOPS_MAX];
        let mut count = 0;
        for (place, raw) in shown.iter_mut().zip(entries.by_ref()) {
            *place = (raw, self.field.hop(raw));
            count += 1;
        }
        let walk = self.walk_over(shown[..count].iter().map(|&(_, hop)| hop));
        for (index, &(raw, hop)) in shown[..count].iter().enumerate().rev() {
            each(Hop { raw, address: hop.map(|(node, _)| node.address), verdict: walk.verdict(index) });
        }
        Explained { more: entries.count(), mistake: self.mistake_of(&walk) }
    }

    /// Whether this is the address of a trusted proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.contains(address)
    }

    /// The name of the one field that is read, in lower case.
    pub fn field_name(&self) -> &str {
        self.field.name()
    }

    /// The mistake in the setup that this request reveals, if any.
    pub fn mistake<'b>(&self, peer: &Peer, fields: &[Field<'b>]) -> Option<Mistake<'b>> {
        let address = peer.address?;
        if !peer.is_trusted() {
            return self.forwarding_field(fields).map(|field| Mistake::Untrusted { address, field });
        }
        if peer.relays() { self.mistake_of(&self.walk(fields)) } else { None }
    }

    /// The same for a trusted peer, after the walk.
    fn mistake_of<'b>(&self, walk: &Walk) -> Option<Mistake<'b>> {
        match walk.client {
            None if walk.invalid.is_some() => Some(Mistake::Unreadable),
            None => Some(Mistake::Missing),
            Some(found) if self.trusts(found.node.address) => Some(Mistake::Inside),
            Some(_) => None,
        }
    }

    /// The first field of a request in which proxies forward addresses, the one that is read or another.
    fn forwarding_field<'b>(&self, fields: &[Field<'b>]) -> Option<&'b str> {
        let is_forwarding = |name: &&str| {
            FORWARDING_FIELDS.iter().copied().chain([self.field.name()]).any(|other| name.eq_ignore_ascii_case(other))
        };
        fields.iter().map(|field| field.name).find(is_forwarding)
    }

    /// From right to left: over trusted hops, to the first one that is not trusted or not an address, or [`HOPS_MAX`] hops.
    fn walk(&self, fields: &[Field<'_>]) -> Walk {
        self.walk_over(self.entries(fields).map(|entry| self.field.hop(entry)))
    }

    /// The same for entries that are read already, or are read lazily.
    fn walk_over(&self, hops: impl Iterator<Item = Option<(Node, Option<Scheme>)>>) -> Walk {
        let mut walk = Walk::default();
        for (index, hop) in hops.take(HOPS_MAX).enumerate() {
            let Some((node, scheme)) = hop else {
                walk.invalid = Some(index);
                break;
            };
            walk.client = Some(Found { index, node, scheme });
            if !self.trusts(node.address) {
                break;
            }
        }
        walk
    }

    /// The entries of the forwarding field, the last first.
    fn entries<'f, 'b>(&'f self, fields: &'f [Field<'b>]) -> impl Iterator<Item = &'b [u8]> {
        self.lines(fields).rev().flat_map(|line| self.field.entries(line))
    }

    fn lines<'f, 'b>(&'f self, fields: &'f [Field<'b>]) -> impl DoubleEndedIterator<Item = &'b [u8]> {
        field::values(fields, self.field.name().as_bytes())
    }
}

/// How far a walk got. Entries are counted from the right.
#[derive(Clone, Copy, Default)]
struct Walk {
    /// The last good hop; `None` if the walk ended at the peer.
    client: Option<Found>,
    /// The entry that ended the walk, if it was not an address.
    invalid: Option<usize>,
}

#[derive(Clone, Copy)]
struct Found {
    index: usize,
    node: Node,
    scheme: Option<Scheme>,
}

impl Walk {
    fn verdict(&self, index: usize) -> Verdict {
        match self.client {
            Some(client) if index < client.index => Verdict::Trusted,
            Some(client) if index == client.index => Verdict::Client,
            _ if Some(index) == self.invalid => Verdict::Invalid,
            _ => Verdict::Ignored,
        }
    }
}

/// The fields in which common proxies, load balancers and CDNs forward a client's address.
const FORWARDING_FIELDS: [&str; 9] = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "x-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "x-envoy-external-address",
];

/// The last value of X-Forwarded-Proto, which has no specification: a proxy either appends to it or overwrites it.
fn forwarded_scheme(fields: &[Field<'_>]) -> Option<Scheme> {
    let last = field::values(fields, b"x-forwarded-proto").rev().find_map(|line| field::elements(line).next_back())?;
    Scheme::parse(last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
