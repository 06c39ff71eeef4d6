//! The field in which trusted proxies forward addresses, and its entries.

use super::node::Node;
use super::{Scheme, forwarded};
use crate::http::field::is_token;
use std::fmt;
use std::str::FromStr;

/// The forwarding field, `--client-ip-header`; its name implies its syntax. `x-forwarded-for` by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardingField {
    /// `forwarded`, RFC 7239.
    Forwarded,
    /// A list of addresses, under this name in lower case.
    List(String),
}

impl ForwardingField {
    /// The name, in lower case.
    pub fn name(&self) -> &str {
        match self {
            ForwardingField::Forwarded => "forwarded",
            ForwardingField::List(name) => name,
        }
    }

    /// The entries of one line from the right to the left, trimmed, without the empty ones. A `Forwarded` line that does not
    /// parse is one entry.
    pub(super) fn entries<'b>(&self, line: &'b [u8]) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let last_separator: Finder = match self {
            ForwardingField::List(_) => last_comma,
            ForwardingField::Forwarded if forwarded::is_well_formed(line) => forwarded::last_comma,
            ForwardingField::Forwarded => return Entries { rest: line.trim_ascii(), last_separator: None },
        };
        Entries { rest: line, last_separator: Some(last_separator) }
    }

    /// The hop that an entry names, with the scheme if the entry has it. `None` if it names no address.
    pub(super) fn hop(&self, entry: &[u8]) -> Option<(Node, Option<Scheme>)> {
        match self {
            ForwardingField::List(_) => Some((Node::parse(entry)?, None)),
            ForwardingField::Forwarded => forwarded::hop(entry),
        }
    }
}

impl Default for ForwardingField {
    fn default() -> ForwardingField {
        ForwardingField::List("x-forwarded-for".to_owned())
    }
}

impl FromStr for ForwardingField {
    type Err = NotAFieldName;

    fn from_str(name: &str) -> Result<ForwardingField, NotAFieldName> {
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(NotAFieldName(name.to_owned()));
        }
        let name = name.to_ascii_lowercase();
        Ok(if name == "forwarded" { ForwardingField::Forwarded } else { ForwardingField::List(name) })
    }
}

/// Not a field name; displays as the message for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAFieldName(pub String);

impl fmt::Display for NotAFieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not the name of a field: try x-forwarded-for, x-real-ip or forwarded", self.0)
    }
}

impl std::error::Error for NotAFieldName {}

/// Finds the last separator of a line.
type Finder = fn(&[u8]) -> Option<usize>;

/// The entries of a line, from the right, so what a client wrote left of the proxies costs nothing.
struct Entries<'b> {
    rest: &'b [u8],
    /// `None`: the rest is one entry.
    last_separator: Option<Finder>,
}

impl<'b> Iterator for Entries<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let Some(last_separator) = self.last_separator else {
            return Some(std::mem::take(&mut self.rest)).filter(|entry| !entry.is_empty());
        };
        // A line may be all commas: each is read once. None at the end is quoted, as the quote would come after it.
        let end = self.rest.iter().rposition(|&byte| byte != b',' && !byte.is_ascii_whitespace())? + 1;
        let rest = &self.rest[..end];
        let start = last_separator(rest).map_or(0, |comma| comma + 1);
        self.rest = &rest[..start];
        Some(rest[start..].trim_ascii_start())
    }
}

fn last_comma(line: &[u8]) -> Option<usize> {
    memchr::memrchr(b',', line)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, field) in [
            ("X-Forwarded-For", ForwardingField::default()),
            ("x-real-ip", ForwardingField::List("x-real-ip".to_owned())),
            ("X_Odd.~Name", ForwardingField::List("x_odd.~name".to_owned())),
            ("fOrWarded", ForwardingField::Forwarded),
        ] {
            assert_eq!(name.parse(), Ok(field.clone()));
            assert_eq!(field.name(), name.to_ascii_lowercase());
        }
    }

    #[test]
    fn what_is_no_name_is_named() {
        for name in ["", "x forwarded", "x-forwarded-for:", "x-forwarded-für", "a,b"] {
            let error = name.parse::<ForwardingField>().unwrap_err();
            assert_eq!(error, NotAFieldName(name.to_owned()));
            assert!(error.to_string().starts_with(&format!("\"{name}\" is not the name of a field: try ")), "{error}");
        }
    }

    #[test]
    fn entries_from_the_right() {
        let list = ForwardingField::default();
        for (field, line, entries) in [
            (&list, "", &[][..]),
            (&list, " , ,", &[]),
            (&list, "a", &["a"]),
            (&list, ",a ,,\tb c,", &["b c", "a"]),
            (&list, "\"a,b\"", &["b\"", "\"a"]),
            (&ForwardingField::Forwarded, " , ,", &[]),
            (&ForwardingField::Forwarded, "for=\"a,b\" ,, for=c,", &["for=c", "for=\"a,b\""]),
            (&ForwardingField::Forwarded, " for=\"a, for=c ", &["for=\"a, for=c"]),
        ] {
            let found: Vec<_> = field.entries(line.as_bytes()).collect();
            assert_eq!(found, entries.iter().map(|entry| entry.as_bytes()).collect::<Vec<_>>(), "{line}");
        }
    }
}
