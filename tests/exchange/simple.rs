//! RFC 9112 §7.1 word for word, for content that is there in full and small.

use swagip::http::field::{is_token, is_value};

/// The length of chunked content at the start of `bytes`.
pub fn chunked(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    loop {
        let (line, behind) = line(rest)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits == 0 || digits > 16 || !extensions(&line[digits..]) {
            return None;
        }
        let size = usize::from_str_radix(std::str::from_utf8(&line[..digits]).unwrap(), 16).ok()?;
        if size == 0 {
            return trailers(behind).map(|rest| bytes.len() - rest.len());
        }
        let (data, behind) = (behind.get(..size)?, &behind[size..]);
        assert!(data.len() < 65536, "the changes make no large content");
        rest = behind.strip_prefix(b"\r\n")?;
    }
}

/// What stands before the first CRLF, and what behind it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

/// `*( ";" BWS name [ BWS "=" BWS value ] BWS )`, but no white space at the end.
fn extensions(bytes: &[u8]) -> bool {
    let Some((b';', rest)) = bytes.split_first() else { return bytes.is_empty() };
    let Some(rest) = token(space(rest)) else { return false };
    let rest = match space(rest).split_first() {
        Some((b'=', rest)) => match value(space(rest)) {
            Some(rest) => rest,
            None => return false,
        },
        _ => rest,
    };
    if rest.is_empty() { true } else { space(rest).starts_with(b";") && extensions(space(rest)) }
}

fn space(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &bytes[length..]
}

fn token(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.iter().take_while(|&&byte| is_token(byte)).count();
    (length > 0).then(|| &bytes[length..])
}

fn value(bytes: &[u8]) -> Option<&[u8]> {
    let Some((b'"', mut rest)) = bytes.split_first() else { return token(bytes) };
    loop {
        rest = match rest {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', byte, rest @ ..] if is_value(*byte) => rest,
            [byte, rest @ ..] if is_value(*byte) && *byte != b'\\' => rest,
            _ => return None,
        }
    }
}

fn trailers(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (line, behind) = line(rest)?;
        if line.is_empty() {
            return Some(behind);
        }
        let colon = line.iter().position(|&byte| byte == b':')?;
        let is_right =
            colon > 0 && line[..colon].iter().all(|&byte| is_token(byte)) && line[colon + 1..].iter().all(|&byte| is_value(byte));
        if !is_right {
            return None;
        }
        rest = behind;
    }
}
