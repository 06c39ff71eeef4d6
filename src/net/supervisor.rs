//! Tells the supervisor how this server fares (sd_notify(3)), and that all of its threads still turn.
//!
//! ```text
//! READY ──▶ WATCHDOG …, RELOADING and READY … ──▶ STOPPING
//! ```
//!
//! The watchdog is told in rounds: every thread joins a round once, when its own timer beats, and the last one to join tells. So
//! one thread that has stalled is enough for silence, and none waits for another.

use nix::time::{ClockId, clock_gettime};
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Where to tell, and how often.
#[derive(Clone, Debug)]
pub struct Supervision {
    /// A datagram socket, by its path or its abstract name.
    pub address: SocketAddr,
    /// How long the supervisor accepts silence before it takes the process for dead.
    pub watchdog: Option<Duration>,
}

/// Who started this server, and wants to know how it fares.
pub struct Supervisor {
    socket: UnixDatagram,
    address: SocketAddr,
    watchdog: Option<Duration>,
    /// What was told at the start.
    status: OnceLock<String>,
    is_stopping: AtomicBool,
    /// It was told that a reload began, but there was no room yet for telling it that the reload is over.
    owes_ready: AtomicBool,
    threads: usize,
    /// The round that is under way.
    round: AtomicU64,
    /// Threads that have not joined it.
    missing: AtomicUsize,
}

impl Supervisor {
    /// The supervisor of a server with this many threads.
    ///
    /// # Errors
    /// The kernel gives no socket.
    pub fn new(supervision: &Supervision, threads: usize) -> io::Result<Supervisor> {
        Ok(Supervisor {
            socket: UnixDatagram::unbound()?,
            address: supervision.address.clone(),
            watchdog: supervision.watchdog,
            status: OnceLock::new(),
            is_stopping: AtomicBool::new(false),
            owes_ready: AtomicBool::new(false),
            threads,
            round: AtomicU64::new(1),
            missing: AtomicUsize::new(threads),
        })
    }

    /// How often every thread [joins](Supervisor::join) a round: twice in the longest silence that the supervisor accepts.
    pub fn beat(&self) -> Option<Duration> {
        /// The timer's own unit is finer; a silence this short is no use to anybody.
        const BEAT_MIN: Duration = Duration::from_millis(1);
        self.watchdog.map(|watchdog| (watchdog / 2).max(BEAT_MIN))
    }

    /// Tells that it serves; `status` says how, for a person. To be called once, before any event loop runs: it may wait for the
    /// supervisor, and after it nothing does.
    ///
    /// # Errors
    /// Nobody is there, which is no reason to stop: the variable may be left over from another program.
    pub fn ready(&self, status: &str) -> io::Result<()> {
        let told = self.socket.send_to_addr(ready(self.status.get_or_init(|| status.to_owned())).as_bytes(), &self.address);
        self.socket.set_nonblocking(true)?;
        told.map(drop)
    }

    /// How it serves, as it was told at the start.
    pub fn status(&self) -> &str {
        self.status.get().map_or("", String::as_str)
    }

