//! Reads values. An error completes a sentence that begins with the text: what is wrong with it, and what to type instead.

use crate::client::ForwardingField;
use crate::http::field::is_token;
use crate::http::host;
use crate::net::Threads;
use crate::observe::access_log::Format;
use crate::resource::SITE_PATH_MAX;
use log::LevelFilter;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What is wrong with a text.
type Reason = &'static str;

/// More than any machine has CPUs, so more is a typing mistake.
const THREADS_MAX: usize = 1024;

/// As many as there may be threads: more are of no use.
const DESCRIPTORS_MAX: usize = THREADS_MAX;

/// A day. More is probably a mistake, too, and this fits into 32 bits as milliseconds.
pub(super) const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The bytes of a replica's name: it goes into every response.
const REPLICA_MAX: usize = 64;

/// The bytes of a language: those of `zh-Hant-TW`, and room.
const LANGUAGE_MAX: usize = 35;

/// A language of names, as databases write it.
pub(super) fn language(text: &str) -> Result<String, Reason> {
    let is_right = (1..=LANGUAGE_MAX).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_right { Ok(text.to_owned()) } else { Err("is not a language: try en, de or pt-BR") }
}

pub(super) fn threads(text: &str) -> Result<Threads, Reason> {
    if text == "pinned" {
        return Ok(Threads::Pinned);
    }
    let count = number(text).filter(|count: &NonZeroUsize| count.get() <= THREADS_MAX);
    count.map(Threads::Spread).ok_or("is not a number of threads from 1 to 1024, nor \"pinned\": try 2")
}

/// LISTEN_FDS.
pub(super) fn descriptors(text: &str) -> Result<usize, Reason> {
    number(text)
        .filter(|&count| count <= DESCRIPTORS_MAX)
        .ok_or("is not a number of listeners from 0 to 1024: leave it to systemd")
}

/// WATCHDOG_USEC.
pub(super) fn watchdog(text: &str) -> Result<Duration, Reason> {
    let micros = number(text).filter(|&micros: &u64| micros > 0);
    micros.map(Duration::from_micros).ok_or("is not a number of microseconds: leave it to systemd, or unset it")
}

pub(super) fn connections(text: &str) -> Result<NonZeroUsize, Reason> {
    number(text).ok_or("is not a number of connections: try 10000")
}

pub(super) fn connections_per_client(text: &str) -> Result<NonZeroUsize, Reason> {
    number(text).ok_or("is not a number of connections: try 100")
}

/// Digits only: `parse` would accept a sign.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// A duration that is not zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match duration_or_zero(text) {
        Ok(Duration::ZERO) => Err("must be more than 0: try 500ms".to_owned()),
        result => result,
    }
}

/// `10` and `0.5` (seconds), `500ms`, `10s`, `1m`.
pub(super) fn duration_or_zero(text: &str) -> Result<Duration, String> {
    const REASON: Reason = "is not a duration: try 10, 0.5, 500ms, 10s or 1m";
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let (scale, per) = match unit {
        "" | "s" => (1.0, 1.0),
        "ms" => (1.0, 1000.0),
        "m" => (60.0, 1.0),
        // The message gives it in minutes.
        "h" => (3600.0, 1.0),
        _ => return Err(REASON.to_owned()),
    };
    let digits = &text[..text.len() - unit.len()];
    if digits.starts_with('.') || digits.ends_with('.') {
        return Err(REASON.to_owned());
    }
    let seconds: f64 = digits.parse().map_err(|_| REASON)?;
    match Duration::try_from_secs_f64(seconds * scale / per).ok().filter(|&duration| duration <= DURATION_MAX) {
        None => Err("is more than 24 hours: try 1440m".to_owned()),
        Some(duration) if unit == "h" && !duration.is_zero() => {
            let minutes = (seconds * 60_000.0).round() / 1000.0;
            Err(format!("is in hours, which are not supported: try {minutes}m"))
        }
        Some(duration) => Ok(duration),
    }
}

/// `on` or `off`, or another usual word for it, in any case.
pub(super) fn switch(text: &str) -> Result<bool, Reason> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["1", "true", "yes", "on"]) {
        Ok(true)
    } else if is(["0", "false", "no", "off"]) {
        Ok(false)
    } else {
        Err("is not a switch: try on or off")
    }
}

/// `off`, or the format of the access log's lines.
pub(super) fn access_log(text: &str) -> Result<Option<Format>, Reason> {
    match text {
        "off" => Ok(None),
        "combined" => Ok(Some(Format::Combined)),
        "json" => Ok(Some(Format::Json)),
        _ => Err("is not a format of the access log: try combined, json or off"),
    }
}

/// The name of the header that forwards the client's address.
pub(super) fn forwarding_field(text: &str) -> Result<ForwardingField, Reason> {
    text.parse().map_err(|_| "is not the name of a header: try x-forwarded-for, x-real-ip or forwarded")
}

