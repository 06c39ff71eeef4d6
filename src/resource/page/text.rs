//! A request's bytes as text.

use std::fmt::{self, Display, Formatter, Write};

/// Bytes as UTF-8 where they are valid UTF-8, else each as Latin-1: as in JSON (`json::string`).
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.0) {
            Ok(text) => f.write_str(text),
            Err(_) => self.0.iter().try_for_each(|&byte| f.write_char(char::from(byte))),
        }
    }
}

/// ASCII in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Lowercase<'a>(pub &'a str);

impl Display for Lowercase<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| f.write_char(character.to_ascii_lowercase()))
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
        let mut rest = text;
        while let Some(index) = rest.find(is_escaped) {
            self.0.write_str(&rest[..index])?;
            let mut characters = rest[index..].chars();
            match characters.next() {
                Some(quoted @ ('"' | '\\')) => write!(self.0, "\\{quoted}")?,
                Some('\t') => self.0.write_str("\\t")?,
                Some(other) => write!(self.0, "\\u{:04x}", u32::from(other))?,
                None => {}
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

fn is_escaped(character: char) -> bool {
    // Of Unicode's bidirectional algorithm (UAX #9 §2): the marks, the embeddings and overrides, the isolates.
    let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || character < ' ' || matches!(character, '"' | '\\')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn bytes_are_utf_8_or_latin_1() {
        assert_eq!(Text("grüß 👋".as_bytes()).to_string(), "grüß 👋");
        assert_eq!(Text(b"gr\xfc\xdf").to_string(), "grüß");
        assert_eq!(Text(b"").to_string(), "");
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
