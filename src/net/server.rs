//! The whole server: as many workers as threads, started and stopped together.

use super::asker::NetAsker;
use super::inherited::{self, Inherited, Role};
use super::queries::{QUERIES_MAX, Queries};
use super::sources::PerClient;
use super::supervisor::Supervisor;
use super::worker::{Common, Worker};
use super::{BindError, Listen, ListenerKind, Settings, Stopper, Threads, cpu, listener};
use crate::exchange::Service;
use crate::observe::Observers;
use crate::observe::access_log::AccessLog;
use crate::observe::metrics::{LookupsOn, Metrics};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

/// Descriptors that are not connections: standard streams, logs, files of a reload or a scrape, and some to spare.
const DESCRIPTORS_KEPT: usize = 64;

/// A thread's own, besides its listeners: its poll, its duplicate of the bell, the watchdog's timer.
const DESCRIPTORS_PER_THREAD: usize = 3;

/// What part of the descriptors look-ups may have kept for them: where there are few, answers that need none come first.
const QUESTIONS_SHARE: usize = 4;

/// More than a machine has memory for in its kernel. The tables for them are 64 MB, of which what is not used takes no memory.
const CONNECTIONS_MAX: usize = 1_000_000;

/// A server that has its sockets and does not serve yet.
pub struct Server {
    workers: Vec<Worker>,
    listeners: Vec<Listen>,
    inherited: Vec<Inherited>,
    supervisor: Option<Arc<Supervisor>>,
    /// Each worker's, where they are pinned.
    cpus: Vec<usize>,
}

impl Server {
    /// Opens all sockets of all threads. `stopper`: what will end it.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(settings: &Settings, stopper: &Stopper) -> Result<Server, BindError> {
        let inherited = inherited::take(&settings.inherited, settings.limits.write)?;
        let listeners = settings.listeners.iter().map(|&listen| listener::resolve(listen)).collect::<Result<Vec<_>, _>>()?;
        let cpus = match settings.threads {
            Threads::Spread(_) => Vec::new(),
            Threads::Pinned => {
                let cpus = cpu::usable().map_err(BindError::Resources)?;
                cpu::try_pinning(&cpus).map_err(BindError::Pinning)?;
                cpus
            }
        };
        let threads = settings.threads.count().get();
        let common = Common {
            limits: settings.limits,
            connections_max: (connections(settings) / threads).max(1),
            per_client: settings.limits.connections_per_client.map(|max| Arc::new(PerClient::new(max.get()))),
            stopper: stopper.clone(),
            tallies: Arc::default(),
            databases: settings.databases.clone(),
        };
        let has_metrics = listeners.iter().any(|listen| listen.kind == ListenerKind::Metrics)
            || inherited.iter().any(|one| one.role == Role::Metrics);
        let metrics =
            has_metrics.then(|| Arc::new(Metrics::new(threads, lookups_on(settings), settings.log_lines_dropped.clone())));
        let supervisor = settings.supervision.as_ref().map(|supervision| Supervisor::new(supervision, threads).map(Arc::new));
        let supervisor = supervisor.transpose().map_err(BindError::Resources)?;
        // One question of each source, in all threads.
        let askers = Arc::new(PerClient::new(1));
        let queries = || Queries::new(Box::new(NetAsker::new(settings.resolver)), Arc::clone(&askers));
        let mut workers = Vec::with_capacity(threads);
        for thread in 0..threads {
            let open = |&listen: &Listen| listener::open(listen, settings.limits.write);
            let here = listeners.iter().filter(|listen| thread == 0 || listen.kind != ListenerKind::Metrics);
            let mut opened = here.map(open).collect::<Result<Vec<_>, _>>()?;
            opened.extend(inherited::share(&inherited, thread, threads).map_err(BindError::Resources)?);
            let access_log = settings.access_log.as_ref();
            let access_log = access_log.map(|log| AccessLog::new(log, settings.site.served_by.as_deref()));
            let observers = Observers { metrics: metrics.as_ref().map(|metrics| metrics.thread(thread)), access_log };
            let service = Service::recording(settings.rule.clone(), settings.site.clone(), observers.boxed());
            let worker = Worker::new(opened, service, asks(settings).then(queries), common.clone());
            let mut worker = worker.map_err(BindError::Resources)?;
            supervisor.iter().try_for_each(|supervisor| worker.supervise(supervisor)).map_err(BindError::Resources)?;
            workers.push(worker);
        }
        if let Some(first) = workers.first().filter(|_| !cpus.is_empty()) {
            first.steer(&cpus).map_err(BindError::Resources)?;
        }
        Ok(Server { workers, listeners, inherited, supervisor, cpus })
    }

    /// Where it listens, in the order of the settings, with the ports that the kernel chose.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|listen| listen.address)
    }

    /// Where it listens by what was handed down, and for what; an address of several listeners once.
    pub fn inherited(&self) -> impl Iterator<Item = (SocketAddr, Role)> {
        let first = |(index, one): (usize, &Inherited)| {
            let is_first = self.inherited[..index].iter().all(|other| other.address != one.address);
            is_first.then_some((one.address, one.role))
        };
        self.inherited.iter().enumerate().filter_map(first)
    }

    /// Tells whoever supervises it, if anyone does, that it serves. To be called once, when nothing but [`Server::run`] is left to do;
    /// `status` says how it serves, for a person.
    ///
    /// # Errors
    /// The supervisor is not there.
    pub fn tell_ready(&self, status: &str) -> io::Result<()> {
        self.supervisor.as_ref().map_or(Ok(()), |supervisor| supervisor.ready(status))
    }

    /// Serves until it was ordered to stop and has. The first worker has the calling thread, each other one its own: with one
    /// worker the process has one thread, and the kernel's calls are cheaper.
    ///
    /// # Errors
    /// The kernel gives no thread, or a worker ended without an order.
    pub fn run(self) -> io::Result<()> {
        let run = |worker: Worker, cpu: Option<usize>| {
            cpu.map_or(Ok(()), cpu::pin)?;
            worker.run()
        };
        let mut workers =
            self.workers.into_iter().enumerate().map(|(index, worker)| (index, worker, self.cpus.get(index).copied()));
        let first = workers.next();
        let spawn = |(index, worker, cpu)| {
            // The others go on, so without this it would be noticed only at the stop.
            let serve =
                move || run(worker, cpu).inspect_err(|error| log::error!("worker-{index} ended, the others go on: {error}"));
            thread::Builder::new().name(format!("worker-{index}")).spawn(serve)
        };
        let others = workers.map(spawn).collect::<io::Result<Vec<_>>>()?;
        first.map_or(Ok(()), |(_, worker, cpu)| run(worker, cpu))?;
        others.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked"))))
    }
}

