//! A worker whose time is turned by hand, and whose questions are answered early, late, twice, never, or when nobody waits any more.
#![allow(clippy::unwrap_used)]

use super::accept::ACCEPT_REST;
use super::{Common, EVENTS_MAX, Worker, listener_token};
use crate::exchange::Recorder;
use crate::exchange::{Service, Waiting};
use crate::net::deadlines::{Millis, NEVER, Wait};
use crate::net::listener;
use crate::net::queries::{Asker, Queries, Ticket};
use crate::net::sources::PerClient;
use crate::net::{Limits, Listen, ListenerKind, Order, Stopper};
use crate::observe::Observers;
use crate::observe::metrics::{LinesDropped, LookupsOn, Metrics};
use crate::resource::monitoring::Format;
use crate::resource::{Question, Reply, ReverseDns, Site};
use mio::{Events, Interest, Registry, Token};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use proptest::prelude::*;
use socket2::{Domain, Socket, Type};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What real time a test may take to see what it waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was asked, and what is to be replied.
#[derive(Default)]
struct Script {
    asked: Vec<(Ticket, Question)>,
    cancelled: usize,
    replies: VecDeque<(Ticket, Reply)>,
}

struct Scripted(Arc<Mutex<Script>>);

impl Asker for Scripted {
    fn ask(&mut self, ticket: Ticket, question: Question, _: &Registry, _: Millis) {
        self.0.lock().unwrap().asked.push((ticket, question));
    }

    fn cancel(&mut self, _: Ticket) {
        self.0.lock().unwrap().cancelled += 1;
    }

    fn event(&mut self, _: Token) {}

    fn due(&self) -> Millis {
        if self.0.lock().unwrap().replies.is_empty() { NEVER } else { 0 }
    }

    fn take_reply(&mut self, _: &Registry, _: Millis) -> Option<(Ticket, Reply)> {
        self.0.lock().unwrap().replies.pop_front()
    }
}

/// A worker in this thread, and the hands of its clock.
struct Stage {
    worker: Worker,
    script: Arc<Mutex<Script>>,
    time: &'static AtomicU64,
    address: SocketAddr,
    stopper: Stopper,
}

impl Stage {
    fn new(clock: fn() -> Millis, time: &'static AtomicU64) -> Stage {
        let limits = Limits { head: Duration::from_secs(3600), idle: Duration::from_secs(3600), ..Limits::default() };
        let listen = Listen { address: (Ipv4Addr::LOCALHOST, 0).into(), any: false, kind: ListenerKind::Plain };
        let listener = listener::open(listen, limits.write).unwrap();
        let address = listener.socket.local_addr().unwrap();
        let site = Site { reverse_dns: ReverseDns::All, title: "SwagIP".to_owned(), ..Site::default() };
        let script = Arc::<Mutex<Script>>::default();
        let queries = Queries::new(Box::new(Scripted(Arc::clone(&script))), Arc::new(PerClient::new(1)));
        let metrics = Arc::new(Metrics::new(1, LookupsOn { hostname: true, ..LookupsOn::default() }, LinesDropped::default()));
        let observers = Observers { metrics: Some(metrics.thread(0)), access_log: None };
        let service = Service::recording(crate::client::Rule::default(), site, observers.boxed());
        let stopper = Stopper::new().unwrap();
        let common = Common {
            limits,
            connections_max: 1000,
            per_client: None,
            stopper: stopper.clone(),
            tallies: Arc::default(),
            databases: None,
        };
        let mut worker = Worker::new(vec![listener], service, Some(queries), common).unwrap();
        worker.clock = clock;
        Stage { worker, script, time, address, stopper }
    }

    fn turn(&mut self) {
        self.turn_of(EVENTS_MAX);
    }

    /// A turn with room for this many events.
    fn turn_of(&mut self, events_max: usize) {
        let mut events = Events::with_capacity(events_max);
        self.worker.turn(&mut events, Some(Duration::ZERO)).unwrap();
    }

