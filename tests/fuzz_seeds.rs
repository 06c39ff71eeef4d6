//! The fuzzer begins where its seeds are: they must hold answers, pipelines, and every refusal that there is.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::Ipv4Addr;
use swagip::client::Rule;
use swagip::exchange::{Next, Service, State};
use swagip::http::Refusal;
use swagip::resource::{ResponseHead, Site};

/// The answers to a seed of the target `exchange`: three bytes for the fuzzer, then those of the connection.
fn answers(seed: &[u8]) -> String {
    let site = Site { title: "SwagIP".to_owned(), ..Site::default() };
    let mut service = Service::new(Rule::default(), site);
    let mut peer = service.rule().peer((Ipv4Addr::LOCALHOST, 54321).into());
    let (mut state, input, mut output) = (State::default(), seed[3..].to_vec(), Vec::new());
    let served = service.serve(&mut state, &mut peer, &input, false, &mut output);
    if served.next == Next::Read {
        let last = if seed[2] & 1 == 1 { Service::expire } else { Service::end };
        last(&mut service, &mut state, &peer, &input[served.consumed..], &mut output);
    }
    String::from_utf8_lossy(&output).into_owned()
}

#[test]
fn seeds_hold_answers_pipelines_and_every_refusal() {
    let files = fs::read_dir("fuzz/seeds/exchange").unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let all: Vec<String> = files.map(|seed| answers(&seed)).collect();
    assert!(all.iter().any(|answers| answers.starts_with("HTTP/1.1 200 OK\r\n")));
    assert!(all.iter().any(|answers| answers.matches("HTTP/1.1 200 OK\r\n").count() == 16));
    for refusal in Refusal::ALL {
        let status = ResponseHead::refused(refusal.status).text().status;
        let is_there =
            |answers: &String| answers.contains(&format!("HTTP/1.1 {status}\r\n")) && answers.ends_with(refusal.reason);
        assert!(all.iter().any(is_there), "no seed brings about: {}", refusal.reason);
    }
}
