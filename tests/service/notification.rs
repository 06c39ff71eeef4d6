//! What a supervisor is told.

use super::mmdb::{Mmdb, replace};
use super::{GET, PATIENCE, Server, answer, send, swagip, wait};
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Command};
use std::time::Duration;

/// Half of it is what a thread may take to turn, on a machine that is busy.
const WATCHDOG: Duration = Duration::from_millis(500);

/// A supervisor's socket, and the variable that names it. Its file is removed in the end.
struct Supervisor {
    socket: UnixDatagram,
    name: String,
}

impl Supervisor {
    fn at(name: String) -> Supervisor {
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&name),
        };
        let socket = UnixDatagram::bind_addr(&address.unwrap()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Supervisor { socket, name }
    }

    fn new(test: &str) -> Supervisor {
        Supervisor::at(format!("@swagip-{}-{test}", process::id()))
    }

    fn start(&self, arguments: &str, variables: &[(&str, &str)]) -> Server {
        let mut all = vec![("NOTIFY_SOCKET", self.name.as_str())];
        all.extend(variables);
        Server::start(&[], &all, &format!("-l 127.0.0.1:0 {arguments}"))
    }

    /// The next message; none where the read timeout passed.
    fn next(&self) -> Option<String> {
        let mut buffer = [0; 1024];
        match self.socket.recv(&mut buffer) {
            Ok(length) => Some(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// All that has come.
    fn rest(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).unwrap();
        let rest = std::iter::from_fn(|| self.next()).collect();
        self.socket.set_nonblocking(false).unwrap();
        rest
    }

    /// How often the watchdog hears something in this time, from now on.
    fn beats(&self, time: Duration) -> usize {
        self.rest();
        self.socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let end = std::time::Instant::now() + time;
        let mut count = 0;
        while std::time::Instant::now() < end {
            count += usize::from(self.next().is_some_and(|message| message == "WATCHDOG=1"));
        }
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        count
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.name);
    }
}

#[test]
fn a_supervisor_is_told_of_the_start_a_reload_and_the_end() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("notify-{}", process::id()));
    for name in [format!("@swagip-{}-life", process::id()), directory.to_str().unwrap().to_owned()] {
        let supervisor = Supervisor::at(name);
        let server = supervisor.start("-t 3 --drain-grace 200ms", &[]);
        assert_eq!(supervisor.next(), Some(format!("READY=1\nSTATUS={}", server.start_line)));
        for _ in 0..2 {
            server.signal("HUP");
            let reloading = supervisor.next().unwrap();
            let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().parse::<u64>().unwrap();
            let uptime = fs::read_to_string("/proc/uptime").unwrap();
            let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
            assert!((seconds - micros as f64 / 1e6).abs() < PATIENCE.as_secs_f64(), "{micros} is now");
            assert_eq!(supervisor.next(), Some(format!("READY=1\nSTATUS={}", server.start_line)));
        }
        let address = server.start_line.split([' ', ',']).nth(2).unwrap().parse().unwrap();
        assert_eq!(answer(send(address, GET)), "127.0.0.1");
        server.signal("TERM");
        assert_eq!(supervisor.next().as_deref(), Some("STOPPING=1\nSTATUS=draining"));
        // Nothing follows it, and it comes once from three threads.
        server.signal("HUP");
        server.stop();
        assert_eq!(supervisor.rest(), [""; 0]);
    }
}

/// One of three threads stands still, as one that has stalled does; the others turn, and that is not enough.
#[test]
fn the_watchdog_hears_nothing_when_one_thread_has_stalled() {
    let supervisor = Supervisor::new("stalled");
    let server = supervisor.start("-t 3", &[("WATCHDOG_USEC", &WATCHDOG.as_micros().to_string())]);
    assert!(supervisor.next().unwrap().starts_with("READY=1\n"));
    for _ in 0..4 {
        assert_eq!(supervisor.next().as_deref(), Some("WATCHDOG=1"));
    }
    let thread = thread_named("worker-1", server.child.id());
    ptrace::seize(thread, ptrace::Options::empty()).unwrap();
    ptrace::interrupt(thread).unwrap();
    waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
    // It may have joined the round that was under way.
    assert!(supervisor.beats(6 * WATCHDOG) <= 1);
    ptrace::detach(thread, None).unwrap();
    for _ in 0..4 {
        assert_eq!(supervisor.next().as_deref(), Some("WATCHDOG=1"));
    }
}

fn thread_named(name: &str, process: u32) -> Pid {
    let mut found = None;
    wait(|| {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap().map(|task| task.unwrap().path());
        let mut named = tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name));
        found = named.next().map(|task| task.file_name().unwrap().to_str().unwrap().parse().unwrap());
        found.is_some()
    });
    Pid::from_raw(found.unwrap())
}

/// How many timers a process has open.
fn timers(server: &Server) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap();
    let links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.unwrap().path()).ok());
    links.filter(|link| link.to_string_lossy().contains("timerfd")).count()
}

