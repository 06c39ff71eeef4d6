//! While it accepts: readiness is denied, everything else is served, and no client fails that does as it is told.

use super::support::TestServer;
use super::{Client, GET, PATIENCE, until_draining};
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use swagip::net::{Order, Threads};

/// A server that drains and has as long for it as a test may take.
fn draining() -> TestServer {
    let server = with_long_grace(1);
    server.stopper().stop(Order::Drain);
    until_draining(server.address);
    server
}

fn with_long_grace(threads: usize) -> TestServer {
    TestServer::with(|settings| {
        settings.limits.drain_grace = PATIENCE;
        settings.limits.drain_timeout = PATIENCE + Duration::from_secs(5);
        settings.threads = Threads::Spread(NonZeroUsize::new(threads).unwrap());
    })
}

#[test]
fn readiness_is_denied_and_all_else_is_served() {
    let server = draining();
    for (target, status, content) in [
        ("/ready", 404, "draining\n"),
        ("/readyz", 503, "draining\n"),
        ("/health", 200, "ok\n"),
        ("/healthz", 200, "ok\n"),
        ("/livez", 200, "ok\n"),
        ("/ip", 200, "127.0.0.1\n"),
        ("/?format=text", 200, "127.0.0.1\n"),
        ("/x-a", 200, "b\n"),
        ("/x-none", 404, ""),
        ("/a/b", 404, "not found\n"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n");
        let mut client = Client::new(server.address);
        let answer = client.ask(request.as_bytes()).unwrap();
        assert_eq!((answer.status, answer.text().as_str(), answer.closes()), (status, content, true), "{target}");
        client.ends();
    }
    for (request, status) in [
        ("GET /json HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /ip HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204),
        ("POST /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", 405),
        ("GET /ip HTTP/1.1\r\n\r\n", 400),
    ] {
        let answer = Client::new(server.address).ask(request.as_bytes()).unwrap();
        assert_eq!((answer.status, answer.closes()), (status, true), "{request}");
    }
}

#[test]
fn a_connection_from_before_is_served_and_then_closed() {
    let server = with_long_grace(1);
    let mut pooled = Client::idle(server.address);
    server.stopper().stop(Order::Drain);
    until_draining(server.address);
    let answer = pooled.ask(b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!((answer.status, answer.closes()), (404, true));
    pooled.ends();
}

#[test]
fn only_the_last_answer_to_what_has_arrived_closes() {
    let server = draining();
    let post = b"POST /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".as_slice();
    for requests in [[GET, GET, GET], [GET, post, GET], [GET, GET, post]] {
        let mut client = Client::new(server.address);
        client.send(&requests.concat());
        let closes: Vec<bool> = client.rest().iter().map(|answer| answer.closes()).collect();
        assert_eq!(closes, [false, false, true]);
    }
}

#[test]
fn half_a_request_behind_the_others_keeps_the_connection_for_its_rest() {
    let server = draining();
    let post = b"POST /ip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".as_slice();
    for (request, status) in [(GET, 200), (post, 405)] {
        for cut in 1..request.len() {
            let mut client = Client::new(server.address);
            client.send(&[GET, &request[..cut]].concat());
            let first = client.answer().unwrap();
            assert!(first.is_right() && !first.closes(), "{cut}");
            let last = client.ask(&request[cut..]).unwrap();
            assert_eq!((last.status, last.closes()), (status, true), "{cut}");
            client.ends();
        }
    }
}

/// More answers than one output holds, and more requests than one input does.
#[test]
fn a_long_pipeline_that_has_arrived_is_answered_to_its_end() {
    for count in [2, 100, 1000, 3000] {
        let server = with_long_grace(1);
        let mut client = Client::idle(server.address);
        server.stopper().stop(Order::Drain);
        until_draining(server.address);
        // Half a request at the end makes it certain that the reads, however they fall, leave nothing unanswered.
        client.send(&[GET.repeat(count).as_slice(), &GET[..9]].concat());
        for _ in 0..count {
            let answer = client.answer().unwrap();
            assert!(answer.is_right() && !answer.closes());
        }
        assert!(client.ask(&GET[9..]).unwrap().closes());
        client.ends();
    }
}

/// Who has not seen yet that the connection closes may send another request: that must not reset the answer away (RFC 9112 §9.6).
#[test]
fn a_request_behind_the_last_answer_resets_nothing() {
    let server = draining();
    let mut client = Client::new(server.address);
    client.send(GET);
    let answers = client.rest();
    assert!(answers.len() == 1 && answers[0].is_right() && answers[0].closes());
    // To a closed socket only the first one of these goes out without an error.
    for _ in 0..3 {
        client.send(GET);
        thread::sleep(Duration::from_millis(5));
    }
    client.ends();
}

/// Clients that retry nothing: half reuse their connection until they are told that it closes, half take a new one each time.
#[test]
fn no_request_fails_under_load() {
    for threads in [1, 3] {
        let server = with_long_grace(threads);
        let address = server.address;
        let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for number in 0..8 {
                let (is_over, answered) = (&is_over, &answered);
                scope.spawn(move || {
                    let mut pooled = None;
                    while !is_over.load(Ordering::Relaxed) {
                        let mut client = pooled.take().unwrap_or_else(|| Client::new(address));
                        let answer = client.ask(GET).unwrap();
                        assert!(answer.is_right());
                        pooled = (number % 2 == 0 && !answer.closes()).then_some(client);
                        answered.fetch_add(1, Ordering::Relaxed);
                        thread::sleep(Duration::from_millis(1));
                    }
                });
            }
            let more = |count| {
                let enough = answered.load(Ordering::Relaxed) + count;
                super::wait(|| answered.load(Ordering::Relaxed) >= enough);
            };
            more(200);
            server.stopper().stop(Order::Drain);
            until_draining(address);
            more(500);
            is_over.store(true, Ordering::Relaxed);
        });
    }
}

/// A pooled connection that is used again just as it is shut down is answered, or ends without a byte and without a reset.
#[test]
fn a_request_that_meets_the_end_is_answered_or_sees_a_fin() {
    let (mut answered, mut ended) = (0, 0);
    for threads in [1, 2, 3, 1, 2, 3] {
        let server = TestServer::with(|settings| settings.threads = Threads::Spread(NonZeroUsize::new(threads).unwrap()));
        let clients: Vec<Client> = (0..16).map(|_| Client::idle(server.address)).collect();
        let asking: Vec<_> = clients.into_iter().map(|client| thread::spawn(move || ask_to_the_end(client))).collect();
        server.stopper().stop(Order::DrainAtOnce);
        for outcome in asking.into_iter().map(|thread| thread.join().unwrap()) {
            match outcome {
                Ok(()) => answered += 1,
                Err(ErrorKind::UnexpectedEof) => ended += 1,
                Err(other) => panic!("{other}"),
            }
        }
        server.join();
    }
    eprintln!("the last request was answered on {answered} connections, met the FIN on {ended}");
}

/// Asks until the server closes: with an answer, or before one.
fn ask_to_the_end(mut client: Client) -> Result<(), ErrorKind> {
    loop {
        if client.ask(GET).map_err(|error| error.kind())?.closes() {
            return Ok(());
        }
    }
}
