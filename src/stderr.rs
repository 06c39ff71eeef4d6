//! Standard error, for a program that must not wait for whoever reads it: a full pipe would stop a thread for good.
//!
//! A line is written when the descriptor takes it, else dropped and counted; the next one that gets through begins with the count.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use swagip::observe::metrics::LinesDropped;
use swagip::observe::output::{Output, PIECE_MAX};

/// Standard error. Each write is one line.
#[derive(Clone)]
pub(crate) struct Stderr {
    /// `None`: it cannot be duplicated, and takes nothing.
    output: Option<Arc<Output>>,
    /// Lines since the last one that got through.
    dropped: usize,
    /// All that were dropped.
    all: LinesDropped,
}

impl Stderr {
    /// Standard error, whose dropped lines are counted here too.
    pub(crate) fn counting(all: LinesDropped) -> Stderr {
        Stderr { all, ..Stderr::default() }
    }
}

impl Default for Stderr {
    fn default() -> Stderr {
        let descriptor = io::stderr().as_fd().try_clone_to_owned();
        let output = descriptor.ok().map(|descriptor| Output::new(descriptor.into()).into());
        Stderr { output, dropped: 0, all: LinesDropped::default() }
    }
}

impl Write for Stderr {
    /// Takes all of `line` and never waits.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let note = match self.dropped {
            0 => String::new(),
            dropped => format!("{dropped} log lines were dropped: nobody read them\n"),
        };
        let mut bytes = [note.as_bytes(), line].concat();
        if bytes.len() > PIECE_MAX {
            bytes.truncate(PIECE_MAX - 1);
            bytes.push(b'\n');
        }
        let is_written =
            self.output.as_ref().is_some_and(|output| output.write(&bytes).is_ok_and(|length| length == bytes.len()));
        if is_written {
            self.dropped = 0;
        } else {
            self.dropped += 1;
            self.all.add();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
