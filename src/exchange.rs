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
//! Knows no socket and no clock: that time ran out is told by [`Service::expire`], that the client is done by [`Service::end`].

mod answer;
mod call;
mod content;
mod lookup;
mod outcome;
mod state;

use crate::client::proxy_protocol;
use crate::client::{Mistake, Peer, Role, Rule};
use crate::http::field::FIELDS_MAX;
use crate::http::request::{self, FIELDS_USUAL, Parsed, Persistence, Request};
use crate::http::request_line::leading_lines;
use crate::http::response::Date;
use crate::http::scan::{HEAD_MAX, Scan};
use crate::http::{Field, Method, Refusal};
use crate::mmdb::Databases;
use crate::resource::{self, Answer, Context, Lookup, Reply, Resource, ResponseHead, Site};
use answer::Writer;
use call::Call;
use content::{Rest, begin_content, is_unasked};
use state::{Asked, Kept, Prepared};
use std::net::IpAddr;
use std::sync::Arc;

pub use answer::{Record, Recorder};
pub use outcome::{Next, Notice, ProxyFault, Served};
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
    body: Vec<u8>,
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
    /// A service whose answers are looked at.
    pub fn recording(rule: Rule, site: Site, recorder: R) -> Service<R> {
        let writer = Writer::new(site.served_by.as_deref(), recorder);
        Service { rule, site, writer, body: Vec::with_capacity(ANSWER_MAX), databases: None, draining: false, notice: None }
    }

    /// Whoever looks at the answers.
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

    /// Has the answers to come look up addresses in these databases.
    pub fn set_databases(&mut self, databases: Arc<Databases>) {
        self.databases = Some(databases);
    }

    /// From now on readiness is denied, and the last answer to what has arrived on a connection closes it.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Answers all complete requests at the start of `input`, in order, by appending to `output`. `more` tells that the input
    /// is not all that has arrived. A later call for the same connection brings what was not consumed again, and more after it;
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
                if refusal == Refusal::PROXY_HEADER {
                    self.note(Notice::ProxyHeader, call.peer);
                }
                self.refuse(refusal, state, call.peer, rest, call.output);
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

    /// The client will send no more. `input` is what was not consumed. Appends the final response, if one is owed; then the
    /// connection is closed.
    pub fn end(&mut self, state: &mut State, peer: &Peer, input: &[u8], output: &mut Vec<u8>) {
        let refusal = match state {
            State::Head(scan) if scan.has_begun() => Refusal::HEAD_CUT,
            // One that is waiting for its answer need not send more.
            State::Idle | State::Head(_) | State::Proxy | State::Waiting(_) => return,
            State::Content(_) => Refusal::CONTENT_CUT,
        };
        self.refuse(refusal, state, peer, input, output);
    }

    /// What the connection [waits](State::waiting) for did not come in time. Appends the final response, if one is owed; then
    /// the connection is closed.
    pub fn expire(&mut self, state: &mut State, peer: &Peer, input: &[u8], output: &mut Vec<u8>) {
        match state {
            State::Head(scan) if scan.has_begun() => self.refuse(Refusal::TIMEOUT, state, peer, input, output),
            State::Idle | State::Head(_) | State::Proxy => {}
            State::Content(pending) => self.finish(pending, peer, Persistence::Close, output),
            State::Waiting(asked) => {
                self.answer_lookup(&asked.kept, &asked.lookup, peer, &Reply::Busy, Persistence::Close, output);
            }
        }
    }

    /// Refuses the request at the start of `input`, or the one whose content this is, with what is known of it.
    #[cold]
    fn refuse(&mut self, refusal: Refusal, state: &State, peer: &Peer, input: &[u8], output: &mut Vec<u8>) {
        let (method, sent) = match state {
            State::Content(pending) => (Some(pending.kept.method), &pending.kept.sent[..]),
            State::Proxy | State::Waiting(_) => (None, &[][..]),
            State::Idle | State::Head(_) => (Method::parse(&input[leading_lines(input)..]).map(|(method, _)| method), input),
        };
        let (head, content) = (ResponseHead::refused(refusal.status), refusal.reason.as_bytes());
        let client = (!peer.is_trusted()).then(|| self.rule.client(peer, &[]));
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

    /// Looks at a head that did not arrive whole, or that is not right, or too long for the hot path.
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

    /// Not inlined, nor is the parser: together they spill registers.
    #[inline(never)]
    fn answer(&mut self, request: &Request<'_, '_>, input: &[u8], state: &mut State, call: &mut Call<'_>) -> Result<(), Refusal> {
        // First, because it depends only on the head, so must not vary with how much content has arrived.
        if call.peer.watched {
            self.look(request, call);
        }
        if request.has_content() {
            return self.answer_content(request, input, state, call);
        }
        self.answer_head(request, (request.length, Rest::Nothing), input, state, call);
        Ok(())
    }

    /// Answers a request with content, as soon as all of it is there.
    #[cold]
    fn answer_content(
        &mut self,
        request: &Request<'_, '_>,
        input: &[u8],
        state: &mut State,
        call: &mut Call<'_>,
    ) -> Result<(), Refusal> {
        let (length, rest) = begin_content(request, input)?;
        // An answer that waits is kept; not also those before it, which a client may leave unread.
        if matches!(rest, Rest::Missing(_)) && !call.output.is_empty() {
            call.next = Some(Next::Again);
            return Ok(());
        }
        self.answer_head(request, (length, rest), input, state, call);
        Ok(())
    }

    /// Answers a request whose head is there. `length`: of what is read of it; `rest`: what is not.
    #[inline(always)] // So that the usual one, without content, is not asked about it again: 20 instructions.
    fn answer_head(
        &mut self,
        request: &Request<'_, '_>,
        (length, rest): (usize, Rest),
        input: &[u8],
        state: &mut State,
        call: &mut Call<'_>,
    ) {
        let is_unwanted = matches!(rest, Rest::Unwanted);
        let is_last = is_unwanted || self.is_last(length == input.len() && !call.more);
        let persistence = if is_last { Persistence::Close } else { request.persistence };

        self.body.clear();
        let client = self.rule.client(call.peer, request.fields);
        let context = Context {
            request,
            client: &client,
            peer: call.peer,
            rule: &self.rule,
            site: &self.site,
            databases: self.databases.as_deref(),
            draining: self.draining,
        };
        let (resource, answer) = match call.peer.role {
            Role::Client | Role::Proxy => resource::answer(&context, &mut self.body),
            Role::Monitor => answer::monitored(&context, &self.writer.recorder, &mut self.body),
        };
        let head = match answer {
            Answer::Now(head) => head,
            Answer::Later(lookup) => {
                // The answers before it go out first: a client may leave them unread.
                if call.output.is_empty() {
                    put_off(self.keep(resource, request, client, input), *lookup, rest, length, state, call);
                } else {
                    call.next = Some(Next::Again);
                }
                return;
            }
        };
        if let Rest::Missing(content) = rest {
            let (kept, answer) = (self.keep(resource, request, client, input), Prepared::Content(head, self.body.clone()));
            *state = State::Content(Pending { content, kept, answer }.into());
            call.unsent += self.body.len();
            call.answered(length);
            return;
        }
        let record = Record {
            resource,
            head,
            refusal: None,
            length: self.body.len(),
            method: Some(request.method),
            sent: input,
            request: Some(request),
            peer: call.peer,
            client: Some(&client),
        };
        self.writer.give(call.output, &record, persistence, &self.body);
        if request.method == Method::Head {
            call.unsent += self.body.len();
        }
        match persistence {
            Persistence::Close => call.close_after(length, is_unwanted || is_unasked(request.persistence)),
            _ => call.answered(length),
        }
    }

    /// Looks at the first request of a connection for signs of a server that is set up wrong.
    #[cold]
    fn look(&mut self, request: &Request<'_, '_>, call: &mut Call<'_>) {
        // A check is no client's request; those of balancers have no forwarding field.
        if resource::is_check(request.target.path) {
            return;
        }
        call.peer.watched = false;
        match self.rule.mistake(call.peer, request.fields) {
            Some(Mistake::Untrusted { .. }) => self.note(Notice::Untrusted, call.peer),
            Some(Mistake::Missing) => self.note(Notice::FieldMissing, call.peer),
            Some(Mistake::Unreadable) => self.note(Notice::FieldUnreadable, call.peer),
            Some(Mistake::Inside) | None => {}
        }
    }

    fn note(&mut self, notice: Notice, peer: &Peer) {
        self.notice = peer.address.map(|address| (notice, address));
    }

    /// What the operator is to be told, and of whom, since this was asked last; at most once for each connection and refusal, so
    /// ask after a connection's first request.
    pub fn take_notice(&mut self) -> Option<(Notice, IpAddr)> {
        self.notice.take()
    }

    /// Whether an answer closes the connection because this server is stopping. Not while more requests wait after it.
    fn is_last(&self, all_is_read: bool) -> bool {
        self.draining && all_is_read
    }
}

/// Keeps a request until its content and then a reply have come.
#[cold]
fn put_off(kept: Kept, lookup: Lookup, rest: Rest, length: usize, state: &mut State, call: &mut Call<'_>) {
    let linger = match rest {
        Rest::Missing(content) => {
            *state = State::Content(Pending { content, kept, answer: Prepared::Lookup(lookup) }.into());
            return call.answered(length);
        }
        Rest::Nothing => false,
        Rest::Unwanted => true,
    };
    *state = State::Waiting(Asked { kept, lookup, linger }.into());
    call.wait_after(length);
}
