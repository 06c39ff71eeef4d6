//! One connection: a socket, whose it is, and what is under way on it.
//!
//! ```text
//! Open ──▶ Unserved ──▶ Open          more was asked than one output holds
//! Open ──▶ Waiting ──▶ Open           a look-up
//!  │          │
//!  └──────────┴──▶ Flushing ──▶ Lingering ──▶ closed
//! ```
//!
//! What the connection waits for is computed from this state each time it has been driven, so it cannot be forgotten.

mod active;
mod ending;
mod reply;

use super::ListenerKind;
use super::deadlines::Millis;
use super::shared::Shared;
use super::socket;
use super::sources::Source;
use super::wait::Activity;
use crate::client::{Peer, Rule};
use crate::exchange::{Next, OUTPUT_MAX, ProxyFault, Served, State, Waiting};
use crate::observe::metrics::Closed;
use active::{Active, phase};
use mio::Interest;
use mio::net::TcpStream;
use std::io;
use std::net::SocketAddr;

pub use active::Phase;

/// How often one connection is read, each time into the worker's room for input, before the others have their turn: 128 KiB.
/// At 100 instructions for each byte, which no head is known to reach, that is below 5 ms; the worst known takes 1.3 ms.
const READS_MAX: usize = 4;

/// How long a client may go on sending after the last answer, whatever it sends: reading stops then, and closing may reset the
/// answer. Not a number of bytes: nginx passes a whole upload on before it reads the answer to it, and takes a reset for a dead
/// server.
const LINGER_MAX: Millis = 30_000;

/// What came of driving a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for what [`Connection::wanted`] says. `progress`: it was answered, or some output went out.
    Stays { progress: bool },
    /// It has had its turn and wants another one.
    Ready,
    /// It waits for the reply to [`Connection::question`], which is to be asked.
    Asks,
    /// It is to be closed: all was sent, or it has failed.
    Closes,
    /// It is to be closed at once, without an answer: its PROXY header is wrong, or its sender is not trusted.
    Aborts(ProxyFault),
}

/// What came of taking up what was under way.
enum Resumed {
    /// There is more to read.
    Reads,
    /// The input that is kept is to be served.
    Serves,
    /// Something else is to be taken up.
    GoesOn,
    /// There is nothing more to do now.
    Ends(Outcome),
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
    /// What it came to.
    pub kind: ListenerKind,
    /// Why it ends, where that is not its last answer.
    pub closed: Option<Closed>,
    /// It is counted for its source; until a PROXY header has named a client, there may be none.
    pub is_counted: bool,
    /// Nothing while it is idle.
    pub active: Option<Box<Active>>,
}

impl Connection {
    /// A connection that was just accepted from this address.
    pub fn new(stream: TcpStream, address: SocketAddr, kind: ListenerKind, rule: &Rule) -> Connection {
        let peer = if kind == ListenerKind::Metrics { rule.monitor(address) } else { rule.peer(address) };
        let is_proxy = kind == ListenerKind::Proxy;
        let active = is_proxy.then(|| Box::new(Active { state: State::Proxy, ..Active::default() }));
        let (phase, interest, closed) = (Phase::Open, None, None);
        Connection { stream, peer, phase, interest, is_ready: false, kind, closed, is_counted: false, active }
    }

    /// Notes why it ends; of several reasons the first.
    pub fn ends(&mut self, reason: Closed) {
        self.closed.get_or_insert(reason);
    }

    /// The readiness to wait for: a client that does not read is not read from.
    pub fn wanted(&self) -> Interest {
        if self.is_blocked() { Interest::WRITABLE } else { Interest::READABLE }
    }

    /// Whether nothing has arrived that was not answered.
    pub fn is_silent(&self) -> bool {
        self.active.as_ref().is_none_or(|active| active.input.is_empty() && active.unsent.is_empty())
    }

    /// Whether nothing is under way, and the next request may come.
    pub fn is_idle(&self) -> bool {
        self.active.is_none() && self.phase == Phase::Open
    }

