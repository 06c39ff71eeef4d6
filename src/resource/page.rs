//! The page: what a browser sees.
//!
//! One document with its style and script inside, rendered by askama, which escapes whatever stands in `{{ }}`. Knows nothing
//! that the text answers do not know; everything in it is also there for tools.

mod command;
mod row;
mod text;

use super::Inquiry;
use super::fields::Listing;
use crate::http::field;
use askama::Template;
use command::{Command, Origin, Path, Tool};
use row::{Document, Row};
use std::net::IpAddr;

/// The field line that lets nothing in from outside, and of what is inside only this style and this script (CSP Level 3 §6.7.3):
/// a value that escaping let through by mistake would still not run.
pub const SECURITY_POLICY: &str = "Content-Security-Policy: default-src 'none'; \
    style-src 'sha256-QwlwUSfoa5DdGr+jWnfyseRl8+1QYZKlKyoSLrAVxkw='; script-src 'sha256-mrpsfIWxiXE/UTBsz7R7PUy+jsChRPyeYAjVca8uLxU='; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("../../templates/page.css");
const SCRIPT: &str = include_str!("../../templates/page.js");

/// Where no Host was sent (HTTP/1.0) and none is configured: the reader knows better.
const HOST_UNKNOWN: &[u8] = b"HOST";

/// Appends the page.
#[inline(never)]
pub fn render(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) {
    let host = inquiry.site.host.as_deref().map(str::as_bytes).or(inquiry.request.host()).unwrap_or(HOST_UNKNOWN);
    let origin = Origin { scheme: inquiry.client.scheme, host };
    let page = Page { inquiry, listing: &Listing::all(inquiry), origin, field: inquiry.rule.field_name() };
    // Writing to a Vec does not fail, and nothing in the template does.
    drop(page.write_into(content));
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    inquiry: &'a Inquiry<'a>,
    listing: &'a Listing<'a>,
    origin: Origin<'a>,
    /// The one that forwards addresses.
    field: &'a str,
}

/// What there is to say of the address, where it is not simply a public one at the other end of the connection.
enum Provenance {
    /// A trusted proxy sent the forwarding field.
    Told,
    /// A trusted proxy sent none.
    Untold,
    /// A forwarding field came from someone who is not trusted.
    Unbelieved,
    /// The client is on a private network, or on this machine.
    Nearby,
}

impl Page<'_> {
    fn provenance(&self) -> Option<Provenance> {
        let Inquiry { client, peer, rule, request, .. } = self.inquiry;
        let mut lines = field::values(request.fields, self.field.as_bytes());
        match peer.trusted {
            true if lines.next().is_some() => Some(Provenance::Told),
            true => Some(Provenance::Untold),
            false if rule.has_forwarding_field(request.fields) => Some(Provenance::Unbelieved),
            false if client.address.is_some_and(is_nearby) => Some(Provenance::Nearby),
            false => None,
        }
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.listing.rows().map(Row)
    }

    fn json(&self) -> Document<'_> {
        Document(self.listing)
    }

    fn has_secrets(&self) -> bool {
        self.rows().any(|row| row.is_secret())
    }

    fn has_fields_of_browsers(&self) -> bool {
        self.rows().any(|row| row.is_of_browsers())
    }

    fn commands<'p>(&'p self, path: &'p Path<'p>) -> impl Iterator<Item = Command<'p>> {
        Tool::ALL.into_iter().map(move |tool| Command { tool, origin: self.origin, path: *path })
    }
}

