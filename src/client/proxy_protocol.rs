//! The PROXY header, which a proxy sends before anything else on a connection: version 1 (a line of text) or 2 (binary), as in HAProxy's
//! `doc/proxy-protocol.txt`.
//!
//! Only the source address is used. A header may come in pieces: a partial one is no error, and a malformed one is refused at once, not
//! at the deadline. Whether the sender is trusted is for the [rule](super::Rule::proxied) to decide.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The most bytes of a version 1 header, CRLF included (§2.1).
pub const V1_MAX: usize = 107;

/// The most bytes of a version 2 header. The specification wants it to fit into one TCP segment (§2.2). This allows a few segments,
/// because the names in a client's certificate and the vectors of a load balancer may be long, but not the 64 KiB that the length field
/// could make a server wait for.
pub const V2_MAX: usize = 4096;

/// What a header says about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The proxy speaks for itself, as in a health check: the socket's own address holds.
    Local,
    /// A client without a known internet address: `UNKNOWN`, UNSPEC, a UNIX socket.
    Unknown,
    /// The client of the connection that the proxy relays. As sent, not yet canonical.
    Source(SocketAddr),
}

/// Why bytes are not a PROXY header; displays as the reason for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// They begin with something else, such as HTTP or TLS.
    Missing,
    /// A version 1 line with an invalid protocol, address or port, or without CRLF at its end.
    Line,
    /// A version that is neither 1 nor 2.
    Version,
    /// A command that is neither LOCAL nor PROXY.
    Command,
    /// The length leaves no room for the addresses.
    Short,
    /// More than [`V1_MAX`] or [`V2_MAX`] bytes.
    Long,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Missing => "no PROXY header",
            Malformed::Line => "a broken PROXY line",
            Malformed::Version => "an unknown PROXY version",
            Malformed::Command => "an unknown PROXY command",
            Malformed::Short => "a PROXY header too short for its addresses",
            Malformed::Long => "a PROXY header too long",
        })
    }
}

impl std::error::Error for Malformed {}

/// Reads the header at the start of `input`: the header and its length in bytes, or `Ok(None)` if it is partial.
///
/// # Errors
/// At the first impossible byte; in version 1, at the end of an invalid address or port.
pub fn parse(input: &[u8]) -> Result<Option<(Header, usize)>, Malformed> {
    match input.first() {
        None => Ok(None),
        Some(b'P') => version_1(input),
        Some(b'\r') => version_2(input),
        Some(_) => Err(Malformed::Missing),
    }
}

/// What stops the reading of a version 1 line.
enum Stop {
    /// The end of the input.
    Partial,
    Malformed(Malformed),
}

fn version_1(input: &[u8]) -> Result<Option<(Header, usize)>, Malformed> {
    let mut line = Line { rest: &input[..input.len().min(V1_MAX)] };
    match line.header() {
        Ok(header) => Ok(Some((header, input.len().min(V1_MAX) - line.rest.len()))),
        Err(Stop::Partial) if input.len() < V1_MAX => Ok(None),
        Err(Stop::Partial) => Err(Malformed::Long),
        Err(Stop::Malformed(reason)) => Err(reason),
    }
}

/// The rest of a version 1 header.
struct Line<'a> {
    rest: &'a [u8],
}

