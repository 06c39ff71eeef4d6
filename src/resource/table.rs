//! The table of all paths, each with its function.

use super::endpoint::{Endpoint, ReadableBy};
use super::negotiation::{accepted, representation};
use super::{Answer, Context, ResponseHead, ReverseDns, address, explain, fields, json, lookup, page, place, statics, status};
use crate::http::Method;
use crate::http::media::MediaType;
use crate::http::target::decoded;
use crate::mmdb::Subject;

macro_rules! needs {
    () => {
        None
    };
    ($subject:ident) => {
        Some(Subject::$subject)
    };
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident = $segment:literal $(if $subject:ident)?, $readable_by:ident, $answer:path $(, $about:literal)?;)*) => {
        /// The resource that answered a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Resource {
            /// `/`
            Root,
            $($(#[$doc])* $name,)*
            /// `/<name>` and `/headers/<name>`: a field of the request.
            Field,
            /// `/port/<number>`
            PortTest,
            /// No such path.
            None,
            /// None: the request was refused.
            Refused,
            /// Whatever was asked on a listener for monitoring, refusals included.
            Monitoring,
        }

        /// Every fixed path of one segment: all but `/`, `/<name>`, `/headers/<name>` and `/port/<number>`.
        pub const ENDPOINTS: &[Endpoint] =
            &[$(Endpoint {
                segment: $segment,
                readable_by: ReadableBy::$readable_by,
                needs: needs!($($subject)?),
                about: concat!($($about)?),
            }),*];

        /// The resources of the [`ENDPOINTS`], in the same order.
        const RESOURCES: &[Resource] = &[$(Resource::$name),*];

        impl Resource {
            /// All that there are, in the order of their declaration.
            pub const ALL: &[Resource] = &[
                Resource::Root,
                $(Resource::$name,)*
                Resource::Field,
                Resource::PortTest,
                Resource::None,
                Resource::Refused,
                Resource::Monitoring,
            ];
        }

        fn dispatch(resource: Resource, context: &Context<'_>, content: &mut Vec<u8>) -> Answer {
            match resource {
                $(Resource::$name => $answer(context, content).into(),)*
                Resource::Root | Resource::Field | Resource::PortTest | Resource::None | Resource::Refused | Resource::Monitoring => {
                    not_found(context, content).into()
                }
            }
        }
    };
}

resources! {
    /// `/ip`
    Ip = "ip", AnyOrigin, address::ip, "your address, always as text";
    /// `/source-ip`
    SourceIp = "source-ip", AnyOrigin, address::ip;
    /// `/port`
    Port = "port", AnyOrigin, address::port, "your port";
    /// `/source-port`
    SourcePort = "source-port", AnyOrigin, address::port;
    /// `/json`
    Json = "json", AnyOrigin, json::answer, "address, port and user agent";
    /// `/all`
    All = "all", SameOrigin, all, "address, port and all your headers";
    /// `/headers`
    Headers = "headers", SameOrigin, json::headers, "your headers; one of them: /headers/NAME or /NAME";
    /// `/hostname`
    Hostname = "hostname", SameOrigin, lookup::hostname, "the name of your address";
    /// `/explain`
    Explain = "explain", SameOrigin, explanation, "how your address was found";
    /// `/replica`
    Replica = "replica", SameOrigin, status::replica, "which replica answered";
    /// `/health`
    Health = "health", AnyOrigin, status::health, "liveness";
    /// `/healthz`
    Healthz = "healthz", AnyOrigin, status::health;
    /// `/livez`
    Livez = "livez", AnyOrigin, status::health;
    /// `/ready`
    Ready = "ready", AnyOrigin, status::ready, "readiness";
    /// `/readyz`
    Readyz = "readyz", AnyOrigin, status::readyz;
    /// `/favicon.ico`
    FaviconIco = "favicon.ico", SameOrigin, statics::icon;
    /// `/favicon.svg`
    FaviconSvg = "favicon.svg", SameOrigin, statics::icon_svg;
    /// `/robots.txt`
    Robots = "robots.txt", SameOrigin, statics::robots;
    /// `/openapi.json`
    OpenApi = "openapi.json", SameOrigin, statics::openapi, "this list for programs";
    /// `/country`
    Country = "country" if Country, AnyOrigin, place::country, "the country of the address";
    /// `/country-iso`
    CountryIso = "country-iso" if Country, AnyOrigin, place::country_iso, "its code";
    /// `/city`
    City = "city" if City, AnyOrigin, place::city, "the city";
    /// `/coordinates`
    Coordinates = "coordinates" if City, AnyOrigin, place::coordinates, "latitude and longitude";
    /// `/time-zone`
    TimeZone = "time-zone" if City, AnyOrigin, place::time_zone, "the time zone";
    /// `/asn`
    Asn = "asn" if Network, AnyOrigin, place::asn, "the network's number";
    /// `/asn-org`
    AsnOrg = "asn-org" if Network, AnyOrigin, place::asn_org, "whose network it is";
}

