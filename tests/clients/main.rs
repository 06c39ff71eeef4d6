//! Real clients as processes: what each of them gets of `/`, without a list of clients in the server.
//!
//! A client that is not on this machine is told, with where it is to be had; with too few of them the test fails. `tests/run clients`
//! installs what it can. The rows are in `rows.rs`; the table of what they got, and what they sent, goes to stderr.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod rows;
#[path = "../support/mod.rs"]
mod support;

use rows::{CLIENTS, Client};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};
use support::TestServer;

/// What a client gets of `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gets {
    Text,
    Json,
    Page,
    /// It asks for something else, and fails.
    NotFound,
}

/// With fewer clients than this the test says too little.
const CLIENTS_MIN: usize = 12;

/// Seconds: Go and Java compile, and a busy machine is slow.
const PATIENCE: &str = "300";

/// What would tell a client of another server, or let its user's settings in.
const FOREIGN: [&str; 8] =
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "JAVA_TOOL_OPTIONS", "CURL_HOME", "WGETRC", "PERL_LWP_ENV_PROXY"];

#[test]
fn each_client_gets_what_it_can_read() {
    let server = TestServer::start();
    let (mut table, mut missing, mut wrong, mut count) = (String::new(), String::new(), String::new(), 0);
    for client in CLIENTS {
        if !client.is_there() {
            writeln!(missing, "  NOT TRIED  {:<22}{}", client.name, client.source).unwrap();
            continue;
        }
        let output = client.ask(&format!("http://{}/", server.address));
        if !is_right(client.gets, &output) {
            writeln!(wrong, "{} was to get {:?}: {output:?}", client.name, client.gets).unwrap();
        }
        let (agent, accept) = client.says(&format!("http://{}/all", server.address));
        let line = format!("  {:<22}{:<10}{agent:<44}  {accept}", client.name, format!("{:?}", client.gets));
        writeln!(table, "{}", line.trim_end()).unwrap();
        count += 1;
    }
    let table = format!("\n  {:<22}{:<10}{:<44}  Accept\n{table}{missing}", "client", "gets", "User-Agent");
    // Not eprint!, which the test harness keeps to itself.
    std::io::stderr().write_all(table.as_bytes()).unwrap();
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= CLIENTS_MIN, "NOT RUN: {count} clients are here, {CLIENTS_MIN} are needed: tests/run clients installs them");
}

fn is_right(gets: Gets, output: &Output) -> bool {
    let content = String::from_utf8_lossy(&output.stdout);
    let is_right = match gets {
        Gets::Text => content == "127.0.0.1\n",
        Gets::Json => serde_json::from_str::<serde_json::Value>(&content).is_ok_and(|json| json["ip"] == "127.0.0.1"),
        Gets::Page => content.to_lowercase().starts_with("<!doctype html>") && content.contains("127.0.0.1"),
        Gets::NotFound => content.is_empty() && String::from_utf8_lossy(&output.stderr).contains("not found"),
    };
    is_right && output.status.success() == (gets != Gets::NotFound)
}

impl Client {
    fn is_there(&self) -> bool {
        self.run(self.needs, "").status.success()
    }

    fn ask(&self, url: &str) -> Output {
        self.run(self.asks, url)
    }

    /// Its User-Agent and Accept.
    fn says(&self, url: &str) -> (String, String) {
        let output = self.ask(url);
        let content = String::from_utf8_lossy(&output.stdout);
        // Chromium puts a page around it.
        let json = content.find('{').zip(content.rfind('}')).map_or("", |(start, end)| &content[start..=end]);
        let all: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
        let field = |name| all[name].as_str().unwrap_or_default().to_owned();
        (field("User-Agent"), field("Accept"))
    }

    /// Runs a shell command in an empty folder, with no settings of this user.
    fn run(&self, script: &str, url: &str) -> Output {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("clients");
        let empty = scratch.join("empty");
        // There is one where an earlier run was ended.
        let _ = fs::remove_dir_all(&empty);
        fs::create_dir_all(&empty).unwrap();
        let path = env::var_os("PATH").unwrap();
        let path = env::join_paths([scratch.join("venv/bin")].into_iter().chain(env::split_paths(&path))).unwrap();
        let mut command = Command::new("timeout");
        command.args([PATIENCE, "sh", "-c", script]).stdin(Stdio::null()).current_dir(&empty);
        command.env("URL", url).env("HERE", &here).env("HOME", &empty).env("PATH", path);
        command.env("NODE_PATH", here.join("node_modules")).env("GOCACHE", scratch.join("go")).env("LC_ALL", "C");
        for name in FOREIGN {
            command.env_remove(name);
        }
        let output = command.output().expect("timeout is of coreutils");
        fs::remove_dir_all(&empty).unwrap();
        output
    }
}
