//! What must hold for any input: each property against something naive, or against itself.
#![allow(clippy::unwrap_used)]

mod support;

use ipnet::IpNet;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use support::Answer;
use support::play::{Client, Pure};
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::exchange::{ProxyFault, State, Waiting};
use swagip::http::media::{MediaType, preferred};
use swagip::resource::{address, json};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

// Addresses and JSON strings.

fn addresses() -> impl Strategy<Value = IpAddr> {
    // Runs of zeros are what the text form of IPv6 shortens.
    let segment = prop_oneof![Just(0u16), any::<u16>(), 0..16u16];
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        proptest::array::uniform8(segment).prop_map(IpAddr::from),
        any::<[u8; 4]>().prop_map(|octets| Ipv4Addr::from(octets).to_ipv6_mapped().into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
    ]
}

/// As product.md has it: UTF-8 where it is valid, else Latin-1.
fn read(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).unwrap_or_else(|_| value.iter().map(|&byte| char::from(byte)).collect())
}

/// Bytes of which some are valid UTF-8 and some nearly.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text = vec(any::<char>(), 0..20).prop_map(|characters| characters.into_iter().collect::<String>().into_bytes());
    let nearly = (text.clone(), any::<Index>()).prop_map(|(mut text, at)| {
        text.truncate(at.index(text.len() + 1));
        text
    });
    prop_oneof![vec(any::<u8>(), 0..40), text, nearly]
}

/// Networks that overlap, touch and repeat each other, as text.
fn networks() -> impl Strategy<Value = Vec<String>> {
    let v4 = (any::<[u8; 4]>(), 0..=32u8).prop_map(|(address, length)| format!("{}/{length}", Ipv4Addr::from(address)));
    let near = (0..4u8, 28..=32u8).prop_map(|(octet, length)| format!("10.0.0.{}/{length}", octet * 20));
    let v6 = (any::<u128>(), 0..=128u8).prop_map(|(bits, length)| format!("{}/{length}", Ipv6Addr::from_bits(bits)));
    let mapped =
        (any::<[u8; 4]>(), 90..=128u8).prop_map(|(address, length)| format!("::ffff:{}/{length}", Ipv4Addr::from(address)));
    let any =
        prop_oneof![4 => near, 2 => v4, 2 => v6, 1 => mapped, 1 => select(&["loopback", "private"][..]).prop_map(str::to_owned)];
    vec(any, 0..40)
}

/// What the trust list is asked: the ends of its networks and what lies beside them, and anything else.
fn asked(entries: &[String], more: &[IpAddr]) -> Vec<IpAddr> {
    let ends = entries.iter().filter_map(|entry| entry.parse::<IpNet>().ok()).flat_map(|network| match network {
        IpNet::V4(network) => {
            let (first, last) = (network.network().to_bits(), network.broadcast().to_bits());
            [first.wrapping_sub(1), first, last, last.wrapping_add(1)].map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits)))
        }
        IpNet::V6(network) => {
            let (first, last) = (network.network().to_bits(), network.broadcast().to_bits());
            [first.wrapping_sub(1), first, last, last.wrapping_add(1)].map(|bits| IpAddr::from(Ipv6Addr::from_bits(bits)))
        }
    });
    ends.chain(more.iter().copied()).collect()
}