/// How many of the [`ENDPOINTS`] need no databases: the first ones, so that without databases the others cost nothing.
const WITHOUT_DATABASES: usize = {
    let mut count = 0;
    while count < ENDPOINTS.len() && ENDPOINTS[count].needs.is_none() {
        count += 1;
    }
    count
};

/// Those that there are.
fn endpoints(context: &Context<'_>) -> &'static [Endpoint] {
    if context.databases.is_some() { ENDPOINTS } else { &ENDPOINTS[..WITHOUT_DATABASES] }
}

impl Resource {
    /// Whether it answers with one thing that databases know.
    pub fn is_about_a_place(self) -> bool {
        self.endpoint().is_some_and(|endpoint| endpoint.needs.is_some())
    }

    /// Whether it is what load balancers and monitors ask.
    pub fn is_check(self) -> bool {
        matches!(self, Resource::Health | Resource::Healthz | Resource::Livez | Resource::Ready | Resource::Readyz)
    }

    /// In lower case: the path's segment, or `root`, `field`, `port-test`, `none`, `refused` or `monitoring`.
    pub fn label(self) -> &'static str {
        match self {
            Resource::Root => "root",
            Resource::Field => "field",
            Resource::PortTest => "port-test",
            Resource::None => "none",
            Resource::Refused => "refused",
            Resource::Monitoring => "monitoring",
            resource => resource.endpoint().map_or("none", |endpoint| endpoint.segment),
        }
    }

    fn endpoint(self) -> Option<&'static Endpoint> {
        RESOURCES.iter().position(|&resource| resource == self).map(|index| &ENDPOINTS[index])
    }
}

/// Answers a request: appends the content, which must not be sent for HEAD, and returns the head, or the look-up that comes first.
#[inline(always)] // With `root`'s, 25 instructions a request.
pub fn answer(context: &Context<'_>, content: &mut Vec<u8>) -> (Resource, Answer) {
    match context.request.method {
        Method::Get | Method::Head if context.request.target.path == b"/" => (Resource::Root, root(context, content).into()),
        Method::Get | Method::Head => path(context, content),
        method => other_method(method, context, content),
    }
}

/// Whether load balancers and monitors ask for this path.
pub fn is_check(path: &[u8]) -> bool {
    find(path, &ENDPOINTS[..WITHOUT_DATABASES]).0.is_check()
}

fn other_method(method: Method, context: &Context<'_>, content: &mut Vec<u8>) -> (Resource, Answer) {
    let (resource, _) = requested(context);
    let head = match method {
        Method::Options => options(context, resource),
        Method::Connect | Method::NotAllowed => {
            context.sentence(ResponseHead::NotAllowed, "only GET, HEAD and OPTIONS are answered here", content)
        }
        _ => context.sentence(ResponseHead::NotImplemented, NO_SUCH_METHOD, content),
    };
    (resource, head.into())
}

#[inline(always)] // See `answer`.
fn root(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    match representation(context) {
        MediaType::Text if address::text(context, content) => ResponseHead::RootText,
        MediaType::Text => ResponseHead::RootUnknown,
        MediaType::Json => {
            json::document(context, None, content);
            ResponseHead::RootJson
        }
        MediaType::Html => {
            page::render(context, endpoints(context), content);
            ResponseHead::Page
        }
    }
}

