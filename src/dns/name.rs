//! Domain names.

use std::net::IpAddr;

/// The most bytes of a name on the wire, with the lengths of its labels (RFC 1035 §3.1).
pub const NAME_MAX: usize = 255;

/// The most bytes of a label.
const LABEL_MAX: usize = 63;

/// A domain name: labels, each after its length, and an empty one at the end. Names are equal whatever the case of their letters, which
/// are kept as they came.
#[derive(Clone, Debug)]
pub struct Name(Vec<u8>);

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        // A label's length is less than any letter, so that it has no case.
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Name {
    /// The name whose PTR records name an address (RFC 1035 §3.5, RFC 3596 §2.5).
    pub fn of_address(address: IpAddr) -> Name {
        let text = match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(address) => {
                let digits = address.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
                digits.collect::<String>() + "ip6.arpa"
            }
        };
        let mut bytes = Vec::with_capacity(text.len() + 2);
        for label in text.split('.') {
            bytes.push(label.len() as u8);
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        Name(bytes)
    }

    /// The name as text, without a dot at its end; `None` for the root, and where a label holds anything but letters, digits, `-` and `_`:
    /// it is to stand in a text, in JSON or in a log.
    pub fn text(&self) -> Option<String> {
        let mut text = String::with_capacity(self.0.len());
        let mut rest = self.0.as_slice();
        while let Some((&length, after)) = rest.split_first().filter(|(length, _)| **length > 0) {
            let (label, after) = after.split_at_checked(length.into())?;
            if !label.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
                return None;
            }
            let dot = if text.is_empty() { "" } else { "." };
            text.push_str(dot);
            text.extend(label.iter().copied().map(char::from));
            rest = after;
        }
        (!text.is_empty()).then_some(text)
    }

    /// As it stands on the wire, without compression.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the name that begins at `start` of a message, and tells where what follows it begins; `None` where there is none: it goes on
    /// beyond the message, has more than [`NAME_MAX`] bytes, or a pointer of its compression (RFC 1035 §4.1.4) leads anywhere but back.
    pub fn read(message: &[u8], start: usize) -> Option<(Name, usize)> {
        let mut bytes = Vec::new();
        let mut at = start;
        // Where what follows the name begins, once it has jumped; and where no pointer may lead any more: each one leads further back than
        // all before it, so that there are no loops.
        let (mut end, mut bound) = (None, start);
        loop {
            let length = usize::from(*message.get(at)?);
            match length {
                0 => break,
                1..=LABEL_MAX => {
                    let label = message.get(at..=at + length)?;
                    // The empty label at the end must fit, too.
                    if bytes.len() + label.len() >= NAME_MAX {
                        return None;
                    }
                    bytes.extend_from_slice(label);
                    at += label.len();
                }
                0xc0.. => {
                    let target = (length & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                    end = end.or(Some(at + 2));
                    if target >= bound {
                        return None;
                    }
                    (at, bound) = (target, target);
                }
                // The two high bits 01 and 10 mean nothing.
                _ => return None,
            }
        }
        bytes.push(0);
        Some((Name(bytes), end.unwrap_or(at + 1)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_addresses() {
        for (address, expected) in [
            ("203.0.113.9", "9.113.0.203.in-addr.arpa"),
            ("2001:db8::1f", "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
        ] {
            assert_eq!(Name::of_address(address.parse().unwrap()).text().as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_a_name() {
        let long = |last: u8| [&[63; 64][..], &[63; 64], &[63; 64], &vec![last; usize::from(last) + 1], &[0]].concat();
        for (message, start, expected) in [
            (&b"\x01a\x02bc\x00"[..], 0, Some(("a.bc", 6))),
            (b"\x00", 0, Some(("", 1))),
            (b"", 0, None),
            (b"\x01a", 0, None),
            (b"\x02a", 0, None),
            (b"\x01a\x00\x01b\xc0\x00x", 3, Some(("b.a", 7))),
            (b"\x01a\x00\xc0\x00\xc0\x03", 5, Some(("a", 7))),
            // Loops, and pointers that lead forward or out.
            (b"\xc0\x00", 0, None),
            (b"\x01a\xc0\x00", 0, None),
            (b"\xc0\x02\x01a\x00", 0, None),
            (b"\x01a\xc0", 0, None),
            (b"\xc0\x02\xc0\x00", 2, None),
            // 01 and 10.
            (b"\x41a\x00", 0, None),
            (b"\x81a\x00", 0, None),
        ] {
            let found = Name::read(message, start);
            let found = found.as_ref().map(|(name, end)| (name.text().unwrap_or_default(), *end));
            assert_eq!(found, expected.map(|(text, end)| (text.to_owned(), end)), "{message:?} {start}");
        }
        assert_eq!(Name::read(&long(61), 0).unwrap().0.as_bytes().len(), NAME_MAX);
        assert_eq!(Name::read(&long(62), 0), None);
    }

    #[test]
    fn what_may_stand_in_a_text() {
        for (bytes, expected) in [
            (&b"\x04Ho_t\x03a-1\x00"[..], Some("Ho_t.a-1")),
            (b"\x00", None),
            (b"\x03a.b\x00", None),
            (b"\x03a b\x00", None),
            (b"\x01\"\x00", None),
            (b"\x01\n\x00", None),
            (b"\x01\x00\x00", None),
            (b"\x02\xc3\xa4\x00", None),
        ] {
            assert_eq!(Name::read(bytes, 0).unwrap().0.text().as_deref(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn names_have_no_case() {
        let [one, other, third] =
            [&b"\x01a\x01Z\x00"[..], b"\x01A\x01z\x00", b"\x01a\x01y\x00"].map(|name| Name::read(name, 0).unwrap().0);
        assert_eq!(one, other);
        assert_ne!(one, third);
    }
}
