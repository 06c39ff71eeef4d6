//! Who asks: the address rule.
//!
//! The peer is whoever holds the other end of the connection, or whom a PROXY header names. The client is the peer, or, where
//! the peer is a trusted proxy, the last hop that a trusted proxy saw. Knows request fields, nothing of sockets or routes.
//!
//! ```text
//! X-Forwarded-For: 6.6.6.6, 203.0.113.9       written by the client, then by 10.0.0.2
//! X-Forwarded-For: 10.0.0.2                   written by the peer, 10.0.0.1
//!
//! trusted: 10.0.0.0/8      peer 10.0.0.1 ─▶ 10.0.0.2 ─▶ 203.0.113.9: the client.  6.6.6.6 is never looked at.
//! ```
//!
//! Only what a trusted proxy wrote counts, and proxies write at the right end: so the walk begins there, and the first address
//! that is not a proxy's own is the last thing that anybody trustworthy saw.

mod forwarded;
mod forwarding;
mod node;
pub mod proxy_protocol;
pub mod trust;

use crate::http::{Field, field};
use node::Node;
use proxy_protocol::Header;
use std::net::{IpAddr, SocketAddr};

pub use forwarding::{ForwardingField, NotAFieldName};
pub use trust::TrustList;

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

impl Peer {
    /// Whom a PROXY header does not name.
    const UNKNOWN: Peer = Peer { address: None, port: None, trusted: false, suspicious: false };
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

/// What decides who the client is: which peers are believed, and which one field of theirs is read.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    trusted: TrustList,
    field: ForwardingField,
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
    /// As it was sent.
    pub raw: &'a [u8],
    /// What it was read as.
    pub address: Option<IpAddr>,
    /// What came of it.
    pub verdict: Verdict,
}

impl Rule {
    /// The rule that believes these proxies, and reads this one field of theirs.
    pub fn new(trusted: TrustList, field: ForwardingField) -> Rule {
        Rule { trusted, field }
    }

    /// The peer at the socket's other end. Called once a connection.
    pub fn peer(&self, socket: SocketAddr) -> Peer {
        let address = socket.ip().to_canonical();
        let trusted = self.trusts(address);
        let suspicious = !trusted && trust::is_local(address);
        Peer { address: Some(address), port: node::known(socket.port()), trusted, suspicious }
    }

    /// The peer that a PROXY header names, where `socket` holds the other end. `None` where that one is not trusted, and the
    /// connection is to be closed. `LOCAL` changes no address, so anybody on this machine may say it: `swagip healthcheck` does.
    pub fn proxied(&self, socket: &Peer, header: Header) -> Option<Peer> {
        match header {
            Header::Local => {
                let from_here = socket.address.is_some_and(|address| address.is_loopback());
                (socket.trusted || from_here).then_some(*socket)
            }
            Header::Unknown => socket.trusted.then_some(Peer::UNKNOWN),
            Header::Source(source) => socket.trusted.then(|| self.peer(source)),
        }
    }

    /// The client of a request with these fields. Does not allocate; one comparison where the peer is not trusted.
    #[inline]
    pub fn client(&self, peer: &Peer, fields: &[Field<'_>]) -> Client {
        match peer.trusted {
            false => Client { address: peer.address, port: peer.port, scheme: None },
            true => self.relayed(peer, fields),
        }
    }

    /// The client for whom a trusted peer sends these fields.
    #[inline(never)]
    fn relayed(&self, peer: &Peer, fields: &[Field<'_>]) -> Client {
        let walk = self.walk(fields);
        let scheme = match self.field {
            ForwardingField::Forwarded => walk.client.and_then(|found| found.scheme),
            ForwardingField::List(_) => forwarded_scheme(fields),
        };
        match walk.client {
            Some(Found { node, .. }) => Client { address: Some(node.address), port: node.port, scheme },
            // The peer relays somebody whom it does not name: its port is not that one's.
            None if self.lines(fields).next().is_some() => Client { address: peer.address, port: None, scheme },
            // The peer asks for itself, as a health check does.
            None => Client { address: peer.address, port: peer.port, scheme },
        }
    }

    /// Calls `each` for every entry of the forwarding field in the order received, with what [`Rule::client`] made of it; for
    /// none where the peer is not trusted.
    pub fn explain<'b>(&self, peer: &Peer, fields: &[Field<'b>], mut each: impl FnMut(Hop<'b>)) {
        if !peer.trusted {
            return;
        }
        let walk = self.walk(fields);
        let entries: Vec<_> = self.entries(fields).collect();
        for (index, raw) in entries.into_iter().enumerate().rev() {
            let address = self.field.hop(raw).map(|(node, _)| node.address);
            each(Hop { raw, address, verdict: walk.verdict(index) });
        }
    }

    /// Whether the address is one of a proxy that is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.contains(address)
    }

