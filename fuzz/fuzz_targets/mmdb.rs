//! Whatever is in a database: looking up ends, and what is told are texts and numbers as they may be told.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use swagip::mmdb::{Database, Databases};

/// The metadata of a file with so many nodes of this size: without it the fuzzer would look for nothing else.
fn metadata(nodes: u8, record_size: u8, ip_version: u8) -> Vec<u8> {
    let mut bytes = b"\xab\xcd\xefMaxMind.com\xe5\x5bbinary_format_major_version\xa1\x02\x4anode_count\xc1".to_vec();
    bytes.push(nodes);
    bytes.extend(b"\x4brecord_size\xa1");
    bytes.push(record_size);
    bytes.extend(b"\x4aip_version\xa1");
    bytes.push(ip_version);
    bytes.extend(b"\x4ddatabase_type\x44City");
    bytes
}

fuzz_target!(|input: &[u8]| {
    let Some((address, &[layout, nodes, ref bytes @ ..])) = input.split_first_chunk() else { return };
    let address = u128::from_be_bytes(*address);
    let record_size = [24, 28, 32][usize::from(layout) % 3];
    let ip_version = if layout & 64 == 0 { 4 } else { 6 };
    let whole = if layout & 128 == 0 { [bytes, &metadata(nodes, record_size, ip_version)].concat() } else { bytes.to_vec() };
    let Ok(database) = Database::new(whole) else { return };
    let databases = Databases::new(vec![database], "de".to_owned());
    for address in [IpAddr::from(Ipv6Addr::from(address)), IpAddr::from(Ipv4Addr::from(address as u32))] {
        let place = databases.place(address);
        let country = place.country.into_iter().flat_map(|country| [country.name, country.iso_code]);
        let region = place.region.into_iter().flat_map(|region| [region.name, region.iso_code]);
        let network = place.network.into_iter().map(|network| network.organization);
        let texts = country.chain(region).chain(network).chain([place.city, place.postal_code, place.time_zone]).flatten();
        for text in texts {
            let text = str::from_utf8(text.as_bytes()).unwrap();
            assert!((1..=256).contains(&text.len()) && !text.contains(char::is_control));
        }
        assert!(place.coordinates.is_none_or(|point| point.latitude.abs() <= 90.0 && point.longitude.abs() <= 180.0));
    }
});
