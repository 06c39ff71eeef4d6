//! `/explain`: how the client's address was found, hop by hop.

use super::{Context, address, json};
use crate::client::{Explained, Hop, Mistake, Scheme, Verdict};
use crate::http::response::decimal;
use std::net::IpAddr;

/// Appends the explanation as lines of `key=value`, the hops in the order received. Hops of a hidden field are not shown.
pub fn text(context: &Context<'_>, content: &mut Vec<u8>) {
    let Context { peer, client, rule, .. } = context;
    if let Some(proxy) = rule.proxy(peer) {
        content.extend_from_slice(b"proxy=");
        address::write(content, &proxy);
        end_line(content, Verdict::Trusted);
    }
    content.extend_from_slice(b"peer=");
    shown(content, peer.address);
    let verdict = if peer.is_trusted() { Verdict::Trusted } else { Verdict::Client };
    end_line(content, verdict);
    if peer.relays() {
        content.extend_from_slice(b"field=");
        content.extend_from_slice(rule.field_name().as_bytes());
        content.extend_from_slice(if context.site.hides(rule.field_name()) { b" hidden\n" } else { b"\n" });
    }
    let Explained { more, mistake } = hops(context, |hop| {
        content.extend_from_slice(b"hop=");
        content.extend_from_slice(hop.raw);
        end_line(content, hop.verdict);
    });
    if more > 0 {
        content.extend_from_slice(b"more=");
        decimal(content, more as u64);
        content.push(b'\n');
    }
    content.extend_from_slice(b"ip=");
    shown(content, client.address);
    if let Some(mistake) = mistake {
        content.extend_from_slice(b"\nnote=");
        note(content, mistake, rule.field_name());
    }
    context.end_text(content);
}

/// Appends the explanation as a JSON object on one line. `field` is `null` if none was read.
pub fn json(context: &Context<'_>, content: &mut Vec<u8>) {
    let Context { peer, client, rule, .. } = context;
    content.push(b'{');
    if let Some(proxy) = rule.proxy(peer) {
        content.extend_from_slice(b"\"proxy\":");
        quoted(content, Some(proxy));
        content.push(b',');
    }
    content.extend_from_slice(b"\"peer\":");
    quoted(content, peer.address);
    content.extend_from_slice(if peer.is_trusted() { b",\"peer_trusted\":true" } else { b",\"peer_trusted\":false" });
    content.extend_from_slice(b",\"field\":");
    string_or_null(content, peer.relays().then_some(rule.field_name()));
    content.extend_from_slice(b",\"hops\":[");
    let mut separator = "";
    let Explained { more, mistake } = hops(context, |hop| {
        content.extend_from_slice(separator.as_bytes());
        separator = ",";
        hop_object(content, &hop);
    });
    content.push(b']');
    if more > 0 {
        content.extend_from_slice(b",\"more\":");
        decimal(content, more as u64);
    }
    content.extend_from_slice(b",\"ip\":");
    quoted(content, client.address);
    content.extend_from_slice(b",\"port\":");
    match client.port {
        Some(port) => decimal(content, port.into()),
        None => content.extend_from_slice(b"null"),
    }
    content.extend_from_slice(b",\"scheme\":");
    string_or_null(content, client.scheme.map(Scheme::name));
    if let Some(mistake) = mistake {
        // Names of fields are tokens, so nothing in a note needs escaping.
        content.extend_from_slice(b",\"note\":\"");
        note(content, mistake, rule.field_name());
        content.push(b'"');
    }
    content.extend_from_slice(b"}\n");
}

