//! What we say: the routes, the negotiation and the representations.
//!
//! Functions from an [`Inquiry`] to content. Knows no sockets and nothing that outlives one request.

use crate::client::{Client, Peer, Rule};
use crate::http::Request;

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
    pub client: Client,
    /// Who sent it.
    pub peer: &'a Peer,
    /// How `client` was found.
    pub rule: &'a Rule,
    /// Who answers.
    pub site: &'a Site,
    /// A stop was asked for.
    pub draining: bool,
}
