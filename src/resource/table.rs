//! THE table: which function answers for which path.

use super::negotiation::{accepted, representation};
use super::{Head, Inquiry, address, explain, fields, json, page, statics, status};
use crate::http::media::Media;
use crate::http::request::Method;

/// Appends the content of the answer and names its head.
pub type Resource = fn(&Inquiry<'_>, &mut Vec<u8>) -> Head;

/// Every path with one segment that is not the name of a field, in lower case. `/`, `/headers/<name>` and `/<name>` stand beside it.
pub const TABLE: &[(&str, Resource)] = &[
    ("ip", address::ip),
    ("source-ip", address::ip),
    ("port", address::port),
    ("source-port", address::port),
    ("json", json::client),
    ("all", all),
    ("headers", json::headers),
    ("replica", status::replica),
    ("explain", explanation),
    ("health", status::health),
    ("healthz", status::health),
    ("livez", status::health),
    ("ready", status::ready),
    ("readyz", status::readyz),
    ("favicon.ico", statics::icon),
    ("favicon.svg", statics::drawing),
    ("robots.txt", statics::robots),
    ("openapi.json", statics::openapi),
];

/// Those that scripts of any origin may read, as their heads say; `/` is another.
const OPEN: [&str; 10] = ["ip", "source-ip", "port", "source-port", "json", "health", "healthz", "livez", "ready", "readyz"];

/// Answers a request: appends the content, which for HEAD is not to be sent, and names the head.
#[inline]
pub fn answer(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> Head {
    match inquiry.request.method {
        Method::Get | Method::Head if inquiry.request.target.path == b"/" => root(inquiry, content),
        Method::Get | Method::Head => path(inquiry, content),
        Method::Options => options(inquiry),
        Method::Other => sentence(inquiry, Head::NotAllowed, "only GET, HEAD and OPTIONS are answered here", content),
        Method::Unknown => sentence(inquiry, Head::NotImplemented, "no such method; names of methods are upper-case", content),
    }
}

fn root(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> Head {
    match representation(inquiry) {
        Media::Text if address::text(inquiry, content) => Head::RootText,
        Media::Text => Head::RootUnknown,
        Media::Json => {
            json::client(inquiry, content);
            Head::RootJson
        }
        Media::Html => {
            page::render(inquiry, content);
            Head::Page
        }
    }
}

/// Not inlined, so that GET doesn't save registers for it.
#[inline(never)]
fn options(inquiry: &Inquiry<'_>) -> Head {
    let Some(b"true") = inquiry.request.values(b"access-control-request-private-network").next() else { return Head::Options };
    let is_open = |path: &[u8]| path.is_empty() || OPEN.iter().any(|name| Segment(path).is(name));
    let path = inquiry.request.target.path.strip_prefix(b"/");
    if path.is_some_and(is_open) { Head::OptionsPrivate } else { Head::Options }
}

fn path(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> Head {
    // Split first, then decode: an encoded slash is part of a name.
    let path = &inquiry.request.target.path[1..];
    match memchr::memchr(b'/', path) {
        None => segment(inquiry, Segment(path), content),
        Some(slash) => {
            let (first, name) = (Segment(&path[..slash]), Segment(&path[slash + 1..]));
            if first.is("headers") && !name.0.is_empty() && !name.0.contains(&b'/') {
                return fields::named(inquiry, |field| name.is(field), content);
            }
            sentence(inquiry, Head::NotFound, "not found", content)
        }
    }
}

fn segment(inquiry: &Inquiry<'_>, segment: Segment<'_>, content: &mut Vec<u8>) -> Head {
    match TABLE.iter().find(|(name, _)| segment.is(name)) {
        Some((_, resource)) => resource(inquiry, content),
        None => fields::named(inquiry, |field| segment.is(field), content),
    }
}

/// `/all`: text only for those who ask for it.
fn all(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> Head {
    if accepted(inquiry) == Some(Media::Text) {
        fields::all_as_text(inquiry, content);
        return Head::ChosenText;
    }
    json::all(inquiry, content);
    Head::ChosenJson
}

/// `/explain`: JSON only for those who ask for it.
fn explanation(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> Head {
    if !inquiry.site.explain {
        return sentence(inquiry, Head::NotFound, "explain is off: start swagip with --explain", content);
    }
    if accepted(inquiry) == Some(Media::Json) {
        explain::json(inquiry, content);
        return Head::ChosenJson;
    }
    explain::text(inquiry, content);
    Head::ChosenText
}

fn sentence(inquiry: &Inquiry<'_>, head: Head, sentence: &str, content: &mut Vec<u8>) -> Head {
    content.extend_from_slice(sentence.as_bytes());
    inquiry.end_text(content);
    head
}

/// One segment of a path, percent-encoded.
#[derive(Clone, Copy)]
struct Segment<'a>(&'a [u8]);

impl Segment<'_> {
    /// Whether it is this name, decoded once and without regard to case. A percent sign that encodes nothing is one.
    fn is(self, name: &str) -> bool {
        /// `%41`
        const ENCODED: usize = 3;
        // First, because a client may send 16 KiB, to be held against 100 names.
        if !(name.len()..=ENCODED * name.len()).contains(&self.0.len()) {
            return false;
        }
        if !self.0.contains(&b'%') {
            return self.0.eq_ignore_ascii_case(name.as_bytes());
        }
        let mut rest = self.0;
        let decoded = std::iter::from_fn(|| {
            let (&first, behind) = rest.split_first()?;
            let digit = |index: usize| char::from(*behind.get(index)?).to_digit(16);
            let (byte, behind) = match (first, digit(0), digit(1)) {
                (b'%', Some(high), Some(low)) => ((high << 4 | low) as u8, &behind[2..]),
                _ => (first, behind),
            };
            rest = behind;
            Some(byte.to_ascii_lowercase())
        });
        decoded.eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}
