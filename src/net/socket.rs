//! What is done with one socket: receive, send, and the ways to end.

use mio::net::TcpStream;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Receives into `buffer`; `Ok(None)` where nothing has arrived.
///
/// # Errors
/// The socket's, but for interruptions.
pub fn receive(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        match stream.read(buffer) {
            Ok(length) => return Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Takes what has arrived off the socket without copying it (MSG_TRUNC, tcp(7)), at most as many bytes as `buffer` has.
///
/// # Errors
/// The socket's, but for interruptions.
pub fn discard(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        match recv(stream.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
            Ok(length) => return Ok(Some(length)),
            Err(Errno::EAGAIN) => return Ok(None),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether something has arrived that was not received. A FIN is nothing; an error is told by whatever is done next.
pub fn has_input(stream: &TcpStream) -> bool {
    recv(stream.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK).is_ok_and(|length| length > 0)
}

/// Sends what the socket takes of `bytes` and tells how much that was. `more`: something follows at once, even if only the
/// FIN, which then travels in the same segment.
///
/// # Errors
/// The socket's, but for interruptions.
#[inline(always)] // 23 instructions a request.
pub fn send(stream: &TcpStream, mut bytes: &[u8], more: bool) -> io::Result<usize> {
    let flags = libc::MSG_NOSIGNAL | if more { libc::MSG_MORE } else { 0 };
    let all = bytes.len();
    while !bytes.is_empty() {
        match SockRef::from(stream).send_with_flags(bytes, flags) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all - bytes.len())
}

/// Sends the FIN. Where the client has reset the connection there is nobody to tell.
pub fn finish_sending(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
}

/// Has the connection reset when it is closed, and what the kernel holds of it dropped: only for a client that reads nothing. An
/// orderly close would leave all that to the kernel for minutes, where no limit of ours counts it.
pub fn give_up(stream: &TcpStream) {
    // It fails only on a socket that is gone.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Whether connecting to this address failed because the kernel gave no socket, no port or no memory: no word on what was asked.
pub fn is_shortage(error: &io::Error, address: SocketAddr) -> bool {
    const SHORTAGES: [i32; 5] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN];
    match error.raw_os_error() {
        // All ports are in use, or this machine has no address of that family, as where IPv6 is switched off.
        Some(libc::EADDRNOTAVAIL) => has_source(address),
        Some(code) => SHORTAGES.contains(&code),
        None => false,
    }
}

/// Whether this machine has an address from which it could send to this one. Nothing is sent, and ports of TCP are not needed for it.
fn has_source(address: SocketAddr) -> bool {
    let connect = || Socket::new(Domain::for_address(address), Type::DGRAM.cloexec(), None)?.connect(&address.into());
    match connect() {
        Ok(()) => true,
        Err(error) => error.raw_os_error() != Some(libc::EADDRNOTAVAIL) && is_shortage(&error, address),
    }
}
