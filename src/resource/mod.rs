//! What we say: the routes, the negotiation and the representations.
//!
//! A resource is a function from an [`Context`] to a [`ResponseHead`] and content. Knows no sockets, no clock and nothing that outlives
//! a request.

pub mod endpoint;

pub mod negotiation;

pub mod statics;

pub mod address;

pub mod fields;

pub mod json;

pub mod status;

pub mod lookup;

pub mod explain;

pub mod page;

pub mod head;

pub mod table;

use crate::client::{Client, Peer, Rule};
use crate::http::Request;

pub use head::ResponseHead;
pub use lookup::{Answer, Lookup, Question, Reply, ReverseDns};
pub use table::{Resource, answer, is_check};

/// The most bytes of [`Site::path`]: the page says it in each of up to 102 rows.
pub const SITE_PATH_MAX: usize = 64;

/// What the operator says of this site; the same for every request.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Which replica this is, `--served-by`.
    pub served_by: Option<String>,
    /// The host name in the page's commands, `--site-host`; the request's own Host where it is not set.
    pub host: Option<String>,
    /// The path in the page's commands below which this server answers, `--site-host` too: empty, or `/` and segments that mean
    /// nothing to a shell, without a slash at the end; at most [`SITE_PATH_MAX`] bytes.
    pub path: String,
    /// The heading of the page, `--site-title`.
    pub title: String,
    /// The fields that no answer gives back, `--hide-field`: their names in lower case.
    pub hidden: Vec<String>,
    /// Whether `/explain` answers, `--explain`.
    pub explain: bool,
    /// Whether `/hostname` answers, and for which addresses.
    pub reverse_dns: ReverseDns,
    /// Whether `/port/N` answers.
    pub port_test: bool,
}

impl Site {
    /// Whether no answer gives a field of this name back. One comparison where nothing is hidden.
    #[inline]
    pub fn hides(&self, name: &str) -> bool {
        !self.hidden.is_empty() && self.hidden.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
    }
}

/// All that a resource may look at to answer a request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The request, checked.
    pub request: &'a Request<'a, 'a>,
    /// Whom the answer is for.
    pub client: &'a Client,
    /// Who sent it.
    pub peer: &'a Peer,
    /// How `client` was found.
    pub rule: &'a Rule,
    /// Who answers.
    pub site: &'a Site,
    /// A stop was asked for.
    pub draining: bool,
}

impl<'a> Context<'a> {
    /// The User-Agent, where it may be given back.
    fn shown_user_agent(&self) -> Option<&'a [u8]> {
        self.request.user_agent().filter(|_| !self.site.hides("user-agent"))
    }

    /// The host that the client asked for, where it may be given back.
    fn shown_host(&self) -> Option<&'a [u8]> {
        self.request.host().filter(|_| !self.site.hides("host"))
    }

    /// Ends a text in a line feed; not for PowerShell, whose `Invoke-RestMethod` hands the content on as it is.
    fn end_text(&self, content: &mut Vec<u8>) {
        if self.ends_in_line_feed() {
            content.push(b'\n');
        }
    }

    fn ends_in_line_feed(&self) -> bool {
        !self.request.user_agent().is_some_and(negotiation::is_powershell)
    }
}
