//! What `/metrics` tells: which series change by how much when something happens, and that nothing else does.
#![allow(clippy::unwrap_used)]

#[path = "support/mmdb.rs"]
mod mmdb;
#[path = "support/network.rs"]
mod network;
#[path = "support/resolver.rs"]
mod resolver;
mod support;

use mmdb::Mmdb;
use proptest::prelude::*;
use resolver::{A, PTR, Resolver};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use support::{Answer, TestServer};
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::net::{DatabaseFiles, Listen, ListenerKind, Order, Settings, Threads};
use swagip::resource::ReverseDns;

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A server with a listener for monitoring, and that one's address.
struct Monitored {
    server: TestServer,
    metrics: SocketAddr,
}

/// The values of all series but the process's own; a sum of seconds in milliseconds.
type Series = BTreeMap<String, i64>;

impl Monitored {
    fn start() -> Monitored {
        Monitored::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Monitored {
        let server = TestServer::with(|settings| {
            let address = ([127, 0, 0, 1], 0).into();
            settings.listeners.push(Listen { address, any: false, kind: ListenerKind::Metrics });
            change(settings);
        });
        let metrics = server.addresses[server.addresses.len() - 1];
        Monitored { server, metrics }
    }

    fn connect(&self) -> TcpStream {
        support::connect(self.metrics)
    }

    /// The answer to these bytes on the listener for monitoring, to the end.
    fn ask(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        support::ask(self.metrics, bytes)
    }

    fn get(&self, target: &str, fields: &str) -> Answer {
        support::get(self.metrics, target, fields)
    }

    fn text(&self) -> String {
        let answer = self.get("/metrics", "");
        assert_eq!((answer.status, answer.field("Content-Type")), (200, Some(PROMETHEUS)));
        answer.text()
    }

    fn series(&self) -> Series {
        series(&self.text())
    }

    /// Waits until nothing changes any more that the last scrape did not show: what a client sees, others count a little later.
    fn settled(&self, is_settled: impl Fn(&Series) -> bool) -> Series {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let series = self.series();
            if is_settled(&series) || Instant::now() > deadline {
                return series;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn series(text: &str) -> Series {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("process_"));
    let number = |text: &str| match text.split_once('.') {
        Some((seconds, rest)) => seconds.parse::<i64>().unwrap() * 1000 + format!("{rest:0<3}").parse::<i64>().unwrap(),
        None => text.parse().unwrap(),
    };
    let pair = |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), number(value))).unwrap();
    let pairs: Vec<(String, i64)> = lines.map(pair).collect();
    let series: Series = pairs.iter().cloned().collect();
    assert_eq!(series.len(), pairs.len(), "no series comes twice");
    series
}

/// What changed, one series a line: `name{label="value"} +1`.
fn changes(before: &Series, after: &Series) -> Vec<String> {
    let change = |(name, value): (&String, &i64)| {
        let change = value - before.get(name).copied().unwrap_or(0);
        (change != 0).then(|| format!("{} {change:+}", name.strip_prefix("swagip_").unwrap_or(name)))
    };
    assert!(before.keys().all(|name| after.contains_key(name)), "no series goes away");
    after.iter().filter_map(change).collect()
}

