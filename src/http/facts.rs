//! What the fields say about the request itself: host, framing, connection, and what the answer needs.

use super::field::{self, Field, is_name, is_token};
use super::{Refusal, host};

/// What happens to the connection after the answer (RFC 9112 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It stays open, as is the default of 1.1.
    Default,
    /// It stays open, because a 1.0 client asked for that and must be told.
    KeepAlive,
    /// It is closed.
    Close,
}

/// How much content follows the head (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes; 0 without a framing field.
    Length(u64),
    /// Chunks, up to the last one and its trailer section.
    Chunked,
}

/// What the fields say about the request itself, collected in one pass: the first line of each that counts, and bits for the rest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'h, 'b> {
    host: Option<&'h Field<'b>>,
    accept: Option<&'h Field<'b>>,
    user_agent: Option<&'h Field<'b>>,
    /// Content-Length or Transfer-Encoding; a request with two such lines is refused.
    framing: Option<&'h Field<'b>>,
    seen: u8,
}

const HOST_REPEATED: u8 = 1;
const ACCEPT_REPEATED: u8 = 1 << 1;
const FRAMING_REPEATED: u8 = 1 << 2;
const CLOSE: u8 = 1 << 3;
const KEEP_ALIVE: u8 = 1 << 4;
const EXPECTS_CONTINUE: u8 = 1 << 5;
const EXPECTS_UNKNOWN: u8 = 1 << 6;

impl<'h, 'b> Facts<'h, 'b> {
    /// Takes note of one field.
    #[inline(always)] // 25 instructions a request.
    pub fn note(&mut self, field: &'h Field<'b>) {
        let name = field.name;
        // The length tells most names apart before a byte is compared.
        self.seen |= match name.len() {
            4 if is_name(name, b"host") => first(&mut self.host, field, HOST_REPEATED),
            6 if is_name(name, b"accept") => first(&mut self.accept, field, ACCEPT_REPEATED),
            6 if is_name(name, b"expect") => expectations(field.value),
            10 if is_name(name, b"user-agent") => first(&mut self.user_agent, field, 0),
            10 if is_name(name, b"connection") => options(field.value),
            14 if is_name(name, b"content-length") => first(&mut self.framing, field, FRAMING_REPEATED),
            17 if is_name(name, b"transfer-encoding") => first(&mut self.framing, field, FRAMING_REPEATED),
            _ => 0,
        };
    }

    fn has(&self, bit: u8) -> bool {
        self.seen & bit != 0
    }

    /// The value of Host.
    pub fn host(&self) -> Option<&'b [u8]> {
        value(self.host)
    }

    /// The value of the first Accept line.
    pub fn accept(&self) -> Option<&'b [u8]> {
        value(self.accept)
    }

    /// Whether there is more than one Accept line.
    pub fn is_accept_repeated(&self) -> bool {
        self.has(ACCEPT_REPEATED)
    }

    /// The value of the first User-Agent line.
    pub fn user_agent(&self) -> Option<&'b [u8]> {
        value(self.user_agent)
    }

    /// Whether the client waits for a 100 before it sends its content.
    pub fn expects_continue(&self) -> bool {
        self.has(EXPECTS_CONTINUE)
    }

    /// How much content follows.
    ///
    /// # Errors
    /// The framing is wrong or ambiguous.
    pub fn framing(&self, minor: u8) -> Result<Framing, Refusal> {
        match self.framing {
            None => Ok(Framing::Length(0)),
            Some(field) => framing(field, self.has(FRAMING_REPEATED), minor),
        }
    }

    /// Checks that there is one valid Host; only HTTP/1.0 may do without.
    ///
    /// # Errors
    /// There is none, or more than one, or it is invalid.
    pub fn check_host(&self, minor: u8) -> Result<(), Refusal> {
        match self.host {
            _ if self.has(HOST_REPEATED) => Err(Refusal::HOST_REPEATED),
            Some(host) => host::check(host.value),
            None if minor > 0 => Err(Refusal::HOST_MISSING),
            None => Ok(()),
        }
    }

    /// Whether the client wants to keep the connection (RFC 9112 §9.3).
    pub fn persistence(&self, minor: u8) -> Persistence {
        match (minor, self.has(CLOSE), self.has(KEEP_ALIVE)) {
            (0, false, true) => Persistence::KeepAlive,
            (0, _, _) | (_, true, _) => Persistence::Close,
            _ => Persistence::Default,
        }
    }

    /// Forgets the expectations: those of a 1.0 request are ignored (RFC 9110 §10.1.1).
    pub fn ignore_expectations(&mut self) {
        self.seen &= !(EXPECTS_CONTINUE | EXPECTS_UNKNOWN);
    }

    /// Checks that no expectation but 100-continue was sent.
    ///
    /// # Errors
    /// One was.
    pub fn check_expectation(&self) -> Result<(), Refusal> {
        if self.has(EXPECTS_UNKNOWN) { Err(Refusal::EXPECTATION) } else { Ok(()) }
    }
}

