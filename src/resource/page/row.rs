//! One row of the page's table.

use super::command::Path;
use super::text::{JsonText, Lowercase, Text, gather};
use crate::resource::endpoint::Endpoint;
use crate::resource::fields::{self, Listing, Value};
use std::fmt::{self, Display, Formatter, Write};

/// A name, what stands under it, and how to ask for it; of name and value so many bytes are shown.
pub struct Row<'l> {
    /// The fields of this name.
    pub row: fields::Row<'l>,
    /// The most bytes of the name that are shown, and of the value.
    pub shown: usize,
}

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

impl<'l> Row<'l> {
    /// The name in lower case.
    pub fn name(&self) -> Lowercase<'_> {
        Lowercase(first(self.row.name(), self.shown))
    }

    /// The bytes of the name that are not shown.
    pub fn more_of_name(&self) -> usize {
        self.row.name().len().saturating_sub(self.shown)
    }

    /// The resource that answers with the value, where these have names that are not those of fields.
    pub fn path(&self, endpoints: &[Endpoint]) -> Path<'l> {
        let name = self.row.name();
        match self.row.value() {
            Value::Address(_) => Path::Fixed("/"),
            Value::Port(_) => Path::Fixed("/source-port"),
            // A name that is not shown whole is not shown in a command either.
            Value::Lines(_) if self.more_of_name() > 0 => Path::Fixed(HEADERS),
            Value::Lines(_) => {
                let is_taken = endpoints.iter().any(|endpoint| endpoint.segment.eq_ignore_ascii_case(name));
                Path::Field { name, is_taken }
            }
        }
    }

    /// The value waits until it is asked for.
    pub fn is_secret(&self) -> bool {
        SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(self.row.name()))
    }

    /// A tool that asks for the value will not find it in its own request.
    pub fn is_of_browsers(&self) -> bool {
        let name = self.row.name();
        let begins_with_sec = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sec-"));
        begins_with_sec || OF_BROWSERS.iter().any(|other| other.eq_ignore_ascii_case(name))
    }

    /// The value as text.
    pub fn value(&self) -> Content<'_> {
        Content(self)
    }

    /// The bytes of the value that are not shown.
    pub fn more_of_value(&self) -> usize {
        self.excerpt(|_| Ok(())).unwrap_or(0)
    }

    /// Hands on what is shown of the value of a field, piece by piece; lines are joined with `, `, each by itself UTF-8 or Latin-1.
    /// Gives the number of bytes that are not shown.
    fn excerpt(&self, mut each: impl FnMut(Text<'_>) -> fmt::Result) -> Result<usize, fmt::Error> {
        let Value::Lines(lines) = self.row.value() else { return Ok(0) };
        let (mut room, mut more) = (self.shown, 0);
        for (index, line) in lines.enumerate() {
            for piece in [if index > 0 { &b", "[..] } else { b"" }, line] {
                // What comes after something that is not shown is not shown.
                if more > 0 {
                    more += piece.len();
                    continue;
                }
                let first = Text::new(piece).first(room);
                each(first)?;
                room -= first.len();
                more += piece.len() - first.len();
            }
        }
        Ok(more)
    }
}

/// Where every name and value is, however long.
const HEADERS: &str = "/headers";

/// The first bytes of a name, which is ASCII.
fn first(name: &str, length: usize) -> &str {
    name.get(..length).unwrap_or(name)
}

/// What stands under a name, as text.
pub struct Content<'r>(&'r Row<'r>);

impl Display for Content<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.row.value() {
            Value::Address(address) => write!(f, "{address}"),
            Value::Port(port) => write!(f, "{port}"),
            Value::Lines(_) => self.0.excerpt(|text| text.fmt(f)).map(drop),
        }
    }
}

/// Says how many bytes are not shown; nothing where all are.
pub struct More(pub usize);

impl Display for More {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str("… 1 byte more"),
            more => write!(f, "… {more} bytes more"),
        }
    }
}

/// All rows as one JSON object, for reading: `/all` with line breaks.
pub struct Document<'l> {
    /// The rows.
    pub listing: &'l Listing<'l>,
    /// The most bytes of a name that are shown, and of a value.
    pub shown: usize,
}

impl Display for Document<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        for (index, row) in self.listing.rows().map(|row| Row { row, shown: self.shown }).enumerate() {
            f.write_str(if index > 0 { ",\n  \"" } else { "\n  \"" })?;
            gather(f, row.row.key().take(row.shown), |gathered, byte| gathered.put([byte]))?;
            More(row.more_of_name()).fmt(f)?;
            match row.row.value() {
                Value::Port(port) => write!(f, "\": {port}")?,
                _ => write!(f, "\": \"{}{}\"", JsonText(row.value()), More(row.more_of_value()))?,
            }
        }
        f.write_str("\n}")
    }
}
