//! Listening sockets: one of each address for each thread, sharing the port (SO_REUSEPORT), so that the kernel spreads the
//! connections and no thread waits for another.

use super::{BindError, Listen};
use mio::net::TcpListener;
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

/// The kernel's queue of connections that nobody has accepted yet. With the 128 that std and mio ask for, 8,000 connections
/// at once took six times as long as with this.
const BACKLOG: i32 = 4096;

/// The seconds for which the kernel keeps a connection to itself that has sent nothing yet.
const DEFER_ACCEPT: i32 = 1;

/// Where to listen when nothing was said.
pub const DEFAULT_PORT: u16 = 8080;

/// Settles where to listen: a port is chosen where 0 was asked for, and a bare port is IPv4's alone on a machine without IPv6.
///
/// # Errors
/// [`BindError::Taken`] where anyone listens there already: with SO_REUSEPORT a second program of the same user would get a
/// share of the connections, silently.
pub fn settle(listen: Listen) -> Result<Listen, BindError> {
    let address = listen.address;
    let error = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken(address),
        _ => BindError::Other { address, source },
    };
    match probe(address) {
        Ok(address) => Ok(Listen { address, ..listen }),
        Err(_) if listen.any && address.is_ipv6() && !has_ipv6() => {
            settle(Listen { address: (Ipv4Addr::UNSPECIFIED, address.port()).into(), ..listen })
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

/// Opens one thread's socket of a [settled](settle) address.
///
/// # Errors
/// [`BindError`], though `settle` will have met it before.
pub fn open(listen: Listen) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = socket(listen.address)?;
        socket.set_reuse_port(true)?;
        // Accepted sockets inherit it: a system call less for each.
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&listen.address.into())?;
        socket.listen(BACKLOG)?;
        set_defer_accept(&socket, DEFER_ACCEPT)?;
        Ok(TcpListener::from_std(socket.into()))
    };
    open().map_err(|source| BindError::Other { address: listen.address, source })
}

/// Has the kernel announce connections from now on that have sent nothing yet. Those that it holds back when a listener is
/// closed are reset.
///
/// # Errors
/// The kernel's.
pub fn announce_at_once(listener: &TcpListener) -> io::Result<()> {
    set_defer_accept(&SockRef::from(listener), 0)
}

/// Has the kernel drop each SYN from now on, as if it were lost on its way. Closing a listener resets the handshakes that are
/// under way and what waits to be accepted: behind this they end and are accepted, and nothing comes after them. Who is
/// dropped tries again after a second and is refused.
///
/// # Errors
/// The kernel's.
pub fn ignore_new(listener: &TcpListener) -> io::Result<()> {
    const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
    const SKIP_UNLESS_SET: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    /// Where the flags stand in a TCP header (RFC 9293 §3.1), and the one of a new connection.
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(SKIP_UNLESS_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[allow(unsafe_code)]
fn set_defer_accept(socket: &Socket, seconds: libc::c_int) -> io::Result<()> {
    let length = size_of_val(&seconds) as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the value is a c_int that outlives the call, and its
    // length is passed with it. No crate offers this option.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, (&raw const seconds).cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
