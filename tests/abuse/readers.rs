//! Clients that ask and do not read.

use crate::process::Process;
use crate::support::{Answer, TestServer};
use crate::{GET, LAST, PATIENCE, assert_serves_new_clients, connect, fill};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use swagip::exchange::OUTPUT_MAX;
use swagip::http::scan::HEAD_MAX;

#[test]
fn who_never_reads_costs_a_bounded_buffer() {
    const CLIENTS: u64 = 20;
    let server = Process::start(&[]);
    drop(fill(connect(server.address)));
    let before = server.memory();
    let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| fill(connect(server.address))).collect();
    let each = server.memory().saturating_sub(before) / CLIENTS;
    let most = (OUTPUT_MAX + 4 * HEAD_MAX) as u64;
    assert!(each <= most, "{each} bytes for each client");
    assert_serves_new_clients(server.address);
    let busy = server.busy();
    thread::sleep(Duration::from_millis(300));
    let busy = server.busy() - busy;
    assert!(busy < Duration::from_millis(30), "{busy:?} on a processor for clients that do nothing");
    drop(clients);
}

#[test]
fn who_never_reads_is_closed_by_the_write_deadline() {
    let server = TestServer::with(|settings| settings.limits.write = Duration::from_millis(500));
    let mut stream = fill(connect(server.address));
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let start = Instant::now();
    // What it does not read is lost: the next thing that it sends is answered by a reset.
    while !stream.write(GET).is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
        assert!(start.elapsed() < PATIENCE, "it is still open");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn who_reads_late_gets_every_answer() {
    const REQUESTS: usize = 20_000;
    let server = TestServer::start();
    let stream = connect(server.address);
    let requests = [GET.repeat(REQUESTS - 1), LAST.to_vec()].concat();
    thread::scope(|scope| {
        scope.spawn(|| (&stream).write_all(&requests).unwrap());
        thread::sleep(Duration::from_millis(500));
        let mut answers = Vec::new();
        (&stream).read_to_end(&mut answers).unwrap();
        assert_eq!(count(&answers), REQUESTS);
    });
}

#[test]
fn who_is_done_sending_gets_every_answer_and_then_a_fin() {
    const REQUESTS: usize = 20_000;
    let server = TestServer::start();
    for requests in [1, 100, REQUESTS] {
        let stream = connect(server.address);
        thread::scope(|scope| {
            scope.spawn(|| {
                (&stream).write_all(&GET.repeat(requests)).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            });
            thread::sleep(Duration::from_millis(100));
            let mut answers = Vec::new();
            (&stream).read_to_end(&mut answers).unwrap();
            assert_eq!(count(&answers), requests);
        });
    }
}

fn count(answers: &[u8]) -> usize {
    let answers = Answer::all(answers);
    assert!(answers.iter().all(|answer| answer.status == 200));
    answers.len()
}
