//! An answer that has waited has the line that it would have had at once, although little is kept of its request.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use swagip::client::Rule;
use swagip::exchange::{Record, Recorder, Service, State};
use swagip::http::request::Request;
use swagip::observe::access_log::{FIELD_MAX, Format, Formatter, METHOD_MAX, Options, TARGET_MAX, kept};
use swagip::resource::Site;

/// All lines of both formats.
struct Lines(Vec<u8>);

impl Recorder for Lines {
    fn keep(&self, request: &Request<'_, '_>, head: &[u8]) -> Box<[u8]> {
        let kept = kept(request, head);
        assert!(kept.len() < 4096, "{}", kept.len());
        kept
    }

    fn record(&mut self, record: &Record<'_>) {
        for format in [Format::Combined, Format::Json] {
            Formatter::new(Options { format, health: true, mask: false }, None).write(&mut self.0, record);
        }
    }
}

/// The lines of a request whose head and content come in these pieces.
fn lines<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> String {
    let mut service = Service::recording(Rule::default(), Site::default(), Lines(Vec::new()));
    let mut peer = service.rule().peer(([203, 0, 113, 9], 54321).into());
    let mut state = State::default();
    for piece in pieces {
        assert_eq!(service.serve(&mut state, &mut peer, piece, false, &mut Vec::new()).consumed, piece.len());
    }
    String::from_utf8_lossy(&service.recorder().0).into_owned()
}

/// A text about as long as what is written of it, in which what takes more room when it is written stands anywhere.
fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let odd = select(&["", "\"", "\\", "é", "€", "😀", " ", "\u{2028}"][..]).prop_map(|odd| odd.as_bytes().to_vec());
    let odd = prop_oneof![9 => odd, 1 => Just(vec![0xff])];
    let length = prop_oneof![1 => 0..40usize, 3 => max - 20..max + 20, 1 => max..2 * max];
    vec((length, odd), 1..3)
        .prop_map(|parts| parts.into_iter().flat_map(|(length, odd)| [vec![b'a'; length], odd].concat()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_the_same_whether_its_answer_waits_or_not(
        method in prop_oneof![3 => select(vec![3, 4, METHOD_MAX]), 1 => 1..METHOD_MAX],
        target in prop_oneof![1 => 0..40usize, 3 => TARGET_MAX - 100..TARGET_MAX + 100, 1 => Just(3 * TARGET_MAX)],
        mark in select(&["", "\"", "\\"][..]),
        fields in vec((select(&["User-Agent", "Referer", "X"][..]), text(FIELD_MAX)), 0..4),
        leading in 0..2usize,
    ) {
        let method = if method == 3 { "GET".to_owned() } else { "M".repeat(method) };
        let mut head = format!("{}{method} /{}{mark} HTTP/1.1\r\nHost: a\r\n", "\r\n".repeat(leading), "t".repeat(target)).into_bytes();
        for (name, value) in fields {
            head.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
        }
        head.extend(b"Content-Length: 1\r\n\r\n");
        let whole = [&head[..], b"x"].concat();
        prop_assert_eq!(lines([&head[..], b"x"]), lines([&whole[..]]));
    }
}
