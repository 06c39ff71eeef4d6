//! Where a server listens, which address it sees there, and how its threads share the port.
#![allow(clippy::unwrap_used)]

mod support;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;
use support::{Answer, TestServer};
use swagip::net::{BindError, Listen, ListenerKind, Order, Server, Settings, Stopper, Threads};

fn listening_at(address: &str) -> TestServer {
    let address = address.parse().unwrap();
    TestServer::with(|settings| settings.listeners = vec![Listen { address, any: false, kind: ListenerKind::Plain }])
}

fn bind(settings: &Settings) -> Result<Server, BindError> {
    Server::bind(settings, &Stopper::new().unwrap())
}

/// Asks from one address at another, over a connection that stays open.
fn ask(from: IpAddr, to: SocketAddr, target: &str) -> (String, TcpStream) {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
    let mut bytes = [0; 1024];
    let length = stream.read(&mut bytes).unwrap();
    (Answer::all(&bytes[..length])[0].text(), stream)
}

const MAPPED: Ipv6Addr = Ipv4Addr::new(127, 0, 0, 1).to_ipv6_mapped();

#[test]
fn each_family_and_both() {
    for (listen, from, to, seen) in [
        ("127.0.0.1:0", "127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:0", "127.20.30.254", "127.0.0.1", "127.20.30.254"),
        ("0.0.0.0:0", "127.0.0.2", "127.0.0.3", "127.0.0.2"),
        ("[::1]:0", "::1", "::1", "::1"),
        // Dual stack: IPv4 as IPv4, never as ::ffff:127.0.0.1.
        ("[::]:0", "::1", "::1", "::1"),
        ("[::]:0", "127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("[::]:0", "127.20.30.254", "127.0.0.1", "127.20.30.254"),
        ("[::]:0", "::ffff:127.0.0.9", "::ffff:127.0.0.1", "127.0.0.9"),
    ] {
        let server = listening_at(listen);
        let to = SocketAddr::new(to.parse().unwrap(), server.address.port());
        let from: IpAddr = from.parse().unwrap();
        let what = format!("{from} at {listen}");
        assert_eq!(ask(from, to, "/ip").0, format!("{seen}\n"), "{what}");
        let (text, stream) = ask(from, to, "/port");
        assert_eq!(text, format!("{}\n", stream.local_addr().unwrap().port()), "{what}");
        let decimal = match from.to_canonical() {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let document = ask(from, to, "/json").0;
        assert!(
            document.starts_with(&format!("{{\n  \"ip\": \"{seen}\",\n  \"ip_decimal\": {decimal},\n")),
            "{what}: {document}"
        );
    }
}

#[test]
fn one_family_alone() {
    let server = listening_at("127.0.0.1:0");
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, server.address.port())).is_err());
    let server = listening_at("[::1]:0");
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, server.address.port())).is_err());
    assert!(TcpStream::connect((MAPPED, server.address.port())).is_err());
}

#[test]
fn several_addresses_at_once() {
    let listen = |address: &str| Listen { address: address.parse().unwrap(), any: false, kind: ListenerKind::Plain };
    let mut settings = support::settings();
    settings.threads = Threads::Spread(NonZeroUsize::new(2).unwrap());
    settings.listeners = vec![listen("127.0.0.1:0"), listen("[::1]:0"), listen("127.0.0.2:0")];
    let stopper = Stopper::new().unwrap();
    let server = Server::bind(&settings, &stopper).unwrap();
    let addresses: Vec<SocketAddr> = server.addresses().collect();
    let running = thread::spawn(|| server.run());
    for &address in &addresses {
        assert_eq!(ask(address.ip(), address, "/ip").0, format!("{}\n", address.ip()));
    }
    stopper.stop(Order::DrainAtOnce);
    running.join().unwrap().unwrap();
    for address in addresses {
        assert!(TcpStream::connect(address).is_err(), "{address} is closed after the end");
    }
}

/// SO_REUSEPORT would let a second server of the same user in, and split the connections between the two.
#[test]
fn a_port_that_somebody_holds_is_found() {
    let server = TestServer::start();
    let shared = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    shared.set_reuse_port(true).unwrap();
    shared.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    shared.listen(1).unwrap();
    for address in [server.address, shared.local_addr().unwrap().as_socket().unwrap()] {
        let mut settings = support::settings();
        settings.listeners[0].address = address;
        assert!(matches!(bind(&settings), Err(BindError::Taken(taken)) if taken == address));
        settings.listeners[0].address = (Ipv6Addr::UNSPECIFIED, address.port()).into();
        assert!(matches!(bind(&settings), Err(BindError::Taken(_))), "[::] takes in 127.0.0.1");
    }
}

