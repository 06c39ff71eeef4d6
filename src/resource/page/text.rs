//! A request's bytes as text.

use std::fmt::{self, Display, Formatter, Write};

/// Bytes as UTF-8 where they are valid UTF-8, else each as Latin-1: as in JSON (`json::string`).
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    bytes: &'a [u8],
    is_utf8: bool,
}

impl<'a> Text<'a> {
    /// All of these bytes.
    pub fn new(bytes: &'a [u8]) -> Text<'a> {
        Text { bytes, is_utf8: std::str::from_utf8(bytes).is_ok() }
    }

    /// The first so many bytes, or a few less, so that no character is cut; read as all of them are.
    pub fn first(self, length: usize) -> Text<'a> {
        let goes_on = |length: usize| self.is_utf8 && self.bytes.get(length).is_some_and(|byte| byte & 0xc0 == 0x80);
        let length = (0..=length.min(self.bytes.len())).rev().find(|&length| !goes_on(length)).unwrap_or(0);
        Text { bytes: &self.bytes[..length], ..self }
    }

    /// The number of bytes.
    pub fn len(self) -> usize {
        self.bytes.len()
    }
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.bytes) {
            Ok(text) if self.is_utf8 => f.write_str(text),
            _ => gather(f, self.bytes, |gathered, &byte| match byte {
                ..0x80 => gathered.put([byte]),
                _ => gathered.put([0xc0 | byte >> 6, 0x80 | byte & 0x3f]),
            }),
        }
    }
}

/// ASCII in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Lowercase<'a>(pub &'a str);

impl Display for Lowercase<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        gather(f, self.0.bytes(), |gathered, byte| gathered.put([byte.to_ascii_lowercase()]))
    }
}

/// The inside of a JSON string. Beyond what RFC 8259 asks for, characters that change the direction of a line are written by
/// their numbers: nothing in a value moves what stands beside it.
#[derive(Clone, Copy, Debug)]
pub struct JsonText<T>(pub T);

impl<T: Display> Display for JsonText<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(JsonEscape(f), "{}", self.0)
    }
}

struct JsonEscape<'f, 'a>(&'f mut Formatter<'a>);

impl Write for JsonEscape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        gather(self.0, text.chars(), |gathered, character| match character {
            '"' | '\\' => gathered.put([b'\\', character as u8]),
            '\t' => gathered.put(*b"\\t"),
            _ if is_escaped(character) => {
                let digit = |place: u32| b"0123456789abcdef"[(u32::from(character) >> (4 * place) & 15) as usize];
                gathered.put([b'\\', b'u', digit(3), digit(2), digit(1), digit(0)])
            }
            '\0'..'\u{80}' => gathered.put([character as u8]),
            _ => gathered.put_character(character),
        })
    }
}

fn is_escaped(character: char) -> bool {
    // Of Unicode's bidirectional algorithm (UAX #9 §2): the marks, the embeddings and overrides, the isolates.
    let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || character < ' '
}

/// Text on its way to a writer, which is called for a bufferful of it rather than for each character: that is what escaping
/// costs.
pub struct Gathered<'w, W> {
    to: &'w mut W,
    buffer: [u8; GATHERED_MAX],
    length: usize,
}

/// The most bytes that are gathered. A usual value fits.
const GATHERED_MAX: usize = 128;

impl<W: Write> Gathered<'_, W> {
    /// Adds whole characters.
    #[inline(always)]
    pub fn put<const N: usize>(&mut self, piece: [u8; N]) -> fmt::Result {
        if self.length + N > GATHERED_MAX {
            self.flush()?;
        }
        self.buffer[self.length..self.length + N].copy_from_slice(&piece);
        self.length += N;
        Ok(())
    }

    fn put_character(&mut self, character: char) -> fmt::Result {
        self.flush()?;
        self.to.write_char(character)
    }

    fn flush(&mut self) -> fmt::Result {
        let text = std::str::from_utf8(&self.buffer[..self.length]).map_err(|_| fmt::Error)?;
        self.length = 0;
        self.to.write_str(text)
    }
}

/// Writes what each of the items comes to.
pub fn gather<W: Write, I: IntoIterator>(
    to: &mut W,
    items: I,
    mut put: impl FnMut(&mut Gathered<'_, W>, I::Item) -> fmt::Result,
) -> fmt::Result {
    let mut gathered = Gathered { to, buffer: [0; GATHERED_MAX], length: 0 };
    for item in items {
        put(&mut gathered, item)?;
    }
    gathered.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn bytes_are_utf_8_or_latin_1() {
        assert_eq!(Text::new("grüß 👋".as_bytes()).to_string(), "grüß 👋");
        assert_eq!(Text::new(b"gr\xfc\xdf").to_string(), "grüß");
        assert_eq!(Text::new(b"").to_string(), "");
    }

    #[test]
    fn the_first_bytes_are_read_as_all_of_them_are() {
        for (length, first) in [(0, ""), (1, "g"), (2, "g"), (3, "gü"), (6, "gü"), (7, "gü👋"), (9, "gü👋")] {
            assert_eq!(Text::new("gü👋".as_bytes()).first(length).to_string(), first, "{length}");
        }
        assert_eq!(Text::new(b"gr\xc3\xbc\xff").first(4).to_string(), "gr\u{c3}\u{bc}", "Latin-1 to its end");
    }

    #[test]
    fn long_text_is_whole() {
        let long = "aB\"\u{e9}\u{202e}👋\t".repeat(100);
        assert_eq!(Text::new(long.as_bytes()).to_string(), long);
        assert_eq!(serde_json::from_str::<String>(&format!("\"{}\"", JsonText(&long))).unwrap(), long);
        let latin: Vec<u8> = (b' '..=255).cycle().take(1000).collect();
        assert_eq!(Text::new(&latin).to_string(), latin.iter().map(|&byte| char::from(byte)).collect::<String>());
        assert_eq!(Lowercase(&"A-b".repeat(100)).to_string(), "a-b".repeat(100));
    }

    #[test]
    fn json_reads_back() {
        for value in ["", "plain", "\"", "\\", "a\tb", "\"\\\"", "\u{202e}abc\u{202c}", "\u{2069}\u{2067}", "grüß 👋", "\\u202e"]
        {
            let json = format!("\"{}\"", JsonText(value));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value, "{json}");
        }
        assert_eq!(JsonText("\u{202e}abc").to_string(), "\\u202eabc");
    }
}
