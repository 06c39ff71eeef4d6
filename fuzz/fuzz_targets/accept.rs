//! Accept lines, one to a line of the input, prefer what a naive reader makes of them.
#![no_main]

#[path = "../oracles/accept.rs"]
mod oracle;
#[path = "../oracles/quoted.rs"]
mod quoted;

use libfuzzer_sys::fuzz_target;
use swagip::http::media::{self, MediaType};

fuzz_target!(|input: &[u8]| {
    let lines = input.split(|&byte| byte == b'\n');
    for offered in [&MediaType::ALL[..], &MediaType::DATA] {
        assert_eq!(media::preferred(lines.clone(), offered), oracle::preferred(lines.clone(), offered));
    }
});
