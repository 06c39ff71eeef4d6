//! The text formats: Prometheus's 0.0.4, and OpenMetrics 1.0. They differ in what a family of counters is called, in the type of what is
//! always 1, and in how they end.

use crate::resource::monitoring::Format;
use std::fmt::Display;
use std::io::Write;

/// What a family's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only ever grows. Its samples end in `_total`, its family in OpenMetrics does not.
    Counter,
    /// Grows and shrinks.
    Gauge,
    /// Always 1; its labels are what it says. Its samples end in `_info`.
    Info,
}

/// Writes one family after the other.
pub(super) struct Writer<'w> {
    format: Format,
    content: &'w mut Vec<u8>,
}

impl<'w> Writer<'w> {
    pub(super) fn new(format: Format, content: &'w mut Vec<u8>) -> Writer<'w> {
        Writer { format, content }
    }

    /// Begins a family. `name`: without the suffix of its kind. `help`: plain text without a backslash.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let (suffix, word) = match kind {
            Kind::Counter => ("_total", "counter"),
            Kind::Gauge => ("", "gauge"),
            Kind::Info => ("_info", if self.format == Format::OpenMetrics { "info" } else { "gauge" }),
        };
        let named = if self.format == Format::OpenMetrics { "" } else { suffix };
        put(self.content, format_args!("# HELP {name}{named} {help}\n# TYPE {name}{named} {word}\n"));
        Family { name, suffix, content: self.content }
    }

    /// Ends the text.
    pub(super) fn end(&mut self) {
        if self.format == Format::OpenMetrics {
            self.content.extend_from_slice(b"# EOF\n");
        }
    }
}

/// Writes the samples of one family.
pub(super) struct Family<'w> {
    name: &'static str,
    suffix: &'static str,
    content: &'w mut Vec<u8>,
}

impl Family<'_> {
    /// The only sample.
    pub(super) fn value(&mut self, value: impl Display) {
        put(self.content, format_args!("{}{} {value}\n", self.name, self.suffix));
    }

    /// A sample with a label, whose value needs no escaping.
    pub(super) fn one(&mut self, label: &str, is: impl Display, value: impl Display) {
        put(self.content, format_args!("{}{}{{{label}=\"{is}\"}} {value}\n", self.name, self.suffix));
    }

    /// A sample with two labels.
    pub(super) fn two(&mut self, (label, is): (&str, &str), (other, other_is): (&str, u16), value: u64) {
        let (name, suffix) = (self.name, self.suffix);
        put(self.content, format_args!("{name}{suffix}{{{label}=\"{is}\",{other}=\"{other_is}\"}} {value}\n"));
    }
}

fn put(content: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A vector takes all that is written to it.
    let _ = content.write_fmt(text);
}
