//! The rows of what databases know of the client's address, and the databases themselves.

use super::command::{BaseUrl, Path};
use super::rows::Code;
use super::text::{self, Text};
use crate::mmdb::{self, Databases, Place};
use crate::resource::place::{write_asn, write_coordinates};
use std::io::Write as _;

/// Appends the body of the table that has a row for each part that is known and has a path; nothing where none is.
pub fn write(known: &Place<'_>, base: BaseUrl<'_>, content: &mut Vec<u8>) {
    if *known == Place::default() {
        return;
    }
    let mut body = Body { code: Code::new(base), content };
    body.content.extend_from_slice(b"\n<tbody>");
    body.text("/country", known.country.and_then(|country| country.name));
    body.text("/country-iso", known.country.and_then(|country| country.iso_code));
    body.text("/city", known.city);
    body.row("/coordinates", known.coordinates, write_coordinates);
    body.text("/time-zone", known.time_zone);
    body.row("/asn", known.network.and_then(|network| network.number), write_asn);
    body.text("/asn-org", known.network.and_then(|network| network.organization));
    body.content.extend_from_slice(b"\n</tbody>");
}

struct Body<'o, 'c> {
    code: Code<'o>,
    content: &'c mut Vec<u8>,
}

impl Body<'_, '_> {
    fn text(&mut self, path: &'static str, text: Option<mmdb::Text<'_>>) {
        self.row(path, text, |content, text| text::html(content, Text::new(text.as_bytes())));
    }

    /// Appends the row of what is asked for with this path, where it is known.
    fn row<T>(&mut self, path: &'static str, known: Option<T>, write: impl Fn(&mut Vec<u8>, T)) {
        let Some(known) = known else { return };
        for part in ["\n<tr><th><span>", path.trim_start_matches('/'), "</span>"] {
            self.content.extend_from_slice(part.as_bytes());
        }
        self.code.write(self.content, Path::Fixed(path));
        self.content.extend_from_slice(b"</th>\n<td>");
        write(self.content, known);
        self.content.extend_from_slice(b"</td></tr>");
    }
}

/// Appends the list of databases. Their descriptions are escaped like the rows, which takes a fraction of what askama does.
pub fn write_sources(databases: &Databases, content: &mut Vec<u8>) {
    content.extend_from_slice(b"\n<p>Places and networks:");
    for (index, file) in databases.files().iter().enumerate() {
        content.extend_from_slice(if index > 0 { b"; " } else { b" " });
        text::html(content, Text::new(file.description().as_bytes()));
        // Writing to a Vec does not fail.
        drop(write!(content, ", {}", file.date()));
    }
    content.extend_from_slice(b"</p>");
}

/// An upper bound on the bytes of the list of databases: `&#34;` for each byte of a description, a date, and separators.
pub fn sources_length(databases: &Databases) -> usize {
    databases.files().iter().map(|file| 5 * file.description().len() + 40).sum::<usize>() + 80
}
