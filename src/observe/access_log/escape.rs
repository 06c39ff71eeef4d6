//! Values of a request as a log may hold them: visible ASCII, whatever they were, so that a line stays one line and a terminal obeys
//! nobody. A value that is longer than its limit ends in [`CUT`].

use crate::swar;

/// Stands where the rest of a value was left out.
pub const CUT: &[u8] = b"...";

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends a value as Apache httpd escapes it: `\"`, `\\`, C's escapes for what has one there, `\xhh` for the rest. At most `max` bytes
/// and [`CUT`]; true if it was cut.
pub fn apache(line: &mut Vec<u8>, value: &[u8], max: usize) -> bool {
    if is_plain(value, max) {
        line.extend_from_slice(value);
        return false;
    }
    special(line, max, value.iter().map(|&byte| apache_byte(byte)))
}

/// Appends a value as the inside of a JSON string: its characters where it is valid UTF-8, else each byte as Latin-1, as in answers. At
/// most `max` bytes and [`CUT`]; true if it was cut.
pub fn json(line: &mut Vec<u8>, value: &[u8], max: usize) -> bool {
    if is_plain(value, max) {
        line.extend_from_slice(value);
        return false;
    }
    match std::str::from_utf8(value) {
        Ok(text) => special(line, max, text.chars().map(json_character)),
        Err(_) => special(line, max, value.iter().map(|&byte| json_character(byte.into()))),
    }
}

/// Whether a value may stand as it is, as nearly all do: it fits, and is visible ASCII without quotes and backslashes.
fn is_plain(value: &[u8], max: usize) -> bool {
    value.len() <= max && swar::is_printable(value, [b'"', b'\\'])
}

/// What one byte or character becomes.
struct Escaped {
    /// The longest are two of `\u0000`.
    bytes: [u8; 12],
    length: usize,
}

impl Escaped {
    fn new(escaped: &[u8]) -> Escaped {
        let mut bytes = [0; 12];
        bytes[..escaped.len()].copy_from_slice(escaped);
        Escaped { bytes, length: escaped.len() }
    }
}

fn special(line: &mut Vec<u8>, max: usize, escaped: impl Iterator<Item = Escaped>) -> bool {
    let end = line.len() + max;
    for Escaped { bytes, length } in escaped {
        if line.len() + length > end {
            line.extend_from_slice(CUT);
            return true;
        }
        line.extend_from_slice(&bytes[..length]);
    }
    false
}

fn apache_byte(byte: u8) -> Escaped {
    let named = |name| Escaped::new(&[b'\\', name]);
    match byte {
        b'"' | b'\\' => named(byte),
        0x08 => named(b'b'),
        b'\n' => named(b'n'),
        b'\r' => named(b'r'),
        b'\t' => named(b't'),
        0x0b => named(b'v'),
        b' '..0x7f => Escaped::new(&[byte]),
        _ => Escaped::new(&[b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
    }
}

fn json_character(character: char) -> Escaped {
    match character {
        '"' => Escaped::new(b"\\\""),
        '\\' => Escaped::new(b"\\\\"),
        ' '..'\x7f' => Escaped::new(&[character as u8]),
        // Also what some programs end a line at, U+0085 and U+2028, and what turns the order of what is shown round.
        _ => {
            let mut escaped = Escaped { bytes: [0; 12], length: 0 };
            for unit in character.encode_utf16(&mut [0; 2]) {
                let digit = |shift: u16| DIGITS[usize::from(*unit >> shift & 15)];
                let six = [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)];
                escaped.bytes[escaped.length..][..six.len()].copy_from_slice(&six);
                escaped.length += six.len();
            }
            escaped
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: fn(&mut Vec<u8>, &[u8], usize) -> bool, value: &[u8], max: usize) -> String {
        let mut line = b"before".to_vec();
        let is_cut = escape(&mut line, value, max);
        assert_eq!(is_cut, line.ends_with(CUT));
        String::from_utf8_lossy(&line[6..]).into_owned()
    }

    #[test]
    fn what_is_not_visible_ascii_is_escaped() {
        for (value, in_apache, in_json) in [
            (&b""[..], "", ""),
            (b"curl/8.5.0 (a; b)", "curl/8.5.0 (a; b)", "curl/8.5.0 (a; b)"),
            (b"a\"b\\c", r#"a\"b\\c"#, r#"a\"b\\c"#),
            (b"a\r\nb\tc\x08\x0b\x0c", r"a\r\nb\tc\b\v\x0c", r"a\u000d\u000ab\u0009c\u0008\u000b\u000c"),
            (b"\x00\x1b[31m\x7f", r"\x00\x1b[31m\x7f", r"\u0000\u001b[31m\u007f"),
            ("é€😀".as_bytes(), r"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", r"\u00e9\u20ac\ud83d\ude00"),
            ("\u{2028}\u{85}\u{202e}".as_bytes(), r"\xe2\x80\xa8\xc2\x85\xe2\x80\xae", r"\u2028\u0085\u202e"),
            (b"\xe9\xff", r"\xe9\xff", r"\u00e9\u00ff"),
        ] {
            assert_eq!(escaped(apache, value, 100), in_apache);
            assert_eq!(escaped(json, value, 100), in_json);
        }
    }

    #[test]
    fn each_byte_is_plain_or_not_wherever_it_stands() {
        for byte in 0..=255 {
            for length in 1..20 {
                for place in 0..length {
                    let mut value = vec![b'a'; length];
                    value[place] = byte;
                    assert_eq!(
                        is_plain(&value, 20),
                        matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\',
                        "{}",
                        value.escape_ascii()
                    );
                }
            }
        }
        assert!(is_plain(b"", 0) && !is_plain(b"a", 0));
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        for (value, max, in_apache, in_json) in [
            ("abcdef", 6, "abcdef", "abcdef"),
            ("abcdefg", 6, "abcdef...", "abcdef..."),
            ("abcd\"", 6, "abcd\\\"", "abcd\\\""),
            ("abcde\"", 6, "abcde...", "abcde..."),
            ("é", 8, r"\xc3\xa9", r"\u00e9"),
            ("aé", 8, r"a\xc3...", r"a\u00e9"),
            ("😀", 12, r"\xf0\x9f\x98...", r"\ud83d\ude00"),
            ("a😀", 12, r"a\xf0\x9f...", "a..."),
        ] {
            assert_eq!(escaped(apache, value.as_bytes(), max), in_apache, "{value} {max}");
            assert_eq!(escaped(json, value.as_bytes(), max), in_json, "{value} {max}");
        }
    }
}
