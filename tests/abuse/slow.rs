//! Clients that take their time.

use crate::support::TestServer;
use crate::{GET, PATIENCE, ask, assert_serves_new_clients, connect, rest};
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// The deadlines for heads and idle connections in these tests.
const SHORT: Duration = Duration::from_millis(300);
/// Between two drips.
const DRIP: Duration = Duration::from_millis(40);

fn server() -> TestServer {
    TestServer::with(|settings| (settings.limits.head, settings.limits.idle) = (SHORT, SHORT))
}

/// Sends byte by byte until the server has had enough, and tells how long that took and what it said.
fn drip(stream: &mut TcpStream, bytes: impl IntoIterator<Item = u8>) -> (Duration, String) {
    let start = Instant::now();
    stream.set_read_timeout(Some(DRIP)).unwrap();
    let mut peeked = [0];
    for byte in bytes {
        stream.write_all(&[byte]).unwrap();
        if stream.peek(&mut peeked).is_ok() {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            return (start.elapsed(), rest(stream));
        }
    }
    panic!("it is still listening after {:?}", start.elapsed());
}

#[test]
fn a_silent_client_is_sent_a_fin_and_no_word() {
    let server = server();
    let start = Instant::now();
    assert_eq!(rest(&mut connect(server.address)), "");
    // The kernel announces a silent connection after a second or so.
    assert!(start.elapsed() >= SHORT && start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn empty_lines_are_no_request_to_answer() {
    let server = server();
    let mut stream = connect(server.address);
    stream.write_all(b"\r\n\r\n").unwrap();
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn half_a_head_is_told_and_closed() {
    let server = server();
    for half in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nA: b"] {
        let start = Instant::now();
        let mut stream = connect(server.address);
        stream.write_all(half.as_bytes()).unwrap();
        let answer = rest(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer:?}");
        assert!(start.elapsed() >= SHORT, "{:?}", start.elapsed());
    }
}

#[test]
fn drips_do_not_restart_the_clock() {
    let server = server();
    let mut stream = connect(server.address);
    let endless = b"GET / HTTP/1.1\r\nA: ".iter().copied().chain(std::iter::repeat_n(b'b', 500));
    let (time, answer) = drip(&mut stream, endless);
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");
    assert!(time < SHORT * 10, "{time:?}");
}

#[test]
fn drips_of_a_second_request_do_not_restart_the_clock() {
    let server = server();
    let mut stream = connect(server.address);
    ask(&mut stream);
    let (time, answer) = drip(&mut stream, b"HEAD /".iter().copied().chain(std::iter::repeat_n(b'b', 500)));
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n") && answer.ends_with("\r\n\r\n"), "{answer:?}");
    assert!(time < SHORT * 10, "{time:?}");
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = server();
    let mut stream = connect(server.address);
    ask(&mut stream);
    let start = Instant::now();
    assert_eq!(rest(&mut stream), "");
    assert!(start.elapsed() >= SHORT - DRIP, "{:?}", start.elapsed());
}

#[test]
fn content_that_does_not_come_is_answered_and_closed() {
    let server = TestServer::start();
    let start = Instant::now();
    let mut stream = connect(server.address);
    stream.write_all(b"GET /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell").unwrap();
    let answer = rest(&mut stream);
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\nConnection: close\r\n\r\n127.0.0.1\n"),
        "{answer:?}"
    );
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn drips_of_content_do_not_restart_the_clock() {
    let server = TestServer::start();
    let mut stream = connect(server.address);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let (time, answer) = drip(&mut stream, b"1\r\nx\r\n".repeat(200));
    assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer:?}");
    assert!(time >= Duration::from_secs(2) && time < Duration::from_secs(10), "{time:?}");
}

#[test]
fn many_slow_clients_keep_nobody_waiting() {
    let server = TestServer::start();
    let mut slow: Vec<TcpStream> = (0..500).map(|_| connect(server.address)).collect();
    let head = [&GET[..GET.len() - 2], b"A: ", &[b'b'; 60]].concat();
    for byte in head.chunks(1) {
        slow.iter_mut().for_each(|stream| stream.write_all(byte).unwrap());
    }
    assert_serves_new_clients(server.address);
    let stop = Instant::now() + Duration::from_millis(300);
    thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < stop {
                slow.iter_mut().for_each(|stream| stream.write_all(b"b").unwrap());
            }
        });
        assert_serves_new_clients(server.address);
    });
}
