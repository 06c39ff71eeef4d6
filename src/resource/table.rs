//! THE table: what every path is called, and which function answers for it.

use super::endpoint::{Endpoint, Readers};
use super::negotiation::{accepted, representation};
use super::{Answer, Context, ResponseHead, ReverseDns, address, explain, fields, json, lookup, page, statics, status};
use crate::http::Method;
use crate::http::media::Media;

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident = $segment:literal, $readers:ident, $answer:path $(, $about:literal)?;)*) => {
        /// What a request was answered by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Name {
            /// `/`
            Root,
            $($(#[$doc])* $name,)*
            /// `/<name>` and `/headers/<name>`: a field of the request.
            Field,
            /// `/port/<number>`
            PortTest,
            /// No path, or no method, that there is.
            None,
            /// A request that was refused before anyone looked at its target.
            Refused,
        }

        /// Every path with one segment that is not the name of a field. `/`, `/<name>` and `/headers/<name>` stand beside it.
        pub const ENDPOINTS: &[Endpoint] =
            &[$(Endpoint { segment: $segment, readers: Readers::$readers, about: concat!($($about)?) }),*];

        /// The names of the [`ENDPOINTS`], in their order.
        const NAMES: &[Name] = &[$(Name::$name),*];

        fn resource(name: Name, context: &Context<'_>, content: &mut Vec<u8>) -> Answer {
            match name {
                $(Name::$name => $answer(context, content).into(),)*
                Name::Root | Name::Field | Name::PortTest | Name::None | Name::Refused => not_found(context, content).into(),
            }
        }
    };
}

resources! {
    /// `/ip`
    Ip = "ip", Anyone, address::ip, "the address, always as text";
    /// `/source-ip`
    SourceIp = "source-ip", Anyone, address::ip;
    /// `/port`
    Port = "port", Anyone, address::port, "the port it comes from";
    /// `/source-port`
    SourcePort = "source-port", Anyone, address::port;
    /// `/json`
    Json = "json", Anyone, json::client, "both, and the user agent";
    /// `/all`
    All = "all", SameOrigin, all, "both, and every header you sent";
    /// `/headers`
    Headers = "headers", SameOrigin, json::headers, "the headers alone; one of them: /headers/NAME or /NAME";
    /// `/hostname`
    Hostname = "hostname", SameOrigin, lookup::hostname, "the name of the address";
    /// `/explain`
    Explain = "explain", SameOrigin, explanation, "how the address was decided";
    /// `/replica`
    Replica = "replica", SameOrigin, status::replica, "which replica answers";
    /// `/health`
    Health = "health", Anyone, status::health, "liveness";
    /// `/healthz`
    Healthz = "healthz", Anyone, status::health;
    /// `/livez`
    Livez = "livez", Anyone, status::health;
    /// `/ready`
    Ready = "ready", Anyone, status::ready, "readiness";
    /// `/readyz`
    Readyz = "readyz", Anyone, status::readyz;
    /// `/favicon.ico`
    FaviconIco = "favicon.ico", SameOrigin, statics::icon;
    /// `/favicon.svg`
    FaviconSvg = "favicon.svg", SameOrigin, statics::drawing;
    /// `/robots.txt`
    Robots = "robots.txt", SameOrigin, statics::robots;
    /// `/openapi.json`
    OpenApi = "openapi.json", SameOrigin, statics::openapi, "all of this for programs";
}

impl Name {
    /// In lower case: the path's segment, `root`, `field`, `none` or `refused`.
    pub fn label(self) -> &'static str {
        match self {
            Name::Root => "root",
            Name::Field => "field",
            Name::PortTest => "port-test",
            Name::None => "none",
            Name::Refused => "refused",
            name => name.endpoint().map_or("none", |endpoint| endpoint.segment),
        }
    }

    fn endpoint(self) -> Option<&'static Endpoint> {
        NAMES.iter().position(|&name| name == self).map(|index| &ENDPOINTS[index])
    }
}

/// Answers a request: appends the content, which for HEAD is not to be sent, and names the head; or the look-up that comes first.
#[inline]
pub fn answer(context: &Context<'_>, content: &mut Vec<u8>) -> (Name, Answer) {
    match context.request.method {
        Method::Get | Method::Head if context.request.target.path == b"/" => (Name::Root, root(context, content).into()),
        Method::Get | Method::Head => path(context, content),
        method => other_method(method, context, content),
    }
}

/// Whether a path is one that load balancers and monitors ask.
pub fn is_check(path: &[u8]) -> bool {
    matches!(find(path).0, Name::Health | Name::Healthz | Name::Livez | Name::Ready | Name::Readyz)
}

