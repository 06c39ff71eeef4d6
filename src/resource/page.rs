//! The page for browsers.
//!
//! One document that includes style and script. The table's rows, which may be many and large, are appended as bytes; around them is a
//! template rendered by askama, which escapes everything in `{{ }}`. All that is in the page is also available as text or JSON.

mod budget;
mod command;
mod family;
mod place;
mod rows;
mod text;

use super::endpoint::Endpoint;
use super::fields::Listing;
use super::{Context, Site, address};
use crate::client::Mistake;
use askama::Template;
use budget::{FRAME_MAX, PAGE_MAX};
use command::BaseUrl;
use family::Other;
use rows::Rows;
use std::borrow::Cow;
use std::fmt;

/// The policy, with these added to its script sources and to its directives.
macro_rules! policy {
    ($scripts:literal, $directives:literal) => {
        concat!(
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-Ua++Im5VKMXpdELBLd1lAwz+MrQ4L3M59b/N6ziqbj0='; ",
            "script-src 'sha256-ebtY9Yu1b9mcNd7LCITWVWpy7GqbwSJumgQ3msvvAHU='",
            $scripts,
            "; ",
            $directives,
            "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    };
}

/// Allows nothing from outside, and inline only this style and this script (CSP Level 3 §6.7.3). So a value that wasn't escaped by mistake
/// would still not run.
pub const SECURITY_POLICY: &str = policy!("", "");

/// The same for a site whose page asks at other names: those alone, at any port, because one that is published by a proxy is not known
/// here; and by the page's scheme, because none is named (CSP Level 3 §6.7.2.8).
pub fn security_policy(site: &Site) -> Cow<'static, str> {
    const SCRIPT: &str = "sha256-VQi6lPzlAb6x+Q8tjgafn9oB6VVdpcX03u+Mc0E03II=";
    let names: String = site.family_hosts.names().map(|name| format!(" {name}:*")).collect();
    match names.is_empty() {
        true => SECURITY_POLICY.into(),
        false => format!(policy!(" '{}'", "connect-src{}; "), SCRIPT, names).into(),
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

const STYLE: &str = include_str!("../../templates/page.css");
const SCRIPT: &str = include_str!("../../templates/page.js");

/// Appends the page; it lists these endpoints.
pub fn render(context: &Context<'_>, endpoints: &[Endpoint], content: &mut Vec<u8>) {
    let Context { client, rule, site, .. } = *context;
    let field = rule.field_name();
    let origin = BaseUrl::new(client.scheme, site.host.as_deref().map(str::as_bytes).or(context.shown_host()), &site.path);
    let sources = context.databases.map_or(0, place::sources_length);
    let words = 10 * site.title.len() + 5 * field.len() + site.served_by.as_ref().map_or(0, String::len) + sources;
    let words = words + family::length(site);
    let other = Other::of(context, origin);
    // Writing to a Vec does not fail, and nothing in the template does.
    drop(Start { context, field, other }.render_into(&mut Output(content)));
    let start = content.len();
    family::write(context, origin, content);
    if let (Some(databases), Some(address)) = (context.databases, client.address) {
        place::write(&databases.place(address), origin, content);
    }
    let room = PAGE_MAX.saturating_sub(FRAME_MAX + words + content.len() - start);
    Rows::new(&Listing::all(context), endpoints, origin, room).write(content);
    drop(End { context, endpoints }.render_into(&mut Output(content)));
    if let Some(databases) = context.databases {
        place::write_sources(databases, content);
    }
    drop(Foot { context, asks: other.is_some() }.render_into(&mut Output(content)));
}

/// What comes before the rows.
#[derive(Template)]
#[template(path = "page.html", block = "start")]
struct Start<'a> {
    context: &'a Context<'a>,
    /// The one that forwards addresses.
    field: &'a str,
    other: Option<Other<'a>>,
}

/// What comes after the rows.
#[derive(Template)]
#[template(path = "page.html", block = "end")]
struct End<'a> {
    context: &'a Context<'a>,
    endpoints: &'a [Endpoint],
}

/// What comes after the list of databases.
#[derive(Template)]
#[template(path = "page.html", block = "foot")]
struct Foot<'a> {
    context: &'a Context<'a>,
    /// The page asks for the address of the other family.
    asks: bool,
}

impl End<'_> {
    fn listed(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.is_listed(self.context))
    }
}

/// The content as a writer for askama, which cannot fail.
struct Output<'c>(&'c mut Vec<u8>);

impl fmt::Write for Output<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// How the address was found, if it is not simply that of the connection.
enum Provenance {
    /// A trusted proxy gave it.
    Proxy,
    /// It is itself one of the trusted proxies.
    Inside,
    /// A trusted proxy sent no forwarding field.
    FieldMissing,
    /// A trusted proxy sent one that is not an address.
    FieldUnreadable,
    /// A forwarding field came from a peer that is not trusted.
    PeerUntrusted,
}

impl Start<'_> {
    fn provenance(&self) -> Option<Provenance> {
        let Context { peer, rule, request, .. } = self.context;
        match rule.mistake(peer, request.fields).filter(|mistake| self.context.may_show(mistake)) {
            Some(Mistake::Untrusted { .. }) => Some(Provenance::PeerUntrusted),
            Some(Mistake::Missing) => Some(Provenance::FieldMissing),
            Some(Mistake::Unreadable) => Some(Provenance::FieldUnreadable),
            Some(Mistake::Inside) => Some(Provenance::Inside),
            None => peer.relays().then_some(Provenance::Proxy),
        }
    }

    /// What kind of address the client has, if it is not public.
    fn kind(&self) -> Option<&'static str> {
        self.context.client.address.and_then(address::kind)
    }
}

#[cfg(test)]
mod tests;
