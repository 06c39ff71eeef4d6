//! What the operator reads on stderr: once a start of a proxy that nobody trusts, and once a minute of wrong PROXY headers.

use super::arrangements::APPENDING;
use super::clients::{CLIENTS, HONEST, ONE_LINE, REFUSED};
use super::headers::refused;
use super::network::{self, CLIENT, INSIDER, OUTER, PROXY, SWAGIP};
use super::programs::HaProxy;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};

/// The program itself.
struct Program(Child, BufReader<ChildStderr>);

impl Program {
    fn start(arguments: &[&str]) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swagip"));
        command.args(["--explain", "--drain-grace", "0"]).args(arguments).env_remove("RUST_LOG");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let is_start = |line: String| line.starts_with("listening on ");
        assert!(stderr.by_ref().lines().map(Result::unwrap).any(is_start), "it did not start");
        Program(child, stderr)
    }

    /// What it has written to stderr since it began to listen, without the times and modules in brackets.
    fn lines(mut self) -> Vec<String> {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        let mut text = String::new();
        self.1.read_to_string(&mut text).unwrap();
        text.lines().map(|line| line.split_once("] ").unwrap().1.to_owned()).collect()
    }
}

#[test]
fn a_proxy_that_nobody_trusts_is_pointed_out_once() {
    network::alone("warnings::a_proxy_that_nobody_trusts_is_pointed_out_once", || {
        let program = Program::start(&["--listen", "10.0.0.80:80", "--threads", "4", "--trusted-proxy", "192.0.2.1"]);
        let entry = SocketAddr::new(SWAGIP[0], 80);
        // From a client of the internet such a field is no news, and a private address without one is a client.
        CLIENTS.iter().filter(|client| client.name != REFUSED.name).for_each(|client| drop(client.ask(CLIENT[0], entry)));
        HONEST.ask(INSIDER[0], entry);

        for haproxy in HaProxy::all() {
            // The IPv6 way is not served here, nor needed.
            let (_proxies, entries) = APPENDING.start(Some(&haproxy));
            assert_eq!(
                HONEST.ask(CLIENT[0], entries[0]).explained,
                "peer=10.0.0.1 client\nip=10.0.0.1\nnote=x-forwarded-for was sent and not read: 10.0.0.1 is not trusted\n"
            );
        }
        for _ in 0..20 {
            ONE_LINE.ask(OUTER[0], entry);
        }
        assert_eq!(
            program.lines(),
            ["10.0.0.1 sends forwarding headers and is not trusted: if it is your proxy, add --trusted-proxy 10.0.0.1"]
        );
    });
}

#[test]
fn with_nobody_trusted_a_peer_of_the_internet_is_pointed_out_too() {
    network::alone("warnings::with_nobody_trusted_a_peer_of_the_internet_is_pointed_out_too", || {
        let program = Program::start(&["--listen", "10.0.0.80:80", "--threads", "1"]);
        let entry = SocketAddr::new(SWAGIP[0], 80);
        HONEST.ask(CLIENT[0], entry);
        ONE_LINE.ask(CLIENT[0], entry);
        ONE_LINE.ask(OUTER[0], entry);
        let warning =
            "203.0.113.9 sends forwarding headers and is not trusted: if it is your proxy, add --trusted-proxy 203.0.113.9";
        assert_eq!(program.lines(), [warning]);
    });
}

#[test]
fn wrong_proxy_headers_are_told_once_a_minute() {
    network::alone("warnings::wrong_proxy_headers_are_told_once_a_minute", || {
        let program = Program::start(&["--listen-proxy", "10.0.0.80:81", "--trusted-proxy", "10.0.0.1", "--threads", "4"]);
        for _ in 0..20 {
            refused(CLIENT[0], b"PROXY UNKNOWN\r\n");
            refused(OUTER[0], b"PROXY UNKNOWN\r\n");
            refused(PROXY[0], b"");
        }
        assert_eq!(
            program.lines(),
            ["connections closed for their PROXY header: 1; the last one: its sender is not a --trusted-proxy"]
        );
    });
}