    /// Turns until something has come about.
    fn turn_until(&mut self, mut has_come: impl FnMut(&mut Stage) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.turn();
            if has_come(self) {
                return;
            }
            assert!(Instant::now() < end, "it has not come about");
        }
    }

    fn pass(&self, time: Millis) {
        self.time.fetch_add(time, Ordering::Relaxed);
    }

    fn connect(&self, from: Ipv4Addr) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        // What is written goes out, whatever the answers before it are doing.
        socket.set_tcp_nodelay(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        Client { stream: Some(socket.into()), address: from.into(), asked: Vec::new(), received: Vec::new() }
    }

    /// Nothing is known of whatever was asked.
    fn end_all(&self) {
        let mut script = self.script.lock().unwrap();
        let ends: Vec<_> = script.asked.iter().map(|(ticket, _)| (*ticket, Reply::Unknown)).collect();
        script.replies.extend(ends);
    }

    /// How many look-ups are counted with this result.
    fn counted(&self, result: &str) -> usize {
        let mut text = Vec::new();
        self.worker.shared.service.recorder().report(Format::Prometheus, false, &mut text);
        let series = format!("swagip_lookup_results_total{{lookup=\"hostname\",result=\"{result}\"}} ");
        String::from_utf8(text).unwrap().lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap()
    }

    /// Questions under way.
    fn open_questions(&self) -> usize {
        self.worker.queries.as_ref().unwrap().len()
    }
}

struct Client {
    /// Nothing when it has gone.
    stream: Option<TcpStream>,
    address: IpAddr,
    asked: Vec<&'static str>,
    received: Vec<u8>,
}

impl Client {
    fn ask(&mut self, path: &'static str) {
        if let Some(stream) = &mut self.stream {
            write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            self.asked.push(path);
        }
    }

    fn answers(&mut self) -> Vec<(u16, String)> {
        let mut buffer = [0; 4096];
        while let Some(stream) = &mut self.stream {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        answers(self.text())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.received).unwrap()
    }
}

/// The status and the content of each.
fn answers(mut text: &str) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        let length = head.split("Content-Length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
        let Some(content) = rest.get(..length) else { break };
        answers.push((head[9..12].parse().unwrap(), content.trim_end().to_owned()));
        text = &rest[length..];
    }
    answers
}

#[derive(Clone, Debug)]
enum Deed {
    Ask(usize, &'static str),
    /// To this one of all questions that there ever were.
    Reply(proptest::sample::Index, bool),
    Leave(usize, bool),
    Pass(Millis),
    Turn,
}

const CLIENTS: usize = 6;

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0..CLIENTS, prop::sample::select(vec!["/hostname", "/hostname", "/ip"])).prop_map(|(client, path)| Deed::Ask(client, path)),
        4 => (any::<proptest::sample::Index>(), any::<bool>()).prop_map(|(which, is_known)| Deed::Reply(which, is_known)),
        1 => (0..CLIENTS, any::<bool>()).prop_map(|(client, is_reset)| Deed::Leave(client, is_reset)),
        1 => (0..3000u64).prop_map(Deed::Pass),
        4 => Just(Deed::Turn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_client_is_answered_in_order_with_what_is_said_of_it(deeds in prop::collection::vec(deed(), 1..60)) {
        static TIME: AtomicU64 = AtomicU64::new(1);
        let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
        // Two of them share an address.
        let mut clients: Vec<Client> =
            (0..CLIENTS).map(|index| stage.connect(Ipv4Addr::new(127, 0, 0, 2 + index.min(CLIENTS - 2) as u8))).collect();
        for deed in deeds {
            match deed {
                Deed::Ask(client, path) => clients[client].ask(path),
                Deed::Reply(which, is_known) => {
                    let mut script = stage.script.lock().unwrap();
                    if script.asked.is_empty() {
                        continue;
                    }
                    let (ticket, question) = script.asked[which.index(script.asked.len())];
                    let name = Reply::Hostname { name: question.address().to_string(), is_confirmed: true };
                    script.replies.push_back((ticket, if is_known { name } else { Reply::Unknown }));
                }
                Deed::Leave(client, is_reset) => {
                    if let Some(stream) = clients[client].stream.take().filter(|_| is_reset) {
                        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                    }
                }
                Deed::Pass(time) => stage.pass(time),
                Deed::Turn => stage.turn(),
            }
        }
        stage.turn_until(|stage| {
            stage.pass(100);
            clients.iter_mut().all(|client| client.stream.is_none() || client.answers().len() == client.asked.len())
        });
        // What nobody waits for any more has its place until it ends.
        stage.end_all();
        stage.turn_until(|stage| stage.open_questions() == 0);
        for client in clients.iter_mut().filter(|client| client.stream.is_some()) {
            let own = client.address.to_string();
            let asked = client.asked.clone();
            for (path, (status, content)) in asked.iter().zip(client.answers()) {
                match (*path, status) {
                    ("/ip", 200) | ("/hostname", 200) => prop_assert_eq!(&content, &own),
                    ("/hostname", 404) => prop_assert_eq!(&content, ""),
                    ("/hostname", 503) => prop_assert_eq!(&content, "too many look-ups at once: try again"),
                    _ => prop_assert!(false, "{} for {}", status, path),
                }
            }
        }
    }
}

