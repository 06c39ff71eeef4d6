//! A stop, stage by stage.

use super::*;

#[test]
fn stopping_waits_for_a_reply_within_its_time() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    for (is_replied, before, after) in
        [(true, &["/ip"][..], &[][..]), (false, &["/ip"], &[]), (true, &[], &[]), (true, &[], &["/ip"])]
    {
        let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
        let mut client = stage.connect(Ipv4Addr::LOCALHOST);
        client.ask("/hostname");
        before.iter().for_each(|path| client.ask(path));
        stage.turn_until(|stage| stage.open_questions() == 1);
        stage.stopper.stop(Order::DrainAtOnce);
        stage.turn_until(|stage| {
            stage.pass(10);
            stage.worker.listeners.is_empty()
        });
        assert!(!stage.worker.is_done());
        after.iter().for_each(|path| client.ask(path));
        if is_replied {
            let ticket = stage.script.lock().unwrap().asked[0].0;
            stage.script.lock().unwrap().replies.push_back((ticket, Reply::Unknown));
        } else {
            stage.pass(2502);
        }
        stage.turn_until(|stage| {
            stage.pass(100);
            stage.worker.is_done()
        });
        let expected = [&[404][..], &[200].repeat(before.len() + after.len())].concat();
        assert_eq!(client.answers().iter().map(|answer| answer.0).collect::<Vec<_>>(), expected);
        let closes: Vec<_> = client.text().match_indices("Connection: close").collect();
        let last = client.text().rfind("HTTP/1.1 ").unwrap();
        assert!(matches!(closes[..], [(at, _)] if at > last), "only the last one closes: {}", client.text());
        assert_eq!(client.stream.unwrap().read(&mut [0]).unwrap(), 0, "and closed");
    }
}

/// As much as is read at once, to the byte.
#[test]
fn while_stopping_the_last_answer_to_a_full_read_closes() {
    let mut stage = stage!();
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    client.ask("/ip");
    stage.turn_until(|_| client.answers().len() == 1);
    stage.stopper.stop(Order::Drain);
    stage.turn();
    let (start, end) = ("GET /ip HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n");
    let length = stage.worker.shared.input.len() / 4;
    let request = format!("{start}{}{end}", "x".repeat(length - start.len() - end.len()));
    // It fits into the socket, of which nothing is read meanwhile.
    client.stream.as_mut().unwrap().write_all(request.repeat(4).as_bytes()).unwrap();
    stage.turn_until(|_| client.answers().len() == 5);
    let closes: Vec<_> = client.text().match_indices("Connection: close").collect();
    assert!(matches!(closes[..], [(at, _)] if at > client.text().rfind("HTTP/1.1 ").unwrap()), "{}", client.text());
}

/// Those who have connected and never sent a byte.
fn silent(stage: &Stage) -> usize {
    let Worker { connections, deadlines, .. } = &stage.worker;
    connections.iter().filter(|(slot, _)| deadlines.wait(*slot) == Some(Wait::Head)).count()
}

#[test]
fn a_stop_shuts_down_the_silent_over_several_turns_and_within_its_time() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    /// What looking at the clock takes.
    static STEP: AtomicU64 = AtomicU64::new(0);
    const SILENT: usize = EVENTS_MAX + 88;
    raise_open_files();
    for is_late in [false, true] {
        STEP.store(0, Ordering::Relaxed);
        let mut stage = Stage::new(|| TIME.fetch_add(STEP.load(Ordering::Relaxed), Ordering::Relaxed), &TIME);
        let _clients: Vec<Client> = (0..SILENT).map(|_| stage.connect(Ipv4Addr::LOCALHOST)).collect();
        stage.turn_until(|stage| stage.worker.connections.len() == SILENT);
        stage.stopper.stop(Order::DrainAtOnce);
        stage.turn();
        stage.pass(20);
        stage.turn();
        assert_eq!((stage.worker.listeners.len(), silent(&stage)), (0, SILENT));
        if is_late {
            stage.pass(9_970);
            STEP.store(1, Ordering::Relaxed);
            stage.turn();
            assert!(stage.worker.is_done() && silent(&stage) > SILENT - 20, "{} are left", silent(&stage));
        } else {
            stage.pass(500);
            stage.turn();
            assert_eq!((silent(&stage), stage.worker.timeout()), (SILENT - EVENTS_MAX, Some(Duration::ZERO)));
            stage.turn();
            assert_eq!(silent(&stage), 0);
        }
    }
}

#[test]
fn an_empty_line_after_a_request_begins_no_other() {
    let mut stage = stage!();
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    client.ask("/ip");
    write!(client.stream.as_mut().unwrap(), "\r\n").unwrap();
    stage.turn_until(|_| client.answers().len() == 1);
    stage.turn_until(|stage| {
        let (slot, connection) = stage.worker.connections.iter().next().unwrap();
        connection.active.is_some() && stage.worker.deadlines.wait(slot) == Some(Wait::Idle)
    });
    stage.stopper.stop(Order::DrainAtOnce);
    stage.turn_until(|stage| {
        stage.pass(50);
        stage.worker.is_done()
    });
    assert!(stage.time.load(Ordering::Relaxed) < 2_000, "it is idle, and nobody waits for it");
}

#[test]
fn while_stopping_an_empty_line_is_no_request_that_keeps_a_connection() {
    let mut stage = stage!();
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    client.ask("/ip");
    stage.turn_until(|_| client.answers().len() == 1);
    stage.stopper.stop(Order::Drain);
    stage.turn();
    write!(client.stream.as_mut().unwrap(), "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n\r\n").unwrap();
    stage.turn_until(|_| client.answers().len() == 2);
    assert!(client.text().contains("\r\nConnection: close\r\n"));
}

#[test]
fn a_stop_shuts_down_the_idle_over_several_turns() {
    let mut stage = stage!();
    raise_open_files();
    let idle = |stage: &Stage| {
        let Worker { connections, deadlines, .. } = &stage.worker;
        connections.iter().filter(|(slot, _)| deadlines.wait(*slot) == Some(Wait::Idle)).count()
    };
    const COUNT: usize = EVENTS_MAX + 88;
    let mut clients: Vec<Client> = (0..COUNT).map(|_| stage.connect(Ipv4Addr::LOCALHOST)).collect();
    clients.iter_mut().for_each(|client| client.ask("/ip"));
    stage.turn_until(|stage| idle(stage) == COUNT);
    stage.stopper.stop(Order::DrainAtOnce);
    stage.turn_until(|stage| {
        stage.pass(20);
        idle(stage) < COUNT
    });
    assert_eq!((idle(&stage), stage.worker.timeout()), (COUNT - EVENTS_MAX, Some(Duration::ZERO)));
    stage.turn();
    assert_eq!(idle(&stage), 0);
}
