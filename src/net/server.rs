//! The whole server: as many workers as threads, started and stopped together.

use super::worker::{Orders, Worker};
use super::{BindError, Limits, Listen, Settings, listener};
use crate::exchange::Service;
use mio::Waker;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Descriptors that are no connections: listeners, polls, standard streams, and some to spare.
const DESCRIPTORS_KEPT: usize = 64;

/// More than a machine has memory for in its kernel; a table is grown as it is used.
const CONNECTIONS_MAX: usize = 1_000_000;

/// A server that has its sockets and does not serve yet.
pub struct Server {
    workers: Vec<(Worker, Waker)>,
    listeners: Vec<Listen>,
    orders: Arc<Orders>,
}

/// A server that serves.
pub struct Running {
    stopper: Stopper,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

/// Stops a server from any thread.
#[derive(Clone)]
pub struct Stopper {
    orders: Arc<Orders>,
    wakers: Arc<[Waker]>,
}

impl Server {
    /// Opens all sockets of all threads.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(settings: &Settings) -> Result<Server, BindError> {
        let listeners = settings.listeners.iter().map(|&listen| listener::settle(listen)).collect::<Result<Vec<_>, _>>()?;
        let threads = settings.threads.get();
        let connections_max = (connections(&settings.limits) / threads).max(1);
        let orders = Arc::new(Orders::default());
        let (warned, tallies) = (Arc::default(), Arc::default());
        let mut workers = Vec::with_capacity(threads);
        for _ in 0..threads {
            let open = |&listen: &Listen| Ok((listener::open(listen)?, listen.proxy));
            let sockets = listeners.iter().map(open).collect::<Result<_, _>>()?;
            let service = Service::new(settings.rule.clone(), settings.site.clone(), Arc::clone(&warned));
            let worker =
                Worker::new(sockets, service, settings.limits, connections_max, Arc::clone(&orders), Arc::clone(&tallies));
            workers.push(worker.map_err(BindError::Resources)?);
        }
        Ok(Server { workers, listeners, orders })
    }

    /// Where it listens, in the order of the settings, with the ports that the kernel chose.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|listen| listen.address)
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// The kernel gives no thread.
    pub fn start(self) -> Result<Running, BindError> {
        let (workers, wakers): (Vec<_>, Vec<_>) = self.workers.into_iter().unzip();
        let stopper = Stopper { orders: self.orders, wakers: wakers.into() };
        let spawn =
            |(index, worker): (usize, Worker)| thread::Builder::new().name(format!("worker-{index}")).spawn(|| worker.run());
        let threads = workers.into_iter().enumerate().map(spawn).collect::<io::Result<_>>().map_err(BindError::Resources)?;
        Ok(Running { stopper, threads })
    }
}

impl Running {
    /// What stops it.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits until all threads have ended.
    ///
    /// # Errors
    /// The first of a thread that ended without an order.
    pub fn join(self) -> io::Result<()> {
        self.threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked"))))
    }
}

impl Stopper {
    /// Asks for a stop: after `--drain-grace` no more is accepted, and when all is answered the threads end. `at_once`: without
    /// the grace.
    pub fn drain(&self, at_once: bool) {
        self.orders.drain(at_once);
        for waker in &*self.wakers {
            // It fails where the worker's poll has gone, and the worker with it.
            let _ = waker.wake();
        }
    }
}

/// How many connections all threads may have together; the soft limit of descriptors is raised to the hard one.
fn connections(limits: &Limits) -> usize {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_or(soft, |()| hard);
    let descriptors = usize::try_from(raised).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_KEPT);
    descriptors.min(limits.connections.map_or(CONNECTIONS_MAX, NonZeroUsize::get))
}
