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
//! A look-up goes through `Waiting` before it is answered.
//!
//! Knows no socket and no clock: [`Service::expire`] is told that time ran out, [`Service::end`] that the client is done.

mod answer;
mod call;
mod content;
mod lookup;
mod outcome;
mod record;
mod state;

use crate::client::proxy_protocol;
use crate::client::{Peer, Role, Rule};
use crate::http::field::FIELDS_MAX;
use crate::http::request::{self, FIELDS_USUAL, Parsed, Persistence};
use crate::http::request_line::leading_lines;
use crate::http::response::Date;
use crate::http::scan::{HEAD_MAX, Scan};
use crate::http::{Field, Method, Refusal};
use crate::mmdb::Databases;
use crate::resource::{Reply, Resource, ResponseHead, Site};
use call::Call;
use record::Writer;
use std::net::IpAddr;
use std::sync::Arc;

pub use outcome::{Next, Notice, ProxyFault, Served, Unread};
pub use record::{Record, Recorder};
pub use state::{Pending, State, Waiting};

/// The most bytes of answers made in one call; then they go out, and other connections have their turn, before more requests are
/// looked at. One answer may go beyond it. A batch of 200 pipelined requests fits. What is made for HEAD counts, too.
pub const OUTPUT_MAX: usize = 64 * 1024;

/// The most bytes of one answer: what is escaped at its worst becomes six times as long, and the rest is our own words.
pub const ANSWER_MAX: usize = 32 * 1024 + 6 * HEAD_MAX;

/// What answers requests; one for each thread, lent to one connection at a time. `R` looks at the answers.
#[derive(Debug)]
pub struct Service<R = ()> {
    rule: Rule,
    site: Site,
    writer: Writer<R>,
    /// Scratch for the content of one answer, with room for the longest.
    content: Vec<u8>,
    databases: Option<Arc<Databases>>,
    draining: bool,
    notice: Option<(Notice, IpAddr)>,
}

impl Service {
    /// A service for these addresses and this site.
    pub fn new(rule: Rule, site: Site) -> Service {
        Service::recording(rule, site, ())
    }
}

impl<R: Recorder> Service<R> {
    /// A service whose answers are recorded.
    pub fn recording(rule: Rule, site: Site, recorder: R) -> Service<R> {
        let writer = Writer::new(&site, recorder);
        Service { rule, site, writer, content: Vec::with_capacity(ANSWER_MAX), databases: None, draining: false, notice: None }
    }

    /// What records the answers.
    pub fn recorder(&self) -> &R {
        &self.writer.recorder
    }

    /// The same, to be told what this does not know.
    pub fn recorder_mut(&mut self) -> &mut R {
        &mut self.writer.recorder
    }

    /// The rule by which addresses are decided.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Sets the date of the answers to come.
    pub fn set_date(&mut self, date: Date) {
        self.writer.set_date(date);
    }

    /// Later answers look up addresses in these databases.
    pub fn set_databases(&mut self, databases: Arc<Databases>) {
        self.databases = Some(databases);
    }

    /// From now on readiness is denied, and the last answer to what has arrived on a connection closes it.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether it was told to [drain](Service::drain).
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Answers all complete requests at the start of `input`, in order, by appending to `output`. `more` tells that the input
    /// is not all that has arrived. A later call for the same connection brings what was not consumed again, and more after it;
    /// how the input was cut changes nothing in the answers.
    pub fn serve(&mut self, state: &mut State, peer: &mut Peer, input: &[u8], more: bool, output: &mut Vec<u8>) -> Served {
        let mut call = Call { peer, length: input.len(), more, output, consumed: 0, answered: false, unsent: 0, next: None };
        let mut storage = request::storage::<FIELDS_USUAL>();
        while call.goes_on() {
            if let Err(refusal) = self.step(state, &input[call.consumed..], &mut call, &mut storage) {
                if refusal == Refusal::PROXY_HEADER {
                    self.note(Notice::ProxyHeader, call.peer);
                }
                self.refuse(refusal, state, call.peer, &input[call.consumed..], call.output);
                call.next = Some(Next::Close { linger: true });
            }
        }
        Served { consumed: call.consumed, answered: call.answered, work: call.work(), next: call.next.unwrap_or(Next::Read) }
    }

    /// Takes one step: handles what the input begins with.
    fn step<'c>(
        &mut self,
        state: &mut State,
        input: &'c [u8],
        call: &mut Call<'_>,
        storage: &mut [Field<'c>],
    ) -> Result<(), Refusal> {
        match state {
            // A head that arrives whole is parsed at once, any other one when the scan has found it complete.
            State::Idle => match &mut request::parse(input, storage) {
                Ok(Parsed::Request(request)) => self.answer_alike(request, input, state, call),
                Ok(Parsed::Crowded) => self.crowded_step(state, input, call, storage),
                Ok(Parsed::Rescan) => self.rare_step(state, input, call),
                Err(refusal) => Err(*refusal),
            },
            _ => self.rare_step(state, input, call),
        }
    }