    /// Tells that it has read again what can be read again, its databases, or has tried to; `status` says what came of it. If the
    /// supervisor has no room for that now, nothing is lost but news; if it has room for the first half alone, it would wait for the second
    /// for ever: with a watchdog, that is told with the next beat, without the status.
    pub fn reloaded(&self, status: &str) {
        if self.is_stopping.load(Ordering::Relaxed) {
            return;
        }
        if !self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", micros())) {
            return log::warn!("NOTIFY_SOCKET is full: nobody is told of the reload, which is done");
        }
        if !self.tell(&ready(status)) {
            self.owes_ready.store(true, Ordering::Relaxed);
            let when =
                if self.watchdog.is_some() { "with the next beat of WATCHDOG_USEC" } else { "never, without WATCHDOG_USEC" };
            log::warn!("NOTIFY_SOCKET is full: the end of the reload is told {when}");
        }
    }

    /// Tells that it ends; the first of several calls.
    pub fn stopping(&self) {
        if !self.is_stopping.swap(true, Ordering::Relaxed) {
            self.tell("STOPPING=1\nSTATUS=draining");
        }
    }

    /// A thread joins the round, if it has not. `joined`: the last one that it joined, 0 at first.
    pub fn join(&self, joined: &mut u64) {
        // The thread that ends a round has set up the next one before anybody sees that there is one.
        let round = self.round.load(Ordering::Acquire);
        if std::mem::replace(joined, round) != round && self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.missing.store(self.threads, Ordering::Relaxed);
            self.round.store(round + 1, Ordering::Release);
            if self.owes_ready.swap(false, Ordering::Relaxed) && !self.tell("READY=1") {
                self.owes_ready.store(true, Ordering::Relaxed);
            }
            self.tell("WATCHDOG=1");
        }
    }

    /// False where there is no room for it. A supervisor that does not listen is none: what it misses is no reason to stop.
    fn tell(&self, state: &str) -> bool {
        let told = self.socket.send_to_addr(state.as_bytes(), &self.address);
        !told.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// That it serves, and how. A file's name may hold anything, and a line feed would begin another assignment.
fn ready(status: &str) -> String {
    format!("READY=1\nSTATUS={}", status.replace('\n', " "))
}

/// CLOCK_MONOTONIC.
fn micros() -> i64 {
    // It does not fail: every kernel has this clock.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| 1_000_000 * time.tv_sec() + time.tv_nsec() / 1000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;

    /// The supervisor of a server with this many threads, and the socket on which it is told.
    fn supervised(name: &str, threads: usize) -> (Supervisor, UnixDatagram) {
        let address = SocketAddr::from_abstract_name(format!("swagip-{name}-{}", std::process::id())).unwrap();
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        receiver.set_nonblocking(true).unwrap();
        (Supervisor::new(&Supervision { address, watchdog: None }, threads).unwrap(), receiver)
    }

    fn received(receiver: &UnixDatagram) -> Option<String> {
        let mut buffer = [0; 64];
        receiver.recv(&mut buffer).ok().map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    #[test]
    fn the_end_of_a_reload_is_told_again_where_there_was_no_room_for_it() {
        let (supervisor, receiver) = supervised("full", 1);
        let told = || received(&receiver);
        let all = || std::iter::from_fn(told).filter(|state| state != "x").collect::<Vec<_>>();
        supervisor.ready("").unwrap();
        let fill = || while supervisor.tell("x") {};
        fill();
        supervisor.reloaded("");
        assert_eq!(all(), ["READY=1\nSTATUS="], "no half of it");
        fill();
        // Room for one.
        assert!(told().is_some());
        supervisor.reloaded("");
        let mut joined = 0;
        supervisor.join(&mut joined);
        assert!(all().iter().all(|state| state.starts_with("RELOADING=1\n")));
        supervisor.join(&mut joined);
        assert_eq!(all(), ["READY=1", "WATCHDOG=1"]);
        supervisor.join(&mut joined);
        assert_eq!(all(), ["WATCHDOG=1"], "once");
    }

    #[test]
    fn a_round_ends_with_the_last_thread_however_often_the_others_beat() {
        let (supervisor, receiver) = supervised("rounds", 3);
        let told = || received(&receiver);
        let mut joined = [0; 3];
        for _ in 0..3 {
            for thread in [0, 0, 1, 0, 1, 1] {
                supervisor.join(&mut joined[thread]);
                assert_eq!(told(), None);
            }
            supervisor.join(&mut joined[2]);
            assert_eq!((told().as_deref(), told()), (Some("WATCHDOG=1"), None));
        }
        // The one that ended a round may be the first of the next.
        for thread in [2, 1] {
            supervisor.join(&mut joined[thread]);
            assert_eq!(told(), None);
        }
        supervisor.join(&mut joined[0]);
        assert_eq!(told().as_deref(), Some("WATCHDOG=1"));
    }
}
