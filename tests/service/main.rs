//! What a service manager hands down and is told, without one: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3). With one:
//! `tests/service/run`.

#![allow(clippy::unwrap_used)]

mod activation;
#[path = "../support/mmdb.rs"]
mod mmdb;
mod notification;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Standard input and output become descriptors 3 and 4, and this process becomes the program.
const HAND_DOWN: &str = r#"exec 3<&0 4<&1 </dev/null >/dev/null; export LISTEN_PID=$$; exec "$@""#;

type Variables<'v> = &'v [(&'v str, &'v str)];

/// The program with these listeners, two at most.
fn swagip(listeners: &[&TcpListener], variables: Variables<'_>, arguments: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", HAND_DOWN, "sh", env!("CARGO_BIN_EXE_swagip")]).args(arguments.split_whitespace()).env_clear();
    let handed =
        |index: usize| listeners.get(index).map_or(Stdio::null(), |listener| OwnedFd::from(listener.try_clone().unwrap()).into());
    if !listeners.is_empty() {
        command.env("LISTEN_FDS", listeners.len().to_string());
    }
    command.stdin(handed(0)).stdout(handed(1)).stderr(Stdio::piped()).envs(variables.iter().copied());
    command
}

/// A server that has told where it listens. Killed where a test fails.
struct Server {
    child: Child,
    start_line: String,
}

impl Server {
    fn start(listeners: &[&TcpListener], variables: Variables<'_>, arguments: &str) -> Server {
        Server::spawn(&mut swagip(listeners, variables, arguments))
    }

    fn spawn(command: &mut Command) -> Server {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines().map(Result::unwrap);
        let start_line = lines.find(|line| line.starts_with("listening on ")).unwrap();
        Server { child, start_line }
    }

    fn signal(&self, signal: &str) {
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(id, format!("SIG{signal}").parse::<Signal>().unwrap()).unwrap();
    }

    /// Has it stop, and waits until it has.
    fn stop(mut self) {
        self.signal("TERM");
        wait(|| self.child.try_wait().unwrap().is_some());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(2));
    }
}

/// A connection on which this was sent.
fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

const GET: &str = "GET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// The last line of all that comes.
fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().last().unwrap_or_default().to_owned()
}
