//! Whatever forwarding fields a client makes up, it is the client that the trusted proxy saw; and what `/explain` says of each
//! hop is what was decided. Each line of the input is a field line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use swagip::client::{Rule, TrustList, Verdict};
use swagip::http::Field;

fuzz_target!(|input: &[u8]| {
    for (rule, honest) in RULES.iter().zip(["203.0.113.9", "for=203.0.113.9"]) {
        let mut fields: Vec<Field<'_>> =
            input.split(|&byte| byte == b'\n').map(|value| Field { name: rule.field_name(), value }).collect();
        check(rule, &fields);
        fields.push(Field { name: rule.field_name(), value: honest.as_bytes() });
        assert_eq!(check(rule, &fields), Some(Ipv4Addr::new(203, 0, 113, 9).into()));
    }
});

static RULES: LazyLock<[Rule; 2]> = LazyLock::new(|| {
    let trusted = TrustList::parse(["private"]).expect("a name");
    ["x-forwarded-for", "forwarded"].map(|name| Rule::new(trusted.clone(), name.parse().expect("a field's name")))
});

/// The client's address, which is the one that a naive walk over the explained hops finds.
fn check(rule: &Rule, fields: &[Field<'_>]) -> Option<IpAddr> {
    let peer = rule.peer((Ipv4Addr::new(10, 0, 0, 1), 40000).into());
    let mut hops = Vec::new();
    rule.explain(&peer, fields, |hop| hops.push(hop));
    let (mut client, mut is_over) = (peer.address, false);
    let mut expected = Vec::new();
    for hop in hops.iter().rev() {
        expected.push(match hop.address {
            _ if is_over => Verdict::Ignored,
            Some(address) if rule.trusts(address) => Verdict::Trusted,
            Some(_) => Verdict::Client,
            None => Verdict::Invalid,
        });
        client = if is_over { client } else { hop.address.or(client) };
        is_over |= hop.address.is_none_or(|address| !rule.trusts(address));
    }
    // Where the walk did not find a client, the last proxy that it came by is one.
    if let Some(last) = expected.iter().rposition(|&verdict| verdict == Verdict::Trusted) {
        if !expected.contains(&Verdict::Client) {
            expected[last] = Verdict::Client;
        }
    }
    assert!(hops.iter().rev().map(|hop| hop.verdict).eq(expected));
    assert_eq!(rule.client(&peer, fields).address, client);
    client
}
