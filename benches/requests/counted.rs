//! The instructions that single requests take, counted by callgrind in one run of this program for all of them.
#![allow(dead_code)]

use super::law::{self, Stage};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::{env, fs, process};
use swagip::exchange::State;

/// The argument with which a bench that counts so is started by itself; the next one is the file of requests.
pub const SERVE: &str = "serve-each";

/// The instructions of each request, which is asked on the stage with this index.
pub fn count<'r>(requests: impl Iterator<Item = (usize, &'r [u8])>) -> Vec<u64> {
    let directory = env::temp_dir().join(format!("swagip-counted-{}", process::id()));
    fs::create_dir_all(&directory).expect("a directory for what callgrind counts");
    let file = directory.join("requests");
    let line =
        |(stage, bytes): (usize, &[u8])| [&(stage as u64).to_le_bytes(), &(bytes.len() as u64).to_le_bytes(), bytes].concat();
    fs::write(&file, requests.flat_map(line).collect::<Vec<u8>>()).expect("a file of requests");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--dump-before=*counted*mark*"])
        .arg(format!("--callgrind-out-file={}", directory.join("out").display()))
        .arg(env::current_exe().expect("this program"))
        .arg(SERVE)
        .arg(&file)
        .status()
        .expect("valgrind counts: install it");
    assert!(valgrind.success(), "the requests are answered");
    // Every second one of the dumps, which are numbered from 1: the others are of what is done between two requests.
    let dumps =
        (2..).step_by(2).map(|number| directory.join(format!("out.{number}"))).map_while(|dump| fs::read_to_string(dump).ok());
    let totals =
        dumps.map(|dump| dump.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()).expect("totals"));
    let totals = totals.collect();
    fs::remove_dir_all(&directory).expect("the directory is there");
    totals
}

/// Answers the requests of a file, each of them twice: once to warm up, and once between two marks.
pub fn serve_each(file: &Path) {
    let mut rest = &fs::read(file).expect("a file of requests")[..];
    let mut stages = law::stages();
    let mut output = Vec::with_capacity(256 * 1024);
    while !rest.is_empty() {
        let [stage, length] = [0; 2].map(|_: u64| {
            let (number, more) = rest.split_first_chunk().expect("a number");
            rest = more;
            u64::from_le_bytes(*number) as usize
        });
        let (request, more) = rest.split_at(length);
        rest = more;
        answer(&mut stages[stage], request, &mut output);
        mark();
        answer(&mut stages[stage], request, &mut output);
        mark();
    }
}

/// The answer to the first request of these bytes. Gives the bytes that were looked at for it.
pub fn answer(stage: &mut Stage, request: &[u8], output: &mut Vec<u8>) -> usize {
    output.clear();
    let served = stage.service.serve(&mut State::default(), &mut stage.peer, request, false, output);
    if served.answered { served.consumed } else { request.len() }
}

/// Where callgrind writes down what it has counted, and counts anew.
#[inline(never)]
fn mark() {
    black_box(());
}
