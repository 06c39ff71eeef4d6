//! The access log: one line for each answer.
//!
//! ```text
//! Record ──▶ Formatter ──▶ a thread's own lines ── at the end of a turn ──▶ Output, which all threads share
//! ```
//!
//! Nobody waits for the output: lines that it does not take are kept up to [`PENDING_MAX`] and tried again; beyond that they are dropped
//! and counted.

mod escape;
mod kept;
mod line;
mod stamp;

pub use kept::kept;
pub use line::{FIELD_MAX, LINE_MAX, METHOD_MAX, TARGET_MAX};

use super::output::Output;
use crate::exchange::Record;
use crate::http::Method;
use crate::http::response::Date;
use line::{Ends, Style};
use stamp::Stamp;
use std::io::ErrorKind;
use std::sync::Arc;

/// The most bytes of lines that a thread keeps: a few hundred lines, as many bytes as a pipe holds for a late reader.
pub const PENDING_MAX: usize = 64 * 1024;

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Apache httpd's combined format.
    Combined,
    /// A JSON object.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What a line looks like.
    pub format: Format,
    /// Checks of health and readiness are logged, too.
    pub health: bool,
    /// Clients' addresses are cut short to their /24 or /48.
    pub mask: bool,
}

/// An access log, and where it goes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is logged, and how.
    pub options: Options,
    /// Where it goes.
    pub output: Arc<Output>,
}

/// One thread's access log.
#[derive(Debug)]
pub struct AccessLog {
    formatter: Formatter,
    output: Arc<Output>,
    /// Lines that are not written yet, in room for [`PENDING_MAX`].
    pending: Vec<u8>,
    /// The output did not take all in this turn.
    is_stalled: bool,
    /// Lines since this was last asked for.
    dropped: u64,
}

impl AccessLog {
    /// A thread's own, for a replica of this name, if it has one.
    pub fn new(settings: &Settings, replica: Option<&str>) -> AccessLog {
        AccessLog {
            formatter: Formatter::new(settings.options, replica),
            output: Arc::clone(&settings.output),
            pending: Vec::with_capacity(PENDING_MAX),
            is_stalled: false,
            dropped: 0,
        }
    }

    /// A new second.
    pub fn set_date(&mut self, date: &Date) {
        self.formatter.set_date(date);
    }

    /// A new turn, this many milliseconds after the second began; at most 999.
    pub fn begin_turn(&mut self, milliseconds: u16) {
        self.formatter.set_milliseconds(milliseconds);
        self.is_stalled = false;
    }

    /// An answer was given.
    pub fn record(&mut self, record: &Record<'_>) {
        if !self.formatter.is_logged(record) {
            return;
        }
        if self.pending.len() + LINE_MAX > PENDING_MAX && !self.make_room() {
            return;
        }
        self.formatter.write(&mut self.pending, record);
    }

    fn make_room(&mut self) -> bool {
        // Asked once a turn, or every request would cost a write that fails.
        if !self.is_stalled {
            self.flush();
        }
        let has_room = self.pending.len() + LINE_MAX <= PENDING_MAX;
        if !has_room {
            self.count_dropped(1);
        }
        has_room
    }

    /// Writes what the output takes now.
    pub fn flush(&mut self) {
        let mut written = 0;
        while written < self.pending.len() {
            let piece = self.output.piece(&self.pending[written..]);
            match self.output.write(piece) {
                Ok(length) if length == piece.len() => written += length,
                // It takes nothing and gives no reason, as some devices do: tried again in the next turn.
                Ok(0) => {
                    self.is_stalled = true;
                    break;
                }
                Ok(length) => {
                    let taken = written + length;
                    written = after_torn(&self.pending, taken);
                    // Cut where a line ends, or just before its LF, nothing is lost.
                    self.count_dropped(u64::from(written > taken));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_stalled = true;
                    break;
                }
                // The reader has gone, or the disk is full.
                Err(_) => {
                    // The end of a torn line stays, or the next line would go on in it. That line was counted.
                    let torn = usize::from(self.pending[written] == b'\n');
                    self.count_dropped(lines(&self.pending[written + torn..]));
                    self.pending.truncate(written + torn);
                    break;
                }
            }
        }
        self.pending.drain(..written);
    }

    /// The end: tries once more to write what is left, and counts what is not taken as dropped.
    pub fn close(&mut self) {
        self.flush();
        let torn = usize::from(self.pending.first() == Some(&b'\n'));
        self.count_dropped(lines(&self.pending[torn..]));
        self.pending.clear();
    }

    /// Whether there are lines that the output has not taken yet.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The lines that were dropped since this was asked last.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn count_dropped(&mut self, lines: u64) {
        self.dropped += lines;
    }
}

fn lines(pending: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', pending).count() as u64
}

/// Where to go on after a write that ended at `written`, inside a line: at the end of that line, so that the rest of it is never taken
/// for a line of its own. At `written` where a line has just ended.
fn after_torn(pending: &[u8], written: usize) -> usize {
    match written.checked_sub(1).map(|last| pending[last]) {
        None | Some(b'\n') => written,
        Some(_) => memchr::memchr(b'\n', &pending[written..]).map_or(pending.len(), |end| written + end),
    }
}

/// Writes lines for answers.
#[derive(Debug)]
pub struct Formatter {
    options: Options,
    stamp: Stamp,
    /// The end of each object in JSON.
    ends: Ends,
}

impl Formatter {
    /// For a replica of this name, if it has one.
    pub fn new(options: Options, replica: Option<&str>) -> Formatter {
        let mut end = Vec::new();
        if let Some(id) = replica {
            end.extend_from_slice(b",\"replica\":\"");
            // At most 64 letters, digits and marks, as far as the program's options go.
            escape::json(&mut end, id.as_bytes(), METHOD_MAX);
            end.push(b'"');
        }
        Formatter { options, stamp: Stamp::new(options.format), ends: Ends::new(&end) }
    }

    fn set_date(&mut self, date: &Date) {
        self.stamp.set_date(date);
    }

    fn set_milliseconds(&mut self, milliseconds: u16) {
        self.stamp.set_milliseconds(milliseconds);
    }

    /// Whether an answer has a line.
    pub fn is_logged(&self, record: &Record<'_>) -> bool {
        // Whoever sends another method there is no monitor.
        !record.resource.is_check() || self.options.health || !matches!(record.method, Some(Method::Get | Method::Head))
    }

    /// Appends the line of an answer, at most [`LINE_MAX`] bytes.
    pub fn write(&self, lines: &mut Vec<u8>, record: &Record<'_>) {
        let style = Style { stamp: &self.stamp, mask: self.options.mask, end: &self.ends };
        match self.options.format {
            Format::Combined => line::combined(lines, record, &style),
            Format::Json => line::json(lines, record, &style),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_torn_line_is_left_out() {
        for (written, rest) in
            [(0, "ab\ncd\nef\n"), (1, "\ncd\nef\n"), (2, "\ncd\nef\n"), (3, "cd\nef\n"), (4, "\nef\n"), (9, "")]
        {
            let pending = b"ab\ncd\nef\n";
            assert_eq!(&pending[after_torn(pending, written)..], rest.as_bytes(), "{written}");
        }
    }
}
