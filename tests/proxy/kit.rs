//! What deploy/haproxy.cfg promises for clients that take much, and for replicas that fail; the replicas are stand-ins.

use super::clients::Connection;
use super::deployment::{self, ENTRY, ENTRY_IPV6};
use super::network::{self, CLIENT, INSIDER, OUTER, SWAGIP};
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What a stand-in does with a request that is no check.
#[derive(Clone, Copy)]
enum Behaviour {
    Answers,
    /// With as many bytes as swagip's longest answer has.
    AnswersAtLength,
    /// The first request that reaches either replica gets no answer but the end of the connection.
    DiesOnce,
    NeverAnswers,
}

/// Two stand-ins, which end with the test's process. Returns the count of requests that reached them.
fn replicas(behaviour: Behaviour) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    for port in deployment::PORTS {
        let listener = TcpListener::bind(SocketAddr::new(SWAGIP[0], port)).unwrap();
        let count = Arc::clone(&count);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, count) = (stream.unwrap(), Arc::clone(&count));
                // HAProxy may end a connection at any moment.
                thread::spawn(move || serve(stream, behaviour, &count));
            }
        });
    }
    count
}

fn serve(mut stream: TcpStream, behaviour: Behaviour, count: &AtomicUsize) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let line = lines.next()?.ok()?;
        let fields = lines.by_ref().map_while(Result::ok).take_while(|field| !field.is_empty()).count();
        assert!(fields > 0, "HAProxy sends fields");
        let mut length = 2;
        if !line.starts_with("GET /ready ") {
            match (behaviour, count.fetch_add(1, Ordering::Relaxed)) {
                (Behaviour::DiesOnce, 0) => return None,
                (Behaviour::NeverAnswers, _) => continue,
                (Behaviour::AnswersAtLength, _) => length = 128 * 1024,
                _ => {}
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &vec![b'x'; length]].concat()).ok()?;
    }
}

/// The status that a plain request gets.
fn status(source: IpAddr, entry: SocketAddr) -> u16 {
    let mut stream = TcpStream::from(Connection::open(source, entry));
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    read_status(&mut stream)
}

fn read_status(stream: &mut TcpStream) -> u16 {
    let mut line = [0; 12];
    stream.read_exact(&mut line).unwrap();
    std::str::from_utf8(&line[9..]).unwrap().parse().unwrap()
}

#[test]
fn a_slow_request_is_asked_once() {
    network::alone("kit::a_slow_request_is_asked_once", || {
        let count = replicas(Behaviour::NeverAnswers);
        let _proxy = deployment::haproxy(ENTRY);
        assert_eq!(status(CLIENT[0], ENTRY), 504);
        assert_eq!(count.load(Ordering::Relaxed), 1, "the replicas that were asked");
    });
}

#[test]
fn a_request_that_met_a_dying_replica_is_asked_again() {
    network::alone("kit::a_request_that_met_a_dying_replica_is_asked_again", || {
        let count = replicas(Behaviour::DiesOnce);
        let _proxy = deployment::haproxy(ENTRY);
        assert_eq!(status(CLIENT[0], ENTRY), 200);
        assert_eq!(count.load(Ordering::Relaxed), 2, "the replicas that were asked");
    });
}

#[test]
fn one_client_has_256_connections() {
    network::alone("kit::one_client_has_256_connections", || {
        replicas(Behaviour::Answers);
        let _proxy = deployment::haproxy(ENTRY);
        // The client that has them, an address that is the same client, and one that is another.
        for (entry, client, same, other) in
            [(ENTRY, CLIENT[0], CLIENT[0], INSIDER[0]), (ENTRY_IPV6, INSIDER[1], OUTER[1], CLIENT[1])]
        {
            let mut held: Vec<_> = (0..256).map(|_| TcpStream::from(Connection::open(client, entry))).collect();
            for stream in &mut held {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
                assert_eq!(read_status(stream), 200);
            }
            let mut refused = TcpStream::from(Connection::open(same, entry));
            // It may be closed before this is sent.
            let _ = refused.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assert!(matches!(refused.read(&mut [0]), Ok(0) | Err(_)), "after 256 connections of {client}, one from {same}");
            assert_eq!(status(other, entry), 200);
        }
    });
}

/// More than there are places: two replicas have 100 each.
const MANY: usize = 250;

#[test]
fn content_that_never_comes_takes_no_place() {
    network::alone("kit::content_that_never_comes_takes_no_place", || {
        let count = replicas(Behaviour::NeverAnswers);
        let _proxy = deployment::haproxy(ENTRY);
        let streams = unread(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
        thread::sleep(Duration::from_secs(1));
        assert_eq!(count.load(Ordering::Relaxed), 0, "requests that reached a replica");
        drop(streams);
    });
}

#[test]
fn a_client_that_reads_nothing_takes_no_place() {
    network::alone("kit::a_client_that_reads_nothing_takes_no_place", || {
        // As on a real network: how much the kernel takes for a client depends on it.
        assert!(Command::new("ip").args(["link", "set", "lo", "mtu", "1500"]).status().unwrap().success());
        let count = replicas(Behaviour::AnswersAtLength);
        let _proxy = deployment::haproxy(ENTRY);
        let streams = unread(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let began = Instant::now();
        while count.load(Ordering::Relaxed) < MANY {
            assert!(began.elapsed() < Duration::from_secs(8), "{count:?} of {MANY} requests reached a replica");
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(status(INSIDER[0], ENTRY), 200);
        drop(streams);
    });
}

/// Connections with room for next to nothing that comes back, on each of which this was sent.
fn unread(request: &[u8]) -> Vec<TcpStream> {
    let open = |_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(2048).unwrap();
        socket.bind(&SocketAddr::new(CLIENT[0], 0).into()).unwrap();
        socket.connect(&ENTRY.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.write_all(request).unwrap();
        stream
    };
    (0..MANY).map(open).collect()
}
