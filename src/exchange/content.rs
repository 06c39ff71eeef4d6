//! Requests with content: it is read, checked and dropped before the answer goes out.

use super::answer::{Record, Recorder};
use super::state::Pending;
use super::{Call, Service};
use crate::http::Refusal;
use crate::http::content::{Content, Progress};
use crate::http::request::{Persistence, Request};

/// What is still to come of a request whose head is there.
pub(super) enum Rest {
    Nothing,
    Missing(Content),
    /// The client is not asked for it, or it is too much.
    Unwanted,
}

/// Reads what there is of the content after a head. Gives the bytes of both, and what is still to come.
#[cold]
pub(super) fn begin_content(request: &Request<'_, '_>, input: &[u8]) -> Result<(usize, Rest), Refusal> {
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

/// Keeps an answer until the request's content is there.
#[cold]
pub(super) fn hold(record: &Record<'_>, content: Content, request: &Request<'_, '_>, body: &[u8]) -> Box<Pending> {
    Box::new(Pending {
        content,
        name: record.name,
        head: record.head,
        body: body.to_vec(),
        persistence: request.persistence,
        method: request.method,
        target: record.target.into(),
        client: record.client.copied().unwrap_or_default(),
    })
}

/// Whether a close comes without the client's asking: then it may be sending its next request already (RFC 9112 §9.6).
pub(super) fn is_unasked(persistence: Persistence) -> bool {
    persistence != Persistence::Close
}

impl<R: Recorder> Service<R> {
    /// True if the content is at its end, and the answer given.
    pub(super) fn read_content(&mut self, pending: &mut Pending, input: &[u8], call: &mut Call<'_>) -> Result<bool, Refusal> {
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
        self.finish(pending, persistence, call.output);
        match persistence {
            Persistence::Close => call.close_after(length, is_beyond || is_unasked(pending.persistence)),
            _ => call.answered(length),
        }
        Ok(true)
    }

    /// Gives an answer that has waited.
    #[cold]
    pub(super) fn finish(&mut self, pending: &Pending, persistence: Persistence, output: &mut Vec<u8>) {
        let Pending { name, head, method, ref client, .. } = *pending;
        let (length, client) = (pending.body.len(), Some(client));
        let record = Record { name, head, length, method: Some(method), target: &pending.target, client };
        self.writer.give_rare(output, &record, persistence, &pending.body);
    }
}
