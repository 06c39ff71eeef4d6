//! Listeners that are handed down by whoever starts this process (socket activation, sd_listen_fds(3)).
//!
//! They outlive it: what waits in their queues is served by the next process, so a restart loses no connection. They can't share
//! a port by thread as our own do (SO_REUSEPORT is for whoever binds), so threads share the listeners. Every poll has a duplicate,
//! and every thread that waits is woken by a connection, which one of them gets. Where there are as many listeners of an address as
//! threads, each thread has its own.

use super::listener::{self, Listener};
use super::{BindError, ListenerKind};
use nix::sys::socket::{SockaddrStorage, getsockname};
use socket2::{Protocol, SockRef};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// The first descriptor that is handed down (SD_LISTEN_FDS_START).
const FIRST: RawFd = 3;

/// What a listener that is handed down is for: its name in LISTEN_FDNAMES, FileDescriptorName= in a socket unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `http`: requests.
    Http,
    /// `proxy`: every connection begins with a PROXY protocol header.
    Proxy,
    /// `metrics`: whoever monitors this server, which the first thread alone answers.
    Metrics,
}

impl Role {
    /// All of them, each by its name.
    pub const ALL: [(&'static str, Role); 3] = [("http", Role::Http), ("proxy", Role::Proxy), ("metrics", Role::Metrics)];

    fn kind(self) -> ListenerKind {
        match self {
            Role::Http => ListenerKind::Plain,
            Role::Proxy => ListenerKind::Proxy,
            Role::Metrics => ListenerKind::Metrics,
        }
    }
}

/// A listener that was handed down.
pub struct Inherited {
    socket: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it is for.
    pub role: Role,
}

/// Takes over the listeners of these roles: those that LISTEN_FDS of this process's environment tells of. Only once.
///
/// # Errors
/// [`BindError::Inherited`] for the first one that is none, [`BindError::Roles`] for an address that has two roles: the kernel would
/// choose which of them a connection gets.
pub fn take(roles: &[Role], write: Duration) -> Result<Vec<Inherited>, BindError> {
    // Before anybody owns a descriptor, whether it is there is asked of its number.
    let mut numbers = (FIRST..).take(roles.len());
    if let Some(number) = numbers.find(|&number| getsockname::<SockaddrStorage>(number).is_err()) {
        return Err(BindError::Inherited(number));
    }
    let handed = if roles.is_empty() { Vec::new() } else { sd_listen_fds::get().unwrap_or_default() };
    let take = |((_, descriptor), &role): ((_, sd_listen_fds::OwnedFd), &Role)| {
        let socket = TcpListener::from(descriptor);
        if !is_tcp_listener(&socket) {
            return Err(BindError::Inherited(socket.as_raw_fd()));
        }
        let address = prepare(&socket, write).map_err(BindError::Resources)?;
        Ok(Inherited { socket, address, role })
    };
    let all = handed.into_iter().zip(roles).map(take).collect::<Result<Vec<_>, _>>()?;
    let has_another_role = |one: &&Inherited| all.iter().any(|other| other.address == one.address && other.role != one.role);
    match all.iter().find(has_another_role) {
        Some(one) => Err(BindError::Roles(one.address)),
        None => Ok(all),
    }
}

fn is_tcp_listener(socket: &TcpListener) -> bool {
    let (is_listener, protocol) = (SockRef::from(socket).is_listener(), SockRef::from(socket).protocol());
    matches!((is_listener, protocol), (Ok(true), Ok(Some(Protocol::TCP))))
}

/// What `listener::open` does for our own. It stays with the listener, as it is right for the next process too.
fn prepare(socket: &TcpListener, write: Duration) -> io::Result<SocketAddr> {
    listener::prepare(&SockRef::from(socket), write)?;
    listener::defer_accept(socket)?;
    socket.local_addr()
}

/// The listeners of one of `threads` threads: of each address its share, and one at least; those for monitoring are the first one's.
///
/// # Errors
/// The kernel gives no descriptor.
pub fn share(all: &[Inherited], thread: usize, threads: usize) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for (index, inherited) in all.iter().enumerate() {
        let is_alike = |other: &&Inherited| other.address == inherited.address;
        let alike = all.iter().filter(is_alike).count();
        let place = all[..index].iter().filter(is_alike).count();
        let is_here = match inherited.role {
            Role::Metrics => thread == 0,
            Role::Http | Role::Proxy => is_for(place, alike, thread, threads),
        };
        if is_here {
            let socket = mio::net::TcpListener::from_std(inherited.socket.try_clone()?);
            listeners.push(Listener::inherited(socket, inherited.role.kind()));
        }
    }
    Ok(listeners)
}

/// Whether a thread has the listener in this place among those of the same address.
fn is_for(place: usize, alike: usize, thread: usize, threads: usize) -> bool {
    place % threads == thread || thread % alike == place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_a_listener_and_every_listener_a_thread() {
        for alike in 1..10 {
            for threads in 1..10 {
                let has = |place: usize, thread: usize| is_for(place, alike, thread, threads);
                assert!((0..threads).all(|thread| (0..alike).any(|place| has(place, thread))), "{alike} {threads}");
                assert!((0..alike).all(|place| (0..threads).any(|thread| has(place, thread))), "{alike} {threads}");
                let pairs = (0..threads).flat_map(|thread| (0..alike).map(move |place| (place, thread)));
                let count = pairs.filter(|&(place, thread)| has(place, thread)).count();
                assert_eq!(count, alike.max(threads), "{alike} {threads}: no more than need be");
            }
        }
    }
}
