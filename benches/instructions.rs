//! User-space instructions per request, counted by callgrind: a measure that a busy machine does not blur.
//!
//! ```text
//! benches/instructions             against benches/record/instructions.txt; fails past +5 %, or +15 % with another toolchain
//! benches/instructions --record    writes that file
//! benches/instructions --worst     the worst requests known alone, against what any request may cost (benches/requests/law.rs)
//! ```
//!
//! Each figure is the difference between a run and one of twice as many requests, so that start and end cancel out. What the
//! kernel does is not in it. The clock is: in each new second the date is formatted, so the last digits of the server's wander.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod requests;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use requests::counted;
use requests::law::{self, Worst};
use requests::{BROWSER, BROWSER_ALL, CURL, HAPROXY, JSON, Row, WGET, WRK};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::{env, fs};
use swagip::exchange::State;

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/record/instructions.txt");
const SWAGIP: &str = env!("CARGO_BIN_EXE_swagip");

const ROWS: [Row; 7] = [CURL, WGET, WRK, HAPROXY, BROWSER, BROWSER_ALL, JSON];

/// Those that take turns in the figure of this name, which is their mean where nothing hangs on what was asked before.
const ROTATING: (&str, [Row; 4]) = ("rotating", [CURL, WGET, HAPROXY, BROWSER]);

/// The same as the row, where a City and an ASN database are looked up in.
const KNOWN: (&str, Row) = ("json of databases", JSON);

/// Enough that what is left of the noise is below one instruction.
const REQUESTS: usize = 16_000;

/// Per cent above the record that are let pass: another compiler makes other code of the same source.
const TOLERANCE: f64 = 5.0;
const TOLERANCE_ELSEWHERE: f64 = 15.0;

/// What is counted, and the count.
struct Figure {
    name: String,
    instructions: u64,
}

fn main() -> ExitCode {
    // cargo adds --bench.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", name, count] => serve(name, count.parse().unwrap()),
        [counted::SERVE, file] => counted::serve_each(Path::new(file)),
        ["--record"] => record(),
        ["--worst"] => return check_worst(),
        [] => {
            let (usual, worst) = (check(), check_worst());
            return if usual == ExitCode::SUCCESS { worst } else { usual };
        }
        _ => panic!("the only arguments are --record and --worst"),
    }
    ExitCode::SUCCESS
}

/// Answers so many requests: what callgrind looks at.
fn serve(name: &str, count: usize) {
    let (rotating, all) = &ROTATING;
    let (known, row) = &KNOWN;
    let rows = match name {
        _ if name == *rotating => &all[..],
        _ if name == *known => std::slice::from_ref(row),
        _ => std::slice::from_ref(ROWS.iter().find(|row| row.name == name).unwrap()),
    };
    let mut clients: Vec<_> = rows.iter().map(|row| (row.bytes.to_vec(), row.peer())).collect();
    let (mut service, mut output) = (requests::service(), Vec::with_capacity(4096));
    if name == *known {
        service.set_databases(requests::databases());
    }
    let turns = clients.len();
    for turn in 0..count {
        let (input, peer) = &mut clients[turn % turns];
        output.clear();
        let served = service.serve(&mut State::default(), peer, input, false, &mut output);
        assert_eq!((served.consumed, &output[..15]), (input.len(), &b"HTTP/1.1 200 OK"[..]));
    }
}

fn figures() -> Vec<Figure> {
    let exchange =
        |name: &str| Figure { name: format!("exchange {name}"), instructions: per_request(|count| count_exchange(name, count)) };
    let server = |name: &str, batch: usize, options: &[&str]| Figure {
        name: format!("server curl {name}"),
        instructions: per_request(|count| count_server(batch, options, count)),
    };
    let names = ROWS.iter().map(|row| row.name).chain([ROTATING.0, KNOWN.0]);
    let mut figures: Vec<Figure> = names.map(exchange).collect();
    figures.push(server("keep-alive", 1, &[]));
    figures.push(server("pipelined x 16", 16, &[]));
    figures.push(server("logged", 1, &["--access-log"]));
    figures.push(server("logged in JSON", 1, &["--access-log=json"]));
    figures.push(server("logged x 16", 16, &["--access-log"]));
    figures.push(server("with metrics", 1, &["--listen-metrics", "127.0.0.1:0"]));
    figures
}

fn per_request(count: impl Fn(usize) -> u64) -> u64 {
    let difference = count(2 * REQUESTS) - count(REQUESTS);
    (difference as f64 / REQUESTS as f64).round() as u64
}

/// The exchange alone, in this program.
fn count_exchange(name: &str, count: usize) -> u64 {
    let program = env::current_exe().unwrap();
    callgrind(&program, &["serve", name, &count.to_string()], |_| {})
}

