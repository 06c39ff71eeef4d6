//! The program itself, stopped and continued by signals.

use super::wait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks of `/proc`, per second, on every Linux there is.
const TICKS: u64 = 100;

/// A server that listens on the IPv4 loopback. Killed where a test fails.
pub struct Program {
    child: Child,
    /// The server's process; the child may be one that has started it.
    id: u32,
    pub address: SocketAddr,
}

/// How it ended.
pub struct End {
    pub code: Option<i32>,
    /// After the signal.
    pub after: Duration,
    /// What it used of the processor in its whole life.
    pub processor: Duration,
    /// What its busiest thread used of it since the end was waited for.
    pub busiest: Duration,
}

impl Program {
    pub fn start(arguments: &str) -> Program {
        Program::spawn(&mut Command::new(env!("CARGO_BIN_EXE_swagip")), arguments)
    }

    /// One that is process 1, as in a container. `None` where namespaces are not allowed.
    pub fn start_as_1(arguments: &str) -> Option<Program> {
        let as_root = &["--pid", "--fork", "--kill-child", "--mount-proc"][..];
        // An ordinary user may do it as root of a namespace of users.
        let as_user = &[as_root, &["--user", "--map-root-user"]].concat()[..];
        let is_allowed = |options: &&&[&str]| {
            let status = Command::new("unshare").args(**options).arg("true").stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        let options = *[as_root, as_user].iter().find(is_allowed)?;
        let mut command = Command::new("unshare");
        let mut program = Program::spawn(command.args(options).arg(env!("CARGO_BIN_EXE_swagip")), arguments);
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", program.id)).unwrap();
        program.id = children.trim().parse().unwrap();
        Some(program)
    }

    fn spawn(command: &mut Command, arguments: &str) -> Program {
        command.args(["-l", "127.0.0.1:0"]).args(arguments.split_whitespace()).env_clear();
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.starts_with("listening on ")).unwrap();
        let address = line.split([' ', ',']).nth(2).unwrap().parse().unwrap();
        let id = child.id();
        Program { child, id, address }
    }

    pub fn signal(&self, signal: &str) {
        let id = Pid::from_raw(self.id.try_into().unwrap());
        kill(id, format!("SIG{signal}").parse::<Signal>().unwrap()).unwrap();
    }

    /// Stops all its threads, so that what the kernel does for it goes on and what it does itself does not.
    pub fn freeze(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.id);
        wait(|| {
            let mut stats = fs::read_dir(&tasks).unwrap().map(|task| task.unwrap().path().join("stat"));
            stats.all(|stat| fields(&fs::read_to_string(stat).unwrap())[0] == "T")
        });
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Signals and waits for the end.
    pub fn stop(self, signal: &str) -> End {
        let since = Instant::now();
        self.signal(signal);
        self.end(since)
    }

    /// Waits for the end after a signal that was sent at `since`.
    pub fn end(mut self, since: Instant) -> End {
        let stat = format!("/proc/{}/stat", self.child.id());
        let before = self.busy();
        let (mut used, mut busiest) = (Duration::ZERO, Duration::ZERO);
        wait(|| {
            let text = fs::read_to_string(&stat).unwrap();
            let fields = fields(&text);
            let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
            used = Duration::from_millis(ticks * 1000 / TICKS);
            let since = |(id, time): (OsString, Duration)| time - before.get(&id).copied().unwrap_or_default();
            busiest = self.busy().into_iter().map(since).fold(busiest, Duration::max);
            fields[0] == "Z"
        });
        End { code: self.child.wait().unwrap().code(), after: since.elapsed(), processor: used, busiest }
    }

    /// The time that each of its threads has spent on a processor.
    fn busy(&self) -> HashMap<OsString, Duration> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id)).into_iter().flatten();
        // One that ends in the meantime has none.
        let time = |task: io::Result<DirEntry>| {
            let task = task.ok()?;
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            Some((task.file_name(), Duration::from_nanos(text.split(' ').next()?.parse().ok()?)))
        };
        tasks.filter_map(time).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The fields of a `stat` file from the state on: what stands before it is a name that may hold anything.
fn fields(stat: &str) -> Vec<&str> {
    stat.rsplit_once(") ").unwrap().1.split(' ').collect()
}
