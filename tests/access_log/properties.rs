//! No request makes a line that is not exactly one line, or that is read back as anything else than what was sent.

use crate::oracle::Reader;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::net::{IpAddr, Ipv6Addr};
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::exchange::{Next, Service, State};
use swagip::resource::Site;

/// What somebody would send who wants to be taken for somebody else, or a terminal to obey.
const FORGED: [&[u8]; 9] = [
    b"\" 200 5 \"-\" \"a\"",
    b"\\",
    b"\\\"",
    b"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80",
    b"\xff\x85\x1b[31m",
    b"\",\"client\":\"6.6.6.6",
    b"%0a6.6.6.6 - - ",
    b"...",
    b" HTTP/1.1",
];

fn one_of(choices: &'static [&'static [u8]]) -> impl Strategy<Value = &'static [u8]> {
    select(choices)
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let long = (any::<u8>(), 0..3000usize).prop_map(|(byte, length)| vec![byte; length]);
    prop_oneof![4 => select(&FORGED[..]).prop_map(<[u8]>::to_vec), 4 => vec(any::<u8>(), 0..40), 1 => long]
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    vec(value(), 0..4).prop_map(|values| values.concat())
}

/// A request, right in many cases.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = one_of(&[b"GET", b"HEAD", b"POST", b"OPTIONS", b"g'", b"", b"GET GET", b"\r\n\r\nGET"]);
    let target =
        prop_oneof![Just(b"/".to_vec()), Just(b"/health".to_vec()), values().prop_map(|value| [b"/", &value[..]].concat())];
    let version = one_of(&[b" HTTP/1.1", b" HTTP/1.0", b" HTTP/1.9", b" HTTP/2.0", b"", b" HTTP/1.1 HTTP/1.1", b" HTTP/1.1x"]);
    let end = one_of(&[b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""]);
    let fields = (values(), values(), values(), select(&["Host: a\r\n", "", "Host: a\r\nContent-Length: 2\r\n"][..])).prop_map(
        |(agent, referer, forwarded, host)| {
            let lines = [b"User-Agent: ", &agent[..], b"\r\nreferer:", &referer, b"\r\nX-Forwarded-For: ", &forwarded, b"\r\n"];
            [host.as_bytes(), &lines.concat()].concat()
        },
    );
    let content = one_of(&[b"", b"\r\n", b"\r\n", b"\r\na", b"\r\nab"]);
    (method, target, version, end, fields, content)
        .prop_map(|(method, target, version, end, fields, content)| [method, &target, version, end, &fields, content].concat())
}

fn from() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        Just(IpAddr::from([127, 0, 0, 1])),
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<u128>().prop_map(|bits| { Ipv6Addr::from_bits(bits).into() })
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_one_line_and_tells_what_was_sent(requests in vec(request(), 1..4), from in from(), is_silent: bool, proxy in 0..4u8) {
        let rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
        let mut service = Service::recording(rule, Site::default(), Reader::new());
        let mut peer = service.rule().peer((from, 54321).into());
        let mut state = if proxy == 0 { State::Proxy } else { State::Idle };
        let header: &[u8] = if proxy == 0 { b"PROXY UNKNOWN\r\n" } else { b"" };
        let input = [header, &requests.concat()].concat();
        let (mut rest, mut output, mut next) = (&input[..], Vec::new(), Next::Again);
        while next == Next::Again {
            let served = service.serve(&mut state, &mut peer, rest, false, &mut output);
            (rest, next) = (&rest[served.consumed..], served.next);
        }
        if next == Next::Read {
            let last = if is_silent { Service::expire } else { Service::end };
            last(&mut service, &mut state, &peer, rest, &mut output);
        }
    }
}
