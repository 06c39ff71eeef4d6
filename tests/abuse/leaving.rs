//! Clients that leave without a word.

use crate::process::Process;
use crate::{GET, PATIENCE, assert_serves_new_clients, connect};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A connection that is reset when it is dropped.
fn rude(address: SocketAddr) -> TcpStream {
    let stream = connect(address);
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    stream
}

/// Waits until the server has this many descriptors open.
fn wait_for_descriptors(server: &Process, descriptors: usize) {
    let start = Instant::now();
    while server.descriptors() != descriptors {
        assert!(start.elapsed() < PATIENCE, "{} descriptors open, {descriptors} expected", server.descriptors());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn resets_in_the_midst_of_answers_leave_nothing_behind() {
    let server = Process::start(&[]);
    let descriptors = server.descriptors();
    let requests = GET.repeat(500);
    let leave = |index: usize| {
        let mut stream = rude(server.address);
        match index % 5 {
            // Nothing said; half a head; half of the content; some answers unread; answers read in part.
            0 => {}
            1 => stream.write_all(&GET[..10]).unwrap(),
            2 => stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx").unwrap(),
            3 => stream.write_all(&requests).unwrap(),
            _ => {
                stream.write_all(&requests).unwrap();
                stream.read_exact(&mut [0; 1000]).unwrap();
            }
        }
    };
    (0..100).for_each(leave);
    wait_for_descriptors(&server, descriptors);
    let memory = server.memory();
    (0..3000).for_each(leave);
    assert_serves_new_clients(server.address);
    wait_for_descriptors(&server, descriptors);
    let growth = server.memory().saturating_sub(memory);
    assert!(growth < 512 * 1024, "{growth} bytes more than before");
}

#[test]
fn who_leaves_while_content_is_awaited_is_forgotten() {
    let server = Process::start(&[]);
    let descriptors = server.descriptors();
    let clients: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = connect(server.address);
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx").unwrap();
            stream
        })
        .collect();
    wait_for_descriptors(&server, descriptors + 100);
    drop(clients);
    wait_for_descriptors(&server, descriptors);
}
