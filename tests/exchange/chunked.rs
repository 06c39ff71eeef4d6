//! `chunked-body` (RFC 9112 §7.1), read naively: by recursive descent over bytes that are all there. The fuzz target `chunked` reads
//! with it, too.

use swagip::http::Refusal;
use swagip::http::content::{CONTENT_MAX, Progress};
use swagip::http::field::FIELDS_MAX;

/// What the bytes are.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Content that ends after this many bytes.
    Ends(usize),
    /// The start of content.
    GoesOn,
    /// The start of too much content.
    Beyond,
    /// Not the start of content.
    Wrong,
}

impl From<Result<Progress, Refusal>> for Verdict {
    fn from(decoded: Result<Progress, Refusal>) -> Verdict {
        match decoded {
            Ok(Progress::Done(length)) => Verdict::Ends(length),
            Ok(Progress::More) => Verdict::GoesOn,
            Ok(Progress::TooLarge) => Verdict::Beyond,
            Err(_) => Verdict::Wrong,
        }
    }
}

/// Reads bytes of at most 4 KiB, the limits of extensions and trailers: it does not know them.
pub fn read(bytes: &[u8]) -> Verdict {
    let mut rest = Rest(bytes);
    match rest.body() {
        Ok(()) => Verdict::Ends(bytes.len() - rest.0.len()),
        Err(verdict) => verdict,
    }
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn body(&mut self) -> Result<(), Verdict> {
        let mut data = 0;
        loop {
            let size = self.size()?;
            self.extensions()?;
            self.exactly(b"\r\n")?;
            data += u128::from(size);
            match size {
                0 => return self.trailers(),
                _ if data > u128::from(CONTENT_MAX) => return Err(Verdict::Beyond),
                _ => self.0 = usize::try_from(size).ok().and_then(|size| self.0.get(size..)).ok_or(Verdict::GoesOn)?,
            }
            self.exactly(b"\r\n")?;
        }
    }

    fn size(&mut self) -> Result<u64, Verdict> {
        let mut digits = String::new();
        // Wrong as soon as it overflows; zeros before it are as many as there are.
        while digits.trim_start_matches('0').len() <= 16 && self.next_is(|byte| byte.is_ascii_hexdigit())? {
            digits.push(char::from(self.take()?));
        }
        u64::from_str_radix(&digits, 16).map_err(|_| Verdict::Wrong)
    }

    fn extensions(&mut self) -> Result<(), Verdict> {
        loop {
            let spaces = self.spaces()?;
            if !self.next_is(|byte| byte == b';')? {
                // White space is part of the extension after it, so there must be one.
                return if spaces { Err(Verdict::Wrong) } else { Ok(()) };
            }
            self.take()?;
            self.spaces()?;
            self.token()?;
            self.value()?;
        }
    }

    /// `[ BWS "=" BWS ( token / quoted-string ) ]`
    fn value(&mut self) -> Result<(), Verdict> {
        let before = self.0;
        self.spaces()?;
        if !self.next_is(|byte| byte == b'=')? {
            self.0 = before;
            return Ok(());
        }
        self.take()?;
        self.spaces()?;
        if self.next_is(|byte| byte == b'"')? { self.quoted() } else { self.token() }
    }

    fn quoted(&mut self) -> Result<(), Verdict> {
        self.exactly(b"\"")?;
        while !self.next_is(|byte| byte == b'"')? {
            if self.next_is(|byte| byte == b'\\')? {
                self.take()?;
            }
            self.one(is_text)?;
        }
        self.exactly(b"\"")
    }

    fn trailers(&mut self) -> Result<(), Verdict> {
        for _ in 0..FIELDS_MAX {
            if self.next_is(|byte| byte == b'\r')? {
                break;
            }
            self.token()?;
            self.exactly(b":")?;
            while self.next_is(is_text)? {
                self.take()?;
            }
            self.exactly(b"\r\n")?;
        }
        self.exactly(b"\r\n")
    }

    fn token(&mut self) -> Result<(), Verdict> {
        self.one(is_token)?;
        while self.next_is(is_token)? {
            self.take()?;
        }
        Ok(())
    }

    /// Skips white space; true if there was any.
    fn spaces(&mut self) -> Result<bool, Verdict> {
        let before = self.0.len();
        while self.next_is(|byte| byte == b' ' || byte == b'\t')? {
            self.take()?;
        }
        Ok(self.0.len() < before)
    }

    fn exactly(&mut self, bytes: &[u8]) -> Result<(), Verdict> {
        bytes.iter().try_for_each(|&expected| self.one(|byte| byte == expected))
    }

    fn one(&mut self, is: impl Fn(u8) -> bool) -> Result<(), Verdict> {
        if is(self.take()?) { Ok(()) } else { Err(Verdict::Wrong) }
    }

    fn next_is(&self, is: impl Fn(u8) -> bool) -> Result<bool, Verdict> {
        self.0.first().map(|&byte| is(byte)).ok_or(Verdict::GoesOn)
    }

    fn take(&mut self) -> Result<u8, Verdict> {
        let (&byte, rest) = self.0.split_first().ok_or(Verdict::GoesOn)?;
        self.0 = rest;
        Ok(byte)
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// HTAB, SP, visible ASCII and obs-text.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
