//! More clients than there is room for.

use crate::process::Process;
use crate::support::TestServer;
use crate::{GET, ask, assert_serves_new_clients, connect, fill, is_closed, rest};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

fn server(connections: usize) -> TestServer {
    TestServer::with(|settings| settings.limits.connections = NonZeroUsize::new(connections))
}

fn idle(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    ask(&mut stream);
    grow_old();
    stream
}

/// What has come in the same turn of the event loop is spared.
fn grow_old() {
    thread::sleep(Duration::from_millis(3));
}

/// Half a head, which the server has read: an answer to the request before it has come.
fn half(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(&[GET, b"GET / HT"].concat()).unwrap();
    assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
    grow_old();
    stream
}

#[test]
fn the_connection_idle_longest_makes_room_and_no_other() {
    let server = server(4);
    let mut clients: Vec<TcpStream> = (0..4).map(|_| idle(server.address)).collect();
    // The first one is no longer the one that is idle longest.
    thread::sleep(Duration::from_millis(20));
    ask(&mut clients[0]);
    let mut fifth = idle(server.address);
    assert!(is_closed(&mut clients[1]), "the one idle longest is still open");
    for index in [2, 3, 0] {
        assert!(!is_closed(&mut clients[index]), "connection {index} was closed, too");
    }
    let mut sixth = idle(server.address);
    assert!(is_closed(&mut clients[2]), "the next one is still open");
    clients.drain(1..3);
    clients.iter_mut().chain([&mut fifth, &mut sixth]).for_each(ask);
}

#[test]
fn idle_connections_go_before_unfinished_heads_and_the_oldest_head_goes_first() {
    let server = server(3);
    let (mut first, mut second) = (half(server.address), half(server.address));
    let mut idler = idle(server.address);
    let mut third = half(server.address);
    assert!(is_closed(&mut idler) && !is_closed(&mut first) && !is_closed(&mut second));
    let mut fourth = half(server.address);
    assert!(is_closed(&mut first), "the oldest head is still open");
    assert!(!is_closed(&mut second) && !is_closed(&mut third));
    fourth.write_all(b"TP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    assert!(rest(&mut fourth).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn pending_answers_are_given_up_last() {
    let server = server(3);
    let [first, second] = [fill(connect(server.address)), fill(connect(server.address))];
    let mut third = half(server.address);
    let mut waiting = idle(server.address);
    assert!(is_closed(&mut third), "half a head is less than an answer");
    drop(waiting);
    waiting = half(server.address);
    let mut another = idle(server.address);
    assert!(is_closed(&mut waiting));
    ask(&mut another);
    // The first of these takes the place of that one; for the second nothing is left but a reader, which is reset.
    let readers = [first, second, fill(connect(server.address)), fill(connect(server.address))];
    let reset = readers.into_iter().filter_map(|mut stream| {
        // On the one that was reset it fails.
        let _ = stream.shutdown(Shutdown::Write);
        stream.read_to_end(&mut Vec::new()).err()
    });
    assert_eq!(reset.map(|error| error.kind()).collect::<Vec<_>>(), [ErrorKind::ConnectionReset]);
}

#[test]
fn a_server_full_of_half_heads_serves_new_clients() {
    let server = server(50);
    let _half: Vec<TcpStream> = (0..100).map(|_| half(server.address)).collect();
    assert_serves_new_clients(server.address);
}

#[test]
fn three_times_as_many_connections_as_descriptors() {
    const DESCRIPTORS: u32 = 256;
    let server = Process::with_descriptors(DESCRIPTORS, &[]);
    let clients: Vec<TcpStream> = (0..3 * DESCRIPTORS).map(|_| idle(server.address)).collect();
    assert_serves_new_clients(server.address);
    assert!(server.descriptors() <= DESCRIPTORS as usize);
    // As many as there is room for are open, those of last.
    let mut newest: Vec<TcpStream> = clients.into_iter().rev().take(150).collect();
    newest.iter_mut().for_each(ask);
}

#[test]
fn descriptors_that_run_out_are_taken_from_idle_connections() {
    let server = Process::start(&["--max-connections", "1000"]);
    let _clients: Vec<TcpStream> = (0..20).map(|_| idle(server.address)).collect();
    server.take_free_descriptors();
    for _ in 0..50 {
        idle(server.address);
    }
    assert_serves_new_clients(server.address);
}

/// How many of these the server has left open; it sends nothing else.
fn open_of(clients: &mut [TcpStream]) -> usize {
    let is_open = |stream: &mut TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.read(&mut [0; 1]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    clients.iter_mut().map(is_open).filter(|is_open| *is_open).count()
}

#[test]
fn where_descriptors_have_run_out_a_new_client_costs_one_old_one() {
    let server = Process::start(&["--max-connections", "1000"]);
    let mut old: Vec<TcpStream> = (0..20).map(|_| idle(server.address)).collect();
    server.take_free_descriptors();
    let _new: Vec<TcpStream> = (0..10).map(|_| idle(server.address)).collect();
    // It has been done with the last of them for long.
    thread::sleep(Duration::from_millis(50));
    assert_eq!(open_of(&mut old), 10);
}

#[test]
fn closing_that_gives_no_descriptor_costs_few_clients_and_no_request_when_it_stops() {
    let server = Process::start(&["--max-connections", "1000"]);
    let mut clients: Vec<TcpStream> = (0..50).map(|_| idle(server.address)).collect();
    let mut unfinished = half(server.address);
    let since = Instant::now();
    // Below all that are open, so that closing one gives none back.
    server.limit_descriptors(0);
    let mut waiting = connect(server.address);
    waiting.write_all(GET).unwrap();
    thread::sleep(Duration::from_millis(250));
    let open = open_of(&mut clients);
    let rests = since.elapsed().as_millis() as usize / 100;
    assert!(open + rests + 1 >= clients.len(), "{open} are left after {rests} rests");
    server.signal("INT");
    thread::sleep(Duration::from_millis(250));
    unfinished.write_all(b"TP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(rest(&mut unfinished).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn descriptors_that_run_out_do_not_make_it_spin_and_no_client_is_forgotten() {
    let server = Process::start(&["--max-connections", "1000"]);
    let pending = [fill(connect(server.address)), fill(connect(server.address))];
    server.take_free_descriptors();
    let mut waiting: Vec<TcpStream> = (0..3).map(|_| connect(server.address)).collect();
    for stream in &mut waiting {
        stream.write_all(GET).unwrap();
    }
    let busy = server.busy();
    thread::sleep(Duration::from_millis(500));
    let busy = server.busy() - busy;
    assert!(busy < Duration::from_millis(20), "{busy:?} on a processor in half a second");
    drop(pending);
    for stream in &mut waiting {
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
    }
}
