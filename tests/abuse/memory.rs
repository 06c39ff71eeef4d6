//! What clients that read nothing make the server and its kernel hold, and for how long.

use crate::process::Process;
use crate::{GET, LAST, PATIENCE, connect, raise_descriptor_limit, rest};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: u64 = 20;

/// Bytes for each client.
const USER_MAX: u64 = 320 * 1024;
const KERNEL_MAX: u64 = 512 * 1024;

/// What may stay of a page in each thread.
const LEFT_MAX: u64 = 512 * 1024;

/// As long as the server lets a client read nothing.
const WRITE: Duration = Duration::from_secs(1);

/// As long as it waits for content.
const CONTENT: Duration = Duration::from_secs(2);

/// After the write deadline nothing is left of a client.
const GONE: Duration = Duration::from_secs(2);

/// A page as long as a client can make it with few rows.
pub fn longest_page(more: &str) -> Vec<u8> {
    let fields: String = (0..38).map(|index| format!("A{index:02}x: {}\r\n", "\"".repeat(260))).collect();
    format!("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n{fields}{more}\r\n").into_bytes()
}

/// One that has room for little, so that nearly everything stays with the server.
fn narrow(server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

/// Sends until the server has taken nothing for a while.
fn pour(stream: &mut TcpStream, requests: &[u8]) {
    stream.set_nonblocking(true).unwrap();
    let (mut left, mut taken) = (requests, Instant::now());
    while !left.is_empty() && taken.elapsed() < Duration::from_millis(100) {
        match stream.write(left) {
            Ok(length) => (left, taken) = (&left[length..], Instant::now()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    }
}

/// What the kernel holds for the server's connections, and how many there are, closed ones included that are not gone yet.
fn kernel(server: SocketAddr) -> (u64, usize) {
    let port = format!(":{}", server.port());
    let output = Command::new("ss").args(["-tnHmO", "state", "connected", "exclude", "time-wait", "sport", "=", &port]).output();
    let text = String::from_utf8(output.expect("ss of iproute2 is needed").stdout).unwrap();
    let figures = |line: &str| -> u64 {
        let (_, memory) = line.split_once("skmem:(").unwrap();
        let figures = memory.split_once(')').unwrap().0.split(',');
        // What was received, what is to be sent, what is set aside, options, and what nobody has looked at yet.
        let counted = figures.filter_map(|figure| {
            let name = figure.trim_end_matches(|digit: char| digit.is_ascii_digit());
            ["r", "w", "f", "o", "bl"].contains(&name).then(|| figure[name.len()..].parse::<u64>().unwrap())
        });
        counted.sum()
    };
    // One that is only being made has no memory of its own yet.
    let sockets = || text.lines().filter(|line| line.contains("skmem:("));
    (sockets().map(figures).sum(), sockets().count())
}

/// The most that clients were seen to cost until they were gone.
struct Peak {
    user: u64,
    kernel: u64,
    connections: usize,
    /// After the last client had sent all that was taken.
    gone_after: Duration,
}

/// Has clients send this and read nothing, and watches the server until it is rid of them.
fn watch(server: &Process, requests: &[u8]) -> Peak {
    let before = server.memory();
    let mut peak = Peak { user: 0, kernel: 0, connections: 0, gone_after: Duration::ZERO };
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| narrow(server.address)).collect();
    let pouring = AtomicUsize::new(clients.len());
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| {
                pour(client, requests);
                pouring.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let mut poured = Instant::now();
        loop {
            if pouring.load(Ordering::Relaxed) > 0 {
                poured = Instant::now();
            }
            let (kernel, connections) = kernel(server.address);
            peak.user = peak.user.max(server.memory().saturating_sub(before) / CLIENTS);
            peak.kernel = peak.kernel.max(kernel / CLIENTS);
            peak.connections = peak.connections.max(connections);
            peak.gone_after = poured.elapsed();
            if connections == 0 || peak.gone_after > PATIENCE {
                return peak;
            }
        }
    })
}

#[test]
fn who_never_reads_costs_little_and_is_gone_after_the_write_deadline() {
    raise_descriptor_limit();
    let page = longest_page("");
    let content = longest_page("Content-Length: 9\r\n");
    let last = longest_page("Connection: close\r\n");
    for (name, requests, grace) in [
        ("pages", page.repeat(40), Duration::ZERO),
        ("pages and half a head", [page.repeat(40).as_slice(), &page[..page.len() - 1]].concat(), Duration::ZERO),
        ("a page that waits for content", content.clone(), CONTENT),
        ("pages that wait for content", [page.as_slice(), &content].concat(), CONTENT),
        ("small answers", GET.repeat(40_000), Duration::ZERO),
        ("answers to HEAD", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(40_000), Duration::ZERO),
        // The server has closed it in order, and what is left is the kernel's alone, which looks at it now and then.
        ("the last page", last, Duration::from_secs(2)),
    ] {
        let server = Process::start(&["--write-timeout", "1", "--idle-timeout", "1", "--head-timeout", "1"]);
        // What is scratch is not theirs.
        rest_of_one(&server, &longest_page("Connection: close\r\n"));
        // Nor is the connection that had it.
        let asked = Instant::now();
        while kernel(server.address).1 > 0 {
            assert!(asked.elapsed() < PATIENCE, "one that was closed in order stays");
        }
        let Peak { user, kernel, connections, gone_after } = watch(&server, &requests);
        let line = format!(
            "{name}: {user} bytes in the server and {kernel} in its kernel for each of {connections} clients, gone after {gone_after:.1?}"
        );
        println!("{line}");
        let is_small = user <= USER_MAX && kernel <= KERNEL_MAX;
        assert!(is_small && connections == CLIENTS as usize && gone_after <= WRITE + grace + GONE, "{line}");
    }
}

/// Asks once and reads to the end; how much that is.
fn rest_of_one(server: &Process, request: &[u8]) -> usize {
    let mut stream = connect(server.address);
    stream.write_all(request).unwrap();
    rest(&mut stream).len()
}

#[test]
fn after_the_longest_page_memory_is_given_back() {
    const THREADS: u64 = 2;
    let server = Process::start_at(&["--listen", "127.0.0.1:0", "--threads", &THREADS.to_string()]);
    // As many that each thread has some of them.
    let warm = || {
        (0..40).for_each(|_| {
            rest_of_one(&server, LAST);
        });
    };
    warm();
    let before = server.memory();
    let request = longest_page("Connection: close\r\n");
    for _ in 0..40 {
        let length = rest_of_one(&server, &request);
        assert!(length > 64 * 1024, "{length}");
    }
    warm();
    let grown = server.memory().saturating_sub(before) / THREADS;
    println!("{grown} bytes more for each thread");
    assert!(grown <= LEFT_MAX, "{grown} bytes more for each thread");
}