fn options(context: &Context<'_>, resource: Resource) -> ResponseHead {
    let is_private = context.request.values(b"access-control-request-private-network").next() == Some(b"true");
    let is_open =
        resource == Resource::Root || resource.endpoint().is_some_and(|endpoint| endpoint.readable_by == ReadableBy::AnyOrigin);
    match is_private && is_open {
        true => ResponseHead::OptionsPrivate,
        false => ResponseHead::Options,
    }
}

fn path(context: &Context<'_>, content: &mut Vec<u8>) -> (Resource, Answer) {
    let (resource, segment) = requested(context);
    let answer = match resource {
        Resource::PortTest => lookup::port(context, segment.0, content),
        Resource::Field => fields::named(context, |name| segment.is(name), content).into(),
        resource => dispatch(resource, context, content),
    };
    (resource, answer)
}

/// The resource at the request's path, of those that are on.
fn requested<'c>(context: &Context<'c>) -> (Resource, Segment<'c>) {
    match find(context.request.target.path, endpoints(context)) {
        (Resource::PortTest, segment) if !context.site.port_test => (Resource::None, segment),
        (Resource::Hostname, segment) if context.site.reverse_dns == ReverseDns::Off => (Resource::Field, segment),
        found => found,
    }
}

/// The resource at a path; for a field, also the segment that is its name.
fn find<'p>(path: &'p [u8], endpoints: &[Endpoint]) -> (Resource, Segment<'p>) {
    // Split first, then decode: an encoded slash is part of a name.
    let Some(path) = path.strip_prefix(b"/") else { return (Resource::None, Segment(path)) };
    let segment = Segment(path);
    match memchr::memchr(b'/', path) {
        None if path.is_empty() => (Resource::Root, segment),
        None => {
            let index = endpoints.iter().position(|endpoint| segment.is(endpoint.segment));
            (index.map_or(Resource::Field, |index| RESOURCES[index]), segment)
        }
        Some(slash) => {
            let (first, name) = (Segment(&path[..slash]), Segment(&path[slash + 1..]));
            let is_one = !name.0.is_empty() && !name.0.contains(&b'/');
            let resource = if is_one && first.is("headers") {
                Resource::Field
            } else if is_one && first.is("port") {
                Resource::PortTest
            } else {
                Resource::None
            };
            (resource, name)
        }
    }
}

fn not_found(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    context.sentence(ResponseHead::NotFound, "not found", content)
}

/// `/all`: JSON, or text if Accept prefers it.
fn all(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    if accepted(context) == Some(MediaType::Text) {
        fields::all_as_text(context, content);
        return ResponseHead::NegotiatedText;
    }
    json::all(context, content);
    ResponseHead::NegotiatedJson
}

/// `/explain`: text, or JSON if Accept prefers it.
fn explanation(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    if !context.site.explain {
        return context.sentence(ResponseHead::NotFound, "explain is off: start swagip with --explain", content);
    }
    if accepted(context) == Some(MediaType::Json) {
        explain::json(context, content);
        return ResponseHead::NegotiatedJson;
    }
    explain::text(context, content);
    ResponseHead::NegotiatedText
}

/// What is wrong with a method that there isn't.
pub(super) const NO_SUCH_METHOD: &str = "no such method; names of methods are upper-case";

/// One segment of a path, percent-encoded.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a>(pub(super) &'a [u8]);

impl Segment<'_> {
    /// Whether it is this name, decoded once and without regard to case. A percent sign that encodes nothing stands for itself.
    pub(super) fn is(self, name: &str) -> bool {
        /// `%41`
        const ENCODED: usize = 3;
        // Checked first, because a client may send 16 KiB, to be compared with each name.
        if !(name.len()..=ENCODED * name.len()).contains(&self.0.len()) {
            return false;
        }
        if !self.0.contains(&b'%') {
            return self.0.eq_ignore_ascii_case(name.as_bytes());
        }
        decoded(self.0).map(|byte| byte.to_ascii_lowercase()).eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}
