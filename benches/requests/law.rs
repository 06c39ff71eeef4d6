//! What one request may cost, whatever it is, and the worst requests that are known.
//!
//! The corpus, `benches/requests/worst/`, is written by `worst.py` beside it, and by the search, `cargo bench --bench worst`. Three hold it
//! to the law: `benches/instructions`, `tests/cost.rs`, and as seeds the fuzz target `exchange`.
#![allow(dead_code)]

#[path = "../../tests/support/mmdb.rs"]
pub mod mmdb;

use mmdb::{Mmdb, Value, map, names, text};
use std::path::Path;
use std::sync::Arc;
use swagip::client::{Peer, Rule, TrustList};
use swagip::exchange::Service;
use swagip::mmdb::{DATABASES_MAX, Database, Databases, ENGLISH, TEXT_MAX};
use swagip::resource::{FamilyHosts, ReverseDns, Site};

pub const HEAD_MAX: usize = swagip::http::scan::HEAD_MAX;

const WORST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/requests/worst");

/// A bound that grows with the request's head.
#[derive(Clone, Copy)]
pub struct Bound {
    pub base: usize,
    pub per_byte: usize,
}

impl Bound {
    pub fn of(self, head: usize) -> usize {
        self.base + self.per_byte * head
    }
}

/// The bytes of an answer.
pub fn bytes_max(is_page: bool) -> Bound {
    if is_page { Bound { base: 128 * 1024, per_byte: 0 } } else { Bound { base: 32 * 1024, per_byte: 6 } }
}

/// User-space instructions. What so many databases say is the operator's choice, not the client's: each may add to it.
pub fn instructions_max(is_page: bool, databases: usize) -> Bound {
    if is_page {
        Bound { base: 250_000 + 24_000 * databases, per_byte: 150 }
    } else {
        Bound { base: 60_000 + 8_000 * databases, per_byte: 100 }
    }
}

pub fn is_page(answer: &[u8]) -> bool {
    let head = answer.split(|&byte| byte == b'\n').take(12);
    head.into_iter().any(|line| line.starts_with(b"Content-Type: text/html"))
}

/// A request, by the name of its file.
pub struct Worst {
    pub name: String,
    pub bytes: Vec<u8>,
}

pub fn worst() -> Vec<Worst> {
    let read = |path: &Path| std::fs::read(path).expect("a request");
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let files = std::fs::read_dir(WORST).expect("the corpus").map(|entry| entry.expect("a file").path());
    let mut worst: Vec<Worst> = files.map(|path| Worst { name: name(&path), bytes: read(&path) }).collect();
    worst.sort_by(|one, other| one.name.cmp(&other.name));
    worst
}

/// The names of the stages: trusted peers with either kind of field, one that nobody trusts, and one with all look-ups.
pub const STAGES: [&str; 4] = ["list", "forwarded", "stranger", "look-ups"];

/// A server that says as much as it can, and someone who asks it.
pub struct Stage {
    pub name: &'static str,
    pub service: Service,
    pub peer: Peer,
    /// How many there are.
    pub databases: usize,
}

/// All of them, each with more networks in its trust list than anybody has.
pub fn stages() -> [Stage; STAGES.len()] {
    let networks: Vec<String> = (0..3000).map(|index| format!("10.{}.{}.0/25", index / 256, index % 256)).collect();
    let stage = |name, field: &str, address: [u8; 4], site| {
        let trusted = TrustList::parse(networks.iter().map(String::as_str)).expect("networks");
        let rule = Rule::new(trusted, field.parse().expect("a field's name"));
        let peer = rule.peer((address, 54321).into());
        Stage { name, service: Service::new(rule, site), peer, databases: 0 }
    };
    let [list, forwarded, stranger, look_ups] = STAGES;
    let mut look_ups =
        stage(look_ups, "x-forwarded-for", CLIENT, Site { reverse_dns: ReverseDns::Public, port_test: true, ..site() });
    look_ups.service.set_databases(databases());
    look_ups.databases = DATABASES_MAX;
    [
        stage(list, "x-forwarded-for", [10, 0, 0, 1], site()),
        stage(forwarded, "forwarded", [10, 0, 0, 1], site()),
        stage(stranger, "x-forwarded-for", [192, 168, 0, 9], site()),
        look_ups,
    ]
}

fn site() -> Site {
    let host = |first: &str| Some(format!("{first}{}", "a".repeat(252)));
    let family_hosts = FamilyHosts { ipv4: host("b"), ipv6: host("c") };
    Site { served_by: Some("a".repeat(64)), family_hosts, title: "SwagIP".to_owned(), explain: true, ..Site::default() }
}

/// Who asks where there are databases.
const CLIENT: [u8; 4] = [203, 0, 113, 9];

/// As many databases as there may be, that know the most of any address: a text is as long as it may be, and each byte of it becomes as
/// many as one can. Two addresses have the longest way in the tree: the client's, and 2001:db8::1.
pub fn databases() -> Arc<Databases> {
    let longest = "\"".repeat(TEXT_MAX);
    let record = known(&longest);
    let file = Mmdb { description: longest, ..Mmdb::new("GeoIP2-Enterprise") }
        .with("::/1", record.clone())
        .with("8000::/1", record.clone())
        .with("203.0.113.9/32", record.clone())
        .with("2001:db8::1/128", record);
    let bytes: &'static [u8] = file.bytes().leak();
    let files = (0..DATABASES_MAX).map(|_| Database::new(bytes).expect("a database"));
    Databases::new(files.collect(), ENGLISH.to_owned()).into()
}

/// A record with all that is read, each of it after what is not.
fn known(longest: &str) -> Value {
    // As many languages as a City database of MaxMind has; English is their last.
    let languages = ["de", "es", "fr", "ja", "pt-BR", "ru", "zh-CN", ENGLISH];
    let name = || names(languages.map(|language| (language, longest)));
    let area = || map([("geoname_id", Value::U32(u32::MAX)), ("names", name()), ("iso_code", text(longest))]);
    map([
        ("city", area()),
        ("continent", area()),
        // Nobody is told of a country here, so that the other one is read as well.
        ("country", map([("geoname_id", Value::U32(u32::MAX))])),
        (
            "location",
            map([
                ("accuracy_radius", Value::U16(u16::MAX)),
                ("latitude", Value::Double(-52.123_456)),
                ("longitude", Value::Double(-113.123_456)),
                ("metro_code", Value::U32(u32::MAX)),
                ("time_zone", text(longest)),
            ]),
        ),
        ("postal", map([("code", text(longest))])),
        ("registered_country", area()),
        ("represented_country", area()),
        ("subdivisions", Value::List(vec![area(); 4])),
        ("traits", map([("autonomous_system_number", Value::U32(u32::MAX)), ("autonomous_system_organization", text(longest))])),
    ])
}
