//! Metrics: what each thread counts, and how Prometheus reads it.
//!
//! Each thread has counters of its own, which it alone writes; whoever asks for them adds them up. What is asked on a listener for
//! monitoring is not counted, so a scrape changes nothing that it shows but the process's own figures.

mod write;

mod counters;

mod lookups;

mod exposition;
mod process;

use crate::resource::monitoring::Format;
use process::Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use counters::{Closed, Counters, Limit, Listener};
pub use lookups::{Lookup, LookupResult, LookupsOn};

/// The lines of the error log that nobody read; shared with whoever writes it.
#[derive(Clone, Debug, Default)]
pub struct LinesDropped(Arc<AtomicU64>);

impl LinesDropped {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of all threads, and what else a scrape tells.
#[derive(Debug)]
pub struct Metrics {
    threads: Vec<Arc<Counters>>,
    lookups: LookupsOn,
    errors_dropped: LinesDropped,
    process: Process,
}

impl Metrics {
    /// Counters for this many threads.
    pub fn new(threads: usize, lookups: LookupsOn, errors_dropped: LinesDropped) -> Metrics {
        Metrics { threads: (0..threads).map(|_| Arc::default()).collect(), lookups, errors_dropped, process: Process::new() }
    }

    /// What a thread counts with.
    ///
    /// # Panics
    /// There is no thread of this number.
    pub fn thread(self: &Arc<Metrics>, index: usize) -> Thread {
        Thread { counters: Arc::clone(&self.threads[index]), all: Arc::clone(self) }
    }
}

/// What one thread counts with.
#[derive(Debug)]
pub struct Thread {
    /// Its own.
    pub counters: Arc<Counters>,
    all: Arc<Metrics>,
}

impl Thread {
    /// Appends all metrics of all threads. `draining`: a stop was asked for.
    pub fn report(&self, format: Format, draining: bool, content: &mut Vec<u8>) {
        exposition::write(&self.all, draining, &mut write::Writer::new(format, content));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::ANSWER_MAX;
    use crate::resource::Resource;

    fn report(metrics: &Arc<Metrics>, format: Format) -> String {
        let mut content = Vec::new();
        metrics.thread(0).report(format, true, &mut content);
        String::from_utf8_lossy(&content).into_owned()
    }

    /// Whoever reads this knows what a scrape looks like.
    #[test]
    fn both_formats() {
        let metrics = Arc::new(Metrics::new(2, LookupsOn { hostname: true, ..LookupsOn::default() }, LinesDropped::default()));
        metrics.threads[0].moved(10, 20);
        metrics.threads[1].moved(1, 2);
        metrics.threads[1].accepted(Listener::Proxy);
        for (thread, milliseconds) in [(0, 0), (1, 5), (0, 6), (1, 2501)] {
            metrics.threads[thread].finished(Lookup::Hostname, LookupResult::Unknown, milliseconds);
        }
        for (format, expected) in [
            (
                Format::Prometheus,
                "# HELP swagip_sent_bytes_total Bytes sent to clients.\n# TYPE swagip_sent_bytes_total counter\nswagip_sent_bytes_total 22\n",
            ),
            (
                Format::OpenMetrics,
                "# HELP swagip_sent_bytes Bytes sent to clients.\n# TYPE swagip_sent_bytes counter\nswagip_sent_bytes_total 22\n",
            ),
            (
                Format::Prometheus,
                "# HELP swagip_connections Connections of clients that are open.\n# TYPE swagip_connections gauge\n\
                 swagip_connections{listener=\"plain\"} 0\nswagip_connections{listener=\"proxy\"} 1\n",
            ),
            (Format::OpenMetrics, "swagip_thread_connections{thread=\"0\"} 0\nswagip_thread_connections{thread=\"1\"} 1\n"),
            (
                Format::Prometheus,
                "# TYPE swagip_lookup_duration_seconds histogram\n\
                 swagip_lookup_duration_seconds_bucket{lookup=\"hostname\",le=\"0.005\"} 2\n\
                 swagip_lookup_duration_seconds_bucket{lookup=\"hostname\",le=\"0.01\"} 3\n",
            ),
            (
                Format::OpenMetrics,
                "_bucket{lookup=\"hostname\",le=\"1.0\"} 3\n\
                 swagip_lookup_duration_seconds_bucket{lookup=\"hostname\",le=\"2.5\"} 3\n\
                 swagip_lookup_duration_seconds_bucket{lookup=\"hostname\",le=\"+Inf\"} 4\n\
                 swagip_lookup_duration_seconds_sum{lookup=\"hostname\"} 2.512\n\
                 swagip_lookup_duration_seconds_count{lookup=\"hostname\"} 4\n",
            ),
            (Format::OpenMetrics, "# TYPE swagip_build info\nswagip_build_info{version=\""),
            (Format::Prometheus, "# TYPE swagip_build_info gauge\nswagip_build_info{version=\""),
            (Format::Prometheus, "\nswagip_draining 1\n"),
        ] {
            let text = report(&metrics, format);
            assert!(text.contains(expected), "{expected}{text}");
            assert_eq!(text.ends_with("\n# EOF\n"), format == Format::OpenMetrics);
        }
    }

    /// No scrape is longer than an answer may be, with every count as long as it gets and as many threads as there may be.
    #[test]
    fn the_longest() {
        let metrics =
            Arc::new(Metrics::new(1024, LookupsOn { hostname: true, port: true, databases: true }, LinesDropped::default()));
        let all = &metrics.threads[0];
        all.sent.add(u64::MAX);
        all.received.add(u64::MAX);
        let counts = all.answers.as_flattened().iter().chain(&all.refusals).chain(&all.accepted);
        counts.chain(&all.closed[0]).chain(&all.limits).for_each(|count| count.add(u64::MAX / 1000));
        for lookups in &all.lookups {
            let counts = lookups.results.iter().chain(&lookups.waits).chain([&lookups.asked, &lookups.waited]);
            counts.for_each(|count| count.add(u64::MAX / 1000));
        }
        metrics.threads.iter().skip(1).for_each(|thread| thread.accepted[0].add(u64::MAX / 2000));
        let text = report(&metrics, Format::OpenMetrics);
        assert!(text.len() < ANSWER_MAX, "{}", text.len());
        let names = Resource::ALL.iter().filter(|&&name| name != Resource::Monitoring);
        names.for_each(|name| assert!(text.contains(&format!("resource=\"{}\",code=\"404\"", name.label()))));
    }
}
