//! The program as a person or a container starts it: what it prints, and how it ends.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_swagip");

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Variables<'v> = &'v [(&'v str, &'v str)];

/// `·` is a space within an argument.
fn swagip(arguments: &str, variables: Variables<'_>) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(arguments.split_whitespace().map(|argument| argument.replace('·', " ")))
        .env_clear()
        .envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The exit code and what it printed on standard output and standard error.
type Outcome = (Option<i32>, String, String);

fn outcome(command: &mut Command) -> Outcome {
    let mut process = Process(command.spawn().unwrap());
    let code = process.end().code();
    let text = |pipe: &mut dyn Read| std::io::read_to_string(pipe).unwrap();
    (code, text(process.0.stdout.as_mut().unwrap()), text(process.0.stderr.as_mut().unwrap()))
}

/// Killed where a test fails.
struct Process(Child);

impl Process {
    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("still running");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that has told where it listens.
struct Server {
    process: Process,
    /// What it has told before that.
    warnings: Vec<String>,
    start_line: String,
    /// What it tells from then on.
    stderr: BufReader<ChildStderr>,
}

impl Server {
    fn start(command: &mut Command) -> Server {
        let mut process = Process(command.spawn().unwrap());
        let mut stderr = BufReader::new(process.0.stderr.take().unwrap());
        let mut warnings = Vec::new();
        loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it did not start: {warnings:?}");
            if line.starts_with("listening on ") {
                return Server { process, warnings, start_line: line, stderr };
            }
            warnings.push(line);
        }
    }

    /// The first one.
    fn address(&self) -> SocketAddr {
        self.start_line.split([' ', ',']).nth(2).unwrap().parse().unwrap()
    }

    fn signal(&self, signal: &str) {
        send(signal, self.process.0.id());
    }

    /// The exit code.
    fn end(&mut self) -> Option<i32> {
        self.process.end().code()
    }
}

fn send(signal: &str, process: u32) {
    kill(Pid::from_raw(process.try_into().unwrap()), format!("SIG{signal}").parse::<Signal>().unwrap()).unwrap();
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const ADDRESS: &str = "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080";
const DURATION: &str = "is not a duration: try 10, 0.5, 500ms, 10s or 1m";
const HEADER: &str = "is not the name of a header: try";
const REPLICA: &str = r#"is not 1 to 64 letters, digits, ".", "_" and "-": try"#;
const THREADS: &str = r#"is not a number of threads from 1 to 1024, nor "pinned": try 2"#;

/// With these arguments and variables it ends at once, and says this.
#[track_caller]
fn refused(rows: &[(&str, Variables<'_>, &str)]) {
    for (arguments, variables, line) in rows {
        let outcome = outcome(&mut swagip(arguments, variables));
        assert_eq!(outcome, (Some(2), String::new(), format!("{line}\n")), "{arguments} {variables:?}");
    }
}

#[test]
fn where_not_to_listen_is_told_in_one_line() {
    refused(&[
        ("--listen *:80", &[], &format!(r#"--listen: "*:80" {ADDRESS}"#)),
        ("--listen=", &[], &format!(r#"--listen: "" {ADDRESS}"#)),
        ("-l ,", &[], &format!(r#"--listen: "," {ADDRESS}"#)),
        ("", &[("SWAGIP_LISTEN", "80, :x")], &format!(r#"SWAGIP_LISTEN: ":x" {ADDRESS}"#)),
        ("", &[("SWAGIP_LISTEN_PROXY", "80\nx")], &format!(r#"SWAGIP_LISTEN_PROXY: "80\nx" {ADDRESS}"#)),
        ("-l 127.0.0.1", &[], r#"--listen: "127.0.0.1" has no port: try 127.0.0.1:8080"#),
        ("-l ::1", &[], r#"--listen: "::1" has no port: try [::1]:8080"#),
        (
            "-l localhost:8080",
            &[],
            r#"--listen: "localhost:8080" is a hostname; only addresses are accepted: try 127.0.0.1:8080"#,
        ),
        (
            "-l web:80",
            &[],
            r#"--listen: "web:80" is a hostname; only addresses are accepted: try 80, or the address of that host"#,
        ),
        ("-l 70000", &[], r#"--listen: "70000" is not a port, the highest is 65535: try 8080"#),
        ("-l [::1]:70000", &[], r#"--listen: "[::1]:70000" has a port above 65535: try [::1]:8080"#),
        ("-l 21000,21001", &[], r#"--listen: "21000,21001" is a list: try --listen 21000 --listen 21001"#),
        ("-l 224.0.0.1:80", &[], r#"--listen: "224.0.0.1:80" is a multicast address, which TCP cannot use: try 80"#),
        ("-l [ff02::1]:80", &[], r#"--listen: "[ff02::1]:80" is a multicast address, which TCP cannot use: try 80"#),
        ("", &[("PORT", "tcp://10.0.0.1:80")], r#"PORT: "tcp://10.0.0.1:80" is not a port: try 8080"#),
        ("-l 0.0.0.0:80 -l [::]:80", &[], r#"--listen: "[::]:80" includes --listen: "0.0.0.0:80": leave that one out"#),
        ("-l [::]:80 -l 0.0.0.0:80", &[], r#"--listen: "0.0.0.0:80" is included in --listen: "[::]:80": leave it out"#),
        ("-l 80 -l :80", &[], r#"--listen: ":80" is the same as --listen: "80": leave one of them out"#),
        ("-l 80 --listen-proxy :80", &[], r#"--listen-proxy: ":80" overlaps with --listen: "80": try another port, like 81"#),
        ("-l 80 --listen-metrics :80", &[], r#"--listen-metrics: ":80" overlaps with --listen: "80": try another port, like 81"#),
        (
            "--listen-metrics 127.0.0.1:8080",
            &[],
            r#"--listen-metrics: "127.0.0.1:8080" overlaps with --listen, by default 8080: try another port, like 8081"#,
        ),
        (
            "--listen-metrics 80 --listen-metrics 80",
            &[],
            r#"--listen-metrics: "80" is the same as --listen-metrics: "80": leave one of them out"#,
        ),
        (
            "",
            &[("SWAGIP_LISTEN_METRICS", "localhost")],
            r#"SWAGIP_LISTEN_METRICS: "localhost" is a hostname; only addresses are accepted: try 127.0.0.1:8080"#,
        ),
        (
            "--listen-proxy 8080",
            &[],
            r#"--listen-proxy: "8080" would refuse every connection, because no proxy is trusted: add --trusted-proxy and the address of your proxy"#,
        ),
        ("healthcheck :x", &[], &format!(r#"healthcheck: ":x" {ADDRESS}"#)),
        ("healthcheck 127.0.0.1", &[], r#"healthcheck: "127.0.0.1" has no port: try 127.0.0.1:8080"#),
        ("healthcheck --listen *", &[], &format!(r#"--listen: "*" {ADDRESS}"#)),
    ]);
}

/// A service manager's variables; what is wrong with a descriptor: tests/service.
#[test]
fn what_a_service_manager_got_wrong_is_told_in_one_line() {
    let count = "is not a number of listeners from 0 to 1024: leave it to systemd";
    let none = "is not a socket's path or @name: leave it to systemd, or unset it";
    let micros = "is not a number of microseconds: leave it to systemd, or unset it";
    refused(&[
        ("", &[("LISTEN_FDS", "x")], &format!(r#"LISTEN_FDS: "x" {count}"#)),
        ("", &[("LISTEN_FDS", "-1")], &format!(r#"LISTEN_FDS: "-1" {count}"#)),
        ("", &[("LISTEN_FDS", "1025")], &format!(r#"LISTEN_FDS: "1025" {count}"#)),
        ("", &[("LISTEN_FDS", "1")], r#"LISTEN_FDS: "1" needs LISTEN_PID, which is not set: set that, or unset LISTEN_FDS"#),
        ("", &[("NOTIFY_SOCKET", "run/notify")], &format!(r#"NOTIFY_SOCKET: "run/notify" {none}"#)),
        ("", &[("NOTIFY_SOCKET", "vsock:2:1")], &format!(r#"NOTIFY_SOCKET: "vsock:2:1" {none}"#)),
        ("", &[("WATCHDOG_USEC", "0")], &format!(r#"WATCHDOG_USEC: "0" {micros}"#)),
        ("", &[("WATCHDOG_USEC", "1s")], &format!(r#"WATCHDOG_USEC: "1s" {micros}"#)),
    ]);
}

#[test]
fn whom_not_to_trust_is_told_in_one_line() {
    refused(&[
        (
            "--trusted-proxy haproxy",
            &[],
            r#"--trusted-proxy: "haproxy" is a hostname; only addresses are accepted: try 10.0.0.5"#,
        ),
        (
            "",
            &[("SWAGIP_TRUSTED_PROXIES", "10.0.0.1,proxy")],
            r#"SWAGIP_TRUSTED_PROXIES: "proxy" is a hostname; only addresses are accepted: try 10.0.0.5"#,
        ),
        (
            "--trusted-proxy 10.0.0.1,10.0.0.2",
            &[],
            r#"--trusted-proxy: "10.0.0.1,10.0.0.2" is a list: try --trusted-proxy 10.0.0.1 --trusted-proxy 10.0.0.2"#,
        ),
        (
            "--trusted-proxy 10.0.0.5:8080",
            &[],
            r#"--trusted-proxy: "10.0.0.5:8080" has a port, and a proxy connects from any port: try 10.0.0.5"#,
        ),
        ("--trusted-proxy [::1]", &[], r#"--trusted-proxy: "[::1]" has brackets: try ::1"#),
        (
            "--trusted-proxy private --trusted-proxy 10.0.0.0/33",
            &[],
            r#"--trusted-proxy: "10.0.0.0/33" needs a prefix length from 0 to 32: try 10.0.0.0/32"#,
        ),
        (
            "--trusted-proxy 10.0.0.0/255.255.0.0",
            &[],
            r#"--trusted-proxy: "10.0.0.0/255.255.0.0" is not written as a network: try 10.0.0.0/16"#,
        ),
        (
            "--trusted-proxy 10.0.0.*",
            &[],
            r#"--trusted-proxy: "10.0.0.*" is not an address or a network: try 10.0.0.5 or 10.0.0.0/24"#,
        ),
        ("-H x:y", &[], &format!(r#"--client-ip-header: "x:y" {HEADER} x-forwarded-for, x-real-ip or forwarded"#)),
    ]);
}

#[test]
fn what_else_is_wrong_is_told_in_one_line() {
    refused(&[
        ("-t 0", &[], &format!(r#"--threads: "0" {THREADS}"#)),
        ("-t -1", &[], &format!(r#"--threads: "-1" {THREADS}"#)),
        ("", &[("SWAGIP_THREADS", "two")], &format!(r#"SWAGIP_THREADS: "two" {THREADS}"#)),
        ("--served-by a·b", &[], &format!(r#"--served-by: "a b" {REPLICA} a-b"#)),
        (
            "--served-by 10.0.0.1",
            &[],
            r#"--served-by: "10.0.0.1" contains an IPv4 address, which some clients would take for their own: try 10-0-0-1"#,
        ),
        (
            "--served-by auto",
            &[("HOSTNAME", "my box")],
            &format!(r#"--served-by: "auto" finds the name "my box", which {REPLICA} my-box"#),
        ),
        (
            "--served-by auto",
            &[("HOSTNAME", "web-10.0.0.1")],
            r#"--served-by: "auto" finds the name "web-10.0.0.1", which contains an IPv4 address, which some clients would take for their own: try web-10-0-0-1"#,
        ),
        ("", &[("SWAGIP_HOSTNAME", "http://a")], r#"SWAGIP_HOSTNAME: "http://a" has a scheme: try a"#),
        ("--site-host a·b", &[], r#"--site-host: "a b" is not a host: try ip.example.org"#),
        (
            "--site-host a/$x",
            &[],
            r#"--site-host: "a/$x" has a path that is not segments of letters, digits, "-", ".", "_" and "~", 64 bytes at most: try a/myip"#,
        ),
        (
            "--site-host-ipv4 a:80",
            &[],
            r#"--site-host-ipv4: "a:80" is not a DNS name without scheme, port or path: try ip4.example.org"#,
        ),
        (
            "",
            &[("SWAGIP_HOSTNAME_IPV6", "[::1]")],
            r#"SWAGIP_HOSTNAME_IPV6: "[::1]" is not a DNS name without scheme, port or path: try ip4.example.org"#,
        ),
        (
            "--site-host-ipv4 a --site-host-ipv6 A",
            &[],
            r#"--site-host-ipv6: "A" is the name for IPv4, too: give each family a name of its own"#,
        ),
        ("--site-title=", &[], r#"--site-title: "" is not a line of text: try SwagIP"#),
        (
            "--site-title=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            &[],
            r#"--site-title: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is longer than 100 bytes: try SwagIP"#,
        ),
        ("--hide-field x:y", &[], &format!(r#"--hide-field: "x:y" {HEADER} x-secret"#)),
        ("--hide-field x,y", &[], r#"--hide-field: "x,y" is a list: try --hide-field x --hide-field y"#),
        ("", &[("SWAGIP_EXPLAIN", "maybe")], r#"SWAGIP_EXPLAIN: "maybe" is not a switch: try on or off"#),
        ("--explain=2", &[], r#"--explain: "2" is not a switch: try on or off"#),
        ("--port-test=2", &[], r#"--port-test: "2" is not a switch: try on or off"#),
        (
            "--reverse-dns dns.example",
            &[],
            r#"--reverse-dns: "dns.example" is a hostname: give the resolver's address, or "system""#,
        ),
        (
            "",
            &[("SWAGIP_REVERSE_DNS", "tls://9.9.9.9")],
            r#"SWAGIP_REVERSE_DNS: "tls://9.9.9.9" is not the address of a resolver: try 127.0.0.53, [::1]:5353 or "system""#,
        ),
        ("--reverse-dns", &[], "--reverse-dns needs a value: try --reverse-dns system"),
        ("--access-log=common", &[], r#"--access-log: "common" is not a format of the access log: try combined, json or off"#),
        ("--access-log-mask=2", &[], r#"--access-log-mask: "2" is not a switch: try on or off"#),
        ("", &[("SWAGIP_ACCESS_LOG_HEALTH", "x")], r#"SWAGIP_ACCESS_LOG_HEALTH: "x" is not a switch: try on or off"#),
        ("--max-connections 0", &[], r#"--max-connections: "0" is not a number of connections: try 10000"#),
        ("--max-connections-per-client 0", &[], r#"--max-connections-per-client: "0" is not a number of connections: try 100"#),
        ("-t 3 --max-connections 2", &[], r#"--max-connections: "2" is less than one for each of 3 threads: try --threads 2"#),
        ("--head-timeout 1h", &[], r#"--head-timeout: "1h" is in hours, which are not supported: try 60m"#),
        ("--head-timeout 1min", &[], &format!(r#"--head-timeout: "1min" {DURATION}"#)),
        ("--idle-timeout 0", &[], r#"--idle-timeout: "0" must be more than 0: try 500ms"#),
        ("", &[("SWAGIP_WRITE_TIMEOUT", "-1")], &format!(r#"SWAGIP_WRITE_TIMEOUT: "-1" {DURATION}"#)),
        ("--drain-timeout 1441m", &[], r#"--drain-timeout: "1441m" is more than 24 hours: try 1440m"#),
        (
            "--drain-grace 20",
            &[],
            r#"--drain-grace: "20" makes the drain timeout, 10s, shorter than the grace, 20s: try --drain-timeout 25s"#,
        ),
        (
            "",
            &[("SWAGIP_DRAIN_TIMEOUT", "500ms")],
            r#"SWAGIP_DRAIN_TIMEOUT: "500ms" makes the drain timeout, 500ms, shorter than the grace, 3s: try --drain-timeout 8s"#,
        ),
        ("", &[("RUST_LOG", "loud")], r#"RUST_LOG: "loud" is not a log level: try off, error, warn, info, debug or trace"#),
    ]);
}

#[test]
fn what_is_no_option_is_told_in_one_line() {
    refused(&[
        ("--lissten 80", &[], "unexpected argument '--lissten' found: try --listen"),
        ("--port 9000", &[], "unexpected argument '--port' found: try --listen 9000"),
        ("--port=9000", &[], "unexpected argument '--port' found: try --listen 9000"),
        ("--port", &[], "unexpected argument '--port' found: try --listen 8080"),
        ("--bind 0.0.0.0:80", &[], "unexpected argument '--bind' found: try --listen 0.0.0.0:80"),
        ("--bind 0.0.0.0", &[], "unexpected argument '--bind' found: try --listen 127.0.0.1:8080"),
        ("--verbose", &[], "unexpected argument '--verbose' found: try RUST_LOG=debug swagip"),
        ("-v", &[], "unexpected argument '-v' found: try -V for the version, or RUST_LOG=debug swagip"),
        ("--explain on", &[], "--explain takes its value after an equals sign: try --explain=on"),
        ("--port-test on", &[], "--port-test takes its value after an equals sign: try --port-test=on"),
        ("--access-log json", &[], "--access-log takes its value after an equals sign: try --access-log=json"),
        ("--access-log-mask on", &[], "--access-log-mask takes its value after an equals sign: try --access-log-mask=on"),
        ("--access-log on", &[], "unrecognized subcommand 'on': try --help"),
        ("9000", &[], "unrecognized subcommand '9000': try --listen 9000"),
        ("on", &[], "unrecognized subcommand 'on': try --help"),
        ("healtcheck", &[], "unrecognized subcommand 'healtcheck': try healthcheck"),
        ("\u{1b}[31mred", &[], r"unrecognized subcommand '\u{1b}[31mred': try --help"),
        ("healthcheck --threads 2", &[], "unexpected argument '--threads' found: try --help"),
        ("--threads", &[], "--threads needs a value: try --threads 2"),
        ("-t", &[], "--threads needs a value: try --threads 2"),
        ("--site-host", &[], "--site-host needs a value: try --site-host ip.example.org"),
        ("-t 1 -t 2", &[], "--threads is given twice: leave one of them out"),
        ("--explain --explain", &[], "--explain is given twice: leave one of them out"),
    ]);
}

#[test]
fn what_is_doubtful_is_told_and_served() {
    let not_read = "is not read, because no proxy is trusted: add --trusted-proxy and the address of your proxy";
    let everybody = "trusts every address, so clients can choose theirs: name only your proxies";
    let rows: &[(&str, Variables<'_>, &[&str])] = &[
        ("", &[("SWAGIP_LISTEN_PROXY", ""), ("SWAGIP_PORT", "tcp://10.0.0.1:80"), ("SWAGIP_HTTP_PORT", "80")], &[]),
        (
            "",
            &[("SWAGIP_TRUSTED_PROXY", "10.0.0.1"), ("SWAGIP_PORT", "8080")],
            &[
                "SWAGIP_PORT is not a known variable: try SWAGIP_LISTEN",
                "SWAGIP_TRUSTED_PROXY is not a known variable: try SWAGIP_TRUSTED_PROXIES",
            ],
        ),
        ("-H x-real-ip", &[], &[&format!(r#"--client-ip-header: "x-real-ip" {not_read}"#)]),
        ("--trusted-proxy 0.0.0.0/0", &[], &[&format!(r#"--trusted-proxy: "0.0.0.0/0" {everybody}"#)]),
        ("", &[("SWAGIP_TRUSTED_PROXIES", "::1,::/0")], &[&format!(r#"SWAGIP_TRUSTED_PROXIES: "::/0" {everybody}"#)]),
    ];
    for (arguments, variables, warnings) in rows {
        let server = Server::start(swagip(arguments, variables).args(["-l", "127.0.0.1:0"]));
        let told: Vec<_> = server.warnings.iter().map(|line| line.trim_end().split_once("] ").unwrap().1).collect();
        assert_eq!(told, *warnings, "{arguments} {variables:?}");
        assert!(ask(server.address(), "GET / HTTP/1.0\r\n\r\n").ends_with("127.0.0.1\n"));
    }
}

#[test]
fn a_number_of_connections_that_the_descriptors_cut_is_told() {
    let script = r#"ulimit -n 256 && exec "$0" -t 1 -l 127.0.0.1:0 --max-connections "$1""#;
    for (connections, told) in
        [("192", None), ("193", Some("--max-connections 193 is cut to 192 by the limit of 256 open files: try ulimit -n 257"))]
    {
        let server =
            Server::start(Command::new("sh").args(["-c", script, PROGRAM, connections]).env_clear().stderr(Stdio::piped()));
        let line = server.warnings.first().map(|line| line.trim_end().split_once("] ").unwrap().1);
        assert_eq!((line, server.warnings.len()), (told, usize::from(told.is_some())));
    }
}

#[test]
fn warnings_are_a_matter_of_the_log() {
    let server = Server::start(&mut swagip("-l 127.0.0.1:0", &[("SWAGIP_X", "1"), ("RUST_LOG", "error")]));
    assert_eq!(server.warnings, [""; 0]);
}

#[test]
fn a_value_that_is_not_utf8_is_told_too() {
    let outcome = outcome(swagip("--site-title", &[]).arg(OsStr::from_bytes(b"a\xff")));
    assert_eq!(outcome, (Some(2), String::new(), "--site-title: \"a\\xFF\" is not UTF-8\n".to_owned()));
}

#[test]
fn help_and_version() {
    let (code, help, errors) = outcome(&mut swagip("--help", &[("SWAGIP_THREADS", "x")]));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(help.starts_with("swagip tells ") && help.ends_with("not ready\n"), "{help}");
    assert_eq!(outcome(&mut swagip("-h", &[])).1, help);
    let (code, help, errors) = outcome(&mut swagip("healthcheck --help", &[]));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(help.starts_with("Asks a server on this machine for /ready"), "{help}");
    let version = format!("swagip {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(outcome(&mut swagip("-V", &[])), (Some(0), version, String::new()));
}

#[test]
fn standard_output_is_empty_while_it_serves() {
    let mut server = Server::start(&mut swagip("-l 127.0.0.1:0 --drain-grace 0", &[]));
    assert!(ask(server.address(), "GET / HTTP/1.0\r\n\r\n").ends_with("127.0.0.1\n"));
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let printed = std::io::read_to_string(server.process.0.stdout.take().unwrap()).unwrap();
    let told = std::io::read_to_string(server.stderr).unwrap();
    assert_eq!((printed.as_str(), told.as_str(), server.warnings), ("", "", vec![]));
}

#[test]
fn the_start_line_tells_where_and_whom_it_trusts() {
    for (arguments, expected) in [
        ("-l 127.0.0.1:0 -t 1", "listening on 127.0.0.1:PORT, 1 thread, trusting no proxy"),
        ("-l 0 -t 4", "listening on [::]:PORT, 4 threads, trusting no proxy"),
        (
            "-l 0 -t 2 --listen-metrics 127.0.0.1:0",
            "listening on [::]:PORT and 127.0.0.1:PORT (metrics), 2 threads, trusting no proxy",
        ),
        (
            "-l [::1]:0 --listen-proxy 127.0.0.1:0 -t 2 --trusted-proxy 10.0.0.0/8",
            "listening on [::1]:PORT and 127.0.0.1:PORT (PROXY protocol), 2 threads, trusting x-forwarded-for from 10.0.0.0/8",
        ),
    ] {
        let server = Server::start(&mut swagip(arguments, &[]));
        assert_eq!(without_ports(&server.start_line), format!("{expected}\n"), "{arguments}");
    }
}

#[test]
fn each_pinned_thread_has_a_cpu_of_its_own() {
    let server = Server::start(&mut swagip("-l 127.0.0.1:0 -t pinned", &[]));
    // "Cpus_allowed_list: 0-1,4"
    let allowed =
        |status: &str| status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim().to_owned();
    // All threads together, which have one each as soon as they run.
    let pinned = || -> Option<Vec<usize>> {
        let tasks = fs::read_dir(format!("/proc/{}/task", server.process.0.id())).unwrap();
        tasks.map(|task| allowed(&read(&task.unwrap().path().join("status"))).parse().ok()).collect()
    };
    let here = allowed(&read("/proc/self/status".as_ref()));
    let ranges = here.split(',').map(|range| range.split_once('-').unwrap_or((range, range)));
    let expected: BTreeSet<usize> = ranges.flat_map(|(first, last)| first.parse().unwrap()..=last.parse().unwrap()).collect();
    let since = Instant::now();
    let is_pinned = || pinned().is_some_and(|cpus| BTreeSet::from_iter(cpus) == expected);
    while !is_pinned() {
        assert!(since.elapsed() < PATIENCE, "{:?} are to be {expected:?}", pinned());
        thread::sleep(Duration::from_millis(1));
    }
    let plural = if expected.len() == 1 { "" } else { "s" };
    let line = format!("listening on 127.0.0.1:PORT, {} pinned thread{plural}, trusting no proxy\n", expected.len());
    assert_eq!(without_ports(&server.start_line), line);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Every chosen port replaced by `PORT`.
fn without_ports(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.rsplit_once(':') {
        Some((address, port)) => format!("{address}:PORT{}", port.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_taken_port_is_found_and_the_next_one_works() {
    for (arguments, variables) in [("-l ADDRESS", [].as_slice()), ("", &[("PORT", "NUMBER")])] {
        let holder = Server::start(&mut swagip("-l [::]:0 -t 2", &[]));
        let port = holder.address().port().to_string();
        let place = |text: &str| text.replace("ADDRESS", &format!("127.0.0.1:{port}")).replace("NUMBER", &port);
        let variables: Vec<_> = variables.iter().map(|(name, text)| (*name, place(text))).collect();
        let variables: Vec<_> = variables.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let (code, printed, line) = outcome(&mut swagip(&place(arguments), &variables));
        assert_eq!((code, printed.as_str()), (Some(1), ""));
        let subject = if arguments.is_empty() { format!("port {port}") } else { format!("127.0.0.1:{port}") };
        let next = line.strip_prefix(&format!("{subject} is taken: try ")).unwrap_or_else(|| panic!("{line}"));
        let next_port = next.trim().rsplit([' ', ':']).next().unwrap();
        assert_eq!(Server::start(&mut swagip(next, &[])).address().port().to_string(), next_port);
    }
}

#[test]
fn an_address_of_another_machine() {
    let (code, _, line) = outcome(&mut swagip("-l 192.0.2.1:8080", &[]));
    assert_eq!((code, line.as_str()), (Some(1), "192.0.2.1:8080 is not an address of this machine: try --listen 8080\n"));
}

#[test]
fn either_signal_ends_it_with_0() {
    for (signal, arguments) in [("TERM", "--drain-grace 0"), ("INT", "--drain-grace 9s")] {
        let mut server = Server::start(swagip(arguments, &[]).args(["-l", "127.0.0.1:0"]));
        let asked = Instant::now();
        server.signal(signal);
        assert_eq!(server.end(), Some(0), "{signal}");
        assert!(asked.elapsed() < Duration::from_secs(8), "{signal}: {:?}", asked.elapsed());
    }
}

#[test]
fn a_second_signal_ends_it_at_once_with_0() {
    let mut server = Server::start(&mut swagip("-l 127.0.0.1:0 --drain-grace 1m --drain-timeout 1m", &[]));
    server.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while !ask(server.address(), "GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").contains("draining") {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(5));
    }
    let asked = Instant::now();
    server.signal("INT");
    assert_eq!(server.end(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[test]
fn the_healthcheck_asks_the_server() {
    for listen in ["--listen", "--listen-proxy"] {
        for address in ["0", "127.0.0.1:0", "[::1]:0", "[::]:0", "0.0.0.0:0"] {
            let server = Server::start(&mut swagip(&format!("{listen} {address} --trusted-proxy 192.0.2.1"), &[]));
            let address = address.strip_suffix('0').unwrap();
            // Also where its options do not say that this is a PROXY listener.
            for how in [listen, "--listen", ""] {
                let asked = format!("healthcheck {how} {address}{}", server.address().port());
                assert_eq!(outcome(&mut swagip(&asked, &[])), (Some(0), String::new(), String::new()), "{asked}");
            }
        }
    }
}

#[test]
fn the_healthcheck_fails_while_draining() {
    let server = Server::start(&mut swagip("-l 127.0.0.1:0 --drain-grace 1m --drain-timeout 1m", &[]));
    let check = || outcome(&mut swagip(&format!("healthcheck {}", server.address()), &[]));
    assert_eq!(check().0, Some(0));
    server.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while check().0 == Some(0) {
        assert!(Instant::now() < deadline);
    }
    let line = format!("{} answers \"HTTP/1.1 404 Not Found\", \"draining\"\n", server.address());
    assert_eq!(check(), (Some(1), String::new(), line));
}

#[test]
fn the_healthcheck_says_why_it_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let check = || outcome(&mut swagip("healthcheck", &[("SWAGIP_LISTEN", &address.to_string())]));

    // The kernel accepts for it, and nothing comes.
    let asked = Instant::now();
    assert_eq!(check(), (Some(1), String::new(), format!("{address}: no answer within 2s\n")));
    assert!(asked.elapsed() < Duration::from_secs(4));

    drop(listener);
    assert_eq!(check(), (Some(1), String::new(), format!("{address}: connection refused: nothing is listening\n")));
}

#[test]
fn the_healthcheck_says_what_it_met() {
    let plain = Server::start(&mut swagip("-l 127.0.0.1:0", &[])).address();
    let server = Server::start(&mut swagip("-l 127.0.0.1:0", &[]));
    let address = server.address();
    let outcome_of = |arguments: String| outcome(&mut swagip(&arguments, &[]));
    let line =
        format!("{address} answers \"HTTP/1.1 400 Bad Request\", \"this listener takes no PROXY header: see --listen-proxy\"\n");
    assert_eq!(outcome_of(format!("healthcheck --listen-proxy {address}")), (Some(1), String::new(), line));
    assert_eq!(outcome_of(format!("healthcheck {plain}")).2, format!("{plain}: connection refused: nothing is listening\n"));

    // A PROXY listener that trusts not even us: it closes, whatever is said.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut check = Process(swagip(&format!("healthcheck {address}"), &[]).spawn().unwrap());
    for _ in 0..2 {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
    }
    assert_eq!(check.end().code(), Some(1));
    let line = format!(
        "{address} closed the connection without an answer: a PROXY listener answers loopback addresses and trusted proxies only\n"
    );
    assert_eq!(std::io::read_to_string(check.0.stderr.take().unwrap()).unwrap(), line);
}

#[test]
fn the_healthcheck_says_local_to_a_proxy_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let arguments = format!("healthcheck --listen-proxy {}", listener.local_addr().unwrap());
    let mut check = Process(swagip(&arguments, &[]).spawn().unwrap());
    let (mut stream, _) = listener.accept().unwrap();
    let expected = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut received = [0; 75];
    stream.read_exact(&mut received).unwrap();
    assert_eq!(&received, expected);
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    drop(stream);
    assert_eq!(check.end().code(), Some(0));
}
