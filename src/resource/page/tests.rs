//! The page, byte by byte and as a whole.

#![allow(clippy::unwrap_used)]

use super::budget::SHOWN_MAX;
use super::command::Tool;
use super::*;
use crate::client::{Client, ForwardingField, Peer, Rule, Scheme, TrustList};
use crate::http::field::FIELDS_MAX;
use crate::http::request;
use crate::resource::table::ENDPOINTS;
use crate::resource::{FamilyHosts, ReverseDns, SITE_PATH_MAX, Site};
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
    Site { served_by: Some("web-3".to_owned()), title: "SwagIP".to_owned(), explain: true, ..Site::default() }
}

/// The page for a request with these field lines, from a socket at `peer`, where 172.18.0.2 is trusted.
fn page_with(fields: &str, peer: &str, site: &Site) -> String {
    let rule = Rule::new(TrustList::parse(["172.18.0.2"]).unwrap(), ForwardingField::default());
    let head = format!("GET / HTTP/1.1\r\n{fields}\r\n");
    let mut storage = request::storage::<FIELDS_MAX>();
    let request = &request::parse(head.as_bytes(), &mut storage).unwrap().request().unwrap();
    let peer = &rule.peer(peer.parse().unwrap());
    let client = &rule.client(peer, request.fields);
    let mut content = Vec::new();
    render(&Context { request, client, peer, rule: &rule, site, databases: None, draining: false }, ENDPOINTS, &mut content);
    String::from_utf8(content).unwrap()
}

fn page(fields: &str) -> String {
    page_with(&format!("Host: ip.example.org\r\n{fields}"), "203.0.113.9:54321", &site())
}

fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    let (_, rest) = page.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

/// The command of each `code` as a tab shows it.
fn commands(page: &str, tool: Tool) -> Vec<String> {
    let command = |code: &str| {
        let mut parts = code.split_once("</code>").unwrap().0.split("</i>");
        let beginnings: Vec<&str> = parts.by_ref().take(Tool::ALL.len()).collect();
        let beginning = beginnings[tool as usize].strip_prefix("<i>").unwrap();
        (beginning.to_owned() + parts.next().unwrap()).replace("&#34;", "\"")
    };
    page.split("<code>").skip(1).map(command).collect()
}

fn has_curl(page: &str, command: &str) -> bool {
    commands(page, Tool::Curl).iter().any(|other| other == command)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0, |bits, index| bits << 8 | usize::from(group.get(index).copied().unwrap_or(0)));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63])).into_iter().take(group.len() + 1).collect::<String>()
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

fn family_hosts(ipv4: Option<&str>, ipv6: Option<&str>) -> FamilyHosts {
    FamilyHosts { ipv4: ipv4.map(str::to_owned), ipv6: ipv6.map(str::to_owned) }
}

const V4: Option<&str> = Some("v4.example.org");
const V6: Option<&str> = Some("v6.example.org");

#[test]
fn the_policy_allows_the_names_of_one_family_and_the_script_that_asks_there() {
    assert_eq!(security_policy(&site()), SECURITY_POLICY);
    let script = format!(" 'sha256-{}'; connect-src", base64(&Sha256::digest(format!("\n{}", family::SCRIPT))));
    for (ipv4, ipv6, names) in
        [(V4, V6, " v4.example.org:* v6.example.org:*; "), (V4, None, " v4.example.org:*; "), (None, V6, " v6.example.org:*; ")]
    {
        let policy = security_policy(&Site { family_hosts: family_hosts(ipv4, ipv6), ..site() }).into_owned();
        let more = format!("{script}{names}");
        assert!(policy.contains(&more), "{policy} lacks {more}");
        assert_eq!(policy.replace(&more, "; "), SECURITY_POLICY);
    }
}