/// In words: any of its networks has it, where IPv4 is compared with IPv4.
fn naively_trusts(entries: &[String], address: IpAddr) -> bool {
    const LOOPBACK: &str = "127.0.0.0/8 ::1/128";
    const PRIVATE: &str = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16 fc00::/7 fe80::/10";
    let networks = entries.iter().flat_map(|entry| match entry.as_str() {
        "loopback" => LOOPBACK.split(' '),
        "private" => PRIVATE.split(' '),
        entry => entry.split(' '),
    });
    networks.map(|network| network.parse::<IpNet>().unwrap()).any(|network| match (network, address.to_canonical()) {
        (IpNet::V6(network), IpAddr::V4(address)) => network.prefix_len() >= 96 && network.contains(&address.to_ipv6_mapped()),
        (network, address) => network.contains(&address),
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_trust_list_has_what_any_of_its_networks_has(entries in networks(), more in vec(addresses(), 0..8)) {
        let list = TrustList::parse(entries.iter().map(String::as_str)).unwrap();
        for address in asked(&entries, &more) {
            prop_assert_eq!(list.contains(address), naively_trusts(&entries, address), "{}", address);
        }
    }

    #[test]
    fn addresses_are_written_as_std_writes_them(ip in addresses()) {
        let mut text = Vec::new();
        address::write(&mut text, &ip);
        prop_assert_eq!(String::from_utf8(text).unwrap(), ip.to_string());
        let mut decimal = Vec::new();
        address::write_decimal(&mut decimal, ip);
        let bits = match ip {
            IpAddr::V4(ip) => ip.to_bits().into(),
            IpAddr::V6(ip) => ip.to_bits(),
        };
        prop_assert_eq!(String::from_utf8(decimal).unwrap(), bits.to_string());
    }

    #[test]
    fn json_of_any_bytes_is_read_back_as_what_was_sent(value in bytes()) {
        let mut content = Vec::new();
        json::string(&mut content, &value);
        prop_assert_eq!(serde_json::from_slice::<String>(&content).unwrap(), read(&value));
    }
}

// The exchange, driven as net drives it.

/// All that can be told of what a connection was answered.
#[derive(Debug, PartialEq, Eq)]
struct Conversation {
    output: Shown,
    end: Option<End>,
    /// What the connection waits for if it was not closed, and what is answered to a FIN and to a timeout.
    waiting: Waiting,
    last_words: Shown,
    timeout: Shown,
}

/// How the server ended a connection. Whether it lingers depends on what has arrived, and so on the cuts.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Closed,
    Aborted(ProxyFault),
}

/// Bytes that a failed test shows as text.
#[derive(Clone, PartialEq, Eq)]
struct Shown(Vec<u8>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "\"{}\"", self.0.escape_ascii())
    }
}

/// What happens when these pieces arrive, one after the other.
fn converse(pieces: &[&[u8]]) -> Conversation {
    converse_from(State::default(), pieces)
}

/// The same from another state.
fn converse_from(state: State, pieces: &[&[u8]]) -> Conversation {
    let rule = Rule::new(TrustList::parse(["192.0.2.1"]).unwrap(), ForwardingField::default());
    let address = if matches!(state, State::Proxy) { [192, 0, 2, 1] } else { [203, 0, 113, 9] };
    let (mut pure, mut client) = (Pure::with(rule, address), Client { state, ..Client::default() });
    pieces.iter().for_each(|piece| pure.send(&mut client, piece));
    let output = std::mem::take(&mut client.answers);
    let end = client.closed.map(|_| client.fault.map_or(End::Closed, End::Aborted));
    let waiting = if end.is_some() { Waiting::Idle } else { client.state.waiting() };
    pure.end(&mut client);
    let last_words = std::mem::take(&mut client.answers);
    pure.expire(&mut client);
    Conversation { output: Shown(output), end, waiting, last_words: Shown(last_words), timeout: Shown(client.answers) }
}

fn cut<'i>(input: &'i [u8], cuts: &[Index]) -> Vec<&'i [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    places.sort_unstable();
    places.push(input.len());
    let mut start = 0;
    places.into_iter().map(|end| &input[std::mem::replace(&mut start, end)..end]).collect()
}

fn targets() -> impl Strategy<Value = String> {
    let any_target = vec((b'!'..=b'~').prop_filter("fragment", |&byte| byte != b'#'), 0..20);
    let any_target = any_target.prop_map(|bytes| format!("/{}", String::from_utf8(bytes).unwrap()));
    const KNOWN: [&str; 10] =
        ["/", "/ip", "/all", "/json", "/headers", "/x-a", "/a/b", "/robots.txt", "http://b:80/ip", "https://[::1]?a"];
    prop_oneof![any_target, select(&KNOWN[..]).prop_map(str::to_owned)]
}

