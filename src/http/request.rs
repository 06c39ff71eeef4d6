//! A request's head, from bytes; the one place where httparse is called.
//!
//! The hot path is one look at the request line, one pass of httparse over the fields, and one look at each field. httparse takes
//! more than this server does (bare LF, any Host, any framing), so what it took is checked here; what it did not take, or what
//! fails a check of syntax, is read again by [`Scan`](super::scan::Scan), which finds the first wrong byte and so the refusal.
//! The request line is not left to httparse, because it would have to be read again for what httparse lets pass.

use super::field::{self, is_name, is_token};
use super::scan::{HEAD_MAX, LEADING_LINES_MAX};
use super::target::{self, Target};
use super::{Field, Refusal, host};

/// As many fields as nearly every request has; room for them is sooner made than that for [`FIELDS_MAX`](field::FIELDS_MAX).
pub const FIELDS_USUAL: usize = 24;

/// Room for so many fields, on the stack of whoever parses.
pub const fn storage<'b, const FIELDS: usize>() -> [Field<'b>; FIELDS] {
    [httparse::EMPTY_HEADER; FIELDS]
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
    /// What the client wants to become of the connection.
    pub persistence: Persistence,
    /// What follows the head.
    pub framing: Framing,
    /// The bytes of the head, empty lines before it included.
    pub length: usize,
    facts: Facts<'h, 'b>,
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

/// What is at the start of an input.
#[derive(Clone, Copy, Debug)]
pub enum Parsed<'h, 'b> {
    /// A whole head.
    Request(Request<'h, 'b>),
    /// A head with more fields than there is room for; [`parse_crowded`] goes on.
    Crowded,
    /// A head that is not complete, or not right; [`Scan`](super::scan::Scan) tells which, and after it has found the head
    /// complete, [`parse`] gives it.
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
/// A target, Host or framing that is wrong in a head whose syntax is right.
#[inline(never)]
pub fn parse<'h, 'b>(input: &'b [u8], storage: &'h mut [Field<'b>]) -> Result<Parsed<'h, 'b>, Refusal> {
    parse_from(input, 0, storage)
}

/// Goes on where [`parse`] was out of room: with `first`, the fields that it had room for, and more room. So a head with a few
/// fields more than usual costs little more; a browser's has 25 to 35 after a CDN and a proxy.
///
/// # Errors
/// As [`parse`].
#[cold]
#[inline(never)]
pub fn parse_crowded<'h, 'b>(
    input: &'b [u8],
    first: &[Field<'b>],
    storage: &'h mut [Field<'b>],
) -> Result<Parsed<'h, 'b>, Refusal> {
    storage[..first.len()].copy_from_slice(first);
    parse_from(input, first.len(), storage)
}

/// Parses a head of which so many fields are in the storage already.
#[inline(always)]
fn parse_from<'h, 'b>(input: &'b [u8], known: usize, storage: &'h mut [Field<'b>]) -> Result<Parsed<'h, 'b>, Refusal> {
    let lead = leading_lines(input);
    let bytes = &input[lead..input.len().min(HEAD_MAX)];
    let Some((line, section)) = RequestLine::parse(bytes) else { return Ok(Parsed::Rescan) };
    let Some(section) = behind(section, &storage[..known]) else { return Ok(Parsed::Rescan) };
    let (length, count) = match parse_fields(section, &mut storage[known..]) {
        Ok(found) => found,
        Err(httparse::Error::TooManyHeaders) => return Ok(Parsed::Crowded),
        Err(_) => return Ok(Parsed::Rescan),
    };
    let length = bytes.len() - section.len() + length;
    let fields = &mut storage[..known + count];
    let target = Target::parse(bytes, line.target);
    if let Ok(Target { authority: Some(authority), .. }) = target {
        replace_host(fields, authority);
    }

    let fields = &*fields;
    let mut facts = Facts::default();
    for field in fields {
        // httparse takes a bare LF; before each LF behind which a name stands, and at the empty line, there must be a CR.
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
    let framing = match facts.framing {
        None => Framing::Length(0),
        Some(field) => framing(field, facts.has(FRAMING_REPEATED), line.minor)?,
    };
    facts.check_expectation(line.minor)?;
    let persistence = facts.persistence(line.minor);
    let length = lead + length;
    Ok(Parsed::Request(Request { method: line.method, target, fields, persistence, framing, length, facts }))
}

/// What comes after these fields in the section that they begin.
fn behind<'b>(section: &'b [u8], fields: &[Field<'b>]) -> Option<&'b [u8]> {
    let Some(last) = fields.last() else { return Some(section) };
    let line = section.get(last.name.as_ptr() as usize - section.as_ptr() as usize..)?;
    Some(&line[memchr::memchr(b'\n', line)? + 1..])
}

/// The bytes of a field section with the empty line behind it, and the number of fields.
#[inline(never)]
fn parse_fields<'b>(section: &'b [u8], storage: &mut [Field<'b>]) -> Result<(usize, usize), httparse::Error> {
    match httparse::parse_headers(section, storage)? {
        httparse::Status::Complete((length, fields)) => Ok((length, fields.len())),
        // Not told apart from what is wrong.
        httparse::Status::Partial => Err(httparse::Error::NewLine),
    }
}

impl<'b> Request<'_, 'b> {
    /// The authority of an absolute target, else the Host field: `uri-host [":" port]`, checked. `None` only on HTTP/1.0.
    pub fn host(&self) -> Option<&'b [u8]> {
        self.target.authority.or_else(|| value(self.facts.host))
    }

    /// The first Accept line.
    pub fn accept(&self) -> Option<&'b [u8]> {
        value(self.facts.accept)
    }

    /// Whether there are more Accept lines than the first.
    pub fn is_accept_repeated(&self) -> bool {
        self.facts.has(ACCEPT_REPEATED)
    }

    /// The first User-Agent line.
    pub fn user_agent(&self) -> Option<&'b [u8]> {
        value(self.facts.user_agent)
    }

    /// The client waits for a 100 before it sends its content (RFC 9110 §10.1.1).
    pub fn expects_continue(&self) -> bool {
        self.facts.has(EXPECTS_CONTINUE)
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

/// `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3).
struct RequestLine<'b> {
    method: Method,
    /// Of bytes that a target may have.
    target: &'b [u8],
    /// 0 or 1, which stands for every higher one (RFC 9110 §2.5).
    minor: u8,
}

impl<'b> RequestLine<'b> {
    /// The line, and what is behind its CRLF. `None`: it is not complete, or not right.
    #[inline]
    fn parse(bytes: &'b [u8]) -> Option<(RequestLine<'b>, &'b [u8])> {
        let (method, rest) = match bytes.strip_prefix(b"GET ") {
            Some(rest) => (Method::Get, rest),
            None => Method::parse(bytes)?,
        };
        let (target, rest) = rest.split_at(rest.iter().position(|&byte| !target::is_target(byte))?);
        let (&[ref version @ .., minor, cr, lf], rest) = rest.split_first_chunk::<11>()?;
        let is_right = version == b" HTTP/1." && minor.is_ascii_digit() && [cr, lf] == *b"\r\n";
        is_right.then_some((RequestLine { method, target, minor: u8::from(minor != b'0') }, rest))
    }
}

impl Method {
    /// The method at the start of a request line, and what is behind the space behind it.
    #[inline(never)]
    fn parse(line: &[u8]) -> Option<(Method, &[u8])> {
        let (name, rest) = line.split_at(line.iter().position(|&byte| !is_token(byte))?);
        let method = match name {
            b"" => return None,
            b"HEAD" => Method::Head,
            b"OPTIONS" => Method::Options,
            b"POST" | b"PUT" | b"DELETE" | b"CONNECT" | b"TRACE" | b"PATCH" => Method::Other,
            _ => Method::Unknown,
        };
        Some((method, rest.strip_prefix(b" ")?))
    }
}

/// RFC 9112 §3.2.2: whatever Host says, an absolute target says it better. But a Host that is wrong stays, to be refused.
#[cold]
fn replace_host<'b>(fields: &mut [Field<'b>], authority: &'b [u8]) {
    for field in fields.iter_mut().filter(|field| field.name.eq_ignore_ascii_case("host")) {
        if host::check(field.value).is_ok() {
            field.value = authority;
        }
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

/// What the fields say of the request itself, noted in one pass over them: the first line of each that counts, and in bits what
/// else was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Facts<'h, 'b> {
    host: Option<&'h Field<'b>>,
    accept: Option<&'h Field<'b>>,
    user_agent: Option<&'h Field<'b>>,
    /// Content-Length or Transfer-Encoding: with two lines of either, or with both, the request is refused.
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
    #[inline]
    fn note(&mut self, field: &'h Field<'b>) {
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

    #[inline]
    fn check_host(&self, minor: u8) -> Result<(), Refusal> {
        match self.host {
            _ if self.has(HOST_REPEATED) => Err(Refusal::HOST_REPEATED),
            Some(host) => host::check(host.value),
            None if minor > 0 => Err(Refusal::HOST_MISSING),
            None => Ok(()),
        }
    }

    #[inline]
    fn persistence(&self, minor: u8) -> Persistence {
        match (minor, self.has(CLOSE), self.has(KEEP_ALIVE)) {
            (0, false, true) => Persistence::KeepAlive,
            (0, _, _) | (_, true, _) => Persistence::Close,
            _ => Persistence::Default,
        }
    }

    /// RFC 9110 §10.1.1: an expectation in a 1.0 request is ignored.
    #[inline]
    fn check_expectation(&mut self, minor: u8) -> Result<(), Refusal> {
        if minor == 0 {
            self.seen &= !(EXPECTS_CONTINUE | EXPECTS_UNKNOWN);
        }
        if self.has(EXPECTS_UNKNOWN) { Err(Refusal::EXPECTATION) } else { Ok(()) }
    }
}

fn value<'b>(field: Option<&Field<'b>>) -> Option<&'b [u8]> {
    field.map(|field| field.value)
}

/// Notes a line if it is the first of its name, else gives back the bit which says that there are more.
#[inline]
fn first<'h, 'b>(place: &mut Option<&'h Field<'b>>, field: &'h Field<'b>, repeated: u8) -> u8 {
    if place.is_some() {
        return repeated;
    }
    *place = Some(field);
    0
}

/// What a framing field says, if it is the only one.
#[cold]
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

/// Why these transfer codings are refused. Where `chunked` comes last, and only there, the content has an end that another server
/// could find: what is missing here is the other coding (RFC 9112 §6.1). Without it nobody can find the end (§6.3).
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

/// `1*DIGIT` without overflow; nothing else, no sign, no list.
fn decimal(digits: &[u8]) -> Option<u64> {
    let value = |value: u64, byte: &u8| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, value) }
}
