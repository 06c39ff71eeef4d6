//! A server in this process or its own, and what a client needs to ask it.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

pub mod play;
pub mod process;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use swagip::client::Rule;
use swagip::net::{Limits, Listen, ListenerKind, Order, Server, Settings, Stopper, Threads};
use swagip::observe::metrics::LinesDropped;
use swagip::resource::Site;

/// A server that is stopped when it is dropped.
pub struct TestServer {
    /// The first of the addresses.
    pub address: SocketAddr,
    /// Where it listens, in the order of the settings.
    pub addresses: Vec<SocketAddr>,
    stopper: Stopper,
    running: Option<JoinHandle<io::Result<()>>>,
}

/// Settings for one thread on a free port of the IPv4 loopback.
pub fn settings() -> Settings {
    Settings {
        listeners: vec![Listen { address: ([127, 0, 0, 1], 0).into(), any: false, kind: ListenerKind::Plain }],
        inherited: Vec::new(),
        supervision: None,
        threads: Threads::Spread(NonZeroUsize::MIN),
        limits: Limits::default(),
        rule: Rule::default(),
        resolver: None,
        site: Site { title: "SwagIP".to_owned(), ..Site::default() },
        access_log: None,
        databases: None,
        log_lines_dropped: LinesDropped::default(),
    }
}

impl TestServer {
    pub fn start() -> TestServer {
        TestServer::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> TestServer {
        let mut settings = settings();
        change(&mut settings);
        let stopper = Stopper::new().unwrap();
        let server = Server::bind(&settings, &stopper).unwrap();
        let addresses: Vec<_> = server.addresses().collect();
        let running = thread::Builder::new().name("worker-0".to_owned()).spawn(|| server.run()).unwrap();
        TestServer { address: addresses[0], addresses, stopper, running: Some(running) }
    }

    /// Asks for a stop with its grace, which happens a little later.
    pub fn drain(&self) {
        self.stopper.stop(Order::Drain);
    }

    /// To stop it before it is dropped.
    pub fn stopper(&self) -> &Stopper {
        &self.stopper
    }

    /// Waits until it has stopped.
    pub fn join(mut self) {
        self.running.take().unwrap().join().unwrap().unwrap();
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Sends all, then the FIN, and reads to the end.
    pub fn ask(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        ask(self.address, bytes)
    }

    /// The answer to one GET with these field lines (each ending in CRLF).
    pub fn get(&self, target: &str, fields: &str) -> Answer {
        get(self.address, target, fields)
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// See [`TestServer::ask`].
pub fn ask(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = connect(address);
    stream.write_all(bytes.as_ref()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// See [`TestServer::get`].
pub fn get(address: SocketAddr, target: &str, fields: &str) -> Answer {
    let answers = Answer::all(&ask(address, format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")));
    assert_eq!(answers.len(), 1, "one answer to {target}");
    answers.into_iter().next().unwrap()
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.stopper.stop(Order::DrainAtOnce);
            let ended = running.join();
            // A worker's panic fails the test anyway; a second panic here would hide it.
            if !thread::panicking() {
                ended.unwrap().unwrap();
            }
        }
    }
}

/// A parsed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// All field lines in their order, names as sent.
    pub fields: Vec<(String, String)>,
    pub content: Vec<u8>,
}

impl Answer {
    /// Parses the answers to GETs and errors; panics if they are malformed. For answers to HEAD see [`Answer::head`].
    pub fn all(mut bytes: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        while !bytes.is_empty() {
            let (mut answer, rest) = Answer::head(bytes);
            let length = answer.field("Content-Length").map_or(0, |length| length.parse().unwrap());
            assert!(rest.len() >= length, "content is cut: {:?}", String::from_utf8_lossy(bytes));
            answer.content = rest[..length].to_vec();
            bytes = &rest[length..];
            answers.push(answer);
        }
        answers
    }

    /// Parses one head, and returns what follows it.
    pub fn head(bytes: &[u8]) -> (Answer, &[u8]) {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a complete head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
        (Answer { status, fields: lines.map(field).collect(), content: Vec::new() }, &bytes[end + 4..])
    }

    /// The value of the only field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values =
            self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} comes once");
        value
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}
