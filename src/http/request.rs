//! A request's head, from bytes; the one place where httparse is called.
//!
//! The hot path is one pass of httparse over the head and one look at each field. httparse takes more than this server does
//! (bare LF, any target, any Host, any framing), so what it took is checked here; what it did not take, or what fails a check of
//! syntax, is read again by
//! [`Scan`](super::scan::Scan), which finds the first wrong byte and so the refusal.

use super::field::{self, FIELDS_MAX, is_name};
use super::scan::{HEAD_MAX, LEADING_LINES_MAX};
use super::target::Target;
use super::{Field, Refusal, host};
use std::mem::MaybeUninit;

/// Room for the fields of one request, on the stack of whoever parses.
pub type Storage<'b> = [MaybeUninit<Field<'b>>; FIELDS_MAX];

/// Room that costs nothing to make.
pub const fn storage<'b>() -> Storage<'b> {
    [const { MaybeUninit::uninit() }; FIELDS_MAX]
}

/// A request head that has passed every check of syntax and framing.
#[derive(Clone, Copy, Debug)]
pub struct Request<'h, 'b> {
    /// What is to be done.
    pub method: Method,
    /// What is asked for.
    pub target: Target<'b>,
    /// All field lines, in the order received.
    pub fields: &'h [Field<'b>],
    /// The first Accept line.
    pub accept: Option<&'b [u8]>,
    /// There are more Accept lines than the first.
    pub accept_repeated: bool,
    /// The first User-Agent line.
    pub user_agent: Option<&'b [u8]>,
    /// What the client wants to become of the connection.
    pub persistence: Persistence,
    /// What follows the head.
    pub framing: Framing,
    /// The client waits for a 100 before it sends its content (RFC 9110 §10.1.1).
    pub expects_continue: bool,
    /// The bytes of the head, empty lines before it included.
    pub length: usize,
}

/// The methods of RFC 9110, as far as they are told apart here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The content and its fields.
    Get,
    /// The fields only.
    Head,
    /// What is allowed.
    Options,
    /// POST, PUT, DELETE, CONNECT, TRACE, PATCH: known, and not allowed on anything here.
    Other,
    /// Any other token.
    Unknown,
}

/// What becomes of the connection after the answer (RFC 9112 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It stays open, as is the default of 1.1.
    Default,
    /// It stays open, because a 1.0 client asked for it and must be told so.
    KeepAlive,
    /// It is closed.
    Close,
}

/// How much content follows the head (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; without any framing field none.
    Length(u64),
    /// Chunks, up to the last one and its trailer section.
    Chunked,
}

/// Parses the head at the start of `input`. `Ok(None)`: it is not complete, or not right, or its minor version is above 1;
/// [`Scan`](super::scan::Scan) tells which, and after it has found the head complete, this parses it.
///
/// # Errors
/// A target, Host or framing that is wrong in a head whose syntax is right.
#[inline]
pub fn parse<'h, 'b>(input: &'b [u8], storage: &'h mut Storage<'b>) -> Result<Option<Request<'h, 'b>>, Refusal> {
    let lead = leading_lines(input);
    let bytes = &input[lead..input.len().min(HEAD_MAX)];
    // httparse skips any number of them, and bare LFs too.
    if matches!(bytes.first(), Some(b'\r' | b'\n')) {
        return Ok(None);
    }
    let mut parsed = httparse::Request::new(&mut []);
    let Ok(httparse::Status::Complete(length)) = parsed.parse_with_uninit_headers(bytes, storage) else { return Ok(None) };
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else { return Ok(None) };
    let fields: &'h mut [Field<'b>] = parsed.headers;

    let mut facts = Facts::default();
    for field in &*fields {
        // httparse takes a bare LF; each name must stand behind a CRLF, and so must the empty line.
        let start = field.name.as_ptr() as usize - bytes.as_ptr() as usize;
        if !bytes[..start].ends_with(b"\r\n") {
            return Ok(None);
        }
        facts.note(field);
    }
    if !bytes[..length].ends_with(b"\r\n\r\n") {
        return Ok(None);
    }
    let target = Target::parse(method.as_bytes(), target.as_bytes())?;
    facts.check_host(minor)?;
    if let Some(authority) = target.authority {
        replace_host(fields, authority);
    }
    Ok(Some(Request {
        method: Method::of(method),
        target,
        fields,
        accept: facts.accept,
        accept_repeated: facts.repeated & ACCEPT != 0,
        user_agent: facts.user_agent,
        framing: facts.framing(minor)?,
        persistence: facts.persistence(minor),
        expects_continue: facts.expects_continue(minor)?,
        length: lead + length,
    }))
}

impl<'b> Request<'_, 'b> {
    /// The authority of an absolute target, else the Host field: `uri-host [":" port]`, checked. `None` only on HTTP/1.0.
    pub fn host(&self) -> Option<&'b [u8]> {
        self.target.authority.or_else(|| self.values(b"host").next())
    }

    /// The values of all lines of a field; see [`field::values`].
    pub fn values(&self, name: &'static [u8]) -> impl DoubleEndedIterator<Item = &'b [u8]> + Clone {
        field::values(self.fields, name)
    }

    /// Whether content follows the head.
    pub fn has_content(&self) -> bool {
        self.framing != Framing::Length(0)
    }
}

