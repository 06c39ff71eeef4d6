//! The strict reader of partial and malformed heads.
//!
//! A head that arrives whole and well-formed never gets here: httparse reads it in one pass (see [`request`](super::request)). What
//! httparse calls partial or wrong is read byte by byte, each byte once: a scan resumes where it stopped. So a head in drips costs
//! linear time, and the first impossible byte decides, however the input was cut.
//!
//! ```text
//! Lead ─▶ Method ─▶ Target ─▶ Version ─▶ LineEnd ─▶ Fields ─▶ complete
//! ```

use super::field::{Section, is_token};
use super::method::Method;
use super::{Refusal, target};

/// The most bytes of a head, including empty lines before it. An 8,000-byte request line must work (RFC 9112 §3), and so must the cookies
/// of a large site; nginx allows 8 KiB a line, node 16 KiB in all.
pub const HEAD_MAX: usize = 16 * 1024;

/// The most empty lines before a request line (RFC 9112 §2.2: at least one, from clients that end content in an extra CRLF).
pub const LEADING_LINES_MAX: usize = 4;

/// How far a head has been read; the default is its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    position: usize,
    /// Where the current part begins.
    start: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Lead,
    LeadCr,
    Method,
    Target(target::Form),
    Version(Preface),
    LineCr,
    Fields(Section),
}

/// Whether the request line began like the HTTP/2 connection preface, `PRI * HTTP/2.0` (RFC 9113 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preface {
    No,
    Http2,
}

/// The end of a complete head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complete {
    /// The bytes of the head, its empty line included.
    pub length: usize,
}

/// `HTTP-version` (RFC 9112 §2.3); both digits may differ.
const VERSION: &[u8] = b"HTTP/1.1";
const MAJOR: usize = VERSION.len() - 3;
const MINOR: usize = VERSION.len() - 1;

impl Scan {
    /// Whether a request line has begun; empty lines before it don't count.
    pub fn has_begun(&self) -> bool {
        !matches!(self.place, Place::Lead | Place::LeadCr)
    }

    /// Continues where the last call stopped. `input` begins where the head begins. `Ok(None)`: all bytes are valid so far, and the head
    /// is not complete.
    ///
    /// # Errors
    /// The refusal of the first byte that no request has at its place, or of the limit that was passed.
    pub fn resume(&mut self, input: &[u8]) -> Result<Option<Complete>, Refusal> {
        let end = input.len().min(HEAD_MAX);
        while self.position < end {
            let byte = input[self.position];
            match self.place {
                Place::Fields(mut section) => {
                    if section.take(byte)? {
                        return Ok(Some(Complete { length: self.position + 1 }));
                    }
                    self.place = Place::Fields(section);
                }
                _ => self.place = self.request_line(input, byte)?,
            }
            self.position += 1;
        }
        if end == HEAD_MAX { Err(self.limit()) } else { Ok(None) }
    }

    fn request_line(&mut self, input: &[u8], byte: u8) -> Result<Place, Refusal> {
        let part = &input[self.start..self.position];
        Ok(match (self.place, byte) {
            (Place::Lead, b'\r' | b'\n') if self.position >= 2 * LEADING_LINES_MAX => return Err(Refusal::LEADING_LINES),
            (Place::Lead, b'\r') => Place::LeadCr,
            (Place::LeadCr, b'\n') => Place::Lead,
            // The signature of the PROXY protocol's version 2 begins with two empty lines.
            (Place::Lead, 0) if self.position == 4 => return Err(Refusal::PROXY_HEADER),
            (Place::Lead, byte) if is_token(byte) => self.begin(Place::Method, 0),
            (Place::Method, byte) if is_token(byte) => Place::Method,
            (Place::Method, b' ') => {
                let form = target::Form::of(Method::named(part));
                self.begin(Place::Target(form), 1)
            }
            (Place::Target(form), b' ') => {
                if !form.is_complete(part) {
                    return Err(Refusal::TARGET_FORM);
                }
                let preface = if form == target::Form::Preface && part == b"*" { Preface::Http2 } else { Preface::No };
                self.begin(Place::Version(preface), 1)
            }
            (Place::Target(_), b'\r' | b'\n') if !part.is_empty() => return Err(Refusal::VERSION_FORM),
            (Place::Target(form), byte) => {
                form.check(part, byte)?;
                Place::Target(form)
            }
            (Place::Version(preface), byte) => self.version(input, preface, byte)?,
            (Place::LineCr, b'\n') => Place::Fields(Section::default()),
            (Place::LeadCr | Place::LineCr, _) => return Err(Refusal::BARE_CR),
            (Place::Lead, b'\n') => return Err(Refusal::BARE_LF),
            (Place::Lead | Place::Method | Place::Fields(_), _) => return Err(Refusal::METHOD),
        })
    }

