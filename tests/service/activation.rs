//! Listeners that were open before the program, and are open after it.

use super::{GET, Server, answer, send, swagip, wait};
use socket2::{Domain, Socket, Type};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::time::Duration;

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// One of several listeners of an address.
fn bind(address: SocketAddr) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(128).unwrap();
    TcpListener::from(socket)
}

#[test]
fn what_is_handed_down_is_served_and_nothing_else_is_opened() {
    for threads in ["1 thread", "2 threads", "5 threads"] {
        let (listener, address) = listener();
        let server = Server::start(&[&listener], &[], &format!("-t {}", &threads[..1]));
        assert_eq!(server.start_line, format!("listening on {address} (inherited), {threads}, trusting no proxy"));
        for _ in 0..20 {
            assert_eq!(answer(send(address, GET)), "127.0.0.1");
        }
        server.stop();
    }
}

#[test]
fn what_is_named_is_opened_besides() {
    let (listener, address) = listener();
    let server = Server::start(&[&listener], &[], "-t 2 -l 127.0.0.1:0 --drain-grace 0");
    let own: SocketAddr = server.start_line.split([' ', ',']).nth(5).unwrap().parse().unwrap();
    assert_eq!((answer(send(address, GET)), answer(send(own, GET))), ("127.0.0.1".to_owned(), "127.0.0.1".to_owned()));
    server.stop();
    assert_eq!(TcpStream::connect(own).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(TcpStream::connect_timeout(&address, super::PATIENCE).is_ok());
}

/// One of them each for two threads, both for one thread, and one for two of three threads.
#[test]
fn several_of_one_address_are_all_served() {
    for threads in 1..=3 {
        let one = bind(([127, 0, 0, 1], 0).into());
        let address = one.local_addr().unwrap();
        let other = bind(address);
        let server = Server::start(&[&one, &other], &[], &format!("-t {threads}"));
        assert!(server.start_line.starts_with(&format!("listening on {address} (inherited), ")), "{}", server.start_line);
        // The kernel's choice between the two: that one of them is never chosen is as likely as a hundred heads in a row.
        for _ in 0..100 {
            assert_eq!(answer(send(address, GET)), "127.0.0.1");
        }
    }
}

#[test]
fn names_tell_what_listeners_are_for() {
    let ((plain, plain_address), (proxied, proxied_address)) = (listener(), listener());
    let names = [("LISTEN_FDNAMES", "proxy:http")];
    let server = Server::start(&[&proxied, &plain], &names, "-t 1 --trusted-proxy 127.0.0.1");
    let addresses = format!("{proxied_address} (inherited, PROXY protocol) and {plain_address} (inherited)");
    assert_eq!(server.start_line, format!("listening on {addresses}, 1 thread, trusting x-forwarded-for from 127.0.0.1/32"));
    let proxied = format!("PROXY TCP4 192.0.2.7 192.0.2.8 1000 80\r\n{GET}");
    assert_eq!(answer(send(proxied_address, &proxied)), "192.0.2.7");
    assert_eq!(answer(send(plain_address, GET)), "127.0.0.1");
}

/// The first thread alone serves it, and what is asked there is not counted.
#[test]
fn a_listener_for_monitoring() {
    let ((plain, address), (monitoring, metrics)) = (listener(), listener());
    let server = Server::start(&[&monitoring, &plain], &[("LISTEN_FDNAMES", "metrics:http")], "-t 3");
    let addresses = format!("{metrics} (inherited, metrics) and {address} (inherited)");
    assert_eq!(server.start_line, format!("listening on {addresses}, 3 threads, trusting no proxy"));
    assert_eq!((polls(&server, &monitoring), polls(&server, &plain)), (1, 3));
    for count in [0, 1] {
        let mut text = String::new();
        let request = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        send(metrics, request).read_to_string(&mut text).unwrap();
        let counted = format!("swagip_requests_total{{resource=\"ip\",code=\"200\"}} {count}\n");
        assert!(text.contains(&counted), "{text}");
        assert_eq!(answer(send(address, GET)), "127.0.0.1");
    }
    server.stop();
}

/// The kernel would choose which of them a connection gets.
#[test]
fn listeners_of_one_address_have_one_name() {
    let one = bind(([127, 0, 0, 1], 0).into());
    let address = one.local_addr().unwrap();
    let other = bind(address);
    for names in ["http:metrics", "metrics:http", "proxy:http"] {
        let names = [("LISTEN_FDNAMES", names), ("SWAGIP_TRUSTED_PROXIES", "127.0.0.1")];
        let output = swagip(&[&one, &other], &names, "").output().unwrap();
        let line =
            format!("LISTEN_FDNAMES: the listeners at {address} have different names: give each name an address of its own\n");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr)), (Some(2), line.into()), "{names:?}");
    }
}

