//! The one place where an answer is given.

use super::state::Kept;
use crate::client::Client;
use crate::http::Method;
use crate::http::request::Persistence;
use crate::http::response::{Date, Heads};
use crate::resource::{Resource, ResponseHead};

/// What was answered, for those who count or log it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// What answered.
    pub resource: Resource,
    /// The representation, and the status.
    pub head: ResponseHead,
    /// The bytes of content, which for HEAD were not sent.
    pub length: usize,
    /// `None` where the request was refused before it had one.
    pub method: Option<Method>,
    /// As it was sent, or as much of it as came.
    pub target: &'r [u8],
    /// `None` where the request was refused before anyone could tell.
    pub client: Option<&'r Client>,
}

impl Kept {
    /// The record of the answer that is given now.
    pub fn record(&self, head: ResponseHead, length: usize) -> Record<'_> {
        let Kept { resource, method, ref target, ref client, .. } = *self;
        Record { resource, head, length, method: Some(method), target, client: Some(client) }
    }
}

/// Looks at each answer that is given.
pub trait Recorder {
    /// An answer was given.
    fn record(&mut self, record: &Record<'_>);
}

/// Nobody looks, and it costs nothing.
impl Recorder for () {
    #[inline(always)]
    fn record(&mut self, _: &Record<'_>) {}
}

/// Somebody looks, or nobody: one test of a pointer then, and no record is made.
impl<R: Recorder> Recorder for Option<Box<R>> {
    #[inline(always)]
    fn record(&mut self, record: &Record<'_>) {
        if let Some(recorder) = self {
            // A copy, so that what the recorder is lent comes to be here and not before the test.
            let record = *record;
            recorder.record(&record);
        }
    }
}

/// Writes all answers.
#[derive(Debug)]
pub(super) struct Writer<R> {
    pub heads: Heads,
    pub recorder: R,
}

impl<R: Recorder> Writer<R> {
    pub fn new(served_by: Option<&str>, recorder: R) -> Writer<R> {
        Writer { heads: Heads::new(ResponseHead::TEXTS.iter().copied(), served_by), recorder }
    }

    pub fn set_date(&mut self, date: Date) {
        self.heads.set_date(date);
    }

    /// [`Writer::give`] for answers that are seldom given.
    #[cold]
    #[inline(never)] // Or each caller would have a copy of it.
    pub fn give_rare(&mut self, output: &mut Vec<u8>, record: &Record<'_>, persistence: Persistence, content: &[u8]) {
        self.give(output, record, persistence, content);
    }

    /// Gives an answer: every one, refusals included, is given here.
    #[inline(always)] // So that a record that nobody looks at is never made; 30 instructions a request.
    pub fn give(&mut self, output: &mut Vec<u8>, record: &Record<'_>, persistence: Persistence, content: &[u8]) {
        // First, while all that it may look at is at hand.
        self.recorder.record(record);
        self.heads.answer(output, record.head as usize, persistence, content, record.method == Some(Method::Head));
    }
}
