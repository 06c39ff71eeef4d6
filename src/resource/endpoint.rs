//! What is known of an endpoint besides its answers.

use super::{ReverseDns, Site};

/// A path with one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The path without its slash, in lower case.
    pub segment: &'static str,
    /// Whose scripts may read the answers, as their heads say.
    pub readable_by: ReadableBy,
    /// What the page says of it; empty where the page doesn't name it.
    pub about: &'static str,
}

/// Whose scripts may read an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadableBy {
    /// Those of any origin.
    AnyOrigin,
    /// This server's own: the answer may hold what a proxy added about its user.
    SameOrigin,
}

impl Endpoint {
    /// Whether the page names it.
    pub fn is_listed(&self, site: &Site) -> bool {
        let is_on = match self.segment {
            "explain" => site.explain,
            "replica" => site.served_by.is_some(),
            "hostname" => site.reverse_dns != ReverseDns::Off,
            _ => true,
        };
        is_on && !self.about.is_empty()
    }
}
