//! How requests arrive: many at once, cut anywhere, a byte at a time; and from the two programs that people will use.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::Duration;
use support::{Answer, TestServer};

/// A bit of everything that keeps a connection: content of both framings, an empty line too many, an answer without content.
const PIPELINE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\
    GET /user-agent HTTP/1.1\r\nHost: a\r\nUser-Agent: first\r\n\r\n\
    POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /\
    GET /user-agent HTTP/1.9\r\nHost: a\r\nUser-Agent: second\r\n\r\n\
    \r\n\
    OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n\
    PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nGET\r\n0\r\nT: u\r\n\r\n\
    GET /a/b HTTP/1.1\r\nHost: a\r\n\r\n\
    GET /x HTTP/1.0\r\nX: last\r\n\r\n";
const PIPELINE_ANSWERS: [(u16, &str); 8] = [
    (200, "127.0.0.1\n"),
    (200, "first\n"),
    (405, "only GET, HEAD and OPTIONS are answered here\n"),
    (200, "second\n"),
    (204, ""),
    (405, "only GET, HEAD and OPTIONS are answered here\n"),
    (404, "not found\n"),
    (200, "last\n"),
];

/// Long enough that the server has read what was sent, nearly always; were it not, the test would only test less.
const PAUSE: Duration = Duration::from_millis(1);

fn check_pipeline(bytes: &[u8], what: &str) {
    let answers = Answer::all(bytes);
    let seen: Vec<(u16, String)> = answers.iter().map(|answer| (answer.status, answer.text())).collect();
    let expected: Vec<(u16, String)> = PIPELINE_ANSWERS.iter().map(|&(status, text)| (status, text.to_owned())).collect();
    assert_eq!(seen, expected, "{what}");
    let (last, others) = answers.split_last().unwrap();
    assert_eq!(last.field("Connection"), Some("close"), "{what}");
    assert!(others.iter().all(|answer| answer.field("Connection").is_none()), "{what}");
}

fn send_in_pieces<'a>(server: &TestServer, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut stream = server.connect();
    for piece in pieces {
        stream.write_all(piece).unwrap();
        std::thread::sleep(PAUSE);
    }
    read_to_end(&mut stream)
}

fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_pipeline_is_answered_in_its_order() {
    let server = TestServer::start();
    check_pipeline(&server.ask(PIPELINE), "with the FIN after it");
    check_pipeline(&send_in_pieces(&server, [PIPELINE].into_iter()), "closed by the server");
}

#[test]
fn a_byte_at_a_time() {
    check_pipeline(&send_in_pieces(&TestServer::start(), PIPELINE.chunks(1)), "byte by byte");
}

#[test]
fn cut_anywhere() {
    let server = TestServer::start();
    for cut in 1..PIPELINE.len() {
        let (left, right) = PIPELINE.split_at(cut);
        check_pipeline(&send_in_pieces(&server, [left, right].into_iter()), &format!("cut at {cut}"));
    }
}

