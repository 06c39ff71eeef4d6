//! Listening sockets: one of each address for each thread, sharing the port (SO_REUSEPORT), so that the kernel spreads the
//! connections and no thread waits for another.

use super::backlog::{BACKLOG_MAX, Backlog};
use super::deadlines::Millis;
use super::{BindError, Listen, ListenerKind};
use mio::net::{TcpListener, TcpStream};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use nix::{setsockopt_impl, sockopt_impl};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

/// The seconds for which the kernel keeps a connection to itself that has sent nothing yet.
const DEFER_ACCEPT: i32 = 1;

/// What the kernel may hold of answers that a client does not read; it takes twice as much. Left to itself it grows to 4 MiB for
/// each connection.
const SEND_BUFFER: usize = 128 * 1024;

/// What the kernel may hold of requests that are not read yet; it takes twice as much. More than two of the longest heads, so that
/// pipelining and content don't wait for it.
const RECEIVE_BUFFER: usize = 64 * 1024;

/// Where to listen when nothing was said.
pub const DEFAULT_PORT: u16 = 8080;

/// A listening socket of one thread.
pub struct Listener {
    /// The socket, or a duplicate of it.
    pub socket: TcpListener,
    /// What comes to it.
    pub kind: ListenerKind,
    /// It was handed down, and others have it too: it is left as it is when this process stops.
    pub is_inherited: bool,
    /// It may have connections for us that no new event will announce.
    pub is_ready: bool,
    /// Nothing is accepted from it before this, because it has failed.
    pub rests_until: Millis,
    backlog: Backlog,
}

impl Listener {
    /// One that was handed down.
    pub fn inherited(socket: TcpListener, kind: ListenerKind) -> Listener {
        Listener::new(socket, kind, true)
    }

    fn new(socket: TcpListener, kind: ListenerKind, is_inherited: bool) -> Listener {
        Listener { socket, kind, is_inherited, is_ready: false, rests_until: 0, backlog: Backlog::default() }
    }

    /// Whether to accept from it now.
    pub fn is_due(&self, now: Millis) -> bool {
        self.is_ready && self.rests_until <= now
    }

    /// To be told at the end of each turn how many were accepted: adapts the length of the queue. Not where others have it too, nor where
    /// accepting fails.
    pub fn adapt_backlog(&mut self, accepted: u32, now: Millis) {
        if self.rests_until <= now {
            let length = self.backlog.adapt(accepted, !self.is_ready, now);
            self.set_backlog(length);
        }
    }

    /// Forgets how fast connections are accepted.
    pub fn forget_pace(&mut self) {
        self.backlog.forget();
    }

    /// Lets as many wait as at the start.
    pub fn reset_backlog(&mut self) {
        let length = self.backlog.reset();
        self.set_backlog(length);
    }

    fn set_backlog(&self, length: Option<u16>) {
        if let Some(length) = length.filter(|_| !self.is_inherited) {
            // On a listening socket, listen(2) only changes the length of the queue.
            let _ = SockRef::from(&self.socket).listen(length.into());
        }
    }

    /// Whether a connection waits to be accepted; true where the kernel does not tell.
    pub fn has_waiting(&self) -> bool {
        let mut descriptors = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut descriptors, PollTimeout::ZERO) != Ok(0)
    }
}

/// Resolves where to listen: a port is chosen where 0 was asked for, and a bare port is IPv4's alone on a machine without IPv6.
///
/// # Errors
/// [`BindError::Taken`] where anyone listens there already: with SO_REUSEPORT a second program of the same user would get a
/// share of the connections, silently.
pub fn resolve(listen: Listen) -> Result<Listen, BindError> {
    let address = listen.address;
    let error = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken(address),
        _ => BindError::Other { address, source },
    };
    match probe(address) {
        Ok(address) => Ok(Listen { address, ..listen }),
        Err(_) if listen.any && address.is_ipv6() && !has_ipv6() => {
            resolve(Listen { address: (Ipv4Addr::UNSPECIFIED, address.port()).into(), ..listen })
        }
        Err(source) => Err(error(source)),
    }
}

