//! The bytes of a file, without a server.

use crate::mmdb::{Mmdb, Value, berlin, germany, map, names, text};
use std::net::IpAddr;
use swagip::mmdb::{Coordinates, Country, Database, Databases, ENGLISH, Fault, Network, Place, Region, Subject, Text};

fn open(file: &Mmdb) -> Database {
    Database::new(file.bytes()).unwrap()
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}

fn known(text: &str) -> Option<Text<'_>> {
    Text::new(text.as_bytes())
}

fn known_of_berlin() -> Place<'static> {
    Place {
        country: Some(Country { name: known("Germany"), iso_code: known("DE"), is_in_european_union: true }),
        region: Some(Region { name: known("State of Berlin"), iso_code: known("BE") }),
        metro_code: None,
        postal_code: known("10117"),
        city: known("Berlin"),
        coordinates: Some(Coordinates { latitude: 52.52, longitude: 13.405 }),
        time_zone: known("Europe/Berlin"),
        network: None,
    }
}

#[test]
fn every_size_of_records_and_both_kinds_of_trees() {
    for record_size in [24, 28, 32] {
        for ip_version in [4, 6] {
            let mut file = Mmdb { record_size, ip_version, ..Mmdb::city() };
            file.networks.retain(|(address, ..)| address.is_ipv4() || ip_version == 6);
            let database = open(&file);
            for (address, is_known) in [
                ("203.0.113.0", true),
                ("203.0.113.255", true),
                ("203.0.112.255", false),
                ("203.0.114.0", false),
                ("0.0.0.0", false),
                ("255.255.255.255", false),
                ("2001:db8::", ip_version == 6),
                ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", ip_version == 6),
                ("2001:db9::", false),
                ("::", false),
            ] {
                let expected = if is_known { known_of_berlin() } else { Place::default() };
                assert_eq!(database.place(ip(address), ENGLISH), expected, "{record_size} {ip_version} {address}");
            }
        }
    }
}

#[test]
fn what_a_file_says_of_itself() {
    let file = Mmdb::city();
    let database = open(&file);
    assert_eq!((database.kind(), database.description()), ("GeoLite2-City", "GeoLite2-City of the tests"));
    assert_eq!(database.languages(), ["de", "en"]);
    assert_eq!(open(&Mmdb { description: String::new(), ..file.clone() }).description(), "GeoLite2-City");
    for (epoch, date) in [
        (0, "1970-01-01"),
        (951_782_399, "2000-02-28"),
        (951_782_400, "2000-02-29"),
        (951_868_800, "2000-03-01"),
        (1_795_132_800, "2026-11-20"),
        (1_798_761_599, "2026-12-31"),
        (4_107_542_400, "2100-03-01"),
    ] {
        assert_eq!(open(&Mmdb { epoch, ..file.clone() }).date().to_string(), date, "{epoch}");
    }
}

#[test]
fn which_it_is_its_fields_tell() {
    let country = Mmdb::new("DBIP-Country-Lite").with("203.0.113.0/24", map([("country", germany())]));
    for (file, expected) in
        [(Mmdb::city(), [true, true, false]), (Mmdb::asn(), [false, false, true]), (country, [true, false, false])]
    {
        let database = open(&file);
        let knows = [Subject::Country, Subject::City, Subject::Network].map(|subject| database.knows(subject));
        assert_eq!(knows, expected, "{}", file.kind);
    }
    let other = Mmdb::new("GeoIP2-Anonymous-IP").with("203.0.113.0/24", map([("is_anonymous", Value::Flag(true))]));
    let fault = Database::new(other.bytes()).unwrap_err();
    assert_eq!(fault, Fault::OtherFields("GeoIP2-Anonymous-IP".to_owned()));
}

#[test]
fn names_in_a_language_or_in_english() {
    let database = open(&Mmdb::city());
    let place = |language| database.place(ip("203.0.113.9"), language);
    let country = |language| place(language).country.unwrap().name;
    assert_eq!([country("de"), country("en"), country("ja")], ["Deutschland", "Germany", "Germany"].map(known));
    assert_eq!(place("ja").city, known("ベルリン"));
}

