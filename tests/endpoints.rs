//! Rows of bytes over a real socket: every path of the endpoint table, and every field of every answer.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::time::{Duration, SystemTime};
use support::{Answer, TestServer};
use swagip::client::{Peer, Rule};
use swagip::exchange::{Service, State};
use swagip::resource::table;

const TEXT: &str = "Content-Type: text/plain; charset=utf-8";
const JSON: &str = "Content-Type: application/json";
const HTML: &str = "Content-Type: text/html; charset=utf-8";
const NO_STORE: &str = "Cache-Control: no-store";
const CACHED: &str = "Cache-Control: public, max-age=86400";
const NO_SNIFF: &str = "X-Content-Type-Options: nosniff";
const ANY_ORIGIN: &str = "Access-Control-Allow-Origin: *";
const SAME_ORIGIN: &str = "Cross-Origin-Resource-Policy: same-origin";
const VARY: &str = "Vary: Accept, User-Agent";
const VARY_AGENT: &str = "Vary: User-Agent";
const ALLOW: &str = "Allow: GET, HEAD, OPTIONS";
const CLOSE: &str = "Connection: close";

/// `/` as text and as JSON.
const ROOT: [&str; 5] = [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY];
const ROOT_JSON: [&str; 5] = [JSON, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY];
/// What any origin may read.
const OPEN: [&str; 5] = [TEXT, NO_STORE, NO_SNIFF, ANY_ORIGIN, VARY_AGENT];
const OPEN_JSON: [&str; 4] = [JSON, NO_STORE, NO_SNIFF, ANY_ORIGIN];
/// What holds fields of the request.
const PLAIN: [&str; 5] = [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT];
const CHOSEN: [&str; 5] = [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY];
const CHOSEN_JSON: [&str; 5] = [JSON, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY];
const PLAIN_JSON: [&str; 4] = [JSON, NO_STORE, NO_SNIFF, SAME_ORIGIN];
const NOT_ALLOWED: [&str; 6] = [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT, ALLOW];
const REFUSED: [&str; 5] = [TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, CLOSE];
const PREFLIGHT: [&str; 7] = [
    NO_STORE,
    NO_SNIFF,
    ALLOW,
    ANY_ORIGIN,
    "Access-Control-Allow-Methods: GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers: *",
    "Access-Control-Max-Age: 86400",
];

/// Target, field lines, status, fields of the answer but Date and Content-Length, content. `@` is the client's port.
type Row = (&'static str, &'static str, u16, &'static [&'static str], &'static str);

const CURL: &str = "User-Agent: curl/7.88.1\r\nAccept: */*\r\n";
const CURL_JSON: &str = r#"{
  "ip": "127.0.0.1",
  "ip_decimal": 2130706433,
  "port": @,
  "user_agent": {
    "product": "curl",
    "version": "7.88.1",
    "comment": "",
    "raw_value": "curl/7.88.1"
  }
}
"#;
const BARE_JSON: &str = "{\n  \"ip\": \"127.0.0.1\",\n  \"ip_decimal\": 2130706433,\n  \"port\": @\n}\n";

