//! The program with files: what it says of wrong ones, and what it does on SIGHUP.

use crate::mmdb::{Mmdb, file, map, names, replace, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn swagip(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagip"));
    command.args(["--listen", "127.0.0.1:0"]).args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped());
    command
}

/// Ended with whoever holds it.
pub struct Program {
    process: Child,
    pub lines: BufReader<ChildStderr>,
    pub start_line: String,
}

impl Program {
    pub fn start(arguments: &[&str]) -> Program {
        let mut process = swagip(arguments).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap());
        let mut start_line = String::new();
        lines.read_line(&mut start_line).unwrap();
        Program { process, lines, start_line }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn hang_up(&self) {
        kill(Pid::from_raw(self.id().try_into().unwrap()), Signal::SIGHUP).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    fn connect(&self) -> TcpStream {
        let address = self.start_line.split([' ', ',']).nth(2).unwrap().parse::<SocketAddr>().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The content of a text, over a connection of its own.
    pub fn get(&self, target: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn waits_for(&self, target: &str, expected: &str) {
        let end = Instant::now() + PATIENCE;
        while self.get(target) != expected {
            assert!(Instant::now() < end, "{target} never becomes {expected}");
            thread::yield_now();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A file that goes with whoever holds it.
struct Held(PathBuf);

impl Held {
    fn new(database: &Mmdb) -> Held {
        Held(database.file())
    }

    fn bytes(bytes: &[u8]) -> Held {
        Held(file(bytes))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn in_city(name: &str) -> Mmdb {
    Mmdb::new("City").with("203.0.113.0/24", map([("city", map([("names", names([("en", name)]))]))]))
}

const CITY: &str = "/city?ip=203.0.113.9";

#[test]
fn a_start_with_two_files() {
    let (city, asn) = (Held::new(&Mmdb::city()), Held::new(&Mmdb::asn()));
    let program = Program::start(&["--mmdb", city.path(), "--mmdb", asn.path(), "--mmdb-language", "de", "--threads", "1"]);
    let end = ", 1 thread, trusting no proxy, looking up in GeoLite2-City of 2026-11-20 and GeoLite2-ASN of 2026-11-20\n";
    assert!(program.start_line.ends_with(end), "{}", program.start_line);
    assert_eq!(program.get("/country?ip=203.0.113.9"), "Deutschland\n");
    assert_eq!(program.get("/asn?ip=203.0.113.9"), "AS64500\n");
}

#[test]
fn what_is_wrong_with_a_file_ends_the_start_in_one_line() {
    let bytes = Mmdb::city().bytes();
    let cut = Held::bytes(&bytes[..bytes.len() / 2]);
    let foreign = Held::bytes(b"#!/bin/sh\n");
    let empty = Held::bytes(b"");
    let broken = Held::bytes(&bytes[bytes.len() - 400..]);
    let other = Held::new(&Mmdb::new("GeoIP2-Domain").with("::/1", map([("domain", text("a"))])));
    let right = Held::new(&Mmdb::city());
    let no_file = "is not a MaxMind DB file, or is truncated";
    for (path, reason) in [
        (cut.path(), no_file),
        (foreign.path(), no_file),
        (empty.path(), no_file),
        (broken.path(), "is broken: its search tree contradicts its metadata"),
        (other.path(), "is of the type \"GeoIP2-Domain\", which has no countries, cities or networks"),
        ("/nowhere.mmdb", "cannot be read: No such file or directory (os error 2)"),
        ("/tmp", "cannot be read: it is not a regular file"),
        ("/dev/zero", "cannot be read: it is not a regular file"),
    ] {
        let output = swagip(&["--mmdb", right.path(), "--mmdb", path]).output().unwrap();
        let expected = format!("--mmdb: {path:?} {reason}\n");
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(2), expected));
    }
    let output = swagip(&[]).env("SWAGIP_MMDB", format!("{},{}", right.path(), cut.path())).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with(&format!("SWAGIP_MMDB: {:?} {no_file}", cut.path())));
}

#[test]
fn what_is_doubtful_is_told() {
    let right = Held::new(&Mmdb::city());
    for (arguments, expected) in [
        (
            &["--mmdb", right.path(), "--mmdb-language", "xx"][..],
            "\"xx\" is in no database, so names are English (available: de, en)\n",
        ),
        (&["--mmdb-language", "de"], "\"de\" is not used, because there is no database: add --mmdb FILE\n"),
    ] {
        let program = Program::start(arguments);
        assert!(program.start_line.ends_with(expected), "{}", program.start_line);
    }
    for (arguments, expected) in [
        (&["--mmdb-language", "d/e"][..], "--mmdb-language: \"d/e\" is not a language: try en, de or pt-BR\n"),
        (&["--mmdb"; 1], "--mmdb needs a value: try --mmdb GeoLite2-City.mmdb\n"),
    ] {
        let output = swagip(arguments).output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(2), expected.to_owned()));
    }
    let nine: Vec<&str> = (0..9).flat_map(|_| ["--mmdb", right.path()]).collect();
    let output = swagip(&nine).output().unwrap();
    assert!(
        String::from_utf8(output.stderr).unwrap().ends_with(" is one too many, at most 8 databases are allowed: leave it out\n")
    );
}

/// All threads: each has connections of its own.
#[test]
fn a_new_file_is_used_after_sighup_and_not_before() {
    let city = Held::new(&in_city("Old"));
    let program = Program::start(&["--mmdb", city.path(), "--threads", "4"]);
    let mut kept: Vec<TcpStream> = (0..32).map(|_| program.connect()).collect();
    let mut ask = |expected: &str| {
        for stream in &mut kept {
            write!(stream, "GET {CITY} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(format!("\r\n\r\n{expected}\n").as_bytes()) {
                let mut piece = [0; 1024];
                let length = match stream.read(&mut piece) {
                    // With a timeout, as it is here, a read that is interrupted is not begun again (signal(7)).
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read.unwrap(),
                };
                assert!(length > 0 && answer.len() < 1024, "{}", String::from_utf8_lossy(&answer));
                answer.extend_from_slice(&piece[..length]);
            }
        }
    };
    ask("Old");
    replace(&city.0, &in_city("New").bytes());
    ask("Old");
    program.hang_up();
    // The threads are told at the same time, and each of a few dozen new connections is taken by one of them.
    (0..32).for_each(|_| program.waits_for(CITY, "New\n"));
    let end = Instant::now() + PATIENCE;
    while !uses_only(&program, city.path()) {
        assert!(Instant::now() < end, "the old file is still mapped");
        thread::yield_now();
    }
    ask("New");
}

/// Whether what was at this path before is no longer mapped.
fn uses_only(program: &Program, path: &str) -> bool {
    let maps = fs::read_to_string(format!("/proc/{}/maps", program.id())).unwrap();
    let mut files = maps.lines().filter(|line| line.contains(path));
    files.clone().count() == 1 && !files.any(|line| line.ends_with("(deleted)"))
}

#[test]
fn a_wrong_file_is_told_after_sighup_and_the_old_one_stays() {
    let city = Held::new(&in_city("Old"));
    let mut program = Program::start(&["--mmdb", city.path(), "--threads", "1"]);
    let bytes = in_city("New").bytes();
    for (wrong, reason) in [
        (&bytes[..bytes.len() / 2], "is not a MaxMind DB file, or is truncated"),
        (b"", "is not a MaxMind DB file, or is truncated"),
        (&bytes[bytes.len() - 300..], "is broken: "),
    ] {
        replace(&city.0, wrong);
        program.hang_up();
        let line = program.line();
        assert!(
            line.contains(&format!("{} {reason}", city.path())) && line.ends_with("; all databases stay as they were\n"),
            "{line}"
        );
        assert_eq!(program.get(CITY), "Old\n");
    }
    fs::remove_file(&city.0).unwrap();
    program.hang_up();
    assert!(program.line().contains("cannot be read: No such file or directory"));
    assert_eq!(program.get(CITY), "Old\n");
    fs::write(&city.0, &bytes).unwrap();
    program.hang_up();
    let line = program.line();
    assert!(line.ends_with("] reloaded: City of 2026-11-20\n"), "{line}");
    program.waits_for(CITY, "New\n");
}

#[test]
fn many_orders_at_once() {
    let city = Held::new(&in_city("Old"));
    let program = Program::start(&["--mmdb", city.path(), "--threads", "2"]);
    for number in 0..50 {
        replace(&city.0, &in_city(&format!("City {number}")).bytes());
        program.hang_up();
        assert_ne!(program.get(CITY), "");
    }
    program.waits_for(CITY, "City 49\n");
}

#[test]
fn without_files_sighup_does_nothing() {
    let program = Program::start(&["--threads", "1"]);
    program.hang_up();
    assert_eq!(program.get("/ip"), "127.0.0.1\n");
}

/// The kilobytes that a process has written, so that they are its own; a mapped file that was just made is not counted.
fn private(process: u32, file: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/smaps")).unwrap();
    let mut is_file = false;
    let mut sum = 0;
    for line in text.lines() {
        if !line.split(' ').next().unwrap().ends_with(':') {
            is_file = line.ends_with(file);
        } else if line.starts_with("Private_Dirty:") && !is_file {
            sum += line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
        }
    }
    sum
}

/// However large it is, and whatever was asked of it, it is the kernel's copy that is looked at.
#[test]
fn a_file_is_no_memory_of_the_process() {
    let mut file = Mmdb::new("City");
    for index in 0..20_000 {
        let record = map([("city", map([("names", names([("en", &format!("City {index} {}", "x".repeat(200)))]))]))]);
        file = file.with(&format!("10.{}.{}.0/24", index / 256, index % 256), record);
    }
    let file = Held::new(&file);
    assert!(fs::metadata(&file.0).unwrap().len() > 4 << 20);
    let of_its_own = |arguments: &[&str]| {
        let program = Program::start(arguments);
        let target = |index: usize| format!("/json?ip=10.{}.{}.1", index / 256, index % 256);
        let asked: Vec<String> = (0..20_000).step_by(200).map(|index| program.get(&target(index))).collect();
        assert!(arguments.len() < 4 || asked.iter().all(|answer| answer.contains("\"city\": \"City ")), "{}", asked[0]);
        private(program.id(), file.path())
    };
    let without = of_its_own(&["--threads", "1"]);
    let with = of_its_own(&["--threads", "1", "--mmdb", file.path()]);
    assert!(with < without + 64, "{with} KiB of its own, {without} without a database");
}
