//! One question to a resolver, over a socket of its own: whoever wants to answer it from elsewhere must guess its port, which the kernel
//! chose at random, and its id (RFC 5452).

use super::Scene;
use crate::dns::{self, Question, REPLY_MAX, Records};
use crate::net::deadlines::Millis;
use mio::Interest;
use mio::net::UdpSocket;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// How often it is sent: a datagram may be lost.
const TRIES_MAX: u8 = 2;

/// In milliseconds. A resolver that has to ask others takes longer than this for few names, and goes on meanwhile.
const TRY_TIMEOUT: Millis = 1000;

/// Datagrams from the resolver's address that are not the reply, after which someone is guessing: a resolver sends none.
const FOREIGN_MAX: u8 = 32;

/// A question under way.
pub struct Query {
    socket: UdpSocket,
    id: u16,
    question: Question,
    tries: u8,
    foreign: u8,
    /// When this try is over.
    pub due: Millis,
}

/// What became of it.
pub enum Status {
    /// It has time left.
    Pending,
    /// This came.
    Answered(Records),
    /// Nothing has in time.
    TimedOut,
    /// Nothing will: nobody is there.
    Failed,
}

impl Query {
    /// Asks.
    ///
    /// # Errors
    /// The kernel gives no socket, or knows no way to the resolver.
    pub fn begin(question: Question, resolver: SocketAddr, scene: &mut Scene<'_>) -> io::Result<Query> {
        let kind = Type::DGRAM.nonblocking().cloexec();
        let socket = Socket::new(Domain::for_address(resolver), kind, Some(Protocol::UDP))?;
        // Connected, it takes datagrams from the resolver alone, and hears of it when there is none (ICMP).
        socket.connect(&SockAddr::from(resolver))?;
        let mut socket = UdpSocket::from_std(socket.into());
        scene.registry.register(&mut socket, scene.token, Interest::READABLE)?;
        let id = scene.ids.next();
        let mut begun = Query { socket, id, question, tries: 0, foreign: 0, due: 0 };
        begun.send(scene.now)?;
        Ok(begun)
    }

    /// Looks at what has come, and asks again where nothing has in time.
    pub fn advance(&mut self, now: Millis) -> Status {
        let mut buffer = [0; REPLY_MAX];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => match dns::read(&buffer[..length], self.id, &self.question) {
                    Some(records) => return Status::Answered(records),
                    None => self.foreign += 1,
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Status::Failed,
            }
            if self.foreign >= FOREIGN_MAX {
                return Status::Failed;
            }
        }
        match now >= self.due {
            true if self.tries >= TRIES_MAX => Status::TimedOut,
            true if self.send(now).is_err() => Status::Failed,
            _ => Status::Pending,
        }
    }

    /// Sends it, the second time like the first, so that a late reply to that is one, too.
    fn send(&mut self, now: Millis) -> io::Result<()> {
        self.tries += 1;
        self.due = now + TRY_TIMEOUT;
        match self.socket.send(&dns::query(self.id, &self.question)) {
            // As if it were lost.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }
}