/// Whether a request may be about something that must be looked up.
fn asks(settings: &Settings) -> bool {
    settings.resolver.is_some() || settings.site.port_test
}

/// What there is to count of look-ups.
fn lookups_on(settings: &Settings) -> LookupsOn {
    let Settings { resolver, site, databases, .. } = settings;
    LookupsOn { hostname: resolver.is_some(), port: site.port_test, databases: databases.is_some() }
}

/// How many connections all threads may have together; the soft limit of descriptors is raised to the hard one.
fn connections(settings: &Settings) -> usize {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_or(soft, |()| hard);
    let limit = usize::try_from(raised).unwrap_or(usize::MAX);
    // Each question has one; a second one only for the moment in which it passes from a name to its addresses.
    let questions = if asks(settings) { QUERIES_MAX * settings.threads.count().get() } else { 0 };
    let listeners = settings.listeners.len() + settings.inherited.len();
    let threads = settings.threads.count().get();
    let own = DESCRIPTORS_KEPT.max(DESCRIPTORS_KEPT / 2 + threads * (DESCRIPTORS_PER_THREAD + listeners));
    let kept = own + questions.min(limit / QUESTIONS_SHARE);
    let descriptors = limit.saturating_sub(kept);
    let Some(wanted) = settings.limits.connections.map(NonZeroUsize::get) else { return descriptors.min(CONNECTIONS_MAX) };
    if wanted > descriptors {
        let needed = wanted.saturating_add(kept);
        log::warn!(
            "--max-connections {wanted} is cut to {descriptors} by the limit of {raised} open files: try ulimit -n {needed}"
        );
    }
    descriptors.min(wanted)
}
