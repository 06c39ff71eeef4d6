//! Parses a request's head; the only caller of httparse.
//!
//! The hot path reads the request line, has httparse parse the fields, and looks at each field once. httparse accepts more than this
//! server does (bare LF, any Host, any framing), so its result is checked here. What it rejects, or what fails a check of syntax, is
//! read again by [`Scan`](super::scan::Scan), which finds the first wrong byte and so the refusal.

use super::facts::Facts;
use super::field::{self, Field};
use super::request_line::{RequestLine, leading_lines};
use super::scan::HEAD_MAX;
use super::target::Target;
use super::{Refusal, host};

pub use super::facts::{Framing, Persistence};
use super::method::Method;

/// Nearly every request has at most this many fields. Clearing room for them is cheaper than for [`FIELDS_MAX`](field::FIELDS_MAX).
pub const FIELDS_USUAL: usize = 24;

/// Room for this many fields, on the caller's stack.
pub const fn storage<'b, const FIELDS: usize>() -> [Field<'b>; FIELDS] {
    [httparse::EMPTY_HEADER; FIELDS]
}

/// A request head that has passed every check of syntax and framing.
#[derive(Clone, Copy, Debug)]
pub struct Request<'h, 'b> {
    /// The method.
    pub method: Method,
    /// The target.
    pub target: Target<'b>,
    /// All field lines, in the order received.
    pub fields: &'h [Field<'b>],
    /// Whether the client wants to keep the connection.
    pub persistence: Persistence,
    /// What follows the head.
    pub framing: Framing,
    /// The bytes of the head, including empty lines before it.
    pub length: usize,
    facts: Facts<'h, 'b>,
}

/// What an input begins with.
#[derive(Clone, Copy, Debug)]
pub enum Parsed<'h, 'b> {
    /// A whole head.
    Request(Request<'h, 'b>),
    /// A head with more fields than there is room for; [`parse_crowded`] continues.
    Crowded,
    /// A partial or malformed head; [`Scan`](super::scan::Scan) says which. Once it finds the head complete, [`parse`] will take it.
    Rescan,
}

impl<'h, 'b> Parsed<'h, 'b> {
    /// The request, if the head is whole.
    pub fn request(self) -> Option<Request<'h, 'b>> {
        match self {
            Parsed::Request(request) => Some(request),
            Parsed::Crowded | Parsed::Rescan => None,
        }
    }
}