    /// Whose connection it is: the peer's, unless that is a proxy. `None` also where a proxy has not named its client yet.
    pub fn source(&self) -> Option<Source> {
        self.peer.address.filter(|_| !self.peer.is_trusted()).map(Source::from)
    }

    /// Whether it may yet be another's.
    pub fn is_unnamed(&self) -> bool {
        self.active.as_ref().is_some_and(|active| matches!(active.state, State::Proxy))
    }

    /// What it is doing, as far as its deadlines care.
    pub fn activity(&self) -> Activity {
        match self.active.as_ref().map_or(Waiting::Idle, |active| active.state.waiting()) {
            _ if self.phase == Phase::Lingering => Activity::Lingering,
            _ if self.is_ready || self.is_blocked() => Activity::Answering,
            Waiting::Idle => Activity::Idle,
            Waiting::Head => Activity::Head,
            Waiting::Content => Activity::Content,
            Waiting::Reply => Activity::Asking,
        }
    }

    /// Does all that can be done now: flush what is owed, read, answer, and so on, until the socket has no more to give or to
    /// take. `read_closed`: epoll says that the client has sent its FIN, which comes after the last bytes to read.
    pub fn drive(&mut self, shared: &mut Shared, read_closed: bool) -> Outcome {
        // After an error there is nobody left to talk to.
        self.try_drive(shared, read_closed).unwrap_or_else(|_| {
            self.ends(Closed::Error);
            Outcome::Closes
        })
    }

    fn try_drive(&mut self, shared: &mut Shared, read_closed: bool) -> io::Result<Outcome> {
        let (mut progress, mut work) = (false, 0);
        for _ in 0..READS_MAX {
            let resumed = if self.is_idle() { Resumed::Reads } else { self.resume(shared, &mut progress)? };
            let (length, is_full) = match resumed {
                Resumed::Reads => match socket::receive(&mut self.stream, &mut shared.input)? {
                    None => return Ok(Outcome::Stays { progress }),
                    // A client that is done and is owed nothing: nearly every end of a connection.
                    Some(0) if self.active.is_none() => {
                        self.ends(Closed::Client);
                        return Ok(Outcome::Closes);
                    }
                    Some(0) => {
                        self.end(shared)?;
                        continue;
                    }
                    Some(length) => (length, length == shared.input.len()),
                },
                Resumed::Serves => (0, true),
                Resumed::GoesOn => continue,
                Resumed::Ends(outcome) => return Ok(outcome),
            };
            let served = self.serve(shared, length, is_full)?;
            if let Next::Abort(fault) = served.next {
                return Ok(Outcome::Aborts(fault));
            }
            progress |= served.answered;
            // A short read has emptied the socket; unless a FIN comes after it, the next bytes make a new event.
            if self.phase == Phase::Open && !is_full && !read_closed {
                return Ok(Outcome::Stays { progress });
            }
            work += served.work;
            if work >= OUTPUT_MAX {
                break;
            }
        }
        Ok(Outcome::Ready)
    }

    /// Takes up what is under way.
    fn resume(&mut self, shared: &mut Shared, progress: &mut bool) -> io::Result<Resumed> {
        *progress |= self.flush(shared)?;
        if self.is_blocked() {
            return Ok(Resumed::Ends(Outcome::Stays { progress: *progress }));
        }
        Ok(match self.phase {
            Phase::Open => Resumed::Reads,
            Phase::Unserved => Resumed::Serves,
            Phase::Waiting => Resumed::Ends(self.await_reply(*progress)?),
            Phase::Flushing { linger } => {
                socket::finish_sending(&self.stream);
                if !linger {
                    return Ok(Resumed::Ends(Outcome::Closes));
                }
                self.active = Some(Box::new(Active { linger_until: shared.now + LINGER_MAX, ..Active::default() }));
                self.phase = Phase::Lingering;
                Resumed::GoesOn
            }
            Phase::Lingering => Resumed::Ends(self.linger(shared)?),
        })
    }

