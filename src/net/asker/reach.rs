//! Whether a port can be reached: a connection is made, and closed before anything is said.

use super::Scene;
use crate::net::deadlines::Millis;
use crate::net::socket;
use crate::resource::Reply;
use mio::Interest;
use mio::net::TcpStream;
use std::io;
use std::net::SocketAddr;

/// In milliseconds: the first packet is sent again after one second, so that one may be lost.
const TIMEOUT: Millis = 2000;

/// A connection that is being made.
pub struct Reach {
    stream: TcpStream,
    end: Millis,
}

impl Reach {
    /// Begins to connect.
    ///
    /// # Errors
    /// The reply, where there is one at once.
    pub fn begin(address: SocketAddr, scene: &Scene<'_>) -> Result<Reach, Reply> {
        let connect = || {
            let mut stream = TcpStream::connect(address)?;
            scene.registry.register(&mut stream, scene.token, Interest::WRITABLE)?;
            io::Result::Ok(stream)
        };
        match connect() {
            Ok(stream) => {
                // It is closed by a reset, which leaves no port of this machine waiting for a minute.
                socket::give_up(&stream);
                Ok(Reach { stream, end: scene.now + TIMEOUT })
            }
            Err(error) if socket::is_shortage(&error, address) => Err(Reply::Busy),
            // The kernel sends nothing where it knows no way to this address, so nothing was learnt of the port. A port of this machine
            // may refuse at once.
            Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Err(Reply::NoRoute),
            Err(_) => Err(Reply::Port { is_open: false }),
        }
    }

    /// When it is given up.
    pub fn due(&self) -> Millis {
        self.end
    }

    /// Goes on; the reply when there is one.
    pub fn advance(&self, now: Millis) -> Option<Reply> {
        let is_open = match self.stream.take_error() {
            // An event may be meant for a socket that was here before: only one that is connected has a peer.
            Ok(None) => self.stream.peer_addr().is_ok().then_some(true),
            Ok(Some(error)) => Some(was_established(&error)),
            Err(_) => Some(false),
        };
        match is_open {
            Some(is_open) => Some(Reply::Port { is_open }),
            None => (now >= self.end).then_some(Reply::TimedOut),
        }
    }
}

/// Whether a connection with this error had been established: who accepts a connection and resets it has an open port. A reset in place of
/// an answer to the first packet is ECONNREFUSED (tcp(7)); with a FIN before it, it is EPIPE.
fn was_established(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}
