//! Who is let in, who waits in the queue, and who is closed for another.

use super::*;

/// One client is idle, and another one waits to be accepted.
fn idle_and_waiting(stage: &mut Stage) -> (Client, Client) {
    let mut idle = stage.connect(Ipv4Addr::LOCALHOST);
    idle.ask("/ip");
    stage.turn_until(|_| !idle.answers().is_empty());
    stage.pass(10);
    let mut waiting = stage.connect(Ipv4Addr::LOCALHOST);
    waiting.ask("/ip");
    let end = Instant::now() + PATIENCE;
    while !stage.worker.listeners[0].has_waiting() {
        assert!(Instant::now() < end, "nobody waits");
        std::thread::yield_now();
    }
    stage.worker.listeners[0].is_ready = true;
    stage.worker.shared.now = stage.time.load(Ordering::Relaxed);
    (idle, waiting)
}

#[test]
fn what_the_machine_has_run_out_of_costs_no_client() {
    let mut stage = stage!();
    let _clients = idle_and_waiting(&mut stage);
    for error in [libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
        stage.worker.accept_after = 0;
        stage.worker.accept_failed(0, &io::Error::from_raw_os_error(error), true);
        assert_eq!(stage.worker.connections.len(), 1, "{error}");
        assert_eq!(stage.worker.timeout(), Some(Duration::from_millis(ACCEPT_REST)), "{error}");
    }
    stage.turn();
    assert_eq!(stage.worker.connections.len(), 1, "it rests");
    stage.pass(ACCEPT_REST);
    stage.turn();
    assert_eq!(stage.worker.connections.len(), 2, "and goes on");
}

#[test]
fn descriptors_cost_a_client_only_for_one_that_waits_and_only_once() {
    let mut stage = stage!();
    let error = io::Error::from_raw_os_error(libc::EMFILE);
    let (mut idle, mut waiting) = idle_and_waiting(&mut stage);
    stage.worker.accept_failed(0, &error, false);
    assert_eq!((stage.worker.connections.len(), stage.worker.accept_after), (1, stage.worker.shared.now + ACCEPT_REST));
    stage.worker.accept_after = 0;
    stage.worker.accept_failed(0, &error, true);
    assert_eq!((stage.worker.connections.len(), waiting.answers().len()), (1, 1), "it is there, for another");
    assert_eq!(idle.stream.as_mut().unwrap().read(&mut [0]).unwrap(), 0);
    stage.pass(10);
    stage.worker.accept_failed(0, &error, true);
    assert_eq!((stage.worker.connections.len(), stage.worker.accept_after), (1, 0), "nobody waits");
    assert!(!stage.worker.listeners[0].is_ready);
}

#[test]
fn a_listener_that_was_shut_down_rests_and_another_goes_on() {
    let mut stage = stage!();
    let first = &stage.worker.listeners[0];
    socket2::SockRef::from(&first.socket).shutdown(std::net::Shutdown::Both).unwrap();
    let listen = Listen { address: (Ipv4Addr::LOCALHOST, 0).into(), any: false, kind: ListenerKind::Plain };
    let mut second = listener::open(listen, Duration::from_secs(30)).unwrap();
    stage.address = second.socket.local_addr().unwrap();
    stage.worker.poll.registry().register(&mut second.socket, listener_token(1), Interest::READABLE).unwrap();
    stage.worker.listeners.push(second);
    stage.turn();
    assert!(stage.worker.listeners[0].is_ready, "it is broken");
    assert_eq!(stage.worker.timeout(), Some(Duration::from_millis(ACCEPT_REST)));
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    client.ask("/ip");
    stage.turn_until(|_| client.answers() == [(200, "127.0.0.1".to_owned())]);
    assert_eq!(stage.worker.tallies.not_accepted.take(), 0, "it was tried once, and told");
    stage.stopper.stop(Order::DrainAtOnce);
    stage.turn();
    stage.pass(201);
    stage.turn();
    assert!(stage.worker.listeners.is_empty(), "and doesn't keep it from stopping");
}

#[test]
fn a_client_that_has_gone_before_it_was_accepted_is_no_reason_to_rest() {
    let mut stage = stage!();
    for error in [libc::ECONNABORTED, libc::EINTR, libc::EHOSTUNREACH] {
        stage.worker.accept_failed(0, &io::Error::from_raw_os_error(error), true);
    }
    assert_eq!((stage.worker.listeners[0].rests_until, stage.worker.accept_after), (0, 0));
    stage.worker.accept_failed(0, &io::Error::from_raw_os_error(libc::EPERM), true);
    assert_ne!(stage.worker.listeners[0].rests_until, 0);
}

