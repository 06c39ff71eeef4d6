//! Requests with content: it is read, checked and dropped before the answer goes out.

use super::Service;
use super::call::Call;
use super::record::Recorder;
use super::state::{Asked, Kept, Pending, Prepared, State};
use crate::client::{Client, Peer};
use crate::http::Refusal;
use crate::http::content::{Content, Progress};
use crate::http::request::{Persistence, Request};
use crate::resource::Resource;

/// What is still to come of a request whose head is there.
#[derive(Clone, Copy)]
pub(super) enum Rest {
    Nothing,
    Missing(Content),
    /// The client is not asked for it, or it is too much.
    Unwanted,
}

/// Reads what there is of the content after a head. Gives the bytes of both, and what is still to come.
pub(super) fn begin_content(request: &Request<'_, '_>, input: &[u8]) -> Result<(usize, Rest), Refusal> {
    // The content would be dropped, so it is not asked for: the final response says so (RFC 9110 §10.1.1).
    if request.expects_continue() {
        return Ok((request.length, Rest::Unwanted));
    }
    let mut content = Content::new(request.framing);
    Ok(match content.read(&input[request.length..])? {
        Progress::Done(taken) => (request.length + taken, Rest::Nothing),
        Progress::More => (input.len(), Rest::Missing(content)),
        Progress::TooLarge => (request.length, Rest::Unwanted),
    })
}

/// Whether a close comes without the client's asking: then it may be sending its next request already (RFC 9112 §9.6).
pub(super) fn is_unasked(persistence: Persistence) -> bool {
    persistence != Persistence::Close
}

impl Pending {
    /// The state in which the look-up waits for its reply; `None` where the answer is made already. `linger`: not all of the content
    /// was read.
    fn ask(&self, linger: bool) -> Option<State> {
        let Prepared::Lookup(lookup) = self.answer else { return None };
        Some(State::Waiting(Asked { kept: self.kept.clone(), lookup, linger }.into()))
    }
}

impl<R: Recorder> Service<R> {
    /// What a later answer will need of this request.
    pub(super) fn keep(&self, resource: Resource, request: &Request<'_, '_>, client: Client, input: &[u8]) -> Kept {
        let sent = self.writer.recorder.keep(request, &input[..request.length]);
        Kept { resource, method: request.method, sent, client, persistence: request.persistence }
    }

    /// Reads on. At the end of the content it gives the answer, or asks its question, and returns the next state; `None` before that.
    pub(super) fn read_content(
        &mut self,
        pending: &mut Pending,
        input: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Option<State>, Refusal> {
        let (length, is_beyond) = match pending.content.read(input)? {
            Progress::Done(length) => (length, false),
            Progress::TooLarge => (0, true),
            Progress::More => {
                call.consumed += input.len();
                return Ok(None);
            }
        };
        if let Some(waiting) = pending.ask(is_beyond) {
            call.wait_after(length);
            return Ok(Some(waiting));
        }
        let is_last = is_beyond || self.is_last(&input[length..], call.more);
        let persistence = if is_last { Persistence::Close } else { pending.kept.persistence };
        self.finish(pending, call.peer, persistence, call.output);
        match persistence {
            Persistence::Close => call.close_after(length, is_beyond || is_unasked(pending.kept.persistence)),
            _ => call.answered(length),
        }
        Ok(Some(State::Idle))
    }

    /// Gives an answer that was made and has waited for content.
    fn finish(&mut self, pending: &Pending, peer: &Peer, persistence: Persistence, output: &mut Vec<u8>) {
        if let Prepared::Content(head, content) = &pending.answer {
            let record = pending.kept.record(peer, *head, content.len());
            self.writer.give_rare(output, &record, persistence, content);
        }
    }

    /// The content has not come in time: the request is answered all the same. Where that needs a look-up, the state in which it waits
    /// for it.
    pub(super) fn do_without_content(&mut self, pending: &Pending, peer: &Peer, output: &mut Vec<u8>) -> Option<State> {
        let waiting = pending.ask(true);
        if waiting.is_none() {
            self.finish(pending, peer, Persistence::Close, output);
        }
        waiting
    }
}
