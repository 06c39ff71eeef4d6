//! A log that nobody reads.

use crate::{PATIENCE, assert_serves_new_clients, connect, rest};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a pipe that is not full takes at once.
const PIECE: usize = 4096;

const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A server whose standard output and standard error are one pipe, of which the other end is here.
struct Logging {
    child: Child,
    address: SocketAddr,
    log: Option<PipeReader>,
    /// The server's end, to fill it.
    pipe: PipeWriter,
}

impl Logging {
    fn start(threads: &str) -> Logging {
        let (log, pipe) = pipe().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_swagip"));
        command.args(["--listen", "127.0.0.1:0", "--threads", threads, "--max-connections", threads]);
        command.args(["--drain-grace", "0.5", "--drain-timeout", &DRAIN_TIMEOUT.as_secs().to_string()]);
        command.stdin(Stdio::null()).stdout(pipe.try_clone().unwrap()).stderr(pipe.try_clone().unwrap());
        let child = command.spawn().unwrap();
        let mut server = Logging { child, address: ([127, 0, 0, 1], 0).into(), log: Some(log), pipe };
        let mut lines = String::new();
        wait(|| {
            lines += &server.drained();
            lines.contains("listening on ") && lines.ends_with('\n')
        });
        // Warnings may come before it: of variables, say, that the tests themselves are run with.
        let start = lines.split_once("listening on ").unwrap().1;
        server.address = start.split(',').next().unwrap().parse().unwrap();
        server
    }

    fn fill(&mut self) {
        while is_ready(&self.pipe, PollFlags::POLLOUT) {
            self.pipe.write_all(&[b'x'; PIECE]).unwrap();
        }
    }

    /// What nobody has read yet.
    fn drained(&mut self) -> String {
        let log = self.log.as_mut().unwrap();
        let mut text = Vec::new();
        while is_ready(log, PollFlags::POLLIN) {
            let mut piece = [0; PIECE];
            let length = log.read(&mut piece).unwrap();
            text.extend_from_slice(&piece[..length]);
        }
        String::from_utf8(text).unwrap().trim_start_matches('x').to_owned()
    }

    /// Has it end, and tells how and how soon.
    fn stop(mut self, signal: &str) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        wait(|| self.child.try_wait().unwrap().is_some());
        (self.child.wait().unwrap().code(), began.elapsed())
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_ready(descriptor: &impl AsFd, event: PollFlags) -> bool {
    poll(&mut [PollFd::new(descriptor.as_fd(), event)], PollTimeout::ZERO).unwrap() > 0
}

fn wait(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it takes too long");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends something that is worth a line.
fn provoke(server: SocketAddr, what: &str) {
    let mut stream = connect(server);
    stream.write_all(what.as_bytes()).unwrap();
    rest(&mut stream);
}

const FORWARDED: &str = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n";
const PROXY: &str = "PROXY TCP4 192.0.2.1 192.0.2.2 1 1\r\n";

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_says_later_what_is_missing() {
    for threads in ["1", "2"] {
        let mut server = Logging::start(threads);
        server.fill();
        // More connections than there may be, and a header that is not for this listener: a line each.
        let idle: Vec<TcpStream> = (0..20)
            .map(|_| {
                let mut stream = connect(server.address);
                crate::ask(&mut stream);
                thread::sleep(Duration::from_millis(3));
                stream
            })
            .collect();
        provoke(server.address, PROXY);
        assert_serves_new_clients(server.address);
        assert_eq!(server.drained(), "");
        provoke(server.address, FORWARDED);
        let mut told = String::new();
        wait(|| {
            told += &server.drained();
            told.lines().count() == 2 && told.ends_with('\n')
        });
        let (count, line) = told.split_once('\n').unwrap();
        assert_eq!(count, "2 log lines were dropped: nobody read them");
        assert!(line.contains("is not trusted: if it is your proxy") && line.lines().count() == 1, "{line}");
        drop(idle);
    }
}

#[test]
fn a_log_that_nobody_reads_keeps_it_from_no_end() {
    for threads in ["1", "2"] {
        for signal in ["TERM", "INT"] {
            let mut server = Logging::start(threads);
            server.fill();
            // Half a head, for which it waits until the drain timeout.
            let mut half = connect(server.address);
            half.write_all(b"GET /").unwrap();
            provoke(server.address, PROXY);
            thread::sleep(Duration::from_millis(50));
            let (code, after) = server.stop(signal);
            assert_eq!(code, Some(0), "{signal}");
            assert!(after < DRAIN_TIMEOUT + Duration::from_secs(1), "{signal}: {after:?}");
        }
    }
}

/// The reader has gone, as when a terminal is closed.
#[test]
fn a_log_without_a_reader_stops_nothing() {
    let mut server = Logging::start("1");
    // The last end to read from.
    server.log = None;
    provoke(server.address, PROXY);
    provoke(server.address, FORWARDED);
    assert_serves_new_clients(server.address);
    let (code, _) = server.stop("INT");
    assert_eq!(code, Some(0));
}
