//! Answers that wait for a reply: in their turn, however the input is cut, and whenever the reply comes.

use crate::properties::pieces;
use crate::support;
use crate::support::play::DATE;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use swagip::client::{Peer, Rule};
use swagip::exchange::{Next, Service, State, Unread};
use swagip::resource::{Question, Reply, ReverseDns, Site};

const NAME: &str = "dialup-9.example.net";

/// A service whose look-ups are answered, and one connection to it.
struct Stage {
    service: Service,
    peer: Peer,
    state: State,
    kept: Vec<u8>,
    answers: Vec<u8>,
    is_closed: bool,
}

impl Stage {
    fn new() -> Stage {
        let site = Site { reverse_dns: ReverseDns::All, port_test: true, ..support::settings().site };
        let mut service = Service::new(Rule::default(), site);
        service.set_date(*DATE);
        let peer = service.rule().peer(([9, 9, 9, 9], 54321).into());
        Stage { service, peer, state: State::default(), kept: Vec::new(), answers: Vec::new(), is_closed: false }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        self.serve();
    }

    fn serve(&mut self) {
        loop {
            if self.is_closed || self.kept.is_empty() {
                return;
            }
            let mut output = Vec::new();
            let served = self.service.serve(&mut self.state, &mut self.peer, &self.kept, false, &mut output);
            self.kept.drain(..served.consumed);
            self.answers.append(&mut output);
            let is_over = served.next != Next::Again;
            self.go_on(served.next);
            if is_over {
                return;
            }
        }
    }

    fn go_on(&mut self, next: Next) {
        match next {
            Next::Read | Next::Again => assert_eq!(self.state.question(), None),
            Next::Wait => assert!(self.state.question().is_some()),
            Next::Close { .. } => self.is_closed = true,
            Next::Abort(fault) => panic!("{fault}"),
        }
    }

    /// A reply comes for whatever is asked now; false where nothing is.
    fn reply(&mut self) -> bool {
        let reply = match self.state.question() {
            None => return false,
            Some(Question::Hostname(ip)) => {
                assert_eq!(ip, std::net::IpAddr::from([9, 9, 9, 9]));
                Reply::Hostname { name: NAME.to_owned(), is_confirmed: true }
            }
            Some(Question::Port(_, port)) => Reply::Port { is_open: port == 80 },
        };
        let unread = if self.kept.is_empty() { Unread::Nothing } else { Unread::Kept };
        let next = self.service.reply(&mut self.state, &self.peer, unread, &reply, &mut self.answers);
        self.go_on(next);
        self.serve();
        true
    }
}

