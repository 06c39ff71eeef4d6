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
            Err(error) if socket::is_shortage(&error) => Err(Reply::Busy),
            Err(_) => Err(Reply::Port { is_open: false }),
        }
    }

    /// When it is given up.
    pub fn due(&self) -> Millis {
        self.end
    }

    /// Goes on; the reply when there is one.
    pub fn advance(&self, now: Millis) -> Option<Reply> {
        let is_failed = !matches!(self.stream.take_error(), Ok(None));
        // An event may be meant for a socket that was here before: only one that is connected has a peer.
        let is_open = !is_failed && self.stream.peer_addr().is_ok();
        (is_failed || is_open || now >= self.end).then_some(Reply::Port { is_open })
    }
}
