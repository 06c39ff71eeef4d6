//! The seam between the pure half and the sockets: bytes in, bytes out, and what to do next.
//!
//! ```text
//!             ┌────────────── answered ◀─────────────┐
//!             ▼                                      │
//! Proxy ──▶ Head ── complete, content is missing ──▶ Content
//!             │                                      │
//!             └── refused, or the last answer ──▶ Next::Close
//! ```
//!
//! Knows no socket and no clock: that time ran out is told by [`Service::expire`], that the client is done by [`Service::end`].

mod state;

use crate::client::proxy_protocol::{self, Malformed};
use crate::client::{Peer, Rule};
use crate::http::content::{Content, Progress};
use crate::http::field::FIELDS_MAX;
use crate::http::request::{self, FIELDS_USUAL, Method, Persistence, Request};
use crate::http::response::{Date, Heads};
use crate::http::scan::Scan;
use crate::http::{Field, Refusal};
use crate::resource::{self, Head, Inquiry, Site};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use state::{Pending, State, Waiting};

/// The most bytes of answers made at one go; then they go out before more requests are looked at. One answer may go beyond it.
/// A batch of 200 pipelined requests fits; a client that does not read costs no more than this.
pub const OUTPUT_MAX: usize = 64 * 1024;

/// What is to be done after the output went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read more; what was not consumed is the start of it.
    Read,
    /// Call again with what was not consumed: there was more to answer than one output holds.
    Again,
    /// Close at once and say nothing: the PROXY header is wrong, or comes from somebody who may not send one.
    Abort(ProxyFault),
    /// Close. `linger`: the client may still be sending, so read and drop that first, lest the answer be reset away.
    Close {
        /// Something that the client sends is not read.
        linger: bool,
    },
}

/// Why a connection has no PROXY header that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// It is not well-formed.
    Malformed(Malformed),
    /// Its sender is not in the trust list.
    Untrusted,
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyFault::Malformed(malformed) => malformed.fmt(formatter),
            ProxyFault::Untrusted => formatter.write_str("its sender is not a --trusted-proxy"),
        }
    }
}

/// What a call did with its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// So many bytes of the input are done with.
    pub consumed: usize,
    /// At least one request was answered.
    pub answered: bool,
    /// What is to be done.
    pub next: Next,
}

/// What answers requests; one for each thread, lent to one connection at a time.
#[derive(Debug)]
pub struct Service {
    rule: Rule,
    site: Site,
    heads: Heads,
    /// Scratch for the content of one answer.
    body: Vec<u8>,
    draining: bool,
    /// The warning of [`Service::warn`] was given, by this service or another.
    warned: Arc<AtomicBool>,
}

/// What became of one look at the input.
enum Step {
    Partial,
    Skipped { length: usize },
    Introduced { length: usize },
    Untrusted(ProxyFault),
    Answered { length: usize },
    Last { length: usize, linger: bool },
    Waits { length: usize, pending: Box<Pending> },
}

impl Service {
    /// A service for these addresses and this site. `warned` is shared by all services of a server.
    pub fn new(rule: Rule, site: Site, warned: Arc<AtomicBool>) -> Service {
        let heads = Heads::new(Head::TEXTS.iter().copied(), site.served_by.as_deref());
        Service { rule, site, heads, body: Vec::with_capacity(1024), draining: false, warned }
    }

    /// The rule by which addresses are decided.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Sets the date of the answers to come.
    pub fn set_date(&mut self, date: Date) {
        self.heads.set_date(date);
    }

