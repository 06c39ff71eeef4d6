//! An endpoint, without its function.

use super::{ReverseDns, Site};

/// A path with one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The path without its slash, in lower case.
    pub segment: &'static str,
    /// Whose scripts may read the answers; their heads say the same.
    pub readable_by: ReadableBy,
    /// The page's text; empty if the page doesn't list it.
    pub about: &'static str,
}

/// Whose scripts may read an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadableBy {
    /// Scripts of any origin.
    AnyOrigin,
    /// Only those of this server: the answer may contain what a proxy added about the user.
    SameOrigin,
}

impl Endpoint {
    /// Whether the page lists it.
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
