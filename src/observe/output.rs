//! Where lines go: standard output or standard error, whatever that is, which all threads share and which none of them ever waits for.
//!
//! A pipe and a terminal are opened a second time, so that O_NONBLOCK is on a description of our own: set on the one that was inherited
//! it would surprise every other program that has it. Where the kernel does not let us, a write is preceded by a question; but not to a
//! terminal, which says that there is room where there is less than a line needs: there the inherited description gets O_NONBLOCK.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::Mutex;

/// What a pipe takes whole or not at all, so that the lines of two threads, or processes, do not mix (PIPE_BUF, pipe(7)).
pub const PIECE_MAX: usize = 4096;

/// Takes lines, as far as it can at once.
#[derive(Debug)]
pub struct Output {
    file: File,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Takes all that there is room for on its disk.
    Regular,
    /// Never waits.
    NonBlocking,
    /// systemd's journal.
    Socket,
    /// May wait, so it is asked first. Two threads that were both told that there is room for one would both write: whoever finds
    /// it locked comes again.
    Blocking(Mutex<()>),
}

impl Output {
    /// Writes to what this is a descriptor of.
    pub fn new(file: File) -> Output {
        let kind = file.metadata().map(|metadata| metadata.file_type());
        let (file, kind) = match kind {
            Ok(kind) if kind.is_file() => (file, Kind::Regular),
            Ok(kind) if kind.is_socket() => (file, Kind::Socket),
            _ => match reopen(&file) {
                Ok(file) => (file, Kind::NonBlocking),
                Err(_) => inherited(file),
            },
        };
        Output { file, kind }
    }

    /// The lines that one write takes: all of them for a file, else as many as fit into [`PIECE_MAX`]. No line is longer than that.
    pub fn piece<'l>(&self, lines: &'l [u8]) -> &'l [u8] {
        if matches!(self.kind, Kind::Regular) || lines.len() <= PIECE_MAX {
            return lines;
        }
        let end = memchr::memrchr(b'\n', &lines[..PIECE_MAX]).map_or(lines.len(), |end| end + 1);
        &lines[..end]
    }

    /// Writes what it takes of a [`piece`](Output::piece), all or nothing as a rule.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`]: not now.
    pub fn write(&self, piece: &[u8]) -> io::Result<usize> {
        match &self.kind {
            Kind::Regular | Kind::NonBlocking => (&self.file).write(piece),
            Kind::Socket => SockRef::from(&self.file).send_with_flags(piece, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL),
            Kind::Blocking(lock) => match lock.try_lock() {
                Ok(_lock) if is_ready(&self.file) => (&self.file).write(piece),
                _ => Err(ErrorKind::WouldBlock.into()),
            },
        }
    }
}

/// Opens a pipe or a terminal a second time by its descriptor, without blocking.
fn reopen(file: &File) -> io::Result<File> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// For what cannot be opened a second time, such as another user's terminal (su, sudo -u).
fn inherited(file: File) -> (File, Kind) {
    let is_set = file.is_terminal() && SockRef::from(&file).set_nonblocking(true).is_ok();
    (file, if is_set { Kind::NonBlocking } else { Kind::Blocking(Mutex::default()) })
}

/// Whether a write of [`PIECE_MAX`] bytes would not wait: there is room, or nobody reads any more, which is an error at once.
fn is_ready(file: &File) -> bool {
    let mut descriptors = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
    poll(&mut descriptors, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::OwnedFd;

    const LINE: &[u8] = b"0123456789abcdef0123456789abcde\n";

    fn blocking(file: File) -> Output {
        Output { file, kind: Kind::Blocking(Mutex::default()) }
    }

    /// Writes until no more is taken; a test that waits fails by never ending.
    fn fill(output: &Output) -> usize {
        let lines = LINE.repeat(1000);
        let mut written = 0;
        loop {
            match output.write(output.piece(&lines)) {
                Ok(length) => written += length,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    return written;
                }
            }
        }
    }

    #[test]
    fn a_pipe_and_a_socket_that_are_full_are_not_waited_for() {
        let (mut reader, writer) = io::pipe().unwrap();
        let inherited = File::from(OwnedFd::from(writer));
        let output = Output::new(inherited.try_clone().unwrap());
        assert!(matches!(output.kind, Kind::NonBlocking));
        let information = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", inherited.as_raw_fd())).unwrap();
        let flags = information.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        let flags = i32::from_str_radix(flags.trim(), 8).unwrap();
        assert_eq!(flags & libc::O_NONBLOCK, 0, "whoever shares it may wait for it as ever");
        let written = fill(&output);
        assert!(written >= 32 * 1024, "{written}");
        // It takes pieces of whole lines.
        let mut read = vec![0; written];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(read, LINE.repeat(written / LINE.len()));
        assert!(fill(&output) > 0);
        assert_eq!(fill(&blocking(inherited)), 0);

        let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
        let output = Output::new(File::from(OwnedFd::from(writer)));
        assert!(matches!(output.kind, Kind::Socket) && fill(&output) > 0);
        drop(reader);
        assert_eq!(output.write(LINE).unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_descriptor_that_may_wait_is_asked_first() {
        let (reader, writer) = io::pipe().unwrap();
        let output = blocking(File::from(OwnedFd::from(writer)));
        assert!(fill(&output) >= 32 * 1024);
        drop(reader);
        assert_eq!(output.write(LINE).unwrap_err().kind(), ErrorKind::BrokenPipe);
        let Kind::Blocking(lock) = &output.kind else { unreachable!() };
        let _lock = lock.lock().unwrap();
        assert_eq!(output.write(LINE).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn a_terminal_that_cannot_be_opened_again_is_not_waited_for() {
        let terminal = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open("/dev/ptmx").unwrap();
        let (file, kind) = inherited(terminal);
        assert!(matches!(kind, Kind::NonBlocking));
        // Nobody has typed anything.
        assert_eq!((&file).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        let (_reader, writer) = io::pipe().unwrap();
        assert!(matches!(inherited(File::from(OwnedFd::from(writer))).1, Kind::Blocking(_)));
    }

    #[test]
    fn a_file_takes_all_at_once() {
        let output = Output::new(File::open("Cargo.toml").unwrap());
        let lines = LINE.repeat(1000);
        assert_eq!(output.piece(&lines).len(), lines.len());
        let output = Output::new(OpenOptions::new().write(true).open("/dev/null").unwrap());
        assert!(matches!(output.kind, Kind::NonBlocking));
        assert_eq!(output.piece(&lines).len(), PIECE_MAX);
        assert_eq!(output.write(LINE).unwrap(), LINE.len());
    }
}
