//! What is kept of a request's head for a line that is written later, when its answer has waited: so much of it that the line is the
//! same.

use super::line::{FIELD_MAX, METHOD_MAX, TARGET_MAX};
use crate::http::field;
use crate::http::request::Request;
use crate::http::request_line::leading_lines;

/// The most bytes of a request line without its protocol. No byte becomes shorter when it is written, so of one that is longer it is known
/// that it is cut, and where.
const LINE_MAX: usize = METHOD_MAX + b" ".len() + TARGET_MAX + 1;

const PROTOCOL: usize = b" HTTP/1.1".len();

/// A head with the request line, the User-Agent and the Referer of a request, each cut short; at most 4 KiB.
pub fn kept(request: &Request<'_, '_>, head: &[u8]) -> Box<[u8]> {
    let mut kept = Vec::new();
    let line = head[leading_lines(head)..].split(|&byte| byte == b'\r').next().unwrap_or_default();
    match line.split_last_chunk::<PROTOCOL>() {
        Some((rest, protocol)) if rest.len() > LINE_MAX => {
            kept.extend_from_slice(&rest[..LINE_MAX]);
            kept.extend_from_slice(protocol);
        }
        _ => kept.extend_from_slice(line),
    }
    let referer = field::values(request.fields, b"referer").next();
    for (name, value) in [(&b"\r\nUser-Agent:"[..], request.user_agent()), (b"\r\nReferer:", referer)] {
        if let Some(value) = value {
            kept.extend_from_slice(name);
            extend_cut(&mut kept, value);
        }
    }
    kept.extend_from_slice(b"\r\n\r\n");
    kept.into()
}

/// Appends a field's value, or what is shown of one that is too long, and one byte more, which no longer is.
fn extend_cut(kept: &mut Vec<u8>, value: &[u8]) {
    if value.len() <= FIELD_MAX {
        return kept.extend_from_slice(value);
    }
    match std::str::from_utf8(value) {
        Ok(text) => {
            let end = (FIELD_MAX..value.len()).find(|&end| text.is_char_boundary(end));
            kept.extend_from_slice(&value[..end.unwrap_or(value.len())]);
            kept.push(b'.');
        }
        // It is to stay what it is, which is seen at its end at the latest.
        Err(_) => {
            kept.extend_from_slice(&value[..FIELD_MAX]);
            kept.push(0xff);
        }
    }
}
