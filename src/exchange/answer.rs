//! Answering a request whose head is there.

use super::Service;
use super::call::Call;
use super::content::{Rest, begin_content, is_unasked};
use super::outcome::{Next, Notice};
use super::record::{self, Record, Recorder};
use super::state::{Asked, Kept, Pending, Prepared, State};
use crate::client::{Mistake, Role};
use crate::http::request::{Persistence, Request};
use crate::http::request_line::leading_lines;
use crate::http::{Method, Refusal};
use crate::resource::{self, Answer, Context, Lookup};

impl<R: Recorder> Service<R> {
    /// Answers a request, and those after it with the same fields. A client that pipelines is one program, whose requests differ in
    /// their targets, if at all.
    pub(super) fn answer_alike<'c>(
        &mut self,
        request: &mut Request<'_, 'c>,
        mut input: &'c [u8],
        state: &mut State,
        call: &mut Call<'_>,
    ) -> Result<(), Refusal> {
        loop {
            let before = call.consumed;
            self.answer(request, input, state, call)?;
            if !call.goes_on() || !matches!(state, State::Idle) {
                return Ok(());
            }
            let rest = &input[call.consumed - before..];
            if !request.follow(input, rest) {
                return Ok(());
            }
            input = rest;
        }
    }

    /// Answers a request, or asks for its content first.
    pub(super) fn answer(
        &mut self,
        request: &Request<'_, '_>,
        input: &[u8],
        state: &mut State,
        call: &mut Call<'_>,
    ) -> Result<(), Refusal> {
        // First, because it depends only on the head, so must not vary with how much content has arrived.
        if call.peer.watched {
            self.check_setup(request, call);
        }
        if request.has_content() {
            return self.answer_content(request, input, state, call);
        }
        self.answer_head(request, (request.length, Rest::Nothing), input, state, call);
        Ok(())
    }

    /// Answers a request with content, as soon as all of it is there.
    #[cold] // 21 instructions a request.
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

    /// Answers a request whose head is there. `length` is how many of its bytes are read, `rest` what is not.
    #[inline(always)] // So that the usual one, without content, is not asked about it again: 40 instructions.
    fn answer_head(
        &mut self,
        request: &Request<'_, '_>,
        (length, rest): (usize, Rest),
        input: &[u8],
        state: &mut State,
        call: &mut Call<'_>,
    ) {
        let is_unwanted = matches!(rest, Rest::Unwanted);
        let is_last = is_unwanted || self.is_last(&input[length..], call.more);
        let persistence = if is_last { Persistence::Close } else { request.persistence };

        self.content.clear();
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
            Role::Client | Role::Proxy | Role::Local => resource::answer(&context, &mut self.content),
            Role::Monitor => record::monitored(&context, &self.writer.recorder, &mut self.content),
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
            let (kept, answer) = (self.keep(resource, request, client, input), Prepared::Content(head, self.content.clone()));
            *state = State::Content(Pending { content, kept, answer }.into());
            call.unsent += self.content.len();
            call.answered(length);
            return;
        }
        let record = Record {
            resource,
            head,
            refusal: None,
            length: self.content.len(),
            method: Some(request.method),
            sent: input,
            request: Some(request),
            peer: call.peer,
            client: Some(&client),
        };
        self.writer.give(call.output, &record, persistence, &self.content);
        if request.method == Method::Head {
            call.unsent += self.content.len();
        }
        match persistence {
            Persistence::Close => call.close_after(length, is_unwanted || is_unasked(request.persistence)),
            _ => call.answered(length),
        }
    }

    /// Checks the first request of a connection, health checks aside, for a mistake in the setup.
    fn check_setup(&mut self, request: &Request<'_, '_>, call: &mut Call<'_>) {
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

    /// Whether an answer closes the connection because this server is stopping. Not while more requests wait after it: in the `rest` of
    /// the input, which may be empty lines, or unread.
    pub(super) fn is_last(&self, rest: &[u8], more: bool) -> bool {
        self.draining && !more && leading_lines(rest) == rest.len()
    }
}

/// Keeps a request until its content and then a reply have come.
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
