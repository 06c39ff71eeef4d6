//! The exchange and the readers below it by example: what a connection waits for, what time brings, when it lingers. Their
//! properties, and the decoder that they are compared with, stand beside this file.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

mod chunked;
mod properties;
mod waiting;

use support::play::{Client, Pure};
use swagip::client::proxy_protocol::Malformed;
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::exchange::{Next, Notice, OUTPUT_MAX, ProxyFault, Record, Recorder, Service, State, Waiting};
use swagip::http::field::FIELDS_MAX;
use swagip::http::{Refusal, Request, request};
use swagip::resource::ResponseHead;

/// Statuses do not show it: an absolute target replaces Host, and the first line of a field counts.
#[test]
fn what_a_request_says() {
    with_request(
        "GET http://b:80?q HTTP/1.1\r\nHost: c\r\nAccept: d\r\naccept: e\r\nUser-Agent: f\r\nuser-agent: g\r\n\r\n",
        |request| {
            assert_eq!(request.host(), Some(&b"b:80"[..]));
            assert_eq!((request.target.path, request.target.query), (&b"/"[..], Some(&b"q"[..])));
            assert_eq!((request.accept(), request.is_accept_repeated()), (Some(&b"d"[..]), true));
            assert_eq!(request.user_agent(), Some(&b"f"[..]));
        },
    );
    with_request("GET /?a?b HTTP/1.1\r\nhost: c\r\nsec-fetch-dest: x\r\nSec-Fetch-Dest: y\r\nAccept: z\r\n\r\n", |request| {
        assert_eq!(request.host(), Some(&b"c"[..]));
        assert_eq!((request.target.path, request.target.query), (&b"/"[..], Some(&b"a?b"[..])));
        assert_eq!((request.accept(), request.is_accept_repeated()), (Some(&b"z"[..]), false));
        assert_eq!(request.values(b"sec-fetch-dest").next(), Some(&b"x"[..]));
        assert_eq!(request.fields.len(), 4);
    });
    with_request(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Fetch-Dest-: x\r\nAccept-Charset: x\r\nUser_Agent: x\r\nAccess: x\r\n\r\n",
        |request| {
            let fetch_destination = request.values(b"sec-fetch-dest").next();
            assert_eq!((request.accept(), request.user_agent(), fetch_destination), (None, None, None));
        },
    );
    with_request("GET http://b HTTP/1.1\r\nA: b\r\nhost: c\r\n\r\n", |request| {
        let fields: Vec<_> = request.fields.iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(fields, [("A", &b"b"[..]), ("host", &b"b"[..])], "Host is given back as what it is taken for");
    });
    with_request("GET / HTTP/1.0\r\n\r\n", |request| {
        assert_eq!((request.host(), request.target.query, request.user_agent()), (None, None, None));
    });
}

