//! A whole connection: however its bytes are cut, the answers are the same, and they are well-formed.
//!
//! The first two bytes are the lengths of the pieces, in turns; the third says whether the client sends its FIN or falls silent.
#![no_main]

#[path = "../oracles/answers.rs"]
mod answers;

use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{LazyLock, Mutex};
use swagip::client::{Peer, Rule};
use swagip::exchange::{Next, Service, State};
use swagip::resource::Site;

fuzz_target!(|input: &[u8]| {
    let [one, other, silent, bytes @ ..] = input else { return };
    let service = &mut SERVICE.lock().expect("the first panic is the last");
    let whole = converse(service, [bytes].into_iter(), silent & 1 == 1);
    let cut = converse(service, pieces(bytes, [*one, *other]), silent & 1 == 1);
    assert!(whole == cut, "whole:\n{}\ncut:\n{}", whole.escape_ascii(), cut.escape_ascii());
    // Where the answer to a HEAD ends cannot be seen from the answer alone.
    if memchr::memmem::find(bytes, b"HEAD ").is_none() {
        answers::check(&whole);
    }
});

static SERVICE: LazyLock<Mutex<Service>> = LazyLock::new(|| {
    let site = Site { served_by: None, host: None, title: "SwagIP".to_owned(), explain: true };
    Mutex::new(Service::new(Rule::default(), site))
});

fn pieces(mut rest: &[u8], lengths: [u8; 2]) -> impl Iterator<Item = &[u8]> {
    let mut lengths = lengths.into_iter().cycle();
    std::iter::from_fn(move || {
        let length = rest.len().min(usize::from(lengths.next()?) + 1);
        rest.split_off(..length).filter(|piece| !piece.is_empty())
    })
}

/// All that is answered on a connection on which these pieces arrive, one after the other.
fn converse<'p>(service: &mut Service, pieces: impl Iterator<Item = &'p [u8]>, falls_silent: bool) -> Vec<u8> {
    let address = Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
    let peer = Peer { address, port: Some(54321), trusted: false, suspicious: false };
    let (mut state, mut input, mut output) = (State::default(), Vec::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        let mut next = Next::Again;
        while next == Next::Again {
            let mut sent = Vec::new();
            let served = service.serve(&mut state, &peer, &mut input, false, &mut sent);
            input.drain(..served.consumed);
            output.append(&mut sent);
            next = served.next;
        }
        if next != Next::Read {
            return output;
        }
    }
    let last = if falls_silent { Service::expire } else { Service::end };
    last(service, &mut state, &input, &mut output);
    output
}
