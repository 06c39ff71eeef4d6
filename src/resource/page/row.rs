//! One row of the page's table.

use super::command::Path;
use super::text::{JsonText, Lowercase, Text};
use crate::resource::fields::{self, Listing, Value};
use crate::resource::table::TABLE;
use std::fmt::{self, Display, Formatter, Write};

/// A name, what stands under it, and how to ask for it.
pub struct Row<'l>(pub fields::Row<'l>);

/// Their values are shown to those who ask: somebody may look over one's shoulder, or at one's screenshot.
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Browsers send these by themselves; tools as a rule do not. So do the fields whose names begin with `sec-`.
const OF_BROWSERS: [&str; 17] = [
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "cookie",
    "dnt",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "priority",
    "proxy-authorization",
    "purpose",
    "referer",
    "save-data",
    "te",
    "upgrade-insecure-requests",
];

impl Row<'_> {
    /// The name in lower case.
    pub fn name(&self) -> Lowercase<'_> {
        Lowercase(self.0.name())
    }

    /// The resource that answers with the value.
    pub fn path(&self) -> Path<'_> {
        let name = self.0.name();
        match self.0.value() {
            Value::Address(_) => Path::Fixed("/"),
            Value::Port(_) => Path::Fixed("/source-port"),
            Value::Lines(_) => Path::Field { name, is_taken: TABLE.iter().any(|(taken, _)| taken.eq_ignore_ascii_case(name)) },
        }
    }

    /// The value waits until it is asked for.
    pub fn is_secret(&self) -> bool {
        SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(self.0.name()))
    }

    /// A tool that asks for the value will not find it in its own request.
    pub fn is_of_browsers(&self) -> bool {
        let name = self.0.name();
        let begins_with_sec = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sec-"));
        begins_with_sec || OF_BROWSERS.iter().any(|other| other.eq_ignore_ascii_case(name))
    }

    /// The value as text.
    pub fn value(&self) -> Content<'_> {
        Content(&self.0)
    }
}

/// What stands under a name, as text; lines joined with `, `, each by itself UTF-8 or Latin-1.
pub struct Content<'r>(&'r fields::Row<'r>);

impl Display for Content<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.value() {
            Value::Address(address) => write!(f, "{address}"),
            Value::Port(port) => write!(f, "{port}"),
            Value::Lines(lines) => lines.enumerate().try_for_each(|(index, line)| {
                f.write_str(if index > 0 { ", " } else { "" })?;
                write!(f, "{}", Text(line))
            }),
        }
    }
}

/// All rows as one JSON object, for reading: `/all` with line breaks.
pub struct Document<'l>(pub &'l Listing<'l>);

impl Display for Document<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        for (index, row) in self.0.rows().enumerate() {
            f.write_str(if index > 0 { ",\n  \"" } else { "\n  \"" })?;
            row.key().try_for_each(|byte| write!(f, "{}", JsonText(char::from(byte))))?;
            let content = Content(&row);
            match row.value() {
                Value::Port(port) => write!(f, "\": {port}")?,
                _ => write!(f, "\": \"{}\"", JsonText(content))?,
            }
        }
        f.write_str("\n}")
    }
}
