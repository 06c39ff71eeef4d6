//! Text becomes a value, or the rest of a sentence that begins with the text: what it is not, and what to try.

use crate::http::host;
use crate::net::{Listen, Threads};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

/// What is wrong with a text.
type Reason = &'static str;

/// More than any machine has CPUs: a slip of the hand, not a wish.
const THREADS_MAX: usize = 1024;

/// A day: longer is a slip too, and no clock overflows by adding it.
const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// `8080`, `:8080`, `0.0.0.0:8080`, `[::]:8080`.
pub(super) fn listen(text: &str) -> Result<Listen, Reason> {
    if let Some(port) = number(text.strip_prefix(':').unwrap_or(text)) {
        return Ok(any(port));
    }
    let address: SocketAddr =
        text.parse().map_err(|_| "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080")?;
    let address = match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    };
    Ok(Listen { address, any: false, proxy: false })
}

/// Every address of this machine.
pub(super) fn any(port: u16) -> Listen {
    Listen { address: (Ipv6Addr::UNSPECIFIED, port).into(), any: true, proxy: false }
}

/// `PORT`, as many hosters give it.
pub(super) fn port(text: &str) -> Result<Listen, Reason> {
    number(text).map(any).ok_or("is not a port: try 8080")
}

pub(super) fn threads(text: &str) -> Result<Threads, Reason> {
    if text == "pinned" {
        return Ok(Threads::Pinned);
    }
    let count = number(text).filter(|count: &NonZeroUsize| count.get() <= THREADS_MAX);
    count.map(Threads::Spread).ok_or("is not a number of threads from 1 to 1024, nor \"pinned\": try 2")
}

pub(super) fn connections(text: &str) -> Result<NonZeroUsize, Reason> {
    number(text).ok_or("is not a number of connections: try 10000")
}

/// Digits and nothing else: `parse` alone takes a sign.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// A duration that is not zero.
pub(super) fn duration(text: &str) -> Result<Duration, Reason> {
    match duration_or_zero(text) {
        Ok(Duration::ZERO) => Err("is no time at all: try 500ms"),
        result => result,
    }
}

/// `10` and `0.5` (seconds), `500ms`, `10s`, `1m`.
pub(super) fn duration_or_zero(text: &str) -> Result<Duration, Reason> {
    const REASON: Reason = "is not a duration: try 10, 0.5, 500ms, 10s or 1m";
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let (scale, per) = match unit {
        "" | "s" => (1.0, 1.0),
        "ms" => (1.0, 1000.0),
        "m" => (60.0, 1.0),
        _ => return Err(REASON),
    };
    let digits = &text[..text.len() - unit.len()];
    if digits.starts_with('.') || digits.ends_with('.') {
        return Err(REASON);
    }
    let seconds: f64 = digits.parse().map_err(|_| REASON)?;
    Duration::try_from_secs_f64(seconds * scale / per)
        .ok()
        .filter(|&duration| duration <= DURATION_MAX)
        .ok_or("is longer than a day: try 1m")
}

/// In the environment; on the command line the bare flag is enough.
pub(super) fn switch(text: &str) -> Result<bool, Reason> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match () {
        () if is(["1", "true", "yes", "on"]) => Ok(true),
        () if is(["0", "false", "no", "off"]) => Ok(false),
        () => Err("is not a switch: try on or off"),
    }
}

/// The name of a replica: it goes into a field and a page as it is.
pub(super) fn replica(text: &str) -> Result<String, Reason> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if fits { Ok(text.to_owned()) } else { Err("is not 1 to 64 letters, digits, \".\", \"_\" and \"-\"") }
}

pub(super) fn site_host(text: &str) -> Result<String, Reason> {
    match host::check(text.as_bytes()) {
        Ok(()) => Ok(text.to_owned()),
        Err(_) => Err("is not a host: try ip.example.org"),
    }
}

