//! Names by real resolvers: unbound and dnsmasq, each with records of the test's own. Needs both: `tests/run resolvers`.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::TestServer;
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::resource::ReverseDns;

/// Killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, arguments: &[String]) -> Running {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin").stdin(Stdio::null());
    Running(command.spawn().unwrap_or_else(|error| panic!("NOT RUN: {program}: {error}")))
}

fn free_port() -> u16 {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// What is answered for these clients: a name that leads back, over IPv4 and IPv6; one that does not; none.
fn answers_with(port: u16) {
    let resolver = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = TestServer::with(|settings| {
        settings.rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
        settings.resolver = Some(resolver);
        settings.site.reverse_dns = ReverseDns::All;
    });
    let ask = |client: &str| {
        let answer = server.get("/hostname", &format!("X-Forwarded-For: {client}\r\n"));
        (answer.status, answer.text())
    };
    let end = Instant::now() + Duration::from_secs(20);
    while ask("203.0.113.9").0 != 200 && Instant::now() < end {
        thread::sleep(Duration::from_millis(50));
    }
    for (client, expected) in [
        ("203.0.113.9", (200, "nine.example\n")),
        ("2001:db8::9", (200, "nine.example\n")),
        ("203.0.113.8", (404, "")),
        ("203.0.113.7", (404, "")),
    ] {
        assert_eq!(ask(client), (expected.0, expected.1.to_owned()), "{client}");
    }
    let json = server.get("/hostname", "X-Forwarded-For: 203.0.113.8\r\nAccept: application/json\r\n").text();
    assert!(json.contains("\"hostname\": \"nine.example\",\n  \"confirmed\": false"), "{json}");
}

#[test]
fn dnsmasq() {
    let port = free_port();
    let options = [
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--listen-address=127.0.0.1",
        "--host-record=nine.example,203.0.113.9,2001:db8::9",
        "--ptr-record=8.113.0.203.in-addr.arpa,nine.example",
    ];
    let mut arguments: Vec<String> = options.map(str::to_owned).to_vec();
    arguments.push(format!("--port={port}"));
    let _running = start("dnsmasq", &arguments);
    answers_with(port);
}

#[test]
fn unbound() {
    let port = free_port();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("unbound.conf");
    let records = [
        "nine.example. A 203.0.113.9",
        "nine.example. AAAA 2001:db8::9",
        "9.113.0.203.in-addr.arpa. PTR nine.example.",
        "8.113.0.203.in-addr.arpa. PTR nine.example.",
        "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR nine.example.",
    ];
    let data: String = records.iter().map(|record| format!("  local-data: \"{record}\"\n")).collect();
    let zones = ["example.", "113.0.203.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."];
    let zones: String = zones.iter().map(|zone| format!("  local-zone: \"{zone}\" static\n")).collect();
    let text = format!(
        "server:\n  interface: 127.0.0.1@{port}\n  username: \"\"\n  chroot: \"\"\n  directory: \"/\"\n  pidfile: \"\"\n  \
         use-syslog: no\n  do-daemonize: no\n{zones}{data}remote-control:\n  control-enable: no\n"
    );
    fs::write(&path, text).unwrap();
    let _running = start("unbound", &["-d".to_owned(), "-c".to_owned(), path.to_str().unwrap().to_owned()]);
    answers_with(port);
}
