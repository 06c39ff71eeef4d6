//! The text formats: Prometheus's 0.0.4, and OpenMetrics 1.0. They differ in what a family of counters is called, in the type of what is
//! always 1, and in how they end.

use crate::resource::monitoring::Format;
use std::fmt::{self, Display};
use std::io::Write;

/// What a family's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only ever grows. Its samples end in `_total`, its family in OpenMetrics does not.
    Counter,
    /// Grows and shrinks.
    Gauge,
    /// Counts by size: how many were at most as large as each of some bounds, and the sum of all.
    Histogram,
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
            Kind::Histogram => ("", "histogram"),
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
    pub(super) fn two(&mut self, (label, is): (&str, &str), (other, other_is): (&str, impl Display), value: u64) {
        let (name, suffix) = (self.name, self.suffix);
        put(self.content, format_args!("{name}{suffix}{{{label}=\"{is}\",{other}=\"{other_is}\"}} {value}\n"));
    }

    /// A histogram with a label: of each bucket its upper bound and its count, the last of them without a bound; and the sum of what was
    /// counted.
    pub(super) fn histogram(
        &mut self,
        (label, is): (&str, &str),
        bounds: &[Millis],
        counts: impl Iterator<Item = u64>,
        sum: Millis,
    ) {
        let name = self.name;
        let mut bounds = bounds.iter();
        let mut total: u64 = 0;
        for count in counts {
            total = total.wrapping_add(count);
            put(self.content, format_args!("{name}_bucket{{{label}=\"{is}\",le=\""));
            match bounds.next() {
                Some(bound) => put(self.content, format_args!("{bound}\"}} {total}\n")),
                None => put(self.content, format_args!("+Inf\"}} {total}\n")),
            }
        }
        put(self.content, format_args!("{name}_sum{{{label}=\"{is}\"}} {sum}\n{name}_count{{{label}=\"{is}\"}} {total}\n"));
    }
}

/// A time in milliseconds, which is written in seconds, as OpenMetrics wants bounds: `0.25`, `1.0`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Millis(pub u64);

impl Display for Millis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.0 / 1000, self.0 % 1000);
        match rest {
            _ if rest % 100 == 0 => write!(formatter, "{seconds}.{}", rest / 100),
            _ if rest % 10 == 0 => write!(formatter, "{seconds}.{:02}", rest / 10),
            _ => write!(formatter, "{seconds}.{rest:03}"),
        }
    }
}

fn put(content: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A vector takes all that is written to it.
    let _ = content.write_fmt(text);
}
