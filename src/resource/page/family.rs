//! Both of the client's addresses: that of the family that it did not use can be asked for at a name that has addresses of that family
//! alone.

use super::command::{BaseUrl, Path};
use super::rows::Code;
use crate::resource::address::{self, Family};
use crate::resource::{Context, Site};
use std::fmt;
use std::io::Write;

/// Asks in the place of whoever reads the page.
pub const SCRIPT: &str = include_str!("../../../templates/family.js");

/// The family that the client did not use, and where to ask by it.
#[derive(Clone, Copy)]
pub struct Other<'a> {
    pub family: Family,
    pub name: &'a str,
    base: BaseUrl<'a>,
}

impl<'a> Other<'a> {
    /// That of whoever asks, where it has a name and the client's address is known.
    pub fn of(context: &Context<'a>, base: BaseUrl<'a>) -> Option<Other<'a>> {
        let family = Family::of(context.client.address?).other();
        let name = context.site.family_hosts.name(family)?;
        Some(Other { family, name, base: base.by(family, name) })
    }
}

/// The link to the address, with the page's own scheme (RFC 3986 §4.2). Nothing in it needs escaping: names and paths were checked when
/// they were set, ports when the request came.
impl fmt::Display for Other<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Other { name, base, .. } = self;
        let port = str::from_utf8(base.port).unwrap_or_default();
        write!(f, "<a class=\"ask\" href=\"//{name}{port}{}/ip\">ask {name}</a>", base.path)
    }
}

/// Appends the body of the table that has a row for each family with a name: the address of the client's own, and a link to the other.
pub fn write(context: &Context<'_>, base: BaseUrl<'_>, content: &mut Vec<u8>) {
    let (Some(own), Some(_)) = (context.client.address, context.site.family_hosts.names().next()) else { return };
    content.extend_from_slice(b"\n<tbody>");
    for family in Family::ALL {
        let Some(name) = context.site.family_hosts.name(family) else { continue };
        content.extend_from_slice(match family {
            Family::V4 => b"\n<tr><th><span>ipv4</span>",
            Family::V6 => b"\n<tr><th><span>ipv6</span>",
        });
        Code::new(base.by(family, name)).write(content, Path::Fixed("/"));
        content.extend_from_slice(b"</th>\n<td>");
        match Other::of(context, base).filter(|other| other.family == family) {
            // Writing to a Vec does not fail.
            Some(other) => drop(write!(content, "{other}")),
            None => address::write(content, &own),
        }
        content.extend_from_slice(b"</td></tr>");
    }
    content.extend_from_slice(b"\n</tbody>");
}

/// An upper bound on the bytes that the other family's line and script add to the page around its table.
pub fn length(site: &Site) -> usize {
    /// The line of the other family with its link, but for the name, which comes twice, and the path; and the script's element.
    const MARKUP: usize = 256;
    let of_name = |name: &str| MARKUP + SCRIPT.len() + 2 * name.len() + site.path.len();
    site.family_hosts.names().map(of_name).max().unwrap_or(0)
}
