//! Which representation a client gets: each rule, and each against the one after it, over a real socket.
#![allow(clippy::unwrap_used)]

mod support;

use support::TestServer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Text,
    Json,
    Page,
}
use Media::{Json, Page, Text};

/// Target, field lines without their ends, separated by `|`, and what is to come.
type Row = (&'static str, &'static str, Media);

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8|User-Agent: Mozilla/5.0 (X11)";

const ROOT: &[Row] = &[
    // 1: the query, before Accept and User-Agent.
    ("/?format=text", "Accept: text/html|User-Agent: Mozilla/5.0", Text),
    ("/?format=json", "Accept: text/html|User-Agent: Mozilla/5.0", Json),
    ("/?format=html", "Accept: application/json|User-Agent: curl/8", Page),
    ("/?format=html", "", Page),
    ("/?a=b&format=json&c", "User-Agent: curl/8", Json),
    ("/?format=xml", "User-Agent: curl/8", Text),
    ("/?format=xml", BROWSER, Page),
    ("/?format=", "Accept: application/json", Json),
    ("/?xformat=json", "User-Agent: curl/8", Text),
    ("/?format=jsonx", "User-Agent: curl/8", Text),
    // 2: Accept, before the User-Agent.
    ("/", BROWSER, Page),
    ("/", "Accept: text/html|User-Agent: curl/8", Page),
    ("/", "Accept: application/json|User-Agent: curl/8", Json),
    ("/", "Accept: text/plain|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept: application/json|User-Agent: Mozilla/5.0", Json),
    ("/", "Accept: Application/JSON; charset=utf-8|User-Agent: Mozilla/5.0", Json),
    ("/", "Accept: application/json, text/plain, */*|User-Agent: axios/1.6", Json),
    ("/", "Accept: text/plain;q=0.9, application/json;q=0.8|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept: text/html;q=0.7, application/json;q=0.8, text/plain;q=0.6", Json),
    ("/", "Accept: text/html;q=0.001|User-Agent: curl/8", Page),
    ("/", "Accept: text/plain, application/json, text/html|User-Agent: curl/8", Page),
    ("/", "Accept: text/plain;q=0.5, application/json;q=0.5|User-Agent: curl/8", Json),
    ("/", "Accept: text/plain;q=0.5|X: y|Accept: application/json;q=0.6|User-Agent: Mozilla/5.0", Json),
    ("/", "Accept: */*|Accept: text/html|User-Agent: curl/8", Page),
    ("/", "Accept: text/html;q=0, application/json;q=0.1|User-Agent: curl/8", Json),
    ("/", "Accept: text/html;level=\"1,text/plain;q=0\";q=0.2, text/plain;q=0.1", Page),
    // … where wildcards name nothing, nor does a weight of 0.
    ("/", "Accept: */*|User-Agent: Mozilla/5.0", Page),
    ("/", "Accept: text/*|User-Agent: Mozilla/5.0", Page),
    ("/", "Accept: application/*, text/plain;q=0.1|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept: text/html;q=0|User-Agent: curl/8", Text),
    ("/", "Accept: text/plain;q=0|User-Agent: Mozilla/5.0", Page),
    // 3: the tools, wherever their name stands, with and without `*/*`.
    ("/", "User-Agent: curl/7.88.1|Accept: */*", Text),
    ("/", "User-Agent: Wget/1.21.3|Accept: */*|Accept-Encoding: identity", Text),
    ("/", "User-Agent: my curl-like tool", Text),
    ("/", "User-Agent: Prefetcher/1.0", Text),
    ("/", "User-Agent: Mozilla/5.0 (Windows NT 10.0) WindowsPowerShell/5.1|Accept: */*", Text),
    ("/", "User-Agent: Mozilla/5.0 (Windows NT 10.0) PowerShell/7.4", Text),
    ("/", "User-Agent: Mozilla/5.0 curl|Accept: */*|Sec-Fetch-Dest: document", Text),
    // … whose case counts.
    ("/", "User-Agent: CURL/8", Page),
    ("/", "User-Agent: wget/1.21.3", Page),
    ("/", "User-Agent: Fetch", Page),
    ("/", "User-Agent: windowspowershell", Page),
    ("/", "User-Agent: PowerShell 7", Page),
    ("/", "User-Agent: xh 0.22", Page),
    ("/", "User-Agent: OpenBSD", Page),
    ("/", "User-Agent: python", Page),
    ("/", "User-Agent: Go-http", Page),
    // 4: a script in a page.
    ("/", "Sec-Fetch-Dest: empty|User-Agent: Mozilla/5.0|Accept: */*", Text),
    ("/", "Sec-Fetch-Dest: empty|User-Agent: Mozilla/5.0", Text),
    ("/", "Sec-Fetch-Dest: empty|User-Agent: Mozilla/5.0|Accept: application/json", Json),
    ("/", "Sec-Fetch-Dest: document|User-Agent: Mozilla/5.0|Accept: */*", Page),
    ("/", "Sec-Fetch-Mode: empty|User-Agent: Mozilla/5.0|Accept: */*", Page),
    // 5: a program that knows what it takes, and it is none of the three.
    ("/", "Accept: */*|User-Agent: monitor/1.0", Text),
    ("/", "Accept: image/png|User-Agent: monitor/1.0", Text),
    ("/", "Accept:|User-Agent: monitor/1.0", Text),
    ("/", "Accept: text/html;q=0|User-Agent: monitor/1.0", Text),
    ("/", "Accept: */*", Text),
    ("/", "Accept: */*|User-Agent: like Mozilla/5.0", Text),
    ("/", "Accept: */*|User-Agent: mozilla/5.0", Text),
    ("/", "Accept: */*|User-Agent: Mozilla", Text),
    ("/", "Accept: image/avif,image/webp,*/*|User-Agent: Mozilla/5.0", Page),
    // 6: neither of the two.
    ("/", "", Text),
    ("/", "Accept-Language: de|Cookie: a=b", Text),
    // 7: the page.
    ("/", "User-Agent: monitor/1.0", Page),
    ("/", "User-Agent: Mozilla/5.0", Page),
];