    /// Whether more may have arrived than was read. The socket is asked only while stopping, when the answer to the last request closes.
    #[cold] // Out of the way of each request.
    fn may_have_more(&self, shared: &Shared) -> bool {
        !shared.service.is_draining() || socket::has_input(&self.stream)
    }

    /// Answers the input that is kept and the `length` bytes that have come after it, and sends.
    fn serve(&mut self, shared: &mut Shared, length: usize, is_full: bool) -> io::Result<Served> {
        // A short read has emptied the socket.
        let more = is_full && self.may_have_more(shared);
        let mut fresh = State::default();
        shared.output.clear();
        let (state, input) = match &mut self.active {
            None => (&mut fresh, &shared.input[..length]),
            Some(active) => active.append(&shared.input[..length]),
        };
        let served = shared.service.serve(state, &mut self.peer, input, more, &mut shared.output);
        self.phase = phase(served.next);
        let sent = socket::send(&self.stream, &shared.output, self.phase.is_last())?;
        shared.count_bytes(&self.peer, length, sent);
        // Nearly always: all is answered and sent, and nothing was kept.
        let is_all = self.active.is_none() && served.consumed == length && sent == shared.output.len();
        if !is_all || fresh.waiting() != Waiting::Idle {
            self.keep(fresh, &shared.input[..length], served.consumed, &shared.output[sent..]);
        }
        Ok(served)
    }

    /// Keeps what is left of the input, and what the socket did not take. `fresh` is the state where none was kept.
    fn keep(&mut self, fresh: State, input: &[u8], consumed: usize, unsent: &[u8]) {
        match self.active.take() {
            None => self.hold(Active { state: fresh, ..Active::default() }.into(), &input[consumed..], unsent),
            Some(mut active) => {
                active.input.drain(..consumed);
                // A wait may be long, and a head that came in pieces has left its room.
                if matches!(active.state.waiting(), Waiting::Content | Waiting::Reply) {
                    active.input.shrink_to_fit();
                }
                self.hold(active, &[], unsent);
            }
        }
    }

    /// Keeps what is neither served nor sent. What nobody will read any more is dropped.
    fn hold(&mut self, mut active: Box<Active>, input: &[u8], unsent: &[u8]) {
        match self.phase {
            Phase::Open | Phase::Unserved | Phase::Waiting => active.input.extend_from_slice(input),
            Phase::Flushing { .. } | Phase::Lingering => {
                *active = Active { unsent: std::mem::take(&mut active.unsent), ..Active::default() }
            }
        }
        active.unsent.extend_from_slice(unsent);
        self.active = if active.is_empty() { None } else { Some(active) };
    }

    /// Sends what is owed; true if some of it went out.
    fn flush(&mut self, shared: &Shared) -> io::Result<bool> {
        let Some(mut active) = self.active.take_if(|active| !active.unsent.is_empty()) else { return Ok(false) };
        let sent = socket::send(&self.stream, &active.unsent, self.phase.is_last());
        active.unsent.drain(..*sent.as_ref().unwrap_or(&0));
        self.active = if active.is_empty() { None } else { Some(active) };
        let sent = sent?;
        shared.count_bytes(&self.peer, 0, sent);
        Ok(sent > 0)
    }

    /// Whether answers wait until the client reads.
    pub fn is_blocked(&self) -> bool {
        self.active.as_ref().is_some_and(|active| !active.unsent.is_empty())
    }

    /// Reads and drops what the client still sends, so that closing does not reset the answer.
    fn linger(&mut self, shared: &mut Shared) -> io::Result<Outcome> {
        let is_over = self.active.as_ref().is_none_or(|active| shared.now >= active.linger_until);
        for reads in 0..READS_MAX {
            match socket::discard(&self.stream, &mut shared.input)? {
                None => return Ok(Outcome::Stays { progress: reads > 0 }),
                Some(0) => return Ok(Outcome::Closes),
                Some(length) => {
                    shared.count_bytes(&self.peer, length, 0);
                    if is_over {
                        return Ok(Outcome::Closes);
                    }
                }
            }
        }
        Ok(Outcome::Ready)
    }
}