#[test]
fn an_address_that_is_not_this_machine_s_is_told() {
    let mut settings = support::settings();
    settings.listeners[0].address = "192.0.2.1:0".parse().unwrap();
    let error = bind(&settings).err().unwrap();
    assert!(error.to_string().starts_with("cannot listen on 192.0.2.1:0: "), "{error}");
}

/// The inodes of the IPv4 sockets of a local port: those that listen, and those with a connection.
fn sockets(port: u16) -> [BTreeSet<u64>; 2] {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let local = format!(":{port:04X}");
    let in_state = |state: &str| {
        let rows = rows.iter().filter(|row| row[1].ends_with(&local) && row[3] == state);
        rows.map(|row| row[9].parse().unwrap()).collect()
    };
    // The kernel's TCP_LISTEN and TCP_ESTABLISHED.
    [in_state("0A"), in_state("01")]
}

/// The inodes that each epoll instance of this process watches.
fn watched() -> Vec<BTreeSet<u64>> {
    let is_epoll = |path: &std::path::PathBuf| fs::read_link(path).is_ok_and(|link| link.as_os_str() == "anon_inode:[eventpoll]");
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path()).filter(is_epoll);
    let inodes = |info: String| {
        let inode = |line: &str| line.strip_prefix("tfd:")?.split("ino:").nth(1)?.split_whitespace().next().map(str::to_owned);
        info.lines().filter_map(inode).map(|inode| u64::from_str_radix(&inode, 16).unwrap()).collect()
    };
    let info =
        |path: std::path::PathBuf| fs::read_to_string(path.to_str().unwrap().replace("/fd/", "/fdinfo/")).unwrap_or_default();
    descriptors.map(info).map(inodes).collect()
}

/// Each thread has a listener of its own and an epoll instance of its own, which watches what the thread accepted: the kernel
/// tells exactly which thread serves which client.
#[test]
fn threads_share_the_port_and_the_connections() {
    const CONNECTIONS: usize = 4000;
    let server = TestServer::with(|settings| settings.threads = Threads::Spread(NonZeroUsize::new(4).unwrap()));
    let from = IpAddr::from([127, 0, 0, 1]);
    let open: Vec<TcpStream> = (0..CONNECTIONS).map(|_| ask(from, server.address, "/ip").1).collect();

    let [listeners, connections] = sockets(server.address.port());
    assert_eq!((listeners.len(), connections.len()), (4, open.len()));
    let served = || -> Vec<usize> {
        let threads = watched().into_iter().filter(|inodes| inodes.intersection(&listeners).count() == 1);
        threads.map(|inodes| inodes.intersection(&connections).count()).collect()
    };
    // A thread registers a connection only after it has answered: the last one may be on its way.
    let seen = (0..1000).map(|_| served()).find(|served| {
        thread::sleep(Duration::from_millis(1));
        served.iter().sum::<usize>() == CONNECTIONS
    });
    let served = seen.unwrap_or_else(|| panic!("each connection is one thread's: {:?}", served()));
    assert_eq!(served.len(), 4, "each thread has one listener");
    assert!(served.iter().all(|&count| count * 100 >= CONNECTIONS * 15), "no thread serves under 15 %: {served:?}");
}

/// Who asks from one CPU is served by one thread, and each CPU has its own.
#[test]
fn pinned_threads_serve_what_arrives_on_their_cpu() {
    let all = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let cpus: Vec<usize> = (0..CpuSet::count()).filter(|&cpu| all.is_set(cpu).unwrap()).collect();
    let server = TestServer::with(|settings| settings.threads = Threads::Pinned);
    let asked_on = |cpu: usize| {
        let mut one = CpuSet::new();
        one.set(cpu).unwrap();
        sched_setaffinity(Pid::from_raw(0), &one).unwrap();
        let open: Vec<TcpStream> = (0..50).map(|_| ask([127, 0, 0, 1].into(), server.address, "/ip").1).collect();
        sched_setaffinity(Pid::from_raw(0), &all).unwrap();
        open
    };
    let mut known = BTreeSet::new();
    let mut open = Vec::new();
    for &cpu in &cpus {
        open.extend(asked_on(cpu));
        let [listeners, connections] = sockets(server.address.port());
        assert_eq!((listeners.len(), connections.len()), (cpus.len(), open.len()));
        let fresh: BTreeSet<u64> = connections.difference(&known).copied().collect();
        // A thread registers a connection only after it has answered: the last one may be on its way.
        let is_one_thread_s = || {
            thread::sleep(Duration::from_millis(1));
            watched().iter().any(|inodes| inodes.is_superset(&fresh) && inodes.is_disjoint(&known))
        };
        assert!((0..1000).any(|_| is_one_thread_s()), "CPU {cpu} of {cpus:?} has a thread of its own");
        known = connections;
    }
}
