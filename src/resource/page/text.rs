//! A request's bytes as text in HTML.
//!
//! Only these functions put a client's bytes into the rows; askama escapes the rest of the template. They read a value once, and append a
//! bufferful at a time, because a page may have 128 KiB of it.

/// Bytes read as UTF-8 if they are valid UTF-8, else as Latin-1, as in JSON (`json::string`).
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

    /// The first `length` bytes, or a few less, so as to cut no character; in the encoding of the whole.
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

/// Appends text.
pub fn html(content: &mut Vec<u8>, text: Text<'_>) {
    if text.bytes.iter().fold(true, |is_plain, &byte| is_plain & (byte < 0x80) & !is_markup(byte)) {
        return content.extend_from_slice(text.bytes);
    }
    let mut pieces = Pieces::new(content);
    match text.is_utf8 {
        true => text
            .bytes
            .iter()
            .for_each(|&byte| if byte < 0x80 { pieces.put(HTML[usize::from(byte)]) } else { pieces.put_byte(byte) }),
        false => text.bytes.iter().for_each(|&byte| pieces.put(HTML[usize::from(byte)])),
    }
    pieces.flush();
}

/// Appends ASCII.
pub fn ascii(content: &mut Vec<u8>, bytes: impl Iterator<Item = u8>) {
    let mut pieces = Pieces::new(content);
    bytes.for_each(|byte| pieces.put(HTML[usize::from(byte)]));
    pieces.flush();
}

/// Appends the inside of a JSON string. Characters that change the direction of text are escaped, too, so that no value can reorder what
/// is next to it.
pub fn json(content: &mut Vec<u8>, text: Text<'_>) {
    let is_plain = |byte: u8| matches!(byte, b' '..0x80) & (byte != b'\\') & !is_markup(byte);
    if text.bytes.iter().fold(true, |all, &byte| all & is_plain(byte)) {
        return content.extend_from_slice(text.bytes);
    }
    let mut pieces = Pieces::new(content);
    match std::str::from_utf8(text.bytes) {
        Ok(utf8) if text.is_utf8 => utf8.chars().for_each(|character| pieces.put_json(character)),
        _ => text.bytes.iter().for_each(|&byte| pieces.put(JSON[usize::from(byte)])),
    }
    pieces.flush();
}

/// What askama escapes, too.
const fn is_markup(byte: u8) -> bool {
    (byte == b'"') | (byte == b'&') | (byte == b'\'') | (byte == b'<') | (byte == b'>')
}

/// The escaped form of a character, and its length. The fixed size makes copying it one word.
type Piece = ([u8; 7], u8);

/// The bytes of ASCII, and of Latin-1, in HTML.
const HTML: [Piece; 256] = {
    let mut table = [([0; 7], 0); 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = in_html(byte as u8);
        byte += 1;
    }
    table
};

/// The same in a JSON string in HTML.
const JSON: [Piece; 256] = {
    let mut table = HTML;
    let mut byte = 0;
    while byte < b' ' as usize {
        table[byte] = unicode_escape(byte as u32);
        byte += 1;
    }
    table[b'\t' as usize] = (*b"\\t\0\0\0\0\0", 2);
    table[b'"' as usize] = (*b"\\&#34;\0", 6);
    table[b'\\' as usize] = (*b"\\\\\0\0\0\0\0", 2);
    table
};

const fn in_html(byte: u8) -> Piece {
    match byte {
        0x80.. => ([0xc0 | byte >> 6, 0x80 | byte & 0x3f, 0, 0, 0, 0, 0], 2),
        _ if is_markup(byte) => ([b'&', b'#', b'0' + byte / 10, b'0' + byte % 10, b';', 0, 0], 5),
        _ => ([byte, 0, 0, 0, 0, 0, 0], 1),
    }
}

/// `\uXXXX`, for a character of at most four hexadecimal digits.
const fn unicode_escape(character: u32) -> Piece {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = [character >> 12 & 15, character >> 8 & 15, character >> 4 & 15, character & 15];
    let [a, b, c, d] =
        [DIGITS[digits[0] as usize], DIGITS[digits[1] as usize], DIGITS[digits[2] as usize], DIGITS[digits[3] as usize]];
    ([b'\\', b'u', a, b, c, d, 0], 6)
}

