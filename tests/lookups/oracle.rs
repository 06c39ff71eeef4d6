//! Another reader of the format, that of its makers, finds the same.

use crate::mmdb::{Mmdb, berlin, germany, map, names, text};
use maxminddb::{PathElement, Reader};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use swagip::mmdb::{Database, ENGLISH, Place};

/// Networks close together, so that they are often inside of one another.
fn network() -> impl Strategy<Value = (IpAddr, u8)> {
    let v4 = (select(&[0u32, 0x0a00_0000, 0xcb00_7100][..]), 0..0x400u32, 1..=32u8);
    let v6 = (select(&[0x2001_0db8u128 << 96, 0x2001_0db9 << 96, 0xff00 << 112][..]), 0..0x400u128, 1..=128u8);
    prop_oneof![
        v4.prop_map(|(base, offset, length)| (IpAddr::from(Ipv4Addr::from(base + offset)), length)),
        v6.prop_map(|(base, offset, length)| (IpAddr::from(Ipv6Addr::from(base + offset)), length)),
    ]
}

fn oracle<'f>(reader: &'f Reader<Vec<u8>>, address: IpAddr, path: &[&'f str]) -> Option<String> {
    let path: Vec<PathElement<'_>> = path.iter().map(|key| PathElement::Key(key)).collect();
    reader.lookup(address).ok()?.decode_path(&path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_the_same(
        networks in vec((network(), 0..4usize), 1..30),
        addresses in vec(network(), 1..30),
        record_size in select(&[24u16, 28, 32][..]),
        has_ipv6 in any::<bool>(),
    ) {
        let records = [
            berlin(),
            map([("country", germany()), ("postal", map([("code", text(&"1".repeat(200)))]))]),
            map([("city", map([("names", names([("ja", "東京")]))])), ("country", map([("iso_code", text("JP"))]))]),
            map([]),
        ];
        let mut file = Mmdb { record_size, ip_version: if has_ipv6 { 6 } else { 4 }, ..Mmdb::new("City").with("192.0.2.0/24", berlin()) };
        file.networks.extend(networks.into_iter().map(|((address, length), record)| (address, length, records[record].clone())));
        file.networks.retain(|(address, ..)| has_ipv6 || address.is_ipv4());
        let database = Database::new(file.bytes()).unwrap();
        let reader = Reader::from_source(file.bytes()).unwrap();
        for (address, _) in addresses {
            let place: Place<'_> = database.place(address, ENGLISH);
            let found = |path: &[&'static str]| oracle(&reader, address, path);
            prop_assert_eq!(place.city.map(|text| text.to_string()), found(&["city", "names", "en"]));
            prop_assert_eq!(place.postal_code.map(|text| text.to_string()), found(&["postal", "code"]));
            let code = place.country.and_then(|country| country.iso_code);
            prop_assert_eq!(code.map(|text| text.to_string()), found(&["country", "iso_code"]));
            prop_assert_eq!(place.time_zone.map(|text| text.to_string()), found(&["location", "time_zone"]));
        }
    }
}
