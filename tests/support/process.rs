//! The program as a process of its own.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A server in another process; killed when it is dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// A command that starts the program.
    pub fn command() -> Command {
        Command::new(env!("CARGO_BIN_EXE_swagip"))
    }

    /// Starts a command that is, or becomes, the program, and waits until it listens.
    pub fn spawn(command: &mut Command) -> Process {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.starts_with("listening on ")).unwrap();
        let address = line.split([' ', ',']).nth(2).unwrap().parse().unwrap();
        Process { child, address }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, signal: &str) {
        let id = Pid::from_raw(self.id().try_into().unwrap());
        kill(id, format!("SIG{signal}").parse::<Signal>().unwrap()).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
