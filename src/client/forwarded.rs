//! The `Forwarded` field (RFC 7239 §4), one line at a time.
//!
//! ```text
//! Forwarded         = 1#forwarded-element
//! forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
//! forwarded-pair    = token "=" ( token / quoted-string )
//! ```
//!
//! A whole line is checked before any of its elements counts: if a client left a quote open and a proxy appended to that line, there is
//! no telling who wrote what.

use super::Scheme;
use super::node::Node;
use crate::http::field::is_token;

/// Whether a whole line follows the grammar; only then can it be divided at [`last_comma`]. It uses a table, because a line may have
/// 16 KiB of the smallest elements, and is read again for each question about it.
pub(super) fn is_well_formed(line: &[u8]) -> bool {
    let end = line.iter().fold(Place::Element, |place, &byte| NEXT[place as usize][usize::from(byte)]);
    matches!(end, Place::Element | Place::Pair | Place::Value | Place::Closed | Place::Space)
}

/// The place of the next byte in a line.
#[derive(Clone, Copy)]
enum Place {
    /// Where an element may begin, after white space or not.
    Element,
    /// After a semicolon.
    Pair,
    /// After an element and white space.
    Space,
    /// After a byte that breaks the grammar.
    Wrong,
    Name,
    /// After the equals sign.
    Equals,
    Value,
    Quoted,
    /// After a backslash.
    Escaped,
    /// After the quote that ends a value.
    Closed,
}

impl Place {
    const ALL: [Place; 10] = [
        Place::Element,
        Place::Pair,
        Place::Space,
        Place::Wrong,
        Place::Name,
        Place::Equals,
        Place::Value,
        Place::Quoted,
        Place::Escaped,
        Place::Closed,
    ];

    const fn next(self, byte: u8) -> Place {
        let is_space = byte.is_ascii_whitespace();
        match (self, byte) {
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, b'\\') => Place::Escaped,
            (Place::Quoted | Place::Escaped, _) => Place::Quoted,
            (Place::Equals, b'"') => Place::Quoted,
            (Place::Equals | Place::Value, _) if is_token(byte) => Place::Value,
            (Place::Name, b'=') => Place::Equals,
            (Place::Element | Place::Pair | Place::Name, _) if is_token(byte) => Place::Name,
            (Place::Element, _) if is_space => Place::Element,
            (Place::Pair | Place::Value | Place::Closed | Place::Space, _) if is_space => Place::Space,
            (Place::Element | Place::Pair | Place::Value | Place::Closed | Place::Space, b',') => Place::Element,
            (Place::Element | Place::Pair | Place::Value | Place::Closed, b';') => Place::Pair,
            _ => Place::Wrong,
        }
    }
}

const NEXT: [[Place; 256]; Place::ALL.len()] = {
    let mut table = [[Place::Wrong; 256]; Place::ALL.len()];
    let mut place = 0;
    while place < table.len() {
        let mut byte = 0;
        while byte < 256 {
            table[place][byte] = Place::ALL[place].next(byte as u8);
            byte += 1;
        }
        place += 1;
    }
    table
};

