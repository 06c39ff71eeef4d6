//! The access log: one line for each answer.

mod escape;
mod line;
mod stamp;

pub use line::{FIELD_MAX, LINE_MAX, METHOD_MAX, TARGET_MAX};

use crate::exchange::Record;
use crate::http::Method;
use crate::http::response::Date;
use line::Style;
use stamp::Stamp;

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

/// Writes lines for answers.
#[derive(Debug)]
pub struct Formatter {
    options: Options,
    stamp: Stamp,
    /// The end of each object in JSON.
    replica: Vec<u8>,
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
        Formatter { options, stamp: Stamp::new(options.format), replica: end }
    }

    /// A new second.
    pub fn set_date(&mut self, date: &Date) {
        self.stamp.set_date(date);
    }

    /// A new turn, so many milliseconds after the second began; at most 999.
    pub fn set_milliseconds(&mut self, milliseconds: u16) {
        self.stamp.set_milliseconds(milliseconds);
    }

    /// Whether an answer has a line.
    pub fn is_logged(&self, record: &Record<'_>) -> bool {
        // Whoever sends another method there is no monitor.
        !record.resource.is_check() || self.options.health || !matches!(record.method, Some(Method::Get | Method::Head))
    }

    /// Appends the line of an answer, at most [`LINE_MAX`] bytes.
    pub fn write(&self, lines: &mut Vec<u8>, record: &Record<'_>) {
        let style = Style { stamp: self.stamp.text(), mask: self.options.mask, replica: &self.replica };
        match self.options.format {
            Format::Combined => line::combined(lines, record, &style),
            Format::Json => line::json(lines, record, &style),
        }
    }
}
