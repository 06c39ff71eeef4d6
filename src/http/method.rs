//! Methods (RFC 9110 §9).

use super::field::is_token;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The head and the content.
    Get,
    /// The head only.
    Head,
    /// What is allowed.
    Options,
    /// A tunnel, whose target is an authority. Never allowed here.
    Connect,
    /// POST, PUT, DELETE, TRACE, PATCH: known, but never allowed here.
    NotAllowed,
    /// PRI, the first word of HTTP/2 (RFC 9113 §3.4); not a real method.
    Preface,
    /// PROXY, the first word of a PROXY protocol header; not a method either.
    Proxy,
    /// Any other token.
    Unknown,
}

impl Method {
    /// The method of this name; names are case-sensitive.
    pub fn named(name: &[u8]) -> Method {
        match name {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"OPTIONS" => Method::Options,
            b"CONNECT" => Method::Connect,
            b"POST" | b"PUT" | b"DELETE" | b"TRACE" | b"PATCH" => Method::NotAllowed,
            b"PRI" => Method::Preface,
            b"PROXY" => Method::Proxy,
            _ => Method::Unknown,
        }
    }

    /// The method at the start of a request line, and the rest after the space. `None` if the line doesn't begin with a token and one space.
    pub fn parse(line: &[u8]) -> Option<(Method, &[u8])> {
        match line.strip_prefix(b"GET ") {
            Some(rest) => Some((Method::Get, rest)),
            None => Method::parse_other(line),
        }
    }

    #[inline(never)] // Inlined, it takes registers from GET: 10 instructions a request.
    fn parse_other(line: &[u8]) -> Option<(Method, &[u8])> {
        let (name, rest) = line.split_at(line.iter().position(|&byte| !is_token(byte))?);
        let rest = rest.strip_prefix(b" ")?;
        (!name.is_empty()).then(|| (Method::named(name), rest))
    }
}
