//! The seam between the pure half and the sockets: bytes in, bytes out, and what to do next.
//!
//! ```text
//!             ┌──────── answered ◀───────┬─────────────────────────────┐
//!             ▼                          │                             │
//! Proxy ──▶ Idle ── in part ──▶ Head ── whole ── content missing ──▶ Content
//!             │                   │                                    │
//!             └───────────────────┴── refused, or the last answer ─────┴──▶ Next::Close
//! ```
//!
//! Knows no socket and no clock: that time ran out is told by [`Service::expire`], that the client is done by [`Service::end`].

mod state;

use crate::client::proxy_protocol::{self, Malformed};
use crate::client::{Peer, Rule};
use crate::http::content::{Content, Progress};
use crate::http::field::FIELDS_MAX;
use crate::http::request::{self, FIELDS_USUAL, Method, Parsed, Persistence, Request};
use crate::http::response::{Date, Heads};
use crate::http::scan::Scan;
use crate::http::{Field, Refusal};
use crate::resource::{self, Head, Inquiry, Site};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use state::{Pending, State, Waiting};

/// The most bytes of answers made in one call; then they go out, and other connections have their turn, before more requests are
/// looked at. One answer may go beyond it. A batch of 200 pipelined requests fits. What is made for HEAD counts, too.
pub const OUTPUT_MAX: usize = 64 * 1024;

/// Room for the content of nearly every answer.
const BODY_USUAL: usize = 1024;

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
    /// The bytes of all answers, with the content that was made for HEAD and is not sent: a measure of the time that they took.
    pub work: usize,
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

/// One call of [`Service::serve`]: what it was given, and how far it has come.
struct Call<'c> {
    peer: &'c mut Peer,
    /// Of the input.
    length: usize,
    /// There is more than the input.
    more: bool,
    output: &'c mut Vec<u8>,
    consumed: usize,
    answered: bool,
    /// The bytes of content that were made and are not in the output: for HEAD, or because they wait for a request's content.
    unsent: usize,
    /// `None`: to go on with the rest of the input.
    next: Option<Next>,
}

impl Call<'_> {
    /// The bytes of all that was made.
    fn work(&self) -> usize {
        self.output.len() + self.unsent
    }

    /// Consumes a request that was answered, or is as soon as its content is there.
    fn answered(&mut self, length: usize) {
        self.consumed += length;
        self.answered = true;
    }

    /// Consumes a request that was answered, and the last one. `linger`: not all of it is read.
    fn last(&mut self, length: usize, linger: bool) {
        self.consumed += length;
        self.next = Some(Next::Close { linger: linger || self.more || self.consumed < self.length });
    }
}

impl Service {
    /// A service for these addresses and this site. `warned` is shared by all services of a server.
    pub fn new(rule: Rule, site: Site, warned: Arc<AtomicBool>) -> Service {
        let heads = Heads::new(Head::TEXTS.iter().copied(), site.served_by.as_deref());
        Service { rule, site, heads, body: Vec::with_capacity(BODY_USUAL), draining: false, warned }
    }

    /// The rule by which addresses are decided.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Sets the date of the answers to come.
    pub fn set_date(&mut self, date: Date) {
        self.heads.set_date(date);
    }

    /// Gives back the room that an unusual answer took.
    pub fn trim(&mut self) {
        self.body = Vec::with_capacity(BODY_USUAL);
    }

    /// From now on readiness is denied, and the last answer to what has arrived on a connection closes it.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Answers all complete requests at the start of `input`, in order, by appending to `output`. `more` tells that the input
    /// is not all that has arrived. A later call for the same connection brings what was not consumed again, and more behind it;
    /// how the input was cut changes nothing in the answers.
    pub fn serve(&mut self, state: &mut State, peer: &mut Peer, input: &[u8], more: bool, output: &mut Vec<u8>) -> Served {
        let mut call = Call { peer, length: input.len(), more, output, consumed: 0, answered: false, unsent: 0, next: None };
        let mut storage = request::storage::<FIELDS_USUAL>();
        while call.next.is_none() && call.consumed < input.len() {
            if call.work() >= OUTPUT_MAX {
                call.next = Some(Next::Again);
                break;
            }
            let rest = &input[call.consumed..];
            if let Err(refusal) = self.step(state, rest, &mut call, &mut storage) {
                let to_head = state.is_to_head(rest);
                self.heads.refuse(call.output, refusal, to_head);
                call.next = Some(Next::Close { linger: true });
            }
        }
        Served { consumed: call.consumed, answered: call.answered, work: call.work(), next: call.next.unwrap_or(Next::Read) }
    }

