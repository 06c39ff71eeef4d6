//! Content of requests (RFC 9112 §6, §7.1): read, checked and dropped, because nothing here needs it. But the next request begins where
//! it ends, and requests are smuggled where two servers disagree about that.
//!
//! A decoder reads each byte once, as it comes; cutting the input anywhere changes nothing.

use super::Refusal;
use super::field::{Section, is_token, is_value};
use super::request::Framing;
use super::scan::HEAD_MAX;

/// The most bytes of content that are read to keep a connection. With more it is cheaper to close it.
pub const CONTENT_MAX: u64 = 64 * 1024;

/// The most bytes in all chunk lines of a request besides sizes: extensions, and digits of a size beyond [`SIZE_DIGITS_USUAL`]. Nobody
/// sends any. hyper's limit is 16 KiB; having none was a CVE.
pub const EXTENSIONS_MAX: usize = 4 * 1024;

/// The digits of a 64-bit number. Programs that pad sizes pad them to this at most, so it is free in any number of chunks.
const SIZE_DIGITS_USUAL: u8 = 16;

/// Content that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// This many bytes are still to come.
    Length(u64),
    /// Chunks.
    Chunked(Chunked),
}

/// How far reading content got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It ended after this many bytes of the input.
    Done(usize),
    /// All of the input belongs to it, and there is more to come.
    More,
    /// It is larger than [`CONTENT_MAX`].
    TooLarge,
}

impl Content {
    /// Content that is about to begin.
    pub fn new(framing: Framing) -> Content {
        match framing {
            Framing::Length(length) => Content::Length(length),
            Framing::Chunked => Content::Chunked(Chunked::default()),
        }
    }

    /// Reads the next bytes of the connection.
    ///
    /// # Errors
    /// A byte breaks the chunked coding, or a limit is exceeded.
    pub fn read(&mut self, input: &[u8]) -> Result<Progress, Refusal> {
        match self {
            Content::Length(left) if *left > CONTENT_MAX => Ok(Progress::TooLarge),
            Content::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= taken as u64;
                Ok(if *left == 0 { Progress::Done(taken) } else { Progress::More })
            }
            Content::Chunked(chunked) => chunked.read(input),
        }
    }
}

/// The chunked coding: `*chunk last-chunk trailer-section CRLF`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunked {
    place: Place,
    /// The size of the chunk at hand; while its data is read, what is left of it.
    size: u64,
    /// Up to [`SIZE_DIGITS_USUAL`].
    size_digits: u8,
    /// The sizes of all chunks so far, towards [`CONTENT_MAX`].
    data: u64,
    /// Towards [`EXTENSIONS_MAX`].
    extensions: usize,
    /// The bytes of the trailer section, towards [`HEAD_MAX`].
    trailers: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    /// White space after the size: `;` must follow.
    SizeEnd,
    /// After `;`, before the name.
    ExtensionStart,
    ExtensionName,
    /// White space after the name: `=` or `;` must follow.
    ExtensionNameEnd,
    /// After `=`, before the value.
    ExtensionValueStart,
    ExtensionToken,
    ExtensionQuoted,
    ExtensionEscape,
    ExtensionQuotedEnd,
    /// White space after the value: `;` must follow.
    ExtensionValueEnd,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers(Section),
}

impl Chunked {
    fn read(&mut self, input: &[u8]) -> Result<Progress, Refusal> {
        let mut at = 0;
        while at < input.len() {
            if self.place == Place::Data {
                let taken = usize::try_from(self.size).unwrap_or(usize::MAX).min(input.len() - at);
                self.size -= taken as u64;
                at += taken;
                if self.size == 0 {
                    self.place = Place::DataCr;
                }
                continue;
            }
            let byte = input[at];
            at += 1;
            match self.place {
                Place::Trailers(ref mut section) => {
                    self.trailers += 1;
                    if section.take(byte)? {
                        return Ok(Progress::Done(at));
                    }
                    if self.trailers == HEAD_MAX {
                        return Err(Refusal::FIELDS_LARGE);
                    }
                }
                Place::SizeLf => {
                    if self.line_end(byte)? {
                        return Ok(Progress::TooLarge);
                    }
                }
                _ => self.place = self.framing(byte)?,
            }
        }
        Ok(Progress::More)
    }