    /// Goes on with a head that has more fields than there is room for in `storage`, which has the first of them.
    #[cold] // 13 instructions a request, with the next line.
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

    /// Handles what the hot path doesn't: partial or malformed input, content, a PROXY header.
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
                if let Some(next) = self.read_content(pending, input, call)? {
                    *state = next;
                }
                Ok(())
            }
            State::Waiting(_) => {
                call.next = Some(Next::Wait);
                Ok(())
            }
        }
    }

    /// The client will send no more. `input` is what was not consumed. Appends the final response, if one is owed, and tells to
    /// close.
    pub fn end(&mut self, state: &mut State, peer: &Peer, input: &[u8], output: &mut Vec<u8>) -> Next {
        const CLOSE: Next = Next::Close { linger: false };
        let refusal = match state {
            State::Head(scan) if scan.has_begun() => Refusal::HEAD_CUT,
            // One that is waiting for its answer need not send more.
            State::Idle | State::Head(_) | State::Proxy | State::Waiting(_) => return CLOSE,
            State::Content(_) => Refusal::CONTENT_CUT,
        };
        self.refuse(refusal, state, peer, input, output);
        CLOSE
    }

    /// What the connection [waits](State::waiting) for did not come in time. Appends the final response, if one is owed, and tells
    /// to close; or, where only content is missing for a look-up, to wait for its reply.
    pub fn expire(&mut self, state: &mut State, peer: &Peer, input: &[u8], output: &mut Vec<u8>) -> Next {
        match state {
            State::Head(scan) if scan.has_begun() => self.refuse(Refusal::TIMEOUT, state, peer, input, output),
            State::Idle | State::Head(_) | State::Proxy => {}
            State::Content(pending) => {
                if let Some(waiting) = self.do_without_content(pending, peer, output) {
                    *state = waiting;
                    return Next::Wait;
                }
            }
            State::Waiting(asked) => {
                self.answer_lookup(&asked.kept, &asked.lookup, peer, &Reply::Busy, Persistence::Close, output);
            }
        }
        Next::Close { linger: true }
    }

    /// Refuses the request at the start of `input`, or the one whose content this is, with what is known of it.
    fn refuse(&mut self, refusal: Refusal, state: &State, peer: &Peer, input: &[u8], output: &mut Vec<u8>) {
        let (method, sent) = match state {
            State::Content(pending) => (Some(pending.kept.method), &pending.kept.sent[..]),
            State::Proxy | State::Waiting(_) => (None, &[][..]),
            State::Idle | State::Head(_) => (Method::parse(&input[leading_lines(input)..]).map(|(method, _)| method), input),
        };
        let (head, content) = (ResponseHead::refused(refusal.status), refusal.reason.as_bytes());
        let client = (!peer.relays()).then(|| self.rule.client(peer, &[]));
        let record = Record {
            resource: if peer.role == Role::Monitor { Resource::Monitoring } else { Resource::Refused },
            head,
            refusal: Some(refusal),
            length: content.len(),
            method,
            sent,
            request: None,
            peer,
            client: client.as_ref(),
        };
        self.writer.give_rare(output, &record, Persistence::Close, content);
    }

    /// Scans a head that is partial or malformed, or exceeds a limit; once it is complete, parses and answers it.
    fn scan_head(&mut self, mut scan: Scan, state: &mut State, input: &[u8], call: &mut Call<'_>) -> Result<(), Refusal> {
        if scan.resume(input)?.is_none() {
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
    fn read_proxy_header(&mut self, input: &[u8], call: &mut Call<'_>) -> Result<bool, ProxyFault> {
        let Some((header, length)) = proxy_protocol::parse(input).map_err(ProxyFault::Malformed)? else { return Ok(false) };
        *call.peer = self.rule.proxied(call.peer, header).ok_or(ProxyFault::Untrusted)?;
        call.consumed += length;
        Ok(true)
    }

    fn note(&mut self, notice: Notice, peer: &Peer) {
        self.notice = peer.address.map(|address| (notice, address));
    }

    /// Whether there is something to [tell](Service::take_notice) the operator.
    pub fn has_notice(&self) -> bool {
        self.notice.is_some()
    }

    /// Takes the notice for the operator, and the peer's address. A connection has at most one, and one more for a PROXY header that is
    /// refused. Only the last is kept, so take it before another connection is served. It may come after a connection's first request,
    /// because health checks are passed over.
    pub fn take_notice(&mut self) -> Option<(Notice, IpAddr)> {
        self.notice.take()
    }
}