#[test]
fn questions_are_bounded_and_all_are_answered_without_a_reply() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut clients: Vec<Client> =
        (0..300).map(|index| stage.connect(Ipv4Addr::new(127, 1, (index / 250) as u8, (index % 250) as u8 + 1))).collect();
    clients.iter_mut().for_each(|client| client.ask("/hostname"));
    let count = |clients: &mut Vec<Client>, status| {
        clients.iter_mut().map(Client::answers).filter(|answers| answers.first().is_some_and(|answer| answer.0 == status)).count()
    };
    stage.turn_until(|_| count(&mut clients, 503) == 44);
    assert_eq!((stage.open_questions(), count(&mut clients, 404)), (256, 0));
    let mut other = stage.connect(Ipv4Addr::LOCALHOST);
    other.ask("/ip");
    stage.turn_until(|_| other.answers() == [(200, "127.0.0.1".to_owned())]);
    stage.pass(2499);
    stage.turn();
    stage.turn();
    assert_eq!(count(&mut clients, 404), 0, "they have their time");
    // Two milliseconds that had begun.
    stage.pass(2);
    stage.turn_until(|_| count(&mut clients, 404) == 256);
    assert_eq!((stage.open_questions(), stage.script.lock().unwrap().cancelled), (0, 256));
    assert_eq!((stage.counted("timeout"), stage.counted("refused"), stage.counted("cancelled")), (256, 44, 0));
}

#[test]
fn a_client_that_resets_its_connection_has_no_other_question_asked_until_the_first_ends() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut refused = 0;
    for _ in 0..20 {
        let mut client = stage.connect(Ipv4Addr::LOCALHOST);
        client.ask("/hostname");
        stage.turn_until(|stage| {
            !client.answers().is_empty() || stage.worker.connections.iter().any(|(_, one)| one.ticket().is_some())
        });
        refused += client.answers().iter().filter(|answer| answer.0 == 503).count();
        let stream = client.stream.take().unwrap();
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        stage.turn_until(|stage| stage.worker.connections.is_empty());
    }
    assert_eq!((refused, stage.open_questions(), stage.script.lock().unwrap().asked.len()), (19, 1, 1));
    assert_eq!((stage.counted("cancelled"), stage.counted("refused")), (1, 19));
    stage.end_all();
    stage.turn_until(|stage| stage.open_questions() == 0);
    stage.connect(Ipv4Addr::LOCALHOST).ask("/hostname");
    stage.turn_until(|stage| stage.script.lock().unwrap().asked.len() == 2);
}

