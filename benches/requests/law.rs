//! What one request may cost, whatever it is, and the worst requests that are known.
//!
//! The corpus, `benches/requests/worst/`, is written by `worst.py` beside it, and by the search, `cargo bench --bench worst`. Three hold it
//! to the law: `benches/instructions`, `tests/cost.rs`, and as seeds the fuzz target `exchange`.
#![allow(dead_code)]

use std::path::Path;
use swagip::client::{Peer, Rule, TrustList};
use swagip::exchange::Service;
use swagip::resource::{FamilyHosts, Site};

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

/// User-space instructions.
pub fn instructions_max(is_page: bool) -> Bound {
    if is_page { Bound { base: 250_000, per_byte: 150 } } else { Bound { base: 60_000, per_byte: 100 } }
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

/// The names of the stages: trusted peers with either kind of field, and one that nobody trusts.
pub const STAGES: [&str; 3] = ["list", "forwarded", "stranger"];

/// A server that says as much as it can, and someone who asks it.
pub struct Stage {
    pub name: &'static str,
    pub service: Service,
    pub peer: Peer,
}

/// All of them, each with more networks in its trust list than anybody has.
pub fn stages() -> [Stage; 3] {
    let networks: Vec<String> = (0..3000).map(|index| format!("10.{}.{}.0/25", index / 256, index % 256)).collect();
    let stage = |name, field: &str, address: [u8; 4]| {
        let trusted = TrustList::parse(networks.iter().map(String::as_str)).expect("networks");
        let rule = Rule::new(trusted, field.parse().expect("a field's name"));
        let peer = rule.peer((address, 54321).into());
        let host = |first: &str| Some(format!("{first}{}", "a".repeat(252)));
        let family_hosts = FamilyHosts { ipv4: host("b"), ipv6: host("c") };
        let site =
            Site { served_by: Some("a".repeat(64)), family_hosts, title: "SwagIP".to_owned(), explain: true, ..Site::default() };
        Stage { name, service: Service::new(rule, site), peer }
    };
    let [list, forwarded, stranger] = STAGES;
    [
        stage(list, "x-forwarded-for", [10, 0, 0, 1]),
        stage(forwarded, "forwarded", [10, 0, 0, 1]),
        stage(stranger, "x-forwarded-for", [192, 168, 0, 9]),
    ]
}
