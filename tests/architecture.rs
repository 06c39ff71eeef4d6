//! The line of the modules, and the few rules of style that no compiler keeps.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// What stands left never names what stands right.
const LINE: [&str; 10] = ["swar", "http", "client", "mmdb", "resource", "exchange", "dns", "observe", "net", "config"];

/// What the pure half never names: sockets, clock, threads, what they share and could change, and the machine.
const IMPURE: [&str; 20] = [
    "mio",
    "socket2",
    "libc",
    "nix",
    "log",
    "memmap2",
    "atomic",
    "mpsc",
    "Mutex",
    "RwLock",
    "OnceLock",
    "LazyLock",
    "thread",
    "Instant",
    "SystemTime",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "fs",
    "env",
];

/// The same line inside the modules: a file never names a sibling that stands right of it.
const SIBLINGS: [(&str, &[&str]); 7] = [
    (
        "http",
        &[
            "refusal",
            "field",
            "method",
            "host",
            "target",
            "scan",
            "facts",
            "request_line",
            "request",
            "content",
            "media",
            "response",
        ],
    ),
    ("mmdb", &["value", "text", "tree", "record", "database"]),
    (
        "resource",
        &[
            "endpoint",
            "negotiation",
            "statics",
            "address",
            "place",
            "fields",
            "json",
            "status",
            "lookup",
            "explain",
            "page",
            "head",
            "table",
            "monitoring",
        ],
    ),
    ("exchange", &["outcome", "call", "state", "record", "content", "lookup", "answer"]),
    ("dns", &["name", "message"]),
    ("observe", &["output", "access_log", "metrics"]),
    (
        "net",
        &[
            "deadlines",
            "clock",
            "wait",
            "tally",
            "backlog",
            "sources",
            "queries",
            "socket",
            "asker",
            "listener",
            "inherited",
            "cpu",
            "stopper",
            "supervisor",
            "databases",
            "shared",
            "connection",
            "worker",
            "server",
        ],
    ),
];

const LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// A source file that is not of tests, its path below `src/`, and its text without comments and without the tests at its end.
struct Source {
    path: PathBuf,
    code: String,
}

impl Source {
    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The module of the [`LINE`] that it belongs to, by its place there; none for `lib.rs`, `main.rs` and what is the program's.
    fn place(&self) -> Option<usize> {
        let first = self.path.iter().next()?.to_str()?.trim_end_matches(".rs");
        LINE.iter().position(|module| *module == first)
    }

    /// How many `super::` in a row stay inside its module of the line.
    fn depth(&self) -> usize {
        self.path.iter().count() - 1 - usize::from(self.path.ends_with("mod.rs"))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    assert!(paths.len() > 20, "the source is there");
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("\nmod tests {").next().unwrap().lines().map(without_comment).collect::<Vec<_>>().join("\n");
        Source { path: path.strip_prefix(&root).unwrap().to_owned(), code }
    };
    paths.into_iter().map(source).collect()
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// A line up to its comment; `://` begins none.
fn without_comment(line: &str) -> &str {
    let is_comment = |&(start, _): &(usize, &str)| !line[..start].ends_with(':');
    line.match_indices("//").find(is_comment).map_or(line, |(start, _)| &line[..start])
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|character: char| !character.is_alphanumeric() && character != '_')
}

