//! A server that is kept from running: by a debugger, a paused container, a machine that sleeps. Whoever asked meanwhile is answered.

use crate::process::Process;
use crate::{GET, connect, raise_descriptor_limit};
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// Of each kind: idle ones, half heads, and some that connect while nobody accepts.
const CLIENTS: usize = 500;

/// As long as a head may take, and a connection be idle.
const DEADLINE: Duration = Duration::from_secs(3);

const HALF: &[u8] = b"GET / HTTP/1.1\r\nHo";
const REST: &[u8] = b"st: a\r\n\r\n";

#[test]
fn whoever_asks_during_a_stall_is_answered() {
    raise_descriptor_limit();
    for (threads, signals) in [("1", vec![]), ("2", vec![]), ("1", vec!["HUP"]), ("2", vec!["USR1", "HUP"])] {
        // Where this machine is so slow that the deadlines pass before, that says nothing.
        let lost = (0..5).find_map(|_| lost_in_a_stall(threads, &signals)).expect("1,000 connections in less than 3 s");
        assert_eq!(lost, 0, "of {} with {threads} threads and {signals:?}", 3 * CLIENTS);
    }
}

/// How many were not answered; `None` where the deadlines had passed before the stall.
fn lost_in_a_stall(threads: &str, signals: &[&str]) -> Option<usize> {
    let options = ["--listen", "127.0.0.1:0", "--threads", threads, "--idle-timeout", "3", "--head-timeout", "3"];
    let server = Process::start_at(&options);
    let began = Instant::now();
    let client = |_| {
        let mut stream = connect(server.address);
        stream.write_all(GET).unwrap();
        stream
    };
    let mut idle: Vec<TcpStream> = (0..CLIENTS).map(client).collect();
    let mut half: Vec<TcpStream> = (0..CLIENTS).map(client).collect();
    for stream in idle.iter_mut().chain(&mut half) {
        answer(stream).ok()?;
    }
    for stream in &mut half {
        stream.write_all(HALF).ok()?;
    }
    // Until they have been read: the wait for the rest of the heads has begun.
    thread::sleep(Duration::from_millis(100));
    server.signal("STOP");
    if began.elapsed() > DEADLINE - Duration::from_millis(500) {
        return None;
    }
    let new = (0..CLIENTS).map(client);
    let mut clients: Vec<TcpStream> = idle.into_iter().chain(half).chain(new).collect();
    for stream in &mut clients[..CLIENTS] {
        stream.write_all(GET).unwrap();
    }
    for stream in &mut clients[CLIENTS..2 * CLIENTS] {
        stream.write_all(REST).unwrap();
    }
    thread::sleep(DEADLINE + Duration::from_millis(500));
    signals.iter().for_each(|signal| server.signal(signal));
    server.signal("CONT");
    Some(clients.iter_mut().filter_map(|stream| answer(stream).err()).count())
}

fn answer(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer)?;
    if answer[..length].starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

/// Has a process, or this thread, run on that processor alone; tells on which it did.
fn pin(process: Pid, cpu: usize) -> CpuSet {
    let before = sched_getaffinity(process).unwrap();
    let mut one = CpuSet::new();
    one.set(cpu).unwrap();
    sched_setaffinity(process, &one).unwrap();
    before
}

/// A stall that begins when events have been taken and the time has not: whoever speaks then is among the next events, and what is over by
/// then was not over before. The stop comes while the server wakes up for an event; of several servers it catches most there.
#[test]
fn whoever_asks_during_a_stall_is_answered_also_after_other_events() {
    let idle = Duration::from_secs(1);
    // Where this machine is so slow that the deadlines pass before, that says nothing.
    let lost = (0..5).find_map(|_| {
        let servers: Vec<Process> = (0..8).map(|_| Process::start(&["--idle-timeout", "1"])).collect();
        let began = Instant::now();
        let mut clients: Vec<Vec<TcpStream>> =
            servers.iter().map(|server| (0..10).map(|_| connect(server.address)).collect()).collect();
        for stream in clients.iter_mut().flatten() {
            stream.write_all(GET).unwrap();
            answer(stream).unwrap();
        }
        // On one processor a server does not wake up before it is stopped.
        let here = sched_getcpu().unwrap();
        for server in &servers {
            pin(server.id(), here);
        }
        let mine = pin(Pid::from_raw(0), here);
        for (server, clients) in servers.iter().zip(&mut clients) {
            clients[0].write_all(GET).unwrap();
            server.signal("STOP");
        }
        sched_setaffinity(Pid::from_raw(0), &mine).unwrap();
        if began.elapsed() > idle / 2 {
            return None;
        }
        for stream in clients.iter_mut().flat_map(|clients| &mut clients[1..]) {
            stream.write_all(GET).unwrap();
        }
        thread::sleep(idle + Duration::from_millis(200));
        servers.iter().for_each(|server| server.signal("CONT"));
        Some(clients.iter_mut().flatten().filter_map(|stream| answer(stream).err()).count())
    });
    assert_eq!(lost.expect("80 connections in half a second"), 0, "of 80");
}

/// Signals interrupt the wait for events, and nothing else: neither is anybody dropped before time, nor anybody kept for ever.
#[test]
fn signals_end_no_wait() {
    let server = Process::start(&["--idle-timeout", "2"]);
    let mut stream = connect(server.address);
    let asked = Instant::now();
    crate::ask(&mut stream);
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let end = loop {
        server.signal("HUP");
        match stream.read(&mut [0]) {
            Ok(length) => break length,
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
        assert!(asked.elapsed() < crate::PATIENCE, "it is kept for ever");
    };
    assert_eq!(end, 0);
    assert!(asked.elapsed() >= Duration::from_secs(2), "dropped after {:?}", asked.elapsed());
}