#[test]
fn the_page_asks_by_the_family_that_the_client_did_not_use() {
    const A4: &str = "203.0.113.9:1";
    const A6: &str = "[2001:db8::1]:1";
    for (peer, ipv4, ipv6, asked, rows) in [
        (A4, V4, V6, Some("IPv6 v6.example.org"), "ipv4 203.0.113.9, ipv6 ask v6.example.org"),
        (A6, V4, V6, Some("IPv4 v4.example.org"), "ipv4 ask v4.example.org, ipv6 2001:db8::1"),
        (A4, None, V6, Some("IPv6 v6.example.org"), "ipv6 ask v6.example.org"),
        (A6, V4, None, Some("IPv4 v4.example.org"), "ipv4 ask v4.example.org"),
        (A6, None, V6, None, "ipv6 2001:db8::1"),
        (A4, V4, None, None, "ipv4 203.0.113.9"),
        (A4, None, None, None, ""),
    ] {
        let site = Site { family_hosts: family_hosts(ipv4, ipv6), path: "/my".to_owned(), ..site() };
        let page = page_with("Host: ip.example.org:8443\r\n", peer, &site);
        let link = |name: &str| format!("<a class=\"ask\" href=\"//{name}:8443/my/ip\">ask {name}</a>");
        let lines = asked.map(|asked| {
            let (family, name) = asked.split_once(' ').unwrap();
            let link = link(name);
            format!("<p id=\"other\" data-family=\"{family}\" role=\"status\">Your {family} address:\n{link}</p>\n</div>")
        });
        assert_eq!(page.contains("id=\"other\""), lines.is_some(), "{peer} {rows}");
        assert!(lines.is_none_or(|lines| page.contains(&lines)), "{peer} {rows}: {page}");
        assert_eq!(page.contains(family::SCRIPT), asked.is_some(), "{peer} {rows}");
        for row in rows.split(", ").filter(|row| !row.is_empty()) {
            let (name, result) = row.split_once(' ').unwrap();
            let result = result.strip_prefix("ask ").map_or(result.to_owned(), link);
            let row = format!("<tr><th><span>{name}</span>");
            assert_eq!(between(between(&page, &row, "</tr>"), "<td>", "</td>"), result, "{peer} {rows}");
        }
        assert_eq!(page.matches("<span>ipv").count(), rows.split_terminator(", ").count(), "{peer} {rows}");
    }
}

#[test]
fn commands_for_one_family_have_its_name_and_the_scheme_that_the_proxy_tells() {
    let site = Site { family_hosts: family_hosts(V4, V6), host: Some("ip.example.org".to_owned()), ..site() };
    let fields = "Host: a:81\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n";
    let page = page_with(fields, "172.18.0.2:40000", &site);
    for (tool, commands) in [
        (Tool::Curl, ["curl -4 https://v4.example.org/", "curl -6 https://v6.example.org/"]),
        (Tool::Wget, ["wget -4qO - https://v4.example.org/", "wget -6qO - https://v6.example.org/"]),
        (Tool::PowerShell, ["Invoke-RestMethod https://v4.example.org/", "Invoke-RestMethod https://v6.example.org/"]),
    ] {
        assert_eq!(self::commands(&page, tool)[..2], commands);
    }
    assert!(page.contains("href=\"//v6.example.org/ip\""), "the page knows its scheme itself: {page}");
    assert!(has_curl(&page, "curl https://ip.example.org/"));
    let unknown = page_with("Host: a\r\nX-Forwarded-For: 172.18.0.2\r\n", "172.18.0.2:1", &site);
    assert!(unknown.contains("<span>ipv4</span>"), "of a proxy's own address, too");
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
        ("172.18.0.2:1", "X-Forwarded-For: 203.0.113.9\r\n", "A trusted proxy gave it, in x-forwarded-for."),
        (
            "172.18.0.2:1",
            "X-Forwarded-For: 172.18.0.2\r\n",
            "It is in the list of trusted proxies, so a client there can choose it.",
        ),
        ("172.18.0.2:1", "", "This is the address of a trusted proxy, which sent no x-forwarded-for."),
        (
            "172.18.0.2:1",
            "X-Forwarded-For: unknown\r\n",
            "This is the address of a trusted proxy: the last entry of its x-forwarded-for is not an address.",
        ),
        ("9.9.9.9:1", "X-Real-IP: 6.6.6.6\r\n", "Forwarding headers were ignored: they did not come from a trusted proxy."),
    ] {
        let page = page_with(&format!("Host: a\r\n{fields}"), peer, &site);
        assert!(page.contains(&format!("<p>{said}\n<a href=\"explain\">")), "{peer} {fields}: {page}");
    }
    assert!(!page("").contains("How was this decided"), "nothing to say of an address at the other end");
    for (peer, heading, kind) in [
        ("9.9.9.9:1", "Your public IP is", None),
        (
            "192.168.1.9:1",
            "Your IP is",
            Some("<p>It is a private address, not a public one: you and this server share a network.</p>"),
        ),
    ] {
        let page = page_with("Host: a\r\n", peer, &site);
        assert!(page.contains(heading), "{page}");
        assert_eq!(page.contains("<p>It is "), kind.is_some());
        assert!(kind.is_none_or(|kind| page.contains(kind)), "{page}");
    }
    let secretive = Site { explain: false, ..site };
    assert!(!page_with("Host: a\r\n", "172.18.0.2:1", &secretive).contains("explain\">"));
}

