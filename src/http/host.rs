//! The host: `uri-host [":" port]` (RFC 9110 §7.2, RFC 3986 §3.2.2). It is checked in full, because the page repeats it, and because
//! two servers that read it differently serve two sites.

use super::Refusal;
use super::field::alphanumeric_and;
use std::net::Ipv6Addr;

/// The most bytes of a host. DNS carries names of at most 255 bytes (RFC 1035 §2.3.4), and the page repeats the host in every
/// command.
pub const HOST_MAX: usize = 255;

/// The most bytes of a host with its port: `:65535`.
pub const AUTHORITY_MAX: usize = HOST_MAX + 6;

/// Checks a Host field's value or a target's authority.
///
/// # Errors
/// [`Refusal::HOST`] for anything but a registered name or an address, with an optional port from 0 to 65535. An empty host, user
/// information, a comma (which only a list of hosts would have), and more than [`HOST_MAX`] or [`AUTHORITY_MAX`] bytes are refused.
pub fn check(host: &[u8]) -> Result<(), Refusal> {
    if is_usual(host) || is_rare(host) { Ok(()) } else { Err(Refusal::HOST) }
}

/// A plain name or an IPv4 address, with no port or one of two to four digits.
fn is_usual(host: &[u8]) -> bool {
    // Not a loop over the digits, which is 19 instructions more.
    let name = match host {
        [name @ .., b':', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] => name,
        [name @ .., b':', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] => name,
        [name @ .., b':', b'0'..=b'9', b'0'..=b'9'] => name,
        name => name,
    };
    // No early exit, because nearly every name is valid: so the compiler checks four bytes at a time.
    // For an empty name the subtraction wraps, to more than any limit.
    name.len().wrapping_sub(1) < HOST_MAX && name.iter().fold(true, |is_right, &byte| is_right & is_reg_name(byte))
}

/// Any other host.
#[cold] // 15 instructions a request.
fn is_rare(host: &[u8]) -> bool {
    match host.first() {
        _ if host.len() > AUTHORITY_MAX => false,
        Some(b'[') => is_ip_literal(host),
        Some(b':') | None => false,
        Some(_) => is_encoded_name(host),
    }
}

/// unreserved and sub-delims without the comma.
const fn is_reg_name(byte: u8) -> bool {
    REG_NAME[byte as usize]
}

const REG_NAME: [bool; 256] = alphanumeric_and(b"-._~!$&'()*+;=");

/// `1*DIGIT`, at most 65535; leading zeros change nothing.
fn is_port(digits: &[u8]) -> bool {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    digits.len() < 5 || is_at_most_65535(digits)
}

/// Whether the number is at most 65535.
fn is_at_most_65535(digits: &[u8]) -> bool {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[zeros..];
    // Numbers with the same number of digits compare as strings.
    digits.len() < 5 || (digits.len() == 5 && digits <= b"65535")
}

fn is_port_part(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b':', port @ ..] => is_port(port),
        _ => false,
    }
}

/// `"[" ( IPv6address / IPvFuture ) "]"`, and a port.
fn is_ip_literal(host: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b']', host) else { return false };
    let literal = &host[1..end];
    let is_address = std::str::from_utf8(literal).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    (is_address || is_ip_future(literal)) && end < HOST_MAX && is_port_part(&host[end + 1..])
}

/// `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`
fn is_ip_future(literal: &[u8]) -> bool {
    let Some((b'v' | b'V', rest)) = literal.split_first() else { return false };
    let Some(dot) = memchr::memchr(b'.', rest) else { return false };
    let (version, address) = (&rest[..dot], &rest[dot + 1..]);
    let is_version = !version.is_empty() && version.iter().all(u8::is_ascii_hexdigit);
    is_version && !address.is_empty() && address.iter().all(|&byte| is_reg_name(byte) || byte == b':')
}

/// A registered name that holds percent-encoded bytes.
fn is_encoded_name(host: &[u8]) -> bool {
    let mut rest = host;
    loop {
        rest = match rest {
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
            [byte, rest @ ..] if is_reg_name(*byte) => rest,
            rest => return host.len() - rest.len() <= HOST_MAX && is_port_part(rest),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_right() {
        for host in [
            "localhost",
            "a",
            "example.org",
            "example.org:80",
            "127.0.0.1:65535",
            "a:0",
            "a:00080",
            "[::1]",
            "[::1]:8080",
            "[::ffff:1.2.3.4]",
            "[v1.a:b]",
            "a_b",
            "%61bc",
            "a%2Fb:1",
            "!$&'()*+;=",
            "1.2.3",
        ] {
            assert_eq!(check(host.as_bytes()), Ok(()), "{host}");
        }
    }

    #[test]
    fn lengths() {
        let literal = |length| format!("[v1.{}]", "a".repeat(length - "[v1.]".len()));
        let encoded = |length| "%61".repeat(length / 3) + &"a".repeat(length % 3);
        for host in [&|length| "a".repeat(length), &literal as &dyn Fn(usize) -> String, &encoded] {
            for (port, result) in [("", Ok(())), (":1", Ok(())), (":65535", Ok(())), (":065535", Err(Refusal::HOST))] {
                assert_eq!(check((host(HOST_MAX) + port).as_bytes()), result, "{}{port}", host(HOST_MAX));
                assert_eq!(check((host(HOST_MAX + 1) + port).as_bytes()), Err(Refusal::HOST), "{}{port}", host(HOST_MAX + 1));
            }
        }
    }

    #[test]
    fn hosts_that_are_wrong() {
        for host in [
            "",
            ":80",
            "a:",
            "a:65536",
            "a:99999999999",
            "a:8a",
            "a:-1",
            "a@b",
            "user:pw@b",
            "a/b",
            "a,b",
            "a b",
            "a\tb",
            "[::1",
            "[::1]a",
            "[::1]:",
            "[]",
            "[1.2.3.4]",
            "[::1%25eth0]",
            "[v.a]",
            "[v1.]",
            "[vg.a]",
            "%6",
            "%zz",
            "a%",
            "a\"b",
            "a:1:2",
            "ä",
            "a#",
            "a?b",
            "a\\b",
            "%61:",
            "%61/",
        ] {
            assert_eq!(check(host.as_bytes()), Err(Refusal::HOST), "{host}");
        }
    }
}
