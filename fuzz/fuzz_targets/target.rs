//! `METHOD target`, in a request that is right: the pieces of a target that was taken are slices of it and make it up again, and
//! its authority, like any Host, is one that a naive reader of the grammar takes too.
#![no_main]

#[path = "../oracles/host.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use swagip::http::request::{self, Parsed};
use swagip::http::request_line;
use swagip::http::host;

fuzz_target!(|input: &[u8]| {
    let Some(space) = input.iter().position(|&byte| byte == b' ') else { return };
    assert_eq!(host::check(&input[space + 1..]).is_ok(), oracle::is_host(&input[space + 1..]));
    let head = [input, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    let mut storage = request::storage::<1>();
    let Ok(Parsed::Request(request)) = request::parse(&head, &mut storage) else { return };
    // Perhaps with empty lines before it, and perhaps another one than the input is thought to be.
    let mut words = head[request_line::leading_lines(&head)..].split(|byte| b" \r".contains(byte));
    let (parsed, target) = (request.target, words.nth(1).unwrap());

    assert!(target.iter().all(|&byte| byte.is_ascii_graphic() && byte != b'#'));
    let mut whole = Vec::new();
    if let Some(authority) = parsed.authority {
        assert!(oracle::is_host(authority));
        let scheme = authority.as_ptr() as usize - target.as_ptr() as usize;
        assert!(target[..scheme].eq_ignore_ascii_case(b"http://") || target[..scheme].eq_ignore_ascii_case(b"https://"));
        whole.extend_from_slice(&target[..scheme]);
        whole.extend_from_slice(authority);
    }
    // Where an absolute target has no path, `/` is meant.
    let path_is_there = target[whole.len()..].starts_with(parsed.path);
    assert!(path_is_there || (parsed.authority.is_some() && parsed.path == b"/"));
    whole.extend_from_slice(if path_is_there { parsed.path } else { b"" });
    if let Some(query) = parsed.query {
        assert!(!parsed.path.contains(&b'?'));
        whole.extend_from_slice(&[b"?", query].concat());
    }
    assert_eq!(whole, target);
});
