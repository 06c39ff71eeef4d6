//! Looks for requests that cost more than the worst known, by changing those: so many seconds, 60 by default.
//!
//! ```text
//! cargo bench --bench worst [-- SECONDS]
//! ```
//!
//! The score of a request is what it costs in parts of what the law allows (benches/requests/law.rs), the bytes of its answer or the
//! instructions, whichever is more; instructions are counted by callgrind, so the same request has the same score on any day. What beats
//! the worst known, on its stage and for its path, is written to `benches/requests/worst/found-…` at the end, to be looked at and committed.
#![allow(missing_docs, clippy::print_stdout)]

mod requests;

use requests::counted;
use requests::law::{self, HEAD_MAX};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/requests/worst");

/// Requests that are counted in one run of callgrind, whose start takes as long as some of them.
const BATCH: usize = 100;

/// The most requests of one kind that are changed further.
const KEPT_MAX: usize = 6;

/// How much more than the worst known is worth a file.
const WORSE: f64 = 1.02;

/// A stage, what is asked for there, and whether it is bytes or instructions that count: requests are held against those of their kind.
type Kind = (usize, String, Cost);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    Bytes,
    Instructions,
}

/// A request, and what it costs in parts of what is allowed.
struct Candidate {
    bytes: Vec<u8>,
    score: f64,
}

/// The costliest of each kind, the first first.
#[derive(Default)]
struct Found(BTreeMap<Kind, Vec<Candidate>>);

/// Numbers that look random and are the same in each run (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [counted::SERVE, file] => counted::serve_each(Path::new(file)),
        [] => search(Duration::from_secs(60)),
        [seconds] => search(Duration::from_secs(seconds.parse().expect("seconds"))),
        _ => panic!("the only argument is the seconds to look"),
    }
}

fn search(time: Duration) {
    let end = Instant::now() + time;
    let mut found = Found::default();
    let stages = law::stages().len();
    let worst = law::worst();
    found.look(&(0..stages).flat_map(|stage| worst.iter().map(move |worst| (stage, worst.bytes.clone()))).collect::<Vec<_>>());
    let known: BTreeMap<Kind, f64> = found.0.iter().map(|(kind, kept)| (kind.clone(), kept[0].score)).collect();
    let (mut dice, mut looked) = (Dice(0x9e37_79b9_7f4a_7c15), 0);
    while Instant::now() < end {
        let children = found.children(&mut dice);
        looked += children.len();
        found.look(&children);
    }
    println!("{looked} requests were counted; the costliest of each kind, in parts of what is allowed, before and now:");
    for (kind, kept) in &found.0 {
        let (before, now) = (known.get(kind).copied().unwrap_or(0.0), kept[0].score);
        let (stage, name, cost) = kind;
        println!("{:<12}{name:<14}{cost:<14?}{before:>7.3}{now:>7.3}", law::STAGES[*stage]);
        if now > before * WORSE {
            let file = format!("{DIRECTORY}/found-{}-{name}-{}", law::STAGES[*stage], format!("{cost:?}").to_lowercase());
            fs::write(file, &kept[0].bytes).expect("a file in the corpus");
        }
    }
}

impl Found {
    /// Counts what these cost, and keeps the costliest.
    fn look(&mut self, requests: &[(usize, Vec<u8>)]) {
        let mut stages = law::stages();
        let counts = counted::count(requests.iter().map(|(stage, bytes)| (*stage, bytes.as_slice())));
        assert_eq!(counts.len(), requests.len(), "one count each");
        let mut output = Vec::new();
        for ((stage, bytes), count) in requests.iter().zip(counts) {
            let (head, databases) = (counted::answer(&mut stages[*stage], bytes, &mut output), stages[*stage].databases);
            let is_page = law::is_page(&output);
            for (cost, spent, most) in [
                (Cost::Bytes, output.len(), law::bytes_max(is_page)),
                (Cost::Instructions, count as usize, law::instructions_max(is_page, databases)),
            ] {
                let kept = self.0.entry((*stage, name(bytes, is_page), cost)).or_default();
                kept.push(Candidate { bytes: bytes.clone(), score: spent as f64 / most.of(head) as f64 });
                kept.sort_by(|one, other| other.score.total_cmp(&one.score));
                kept.truncate(KEPT_MAX);
            }
        }
    }

    /// Changed requests: of each kind as likely, and parts of others in them.
    fn children(&self, dice: &mut Dice) -> Vec<(usize, Vec<u8>)> {
        let kinds: Vec<(&Kind, &Vec<Candidate>)> = self.0.iter().collect();
        let pick = |dice: &mut Dice| {
            let ((stage, ..), kept) = kinds[dice.below(kinds.len())];
            (*stage, &kept[dice.below(kept.len())].bytes)
        };
        (0..BATCH)
            .map(|_| {
                let ((stage, bytes), (_, other)) = (pick(dice), pick(dice));
                (stage, changed(bytes, other, dice))
            })
            .collect()
    }
}

/// What is asked for, as far as it costs differently.
fn name(request: &[u8], is_page: bool) -> String {
    let target = request.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
    let path = target.split(|byte| b"?/".contains(byte)).nth(1).unwrap_or_default();
    let known = ["json", "all", "headers", "explain", "ip", "openapi.json"].into_iter().find(|name| name.as_bytes() == path);
    (if is_page { "page" } else { known.unwrap_or("other") }).to_owned()
}

/// Bytes that are special somewhere.
const SPECIAL: &[u8] = b"\"&'<>\\,;=:%/?-. \tPp1af\xc3\xa9\xff\xd8\x9c\r\n";

/// The request with one to three changes, and as many bytes as a head may have.
fn changed(request: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = request.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        let scale = dice.below(3);
        let length = 1 + dice.below([4, 40, 400][scale]);
        let part = bytes[at..bytes.len().min(at + length)].to_vec();
        match dice.below(7) {
            0 => bytes[at] = SPECIAL[dice.below(SPECIAL.len())],
            1 => bytes.insert(at, SPECIAL[dice.below(SPECIAL.len())]),
            2 => drop(bytes.drain(at..at + part.len())),
            3 => drop(bytes.splice(at..at, part.repeat(1 + dice.below(2000 / length + 1)))),
            4 => swap_lines(&mut bytes, dice),
            5 => bytes.splice(at..at, lines(other)[dice.below(lines(other).len())].iter().copied()).for_each(drop),
            _ => repeat_line(&mut bytes, dice),
        }
        if bytes.is_empty() {
            bytes = request.to_vec();
        }
    }
    fit(&bytes)
}

fn lines(request: &[u8]) -> Vec<&[u8]> {
    request.split_inclusive(|&byte| byte == b'\n').collect()
}

fn swap_lines(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines = lines(bytes);
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    lines.swap(one, other);
    *bytes = lines.concat();
}

/// One field more, or many, of which each has a name of its own.
fn repeat_line(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let lines = lines(bytes);
    let place = dice.below(lines.len());
    let more: Vec<u8> =
        (0..1 + dice.below(40)).flat_map(|number| [format!("{number}").as_bytes(), lines[place]].concat()).collect();
    *bytes = [&lines[..place], &[&more[..]], &lines[place..]].concat().concat();
}

/// One head again: what follows the first empty line, and what is too much, is left out.
fn fit(bytes: &[u8]) -> Vec<u8> {
    const END: &[u8] = b"\r\n\r\n";
    let end = memchr::memmem::find(bytes, END).unwrap_or(bytes.len());
    [&bytes[..end.min(HEAD_MAX - END.len())], END].concat()
}
