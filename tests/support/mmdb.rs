//! A writer of MaxMind DB files (version 2.0 of the format), so that tests make what they read.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

/// What may stand in a record, as far as the databases of places and networks have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Double(f64),
    Float(f32),
    U16(u16),
    U32(u32),
    U64(u64),
    I32(i32),
    Flag(bool),
    Map(Vec<(String, Value)>),
    List(Vec<Value>),
    /// What no writer would put down: these bytes.
    Raw(Vec<u8>),
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Names by languages.
pub fn names<const N: usize>(names: [(&str, &str); N]) -> Value {
    map(names.map(|(language, name)| (language, text(name))))
}

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Mmdb {
    pub kind: String,
    pub description: String,
    pub languages: Vec<&'static str>,
    /// Bits: 24, 28 or 32.
    pub record_size: u16,
    /// 4, or 6 with the IPv4 addresses in `::/96`.
    pub ip_version: u16,
    /// Seconds from 1970.
    pub epoch: u64,
    pub networks: Vec<(IpAddr, u8, Value)>,
}

/// 2026-11-20
const EPOCH: u64 = 1_795_132_800;

impl Mmdb {
    pub fn new(kind: &str) -> Mmdb {
        Mmdb {
            kind: kind.to_owned(),
            description: format!("{kind} of the tests"),
            languages: vec!["de", "en"],
            record_size: 28,
            ip_version: 6,
            epoch: EPOCH,
            networks: Vec::new(),
        }
    }

    /// `network` as in `203.0.113.0/24`.
    pub fn with(mut self, network: &str, record: Value) -> Mmdb {
        let (address, length) = network.split_once('/').unwrap();
        self.networks.push((address.parse().unwrap(), length.parse().unwrap(), record));
        self
    }

    /// A City database, as GeoLite2's is.
    pub fn city() -> Mmdb {
        Mmdb::new("GeoLite2-City").with("203.0.113.0/24", berlin()).with("2001:db8::/32", berlin())
    }

    /// An ASN database, as GeoLite2's is.
    pub fn asn() -> Mmdb {
        let record =
            map([("autonomous_system_number", Value::U32(64500)), ("autonomous_system_organization", text("Example Net \"A\""))]);
        Mmdb::new("GeoLite2-ASN").with("203.0.113.0/24", record.clone()).with("2001:db8::/32", record)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let bits = if self.ip_version == 4 { 32 } else { 128 };
        let (mut tree, mut data) = (Tree::default(), Data::default());
        for (address, length, record) in &self.networks {
            let (number, length) = match address {
                IpAddr::V4(address) => (u128::from(u32::from(*address)), bits - 32 + u32::from(*length)),
                IpAddr::V6(address) => (u128::from(*address), u32::from(*length)),
            };
            tree.insert(number << (128 - bits), length, data.offset(record));
        }
        let mut bytes = tree.bytes(self.record_size);
        bytes.extend([0; 16]);
        bytes.extend(data.bytes);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        let mut metadata = Data { shares: false, ..Data::default() };
        metadata.put(&map([
            ("binary_format_major_version", Value::U16(2)),
            ("binary_format_minor_version", Value::U16(0)),
            ("build_epoch", Value::U64(self.epoch)),
            ("database_type", text(&self.kind)),
            ("description", names([("en", &self.description)])),
            ("ip_version", Value::U16(self.ip_version)),
            ("languages", Value::List(self.languages.iter().map(|language| text(language)).collect())),
            ("node_count", Value::U32(tree.nodes.len() as u32)),
            ("record_size", Value::U16(self.record_size)),
        ]));
        bytes.extend(metadata.bytes);
        bytes
    }

    /// The path of a new file with these bytes.
    pub fn file(&self) -> PathBuf {
        file(&self.bytes())
    }
}