/// The name of a hidden header, in lower case.
pub(super) fn field_name(text: &str) -> Result<String, Reason> {
    let fits = !text.is_empty() && text.bytes().all(is_token);
    if fits { Ok(text.to_ascii_lowercase()) } else { Err("is not the name of a header: try x-secret") }
}

/// The name of a replica, which goes into a header and the page unescaped.
pub(super) fn replica(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.len() > REPLICA_MAX || text.is_empty() || !text.chars().all(is_allowed) {
        let allowed = text.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(REPLICA_MAX).collect::<String>();
        let proposal = if text.is_empty() || has_ipv4(&allowed) { "web-1" } else { &allowed };
        return Err(format!("is not 1 to {REPLICA_MAX} letters, digits, \".\", \"_\" and \"-\": try {proposal}"));
    }
    if has_ipv4(text) {
        return Err(format!(
            "contains an IPv4 address, which some clients would take for their own: try {}",
            text.replace('.', "-")
        ));
    }
    Ok(text.to_owned())
}

/// Whether a program that searches for an IPv4 address at word boundaries, as ddclient 3.10 does in the whole answer, would find one.
fn has_ipv4(name: &str) -> bool {
    name.split('-').any(|word| {
        let labels: Vec<_> = word.split('.').collect();
        labels.windows(4).any(|four| four.join(".").parse::<Ipv4Addr>().is_ok())
    })
}