/// As many as find room in the queue, up to this number, each with its request: the kernel lets one in only once it has asked.
fn come(stage: &Stage, count: usize, patience: Duration) -> Vec<TcpStream> {
    let come = |_| {
        let mut stream = TcpStream::connect_timeout(&stage.address, patience).ok()?;
        stream.write_all(b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        Some(stream)
    };
    (0..count).map_while(come).collect()
}

/// A SYN that is dropped is sent again after a second, not before.
const NO_ROOM: Duration = Duration::from_millis(100);

/// More wait than a short queue holds, which has not been empty for half a second.
fn overloaded(stage: &mut Stage) -> Vec<TcpStream> {
    raise_open_files();
    let clients = come(stage, 700, PATIENCE);
    assert_eq!(clients.len(), 700, "there is room");
    stage.turn_until(|stage| stage.worker.connections.len() >= 64);
    stage.pass(500);
    stage.turn();
    clients
}

#[test]
fn a_queue_that_is_never_empty_is_made_shorter() {
    let mut stage = stage!();
    let clients = overloaded(&mut stage);
    let more = come(&stage, 1000, NO_ROOM).len();
    assert!(more <= 512, "{more} more find room");
    stage.turn_until(|stage| !stage.worker.listeners[0].is_ready);
    drop(clients);
    stage.turn_until(|stage| stage.worker.connections.is_empty());
    assert_eq!(come(&stage, 700, PATIENCE).len(), 700, "there is room again");
}

#[test]
fn whoever_connects_while_a_server_stops_finds_room() {
    let mut stage = stage!();
    let _clients = overloaded(&mut stage);
    stage.stopper.stop(Order::Drain);
    for _ in 0..2 {
        stage.pass(500);
        stage.turn();
        assert_eq!(come(&stage, 300, PATIENCE).len(), 300);
    }
}

#[test]
fn a_shortage_is_no_reason_for_a_short_queue() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    for error in [libc::ENFILE, libc::EMFILE] {
        let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
        let _clients = idle_and_waiting(&mut stage);
        for _ in 0..8 {
            stage.worker.shared.now = stage.time.load(Ordering::Relaxed);
            stage.worker.accept_after = 0;
            stage.worker.accept_failed(0, &io::Error::from_raw_os_error(error), false);
            stage.turn();
            assert_eq!(stage.worker.connections.len(), 1);
            stage.pass(ACCEPT_REST);
        }
        assert_eq!(come(&stage, 600, PATIENCE).len(), 600, "{error}");
    }
}

#[test]
fn a_client_that_is_closed_for_another_has_its_answer_though_it_has_sent_more() {
    let mut stage = stage!();
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    client.ask("/hostname");
    stage.turn_until(|stage| stage.open_questions() == 1);
    // Not read while it waits.
    client.ask("/ip");
    stage.pass(10);
    stage.turn();
    assert!(stage.worker.make_room());
    let (mut answer, end) = ([0; 4096], Instant::now() + PATIENCE);
    let length = loop {
        match client.stream.as_mut().unwrap().read(&mut answer) {
            Ok(length) => break length,
            Err(error) => assert!(error.kind() == io::ErrorKind::WouldBlock && Instant::now() < end, "{error}"),
        }
    };
    assert!(answer[..length].starts_with(b"HTTP/1.1 503 "));
}

#[test]
fn a_client_that_only_waits_for_its_turn_is_not_reset() {
    let mut stage = stage!();
    let mut client = stage.connect(Ipv4Addr::LOCALHOST).stream.unwrap();
    // More than 64 KiB of answers, and all of it one short read.
    let requests = "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n".repeat(900);
    client.write_all(requests.as_bytes()).unwrap();
    stage.turn_until(|stage| !stage.worker.ready.is_empty());
    stage.pass(10);
    stage.worker.shared.now = stage.time.load(Ordering::Relaxed);
    assert!(!stage.worker.connections.iter().any(|(_, connection)| connection.is_blocked()));
    assert!(stage.worker.make_room());
    client.set_nonblocking(false).unwrap();
    let mut answers = Vec::new();
    client.read_to_end(&mut answers).unwrap();
    assert!(answers.len() >= 64 * 1024);
}