/// Answers do not wait for the rest of what comes after them.
#[test]
fn what_is_complete_is_answered_at_once() {
    let server = TestServer::start();
    let mut stream = server.connect();
    stream.write_all(b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\nGET /ip HT").unwrap();
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).unwrap();
    assert_eq!(Answer::all(&bytes[..length]).len(), 1);
    stream.write_all(b"TP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let length = stream.read(&mut bytes).unwrap();
    assert_eq!(Answer::all(&bytes[..length]).len(), 1);
}

/// All that were complete go out in one send, so that they arrive in one receive.
#[test]
fn sixteen_at_once_are_answered_in_one_segment() {
    let server = TestServer::start();
    let mut stream = server.connect();
    for _ in 0..10 {
        stream.write_all(&b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n".repeat(16)).unwrap();
        let mut bytes = [0; 16 * 1024];
        let length = stream.read(&mut bytes).unwrap();
        assert_eq!(Answer::all(&bytes[..length]).len(), 16);
    }
}

/// More answers than one output holds, from a client that reads all the while and from one that only reads when all is sent.
#[test]
fn ten_thousand_at_once() {
    const COUNT: usize = 10_000;
    let request = b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n";
    let server = TestServer::start();
    let mut stream = server.connect();
    let mut sender = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        sender.write_all(&request.repeat(COUNT)).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
    });
    let answers = Answer::all(&read_to_end(&mut stream));
    sending.join().unwrap();
    assert_eq!(answers.len(), COUNT);
    assert!(answers.iter().all(|answer| answer.content == b"127.0.0.1\n"));

    // As much as the kernel takes while nobody reads: then the server has stopped reading, and serves on once it is read from.
    let mut stream = server.connect();
    stream.set_nonblocking(true).unwrap();
    let bytes = request.repeat(1000);
    let mut sent = 0;
    let mut silent = 0;
    while silent < 100 {
        match stream.write(&bytes[sent % bytes.len()..]) {
            Ok(length) => (sent, silent) = (sent + length, 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => silent += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(sent < 100 << 20, "the server reads on though nobody reads its answers");
        if silent > 0 {
            std::thread::sleep(PAUSE);
        }
    }
    stream.set_nonblocking(false).unwrap();
    let mut sender = stream.try_clone().unwrap();
    let requests = sent.div_ceil(bytes.len()) * 1000;
    let rest = request.repeat(requests)[sent..].to_vec();
    let sending = std::thread::spawn(move || {
        sender.write_all(&rest).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
    });
    let answers = Answer::all(&read_to_end(&mut stream));
    sending.join().unwrap();
    assert_eq!(answers.len(), requests);
}

/// Runs a program in the C locale, without the tester's proxies: exit code, standard output and error.
fn run(program: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").env("no_proxy", "*");
    let output = command.output().unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn curl() {
    let server = TestServer::start();
    let url = |path: &str| format!("http://{}{path}", server.address);
    let curl = |arguments: &[&str]| run("curl", &[&["-q", "-sS", "--max-time", "10"], arguments].concat());
    let says = |text: &str| (0, text.to_owned(), String::new());
    assert_eq!(curl(&[&url("")]), says("127.0.0.1\n"));
    assert_eq!(curl(&[&url("/ip")]), says("127.0.0.1\n"));
    assert_eq!(curl(&[&url("/x-a"), "-H", "X-A: 1", "-H", "X-A: 2"]), says("1, 2\n"));
    assert_eq!(curl(&["-A", "tool/1", &url("/user-agent")]), says("tool/1\n"));
    let (_, all, _) = curl(&[&url("/all")]);
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert_eq!((&all["Accept"], &all["Source-IP"]), (&"*/*".into(), &"127.0.0.1".into()));
    // Its own port is what it is told.
    let (_, ports, _) = curl(&["-w", "%{local_port}\n", &url("/port")]);
    let (told, own) = ports.split_once('\n').unwrap();
    assert_eq!(told, own.trim());

    assert_eq!(curl(&["-f", &url("/nope")]).0, 22);
    assert_eq!(curl(&[&url("/nope")]), says(""));
    let (code, head, _) = curl(&["-I", &url("/ip")]);
    assert!(code == 0 && head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nContent-Length: 10\r\n"), "{head}");
    // Several at once keep their connection.
    let connects = ["-w", "%{num_connects}\n", "-o", "/dev/null"];
    let (_, connects, _) = curl(&[&connects[..], &[&url("/ip")], &connects[2..], &[&url("/json")]].concat());
    assert_eq!(connects, "1\n0\n");

    let status = ["-o", "/dev/null", "-w", "%{http_code}"];
    for (arguments, expected) in [
        (&["-X", "OPTIONS"][..], "204"),
        (&["-d", "a=b"], "405"),
        (&["-T", "/proc/self/status"], "405"),
        (&["-d", "a=b", "-H", "Transfer-Encoding: chunked"], "405"),
        (&["-d", "a=b", "-H", "Expect: 100-continue"], "405"),
        (&["-X", "BREW"], "501"),
        (&["--http1.0"], "200"),
        (&["-H", "Host:", "--http1.1"], "400"),
        (&["--http2"], "200"),
    ] {
        assert_eq!(curl(&[&status[..], arguments, &[&url("/ip")]].concat()), says(expected), "{arguments:?}");
    }
}

/// A large upload is answered, and the answer is not reset away.
#[test]
fn curl_sends_more_than_anybody_wants() {
    let server = TestServer::start();
    let url = format!("http://{}/", server.address);
    let file = std::env::temp_dir().join(format!("swagip-upload-{}", std::process::id()));
    std::fs::write(&file, vec![b'x'; 200_000]).unwrap();
    let data = format!("@{}", file.display());
    for expect in ["Expect:", "Expect: 100-continue"] {
        let arguments = ["-q", "-sS", "--max-time", "10", "-w", "%{http_code}", "--data-binary", &data, "-H", expect, &url];
        let (code, text, error) = run("curl", &arguments);
        assert_eq!((code, text.as_str()), (0, "only GET, HEAD and OPTIONS are answered here\n405"), "{expect} {error}");
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn wget() {
    let server = TestServer::start();
    let url = |path: &str| format!("http://{}{path}", server.address);
    let wget = |arguments: &[&str]| run("wget", &[&["--no-config", "-T", "10", "-t", "1"], arguments].concat());
    let says = |text: &str| (0, text.to_owned(), String::new());
    assert_eq!(wget(&["-qO-", &url("")]), says("127.0.0.1\n"));
    assert_eq!(wget(&["-qO-", &url("/ip"), &url("/host")]), says(&format!("127.0.0.1\n{}\n", server.address)));
    let (_, agent, _) = wget(&["-qO-", &url("/user-agent")]);
    assert!(agent.starts_with("Wget/"), "{agent}");
    let (_, all, _) = wget(&["-qO-", &url("/all")]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&all).unwrap()["Source-IP"], "127.0.0.1");
    assert_eq!(wget(&["-qO-", "--header=X-A: 1", &url("/x-a")]), says("1\n"));
    // 8: the server says that it is an error.
    assert_eq!(wget(&["-qO-", &url("/nope")]).0, 8);
    assert_eq!(wget(&["-qO-", "--post-data=a=b", &url("/")]).0, 8);
    let (code, _, head) = wget(&["-S", "--spider", &url("/ip")]);
    assert!(code == 0 && head.contains("HTTP/1.1 200 OK") && head.contains("Content-Length: 10"), "{head}");
}