    /// Takes the line feed after a size; true if the chunk exceeds the limit.
    fn line_end(&mut self, byte: u8) -> Result<bool, Refusal> {
        if byte != b'\n' {
            return Err(Refusal::BARE_CR);
        }
        self.place = if self.size == 0 { Place::Trailers(Section::default()) } else { Place::Data };
        self.size_digits = 0;
        self.data = self.data.saturating_add(self.size);
        Ok(self.data > CONTENT_MAX)
    }

    fn framing(&mut self, byte: u8) -> Result<Place, Refusal> {
        match (self.place, byte) {
            (Place::Size, byte) if byte.is_ascii_hexdigit() => self.size_digit(byte),
            (Place::Size, b'\r') if self.size_digits > 0 => Ok(Place::SizeLf),
            (Place::Size, b';') if self.size_digits > 0 => Ok(Place::ExtensionStart),
            (Place::Size, b' ' | b'\t') if self.size_digits > 0 => Ok(Place::SizeEnd),
            (Place::Size, _) => Err(Refusal::CHUNK_SIZE),
            (Place::DataCr, b'\r') => Ok(Place::DataLf),
            (Place::DataLf, b'\n') => Ok(Place::Size),
            (Place::DataCr | Place::DataLf, _) => Err(Refusal::CHUNK_END),
            _ => {
                self.note_extension(Refusal::CHUNK_EXTENSION)?;
                self.extension(byte)
            }
        }
    }

    fn size_digit(&mut self, byte: u8) -> Result<Place, Refusal> {
        const SHIFT: u32 = 4;
        if self.size.leading_zeros() < SHIFT {
            return Err(Refusal::CHUNK_SIZE);
        }
        self.size = self.size << SHIFT | u64::from(char::from(byte).to_digit(16).unwrap_or(0));
        match self.size_digits {
            SIZE_DIGITS_USUAL => self.note_extension(Refusal::CHUNK_SIZE)?,
            _ => self.size_digits += 1,
        }
        Ok(Place::Size)
    }

    /// Counts a byte that no chunk needs.
    fn note_extension(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        self.extensions += 1;
        if self.extensions > EXTENSIONS_MAX { Err(refusal) } else { Ok(()) }
    }