/// Unicode's bidirectional formatting characters (UAX #9 §2): marks, embeddings, overrides, isolates.
fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A buffer before the content.
struct Pieces<'c> {
    content: &'c mut Vec<u8>,
    buffer: [u8; Pieces::MAX],
    length: usize,
}

impl Pieces<'_> {
    /// Room for a usual value.
    const MAX: usize = 64;

    fn new(content: &mut Vec<u8>) -> Pieces<'_> {
        Pieces { content, buffer: [0; Pieces::MAX], length: 0 }
    }

    fn put(&mut self, (bytes, length): Piece) {
        if self.length > Pieces::MAX - bytes.len() {
            self.flush();
        }
        self.buffer[self.length..self.length + bytes.len()].copy_from_slice(&bytes);
        self.length += usize::from(length);
    }

    fn put_byte(&mut self, byte: u8) {
        self.put(([byte, 0, 0, 0, 0, 0, 0], 1));
    }

    fn put_json(&mut self, character: char) {
        match character {
            '\0'..'\u{80}' => self.put(JSON[character as usize]),
            _ if is_bidi_control(character) => self.put(unicode_escape(character.into())),
            _ => character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.put_byte(byte)),
        }
    }

    fn flush(&mut self) {
        self.content.extend_from_slice(&self.buffer[..self.length]);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut content = Vec::new();
        write(&mut content);
        String::from_utf8(content).unwrap()
    }

    fn text(bytes: &[u8]) -> String {
        written(|content| html(content, Text::new(bytes)))
    }

    /// What a browser makes of it.
    fn read(html: &str) -> String {
        let read = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">")]
            .iter()
            .fold(html.to_owned(), |html, (from, to)| html.replace(from, to));
        read.replace("&#38;", "&")
    }

    #[test]
    fn bytes_are_utf_8_or_latin_1() {
        assert_eq!(text("grüß 👋".as_bytes()), "grüß 👋");
        assert_eq!(text(b"gr\xfc\xdf"), "grüß");
        assert_eq!(text(b""), "");
        assert_eq!(text(b"<a href=\"'&"), "&#60;a href=&#34;&#39;&#38;");
    }

    #[test]
    fn the_first_bytes_are_read_as_all_of_them_are() {
        for (length, first) in [(0, ""), (1, "g"), (2, "g"), (3, "gü"), (6, "gü"), (7, "gü👋"), (9, "gü👋")] {
            assert_eq!(written(|content| html(content, Text::new("gü👋".as_bytes()).first(length))), first, "{length}");
        }
        let latin = Text::new(b"gr\xc3\xbc\xff").first(4);
        assert_eq!(written(|content| html(content, latin)), "gr\u{c3}\u{bc}", "Latin-1 to its end");
    }

    #[test]
    fn json_reads_back() {
        let long = "aB\"\u{e9}\u{202e}👋\t<".repeat(100);
        for value in [
            "",
            "plain",
            "\"",
            "\\",
            "a\tb",
            "\"\\\"",
            "\u{202e}abc\u{202c}",
            "\u{2069}\u{2067}",
            "grüß 👋",
            "\\u202e",
            "&#34;",
            &long,
        ] {
            let json = written(|content| json(content, Text::new(value.as_bytes())));
            assert_eq!(serde_json::from_str::<String>(&format!("\"{}\"", read(&json))).unwrap(), value, "{json}");
        }
        assert_eq!(written(|content| json(content, Text::new("\u{202e}abc".as_bytes()))), "\\u202eabc");
        assert_eq!(written(|content| json(content, Text::new(b"\xe9\""))), "é\\&#34;");
    }

    #[test]
    fn long_text_is_whole() {
        let latin: Vec<u8> = (b' '..=255).cycle().take(1000).collect();
        assert_eq!(read(&text(&latin)), latin.iter().map(|&byte| char::from(byte)).collect::<String>());
        let name = "a-'".repeat(100);
        assert_eq!(read(&written(|content| ascii(content, name.bytes()))), name);
    }
}