#[test]
fn a_client_that_sends_a_fin_is_answered() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut done = stage.connect(Ipv4Addr::LOCALHOST);
    done.ask("/hostname");
    stage.turn_until(|stage| stage.open_questions() == 1);
    done.stream.as_ref().unwrap().shutdown(std::net::Shutdown::Write).unwrap();
    stage.turn();
    let (ticket, _) = stage.script.lock().unwrap().asked[0];
    stage
        .script
        .lock()
        .unwrap()
        .replies
        .push_back((ticket, Reply::Hostname { name: "b.example".to_owned(), is_confirmed: true }));
    stage.turn_until(|_| done.answers() == [(200, "b.example".to_owned())]);
}

#[test]
fn a_question_is_asked_without_content_that_does_not_come_in_time() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    let request = b"GET /hostname HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab";
    client.stream.as_mut().unwrap().write_all(request).unwrap();
    stage.turn_until(|stage| stage.worker.connections.iter().any(|(_, one)| !one.is_idle()));
    stage.pass(1999);
    stage.turn();
    assert_eq!(stage.open_questions(), 0, "it has its time");
    stage.pass(2);
    stage.turn_until(|stage| stage.open_questions() == 1);
    let ticket = stage.script.lock().unwrap().asked[0].0;
    let name = Reply::Hostname { name: "b.example".to_owned(), is_confirmed: true };
    stage.script.lock().unwrap().replies.push_back((ticket, name));
    stage.turn_until(|_| client.answers() == [(200, "b.example".to_owned())]);
    assert!(client.text().contains("\r\nConnection: close\r\n"), "{}", client.text());
    assert_eq!((stage.counted("answered"), stage.counted("refused")), (1, 0));
}

/// No request brings this about; nobody would ever wake such a connection.
#[test]
fn a_connection_that_asks_nothing_does_not_wait() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    client.ask("/ip");
    stage.turn_until(|_| client.answers().len() == 1);
    let slot = stage.worker.connections.iter().next().unwrap().0;
    assert!(!stage.worker.ask(slot));
    client.ask("/ip");
    stage.turn_until(|_| client.answers().len() == 2);
    assert_eq!((stage.open_questions(), stage.counted("refused")), (0, 0));
}

/// A head that came in pieces leaves nothing of the room that it needed.
#[test]
fn what_waits_keeps_no_room_for_its_head() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    for (target, fields, waiting) in [
        ("/hostname", "", Waiting::Reply),
        ("/hostname", "Content-Length: 5\r\n", Waiting::Content),
        ("/ip", "Content-Length: 5\r\n", Waiting::Content),
    ] {
        let mut client = stage.connect(Ipv4Addr::LOCALHOST);
        let stream = client.stream.as_mut().unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\n{fields}X: {}", "x".repeat(15_000)).unwrap();
        let state =
            |stage: &Stage| stage.worker.connections.iter().find_map(|(_, one)| Some(one.active.as_ref()?.state.waiting()));
        stage.turn_until(|stage| state(stage) == Some(Waiting::Head));
        write!(stream, "\r\n\r\n").unwrap();
        stage.turn_until(|stage| state(stage) == Some(waiting));
        let room =
            stage.worker.connections.iter().map(|(_, one)| one.active.as_ref().map_or(0, |active| active.input.capacity()));
        assert_eq!(room.max(), Some(0), "{target} {fields}");
        drop(client);
        stage.end_all();
        stage.turn_until(|stage| stage.worker.connections.is_empty());
    }
}

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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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

