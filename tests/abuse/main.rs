//! Clients that mean harm, or do it. Each test ends by itself: deadlines are set short, floods are bounded, and where a server
//! has to be watched from outside it is a process of its own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

mod attack;
mod process;

mod clients;
mod fairness;
mod floods;
mod full;
mod idle;
mod leaving;
mod memory;
mod pipes;
mod readers;
mod slow;
mod stall;
mod turns;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

pub const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
pub const LAST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Longer than anything here takes, on a slow machine that does other things too.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Asks once and leaves the connection open.
pub fn ask(stream: &mut TcpStream) {
    stream.write_all(GET).unwrap();
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{:?}", String::from_utf8_lossy(&answer[..length]));
}

/// All that comes until the server closes, which must not be a reset.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether the server has closed the connection; waits a moment for it.
pub fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let outcome = stream.read(&mut [0; 1]);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    match outcome {
        Ok(0) => true,
        Ok(_) => panic!("it sent something"),
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// Pipelines requests and reads no answer, until the server takes no more.
pub fn fill(mut stream: TcpStream) -> TcpStream {
    stream.set_nonblocking(true).unwrap();
    let requests = GET.repeat(1000);
    let (mut stuck, start) = (0, Instant::now());
    while stuck < 20 {
        assert!(start.elapsed() < PATIENCE, "it reads on and on");
        match stream.write(&requests) {
            Ok(_) => stuck = 0,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stuck += 1;
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
    stream
}

/// New clients are answered within 100 ms, at least half of them: this machine runs other tests meanwhile, and for their sake
/// there are three tries. A server that keeps clients waiting does so each time.
pub fn assert_serves_new_clients(address: SocketAddr) {
    let slow: Vec<Duration> =
        (0..3).map(|_| median_answer(address)).take_while(|time| *time > Duration::from_millis(100)).collect();
    assert!(slow.len() < 3, "half of the clients wait longer than {slow:?}");
}

fn median_answer(address: SocketAddr) -> Duration {
    let answer = |_| {
        let start = Instant::now();
        let mut stream = connect(address);
        stream.write_all(LAST).unwrap();
        let answer = rest(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
        start.elapsed()
    };
    let mut times: Vec<Duration> = (0..15).map(answer).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// Room for many connections, whatever shell the tests were started from.
pub fn raise_descriptor_limit() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}
