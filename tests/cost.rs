//! What one request may make the server say: the law of benches/requests/law.rs, held against the worst requests known and against any.
//! The instructions that they take are counted by benches/instructions.
#![allow(clippy::unwrap_used)]

#[path = "../benches/requests/law.rs"]
mod law;
mod support;

use law::Stage;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::cell::RefCell;
use std::thread;
use support::Answer;
use swagip::exchange::State;
use swagip::http::field::FIELDS_MAX;

/// All that a request is answered.
fn answer(stage: &mut Stage, request: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    stage.service.serve(&mut State::default(), &mut stage.peer, request, false, &mut output);
    output
}

/// The answer keeps the law, and the one to HEAD is its head.
fn check(stage: &mut Stage, request: &[u8]) -> Result<(), String> {
    let whole = answer(stage, request);
    let most = law::bytes_max(law::is_page(&whole)).of(request.len());
    if whole.len() > most {
        return Err(format!("{} bytes where {most} are allowed", whole.len()));
    }
    let Some(rest) = request.strip_prefix(b"GET ") else { return Ok(()) };
    // A head that is full has no room for the other method.
    let to_head = answer(stage, &[b"HEAD ", &rest[..rest.len().min(law::HEAD_MAX - 5)]].concat());
    if rest.len() + 5 <= law::HEAD_MAX && !whole.starts_with(&to_head) {
        return Err("HEAD has other fields".to_owned());
    }
    Ok(())
}

#[test]
fn the_worst_requests_known_keep_the_law() {
    let worst = law::worst();
    assert!(worst.len() > 100, "the corpus is there");
    for mut stage in law::stages() {
        for request in &worst {
            if let Err(error) = check(&mut stage, &request.bytes) {
                panic!("{} {}: {error}", stage.name, request.name);
            }
        }
    }
}

#[test]
fn the_worst_requests_known_are_what_they_are_meant_to_be() {
    let [mut stage, ..] = law::stages();
    for request in law::worst().iter().filter(|request| !request.name.starts_with("found-")) {
        let answers = Answer::all(&answer(&mut stage, &request.bytes));
        assert_eq!(answers.len(), 1, "{}", request.name);
        let is_refused = matches!(answers[0].status, 400 | 414 | 431);
        assert_eq!(is_refused, request.name.starts_with("refused-"), "{}: {}", request.name, answers[0].status);
        let is_page = answers[0].field("Content-Type").is_some_and(|media| media.starts_with("text/html"));
        assert_eq!(is_page, request.name.starts_with("page-"), "{}", request.name);
    }
}

/// Every path that there is, and two that there are not.
fn paths() -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(include_str!("../assets/openapi.json")).unwrap();
    let known = document["paths"].as_object().unwrap().keys().map(|path| path.replace("{name}", "a"));
    known.chain(["/a/b", "/headers/"].map(str::to_owned)).collect()
}

/// The ways to ask for what a path has, each the first field.
const REPRESENTATIONS: [&str; 4] = ["", "Accept: text/html\r\n", "Accept: text/plain\r\n", "Accept: application/json\r\n"];

/// The fields of a request, asked of another path and in another way: as many lines as may be, and of one that is too long the start.
fn retargeted(request: &[u8], path: &str, representation: &str) -> Vec<u8> {
    let mut head = format!("GET {path} HTTP/1.1\r\n{representation}").into_bytes();
    let is_asked = !representation.is_empty();
    let is_accept = |line: &[u8]| line.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"accept:"));
    let lines = request
        .trim_ascii_start()
        .split(|&byte| byte == b'\n')
        .skip(1)
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty());
    for line in lines.filter(|line| !is_asked || !is_accept(line)).take(FIELDS_MAX - usize::from(is_asked)) {
        let room = law::HEAD_MAX.saturating_sub(head.len() + b"\r\n\r\n".len());
        // A start that has no colon would be refused.
        match &line[..line.len().min(room)] {
            start if start.contains(&b':') => head.extend_from_slice(&[start, b"\r\n"].concat()),
            _ => break,
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

#[test]
fn every_resource_in_every_representation_keeps_the_law() {
    let (worst, paths) = (law::worst(), paths());
    let taken: Vec<_> = worst.iter().filter(|request| !request.name.starts_with("refused-")).collect();
    let check = |stage: &mut Stage, request: &law::Worst, path: &str| {
        for representation in REPRESENTATIONS {
            let head = retargeted(&request.bytes, path, representation);
            let answer = answer(stage, &head);
            let most = law::bytes_max(law::is_page(&answer)).of(head.len());
            let length = answer.len();
            assert!(
                length <= most,
                "{} {} {path} {representation:?}: {length} bytes where {most} are allowed",
                stage.name,
                request.name
            );
        }
    };
    thread::scope(|scope| {
        for mut stage in law::stages() {
            let (taken, paths, check) = (&taken, &paths, &check);
            scope.spawn(move || {
                taken.iter().for_each(|request| paths.iter().for_each(|path| check(&mut stage, request, path)));
            });
        }
    });
}

const TARGETS: [&str; 12] = [
    "/",
    "/?format=html",
    "/?format=html",
    "/?format=html",
    "/json",
    "/all",
    "/headers",
    "/explain",
    "/a",
    "/headers/a",
    "/openapi.json",
    "/ip",
];

/// Bytes that become more, and some that do not.
const UNITS: [&[u8]; 13] =
    [b"\"", b"&", b"'", b"<", b"a", b"\\", b"\t", b"\xff", b"\xc3\xa9", b"\xd8\x9c", b"10.0.0.1,", b"for=10.0.0.1,", b"="];

fn fill() -> impl Strategy<Value = Vec<u8>> {
    (select(&UNITS[..]), 0..4000usize).prop_map(|(unit, count)| unit.repeat(count / unit.len()))
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let name = select(
        &["a", "A", "sec-", "'", "&", "cookie", "x-forwarded-for", "forwarded", "user-agent", "accept", "if-none-match"][..],
    );
    let long = (name.clone(), 0..200u8, 0..200usize)
        .prop_map(|(name, number, count)| format!("{name}{number}{}", name.repeat(count / name.len())));
    (prop_oneof![name.prop_map(str::to_owned), long], fill())
        .prop_map(|(name, value)| [name.as_bytes(), b":", value.trim_ascii(), b"\r\n"].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any head at all: lines as long as there is room, and then as many short ones as may be.
    #[test]
    fn any_request_keeps_the_law(
        target in select(&TARGETS[..]),
        host in select(&["a", "[::1]:8080"][..]).prop_map(str::to_owned).boxed().prop_union("[a!]{240,255}".boxed()),
        lines in vec(line(), 0..40),
        short in 0..100usize,
    ) {
        thread_local!(static STAGES: RefCell<[Stage; law::STAGES.len()]> = RefCell::new(law::stages()));
        let mut head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n").into_bytes();
        let (mut count, mut long) = (1, lines);
        long.extend((0..short).map(|number| format!("{number}:\"\r\n").into_bytes()));
        for line in long {
            if count < 100 && head.len() + line.len() + 2 <= law::HEAD_MAX {
                head.extend_from_slice(&line);
                count += 1;
            }
        }
        head.extend_from_slice(b"\r\n");
        STAGES.with_borrow_mut(|stages| stages.iter_mut().try_for_each(|stage| check(stage, &head))).map_err(TestCaseError::fail)?;
    }
}