    /// Looks at the input once.
    #[inline]
    fn step<'c>(
        &mut self,
        state: &mut State,
        input: &'c [u8],
        call: &mut Call<'_>,
        storage: &mut [Field<'c>],
    ) -> Result<(), Refusal> {
        match state {
            // A head that arrives whole is parsed at once, any other one when the scan has found it complete.
            State::Idle => match &request::parse(input, storage) {
                Ok(Parsed::Request(request)) => self.answer(request, input, state, call),
                Ok(Parsed::Crowded) => self.crowded_step(state, input, call, storage),
                Ok(Parsed::Rescan) => self.rare_step(state, input, call),
                Err(refusal) => Err(*refusal),
            },
            _ => self.rare_step(state, input, call),
        }
    }

    /// Goes on with a head that has more fields than there is room for in `storage`, which has the first of them.
    #[cold]
    #[inline(never)]
    fn crowded_step<'c>(
        &mut self,
        state: &mut State,
        input: &'c [u8],
        call: &mut Call<'_>,
        storage: &[Field<'c>],
    ) -> Result<(), Refusal> {
        match &request::parse_crowded(input, storage, &mut request::storage::<FIELDS_MAX>())? {
            Parsed::Request(request) => self.answer(request, input, state, call),
            Parsed::Crowded | Parsed::Rescan => self.rare_step(state, input, call),
        }
    }

    /// Goes on with what came in part, or with what is no head.
    #[cold]
    fn rare_step(&mut self, state: &mut State, input: &[u8], call: &mut Call<'_>) -> Result<(), Refusal> {
        match state {
            State::Proxy => {
                match self.read_proxy_header(input, call) {
                    Ok(true) => *state = State::Idle,
                    Ok(false) => call.next = Some(Next::Read),
                    Err(fault) => call.next = Some(Next::Abort(fault)),
                }
                Ok(())
            }
            State::Idle => self.scan_head(Scan::default(), state, input, call),
            State::Head(scan) => self.scan_head(*scan, state, input, call),
            State::Content(pending) => {
                let is_done = self.read_content(pending, input, call)?;
                if is_done {
                    *state = State::Idle;
                }
                Ok(())
            }
        }
    }

    /// The client will send no more. `input` is what was not consumed. Appends what is still to be said; then the connection
    /// is closed.
    pub fn end(&mut self, state: &mut State, input: &[u8], output: &mut Vec<u8>) {
        let refusal = match state {
            State::Head(scan) if scan.is_begun() => Refusal::HEAD_CUT,
            State::Idle | State::Head(_) | State::Proxy => return,
            State::Content(_) => Refusal::CONTENT_CUT,
        };
        self.heads.refuse(output, refusal, state.is_to_head(input));
    }

    /// What the connection [waits](State::waiting) for did not come in time. Appends what is still to be said; then the
    /// connection is closed.
    pub fn expire(&mut self, state: &mut State, input: &[u8], output: &mut Vec<u8>) {
        match state {
            State::Head(scan) if scan.is_begun() => self.heads.refuse(output, Refusal::TIMEOUT, state.is_to_head(input)),
            State::Idle | State::Head(_) | State::Proxy => {}
            State::Content(pending) => pending.finish(Persistence::Close, output),
        }
    }

    /// Looks at a head that did not arrive whole, or that is not right, or too long for the hot path.
    fn scan_head(&mut self, mut scan: Scan, state: &mut State, input: &[u8], call: &mut Call<'_>) -> Result<(), Refusal> {
        if scan.look(input)?.is_none() {
            *state = State::Head(scan);
            call.next = Some(Next::Read);
            return Ok(());
        }
        *state = State::Idle;
        match &request::parse(input, &mut request::storage::<FIELDS_MAX>())? {
            Parsed::Request(request) => self.answer(request, input, state, call),
            // The scan and the parser disagree, which no input is known to bring about; a fuzz target looks for one.
            Parsed::Crowded | Parsed::Rescan => Err(Refusal::METHOD),
        }
    }