/// The modules that code names as `crate::module` or in `crate::{module, …}`.
fn named(code: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for (start, path) in code.match_indices("crate::") {
        let rest = &code[start + path.len()..];
        let mut depth = 0;
        let mut begins = true;
        for (index, character) in rest.char_indices() {
            match character {
                '{' => (depth, begins) = (depth + 1, depth == 0),
                '}' => depth -= 1,
                ',' => begins = depth == 1,
                character if begins && character.is_alphanumeric() => {
                    modules.extend(words(&rest[index..]).next());
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 && !begins {
                break;
            }
        }
    }
    modules
}

#[test]
fn what_stands_left_never_names_what_stands_right() {
    assert_eq!(named("use crate::a::b; use crate::{c, d::{e, f}, g::h}; crate::i(j)"), ["a", "c", "d", "g", "i"]);
    let mut seen = Vec::new();
    for source in sources() {
        let Some(place) = source.place() else { continue };
        for module in named(&source.code) {
            let other = LINE.iter().position(|other| *other == module);
            let other = other.unwrap_or_else(|| panic!("{}: crate::{module} has no place in the line", source.name()));
            assert!(other <= place, "{}: {} names {module}", source.name(), LINE[place]);
            seen.push((LINE[place], LINE[other]));
        }
        let beyond = "super::".repeat(source.depth() + 1);
        assert!(!source.code.contains(&beyond), "{}: {beyond} leaves the module", source.name());
    }
    for edge in [("client", "http"), ("resource", "client"), ("exchange", "resource"), ("net", "exchange"), ("config", "net")] {
        assert!(seen.contains(&edge), "{edge:?} is seen, so others would be");
    }
}

#[test]
fn the_pure_half_knows_no_sockets_no_clock_and_no_threads() {
    let observe = LINE.iter().position(|module| *module == "observe");
    for source in sources().iter().filter(|source| source.place().is_some() && source.place() < observe) {
        // `env!` is read by the compiler.
        let code = source.code.replace("env!", "");
        let impure = words(&code).find(|word| IMPURE.contains(word));
        assert_eq!(impure, None, "{}", source.name());
    }
}

#[test]
fn siblings_have_an_order_too() {
    let sources = sources();
    for (module, order) in SIBLINGS {
        let files = sources.iter().filter(|source| source.path.starts_with(module) && source.path.iter().count() == 2);
        let mut count = 0;
        for source in files.filter(|source| !source.path.ends_with("mod.rs")) {
            let stem = source.path.file_stem().unwrap().to_str().unwrap();
            let place =
                order.iter().position(|name| *name == stem).unwrap_or_else(|| panic!("{}: give it a place", source.name()));
            for sibling in siblings(&source.code) {
                let other = order.iter().position(|name| *name == sibling);
                assert!(other.is_none_or(|other| other < place), "{} names {sibling}", source.name());
            }
            count += 1;
        }
        assert_eq!(count, order.len(), "{module} has these files");
    }
}

/// The modules that code names as `super::module` or in `super::{module, …}`.
fn siblings(code: &str) -> impl Iterator<Item = &str> {
    code.match_indices("super::").flat_map(move |(start, path)| {
        let rest = &code[start + path.len()..];
        let end = if rest.starts_with('{') { rest.find('}') } else { rest.find([';', ' ', '(', ')', ',']) };
        rest[..end.unwrap_or(rest.len())].split(['{', ',']).filter_map(|item| words(item).find(|word| !word.is_empty()))
    })
}

#[test]
fn what_is_named_in_few_places() {
    for (word, places) in [
        ("httparse", &["http/request.rs", "http/field.rs"][..]),
        ("unsafe", &["net/databases.rs"]),
        ("memmap2", &["net/databases.rs"]),
        (
            "clap",
            &["config/flags.rs", "config/mistake.rs", "config/mod.rs", "config/generated/mod.rs", "config/generated/man.rs"],
        ),
        ("strsim", &["config/unknown.rs"]),
        ("println", &["main.rs"]),
        ("print", &["main.rs"]),
        ("eprintln", &["main.rs"]),
        ("eprint", &["main.rs"]),
        ("dbg", &[]),
        ("stdout", &["main.rs"]),
        ("stderr", &["main.rs", "stderr.rs"]),
        ("exit", &["main.rs"]),
    ] {
        for source in sources() {
            let is_named = words(&source.code).any(|other| other == word);
            assert!(!is_named || places.contains(&source.name()), "{} names {word}", source.name());
        }
    }
}

#[test]
fn one_line_is_unsafe() {
    let count: usize = sources().iter().map(|source| words(&source.code).filter(|word| *word == "unsafe").count()).sum();
    assert_eq!(count, 1, "the mapping of databases");
}

#[test]
fn files_and_functions_are_short() {
    for source in sources() {
        let lines: Vec<&str> = source.code.lines().collect();
        assert!(lines.len() < LINES_MAX, "{} has {} lines without its tests", source.name(), lines.len());
        for (start, line) in lines.iter().enumerate().filter(|(_, line)| words(line).any(|word| word == "fn")) {
            // As rustfmt lays it out: a function ends where its indentation comes back.
            let indentation = &line[..line.len() - line.trim_start().len()];
            let is_end = |line: &&str| match line.strip_prefix(indentation) {
                Some(rest) => rest.starts_with('}') || (!rest.starts_with(' ') && rest.ends_with([';', '}'])),
                None => false,
            };
            let length = lines[start..].iter().position(is_end).unwrap_or(lines.len() - start);
            assert!(length < FUNCTION_LINES_MAX, "{}:{} has {length} lines", source.name(), start + 1);
        }
    }
}

/// ARCHITECTURE.md, "The same, file by file".
#[test]
fn the_walk_names_functions_that_are_there() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let walk: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(".rs "))
        .map(|(file, functions)| (file, functions.trim_start()))
        .collect();
    let sources = sources();
    for (file, functions) in &walk {
        let source = sources.iter().find(|source| source.name().strip_suffix(".rs") == Some(file));
        let source = source.unwrap_or_else(|| panic!("{file}.rs is not there"));
        for function in functions.split(", ") {
            assert!(source.code.contains(&format!("fn {function}")), "{file}.rs has no {function}");
        }
    }
    let mut files: Vec<&str> = walk.iter().map(|(file, _)| *file).collect();
    let changes = files.len() - 1;
    files.sort_unstable();
    files.dedup();
    assert!(text.contains(&format!("{} files, and {changes} changes from one to another", files.len())));
}
