//! An endpoint, without its function.

use super::{Context, ReverseDns};
use crate::mmdb::Subject;

/// A path with one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The path without its slash, in lower case.
    pub segment: &'static str,
    /// Whose scripts may read the answers; their heads say the same.
    pub readable_by: ReadableBy,
    /// What the databases must know something of, where it needs any: without databases it is the name of a field.
    pub needs: Option<Subject>,
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
    pub fn is_listed(&self, context: &Context<'_>) -> bool {
        let site = context.site;
        let is_on = match (self.segment, self.needs) {
            ("explain", _) => site.explain,
            ("replica", _) => site.served_by.is_some(),
            ("hostname", _) => site.reverse_dns != ReverseDns::Off,
            (_, Some(subject)) => context.databases.is_some_and(|databases| databases.know(subject)),
            (_, None) => true,
        };
        is_on && !self.about.is_empty()
    }
}
