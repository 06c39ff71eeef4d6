//! One line for one answer.
//!
//! ```text
//! 203.0.113.9 - - [27/Nov/2026:10:00:00 +0000] "GET /json HTTP/1.1" 200 123 "-" "curl/8.5.0"
//! {"time":"2026-11-27T10:00:00.123Z","client":"203.0.113.9","port":54321,"method":"GET",…}
//! ```

use super::escape;
use super::stamp::Stamp;
use crate::exchange::Record;
use crate::http::Method;
use crate::http::response::decimal;
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
    /// The end of the object in JSON: empty, or the replica's key and value.
    pub replica: &'s [u8],
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
        Some(address) => address::write(line, &shown(address, style.mask)),
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
    match record.field(b"referer") {
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

/// Appends a JSON object and a line feed.
pub fn json(line: &mut Vec<u8>, record: &Record<'_>, style: &Style<'_>) {
    line.extend_from_slice(style.stamp.json());
    let client = client_address(record);
    address_or_null(line, client, style.mask);
    line.extend_from_slice(b",\"port\":");
    match record.client.and_then(|client| client.port).filter(|_| !style.mask) {
        Some(port) => decimal(line, port.into()),
        None => line.extend_from_slice(b"null"),
    }
    if record.peer.address != client {
        line.extend_from_slice(b",\"peer\":");
        // It is trusted, so a proxy: nobody's personal data.
        address_or_null(line, record.peer.address, false);
    }
    let parts = parts(record.request_line());
    string_or_null(line, b",\"method\":", parts.method, METHOD_MAX);
    string_or_null(line, b",\"target\":", Some(parts.target).filter(|target| !target.is_empty()), TARGET_MAX);
    string_or_null(line, b",\"protocol\":", parts.protocol, TARGET_MAX);
    line.extend_from_slice(b",\"status\":");
    line.extend_from_slice(&status(record));
    line.extend_from_slice(b",\"bytes\":");
    decimal(line, sent(record));
    string_or_null(line, b",\"user_agent\":", record.user_agent(), FIELD_MAX);
    string_or_null(line, b",\"referer\":", record.field(b"referer"), FIELD_MAX);
    let scheme = record.client.and_then(|client| client.scheme);
    string_or_null(line, b",\"scheme\":", scheme.map(|scheme| scheme.name().as_bytes()), FIELD_MAX);
    line.extend_from_slice(style.replica);
    line.extend_from_slice(b"}\n");
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

fn address_or_null(line: &mut Vec<u8>, address: Option<IpAddr>, mask: bool) {
    match address {
        Some(address) => {
            line.push(b'"');
            address::write(line, &shown(address, mask));
            line.push(b'"');
        }
        None => line.extend_from_slice(b"null"),
    }
}

fn client_address(record: &Record<'_>) -> Option<IpAddr> {
    record.client.and_then(|client| client.address)
}

/// The address, or the network that it is told as.
fn shown(address: IpAddr, mask: bool) -> IpAddr {
    match address {
        _ if !mask => address,
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
