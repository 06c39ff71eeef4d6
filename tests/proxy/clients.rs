//! Clients: an honest one, and those that forge every field they can.

use super::support::Answer;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::fmt;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// What a client sends besides what everybody does.
pub struct Client {
    pub name: &'static str,
    /// Values of `X-Forwarded-For` and its kin, a line for each.
    lists: &'static [&'static str],
    /// Values of `Forwarded`, a line for each.
    forwarded: &'static [&'static str],
    /// More field lines.
    others: &'static str,
    content: &'static str,
    /// Before the request.
    before: &'static str,
}

const NOTHING: Client = Client { name: "", lists: &[], forwarded: &[], others: "", content: "", before: "" };

/// The fields that hold lists of addresses; a client forges all of them at once.
const LISTS: [&str; 5] = ["X-Forwarded-For", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP"];

pub const HONEST: Client = Client { name: "honest", ..NOTHING };

pub const ONE_LINE: Client = Client {
    name: "one line: 6.6.6.6",
    lists: &["6.6.6.6"],
    forwarded: &["for=6.6.6.6;proto=https"],
    others: "X-Forwarded-Proto: https\r\n",
    ..NOTHING
};

pub const CLIENTS: [Client; 14] = [
    HONEST,
    ONE_LINE,
    Client { name: "two lines", lists: &["6.6.6.6", "7.7.7.7"], forwarded: &["for=6.6.6.6", "for=7.7.7.7"], ..NOTHING },
    Client { name: "6.6.6.6, 7.7.7.7", lists: &["6.6.6.6, 7.7.7.7"], forwarded: &["for=6.6.6.6, for=7.7.7.7"], ..NOTHING },
    Client {
        name: "IPv6, with a port",
        lists: &["[2001:db8:6::6]:666"],
        forwarded: &["for=\"[2001:db8:6::6]:666\";proto=https"],
        ..NOTHING
    },
    Client {
        name: "a proxy's addresses",
        lists: &["6.6.6.6, 10.0.0.2, 10.0.0.1", "2001:db8:a::1"],
        forwarded: &["for=6.6.6.6, for=10.0.0.1", "for=\"[2001:db8:a::1]\""],
        ..NOTHING
    },
    Client {
        name: "X_Forwarded_For",
        others: "X_Forwarded_For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nX_Client_IP: 6.6.6.6\r\n",
        ..NOTHING
    },
    Client { name: "an empty line", lists: &[""], forwarded: &[""], ..NOTHING },
    Client { name: "empty lines and commas", lists: &["", " , ,, "], forwarded: &["", ",", ";"], ..NOTHING },
    Client {
        name: "garbage",
        lists: &["unknown, _x, \"\\, 6.6.6.6;\u{e9}"],
        forwarded: &["for=unknown, for=_x", "for=6.6.6.6;for=, =\\\u{e9}"],
        ..NOTHING
    },
    Client { name: "an open quote", lists: &["\"6.6.6.6"], forwarded: &["for=6.6.6.6;by=\""], ..NOTHING },
    Client {
        name: "Connection names the fields",
        lists: &["6.6.6.6"],
        forwarded: &["for=6.6.6.6"],
        others: "Connection: keep-alive, X-Forwarded-For, X-Real-IP, X-Client-IP, Forwarded\r\n",
        ..NOTHING
    },
    Client {
        name: "a PROXY header in its content",
        content: "PROXY TCP4 6.6.6.6 10.0.0.80 666 80\r\nGET /ip HTTP/1.1\r\nHost: a\r\nA: 6.6.6.6\r\n\r\n",
        ..NOTHING
    },
    REFUSED,
];

/// The one that is to get no answer but a refusal, from whomever.
pub const REFUSED: Client =
    Client { name: "a PROXY header before its request", before: "PROXY TCP4 6.6.6.6 10.0.0.80 666 80\r\n", ..NOTHING };

/// What swagip says of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// An address, and a port where it is known.
    As {
        address: IpAddr,
        port: Option<u16>,
    },
    Refused,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match *self {
            Seen::As { address, port: Some(port) } => SocketAddr::new(address, port).to_string(),
            Seen::As { address, port: None } => address.to_string(),
            Seen::Refused => "refused".to_owned(),
        };
        f.pad(&shown)
    }
}

/// All that was seen on one connection.
pub struct Report {
    pub seen: Seen,
    /// The port that the client's connection really has.
    pub port: u16,
    pub scheme: Option<String>,
    /// `/explain` in text.
    pub explained: String,
}