fn is_nearby(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::client::{Client, ForwardingField, Peer, Rule, Scheme, TrustList};
    use crate::http::field::FIELDS_MAX;
    use crate::http::request;
    use crate::resource::Site;
    use sha2::{Digest, Sha256};

    /// Chrome's request, as HAProxy hands it on.
    const USUAL: &str = "Host: ip.example.org\r\n\
        sec-ch-ua: \"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n\
        sec-ch-ua-mobile: ?0\r\n\
        sec-ch-ua-platform: \"Windows\"\r\n\
        upgrade-insecure-requests: 1\r\n\
        user-agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
        accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n\
        sec-fetch-site: none\r\n\
        sec-fetch-mode: navigate\r\n\
        sec-fetch-user: ?1\r\n\
        sec-fetch-dest: document\r\n\
        accept-encoding: gzip, deflate, br, zstd\r\n\
        accept-language: en-GB,en;q=0.9\r\n\
        priority: u=0, i\r\n\
        X-Forwarded-Proto: https\r\n\
        X-Forwarded-For: 203.0.113.9\r\n";

    fn site() -> Site {
        Site { served_by: Some("web-3".to_owned()), host: None, title: "SwagIP".to_owned(), explain: true }
    }

    /// The page for a request with these field lines, from a socket at `peer`, where 172.18.0.2 is trusted.
    fn page_with(fields: &str, peer: &str, site: &Site) -> String {
        let rule = Rule::new(TrustList::parse(["172.18.0.2"]).unwrap(), ForwardingField::default());
        let head = format!("GET / HTTP/1.1\r\n{fields}\r\n");
        let mut storage = request::storage::<FIELDS_MAX>();
        let request = &request::parse(head.as_bytes(), &mut storage).unwrap().unwrap();
        let peer = &rule.peer(peer.parse().unwrap());
        let client = &rule.client(peer, request.fields);
        let mut content = Vec::new();
        render(&Inquiry { request, client, peer, rule: &rule, site, draining: false }, &mut content);
        String::from_utf8(content).unwrap()
    }

    fn page(fields: &str) -> String {
        page_with(&format!("Host: ip.example.org\r\n{fields}"), "203.0.113.9:54321", &site())
    }

    fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
        let (_, rest) = page.split_once(start).unwrap();
        rest.split_once(end).unwrap().0
    }

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let group = |group: &[u8]| {
            let bits = (0..3).fold(0, |bits, index| bits << 8 | usize::from(group.get(index).copied().unwrap_or(0)));
            [18, 12, 6, 0]
                .map(|shift| char::from(DIGITS[bits >> shift & 63]))
                .into_iter()
                .take(group.len() + 1)
                .collect::<String>()
        };
        let digits: String = bytes.chunks(3).map(group).collect();
        let padding = (4 - digits.len() % 4) % 4;
        digits + &"=".repeat(padding)
    }

    #[test]
    fn the_policy_names_the_style_and_the_script() {
        let page = page("");
        for (directive, source) in
            [("style-src", between(&page, "<style>", "</style>")), ("script-src", between(&page, "<script>", "</script>"))]
        {
            let wanted = format!("{directive} 'sha256-{}';", base64(&Sha256::digest(source)));
            assert!(SECURITY_POLICY.contains(&wanted), "in SECURITY_POLICY write: {wanted}");
        }
        assert!(SECURITY_POLICY.starts_with("Content-Security-Policy: default-src 'none';"));
        assert!(!SECURITY_POLICY.contains("unsafe"));
    }

    #[test]
    fn a_usual_page_is_small() {
        let page = page_with(USUAL, "172.18.0.2:40000", &site());
        assert!(page.len() < 16 * 1024, "{} bytes", page.len());
    }

    #[test]
    fn says_how_the_address_came_about() {
        let site = site();
        for (peer, fields, said) in [
            ("172.18.0.2:1", "X-Forwarded-For: 203.0.113.9\r\n", "A trusted proxy said so, in x-forwarded-for."),
            ("172.18.0.2:1", "", "A trusted proxy asked, and sent no x-forwarded-for."),
            ("203.0.113.9:1", "X-Real-IP: 6.6.6.6\r\n", "Forwarding fields came along, but not from a trusted proxy."),
            ("192.168.1.9:1", "", "It is not public at all: you and this server share a network."),
        ] {
            let page = page_with(&format!("Host: a\r\n{fields}"), peer, &site);
            assert!(page.contains(&format!("<p>{said}\n<a href=\"/explain\">")), "{peer} {fields}: {page}");
        }
        assert!(!page("").contains("How was this decided"), "nothing to say of a public address at the other end");
        let secretive = Site { explain: false, ..site };
        assert!(!page_with("Host: a\r\n", "172.18.0.2:1", &secretive).contains("/explain"));
    }

    #[test]
    fn an_address_that_is_not_known_is_not_shown() {
        let rule = Rule::default();
        let mut storage = request::storage::<FIELDS_MAX>();
        let request = &request::parse(b"GET / HTTP/1.0\r\n\r\n", &mut storage).unwrap().unwrap();
        let peer = &Peer { address: None, port: None, trusted: false, suspicious: false };
        let client = &Client { address: None, port: None, scheme: Some(Scheme::Https) };
        let mut content = Vec::new();
        render(&Inquiry { request, client, peer, rule: &rule, site: &site(), draining: false }, &mut content);
        let page = String::from_utf8(content).unwrap();
        assert!(page.contains("Your public IP is\n<strong class=\"long\">not known</strong>"), "{page}");
        assert!(!page.contains("source-ip") && !page.contains("id=\"ip\""));
        assert!(page.contains("<code>curl https://HOST/all</code>"), "nobody said which host");
    }

    #[test]
    fn the_site_has_the_last_word_on_its_name() {
        let site = Site { host: Some("ip.example.net".to_owned()), title: "A & B".to_owned(), served_by: None, explain: false };
        let page = page_with("Host: 10.0.0.1:8080\r\n", "203.0.113.9:1", &site);
        assert!(page.contains("<code>curl ip.example.net/</code>"));
        assert!(page.contains("<title>A &#38; B: your public IP</title>"));
        assert!(!page.contains("Served by") && !page.contains("/replica"));
    }

    #[test]
    fn what_a_client_sends_is_text() {
        let page = page("x-a: <b>\"'&\r\nx`&a: 1\r\n");
        assert!(page.contains("<td>&#60;b&#62;&#34;&#39;&#38;</td>"), "{page}");
        assert!(page.contains("<span>x`&#38;a</span>"));
        assert!(page.contains("<code>curl ip.example.org/x%60%26a</code>"));
        assert!(page.contains("&#34;X-A&#34;: &#34;&#60;b&#62;\\&#34;&#39;&#38;&#34;"));
    }

    #[test]
    fn lines_of_one_name_make_one_row() {
        let page = page("x-a: 1\r\nX-A: grün\r\n");
        assert!(page.contains("<td>1, grün</td>"));
        assert_eq!(page.matches("<span>x-a</span>").count(), 1);
    }

    #[test]
    fn a_name_that_something_else_has_is_asked_for_by_its_path() {
        let page = page("Port: 1\r\nSource-IP: 6.6.6.6\r\n");
        assert!(page.contains("<code>curl ip.example.org/headers/port</code>"));
        assert!(page.contains("<code>curl ip.example.org/source-port</code>"));
        assert!(!page.contains("6.6.6.6"), "nobody takes the place of the address");
    }

    #[test]
    fn secrets_are_folded_up_wherever_they_stand() {
        let page = page("Cookie: s3cret\r\nAuthorization: s3cret\r\nPROXY-AUTHORIZATION: s3cret\r\n");
        let folded: String = page.split("<details>").skip(1).map(|part| part.split_once("</details>").unwrap().0).collect();
        assert_eq!(page.matches("s3cret").count(), 9, "on two tabs and in the JSON");
        assert_eq!(folded.matches("s3cret").count(), 9);
    }

    #[test]
    fn fields_of_browsers_have_no_command_outside_their_group() {
        let page = page("Sec-GPC: 1\r\nDNT: 1\r\nsec: 1\r\n");
        let (before, group) = page.split_once("<tbody class=\"tool\">").unwrap();
        for name in ["sec-gpc", "dnt"] {
            assert!(before.contains(&format!("<tr class=\"item\"><th>{name}</th>")), "{page}");
            assert!(!before.contains(&format!("/{name}</code>")) && group.contains(&format!("/{name}</code>")), "{page}");
        }
        assert!(before.contains("/sec</code>"));
        assert!(!self::page("").contains("<tbody class=\"tool\">"), "no heading over nothing");
    }
}
