//! Many clients that do nothing.

use crate::attack::{self, Family};
use crate::process::Process;
use crate::{ask, assert_serves_new_clients, connect, raise_descriptor_limit};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

const CONNECTIONS: usize = 10_000;

/// Bytes for each of them; mio's debug builds note in each socket whose poll it belongs to.
const BYTES_MAX: u64 = if cfg!(debug_assertions) { 100 + 8 } else { 100 };

#[test]
fn ten_thousand_idle_connections_cost_little_memory_and_no_time() {
    raise_descriptor_limit();
    let server = Process::start(&["--idle-timeout", "10m"]);
    let warm = connections(50, |_| connect(server.address));
    let idle = cost(&server, |_| connect(server.address));

    let busy = server.busy();
    assert!(busy > Duration::ZERO, "the kernel keeps no account of time");
    thread::sleep(Duration::from_secs(1));
    let busy = server.busy() - busy;
    println!("{busy:?} on a processor in a second");
    assert!(busy <= Duration::from_millis(1), "{busy:?} on a processor in a second without requests");
    assert_serves_new_clients(server.address);
    drop((warm, idle));

    // Each of another client, which needs an entry of its own in the table of sources. Not a test of its own: at the same time both
    // would need more descriptors than a process often may have.
    let server = Process::start(&["--idle-timeout", "10m"]);
    let warm = connections(50, |_| connect(server.address));
    let client = |number| attack::connect(server.address, Family::Peers.origin(100, number as u16, 0)).unwrap();
    let idle = cost(&server, client);
    drop((warm, idle));
}

/// Checks what idle connections cost, and hands them over.
fn cost(server: &Process, connect: impl Fn(usize) -> TcpStream) -> Vec<TcpStream> {
    let before = server.memory();
    let idle = connections(CONNECTIONS, connect);
    let each = server.memory().saturating_sub(before) / CONNECTIONS as u64;
    println!("{each} bytes for each of {CONNECTIONS} idle connections");
    assert!(each <= BYTES_MAX, "{each} bytes for each idle connection");
    idle
}

/// That have each been served once.
fn connections(count: usize, connect: impl Fn(usize) -> TcpStream) -> Vec<TcpStream> {
    let open = |number| {
        let mut stream = connect(number);
        ask(&mut stream);
        stream
    };
    (0..count).map(open).collect()
}
