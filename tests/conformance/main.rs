//! The protocol as a table: bytes that a client sends, what comes back, and who says so.
//!
//! Each file next to this one is a part of the table; `row.rs` explains how to read a row. Every row is played whole, cut at every byte,
//! with another request after it, and over a real socket.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../support/mod.rs"]
mod support;

mod row;

mod chunked;
mod connection;
mod content;
mod expect;
mod fields;
mod foreign;
mod framing;
mod host;
mod limits;
mod methods;
mod pipelining;
mod request_line;
mod smuggling;
mod targets;

use row::{Ending, Row};
use std::collections::HashSet;
use support::TestServer;
use support::play::{self, Client, Pure};

fn table() -> Vec<Row> {
    let parts = [
        request_line::rows(),
        targets::rows(),
        host::rows(),
        fields::rows(),
        framing::rows(),
        chunked::rows(),
        content::rows(),
        expect::rows(),
        methods::rows(),
        connection::rows(),
        pipelining::rows(),
        smuggling::rows(),
        foreign::rows(),
        limits::rows(),
    ];
    parts.into_iter().flatten().collect()
}

/// A request after the row's bytes shows whether the connection is still served.
const AFTER: &[u8] = b"GET /health HTTP/1.1\r\nHost: after\r\nConnection: close\r\n\r\n";

/// Rows up to this length are cut at every byte, longer ones here and there and at every byte near their ends.
const CUT_EVERYWHERE_MAX: usize = 1500;

#[test]
fn the_table_is_large_and_every_row_is_another() {
    let rows = table();
    assert!(rows.len() >= 200, "{} rows", rows.len());
    let (mut names, mut bytes) = (HashSet::new(), HashSet::new());
    for row in &rows {
        assert!(names.insert(&row.name), "{row}: the name stands twice");
        assert!(bytes.insert(&row.bytes), "{row}: the bytes stand twice");
    }
}

#[test]
fn whole() {
    let mut pure = Pure::new();
    for row in table() {
        let mut client = Client::default();
        pure.send(&mut client, &row.bytes);
        row.check(&client.answers, client.closed.is_some());
    }
}

/// A refusal comes no sooner than it must: without its last byte a row is not refused yet.
#[test]
fn the_last_byte_decides() {
    let mut pure = Pure::new();
    for row in table().iter().filter(|row| matches!(row.expected.ending, Ending::Refused(_))) {
        let mut client = Client::default();
        pure.send(&mut client, &row.bytes[..row.bytes.len() - 1]);
        assert_eq!(client.closed, None, "{row} is refused before its last byte");
    }
}

#[test]
fn with_a_request_after_it() {
    let mut pure = Pure::new();
    for row in table().iter().filter(|row| !matches!(row.expected.ending, Ending::Cut(_))) {
        let mut client = Client::default();
        pure.send(&mut client, &[&row.bytes, AFTER].concat());
        let health = row.check_start(&client.answers);
        if matches!(row.expected.ending, Ending::Stays) {
            assert!(
                health.starts_with(b"HTTP/1.1 200 OK\r\n") && health.ends_with(b"\r\n\r\nok\n"),
                "{row}: not served after it"
            );
        } else {
            assert!(health.is_empty(), "{row}: something after it was served");
            assert_eq!(client.closed, Some(true), "{row}: must linger, for there is more to read");
        }
    }
}

#[test]
fn cut_at_every_byte() {
    let mut pure = Pure::new();
    for row in table() {
        let whole = pure.play([&row.bytes[..]]);
        for cut in cuts(row.bytes.len()) {
            let (left, right) = row.bytes.split_at(cut);
            assert_eq!(pure.play([left, right]), whole, "{row} cut at {cut}");
        }
    }
}

#[test]
fn byte_by_byte() {
    let mut pure = Pure::new();
    for row in table() {
        let whole = pure.play([&row.bytes[..]]);
        assert_eq!(pure.play(row.bytes.chunks(1)), whole, "{row} byte by byte");
    }
}

#[test]
fn ended_by_the_client() {
    let mut pure = Pure::new();
    for row in table() {
        let mut client = Client::default();
        pure.send(&mut client, &row.bytes);
        let before = client.answers.len();
        pure.end(&mut client);
        let last = &client.answers[before..];
        match row.expected.ending {
            Ending::Cut(Some(refusal)) => row.check_refusal(last, refusal),
            _ => assert!(last.is_empty(), "{row}: an answer to the end of the connection"),
        }
    }
}

/// Over a socket: the row's bytes and a request after them in one write, then reading to the end.
#[test]
fn over_a_socket() {
    let server = TestServer::start();
    let mut pure = Pure::new();
    for row in table() {
        let is_cut = matches!(row.expected.ending, Ending::Cut(_));
        let bytes = if is_cut { row.bytes.clone() } else { [&row.bytes, AFTER].concat() };
        let expected = pure.play_to_the_end([&bytes[..]]);
        assert_eq!(play::over_a_socket(&server, &[&bytes], is_cut), expected, "{row} over a socket");
    }
}

/// The same in small pieces, each its own segment.
#[test]
fn over_a_socket_in_pieces() {
    let server = TestServer::start();
    let mut pure = Pure::new();
    for row in table().iter().filter(|row| row.bytes.len() <= CUT_EVERYWHERE_MAX) {
        let is_cut = matches!(row.expected.ending, Ending::Cut(_));
        let expected = pure.play_to_the_end([&row.bytes[..]]);
        let is_open = is_cut || matches!(row.expected.ending, Ending::Stays);
        let bytes: Vec<&[u8]> = row.bytes.chunks(1).collect();
        let welcome = &bytes[..pure.welcome(&bytes)];
        assert_eq!(play::over_a_socket(&server, welcome, is_open), expected, "{row} over a socket, byte by byte");
    }
}

fn cuts(length: usize) -> impl Iterator<Item = usize> {
    let step = if length <= CUT_EVERYWHERE_MAX { 1 } else { length / 50 };
    (0..length).filter(move |cut| cut % step == 0 || *cut < 40 || cut + 60 > length)
}
