//! A network namespace of a test's own: nothing outside is touched or needed, and clients can have addresses of the internet.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names the test that this process was started for, inside its namespace.
const TEST: &str = "SWAGIP_TEST_IN_NETWORK";

/// [`prepared`], where the loopback interface has these addresses, too, each with the length of its network.
pub fn alone(test: &str, addresses: &[&str], body: impl FnOnce()) {
    let add: String = addresses.iter().map(|address| format!("ip address add {address} dev lo\n")).collect();
    prepared(test, &add, body);
}

/// Runs `body`, the whole of the test of that name, in this executable started again in a namespace, after this shell script. What it writes to
/// stderr is shown, whether it succeeds or not.
pub fn prepared(test: &str, script: &str, body: impl FnOnce()) {
    if env::var_os(TEST).is_some() {
        return body();
    }
    // Whatever becomes of the test, what it has started ends with its namespace of processes.
    let mut command = Command::new("unshare");
    command.args(["--net", "--pid", "--fork", "--kill-child"]);
    if !is_allowed(&["--net"]) {
        let user = ["--user", "--map-root-user"];
        let reason = "NOT RUN: no network namespace is to be had: be root, or allow user namespaces";
        assert!(is_allowed(&[&user[..], &["--net"]].concat()), "{reason}");
        command.args(user);
    }
    let setup = format!("set -e\nPATH=$PATH:/usr/sbin:/sbin\nip link set lo up\n{script}\nexec \"$@\"\n");
    command.args(["sh", "-c", &setup, "sh"]).arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let output = command.env(TEST, test).stdin(Stdio::null()).output().unwrap();
    // Not eprint!, which the test harness keeps to itself.
    std::io::stderr().write_all(&output.stderr).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A folder for the files of the test in this namespace.
pub fn scratch() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(env::var_os(TEST).unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn is_allowed(options: &[&str]) -> bool {
    let status = Command::new("unshare").args(options).arg("true").stderr(Stdio::null()).status();
    status.expect("NOT RUN: unshare is not installed (util-linux)").success()
}