    /// The name of the one field that is read, in lower case.
    pub fn field_name(&self) -> &str {
        self.field.name()
    }

    /// Whether the request has any field in which proxies forward addresses, the one that is read or another. From a
    /// [suspicious](Peer::suspicious) peer that is worth a warning.
    pub fn has_forwarding_field(&self, fields: &[Field<'_>]) -> bool {
        let names = FORWARDING_FIELDS.iter().copied().chain([self.field.name()]);
        fields.iter().any(|field| names.clone().any(|name| field.name.eq_ignore_ascii_case(name)))
    }

    /// From the right to the left: over trusted hops, to the first that is not, or that is no address.
    fn walk(&self, fields: &[Field<'_>]) -> Walk {
        let mut walk = Walk::default();
        for (index, entry) in self.entries(fields).enumerate() {
            let Some((node, scheme)) = self.field.hop(entry) else {
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

/// How far a walk came. Entries are counted from the right.
#[derive(Clone, Copy, Default)]
struct Walk {
    /// The last good hop; none where the walk ended at the peer.
    client: Option<Found>,
    /// What ended the walk, where that was no address.
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

/// The fields in which the usual proxies, balancers and networks in front of them forward a client's address.
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

/// The last value of X-Forwarded-Proto, which has no specification: each proxy appends its own or overwrites the others.
fn forwarded_scheme(fields: &[Field<'_>]) -> Option<Scheme> {
    let last = field::values(fields, b"x-forwarded-proto").rev().find_map(|line| field::elements(line).last())?;
    Scheme::parse(last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TRUSTED: [&str; 3] = ["10.0.0.0/8", "2001:db8:a::/48", "192.0.2.1"];

    fn rule(field: &str) -> Rule {
        Rule::new(TrustList::parse(TRUSTED).unwrap(), field.parse().unwrap())
    }

    fn fields<'b>(lines: &[(&'b str, &'b str)]) -> Vec<Field<'b>> {
        lines.iter().map(|&(name, value)| Field { name, value: value.as_bytes() }).collect()
    }

    /// `address port scheme` of the client, `-` for what is not known.
    fn shown(client: Client) -> String {
        let or_dash = |text: Option<String>| text.unwrap_or("-".to_owned());
        let (address, port) = (client.address.map(|ip| ip.to_string()), client.port.map(|port| port.to_string()));
        format!("{} {} {}", or_dash(address), or_dash(port), client.scheme.map_or("-", Scheme::name))
    }

    /// One letter for each hop, in the order received.
    fn verdicts(rule: &Rule, peer: &Peer, fields: &[Field<'_>]) -> String {
        let mut letters = String::new();
        rule.explain(peer, fields, |hop| letters.push_str(&hop.verdict.name()[..2]));
        letters
    }

    #[track_caller]
    fn row(field: &str, peer: &str, lines: &[(&str, &str)], client: &str, hops: &str) {
        let rule = rule(field);
        let peer = rule.peer(peer.parse().unwrap());
        let fields = fields(lines);
        assert_eq!(shown(rule.client(&peer, &fields)), client, "{lines:?}");
        assert_eq!(verdicts(&rule, &peer, &fields), hops, "{lines:?}");
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        let everything = [
            ("X-Forwarded-For", "6.6.6.6"),
            ("Forwarded", "for=6.6.6.6;proto=https"),
            ("X-Real-IP", "6.6.6.6"),
            ("X-Forwarded-Proto", "https"),
        ];
        for field in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            row(field, "203.0.113.9:54321", &everything, "203.0.113.9 54321 -", "");
            row(field, "[::ffff:203.0.113.9]:54321", &everything, "203.0.113.9 54321 -", "");
            row(field, "[2001:db8:b::9]:1", &[], "2001:db8:b::9 1 -", "");
        }
    }

    #[test]
    fn the_last_hop_that_a_trusted_proxy_saw() {
        for (values, client, hops) in [
            (&["203.0.113.9"][..], "203.0.113.9 - -", "cl"),
            (&["203.0.113.9:54321"], "203.0.113.9 54321 -", "cl"),
            (&["[2001:db8:b::9]:54321"], "2001:db8:b::9 54321 -", "cl"),
            (&["::ffff:203.0.113.9"], "203.0.113.9 - -", "cl"),
            (&["fe80::9%eth0"], "fe80::9 - -", "cl"),
            // What a client made up stands left of what the proxy saw, on the same line or another.
            (&["6.6.6.6, 203.0.113.9"], "203.0.113.9 - -", "igcl"),
            (&["6.6.6.6", "203.0.113.9"], "203.0.113.9 - -", "igcl"),
            (&["6.6.6.6, 7.7.7.7", "", "203.0.113.9"], "203.0.113.9 - -", "igigcl"),
            (&["garbage", "203.0.113.9"], "203.0.113.9 - -", "igcl"),
            (&["10.0.0.9, 203.0.113.9"], "203.0.113.9 - -", "igcl"),
            (&["\"", "203.0.113.9"], "203.0.113.9 - -", "igcl"),
            // A chain of proxies, in every spelling.
            (
                &["6.6.6.6, 203.0.113.9:54321, 10.0.0.2:8080", "::ffff:10.0.0.3,[2001:db8:a::1]:1"],
                "203.0.113.9 54321 -",
                "igcltrtrtr",
            ),
            (&["203.0.113.9,,192.0.2.1 ,\t"], "203.0.113.9 - -", "cltr"),
            (&["203.0.113.9", "192.0.2.2", "192.0.2.1"], "192.0.2.2 - -", "igcltr"),
            // All of them trusted: the leftmost.
            (&["10.0.0.9:54321, 10.0.0.2", "10.0.0.3"], "10.0.0.9 54321 -", "cltrtr"),
            // What is no address ends the walk at the last good hop.
            (&["203.0.113.9, unknown, 10.0.0.2:80, 10.0.0.3:81"], "10.0.0.2 80 -", "igincltr"),
            (&["203.0.113.9, unknown, _hidden, 10.0.0.2"], "10.0.0.2 - -", "igigincl"),
            // At the peer, whose port is no client's.
            (&["203.0.113.9, unknown"], "10.0.0.1 - -", "igin"),
            (&["203.0.113.9", "10.0.0.2 10.0.0.3"], "10.0.0.1 - -", "igin"),
            (&[""], "10.0.0.1 - -", ""),
            (&[" ,, ,"], "10.0.0.1 - -", ""),
            (&[], "10.0.0.1 40000 -", ""),
        ] {
            let lines: Vec<_> = values.iter().map(|&value| ("X-FORWARDED-for", value)).collect();
            row("x-forwarded-for", "10.0.0.1:40000", &lines, client, hops);
            row("x-forwarded-for", "[::ffff:10.0.0.1]:40000", &lines, client, hops);
        }
    }

    #[test]
    fn only_the_one_field_is_read() {
        let lines = [
            ("X-Forwarded-For", "6.6.6.6"),
            ("X_Real_IP", "6.6.6.6"),
            ("X-Real-IP", "203.0.113.9"),
            ("Forwarded", "for=198.51.100.7;proto=https"),
        ];
        row("x-real-ip", "10.0.0.1:40000", &lines, "203.0.113.9 - -", "cl");
        row("forwarded", "10.0.0.1:40000", &lines, "198.51.100.7 - https", "cl");
        row("cf-connecting-ip", "10.0.0.1:40000", &lines, "10.0.0.1 40000 -", "");
    }

    #[test]
    fn forwarded_elements() {
        for (values, client, hops) in [
            (&["for=203.0.113.9;proto=https"][..], "203.0.113.9 - https", "cl"),
            (&["proto=http;For=\"203.0.113.9:54321\""], "203.0.113.9 54321 http", "cl"),
            (&["for=6.6.6.6;proto=https, for=203.0.113.9"], "203.0.113.9 - -", "igcl"),
            (&["for=203.0.113.9;proto=https, for=10.0.0.2;proto=http"], "203.0.113.9 - https", "cltr"),
            (&["for=\"[2001:db8:b::9]:1\";host=\"a,b\"", "for=\"[2001:db8:a::2]\""], "2001:db8:b::9 1 -", "cltr"),
            // A quote that a client left open must not swallow what the proxy added.
            (&["for=\"6.6.6.6", "for=203.0.113.9"], "203.0.113.9 - -", "igcl"),
            (&["for=6.6.6.6;x=\", for=203.0.113.9"], "10.0.0.1 - -", "in"),
            (&["for=6.6.6.6, for=\", for=203.0.113.9", "for=10.0.0.2"], "10.0.0.2 - -", "incl"),
            (&["for=203.0.113.9, by=10.0.0.2;proto=https"], "10.0.0.1 - -", "igin"),
            (&["for=203.0.113.9, for=unknown;proto=https, for=10.0.0.2"], "10.0.0.2 - -", "igincl"),
            (&["for=203.0.113.9;for=6.6.6.6"], "10.0.0.1 - -", "in"),
            (&["203.0.113.9"], "10.0.0.1 - -", "in"),
            (&["", " , "], "10.0.0.1 - -", ""),
            (&[], "10.0.0.1 40000 -", ""),
        ] {
            let mut lines: Vec<_> = values.iter().map(|&value| ("forwarded", value)).collect();
            row("Forwarded", "10.0.0.1:40000", &lines, client, hops);
            lines.push(("X-Forwarded-Proto", "https"));
            row("Forwarded", "10.0.0.1:40000", &lines, client, hops);
        }
    }

    #[test]
    fn the_scheme_is_the_last_value_of_x_forwarded_proto() {
        for (values, scheme) in [
            (&[][..], "-"),
            (&["https"], "https"),
            (&["HTTP"], "http"),
            (&["http, https"], "https"),
            (&["https", "http"], "http"),
            (&["https,", ""], "https"),
            (&["https", "ws"], "-"),
            (&["httpss"], "-"),
        ] {
            let mut lines: Vec<_> = values.iter().map(|&value| ("x-forwarded-PROTO", value)).collect();
            row("x-real-ip", "10.0.0.1:40000", &lines, &format!("10.0.0.1 40000 {scheme}"), "");
            lines.push(("X-Real-IP", "203.0.113.9"));
            row("x-real-ip", "10.0.0.1:40000", &lines, &format!("203.0.113.9 - {scheme}"), "cl");
        }
    }

    #[test]
    fn hops_are_explained_as_they_were_sent_and_read() {
        let rule = rule("x-forwarded-for");
        let peer = rule.peer("10.0.0.1:40000".parse().unwrap());
        let mut hops = Vec::new();
        rule.explain(&peer, &fields(&[("x-forwarded-for", "nobody, [2001:DB8::1]:80 ,::ffff:10.0.0.2")]), |hop| hops.push(hop));
        let hop = |raw: &'static str, address: &str, verdict| Hop { raw: raw.as_bytes(), address: address.parse().ok(), verdict };
        assert_eq!(
            hops,
            [
                hop("nobody", "", Verdict::Ignored),
                hop("[2001:DB8::1]:80", "2001:db8::1", Verdict::Client),
                hop("::ffff:10.0.0.2", "10.0.0.2", Verdict::Trusted)
            ]
        );
    }

    #[test]
    fn peers() {
        let rule = rule("forwarded");
        for (socket, address, port, trusted, suspicious) in [
            ("203.0.113.9:1", "203.0.113.9", Some(1), false, false),
            ("[::ffff:10.0.0.1]:2", "10.0.0.1", Some(2), true, false),
            ("192.168.0.1:3", "192.168.0.1", Some(3), false, true),
            ("[::1]:4", "::1", Some(4), false, true),
            ("203.0.113.9:0", "203.0.113.9", None, false, false),
        ] {
            let peer = Peer { address: address.parse().ok(), port, trusted, suspicious };
            assert_eq!(rule.peer(socket.parse().unwrap()), peer);
        }
    }

    #[test]
    fn proxied_peers() {
        let rule = rule("x-forwarded-for");
        let source = |text: &str| Header::Source(text.parse().unwrap());
        let (trusted, stranger, here) = ("10.0.0.1:1", "203.0.113.1:1", "127.0.0.1:1");
        for (socket, header, peer) in [
            (trusted, source("203.0.113.9:54321"), Some(("203.0.113.9", Some(54321), false))),
            (trusted, source("[::ffff:203.0.113.9]:54321"), Some(("203.0.113.9", Some(54321), false))),
            (trusted, source("203.0.113.9:0"), Some(("203.0.113.9", None, false))),
            (trusted, source("10.0.0.2:5"), Some(("10.0.0.2", Some(5), true))),
            (trusted, Header::Local, Some(("10.0.0.1", Some(1), true))),
            (trusted, Header::Unknown, Some(("", None, false))),
            (stranger, source("10.0.0.2:5"), None),
            (stranger, Header::Local, None),
            (stranger, Header::Unknown, None),
            (here, source("10.0.0.2:5"), None),
            (here, Header::Unknown, None),
            (here, Header::Local, Some(("127.0.0.1", Some(1), false))),
            ("[::1]:1", Header::Local, Some(("::1", Some(1), false))),
            ("[::ffff:127.0.0.1]:1", Header::Local, Some(("127.0.0.1", Some(1), false))),
        ] {
            let found = rule.proxied(&rule.peer(socket.parse().unwrap()), header);
            let found = found.map(|peer| (peer.address.map_or(String::new(), |ip| ip.to_string()), peer.port, peer.trusted));
            assert_eq!(found, peer.map(|(address, port, trusted)| (address.to_owned(), port, trusted)), "{socket} {header:?}");
        }
    }

    #[test]
    fn an_unknown_peer_has_no_client_and_no_field_is_read() {
        let rule = rule("x-forwarded-for");
        let peer = rule.proxied(&rule.peer("10.0.0.1:1".parse().unwrap()), Header::Unknown).unwrap();
        let fields = fields(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https")]);
        assert_eq!(shown(rule.client(&peer, &fields)), "- - -");
        assert_eq!(verdicts(&rule, &peer, &fields), "");
    }

    #[test]
    fn forwarding_fields_are_recognized() {
        for (field, name, forwarded) in [
            ("x-forwarded-for", "X-Forwarded-For", true),
            ("x-forwarded-for", "FORWARDED", true),
            ("forwarded", "cf-connecting-ip", true),
            ("x-my-ip", "X-My-IP", true),
            ("x-forwarded-for", "X-My-IP", false),
            ("x-forwarded-for", "X_Forwarded_For", false),
            ("x-forwarded-for", "X-Forwarded-Proto", false),
        ] {
            let fields = fields(&[("host", "a"), (name, "1")]);
            assert_eq!(rule(field).has_forwarding_field(&fields), forwarded, "{name}");
            assert!(!rule(field).has_forwarding_field(&fields[..1]));
        }
    }

    #[test]
    fn nobody_is_trusted_by_default() {
        let rule = Rule::default();
        assert_eq!(rule.field_name(), "x-forwarded-for");
        let peer = rule.peer("127.0.0.1:1".parse().unwrap());
        assert!(!peer.trusted && peer.suspicious);
    }
}