pub(super) fn site_title(text: &str) -> Result<String, Reason> {
    let fits = !text.trim().is_empty() && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("is not a line of text: try SwagIP") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        for (text, address, any) in [
            ("8080", "[::]:8080", true),
            (":8080", "[::]:8080", true),
            ("0", "[::]:0", true),
            ("65535", "[::]:65535", true),
            ("[::]:8080", "[::]:8080", false),
            ("0.0.0.0:80", "0.0.0.0:80", false),
            ("[::1]:8080", "[::1]:8080", false),
            ("[fe80::1%2]:80", "[fe80::1%2]:80", false),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", false),
        ] {
            assert_eq!(listen(text), Ok(Listen { address: address.parse().unwrap(), any, proxy: false }), "{text}");
        }
        for text in
            ["", ":", "65536", "+80", "-1", " 80", "80 ", "::8080", "::1", "[::1]", "127.0.0.1", "localhost:80", "*:80", "::1:80"]
        {
            assert!(listen(text).is_err(), "{text}");
        }
        for text in ["", ":80", "[::]:80", "tcp://10.0.0.1:80", "65536"] {
            assert!(port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("10", 10_000),
            ("0.5", 500),
            ("500ms", 500),
            ("0.25ms", 0),
            ("10s", 10_000),
            ("1.5s", 1500),
            ("1m", 60_000),
            ("0.1m", 6000),
            ("86400", 86_400_000),
        ] {
            assert_eq!(duration(text).map(|duration| duration.as_millis()), Ok(milliseconds), "{text}");
        }
        for text in [
            "",
            "s",
            "ms",
            ".",
            ".5",
            "5.",
            "1..2",
            "1.2.3",
            "-1",
            "+1",
            "1e3",
            "inf",
            "nan",
            "1 s",
            " 1",
            "1h",
            "1S",
            "10sm",
            "86401",
            "1441m",
            "99999999999999999999",
            "0",
            "0.0",
            "0ms",
            "0.0000000001",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(duration_or_zero("0"), Ok(Duration::ZERO));
        assert_eq!(duration_or_zero("0m"), Ok(Duration::ZERO));
        assert!(duration(&"9".repeat(400)).is_err());
    }

    #[test]
    fn numbers() {
        assert_eq!(threads("1").map(|threads| threads.count().get()), Ok(1));
        assert_eq!(threads("1024").map(|threads| threads.count().get()), Ok(1024));
        assert_eq!(threads("pinned"), Ok(Threads::Pinned));
        assert_eq!(connections("1000000").map(NonZeroUsize::get), Ok(1_000_000));
        for text in ["", "0", "1025", "+1", "-1", "1.0", "0x1", "two", "Pinned", "99999999999999999999999"] {
            assert!(threads(text).is_err(), "{text}");
        }
        assert!(connections("0").is_err());
    }

    #[test]
    fn switches() {
        for (words, on) in [("1 true yes on ON True", true), ("0 false no off OFF No", false)] {
            assert!(words.split(' ').all(|word| switch(word) == Ok(on)));
        }
        assert!(["", "2", "y", "enable", "on "].iter().all(|word| switch(word).is_err()));
    }

    #[test]
    fn names() {
        assert!(replica("web-1.a_B").is_ok());
        assert!(replica(&"a".repeat(64)).is_ok());
        assert!(["", "a b", "a\n", "ä", "a:b", &"a".repeat(65)].iter().all(|text| replica(text).is_err()));
        assert!(["ip.example.org", "ip.example.org:8080", "[2001:db8::1]"].iter().all(|text| site_host(text).is_ok()));
        assert!(["", "http://a", "a/b", "a b", "a,b", "a:x"].iter().all(|text| site_host(text).is_err()));
        assert!(["SwagIP", "<b> & 'ä'"].iter().all(|text| site_title(text).is_ok()));
        assert!(["", " ", "a\nb", "\u{1b}[31m"].iter().all(|text| site_title(text).is_err()));
    }
}
