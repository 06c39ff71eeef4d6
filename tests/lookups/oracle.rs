//! Another reader of the format, that of its makers, finds the same.

use crate::mmdb::{Mmdb, Value, berlin, germany, map, names, text};
use maxminddb::PathElement::{self, Index, Key};
use maxminddb::Reader;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value as Json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use swagip::mmdb::{Database, Databases, ENGLISH, Place, Text};

/// Networks close together, so that they are often inside of one another.
fn network() -> impl Strategy<Value = (IpAddr, u8)> {
    let v4 = (select(&[0u32, 0x0a00_0000, 0xcb00_7100][..]), 0..0x400u32, 1..=32u8);
    let v6 = (select(&[0x2001_0db8u128 << 96, 0x2001_0db9 << 96, 0xff00 << 112][..]), 0..0x400u128, 1..=128u8);
    prop_oneof![
        v4.prop_map(|(base, offset, length)| (IpAddr::from(Ipv4Addr::from(base + offset)), length)),
        v6.prop_map(|(base, offset, length)| (IpAddr::from(Ipv6Addr::from(base + offset)), length)),
    ]
}

/// What is known of an address, in strings of its own.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    country: Option<(Option<String>, Option<String>, bool)>,
    region: Option<(Option<String>, Option<String>)>,
    metro_code: Option<u32>,
    postal_code: Option<String>,
    city: Option<String>,
    coordinates: Option<(f64, f64)>,
    time_zone: Option<String>,
    network: Option<(Option<u32>, Option<String>)>,
}

impl From<Place<'_>> for Facts {
    fn from(place: Place<'_>) -> Facts {
        let owned = |text: Option<Text<'_>>| text.map(|text| text.to_string());
        Facts {
            country: place.country.map(|area| (owned(area.name), owned(area.iso_code), area.is_in_european_union)),
            region: place.region.map(|area| (owned(area.name), owned(area.iso_code))),
            metro_code: place.metro_code,
            postal_code: owned(place.postal_code),
            city: owned(place.city),
            coordinates: place.coordinates.map(|point| (point.latitude, point.longitude)),
            time_zone: owned(place.time_zone),
            network: place.network.map(|network| (network.number, owned(network.organization))),
        }
    }
}

/// The other reader, of one file.
struct Oracle(Reader<Vec<u8>>);

impl Oracle {
    fn get(&self, address: IpAddr, path: &[PathElement<'static>]) -> Option<Json> {
        self.0.lookup(address).ok()?.decode_path(path).unwrap()
    }

    fn text(&self, address: IpAddr, path: &[PathElement<'static>]) -> Option<String> {
        self.get(address, path)?.as_str().map(str::to_owned)
    }

    fn number(&self, address: IpAddr, path: &[PathElement<'static>]) -> Option<u32> {
        self.get(address, path)?.as_u64()?.try_into().ok()
    }

    fn name(&self, address: IpAddr, area: &[PathElement<'static>], language: &'static str) -> Option<String> {
        let name = |language| self.text(address, &[area, &[Key("names"), Key(language)]].concat());
        name(language).or_else(|| name(ENGLISH))
    }

    fn facts(&self, address: IpAddr, language: &'static str) -> Facts {
        let area = |path: &[PathElement<'static>]| {
            let names = (self.name(address, path, language), self.text(address, &[path, &[Key("iso_code")]].concat()));
            (names != (None, None)).then_some(names)
        };
        let country = |key| {
            let is_in_union = self.get(address, &[Key(key), Key("is_in_european_union")]) == Some(Json::Bool(true));
            area(&[Key(key)]).map(|(name, code)| (name, code, is_in_union))
        };
        let degrees = |key| self.get(address, &[Key("location"), Key(key)])?.as_f64();
        let network = (
            self.number(address, &[Key("autonomous_system_number")]),
            self.text(address, &[Key("autonomous_system_organization")]),
        );
        Facts {
            country: country("country").or_else(|| country("registered_country")),
            region: area(&[Key("subdivisions"), Index(0)]),
            metro_code: self.number(address, &[Key("location"), Key("metro_code")]),
            postal_code: self.text(address, &[Key("postal"), Key("code")]),
            city: self.name(address, &[Key("city")], language),
            coordinates: degrees("latitude").zip(degrees("longitude")),
            time_zone: self.text(address, &[Key("location"), Key("time_zone")]),
            network: (network != (None, None)).then_some(network),
        }
    }
}

impl Facts {
    fn or(self, other: Facts) -> Facts {
        Facts {
            country: self.country.or(other.country),
            region: self.region.or(other.region),
            metro_code: self.metro_code.or(other.metro_code),
            postal_code: self.postal_code.or(other.postal_code),
            city: self.city.or(other.city),
            coordinates: self.coordinates.or(other.coordinates),
            time_zone: self.time_zone.or(other.time_zone),
            network: self.network.or(other.network),
        }
    }
}

/// Records of every shape.
fn records() -> [Value; 7] {
    let network = ("autonomous_system_number", Value::U32(64500));
    [
        berlin(),
        map([("country", germany()), ("postal", map([("code", text(&"1".repeat(200)))]))]),
        map([("city", map([("names", names([("ja", "東京")]))])), ("country", map([("iso_code", text("JP"))]))]),
        map([network.clone(), ("autonomous_system_organization", text("Example Net")), ("country", map([]))]),
        map([network, ("registered_country", germany()), ("subdivisions", Value::List(vec![map([("iso_code", text("BE"))])]))]),
        map([(
            "location",
            map([("latitude", Value::Double(-1.5)), ("longitude", Value::Double(2.25)), ("metro_code", Value::U16(501))]),
        )]),
        map([]),
    ]
}

fn files() -> impl Strategy<Value = Mmdb> {
    let networks = vec((network(), select(records().to_vec())), 1..20);
    (networks, select(&[24u16, 28, 32][..]), any::<bool>()).prop_map(|(networks, record_size, has_ipv6)| {
        let ip_version = if has_ipv6 { 6 } else { 4 };
        let mut file = Mmdb {
            record_size,
            ip_version,
            ..Mmdb::new("City").with("192.0.2.0/24", berlin()).with("192.0.3.0/24", records()[3].clone())
        };
        file.networks.extend(networks.into_iter().map(|((address, length), record)| (address, length, record)));
        file.networks.retain(|(address, ..)| has_ipv6 || address.is_ipv4());
        file
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_the_same(first in files(), second in files(), addresses in vec(network(), 1..30), language in select(&["en", "de", "ja"][..])) {
        let databases = [&first, &second].map(|file| Database::new(file.bytes()).unwrap());
        let databases = Databases::new(databases.into(), language.to_owned());
        let oracles = [&first, &second].map(|file| Oracle(Reader::from_source(file.bytes()).unwrap()));
        for (address, _) in addresses {
            let [first, second] = oracles.each_ref().map(|oracle| oracle.facts(address, language));
            prop_assert_eq!(Facts::from(databases.place(address)), first.or(second), "{}", address);
        }
    }
}
