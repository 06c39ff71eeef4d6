//! Attacks on the room for connections: bounded in rate, number and time.

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Who a client is to the server.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// The peer.
    Peer(Ipv4Addr),
    /// Whom the header of a trusted proxy names.
    Named(IpAddr),
}

/// Connects as this client; what has to be sent first is.
pub fn connect(server: SocketAddr, origin: Origin) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    if let Origin::Peer(address) = origin {
        socket.bind(&SockAddr::from(SocketAddr::from((address, 0))))?;
    }
    // What the server sends to one that never reads is soon in its own way.
    socket.set_recv_buffer_size(4096)?;
    socket.set_tcp_nodelay(true)?;
    socket.connect(&server.into())?;
    let mut stream = TcpStream::from(socket);
    // In one segment, as proxies send it: until it is whole, nobody knows whose connection it is.
    match origin {
        Origin::Peer(_) => {}
        Origin::Named(IpAddr::V4(address)) => {
            stream.write_all(format!("PROXY TCP4 {address} 192.0.2.1 1 1\r\n").as_bytes())?;
        }
        Origin::Named(IpAddr::V6(address)) => {
            stream.write_all(format!("PROXY TCP6 {address} 2001:db8::1 1 1\r\n").as_bytes())?;
        }
    }
    Ok(stream)
}

/// Where a family of clients comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 peers.
    Peers,
    /// IPv4 clients that a PROXY header names.
    Named4,
    /// IPv6 clients that a PROXY header names: of each /64 another address each time.
    Named6,
}

impl Family {
    /// One of the clients of a group. `turn`: how many have come.
    pub fn origin(self, group: u8, number: u16, turn: u64) -> Origin {
        let [high, low] = (number + 1).to_be_bytes();
        match self {
            Family::Peers => Origin::Peer(Ipv4Addr::new(127, group, high, low)),
            Family::Named4 => Origin::Named(Ipv4Addr::new(203, group, high, low).into()),
            Family::Named6 => {
                let host = 1 + turn * 0x1_0001;
                let bits = 0x2001_0db8_u128 << 96 | u128::from(group) << 80 | u128::from(number) << 64 | u128::from(host);
                Origin::Named(Ipv6Addr::from(bits).into())
            }
        }
    }
}

/// One way to take room.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// New connections in a second.
    pub rate: u64,
    /// What each sends at first.
    pub opening: &'static [u8],
    /// What each sends then, again and again.
    pub goes_on: &'static [u8],
    /// Whether it reads.
    pub reads: bool,
    /// Connections that are held; then the oldest is closed for each new one.
    pub held: usize,
}

pub struct Attack {
    pub name: &'static str,
    pub parts: &'static [Part],
}

const HALF: Part = Part { rate: 400, opening: b"GET / HT", goes_on: b"", reads: false, held: 1000 };
const CONTENT: Part = Part {
    rate: 200,
    opening: b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
    goes_on: b"",
    reads: false,
    held: 1000,
};
const IDLE: Part = Part { rate: 400, opening: b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", goes_on: b"", reads: false, held: 1000 };
const SILENT: Part = Part { rate: 400, opening: b"", goes_on: b"", reads: false, held: 1000 };
/// Sixty pages, of which the sockets take some.
const UNREAD: Part = Part { rate: 100, opening: PAGES, goes_on: PAGES, reads: false, held: 400 };
const REFUSED: Part = Part { rate: 400, opening: b"GET / HTTP/1.1\r\n\r\n", goes_on: b"", reads: false, held: 1000 };
const DRIPS: Part = Part { rate: 100, opening: b"GET / HTTP/1.1\r\nA:", goes_on: b"b", reads: false, held: 400 };
const BUSY: Part = Part {
    rate: 400,
    opening: b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    goes_on: b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    reads: true,
    held: 150,
};

const PAGES: &[u8] = &repeat(b"GET /?format=html HTTP/1.1\r\nHost: aaaaaaaa\r\n\r\n");

const fn repeat(request: &[u8; 46]) -> [u8; 60 * 46] {
    let mut requests = [0; 60 * 46];
    let mut index = 0;
    while index < requests.len() {
        requests[index] = request[index % 46];
        index += 1;
    }
    requests
}

pub const ATTACKS: &[Attack] = &[
    Attack { name: "half heads", parts: &[HALF] },
    Attack { name: "content announced", parts: &[CONTENT] },
    Attack { name: "idle", parts: &[IDLE] },
    Attack { name: "silent", parts: &[SILENT] },
    Attack { name: "never reading", parts: &[UNREAD] },
    Attack { name: "refused", parts: &[REFUSED] },
    Attack { name: "dripping heads", parts: &[DRIPS, HALF] },
    Attack { name: "always asking", parts: &[BUSY] },
    Attack { name: "some asking, some idle", parts: &[BUSY, Part { rate: 100, ..IDLE }] },
    Attack {
        name: "all kinds",
        parts: &[
            Part { rate: 60, ..HALF },
            Part { rate: 60, ..CONTENT },
            Part { rate: 60, ..IDLE },
            Part { rate: 60, ..SILENT },
            Part { rate: 10, ..UNREAD },
            Part { rate: 60, ..REFUSED },
            Part { rate: 60, ..DRIPS },
            Part { rate: 60, held: 50, ..BUSY },
        ],
    },
];

impl Attack {
    /// Attacks from this many addresses in turn until it is over; returns the number of connections made.
    pub fn run(&self, server: SocketAddr, family: Family, addresses: u16, is_over: &AtomicBool) -> u64 {
        let began = Instant::now();
        let mut parties: Vec<(Vec<TcpStream>, u64)> = self.parts.iter().map(|_| (Vec::new(), 0)).collect();
        let mut buffer = vec![0; 64 * 1024];
        let mut turn = 0;
        while !is_over.load(Ordering::Relaxed) {
            for (part, (streams, made)) in self.parts.iter().zip(&mut parties) {
                streams.retain_mut(|stream| part.goes_on(stream, &mut buffer));
                // A second's worth is there at once: room is short from the beginning.
                let due = part.rate * (1000 + began.elapsed().as_millis() as u64) / 1000;
                // Connections missed on a slow machine are not made up for.
                for _ in *made..due.min(*made + 10) {
                    turn += 1;
                    let origin = family.origin(9, (turn % u64::from(addresses)) as u16, turn);
                    if let Ok(stream) = part.open(server, origin) {
                        streams.push(stream);
                    }
                }
                *made = due;
                streams.drain(..streams.len().saturating_sub(part.held));
            }
            thread::sleep(Duration::from_millis(1));
        }
        turn
    }
}

impl Part {
    fn open(&self, server: SocketAddr, origin: Origin) -> io::Result<TcpStream> {
        let mut stream = connect(server, origin)?;
        stream.write_all(self.opening)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// False: it was closed.
    fn goes_on(&self, stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
        let is_blocked = |error: io::Error| error.kind() == ErrorKind::WouldBlock;
        if self.reads {
            match stream.read(buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return is_blocked(error),
            }
        }
        self.goes_on.is_empty() || stream.write(self.goes_on).map_or_else(is_blocked, |_| true)
    }
}