impl Line<'_> {
    fn header(&mut self) -> Result<Header, Stop> {
        self.literal(b"PROXY ", Malformed::Missing)?;
        if self.rest.first() == Some(&b'U') {
            self.literal(b"UNKNOWN", Malformed::Line)?;
            return self.unknown();
        }
        self.literal(b"TCP", Malformed::Line)?;
        let source = match self.rest.first() {
            None => return Err(Stop::Partial),
            Some(b'4') => self.endpoints::<Ipv4Addr>(b"4 ", |byte| byte.is_ascii_digit() || byte == b'.')?,
            Some(_) => self.endpoints::<Ipv6Addr>(b"6 ", |byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))?,
        };
        Ok(Header::Source(source))
    }

    /// Anything between `UNKNOWN` and the CRLF is to be ignored.
    fn unknown(&mut self) -> Result<Header, Stop> {
        if self.rest.first() == Some(&b' ') {
            let end = self.rest.iter().position(|&byte| byte == b'\r').ok_or(Stop::Partial)?;
            self.rest = &self.rest[end..];
        }
        self.literal(b"\r\n", Malformed::Line)?;
        Ok(Header::Unknown)
    }

    fn endpoints<A: FromStr + Into<IpAddr>>(&mut self, family: &[u8], allowed: fn(u8) -> bool) -> Result<SocketAddr, Stop> {
        self.literal(family, Malformed::Line)?;
        let source: A = self.word(b' ', allowed, parsed)?;
        let _destination: A = self.word(b' ', allowed, parsed)?;
        let source_port = self.word(b' ', |byte| byte.is_ascii_digit(), port)?;
        let _destination_port = self.word(b'\r', |byte| byte.is_ascii_digit(), port)?;
        self.literal(b"\n", Malformed::Line)?;
        Ok(SocketAddr::new(source.into(), source_port))
    }

    /// Takes a word of the allowed bytes, and the byte that ends it.
    fn word<T>(&mut self, end: u8, allowed: fn(u8) -> bool, read: fn(&str) -> Option<T>) -> Result<T, Stop> {
        let length = self.rest.iter().position(|&byte| !allowed(byte)).ok_or(Stop::Partial)?;
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest.strip_prefix(&[end]).ok_or(Stop::Malformed(Malformed::Line))?;
        std::str::from_utf8(word).ok().and_then(read).ok_or(Stop::Malformed(Malformed::Line))
    }

    fn literal(&mut self, expected: &[u8], otherwise: Malformed) -> Result<(), Stop> {
        let here = &self.rest[..self.rest.len().min(expected.len())];
        if !expected.starts_with(here) {
            return Err(Stop::Malformed(otherwise));
        }
        self.rest = self.rest.strip_prefix(expected).ok_or(Stop::Partial)?;
        Ok(())
    }
}

fn parsed<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

/// A port has no leading zeroes (§2.1), or someone may read it as octal.
fn port(digits: &str) -> Option<u16> {
    if digits.len() > 1 && digits.starts_with('0') { None } else { parsed(digits) }
}

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family and transport, length.
const FIXED: usize = SIGNATURE.len() + 4;

