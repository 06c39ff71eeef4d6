//! The parser and the scan agree, a scan may stop anywhere, and the chunked decoder agrees with one that is too simple to be wrong. That
//! cutting a pipeline changes nothing is in `tests/properties.rs`.

use crate::chunked::{self, Verdict};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use swagip::http::content::{Content, Progress};
use swagip::http::field::FIELDS_MAX;
use swagip::http::request::{self, FIELDS_USUAL, Framing, Parsed};
use swagip::http::scan::Scan;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_way_and_the_strict_way_take_the_same_heads(head in request(), changes in prop::collection::vec(change(), 0..4)) {
        let bytes = changed(head.into_bytes(), &changes);
        let mut storage = request::storage::<FIELDS_MAX>();
        let fast = request::parse(&bytes, &mut storage).map(|parsed| parsed.request().map(|request| request.length));
        let strict = Scan::default().resume(&bytes).map(|complete| complete.map(|complete| complete.length));
        match (fast, strict) {
            (Ok(None), strict) => prop_assert!(matches!(strict, Ok(None) | Err(_))),
            (Ok(Some(fast)), strict) => prop_assert_eq!(strict, Ok(Some(fast))),
            // What the fast way refuses is the target, which the strict way refuses alike, or right in its syntax.
            (Err(refusal), Err(strict)) => prop_assert_eq!(refusal, strict),
            (Err(_), strict) => prop_assert!(strict.unwrap().is_some()),
        }
    }

    #[test]
    fn a_head_is_what_it_is_in_any_room_that_holds_its_fields(head in request(), fields in 0..FIELDS_MAX) {
        let bytes = head.replacen("\r\n", &format!("\r\n{}", "X: y\r\n".repeat(fields)), 1).into_bytes();
        let (mut first, mut usual, mut most) =
            (request::storage::<FIELDS_USUAL>(), request::storage::<FIELDS_MAX>(), request::storage::<FIELDS_MAX>());
        let usual = match request::parse(&bytes, &mut first) {
            Ok(Parsed::Crowded) => request::parse_crowded(&bytes, &first, &mut usual),
            parsed => parsed,
        };
        let most = request::parse(&bytes, &mut most);
        prop_assert_eq!(format!("{usual:?}"), format!("{most:?}"));
    }

    #[test]
    fn a_look_that_goes_on_sees_what_a_look_at_all_sees(head in request(), changes in prop::collection::vec(change(), 0..4)) {
        let bytes = changed(head.into_bytes(), &changes);
        let whole = Scan::default().resume(&bytes);
        let (mut scan, mut growing, mut last) = (Scan::default(), Vec::new(), Ok(None));
        for &byte in &bytes {
            growing.push(byte);
            last = scan.resume(&growing);
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
        prop_assert_eq!(Verdict::from(decoded), chunked::read(&bytes), "{:?}: {:?}", String::from_utf8_lossy(&bytes), decoded);
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
    let extension = select(vec!["", "", "", ";a", ";a=b", "; a = \"b\\\"c;\" ;d", " ;a", "\t; a;b=c"]);
    let chunk = ("[ -~\r\n]{1,20}", select(vec![0, 0, 1, 2, 20]), extension.clone())
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

pub fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
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
