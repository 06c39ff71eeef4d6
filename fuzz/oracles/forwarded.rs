//! The entries of a line of a forwarding field, read naively: from the left, taken apart into pieces that are looked at each.

use crate::quoted::split;
use swagip::http::field::is_token;

/// The entries of a list of addresses.
pub fn addresses(line: &[u8]) -> Vec<Vec<u8>> {
    let entries = line.split(|&byte| byte == b',').map(|entry| entry.trim_ascii().to_vec());
    entries.filter(|entry| !entry.is_empty()).collect()
}

/// The elements of a `Forwarded` line (RFC 7239 §4); a line that breaks the grammar anywhere is one entry.
pub fn elements(line: &[u8]) -> Vec<Vec<u8>> {
    let mut elements: Vec<Vec<u8>> = split(line, b',').iter().map(|element| element.trim_ascii().to_vec()).collect();
    if !elements.iter().all(|element| split(element, b';').iter().all(|pair| is_pair(pair))) {
        elements = vec![line.trim_ascii().to_vec()];
    }
    elements.retain(|element| !element.is_empty());
    elements
}

/// `[ token "=" ( token / quoted-string ) ]`
fn is_pair(pair: &[u8]) -> bool {
    let Some(equals) = pair.iter().position(|&byte| byte == b'=') else { return pair.is_empty() };
    let (name, value) = (&pair[..equals], &pair[equals + 1..]);
    let is_word = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(|&byte| is_token(byte));
    is_word(name) && (is_word(value) || is_quoted(value))
}

/// Whether it begins with a quote that its last byte closes, and none before that.
fn is_quoted(value: &[u8]) -> bool {
    let Some(mut rest) = value.strip_prefix(b"\"") else { return false };
    loop {
        rest = match rest {
            [b'\\', _, rest @ ..] => rest,
            [b'"', rest @ ..] => return rest.is_empty(),
            [_, rest @ ..] => rest,
            [] => return false,
        }
    }
}
