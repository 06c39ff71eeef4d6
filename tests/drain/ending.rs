//! How and when it ends.

use super::program::Program;
use super::{Client, GET, until_closed, until_draining};
use std::io::{self, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

/// Far below the seconds that a head, a reader or a lingering client is given.
const SOON: Duration = Duration::from_millis(1500);

#[test]
fn with_nothing_in_flight_it_ends_soon() {
    for signal in ["INT", "TERM"] {
        for threads in [1, 3] {
            let server = Program::start(&format!("-t {threads} --drain-grace 0 --drain-timeout 1m"));
            let end = server.stop(signal);
            assert!(end.code == Some(0) && end.after < SOON, "{:?} after {:?}", end.code, end.after);
        }
    }
}

/// A person's Ctrl-C, whatever a browser holds open: pooled connections, and some made in advance that have sent nothing. Nor
/// does it need the clients to close theirs.
#[test]
fn an_interrupt_has_no_grace_and_waits_for_nobody_who_is_silent() {
    for threads in [1, 3] {
        let server = Program::start(&format!("-t {threads} --drain-grace 1m --drain-timeout 2m"));
        let idle: Vec<Client> = (0..100).map(|_| Client::idle(server.address)).collect();
        let silent: Vec<Client> = (0..20).map(|_| Client::new(server.address)).collect();
        // Until the kernel has handed the silent ones over.
        thread::sleep(Duration::from_millis(1500));
        let end = server.stop("INT");
        assert!(end.code == Some(0) && end.after < SOON, "{:?} after {:?}", end.code, end.after);
        for mut client in idle.into_iter().chain(silent) {
            client.ends();
        }
    }
}

#[test]
fn the_grace_is_kept_and_then_it_ends_soon() {
    for threads in [1, 3] {
        let server = Program::start(&format!("-t {threads} --drain-grace 1 --drain-timeout 1m"));
        let idle: Vec<Client> = (0..100).map(|_| Client::idle(server.address)).collect();
        let end = server.stop("TERM");
        let grace = Duration::from_secs(1);
        assert!(end.code == Some(0) && end.after >= grace && end.after < grace + SOON, "{:?} after {:?}", end.code, end.after);
        for mut client in idle {
            client.ends();
        }
    }
}

/// Neither is half a head waited for, nor a reader who does not read, nor does the waiting cost anything.
#[test]
fn at_the_latest_it_ends_at_the_drain_timeout_and_does_not_spin_until_then() {
    for threads in [1, 3] {
        let server = Program::start(&format!("-t {threads} --drain-grace 500ms --drain-timeout 3"));
        let mut half = Client::new(server.address);
        half.send(&[GET, &GET[..20]].concat());
        assert!(half.answer().unwrap().is_right());
        let deaf = Client::idle(server.address);
        deaf.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let requests = GET.repeat(1000);
        while (&deaf.stream).write_all(&requests).is_ok() {}
        let silent: Vec<Client> = (0..20).map(|_| Client::new(server.address)).collect();
        let idle: Vec<Client> = (0..20).map(|_| Client::idle(server.address)).collect();
        let end = server.stop("TERM");
        let timeout = Duration::from_secs(3);
        assert!(
            end.code == Some(0) && end.after >= timeout && end.after < timeout + SOON,
            "{:?} after {:?}",
            end.code,
            end.after
        );
        eprintln!("processor time of the whole life: {:?}", end.processor);
        assert!(end.processor < Duration::from_millis(500), "{:?}", end.processor);
        drop((half, deaf, silent, idle));
    }
}

/// However much there is to do, and whether or not anybody reads what comes of it.
#[test]
fn the_drain_timeout_is_kept_with_the_worst_requests_under_way() {
    const CLIENTS: usize = 60;
    const TIMEOUT: Duration = Duration::from_secs(1);
    /// What a thread may still do after it. Counted on the processor: these clients, and other tests, want one too.
    const LONGER_MAX: Duration = Duration::from_millis(250);
    let fields: String = (0..38).map(|index| format!("A{index:02}: {}\r\n", "\"".repeat(260))).collect();
    let pages = format!("GET /?format=html HTTP/1.1\r\nHost: a\r\n{fields}\r\n").repeat(8);
    // Half a head comes last each time: nobody is done before the timeout.
    let (start, rest) = pages.split_at(20);
    let goes_on = &format!("{rest}{start}");
    for (threads, reads) in [(1, true), (2, true), (1, false)] {
        let server = Program::start(&format!("-t {threads} --drain-grace 200ms --drain-timeout 1"));
        let clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(server.address).stream).collect();
        let end = thread::scope(|scope| {
            for mut stream in &clients {
                stream.write_all(start.as_bytes()).unwrap();
                scope.spawn(move || while stream.write_all(goes_on.as_bytes()).is_ok() {});
                if reads {
                    scope.spawn(move || io::copy(&mut stream, &mut io::sink()));
                }
            }
            // Until all of them are at it.
            thread::sleep(Duration::from_millis(300));
            let asked = Instant::now();
            server.signal("TERM");
            thread::sleep(TIMEOUT.saturating_sub(asked.elapsed()));
            let end = server.end(asked);
            // Those that nobody read from are not told.
            clients.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
            end
        });
        let line = format!(
            "{threads} threads, clients that read: {reads}: ended after {:?}, {:?} of it at work after the timeout",
            end.after, end.busiest
        );
        eprintln!("{line}");
        assert!(end.code == Some(0) && end.busiest < LONGER_MAX, "{:?} {line}", end.code);
    }
}

#[test]
fn a_second_signal_ends_it_at_once_wherever_it_is() {
    for (grace, first, second) in [("1m", "TERM", "TERM"), ("1m", "TERM", "INT"), ("0", "TERM", "TERM"), ("1m", "INT", "INT")] {
        let server = Program::start(&format!("--drain-grace {grace} --drain-timeout 2m"));
        let mut half = Client::new(server.address);
        half.send(&[GET, &GET[..20]].concat());
        assert!(half.answer().unwrap().is_right());
        server.signal(first);
        if grace == "0" || first == "INT" {
            until_closed(server.address);
        } else {
            until_draining(server.address);
        }
        let end = server.stop(second);
        assert!(end.code == Some(0) && end.after < SOON, "{first} {second}: {:?} after {:?}", end.code, end.after);
    }
}