#[test]
fn waits_end_while_more_happens_than_a_poll_has_room_for_and_nobody_who_spoke_in_time_is_closed() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    const EVENTS: usize = 4;
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut silent = stage.connect(Ipv4Addr::LOCALHOST);
    let mut busy: Vec<Client> = (0..3 * EVENTS).map(|_| stage.connect(Ipv4Addr::LOCALHOST)).collect();
    stage.turn_until(|stage| stage.worker.connections.len() == busy.len() + 1);
    for _ in 0..2 {
        busy.iter_mut().for_each(|client| client.ask("/ip"));
        stage.turn_until(|_| busy.iter_mut().all(|client| client.answers().len() == client.asked.len()));
    }
    busy.iter_mut().for_each(|client| client.ask("/ip"));
    stage.pass(3_600_100);
    for _ in 0..20 {
        stage.turn_of(EVENTS);
        busy.iter_mut().for_each(|client| client.ask("/ip"));
    }
    assert_eq!(silent.stream.as_mut().unwrap().read(&mut [0]).unwrap(), 0, "closed");
    stage.turn_until(|_| busy.iter_mut().all(|client| client.answers().len() == client.asked.len()));
}

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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    for error in [libc::ECONNABORTED, libc::EINTR, libc::EHOSTUNREACH] {
        stage.worker.accept_failed(0, &io::Error::from_raw_os_error(error), true);
    }
    assert_eq!((stage.worker.listeners[0].rests_until, stage.worker.accept_after), (0, 0));
    stage.worker.accept_failed(0, &io::Error::from_raw_os_error(libc::EPERM), true);
    assert_ne!(stage.worker.listeners[0].rests_until, 0);
}

#[test]
fn a_mistake_in_the_setup_is_told_in_the_turn_that_shows_it() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    // A check shows nothing, so it is not the connection's first request.
    client.ask("/health");
    stage.turn_until(|_| client.answers().len() == 1);
    client.ask("/ip HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nX-Rest:");
    stage.turn_until(|_| client.answers().len() == 2);
    assert!(!stage.worker.shared.service.has_notice());
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
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
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
fn a_poll_that_has_room_ends_a_row_of_full_ones() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut clients: Vec<Client> = (0..8).map(|_| stage.connect(Ipv4Addr::LOCALHOST)).collect();
    clients.iter_mut().for_each(|client| client.ask("/ip"));
    stage.turn_until(|_| clients.iter_mut().all(|client| client.answers().len() == 1));
    clients.iter_mut().for_each(|client| client.ask("/ip"));
    stage.turn_of(4);
    assert_eq!(stage.worker.full_polls.0, 1);
    stage.turn();
    assert_eq!(stage.worker.full_polls.0, 0);
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
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let clients = come(stage, 700, PATIENCE);
    assert_eq!(clients.len(), 700, "there is room");
    stage.turn_until(|stage| stage.worker.connections.len() >= 64);
    stage.pass(500);
    stage.turn();
    clients
}

#[test]
fn a_queue_that_is_never_empty_is_made_shorter() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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

/// A client whose kernel takes little, and that reads only when told to.
fn slow_reader(stage: &Stage) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&stage.address.into()).unwrap();
    socket.into()
}

/// Until a connection's answers wait for the client to read.
fn ask_until_blocked(stage: &mut Stage, client: &mut TcpStream) {
    client.set_nonblocking(true).unwrap();
    let requests = "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n".repeat(900);
    stage.turn_until(|stage| {
        let _ = client.write(requests.as_bytes());
        stage.worker.connections.iter().any(|(_, connection)| connection.is_blocked())
    });
    client.set_nonblocking(false).unwrap();
}

#[test]
fn a_client_that_reads_slowly_is_kept_and_one_that_reads_nothing_is_not() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let mut client = slow_reader(&stage);
    ask_until_blocked(&mut stage, &mut client);
    for _ in 0..3 {
        // Less than the kernel tells of.
        client.read_exact(&mut [0; 40 * 1024]).unwrap();
        stage.pass(29_000);
        stage.turn();
        stage.pass(1_002);
        stage.turn();
        stage.turn();
        assert_eq!(stage.worker.connections.len(), 1);
    }
    stage.turn_until(|stage| {
        stage.pass(30_002);
        stage.worker.connections.is_empty()
    });
    assert!(client.read_to_end(&mut Vec::new()).is_err(), "reset");
}

#[test]
fn a_client_that_only_waits_for_its_turn_is_not_reset() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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

#[test]
fn an_empty_line_after_a_request_begins_no_other() {
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
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
    static TIME: AtomicU64 = AtomicU64::new(1);
    let mut stage = Stage::new(|| TIME.load(Ordering::Relaxed), &TIME);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
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
