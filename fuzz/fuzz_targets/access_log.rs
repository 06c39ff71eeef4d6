//! No request makes a line of the access log that is not exactly one line, or that is read back as anything else than what was sent.
//!
//! Of the first byte, bit 0 says that the client falls silent rather than sends its FIN, bit 1 that the connection begins with a PROXY
//! header, bit 2 that it comes from a trusted proxy; bits 3 and 4 are the format of the line.
#![no_main]

#[path = "../oracles/access_log.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use std::net::Ipv4Addr;
use std::sync::{LazyLock, Mutex};
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::exchange::{Next, Service, State};
use swagip::resource::Site;

fuzz_target!(|input: &[u8]| {
    let Some((kind, mut bytes)) = input.split_first() else { return };
    let service = &mut SERVICE.lock().expect("the first panic is the last");
    service.recorder().choose(usize::from(kind >> 3 & 3));
    let from = if kind & 4 == 0 { Ipv4Addr::new(203, 0, 113, 9) } else { Ipv4Addr::LOCALHOST };
    let mut peer = service.rule().peer((from, 54321).into());
    let mut state = if kind & 2 == 0 { State::Idle } else { State::Proxy };
    let (mut output, mut next) = (Vec::new(), Next::Again);
    while next == Next::Again {
        // They go out first: before a request whose content is missing, that is what is waited for.
        output.clear();
        let served = service.serve(&mut state, &mut peer, bytes, false, &mut output);
        (bytes, next) = (&bytes[served.consumed..], served.next);
    }
    if next == Next::Read {
        let last = if kind & 1 == 0 { Service::end } else { Service::expire };
        last(service, &mut state, &peer, bytes, &mut output);
    }
});

static SERVICE: LazyLock<Mutex<Service<oracle::Reader>>> = LazyLock::new(|| {
    let rule = Rule::new(TrustList::parse(["loopback"]).expect("a name"), ForwardingField::default());
    let site = Site { title: "SwagIP".to_owned(), ..Site::default() };
    Mutex::new(Service::recording(rule, site, oracle::Reader::new()))
});