impl Method {
    #[inline]
    fn of(name: &str) -> Method {
        if name == "GET" { Method::Get } else { Method::of_other(name) }
    }

    #[inline(never)]
    fn of_other(name: &str) -> Method {
        match name {
            "HEAD" => Method::Head,
            "OPTIONS" => Method::Options,
            "POST" | "PUT" | "DELETE" | "CONNECT" | "TRACE" | "PATCH" => Method::Other,
            _ => Method::Unknown,
        }
    }
}

/// RFC 9112 §3.2.2: whatever Host says, an absolute target says it better.
#[cold]
fn replace_host<'b>(fields: &mut [Field<'b>], authority: &'b [u8]) {
    for field in fields.iter_mut().filter(|field| field.name.eq_ignore_ascii_case("host")) {
        field.value = authority;
    }
}

/// The bytes of the empty lines before a request line (RFC 9112 §2.2).
pub fn leading_lines(input: &[u8]) -> usize {
    let mut length = 0;
    while length < 2 * LEADING_LINES_MAX && input[length..].starts_with(b"\r\n") {
        length += 2;
    }
    length
}

/// What the fields say of the request itself, noted in one pass over them. Which of them came twice is a set of bits.
#[derive(Default)]
struct Facts<'b> {
    host: Option<&'b [u8]>,
    accept: Option<&'b [u8]>,
    user_agent: Option<&'b [u8]>,
    content_length: Option<&'b [u8]>,
    transfer_encoding: Option<&'b [u8]>,
    repeated: u8,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
    expects_unknown: bool,
}

const HOST: u8 = 1;
const ACCEPT: u8 = 2;
const FRAMING: u8 = 4;

impl<'b> Facts<'b> {
    #[inline]
    fn note(&mut self, field: &Field<'b>) {
        let name = field.name;
        let once = |place: &mut Option<&'b [u8]>| place.replace(field.value).is_some();
        // The length tells most names apart before a byte is compared.
        match name.len() {
            4 if is_name(name, b"host") => self.repeated |= u8::from(once(&mut self.host)) * HOST,
            6 if is_name(name, b"accept") => match self.accept {
                None => self.accept = Some(field.value),
                Some(_) => self.repeated |= ACCEPT,
            },
            6 if is_name(name, b"expect") => self.expect(field.value),
            10 if is_name(name, b"user-agent") => self.user_agent = self.user_agent.or(Some(field.value)),
            10 if is_name(name, b"connection") => self.connection(field.value),
            14 if is_name(name, b"content-length") => self.repeated |= u8::from(once(&mut self.content_length)) * FRAMING,
            17 if is_name(name, b"transfer-encoding") => self.repeated |= u8::from(once(&mut self.transfer_encoding)) * FRAMING,
            _ => {}
        }
    }

    fn connection(&mut self, value: &[u8]) {
        for option in field::elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn expect(&mut self, value: &[u8]) {
        for expectation in field::elements(value) {
            let known = expectation.eq_ignore_ascii_case(b"100-continue");
            self.expects_continue |= known;
            self.expects_unknown |= !known;
        }
    }

    #[inline]
    fn check_host(&self, minor: u8) -> Result<(), Refusal> {
        match self.host {
            _ if self.repeated & HOST != 0 => Err(Refusal::HOST_REPEATED),
            Some(host) => host::check(host),
            None if minor > 0 => Err(Refusal::HOST_MISSING),
            None => Ok(()),
        }
    }

    fn framing(&self, minor: u8) -> Result<Framing, Refusal> {
        match (self.content_length, self.transfer_encoding) {
            (None, None) => Ok(Framing::Length(0)),
            _ if self.repeated & FRAMING != 0 => Err(Refusal::FRAMING),
            (Some(_), Some(_)) => Err(Refusal::FRAMING),
            (Some(length), None) => decimal(length).map(Framing::Length).ok_or(Refusal::CONTENT_LENGTH),
            (None, Some(_)) if minor == 0 => Err(Refusal::CODING_VERSION),
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            (None, Some(coding)) if !coding.is_empty() && coding.iter().all(|&byte| field::is_token(byte)) => {
                Err(Refusal::CODING)
            }
            (None, Some(_)) => Err(Refusal::CODING_FORM),
        }
    }

    fn persistence(&self, minor: u8) -> Persistence {
        match (minor, self.close, self.keep_alive) {
            (0, false, true) => Persistence::KeepAlive,
            (0, _, _) | (_, true, _) => Persistence::Close,
            _ => Persistence::Default,
        }
    }

    /// RFC 9110 §10.1.1: an expectation in a 1.0 request is ignored.
    fn expects_continue(&self, minor: u8) -> Result<bool, Refusal> {
        if self.expects_unknown && minor > 0 { Err(Refusal::EXPECTATION) } else { Ok(self.expects_continue && minor > 0) }
    }
}

/// `1*DIGIT` without overflow; nothing else, no sign, no list.
fn decimal(digits: &[u8]) -> Option<u64> {
    let value = |value: u64, byte: &u8| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, value) }
}
