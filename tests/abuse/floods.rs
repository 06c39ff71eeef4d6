//! Clients that send and send.

use crate::support::TestServer;
use crate::{PATIENCE, assert_serves_new_clients, connect, rest};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CHUNKED: &str = "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a flood begins with, what it goes on with, and what it is told.
const FLOODS: &[(&str, &str, &str)] = &[
    ("", "\r\n", "400"),
    ("", "\n", "400"),
    ("", "A", "400"),
    ("", "\0", "400"),
    ("GET /", "a", "414"),
    ("GET /?", "%", "414"),
    ("GET / HTTP/1.1\r\n", "A: b\r\n", "431"),
    ("GET / HTTP/1.1\r\n", "A:\r\n", "431"),
    ("GET / HTTP/1.1\r\n", "A", "431"),
    ("GET / HTTP/1.1\r\nA: ", "b", "431"),
    ("GET / HTTP/1.1\r\nA:", " ", "431"),
    (CHUNKED, "0", "400"),
    (CHUNKED, "1\r\nx\r\n", "200"),
    (CHUNKED, "1;a\r\nx\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", "a", "400"),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"", "b", "400"),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", "431"),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", "b", "431"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", "x", "405"),
];

#[test]
fn a_flood_keeps_nobody_waiting() {
    let server = TestServer::start();
    for (start, goes_on, _) in FLOODS {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut stream = connect(server.address);
                    let piece = goes_on.repeat(64 * 1024 / goes_on.len());
                    let mut sent = stream.write_all(start.as_bytes());
                    while sent.is_ok() && !done.load(Ordering::Relaxed) {
                        sent = stream.write_all(piece.as_bytes());
                    }
                });
            }
            assert_serves_new_clients(server.address);
            done.store(true, Ordering::Relaxed);
        });
    }
}

/// The last answer is out at once, and what comes after it is read and dropped; but not for ever.
#[test]
fn a_flood_is_stopped_after_30_seconds() {
    const LINGER: Duration = Duration::from_secs(30);
    let server = TestServer::start();
    thread::scope(|scope| {
        for (start, goes_on, _) in FLOODS {
            let address = server.address;
            scope.spawn(move || {
                let (mut stream, began) = (connect(address), Instant::now());
                stream.write_all(start.as_bytes()).unwrap();
                let piece = goes_on.repeat(100 * 1024 / goes_on.len());
                while stream.write_all(piece.as_bytes()).is_ok() {
                    assert!(began.elapsed() < LINGER + PATIENCE, "{start:?} and {goes_on:?} without end");
                    thread::sleep(Duration::from_millis(50));
                }
                assert!(began.elapsed() >= LINGER, "{start:?} and {goes_on:?}: reset after {:?}", began.elapsed());
            });
        }
    });
}

/// However fast and in whatever pieces it comes: with 256 KiB to send the client gets the whole answer, and no reset.
#[test]
fn a_flood_of_256_kib_gets_its_answer_whole() {
    let server = TestServer::start();
    for (start, goes_on, status) in FLOODS {
        for piece in [1000, 65_536, 256 * 1024] {
            let flood = start.to_string() + &goes_on.repeat((256 * 1024 - start.len()) / goes_on.len());
            let mut stream = connect(server.address);
            for piece in flood.as_bytes().chunks(piece) {
                stream.write_all(piece).unwrap();
            }
            check(&rest(&mut stream), status, start, goes_on);
        }
    }
}

/// The answer is there, but the client, which has not noticed, goes on sending before it reads.
#[test]
fn an_error_reaches_a_client_that_is_still_sending() {
    let server = TestServer::start();
    for wrong in [
        "GET / HTTP/1.1\r\n\r\n",
        "\x16",
        "GET / HTTP/2.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 262144\r\n\r\n",
    ] {
        let status = if wrong.contains("2.0") {
            "505"
        } else if wrong.contains("262144") {
            "405"
        } else {
            "400"
        };
        for length in [1, 1000, 100_000, 256 * 1024] {
            let mut stream = connect(server.address);
            stream.write_all(wrong.as_bytes()).unwrap();
            stream.peek(&mut [0]).unwrap();
            for piece in vec![b'x'; length].chunks(10_000) {
                stream.write_all(piece).unwrap();
            }
            check(&rest(&mut stream), status, wrong, "x");
        }
    }
}

fn check(answer: &str, status: &str, start: &str, goes_on: &str) {
    let what = format!("{start:?} and {goes_on:?}: {answer:?}");
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}");
    let (head, content) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nConnection: close"), "{what}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", content.len())), "{what}");
}
