//! One line for one answer.
//!
//! ```text
//! 203.0.113.9 - - [27/Nov/2026:10:00:00 +0000] "GET /json HTTP/1.1" 200 123 "-" "curl/8.5.0"
//! {"time":"2026-11-27T10:00:00.123Z","client":"203.0.113.9","port":54321,"method":"GET",…}
//! ```

use super::escape;
use super::stamp::Stamp;
use crate::client::Scheme;
use crate::exchange::Record;
use crate::http::Method;
use crate::http::field::is_name;
use crate::http::response::{TWO_DIGITS, decimal};
use crate::resource::address;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most bytes of a line, its end included: as much as a pipe takes in one piece (PIPE_BUF, pipe(7)), so that lines of several threads
/// never mix. The limits below leave 600 bytes for all that has a length of its own.
pub const LINE_MAX: usize = 4096;

/// The most bytes of a target, or in the combined format of a request line, as it is written. Longer ones are attacks, or a mistake;
/// what has to be found again in a log is shorter.
pub const TARGET_MAX: usize = 2048;

/// The most bytes of a User-Agent or a Referer as it is written. Browsers' names have 100 to 200.
pub const FIELD_MAX: usize = 512;

/// The most bytes of a method as it is written; the longest that IANA has registered is 17 (`UPDATEREDIRECTREF`).
pub const METHOD_MAX: usize = 64;

/// The bits of an IPv4 address that a masked log tells: what many take to be no personal data any more.
const MASK_V4: u32 = 24;
/// The same of IPv6: the /48 is a site's, as a rule; a /64 is one customer's.
const MASK_V6: u32 = 48;

/// What all lines have in common.
pub struct Style<'s> {
    /// The time.
    pub stamp: &'s Stamp,
    /// Addresses are cut short, and no port is told.
    pub mask: bool,
    /// How objects in JSON end.
    pub end: &'s Ends,
}

/// A request line taken apart.
struct Parts<'r> {
    /// `None` where the line begins with no method.
    method: Option<&'r [u8]>,
    /// All that is neither method nor protocol.
    target: &'r [u8],
    /// `HTTP/1.1`, where the line ends in one; as much as that in any case.
    protocol: Option<&'r [u8]>,
}

/// Appends the line of Apache's combined format.
pub fn combined(line: &mut Vec<u8>, record: &Record<'_>, style: &Style<'_>) {
    match client_address(record) {
        Some(address) => write_address(line, &address, style.mask),
        None => line.push(b'-'),
    }
    line.extend_from_slice(style.stamp.combined());
    request_line(line, record.request_line());
    let [hundreds, tens, ones] = status(record);
    line.extend_from_slice(&[b'"', b' ', hundreds, tens, ones, b' ']);
    match sent(record) {
        0 => line.push(b'-'),
        bytes => decimal(line, bytes),
    }
    match referer(record) {
        Some(referer) => {
            line.extend_from_slice(b" \"");
            escape::apache(line, referer, FIELD_MAX);
            line.extend_from_slice(b"\" \"");
        }
        None => line.extend_from_slice(b" \"-\" \""),
    }
    escape::apache(line, record.user_agent().unwrap_or(b"-"), FIELD_MAX);
    line.extend_from_slice(b"\"\n");
}

/// The three digits.
fn status(record: &Record<'_>) -> [u8; 3] {
    record.head.text().status.as_bytes().first_chunk().copied().unwrap_or_default()
}

fn request_line(line: &mut Vec<u8>, sent: &[u8]) {
    if sent.is_empty() {
        return line.push(b'-');
    }
    if escape::apache(line, sent, TARGET_MAX)
        && let Some(protocol) = protocol(sent)
    {
        line.push(b' ');
        line.extend_from_slice(protocol);
    }
}

/// Appends a JSON object and a line feed. What nearly all answers have in common is appended in few pieces of a fixed length.
pub fn json(line: &mut Vec<u8>, record: &Record<'_>, style: &Style<'_>) {
    let (client, port) = record.client.map_or((None, None), |client| (client.address, client.port));
    line.extend_from_slice(style.stamp.json());
    match client {
        Some(address) => {
            write_address(line, &address, style.mask);
            line.extend_from_slice(b"\",\"port\":");
        }
        None => {
            line.pop();
            line.extend_from_slice(b"null,\"port\":");
        }
    }
    match port {
        Some(port) if !style.mask => number(line, port.into()),
        _ => line.extend_from_slice(b"null"),
    }
    if record.peer.address != client {
        peer(line, record.peer.address);
    }
    match usual_line(record) {
        Some((target, minor)) => usual(line, target, minor, status(record)),
        None => asked(line, record),
    }
    number(line, sent(record));
    let end = style.end.of(record);
    match (record.user_agent(), referer(record)) {
        (Some(agent), None) => {
            line.extend_from_slice(b",\"user_agent\":\"");
            escape::json(line, agent, FIELD_MAX);
            line.extend_from_slice(end);
        }
        (agent, referer) => {
            string_or_null(line, b",\"user_agent\":", agent, FIELD_MAX);
            string_or_null(line, b",\"referer\":", referer, FIELD_MAX);
            line.extend_from_slice(&end[NO_REFERER.len()..]);
        }
    }
}

fn peer(line: &mut Vec<u8>, address: Option<IpAddr>) {
    line.extend_from_slice(b",\"peer\":");
    let Some(address) = address else { return line.extend_from_slice(b"null") };
    line.push(b'"');
    // It is trusted, so a proxy: nobody's personal data.
    address::write(line, &address);
    line.push(b'"');
}

fn referer<'r>(record: &Record<'r>) -> Option<&'r [u8]> {
    match record.request {
        Some(request) => request.fields.iter().find(|field| is_name(field.name, b"referer")).map(|field| field.value),
        None => record.field(b"referer"),
    }
}

