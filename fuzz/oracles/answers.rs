//! What every answer must be, whatever was asked.

#[path = "../../benches/requests/law.rs"]
pub mod law;

use std::collections::HashMap;

/// Takes the answers of a connection apart, none of them to a HEAD. `asked` is the number of bytes that they answer.
///
/// # Panics
/// Where they are not well-formed, or say more than they may: a page, or all others together for what they were asked.
pub fn check(mut answers: &[u8], asked: usize) {
    let (page, other) = (law::bytes_max(true), law::bytes_max(false));
    let (mut most, mut said) = (other.per_byte * asked, 0);
    while !answers.is_empty() {
        let end = memchr::memmem::find(answers, b"\r\n\r\n").expect("a head ends");
        let (head, rest) = (std::str::from_utf8(&answers[..end]).expect("a head is ASCII"), &answers[end + 4..]);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).expect("a status line");
        assert!(status[..3].parse::<u16>().is_ok_and(|status| (200..600).contains(&status)), "{status}");
        let mut fields = HashMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a field line");
            assert_eq!(fields.insert(name, value), None, "{name} comes once");
        }
        assert!(fields.contains_key("Date") && fields.contains_key("Cache-Control"), "{head}");
        let length = fields.get("Content-Length").map_or(0, |length| length.parse().expect("a length"));
        let (content, rest) = rest.split_at_checked(length).expect("the content is whole");
        let whole = answers.len() - rest.len();
        if law::is_page(answers) {
            assert!(whole <= page.base, "a page of {whole} bytes");
        } else {
            (most, said) = (most + other.base, said + whole);
        }
        if fields.get("Content-Type") == Some(&"application/json") {
            serde_json::from_slice::<serde_json::Value>(content).expect("JSON is JSON");
        }
        assert!(rest.is_empty() || fields.get("Connection") != Some(&"close"), "nothing comes behind the last answer");
        answers = rest;
    }
    assert!(said <= most, "{said} bytes where {most} are allowed");
}
