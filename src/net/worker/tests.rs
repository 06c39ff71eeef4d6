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

mod accept;
mod stopping;

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

/// A stage with a clock of its own.
macro_rules! stage {
    () => {{
        static TIME: AtomicU64 = AtomicU64::new(1);
        Stage::new(|| TIME.load(Ordering::Relaxed), &TIME)
    }};
}
use stage;

/// For tests with more clients than a process usually has files.
fn raise_open_files() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
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
    let mut stage = stage!();
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
    let mut stage = stage!();
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
    let mut stage = stage!();
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
    let mut stage = stage!();
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
    let mut stage = stage!();
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
    let mut stage = stage!();
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

#[test]
fn a_mistake_in_the_setup_is_told_in_the_turn_that_shows_it() {
    let mut stage = stage!();
    let mut client = stage.connect(Ipv4Addr::LOCALHOST);
    // A check shows nothing, so it is not the connection's first request.
    client.ask("/health");
    stage.turn_until(|_| client.answers().len() == 1);
    client.ask("/ip HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nX-Rest:");
    stage.turn_until(|_| client.answers().len() == 2);
    assert!(!stage.worker.shared.service.has_notice());
}

#[test]
fn a_poll_that_has_room_ends_a_row_of_full_ones() {
    let mut stage = stage!();
    let mut clients: Vec<Client> = (0..8).map(|_| stage.connect(Ipv4Addr::LOCALHOST)).collect();
    clients.iter_mut().for_each(|client| client.ask("/ip"));
    stage.turn_until(|_| clients.iter_mut().all(|client| client.answers().len() == 1));
    clients.iter_mut().for_each(|client| client.ask("/ip"));
    stage.turn_of(4);
    assert_eq!(stage.worker.full_polls.0, 1);
    stage.turn();
    assert_eq!(stage.worker.full_polls.0, 0);
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
    let mut stage = stage!();
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
