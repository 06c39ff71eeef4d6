//! Whatever forwarding fields a client makes up, the proxy's word is not touched by it: on a line of its own it decides, on the
//! client's line it decides or, where that line has become nonsense, nothing does. And what `/explain` says of each hop is what
//! was decided, of the entries that a naive reader finds. Each line of the input is a field line.
#![no_main]

#[path = "../oracles/forwarded.rs"]
mod oracle;
#[path = "../oracles/quoted.rs"]
mod quoted;

use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use swagip::client::{HOPS_MAX, Rule, TrustList, Verdict};
use swagip::http::Field;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

fuzz_target!(|input: &[u8]| {
    for (rule, word) in RULES.iter().zip([&b"203.0.113.9"[..], b"for=203.0.113.9"]) {
        let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
        check(rule, &lines);
        assert_eq!(check(rule, &[&lines, &[word][..]].concat()), CLIENT);
        let (last, others) = lines.split_last().expect("there is always one");
        let client = check(rule, &[others, &[&[last, word].join(&b","[..])]].concat());
        assert!(client == CLIENT || (client == PEER && rule.field_name() == "forwarded"), "{client}");
    }
});

static RULES: LazyLock<[Rule; 2]> = LazyLock::new(|| {
    let trusted = TrustList::parse(["private"]).expect("a name");
    ["x-forwarded-for", "forwarded"].map(|name| Rule::new(trusted.clone(), name.parse().expect("a field's name")))
});

/// The client's address, which is the one that a naive walk over the explained hops finds.
fn check(rule: &Rule, lines: &[&[u8]]) -> IpAddr {
    let fields: Vec<Field<'_>> = lines.iter().map(|value| Field { name: rule.field_name(), value }).collect();
    let peer = rule.peer((PEER, 40000).into());
    let mut hops = Vec::new();
    let explained = rule.explain(&peer, &fields, |hop| hops.push(hop));
    assert_eq!(explained.mistake, rule.mistake(&peer, &fields));
    let more = explained.more;
    let entries = if rule.field_name() == "forwarded" { oracle::elements } else { oracle::addresses };
    let all: Vec<Vec<u8>> = lines.iter().flat_map(|line| entries(line)).collect();
    assert_eq!(more, all.len().saturating_sub(HOPS_MAX));
    assert!(hops.iter().map(|hop| hop.raw).eq(&all[more..]));
    let (mut client, mut is_over) = (PEER, false);
    let mut expected = Vec::new();
    for hop in hops.iter().rev() {
        expected.push(match hop.address {
            _ if is_over => Verdict::Ignored,
            Some(address) if rule.trusts(address) => Verdict::Trusted,
            Some(_) => Verdict::Client,
            None => Verdict::Invalid,
        });
        client = if is_over { client } else { hop.address.unwrap_or(client) };
        is_over |= hop.address.is_none_or(|address| !rule.trusts(address));
    }
    // Where the walk did not find a client, the last proxy that it came by is one.
    let last_trusted = expected.iter().rposition(|&verdict| verdict == Verdict::Trusted);
    if let Some(last) = last_trusted.filter(|_| !expected.contains(&Verdict::Client)) {
        expected[last] = Verdict::Client;
    }
    assert!(hops.iter().rev().map(|hop| hop.verdict).eq(expected));
    assert_eq!(rule.client(&peer, &fields).address, Some(client));
    client
}