    /// From now on readiness is denied, and the last answer to what has arrived on a connection closes it.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Answers all complete requests at the start of `input`, in order, by appending to `output`. `more` tells that the input
    /// is not all that has arrived. A later call for the same connection brings what was not consumed again, and more behind it;
    /// how the input was cut changes nothing in the answers.
    pub fn serve(&mut self, state: &mut State, peer: &mut Peer, input: &[u8], more: bool, output: &mut Vec<u8>) -> Served {
        let mut served = Served { consumed: 0, answered: false, next: Next::Read };
        let mut storage = request::storage::<FIELDS_USUAL>();
        while served.consumed < input.len() {
            if output.len() >= OUTPUT_MAX {
                served.next = Next::Again;
                break;
            }
            let rest = &input[served.consumed..];
            let step = match state {
                State::Head(scan) => self.read_head(scan, peer, rest, &mut storage, more, output),
                State::Content(pending) => {
                    let step = self.read_content(pending, rest, more, output);
                    if matches!(step, Ok(Step::Answered { .. })) {
                        *state = State::default();
                    }
                    step
                }
                State::Proxy => self.read_proxy_header(peer, rest),
            };
            match step {
                Ok(Step::Partial) => break,
                Ok(Step::Skipped { length }) => served.consumed += length,
                Ok(Step::Introduced { length }) => {
                    served.consumed += length;
                    *state = State::default();
                }
                Ok(Step::Untrusted(fault)) => {
                    served.next = Next::Abort(fault);
                    break;
                }
                Ok(Step::Answered { length }) => {
                    served.consumed += length;
                    served.answered = true;
                }
                Ok(Step::Waits { length, pending }) => {
                    served.consumed += length;
                    served.answered = true;
                    *state = State::Content(pending);
                }
                Ok(Step::Last { length, linger }) => {
                    served.consumed += length;
                    served.next = Next::Close { linger: linger || more || served.consumed < input.len() };
                    break;
                }
                Err(refusal) => {
                    let to_head = state.is_to_head(rest);
                    self.heads.refuse(output, refusal, to_head);
                    served.next = Next::Close { linger: true };
                    break;
                }
            }
        }
        served
    }

    /// The client will send no more. `input` is what was not consumed. Appends what is still to be said; then the connection
    /// is closed.
    pub fn end(&mut self, state: &mut State, input: &[u8], output: &mut Vec<u8>) {
        let refusal = match state {
            State::Head(scan) if scan.is_begun() => Refusal::HEAD_CUT,
            State::Head(_) | State::Proxy => return,
            State::Content(_) => Refusal::CONTENT_CUT,
        };
        self.heads.refuse(output, refusal, state.is_to_head(input));
    }

    /// What the connection [waits](State::waiting) for did not come in time. Appends what is still to be said; then the
    /// connection is closed.
    pub fn expire(&mut self, state: &mut State, input: &[u8], output: &mut Vec<u8>) {
        match state {
            State::Head(scan) if scan.is_begun() => self.heads.refuse(output, Refusal::TIMEOUT, state.is_to_head(input)),
            State::Head(_) | State::Proxy => {}
            State::Content(pending) => pending.finish(Persistence::Close, output),
        }
    }

