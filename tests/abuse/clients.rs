//! `--max-connections-per-client`: who loses a connection when one client has as many as it may.

use crate::attack::{self, Family, Origin};
use crate::process::Process;
use crate::{GET, PATIENCE, ask, fill, is_closed};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How clients come to a server.
const FAMILIES: [Family; 3] = [Family::Peers, Family::Named4, Family::Named6];

/// A client's connection and what it is doing.
#[derive(Clone, Copy, Debug)]
enum Doing {
    /// It was answered and asks no more.
    Idle,
    /// It has sent half a head.
    Head,
    /// It has announced content and sent none.
    Content,
    /// It asks and reads nothing.
    Writing,
}

/// With so many connections for each client, and these options besides.
fn server(family: Family, limit: usize, options: &[&str]) -> Process {
    let listener: &[&str] = match family {
        Family::Peers => &["--listen", "127.0.0.1:0"],
        Family::Named4 | Family::Named6 => &["--listen-proxy", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1"],
    };
    Process::start_at(&[listener, &["--max-connections-per-client", &limit.to_string()], options].concat())
}

fn connect(address: SocketAddr, origin: Origin) -> TcpStream {
    let stream = attack::connect(address, origin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A connection of this client that the server knows to be doing this.
fn open(address: SocketAddr, origin: Origin, doing: Doing) -> TcpStream {
    let mut stream = connect(address, origin);
    let begin = |stream: &mut TcpStream, more: &[u8]| {
        stream.write_all(&[GET, more].concat()).unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
    };
    match doing {
        Doing::Idle => begin(&mut stream, b""),
        Doing::Head => begin(&mut stream, &GET[..10]),
        Doing::Content => begin(&mut stream, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"),
        Doing::Writing => stream = fill(stream),
    }
    // None is as old as another one.
    thread::sleep(Duration::from_millis(3));
    stream
}

/// Whether it still serves, between two requests.
fn serves(stream: &mut TcpStream) -> bool {
    stream.write_all(GET).is_ok() && stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0)
}

/// A client of this family: the group is one's own, the number is one of them.
fn client(family: Family, number: u16) -> Origin {
    family.origin(1, number, 0)
}

#[test]
fn past_it_a_client_loses_its_own_connection_idle_longest() {
    for family in FAMILIES {
        let server = server(family, 3, &["--threads", "1"]);
        let idle = |number| open(server.address, client(family, number), Doing::Idle);
        let mut others = [idle(1), idle(2), idle(2), idle(2)];
        let mut own = [idle(0), idle(0), idle(0)];
        // The first is no longer the one that has been idle longest.
        ask(&mut own[0]);
        let mut fourth = idle(0);
        assert_eq!(own.each_mut().map(is_closed), [false, true, false], "{family:?}");
        let mut fifth = idle(0);
        assert!(is_closed(&mut own[2]), "{family:?}: the next one");
        assert!(serves(&mut own[0]) && serves(&mut fourth) && serves(&mut fifth), "{family:?}");
        assert!(others.iter_mut().all(serves), "{family:?}: another one's");
    }
}

#[test]
fn with_nothing_idle_the_new_one_is_closed() {
    for (family, doing) in
        FAMILIES.into_iter().flat_map(|family| [Doing::Head, Doing::Content, Doing::Writing].map(|doing| (family, doing)))
    {
        let server = server(family, 2, &["--threads", "1"]);
        let mut other = open(server.address, client(family, 1), Doing::Idle);
        let mut own = [0; 2].map(|_| open(server.address, client(family, 0), doing));
        let mut new = connect(server.address, client(family, 0));
        // It may be closed at once; what it asks is answered if it comes with the connection.
        let _ = new.write_all(GET);
        let mut answers = Vec::new();
        let _ = new.read_to_end(&mut answers);
        assert!(!serves(&mut new), "{family:?} {doing:?}");
        let rest: &[u8] = match doing {
            Doing::Head => &GET[10..],
            Doing::Content => b"123456789",
            Doing::Idle | Doing::Writing => b"",
        };
        for stream in &mut own {
            stream.write_all(rest).unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0, "{family:?} {doing:?}");
        }
        assert!(serves(&mut other), "{family:?} {doing:?}: another one's");
    }
}

/// Whom a row counts with whom: connections in this order, of which each is known by the header before it; and which of them are
/// open in the end, two of a client at most.
#[test]
fn who_counts_as_the_same_client() {
    for (name, headers, open) in [
        ("an IPv4 address", ["TCP4 203.0.113.9", "TCP4 203.0.113.9", "TCP4 203.0.113.9"], [false, true, true]),
        ("two IPv4 addresses", ["TCP4 203.0.113.9", "TCP4 203.0.113.8", "TCP4 203.0.113.9"], [true, true, true]),
        ("a /64", ["TCP6 2001:db8::1", "TCP6 2001:db8::2", "TCP6 2001:db8::ffff:0:0:3"], [false, true, true]),
        ("two /64", ["TCP6 2001:db8::1", "TCP6 2001:db8:0:1::1", "TCP6 2001:db8::1"], [true, true, true]),
        ("IPv4 written as IPv6", ["TCP4 203.0.113.9", "TCP6 ::ffff:203.0.113.9", "TCP4 203.0.113.9"], [false, true, true]),
        (
            "IPv4 written as IPv6, two",
            ["TCP6 ::ffff:203.0.113.8", "TCP6 ::ffff:203.0.113.9", "TCP6 ::ffff:203.0.113.7"],
            [true, true, true],
        ),
        ("nobody knows", ["UNKNOWN", "UNKNOWN", "UNKNOWN"], [true, true, true]),
        ("another trusted proxy", ["TCP4 192.0.2.9", "TCP4 192.0.2.9", "TCP4 192.0.2.9"], [true, true, true]),
    ] {
        let server = server(Family::Named4, 2, &["--threads", "1", "--trusted-proxy", "192.0.2.9"]);
        let mut clients = headers.map(|header| {
            let mut stream = crate::connect(server.address);
            let to = match &header[..4] {
                "TCP4" => " 192.0.2.1 1 1",
                "TCP6" => " 2001:db8::1 1 1",
                _ => "",
            };
            write!(stream, "PROXY {header}{to}\r\n").unwrap();
            assert!(serves(&mut stream), "{name}");
            thread::sleep(Duration::from_millis(3));
            stream
        });
        assert_eq!(clients.each_mut().map(serves), open, "{name}");
    }
}

#[test]
fn a_trusted_proxy_has_as_many_as_it_wants() {
    let server = server(Family::Peers, 2, &["--threads", "1", "--trusted-proxy", "127.1.0.1"]);
    let mut proxy: Vec<TcpStream> = (0..20).map(|_| open(server.address, client(Family::Peers, 0), Doing::Idle)).collect();
    assert!(proxy.iter_mut().all(serves));
    // Whom it names in a field is not counted: one connection may serve many clients.
    for stream in &mut proxy {
        stream.write_all(b"GET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
    }
    assert!(proxy.iter_mut().all(serves));
}

/// On a listener for PROXY headers a trusted peer may still be anybody's; one that is not trusted is itself.
#[test]
fn before_its_header_a_trusted_proxy_is_not_counted_and_a_stranger_is() {
    let server = server(Family::Named4, 2, &["--threads", "1"]);
    let begin = |origin| {
        let mut stream = connect(server.address, origin);
        stream.write_all(b"PROXY TCP4 ").unwrap();
        stream
    };
    let mut proxy: Vec<TcpStream> = (0..20).map(|_| begin(Origin::Peer(Ipv4Addr::LOCALHOST))).collect();
    let mut strangers: Vec<TcpStream> = (0..4).map(|_| begin(Origin::Peer(Ipv4Addr::new(127, 9, 9, 9)))).collect();
    let closed = strangers.iter_mut().filter_map(|stream| is_closed(stream).then_some(())).count();
    assert_eq!(closed, 2, "of a stranger's 4");
    for (number, stream) in proxy.iter_mut().enumerate() {
        write!(stream, "203.0.113.{number} 192.0.2.1 1 1\r\n").unwrap();
        assert!(serves(stream));
    }
    assert!(proxy.iter_mut().all(serves));
}

#[test]
fn threads_share_the_count_and_a_connection_that_has_gone_is_counted_no_more() {
    const LIMIT: usize = 8;
    for threads in ["1", "2", "3"] {
        let server = server(Family::Peers, LIMIT, &["--threads", threads]);
        let descriptors = server.descriptors();
        for round in 0..10 {
            let mut own: Vec<TcpStream> = (0..5 * LIMIT)
                .map(|_| {
                    let mut stream = connect(server.address, client(Family::Peers, 0));
                    stream.write_all(GET).unwrap();
                    // Where another thread has all the others, the new one is closed: with its answer, or before it was asked.
                    let _ = stream.read(&mut [0; 1024]);
                    stream
                })
                .collect();
            let open = own.iter_mut().filter_map(|stream| serves(stream).then_some(())).count();
            assert_eq!(open, LIMIT, "{threads} threads, round {round}");
            drop(own);
            let dropped = Instant::now();
            while server.descriptors() > descriptors {
                assert!(dropped.elapsed() < PATIENCE, "round {round}: what has gone is kept");
                thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

#[test]
fn no_other_client_loses_anything_to_one_that_has_all_it_may_where_there_is_no_more_room() {
    for (family, doing) in FAMILIES.into_iter().flat_map(|family| [Doing::Idle, Doing::Head].map(|doing| (family, doing))) {
        let server = server(family, 2, &["--threads", "1", "--max-connections", "6"]);
        let mut others = [1, 1, 2, 2].map(|number| open(server.address, client(family, number), Doing::Idle));
        let _own = [0; 2].map(|_| open(server.address, client(family, 0), doing));
        for _ in 0..3 {
            let mut new = connect(server.address, client(family, 0));
            let _ = new.write_all(GET).and_then(|()| new.read(&mut [0; 1024]));
        }
        assert_eq!(others.each_mut().map(serves), [true; 4], "{family:?} {doing:?}");
    }
}