/// All come while nobody is there: after the first process has ended and before the next one begins.
#[test]
fn what_comes_between_two_processes_is_answered_by_the_second() {
    for threads in [1, 3] {
        let (listener, address) = listener();
        let first = Server::start(&[&listener], &[], &format!("-t {threads} --drain-grace 0"));
        let mut kept = send(address, "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(kept.read(&mut [0; 1024]).unwrap() > 0);
        first.stop();
        // New ones are neither refused, nor ignored, nor held back.
        let waiting: Vec<TcpStream> = (0..100).map(|_| send(address, GET)).collect();
        let mut silent: Vec<TcpStream> = (0..100).map(|_| send(address, "")).collect();
        let second = Server::start(&[&listener], &[], &format!("-t {threads}"));
        for stream in waiting {
            assert_eq!(answer(stream), "127.0.0.1");
        }
        silent.iter_mut().for_each(|stream| stream.write_all(GET.as_bytes()).unwrap());
        for stream in silent {
            assert_eq!(answer(stream), "127.0.0.1");
        }
        second.stop();
    }
}

/// Whoever stops and has not ended yet hears no more of the listener: a duplicate that was dropped would stay in its polls.
#[test]
fn a_process_that_stops_lets_go_of_the_listener() {
    let (listener, address) = listener();
    let server = Server::start(&[&listener], &[], "-t 2 --drain-grace 0 --head-timeout 1m --drain-timeout 1m");
    assert_eq!(polls(&server, &listener), 2);
    let mut busy = send(address, "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(busy.read(&mut [0; 1024]).unwrap() > 0);
    let (half, rest) = GET.split_at(20);
    busy.write_all(half.as_bytes()).unwrap();
    server.signal("TERM");
    wait(|| polls(&server, &listener) == 0);
    busy.write_all(rest.as_bytes()).unwrap();
    assert_eq!(answer(busy), "127.0.0.1");
    assert!(TcpStream::connect_timeout(&address, super::PATIENCE).is_ok());
}

/// How many polls of a process a socket is in.
fn polls(server: &Server, socket: &TcpListener) -> usize {
    let inode = fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap().ino();
    let tells = |line: &str| line.starts_with("tfd:") && line.split_whitespace().any(|word| word == format!("ino:{inode:x}"));
    let descriptors = fs::read_dir(format!("/proc/{}/fdinfo", server.child.id())).unwrap();
    // A connection's may be gone by now.
    let texts = descriptors.map(|descriptor| fs::read_to_string(descriptor.unwrap().path()).unwrap_or_default());
    texts.filter(|text| text.lines().any(tells)).count()
}

/// One of many threads is woken for several connections, or several for one: none is left in the queue.
#[test]
fn a_burst_is_answered_whichever_thread_wakes() {
    for threads in [1, 2, 4] {
        let (listener, address) = listener();
        let server = Server::start(&[&listener], &[], &format!("-t {threads}"));
        for count in [1, 2, 3, 65, 120] {
            server.signal("STOP");
            let burst: Vec<TcpStream> = (0..count).map(|_| send(address, GET)).collect();
            server.signal("CONT");
            for stream in burst {
                assert_eq!(answer(stream), "127.0.0.1", "{count} for {threads} threads");
            }
        }
    }
}

/// Under a load that does not stop for it: one process after the other, and every request is answered.
#[test]
fn restarts_lose_nothing() {
    let (listener, address) = listener();
    let start = || Server::start(&[&listener], &[], "-t 2 --drain-grace 100ms");
    let mut server = Some(start());
    std::thread::scope(|scope| {
        let (sender, ended) = std::sync::mpsc::channel();
        for _ in 0..4 {
            let sender = sender.clone();
            scope.spawn(move || {
                let answers = (0..300).map(|_| answer(send(address, GET)));
                sender.send(answers.filter(|answer| answer == "127.0.0.1").count()).unwrap();
            });
        }
        let mut whole = Vec::new();
        while whole.len() < 4 {
            server.take().unwrap().stop();
            server = Some(start());
            whole.extend(ended.recv_timeout(Duration::from_millis(50)));
        }
        assert_eq!(whole, [300; 4]);
    });
}

#[test]
fn names_and_numbers_that_do_not_fit_are_told_in_one_line() {
    let (plain, _) = listener();
    for (variables, line) in [
        (
            [("LISTEN_FDNAMES", "swagip.socket"), ("LISTEN_FDS", "1")],
            r#"LISTEN_FDNAMES: "swagip.socket" has "swagip.socket", which is none of http, proxy, metrics: try FileDescriptorName=http in the socket unit"#,
        ),
        (
            [("LISTEN_FDNAMES", "http:http"), ("LISTEN_FDS", "1")],
            r#"LISTEN_FDNAMES: "http:http" has 2 names, and LISTEN_FDS is 1: give each listener a name, with colons between them"#,
        ),
        (
            [("LISTEN_FDNAMES", "proxy"), ("LISTEN_FDS", "1")],
            r#"LISTEN_FDNAMES: "proxy" would refuse every connection, because no proxy is trusted: add --trusted-proxy and the address of your proxy"#,
        ),
    ] {
        let output = swagip(&[&plain], &variables, "").output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).trim_end()), (Some(2), line));
    }
    let mut other = std::process::Command::new("/bin/sh");
    other.args(["-c", r#"LISTEN_PID=1 LISTEN_FDS=1 "$0""#, env!("CARGO_BIN_EXE_swagip")]).env_clear();
    let output = other.output().unwrap();
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(line.starts_with(r#"LISTEN_PID: "1" is another process than this one, "#), "{line}");
    assert!(line.ends_with(": start swagip by exec, or unset LISTEN_FDS\n"), "{line}");
}

#[test]
fn what_is_no_listener_is_told_in_one_line() {
    let (plain, _) = listener();
    let datagram = UdpSocket::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(plain.local_addr().unwrap()).unwrap();
    let (unix, _) = std::os::unix::net::UnixStream::pair().unwrap();
    for (index, descriptor) in [OwnedFd::from(datagram), connected.into(), unix.into()].into_iter().enumerate() {
        let mut command = swagip(&[&plain], &[("LISTEN_FDS", "2")], "");
        let output = command.stdout(Stdio::from(descriptor)).output().unwrap();
        let line = "LISTEN_FDS: descriptor 4 is not a TCP listener: leave it out of the socket unit\n";
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(2), line), "{index}");
    }
    let output = swagip(&[&plain], &[("LISTEN_FDS", "1024")], "").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