#[test]
fn an_address_that_is_not_known_is_not_shown() {
    let rule = Rule::default();
    let mut storage = request::storage::<FIELDS_MAX>();
    let request = &request::parse(b"GET / HTTP/1.0\r\n\r\n", &mut storage).unwrap().request().unwrap();
    let peer = &Peer { address: None, port: None, ..Rule::default().peer("203.0.113.9:1".parse().unwrap()) };
    let client = &Client { address: None, port: None, scheme: Some(Scheme::Https) };
    let site = Site { family_hosts: family_hosts(V4, V6), ..site() };
    let mut content = Vec::new();
    render(
        &Context { request, client, peer, rule: &rule, site: &site, databases: None, draining: false },
        ENDPOINTS,
        &mut content,
    );
    let page = String::from_utf8(content).unwrap();
    assert!(!page.contains("class=\"ask\"") && !page.contains("<span>ipv4"), "nor is its family");
    assert!(page.contains("Your public IP is\n<strong class=\"long\">not known</strong>"), "{page}");
    assert!(!page.contains("source-ip") && !page.contains("id=\"ip\""));
    assert!(has_curl(&page, "curl https://HOST/all"), "nobody said which host");
}

#[test]
fn the_site_has_the_last_word_on_its_name() {
    let site = Site { host: Some("ip.example.net".to_owned()), title: "A & B".to_owned(), ..Site::default() };
    let page = page_with("Host: 10.0.0.1:8080\r\n", "203.0.113.9:1", &site);
    assert!(has_curl(&page, "curl ip.example.net/"));
    assert!(page.contains("<title>A &#38; B: your public IP</title>"));
    assert!(!page.contains("Served by") && !page.contains("/replica"));
}

#[test]
fn look_ups_are_named_where_they_are_on() {
    let on = Site { reverse_dns: ReverseDns::Public, port_test: true, ..site() };
    let named = |site| ["\"hostname\"", "\"port/443\""].map(|path| page_with("Host: a\r\n", "9.9.9.9:1", site).contains(path));
    assert_eq!((named(&on), named(&site())), ([true; 2], [false; 2]));
}

#[test]
fn commands_carry_the_path_below_which_the_site_is_served() {
    let site = Site { host: Some("example.net".to_owned()), path: "/myip".to_owned(), ..site() };
    let page = page_with("Host: 10.0.0.1:8080\r\nPort: 1\r\n", "203.0.113.9:1", &site);
    for (tool, command) in [
        (Tool::Curl, "curl example.net/myip/"),
        (Tool::Curl, "curl example.net/myip/source-port"),
        (Tool::Curl, "curl example.net/myip/host"),
        (Tool::Wget, "wget -qO - example.net/myip/headers/port"),
        (Tool::PowerShell, "Invoke-RestMethod http://example.net/myip/all"),
    ] {
        assert!(commands(&page, tool).iter().any(|other| other == command), "{command}: {page}");
    }
}

#[test]
fn the_foot_names_the_program_and_links_nowhere() {
    let page = page("");
    let foot = between(&page, "<footer>", "</footer>");
    assert_eq!(foot, format!("\nServed by web-3 ·\nswagip {VERSION}\n"));
    assert!(!page.contains("href=\"http"), "no link leads away");
}

#[test]
fn what_is_hidden_is_nowhere() {
    let hidden = ["x-secret", "host", "user-agent"].map(str::to_owned).to_vec();
    let fields = "Host: s3cret\r\nX-SECRET: s3cret\r\nUser-Agent: s3cret\r\nx-secret: s3cret\r\n";
    let page = page_with(fields, "203.0.113.9:1", &Site { hidden, ..site() });
    assert!(!page.contains("s3cret") && !page.to_ascii_lowercase().contains("x-secret"), "{page}");
    assert!(has_curl(&page, "curl HOST/all"), "{page}");
}