#[test]
fn many_languages() {
    let languages: Vec<String> = (0..100).map(|index| format!("x{index}")).collect();
    let members = languages.iter().map(|language| (language.clone(), text(language)));
    let record = map([("city", map([("names", Value::Map(members.collect()))])), ("postal", map([("code", text("1"))]))]);
    let database = open(&Mmdb::new("City").with("203.0.113.0/24", record));
    let place = |language| database.place(ip("203.0.113.9"), language);
    let (first, last, other) = (place("x0"), place("x99"), place("x100"));
    assert_eq!((first.city, last.city, other.city, last.postal_code), (known("x0"), known("x99"), None, known("1")));
}

/// Pointers to one map, and so on down: there is an end to what is read of a record.
#[test]
fn more_values_than_any_record_has() {
    let names = names([("de", "A"), ("en", "B")]);
    let record = |count: usize| {
        let members = (0..count).map(|_| ("city".to_owned(), map([("names", names.clone())])));
        Value::Map(members.collect())
    };
    let city = |count| {
        let database = open(&Mmdb::new("City").with("203.0.113.0/24", record(count)));
        database.place(ip("203.0.113.9"), ENGLISH).city.map(|city| city.to_string())
    };
    assert_eq!((city(100), city(1000)), (Some("B".to_owned()), None));
}

#[test]
fn fields_of_other_files() {
    let registered = map([("registered_country", germany())]);
    let us = map([
        ("country", map([("iso_code", text("US"))])),
        ("location", map([("metro_code", Value::U32(807)), ("latitude", Value::Float(37.5)), ("longitude", Value::I32(-122))])),
        ("traits", map([("autonomous_system_number", Value::U64(64501)), ("autonomous_system_organization", text("B"))])),
    ]);
    let database = open(&Mmdb::new("GeoIP2-Enterprise").with("203.0.113.0/24", registered).with("198.51.100.0/24", us));
    assert_eq!(database.place(ip("203.0.113.9"), ENGLISH), Place { country: known_of_berlin().country, ..Place::default() });
    let expected = Place {
        country: Some(Country { name: None, iso_code: known("US"), is_in_european_union: false }),
        metro_code: Some(807),
        coordinates: Some(Coordinates { latitude: 37.5, longitude: -122.0 }),
        network: Some(Network { number: Some(64501), organization: known("B") }),
        ..Place::default()
    };
    assert_eq!(database.place(ip("198.51.100.1"), ENGLISH), expected);
}

#[test]
fn values_that_cannot_be_told() {
    let long = "a".repeat(257);
    let raw = |bytes: &[u8]| Value::Raw(bytes.to_vec());
    let location =
        |latitude, longitude| map([("location", map([("latitude", latitude), ("longitude", longitude)])), ("city", map([]))]);
    let city = |name| map([("city", map([("names", map([("en", name)]))]))]);
    for record in [
        city(text("")),
        city(text(&long)),
        city(text("a\nb")),
        city(text("\u{7f}")),
        city(text("é\u{80}")),
        city(text("\u{9f}°")),
        city(raw(b"\x42\xff\xfe")),
        location(Value::Double(91.0), Value::Double(0.0)),
        location(Value::Double(0.0), Value::Double(-180.1)),
        location(Value::Double(f64::NAN), Value::Double(0.0)),
        location(Value::Double(f64::INFINITY), Value::Double(0.0)),
        map([("location", map([("latitude", Value::Double(1.0)), ("metro_code", Value::U16(0))])), ("city", map([]))]),
        map([("country", map([("names", names([]))])), ("subdivisions", Value::List(vec![])), ("postal", map([]))]),
        map([("autonomous_system_number", Value::U64(1 << 32)), ("city", map([]))]),
    ] {
        let database = open(&Mmdb::new("City").with("203.0.113.0/24", record.clone()));
        assert_eq!(database.place(ip("203.0.113.9"), ENGLISH), Place::default(), "{record:?}");
    }
    let longest = open(&Mmdb::new("City").with("203.0.113.0/24", city(text(&long[1..]))));
    assert_eq!(longest.place(ip("203.0.113.9"), ENGLISH).city, known(&long[1..]));
    let latin = open(&Mmdb::new("City").with("203.0.113.0/24", city(text("~\u{a0}é°"))));
    assert_eq!(latin.place(ip("203.0.113.9"), ENGLISH).city, known("~\u{a0}é°"));
}