/// Binds without SO_REUSEPORT, which fails where anyone listens, and lets go again.
fn probe(address: SocketAddr) -> io::Result<SocketAddr> {
    let socket = socket(address)?;
    socket.bind(&address.into())?;
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn has_ipv6() -> bool {
    socket((Ipv6Addr::UNSPECIFIED, 0).into())
        .and_then(|socket| socket.bind(&SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).into()))
        .is_ok()
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    Ok(socket)
}

/// Opens one thread's socket of a [resolved](resolve) address. Accepted sockets inherit its options, so that none needs a system
/// call of its own. `write`: how long a client may take nothing of what was sent to it.
///
/// # Errors
/// [`BindError`], though `resolve` will have met it before.
pub fn open(listen: Listen, write: Duration) -> Result<Listener, BindError> {
    let open = || {
        let socket = socket(listen.address)?;
        socket.set_reuse_port(true)?;
        prepare(&SockRef::from(&socket), write)?;
        socket.bind(&listen.address.into())?;
        socket.listen(BACKLOG_MAX.into())?;
        defer_accept(&socket)?;
        Ok(TcpListener::from_std(socket.into()))
    };
    open()
        .map(|socket| Listener::new(socket, listen.kind, false))
        .map_err(|source| BindError::Other { address: listen.address, source })
}

/// Sets what accepted sockets inherit, and what an event loop needs. `write`: how long a client may take nothing of what was sent
/// to it.
///
/// # Errors
/// The kernel's.
pub fn prepare(socket: &SockRef<'_>, write: Duration) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_tcp_user_timeout(Some(write))
}

/// Has the kernel keep back connections that have sent nothing yet.
///
/// # Errors
/// The kernel's.
pub fn defer_accept(listener: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(listener, TcpDeferAccept, &DEFER_ACCEPT)?)
}

/// Has the kernel announce connections from now on that have sent nothing yet. Those that it holds back when a listener is
/// closed are reset.
///
/// # Errors
/// The kernel's.
pub fn announce_at_once(listener: &TcpListener) -> io::Result<()> {
    Ok(setsockopt(listener, TcpDeferAccept, &0)?)
}

/// Has the kernel drop every new SYN, as if it were lost on its way. Closing a listener resets the handshakes that are under way
/// and what waits to be accepted; after this they are completed and accepted, and no others begin. A client whose SYN was dropped
/// tries again after a second and is refused then.
///
/// Packets must arrive with the greatest hop limit there is, which only a neighbour that asks for it sends (RFC 5082). A socket
/// filter could look for SYNs themselves, but needs CAP_NET_ADMIN. Handshakes under way don't pass this check; the sockets that
/// come of them inherit it, so each that is accepted from now on needs [`hear`].
///
/// # Errors
/// The kernel's.
pub fn ignore_new(listener: &TcpListener) -> io::Result<()> {
    set_hops_min(listener, listener.local_addr()?, HOPS)
}

/// Takes back on an accepted socket what it has inherited from [`ignore_new`].
///
/// # Errors
/// The kernel's.
pub fn hear(stream: &TcpStream) -> io::Result<()> {
    set_hops_min(stream, stream.local_addr()?, 0)
}

/// A dual-stack socket needs it for both families.
fn set_hops_min(socket: &impl AsFd, address: SocketAddr, hops: i32) -> io::Result<()> {
    if address.is_ipv6() {
        setsockopt(socket, Ipv6HopsMin, &hops)?;
    }
    Ok(setsockopt(socket, Ipv4HopsMin, &hops)?)
}

/// The greatest hop limit.
const HOPS: i32 = 255;

sockopt_impl!(
    /// The seconds for which a connection that has sent nothing is kept back (tcp(7)).
    TcpDeferAccept, SetOnly, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, i32, SetStruct<i32>);
sockopt_impl!(
    /// Packets with a lower TTL are dropped (ip(7)).
    Ipv4HopsMin, SetOnly, libc::IPPROTO_IP, libc::IP_MINTTL, i32, SetStruct<i32>);
sockopt_impl!(
    /// The same for IPv6.
    Ipv6HopsMin, SetOnly, libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT, i32, SetStruct<i32>);