#[test]
fn what_a_connection_waits_for() {
    const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (bytes, waiting) in [
        (String::new(), Waiting::Idle),
        // An empty line before a request is none of it.
        ("\r".to_owned(), Waiting::Idle),
        ("\r\n".to_owned(), Waiting::Idle),
        ("G".to_owned(), Waiting::Head),
        (HEAD.to_owned(), Waiting::Head),
        (format!("{HEAD}\r\n"), Waiting::Idle),
        (format!("{HEAD}\r\nG"), Waiting::Head),
        (format!("{HEAD}Content-Length: 2\r\n\r\n"), Waiting::Content),
        (format!("{HEAD}Content-Length: 2\r\n\r\nx"), Waiting::Content),
        (format!("{HEAD}Content-Length: 2\r\n\r\nxx"), Waiting::Idle),
        (format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n"), Waiting::Content),
    ] {
        let mut client = Client::default();
        Pure::new().send(&mut client, bytes.as_bytes());
        assert_eq!(client.state.waiting(), waiting, "{bytes:?}");
    }
}

/// Half a head gets a 408, half of the content gets the answer, and nothing gets nothing.
#[test]
fn what_time_brings() {
    for (bytes, start, end) in [
        ("", "", ""),
        ("\r\n", "", ""),
        ("GET / HTTP/1.1\r\nHost: a\r\n", "HTTP/1.1 408 Request Timeout\r\n", Refusal::TIMEOUT.reason),
        ("HEAD / HTTP/1.1\r\nHost: a\r\n", "HTTP/1.1 408 Request Timeout\r\n", "\r\nConnection: close\r\n\r\n"),
        (
            "GET /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx",
            "HTTP/1.1 200 OK\r\n",
            "\r\nConnection: close\r\n\r\n127.0.0.1\n",
        ),
        ("HEAD /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx", "HTTP/1.1 200 OK\r\n", "\r\nConnection: close\r\n\r\n"),
    ] {
        let (mut pure, mut client) = (Pure::new(), Client::default());
        pure.send(&mut client, bytes.as_bytes());
        assert_eq!(client.answers, b"", "{bytes:?}");
        pure.expire(&mut client);
        let answers = String::from_utf8_lossy(&client.answers);
        assert!(answers.starts_with(start) && answers.ends_with(end), "{bytes:?}: {answers:?}");
        assert_eq!(answers.is_empty(), end.is_empty(), "{bytes:?}: {answers:?}");
    }
}

/// A stopping server closes with the last answer to what has arrived, not before.
#[test]
fn draining_closes_after_the_last_request() {
    let request = "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n";
    let with_content = "GET /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx";
    for (pieces, answers) in [
        (vec![request], 1),
        (vec![with_content], 1),
        (vec![request, request], 1),
        (vec![&with_content[..with_content.len() - 1], "x"], 1),
        (vec![&*request.repeat(3)], 3),
        (vec![&*(with_content.to_owned() + request)], 2),
        (vec![&with_content[..with_content.len() - 1], &*("x".to_owned() + request)], 2),
        (vec![&*(request.to_owned() + "G"), "ET /ip HTTP/1.1\r\nHost: a\r\n\r\n"], 2),
    ] {
        let mut pure = Pure::new();
        pure.service.drain();
        let (output, closed) = pure.play(pieces.iter().map(|piece| piece.as_bytes()));
        assert_eq!((output.matches("HTTP/1.1 200 OK").count(), closed), (answers, true), "{pieces:?}");
        assert_eq!(output.matches("Connection: close").count(), 1, "{pieces:?}");
        assert!(output.ends_with("\r\nConnection: close\r\n\r\n127.0.0.1\n"), "{pieces:?}");
    }
    // Where more has arrived than this call is shown, more is to be answered.
    let mut pure = Pure::new();
    pure.service.drain();
    let (mut state, mut output) = (State::default(), Vec::new());
    let served = pure.service.serve(&mut state, &mut pure.peer, request.as_bytes(), true, &mut output);
    assert_eq!(served.next, Next::Read);
}

/// One output is bounded; what has not been answered is kept for the next.
#[test]
fn one_output_is_bounded() {
    let request = b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n";
    let input = request.repeat(1000);
    let (mut pure, mut state, mut output) = (Pure::new(), State::default(), Vec::new());
    let served = pure.service.serve(&mut state, &mut pure.peer, &input, false, &mut output);
    let answer = output.len() * request.len() / served.consumed;
    assert_eq!((served.next, served.answered), (Next::Again, true));
    assert!(output.len() >= OUTPUT_MAX && output.len() - answer < OUTPUT_MAX, "{} bytes", output.len());
    output.clear();
    let served = pure.service.serve(&mut state, &mut pure.peer, &request.repeat(200), false, &mut output);
    assert_eq!((served.next, served.consumed), (Next::Read, 200 * request.len()), "200 requests at once fit");
}

/// The refusals that no row of the table can be about, because only time brings them, are written as all others are.
#[test]
fn every_refusal_has_a_status_and_one_line() {
    for refusal in Refusal::ALL {
        assert!((400..600).contains(&ResponseHead::refused(refusal.status).status()), "{refusal:?}");
        assert!(refusal.reason.ends_with('\n') && refusal.reason.lines().count() == 1, "{refusal:?}");
    }
}

/// What the log tells of a connection that was closed for its PROXY header.
#[test]
fn faults_are_told_in_words() {
    assert_eq!(ProxyFault::Untrusted.to_string(), "its sender is not a --trusted-proxy");
    assert_eq!(ProxyFault::Malformed(Malformed::Missing).to_string(), "no PROXY header");
}

/// A client that may still be sending is read for a while, because a reset could destroy the answer; one that is done is not.
#[test]
fn who_may_be_sending_is_lingered_for() {
    let get = |fields: &str| format!("GET /ip HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let last = get("Connection: close\r\n");
    for (bytes, more, draining, linger) in [
        (last.clone(), false, false, false),
        (last.clone(), true, false, true),
        (last.clone() + "x", false, false, true),
        (last.clone(), false, true, false),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), false, false, false),
        (get("Connection: close\r\nContent-Length: 1\r\n") + "x", false, false, false),
        (get("Content-Length: 65537\r\n"), false, false, true),
        (get("Connection: close\r\nContent-Length: 65537\r\n"), false, false, true),
        (get("Connection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"), false, false, true),
        (get("Content-Length: x\r\n"), false, false, true),
        (get(""), false, true, true),
    ] {
        let (mut pure, mut state, input) = (Pure::new(), State::default(), bytes.clone().into_bytes());
        if draining {
            pure.service.drain();
        }
        let served = pure.service.serve(&mut state, &mut pure.peer, &input, more, &mut Vec::new());
        assert_eq!(served.next, Next::Close { linger }, "{bytes:?}");
    }
}

