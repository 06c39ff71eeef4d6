//! What we answer: routes, negotiation and representations.
//!
//! A resource is a function from a [`Context`] to a [`ResponseHead`] and content. Knows no sockets, no clock, and nothing that outlives a
//! request.

pub mod endpoint;

pub mod negotiation;

pub mod statics;

pub mod address;

pub mod place;

pub mod fields;

pub mod json;

pub mod status;

pub mod lookup;

pub mod explain;

pub mod page;

pub mod head;

pub mod table;

pub mod monitoring;

use crate::client::{Client, Mistake, Peer, Rule};
use crate::http::Request;
use crate::mmdb::Databases;
use address::Family;

pub use head::ResponseHead;
pub use lookup::{Answer, Lookup, Question, Reply, ReverseDns};
pub use table::{Resource, answer, is_check};

/// The most bytes of [`Site::path`]: the page repeats it in up to 112 rows.
pub const SITE_PATH_MAX: usize = 64;

/// How the operator set this site up; the same for every request.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Which replica this is, `--served-by`.
    pub served_by: Option<String>,
    /// The host name in the page's commands, `--site-host`; the request's Host if it is not set.
    pub host: Option<String>,
    /// The path in the page's commands, also `--site-host`: empty, or `/` and segments that mean nothing to a shell, without a slash at
    /// the end; at most [`SITE_PATH_MAX`] bytes.
    pub path: String,
    /// Names that lead here by one family of addresses alone.
    pub family_hosts: FamilyHosts,
    /// The heading of the page, `--site-title`.
    pub title: String,
    /// The names of the fields that no answer gives back, `--hide-field`, in lower case.
    pub hidden: Vec<String>,
    /// Whether `/explain` answers, `--explain`.
    pub explain: bool,
    /// Whether `/hostname` answers, and for which addresses.
    pub reverse_dns: ReverseDns,
    /// Whether `/port/N` answers.
    pub port_test: bool,
}

/// For each family of addresses a name of this site that has addresses of that family alone, where there is one: a DNS name without a port.
#[derive(Clone, Debug, Default)]
pub struct FamilyHosts {
    /// `--site-host-ipv4`
    pub ipv4: Option<String>,
    /// `--site-host-ipv6`
    pub ipv6: Option<String>,
}

impl FamilyHosts {
    /// The name for this family.
    pub fn name(&self, family: Family) -> Option<&str> {
        match family {
            Family::V4 => self.ipv4.as_deref(),
            Family::V6 => self.ipv6.as_deref(),
        }
    }

    /// All names that there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        Family::ALL.into_iter().filter_map(|family| self.name(family))
    }
}

impl Site {
    /// Whether no answer gives a field of this name back. One comparison if nothing is hidden.
    pub fn hides(&self, name: &str) -> bool {
        !self.hidden.is_empty() && self.hidden.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
    }
}

/// Everything that a resource may use to answer a request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The request, checked.
    pub request: &'a Request<'a, 'a>,
    /// Who is asking.
    pub client: &'a Client,
    /// Who sent the request.
    pub peer: &'a Peer,
    /// How `client` was found.
    pub rule: &'a Rule,
    /// The site.
    pub site: &'a Site,
    /// What else is known of addresses, where anything is.
    pub databases: Option<&'a Databases>,
    /// The server is stopping.
    pub draining: bool,
}

impl<'a> Context<'a> {
    /// The User-Agent, unless it is hidden.
    fn shown_user_agent(&self) -> Option<&'a [u8]> {
        self.request.user_agent().filter(|_| !self.site.hides("user-agent"))
    }

    /// The host that the client asked for, unless it is hidden.
    fn shown_host(&self) -> Option<&'a [u8]> {
        self.request.host().filter(|_| !self.site.hides("host"))
    }

    /// Whether a mistake may be told of: not where its field is hidden.
    fn may_show(&self, mistake: &Mistake<'_>) -> bool {
        !matches!(mistake, Mistake::Untrusted { field, .. } if self.site.hides(field))
    }

    /// Ends a text with a line feed, except for PowerShell, whose `Invoke-RestMethod` would keep it.
    fn end_text(&self, content: &mut Vec<u8>) {
        if self.ends_in_line_feed() {
            content.push(b'\n');
        }
    }

    /// Appends a sentence as the whole text; returns the head that goes with it.
    fn sentence(&self, head: ResponseHead, sentence: &str, content: &mut Vec<u8>) -> ResponseHead {
        content.extend_from_slice(sentence.as_bytes());
        self.end_text(content);
        head
    }

    fn ends_in_line_feed(&self) -> bool {
        !self.request.user_agent().is_some_and(negotiation::is_powershell)
    }
}