const ENDPOINTS: &[Row] = &[
    ("/", "", 200, &ROOT, "127.0.0.1\n"),
    ("/", CURL, 200, &ROOT, "127.0.0.1\n"),
    ("/", "Accept: application/json\r\nUser-Agent: curl/7.88.1\r\n", 200, &ROOT_JSON, CURL_JSON),
    ("/?format=json", "", 200, &ROOT_JSON, BARE_JSON),
    ("/ip", CURL, 200, &OPEN, "127.0.0.1\n"),
    ("/ip", "Accept: application/json\r\n", 200, &OPEN, "127.0.0.1\n"),
    ("/ip", "Accept: text/html\r\nUser-Agent: Mozilla/5.0\r\n", 200, &OPEN, "127.0.0.1\n"),
    ("/source-ip", "", 200, &OPEN, "127.0.0.1\n"),
    ("/port", "", 200, &OPEN, "@\n"),
    ("/source-port", "Accept: application/json\r\n", 200, &OPEN, "@\n"),
    ("/json", CURL, 200, &OPEN_JSON, CURL_JSON),
    ("/json", "Accept: text/html\r\n", 200, &OPEN_JSON, BARE_JSON),
    ("/all", "", 200, &CHOSEN_JSON, "{\"Host\":\"a\",\"Source-IP\":\"127.0.0.1\",\"Source-Port\":@}\n"),
    (
        "/all",
        "x-a: 1\r\nsec-ch-ua: \"x\"\r\nX_Forwarded_For: 6.6.6.6\r\nDNT: 1\r\nAccept: */*\r\nX-A: 2\r\nuser-agent: curl\r\n",
        200,
        &CHOSEN_JSON,
        concat!(
            r#"{"Accept":"*/*","Dnt":"1","Host":"a","Sec-Ch-Ua":"\"x\"","Source-IP":"127.0.0.1","Source-Port":@,"#,
            r#""User-Agent":"curl","X-A":"1, 2","X_forwarded_for":"6.6.6.6"}"#,
            "\n"
        ),
    ),
    (
        "/all",
        "Accept: text/plain\r\nx-a: 1\r\nX-A: 2\r\nB: \"\r\n",
        200,
        &CHOSEN,
        "Accept: text/plain\nB: \"\nHost: a\nSource-IP: 127.0.0.1\nSource-Port: @\nX-A: 1, 2\n",
    ),
    ("/headers", "", 200, &PLAIN_JSON, "{\"headers\":{\"Host\":\"a\"}}\n"),
    ("/headers", CURL, 200, &PLAIN_JSON, "{\"headers\":{\"Accept\":\"*/*\",\"Host\":\"a\",\"User-Agent\":\"curl/7.88.1\"}}\n"),
    ("/headers", "Accept: text/plain\r\n", 200, &PLAIN_JSON, "{\"headers\":{\"Accept\":\"text/plain\",\"Host\":\"a\"}}\n"),
    ("/headers/user-agent", CURL, 200, &PLAIN, "curl/7.88.1\n"),
    ("/headers/ip", "Ip: mine\r\n", 200, &PLAIN, "mine\n"),
    ("/headers/ip", "", 404, &PLAIN, ""),
    ("/user-agent", CURL, 200, &PLAIN, "curl/7.88.1\n"),
    ("/host", "", 200, &PLAIN, "a\n"),
    ("/x-a", "X-A: 1\r\nB: c\r\nx-A: 2\r\nX-a:\r\n", 200, &PLAIN, "1, 2, \n"),
    ("/x-empty", "X-Empty:\r\n", 200, &PLAIN, "\n"),
    ("/x-a", "", 404, &PLAIN, ""),
    ("/replica", "Replica: mine\r\n", 404, &PLAIN, ""),
    ("/explain", "Explain: mine\r\n", 404, &PLAIN, "explain is off: start swagip with --explain\n"),
    ("/explain", "Accept: application/json\r\n", 404, &PLAIN, "explain is off: start swagip with --explain\n"),
    ("/health", "Health: mine\r\n", 200, &OPEN, "ok\n"),
    ("/healthz", "", 200, &OPEN, "ok\n"),
    ("/livez", "", 200, &OPEN, "ok\n"),
    ("/ready", "", 200, &OPEN, "ready\n"),
    ("/readyz", "", 200, &OPEN, "ready\n"),
    ("/a/b", "", 404, &PLAIN, "not found\n"),
    ("/headers/a/b", "", 404, &PLAIN, "not found\n"),
    ("/ip/", "", 404, &PLAIN, "not found\n"),
    ("/host/", "", 404, &PLAIN, "not found\n"),
    ("/headers/", "", 404, &PLAIN, "not found\n"),
    ("/headers/host/", "", 404, &PLAIN, "not found\n"),
    ("//", "", 404, &PLAIN, "not found\n"),
    ("//ip", "", 404, &PLAIN, "not found\n"),
];

/// How a path is read: split, decoded once, without regard to case, and without its query.
const PATHS: &[Row] = &[
    ("/IP", "", 200, &OPEN, "127.0.0.1\n"),
    ("/Source-Ip", "", 200, &OPEN, "127.0.0.1\n"),
    ("/HEADERS/HOST", "", 200, &PLAIN, "a\n"),
    ("/HOST", "", 200, &PLAIN, "a\n"),
    ("/%69p", "", 200, &OPEN, "127.0.0.1\n"),
    ("/%49%50", "", 200, &OPEN, "127.0.0.1\n"),
    ("/x%2da", "X-A: 1\r\n", 200, &PLAIN, "1\n"),
    ("/x%2Da", "X-A: 1\r\n", 200, &PLAIN, "1\n"),
    ("/%68eaders/%48ost", "", 200, &PLAIN, "a\n"),
    ("/ip%2F", "", 404, &PLAIN, ""),
    ("/%2Fip", "", 404, &PLAIN, ""),
    ("/headers%2Fhost", "", 404, &PLAIN, ""),
    ("/headers/%2Fhost", "", 404, &PLAIN, ""),
    ("/%2569p", "%69p: once\r\n", 200, &PLAIN, "once\n"),
    ("/%", "%: kept\r\n", 200, &PLAIN, "kept\n"),
    ("/%6", "%6: kept\r\n", 200, &PLAIN, "kept\n"),
    ("/%6g", "%6g: kept\r\n", 200, &PLAIN, "kept\n"),
    ("/%%78", "%x: kept\r\n", 200, &PLAIN, "kept\n"),
    ("/%00", "", 404, &PLAIN, ""),
    ("/%ff", "", 404, &PLAIN, ""),
    ("/ip?", "", 200, &OPEN, "127.0.0.1\n"),
    ("/ip?a=/b", "", 200, &OPEN, "127.0.0.1\n"),
    ("/ip?format=json", "", 200, &OPEN, "127.0.0.1\n"),
    ("/json?format=text", "", 200, &OPEN_JSON, BARE_JSON),
    ("/all?format=text", "", 200, &CHOSEN_JSON, "{\"Host\":\"a\",\"Source-IP\":\"127.0.0.1\",\"Source-Port\":@}\n"),
    ("/?a/b", "", 200, &ROOT, "127.0.0.1\n"),
    ("/x-forwarded-for", "X_Forwarded_For: 1\r\nX-Forwarded-For: 2\r\n", 200, &PLAIN, "2\n"),
    ("/X_Forwarded_For", "X_Forwarded_For: 1\r\nX-Forwarded-For: 2\r\n", 200, &PLAIN, "1\n"),
    ("/x_forwarded_for", "X-Forwarded-For: 2\r\n", 404, &PLAIN, ""),
    ("http://example.org:81/host", "", 200, &PLAIN, "example.org:81\n"),
    ("http://example.org/ip", "", 200, &OPEN, "127.0.0.1\n"),
    ("http://example.org", "", 200, &ROOT, "127.0.0.1\n"),
    ("HTTPS://example.org?format=json", "", 200, &ROOT_JSON, BARE_JSON),
];