fn value<'b>(field: Option<&Field<'b>>) -> Option<&'b [u8]> {
    field.map(|field| field.value)
}

/// Keeps the first line of a name; for another one returns the bit `repeated`.
fn first<'h, 'b>(place: &mut Option<&'h Field<'b>>, field: &'h Field<'b>, repeated: u8) -> u8 {
    if place.is_some() {
        return repeated;
    }
    *place = Some(field);
    0
}

/// What a framing field says, if it is the only one.
#[cold] // 21 instructions a request, with the next line.
#[inline(never)]
fn framing(field: &Field<'_>, is_repeated: bool, minor: u8) -> Result<Framing, Refusal> {
    let value = field.value;
    if is_repeated {
        return Err(Refusal::FRAMING);
    }
    if field.name.len() == "content-length".len() {
        return decimal(value).map(Framing::Length).ok_or(Refusal::CONTENT_LENGTH);
    }
    if minor == 0 {
        return Err(Refusal::CODING_VERSION);
    }
    if is_chunked(value) { Ok(Framing::Chunked) } else { Err(unknown_coding(value)) }
}

fn is_chunked(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"chunked")
}

/// Why these transfer codings are refused. With `chunked` last, and only last, a server that knows the other codings could find the end
/// of the content (RFC 9112 §6.1). Otherwise nobody can (§6.3).
fn unknown_coding(codings: &[u8]) -> Refusal {
    let is_clean = |coding: &[u8]| !coding.is_empty() && coding.iter().all(|&byte| is_token(byte));
    let mut codings = codings.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let ends_in_chunked = codings.next_back().is_some_and(is_chunked);
    if ends_in_chunked && codings.all(|coding| is_clean(coding) && !is_chunked(coding)) {
        return Refusal::CODING;
    }
    Refusal::CODING_FORM
}

/// The bits for the options of a Connection line.
fn options(value: &[u8]) -> u8 {
    let bit = |option: &[u8]| {
        let is = |name: &[u8], bit| if option.eq_ignore_ascii_case(name) { bit } else { 0 };
        is(b"close", CLOSE) | is(b"keep-alive", KEEP_ALIVE)
    };
    field::elements(value).map(bit).fold(0, |bits, bit| bits | bit)
}

/// The bits for the expectations of an Expect line.
fn expectations(value: &[u8]) -> u8 {
    let bit =
        |expectation: &[u8]| if expectation.eq_ignore_ascii_case(b"100-continue") { EXPECTS_CONTINUE } else { EXPECTS_UNKNOWN };
    field::elements(value).map(bit).fold(0, |bits, bit| bits | bit)
}

/// `1*DIGIT` without overflow: no sign, no list.
fn decimal(digits: &[u8]) -> Option<u64> {
    let value = |value: u64, byte: &u8| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, value) }
}