    /// True if the header was there.
    fn read_proxy_header(&self, input: &[u8], call: &mut Call<'_>) -> Result<bool, ProxyFault> {
        let Some((header, length)) = proxy_protocol::parse(input).map_err(ProxyFault::Malformed)? else { return Ok(false) };
        *call.peer = self.rule.proxied(call.peer, header).ok_or(ProxyFault::Untrusted)?;
        call.consumed += length;
        Ok(true)
    }

    /// A function of its own, as the parser is, lest each run out of registers in the other.
    #[inline(never)]
    fn answer(&mut self, request: &Request<'_, '_>, input: &[u8], state: &mut State, call: &mut Call<'_>) -> Result<(), Refusal> {
        // First, because what hangs on the head alone must not hang on how much content came along with it.
        if call.peer.suspicious {
            self.warn(call.peer, request);
        }
        let (length, rest) = if request.has_content() { begin_content(request, input)? } else { (request.length, Rest::Nothing) };
        // An answer that waits is kept; not also those before it, which a client may leave unread.
        if matches!(rest, Rest::Missing(_)) && !call.output.is_empty() {
            call.next = Some(Next::Again);
            return Ok(());
        }
        let is_unwanted = matches!(rest, Rest::Unwanted);
        let is_last = is_unwanted || self.is_last(length == input.len() && !call.more);
        let persistence = if is_last { Persistence::Close } else { request.persistence };

        self.body.clear();
        let client = &self.rule.client(call.peer, request.fields);
        let inquiry = Inquiry { request, client, peer: call.peer, rule: &self.rule, site: &self.site, draining: self.draining };
        let head = resource::answer(&inquiry, &mut self.body);
        let to_head = request.method == Method::Head;
        if let Rest::Missing(content) = rest {
            *state = State::Content(self.hold(head, content, request.persistence, to_head));
            call.unsent += self.body.len();
            call.answered(length);
            return Ok(());
        }
        self.heads.answer(call.output, head as usize, persistence, &self.body, to_head);
        if to_head {
            call.unsent += self.body.len();
        }
        match persistence {
            Persistence::Close => call.last(length, is_unwanted || is_unasked(request.persistence)),
            _ => call.answered(length),
        }
        Ok(())
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

    /// True if the content is at its end, and the answer given.
    fn read_content(&mut self, pending: &mut Pending, input: &[u8], call: &mut Call<'_>) -> Result<bool, Refusal> {
        let (length, is_beyond) = match pending.content.read(input)? {
            Progress::Done(length) => (length, false),
            Progress::Beyond => (0, true),
            Progress::More => {
                call.consumed += input.len();
                return Ok(false);
            }
        };
        let is_last = is_beyond || self.is_last(length == input.len() && !call.more);
        let persistence = if is_last { Persistence::Close } else { pending.persistence };
        pending.finish(persistence, call.output);
        match persistence {
            Persistence::Close => call.last(length, is_beyond || is_unasked(pending.persistence)),
            _ => call.answered(length),
        }
        Ok(true)
    }

    /// Whether an answer closes the connection because this server is stopping. Not while more requests wait behind it.
    fn is_last(&self, all_is_read: bool) -> bool {
        self.draining && all_is_read
    }
}

/// What is still to come of a request whose head is there.
enum Rest {
    Nothing,
    Missing(Content),
    /// The client is not asked for it, or it is too much.
    Unwanted,
}

/// Reads what there is of the content behind a head. Gives the bytes of both, and what is still to come.
#[cold]
fn begin_content(request: &Request<'_, '_>, input: &[u8]) -> Result<(usize, Rest), Refusal> {
    // Nobody here wants the content that the client asks leave to send: the final answer says so (RFC 9110 §10.1.1).
    if request.expects_continue() {
        return Ok((request.length, Rest::Unwanted));
    }
    let mut content = Content::new(request.framing);
    Ok(match content.read(&input[request.length..])? {
        Progress::Done(taken) => (request.length + taken, Rest::Nothing),
        Progress::More => (input.len(), Rest::Missing(content)),
        Progress::Beyond => (request.length, Rest::Unwanted),
    })
}

/// Whether a close comes without the client's asking: then it may be sending its next request already (RFC 9112 §9.6).
fn is_unasked(persistence: Persistence) -> bool {
    persistence != Persistence::Close
}