    fn version(&self, input: &[u8], preface: Preface, byte: u8) -> Result<Place, Refusal> {
        let version = &input[self.start..self.position];
        match (version.len(), byte) {
            (MAJOR, b'1') if preface == Preface::Http2 => return Err(Refusal::TARGET_FORM),
            // A minor version above 1 is served as 1 (RFC 9110 §2.5). The major one is judged once the version is whole.
            (MAJOR | MINOR, b'0'..=b'9') => {}
            (place, byte) if VERSION.get(place) == Some(&byte) => {}
            (place, b'\r') if place == VERSION.len() && version[MAJOR] != b'1' => return Err(Refusal::VERSION),
            (place, b'\r') if place == VERSION.len() => return Ok(Place::LineCr),
            (place, b'\n') if place == VERSION.len() => return Err(Refusal::BARE_LF),
            _ => return Err(Refusal::VERSION_FORM),
        }
        Ok(self.place)
    }

    /// Begins a part `skip` bytes after the byte at hand.
    fn begin(&mut self, place: Place, skip: usize) -> Place {
        self.start = self.position + skip;
        place
    }

    fn limit(&self) -> Refusal {
        match self.place {
            // Also with a version after it: no version is long.
            Place::Target(_) | Place::Version(_) | Place::LineCr => Refusal::TARGET_LONG,
            Place::Fields(_) => Refusal::FIELDS_LARGE,
            _ => Refusal::HEAD_ENDLESS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(bytes: &str) -> Result<Option<usize>, Refusal> {
        Scan::default().resume(bytes.as_bytes()).map(|complete| complete.map(|complete| complete.length))
    }

    #[test]
    fn foreign_bytes_are_refused_at_the_first_impossible_one() {
        for (bytes, refusal) in [
            ("\x16", Refusal::METHOD),
            ("SSH-2.0-Open\r", Refusal::METHOD),
            ("SSH-2.0-Open D", Refusal::TARGET_FORM),
            ("PROXY T", Refusal::PROXY_HEADER),
            ("PROXY U", Refusal::PROXY_HEADER),
            ("PROXY x", Refusal::TARGET_FORM),
            ("\r\n\r\n\0", Refusal::PROXY_HEADER),
            ("\r\n\0", Refusal::METHOD),
            ("\r\n\r\n\r\n\0", Refusal::METHOD),
            ("PRI * HTTP/2.0\r", Refusal::VERSION),
            ("PRI * HTTP/1", Refusal::TARGET_FORM),
            ("GET *", Refusal::TARGET_FORM),
            ("GET / HTTP/3.0\r", Refusal::VERSION),
            ("GET / HTTP/3.0x", Refusal::VERSION_FORM),
            ("GET / HTTP/01", Refusal::VERSION_FORM),
            ("GET /#", Refusal::TARGET_BYTE),
            ("GET /\r", Refusal::VERSION_FORM),
            ("\n", Refusal::BARE_LF),
        ] {
            assert_eq!(look(bytes), Err(refusal), "{bytes:?}");
            assert_eq!(look(&bytes[..bytes.len() - 1]), Ok(None), "{bytes:?} without its last byte");
        }
    }

    #[test]
    fn any_digit_is_a_minor_version() {
        for minor in 0..10 {
            assert_eq!(look(&format!("GET / HTTP/1.{minor}\r\n\r\n")), Ok(Some(18)));
        }
        assert_eq!(look("GET / HTTP/1.a"), Err(Refusal::VERSION_FORM));
    }

    #[test]
    fn limits_name_what_was_too_long() {
        let long = "a".repeat(HEAD_MAX);
        assert_eq!(look(&long), Err(Refusal::HEAD_ENDLESS));
        assert_eq!(look(&format!("GET /{long}")), Err(Refusal::TARGET_LONG));
        assert_eq!(look(&format!("GET / HTTP/1.1\r\na:{long}")), Err(Refusal::FIELDS_LARGE));
        assert_eq!(look(&format!("GET / HTTP/1.1\r\n{}", "a:\r\n".repeat(100))), Ok(None));
        assert_eq!(look(&format!("GET / HTTP/1.1\r\n{}b", "a:\r\n".repeat(100))), Err(Refusal::FIELDS_LARGE));
        assert_eq!(look(&"\r\n".repeat(4)), Ok(None));
        assert_eq!(look(&format!("{}\r", "\r\n".repeat(4))), Err(Refusal::LEADING_LINES));
    }
}
