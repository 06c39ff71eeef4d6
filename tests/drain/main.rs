//! Stopping without losing a request: http.md's section on stopping, over real sockets.
//!
//! What is asked for first is seen to have happened by bytes: an answer says `draining`, a connection is refused. Clocks only
//! bound what must not take for ever.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)]

mod connections;
mod ending;
mod program;
mod queue;
mod readiness;
mod signals;
#[path = "../support/mod.rs"]
mod support;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use support::Answer;

const GET: &[u8] = b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n";
const CONTENT: &str = "127.0.0.1\n";

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that can tell one answer from the next, and a FIN from a reset.
struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    fn new(address: SocketAddr) -> Client {
        Client::try_new(address).unwrap()
    }

    fn try_new(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, received: Vec::new() })
    }

    /// One that has been answered once and is idle.
    fn idle(address: SocketAddr) -> Client {
        let mut client = Client::new(address);
        assert!(!client.ask(GET).unwrap().closes());
        client
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request)?;
        self.answer()
    }

    /// The next answer, which is to something else than HEAD. A FIN before its first byte is [`ErrorKind::UnexpectedEof`].
    fn answer(&mut self) -> io::Result<Answer> {
        loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                let (mut answer, _) = Answer::head(&self.received);
                let length: usize = answer.field("Content-Length").map_or(0, |length| length.parse().unwrap());
                if self.received.len() >= end + 4 + length {
                    answer.content = self.received[end + 4..end + 4 + length].to_vec();
                    self.received.drain(..end + 4 + length);
                    return Ok(answer);
                }
            }
            if self.receive()? == 0 {
                assert!(self.received.is_empty(), "an answer is cut: {:?}", String::from_utf8_lossy(&self.received));
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn receive(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 64 * 1024];
        let length = loop {
            match self.stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        self.received.extend_from_slice(&buffer[..length]);
        Ok(length)
    }

    /// Reads to the FIN: all the answers that there still are.
    fn rest(&mut self) -> Vec<Answer> {
        while self.receive().unwrap() > 0 {}
        Answer::all(&std::mem::take(&mut self.received))
    }

    /// The FIN comes next.
    fn ends(&mut self) {
        assert_eq!(self.rest(), []);
    }
}

impl Answer {
    fn closes(&self) -> bool {
        self.field("Connection") == Some("close")
    }

    /// The right answer to [`GET`].
    fn is_right(&self) -> bool {
        self.status == 200 && self.text() == CONTENT
    }
}

/// Waits until the order to stop has reached all threads: this many answers in a row don't all come from the same one.
fn until_draining(address: SocketAddr) {
    let request = b"GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    wait(|| (0..30).all(|_| Client::new(address).ask(request).unwrap().status == 404));
}

/// Waits until nobody listens there. An attempt is given up soon, because one alone could wait for a second.
fn until_closed(address: SocketAddr) {
    wait(|| {
        let attempt = TcpStream::connect_timeout(&address, Duration::from_millis(20));
        attempt.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    });
}

fn wait(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(2));
    }
}