/// As [`Rule::explain`](crate::client::Rule::explain), but without hops if the field is hidden.
fn hops<'b>(context: &Context<'b>, each: impl FnMut(Hop<'b>)) -> Explained<'b> {
    let Context { rule, peer, request, .. } = context;
    let explained = match context.site.hides(rule.field_name()) {
        true => Explained { more: 0, mistake: rule.mistake(peer, request.fields) },
        false => rule.explain(peer, request.fields, each),
    };
    Explained { mistake: explained.mistake.filter(|mistake| context.may_show(mistake)), ..explained }
}

fn end_line(content: &mut Vec<u8>, verdict: Verdict) {
    content.push(b' ');
    content.extend_from_slice(verdict.name().as_bytes());
    content.push(b'\n');
}

fn shown(content: &mut Vec<u8>, ip: Option<IpAddr>) {
    match ip {
        Some(ip) => address::write(content, &ip),
        None => content.extend_from_slice(b"unknown"),
    }
}

const INSIDE: &str =
    "the client's address is inside the trust list: a client there can choose this answer, so trust proxies, not networks";

/// Appends what is wrong with the setup. `field` is the one that is read from trusted peers.
fn note(content: &mut Vec<u8>, mistake: Mistake<'_>, field: &str) {
    let (before, after) = match mistake {
        Mistake::Untrusted { address, field } => {
            content.extend(field.bytes().map(|byte| byte.to_ascii_lowercase()));
            content.extend_from_slice(b" was sent and not read: ");
            address::write(content, &address);
            return content.extend_from_slice(b" is not trusted");
        }
        // It may be a proxy that asks for itself; but a client there can write hops that are believed.
        Mistake::Inside => return content.extend_from_slice(INSIDE.as_bytes()),
        Mistake::Missing => ("the trusted peer sent no ", ""),
        Mistake::Unreadable if field == "forwarded" => {
            ("the last entry of ", " is not a valid address: one with a port, and an IPv6 address, needs quotation marks")
        }
        Mistake::Unreadable => ("the last entry of ", " is not a valid address"),
    };
    for part in [before, field, after] {
        content.extend_from_slice(part.as_bytes());
    }
}

fn hop_object(content: &mut Vec<u8>, hop: &Hop<'_>) {
    content.extend_from_slice(b"{\"raw\":");
    json::string(content, hop.raw);
    content.extend_from_slice(b",\"address\":");
    quoted(content, hop.address);
    content.extend_from_slice(b",\"verdict\":");
    string_or_null(content, Some(hop.verdict.name()));
    content.push(b'}');
}

fn quoted(content: &mut Vec<u8>, ip: Option<IpAddr>) {
    let Some(ip) = ip else { return content.extend_from_slice(b"null") };
    content.push(b'"');
    address::write(content, &ip);
    content.push(b'"');
}

fn string_or_null(content: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => json::string(content, value.as_bytes()),
        None => content.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::client::{Peer, Rule, TrustList, proxy_protocol::Header};
    use crate::http::field::FIELDS_MAX;
    use crate::http::request;
    use crate::resource::Site;

    fn rule(field: &str) -> Rule {
        Rule::new(TrustList::parse(["172.18.0.0/16", "2001:db8::/32"]).unwrap(), field.parse().unwrap())
    }

    /// The text and the JSON for a request with these field lines.
    fn explained(rule: &Rule, peer: &Peer, lines: &str) -> (String, String) {
        explained_by(&Site { explain: true, ..Site::default() }, rule, peer, lines)
    }

    fn explained_by(site: &Site, rule: &Rule, peer: &Peer, lines: &str) -> (String, String) {
        let head = format!("GET /explain HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let mut storage = request::storage::<FIELDS_MAX>();
        let request = request::parse(head.as_bytes(), &mut storage).unwrap().request().unwrap();
        let client = &rule.client(peer, request.fields);
        let context = Context { request: &request, client, peer, rule, site, databases: None, draining: false };
        let (mut plain, mut object) = (Vec::new(), Vec::new());
        text(&context, &mut plain);
        json(&context, &mut object);
        (String::from_utf8_lossy(&plain).into_owned(), String::from_utf8(object).unwrap())
    }

    #[test]
    fn a_trusted_peer() {
        let rule = rule("x-forwarded-for");
        let peer = rule.peer("172.18.0.2:40000".parse().unwrap());
        let lines = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9:54321, 172.18.0.3\r\nX-Forwarded-Proto: https\r\n";
        let (text, json) = explained(&rule, &peer, lines);
        assert_eq!(
            text,
            "peer=172.18.0.2 trusted\nfield=x-forwarded-for\nhop=6.6.6.6 ignored\nhop=203.0.113.9:54321 client\n\
             hop=172.18.0.3 trusted\nip=203.0.113.9\n"
        );
        assert_eq!(
            json,
            "{\"peer\":\"172.18.0.2\",\"peer_trusted\":true,\"field\":\"x-forwarded-for\",\"hops\":[\
             {\"raw\":\"6.6.6.6\",\"address\":\"6.6.6.6\",\"verdict\":\"ignored\"},\
             {\"raw\":\"203.0.113.9:54321\",\"address\":\"203.0.113.9\",\"verdict\":\"client\"},\
             {\"raw\":\"172.18.0.3\",\"address\":\"172.18.0.3\",\"verdict\":\"trusted\"}],\
             \"ip\":\"203.0.113.9\",\"port\":54321,\"scheme\":\"https\"}\n"
        );
    }

    #[test]
    fn a_hidden_field_shows_no_hops() {
        let rule = rule("x-forwarded-for");
        let peer = rule.peer("172.18.0.2:40000".parse().unwrap());
        let site = Site { explain: true, hidden: vec!["x-forwarded-for".to_owned()], ..Site::default() };
        let (text, json) = explained_by(&site, &rule, &peer, "X-Forwarded-For: secret, 203.0.113.9\r\n");
        assert_eq!(text, "peer=172.18.0.2 trusted\nfield=x-forwarded-for hidden\nip=203.0.113.9\n");
        assert_eq!(
            json,
            "{\"peer\":\"172.18.0.2\",\"peer_trusted\":true,\"field\":\"x-forwarded-for\",\"hops\":[],\
             \"ip\":\"203.0.113.9\",\"port\":null,\"scheme\":null}\n"
        );
    }

    #[test]
    fn an_untrusted_peer() {
        let rule = rule("x-forwarded-for");
        let peer = rule.peer("203.0.113.9:54321".parse().unwrap());
        let (text, json) = explained(&rule, &peer, "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n");
        assert_eq!(
            text,
            "peer=203.0.113.9 client\nip=203.0.113.9\nnote=x-forwarded-for was sent and not read: 203.0.113.9 is not trusted\n"
        );
        assert_eq!(
            json,
            "{\"peer\":\"203.0.113.9\",\"peer_trusted\":false,\"field\":null,\"hops\":[],\"ip\":\"203.0.113.9\",\"port\":54321,\"scheme\":null,\
             \"note\":\"x-forwarded-for was sent and not read: 203.0.113.9 is not trusted\"}\n"
        );
    }

    #[test]
    fn a_peer_that_a_proxy_does_not_know() {
        let mut rule = rule("x-forwarded-for");
        let socket = rule.peer("172.18.0.2:40000".parse().unwrap());
        let peer = rule.proxied(&socket, Header::Unknown).unwrap();
        let (text, json) = explained(&rule, &peer, "X-Forwarded-For: 6.6.6.6\r\n");
        assert_eq!(text, "proxy=172.18.0.2 trusted\npeer=unknown client\nip=unknown\n");
        assert_eq!(
            json,
            "{\"proxy\":\"172.18.0.2\",\"peer\":null,\"peer_trusted\":false,\"field\":null,\"hops\":[],\"ip\":null,\"port\":null,\"scheme\":null}\n"
        );
    }

    #[test]
    fn a_last_entry_that_is_no_address_is_pointed_out() {
        let why = "is not a valid address";
        let quotes = ": one with a port, and an IPv6 address, needs quotation marks";
        for (field, line, hop, note) in [
            ("x-forwarded-for", "X-Forwarded-For: 203.0.113.300", "203.0.113.300", why.to_owned()),
            ("forwarded", "Forwarded: for=203.0.113.9:54321", "for=203.0.113.9:54321", format!("{why}{quotes}")),
        ] {
            let rule = rule(field);
            let peer = rule.peer("172.18.0.2:40000".parse().unwrap());
            let (text, _) = explained(&rule, &peer, &format!("{line}\r\n"));
            let expected = format!(
                "peer=172.18.0.2 trusted\nfield={field}\nhop={hop} invalid\nip=172.18.0.2\nnote=the last entry of {field} {note}\n"
            );
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_client_inside_the_trust_list_is_pointed_out() {
        let rule = rule("forwarded");
        let peer = rule.peer("[2001:db8::1]:40000".parse().unwrap());
        let (text, json) = explained(&rule, &peer, "Forwarded: for=\"_x\", For=172.18.0.9\r\n");
        assert_eq!(
            text,
            format!(
                "peer=2001:db8::1 trusted\nfield=forwarded\nhop=for=\"_x\" invalid\nhop=For=172.18.0.9 client\nip=172.18.0.9\nnote={INSIDE}\n"
            )
        );
        assert_eq!(
            json,
            format!(
                "{{\"peer\":\"2001:db8::1\",\"peer_trusted\":true,\"field\":\"forwarded\",\"hops\":[\
                 {{\"raw\":\"for=\\\"_x\\\"\",\"address\":null,\"verdict\":\"invalid\"}},\
                 {{\"raw\":\"For=172.18.0.9\",\"address\":\"172.18.0.9\",\"verdict\":\"client\"}}],\
                 \"ip\":\"172.18.0.9\",\"port\":null,\"scheme\":null,\"note\":\"{INSIDE}\"}}\n"
            )
        );
    }

    #[test]
    fn a_proxy_that_asks_for_itself() {
        let rule = rule("x-forwarded-for");
        let peer = rule.peer("172.18.0.2:40000".parse().unwrap());
        let (text, json) = explained(&rule, &peer, "");
        assert_eq!(
            text,
            "peer=172.18.0.2 trusted\nfield=x-forwarded-for\nip=172.18.0.2\nnote=the trusted peer sent no x-forwarded-for\n"
        );
        assert!(json.contains("\"hops\":[],\"ip\":\"172.18.0.2\",\"port\":40000,\"scheme\":null,\"note\":"), "{json}");
    }

    #[test]
    fn of_a_long_walk_the_last_64_hops_are_shown() {
        let rule = rule("x-forwarded-for");
        let peer = rule.peer("172.18.0.2:40000".parse().unwrap());
        let lines = format!("X-Forwarded-For: 6.6.6.6, 203.0.113.9{}\r\n", ", 172.18.0.3".repeat(64));
        let (text, json) = explained(&rule, &peer, &lines);
        let hops = format!("hop=172.18.0.3 client\n{}", "hop=172.18.0.3 trusted\n".repeat(63));
        let all = format!("peer=172.18.0.2 trusted\nfield=x-forwarded-for\n{hops}more=2\nip=172.18.0.3\nnote={INSIDE}\n");
        assert_eq!(text, all);
        assert_eq!(json.matches("\"verdict\":").count(), 64);
        assert!(json.contains("}],\"more\":2,\"ip\":\"172.18.0.3\",\"port\":null,"), "{json}");
    }

    #[test]
    fn powershell_gets_no_last_line_feed() {
        let rule = rule("x-forwarded-for");
        let peer = rule.peer("203.0.113.9:54321".parse().unwrap());
        let (text, json) = explained(&rule, &peer, "User-Agent: PowerShell/7.4\r\n");
        assert_eq!(text, "peer=203.0.113.9 client\nip=203.0.113.9");
        assert!(json.ends_with("}\n"));
    }
}
