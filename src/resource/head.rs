//! The heads of all responses: one for each kind of representation and status, laid out before the first request.

use super::{Site, page, statics};
use crate::http::refusal::Status;
use crate::http::response::{HeadText, Heads, NO_SNIFF, NO_STORE, SAME_ORIGIN, TEXT};

const JSON: &str = "Content-Type: application/json";
const HTML: &str = "Content-Type: text/html; charset=utf-8";
/// [`Format::Prometheus`](super::monitoring::Format).
const PROMETHEUS: &str = "Content-Type: text/plain; version=0.0.4; charset=utf-8";
/// [`Format::OpenMetrics`](super::monitoring::Format).
const OPEN_METRICS: &str = "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8";
const CACHED: &str = "Cache-Control: public, max-age=86400";
const NO_REFERRER: &str = "Referrer-Policy: no-referrer";
/// Only if nothing in the answer may come from a proxy, which may have added who the user is; otherwise [`SAME_ORIGIN`].
const ANY_ORIGIN: &str = "Access-Control-Allow-Origin: *";
const ANY_METHOD: &str = "Access-Control-Allow-Methods: GET, HEAD, OPTIONS";
const ANY_FIELD: &str = "Access-Control-Allow-Headers: *";
const FOR_A_DAY: &str = "Access-Control-Max-Age: 86400";
/// Chromium requires it under Private Network Access. The successor, Local Network Access, asks the user instead.
const PRIVATE_NETWORK: &str = "Access-Control-Allow-Private-Network: true";
const ALLOW: &str = "Allow: GET, HEAD, OPTIONS";
/// In seconds. Most look-ups under way have ended by then; the slowest take 2.5.
const SOON: &str = "Retry-After: 1";
const VARY: &str = "Vary: Accept, User-Agent";
const VARY_ACCEPT: &str = "Vary: Accept";
/// Text ends in a line feed, except for PowerShell.
const VARY_AGENT: &str = "Vary: User-Agent";