fn version_2(input: &[u8]) -> Result<Option<(Header, usize)>, Malformed> {
    if !SIGNATURE.starts_with(&input[..input.len().min(SIGNATURE.len())]) {
        return Err(Malformed::Missing);
    }
    let is_local = match input.get(SIGNATURE.len()) {
        None => return Ok(None),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(0x22..=0x2f) => return Err(Malformed::Command),
        Some(_) => return Err(Malformed::Version),
    };
    let Some(&[_, family, high, low]) = input.get(SIGNATURE.len()..FIXED) else { return Ok(None) };
    let (needed, read): (usize, fn(&[u8]) -> Header) = match family {
        _ if is_local => (0, |_| Header::Local),
        0x11 | 0x12 => (12, source::<4>),
        0x21 | 0x22 => (36, source::<16>),
        _ => (0, |_| Header::Unknown),
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length < needed {
        return Err(Malformed::Short);
    }
    if FIXED + length > V2_MAX {
        return Err(Malformed::Long);
    }
    Ok(input.get(FIXED..FIXED + length).map(|block| (read(block), FIXED + length)))
}

/// The source in an address block: both addresses of `N` bytes, then both ports, for TCP and UDP alike (§2.2). Vectors may follow; they
/// are not used.
fn source<const N: usize>(block: &[u8]) -> Header
where
    IpAddr: From<[u8; N]>,
{
    let address: [u8; N] = std::array::from_fn(|at| block[at]);
    let port = u16::from_be_bytes([block[2 * N], block[2 * N + 1]]);
    Header::Source(SocketAddr::new(address.into(), port))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const V6: &str = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

    fn source_of(text: &str) -> Header {
        Header::Source(text.parse().unwrap())
    }

    fn v2(command: u8, family: u8, length: usize, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(length).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, block].concat()
    }

    const BLOCK_V4: [u8; 12] = [203, 0, 113, 9, 10, 0, 0, 1, 0xd4, 0x31, 0, 80];

    fn block_v6() -> Vec<u8> {
        let source: Ipv6Addr = "2001:db8::9".parse().unwrap();
        [&source.octets()[..], &[0; 16], &[0xd4, 0x31], &[0, 80]].concat()
    }

    /// The whole is this header; whatever follows it, and wherever it is cut.
    #[track_caller]
    fn whole(bytes: &[u8], header: Header) {
        let shown = bytes.escape_ascii();
        assert_eq!(parse(bytes), Ok(Some((header, bytes.len()))), "{shown}");
        assert_eq!(parse(&[bytes, b"GET /\r\n0"].concat()), Ok(Some((header, bytes.len()))), "{shown} and more");
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), Ok(None), "{shown}, {cut} bytes of it");
        }
    }

    /// The last byte is the one that is refused.
    #[track_caller]
    fn refused(bytes: &[u8], reason: Malformed) {
        let shown = bytes.escape_ascii();
        assert_eq!(parse(bytes), Err(reason), "{shown}");
        assert_eq!(parse(&[bytes, b"1 2\r\n"].concat()), Err(reason), "{shown} and more");
        assert_eq!(parse(&bytes[..bytes.len() - 1]), Ok(None), "{shown} without its last byte");
    }

    #[test]
    fn version_1_headers() {
        for (line, header) in [
            ("PROXY TCP4 203.0.113.9 10.0.0.1 54321 80\r\n", source_of("203.0.113.9:54321")),
            ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", source_of("255.255.255.255:65535")),
            ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", source_of("0.0.0.0:0")),
            ("PROXY TCP6 2001:db8::9 ::1 54321 80\r\n", source_of("[2001:db8::9]:54321")),
            ("PROXY TCP6 ::FFFF:203.0.113.9 :: 54321 80\r\n", source_of("[::ffff:203.0.113.9]:54321")),
            ("PROXY UNKNOWN\r\n", Header::Unknown),
            ("PROXY UNKNOWN \r\n", Header::Unknown),
            ("PROXY UNKNOWN what \n\0 ever\r\n", Header::Unknown),
        ] {
            whole(line.as_bytes(), header);
        }
        whole(format!("PROXY TCP6 {V6} {V6} 65535 65535\r\n").as_bytes(), source_of(&format!("[{V6}]:65535")));
        let longest = format!("PROXY UNKNOWN {V6} {V6} 65535 65535\r\n");
        assert_eq!(longest.len(), V1_MAX);
        whole(longest.as_bytes(), Header::Unknown);
    }

    #[test]
    fn version_1_is_refused_where_it_goes_wrong() {
        for (line, reason) in [
            ("G", Malformed::Missing),
            ("\x16", Malformed::Missing),
            ("\n", Malformed::Missing),
            ("p", Malformed::Missing),
            ("PO", Malformed::Missing),
            ("PRI", Malformed::Missing),
            ("PROXY\t", Malformed::Missing),
            ("PROXY  ", Malformed::Line),
            ("PROXY t", Malformed::Line),
            ("PROXY TCP ", Malformed::Line),
            ("PROXY TCP5", Malformed::Line),
            ("PROXY TCP4\r", Malformed::Line),
            ("PROXY TCP4  ", Malformed::Line),
            ("PROXY TCP4 :", Malformed::Line),
            ("PROXY TCP4 203.0.113.9\r", Malformed::Line),
            ("PROXY TCP4 203.0.113.256 ", Malformed::Line),
            ("PROXY TCP4 203.0.113.09 ", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0 ", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 a", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1  ", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 65536 ", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 080 ", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 +", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 1 00\r", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 1 \r", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 1 2 ", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 1 2\n", Malformed::Line),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\r", Malformed::Line),
            ("PROXY TCP6 203.0.113.9 ", Malformed::Line),
            ("PROXY TCP6 fe80::1%", Malformed::Line),
            ("PROXY TCP6 g", Malformed::Line),
            ("PROXY UNKNOWNS", Malformed::Line),
            ("PROXY UNKNOWN\n", Malformed::Line),
            ("PROXY UNKNOWN \rx", Malformed::Line),
        ] {
            refused(line.as_bytes(), reason);
        }
        refused(format!("PROXY UNKNOWN {}\r", " ".repeat(V1_MAX - 15)).as_bytes(), Malformed::Long);
        refused(format!("PROXY TCP4 {}", "1".repeat(V1_MAX - 11)).as_bytes(), Malformed::Long);
    }

    #[test]
    fn version_2_headers() {
        let vectors = [0x04, 0, 2, 0, 0];
        for family in [0x11, 0x12] {
            whole(&v2(0x21, family, 12, &BLOCK_V4), source_of("203.0.113.9:54321"));
            whole(&v2(0x21, family, 17, &[&BLOCK_V4[..], &vectors].concat()), source_of("203.0.113.9:54321"));
        }
        for family in [0x21, 0x22] {
            whole(&v2(0x21, family, 36, &block_v6()), source_of("[2001:db8::9]:54321"));
            whole(&v2(0x21, family, 41, &[&block_v6()[..], &vectors].concat()), source_of("[2001:db8::9]:54321"));
        }
        for family in [0x00, 0x01, 0x10, 0x13, 0x20, 0x23, 0x31, 0x32, 0x41, 0xff] {
            whole(&v2(0x21, family, 0, b""), Header::Unknown);
            whole(&v2(0x21, family, 12, &BLOCK_V4), Header::Unknown);
        }
        for family in [0x00, 0x11, 0x21, 0x31, 0xff] {
            whole(&v2(0x20, family, 0, b""), Header::Local);
            whole(&v2(0x20, family, 5, &vectors), Header::Local);
        }
        let longest = V2_MAX - FIXED;
        whole(&v2(0x21, 0x11, longest, &[&BLOCK_V4[..], &vec![0; longest - 12]].concat()), source_of("203.0.113.9:54321"));
    }

    #[test]
    fn version_2_is_refused_where_it_goes_wrong() {
        refused(b"\r\r", Malformed::Missing);
        refused(b"\r\n\r\n\0\r\nQUIT\r", Malformed::Missing);
        for (command, reason) in [
            (0x22, Malformed::Command),
            (0x2f, Malformed::Command),
            (0x10, Malformed::Version),
            (0x11, Malformed::Version),
            (0x31, Malformed::Version),
            (b'\n', Malformed::Version),
        ] {
            refused(&[&SIGNATURE[..], &[command]].concat(), reason);
        }
        for (family, length) in [(0x11, 11), (0x12, 0), (0x21, 35), (0x22, 12)] {
            refused(&v2(0x21, family, length, b""), Malformed::Short);
        }
        for command in [0x20, 0x21] {
            refused(&v2(command, 0x11, V2_MAX - FIXED + 1, b""), Malformed::Long);
        }
    }

    #[test]
    fn reasons_are_told_apart() {
        let mut reasons =
            [Malformed::Missing, Malformed::Line, Malformed::Version, Malformed::Command, Malformed::Short, Malformed::Long]
                .map(|reason| reason.to_string());
        reasons.sort();
        assert!(reasons.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(reasons.iter().all(|reason| reason.contains("PROXY")));
    }
}
