//! A PROXY header is what a naive reader makes of it; and what its first bytes were found to be, more bytes do not change.
#![no_main]

#[path = "../oracles/proxy.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use swagip::client::proxy_protocol::parse;

fuzz_target!(|bytes: &[u8]| {
    let whole = parse(bytes);
    assert_eq!(whole.ok().flatten(), oracle::read(bytes));
    let decided = (0..bytes.len()).find_map(|length| parse(&bytes[..length]).transpose());
    assert!(decided.is_none() || decided == whole.transpose());
});
