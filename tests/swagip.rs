//! The ten tests of SwagIP (Flask, 2015), which this program re-implements: its User-Agents, and what it asked of the answers.
//! One differs: SwagIP gave the page to every User-Agent that it didn't know. Here a browser is known by its Accept.
#![allow(clippy::unwrap_used)]

mod support;

use support::TestServer;

const WGET: &str = "Wget/1.16.3 (linux-gnu)";
const CURL: &str = "curl/7.9.8";
const FETCH: &str = "fetch libfetch/2.0";
const POWERSHELL: &str = "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.14393.206";
/// That of its test client, which sends no Accept.
const UNKNOWN: &str = "werkzeug/0.11.3";
/// As browsers send it.
const ACCEPT: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

fn get(target: &str, agent: &str) -> String {
    get_with(target, agent, "")
}

fn get_with(target: &str, agent: &str, fields: &str) -> String {
    let answer = TestServer::start().get(target, &format!("User-Agent: {agent}\r\n{fields}"));
    assert_eq!(answer.status, 200, "{target} for {agent}");
    answer.text()
}

fn all(agent: &str) {
    let all: serde_json::Value = serde_json::from_str(&get("/all", agent)).unwrap();
    assert_eq!(all["Source-IP"], "127.0.0.1");
    assert_eq!(all["User-Agent"], agent);
}

#[test]
fn root_wget() {
    assert_eq!(get("/", WGET), "127.0.0.1\n");
}

#[test]
fn root_curl() {
    assert_eq!(get("/", CURL), "127.0.0.1\n");
}

#[test]
fn root_fetch() {
    assert_eq!(get("/", FETCH), "127.0.0.1\n");
}

#[test]
fn root_powershell() {
    assert_eq!(get("/", POWERSHELL), "127.0.0.1");
}

#[test]
fn root_page() {
    assert!(get_with("/", UNKNOWN, ACCEPT).contains("SwagIP"));
    assert_eq!(get("/", UNKNOWN), "127.0.0.1\n");
}

#[test]
fn all_wget() {
    all(WGET);
}

#[test]
fn all_curl() {
    all(CURL);
}

#[test]
fn all_fetch() {
    all(FETCH);
}

#[test]
fn all_powershell() {
    all(POWERSHELL);
}

#[test]
fn all_page() {
    all(UNKNOWN);
}