/// The target, and the last digit of the protocol, of a request whose line is `GET target HTTP/1.x`.
fn usual_line<'r>(record: &Record<'r>) -> Option<(&'r [u8], u8)> {
    let target = record.request.filter(|request| request.method == Method::Get)?.target.sent;
    // The target is a part of `sent`, so their addresses tell where in `sent` it ends.
    let end = target.as_ptr() as usize - record.sent.as_ptr() as usize + target.len();
    Some((target, *record.sent.get(end + b" HTTP/1.".len())?))
}

/// What the request line said and was answered, up to the bytes of content.
fn usual(line: &mut Vec<u8>, target: &[u8], minor: u8, [hundreds, tens, ones]: [u8; 3]) {
    const MINOR: usize = b"\",\"protocol\":\"HTTP/1.".len();
    const STATUS: usize = b"\",\"protocol\":\"HTTP/1.x\",\"status\":".len();
    line.extend_from_slice(b",\"method\":\"GET\",\"target\":\"");
    escape::json(line, target, TARGET_MAX);
    let mut rest = *b"\",\"protocol\":\"HTTP/1.x\",\"status\":nnn,\"bytes\":";
    rest[MINOR] = minor;
    rest[STATUS..][..3].copy_from_slice(&[hundreds, tens, ones]);
    line.extend_from_slice(&rest);
}

/// [`usual`] for whatever came.
fn asked(line: &mut Vec<u8>, record: &Record<'_>) {
    let parts = parts(record.request_line());
    string_or_null(line, b",\"method\":", parts.method, METHOD_MAX);
    string_or_null(line, b",\"target\":", Some(parts.target).filter(|target| !target.is_empty()), TARGET_MAX);
    string_or_null(line, b",\"protocol\":", parts.protocol, TARGET_MAX);
    line.extend_from_slice(b",\"status\":");
    line.extend_from_slice(&status(record));
    line.extend_from_slice(b",\"bytes\":");
}

/// What ends a User-Agent that is known, where there is no Referer.
const NO_REFERER: &[u8] = b"\",\"referer\":null";

/// The ends of objects by the scheme: [`NO_REFERER`], the scheme, the replica, and a line feed.
#[derive(Debug)]
pub struct Ends([Vec<u8>; 3]);

impl Ends {
    /// `replica`: empty, or the replica's key and value, with a comma before them.
    pub fn new(replica: &[u8]) -> Ends {
        Ends([None, Some(Scheme::Http), Some(Scheme::Https)].map(|scheme| {
            let mut end = NO_REFERER.to_vec();
            string_or_null(&mut end, b",\"scheme\":", scheme.map(|scheme| scheme.name().as_bytes()), FIELD_MAX);
            end.extend_from_slice(replica);
            end.extend_from_slice(b"}\n");
            end
        }))
    }

    fn of(&self, record: &Record<'_>) -> &[u8] {
        let [unknown, http, https] = &self.0;
        match record.client.and_then(|client| client.scheme) {
            None => unknown,
            Some(Scheme::Http) => http,
            Some(Scheme::Https) => https,
        }
    }
}

/// Appends a number in decimal; clients' ports have five digits.
fn number(line: &mut Vec<u8>, number: u64) {
    if !(10_000..100_000).contains(&number) {
        return decimal(line, number);
    }
    let (first, rest) = (number / 10_000, number as usize % 10_000);
    let ([b, c], [d, e]) = (TWO_DIGITS[rest / 100], TWO_DIGITS[rest % 100]);
    line.extend_from_slice(&[b'0' + first as u8, b, c, d, e]);
}

#[inline(always)] // So that a key is copied as words.
fn string_or_null(line: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>, max: usize) {
    line.extend_from_slice(key);
    match value {
        Some(value) => {
            line.push(b'"');
            escape::json(line, value, max);
            line.push(b'"');
        }
        None => line.extend_from_slice(b"null"),
    }
}

/// Appends an address, or the network that it is told as.
fn write_address(line: &mut Vec<u8>, address: &IpAddr, mask: bool) {
    if mask { address::write(line, &network(*address)) } else { address::write(line, address) }
}

fn client_address(record: &Record<'_>) -> Option<IpAddr> {
    record.client.and_then(|client| client.address)
}

/// The network that an address is told as.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & u32::MAX << (u32::BITS - MASK_V4)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & u128::MAX << (u128::BITS - MASK_V6)).into(),
    }
}

/// The bytes of content that went out.
fn sent(record: &Record<'_>) -> u64 {
    if record.method == Some(Method::Head) { 0 } else { record.length as u64 }
}

fn parts(line: &[u8]) -> Parts<'_> {
    let (method, rest) = match Method::parse(line) {
        Some((_, rest)) => (Some(&line[..line.len() - rest.len() - 1]), rest),
        None => (None, line),
    };
    match protocol(rest) {
        Some(protocol) => Parts { method, target: &rest[..rest.len() - protocol.len() - 1], protocol: Some(protocol) },
        None => Parts { method, target: rest, protocol: None },
    }
}

/// `HTTP/1.1`, or the like, where a line ends in it after a space.
fn protocol(line: &[u8]) -> Option<&[u8]> {
    let (_, end) = line.split_last_chunk::<9>()?;
    let [b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor] = end else { return None };
    (major.is_ascii_digit() && minor.is_ascii_digit()).then_some(&end[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_they_are_written() {
        for value in (0..=70_000).chain([99_999, 100_000, u64::from(u32::MAX) + 7, u64::MAX]) {
            let mut line = b"a".to_vec();
            number(&mut line, value);
            assert_eq!(String::from_utf8_lossy(&line), format!("a{value}"));
        }
    }
}
