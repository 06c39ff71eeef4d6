//! Nanoseconds in the pure half, for the requests of real clients: parsing, routing and rendering, each alone and all together.
#![allow(missing_docs, clippy::unwrap_used)]

mod requests;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use requests::{BROWSER, CURL, HAPROXY, Row, WGET, WRK};
use std::hint::black_box;
use swagip::exchange::State;
use swagip::http::request::{self, FIELDS_USUAL, Persistence};
use swagip::http::response::Heads;
use swagip::resource::{self, Context, ResponseHead};

const PIPELINED: usize = 16;

const CONTENT: &str = "203.0.113.9\n";

/// What is asked, and the head of the answer.
const ROWS: [(Row, ResponseHead); 5] = [
    (CURL, ResponseHead::RootText),
    (WGET, ResponseHead::RootText),
    (WRK, ResponseHead::RootText),
    (HAPROXY, ResponseHead::RootText),
    (BROWSER, ResponseHead::OpenText),
];

fn answer(head: ResponseHead) -> String {
    let vary = if head == ResponseHead::RootText { "Accept, User-Agent" } else { "User-Agent" };
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
        let mut storage = request::storage::<FIELDS_USUAL>();
        assert_eq!(request::parse(row.bytes, &mut storage).unwrap().request().unwrap().length, row.bytes.len());
        group.throughput(Throughput::Bytes(row.bytes.len() as u64));
        group.bench_function(row.name, |bencher| {
            // The server makes room once for all the requests of a slice.
            bencher.iter(|| black_box(request::parse(black_box(row.bytes), &mut storage)).is_ok());
        });
    }
}

/// A request into content and a head: the address rule, the row of the table, the negotiation, the function.
fn route(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route");
    for (row, head) in ROWS {
        let (rule, site, peer) = (requests::rule(), requests::site(), row.peer());
        let mut storage = request::storage::<FIELDS_USUAL>();
        let request = request::parse(row.bytes, &mut storage).unwrap().request().unwrap();
        let ask = |content: &mut Vec<u8>| {
            let request = black_box(&request);
            let client = &rule.client(&peer, request.fields);
            let context = Context { request, client, peer: &peer, rule: &rule, site: &site, databases: None, draining: false };
            content.clear();
            resource::answer(&context, content).1
        };
        let mut content = Vec::new();
        assert_eq!((ask(&mut content), content.as_slice()), (head.into(), CONTENT.as_bytes()));
        group.throughput(Throughput::Elements(1));
        group.bench_function(row.name, |bencher| bencher.iter(|| ask(black_box(&mut content))));
    }
}

/// Content and a head into an answer.
fn render(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render");
    let heads = Heads::new(ResponseHead::TEXTS.iter().copied(), None);
    let write = |head: ResponseHead, output: &mut Vec<u8>| {
        let content = black_box(CONTENT);
        output.clear();
        heads.answer(output, black_box(head) as usize, Persistence::Default, content.as_bytes(), false);
    };
    for head in [ResponseHead::RootText, ResponseHead::OpenText] {
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
    for ((row, head), count) in ROWS.into_iter().map(|row| (row, 1)).chain([((CURL, ResponseHead::RootText), PIPELINED)]) {
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
