//! The program as a process of its own, watched from outside.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ONE_THREAD: &[&str] = &["--listen", "127.0.0.1:0", "--threads", "1"];

/// A server in another process; killed when it is dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// One thread on the IPv4 loopback, with these options besides.
    pub fn start(options: &[&str]) -> Process {
        Process::start_at(&[ONE_THREAD, options].concat())
    }

    /// With these options and no others.
    pub fn start_at(options: &[&str]) -> Process {
        Process::spawn(Command::new(env!("CARGO_BIN_EXE_swagip")).args(options))
    }

    /// The same with at most so many descriptors.
    pub fn with_descriptors(descriptors: u32, options: &[&str]) -> Process {
        let script = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
        Process::spawn(Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_swagip")]).args(ONE_THREAD).args(options))
    }

    fn spawn(command: &mut Command) -> Process {
        let mut child = command.env("RUST_LOG", "off").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.starts_with("listening on ")).unwrap();
        let address = line.split([' ', ',']).nth(2).unwrap().parse().unwrap();
        Process { child, address }
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, signal: &str) {
        kill(self.id(), format!("SIG{signal}").parse::<Signal>().unwrap()).unwrap();
    }

    pub fn id(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Leaves the running process no descriptor but those that it has open.
    pub fn take_free_descriptors(&self) {
        let open = fs::read_dir(self.proc("fd")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let open: HashSet<usize> = open.map(|number| number.parse().unwrap()).collect();
        let free = (0..).find(|number| !open.contains(number)).unwrap();
        self.limit_descriptors(free);
    }

    /// Has it open none with this number or a greater one.
    pub fn limit_descriptors(&self, limit: usize) {
        let limit = format!("--nofile={limit}:{limit}");
        let status = Command::new("prlimit").args(["--pid", &self.child.id().to_string(), &limit]).status();
        assert!(status.expect("prlimit of util-linux is needed").success());
    }

    /// The descriptors that it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// Bytes of its memory that are in use.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The time that its threads have spent on a processor.
    pub fn busy(&self) -> Duration {
        let tasks = fs::read_dir(self.proc("task")).unwrap();
        let nanoseconds = tasks.map(|task| {
            let statistics = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            statistics.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
