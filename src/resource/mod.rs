//! What we say: the routes, the negotiation and the representations.
//!
//! A resource is a function from an [`Inquiry`] to a [`Head`] and content. Knows no sockets, no clock and nothing that outlives
//! a request.

pub mod head;

pub mod negotiation;

pub mod json;

pub mod fields;

pub mod address;

pub mod status;

pub mod statics;

pub mod explain;

pub mod page;

pub mod table;

use crate::client::{Client, Peer, Rule};
use crate::http::Request;

pub use head::Head;
pub use table::answer;

/// What the operator says of this site; the same for every request.
#[derive(Clone, Debug)]
pub struct Site {
    /// Which replica this is, `--served-by`.
    pub served_by: Option<String>,
    /// The host name in the page's commands, `--site-host`; the request's own Host where it is not set.
    pub host: Option<String>,
    /// The heading of the page, `--site-title`.
    pub title: String,
    /// Whether `/explain` answers, `--explain`.
    pub explain: bool,
}

/// One question: all that a resource may look at to answer it.
#[derive(Clone, Copy)]
pub struct Inquiry<'a> {
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

impl Inquiry<'_> {
    /// Ends a text in a line feed; not for PowerShell, whose `Invoke-RestMethod` hands the content on as it is.
    fn end_text(&self, content: &mut Vec<u8>) {
        if !self.request.user_agent().is_some_and(negotiation::is_powershell) {
            content.push(b'\n');
        }
    }
}
