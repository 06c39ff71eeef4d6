//! Nothing is allocated for a request once the server is warm: counted by the allocator, in the serving threads, over a socket.
#![allow(clippy::unwrap_used, unsafe_code)]

#[path = "support/mmdb.rs"]
mod mmdb;
mod support;

use mmdb::Mmdb;
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use support::TestServer;
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::net::{DatabaseFiles, Settings};
use swagip::observe::access_log::{self, Format, Options};
use swagip::observe::output::Output;

/// The system's allocator, which counts what the threads named `worker-…` ask of it.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`; the pointer is the system's.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`; the pointer is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn count() {
    // Asked of the kernel, because std's own record of a thread may allocate.
    let mut name = [0u8; 16];
    // SAFETY: PR_GET_NAME writes at most 16 bytes, with the NUL at their end, to where its argument points.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    if name.starts_with(b"worker-") {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

const REQUESTS: usize = 10_000;
const WARM_UP: usize = 500;

/// What is asked, by what settings, in pieces that are sent apart, and how many requests they make.
struct Row {
    name: &'static str,
    settings: fn(&mut Settings),
    pieces: Vec<Vec<u8>>,
    requests: usize,
}

fn one(name: &'static str, request: &str) -> Row {
    Row { name, settings: |_| {}, pieces: vec![request.into()], requests: 1 }
}

/// As curl sends it.
fn get(name: &'static str, target: &str) -> Row {
    one(name, &format!("GET {target} HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"))
}

/// What HAProxy makes of a client's request that has such a field already: a second line.
fn forwarded(row: Row) -> Row {
    let settings = |settings: &mut Settings| {
        settings.rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
    };
    Row { settings, ..row }
}

fn explained(row: Row) -> Row {
    let settings = |settings: &mut Settings| {
        settings.rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
        settings.site.explain = true;
    };
    Row { settings, ..row }
}

fn named(row: Row) -> Row {
    let settings = |settings: &mut Settings| {
        settings.site.family_hosts.ipv4 = Some("ip4.example.org".to_owned());
        settings.site.family_hosts.ipv6 = Some("ip6.example.org".to_owned());
    };
    Row { settings, ..row }
}

fn known(row: Row) -> Row {
    let settings = |settings: &mut Settings| {
        let files = [Mmdb::city().file(), Mmdb::asn().file()];
        settings.databases = Some(DatabaseFiles::open(files.to_vec(), "de".to_owned()).unwrap().into());
        files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    };
    Row { settings, ..row }
}

fn logged(row: Row) -> Row {
    let settings = |settings: &mut Settings| {
        let output = Output::new(File::options().write(true).open("/dev/null").unwrap());
        let options = Options { format: Format::Json, health: false, mask: false };
        settings.access_log = Some(access_log::Settings { options, output: Arc::new(output) });
    };
    Row { settings, ..row }
}

fn rows() -> Vec<Row> {
    let two_lines = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";
    let sixteen = |row: Row| Row { name: "16 pipelined", pieces: vec![row.pieces[0].repeat(16)], requests: 16, ..row };
    vec![
        get("/", "/"),
        one("/ as wrk sends it", "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"),
        get("/ as JSON", "/?format=json"),
        get("the page", "/?format=html"),
        named(get("the page with both addresses", "/?format=html")),
        get("/ip", "/ip"),
        get("/port", "/port"),
        get("/<field>", "/user-agent"),
        get("/headers/<field>", "/headers/user-agent"),
        get("/all", "/all"),
        one("/all as text", "GET /all HTTP/1.1\r\nHost: a\r\nAccept: text/plain;q=0.9\r\nX-A: 1\r\nX-a: 2\r\n\r\n"),
        get("/headers", "/headers"),
        get("/json", "/json"),
        get("/ready", "/ready"),
        get("/robots.txt", "/robots.txt"),
        get("404, no such field", "/x-a"),
        get("404, no such path", "/a/b"),
        one("HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
        one("OPTIONS", "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n"),
        one("304", "GET /robots.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n"),
        one("405", "POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
        one("405 with content", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"),
        one("501", "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
        one("a minor version above 1", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        one("fields that a client may not choose by", "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"),
        forwarded(one("two lines of addresses from a trusted proxy", two_lines)),
        explained(get("/explain", "/explain")),
        explained(one(
            "/explain as JSON",
            "GET /explain HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nX-Forwarded-For: 6.6.6.6, a\r\n\r\n",
        )),
        known(get("/json of databases", "/json?ip=203.0.113.9")),
        known(get("/city", "/city?ip=2001:db8::1")),
        known(get("/asn, not known", "/asn")),
        known(get("no address", "/ip?ip=x")),
        one("more fields than usual", &format!("GET /ip HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(34))),
        one(
            "a page that shows a part",
            &format!("GET /?format=html HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "\"".repeat(9000)),
        ),
        sixteen(get("", "/")),
        logged(get("a line of the access log", "/?\"")),
        logged(one("a line with fields", "GET /a HTTP/1.1\r\nHost: a\r\nReferer: \\\r\nUser-Agent: \u{e9}\r\n\r\n")),
    ]
}

/// Holds what nobody could serve from the stack: an answer that waits for the rest of its request's content.
fn control() -> Row {
    let pieces = vec![b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx".to_vec(), b"y".to_vec()];
    Row { name: "content that is cut in two", pieces, ..one("", "") }
}

/// The allocations of the serving thread for [`REQUESTS`] requests over one connection that has been used before.
fn allocations(row: &Row) -> u64 {
    let server = TestServer::with(row.settings);
    let length = server.ask(row.pieces.concat()).len();
    let mut stream = server.connect();
    let mut answer = vec![0; length];
    let mut ask = |count: usize| (0..count / row.requests).for_each(|_| exchange(&mut stream, &row.pieces, &mut answer));
    ask(WARM_UP);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    ask(REQUESTS);
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

fn exchange(stream: &mut TcpStream, pieces: &[Vec<u8>], answer: &mut [u8]) {
    let (last, others) = pieces.split_last().unwrap();
    for piece in others {
        stream.write_all(piece).unwrap();
        // Until the server has read it.
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
    stream.write_all(last).unwrap();
    stream.read_exact(answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 "), "the answers have one length each");
}

/// One test, because there is one counter.
#[test]
fn none_once_warm() {
    let seen = allocations(&control());
    assert!(seen >= REQUESTS as u64 / 2, "the count sees {seen} where there must be some");
    for row in rows() {
        assert_eq!(allocations(&row), 0, "{} allocates", row.name);
    }
}