#[test]
fn what_a_client_sends_is_text() {
    let page = page("x-a: <b>\"'&\r\nx`&a: 1\r\n");
    assert!(page.contains("<td>&#60;b&#62;&#34;&#39;&#38;</td>"), "{page}");
    assert!(page.contains("<span>x`&#38;a</span>"));
    assert!(has_curl(&page, "curl ip.example.org/x%60%26a"));
    assert!(page.contains("&#34;X-A&#34;: &#34;&#60;b&#62;\\&#34;&#39;&#38;&#34;"));
}

#[test]
fn each_tab_has_its_commands() {
    let page = page_with("Host: [::1]:8080\r\nX-A: 1\r\n", "203.0.113.9:1", &site());
    for (tool, command) in [
        (Tool::Wget, "wget -qO - \"http://[::1]:8080/x-a\""),
        (Tool::Curl, "curl \"http://[::1]:8080/x-a\""),
        (Tool::Fetch, "fetch -qo - \"http://[::1]:8080/x-a\""),
        (Tool::PowerShell, "Invoke-RestMethod \"http://[::1]:8080/x-a\""),
    ] {
        assert!(commands(&page, tool).iter().any(|other| other == command), "{command}: {page}");
    }
    let long = format!("Host: [v1.{}]:65535\r\n", "a".repeat(250));
    let all = commands(&page_with(&long, "203.0.113.9:1", &site()), Tool::PowerShell);
    assert!(all.iter().all(|command| command.len() > 270), "the longest beginnings there are: {all:?}");
}

#[test]
fn of_long_names_and_values_the_first_bytes_are_shown() {
    let (name, value) = ("n".repeat(SHOWN_MAX), "é".repeat(SHOWN_MAX / 2));
    let page = page(&format!(
        "x-a: {value}a\r\nx-b: {value}\r\nx-b: b\r\nx-c: {value}\r\n{name}: 1\r\n{name}o: 2\r\nCookie: {value}a\r\n"
    ));
    assert!(page.contains(&format!("<td>{value}<a href=\"./x-a\">… 1 byte more</a></td>")), "{page}");
    assert!(page.contains(&format!("<td>{value}<a href=\"./x-b\">… 3 bytes more</a></td>")));
    assert!(page.contains(&format!("<td>{value}</td>")), "no more than the limit");
    assert!(page.contains(&format!("<span>{name}</span>")));
    assert!(page.contains(&format!("<span>{name}<a href=\"./headers\">… 1 byte more</a></span>")));
    assert!(page.contains(&format!("<summary>Private</summary>{value}<a href=\"./cookie\">… 1 byte more</a></details>")));
    assert!(has_curl(&page, &format!("curl ip.example.org/{name}")) && has_curl(&page, "curl ip.example.org/headers"));
    let json = between(&page, "<pre>", "</pre>").replace("&#34;", "\"");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["X-A"], format!("{value}… 1 byte more"));
    assert_eq!(json["X-C"], value);
    assert!(page.contains("</pre></details><a href=\"all\">All of it</a></td>"));
    assert!(!self::page("").contains(" more</a>") && !self::page("").contains("All of it"));
}

/// Of each kind of byte that escaping makes more of, in names and values, few fields and many.
fn large() -> impl Iterator<Item = String> {
    let names = ["x", "'", "sec-", "SEC-'", "cookie"];
    let values = ["", "\"", "a", "\u{61c}", "é"];
    let counts = [1, 7, 24, 98];
    let all = names.into_iter().flat_map(move |name| values.into_iter().map(move |value| (name, value)));
    all.flat_map(move |(name, value)| counts.into_iter().map(move |count| (name, value, count))).flat_map(
        |(name, value, count)| {
            let line = 15_900 / count - 12;
            [0, 9, line - 6].into_iter().filter(move |&length| length <= line - 6).map(move |length| {
                let name =
                    |index: usize| format!("{name}{index:02}{}", name.chars().last().unwrap_or('x').to_string().repeat(length));
                let value = value.repeat((line - length - 6) / value.len().max(1));
                let lines: String = (0..count).map(|index| format!("{}:{value}\r\n", name(index))).collect();
                format!("{}{lines}", if count < 98 { "authorization:a\r\n" } else { "" })
            })
        },
    )
}