macro_rules! heads {
    ($($(#[$doc:meta])* $name:ident: $status:literal, [$($field:expr),*];)*) => {
        /// Status and fixed fields of an answer; its index in [`Heads`](crate::http::response::Heads).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ResponseHead { $($(#[$doc])* $name,)* }

        impl ResponseHead {
            /// The heads in the order of their indices.
            pub const TEXTS: &[HeadText<'static>] = &[$(HeadText { status: $status, fields: &[$($field),*] }),*];

            /// The status code.
            pub fn status(self) -> u16 {
                self.text().code()
            }

            /// The status and the fields.
            pub fn text(self) -> &'static HeadText<'static> {
                &Self::TEXTS[self as usize]
            }

            /// The head of a refusal.
            pub fn refused(status: Status) -> ResponseHead {
                match status {
                    Status::BadRequest => ResponseHead::BadRequest,
                    Status::RequestTimeout => ResponseHead::RequestTimeout,
                    Status::UriTooLong => ResponseHead::UriTooLong,
                    Status::ExpectationFailed => ResponseHead::ExpectationFailed,
                    Status::FieldsTooLarge => ResponseHead::FieldsTooLarge,
                    Status::NotImplemented => ResponseHead::CodingNotImplemented,
                    Status::VersionNotSupported => ResponseHead::VersionNotSupported,
                }
            }
        }
    };
}

impl ResponseHead {
    /// All heads, laid out for this site.
    pub fn heads(site: &Site) -> Heads {
        let policy = page::security_policy(site);
        let own = |field: &&'static str| if *field == page::SECURITY_POLICY { &policy } else { *field };
        let page: Vec<&str> = Self::Page.text().fields.iter().map(own).collect();
        let texts = Self::TEXTS.iter().enumerate().map(|(index, text)| match index == Self::Page as usize {
            true => HeadText { fields: &page, ..*text },
            false => *text,
        });
        Heads::new(texts, site.served_by.as_deref())
    }
}

heads! {
    /// `/` as text.
    RootText: "200 OK", [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY];
    /// `/` as text, if the address is not known.
    RootUnknown: "404 Not Found", [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY];
    /// `/` as JSON.
    RootJson: "200 OK", [JSON, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY];
    /// `/` for a browser.
    Page: "200 OK", [HTML, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY, NO_REFERRER, page::SECURITY_POLICY];
    /// Text that any origin may read.
    OpenText: "200 OK", [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY_AGENT];
    /// The same, not known or not ready.
    OpenNotFound: "404 Not Found", [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY_AGENT];
    /// The same, not ready.
    OpenUnavailable: "503 Service Unavailable", [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY_AGENT];
    /// The same, asked of something that is no address.
    OpenBadRequest: "400 Bad Request", [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY_AGENT];
    /// JSON that any origin may read.
    OpenJson: "200 OK", [JSON, NO_STORE, NO_SNIFF, ANY_ORIGIN];
    /// Text chosen by Accept.
    NegotiatedText: "200 OK", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY];
    /// JSON chosen by Accept.
    NegotiatedJson: "200 OK", [JSON, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY];
    /// What was looked up is not known, as text.
    NegotiatedUnknown: "404 Not Found", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY];
    /// The same as JSON.
    NegotiatedUnknownJson: "404 Not Found", [JSON, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY];
    /// What is not done for this client.
    Forbidden: "403 Forbidden", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT];
    /// Too much is being looked up.
    Busy: "503 Service Unavailable", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT, SOON];
    /// JSON, without negotiation.
    Json: "200 OK", [JSON, NO_STORE, NO_SNIFF, SAME_ORIGIN];
    /// Text, without negotiation.
    Text: "200 OK", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT];
    /// No such field, no such path.
    NotFound: "404 Not Found", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT];
    /// A method of RFC 9110 that is never allowed here.
    NotAllowed: "405 Method Not Allowed", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT, ALLOW];
    /// An unknown method.
    NotImplemented: "501 Not Implemented", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT];
    /// OPTIONS, a preflight's or not.
    Options: "204 No Content", [NO_STORE, NO_SNIFF, ALLOW, ANY_ORIGIN, ANY_METHOD, ANY_FIELD, FOR_A_DAY];
    /// A preflight from a public site into a private network, for what any origin may read.
    OptionsPrivate: "204 No Content", [
        NO_STORE, NO_SNIFF, ALLOW, ANY_ORIGIN, ANY_METHOD, ANY_FIELD, FOR_A_DAY, PRIVATE_NETWORK
    ];
    /// `/favicon.ico`
    Icon: "200 OK", ["Content-Type: image/vnd.microsoft.icon", CACHED, NO_SNIFF, SAME_ORIGIN, statics::ICON.etag_line()];
    /// `/favicon.ico`, which the client has.
    IconNotModified: "304 Not Modified", [CACHED, NO_SNIFF, SAME_ORIGIN, statics::ICON.etag_line()];
    /// `/favicon.svg`
    IconSvg: "200 OK", ["Content-Type: image/svg+xml", CACHED, NO_SNIFF, SAME_ORIGIN, statics::ICON_SVG.etag_line()];
    /// `/favicon.svg`, which the client has.
    IconSvgNotModified: "304 Not Modified", [CACHED, NO_SNIFF, SAME_ORIGIN, statics::ICON_SVG.etag_line()];
    /// `/robots.txt`
    Robots: "200 OK", [TEXT, CACHED, NO_SNIFF, SAME_ORIGIN, statics::ROBOTS.etag_line()];
    /// `/robots.txt`, which the client has.
    RobotsNotModified: "304 Not Modified", [CACHED, NO_SNIFF, SAME_ORIGIN, statics::ROBOTS.etag_line()];
    /// `/openapi.json`
    OpenApi: "200 OK", [JSON, CACHED, NO_SNIFF, SAME_ORIGIN, statics::OPENAPI.etag_line()];
    /// `/openapi.json`, which the client has.
    OpenApiNotModified: "304 Not Modified", [CACHED, NO_SNIFF, SAME_ORIGIN, statics::OPENAPI.etag_line()];
    /// `/metrics` as Prometheus's own text.
    Metrics: "200 OK", [PROMETHEUS, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_ACCEPT];
    /// `/metrics` as OpenMetrics.
    OpenMetrics: "200 OK", [OPEN_METRICS, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_ACCEPT];
    /// A method that nothing has on a listener for monitoring.
    MonitoringNotAllowed: "405 Method Not Allowed", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT, "Allow: GET, HEAD"];
    /// A request that is malformed.
    BadRequest: "400 Bad Request", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN];
    /// A request that took too long.
    RequestTimeout: "408 Request Timeout", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN];
    /// A target that is too long.
    UriTooLong: "414 URI Too Long", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN];
    /// An expectation other than 100-continue.
    ExpectationFailed: "417 Expectation Failed", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN];
    /// Too many fields, or too long ones.
    FieldsTooLarge: "431 Request Header Fields Too Large", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN];
    /// A transfer coding other than chunked.
    CodingNotImplemented: "501 Not Implemented", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN];
    /// A version other than 1.0 and 1.1.
    VersionNotSupported: "505 HTTP Version Not Supported", [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN];
}