/// A client's own fields by the names of ours: never in their place, but not hidden where all fields stand as they came.
const OUR_NAMES: &str = "source-ip: 6.6.6.6\r\nSource-Port: 1\r\nSOURCE-IP: 7\r\nSource-Iq: 8\r\nSource-IO: 9\r\n";
const IMPOSTORS: &[Row] = &[
    ("/source-ip", OUR_NAMES, 200, &OPEN, "127.0.0.1\n"),
    ("/source-port", OUR_NAMES, 200, &OPEN, "@\n"),
    (
        "/all",
        OUR_NAMES,
        200,
        &CHOSEN_JSON,
        "{\"Host\":\"a\",\"Source-IP\":\"127.0.0.1\",\"Source-Io\":\"9\",\"Source-Iq\":\"8\",\"Source-Port\":@}\n",
    ),
    (
        "/headers",
        OUR_NAMES,
        200,
        &PLAIN_JSON,
        concat!(r#"{"headers":{"Host":"a","Source-Io":"9","Source-Ip":"6.6.6.6, 7","Source-Iq":"8","Source-Port":"1"}}"#, "\n"),
    ),
    ("/headers/source-ip", OUR_NAMES, 200, &PLAIN, "6.6.6.6, 7\n"),
    ("/headers/source-port", OUR_NAMES, 200, &PLAIN, "1\n"),
    ("/", "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-Ip: 6.6.6.6\r\n", 200, &ROOT, "127.0.0.1\n"),
];

/// No text ends in a line feed for PowerShell; JSON does for everybody.
const POWERSHELL: &str = "User-Agent: Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.0\r\n";
const POWERSHELLS: &[Row] = &[
    ("/", POWERSHELL, 200, &ROOT, "127.0.0.1"),
    ("/", "User-Agent: Mozilla/5.0 WindowsPowerShell/5.1\r\n", 200, &ROOT, "127.0.0.1"),
    ("/", "User-Agent: WindowsPowerShell\r\n", 200, &ROOT, "127.0.0.1"),
    ("/ip", POWERSHELL, 200, &OPEN, "127.0.0.1"),
    ("/ip", "User-Agent: PowerShell\r\n", 200, &OPEN, "127.0.0.1\n"),
    ("/ip", "User-Agent: powershell/7.4.0\r\n", 200, &OPEN, "127.0.0.1\n"),
    ("/ip", "User-Agent: Windows-PowerShell\r\n", 200, &OPEN, "127.0.0.1\n"),
    ("/source-port", POWERSHELL, 200, &OPEN, "@"),
    ("/host", POWERSHELL, 200, &PLAIN, "a"),
    ("/headers/host", POWERSHELL, 200, &PLAIN, "a"),
    (
        "/all",
        "Accept: text/plain\r\nUser-Agent: PowerShell/7\r\n",
        200,
        &CHOSEN,
        "Accept: text/plain\nHost: a\nSource-IP: 127.0.0.1\nSource-Port: @\nUser-Agent: PowerShell/7",
    ),
    (
        "/headers",
        "User-Agent: PowerShell/7\r\n",
        200,
        &PLAIN_JSON,
        "{\"headers\":{\"Host\":\"a\",\"User-Agent\":\"PowerShell/7\"}}\n",
    ),
    ("/health", POWERSHELL, 200, &OPEN, "ok"),
    ("/readyz", POWERSHELL, 200, &OPEN, "ready"),
    ("/explain", POWERSHELL, 404, &PLAIN, "explain is off: start swagip with --explain"),
    ("/a/b", POWERSHELL, 404, &PLAIN, "not found"),
    ("/a", POWERSHELL, 404, &PLAIN, ""),
];

/// Sends all, then the FIN; the answers, and the address that they were sent to.
fn ask(server: &TestServer, request: &[u8]) -> (Vec<u8>, SocketAddr) {
    let mut stream = server.connect();
    stream.write_all(request).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    (answer, stream.local_addr().unwrap())
}

/// Checks status, all fields and content of an answer.
fn check(answer: &Answer, status: u16, fields: &[&str], content: &[u8], what: &str) {
    let mut expected: Vec<String> = fields.iter().map(|&line| line.to_owned()).collect();
    if !matches!(status, 204 | 304) {
        expected.push(format!("Content-Length: {}", content.len()));
    }
    let mut seen = lines(answer);
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!((answer.status, &seen), (status, &expected), "{what}");
    assert_eq!(String::from_utf8_lossy(&answer.content), String::from_utf8_lossy(content), "{what}");
    assert_date(answer.field("Date").unwrap());
}

/// The field lines without Date.
fn lines(answer: &Answer) -> Vec<String> {
    answer.fields.iter().filter(|(name, _)| name != "Date").map(|(name, value)| format!("{name}: {value}")).collect()
}

/// An IMF-fixdate, and now.
fn assert_date(date: &str) {
    let time = httpdate::parse_http_date(date).unwrap();
    assert_eq!(httpdate::fmt_http_date(time), date);
    let age = SystemTime::now().duration_since(time).unwrap();
    assert!(age < Duration::from_secs(5), "{date} is {age:?} old");
}

/// Asks with GET and with HEAD: the same fields, and no content for HEAD.
fn check_rows(rows: &[Row]) {
    let server = TestServer::start();
    for &(target, fields, status, head, content) in rows {
        let what = format!("GET {target} with {fields:?}");
        let (bytes, me) = ask(&server, format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes());
        let answers = Answer::all(&bytes);
        assert_eq!(answers.len(), 1, "{what}");
        check(&answers[0], status, head, content.replace('@', &me.port().to_string()).as_bytes(), &what);

        let (bytes, _) = ask(&server, format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes());
        let (answer, rest) = Answer::head(&bytes);
        // Ports that a kernel gives have five digits, so that the lengths are the same.
        assert_eq!((answer.status, lines(&answer)), (status, lines(&answers[0])), "HEAD instead of {what}");
        assert_eq!(rest, b"", "HEAD instead of {what}");
    }
}

#[test]
fn endpoints() {
    check_rows(ENDPOINTS);
}

#[test]
fn paths() {
    check_rows(PATHS);
}

#[test]
fn fields_of_the_client_by_our_names() {
    check_rows(IMPOSTORS);
}

#[test]
fn powershell_gets_no_line_feed() {
    check_rows(POWERSHELLS);
}

#[test]
fn the_page_allows_nothing_from_outside() {
    let answer = TestServer::start().get("/", "Accept: text/html\r\nUser-Agent: Mozilla/5.0\r\n");
    assert_eq!((answer.status, answer.field("Content-Type")), (200, HTML.strip_prefix("Content-Type: ")));
    let policy = answer.field("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    for line in [NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY, "Referrer-Policy: no-referrer"] {
        assert!(lines(&answer).iter().any(|other| other == line), "{line}");
    }
    assert_eq!((answer.field("Access-Control-Allow-Origin"), answer.field("Set-Cookie")), (None, None));
    assert!(answer.text().contains("SwagIP"));
}

#[test]
fn the_page_may_ask_at_the_names_of_one_family_alone() {
    let html = "Accept: text/html\r\n";
    let server = TestServer::with(|settings| {
        settings.site.family_hosts.ipv4 = Some("v4.example.org".to_owned());
        settings.site.family_hosts.ipv6 = Some("v6.example.org".to_owned());
    });
    let (with, without) = (server.get("/", html), TestServer::start().get("/", html));
    let policy = with.field("Content-Security-Policy").unwrap();
    assert!(policy.contains("; connect-src v4.example.org:* v6.example.org:*; "), "{policy}");
    assert!(with.text().contains("//v6.example.org") && !without.text().contains("ask"));
    let others = |answer: &Answer| {
        lines(answer)
            .into_iter()
            .filter(|line| !line.starts_with("Content-Security-Policy") && !line.starts_with("Date"))
            .collect()
    };
    let (mut with, mut without): (Vec<_>, Vec<_>) = (others(&with), others(&without));
    with.retain(|line| !line.starts_with("Content-Length"));
    without.retain(|line| !line.starts_with("Content-Length"));
    assert_eq!(with, without);
}

#[test]
fn options() {
    let server = TestServer::start();
    for target in ["/", "/ip", "/all", "/favicon.ico", "/a", "/a/b", "/a/", "*", "http://a/ip"] {
        let answers = Answer::all(&server.ask(format!("OPTIONS {target} HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n\r\n")));
        assert_eq!(answers.len(), 1, "{target}");
        check(&answers[0], 204, &PREFLIGHT, b"", target);
    }
}

/// Who may read an answer is said in it, and the preflight for a private network says the same.
#[test]
fn other_origins() {
    let server = TestServer::with(|settings| settings.site.explain = true);
    let open: Vec<String> =
        ["", "ip", "source-ip", "port", "source-port", "json", "health", "healthz", "livez", "ready", "readyz"]
            .iter()
            .map(|name| format!("/{name}"))
            .collect();
    let names = table::ENDPOINTS.iter().map(|endpoint| format!("/{}", endpoint.segment));
    for target in
        names.chain(["/", "/?format=json", "/%69P", "/host", "/headers/ip", "/ip/", "/a/b", "/none", "//"].map(str::to_owned))
    {
        let is_open = open.contains(&target) || ["/?format=json", "/%69P"].contains(&&*target);
        let answer = server.get(&target, "Origin: http://b\r\n");
        let policy = (answer.field("Access-Control-Allow-Origin"), answer.field("Cross-Origin-Resource-Policy"));
        assert_eq!(policy, if is_open { (Some("*"), None) } else { (None, Some("same-origin")) }, "{target}");

        let mut granted = PREFLIGHT.to_vec();
        granted.extend(is_open.then_some("Access-Control-Allow-Private-Network: true"));
        check(&preflight(&server, &target, "true"), 204, &granted, b"", &target);
        for value in ["false", "", "True", "true, true"] {
            check(&preflight(&server, &target, value), 204, &PREFLIGHT, b"", &target);
        }
    }
    check(&preflight(&server, "*", "true"), 204, &PREFLIGHT, b"", "*");
}

fn preflight(server: &TestServer, target: &str, private: &str) -> Answer {
    let lines = "Host: a\r\nOrigin: http://b\r\nAccess-Control-Request-Method: GET\r\n";
    let request = format!("OPTIONS {target} HTTP/1.1\r\n{lines}Access-Control-Request-Private-Network: {private}\r\n\r\n");
    Answer::all(&server.ask(request)).remove(0)
}

#[test]
fn other_methods() {
    let server = TestServer::start();
    let not_allowed = b"only GET, HEAD and OPTIONS are answered here\n";
    for line in ["POST /", "PUT /ip", "DELETE /a/b", "TRACE /", "PATCH /favicon.ico", "CONNECT a:80"] {
        let answers = Answer::all(&server.ask(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n")));
        check(&answers[0], 405, &NOT_ALLOWED, not_allowed, line);
    }
    for line in ["get /", "Head /", "BREW /", "M!#$%&'*+-.^_`|~9 /ip", "PRI /"] {
        let answers = Answer::all(&server.ask(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n")));
        check(&answers[0], 501, &PLAIN, b"no such method; names of methods are upper-case\n", line);
    }
}

#[test]
fn refusals_have_the_fields_of_all_answers_and_no_content_for_head() {
    let server = TestServer::start();
    let long = "a".repeat(16 * 1024);
    for (status, behind_method) in [
        (400, "/ HTTP/1.1\r\n\r\n".to_owned()),
        (400, "/ HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned()),
        (400, "# HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (400, "/ HTTP/1.1\nHost: a\r\n\r\n".to_owned()),
        (400, "/ HTTP/1.1\r\nHost: a\r\n".to_owned()),
        (400, "/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx".to_owned()),
        (414, format!("/{long}")),
        (417, "/ HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n".to_owned()),
        (431, format!("/ HTTP/1.1\r\nHost: a\r\nA: {long}")),
        (501, "/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".to_owned()),
        (505, "/ HTTP/2.0\r\n\r\n".to_owned()),
    ] {
        let what = &behind_method[..behind_method.len().min(60)];
        let answers = Answer::all(&server.ask(format!("GET {behind_method}")));
        assert_eq!(answers.len(), 1, "{what}");
        let content = &answers[0].content;
        check(&answers[0], status, &REFUSED, content, what);
        assert!(content.len() > 10 && content.iter().position(|&byte| byte == b'\n') == Some(content.len() - 1), "{what}");

        let bytes = server.ask(format!("HEAD {behind_method}"));
        let (answer, rest) = Answer::head(&bytes);
        let difference = (lines(&answer) == lines(&answers[0]), answer.status, rest);
        assert_eq!(difference, (true, status, &b""[..]), "HEAD {what}");
    }
}

#[test]
fn static_files() {
    let server = TestServer::start();
    for (target, content_type, start) in [
        ("/favicon.ico", "image/vnd.microsoft.icon", &b""[..]),
        ("/robots.txt", "text/plain; charset=utf-8", b"User-agent: *\n"),
        ("/openapi.json", "application/json", b"{"),
    ] {
        let whole = server.get(target, "");
        let etag = whole.field("ETag").unwrap().to_owned();
        assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'), "{target}: a strong validator, not {etag}");
        let (etag_line, type_line) = (format!("ETag: {etag}"), format!("Content-Type: {content_type}"));
        let same_fields = [CACHED, NO_SNIFF, SAME_ORIGIN, &etag_line];
        let fields = [CACHED, NO_SNIFF, SAME_ORIGIN, &etag_line, &type_line];
        assert!(whole.content.starts_with(start), "{target}");
        check(&whole, 200, &fields, &whole.content, target);

        for (condition, is_same) in [
            (format!("If-None-Match: {etag}\r\n"), true),
            (format!("if-none-match: W/{etag}\r\n"), true),
            ("If-None-Match: *\r\n".to_owned(), true),
            (format!("If-None-Match: \"a\", {etag} , \"b\"\r\n"), true),
            (format!("If-None-Match: \"a\"\r\nIf-None-Match: {etag}\r\n"), true),
            ("If-None-Match: \"a\"\r\n".to_owned(), false),
            (format!("If-None-Match: {}\r\n", etag.trim_matches('"')), false),
            (format!("If-Match: {etag}\r\n"), false),
        ] {
            let what = format!("{target} with {condition}");
            let (status, fields, content): (_, &[&str], _) =
                if is_same { (304, &same_fields, &[][..]) } else { (200, &fields, &whole.content[..]) };
            check(&server.get(target, &condition), status, fields, content, &what);
            let bytes = server.ask(format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n{condition}\r\n"));
            let (answer, rest) = Answer::head(&bytes);
            assert_eq!((answer.status, rest), (status, &b""[..]), "HEAD {what}");
        }
    }
    let [icon, robots] = ["/favicon.ico", "/robots.txt"].map(|target| server.get(target, "").field("ETag").unwrap().to_owned());
    assert_ne!(icon, robots, "a validator is of one content");
    assert_eq!(server.get("/ip", "If-None-Match: *\r\n").status, 200);
}

#[test]
fn persistence_is_told_where_it_is_not_the_default() {
    let server = TestServer::start();
    for (line, fields, connection) in [
        ("GET /ip HTTP/1.1", "", None),
        ("GET /ip HTTP/1.1", "Connection: keep-alive\r\n", None),
        ("GET /ip HTTP/1.1", "Connection: close\r\n", Some("close")),
        ("GET /ip HTTP/1.1", "Connection: x,\tCLOSE , keep-alive\r\n", Some("close")),
        ("GET /ip HTTP/1.1", "Connection: closed\r\n", None),
        ("GET /ip HTTP/1.0", "", Some("close")),
        ("GET /ip HTTP/1.0", "Connection: keep-alive\r\n", Some("keep-alive")),
        ("GET /ip HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", Some("close")),
        ("GET /nope/x HTTP/1.0", "", Some("close")),
        ("OPTIONS /ip HTTP/1.0", "", Some("close")),
        ("POST /ip HTTP/1.0", "", Some("close")),
    ] {
        let answers = Answer::all(&server.ask(format!("{line}\r\nHost: a\r\n{fields}\r\n")));
        assert_eq!(answers[0].field("Connection"), connection, "{line} with {fields:?}");
    }
}

#[test]
fn every_answer_says_which_replica_it_is_of_when_configured() {
    let server = TestServer::with(|settings| settings.site.served_by = Some("web-1".to_owned()));
    let targets = ENDPOINTS.iter().chain(PATHS).map(|row| row.0);
    let requests = targets
        .chain(["/?format=html", "/favicon.ico", "/favicon.svg", "/robots.txt", "/openapi.json"])
        .flat_map(|target| {
            ["GET", "HEAD", "OPTIONS", "POST", "BREW"].map(|method| format!("{method} {target} HTTP/1.1\r\nHost: a\r\n"))
        })
        .chain(
            ["GET /robots.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/2.0\r\n"]
                .map(str::to_owned),
        );
    for request in requests {
        let bytes = server.ask(format!("{request}\r\n"));
        let (answer, _) = Answer::head(&bytes);
        assert_eq!(answer.field("X-Served-By"), Some("web-1"), "{request}");
    }
    let replica = server.get("/replica", "Replica: mine\r\n");
    check(&replica, 200, &[TEXT, NO_STORE, NO_SNIFF, SAME_ORIGIN, VARY_AGENT, "X-Served-By: web-1"], b"web-1\n", "/replica");
    assert_eq!(server.get("/replica", "User-Agent: PowerShell/7\r\n").text(), "web-1");
}

/// Every byte that a value may hold, between two that keep it from being trimmed.
#[test]
fn every_byte_of_a_value_comes_back() {
    let server = TestServer::start();
    let bytes: Vec<u8> = [b'\t'].into_iter().chain(b' '..=b'~').chain(0x80..=0xff).collect();
    let values = bytes.iter().map(|&byte| vec![b'<', byte, b'>']).chain([[&b"<"[..], &bytes, b">"].concat()]);
    for value in values {
        let as_text: String = match std::str::from_utf8(&value) {
            Ok(text) => text.to_owned(),
            Err(_) => value.iter().map(|&byte| char::from(byte)).collect(),
        };
        // What serde_json writes is what is wanted, byte for byte: the shortest escapes, and only where there must be any.
        let json = serde_json::to_string(&as_text).unwrap();
        let get = |target: &str, accept: &str| {
            let mut request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\nX-B: ").into_bytes();
            request.extend_from_slice(&value);
            request.extend_from_slice(b"\r\nUser-Agent: ");
            request.extend_from_slice(&value);
            let (bytes, me) = ask(&server, &[&request[..], b"\r\n\r\n"].concat());
            (Answer::all(&bytes).remove(0).content, me.port())
        };
        for target in ["/x-b", "/headers/x-b", "/user-agent"] {
            assert_eq!(get(target, "*/*").0, [&value[..], b"\n"].concat(), "{target} of {value:?}");
        }
        let (all, port) = get("/all", "a/b");
        let expected = format!(
            "{{\"Accept\":\"a/b\",\"Host\":\"a\",\"Source-IP\":\"127.0.0.1\",\"Source-Port\":{port},\"User-Agent\":{json},\"X-B\":{json}}}\n"
        );
        assert_eq!(String::from_utf8(all).unwrap(), expected, "/all of {value:?}");
        let (headers, _) = get("/headers", "a/b");
        let expected = format!("{{\"headers\":{{\"Accept\":\"a/b\",\"Host\":\"a\",\"User-Agent\":{json},\"X-B\":{json}}}}}\n");
        assert_eq!(String::from_utf8(headers).unwrap(), expected, "/headers of {value:?}");
        let (text, _) = get("/all", "text/plain");
        let expected = [b"User-Agent: ", &value[..], b"\nX-B: ", &value, b"\n"].concat();
        assert!(text.ends_with(&expected), "/all as text of {value:?}");
        let document: serde_json::Value = serde_json::from_slice(&get("/json", "*/*").0).unwrap();
        assert_eq!(document["user_agent"]["raw_value"], as_text, "/json of {value:?}");
    }
}

/// Each of the joined values is read as UTF-8 or as Latin-1 by itself; text gives them back as they came.
#[test]
fn joined_values_are_each_read_by_itself() {
    let server = TestServer::start();
    let get = |target: &str| {
        let mut request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n").into_bytes();
        request.extend_from_slice(b"X-J: \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\r\nX-J: \xe4\r\nx-j: \xc3\xa4\xe4\r\n\r\n");
        Answer::all(&server.ask(request)).remove(0).content
    };
    assert_eq!(get("/x-j"), b"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80, \xe4, \xc3\xa4\xe4\n");
    assert_eq!(String::from_utf8(get("/headers")).unwrap(), "{\"headers\":{\"Host\":\"a\",\"X-J\":\"ä€😀, ä, Ã¤ä\"}}\n");
}

#[test]
fn white_space_around_a_value_is_none_of_it() {
    let server = TestServer::start();
    for (line, value) in [("X-A:b", "b"), ("X-A: \t b c \t", "b c"), ("X-A:\t", ""), ("X-A: b\tc", "b\tc")] {
        assert_eq!(server.get("/x-a", &format!("{line}\r\n")).text(), format!("{value}\n"), "{line:?}");
    }
}

#[test]
fn as_many_fields_as_a_request_may_have() {
    let fields: String = (1..100).rev().map(|number| format!("F-{number:02}: {number}\r\n")).collect();
    let rows: Vec<String> = (1..100).map(|number| format!("\"F-{number:02}\":\"{number}\"")).collect();
    let (bytes, me) = ask(&TestServer::start(), format!("GET /all HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes());
    let expected = format!("{{{},\"Host\":\"a\",\"Source-IP\":\"127.0.0.1\",\"Source-Port\":{}}}\n", rows.join(","), me.port());
    assert_eq!(Answer::all(&bytes)[0].text(), expected);
}

/// As if it had not been sent: by name, among all, and where another answer is made of it. What is decided by it stays.
#[test]
fn a_hidden_field_is_given_back_nowhere() {
    let server = TestServer::with(|settings| {
        settings.site.hidden = ["x-secret", "user-agent", "x-real-ip"].map(str::to_owned).to_vec();
        settings.site.explain = true;
    });
    let fields = "X-Secret: s3cret\r\nX-Real-IP: s3cret\r\nUser-Agent: curl/8 s3cret\r\nx-SECRET: s3cret\r\nX-Shown: 1\r\n";
    for (target, accept, status) in [
        ("/x-secret", "*/*", 404),
        ("/X-%53ecret", "*/*", 404),
        ("/headers/x-secret", "*/*", 404),
        ("/user-agent", "*/*", 404),
        ("/x-shown", "*/*", 200),
        ("/", "*/*", 200),
        ("/", "text/html", 200),
        ("/all", "*/*", 200),
        ("/all", "text/plain", 200),
        ("/headers", "*/*", 200),
        ("/json", "*/*", 200),
        ("/explain", "*/*", 200),
    ] {
        let answer = server.get(target, &format!("{fields}Accept: {accept}\r\n"));
        assert_eq!(answer.status, status, "{target}");
        let text = answer.text().to_lowercase();
        assert!(!text.contains("s3cret") && !text.contains("x-secret") && !text.contains("x-real-ip"), "{target}: {text}");
        assert_eq!(text.is_empty(), status == 404, "{target}: {text}");
    }
    assert_eq!(server.get("/", fields).text(), "127.0.0.1\n", "curl is known by the field that is hidden");
    assert!(server.get("/all", fields).text().contains("\"X-Shown\":\"1\""));
    assert!(!server.get("/json", fields).text().contains("user_agent"));
}

#[test]
fn user_agents_are_split_as_echoip_does() {
    let server = TestServer::start();
    for (agent, product, version, comment) in [
        ("curl/7.88.1", "curl", "7.88.1", ""),
        ("Mozilla/5.0 (X11; Linux) Gecko/20100101", "Mozilla", "5.0", "(X11; Linux) Gecko/20100101"),
        ("fetch libfetch/2.0", "fetch libfetch", "2.0", ""),
        ("tool/next (a)", "tool", "", "next (a)"),
        ("tool/", "tool", "", ""),
        ("/1.0", "", "1.0", ""),
        ("tool of mine", "tool", "", "of mine"),
        ("tool", "tool", "", ""),
    ] {
        let answer = server.get("/json", &format!("User-Agent: {agent}\r\n"));
        let document: serde_json::Value = serde_json::from_slice(&answer.content).unwrap();
        let expected = serde_json::json!({"product": product, "version": version, "comment": comment, "raw_value": agent});
        assert_eq!(document["user_agent"], expected, "{agent}");
    }
    // Its parts are in the encoding of the whole.
    let (bytes, _) = ask(&server, b"GET /json HTTP/1.1\r\nHost: a\r\nUser-Agent: \xc3\xa9/1 \xff\r\n\r\n");
    let document: serde_json::Value = serde_json::from_slice(&Answer::all(&bytes).remove(0).content).unwrap();
    let expected = serde_json::json!({"product": "Ã©", "version": "1", "comment": "ÿ", "raw_value": "Ã©/1 ÿ"});
    assert_eq!(document["user_agent"], expected);
}

/// While a stop is under way, with the grace that leaves time to see it.
#[test]
fn readiness_is_denied_while_draining() {
    let server = TestServer::start();
    server.drain();
    for (target, status, content) in
        [("/ready", 404, "draining\n"), ("/readyz", 503, "draining\n"), ("/health", 200, "ok\n"), ("/ip", 200, "127.0.0.1\n")]
    {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let fields = [&OPEN[..], &[CLOSE]].concat();
        check(&Answer::all(&bytes)[0], status, &fields, content.as_bytes(), target);
    }
}

/// A PROXY header may say that nobody knows the address; then nobody says one.
#[test]
fn an_address_that_is_not_known() {
    let loopback = Some(IpAddr::from(Ipv4Addr::LOCALHOST));
    for (address, port, target, status, fields, content) in [
        (None, None, "/", 404, &ROOT[..], ""),
        (None, None, "/ip", 404, &OPEN, ""),
        (None, None, "/source-ip", 404, &OPEN, ""),
        (None, None, "/port", 404, &OPEN, ""),
        (None, None, "/json", 200, &OPEN_JSON, "{\n  \"ip\": null,\n  \"ip_decimal\": null,\n  \"port\": null\n}\n"),
        (None, None, "/all", 200, &CHOSEN_JSON, "{\"Host\":\"a\"}\n"),
        (loopback, None, "/", 200, &ROOT, "127.0.0.1\n"),
        (loopback, None, "/port", 404, &OPEN, ""),
        (loopback, None, "/source-port", 404, &OPEN, ""),
        (loopback, None, "/all", 200, &CHOSEN_JSON, "{\"Host\":\"a\",\"Source-IP\":\"127.0.0.1\"}\n"),
        (
            Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])),
            Some(65535),
            "/json",
            200,
            &OPEN_JSON,
            "{\n  \"ip\": \"2001:db8::1\",\n  \"ip_decimal\": 42540766411282592856903984951653826561,\n  \"port\": 65535\n}\n",
        ),
    ] {
        let mut service = Service::new(Rule::default(), support::settings().site);
        let mut date = [0; 29];
        date.copy_from_slice(httpdate::fmt_http_date(SystemTime::now()).as_bytes());
        service.set_date(date);
        let mut peer = Peer { address, port, ..Rule::default().peer((Ipv4Addr::LOCALHOST, 1).into()) };
        let own = "Source-Ip: 6.6.6.6\r\nSource-Port: 6\r\n";
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{own}\r\n").into_bytes();
        let mut output = Vec::new();
        service.serve(&mut State::default(), &mut peer, &request, false, &mut output);
        check(&Answer::all(&output)[0], status, fields, content.as_bytes(), target);
    }
}
