//! Nanoseconds in the pure half, for the requests of real clients: parsing, routing and rendering, each alone and all together.
#![allow(missing_docs, clippy::unwrap_used)]

mod requests;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use requests::{BROWSER, CURL, HAPROXY, Row, WGET, WRK};
use std::hint::black_box;
use swagip::exchange::State;
use swagip::http::field::FIELDS_MAX;
use swagip::http::request::{self, Persistence};
use swagip::http::response::{self, Heads};
use swagip::resource::{self, Head, Inquiry};

const PIPELINED: usize = 16;

const CONTENT: &str = "203.0.113.9\n";

/// What is asked, and the head of the answer.
const ROWS: [(Row, Head); 5] =
    [(CURL, Head::RootText), (WGET, Head::RootText), (WRK, Head::RootText), (HAPROXY, Head::RootText), (BROWSER, Head::OpenText)];

fn answer(head: Head) -> String {
    let vary = if head == Head::RootText { "Accept, User-Agent" } else { "User-Agent" };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nAccess-Control-Allow-Origin: *\r\nVary: {vary}\r\n\
         Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 12\r\n\r\n{CONTENT}"
    )
}

/// Bytes into a request, all checks included.
fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (row, _) in ROWS {
        let mut storage = request::storage::<FIELDS_MAX>();
        assert_eq!(request::parse(row.bytes, &mut storage).unwrap().request().unwrap().length, row.bytes.len());
        group.throughput(Throughput::Bytes(row.bytes.len() as u64));
        group.bench_function(row.name, |bencher| {
            bencher.iter(|| {
                let mut storage = request::storage::<FIELDS_MAX>();
                black_box(request::parse(black_box(row.bytes), &mut storage)).is_ok()
            });
        });
    }
}

/// A request into content and a head: the address rule, the row of the table, the negotiation, the function.
fn route(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route");
    for (row, head) in ROWS {
        let (rule, site, peer) = (requests::rule(), requests::site(), row.peer());
        let mut storage = request::storage::<FIELDS_MAX>();
        let request = request::parse(row.bytes, &mut storage).unwrap().request().unwrap();
        let ask = |content: &mut Vec<u8>| {
            let request = black_box(&request);
            let client = &rule.client(&peer, request.fields);
            let inquiry = Inquiry { request, client, peer: &peer, rule: &rule, site: &site, draining: false };
            content.clear();
            resource::answer(&inquiry, content)
        };
        let mut content = Vec::new();
        assert_eq!((ask(&mut content), content.as_slice()), (head, CONTENT.as_bytes()));
        group.throughput(Throughput::Elements(1));
        group.bench_function(row.name, |bencher| bencher.iter(|| ask(black_box(&mut content))));
    }
}

/// Content and a head into an answer.
fn render(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render");
    let heads = Heads::new(Head::TEXTS.iter().copied(), None);
    let write = |head: Head, output: &mut Vec<u8>| {
        let content = black_box(CONTENT);
        output.clear();
        heads.begin(output, black_box(head) as usize, content.len());
        output.extend_from_slice(response::end(Persistence::Default));
        output.extend_from_slice(content.as_bytes());
    };
    for head in [Head::RootText, Head::OpenText] {
        let mut output = Vec::new();
        write(head, &mut output);
        assert_eq!(String::from_utf8_lossy(&output), answer(head));
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("{head:?}"), |bencher| bencher.iter(|| write(head, black_box(&mut output))));
    }
}

/// Bytes into bytes, on a connection between two requests.
fn exchange(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exchange");
    for ((row, head), count) in ROWS.into_iter().map(|row| (row, 1)).chain([((CURL, Head::RootText), PIPELINED)]) {
        let (mut service, mut peer, input) = (requests::service(), row.peer(), row.bytes.repeat(count));
        let mut serve = |output: &mut Vec<u8>| {
            output.clear();
            service.serve(&mut State::default(), &mut peer, black_box(&input), false, output)
        };
        let mut output = Vec::new();
        assert_eq!(serve(&mut output).consumed, row.bytes.len() * count);
        assert_eq!(String::from_utf8_lossy(&output), answer(head).repeat(count));
        let name = if count == 1 { row.name.to_owned() } else { format!("{} x {count}", row.name) };
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |bencher| bencher.iter(|| serve(black_box(&mut output))));
    }
}

criterion_group!(benches, parse, route, render, exchange);
criterion_main!(benches);
