//! Many clients that do nothing.

use crate::process::Process;
use crate::{ask, assert_serves_new_clients, connect};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

const CONNECTIONS: usize = 10_000;

/// Bytes for each of them; mio's debug builds note in each socket whose poll it belongs to.
const BYTES_MAX: u64 = if cfg!(debug_assertions) { 100 + 8 } else { 100 };

#[test]
fn ten_thousand_idle_connections_cost_little_memory_and_no_time() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard > CONNECTIONS as u64 + 1000, "the hard limit of descriptors is {hard}: raise it for this test");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();

    let server = Process::start(&["--idle-timeout", "10m"]);
    let warm: Vec<TcpStream> = connections(server.address, 50);
    let before = server.memory();
    let idle = connections(server.address, CONNECTIONS);
    let each = server.memory().saturating_sub(before) / CONNECTIONS as u64;
    println!("{each} bytes for each of {CONNECTIONS} idle connections");
    assert!(each <= BYTES_MAX, "{each} bytes for each idle connection");

    let busy = server.busy();
    assert!(busy > Duration::ZERO, "the kernel keeps no account of time");
    thread::sleep(Duration::from_secs(1));
    let busy = server.busy() - busy;
    println!("{busy:?} on a processor in a second");
    assert!(busy <= Duration::from_millis(1), "{busy:?} on a processor in a second without requests");
    assert_serves_new_clients(server.address);
    drop((warm, idle));
}

/// That have each been served once.
fn connections(address: std::net::SocketAddr, count: usize) -> Vec<TcpStream> {
    let open = |_| {
        let mut stream = connect(address);
        ask(&mut stream);
        stream
    };
    (0..count).map(open).collect()
}
