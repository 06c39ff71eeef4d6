//! Which representation a client gets: each rule, and each against the one after it, over a real socket.
#![allow(clippy::unwrap_used)]

mod support;

use support::TestServer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    Text,
    Json,
    Page,
}
use MediaType::{Json, Page, Text};

/// Target, field lines without their ends, separated by `|`, and what is to come.
type Row = (&'static str, &'static str, MediaType);

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8|User-Agent: Mozilla/5.0 (X11)";

/// What programs send as they are typed or as their library makes it: see `tests/clients` for the programs themselves.
const WGET2: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8|User-Agent: Wget/2.2.0";
const JAVA: &str = "User-Agent: Java/17.0.13|Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";

const ROOT: &[Row] = &[
    // 1: the query, before Accept and User-Agent, in any case.
    ("/?format=text", "Accept: text/html|User-Agent: Mozilla/5.0", Text),
    ("/?format=json", "Accept: text/html|User-Agent: Mozilla/5.0", Json),
    ("/?format=html", "Accept: application/json|User-Agent: curl/8", Page),
    ("/?format=html", "", Page),
    ("/?format=html", WGET2, Page),
    ("/?format=HTML", "User-Agent: curl/8", Page),
    ("/?Format=Json", "User-Agent: curl/8", Json),
    ("/?FORMAT=tExT", BROWSER, Text),
    ("/?a=b&format=json&c", "User-Agent: curl/8", Json),
    ("/?format=json&format=html", "User-Agent: curl/8", Json),
    ("/?format=xml", "User-Agent: curl/8", Text),
    ("/?format=xml", BROWSER, Page),
    ("/?format=", "Accept: application/json", Json),
    ("/?format", "User-Agent: curl/8", Text),
    ("/?xformat=json", "User-Agent: curl/8", Text),
    ("/?format=jsonx", "User-Agent: curl/8", Text),
    // 2: programs that always accept text/html, before Accept.
    ("/", WGET2, Text),
    ("/", "Accept: text/html,*/*;q=0.8|User-Agent: wget2/2.0.1", Text),
    ("/", JAVA, Text),
    ("/", "Accept: text/html|User-Agent: Java/21.0.5", Text),
    ("/", "Accept: text/html, application/json;q=0.1|User-Agent: Java/21.0.5", Json),
    ("/", "Accept: text/html|Accept: application/json;q=0.1|User-Agent: Java/21.0.5", Json),
    ("/", "Accept: application/json|User-Agent: Wget/2.2.0", Json),
    // … which begin with that name, to the letter.
    ("/", "Accept: text/html|User-Agent: Wget/1.21.3", Page),
    ("/", "Accept: text/html|User-Agent: wget/2.2.0", Page),
    ("/", "Accept: text/html|User-Agent: Wget2/2.2.0", Page),
    ("/", "Accept: text/html|User-Agent: wget2", Page),
    ("/", "Accept: text/html|User-Agent: JavaScript/1", Page),
    ("/", "Accept: text/html|User-Agent: java/21", Page),
    ("/", "Accept: text/html|User-Agent: Mozilla/5.0 Java/21 Wget/2", Page),
    // 3: Accept, before the User-Agent.
    ("/", BROWSER, Page),
    ("/", "Accept: text/html|User-Agent: curl/8", Page),
    ("/", "Accept: text/html", Page),
    ("/", "Accept: text/html|User-Agent: Mozilla/5.0 (Windows NT 10.0) WindowsPowerShell/5.1", Page),
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
    ("/", "Accept: application/*, text/plain;q=0.1|User-Agent: Mozilla/5.0", Text),
    // 4: no Accept, and a browser's name.
    ("/", "User-Agent: Mozilla/5.0", Page),
    ("/", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0)", Page),
    ("/", "User-Agent: Mozilla/5.0|Sec-Fetch-Dest: empty", Page),
    // … which is none of PowerShell's, and stands at the start, to the letter.
    ("/", "User-Agent: Mozilla/5.0 (Windows NT 10.0) WindowsPowerShell/5.1", Text),
    ("/", "User-Agent: Mozilla/5.0 (Windows NT 10.0) PowerShell/7.4", Text),
    ("/", "User-Agent: Mozilla/5.0 (Windows NT 10.0) Powershell/7.4", Page),
    ("/", "User-Agent: like Mozilla/5.0", Text),
    ("/", "User-Agent: mozilla/5.0", Text),
    ("/", "User-Agent: Mozilla", Text),
    // 5: everyone else: wildcards, a weight of 0 and other types name nothing, whatever the User-Agent.
    ("/", "Accept: */*|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept: */*|User-Agent: Mozilla/5.0|Origin: http://a|Referer: http://a/", Text),
    ("/", "Accept: */*|User-Agent: Mozilla/5.0|Sec-Fetch-Dest: empty", Text),
    ("/", "Accept: */*|User-Agent: Mozilla/5.0|Sec-Fetch-Dest: document", Text),
    ("/", "Accept: text/*|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept:|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept: text/html;q=0|User-Agent: curl/8", Text),
    ("/", "Accept: text/plain;q=0|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept: image/avif,image/webp,*/*|User-Agent: Mozilla/5.0", Text),
    ("/", "Accept: image/png|User-Agent: monitor/1.0", Text),
    ("/", "Accept: */*", Text),
    ("/", "", Text),
    ("/", "Accept-Language: de|Cookie: a=b", Text),
];

/// Programs that send no Accept, or `*/*`: no name but a browser's means anything.
const AGENTS: [&str; 20] = [
    "curl/8.5.0",
    "Wget/1.21.3",
    "fetch libfetch/2.0",
    "HTTPie/3.2.4",
    "aria2/1.37.0",
    "Go-http-client/1.1",
    "my-go-program/0.1",
    "okhttp/4.12.0",
    "python-requests/2.32.3",
    "python-urllib3/2.3.0",
    "GuzzleHttp/7",
    "http.rb/5.2.0",
    "inadyn/2.12.0 https://github.com/troglobit/inadyn/issues",
    "hey/0.0.1",
    "h2load nghttp2/1.52.0",
    "check_http/v2.3.3 (monitoring-plugins 2.3.3)",
    "libwww-perl/6.68",
    "Mikrotik/7.x Fetch",
    "werkzeug/0.11.3",
    "x",
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
    ("/all", WGET2, Json),
    ("/all", JAVA, Json),
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

fn check(server: &TestServer, target: &str, fields: &str, expected: MediaType) {
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
fn no_program_needs_to_be_known() {
    let server = TestServer::start();
    for agent in AGENTS {
        check(&server, "/", &format!("User-Agent: {agent}"), Text);
        check(&server, "/", &format!("User-Agent: {agent}|Accept: */*"), Text);
        check(&server, "/", &format!("User-Agent: {agent}|Accept: application/json"), Json);
        check(&server, "/", &format!("User-Agent: {agent}|Accept: text/html"), Page);
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
