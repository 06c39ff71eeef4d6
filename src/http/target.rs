//! The request target (RFC 9112 §3.2): which form, and what it names.

use super::field::alphanumeric_and;
use super::method::Method;
use super::{Refusal, host};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The whole target as sent.
    pub sent: &'a [u8],
    /// The path as sent, not decoded; begins with `/`. `/` where an absolute target has none; `*` and an authority as they are.
    pub path: &'a [u8],
    /// What comes after the first `?`.
    pub query: Option<&'a [u8]>,
    /// The authority of an absolute target, checked; it replaces the Host field (RFC 9112 §3.2.2).
    pub authority: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Reads the target of a request with this method. Each of its bytes is [allowed](is_target).
    ///
    /// # Errors
    /// The method doesn't have this form, or the authority names no host.
    pub fn parse(method: Method, target: &'a [u8]) -> Result<Target<'a>, Refusal> {
        // Nearly every request has a path. Only CONNECT has none (RFC 9110 §9.3.6).
        if target.first() == Some(&b'/') && method != Method::Connect {
            return Ok(Target::split(target, target, None));
        }
        Target::parse_rare(Form::of(method), target)
    }

    /// What the query gives to the first parameter of this name, as it was sent. Names are compared without regard to case.
    pub fn parameter(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.query?.split(|&byte| byte == b'&').find_map(|pair| {
            let (start, rest) = pair.split_at_checked(name.len())?;
            rest.strip_prefix(b"=").filter(|_| start.eq_ignore_ascii_case(name))
        })
    }

    #[cold] // So that `parse` is inlined: 26 instructions a request.
    fn parse_rare(form: Form, target: &'a [u8]) -> Result<Target<'a>, Refusal> {
        for (index, &byte) in target.iter().enumerate() {
            form.check(&target[..index], byte)?;
        }
        if !form.is_complete(target) || (form == Form::Preface && target == b"*") {
            return Err(Refusal::TARGET_FORM);
        }
        if form == Form::Authority {
            host::check(target)?;
            // As was just checked, a port follows a colon after the host; CONNECT must name one (RFC 9110 §9.3.6).
            let has_port = target.contains(&b':') && !target.ends_with(b"]");
            return if has_port {
                Ok(Target { sent: target, path: target, query: None, authority: None })
            } else {
                Err(Refusal::HOST)
            };
        }
        if target == b"*" {
            return Ok(Target { sent: target, path: target, query: None, authority: None });
        }
        let after_scheme = &target[scheme_length(target).ok_or(Refusal::TARGET_FORM)?..];
        let end = after_scheme.iter().position(|byte| b"/?".contains(byte)).unwrap_or(after_scheme.len());
        let (authority, rest) = after_scheme.split_at(end);
        host::check(authority)?;
        let split = Target::split(target, rest, Some(authority));
        Ok(if split.path.is_empty() { Target { path: b"/", ..split } } else { split })
    }

    fn split(sent: &'a [u8], target: &'a [u8], authority: Option<&'a [u8]>) -> Target<'a> {
        match target.iter().position(|&byte| byte == b'?') {
            Some(mark) => Target { sent, path: &target[..mark], query: Some(&target[mark + 1..]), authority },
            None => Target { sent, path: target, query: None, authority },
        }
    }
}

/// The forms of target that a method allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `/path` or `http://host/path`.
    Usual,
    /// The same, or `*`: OPTIONS.
    UsualOrAsterisk,
    /// `host:port`: CONNECT.
    Authority,
    /// `*` in the first bytes of HTTP/2, which is recognized but not served: PRI.
    Preface,
    /// `/path` or `http://host/path`; with `TCP4` and the like it is a line of the PROXY protocol: PROXY.
    Proxy,
}

const SCHEMES: [&[u8]; 2] = [b"http://", b"https://"];

impl Form {
    /// The forms that a method's target can have.
    pub fn of(method: Method) -> Form {
        match method {
            Method::Options => Form::UsualOrAsterisk,
            Method::Connect => Form::Authority,
            Method::Preface => Form::Preface,
            Method::Proxy => Form::Proxy,
            Method::Get | Method::Head | Method::NotAllowed | Method::Unknown => Form::Usual,
        }
    }

    /// Whether `byte` may follow `before`, the bytes of the target that have been checked.
    ///
    /// # Errors
    /// [`Refusal::TARGET_FORM`], [`Refusal::TARGET_BYTE`] or [`Refusal::PROXY_HEADER`].
    pub fn check(self, before: &[u8], byte: u8) -> Result<(), Refusal> {
        if !is_target(byte) {
            return Err(if before.is_empty() { Refusal::TARGET_FORM } else { Refusal::TARGET_BYTE });
        }
        let right = match (self, before) {
            // `TCP4`, `TCP6`, `UNKNOWN`
            (Form::Proxy, []) if matches!(byte, b'T' | b'U') => return Err(Refusal::PROXY_HEADER),
            (Form::Authority, []) => byte != b'/' && byte != b'*',
            (Form::Authority, _) => true,
            (Form::Preface, []) => matches!(byte, b'*' | b'/' | b'h' | b'H'),
            (Form::UsualOrAsterisk, []) => matches!(byte, b'/' | b'*' | b'h' | b'H'),
            (Form::Usual | Form::Proxy, []) => matches!(byte, b'/' | b'h' | b'H'),
            (_, [b'/', ..]) => true,
            (_, [b'*', ..]) => false,
            // After a scheme, which has been checked.
            (_, before) if before.len() >= SCHEMES[1].len() => true,
            (_, before) => SCHEMES.iter().any(|scheme| match scheme.get(before.len()) {
                Some(&expected) => before.eq_ignore_ascii_case(&scheme[..before.len()]) && byte.eq_ignore_ascii_case(&expected),
                None => before[..scheme.len()].eq_ignore_ascii_case(scheme),
            }),
        };
        if right { Ok(()) } else { Err(Refusal::TARGET_FORM) }
    }

    /// Whether a target whose bytes have been checked may end here.
    pub fn is_complete(self, target: &[u8]) -> bool {
        match self {
            Form::Authority => !target.is_empty(),
            _ => matches!(target.first(), Some(b'/' | b'*')) || scheme_length(target).is_some(),
        }
    }
}

fn scheme_length(target: &[u8]) -> Option<usize> {
    let begins = |scheme: &&[u8]| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().copied().find(begins).map(<[u8]>::len)
}

/// The bytes of a part of a target, percent-decoded once. A percent sign without two hexadecimal digits stands for itself.
pub fn decoded(mut rest: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        let digit = |index: usize| char::from(*after.get(index)?).to_digit(16);
        let (byte, after) = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => ((high << 4 | low) as u8, &after[2..]),
            _ => (first, after),
        };
        rest = after;
        Some(byte)
    })
}

/// Whether a target may contain this byte: visible ASCII except `#`, because a fragment is never sent (RFC 9112 §3.2).
pub const fn is_target(byte: u8) -> bool {
    TARGET[byte as usize]
}

const TARGET: [bool; 256] = alphanumeric_and(b"!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

#[cfg(test)]
mod tests {
    use super::*;

    /// It may arrive with so much after it that it looks like a request.
    #[test]
    fn a_whole_line_of_the_proxy_protocol() {
        for target in [b"TCP4".as_slice(), b"TCP6", b"UNKNOWN"] {
            assert_eq!(Target::parse(Method::Proxy, target), Err(Refusal::PROXY_HEADER));
        }
    }

    #[test]
    fn bytes_of_a_target() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_target(byte), byte.is_ascii_graphic() && byte != b'#', "{byte}");
        }
    }
}