/// The last comma outside quoted strings, in a well-formed line. There a quote after an odd number of backslashes is part of a quoted
/// string, and every other quote begins or ends one, whichever end one starts from.
pub(super) fn last_comma(line: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    for at in (0..line.len()).rev() {
        match line[at] {
            b'"' => is_quoted ^= !is_escaped(line, at),
            b',' if !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn is_escaped(line: &[u8], at: usize) -> bool {
    line[..at].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// The hop that one element names, and its `proto`. `None` if the text is not an element, has no address in `for`, or has a parameter
/// twice (RFC 7239 §4 forbids it: which one would count?).
pub(super) fn hop(text: &[u8]) -> Option<(Node, Option<Scheme>)> {
    let element = Element::parse(text)?;
    if element.is_ambiguous {
        return None;
    }
    let node = unescaped(element.node?, node)?;
    Some((node, element.proto.and_then(|proto| unescaped(proto, Scheme::parse))))
}

/// An IPv6 address must have brackets here (RFC 7239 §6): without them, one with a port reads as another address.
fn node(text: &[u8]) -> Option<Node> {
    let is_bare_v6 = !text.starts_with(b"[") && text.iter().filter(|&&byte| byte == b':').count() > 1;
    if is_bare_v6 { None } else { Node::parse(text) }
}

/// The parts of an element that count; values without quotes, but with backslashes.
#[derive(Default)]
struct Element<'a> {
    node: Option<&'a [u8]>,
    proto: Option<&'a [u8]>,
    is_ambiguous: bool,
}

impl<'a> Element<'a> {
    /// Reads one element, which may be empty, without white space around it.
    fn parse(text: &'a [u8]) -> Option<Element<'a>> {
        let mut element = Element::default();
        let mut start = 0;
        let mut place = Place::Pair;
        for (at, &byte) in text.iter().enumerate() {
            place = NEXT[place as usize][usize::from(byte)];
            match place {
                Place::Element | Place::Space | Place::Wrong => return None,
                Place::Pair => {
                    element.set(&text[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        element.set(&text[start..]);
        matches!(place, Place::Pair | Place::Value | Place::Closed).then_some(element)
    }

    /// Keeps a well-formed pair if it counts.
    fn set(&mut self, pair: &'a [u8]) {
        // If there are many pairs, most are too short to count.
        if pair.len() < "for=a".len() {
            return;
        }
        let (parameter, value) = match pair {
            [b'f' | b'F', b'o' | b'O', b'r' | b'R', b'=', value @ ..] => (&mut self.node, value),
            [b'p' | b'P', b'r' | b'R', b'o' | b'O', b't' | b'T', b'o' | b'O', b'=', value @ ..] => (&mut self.proto, value),
            _ => return,
        };
        let value = value.strip_prefix(b"\"").and_then(|quoted| quoted.strip_suffix(b"\"")).unwrap_or(value);
        self.is_ambiguous |= parameter.replace(value).is_some();
    }
}

/// Parses a value with each quoted-pair replaced by its byte. Nobody needs quoted-pairs in an address or a scheme, but the RFC allows
/// them, so a value that fits on the stack is read.
fn unescaped<T>(value: &[u8], parse: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    /// More than an IPv6 address, a zone id (an interface's name has 15 bytes) and a port take.
    const VALUE_MAX: usize = 80;
    if !value.contains(&b'\\') {
        return parse(value);
    }
    let mut buffer = [0; VALUE_MAX];
    let mut length = 0;
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        *buffer.get_mut(length)? = if byte == b'\\' { *bytes.next()? } else { byte };
        length += 1;
    }
    parse(&buffer[..length])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The elements from the right, as [`ForwardingField`](super::super::ForwardingField) divides a line.
    fn divided(line: &str) -> Vec<&str> {
        let mut elements = Vec::new();
        let mut rest = line;
        while let Some(comma) = last_comma(rest.as_bytes()) {
            elements.push(rest[comma + 1..].trim());
            rest = &rest[..comma];
        }
        elements.push(rest.trim());
        elements
    }

    #[test]
    fn well_formed_lines_are_divided_at_their_commas() {
        for (line, elements) in [
            ("", &[""][..]),
            ("for=192.0.2.1", &["for=192.0.2.1"]),
            ("for=192.0.2.1, for=192.0.2.2", &["for=192.0.2.2", "for=192.0.2.1"]),
            (" ,\tfor=a\t,,for=b ", &["for=b", "", "for=a", ""]),
            (r#"for="a,b", for=c"#, &["for=c", r#"for="a,b""#]),
            (r#"for="a\",b",for="\\",c="\\\"" "#, &[r#"c="\\\"""#, r#"for="\\""#, r#"for="a\",b""#]),
            (r#"a="";b="," , c="", d=","#, &[]),
            ("for=a;;by=b;", &["for=a;;by=b;"]),
            (";", &[";"]),
            ("host=\"\u{e9}\t,\"", &["host=\"\u{e9}\t,\""]),
        ] {
            assert_eq!(is_well_formed(line.as_bytes()), !elements.is_empty(), "{line}");
            if !elements.is_empty() {
                assert_eq!(divided(line), elements, "{line}");
            }
        }
    }

    #[test]
    fn lines_that_do_not_parse() {
        for line in [
            "for",
            "for=",
            "=a",
            "for=a b",
            "for =a",
            "for= a",
            "for=a ;by=b",
            "for=a; by=b",
            "for=a=b",
            "for=[::1]",
            "for=192.0.2.1:80",
            "for=\"",
            "for=\"a",
            "for=\"a\\\"",
            "for=\"a\\",
            "for=\"a\"b",
            "for=\"a\"\"b\"",
            "for=a\"b\"",
            "\"for\"=a",
            "for='a,b c'",
            "for=192.0.2.1, for=\"",
            "for=\", for=192.0.2.1",
            "@",
            "for=a, @",
            "fo\u{e9}=a",
        ] {
            assert!(!is_well_formed(line.as_bytes()), "{line}");
            assert!(hop(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn hops() {
        use Scheme::{Http, Https};
        for (text, address, port, scheme) in [
            ("for=192.0.2.43", "192.0.2.43", None, None),
            ("FOR=192.0.2.43;Proto=HTTPS", "192.0.2.43", None, Some(Https)),
            ("proto=http;by=203.0.113.43;for=192.0.2.60", "192.0.2.60", None, Some(Http)),
            ("host=\"a;for=6.6.6.6, \\\"\";for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", Some(4711), None),
            ("for=\"[2001:db8::1]\";proto=\"https\"", "2001:db8::1", None, Some(Https)),
            ("for=\"192.0.2.43:47011\"", "192.0.2.43", Some(47011), None),
            ("for=\"192.0.2.43:_port\";proto=ws", "192.0.2.43", None, None),
            ("for=\"[::ffff:192.0.2.43]\"", "192.0.2.43", None, None),
            ("for=\"192\\.0.2.\\4\\3\";proto=\"\\https\"", "192.0.2.43", None, Some(Https)),
            (";;for=192.0.2.43;", "192.0.2.43", None, None),
            ("for=192.0.2.43;by=a;by=b", "192.0.2.43", None, None),
        ] {
            let node = Node { address: address.parse().unwrap(), port };
            assert_eq!(hop(text.as_bytes()), Some((node, scheme)), "{text}");
            assert!(is_well_formed(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn elements_that_name_no_hop() {
        for text in [
            "",
            ";",
            "proto=https",
            "by=192.0.2.43",
            "for=unknown",
            "for=_hidden",
            "for=\"_hidden:80\"",
            "for=\"\"",
            "for=\"2001:db8::1\"",
            "for=\"2001:db8::1:8080\"",
            "for=\" 192.0.2.43\"",
            "for=192.0.2.43;for=192.0.2.43",
            "for=192.0.2.43;FOR=_x",
            "for=192.0.2.43;proto=http;proto=https",
            "fort=192.0.2.43",
            "for=192.0.2.43,",
            "for=192.0.2.43,for=192.0.2.44",
            "for=192.0.2.43 ",
            " for=192.0.2.43",
        ] {
            assert!(hop(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn escaped_values_have_a_limit() {
        let zone = |length| format!("for=\"[\\fe80::1%{}]\"", "z".repeat(length));
        assert!(hop(zone(70).as_bytes()).is_some());
        assert!(hop(zone(71).as_bytes()).is_none());
        let plain = format!("for=\"[fe80::1%{}]\"", "z".repeat(71));
        assert!(hop(plain.as_bytes()).is_some(), "only values with quoted-pairs are copied");
    }
}
