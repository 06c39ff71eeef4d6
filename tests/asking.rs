//! Look-ups over real sockets: a resolver of the test's own, and ports of public addresses in a network namespace.
#![allow(clippy::unwrap_used)]

#[path = "support/network.rs"]
mod network;
#[path = "support/resolver.rs"]
mod resolver;
mod support;

use resolver::{A, PTR, Resolver};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use support::{Answer, TestServer};
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::net::Settings;
use swagip::resource::ReverseDns;

/// A server that asks this resolver of all addresses, and tests ports; the loopback's addresses are proxies.
fn server(resolver: Option<SocketAddr>) -> TestServer {
    TestServer::with(|settings: &mut Settings| {
        settings.rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
        settings.resolver = resolver;
        settings.site.reverse_dns = ReverseDns::All;
        settings.site.port_test = true;
    })
}

fn get(server: &TestServer, path: &str, client: &str) -> Answer {
    server.get(path, &format!("X-Forwarded-For: {client}\r\n"))
}

/// Less the two milliseconds that the server's clock, which counts whole ones, may be off at either end.
const TWO_SECONDS: Duration = Duration::from_millis(1998);

#[test]
fn a_name_is_told_if_it_leads_back() {
    let resolver = Resolver::start(|name, kind| match (name, kind) {
        ("9.9.9.9.in-addr.arpa", PTR) => Some(resolver::name("nine.example")),
        ("8.8.8.8.in-addr.arpa", PTR) => Some(resolver::name("nine.example")),
        ("nine.example", A) => Some(vec![9, 9, 9, 9]),
        _ => Some(Vec::new()),
    });
    let server = server(Some(resolver.address));
    let confirmed = get(&server, "/hostname", "9.9.9.9");
    assert_eq!((confirmed.status, confirmed.text().as_str()), (200, "nine.example\n"));
    let claimed = get(&server, "/hostname", "8.8.8.8");
    assert_eq!((claimed.status, claimed.text().as_str()), (404, ""));
    let json = server.get("/hostname", "X-Forwarded-For: 8.8.8.8\r\nAccept: application/json\r\n");
    assert!(json.text().contains("\"hostname\": \"nine.example\",\n  \"confirmed\": false"), "{}", json.text());
}

#[test]
fn a_resolver_that_never_answers_holds_nobody_up() {
    let resolver = Resolver::start(|_, _| None);
    let server = server(Some(resolver.address));
    let began = Instant::now();
    // Fewer than may be asked at once, of which there is a test of the worker's, with a clock of its own.
    let mut waiting: Vec<_> = (0..50)
        .map(|index| {
            let mut stream = server.connect();
            let client = IpAddr::from([9, 9, 9, index]);
            write!(stream, "GET /hostname HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n")
                .unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get("/", "").status, 200, "others are answered meanwhile");
    let status = |stream: &mut std::net::TcpStream| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::all(&bytes)[0].status
    };
    let statuses: Vec<u16> = waiting.iter_mut().map(status).collect();
    assert_eq!(statuses, [404; 50]);
    assert!(began.elapsed() >= TWO_SECONDS, "{:?}", began.elapsed());
}

#[test]
fn ports_of_public_clients_are_tested() {
    network::alone("ports_of_public_clients_are_tested", &["9.9.9.9/32", "8.8.8.8/32", "2620:fe::fe/128"], ports);
}

fn ports() {
    let server = server(None);
    for address in ["9.9.9.9", "2620:fe::fe"] {
        let open = TcpListener::bind((address.parse::<IpAddr>().unwrap(), 0)).unwrap();
        let port = open.local_addr().unwrap().port();
        let accepted = thread::spawn(move || open.accept().unwrap().0.read(&mut [0]).unwrap_or(0));
        assert_eq!(get(&server, &format!("/port/{port}"), address).text(), "open\n", "{address}");
        assert_eq!(accepted.join().unwrap(), 0, "nothing is sent");
        assert_eq!(get(&server, &format!("/port/{port}"), address).text(), "closed\n", "{address}");
    }

    // The proxy's port is open, the client's is not.
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = proxy.local_addr().unwrap().port();
    assert_eq!(get(&server, &format!("/port/{port}"), "8.8.8.8").text(), "closed\n");
    assert_eq!(get(&server, &format!("/port/{port}"), "127.0.0.1").status, 403);
    // The namespace has no other route.
    for (address, accept) in [("1.1.1.1", "*/*"), ("2606:4700::1", "application/json")] {
        let answer = server.get("/port/443", &format!("X-Forwarded-For: {address}\r\nAccept: {accept}\r\n"));
        let said = (answer.status, answer.text());
        assert_eq!(said, (404, "not known: this server has no route to your address\n".to_owned()), "{address}");
    }
    proxy.set_nonblocking(true).unwrap();
    assert!(proxy.accept().is_err(), "the proxy was left alone");
    filtered(&server);
}

/// There the kernel says that an address is not available, as where it has no port to give: only then is it of use to try again.
#[test]
fn where_ipv6_is_off_there_is_no_route() {
    const SWITCH_OFF: &str = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
    network::prepared("where_ipv6_is_off_there_is_no_route", SWITCH_OFF, || {
        let server = server(Some("[2001:db8::1]:53".parse().unwrap()));
        let answer = get(&server, "/port/443", "2606:4700::1");
        let no_route = "not known: this server has no route to your address\n".to_owned();
        assert_eq!((answer.status, answer.text()), (404, no_route));
        let answer = get(&server, "/hostname", "9.9.9.9");
        assert_eq!((answer.status, answer.text()), (404, String::new()));
    });
}

#[test]
fn where_no_port_is_left_it_is_of_use_to_try_again() {
    network::alone("where_no_port_is_left_it_is_of_use_to_try_again", &["9.9.9.9/32"], || {
        let server = server(None);
        let open = TcpListener::bind("9.9.9.9:0").unwrap();
        let path = format!("/port/{}", open.local_addr().unwrap().port());
        let mut stream = server.connect();
        let mut ask = || {
            write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n").unwrap();
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap();
            Answer::all(&bytes[..length])[0].status
        };
        assert_eq!(ask(), 200);
        // The one port that there is for connections to this one is taken.
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000").unwrap();
        let taken = TcpStream::connect(open.local_addr().unwrap()).unwrap();
        assert_eq!((taken.local_addr().unwrap().port(), ask()), (40000, 503));
        drop(taken);
    });
}

/// A queue that is full: the kernel drops what else wants to connect, as a firewall does.
fn filtered(server: &TestServer) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([9, 9, 9, 9], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let full: Vec<_> = (0..8)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address);
            socket
        })
        .collect();
    let path = format!("/port/{}", address.as_socket().unwrap().port());
    let began = Instant::now();
    let mut first = server.connect();
    write!(first, "GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n").unwrap();
    // Which of two comes first is decided by the order in which they are read: it must be under way.
    while get(server, &path, "9.9.9.9").status != 503 {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(get(server, "/port/1", "8.8.8.8").text(), "closed\n", "others are tested meanwhile");
    let mut bytes = Vec::new();
    first.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::all(&bytes)[0].text(), "closed\n");
    assert!(began.elapsed() >= TWO_SECONDS);
    drop(full);
}
