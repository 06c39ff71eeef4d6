//! What each signal means, also to a process 1, which gets none that it has no handler for.

use super::program::Program;
use super::{Client, GET, until_draining};
use std::time::{Duration, Instant};

/// Far below the grace.
const SOON: Duration = Duration::from_millis(1500);

/// Tries it as an ordinary process and as process 1, with one thread and with two.
fn everywhere(arguments: &str, check: impl Fn(Program)) {
    for threads in [1, 2] {
        let arguments = format!("-t {threads} {arguments}");
        check(Program::start(&arguments));
        match Program::start_as_1(&arguments) {
            Some(program) => check(program),
            None => eprintln!("not tried as process 1: namespaces are not allowed here"),
        }
    }
}

#[test]
fn term_and_quit_drain() {
    for signal in ["TERM", "QUIT"] {
        everywhere("--drain-grace 1 --drain-timeout 1m", |server| {
            let mut idle = Client::idle(server.address);
            server.signal(signal);
            until_draining(server.address);
            assert!(idle.ask(GET).unwrap().is_right(), "{signal}");
            assert_eq!(server.end(Instant::now()).code, Some(0), "{signal}");
        });
    }
}

#[test]
fn int_ends_it_without_a_grace() {
    everywhere("--drain-grace 1m --drain-timeout 2m", |server| {
        let mut idle = Client::idle(server.address);
        let end = server.stop("INT");
        assert!(end.code == Some(0) && end.after < SOON, "{:?} after {:?}", end.code, end.after);
        idle.ends();
    });
}

#[test]
fn hup_and_usr1_and_usr2_are_ignored() {
    everywhere("--drain-grace 0 --drain-timeout 1m", |server| {
        let mut idle = Client::idle(server.address);
        for signal in ["HUP", "USR1", "USR2"].repeat(3) {
            server.signal(signal);
            let mut new = Client::new(server.address);
            for client in [&mut idle, &mut new] {
                let answer = client.ask(GET).unwrap();
                assert!(answer.is_right() && !answer.closes(), "{signal}");
            }
        }
        let end = server.stop("TERM");
        assert!(end.code == Some(0) && end.after < SOON, "{:?} after {:?}", end.code, end.after);
    });
}

/// Each rings the bell, which holds 278 of them.
#[test]
fn any_number_of_hups_leaves_the_bell_heard() {
    everywhere("--drain-grace 0 --drain-timeout 1m", |server| {
        for _ in 0..400 {
            server.signal("HUP");
            // Signals of one kind that wait are one.
            assert!(Client::new(server.address).ask(GET).unwrap().is_right());
        }
        let end = server.stop("TERM");
        assert!(end.code == Some(0) && end.after < SOON, "{:?} after {:?}", end.code, end.after);
    });
}

/// A second order to stop is the end; whatever other signals come after the first one are none.
#[test]
fn ignored_signals_are_no_second_order() {
    everywhere("--drain-grace 1 --drain-timeout 1m", |server| {
        server.signal("TERM");
        until_draining(server.address);
        for signal in ["HUP", "USR1", "USR2"] {
            server.signal(signal);
            assert!(Client::new(server.address).ask(GET).unwrap().is_right(), "{signal}");
        }
        assert_eq!(server.end(Instant::now()).code, Some(0));
    });
}
