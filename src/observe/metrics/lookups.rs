//! Look-ups: what was asked for, what came of it, and how long it took.

use super::Metrics;
use super::counters::{Count, Counters, labels};
use super::write::Kind::{Counter, Histogram};
use super::write::{Millis, Writer};
use crate::resource::Resource;

labels! {
    /// What is looked up elsewhere, and counted as it comes.
    Lookup {
        /// `--reverse-dns`
        Hostname = "hostname",
        /// `--port-test`
        Port = "port",
    }
}

labels! {
    /// What came of a look-up.
    LookupResult {
        /// A confirmed name, or whether a port is open.
        Answered = "answered",
        /// There is no such thing, or it is not confirmed; or there is no route to the address.
        Unknown = "unknown",
        /// Nothing came in time.
        TimedOut = "timeout",
        /// Too much was being asked for.
        Refused = "refused",
        /// The client did not wait for it.
        Cancelled = "cancelled",
    }
}

/// Databases are looked up in while a request is answered, so what came of it is in the answers' counters.
const DATABASES: &str = "mmdb";

/// The upper bounds of the histogram's buckets: a resolver nearby that knows, one that must ask, and the tries that end
/// after 1, 2 and 2.5 seconds. The clock counts milliseconds, so less than 5 would say little.
const BOUNDS: [Millis; 9] =
    [Millis(5), Millis(10), Millis(25), Millis(50), Millis(100), Millis(250), Millis(500), Millis(1000), Millis(2500)];

/// Which look-ups are on; only those are told of.
#[derive(Clone, Copy, Debug, Default)]
pub struct LookupsOn {
    /// `--reverse-dns`
    pub hostname: bool,
    /// `--port-test`
    pub port: bool,
    /// `--mmdb`
    pub databases: bool,
}

/// One thread's counts of one kind.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    pub(super) asked: Count,
    pub(super) results: [Count; LookupResult::ALL.len()],
    /// Those that were waited for to the end, by how long, the last of them longer than all bounds.
    pub(super) waits: [Count; BOUNDS.len() + 1],
    /// Milliseconds of all of those.
    pub(super) waited: Count,
}

impl Lookups {
    pub(super) fn finished(&self, result: LookupResult, milliseconds: u64) {
        self.results[result as usize].add(1);
        if !matches!(result, LookupResult::Refused | LookupResult::Cancelled) {
            self.waits[BOUNDS.partition_point(|bound| bound.0 < milliseconds)].add(1);
            self.waited.add(milliseconds);
        }
    }
}

impl LookupsOn {
    fn is_on(self, lookup: Lookup) -> bool {
        match lookup {
            Lookup::Hostname => self.hostname,
            Lookup::Port => self.port,
        }
    }
}

/// Writes what is on.
pub(super) fn write(metrics: &Metrics, writer: &mut Writer<'_>) {
    let on = metrics.lookups;
    let waiting: Vec<Lookup> = Lookup::ALL.iter().copied().filter(|&lookup| on.is_on(lookup)).collect();
    if waiting.is_empty() && !on.databases {
        return;
    }
    let sum = |lookup: Lookup, count: fn(&Lookups) -> &Count| {
        metrics.sum(move |counters: &Counters| count(&counters.lookups[lookup as usize]))
    };
    let mut family = writer.family("swagip_lookups", Counter, "Look-ups that clients asked for.");
    for &lookup in &waiting {
        family.one("lookup", lookup.label(), sum(lookup, |lookups| &lookups.asked));
    }
    let databases =
        [(LookupResult::Answered, 200), (LookupResult::Unknown, 404)].map(|(result, code)| (result, of_databases(metrics, code)));
    if on.databases {
        family.one("lookup", DATABASES, databases.iter().map(|(_, count)| count).sum::<u64>());
    }
    let mut family = writer.family("swagip_lookup_results", Counter, "What came of look-ups.");
    for &lookup in &waiting {
        for &result in LookupResult::ALL {
            let count = metrics.sum(|counters| &counters.lookups[lookup as usize].results[result as usize]);
            family.two(("lookup", lookup.label()), ("result", result.label()), count);
        }
    }
    for (result, count) in databases.into_iter().filter(|_| on.databases) {
        family.two(("lookup", DATABASES), ("result", result.label()), count);
    }
    waits(metrics, &waiting, writer);
}

/// The answers with this code that are about one thing that databases know.
fn of_databases(metrics: &Metrics, code: u16) -> u64 {
    let resources = Resource::ALL.iter().filter(|resource| resource.is_about_a_place());
    resources.map(|&resource| metrics.answers(resource, code)).sum()
}

fn waits(metrics: &Metrics, lookups: &[Lookup], writer: &mut Writer<'_>) {
    if lookups.is_empty() {
        return;
    }
    let mut family =
        writer.family("swagip_lookup_duration_seconds", Histogram, "How long look-ups took that clients waited for to the end.");
    for &lookup in lookups {
        let counts = (0..=BOUNDS.len()).map(|bucket| metrics.sum(|counters| &counters.lookups[lookup as usize].waits[bucket]));
        let waited = metrics.sum(|counters| &counters.lookups[lookup as usize].waited);
        family.histogram(("lookup", lookup.label()), &BOUNDS, counts, Millis(waited));
    }
}
