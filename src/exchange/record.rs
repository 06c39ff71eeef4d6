//! The one place where an answer is given, and told of.

use super::state::Kept;
use crate::client::{Client, Peer};
use crate::http::field::{self, sent_value};
use crate::http::request::{Persistence, Request};
use crate::http::request_line::leading_lines;
use crate::http::response::{Date, Heads};
use crate::http::{Method, Refusal};
use crate::resource::monitoring::{self, Format};
use crate::resource::{Answer, Context, Resource, ResponseHead, Site};

/// What was answered, for those who count or log it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// What answered.
    pub resource: Resource,
    /// The representation, and the status.
    pub head: ResponseHead,
    /// Why the request was refused, if it was.
    pub refusal: Option<Refusal>,
    /// The bytes of content, which for HEAD were not sent.
    pub length: usize,
    /// `None` where the request was refused before it had one.
    pub method: Option<Method>,
    /// The request's head as it was sent, or as much of it as came; perhaps more follows it. Empty where none has begun; where
    /// the answer has waited, what was [kept](Recorder::keep).
    pub sent: &'r [u8],
    /// The request, where it was not refused and is answered at once.
    pub request: Option<&'r Request<'r, 'r>>,
    /// Who sent it.
    pub peer: &'r Peer,
    /// `None` where the request was refused before anyone could tell.
    pub client: Option<&'r Client>,
}

impl Kept {
    /// The record of the answer that is given now.
    pub fn record<'r>(&'r self, peer: &'r Peer, head: ResponseHead, length: usize) -> Record<'r> {
        let Kept { resource, method, ref sent, ref client, .. } = *self;
        let (method, client) = (Some(method), Some(client));
        Record { resource, head, refusal: None, length, method, sent, request: None, peer, client }
    }
}

impl<'r> Record<'r> {
    /// The request line as it was sent, without its end, or as much of it as came.
    pub fn request_line(&self) -> &'r [u8] {
        let line = &self.sent[leading_lines(self.sent)..];
        let end = match self.request {
            // Where the target ends is known, and what comes after it is as long in each request.
            Some(Request { target, .. }) => {
                target.sent.as_ptr() as usize - line.as_ptr() as usize + target.sent.len() + b" HTTP/1.1".len()
            }
            None => memchr::memchr2(b'\r', b'\n', line).unwrap_or(line.len()),
        };
        &line[..end]
    }

    /// The value of a request's first field of this name, which is given in lower case; also where the request was refused.
    pub fn field(&self, name: &'static [u8]) -> Option<&'r [u8]> {
        match self.request {
            Some(request) => field::values(request.fields, name).next(),
            None => sent_value(&self.sent[leading_lines(self.sent)..], name),
        }
    }

    /// The value of User-Agent; also where the request was refused.
    pub fn user_agent(&self) -> Option<&'r [u8]> {
        match self.request {
            Some(request) => request.user_agent(),
            None => self.field(b"user-agent"),
        }
    }
}

/// Looks at each answer that is given.
pub trait Recorder {
    /// What [`Record::sent`] is to be for an answer that waits: as much of the request's head as is looked at then.
    fn keep(&self, _request: &Request<'_, '_>, _head: &[u8]) -> Box<[u8]> {
        Box::default()
    }

    /// The date of the answers to come.
    fn set_date(&mut self, _: &Date) {}

    /// An answer was given.
    fn record(&mut self, record: &Record<'_>);

    /// Appends what was counted; nothing where nothing is. `draining`: a stop was asked for.
    fn report(&self, _format: Format, _draining: bool, _content: &mut Vec<u8>) {}
}

/// Records nothing, and costs nothing.
impl Recorder for () {
    #[inline(always)] // 6 instructions a request, with the next one.
    fn record(&mut self, _: &Record<'_>) {}
}

/// An optional recorder: without one, an answer costs one test of a pointer, and no record is made.
impl<R: Recorder> Recorder for Option<Box<R>> {
    fn keep(&self, request: &Request<'_, '_>, head: &[u8]) -> Box<[u8]> {
        self.as_ref().map(|recorder| recorder.keep(request, head)).unwrap_or_default()
    }

    fn set_date(&mut self, date: &Date) {
        if let Some(recorder) = self {
            recorder.set_date(date);
        }
    }

    #[inline(always)] // See above.
    fn record(&mut self, record: &Record<'_>) {
        if let Some(recorder) = self {
            // A copy, so that what the recorder is lent comes to be here and not before the test.
            let record = *record;
            recorder.record(&record);
        }
    }

    fn report(&self, format: Format, draining: bool, content: &mut Vec<u8>) {
        if let Some(recorder) = self {
            recorder.report(format, draining, content);
        }
    }
}

/// Answers a request on a listener for monitoring.
pub(super) fn monitored<R: Recorder>(context: &Context<'_>, recorder: &R, content: &mut Vec<u8>) -> (Resource, Answer) {
    let head = monitoring::answer(context, content);
    if let Some(format) = Format::of(head) {
        recorder.report(format, context.draining, content);
    }
    (Resource::Monitoring, head.into())
}

/// Writes all answers.
#[derive(Debug)]
pub(super) struct Writer<R> {
    pub heads: Heads,
    pub recorder: R,
}

impl<R: Recorder> Writer<R> {
    pub fn new(site: &Site, recorder: R) -> Writer<R> {
        Writer { heads: ResponseHead::heads(site), recorder }
    }

    pub fn set_date(&mut self, date: Date) {
        self.heads.set_date(date);
        self.recorder.set_date(&date);
    }

    /// [`Writer::give`] for answers that are seldom given.
    #[cold]
    #[inline(never)] // Or each caller would have a copy of it.
    pub fn give_rare(&mut self, output: &mut Vec<u8>, record: &Record<'_>, persistence: Persistence, content: &[u8]) {
        self.give(output, record, persistence, content);
    }

    /// Gives an answer: every one, refusals included, is given here.
    #[inline(always)] // So that a record that nobody looks at is never made: 43 instructions a request.
    pub fn give(&mut self, output: &mut Vec<u8>, record: &Record<'_>, persistence: Persistence, content: &[u8]) {
        // First, while all that it may look at is at hand.
        self.recorder.record(record);
        self.heads.answer(output, record.head as usize, persistence, content, record.method == Some(Method::Head));
    }
}