const TOKEN: &[u8] = b"!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz";

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(select(TOKEN), 1..12), select(&["x-a", "X-A", "X-B", "x_a", "Dnt"][..]).prop_map(|name| name.into())]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    bytes().prop_map(|bytes| bytes.into_iter().filter(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)).collect())
}

/// Names that mean something to the server itself are not among the fields of any name.
fn fields() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    const MEANT: [&[u8]; 7] =
        [b"host", b"connection", b"expect", b"accept", b"content-length", b"transfer-encoding", b"sec-fetch-dest"];
    let name = name().prop_filter("meant", |name| !MEANT.iter().any(|other| name.eq_ignore_ascii_case(other)));
    vec((name, value()), 0..8)
}

fn field_lines(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| [name, &b": "[..], value, b"\r\n"].concat()).collect()
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let length = vec(any::<u8>(), 0..50)
        .prop_map(|content| [format!("Content-Length: {}\r\n\r\n", content.len()).into_bytes(), content].concat());
    let extension = select(&["", ";a", ";a=b", ";a=\"\\\";b\"; c", "; d = e ;f"][..]);
    let chunk = (vec(any::<u8>(), 1..20), extension)
        .prop_map(|(data, extension)| [format!("{:X}{extension}\r\n", data.len()).into_bytes(), data, b"\r\n".to_vec()].concat());
    let trailers = fields().prop_map(|fields| field_lines(&fields));
    let chunked = (vec(chunk, 0..4), trailers).prop_map(|(chunks, trailers)| {
        [&b"Transfer-Encoding: chunked\r\n\r\n"[..], &chunks.concat(), b"0\r\n", &trailers, b"\r\n"].concat()
    });
    prop_oneof![3 => Just(b"\r\n".to_vec()), 1 => length, 1 => chunked]
}