const TOOLS: [&str; 18] = [
    "curl",
    "Wget",
    "fetch",
    "WindowsPowerShell",
    "PowerShell/",
    "HTTPie",
    "httpie-go",
    "xh/",
    "aria2",
    "Go-http-client",
    "ddclient",
    "Mikrotik",
    "OpenBSD ftp",
    "libwww-perl",
    "lwp-request",
    "python-requests",
    "Python-urllib",
    "python-httpx",
];

/// Where only Accept chooses, between two.
const ALL: &[Row] = &[
    ("/all", "", Json),
    ("/all", "User-Agent: curl/8|Accept: */*", Json),
    ("/all", BROWSER, Json),
    ("/all", "Accept: text/*", Json),
    ("/all", "Accept: text/plain", Text),
    ("/all", "Accept: TEXT/PLAIN;q=0.1|User-Agent: Mozilla/5.0", Text),
    ("/all", "Accept: text/plain;q=0.5, application/json;q=0.4", Text),
    ("/all", "Accept: text/plain, application/json", Json),
    ("/all", "Accept: text/plain, text/html;q=0.9", Text),
    ("/all", "Accept: text/plain, text/html", Json),
    ("/all", "Accept: text/plain;q=0", Json),
    ("/all", "Accept: a/b|Accept: text/plain", Text),
    ("/all?format=text", "", Json),
    ("/ALL", "Accept: text/plain", Text),
];

const EXPLAIN: &[Row] = &[
    ("/explain", "", Text),
    ("/explain", "User-Agent: curl/8|Accept: */*", Text),
    ("/explain", BROWSER, Text),
    ("/explain", "Accept: application/json", Json),
    ("/explain", "Accept: application/json;q=0.5, text/plain;q=0.6", Text),
    ("/explain", "Accept: application/json, text/plain", Json),
    ("/explain?format=json", "", Text),
];

/// Where nothing chooses.
const FIXED: &[Row] = &[
    ("/ip", "Accept: text/html|User-Agent: Mozilla/5.0", Text),
    ("/source-ip", "Accept: application/json", Text),
    ("/port?format=json", "Accept: application/json", Text),
    ("/host", "Accept: application/json", Text),
    ("/headers/host", "Accept: application/json", Text),
    ("/health", "Accept: application/json", Text),
    ("/ready", BROWSER, Text),
    ("/json", "Accept: text/plain|User-Agent: curl/8", Json),
    ("/json", BROWSER, Json),
    ("/headers", "Accept: text/plain|User-Agent: curl/8", Json),
];

fn check(server: &TestServer, target: &str, fields: &str, expected: Media) {
    let lines: String = fields.split('|').filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
    let answer = server.get(target, &lines);
    let seen = match answer.field("Content-Type").unwrap() {
        "text/plain; charset=utf-8" => Text,
        "application/json" => Json,
        "text/html; charset=utf-8" => Page,
        other => panic!("{target} came as {other}"),
    };
    assert_eq!(seen, expected, "{target} with {fields:?}");
    // The content is what its type says.
    match seen {
        Text => assert!(!answer.content.starts_with(b"<") && !answer.content.starts_with(b"{")),
        Json => drop(serde_json::from_slice::<serde_json::Value>(&answer.content).unwrap()),
        Page => assert!(answer.text().to_lowercase().starts_with("<!doctype html>")),
    }
}

fn check_rows(rows: &[Row]) {
    let server = TestServer::with(|settings| settings.site.explain = true);
    for &(target, fields, expected) in rows {
        check(&server, target, fields, expected);
    }
}

#[test]
fn root() {
    check_rows(ROOT);
}

#[test]
fn every_tool_gets_text_by_its_name() {
    let server = TestServer::start();
    for tool in TOOLS {
        for agent in [tool.to_owned(), format!("{tool}1.0"), format!("Mozilla/5.0 ({tool}) x")] {
            check(&server, "/", &format!("User-Agent: {agent}"), Text);
            check(&server, "/", &format!("User-Agent: {agent}|Accept: */*"), Text);
            check(&server, "/", &format!("User-Agent: {agent}|Accept: application/json"), Json);
        }
        let cut = &tool[..tool.len() - 1];
        check(&server, "/", &format!("User-Agent: Mozilla/5.0 ({cut})"), Page);
    }
}

#[test]
fn all() {
    check_rows(ALL);
}

#[test]
fn explain() {
    check_rows(EXPLAIN);
}

#[test]
fn what_is_not_negotiated() {
    check_rows(FIXED);
}
