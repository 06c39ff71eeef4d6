//! What waits to be accepted when the listeners are closed: the kernel would reset it.

use super::program::Program;
use super::support::TestServer;
use super::{CONTENT, Client, GET, until_draining};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Room for this many connections and more, whatever shell the tests were started from.
const QUEUED: usize = 1000;

fn raise_descriptor_limit() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

/// All connect, ask, and are frozen out; then the signal, and only then the server may go on.
#[test]
fn a_queue_that_was_filled_before_the_signal_is_served() {
    raise_descriptor_limit();
    for arguments in ["-t 1 --drain-grace 0", "-t 3 --drain-grace 0", "-t 1 --drain-grace 300ms", "-t 3 --drain-grace 300ms"] {
        for signal in ["TERM", "INT"] {
            let server = Program::start(arguments);
            server.freeze();
            let mut clients: Vec<Client> = (0..QUEUED).map(|_| Client::new(server.address)).collect();
            clients.iter_mut().for_each(|client| client.send(GET));
            server.signal(signal);
            let since = Instant::now();
            server.thaw();
            for client in &mut clients {
                let answers = client.rest();
                assert!(answers.len() == 1 && answers[0].is_right(), "{arguments} {signal}: {answers:?}");
            }
            drop(clients);
            assert_eq!(server.end(since).code, Some(0), "{arguments} {signal}");
        }
    }
}

/// Those that have connected and sent nothing are held back by the kernel (TCP_DEFER_ACCEPT) for a second at most.
#[test]
fn first_bytes_that_come_late_are_served() {
    raise_descriptor_limit();
    for threads in [1, 3] {
        let server = Program::start(&format!("-t {threads} --drain-grace 2"));
        server.freeze();
        let mut clients: Vec<Client> = (0..QUEUED).map(|_| Client::new(server.address)).collect();
        for client in clients.iter_mut().step_by(2) {
            client.send(GET);
        }
        server.signal("TERM");
        let since = Instant::now();
        server.thaw();
        until_draining(server.address);
        for batch in clients.chunks_mut(QUEUED / 10) {
            thread::sleep(Duration::from_millis(50));
            for client in batch.iter_mut().skip(1).step_by(2) {
                client.send(GET);
            }
        }
        for (index, client) in clients.iter_mut().enumerate() {
            let answers = client.rest();
            // The first ones may have been answered before the signal was seen.
            assert!(
                answers.len() == 1 && answers[0].is_right() && (index % 2 == 0 || answers[0].closes()),
                "{index}: {answers:?}"
            );
        }
        assert_eq!(server.end(since).code, Some(0));
    }
}

/// The same after the listeners are closed. Half a second is left to those who are that late: a turn in which this test was
/// itself too slow to keep that says nothing.
#[test]
fn first_bytes_are_waited_for_after_the_listeners_are_closed() {
    let mut said = 0;
    for _ in 0..5 {
        let server = TestServer::with(|settings| {
            settings.limits.drain_grace = Duration::from_millis(1500);
            settings.threads = NonZeroUsize::new(2).unwrap();
        });
        let mut clients: Vec<Client> = (0..100).map(|_| Client::new(server.address)).collect();
        server.stopper().drain(false);
        let mut open = Instant::now();
        super::wait(|| {
            let before = Instant::now();
            let attempt = TcpStream::connect_timeout(&server.address, Duration::from_millis(20));
            if attempt.is_ok() {
                open = before;
            }
            attempt.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        });
        // A reset here would be an error of `write`, or of the reading.
        let outcomes: Vec<_> =
            clients.iter_mut().map(|client| client.stream.write_all(GET).map_err(|error| error.kind())).collect();
        if open.elapsed() > Duration::from_millis(400) {
            continue;
        }
        assert_eq!(outcomes, vec![Ok(()); clients.len()]);
        for client in &mut clients {
            let answers = client.rest();
            assert!(answers.len() == 1 && answers[0].is_right() && answers[0].closes(), "{answers:?}");
        }
        said += 1;
        if said == 2 {
            return;
        }
    }
    eprintln!("this machine is too slow for this test: {said} of 2 turns");
}

/// The listeners can only be closed when the queue is empty, and it can only be emptied when there is room.
#[test]
fn a_queue_that_there_is_no_room_for_is_served_when_there_is() {
    raise_descriptor_limit();
    let server = TestServer::with(|settings| {
        settings.limits.connections = NonZeroUsize::new(2);
        settings.limits.drain_grace = Duration::ZERO;
        settings.limits.drain_timeout = super::PATIENCE;
    });
    // Neither is idle: their content is waited for, for 2 seconds.
    let post = b"POST /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".as_slice();
    let mut busy: Vec<Client> = (0..2).map(|_| Client::new(server.address)).collect();
    for client in &mut busy {
        client.send(&[GET, post].concat());
        assert!(client.answer().unwrap().is_right());
    }
    let mut clients: Vec<Client> = (0..50).map(|_| Client::new(server.address)).collect();
    clients.iter_mut().for_each(|client| client.send(GET));
    server.stopper().drain(false);
    for client in &mut clients {
        let answers = client.rest();
        assert!(answers.len() == 1 && answers[0].is_right(), "{answers:?}");
    }
    for client in &mut busy {
        assert_eq!(client.rest().iter().map(|answer| answer.status).collect::<Vec<_>>(), [405]);
    }
    server.join();
}

/// Connections come up to the last moment: each is answered or refused, and none that was made is reset.
#[test]
fn up_to_the_last_moment_a_connection_is_answered_or_refused() {
    for threads in [1, 2, 3, 4, 1, 2, 3, 4] {
        let (answered, lost) = load_to_the_end(threads, Duration::from_millis(100));
        assert_eq!(lost, 0, "of {answered}");
    }
}

/// How many new connections were answered and how many lost by a server that is stopped under them.
fn load_to_the_end(threads: usize, grace: Duration) -> (usize, usize) {
    let (answered, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let server = TestServer::with(|settings| {
        settings.limits.drain_grace = grace;
        settings.threads = NonZeroUsize::new(threads).unwrap();
    });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(is_answered) = connect_and_ask(server.address) {
                    if is_answered { &answered } else { &lost }.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        super::wait(|| answered.load(Ordering::Relaxed) > 100);
        server.stopper().drain(false);
    });
    (answered.into_inner(), lost.into_inner())
}

/// Whether a new connection was answered; `None`: it was refused.
fn connect_and_ask(address: SocketAddr) -> Option<bool> {
    let mut client = match Client::try_new(address) {
        Ok(client) => client,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return None,
        // The reset of a connection that was made, told before `connect` had returned.
        Err(_) => return Some(false),
    };
    let request = b"GET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    Some(client.ask(request).is_ok_and(|answer| answer.text() == CONTENT))
}
