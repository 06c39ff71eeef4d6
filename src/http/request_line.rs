//! The usual request line, `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3).
//!
//! It is not left to httparse, which refuses HTTP/1.2 to 1.9, accepts targets that must be refused, and has one error for what needs 400
//! and 505: the line would have to be read twice.

use super::method::Method;
use super::scan::LEADING_LINES_MAX;
use super::target;

/// A request line; each of its bytes is valid.
pub struct RequestLine<'b> {
    /// The method.
    pub method: Method,
    /// The target, made of bytes that a target may contain.
    pub target: &'b [u8],
    /// 0 or 1, which stands for every higher one (RFC 9110 §2.5).
    pub minor: u8,
}

impl<'b> RequestLine<'b> {
    /// The line, and what follows its CRLF. `None`: it is partial or malformed.
    pub fn parse(bytes: &'b [u8]) -> Option<(RequestLine<'b>, &'b [u8])> {
        let (method, target, rest) = RequestLine::split(bytes)?;
        let (&[ref version @ .., minor, cr, lf], rest) = rest.split_first_chunk::<11>()?;
        let is_right = version == b" HTTP/1." && minor.is_ascii_digit() && [cr, lf] == *b"\r\n";
        is_right.then_some((RequestLine { method, target, minor: u8::from(minor != b'0') }, rest))
    }

    /// The method, the target, and what follows it, which is not looked at. `None`: no method, or no byte after the target.
    pub fn split(bytes: &'b [u8]) -> Option<(Method, &'b [u8], &'b [u8])> {
        let (method, rest) = Method::parse(bytes)?;
        let (target, rest) = rest.split_at(rest.iter().position(|&byte| !target::is_target(byte))?);
        Some((method, target, rest))
    }
}

/// How many bytes of empty lines precede the request line (RFC 9112 §2.2).
pub fn leading_lines(input: &[u8]) -> usize {
    let mut length = 0;
    while length < 2 * LEADING_LINES_MAX && input[length..].starts_with(b"\r\n") {
        length += 2;
    }
    length
}