    fn read_proxy_header(&mut self, peer: &mut Peer, input: &[u8]) -> Result<Step, Refusal> {
        let (header, length) = match proxy_protocol::parse(input) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => return Ok(Step::Partial),
            Err(malformed) => return Ok(Step::Untrusted(ProxyFault::Malformed(malformed))),
        };
        let Some(source) = self.rule.proxied(peer, header) else { return Ok(Step::Untrusted(ProxyFault::Untrusted)) };
        *peer = source;
        Ok(Step::Introduced { length })
    }

    #[inline]
    fn read_head<'b>(
        &mut self,
        scan: &mut Scan,
        peer: &mut Peer,
        input: &'b [u8],
        storage: &mut [Field<'b>],
        more: bool,
        output: &mut Vec<u8>,
    ) -> Result<Step, Refusal> {
        // A head that arrives whole is parsed at once, any other one when the scan has found it complete.
        if !scan.is_started() {
            match &request::parse(input, storage) {
                Ok(Some(request)) => return self.answer(request, peer, input, more, output),
                Ok(None) => {}
                Err(refusal) => return Err(*refusal),
            }
        }
        self.scan_head(scan, peer, input, more, output)
    }

    #[cold]
    fn scan_head(
        &mut self,
        scan: &mut Scan,
        peer: &mut Peer,
        input: &[u8],
        more: bool,
        output: &mut Vec<u8>,
    ) -> Result<Step, Refusal> {
        if scan.look(input)?.is_none() {
            return Ok(Step::Partial);
        }
        *scan = Scan::default();
        match &request::parse(input, &mut request::storage::<FIELDS_MAX>())? {
            Some(request) => self.answer(request, peer, input, more, output),
            // The scan and the parser disagree, which no input is known to bring about; a fuzz target looks for one.
            None => Err(Refusal::METHOD),
        }
    }

    /// A function of its own, as the parser is, lest each run out of registers in the other.
    #[inline(never)]
    fn answer(
        &mut self,
        request: &Request<'_, '_>,
        peer: &mut Peer,
        input: &[u8],
        more: bool,
        output: &mut Vec<u8>,
    ) -> Result<Step, Refusal> {
        // First, because what hangs on the head alone must not hang on how much content came along with it.
        if peer.suspicious {
            self.warn(peer, request);
        }
        let mut length = request.length;
        let mut content = Content::new(request.framing);
        let mut progress = Progress::Done(0);
        if request.has_content() {
            // Nobody here wants the content that the client asks leave to send: the final answer says so (RFC 9110 §10.1.1).
            progress = if request.expects_continue() { Progress::Beyond } else { content.read(&input[length..])? };
        }
        match progress {
            Progress::Done(taken) => length += taken,
            Progress::More => length = input.len(),
            Progress::Beyond => {}
        }
        let is_last = progress == Progress::Beyond || self.is_last(length == input.len() && !more);
        let persistence = if is_last { Persistence::Close } else { request.persistence };

        self.body.clear();
        let client = &self.rule.client(peer, request.fields);
        let inquiry = Inquiry { request, client, peer, rule: &self.rule, site: &self.site, draining: self.draining };
        let head = resource::answer(&inquiry, &mut self.body);
        let to_head = request.method == Method::Head;
        if progress == Progress::More {
            let pending = self.hold(head, content, request.persistence, to_head);
            return Ok(Step::Waits { length, pending });
        }
        self.heads.answer(output, head as usize, persistence, &self.body, to_head);
        Ok(match persistence {
            Persistence::Close => Step::Last { length, linger: progress == Progress::Beyond || is_unasked(request.persistence) },
            _ => Step::Answered { length },
        })
    }

    /// Once a start: a forwarding field from a private address is most likely a proxy that nobody said is to be trusted. One look
    /// at a connection is enough.
    #[cold]
    fn warn(&self, peer: &mut Peer, request: &Request<'_, '_>) {
        peer.suspicious = false;
        let Some(address) = peer.address else { return };
        if self.rule.has_forwarding_field(request.fields) && !self.warned.swap(true, Ordering::Relaxed) {
            log::warn!(
                "{address} sends forwarding fields and is not trusted: if it is your proxy, add --trusted-proxy {address}"
            );
        }
    }

    #[cold]
    fn hold(&self, head: Head, content: Content, persistence: Persistence, to_head: bool) -> Box<Pending> {
        let mut held = Vec::new();
        self.heads.begin(&mut held, head as usize, self.body.len());
        let body = if to_head { Vec::new() } else { self.body.clone() };
        Box::new(Pending { content, head: held, body, persistence, to_head })
    }

    fn read_content(&mut self, pending: &mut Pending, input: &[u8], more: bool, output: &mut Vec<u8>) -> Result<Step, Refusal> {
        let (length, is_beyond) = match pending.content.read(input)? {
            Progress::Done(length) => (length, false),
            Progress::Beyond => (0, true),
            Progress::More => return Ok(Step::Skipped { length: input.len() }),
        };
        let is_last = is_beyond || self.is_last(length == input.len() && !more);
        let persistence = if is_last { Persistence::Close } else { pending.persistence };
        pending.finish(persistence, output);
        Ok(match persistence {
            Persistence::Close => Step::Last { length, linger: is_beyond || is_unasked(pending.persistence) },
            _ => Step::Answered { length },
        })
    }

    /// Whether an answer closes the connection because this server is stopping. Not while more requests wait behind it.
    fn is_last(&self, all_is_read: bool) -> bool {
        self.draining && all_is_read
    }
}

/// Whether a close comes without the client's asking: then it may be sending its next request already (RFC 9112 §9.6).
fn is_unasked(persistence: Persistence) -> bool {
    persistence != Persistence::Close
}