/// Parses the head at the start of `input`.
///
/// # Errors
/// The syntax of the head is valid, but its target, Host or framing is not.
pub fn parse<'h, 'b>(input: &'b [u8], storage: &'h mut [Field<'b>]) -> Result<Parsed<'h, 'b>, Refusal> {
    parse_from(input, 0, storage)
}

/// Continues where [`parse`] ran out of room, after the fields `first`, with more room. So a head with a few fields more than usual costs
/// little more; a browser's has 25 to 35 after a CDN and a proxy.
///
/// # Errors
/// As [`parse`].
#[cold] // 5 instructions a request, with the next line and `parse_from`'s.
#[inline(never)]
pub fn parse_crowded<'h, 'b>(
    input: &'b [u8],
    first: &[Field<'b>],
    storage: &'h mut [Field<'b>],
) -> Result<Parsed<'h, 'b>, Refusal> {
    storage[..first.len()].copy_from_slice(first);
    parse_from(input, first.len(), storage)
}

/// Parses a head whose first `known` fields are already in the storage.
#[inline(always)] // See `parse_crowded`.
fn parse_from<'h, 'b>(input: &'b [u8], known: usize, storage: &'h mut [Field<'b>]) -> Result<Parsed<'h, 'b>, Refusal> {
    let lead = leading_lines(input);
    let bytes = &input[lead..input.len().min(HEAD_MAX)];
    let Some((line, section)) = RequestLine::parse(bytes) else { return Ok(Parsed::Rescan) };
    let Some(section) = after(section, &storage[..known]) else { return Ok(Parsed::Rescan) };
    let (length, count) = match parse_fields(section, &mut storage[known..]) {
        Ok(found) => found,
        Err(httparse::Error::TooManyHeaders) => return Ok(Parsed::Crowded),
        Err(_) => return Ok(Parsed::Rescan),
    };
    let length = bytes.len() - section.len() + length;
    let fields = &mut storage[..known + count];
    let target = Target::parse(line.method, line.target);
    if let Ok(Target { authority: Some(authority), .. }) = target {
        replace_host(fields, authority);
    }

    let fields = &*fields;
    let mut facts = Facts::default();
    for field in fields {
        // httparse takes a bare LF; every LF before a field name, and before the empty line, must follow a CR.
        let start = field.name.as_ptr() as usize - bytes.as_ptr() as usize;
        if bytes.get(start.wrapping_sub(2)) != Some(&b'\r') {
            return Ok(Parsed::Rescan);
        }
        facts.note(field);
    }
    if !bytes[..length].ends_with(b"\r\n\r\n") {
        return Ok(Parsed::Rescan);
    }
    let target = target?;
    facts.check_host(line.minor)?;
    let framing = facts.framing(line.minor)?;
    if line.minor == 0 {
        facts.ignore_expectations();
    }
    facts.check_expectation()?;
    let persistence = facts.persistence(line.minor);
    let length = lead + length;
    Ok(Parsed::Request(Request { method: line.method, target, fields, persistence, framing, length, facts }))
}

/// The rest of the section after these fields.
fn after<'b>(section: &'b [u8], fields: &[Field<'b>]) -> Option<&'b [u8]> {
    let Some(last) = fields.last() else { return Some(section) };
    let line = section.get(last.name.as_ptr() as usize - section.as_ptr() as usize..)?;
    Some(&line[memchr::memchr(b'\n', line)? + 1..])
}

/// The bytes of a field section, including the empty line, and the number of fields.
#[inline(never)] // 24 instructions a request: httparse is inlined here, and has the registers to itself.
fn parse_fields<'b>(section: &'b [u8], storage: &mut [Field<'b>]) -> Result<(usize, usize), httparse::Error> {
    match httparse::parse_headers(section, storage)? {
        httparse::Status::Complete((length, fields)) => Ok((length, fields.len())),
        // The caller treats partial and malformed alike.
        httparse::Status::Partial => Err(httparse::Error::NewLine),
    }
}

impl<'b> Request<'_, 'b> {
    /// Becomes the next request, at the start of `input`, if only its method and target differ from this one's, which is at the start of
    /// `last`: all bytes after the target are the same, so version and fields mean the same and are not parsed again. `false`, and
    /// unchanged, if more differs, or if it must be [parsed](parse) for another reason.
    pub fn follow(&mut self, last: &'b [u8], input: &'b [u8]) -> bool {
        // An authority replaces what a field says.
        if self.target.authority.is_some() {
            return false;
        }
        let Some((method, target, rest)) = RequestLine::split(input) else { return false };
        let sent = self.target.sent;
        let after = &last[sent.as_ptr() as usize - last.as_ptr() as usize + sent.len()..self.length];
        let length = input.len() - rest.len() + after.len();
        if !rest.starts_with(after) || length > HEAD_MAX {
            return false;
        }
        let Ok(target @ Target { authority: None, .. }) = Target::parse(method, target) else { return false };
        (self.method, self.target, self.length) = (method, target, length);
        true
    }

    /// The authority of an absolute target, else the Host field: `uri-host [":" port]`, checked. `None` only on HTTP/1.0.
    pub fn host(&self) -> Option<&'b [u8]> {
        self.target.authority.or_else(|| self.facts.host())
    }

    /// The first Accept line.
    pub fn accept(&self) -> Option<&'b [u8]> {
        self.facts.accept()
    }

    /// Whether there is more than one Accept line.
    pub fn is_accept_repeated(&self) -> bool {
        self.facts.is_accept_repeated()
    }

    /// The first User-Agent line.
    pub fn user_agent(&self) -> Option<&'b [u8]> {
        self.facts.user_agent()
    }

    /// The client waits for a 100 before it sends its content (RFC 9110 §10.1.1).
    pub fn expects_continue(&self) -> bool {
        self.facts.expects_continue()
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

/// RFC 9112 §3.2.2: an absolute target overrides Host. But an invalid Host stays, to be refused.
fn replace_host<'b>(fields: &mut [Field<'b>], authority: &'b [u8]) {
    for field in fields.iter_mut().filter(|field| field.name.eq_ignore_ascii_case("host")) {
        if host::check(field.value).is_ok() {
            field.value = authority;
        }
    }
}
