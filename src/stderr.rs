//! Standard error, for a program that must not wait for whoever reads it: a full pipe would stop a thread for good.
//!
//! A line is written when the descriptor takes it, else dropped and counted; the next one that gets through begins with the count.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Write};
use std::os::fd::AsFd;

/// A pipe that is ready to be written takes as much as this without waiting (PIPE_BUF, pipe(7)).
const LINE_MAX: usize = 4096;

/// Standard error. Each write is one line.
#[derive(Default)]
pub(crate) struct Stderr {
    /// Lines since the last one that got through.
    dropped: usize,
}

impl Write for Stderr {
    /// Takes all of `line` and never waits.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let stderr = io::stderr();
        let note = match self.dropped {
            0 => String::new(),
            dropped => format!("{dropped} log lines were dropped: nobody read them\n"),
        };
        let mut bytes = [note.as_bytes(), line].concat();
        if bytes.len() > LINE_MAX {
            bytes.truncate(LINE_MAX - 1);
            bytes.push(b'\n');
        }
        if is_writable(&stderr) && (&stderr).write_all(&bytes).is_ok() {
            self.dropped = 0;
        } else {
            self.dropped += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_writable(descriptor: &impl AsFd) -> bool {
    let mut descriptors = [PollFd::new(descriptor.as_fd(), PollFlags::POLLOUT)];
    let ready = poll(&mut descriptors, PollTimeout::ZERO).is_ok_and(|ready| ready > 0);
    ready && descriptors[0].revents().is_some_and(|events| events.contains(PollFlags::POLLOUT))
}
