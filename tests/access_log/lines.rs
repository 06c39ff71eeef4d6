//! What is asked over a socket, and the lines that it leaves.

use crate::support::TestServer;
use std::fs::File;
use std::io::{PipeReader, Read, Write, pipe};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use std::{io, net, thread};
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::net::{ListenerKind, Settings, Threads};
use swagip::observe::access_log::{self, Format, Options};
use swagip::observe::output::Output;

const COMBINED: Options = Options { format: Format::Combined, health: false, mask: false };
const JSON: Options = Options { format: Format::Json, ..COMBINED };
const MASKED: Options = Options { mask: true, ..COMBINED };
const HEALTH: Options = Options { health: true, ..COMBINED };

/// A server with this log, and the end of its pipe.
fn start(options: Options, change: impl FnOnce(&mut Settings)) -> (TestServer, PipeReader) {
    let (reader, writer) = pipe().unwrap();
    let output = Output::new(File::from(OwnedFd::from(writer)));
    let server = TestServer::with(|settings| {
        settings.access_log = Some(access_log::Settings { options, output: Arc::new(output) });
        change(settings);
    });
    (server, reader)
}

/// All lines, once the server has ended.
fn lines(server: TestServer, mut reader: PipeReader) -> Vec<String> {
    server.stopper().stop(swagip::net::Order::DrainAtOnce);
    server.join();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

/// The line without what changes: the time becomes `T`, the client's port `P`, and the length of what the program says of an error, if it
/// is that of an answer, `B`.
fn constant(line: &str, port: u16, answers: &str) -> String {
    let mut line = without_time(line).replace(&format!("\"port\":{port},"), "\"port\":P,");
    let lengths = answers.split("Content-Length: ").skip(1).map(|rest| rest.split('\r').next().unwrap());
    for (length, status) in lengths.flat_map(|length| [400, 405, 408, 501, 505].map(|status| (length, status))) {
        line = line.replace(&format!(" {status} {length} "), &format!(" {status} B "));
        line = line.replace(&format!("{status},\"bytes\":{length},"), &format!("{status},\"bytes\":B,"));
    }
    line
}

fn without_time(line: &str) -> String {
    let (before, after) = match line.split_once("\"time\":\"") {
        Some((before, rest)) => (format!("{before}\"time\":\""), rest.split_once("Z\"").unwrap().1),
        None => (format!("{}[", line.split_once('[').unwrap().0), line.split_once(']').unwrap().1),
    };
    let end = if before.ends_with('[') { "T]" } else { "T\"" };
    format!("{before}{end}{after}")
}

fn nothing(_: &mut Settings) {}

fn trusting(settings: &mut Settings) {
    settings.rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
}

fn proxied(settings: &mut Settings) {
    trusting(settings);
    settings.listeners[0].kind = ListenerKind::Proxy;
}

fn named(settings: &mut Settings) {
    settings.site.served_by = Some("web-1".to_owned());
}

fn hasty(settings: &mut Settings) {
    settings.limits.head = Duration::from_millis(50);
}

/// How, what is asked in pieces, and the lines.
type Row = (Options, fn(&mut Settings), &'static [&'static str], &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        COMBINED,
        nothing,
        &["GET /ip?a HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.5.0\r\nReferer: http://a/\"\\\r\nuser-agent: b\r\n\r\n"],
        &[r#"127.0.0.1 - - [T] "GET /ip?a HTTP/1.1" 200 10 "http://a/\"\\" "curl/8.5.0""#],
    ),
    (COMBINED, nothing, &["HEAD /ip HTTP/1.0\r\n\r\n"], &[r#"127.0.0.1 - - [T] "HEAD /ip HTTP/1.0" 200 - "-" "-""#]),
    (COMBINED, nothing, &["OPTIONS * HTTP/1.9\r\nHost: a\r\n\r\n"], &[r#"127.0.0.1 - - [T] "OPTIONS * HTTP/1.9" 204 - "-" "-""#]),
    (
        COMBINED,
        nothing,
        &["\r\nGET http://b/ip HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\nget / HTTP/1.1\r\nHost: a\r\n\r\n"],
        &[
            r#"127.0.0.1 - - [T] "GET http://b/ip HTTP/1.1" 200 10 "-" "-""#,
            r#"127.0.0.1 - - [T] "GET /x HTTP/1.1" 404 - "-" "-""#,
            r#"127.0.0.1 - - [T] "get / HTTP/1.1" 501 B "-" "-""#,
        ],
    ),
    // More fields than usual, and a head in pieces.
    (
        COMBINED,
        nothing,
        &[concat!(
            "GET /ip HTTP/1.1\r\nHost: a\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\nj:\r\nk:\r\nl:\r\nm:\r\nn:\r\n",
            "o:\r\np:\r\nq:\r\nr:\r\ns:\r\nt:\r\nu:\r\nv:\r\nw:\r\nx:\r\nUser-Agent: a\r\n\r\n"
        )],
        &[r#"127.0.0.1 - - [T] "GET /ip HTTP/1.1" 200 10 "-" "a""#],
    ),
    (
        COMBINED,
        nothing,
        &["GET /ip HTT", "P/1.1\r\nHost: a\r\nUser-Ag", "ent: a\r\n\r\n"],
        &[r#"127.0.0.1 - - [T] "GET /ip HTTP/1.1" 200 10 "-" "a""#],
    ),
    // Refusals: with what is known.
    (
        COMBINED,
        nothing,
        &["GET /ip HTTP/1.1\r\nUser-Agent: a\r\n\r\n"],
        &[r#"127.0.0.1 - - [T] "GET /ip HTTP/1.1" 400 B "-" "a""#],
    ),
    (COMBINED, nothing, &["\x16\x03\x01\n\u{1b}[31m"], &[r#"127.0.0.1 - - [T] "\x16\x03\x01" 400 B "-" "-""#]),
    (COMBINED, nothing, &["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], &[r#"127.0.0.1 - - [T] "PRI * HTTP/2.0" 505 B "-" "-""#]),
    (
        COMBINED,
        nothing,
        &["GET /\u{e9}\" 200 5\t- HTTP/1.1\r\nHost: a\r\n\r\n"],
        &[r#"127.0.0.1 - - [T] "GET /\xc3\xa9\" 200 5\t- HTTP/1.1" 400 B "-" "-""#],
    ),
    (COMBINED, nothing, &["GET /a"], &[r#"127.0.0.1 - - [T] "GET /a" 400 B "-" "-""#]),
    (COMBINED, nothing, &["\r\n\r\n\r\n\r\n\r\n"], &[r#"127.0.0.1 - - [T] "-" 400 B "-" "-""#]),
    // Content, there at once, in pieces, and not whole.
    (
        COMBINED,
        nothing,
        &["POST /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nReferer: b\r\n\r\nab"],
        &[r#"127.0.0.1 - - [T] "POST /ip HTTP/1.1" 405 B "b" "-""#],
    ),
    (
        COMBINED,
        nothing,
        &[
            "POST /ip HTTP/1.1\r\nHost: a\r\nUser-Agent: c\r\nContent-Length: 2\r\nReferer: b\r\n\r\na",
            "bGET /ip HTTP/1.0\r\n\r\n",
        ],
        &[r#"127.0.0.1 - - [T] "POST /ip HTTP/1.1" 405 B "b" "c""#, r#"127.0.0.1 - - [T] "GET /ip HTTP/1.0" 200 10 "-" "-""#],
    ),
    (
        COMBINED,
        nothing,
        &["PUT /ip HTTP/1.1\r\nHost: a\r\nUser-Agent: c\r\nContent-Length: 2\r\n\r\n", "a"],
        &[r#"127.0.0.1 - - [T] "PUT /ip HTTP/1.1" 400 B "-" "c""#],
    ),
    // Whom it is for.
    (
        COMBINED,
        trusting,
        &["GET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"],
        &[r#"203.0.113.9 - - [T] "GET /ip HTTP/1.1" 200 12 "-" "-""#],
    ),
    (
        COMBINED,
        trusting,
        &["GET /ip HTTP/1.1\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"],
        &[r#"- - - [T] "GET /ip HTTP/1.1" 400 B "-" "-""#],
    ),
    (
        COMBINED,
        proxied,
        &["PROXY TCP4 203.0.113.9 127.0.0.1 54321 80\r\nGET /ip HTTP/1.0\r\n\r\n"],
        &[r#"203.0.113.9 - - [T] "GET /ip HTTP/1.0" 200 12 "-" "-""#],
    ),
    (COMBINED, proxied, &["PROXY UNKNOWN\r\nGET /ip HTTP/1.0\r\n\r\n"], &[r#"- - - [T] "GET /ip HTTP/1.0" 404 - "-" "-""#]),
    (COMBINED, proxied, &["PROXY"], &[]),
    (
        COMBINED,
        nothing,
        &["PROXY TCP4 203.0.113.9 127.0.0.1 54321 80\r\nGET /ip HTTP/1.0\r\n\r\n"],
        &[r#"127.0.0.1 - - [T] "PROXY TCP4 203.0.113.9 127.0.0.1 54321 80" 400 B "-" "-""#],
    ),
    (
        MASKED,
        trusting,
        &[
            "GET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\nGET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 2001:db8:1:2:3::4\r\n\r\n",
        ],
        &[
            r#"203.0.113.0 - - [T] "GET /ip HTTP/1.1" 200 12 "-" "-""#,
            r#"2001:db8:1:: - - [T] "GET /ip HTTP/1.1" 200 18 "-" "-""#,
        ],
    ),
    // Checks.
    (
        COMBINED,
        nothing,
        &[
            "GET /health HTTP/1.1\r\nHost: a\r\n\r\nHEAD /READYZ HTTP/1.1\r\nHost: a\r\n\r\nPOST /ready HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
        &[r#"127.0.0.1 - - [T] "POST /ready HTTP/1.1" 405 B "-" "-""#],
    ),
    (
        HEALTH,
        nothing,
        &["GET /health HTTP/1.1\r\nHost: a\r\n\r\n"],
        &[r#"127.0.0.1 - - [T] "GET /health HTTP/1.1" 200 3 "-" "-""#],
    ),
    // The same in JSON.
    (
        JSON,
        nothing,
        &[
            "GET /ip?a HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.5.0\r\nReferer: \"\u{e9}\\\r\n\r\nHEAD /ip HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
        &[
            r#"{"time":"T","client":"127.0.0.1","port":P,"method":"GET","target":"/ip?a","protocol":"HTTP/1.1","status":200,"bytes":10,"user_agent":"curl/8.5.0","referer":"\"\u00e9\\","scheme":null}"#,
            r#"{"time":"T","client":"127.0.0.1","port":P,"method":"HEAD","target":"/ip","protocol":"HTTP/1.1","status":200,"bytes":0,"user_agent":null,"referer":null,"scheme":null}"#,
        ],
    ),
    (
        JSON,
        trusting,
        &["GET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9:80\r\nX-Forwarded-Proto: https\r\n\r\n"],
        &[
            r#"{"time":"T","client":"203.0.113.9","port":80,"peer":"127.0.0.1","method":"GET","target":"/ip","protocol":"HTTP/1.1","status":200,"bytes":12,"user_agent":null,"referer":null,"scheme":"https"}"#,
        ],
    ),
    (
        Options { mask: true, ..JSON },
        trusting,
        &["GET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9:80\r\n\r\n"],
        &[
            r#"{"time":"T","client":"203.0.113.0","port":null,"peer":"127.0.0.1","method":"GET","target":"/ip","protocol":"HTTP/1.1","status":200,"bytes":12,"user_agent":null,"referer":null,"scheme":null}"#,
        ],
    ),
    (
        JSON,
        named,
        &["\x16\x03\u{85}\r\n\r\n"],
        &[
            r#"{"time":"T","client":"127.0.0.1","port":P,"method":null,"target":"\u0016\u0003\u0085","protocol":null,"status":400,"bytes":B,"user_agent":null,"referer":null,"scheme":null,"replica":"web-1"}"#,
        ],
    ),
];

#[test]
fn what_is_asked_leaves_its_lines() {
    for (options, change, pieces, expected) in ROWS {
        let (server, reader) = start(*options, change);
        let mut stream = server.connect();
        let port = stream.local_addr().unwrap().port();
        for piece in *pieces {
            stream.write_all(piece.as_bytes()).unwrap();
            if pieces.len() > 1 {
                // Pieces that come together are another test's.
                thread::sleep(Duration::from_millis(20));
            }
        }
        stream.shutdown(net::Shutdown::Write).unwrap();
        let answers = io::read_to_string(&mut stream).unwrap();
        let lines: Vec<String> = lines(server, reader).iter().map(|line| constant(line, port, &answers)).collect();
        assert_eq!(lines, *expected, "{pieces:?}");
    }
}

#[test]
fn a_request_that_takes_too_long_has_a_line() {
    for (piece, expected) in [
        ("GET /a HTTP/1.1\r\nUser-Agent: b\r\n", r#"127.0.0.1 - - [T] "GET /a HTTP/1.1" 408 B "-" "b""#),
        ("G", r#"127.0.0.1 - - [T] "G" 408 B "-" "-""#),
    ] {
        let (server, reader) = start(COMBINED, hasty);
        let mut stream = server.connect();
        stream.write_all(piece.as_bytes()).unwrap();
        let answer = io::read_to_string(&mut stream).unwrap();
        assert_eq!(lines(server, reader).iter().map(|line| constant(line, 0, &answer)).collect::<Vec<_>>(), [expected]);
    }
    let (server, reader) = start(COMBINED, hasty);
    io::copy(&mut server.connect(), &mut io::sink()).unwrap();
    assert!(lines(server, reader).is_empty(), "nobody asked, nobody was answered");
}

/// The line's time is the time.
#[test]
fn the_time_is_that_of_the_answer() {
    let seconds = || {
        let output =
            std::process::Command::new("date").args(["-u", "+%d/%b/%Y:%H:%M:%S +0000 %Y-%m-%dT%H:%M:%S"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for format in [Format::Combined, Format::Json] {
        let (server, reader) = start(Options { format, ..COMBINED }, nothing);
        let before = seconds();
        server.get("/ip", "");
        let after = seconds();
        let line = lines(server, reader).remove(0);
        let told = match format {
            Format::Combined => line.split(['[', ']']).nth(1).unwrap(),
            Format::Json => line.split('"').nth(3).unwrap().split('.').next().unwrap(),
        };
        // The answer came in one of these seconds, or in between.
        let texts = [before, after].map(|both| match format {
            Format::Combined => both[..26].to_owned(),
            Format::Json => both[27..].to_owned(),
        });
        assert!(texts[0].as_str() <= told && told <= texts[1].as_str(), "{told} is not from {texts:?}");
    }
}

/// Lines that take up more than half of what a pipe takes at once.
#[test]
fn the_lines_of_two_threads_do_not_mix() {
    const CLIENTS: usize = 16;
    const REQUESTS: usize = 50;
    let (server, mut reader) = start(COMBINED, |settings| settings.threads = Threads::Spread(NonZeroUsize::new(2).unwrap()));
    let reading = thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let server = &server;
            scope.spawn(move || {
                let mut stream = server.connect();
                for number in 0..REQUESTS {
                    let target = format!("/{client}-{number}-{}", "x".repeat(100 + 37 * number % 1900));
                    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
                    let mut byte = [0];
                    let mut end = Vec::new();
                    while !end.ends_with(b"\r\n\r\n") {
                        stream.read_exact(&mut byte).unwrap();
                        end.push(byte[0]);
                    }
                }
            });
        }
    });
    server.stopper().stop(swagip::net::Order::DrainAtOnce);
    server.join();
    let text = reading.join().unwrap();
    let mut seen: Vec<&str> = text
        .lines()
        .map(|line| {
            assert!(line.starts_with("127.0.0.1 - - [") && line.ends_with("x HTTP/1.1\" 404 - \"-\" \"-\""), "{line}");
            line.split(['/', ' ']).find(|word| word.ends_with('x')).unwrap()
        })
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((seen.len(), text.lines().count()), (CLIENTS * REQUESTS, CLIENTS * REQUESTS));
}