/// One request that keeps its connection.
fn request() -> impl Strategy<Value = Shown> {
    let lead = select(&["", "", "", "\r\n", "\r\n\r\n\r\n\r\n"][..]);
    let method = select(&["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PATCH", "BREW", "get"][..]);
    let version = select(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.2", "HTTP/1.9", "HTTP/1.0"][..]);
    let agent =
        select(&["", "User-Agent: curl/8\r\n", "User-Agent: Mozilla/5.0\r\nAccept: text/html\r\n", "Accept: text/plain\r\n"][..]);
    let parts = (lead, method, targets(), version, agent, fields(), content());
    parts.prop_map(|(lead, method, target, version, agent, fields, content)| {
        // Chunks need 1.1; and 1.0 needs to be asked to stay.
        let version = if content.starts_with(b"T") { "HTTP/1.1" } else { version };
        let stay = if version == "HTTP/1.0" { "Connection: keep-alive\r\n" } else { "" };
        let head = format!("{lead}{method} {target} {version}\r\nHost: a\r\n{stay}{agent}");
        Shown([head.as_bytes(), &field_lines(&fields), &content].concat())
    })
}

/// Request lines of which some change what the fields after them mean.
const LINES: &[&str] = &[
    "GET / HTTP/1.1",
    "GET / HTTP/1.1",
    "GET /user-agent?a HTTP/1.1",
    "GET /user-agent HTTP/1.0",
    "GET /host HTTP/1.9",
    "HEAD /all HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "GET http://b/host HTTP/1.1",
    "GET /host HTTP/1.1",
    "GET /json HTTP/1.1",
    "PUT / HTTP/1.1",
    "CONNECT b:1 HTTP/1.1",
    "GET * HTTP/1.1",
    "\r\nGET / HTTP/1.1",
];

/// What comes after the request line.
const TAILS: &[&str] = &[
    "Host: a\r\n\r\n",
    "Host: a\r\n\r\n",
    "Host: a\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n",
    "Host: a\r\nUser-Agent: curl/9\r\nAccept: */*\r\n\r\n",
    "Host: a\r\nConnection: keep-alive\r\n\r\n",
    "Host: a\r\nContent-Length: 3\r\n\r\nabc",
    "Host: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "\r\n",
];

/// What a PROXY listener may get: right, unknown, and wrong in several ways.
const PROXY_HEADERS: &[&[u8]] = &[
    b"PROXY TCP4 203.0.113.9 192.0.2.1 54321 80\r\n",
    b"PROXY TCP6 2001:db8::9 2001:db8::1 54321 80\r\n",
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN ffff:ffff\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x20\0\0",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\xc0\0\x02\x01\xd4\x31\0\x50",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\xcb\0\x71\x09\xc0\0\x02\x01\xd4\x31\0\x50\x04\0\x01\0",
    b"\r\n\r\n\0\r\nQUIT\n\x21\0\0\0",
    b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
    b"\r\n\r\n\0\r\nQUIT\n\x22\x11\0\x0c",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x03abc",
    b"\r\n\r\n\0\r\nQUIX",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 54321\r\n",
    b"PROXY TCP4 203.0.113.9 192.0.2.1 54321 80\n",
    b"PROXY TCP9 ",
    b"PROXY",
    b"",
];

fn joined(requests: &[Shown]) -> Vec<u8> {
    requests.iter().flat_map(|request| request.0.iter().copied()).collect()
}

/// What ends a connection: every kind of refusal, and answers that close.
const ENDS: &[&str] = &[
    "",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /ignored HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nxx",
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n10000\r\nyy",
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\rA: b\r\n\r\n",
    "GET / HTTP/1.1\r\nA: b\r\n\rx",
    "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\x16\x03\x01\x02",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "HEAD / HTTP/0.9\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.2\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA(: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: \0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: \x7f\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nx",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;=\r\nx\r\n0\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA : b\r\n\r\n",
    // Cut off by the client.
    "GET / HTT",
    "\r\n\r",
    "HEAD / HTTP/1.1\r\nHost: a\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxx",
    "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn cutting_a_pipeline_anywhere_changes_nothing(
        requests in vec(request(), 0..6),
        end in select(ENDS),
        cuts in vec(any::<Index>(), 1..6),
    ) {
        let valid = joined(&requests);
        let whole = converse(&[&valid]);
        let answers = whole.output.0.windows(8).filter(|window| window == b"\r\nDate: ").count();
        prop_assert_eq!((answers, whole.end, whole.waiting), (requests.len(), None, Waiting::Idle));

        let all = [&valid, end.as_bytes()].concat();
        prop_assert_eq!(converse(&cut(&all, &cuts)), converse(&[&all]));
        prop_assert_eq!(converse(&all.chunks(1).collect::<Vec<_>>()), converse(&[&all]));
    }

    /// Fields that one request after another brings are parsed once; alone, each request's are.
    #[test]
    fn requests_with_the_same_fields_are_answered_as_if_each_came_alone(
        turns in vec((vec(select(LINES), 1..6), select(TAILS)), 1..4),
        cuts in vec(any::<Index>(), 1..3),
    ) {
        let requests = turns.iter().flat_map(|(lines, tail)| lines.iter().map(move |line| format!("{line}\r\n{tail}").into_bytes()));
        let requests: Vec<Vec<u8>> = requests.collect();
        let all = requests.concat();
        let alone = converse(&requests.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(&converse(&[&all]), &alone);
        prop_assert_eq!(&converse(&cut(&all, &cuts)), &alone);
    }

    /// Nearly right requests: bytes are replaced, added and removed.
    #[test]
    fn cutting_a_broken_pipeline_anywhere_changes_nothing(
        requests in vec(request(), 1..3),
        breaks in vec((0..3, any::<Index>(), prop_oneof![any::<u8>(), select(&b"\r\n :;,\0/"[..])]), 1..4),
        cuts in vec(any::<Index>(), 1..6),
    ) {
        let mut all = joined(&requests);
        for (kind, at, byte) in breaks {
            let at = at.index(all.len());
            match kind {
                0 => all[at] = byte,
                1 => all.insert(at, byte),
                _ => drop(all.remove(at)),
            }
        }
        prop_assert_eq!(converse(&cut(&all, &cuts)), converse(&[&all]));
    }

    #[test]
    fn cutting_what_passes_a_limit_anywhere_changes_nothing(which in 0..6usize, less in 0..40usize, cuts in vec(any::<Index>(), 1..6)) {
        let long = "a".repeat(16 * 1024 - less);
        let all = match which {
            0 => long,
            1 => format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
            2 => format!("HEAD / HTTP/1.1\r\nHost: a\r\nA: {long}\r\n\r\n"),
            3 => format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A:\r\n".repeat(110 - less)),
            // The same fields after a longer target.
            4 => ["", "aaaaaaaaaaaaaaaaaaaa"].map(|target| format!("GET /{target} HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", &long[50..])).concat(),
            _ => format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\nx\r\n0\r\n\r\n", &long[12_286..]),
        };
        prop_assert_eq!(converse(&cut(all.as_bytes(), &cuts)), converse(&[all.as_bytes()]));
    }

    #[test]
    fn cutting_behind_a_proxy_header_anywhere_changes_nothing(
        header in select(PROXY_HEADERS),
        requests in vec(request(), 0..3),
        cuts in vec(any::<Index>(), 1..6),
    ) {
        let all = [header, &joined(&requests)].concat();
        let whole = converse_from(State::Proxy, &[&all]);
        prop_assert_eq!(&converse_from(State::Proxy, &cut(&all, &cuts)), &whole);
        prop_assert_eq!(&converse_from(State::Proxy, &all.chunks(1).collect::<Vec<_>>()), &whole);
    }

    /// `/all` and `/headers`, against a map: names in Train-Case, values trimmed and joined, keys sorted.
    #[test]
    fn any_fields_are_read_back_as_what_was_sent(fields in fields()) {
        let mut expected: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in [(b"host".to_vec(), b"a".to_vec())].iter().chain(&fields) {
            let words: Vec<String> = name.split(|&byte| byte == b'-').map(|word| read(word).to_ascii_lowercase()).collect();
            let train = words.iter().map(|word| [&word[..word.len().min(1)].to_ascii_uppercase(), &word[word.len().min(1)..]].concat());
            let start = value.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(value.len());
            let end = value.iter().rposition(|byte| !b" \t".contains(byte)).map_or(start, |last| last + 1);
            let text = read(&value[start..end]);
            let joined = expected.entry(train.collect::<Vec<_>>().join("-"));
            joined.and_modify(|before| *before = format!("{before}, {text}")).or_insert(text);
        }
        let get = |target: &str| {
            let request = [format!("GET {target} HTTP/1.1\r\nHost: a\r\n").as_bytes(), &field_lines(&fields), b"\r\n"].concat();
            Answer::all(&converse(&[&request]).output.0).remove(0).text()
        };
        let object = serde_json::to_string(&expected).unwrap();
        prop_assert_eq!(get("/headers"), format!("{{\"headers\":{object}}}\n"));
        let mut document: BTreeMap<String, serde_json::Value> = expected.into_iter().map(|(name, value)| (name, value.into())).collect();
        document.insert("Source-IP".to_owned(), "203.0.113.9".into());
        document.insert("Source-Port".to_owned(), 54321.into());
        prop_assert_eq!(get("/all"), serde_json::to_string(&document).unwrap() + "\n");
    }
}

/// Every place, not only those that chance finds.
#[test]
fn cutting_a_refused_request_at_each_place_changes_nothing() {
    for end in ENDS {
        for before in ["", "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n"] {
            let all = [before, end].concat().into_bytes();
            let whole = converse(&[&all]);
            for place in 0..=all.len() {
                let (left, right) = all.split_at(place);
                assert_eq!(converse(&[left, right]), whole, "{before}{end:?} cut at {place}");
            }
        }
    }
}

// Accept.

/// One element of Accept as RFC 9110 §12.5.1 has it, taken apart.
#[derive(Clone, Debug)]
struct Element {
    range: String,
    parameters: Vec<String>,
    /// `qvalue`, or what breaks its grammar.
    weight: Option<&'static str>,
    /// Behind the weight; RFC 7231's accept-ext.
    extensions: Vec<String>,
    space: &'static str,
}

const RANGES: [&str; 9] = [
    "text/html",
    "application/json",
    "text/plain",
    "*/*",
    "text/*",
    "application/*",
    "image/png",
    "text/htmlx",
    "application/xhtml+xml",
];
/// With what each is worth, in thousandths; `None` where the grammar has no such weight.
const WEIGHTS: [(&str, Option<u16>); 25] = [
    ("0", Some(0)),
    ("0.", Some(0)),
    ("0.0", Some(0)),
    ("0.000", Some(0)),
    ("0.001", Some(1)),
    ("0.01", Some(10)),
    ("0.1", Some(100)),
    ("0.5", Some(500)),
    ("0.50", Some(500)),
    ("0.501", Some(501)),
    ("0.999", Some(999)),
    ("1", Some(1000)),
    ("1.", Some(1000)),
    ("1.000", Some(1000)),
    ("1.001", None),
    ("1.5", None),
    ("2", None),
    ("00", None),
    ("01", None),
    ("0.0001", None),
    ("0.1234", None),
    (".5", None),
    ("-0", None),
    ("", None),
    ("high", None),
];

fn element() -> impl Strategy<Value = Element> {
    let cased = (select(&RANGES[..]), any::<bool>())
        .prop_map(|(range, upper)| if upper { range.to_uppercase() } else { range.to_owned() });
    let parameter =
        || select(&["a=b", "q1=0", "charset=utf-8", "a=\"b\"", "a=\"b,c\"", "a=\"q=0;\"", "a=\"\\\",text/html\""][..]);
    let weight = proptest::option::of(select(&WEIGHTS[..]).prop_map(|(weight, _)| weight));
    let parameters = || vec(parameter().prop_map(str::to_owned), 0..3);
    (cased, parameters(), weight, parameters(), select(&["", " ", "\t ", "  "][..]))
        .prop_map(|(range, parameters, weight, extensions, space)| Element { range, parameters, weight, extensions, space })
}

impl Element {
    fn text(&self) -> String {
        let weight = self.weight.map(|weight| format!("q={weight}"));
        let parts: Vec<String> = [self.range.clone()]
            .into_iter()
            .chain(self.parameters.clone())
            .chain(weight)
            .chain(self.extensions.clone())
            .collect();
        format!("{0}{1}{0}", self.space, parts.join(&format!("{0};{0}", self.space)))
    }

    /// What it is worth; nothing where its weight breaks the grammar.
    fn thousandths(&self) -> u16 {
        let Some(weight) = self.weight else { return 1000 };
        WEIGHTS.iter().find(|(text, _)| *text == weight).and_then(|(_, worth)| *worth).unwrap_or(0)
    }
}

/// In words: of the three types that are named, by the highest weight of an element that names it; of equals the first here.
fn naive(elements: &[Element]) -> Option<MediaType> {
    let types = [(MediaType::Html, "text/html"), (MediaType::Json, "application/json"), (MediaType::Text, "text/plain")];
    let worth =
        |name: &str| elements.iter().filter(|element| element.range.to_lowercase() == name).map(Element::thousandths).max();
    let mut named: Vec<(u16, MediaType)> = types.iter().filter_map(|&(media, name)| Some((worth(name)?, media))).collect();
    named.retain(|&(worth, _)| worth > 0);
    // Stable: equals stay in their order.
    named.sort_by_key(|&(worth, _)| std::cmp::Reverse(worth));
    named.first().map(|&(_, media)| media)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..config() })]

    #[test]
    fn accept_is_read_as_the_naive_oracle_reads_it(lines in vec(vec(proptest::option::weighted(0.9, element()), 0..5), 1..3)) {
        let text = |line: &Vec<Option<Element>>| {
            let elements: Vec<String> = line.iter().map(|element| element.as_ref().map_or(String::new(), Element::text)).collect();
            elements.join(",").into_bytes()
        };
        let texts: Vec<Vec<u8>> = lines.iter().map(text).collect();
        let elements: Vec<Element> = lines.into_iter().flatten().flatten().collect();
        prop_assert_eq!(preferred(texts.iter().map(Vec::as_slice), &MediaType::ALL), naive(&elements));
    }
}