/// The same where the content comes after the head.
#[test]
fn who_may_be_sending_behind_its_content_is_lingered_for() {
    let head = |fields: &str| format!("GET /ip HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (head, content, draining, linger) in [
        (head("Connection: close\r\nContent-Length: 1\r\n"), "x", false, false),
        (head("Connection: close\r\nContent-Length: 1\r\n"), "xy", false, true),
        (head("Content-Length: 1\r\n"), "x", true, true),
        (head(chunked), "10001\r\n", false, true),
        (head(&format!("Connection: close\r\n{chunked}")), "10001\r\n", false, true),
    ] {
        let (mut pure, mut client) = (Pure::new(), Client::default());
        if draining {
            pure.service.drain();
        }
        pure.send(&mut client, head.as_bytes());
        pure.send(&mut client, content.as_bytes());
        assert_eq!(client.closed, Some(linger), "{head:?} and {content:?}");
    }
}

#[test]
fn the_date_is_the_one_that_was_set() {
    let (mut pure, mut client) = (Pure::new(), Client::default());
    pure.service.set_date(*b"Thu, 31 Dec 2026 23:59:59 GMT");
    pure.send(&mut client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x16");
    let dates = String::from_utf8_lossy(&client.answers).matches("\r\nDate: Thu, 31 Dec 2026 23:59:59 GMT\r\n").count();
    assert_eq!(dates, 2, "of an answer and of a refusal");
}

/// However it is cut, a PROXY header introduces the client behind it; anything else ends the connection without a word.
#[test]
fn a_proxy_introduces_its_client() {
    let rule = Rule::new(TrustList::parse(["10.0.0.1"]).unwrap(), ForwardingField::default());
    let mut service = Service::new(rule, support::settings().site);
    let bytes = b"PROXY TCP4 203.0.113.9 192.0.2.1 54321 80\r\nGET /ip HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in 0..bytes.len() {
        let (mut state, mut peer) = (State::Proxy, service.rule().peer(([10, 0, 0, 1], 1).into()));
        let (mut kept, mut output) = (bytes[..cut].to_vec(), Vec::new());
        let served = service.serve(&mut state, &mut peer, &kept, false, &mut output);
        assert_eq!(served.next, Next::Read, "cut at {cut}");
        assert_ne!(state.waiting(), Waiting::Content);
        kept.drain(..served.consumed);
        kept.extend_from_slice(&bytes[cut..]);
        let served = service.serve(&mut state, &mut peer, &kept, false, &mut output);
        assert_eq!((served.next, served.consumed), (Next::Read, kept.len()), "cut at {cut}");
        assert!(output.ends_with(b"\r\n\r\n203.0.113.9\n"), "cut at {cut}: {:?}", String::from_utf8_lossy(&output));
    }
    for (sender, bytes, fault) in [
        (1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ProxyFault::Malformed(Malformed::Missing)),
        (2, "PROXY TCP4 203.0.113.9 192.0.2.1 54321 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ProxyFault::Untrusted),
    ] {
        let (mut state, mut output) = (State::Proxy, Vec::new());
        let mut peer = service.rule().peer(([10, 0, 0, sender], 1).into());
        let served = service.serve(&mut state, &mut peer, bytes.as_bytes(), false, &mut output);
        assert_eq!((served.next, output.len()), (Next::Abort(fault), 0), "{bytes:?}");
        assert_eq!(state.waiting(), Waiting::Head);
    }
    let (mut output, peer) = (Vec::new(), service.rule().peer(([10, 0, 0, 1], 1).into()));
    service.end(&mut State::Proxy, &peer, b"PROX", &mut output);
    service.expire(&mut State::Proxy, &peer, b"PROX", &mut output);
    assert!(output.is_empty(), "half a PROXY header needs no answer");
}

/// Told once a connection, of the first request that isn't a load balancer's check.
#[test]
fn what_is_set_up_wrong_is_told() {
    let rule = |trusted: &[&str]| Rule::new(TrustList::parse(trusted.iter().copied()).unwrap(), ForwardingField::default());
    for (trusted, peer, target, fields, expected) in [
        (&["10.0.0.1"][..], [127, 0, 0, 1], "/", "", None),
        (&["10.0.0.1"], [127, 0, 0, 1], "/", "X-Forwarded-For: 203.0.113.9\r\n", Some(Notice::Untrusted)),
        (&["10.0.0.1"], [127, 0, 0, 1], "/", "Forwarded: for=_x\r\nTransfer-Encoding: chunked\r\n", Some(Notice::Untrusted)),
        (&["10.0.0.1"], [203, 0, 113, 1], "/", "X-Forwarded-For: 203.0.113.9\r\n", None),
        // With nobody trusted, as behind a CDN.
        (&[], [203, 0, 113, 1], "/ip", "CF-Connecting-IP: 203.0.113.9\r\n", Some(Notice::Untrusted)),
        (&[], [203, 0, 113, 1], "/ip", "", None),
        (&["10.0.0.1"], [10, 0, 0, 1], "/", "X-Forwarded-For: 203.0.113.9\r\n", None),
        (&["10.0.0.1"], [10, 0, 0, 1], "/json", "Forwarded: for=203.0.113.9\r\n", Some(Notice::FieldMissing)),
        (&["10.0.0.1"], [10, 0, 0, 1], "/ready", "", None),
        (&["10.0.0.1"], [10, 0, 0, 1], "/", "X-Forwarded-For: 6.6.6.6, unknown\r\n", Some(Notice::FieldUnreadable)),
    ] {
        let mut service = Service::new(rule(trusted), support::settings().site);
        let mut peer = service.rule().peer((peer, 1).into());
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let address = peer.address.unwrap();
        for expected in [expected, None] {
            service.serve(&mut State::default(), &mut peer, bytes.as_bytes(), false, &mut Vec::new());
            assert_eq!(service.take_notice(), expected.map(|notice| (notice, address)), "{bytes:?}; one look is enough");
        }
    }
}

/// Every answer is recorded as it was given, wherever it comes from.
#[test]
fn what_is_answered_is_recorded() {
    #[derive(Default)]
    struct Records(Vec<String>);

    impl Recorder for Records {
        fn keep(&self, _: &Request<'_, '_>, head: &[u8]) -> Box<[u8]> {
            head.into()
        }

        fn record(&mut self, record: &Record<'_>) {
            let Record { resource, head, length, method, client, .. } = *record;
            let target = record.request_line().split(|&byte| byte == b' ').nth(1).unwrap_or_default();
            let client = client.and_then(|client| client.address).map_or("-".to_owned(), |address| address.to_string());
            let (target, method) =
                (String::from_utf8_lossy(target), method.map_or("-".to_owned(), |method| format!("{method:?}")));
            self.0.push(format!("{} {} {length} {method} {target} {client}", resource.label(), head.status()));
        }
    }

    for (bytes, expected) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &["root 200 12 Get / 203.0.113.9"][..]),
        ("HEAD /JSON?a HTTP/1.1\r\nHost: a\r\n\r\n", &["json 200 67 Head /JSON?a 203.0.113.9"]),
        ("GET /host HTTP/1.1\r\nHost: a\r\n\r\n", &["field 200 2 Get /host 203.0.113.9"]),
        ("GET /a/b HTTP/1.1\r\nHost: a\r\n\r\n", &["none 404 10 Get /a/b 203.0.113.9"]),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &["none 204 0 Options * 203.0.113.9"]),
        ("PUT /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", &["ip 405 45 NotAllowed /ip 203.0.113.9"]),
        ("GET /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx", &["refused 400 40 Get /ip 203.0.113.9"]),
        ("GET /ip HTTP/1.1\r\n\r\n", &["refused 400 26 Get /ip 203.0.113.9"]),
        ("GET /ip", &["refused 400 40 Get /ip 203.0.113.9"]),
        ("\x16", &["refused 400 55 - 203.0.113.9"]),
        (
            "GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /port HTTP/1.1\r\nHost: a\r\n\r\n",
            &["health 200 3 Get /health 203.0.113.9", "port 200 2 Get /port 203.0.113.9"],
        ),
    ] {
        let mut service = Service::recording(Rule::default(), support::settings().site, Records::default());
        let mut peer = service.rule().peer(([203, 0, 113, 9], 1).into());
        let (mut state, mut output) = (State::default(), Vec::new());
        let served = service.serve(&mut state, &mut peer, bytes.as_bytes(), false, &mut output);
        if served.next == Next::Read {
            service.end(&mut state, &peer, &bytes.as_bytes()[served.consumed..], &mut output);
        }
        let lines: Vec<String> = service.recorder().0.iter().map(|line| line.replace("  ", " ")).collect();
        assert_eq!(lines, expected, "{bytes:?}: {}", String::from_utf8_lossy(&output));
    }
}

fn with_request(bytes: &str, check: impl FnOnce(&Request<'_, '_>)) {
    let mut storage = request::storage::<FIELDS_MAX>();
    check(&request::parse(bytes.as_bytes(), &mut storage).unwrap().request().unwrap());
}