    /// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )` (RFC 9112 §7.1.1): something must follow white space.
    fn extension(&self, byte: u8) -> Result<Place, Refusal> {
        use Place::*;
        Ok(match (self.place, byte) {
            (SizeEnd | ExtensionStart | ExtensionNameEnd | ExtensionValueStart | ExtensionValueEnd, b' ' | b'\t') => self.place,
            (ExtensionStart | ExtensionName, byte) if is_token(byte) => ExtensionName,
            (ExtensionName, b' ' | b'\t') => ExtensionNameEnd,
            (ExtensionName | ExtensionNameEnd, b'=') => ExtensionValueStart,
            (SizeEnd | ExtensionName | ExtensionNameEnd, b';') => ExtensionStart,
            (ExtensionToken | ExtensionQuotedEnd | ExtensionValueEnd, b';') => ExtensionStart,
            (ExtensionName | ExtensionToken | ExtensionQuotedEnd, b'\r') => SizeLf,
            (ExtensionValueStart | ExtensionToken, byte) if is_token(byte) => ExtensionToken,
            (ExtensionValueStart, b'"') => ExtensionQuoted,
            (ExtensionToken | ExtensionQuotedEnd, b' ' | b'\t') => ExtensionValueEnd,
            (ExtensionQuoted, b'"') => ExtensionQuotedEnd,
            (ExtensionQuoted, b'\\') => ExtensionEscape,
            (ExtensionQuoted | ExtensionEscape, byte) if is_value(byte) => ExtensionQuoted,
            _ => return Err(Refusal::CHUNK_EXTENSION),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunked(bytes: &str) -> Result<Progress, Refusal> {
        let whole = Content::new(Framing::Chunked).read(bytes.as_bytes());
        for cut in 0..=bytes.len() {
            let mut content = Content::new(Framing::Chunked);
            let (left, right) = bytes.as_bytes().split_at(cut);
            let cut_up = match content.read(left) {
                Ok(Progress::More) => content.read(right).map(|progress| match progress {
                    Progress::Done(length) => Progress::Done(cut + length),
                    progress => progress,
                }),
                decided => decided,
            };
            assert_eq!(cut_up, whole, "{bytes:?} cut at {cut}");
        }
        whole
    }

    #[test]
    fn chunks_that_are_right() {
        for bytes in [
            "0\r\n\r\n",
            "000\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A\r\n0123456789\r\n0\r\n\r\n",
            "1;a\r\nx\r\n0;b=c;d\r\n\r\n",
            "1; a = \"b\\\"c;\" ; d\r\nx\r\n0\r\n\r\n",
            "0\r\nA: b\r\nC:\r\n\r\n",
            "0000000000000001\r\nx\r\n0\r\n\r\n",
            "000000000000000000001\r\nx\r\n00000000000000000\r\n\r\n",
            "1 ;a\r\nx\r\n0\t ; b\r\n\r\n",
        ] {
            assert_eq!(chunked(bytes), Ok(Progress::Done(bytes.len())), "{bytes:?}");
            assert_eq!(chunked(&format!("{bytes}GET /")), Ok(Progress::Done(bytes.len())), "{bytes:?} and more");
            assert_eq!(chunked(&bytes[..bytes.len() - 1]), Ok(Progress::More), "{bytes:?} without its end");
        }
    }

    #[test]
    fn chunks_that_are_wrong() {
        for (bytes, refusal) in [
            ("\r\n", Refusal::CHUNK_SIZE),
            ("g\r\n", Refusal::CHUNK_SIZE),
            ("-1\r\n", Refusal::CHUNK_SIZE),
            ("0x1\r\n", Refusal::CHUNK_SIZE),
            (" 1\r\n", Refusal::CHUNK_SIZE),
            ("1\n", Refusal::CHUNK_SIZE),
            ("fffffffffffffffff\r\n", Refusal::CHUNK_SIZE),
            ("0000010000000000000000\r\n", Refusal::CHUNK_SIZE),
            ("1\rx", Refusal::BARE_CR),
            ("1 \r\n", Refusal::CHUNK_EXTENSION),
            ("1\t1\r\n", Refusal::CHUNK_EXTENSION),
            ("1;\r\n", Refusal::CHUNK_EXTENSION),
            ("1;a \r\n", Refusal::CHUNK_EXTENSION),
            ("1;a=\r\n", Refusal::CHUNK_EXTENSION),
            ("1;a=\"b\r\n", Refusal::CHUNK_EXTENSION),
            ("1;a\n", Refusal::CHUNK_EXTENSION),
            ("1;a=b \r\n", Refusal::CHUNK_EXTENSION),
            ("1\r\nxx", Refusal::CHUNK_END),
            ("1\r\nx\n", Refusal::CHUNK_END),
            ("1\r\nx\rx", Refusal::CHUNK_END),
            ("0\r\n a: b", Refusal::FIELD_FOLDED),
            ("0\r\na b", Refusal::FIELD_SPACE),
            ("0\r\na: b\n", Refusal::BARE_LF),
            ("0\r\n\n", Refusal::BARE_LF),
            ("0\r\n:", Refusal::FIELD_NAME),
            ("0\r\na: \0", Refusal::FIELD_VALUE),
        ] {
            assert_eq!(chunked(bytes), Err(refusal), "{bytes:?}");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(chunked("10000\r\n"), Ok(Progress::More));
        assert_eq!(chunked("10001\r\n"), Ok(Progress::TooLarge));
        assert_eq!(chunked("ffffffffffffffff\r\n"), Ok(Progress::TooLarge));
        assert_eq!(chunked("1\r\nx\r\n10000\r\n"), Ok(Progress::TooLarge));
        assert_eq!(Content::Length(CONTENT_MAX).read(b"x"), Ok(Progress::More));
        assert_eq!(Content::Length(CONTENT_MAX + 1).read(b"x"), Ok(Progress::TooLarge));
        let long = "a".repeat(EXTENSIONS_MAX);
        assert_eq!(Content::new(Framing::Chunked).read(format!("1;{long}").as_bytes()), Ok(Progress::More));
        assert_eq!(Content::new(Framing::Chunked).read(format!("1;{long}a").as_bytes()), Err(Refusal::CHUNK_EXTENSION));
        let zeros = "0".repeat(usize::from(SIZE_DIGITS_USUAL) + EXTENSIONS_MAX);
        assert_eq!(Content::new(Framing::Chunked).read(zeros.as_bytes()), Ok(Progress::More));
        assert_eq!(Content::new(Framing::Chunked).read(format!("{zeros}0").as_bytes()), Err(Refusal::CHUNK_SIZE));
        let endless = format!("0\r\na: {}", "b".repeat(HEAD_MAX));
        assert_eq!(Content::new(Framing::Chunked).read(endless.as_bytes()), Err(Refusal::FIELDS_LARGE));
        assert_eq!(chunked(&format!("0\r\n{}", "a:\r\n".repeat(101))), Err(Refusal::FIELDS_LARGE));
    }
}