/// A request, and what its answer ends in.
fn request() -> impl Strategy<Value = (String, &'static str)> {
    let content = prop_oneof![
        3 => Just("\r\n"),
        1 => Just("Content-Length: 2\r\n\r\nxx"),
        1 => Just("Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    ];
    let rows = vec![
        ("GET /hostname", "\r\n\r\ndialup-9.example.net\n"),
        ("HEAD /hostname", "Content-Length: 21\r\n\r\n"),
        ("GET /port/%38%30", "\r\n\r\nopen\n"),
        ("GET /port/8%", "\r\n\r\na port is a number from 1 to 65535\n"),
        ("GET /port/80", "\r\n\r\nopen\n"),
        ("GET /port/81", "\r\n\r\nclosed\n"),
        ("GET /port/0", "\r\n\r\na port is a number from 1 to 65535\n"),
        ("GET /ip", "\r\n\r\n9.9.9.9\n"),
        ("POST /hostname", "\r\n\r\nonly GET, HEAD and OPTIONS are answered here\n"),
    ];
    (select(rows), content).prop_map(|((line, end), content)| (format!("{line} HTTP/1.1\r\nHost: a\r\n{content}"), end))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_keep_their_order_whenever_replies_come(
        requests in prop::collection::vec(request(), 1..8),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
        early in prop::collection::vec(any::<bool>(), 9),
    ) {
        let bytes = requests.iter().map(|(request, _)| request.as_str()).collect::<String>().into_bytes();
        let mut stage = Stage::new();
        for (piece, is_early) in pieces(&bytes, &cuts).into_iter().zip(early) {
            stage.send(piece);
            let before = stage.answers.len();
            stage.serve();
            prop_assert_eq!(stage.answers.len(), before, "without a reply nothing goes on");
            if is_early {
                stage.reply();
            }
        }
        while stage.reply() {}
        let answers = String::from_utf8(stage.answers).unwrap();
        let mut rest = &answers[..];
        for (request, end) in requests {
            let at = rest.find(end);
            prop_assert!(at.is_some_and(|at| rest[..at].matches("HTTP/1.1 ").count() == 1), "{:?}: {:?}", request, rest);
            rest = &rest[at.unwrap_or(0) + end.len()..];
        }
        prop_assert_eq!(rest, "");
    }
}

/// What is missing is content that nobody wants: the look-up is made all the same, and the connection closes.
#[test]
fn a_look_up_is_made_without_content_that_does_not_come_in_time() {
    for (line, end) in [("GET /hostname", "\r\n\r\ndialup-9.example.net\n"), ("GET /port/80", "\r\n\r\nopen\n")] {
        let mut stage = Stage::new();
        stage.send(format!("{line} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").as_bytes());
        assert_eq!((stage.state.question(), &stage.kept[..]), (None, &b""[..]));
        let next = stage.service.expire(&mut stage.state, &stage.peer, b"", &mut stage.answers);
        assert_eq!((next, &stage.answers[..]), (Next::Wait, &b""[..]));
        assert!(stage.reply() && stage.is_closed);
        let answer = String::from_utf8(stage.answers).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(end), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
}

/// Status, JSON or text, content.
#[test]
fn what_is_said_of_each_reply() {
    let name = |is_confirmed| Reply::Hostname { name: NAME.to_owned(), is_confirmed };
    for (path, accept, reply, status, expected) in [
        ("/hostname", "*/*", name(true), "200 OK", "dialup-9.example.net\n"),
        ("/hostname", "*/*", name(false), "404 Not Found", ""),
        ("/hostname", "*/*", Reply::Unknown, "404 Not Found", ""),
        (
            "/hostname",
            "application/json",
            name(true),
            "200 OK",
            "{\n  \"ip\": \"9.9.9.9\",\n  \"hostname\": \"dialup-9.example.net\",\n  \"confirmed\": true\n}\n",
        ),
        (
            "/hostname",
            "application/json",
            name(false),
            "200 OK",
            "{\n  \"ip\": \"9.9.9.9\",\n  \"hostname\": \"dialup-9.example.net\",\n  \"confirmed\": false\n}\n",
        ),
        (
            "/hostname",
            "application/json",
            Reply::Unknown,
            "404 Not Found",
            "{\n  \"ip\": \"9.9.9.9\",\n  \"confirmed\": false\n}\n",
        ),
        ("/hostname", "*/*", Reply::Busy, "503 Service Unavailable", "too many look-ups at once: try again\n"),
        ("/port/443", "*/*", Reply::Port { is_open: true }, "200 OK", "open\n"),
        ("/port/443", "*/*", Reply::Unknown, "200 OK", "closed\n"),
        (
            "/port/443",
            "application/json",
            Reply::Port { is_open: false },
            "200 OK",
            "{\n  \"ip\": \"9.9.9.9\",\n  \"port\": 443,\n  \"reachable\": false\n}\n",
        ),
        ("/port/443", "*/*", Reply::Busy, "503 Service Unavailable", "too many look-ups at once: try again\n"),
    ] {
        let mut stage = Stage::new();
        stage.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n").as_bytes());
        assert_eq!(stage.answers, b"");
        let next = stage.service.reply(&mut stage.state, &stage.peer, Unread::Nothing, &reply, &mut stage.answers);
        assert_eq!(next, Next::Read);
        let answer = String::from_utf8(stage.answers).unwrap();
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(content, expected, "{path} {accept} {reply:?}");
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}");
        assert_eq!(head.contains("\r\nRetry-After: 1"), reply == Reply::Busy, "{head}");
    }
}

#[test]
fn nobody_is_asked_for_the_name_of_an_address_that_is_not_known() {
    let json = "{\n  \"ip\": null,\n  \"confirmed\": false\n}\n";
    for (accept, expected) in [("application/json", json), ("text/plain", "")] {
        let mut stage = Stage::new();
        stage.peer.address = None;
        stage.send(format!("GET /hostname HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n").as_bytes());
        assert_eq!(stage.state.question(), None);
        let answer = String::from_utf8(stage.answers).unwrap();
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 404 ") && head.contains(&format!("Content-Type: {accept}")), "{head}");
        assert_eq!(content, expected);
    }
}

/// Whose ports are tested: of public clients only, and never of a proxy.
#[test]
fn what_the_port_test_refuses() {
    for (client, is_tested) in [
        ("9.9.9.9", true),
        ("2606:4700::1111", true),
        ("127.0.0.1", false),
        ("10.1.2.3", false),
        ("192.168.1.1", false),
        ("100.64.0.1", false),
        ("169.254.169.254", false),
        ("0.0.0.0", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("::1", false),
        ("fe80::1", false),
        ("fd00::1", false),
        // For benchmarks.
        ("198.18.0.1", false),
        ("2001:2::1", false),
        // 10.0.0.1, translated or in a tunnel.
        ("64:ff9b::a00:1", false),
        ("2002:a00:1::1", false),
        ("2001:0:a00:1::1", false),
        // The trust list's.
        ("8.8.8.8", false),
        ("2001:4860::8888", false),
    ] {
        let trusted = swagip::client::TrustList::parse(["8.8.8.0/24", "2001:4860::/32"]).unwrap();
        let rule = Rule::new(trusted, swagip::client::ForwardingField::default());
        let site = Site { port_test: true, ..support::settings().site };
        let mut stage = Stage { service: Service::new(rule, site), ..Stage::new() };
        stage.peer = stage.service.rule().peer(std::net::SocketAddr::new(client.parse().unwrap(), 1));
        stage.send(b"GET /port/22 HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(stage.state.question().is_some(), is_tested, "{client}");
        assert_eq!(stage.answers.starts_with(b"HTTP/1.1 403 Forbidden\r\n"), !is_tested, "{client}");
    }
}

/// Nothing is looked up that was not switched on: there they are a field's name, and no path.
#[test]
fn what_is_off_is_not_there() {
    let mut stage = Stage::new();
    stage.service = Service::new(Rule::default(), support::settings().site);
    stage.send(b"GET /hostname HTTP/1.1\r\nHost: a\r\nHostname: b\r\n\r\nGET /port/22 HTTP/1.1\r\nHost: a\r\n\r\n");
    let answers = String::from_utf8(stage.answers).unwrap();
    assert!(answers.contains("\r\n\r\nb\nHTTP/1.1 404 Not Found\r\n") && answers.ends_with("\r\n\r\nnot found\n"), "{answers}");
}
