//! The program's standard output: lines and nothing else, whoever reads it, or nobody.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The program, and the lines of its standard error since it began to listen.
struct Program {
    child: Child,
    address: SocketAddr,
    log: BufReader<std::process::ChildStderr>,
}

const SWAGIP: &str = env!("CARGO_BIN_EXE_swagip");

const REQUEST: &str = "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n";

impl Program {
    fn start(stdout: impl Into<Stdio>, options: &[&str]) -> Program {
        Program::begin(Command::new(SWAGIP).args(["--listen", "127.0.0.1:0"]).args(options).stdout(stdout))
    }

    fn begin(command: &mut Command) -> Program {
        let mut child = command.env_remove("RUST_LOG").stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        // Warnings may come before it: of variables, say, that the tests themselves are run with.
        while !line.starts_with("listening on ") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it started");
        }
        let address = line.split([' ', ',']).nth(2).unwrap().parse().unwrap();
        Program { child, address, log }
    }

    /// So many requests over one connection, each answered before the next 100.
    fn ask(&self, count: usize) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(REQUEST.as_bytes()).unwrap();
        let mut one = [0; 1024];
        let length = stream.read(&mut one).unwrap();
        assert!(one.starts_with(b"HTTP/1.1 200 OK\r\n"));
        for sent in (1..count).step_by(100) {
            let batch = 100.min(count - sent);
            stream.write_all(REQUEST.repeat(batch).as_bytes()).unwrap();
            stream.read_exact(&mut vec![0; batch * length]).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut one).unwrap(), 0);
    }

    /// Has it end, and gives what it said on standard error.
    fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut text = String::new();
        self.log.read_to_string(&mut text).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{text}");
        text
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that standard error says were dropped.
fn dropped(told: &str) -> usize {
    let counts = told.lines().filter(|line| line.contains("lines of the access log that were dropped"));
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

/// Each is whole.
fn count(text: &str) -> usize {
    assert!(text.ends_with('\n'));
    let is_line = |line: &str| line.starts_with("127.0.0.1 - - [") && line.ends_with("\"GET /ip HTTP/1.1\" 200 10 \"-\" \"-\"");
    assert_eq!(text.lines().find(|line| !is_line(line)), None);
    text.lines().count()
}

#[test]
fn standard_output_has_lines_and_nothing_else() {
    for threads in ["1", "2"] {
        let mut program = Program::start(Stdio::piped(), &["--access-log", "--threads", threads]);
        let mut output = program.child.stdout.take().unwrap();
        program.ask(1);
        // Before anything else happens.
        let mut line = [0; 4096];
        let length = output.read(&mut line).unwrap();
        assert_eq!(count(std::str::from_utf8(&line[..length]).unwrap()), 1);
        program.ask(300);
        let told = program.stop();
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        assert_eq!((count(&text), told.as_str()), (300, ""));
    }
}

#[test]
fn it_may_be_a_file_or_a_socket() {
    let path = std::env::temp_dir().join(format!("swagip-access-log-{}", std::process::id()));
    let program = Program::start(File::create(&path).unwrap(), &["--access-log"]);
    program.ask(300);
    assert_eq!(program.stop(), "");
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(count(&text), 300);

    let (mut reader, writer) = UnixStream::pair().unwrap();
    let program = Program::start(std::os::fd::OwnedFd::from(writer), &["--access-log"]);
    program.ask(300);
    assert_eq!(program.stop(), "");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(count(&text), 300);
}

/// More than a pipe and the threads keep.
#[test]
fn a_reader_that_stalls_stops_nobody_and_no_line_is_lost_unseen() {
    const REQUESTS: usize = 10_000;
    for threads in ["1", "2"] {
        let mut program = Program::start(Stdio::piped(), &["--access-log", "--threads", threads]);
        let mut output = program.child.stdout.take().unwrap();
        program.ask(REQUESTS);
        let mut told = String::new();
        program.log.read_line(&mut told).unwrap();
        assert!(dropped(&told) > 0, "it is told while it is so: {told}");
        // What was kept for it comes when it reads again, although nobody asks: more than a pipe holds.
        let mut text = vec![0; 100_000];
        output.read_exact(&mut text).unwrap();
        told += &program.stop();
        output.read_to_end(&mut text).unwrap();
        let read = count(std::str::from_utf8(&text).unwrap());
        assert_eq!(read + dropped(&told), REQUESTS, "{told}");
    }
}

#[test]
fn neither_does_one_that_has_gone_nor_a_full_disk() {
    let mut program = Program::start(Stdio::piped(), &["--access-log"]);
    drop(program.child.stdout.take());
    program.ask(1000);
    assert_eq!(dropped(&program.stop()), 1000);

    let full = File::options().write(true).open("/dev/full").unwrap();
    let program = Program::start(full, &["--access-log", "--threads", "1"]);
    program.ask(1000);
    assert_eq!(dropped(&program.stop()), 1000);

    let program = Program::start(Stdio::null(), &["--access-log"]);
    program.ask(1000);
    assert_eq!(program.stop(), "");
}

/// Bare flags and values, from the environment, too.
#[test]
fn what_is_logged_is_chosen() {
    let output = Command::new(env!("CARGO_BIN_EXE_swagip")).args(["--access-log=common"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "--access-log: \"common\" is not a format of the access log: try combined, json or off\n"
    );
    for (options, expected) in [
        (&[][..], 0),
        (&["--access-log=off", "--access-log-health"], 0),
        (&["--access-log"], 1),
        (&["--access-log", "--access-log-health"], 2),
        (&["--access-log=json", "--access-log-health=yes", "--access-log-mask"], 2),
    ] {
        let mut program = Program::start(Stdio::piped(), options);
        let mut stream = TcpStream::connect(program.address).unwrap();
        stream.write_all(format!("{REQUEST}GET /health HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        let mut output = program.child.stdout.take().unwrap();
        assert_eq!(program.stop(), "");
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), expected, "{options:?}: {text}");
        assert!(options.len() < 3 || text.lines().all(|line| line.contains(r#""client":"127.0.0.0","port":null,"#)), "{text}");
    }
}

#[test]
fn a_line_that_a_full_disk_has_torn_ends_before_the_next_one() {
    let path = std::env::temp_dir().join(format!("swagip-torn-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    // A write past the limit is cut short where the signal for it is ignored, and the next one fails.
    let script = r#"trap '' XFSZ; ulimit -S -f 8; exec "$1" --listen 127.0.0.1:0 --access-log --threads 1 >>"$0""#;
    let program = Program::begin(Command::new("sh").args(["-c", script]).arg(&path).arg(SWAGIP));
    program.ask(300);
    let raise = ["--pid", &program.child.id().to_string(), "--fsize=unlimited:unlimited"].map(str::to_owned);
    assert!(Command::new("prlimit").args(raise).status().unwrap().success());
    program.ask(1);
    let told = program.stop();
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let is_whole = |line: &&str| line.ends_with("\"-\" \"-\"") && line.matches("127.0.0.1 - - [").count() == 1;
    assert!(text.lines().last().is_some_and(|line| is_whole(&line)), "{text}");
    assert_eq!(text.lines().filter(is_whole).count() + dropped(&told), 301, "{told}");
}