/// The whole server with these options, asked over one connection, `batch` requests in each write.
fn count_server(batch: usize, options: &[&str], count: usize) -> u64 {
    callgrind(Path::new(SWAGIP), &[&["--threads", "1", "--listen", "127.0.0.1:0"], options].concat(), |server| {
        let mut lines = BufReader::new(server.stderr.as_mut().unwrap()).lines().map(Result::unwrap);
        let address = lines.find_map(|line| Some(line.strip_prefix("listening on ")?.split([',', ' ']).next()?.to_owned()));
        ask(&address.expect("it started"), batch, count);
        // Without a grace, as after a person's Ctrl-C.
        kill(Pid::from_raw(server.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    })
}

fn ask(address: &str, batch: usize, count: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut one = [0; 1024];
    stream.write_all(CURL.bytes).unwrap();
    let length = stream.read(&mut one).unwrap();
    assert!(one.starts_with(b"HTTP/1.1 200 OK\r\n") && one[..length].ends_with(b"\n127.0.0.1\n"));
    let mut answers = vec![0; batch * length];
    for _ in 0..count / batch {
        stream.write_all(&CURL.bytes.repeat(batch)).unwrap();
        stream.read_exact(&mut answers).unwrap();
    }
}

/// A process that ends with whoever holds it, also where something fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Both fail where it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The instructions of a whole run of a program, while which `meanwhile` is done.
fn callgrind(program: &Path, arguments: &[&str], meanwhile: impl FnOnce(&mut Child)) -> u64 {
    let file = env::temp_dir().join(format!("swagip-callgrind-{}", std::process::id()));
    let child = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", &format!("--callgrind-out-file={}", file.display())])
        .arg(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind counts: install it");
    let mut child = Ended(child);
    meanwhile(&mut child.0);
    assert!(child.0.wait().unwrap().success(), "{} {arguments:?} failed", program.display());
    let profile = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    profile.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap().parse().unwrap()
}

fn toolchain() -> String {
    let output = Command::new("rustc").arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn record() {
    let mut text = format!("{}\n", toolchain());
    for figure in figures() {
        writeln!(text, "{:<28}{:>6}", figure.name, figure.instructions).unwrap();
    }
    print!("{text}");
    fs::write(RECORD, text).unwrap();
}

/// A browser behind a CDN and a proxy sends 25 to 35 fields, which is more than the hot path has room for; on the line through
/// these two counts each has to stay, but for this factor.
const FIELDS_LINE: [usize; 2] = [20, 24];
const FIELDS_BEYOND: [usize; 6] = [25, 30, 35, 50, 75, 99];
const FIELDS_FACTOR: f64 = 1.3;

/// Looks for a cliff where a head has more fields than usual ones.
fn check_fields() -> bool {
    let request = |count: usize| {
        let lines: String = (1..count).map(|index| format!("x-field-{index:02}: 0123456789abcdef\r\n")).collect();
        format!("GET /ip HTTP/1.1\r\nhost: a\r\n{lines}\r\n").into_bytes()
    };
    let requests: Vec<Vec<u8>> = FIELDS_LINE.iter().chain(&FIELDS_BEYOND).map(|&count| request(count)).collect();
    let counts = counted::count(requests.iter().map(|request| (0, request.as_slice())));
    let [start, end] = FIELDS_LINE.map(|count| count as f64);
    let slope = (counts[1] as f64 - counts[0] as f64) / (end - start);
    println!("{:<42}{:>18}{:>9}", "instructions with so many fields", "line", "now");
    FIELDS_BEYOND.iter().zip(&counts[2..]).fold(true, |passed, (&fields, &count)| {
        let line = counts[0] as f64 + slope * (fields as f64 - start);
        let is_over = count as f64 > line * FIELDS_FACTOR;
        let verdict = if is_over { "  TOO MANY" } else { "" };
        println!("{fields:<42}{line:>18.0}{count:>9}{verdict}");
        passed && !is_over
    })
}

/// Holds the worst requests known to the law.
fn check_worst() -> ExitCode {
    let (worst, mut stages) = (law::worst(), law::stages());
    let asked: Vec<(usize, &Worst)> = worst.iter().flat_map(|worst| (0..stages.len()).map(move |stage| (stage, worst))).collect();
    let counts = counted::count(asked.iter().map(|(stage, worst)| (*stage, worst.bytes.as_slice())));
    assert_eq!(counts.len(), asked.len(), "one count each");
    let mut output = Vec::new();
    let mut passed = check_fields();
    println!("{:<42}{:>9}{:>9}{:>9}", "instructions of the worst requests", "bytes", "at most", "now");
    for ((stage, worst), count) in asked.into_iter().zip(counts) {
        let stage = &mut stages[stage];
        counted::answer(stage, &worst.bytes, &mut output);
        let most = law::instructions_max(law::is_page(&output), stage.databases).of(worst.bytes.len());
        let is_over = count > most as u64;
        let name = format!("{} {}", stage.name, worst.name);
        let verdict = if is_over { "  TOO MANY" } else { "" };
        println!("{name:<42}{:>9}{most:>9}{count:>9}{verdict}", worst.bytes.len());
        passed &= !is_over;
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check() -> ExitCode {
    let recorded = fs::read_to_string(RECORD).unwrap();
    let (compiler, rows) = recorded.split_once('\n').unwrap();
    let tolerance = if compiler == toolchain() { TOLERANCE } else { TOLERANCE_ELSEWHERE };
    println!("recorded with {compiler}; up to +{tolerance} % pass with {}", toolchain());
    println!("{:<28}{:>9}{:>9}", "instructions per request", "recorded", "now");
    let mut passed = true;
    for figure in figures() {
        let named = |row: &&str| row.rsplit_once(' ').is_some_and(|(name, _)| name.trim_end() == figure.name);
        let row = rows.lines().find(named).expect("a record for it: use --record");
        let before: u64 = row.rsplit(' ').next().unwrap().parse().unwrap();
        let change = (figure.instructions as f64 / before as f64 - 1.0) * 100.0;
        let is_over = change > tolerance;
        let verdict = if is_over { "  TOO MANY" } else { "" };
        println!("{:<28}{before:>9}{:>9}{change:>+8.1} %{verdict}", figure.name, figure.instructions);
        passed &= !is_over;
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