#[cold]
fn other_method(method: Method, context: &Context<'_>, content: &mut Vec<u8>) -> (Name, Answer) {
    let (name, _) = find(context.request.target.path);
    let head = match method {
        Method::Options => options(context),
        Method::Connect | Method::NotAllowed => {
            sentence(context, ResponseHead::NotAllowed, "only GET, HEAD and OPTIONS are answered here", content)
        }
        _ => sentence(context, ResponseHead::NotImplemented, "no such method; names of methods are upper-case", content),
    };
    (name, head.into())
}

fn root(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    match representation(context) {
        Media::Text if address::text(context, content) => ResponseHead::RootText,
        Media::Text => ResponseHead::RootUnknown,
        Media::Json => {
            json::client(context, content);
            ResponseHead::RootJson
        }
        Media::Html => {
            page::render(context, ENDPOINTS, content);
            ResponseHead::Page
        }
    }
}

fn options(context: &Context<'_>) -> ResponseHead {
    let is_private = context.request.values(b"access-control-request-private-network").next() == Some(b"true");
    let (name, _) = find(context.request.target.path);
    let is_open = name == Name::Root || name.endpoint().is_some_and(|endpoint| endpoint.readers == Readers::Anyone);
    match is_private && is_open {
        true => ResponseHead::OptionsPrivate,
        false => ResponseHead::Options,
    }
}

fn path(context: &Context<'_>, content: &mut Vec<u8>) -> (Name, Answer) {
    let (name, segment) = find(context.request.target.path);
    match name {
        Name::PortTest if context.site.port_test => (name, lookup::port(context, segment.0, content)),
        Name::PortTest => (Name::None, not_found(context, content).into()),
        Name::Field => field(context, segment, content),
        Name::Hostname if context.site.reverse_dns == ReverseDns::Off => field(context, segment, content),
        name => (name, resource(name, context, content)),
    }
}

fn field(context: &Context<'_>, segment: Segment<'_>, content: &mut Vec<u8>) -> (Name, Answer) {
    (Name::Field, fields::named(context, |name| segment.is(name), content).into())
}

/// What a path leads to; for a field also the segment that is its name.
fn find(path: &[u8]) -> (Name, Segment<'_>) {
    // Split first, then decode: an encoded slash is part of a name.
    let Some(path) = path.strip_prefix(b"/") else { return (Name::None, Segment(path)) };
    let segment = Segment(path);
    match memchr::memchr(b'/', path) {
        None if path.is_empty() => (Name::Root, segment),
        None => {
            let index = ENDPOINTS.iter().position(|endpoint| segment.is(endpoint.segment));
            (index.map_or(Name::Field, |index| NAMES[index]), segment)
        }
        Some(slash) => {
            let (first, name) = (Segment(&path[..slash]), Segment(&path[slash + 1..]));
            let is_one = !name.0.is_empty() && !name.0.contains(&b'/');
            let name_of_path = if is_one && first.is("headers") {
                Name::Field
            } else if is_one && first.is("port") {
                Name::PortTest
            } else {
                Name::None
            };
            (name_of_path, name)
        }
    }
}

fn not_found(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    sentence(context, ResponseHead::NotFound, "not found", content)
}

/// `/all`: text only for those who ask for it.
fn all(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    if accepted(context) == Some(Media::Text) {
        fields::all_as_text(context, content);
        return ResponseHead::ChosenText;
    }
    json::all(context, content);
    ResponseHead::ChosenJson
}

/// `/explain`: JSON only for those who ask for it.
fn explanation(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    if !context.site.explain {
        return sentence(context, ResponseHead::NotFound, "explain is off: start swagip with --explain", content);
    }
    if accepted(context) == Some(Media::Json) {
        explain::json(context, content);
        return ResponseHead::ChosenJson;
    }
    explain::text(context, content);
    ResponseHead::ChosenText
}

fn sentence(context: &Context<'_>, head: ResponseHead, sentence: &str, content: &mut Vec<u8>) -> ResponseHead {
    content.extend_from_slice(sentence.as_bytes());
    context.end_text(content);
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
            let (&first, after) = rest.split_first()?;
            let digit = |index: usize| char::from(*after.get(index)?).to_digit(16);
            let (byte, after) = match (first, digit(0), digit(1)) {
                (b'%', Some(high), Some(low)) => ((high << 4 | low) as u8, &after[2..]),
                _ => (first, after),
            };
            rest = after;
            Some(byte.to_ascii_lowercase())
        });
        decoded.eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}
