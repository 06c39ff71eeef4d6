//! Properties of the exchange and of the readers below it: cutting changes nothing, the fast way and the strict way agree, and
//! the chunked decoder agrees with one that is too simple to be wrong.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "conformance/play.rs"]
#[allow(dead_code)]
mod play;
mod support;

use play::{Client, Pure};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use swagip::client::proxy_protocol::Malformed;
use swagip::exchange::{Next, OUTPUT_MAX, ProxyFault, State, Waiting};
use swagip::http::content::{Content, Progress};
use swagip::http::field::{is_token, is_value};
use swagip::http::request::{self, Framing};
use swagip::http::scan::Scan;
use swagip::http::{Refusal, Request};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cutting_of_a_pipeline_gives_the_same_answers(
        requests in prop::collection::vec(request(), 1..8),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let bytes = requests.concat().into_bytes();
        let mut pure = Pure::new();
        let whole = pure.play([&bytes[..]]);
        prop_assert_eq!(pure.play(pieces(&bytes, &cuts)), whole.clone());
        let answers = whole.0.matches("HTTP/1.1 ").count();
        prop_assert!(answers <= requests.len() && (answers == requests.len() || whole.1), "{} answers", answers);
    }

    #[test]
    fn any_cutting_of_what_is_nearly_a_pipeline_gives_the_same_answers(
        requests in prop::collection::vec(request(), 1..4),
        changes in prop::collection::vec(change(), 1..4),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let bytes = changed(requests.concat().into_bytes(), &changes);
        let mut pure = Pure::new();
        let whole = pure.play_to_the_end([&bytes[..]]);
        prop_assert_eq!(pure.play_to_the_end(pieces(&bytes, &cuts)), whole);
    }

    #[test]
    fn the_fast_way_and_the_strict_way_take_the_same_heads(head in request(), changes in prop::collection::vec(change(), 0..4)) {
        let mut bytes = changed(head.into_bytes(), &changes);
        let mut storage = request::storage();
        let fast = request::parse(&bytes, &mut storage).map(|request| request.map(|request| request.length));
        let untouched = bytes.clone();
        let strict = Scan::default().look(&mut bytes).map(|complete| complete.map(|complete| complete.length));
        let is_rewritten = bytes != untouched;
        match (fast, strict) {
            // A higher minor version is for the strict way alone; it leaves a head that the fast way takes.
            (Ok(None), Ok(Some(length))) => {
                prop_assert!(is_rewritten);
                let again = request::parse(&bytes, &mut request::storage()).map(|request| request.map(|request| request.length));
                prop_assert!(again.is_err() || again == Ok(Some(length)));
            }
            (Ok(None), Ok(None) | Err(_)) => {}
            (Ok(Some(fast)), strict) => prop_assert_eq!(strict, Ok(Some(fast))),
            // What the fast way refuses is the target, which the strict way refuses alike, or right in its syntax.
            (Err(refusal), Err(strict)) => prop_assert_eq!(refusal, strict),
            (Err(_), strict) => prop_assert!(strict.unwrap().is_some()),
        }
    }

    #[test]
    fn a_look_that_goes_on_sees_what_a_look_at_all_sees(head in request(), changes in prop::collection::vec(change(), 0..4)) {
        let bytes = changed(head.into_bytes(), &changes);
        let whole = Scan::default().look(&mut bytes.clone());
        let (mut scan, mut growing, mut last) = (Scan::default(), Vec::new(), Ok(None));
        for &byte in &bytes {
            growing.push(byte);
            last = scan.look(&mut growing);
            if last != Ok(None) {
                break;
            }
        }
        prop_assert_eq!(last, whole);
    }

    #[test]
    fn chunks_are_taken_as_a_simple_decoder_takes_them(content in chunks(), changes in prop::collection::vec(change(), 0..4)) {
        let bytes = changed(content.into_bytes(), &changes);
        let decoded = Content::new(Framing::Chunked).read(&bytes);
        let taken = if let Ok(Progress::Done(length)) = decoded { Some(length) } else { None };
        prop_assert_eq!(taken, simple::chunked(&bytes), "{:?} of {:?}", decoded, String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_cutting_of_chunks_changes_nothing(
        content in chunks(),
        changes in prop::collection::vec(change(), 0..3),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let bytes = changed(content.into_bytes(), &changes);
        let whole = Content::new(Framing::Chunked).read(&bytes);
        let (mut content, mut before, mut cut_up) = (Content::new(Framing::Chunked), 0, Ok(Progress::More));
        for piece in pieces(&bytes, &cuts) {
            cut_up = match content.read(piece) {
                Ok(Progress::Done(length)) => Ok(Progress::Done(before + length)),
                other => other,
            };
            if cut_up != Ok(Progress::More) {
                break;
            }
            before += piece.len();
        }
        prop_assert_eq!(cut_up, whole);
    }

    #[test]
    fn no_start_of_chunks_is_refused(content in chunks(), cut in any::<Index>()) {
        let bytes = content.as_bytes();
        prop_assert_eq!(Content::new(Framing::Chunked).read(&bytes[..cut.index(bytes.len())]), Ok(Progress::More));
    }
}

/// What a request is for does not show in statuses: an absolute target replaces Host, and facts are the first of their lines.
#[test]
fn what_a_request_says() {
    with_request(
        "GET http://b:80?q HTTP/1.1\r\nHost: c\r\nAccept: d\r\naccept: e\r\nUser-Agent: f\r\nuser-agent: g\r\n\r\n",
        |request| {
            assert_eq!(request.host, Some(&b"b:80"[..]));
            assert_eq!((request.target.path, request.target.query), (&b"/"[..], Some(&b"q"[..])));
            assert_eq!((request.accept, request.accept_repeated), (Some(&b"d"[..]), true));
            assert_eq!(request.user_agent, Some(&b"f"[..]));
        },
    );
    with_request("GET /?a?b HTTP/1.1\r\nhost: c\r\nsec-fetch-dest: x\r\nSec-Fetch-Dest: y\r\nAccept: z\r\n\r\n", |request| {
        assert_eq!(request.host, Some(&b"c"[..]));
        assert_eq!((request.target.path, request.target.query), (&b"/"[..], Some(&b"a?b"[..])));
        assert_eq!((request.accept, request.accept_repeated), (Some(&b"z"[..]), false));
        assert_eq!(request.fetch_destination, Some(&b"x"[..]));
        assert_eq!(request.fields.len(), 4);
    });
    with_request(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Fetch-Dest-: x\r\nAccept-Charset: x\r\nUser_Agent: x\r\nAccess: x\r\n\r\n",
        |request| {
            assert_eq!((request.accept, request.user_agent, request.fetch_destination), (None, None, None));
        },
    );
    with_request("GET http://b HTTP/1.1\r\nA: b\r\nhost: c\r\n\r\n", |request| {
        let fields: Vec<_> = request.fields.iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(fields, [("A", &b"b"[..]), ("host", &b"b"[..])], "Host is given back as what it is taken for");
    });
    with_request("GET / HTTP/1.0\r\n\r\n", |request| {
        assert_eq!((request.host, request.target.query, request.user_agent), (None, None, None));
    });
}

#[test]
fn what_a_connection_waits_for() {
    const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (bytes, waiting) in [
        (String::new(), Waiting::Idle),
        ("\r".to_owned(), Waiting::Head),
        ("\r\n".to_owned(), Waiting::Head),
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

/// Half a head is told that its time is over, half of the content gets the answer, and nothing gets nothing.
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
fn draining_closes_behind_the_last_request() {
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
    let served = pure.service.serve(&mut state, &mut pure.peer, &mut request.as_bytes().to_vec(), true, &mut output);
    assert_eq!(served.next, Next::Read);
}

/// One output is bounded; what has not been answered is kept for the next.
#[test]
fn one_output_is_bounded() {
    let request = b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut input = request.repeat(1000);
    let (mut pure, mut state, mut output) = (Pure::new(), State::default(), Vec::new());
    let served = pure.service.serve(&mut state, &mut pure.peer, &mut input, false, &mut output);
    let answer = output.len() * request.len() / served.consumed;
    assert_eq!((served.next, served.answered), (Next::Again, true));
    assert!(output.len() >= OUTPUT_MAX && output.len() - answer < OUTPUT_MAX, "{} bytes", output.len());
    output.clear();
    let served = pure.service.serve(&mut state, &mut pure.peer, &mut request.repeat(200), false, &mut output);
    assert_eq!((served.next, served.consumed), (Next::Read, 200 * request.len()), "200 requests at once fit");
}

/// The refusals that no row of the table can be about, because only time brings them, are written as all others are.
#[test]
fn every_refusal_has_a_status_and_one_line() {
    for refusal in Refusal::ALL {
        assert!(refusal.status_line.starts_with("HTTP/1.1 4") || refusal.status_line.starts_with("HTTP/1.1 5"), "{refusal:?}");
        assert!(refusal.reason.ends_with('\n') && refusal.reason.lines().count() == 1, "{refusal:?}");
    }
}

/// What the log tells of a connection that was closed for its PROXY header.
#[test]
fn faults_are_told_in_words() {
    assert_eq!(ProxyFault::Untrusted.to_string(), "its sender is not a --trusted-proxy");
    assert_eq!(ProxyFault::Malformed(Malformed::Missing).to_string(), "no PROXY header");
}

fn with_request(bytes: &str, check: impl FnOnce(&Request<'_, '_>)) {
    let mut storage = request::storage();
    check(&request::parse(bytes.as_bytes(), &mut storage).unwrap().unwrap());
}

/// A request that is right but for its target or too many empty lines now and then, with its content.
fn request() -> impl Strategy<Value = String> {
    let line = (
        select(vec!["", "", "", "", "\r\n", "\r\n\r\n\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n"]),
        select(vec!["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "BREW", "CONNECT", "PRI"]),
        prop_oneof![
            9 => select(vec!["/", "/ip", "/?a=b", "/x/y", "/%69p", "http://b/ip", "HTTPS://b:1?c"]),
            1 => select(vec!["*", "h", "http:", "http:/", "http://", "b:80", "b", "/#", "/é", "[::1]"]),
        ],
        select(vec!["1.1", "1.1", "1.1", "1.5"]),
    );
    let fields = prop::collection::vec(
        select(vec!["A: b\r\n", "User-Agent: curl/8\r\n", "Accept:\t*/* \r\n", "B:\r\n", "Connection: x\r\n", "C: \"d, e\"\r\n"]),
        0..4,
    );
    let content = prop_oneof![
        4 => Just("\r\n".to_owned()),
        1 => "[ -~]{0,20}".prop_map(|content| format!("Content-Length: {}\r\n\r\n{content}", content.len())),
        1 => chunks().prop_map(|chunks| format!("Transfer-Encoding: chunked\r\n\r\n{chunks}")),
    ];
    (line, fields, content).prop_map(|((lead, method, target, version), fields, content)| {
        format!("{lead}{method} {target} HTTP/{version}\r\nHost: a\r\n{}{content}", fields.concat())
    })
}

/// Chunks that are right.
fn chunks() -> impl Strategy<Value = String> {
    let extension = select(vec!["", "", "", ";a", ";a=b", "; a = \"b\\\"c;\" ;d", ";a;b=c"]);
    let chunk = ("[ -~\r\n]{1,20}", 0..3usize, extension.clone())
        .prop_map(|(data, zeros, extension)| format!("{}{:x}{extension}\r\n{data}\r\n", "0".repeat(zeros), data.len()));
    let trailers = prop::collection::vec(select(vec!["A: b\r\n", "C:\r\n", "D-e: \t f g\r\n"]), 0..3);
    (prop::collection::vec(chunk, 0..4), extension, trailers)
        .prop_map(|(chunks, extension, trailers)| format!("{}0{extension}\r\n{}\r\n", chunks.concat(), trailers.concat()))
}

/// What makes bytes that are right nearly right.
#[derive(Clone, Debug)]
enum Change {
    Insert(Index, &'static str),
    Replace(Index, &'static str),
    Remove(Index),
    Truncate(Index),
    Repeat(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let mark = || {
        select(vec![
            "\r",
            "\n",
            "\r\n",
            " ",
            "\t",
            "\0",
            ":",
            ";",
            "=",
            "\"",
            "\\",
            ",",
            "/",
            "*",
            "#",
            "0",
            "1",
            "9",
            "f",
            "G",
            "\x0b",
            "\x7f",
            "é",
            "\r\n\r\n",
            "A: b\r\n",
            "Host: c\r\n",
            "Content-Length: 3\r\n",
            "Transfer-Encoding: chunked\r\n",
            "HTTP/1.0",
            "Connection: close\r\n",
            "Expect: 100-continue\r\n",
            "HEAD ",
            "CONNECT ",
        ])
    };
    prop_oneof![
        4 => (any::<Index>(), mark()).prop_map(|(at, mark)| Change::Insert(at, mark)),
        4 => (any::<Index>(), mark()).prop_map(|(at, mark)| Change::Replace(at, mark)),
        2 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Truncate),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Insert(at, mark) => drop(bytes.splice(at.index(length + 1)..at.index(length + 1), mark.bytes())),
            Change::Replace(at, mark) => drop(bytes.splice(at.index(length)..=at.index(length), mark.bytes())),
            Change::Remove(at) => drop(bytes.remove(at.index(length))),
            Change::Truncate(at) => bytes.truncate(at.index(length)),
            Change::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                bytes.extend_from_within(from.min(to)..from.max(to));
            }
        }
    }
    bytes
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut start = 0;
    let mut pieces: Vec<&[u8]> = Vec::new();
    for cut in cuts {
        pieces.push(&bytes[start..cut]);
        start = cut;
    }
    pieces.push(&bytes[start..]);
    pieces
}

/// RFC 9112 §7.1 word for word, for content that is there in full and small.
mod simple {
    use super::{is_token, is_value};

    /// The length of chunked content at the start of `bytes`.
    pub fn chunked(bytes: &[u8]) -> Option<usize> {
        let mut rest = bytes;
        loop {
            let (line, behind) = line(rest)?;
            let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            if digits == 0 || digits > 16 || !extensions(&line[digits..]) {
                return None;
            }
            let size = usize::from_str_radix(std::str::from_utf8(&line[..digits]).unwrap(), 16).ok()?;
            if size == 0 {
                return trailers(behind).map(|rest| bytes.len() - rest.len());
            }
            let (data, behind) = (behind.get(..size)?, &behind[size..]);
            assert!(data.len() < 65536, "the changes make no large content");
            rest = behind.strip_prefix(b"\r\n")?;
        }
    }

    /// What stands before the first CRLF, and what behind it.
    fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        Some((&bytes[..end], &bytes[end + 2..]))
    }

    /// `*( ";" BWS name [ BWS "=" BWS value ] BWS )`, but no white space at the end.
    fn extensions(bytes: &[u8]) -> bool {
        let Some((b';', rest)) = bytes.split_first() else { return bytes.is_empty() };
        let Some(rest) = token(space(rest)) else { return false };
        let rest = match space(rest).split_first() {
            Some((b'=', rest)) => match value(space(rest)) {
                Some(rest) => rest,
                None => return false,
            },
            _ => rest,
        };
        if rest.is_empty() { true } else { space(rest).starts_with(b";") && extensions(space(rest)) }
    }

    fn space(bytes: &[u8]) -> &[u8] {
        let length = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        &bytes[length..]
    }

    fn token(bytes: &[u8]) -> Option<&[u8]> {
        let length = bytes.iter().take_while(|&&byte| is_token(byte)).count();
        (length > 0).then(|| &bytes[length..])
    }

    fn value(bytes: &[u8]) -> Option<&[u8]> {
        let Some((b'"', mut rest)) = bytes.split_first() else { return token(bytes) };
        loop {
            rest = match rest {
                [b'"', rest @ ..] => return Some(rest),
                [b'\\', byte, rest @ ..] if is_value(*byte) => rest,
                [byte, rest @ ..] if is_value(*byte) && *byte != b'\\' => rest,
                _ => return None,
            }
        }
    }

    fn trailers(mut rest: &[u8]) -> Option<&[u8]> {
        loop {
            let (line, behind) = line(rest)?;
            if line.is_empty() {
                return Some(behind);
            }
            let colon = line.iter().position(|&byte| byte == b':')?;
            let is_right = colon > 0
                && line[..colon].iter().all(|&byte| is_token(byte))
                && line[colon + 1..].iter().all(|&byte| is_value(byte));
            if !is_right {
                return None;
            }
            rest = behind;
        }
    }
}
