//! How a server is asked to stop, or to reload: by a call, or by a signal.
//!
//! The order is one number. The bell is a pair of sockets: of one end every worker's poll has a duplicate, and a byte into the
//! other end wakes them all. None of them reads it, because polls are edge-triggered; and a signal handler may send it, so that no
//! thread has to wait for signals.

use mio::net::UnixStream as Bell;
use signal_hook::{flag, low_level::pipe};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Stops a server, or has it read its files anew, from any thread or in a signal handler.
#[derive(Clone, Debug)]
pub struct Stopper {
    order: Arc<AtomicUsize>,
    reload: Arc<AtomicBool>,
    bell: Arc<UnixStream>,
    sender: Arc<UnixStream>,
}

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// After `--drain-grace` no more is accepted, and when all is answered the server ends.
    Drain = 1,
    /// The same, without the grace.
    DrainAtOnce = 2,
}

impl Stopper {
    /// What may stop one server.
    ///
    /// # Errors
    /// The kernel gives no sockets.
    pub fn new() -> io::Result<Stopper> {
        let (bell, sender) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        Ok(Stopper { order: Arc::default(), reload: Arc::default(), bell: Arc::new(bell), sender: Arc::new(sender) })
    }

    /// Orders the server to stop.
    pub fn stop(&self, order: Order) {
        self.order.fetch_max(order as usize, Ordering::Relaxed);
        self.ring();
    }

    /// Orders the server to read its files anew.
    pub fn reload(&self) {
        self.reload.store(true, Ordering::Relaxed);
        self.ring();
    }

    /// Wakes all workers. What has rung before is taken out first: a full bell would be silent for good.
    pub(super) fn ring(&self) {
        // Whoever has not heard that yet hears this.
        while matches!((&*self.bell).read(&mut [0; 256]), Ok(1..)) {}
        let _ = (&*self.sender).write(&[0]);
    }

    /// Has a signal give this order.
    ///
    /// # Errors
    /// The kernel does not let it be handled.
    pub fn stop_on(&self, signal: i32, order: Order) -> io::Result<()> {
        // In this order, because handlers run in the order of their registration.
        flag::register_usize(signal, Arc::clone(&self.order), order as usize)?;
        pipe::register(signal, self.sender.try_clone()?)?;
        Ok(())
    }

    /// Has a signal ask for a reload. Whoever supervises this server is told that it was done.
    ///
    /// # Errors
    /// The kernel does not let it be handled.
    pub fn reload_on(&self, signal: i32) -> io::Result<()> {
        flag::register(signal, Arc::clone(&self.reload))?;
        pipe::register(signal, self.sender.try_clone()?)?;
        Ok(())
    }

    /// Whether a reload was asked for; true for one of those who ask.
    pub(super) fn takes_reload(&self) -> bool {
        self.reload.swap(false, Ordering::Relaxed)
    }

    /// Whether anything was ordered.
    pub(super) fn is_ordered(&self) -> bool {
        self.order.load(Ordering::Relaxed) != 0
    }

    /// What was ordered.
    pub(super) fn order(&self) -> Option<Order> {
        match self.order.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Order::Drain),
            _ => Some(Order::DrainAtOnce),
        }
    }

    /// What becomes readable when something is ordered, for one more poll.
    pub(super) fn bell(&self) -> io::Result<Bell> {
        Ok(Bell::from_std(self.bell.try_clone()?))
    }
}
