//! One connection: a socket, whose it is, and what is held for it.
//!
//! ```text
//! Open ──▶ Unserved ──▶ Open          more was asked than one output holds
//!  │          │
//!  └──────────┴──▶ Flushing ──▶ Lingering ──▶ closed
//! ```
//!
//! What the connection waits for is computed from this state each time it has been driven, so it cannot be forgotten.

use super::deadlines::Millis;
use crate::client::Peer;
use crate::exchange::{Next, ProxyFault, Service, State, Waiting};
use mio::Interest;
use mio::net::TcpStream;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use socket2::SockRef;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::AsRawFd;

/// The most reads of one connection before the others have their turn.
const READS_MAX: usize = 16;

/// How long a client may go on sending after the last answer, whatever it sends: reading stops then, and closing may reset the
/// answer. Not a number of bytes: nginx passes a whole upload on before it reads the answer to it, and takes a reset for a dead
/// server.
const LINGER_MAX: Millis = 30_000;

/// What a worker lends to a connection while it drives it.
pub struct Lent {
    /// Answers.
    pub service: Service,
    /// Room for input: the longest head twice, so that behind the start of one there is always room for its rest.
    pub input: Vec<u8>,
    /// Room for answers.
    pub output: Vec<u8>,
    /// The time of this turn.
    pub now: Millis,
}

/// What came of driving a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for what [`Connection::wanted`] says. `progress`: it was answered, or some output went out.
    Stays { progress: bool },
    /// It has had its turn and wants another one.
    Ready,
    /// All is said.
    Closes,
    /// There is nothing to say.
    Aborts(ProxyFault),
}

/// What came of taking up what was under way.
enum Resumed {
    /// Behind so many bytes of the input there is more to read.
    Reads { kept: usize },
    /// So many bytes of the input were read before and are to be served.
    Serves { length: usize },
    /// Something else is to be taken up.
    GoesOn,
    /// There is nothing more to do now.
    Ends(Fate),
}

/// A client's connection. Small, because there may be a million of them: what an idle one does not need is boxed.
pub struct Connection {
    pub stream: TcpStream,
    pub peer: Peer,
    pub phase: Phase,
    /// What epoll was told; `None` before it was told anything.
    pub interest: Option<Interest>,
    /// It waits in the worker's ready list.
    pub is_ready: bool,
    /// Nothing while it is idle.
    pub held: Option<Box<Held>>,
}

/// How far a connection's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Requests are read.
    Open,
    /// Requests that have been read wait for room in the output.
    Unserved,
    /// The last answer goes out.
    Flushing {
        /// The client may still be sending.
        linger: bool,
    },
    /// The last answer is out; what the client still sends is read and dropped.
    Lingering,
    /// It is to be closed without a word.
    Aborted(ProxyFault),
}

/// What a connection that is not idle needs.
#[derive(Debug, Default)]
pub struct Held {
    /// Where the exchange stands.
    pub state: State,
    /// Input that was not consumed.
    pub input: Vec<u8>,
    /// Output that the socket did not take.
    pub unsent: Vec<u8>,
    /// When lingering ends, even if the client is still sending.
    pub linger_until: Millis,
}

impl Held {
    /// Whether it holds nothing that an idle connection does not.
    fn is_empty(&self) -> bool {
        self.input.is_empty() && self.unsent.is_empty() && self.state.waiting() == Waiting::Idle
    }
}

impl Connection {
    /// A connection that was just accepted; `proxy`: it begins with a PROXY header.
    pub fn new(stream: TcpStream, peer: Peer, proxy: bool) -> Connection {
        let held = proxy.then(|| Box::new(Held { state: State::Proxy, ..Held::default() }));
        Connection { stream, peer, phase: Phase::Open, interest: None, is_ready: false, held }
    }

    /// What to be told of next: a client that does not read is not read from.
    pub fn wanted(&self) -> Interest {
        if self.is_blocked() { Interest::WRITABLE } else { Interest::READABLE }
    }