/// Types that no such field has, pointers that lead nowhere or around, sizes that are too large: the record is not known.
#[test]
fn what_is_broken_inside_is_not_known() {
    let raw = |bytes: &[u8]| Value::Raw(bytes.to_vec());
    for (what, record) in [
        ("no map", text("country")),
        ("a list", Value::List(vec![berlin()])),
        ("a number for a map", map([("country", Value::U32(1))])),
        ("a map for a text", map([("country", map([("iso_code", map([]))]))])),
        ("a text for a number", map([("autonomous_system_number", text("AS1"))])),
        ("a text for a flag", map([("country", map([("is_in_european_union", text("yes"))]))])),
        ("a number for names", map([("city", map([("names", Value::U32(1))]))])),
        ("a map for a list", map([("subdivisions", map([]))])),
        ("a type that there is not", map([("city", raw(b"\x00\xff"))])),
        ("a pointer to a pointer", map([("postal", raw(b"\x20\x00")), ("city", raw(b"\x20\x08"))])),
        ("a pointer into nothing", map([("city", raw(b"\x38\xff\xff\xff\xff"))])),
        ("a pointer to the record", map([("city", raw(b"\x20\x00"))])),
        ("a map that is larger than the file", map([("city", raw(b"\xff\xff\xff\xff"))])),
        ("a text that is longer than the file", map([("city", raw(b"\x5f\xff\xff\xff"))])),
    ] {
        // Fields that are there make it a City file.
        let file = Mmdb::new("City").with("203.0.113.0/24", record).with("198.51.100.0/24", berlin());
        let database = open(&file);
        assert_eq!(database.place(ip("203.0.113.9"), ENGLISH), Place::default(), "{what}");
        assert_eq!(database.place(ip("198.51.100.1"), ENGLISH), known_of_berlin(), "{what}: others are told");
    }
}

#[test]
fn no_databases() {
    let city = Mmdb::city().bytes();
    for length in [0, 1, 16, city.len() / 2, city.len() - 400] {
        assert_eq!(Database::new(city[..length].to_vec()).unwrap_err(), Fault::NoMetadata, "{length}");
    }
    let longer = [city.clone(), vec![0; 256 * 1024]].concat();
    assert_eq!(Database::new(longer).unwrap_err(), Fault::NoMetadata, "its metadata is not at the end");
    let version = b"binary_format_major_version\xa1\x02";
    let at = city.windows(version.len()).position(|part| part == version).expect("it is there") + version.len() - 1;
    let third = city.iter().enumerate().map(|(index, &byte)| if index == at { 3 } else { byte }).collect::<Vec<_>>();
    assert_eq!(Database::new(third).unwrap_err(), Fault::OtherVersion);
    let is_broken = |bytes: Vec<u8>| matches!(Database::new(bytes), Err(Fault::Broken(_)));
    assert!(is_broken(city[..city.len() - 40].to_vec()), "its metadata is cut");
    assert!(is_broken(city[city.len() - 400..].to_vec()), "its beginning is missing");
    assert!(is_broken(Mmdb { record_size: 20, ..Mmdb::city() }.bytes()));
    assert!(is_broken(Mmdb { ip_version: 5, ..Mmdb::city() }.bytes()));
}

#[test]
fn the_first_that_knows_it_is_told_part_by_part() {
    let other = map([
        ("country", map([("iso_code", text("FR"))])),
        ("city", map([("names", names([("en", "Paris")]))])),
        ("postal", map([("code", text("75000"))])),
    ]);
    let coarse = Mmdb::new("Country").with("203.0.113.0/24", map([("country", germany())]));
    let fine = Mmdb::new("City").with("203.0.0.0/16", other);
    let databases = Databases::new(vec![open(&coarse), open(&fine), open(&Mmdb::asn())], ENGLISH.to_owned());
    let place = databases.place(ip("203.0.113.9"));
    assert_eq!(place.country, known_of_berlin().country, "France has no part in it");
    assert_eq!((place.city, place.postal_code), (known("Paris"), known("75000")));
    assert_eq!(place.network, Some(Network { number: Some(64500), organization: known("Example Net \"A\"") }));
    assert_eq!(databases.place(ip("203.0.1.1")).country.unwrap().iso_code, known("FR"));
    assert_eq!(databases.place(ip("192.0.2.1")), Place::default());
    assert!(databases.know(Subject::Network) && databases.have_language());
    assert!(!Databases::new(vec![open(&coarse)], "xx".to_owned()).have_language());
}
