//! A client that asks for as much as it can, on one connection, beside one that asks now and then.

use crate::memory::longest_page;
use crate::process::Process;
use crate::{PATIENCE, ask, connect};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What half of an honest client's answers may take longer for it: some turns of 5 ms on a busy machine; an unoptimized build is slower
/// by a factor of 60. Without turns they took seconds.
const LONGER_MAX: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 25 });

#[test]
fn pipelines_of_the_worst_requests_keep_nobody_waiting() {
    let page = longest_page("");
    let head = [b"HEAD", &page[b"GET".len()..]].concat();
    let agent = format!("GET /ip HTTP/1.1\r\nHost: a\r\nUser-Agent: {}\r\n\r\n", "P".repeat(16_000));
    let hops = format!("GET /explain HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {}\r\n\r\n", "127.0.0.1,".repeat(1500));
    let server = Process::start(&["--trusted-proxy", "127.0.0.1"]);
    let baseline = median(server.address);
    for (name, request) in [("page", page), ("HEAD", head), ("User-Agent", agent.into()), ("hops", hops.into())] {
        let is_over = AtomicBool::new(false);
        let time = thread::scope(|scope| {
            scope.spawn(|| pipeline(server.address, &request.repeat(32), &is_over));
            let time = median(server.address);
            is_over.store(true, Ordering::Relaxed);
            time
        });
        println!("{name}: half of the answers within {time:?}; alone {baseline:?}");
        assert!(time <= baseline + LONGER_MAX, "{name}: {time:?}; alone {baseline:?}");
    }
}

/// Sends all the time, and reads what comes of it.
fn pipeline(server: SocketAddr, requests: &[u8], is_over: &AtomicBool) {
    let mut stream = connect(server);
    stream.set_nonblocking(true).unwrap();
    let (mut left, mut answers, mut answered) = (requests, vec![0; 1024 * 1024], 0);
    let is_blocked = |error: &std::io::Error| error.kind() == ErrorKind::WouldBlock;
    while !is_over.load(Ordering::Relaxed) {
        match stream.write(left) {
            Ok(length) if length == left.len() => left = requests,
            Ok(length) => left = &left[length..],
            Err(error) => assert!(is_blocked(&error), "{error}"),
        }
        match stream.read(&mut answers) {
            Ok(length) => answered += length,
            Err(error) => assert!(is_blocked(&error), "{error}"),
        }
        thread::sleep(Duration::from_micros(100));
    }
    assert!(answered > 0, "nothing was answered");
}

/// The time for half of the answers to a client that asks now and then, for a while.
fn median(server: SocketAddr) -> Duration {
    let mut stream = connect(server);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let time = |_| {
        thread::sleep(Duration::from_millis(5));
        let began = Instant::now();
        ask(&mut stream);
        began.elapsed()
    };
    let mut times: Vec<Duration> = (0..40).map(time).collect();
    times.sort_unstable();
    times[times.len() / 2]
}