    /// Whether nothing has arrived that was not answered.
    pub fn is_silent(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.input.is_empty() && held.unsent.is_empty())
    }

    /// Whether nothing is under way, and the next request may come.
    pub fn is_idle(&self) -> bool {
        self.held.is_none() && self.phase == Phase::Open
    }

    /// What the exchange waits for.
    pub fn waiting(&self) -> Waiting {
        self.held.as_ref().map_or(Waiting::Idle, |held| held.state.waiting())
    }

    /// Does all that can be done now: flush what is owed, read, answer, and so on, until the socket has no more to give or to
    /// take. `read_closed`: epoll says that the client has sent its FIN, which is behind the last bytes to read.
    pub fn drive(&mut self, lent: &mut Lent, read_closed: bool) -> Fate {
        // After an error there is nobody left to talk to.
        self.try_drive(lent, read_closed).unwrap_or(Fate::Closes)
    }

    fn try_drive(&mut self, lent: &mut Lent, read_closed: bool) -> io::Result<Fate> {
        let mut progress = false;
        for _ in 0..READS_MAX {
            let resumed = if self.is_idle() { Resumed::Reads { kept: 0 } } else { self.resume(lent, &mut progress)? };
            let (length, is_full) = match resumed {
                Resumed::Reads { kept } => match self.receive(&mut lent.input[kept..])? {
                    None => return Ok(Fate::Stays { progress }),
                    // A client that is done and is owed nothing: nearly every end of a connection.
                    Some(0) if self.held.is_none() => return Ok(Fate::Closes),
                    Some(0) => {
                        self.end(lent, kept)?;
                        continue;
                    }
                    Some(length) => (kept + length, kept + length == lent.input.len()),
                },
                Resumed::Serves { length } => (length, true),
                Resumed::GoesOn => continue,
                Resumed::Ends(fate) => return Ok(fate),
            };
            progress |= self.serve(lent, length, is_full)?;
            // A short read has emptied the socket; unless a FIN is behind it, the next bytes make a new event.
            if self.phase == Phase::Open && !is_full && !read_closed {
                return Ok(Fate::Stays { progress });
            }
        }
        Ok(Fate::Ready)
    }

    /// Takes up what is under way.
    #[cold]
    fn resume(&mut self, lent: &mut Lent, progress: &mut bool) -> io::Result<Resumed> {
        *progress |= self.flush()?;
        if self.is_blocked() {
            return Ok(Resumed::Ends(Fate::Stays { progress: *progress }));
        }
        match self.phase {
            Phase::Open | Phase::Unserved => {}
            Phase::Flushing { linger } => {
                self.finish_sending();
                if !linger {
                    return Ok(Resumed::Ends(Fate::Closes));
                }
                self.held = Some(Box::new(Held { linger_until: lent.now + LINGER_MAX, ..Held::default() }));
                self.phase = Phase::Lingering;
                return Ok(Resumed::GoesOn);
            }
            Phase::Aborted(fault) => return Ok(Resumed::Ends(Fate::Aborts(fault))),
            Phase::Lingering => return self.linger(lent).map(Resumed::Ends),
        }
        let kept = self.held.as_ref().map_or(0, |held| held.input.len());
        if let Some(held) = &self.held {
            lent.input[..kept].copy_from_slice(&held.input);
        }
        Ok(if self.phase == Phase::Unserved { Resumed::Serves { length: kept } } else { Resumed::Reads { kept } })
    }

    /// Answers the first `length` bytes of the input and sends; true if anything was answered.
    fn serve(&mut self, lent: &mut Lent, length: usize, is_full: bool) -> io::Result<bool> {
        let mut fresh = State::default();
        let state = self.held.as_mut().map_or(&mut fresh, |held| &mut held.state);
        lent.output.clear();
        let served = lent.service.serve(state, &mut self.peer, &lent.input[..length], is_full, &mut lent.output);
        let rest = &lent.input[served.consumed..length];
        let (phase, rest) = match served.next {
            Next::Read => (Phase::Open, rest),
            Next::Again => (Phase::Unserved, rest),
            Next::Close { linger } => (Phase::Flushing { linger }, &[][..]),
            Next::Abort(fault) => (Phase::Aborted(fault), &[][..]),
        };
        self.phase = phase;
        let sent = self.send(&lent.output, matches!(phase, Phase::Flushing { .. }))?;
        let unsent = &lent.output[sent..];
        // Nearly always: all is answered and sent, and nothing was held.
        if self.held.is_some() || !rest.is_empty() || !unsent.is_empty() || fresh.waiting() != Waiting::Idle {
            self.hold(fresh, rest, unsent);
        }
        Ok(served.answered)
    }

    /// The client has sent its FIN: says what is still to be said.
    fn end(&mut self, lent: &mut Lent, kept: usize) -> io::Result<()> {
        lent.output.clear();
        if let Some(held) = &mut self.held {
            lent.service.end(&mut held.state, &lent.input[..kept], &mut lent.output);
        }
        self.last(&lent.output, false)
    }

    /// What the connection waits for did not come in time: says what is still to be said.
    ///
    /// # Errors
    /// The socket's.
    pub fn expire(&mut self, lent: &mut Lent) -> io::Result<()> {
        lent.output.clear();
        if let Some(held) = &mut self.held {
            lent.service.expire(&mut held.state, &held.input, &mut lent.output);
        }
        self.last(&lent.output, true)
    }

    fn last(&mut self, output: &[u8], linger: bool) -> io::Result<()> {
        self.phase = Phase::Flushing { linger };
        let sent = self.send(output, true)?;
        if self.held.is_some() || sent < output.len() {
            self.hold(State::default(), &[], &output[sent..]);
        }
        Ok(())
    }

    /// Keeps what is neither served nor sent. `fresh` is the state where none was held.
    #[cold]
    fn hold(&mut self, fresh: State, input: &[u8], unsent: &[u8]) {
        let held = self.held.get_or_insert_with(|| Box::new(Held { state: fresh, ..Held::default() }));
        held.input.clear();
        held.input.extend_from_slice(input);
        held.unsent.extend_from_slice(unsent);
        if held.is_empty() {
            self.held = None;
        }
    }

    /// Sends what is owed; true if some of it went out.
    fn flush(&mut self) -> io::Result<bool> {
        let Some(mut held) = self.held.take_if(|held| !held.unsent.is_empty()) else { return Ok(false) };
        let sent = self.send(&held.unsent, matches!(self.phase, Phase::Flushing { .. }));
        held.unsent.drain(..*sent.as_ref().unwrap_or(&0));
        self.held = if held.is_empty() { None } else { Some(held) };
        Ok(sent? > 0)
    }

    fn is_blocked(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.unsent.is_empty())
    }

    /// Reads and drops what the client still sends, so that closing does not reset the answer.
    fn linger(&mut self, lent: &mut Lent) -> io::Result<Fate> {
        let is_over = self.held.as_ref().is_none_or(|held| lent.now >= held.linger_until);
        for reads in 0..READS_MAX {
            match self.discard(&mut lent.input)? {
                None => return Ok(Fate::Stays { progress: reads > 0 }),
                Some(0) => return Ok(Fate::Closes),
                Some(_) if is_over => return Ok(Fate::Closes),
                Some(_) => {}
            }
        }
        Ok(Fate::Ready)
    }

    /// Takes what has arrived off the socket without copying it (MSG_TRUNC, tcp(7)); `buffer` is only as long as what is taken.
    ///
    /// # Errors
    /// The socket's, but for interruptions.
    fn discard(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match recv(self.stream.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
                Ok(length) => return Ok(Some(length)),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Receives into `buffer`; `Ok(None)` where nothing has arrived.
    ///
    /// # Errors
    /// The socket's, but for interruptions.
    #[inline(always)] // Its loop keeps the compiler from doing it.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.stream.read(buffer) {
                Ok(length) => return Ok(Some(length)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends what the socket takes of `bytes` and tells how much that was. `more`: something follows at once, even if only the
    /// FIN, which then travels in the same segment.
    ///
    /// # Errors
    /// The socket's, but for interruptions.
    #[inline(always)] // As above.
    fn send(&self, mut bytes: &[u8], more: bool) -> io::Result<usize> {
        let flags = libc::MSG_NOSIGNAL | if more { libc::MSG_MORE } else { 0 };
        let all = bytes.len();
        while !bytes.is_empty() {
            match SockRef::from(&self.stream).send_with_flags(bytes, flags) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all - bytes.len())
    }

    /// Sends the FIN. Where the client has reset the connection there is nobody to tell.
    fn finish_sending(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}
