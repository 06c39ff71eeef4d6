//! A whole connection: however its bytes are cut, the answers are the same, well-formed, and no larger than the law allows.
//!
//! The first two bytes are the lengths of the pieces less 1, in turns. Of the third, bit 0 says that the client falls silent
//! rather than sends its FIN, bit 1 that the connection begins with a PROXY header.
#![no_main]

#[path = "../oracles/answers.rs"]
mod answers;

use libfuzzer_sys::fuzz_target;
use std::net::Ipv4Addr;
use std::sync::{LazyLock, Mutex};
use swagip::client::{ForwardingField, Peer, Rule, TrustList};
use swagip::exchange::{Next, Service, State};
use swagip::resource::{FamilyHosts, Site};

fuzz_target!(|input: &[u8]| {
    let [one, other, kind, bytes @ ..] = input else { return };
    let service = &mut SERVICE.lock().expect("the first panic is the last");
    let (whole, peer) = converse(service, [bytes].into_iter(), *kind);
    let (cut, cut_peer) = converse(service, pieces(bytes, [*one, *other]), *kind);
    assert!(whole == cut, "whole:\n{}\ncut:\n{}", whole.escape_ascii(), cut.escape_ascii());
    assert_eq!(peer, cut_peer);
    // Where the answer to a HEAD ends cannot be seen from the answer alone.
    if memchr::memmem::find(bytes, b"HEAD ").is_none() {
        answers::check(&whole, bytes.len());
    }
});

static SERVICE: LazyLock<Mutex<Service>> = LazyLock::new(|| {
    let rule = Rule::new(TrustList::parse(["loopback"]).expect("a name"), ForwardingField::default());
    let family_hosts = FamilyHosts { ipv4: Some("v4.example.org".to_owned()), ipv6: Some("v6.example.org".to_owned()) };
    let site = Site { title: "SwagIP".to_owned(), explain: true, family_hosts, ..Site::default() };
    let mut service = Service::new(rule, site);
    service.set_databases(answers::law::databases());
    Mutex::new(service)
});

fn pieces(mut rest: &[u8], lengths: [u8; 2]) -> impl Iterator<Item = &[u8]> {
    let mut lengths = lengths.into_iter().cycle();
    std::iter::from_fn(move || {
        let length = rest.len().min(usize::from(lengths.next()?) + 1);
        rest.split_off(..length).filter(|piece| !piece.is_empty())
    })
}

/// All that is answered on a connection on which these pieces arrive, one after the other, and whose it turned out to be.
fn converse<'p>(service: &mut Service, pieces: impl Iterator<Item = &'p [u8]>, kind: u8) -> (Vec<u8>, Peer) {
    let mut peer = service.rule().peer((Ipv4Addr::LOCALHOST, 54321).into());
    let mut state = if kind & 2 == 0 { State::Idle } else { State::Proxy };
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        let mut next = Next::Again;
        while next == Next::Again {
            let mut sent = Vec::new();
            let served = service.serve(&mut state, &mut peer, &input, false, &mut sent);
            input.drain(..served.consumed);
            output.append(&mut sent);
            next = served.next;
        }
        if next != Next::Read {
            return (output, peer);
        }
    }
    let last = if kind & 1 == 0 { Service::end } else { Service::expire };
    last(service, &mut state, &peer, &input, &mut output);
    (output, peer)
}