#[test]
fn only_who_is_watched_has_timers_and_tells() {
    let supervisor = Supervisor::new("watched");
    let watchdog = WATCHDOG.as_micros().to_string();
    let watched = ("WATCHDOG_USEC", watchdog.as_str());
    let server = supervisor.start("-t 3", &[watched]);
    assert_eq!(timers(&server), 3);
    drop(server);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let unsupervised = Server::start(&[&listener], &[watched], "-t 3");
    let unwatched = supervisor.start("-t 3", &[]);
    let other = supervisor.start("-t 3", &[watched, ("WATCHDOG_PID", "1")]);
    for server in [&unsupervised, &unwatched, &other] {
        assert_eq!(timers(server), 0, "{}", server.start_line);
    }
    assert_eq!(supervisor.beats(2 * WATCHDOG), 0);
}

/// A variable that another program has left over is no reason not to serve.
#[test]
fn a_supervisor_that_is_not_there_is_none() {
    let name = format!("@swagip-{}-nobody", process::id());
    let server = Server::start(&[], &[("NOTIFY_SOCKET", &name), ("WATCHDOG_USEC", "20000")], "-l 127.0.0.1:0 --drain-grace 0");
    let address = server.start_line.split([' ', ',']).nth(2).unwrap().parse().unwrap();
    assert_eq!(answer(send(address, GET)), "127.0.0.1");
    server.stop();
}

/// A service manager may forbid what binds a thread to its CPU: then it never hears that the server is ready.
#[test]
fn threads_that_may_not_be_pinned_are_not_ready() {
    let supervisor = Supervisor::new("pinned");
    let mut command = swagip(&[], &[("NOTIFY_SOCKET", &supervisor.name)], "-t pinned -l 127.0.0.1:0");
    forbid(&mut command, libc::SYS_sched_setaffinity, libc::EPERM);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("--threads pinned: cannot bind a thread to its CPU: "), "{told}");
    assert_eq!(supervisor.rest(), [""; 0], "nobody was told anything");
}

/// Has this system call fail in the program.
#[allow(unsafe_code)]
fn forbid(command: &mut Command, call: libc::c_long, error: i32) {
    let load = libc::sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: 0 };
    let skip = libc::sock_filter { code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, jt: 0, jf: 1, k: call as u32 };
    let give = |k| libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k };
    let mut filter = [load, skip, give(libc::SECCOMP_RET_ERRNO | error as u32), give(libc::SECCOMP_RET_ALLOW)];
    // SAFETY: prctl may be called between fork and exec, and reads the filter, which the closure owns.
    unsafe {
        command.pre_exec(move || {
            let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program);
            Ok(())
        })
    };
}

/// The status of the next reload.
fn status_after_reload(supervisor: &Supervisor) -> String {
    assert!(supervisor.next().unwrap().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    supervisor.next().unwrap().strip_prefix("READY=1\nSTATUS=").unwrap().to_owned()
}

/// Whether the databases are new or, as one is wrong, the old ones.
#[test]
fn a_supervisor_is_told_what_came_of_a_reload() {
    let path = Mmdb::city().file();
    let supervisor = Supervisor::new("databases");
    let server = supervisor.start(&format!("-t 2 --mmdb {}", path.display()), &[]);
    assert_eq!(supervisor.next(), Some(format!("READY=1\nSTATUS={}", server.start_line)));
    replace(&path, b"");
    server.signal("HUP");
    let wrong = format!("{} is not a MaxMind DB file, or is truncated; all databases stay as they were", path.display());
    assert_eq!(status_after_reload(&supervisor), wrong);
    replace(&path, &Mmdb::asn().bytes());
    server.signal("HUP");
    let status = status_after_reload(&supervisor);
    assert_eq!(status, server.start_line.replace("looking up in GeoLite2-City", "looking up in GeoLite2-ASN"));
    assert_ne!(status, server.start_line);
    fs::remove_file(path).unwrap();
}

/// It would wait for the end of a reload that has never begun.
#[test]
fn a_supervisor_is_told_of_a_reload_for_which_there_is_no_thread() {
    let path = Mmdb::city().file();
    let supervisor = Supervisor::new("threads");
    let variables = [("NOTIFY_SOCKET", supervisor.name.as_str())];
    let mut command = swagip(&[], &variables, &format!("-t 1 -l 127.0.0.1:0 --mmdb {}", path.display()));
    forbid(&mut command, libc::SYS_clone3, libc::EAGAIN);
    let server = Server::spawn(&mut command);
    assert!(supervisor.next().unwrap().starts_with("READY=1\n"));
    server.signal("HUP");
    let status = status_after_reload(&supervisor);
    assert!(status.starts_with("the databases are not opened anew, because there is no thread for it: "), "{status}");
    fs::remove_file(path).unwrap();
}
