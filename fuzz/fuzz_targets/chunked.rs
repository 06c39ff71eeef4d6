//! Chunked content ends, goes on or is refused where a naive reader of the grammar says so, however it is cut.
//!
//! The first byte is where it is cut.
#![no_main]

#[path = "../../tests/exchange/chunked.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use oracle::Verdict;
use swagip::http::content::Content;
use swagip::http::request::Framing;

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_first() else { return };
    // Below the limits of extensions and trailers: they have tests of their own, and the oracle does not know them.
    if bytes.len() <= 4096 {
        let (left, right) = bytes.split_at(usize::from(cut).min(bytes.len()));
        let expected = oracle::read(bytes);
        assert_eq!(read([bytes, b""]), expected, "whole");
        assert_eq!(read([left, right]), expected, "cut at {cut}");
    }
});

fn read(pieces: [&[u8]; 2]) -> Verdict {
    let mut content = Content::new(Framing::Chunked);
    let mut taken = 0;
    for piece in pieces {
        match Verdict::from(content.read(piece)) {
            Verdict::GoesOn => taken += piece.len(),
            Verdict::Ends(length) => return Verdict::Ends(taken + length),
            decided => return decided,
        }
    }
    Verdict::GoesOn
}
