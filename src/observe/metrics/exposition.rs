//! All metrics, family by family.

use super::counters::{Closed, Count, Counters, Limit, Listener};
use super::process::Figures;
use super::write::Kind::{Counter, Gauge, Info};
use super::write::Writer;
use super::{Metrics, lookups};
use crate::http::Refusal;
use crate::resource::{Resource, ResponseHead};

/// Writes all of it. `draining`: a stop was asked for.
pub(super) fn write(metrics: &Metrics, draining: bool, writer: &mut Writer<'_>) {
    requests(metrics, writer);
    connections(metrics, writer);
    rest(metrics, writer);
    lookups::write(metrics, writer);
    writer.family("swagip_draining", Gauge, "Whether this server is stopping.").value(u8::from(draining));
    writer.family("swagip_build", Info, "What is running.").one("version", env!("CARGO_PKG_VERSION"), 1);
    process(metrics, &Figures::now(), writer);
    writer.end();
}

impl Metrics {
    pub(super) fn sum<'m>(&'m self, count: impl Fn(&'m Counters) -> &'m Count) -> u64 {
        self.threads.iter().map(|counters| count(counters).value()).fold(0, u64::wrapping_add)
    }

    pub(super) fn answers(&self, resource: Resource, code: u16) -> u64 {
        let heads = ResponseHead::TEXTS.iter().enumerate().filter(|(_, text)| text.code() == code);
        heads.map(|(head, _)| self.sum(|counters| &counters.answers[resource as usize][head])).sum()
    }
}

/// The code of the answers that are told of from the start: a series that begins with its first answer hides that one from `rate()`.
fn usual_code(resource: Resource) -> u16 {
    match resource {
        Resource::None => 404,
        Resource::Refused => 400,
        _ => 200,
    }
}

fn requests(metrics: &Metrics, writer: &mut Writer<'_>) {
    let mut codes: Vec<u16> = ResponseHead::TEXTS.iter().map(|text| text.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut family = writer.family("swagip_requests", Counter, "Answers given to clients, refusals included.");
    for &resource in Resource::ALL.iter().filter(|&&resource| resource != Resource::Monitoring) {
        for &code in &codes {
            let count = metrics.answers(resource, code);
            if count > 0 || code == usual_code(resource) {
                family.two(("resource", resource.label()), ("code", code), count);
            }
        }
    }
    let mut family = writer.family("swagip_refusals", Counter, "Requests that broke a rule of HTTP or a limit.");
    for (index, refusal) in Refusal::ALL.iter().enumerate() {
        family.one("reason", refusal.word, metrics.sum(|counters| &counters.refusals[index]));
    }
}

fn connections(metrics: &Metrics, writer: &mut Writer<'_>) {
    let mut family = writer.family("swagip_connections_accepted", Counter, "Connections of clients that were accepted.");
    for &listener in Listener::ALL {
        family.one("listener", listener.label(), metrics.sum(|counters| &counters.accepted[listener as usize]));
    }
    let mut family = writer.family("swagip_connections", Gauge, "Connections of clients that are open.");
    for &listener in Listener::ALL {
        let open: u64 = metrics.threads.iter().map(|counters| counters.open(listener)).sum();
        family.one("listener", listener.label(), open);
    }
    let mut family = writer.family("swagip_connections_closed", Counter, "Connections of clients that were closed.");
    for &reason in Closed::ALL {
        let closed = |&listener: &Listener| metrics.sum(|counters| &counters.closed[listener as usize][reason as usize]);
        family.one("reason", reason.label(), Listener::ALL.iter().map(closed).sum::<u64>());
    }
    writer.family("swagip_threads", Gauge, "Threads that serve.").value(metrics.threads.len());
    let mut family = writer.family("swagip_thread_connections", Gauge, "Connections of clients that a thread has open.");
    for (thread, counters) in metrics.threads.iter().enumerate() {
        let open: u64 = Listener::ALL.iter().map(|&listener| counters.open(listener)).sum();
        family.one("thread", thread, open);
    }
}

fn rest(metrics: &Metrics, writer: &mut Writer<'_>) {
    let sent = metrics.sum(|counters| &counters.sent);
    writer.family("swagip_sent_bytes", Counter, "Bytes sent to clients.").value(sent);
    let received = metrics.sum(|counters| &counters.received);
    writer.family("swagip_received_bytes", Counter, "Bytes received from clients.").value(received);
    let mut family = writer.family("swagip_limits_reached", Counter, "How often a limit was reached.");
    for &limit in Limit::ALL {
        family.one("limit", limit.label(), metrics.sum(|counters| &counters.limits[limit as usize]));
    }
    let mut family = writer.family("swagip_log_lines_dropped", Counter, "Lines of the logs that nobody read in time.");
    family.one("log", "error", metrics.errors_dropped.count());
    family.one("log", "access", metrics.sum(|counters| &counters.access_lines_dropped));
}

/// The names and meanings are those of Prometheus's client libraries.
fn process(metrics: &Metrics, figures: &Figures, writer: &mut Writer<'_>) {
    if let Some(cpu) = figures.cpu {
        writer.family("process_cpu_seconds", Counter, "User and system CPU time.").value(cpu);
    }
    let gauges = [
        ("process_open_fds", "Open file descriptors.", figures.open_descriptors.map(|count| count as u64)),
        ("process_max_fds", "The limit of open file descriptors.", figures.descriptors_max),
        ("process_virtual_memory_bytes", "Virtual memory.", figures.virtual_memory),
        ("process_virtual_memory_max_bytes", "The limit of virtual memory.", figures.virtual_memory_max),
        ("process_resident_memory_bytes", "Resident memory.", figures.resident_memory),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            writer.family(name, Gauge, help).value(value);
        }
    }
    if let Some(started) = metrics.process.started {
        writer.family("process_start_time_seconds", Gauge, "When the process started, in seconds since 1970.").value(started);
    }
}