/// The path of a new file with these bytes.
pub fn file(bytes: &[u8]) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("swagip-{}-{}.mmdb", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = env::temp_dir().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// Puts other bytes in the place of a file, as geoipupdate does it: a new file gets its name.
pub fn replace(path: &PathBuf, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(&new, path).unwrap();
}

/// The record of an address in Berlin, with all that such records have.
pub fn berlin() -> Value {
    map([
        (
            "city",
            map([
                ("geoname_id", Value::U32(2_950_159)),
                ("names", names([("de", "Berlin"), ("en", "Berlin"), ("ja", "ベルリン")])),
            ]),
        ),
        ("continent", map([("code", text("EU")), ("names", names([("de", "Europa"), ("en", "Europe")]))])),
        ("country", germany()),
        (
            "location",
            map([
                ("accuracy_radius", Value::U16(20)),
                ("latitude", Value::Double(52.52)),
                ("longitude", Value::Double(13.405)),
                ("time_zone", text("Europe/Berlin")),
            ]),
        ),
        ("postal", map([("code", text("10117"))])),
        ("registered_country", germany()),
        (
            "subdivisions",
            Value::List(vec![
                map([
                    ("geoname_id", Value::U32(2_950_157)),
                    ("iso_code", text("BE")),
                    ("names", names([("de", "Land Berlin"), ("en", "State of Berlin")])),
                ]),
                map([("iso_code", text("X")), ("names", names([("en", "Smaller")]))]),
            ]),
        ),
    ])
}

pub fn germany() -> Value {
    map([
        ("geoname_id", Value::U32(2_921_044)),
        ("is_in_european_union", Value::Flag(true)),
        ("iso_code", text("DE")),
        ("names", names([("de", "Deutschland"), ("en", "Germany")])),
    ])
}

/// The data section. What was put down before is pointed to, as all writers do it.
struct Data {
    bytes: Vec<u8>,
    places: HashMap<String, usize>,
    shares: bool,
}

impl Default for Data {
    fn default() -> Data {
        Data { bytes: Vec::new(), places: HashMap::new(), shares: true }
    }
}

impl Data {
    /// Where a record is; it is written if it is not there.
    fn offset(&mut self, value: &Value) -> usize {
        if let Some(&place) = self.places.get(&format!("{value:?}")) {
            return place;
        }
        let place = self.bytes.len();
        self.put(value);
        place
    }

    fn put(&mut self, value: &Value) {
        let is_shared = self.shares && matches!(value, Value::Text(_) | Value::Map(_) | Value::List(_));
        if is_shared {
            let key = format!("{value:?}");
            if let Some(&place) = self.places.get(&key) {
                return self.point(place);
            }
            self.places.insert(key, self.bytes.len());
        }
        match value {
            Value::Text(text) => self.sized(2, text.as_bytes()),
            Value::Double(number) => self.sized(3, &number.to_be_bytes()),
            Value::Float(number) => self.sized(15, &number.to_be_bytes()),
            Value::U16(number) => self.sized(5, without_zeros(&number.to_be_bytes())),
            Value::U32(number) => self.sized(6, without_zeros(&number.to_be_bytes())),
            Value::U64(number) => self.sized(9, without_zeros(&number.to_be_bytes())),
            Value::I32(number) => self.sized(8, &number.to_be_bytes()),
            Value::Flag(flag) => self.control(14, usize::from(*flag)),
            Value::Map(members) => {
                self.control(7, members.len());
                for (key, value) in members {
                    self.put(&Value::Text(key.clone()));
                    self.put(value);
                }
            }
            Value::List(values) => {
                self.control(11, values.len());
                values.iter().for_each(|value| self.put(value));
            }
            Value::Raw(bytes) => self.bytes.extend_from_slice(bytes),
        }
    }

    fn sized(&mut self, kind: u8, payload: &[u8]) {
        self.control(kind, payload.len());
        self.bytes.extend_from_slice(payload);
    }

    /// The byte of type and size, and those that go with it.
    fn control(&mut self, kind: u8, size: usize) {
        let (low, more) = match size {
            0..29 => (size, vec![]),
            29..285 => (29, vec![(size - 29) as u8]),
            285..65_821 => (30, ((size - 285) as u16).to_be_bytes().to_vec()),
            _ => (31, ((size - 65_821) as u32).to_be_bytes()[1..].to_vec()),
        };
        match kind {
            0..=7 => self.bytes.push(kind << 5 | low as u8),
            _ => self.bytes.extend([low as u8, kind - 7]),
        }
        self.bytes.extend(more);
    }

    fn point(&mut self, place: usize) {
        match place {
            0..2048 => self.bytes.extend([0x20 | (place >> 8) as u8, place as u8]),
            2048..526_336 => {
                let rest = place - 2048;
                self.bytes.extend([0x28 | (rest >> 16) as u8, (rest >> 8) as u8, rest as u8]);
            }
            _ => {
                self.bytes.push(0x38);
                self.bytes.extend((place as u32).to_be_bytes());
            }
        }
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().position(|&byte| byte > 0).unwrap_or(bytes.len())..]
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Node(usize),
    Data(usize),
}

/// The search tree: of each node, where a 0 leads and where a 1.
struct Tree {
    nodes: Vec<[Slot; 2]>,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree { nodes: vec![[Slot::Empty; 2]] }
    }
}

impl Tree {
    /// `address` begins at its highest bit.
    fn insert(&mut self, address: u128, length: u32, data: usize) {
        let mut node = 0;
        for depth in 0..length {
            let bit = (address >> (127 - depth) & 1) as usize;
            if depth + 1 == length {
                self.nodes[node][bit] = Slot::Data(data);
                return;
            }
            node = match self.nodes[node][bit] {
                Slot::Node(next) => next,
                other => {
                    self.nodes.push([other; 2]);
                    self.nodes[node][bit] = Slot::Node(self.nodes.len() - 1);
                    self.nodes.len() - 1
                }
            };
        }
    }

    fn bytes(&self, record_size: u16) -> Vec<u8> {
        let count = self.nodes.len();
        let record = |slot: &Slot| match slot {
            Slot::Empty => count,
            Slot::Node(node) => *node,
            Slot::Data(offset) => count + 16 + offset,
        };
        let mut bytes = Vec::new();
        for node in &self.nodes {
            let [left, right] = [record(&node[0]), record(&node[1])].map(|record| (record as u32).to_be_bytes());
            match record_size {
                24 => [&left[1..], &right[1..]].iter().for_each(|half| bytes.extend_from_slice(half)),
                28 => {
                    bytes.extend_from_slice(&left[1..]);
                    bytes.push(left[0] << 4 | right[0]);
                    bytes.extend_from_slice(&right[1..]);
                }
                _ => [left, right].iter().for_each(|half| bytes.extend_from_slice(half)),
            }
        }
        bytes
    }
}