/// What a conversation over one connection to a client's listener changes; it ends with the client's FIN after its last byte.
#[test]
fn what_is_done_and_what_changes() {
    let answered = r#"connections_closed_total{reason="answered"} +1"#;
    let left = r#"connections_closed_total{reason="client"} +1"#;
    for (bytes, end, requests) in [
        ("", left, &[][..]),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", left, &[r#"requests_total{resource="root",code="200"} +1"#]),
        ("HEAD /JSON HTTP/1.1\r\nHost: a\r\n\r\n", left, &[r#"requests_total{resource="json",code="200"} +1"#]),
        (
            "GET /ip HTTP/1.1\r\nHost: a\r\n\r\nGET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            answered,
            &[r#"requests_total{resource="ip",code="200"} +2"#],
        ),
        ("GET /host HTTP/1.0\r\nHost: a\r\n\r\n", answered, &[r#"requests_total{resource="field",code="200"} +1"#]),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", left, &[r#"requests_total{resource="field",code="404"} +1"#]),
        ("GET /a/b HTTP/1.1\r\nHost: a\r\n\r\n", left, &[r#"requests_total{resource="none",code="404"} +1"#]),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", left, &[r#"requests_total{resource="none",code="204"} +1"#]),
        (
            "PUT /all HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
            left,
            &[r#"requests_total{resource="all",code="405"} +1"#],
        ),
        (
            "GET /ip HTTP/1.1\r\n\r\n",
            answered,
            &[r#"refusals_total{reason="host_missing"} +1"#, r#"requests_total{resource="refused",code="400"} +1"#],
        ),
        (
            "GET /ip HTTP/2.0\r\n\r\n",
            answered,
            &[r#"refusals_total{reason="version"} +1"#, r#"requests_total{resource="refused",code="505"} +1"#],
        ),
        (
            "GET /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx",
            answered,
            &[r#"refusals_total{reason="content_cut"} +1"#, r#"requests_total{resource="refused",code="400"} +1"#],
        ),
    ] {
        let monitored = Monitored::start();
        let before = monitored.series();
        let answer = monitored.server.ask(bytes);
        let after = monitored.settled(|series| series[r#"swagip_connections{listener="plain"}"#] == 0);
        let accepted = r#"connections_accepted_total{listener="plain"} +1"#.to_owned();
        let moved = [("received", bytes.len()), ("sent", answer.len())];
        let moved = moved.iter().filter(|(_, length)| *length > 0).map(|(way, length)| format!("{way}_bytes_total +{length}"));
        let mut expected: Vec<String> = [accepted, end.to_owned()].into_iter().chain(moved).collect();
        expected.extend(requests.iter().map(ToString::to_string));
        expected.sort_unstable();
        assert_eq!(changes(&before, &after), expected, "{bytes:?}: {}", String::from_utf8_lossy(&answer));
    }
}

/// Whatever is asked on the listener for monitoring changes nothing, whoever sends it; nor does a connection there.
#[test]
fn a_scrape_changes_nothing() {
    let monitored = Monitored::start();
    let before = monitored.series();
    let _idle = monitored.connect();
    for bytes in ["GET /ready HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16", "GET /me", ""] {
        monitored.ask(bytes);
    }
    monitored.ask("PUT /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(changes(&before, &monitored.series()), [""; 0]);
}

#[test]
fn what_is_answered_there() {
    let monitored = Monitored::with(|settings| settings.site.served_by = Some("one".to_owned()));
    let found = "not found: /metrics, /ready and /health are here\n";
    for (request, status, content) in [
        ("GET /ready", 200, "ready\n"),
        ("GET /health?a", 200, "ok\n"),
        ("GET /%4detrics", 200, "# HELP swagip_requests_total"),
        ("GET /", 404, found),
        ("GET /ip", 404, found),
        ("GET /headers/metrics", 404, found),
        ("GET /metrics/", 404, found),
        ("GET /readyz", 404, found),
        ("OPTIONS /metrics", 405, "only GET and HEAD are answered here\n"),
        ("POST /metrics", 405, "only GET and HEAD are answered here\n"),
        ("get /metrics", 501, "no such method"),
    ] {
        let answers = Answer::all(&monitored.ask(format!("{request} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: x\r\n\r\n")));
        assert_eq!(
            (answers[0].status, answers[0].text().starts_with(content)),
            (status, true),
            "{request}: {}",
            answers[0].text()
        );
        assert_eq!(answers[0].field("X-Served-By"), Some("one"));
        assert_eq!(answers[0].field("Allow"), (status == 405).then_some("GET, HEAD"));
    }
    // HEAD has the fields of GET, but for the length, which is that of another moment.
    let bytes = monitored.ask("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    let (answer, rest) = Answer::head(&bytes);
    assert_eq!((answer.status, rest, answer.field("Vary")), (200, &b""[..], Some("Accept")));
    assert!(answer.field("Content-Length").unwrap().parse::<usize>().unwrap() > 1000);
    // What is refused for clients is refused there.
    let refused = Answer::all(&monitored.ask("GET /metrics HTTP/1.1\r\n\r\n"));
    assert_eq!((refused[0].status, refused[0].field("Connection")), (400, Some("close")));
}

/// What Prometheus 2.43 and 3 send first.
#[test]
fn the_format_that_accept_prefers() {
    let monitored = Monitored::start();
    for (accept, expected) in [
        ("", PROMETHEUS),
        ("Accept: */*\r\n", PROMETHEUS),
        ("Accept: text/plain\r\n", PROMETHEUS),
        (
            "Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n",
            OPEN_METRICS,
        ),
        (
            "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n",
            OPEN_METRICS,
        ),
        ("Accept: text/plain;q=0.5\r\nAccept: application/openmetrics-text; version=\"1.0.0\"\r\n", OPEN_METRICS),
        ("Accept: application/openmetrics-text, text/plain\r\n", OPEN_METRICS),
        ("Accept: application/openmetrics-text;q=0.4, text/plain;q=0.5\r\n", PROMETHEUS),
        ("Accept: application/openmetrics-text;version=0.0.1\r\n", PROMETHEUS),
        ("Accept: application/openmetrics-text;q=0\r\n", PROMETHEUS),
    ] {
        let answer = monitored.get("/metrics", accept);
        assert_eq!(answer.field("Content-Type"), Some(expected), "{accept}");
        assert_eq!(answer.text().ends_with("\n# EOF\n"), expected == OPEN_METRICS, "{accept}");
    }
    // Both say the same of the same.
    let open = monitored.get("/metrics", "Accept: application/openmetrics-text\r\n").text();
    assert_eq!(series(&open), monitored.series());
    for (format, lines) in [
        (&open, ["# TYPE swagip_requests counter", "# TYPE swagip_connections gauge", "# TYPE swagip_build info"]),
        (
            &monitored.text(),
            ["# TYPE swagip_requests_total counter", "# TYPE swagip_connections gauge", "# TYPE swagip_build_info gauge"],
        ),
    ] {
        for line in lines {
            assert!(format.lines().any(|other| other == line), "{line}");
        }
    }
}

/// What a client that keeps its connection does, and why it is closed in the end.
#[test]
fn how_connections_end() {
    let reset = |stream: TcpStream| socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    for (place, bytes, leaves, reason) in [
        (0, "", None, "head"),
        (0, "GET /", None, "head"),
        (0, "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n", None, "idle"),
        (0, post, None, "content"),
        (0, "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n", Some(drop as fn(TcpStream)), "client"),
        (0, "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n", Some(reset), "error"),
        (1, "PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n", None, "proxy_header"),
        (1, "x", None, "proxy_header"),
    ] {
        let monitored = Monitored::with(|settings| {
            settings.listeners.insert(1, Listen { address: ([127, 0, 0, 1], 0).into(), any: false, kind: ListenerKind::Proxy });
            (settings.limits.head, settings.limits.idle) = (Duration::from_secs(1), Duration::from_secs(1));
        });
        let before = monitored.series();
        let mut stream = support::connect(monitored.server.addresses[place]);
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut stream = Some(stream);
        if let Some(leave) = leaves {
            let mut stream = stream.take().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            leave(stream);
        }
        let is_closed = |series: &Series| {
            series.iter().any(|(name, &count)| name.starts_with("swagip_connections_closed_total") && count > 0)
        };
        let after = monitored.settled(is_closed);
        let changed = changes(&before, &after).into_iter().filter(|line| line.starts_with("connections"));
        let listener = ["plain", "proxy"][place];
        let accepted = format!("connections_accepted_total{{listener=\"{listener}\"}} +1");
        let expected = [accepted, format!("connections_closed_total{{reason=\"{reason}\"}} +1")];
        assert_eq!(changed.collect::<Vec<_>>(), expected, "{bytes:?}");
    }
}

#[test]
fn connections_that_are_open() {
    let monitored = Monitored::start();
    let mut streams: Vec<TcpStream> = (0..3).map(|_| monitored.server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
    }
    for left in [3, 2] {
        let series = monitored.settled(|series| series[r#"swagip_connections{listener="plain"}"#] == left);
        let gauges = [r#"swagip_connections{listener="plain"}"#, r#"swagip_thread_connections{thread="0"}"#];
        assert_eq!(gauges.map(|name| series[name]), [left, left]);
        streams.pop();
    }
}

#[test]
fn limits_that_were_reached() {
    let monitored = Monitored::with(|settings| {
        settings.limits.connections = NonZeroUsize::new(10);
        settings.limits.connections_per_client = NonZeroUsize::new(3);
    });
    let ask = || {
        let mut stream = monitored.server.connect();
        stream.write_all(b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        stream
    };
    let before = monitored.series();
    let _held = [ask(), ask(), ask()];
    let _fourth = ask();
    let after = monitored.settled(|series| series[r#"swagip_connections_closed_total{reason="evicted"}"#] == 1);
    let changes = changes(&before, &after);
    assert!(
        changes.iter().any(|line| line.starts_with(r#"limits_reached_total{limit="connections_per_client"} +"#)),
        "{changes:?}"
    );
    assert_eq!(after[r#"swagip_limits_reached_total{limit="connections"}"#], 0);
}

/// A scraper that asks and does not read is given up like anybody; meanwhile and after it others are served. Its connection is not counted,
/// so its end is seen on the socket.
#[test]
fn a_stalled_scraper() {
    let monitored = Monitored::with(|settings| settings.limits.write = Duration::from_secs(1));
    let mut stalled = monitored.connect();
    // More than its socket and ours hold.
    stalled.set_nonblocking(true).unwrap();
    const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    let asked = stalled.write(&REQUEST.repeat(1000)).unwrap() / REQUEST.len();
    let began = Instant::now();
    assert_eq!(monitored.server.get("/ip", "").status, 200);
    assert_eq!(monitored.get("/ready", "").status, 200);
    // Not by reading, which it would take for a sign of life.
    while stalled.take_error().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(20), "it is never given up");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut all = Vec::new();
    stalled.read_to_end(&mut all).unwrap();
    let answers = String::from_utf8_lossy(&all).matches("HTTP/1.1 200 OK\r\n").count();
    assert!(answers > 0 && answers < asked, "{answers} answers to {asked} requests");
    assert_eq!(monitored.get("/metrics", "").status, 200);
}

/// While the grace lasts it is answered like everybody.
#[test]
fn while_draining() {
    let monitored = Monitored::with(|settings| settings.limits.drain_grace = Duration::from_secs(2));
    assert_eq!(monitored.series()["swagip_draining"], 0);
    monitored.server.drain();
    let series = monitored.settled(|series| series["swagip_draining"] == 1);
    assert_eq!(series["swagip_draining"], 1);
    let answer = monitored.get("/ready", "");
    assert_eq!((answer.status, answer.text().as_str(), answer.field("Connection")), (404, "draining\n", Some("close")));
    assert_eq!(monitored.server.get("/ip", "").status, 200);
    let after = monitored.settled(|series| series[r#"swagip_connections_closed_total{reason="drained"}"#] == 1);
    assert_eq!(after[r#"swagip_connections_closed_total{reason="drained"}"#], 1);
    monitored.server.stopper().stop(Order::DrainAtOnce);
    monitored.server.join();
}

/// Threads add up, and each one's connections are told.
#[test]
fn two_threads() {
    let monitored = Monitored::with(|settings| settings.threads = Threads::Spread(NonZeroUsize::new(2).unwrap()));
    let streams: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = monitored.server.connect();
            stream.write_all(b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            stream
        })
        .collect();
    let series = monitored.settled(|series| series[r#"swagip_connections{listener="plain"}"#] == 64);
    assert_eq!(series["swagip_threads"], 2);
    assert_eq!(series[r#"swagip_requests_total{resource="ip",code="200"}"#], 64);
    let threads = ["0", "1"].map(|thread| series[&format!("swagip_thread_connections{{thread=\"{thread}\"}}")]);
    assert_eq!(threads.iter().sum::<i64>(), 64);
    // The kernel chooses by the ports: 2^-63 that one gets all.
    assert!(threads.iter().all(|&count| count > 0), "{threads:?}");
    drop(streams);
}

/// What each of these questions changes, asked one at a time by its client of a server on which all look-ups are on.
#[test]
fn lookups() {
    network::alone("lookups", &["9.9.9.9/32"], || {
        let resolver = Resolver::start(|name, kind| match (name, kind) {
            ("8.8.8.8.in-addr.arpa" | "7.7.7.7.in-addr.arpa", PTR) => Some(resolver::name("eight.example")),
            ("eight.example", A) => Some(vec![8, 8, 8, 8]),
            ("6.6.6.6.in-addr.arpa", _) => None,
            _ => Some(Vec::new()),
        });
        let monitored = lookups_on(Some(resolver.address));
        let open = TcpListener::bind(("9.9.9.9", 0)).unwrap();
        let port = format!("/port/{}", open.local_addr().unwrap().port());
        for (path, client, lookup, results) in [
            ("/hostname", "8.8.8.8", "hostname", &["answered"][..]),
            ("/hostname", "7.7.7.7", "hostname", &["unknown"]),
            ("/hostname", "5.5.5.5", "hostname", &["unknown"]),
            ("/hostname", "6.6.6.6", "hostname", &["timeout"]),
            (&port, "9.9.9.9", "port", &["answered"]),
            ("/port/1", "9.9.9.9", "port", &["answered"]),
            ("/port/1", "10.0.0.1", "port", &[]),
            ("/port/0", "9.9.9.9", "port", &[]),
            ("/city", "203.0.113.9", "mmdb", &["answered"]),
            ("/asn?ip=192.0.2.1", "203.0.113.9", "mmdb", &["unknown"]),
            ("/city?ip=x", "203.0.113.9", "mmdb", &[]),
            ("/ip", "203.0.113.9", "mmdb", &[]),
        ] {
            let before = monitored.series();
            monitored.server.get(path, &format!("X-Forwarded-For: {client}\r\n"));
            let changed = changes(&before, &monitored.series()).into_iter().filter(|line| line.starts_with("lookup"));
            let mut expected = vec![format!("lookups_total{{lookup=\"{lookup}\"}} +1"); results.len()];
            expected.extend(
                results.iter().map(|result| format!("lookup_results_total{{lookup=\"{lookup}\",result=\"{result}\"}} +1")),
            );
            if lookup != "mmdb" && !results.is_empty() {
                expected.push(format!("lookup_duration_seconds_count{{lookup=\"{lookup}\"}} +1"));
                expected.push(format!("lookup_duration_seconds_bucket{{lookup=\"{lookup}\",le=\"+Inf\"}} +1"));
            }
            let is_timed = |line: &String| line.contains("_sum{") || line.contains("le=\"") && !line.contains("+Inf");
            let (timed, mut rest): (Vec<String>, Vec<String>) = changed.partition(is_timed);
            expected.sort_unstable();
            rest.sort_unstable();
            assert_eq!(rest, expected, "{path} {client}");
            if *results == ["timeout"] {
                // Two tries of a second.
                assert_eq!(timed.iter().filter(|line| line.contains("le=\"")).count(), 1, "{timed:?}");
                let waited = timed.iter().find_map(|line| line.split_once("_sum")?.1.rsplit_once('+')?.1.parse().ok());
                assert!(waited.is_some_and(|waited: i64| (1998..2500).contains(&waited)), "{timed:?}");
            }
        }
        too_many_at_once(&monitored);
    });
}

/// A server on which all look-ups are on.
fn lookups_on(resolver: Option<SocketAddr>) -> Monitored {
    Monitored::with(|settings| {
        settings.rule = Rule::new(TrustList::parse(["127.0.0.0/8"]).unwrap(), ForwardingField::default());
        settings.resolver = resolver;
        (settings.site.reverse_dns, settings.site.port_test) = (ReverseDns::All, true);
        let files = [Mmdb::city(), Mmdb::asn()].map(|file| file.file());
        settings.databases = Some(DatabaseFiles::open(files.to_vec(), "en".to_owned()).unwrap().into());
        files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    })
}

/// The second question of a client is refused while the first is under way, which is cancelled when the client goes.
fn too_many_at_once(monitored: &Monitored) {
    let asked = r#"swagip_lookups_total{lookup="hostname"}"#;
    let result = |result: &str| format!("swagip_lookup_results_total{{lookup=\"hostname\",result=\"{result}\"}}");
    let before = monitored.series();
    let mut first = monitored.server.connect();
    first.write_all(b"GET /hostname HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n").unwrap();
    monitored.settled(|series| series[asked] == before[asked] + 1);
    assert_eq!(monitored.server.get("/hostname", "X-Forwarded-For: 6.6.6.6\r\n").status, 503);
    socket2::SockRef::from(&first).set_linger(Some(Duration::ZERO)).unwrap();
    drop(first);
    let after = monitored.settled(|series| series[&result("cancelled")] > 0);
    let change = |name: &str| after[name] - before[name];
    assert_eq!((change(asked), change(&result("refused")), change(&result("cancelled"))), (2, 1, 1));
    let waited = r#"swagip_lookup_duration_seconds_count{lookup="hostname"}"#;
    assert_eq!(change(waited), 0, "nobody has waited to the end");
}

#[test]
fn lookups_that_are_off_are_not_told_of() {
    assert!(!Monitored::start().text().contains("lookup"));
}

#[test]
fn lines_that_the_log_lost() {
    let monitored = Monitored::with(|settings| {
        settings.log_lines_dropped.add();
        settings.log_lines_dropped.add();
    });
    assert_eq!(monitored.series()[r#"swagip_log_lines_dropped_total{log="error"}"#], 2);
}

#[test]
fn the_process() {
    let text = Monitored::start().text();
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is there")).parse().unwrap()
    };
    for name in
        ["cpu_seconds_total", "open_fds", "max_fds", "virtual_memory_bytes", "resident_memory_bytes", "start_time_seconds"]
    {
        assert!(value(&format!("process_{name}")) >= 0.0, "{name}");
    }
    assert!(value("process_virtual_memory_max_bytes") >= value("process_virtual_memory_bytes"));
}

/// A request, and whether the connection stays open after it.
fn any_request() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /json HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS /ip HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ip HTTP/1.0\r\n\r\n",
        "GET /ip HTTP/1.1\r\n\r\n",
        "GET /ip HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n",
        "GET /ip HTTP/3.1\r\nHost: a\r\n\r\n",
        "\x16\x03",
        "GET /cut",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of any traffic the counts by code are the answers that were given, and the bytes those that moved.
    #[test]
    fn counts_are_what_clients_saw(conversations in prop::collection::vec(prop::collection::vec(any_request(), 0..5), 1..6)) {
        let monitored = Monitored::start();
        let (mut codes, mut sent) = (BTreeMap::new(), 0);
        for requests in &conversations {
            let bytes = monitored.server.ask(requests.concat());
            sent += bytes.len() as i64;
            for answer in Answer::all(&bytes) {
                *codes.entry(answer.status.to_string()).or_insert(0) += 1;
            }
        }
        let series = monitored.settled(|series| series[r#"swagip_connections{listener="plain"}"#] == 0);
        let mut counted = BTreeMap::new();
        for (name, count) in series.iter().filter(|(name, count)| name.starts_with("swagip_requests_total") && **count > 0) {
            let code = name.split('"').nth(3).unwrap();
            *counted.entry(code.to_owned()).or_insert(0) += count;
        }
        prop_assert_eq!(&counted, &codes);
        let refused: i64 = series.iter().filter(|(name, _)| name.starts_with("swagip_refusals_total")).map(|(_, count)| count).sum();
        let answered_so: i64 = series.iter().filter(|(name, _)| name.contains("resource=\"refused\"")).map(|(_, count)| count).sum();
        prop_assert_eq!(refused, answered_so);
        prop_assert_eq!(series["swagip_sent_bytes_total"], sent);
        prop_assert_eq!(series[r#"swagip_connections_accepted_total{listener="plain"}"#], conversations.len() as i64);
    }
}
