//! Why a request is refused: the client's fault, answered with a status and one line.
//!
//! Every refusal ends the connection, because after it there is no telling where the next request begins (RFC 9112 §2.2, §6.3).

use std::ops::Deref;

/// A reason to refuse. One word long, because nearly everything that reads a request may return it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(&'static Text);

/// A status and the line that says what was wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    /// The status of the response.
    pub status: Status,
    /// What counters call it: lower-case letters and underscores.
    pub word: &'static str,
    /// The content, ending in a line feed.
    pub reason: &'static str,
}

impl Deref for Refusal {
    type Target = Text;

    fn deref(&self) -> &Text {
        self.0
    }
}

/// The statuses of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 400 Bad Request
    BadRequest,
    /// 408 Request Timeout
    RequestTimeout,
    /// 414 URI Too Long
    UriTooLong,
    /// 417 Expectation Failed
    ExpectationFailed,
    /// 431 Request Header Fields Too Large
    FieldsTooLarge,
    /// 501 Not Implemented
    NotImplemented,
    /// 505 HTTP Version Not Supported
    VersionNotSupported,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $word:literal, $reason:literal;)*) => {
        impl Refusal {
            $($(#[$doc])* pub const $name: Refusal = Refusal(&Text {
                status: Status::$status,
                word: $word,
                reason: concat!($reason, "\n"),
            });)*

            /// All of them.
            pub const ALL: &[Refusal] = &[$(Refusal::$name),*];

            /// Its place in [`Refusal::ALL`].
            pub fn index(self) -> usize {
                Refusal::ALL.iter().position(|&other| other == self).unwrap_or_default()
            }
        }
    };
}

refusals! {
    /// RFC 9112 §2.2 allows it as a line's end, so two parsers may disagree.
    BARE_LF = BadRequest, "bare_lf", "a line must end in CRLF, not in a bare LF";
    /// RFC 9112 §2.2.
    BARE_CR = BadRequest, "bare_cr", "a CR must be followed by LF";
    /// More empty lines before the request line than sloppy clients send.
    LEADING_LINES = BadRequest, "leading_lines", "too many empty lines before the request line";
    /// RFC 9110 §9.1: a method is a token.
    METHOD = BadRequest, "method", "the request does not begin with a method and one space";
    /// A proxy sends a PROXY protocol header, version 1 or 2, to a plain listener.
    PROXY_HEADER = BadRequest, "proxy_header", "this listener takes no PROXY header: see --listen-proxy";
    /// RFC 9112 §3.2: none of the four forms.
    TARGET_FORM = BadRequest, "target_form", "the target must be a path, an http:// or https:// URI, or * with OPTIONS";
    /// RFC 9112 §3.2: a fragment, a space, a control or a byte outside ASCII.
    TARGET_BYTE = BadRequest, "target_byte", "the target contains a byte that must be percent-encoded";
    /// RFC 9112 §2.3: not `HTTP/`, one digit, a dot and one digit.
    VERSION_FORM = BadRequest, "version_form", "the request line must end in HTTP/1.1";
    /// RFC 9110 §15.6.6: a version, but its first digit is not 1.
    VERSION = VersionNotSupported, "version", "only HTTP/1.1 and HTTP/1.0 are supported";
    /// RFC 9112 §5.1: no name, or a name that is no token.
    FIELD_NAME = BadRequest, "field_name", "a field name must be a token";
    /// RFC 9112 §5.1: MUST be refused, because it has been used for smuggling.
    FIELD_SPACE = BadRequest, "field_space", "white space between a field name and its colon";
    /// RFC 9112 §5.
    FIELD_COLON = BadRequest, "field_colon", "a field line without a colon";
    /// RFC 9112 §5.2, and white space before the first field (§2.2).
    FIELD_FOLDED = BadRequest, "field_folded", "a field line must not begin with white space";
    /// RFC 9110 §5.5: controls but HTAB.
    FIELD_VALUE = BadRequest, "field_value", "a field value contains a control byte";
    /// RFC 9112 §3.2: a 1.1 request without Host.
    HOST_MISSING = BadRequest, "host_missing", "the Host field is missing";
    /// RFC 9112 §3.2: more than one Host line, equal or not.
    HOST_REPEATED = BadRequest, "host_repeated", "more than one Host field";
    /// RFC 9112 §3.2, RFC 3986 §3.2.2.
    HOST = BadRequest, "host", "the host must be a name or an address, with a port up to 65535 or none";
    /// RFC 9110 §8.6.
    CONTENT_LENGTH = BadRequest, "content_length", "Content-Length must be one decimal number";
    /// RFC 9112 §6.1: both, or one twice, is how requests are smuggled.
    FRAMING = BadRequest, "framing", "only one Content-Length or one Transfer-Encoding is allowed";
    /// RFC 9112 §6.1: 1.0 has no transfer codings.
    CODING_VERSION = BadRequest, "coding_version", "Transfer-Encoding needs HTTP/1.1";
    /// RFC 9112 §6.3: codings that don't end in `chunked`, name it twice, or are malformed: there is no telling where the content ends.
    CODING_FORM = BadRequest, "coding_form", "Transfer-Encoding must be exactly: chunked";
    /// RFC 9112 §6.1: `chunked` after other codings.
    CODING = NotImplemented, "coding", "the only transfer coding supported is chunked";
    /// RFC 9110 §10.1.1.
    EXPECTATION = ExpectationFailed, "expectation", "the only expectation supported is 100-continue";
    /// RFC 9112 §7.1.
    CHUNK_SIZE = BadRequest, "chunk_size", "a chunk must begin with its size in hexadecimal";
    /// RFC 9112 §7.1.1.
    CHUNK_EXTENSION = BadRequest, "chunk_extension", "a chunk extension is malformed or too long";
    /// RFC 9112 §7.1.
    CHUNK_END = BadRequest, "chunk_end", "a chunk must end in CRLF";
    /// RFC 9112 §6.3 (8): the client closed before the end of the content.
    CONTENT_CUT = BadRequest, "content_cut", "the connection ended inside the content";
    /// RFC 9112 §8: the client closed before the end of the head.
    HEAD_CUT = BadRequest, "head_cut", "the connection ended inside the request";
    /// RFC 9110 §15.5.9: the head did not come in time.
    TIMEOUT = RequestTimeout, "timeout", "the request took too long to arrive";
    /// RFC 9110 §15.5.15.
    TARGET_LONG = UriTooLong, "target_long", "the target is too long";
    /// RFC 6585 §5: more fields or bytes than the limits.
    FIELDS_LARGE = FieldsTooLarge, "fields_large", "too many or too long header fields: at most 100 in 16 KiB";
    /// The head reached its limit before a target began.
    HEAD_ENDLESS = BadRequest, "head_endless", "the request line does not end";
}