#[test]
fn the_page_is_never_larger_than_its_limit() {
    let hosts = ["a".repeat(255), "!".repeat(255), format!("[v1.{}]:65535", "!".repeat(80))];
    let name = |first: &str| format!("{first}{}", "a".repeat(252));
    let family_hosts = family_hosts(Some(&name("b")), Some(&name("c")));
    let site = Site { path: format!("/{}", "a".repeat(SITE_PATH_MAX - 1)), family_hosts, ..site() };
    let mut largest = 0;
    for fields in large().chain(["".to_owned()]) {
        for host in &hosts {
            let page = page_with(&format!("Host: {host}\r\n{fields}"), "172.18.0.2:40000", &site);
            assert!(page.len() <= PAGE_MAX, "{} bytes: {host} {fields}", page.len());
            largest = largest.max(page.len());
        }
    }
    assert!(largest > PAGE_MAX / 4 * 3, "no more than {largest} bytes: it could show more");
}

#[test]
fn the_rows_take_no_more_than_was_reckoned() {
    let rule = Rule::default();
    let site = &Site { path: format!("/{}", "a".repeat(SITE_PATH_MAX - 1)), ..site() };
    for fields in large() {
        let head = format!("GET / HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", "a".repeat(255));
        let mut storage = request::storage::<FIELDS_MAX>();
        let request = &request::parse(head.as_bytes(), &mut storage).unwrap().request().unwrap();
        let peer = &rule.peer("203.0.113.9:54321".parse().unwrap());
        let client = &rule.client(peer, request.fields);
        let context = &Context { request, client, peer, rule: &rule, site, databases: None, draining: false };
        let (listing, mut content) = (Listing::all(context), Vec::new());
        let room = PAGE_MAX - FRAME_MAX;
        let rows = Rows::new(&listing, ENDPOINTS, BaseUrl::new(None, request.host(), &site.path), room);
        rows.write(&mut content);
        let shown = budget::shown(&rows, room);
        let reckoned = budget::size(&rows, shown, usize::MAX);
        // The row of the JSON, and the address, are of the frame.
        assert!(content.len() <= reckoned + 700, "{} of {reckoned}, {shown} bytes shown: {fields}", content.len());
        assert!(reckoned <= room, "the least that is shown fits: {reckoned}, {shown}: {fields}");
    }
    let frame = page_with("Host: a\r\n", "172.18.0.2:40000", &self::site()).len();
    let head = 1024;
    assert!(head + frame + 700 < FRAME_MAX, "{frame}");
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
    assert!(has_curl(&page, "curl ip.example.org/headers/port"));
    assert!(has_curl(&page, "curl ip.example.org/source-port"));
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
fn what_tools_may_not_send_has_no_command() {
    let fields = ["sec-gpc", "dnt", "alt-used", "x-requested-with", "connection", "accept-encoding", "viewport-width"];
    let lines: String = fields.iter().map(|name| format!("{name}: 1\r\n")).collect();
    let page = page(&format!("{lines}sec: 1\r\nAccept: a\r\n"));
    let (before, group) = page.split_once("<tbody class=\"tool\">").unwrap();
    for name in fields {
        assert!(before.contains(&format!("<tr class=\"item\"><th>{name}</th>")), "{name}: {page}");
        assert!(group.contains(&format!("<tr><th>{name}</th>")), "{name}: {page}");
    }
    let commands = commands(&page, Tool::Curl);
    let paths: Vec<_> = commands.iter().map(|command| command.strip_prefix("curl ip.example.org").unwrap()).collect();
    assert_eq!(paths, ["/accept", "/host", "/sec", "/", "/source-port", "/all"]);
    assert!(page.contains("<tr class=\"but-powershell\"><th><span>accept</span>"), "{page}");
    assert_eq!(page.matches("class=\"but-powershell\"").count(), 1);
    assert!(!self::page("").contains("<tbody class=\"tool\">"), "no heading over nothing");
}

#[test]
fn a_field_named_as_a_dot_segment_has_another_command() {
    let page = page("..: 1\r\n");
    assert!(has_curl(&page, "curl ip.example.org/headers") && !has_curl(&page, "curl ip.example.org/.."));
}