impl Client {
    /// Asks for everything that tells the address, on one connection from `source`; all answers have to agree.
    pub fn ask(&self, source: IpAddr, entry: SocketAddr) -> Report {
        let mut connection = Connection::open(source, entry);
        let port = connection.port();
        let Some(ip) = connection.get(&self.request("/ip", TEXT)) else {
            return Report { seen: Seen::Refused, port, scheme: None, explained: String::new() };
        };
        let mut get = |target, accept| connection.get(&self.request(target, accept)).unwrap();
        let address: IpAddr = ip.text().trim_end().parse().unwrap();
        let known: Option<u16> = get("/port", TEXT).text().trim_end().parse().ok();
        assert_eq!((ip.status, get("/port", TEXT).status), (200, if known.is_some() { 200 } else { 404 }));
        assert_eq!(get("/source-ip", TEXT).content, ip.content);
        assert_eq!(get("/source-port", TEXT).content, get("/port", TEXT).content);
        let explained = get("/explain", TEXT).text();
        assert!(explained.lines().any(|line| line == format!("ip={address}")), "{explained}");

        let mut json = |target| -> Value { serde_json::from_slice(&get(target, JSON).content).unwrap() };
        let (client, all, explanation) = (json("/json"), json("/all"), json("/explain"));
        let both = (&Value::from(address.to_string()), &Value::from(known));
        assert_eq!((&client["ip"], &client["port"]), both);
        assert_eq!((&all["Source-IP"], &all["Source-Port"]), both);
        assert_eq!((&explanation["ip"], &explanation["port"]), both);
        check_hops(&explanation);
        let scheme = explanation["scheme"].as_str().map(str::to_owned);
        Report { seen: Seen::As { address, port: known }, port, scheme, explained }
    }

    fn request(&self, target: &str, accept: &str) -> Vec<u8> {
        let mut text = format!("{}GET {target} HTTP/1.1\r\nHost: swagip.test\r\nAccept: {accept}\r\n", self.before);
        for value in self.lists {
            LISTS.iter().for_each(|name| text.push_str(&format!("{name}: {value}\r\n")));
        }
        self.forwarded.iter().for_each(|value| text.push_str(&format!("Forwarded: {value}\r\n")));
        if !self.content.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", self.content.len()));
        }
        text.push_str(&[self.others, "\r\n", self.content].concat());
        // As Latin-1, so that not all of a field's bytes are ASCII, or UTF-8.
        text.chars().map(|char| u8::try_from(char).unwrap()).collect()
    }
}

const TEXT: &str = "text/plain";
const JSON: &str = "application/json";

/// One hop at most is the client, and then it is the one that was answered.
fn check_hops(explanation: &Value) {
    let hops = explanation["hops"].as_array().unwrap();
    let mut clients = hops.iter().filter(|hop| hop["verdict"] == "client");
    let client = clients.next().map_or(&explanation["peer"], |hop| &hop["address"]);
    assert_eq!(client, &explanation["ip"]);
    assert_eq!(clients.next(), None);
}

pub struct Connection(TcpStream);

impl From<Connection> for TcpStream {
    fn from(connection: Connection) -> TcpStream {
        connection.0
    }
}

impl Connection {
    pub fn open(source: IpAddr, entry: SocketAddr) -> Connection {
        let socket = Socket::new(Domain::for_address(entry), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
        socket.connect(&entry.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection(stream)
    }

    /// Whether an honest client gets an answer, by which the connection ends.
    pub fn serves(mut self) -> bool {
        self.get(&HONEST.request("/health", TEXT)).is_some_and(|answer| answer.text() == "ok\n")
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The answer; `None` where it is a refusal: 400, or the end of the connection.
    fn get(&mut self, request: &[u8]) -> Option<Answer> {
        self.0.write_all(request).unwrap();
        let answer = self.answer()?;
        (answer.status != 400).then_some(answer)
    }

    fn answer(&mut self) -> Option<Answer> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            // A reset is an end too.
            if self.0.read(&mut byte).is_ok_and(|length| length == 1) { bytes.push(byte[0]) } else { return None }
        }
        let (mut answer, _) = Answer::head(&bytes);
        let length = answer.field("Content-Length").map_or(0, |length| length.parse().unwrap());
        answer.content = vec![0; length];
        self.0.read_exact(&mut answer.content).unwrap();
        Some(answer)
    }
}