/// The address in the page's commands: a host, and optionally a path.
pub(super) fn site_host(text: &str) -> Result<(String, String), String> {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    if let Some((_, rest)) = text.split_once("://").filter(|(_, rest)| !rest.is_empty()) {
        return Err(format!("has a scheme: try {rest}"));
    }
    if host::check(host.as_bytes()).is_err() {
        return Err("is not a host: try ip.example.org".to_owned());
    }
    if path.is_empty() {
        return Ok((host.to_owned(), String::new()));
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    // The page's commands are pasted into shells, and clients resolve dot segments (RFC 3986 §5.2.4).
    let is_right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.chars().all(is_right);
    match path.len() < SITE_PATH_MAX && path.split('/').all(is_segment) {
        true => Ok((host.to_owned(), format!("/{path}"))),
        false => Err(format!(
            "has a path that is not segments of letters, digits, \"-\", \".\", \"_\" and \"~\", {SITE_PATH_MAX} bytes at most: try {host}/myip"
        )),
    }
}

/// A DNS name, in lower case. The page's policy takes no address in brackets and no other characters (CSP Level 3 §2.3.1), and a scheme, a
/// port and a path are the page's own.
pub(super) fn family_host(text: &str) -> Result<String, Reason> {
    /// RFC 1035 §2.3.4, as text.
    const NAME_MAX: usize = 253;
    const LABEL_MAX: usize = 63;
    let is_label = |label: &str| {
        let is_right = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(is_right) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    // Browsers read a name whose last label is a number as an address.
    let is_name = text.len() <= NAME_MAX && text.split('.').all(is_label) && !text.rsplit('.').next().is_some_and(is_number);
    match is_name {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("is not a DNS name without scheme, port or path: try ip4.example.org"),
    }
}

pub(super) fn site_title(text: &str) -> Result<String, Reason> {
    /// It stands in the page twice, each byte of it as up to five.
    const TITLE_MAX: usize = 100;
    match text {
        _ if text.trim().is_empty() || text.contains(char::is_control) => Err("is not a line of text: try SwagIP"),
        _ if text.len() > TITLE_MAX => Err("is longer than 100 bytes: try SwagIP"),
        _ => Ok(text.to_owned()),
    }
}

/// `RUST_LOG`: levels, for all or for some modules. env_logger silently takes any other word for a module.
pub(super) fn log_filter(text: &str) -> Result<(), Reason> {
    let is_level = |directive: &str| {
        let level = directive.split_once('=').map_or(directive, |(_, level)| level);
        level.trim().parse::<LevelFilter>().is_ok()
    };
    let mut directives = text.split(',').map(str::trim).filter(|directive| !directive.is_empty());
    if directives.all(is_level) { Ok(()) } else { Err("is not a log level: try off, error, warn, info, debug or trace") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
    fn formats_of_the_access_log() {
        for (text, format) in [("off", None), ("combined", Some(Format::Combined)), ("json", Some(Format::Json))] {
            assert_eq!(access_log(text), Ok(format));
        }
        assert!(["", "on", "JSON", "common", "combined "].iter().all(|text| access_log(text).is_err()));
    }

    #[test]
    fn what_is_wrong_with_a_duration() {
        let none = "is not a duration: try 10, 0.5, 500ms, 10s or 1m";
        for (text, reason) in [
            ("10sec", none),
            ("-1", none),
            ("h", none),
            ("0", "must be more than 0: try 500ms"),
            ("86400.5", "is more than 24 hours: try 1440m"),
            ("25h", "is more than 24 hours: try 1440m"),
            ("1h", "is in hours, which are not supported: try 60m"),
            ("0.5h", "is in hours, which are not supported: try 30m"),
            ("4.1h", "is in hours, which are not supported: try 246m"),
            ("0h", "must be more than 0: try 500ms"),
        ] {
            assert_eq!(duration(text), Err(reason.to_owned()), "{text}");
        }
        let longest = duration("1440m").unwrap();
        assert!(u32::try_from(longest.as_millis()).is_ok());
    }

    #[test]
    fn replicas() {
        assert!(
            ["web-1.a_B", "1.2.3", "v1.2.3.4", "1.2.3.400", "ip-10-0-0-1", &"a".repeat(64)].iter().all(|id| replica(id).is_ok())
        );
        let letters = |proposal: &str| format!("is not 1 to 64 letters, digits, \".\", \"_\" and \"-\": try {proposal}");
        let address =
            |proposal: &str| format!("contains an IPv4 address, which some clients would take for their own: try {proposal}");
        for (text, reason) in [
            ("", letters("web-1")),
            ("a b", letters("a-b")),
            ("ä:\n", letters("---")),
            ("10.0.0.1 ", letters("web-1")),
            (&"a".repeat(65), letters(&"a".repeat(64))),
            ("10.0.0.1", address("10-0-0-1")),
            ("web-10.0.0.1", address("web-10-0-0-1")),
            ("10.0.0.1-web", address("10-0-0-1-web")),
            ("10.0.0.1.example.org", address("10-0-0-1-example-org")),
            ("9.10.0.0.1", address("9-10-0-0-1")),
        ] {
            assert_eq!(replica(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn sites() {
        for (text, host, path) in [
            ("ip.example.org", "ip.example.org", ""),
            ("ip.example.org:8080/", "ip.example.org:8080", ""),
            ("[2001:db8::1]/myip", "[2001:db8::1]", "/myip"),
            ("a/b-1/~c._/", "a", "/b-1/~c._"),
            (&format!("a/{}", "b".repeat(63)), "a", &format!("/{}", "b".repeat(63))),
        ] {
            assert_eq!(site_host(text), Ok((host.to_owned(), path.to_owned())), "{text}");
        }
        assert_eq!(site_host("https://a/b"), Err("has a scheme: try a/b".to_owned()));
        for text in ["", "a b", "a,b", "a:x", "/myip", "://", "http:", "a?b"] {
            assert_eq!(site_host(text), Err("is not a host: try ip.example.org".to_owned()), "{text}");
        }
        let long = format!("a/{}", "b".repeat(64));
        for text in ["a//", "a//b", "a/b//", "a/.", "a/../b", "a/%41", "a/b c", "a/$(id)", "a/b?c", "a/b#c", "a/ä", &long] {
            assert!(site_host(text).unwrap_err().ends_with(": try a/myip"), "{text}");
        }
    }

    #[test]
    fn names_of_one_family() {
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "a".repeat(61));
        for text in ["ip4.example.org", "IPv6.Example.ORG", "localhost", "4.a-b.xn--p1ai", "1a", &longest] {
            assert_eq!(family_host(text), Ok(text.to_ascii_lowercase()), "{text}");
        }
        let (long, long_label) = (format!("{longest}a"), format!("{}.org", "a".repeat(64)));
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a_b",
            "a b",
            "a:80",
            "https://a",
            "a/b",
            "a'b",
            "*.a",
            "a;b",
            "ä.org",
            "192.0.2.1",
            "1",
            "a.1",
            "[::1]",
            "::1",
            &long,
            &long_label,
        ] {
            assert!(family_host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_headers() {
        assert_eq!(field_name("X-Secret_1"), Ok("x-secret_1".to_owned()));
        assert!(["", "a b", "a:", "ä"].iter().all(|text| field_name(text).is_err() && forwarding_field(text).is_err()));
        assert_eq!(forwarding_field("Forwarded"), Ok(ForwardingField::Forwarded));
    }

    #[test]
    fn log_filters() {
        for text in ["warn", "ERROR", "off", "info,swagip=debug", "swagip::net=trace, mio = off", ",", ""] {
            assert_eq!(log_filter(text), Ok(()), "{text}");
        }
        for text in ["loud", "swagip", "debug,swagip", "swagip=", "a=b=c", "debug/x", "1"] {
            assert!(log_filter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn titles() {
        assert!(["SwagIP", "<b> & 'ä'"].iter().all(|text| site_title(text).is_ok()));
        assert!(["", " ", "a\nb", "\u{1b}[31m"].iter().all(|text| site_title(text).is_err()));
    }
}
