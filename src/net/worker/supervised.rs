//! What an event loop tells the supervisor. A timer in the poll has it turn when there is nothing else to do; without a watchdog there
//! is no timer.

use super::Worker;
use crate::net::supervisor::Supervisor;
use mio::Interest;
use mio::unix::SourceFd;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// The supervisor as one thread knows it.
pub struct Supervised {
    supervisor: Arc<Supervisor>,
    timer: Option<TimerFd>,
    /// The last round that this thread has joined.
    joined: u64,
}

impl Supervised {
    /// Whom to tell.
    pub fn supervisor(&self) -> &Arc<Supervisor> {
        &self.supervisor
    }
}

impl Worker {
    /// Has this worker tell a supervisor how it fares.
    ///
    /// # Errors
    /// The kernel gives no timer.
    pub fn supervise(&mut self, supervisor: &Arc<Supervisor>) -> io::Result<()> {
        let timer = supervisor.beat().map(|beat| {
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
            timer.set(Expiration::Interval(TimeSpec::from_duration(beat)), TimerSetTimeFlags::empty())?;
            self.poll.registry().register(&mut SourceFd(&timer.as_fd().as_raw_fd()), super::BEAT, Interest::READABLE)?;
            Ok::<_, io::Error>(timer)
        });
        self.supervised = Some(Supervised { supervisor: Arc::clone(supervisor), timer: timer.transpose()?, joined: 0 });
        Ok(())
    }

    /// The timer has beaten: this thread turns.
    pub(super) fn beat(&mut self) {
        let Some(Supervised { supervisor, timer: Some(timer), joined }) = &mut self.supervised else { return };
        // It beats again when it has been read; another time, where it had not beaten.
        let _ = timer.wait();
        supervisor.join(joined);
    }

    /// The bell has rung: tells that a stop was ordered.
    pub(super) fn tell_supervisor(&self) {
        let Some(Supervised { supervisor, .. }) = &self.supervised else { return };
        if self.stopper.order().is_some() {
            supervisor.stopping();
        }
    }
}
