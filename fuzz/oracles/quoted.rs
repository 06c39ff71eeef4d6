//! Quoted strings (RFC 9110 §5.6.4), read naively: from the left, byte by byte.

/// Splits outside quoted strings, in which a backslash takes the meaning of the next byte away.
pub fn split(value: &[u8], separator: u8) -> Vec<Vec<u8>> {
    let (mut parts, mut bytes, mut quoted) = (vec![Vec::new()], value.iter(), false);
    while let Some(&byte) = bytes.next() {
        if byte == separator && !quoted {
            parts.push(Vec::new());
            continue;
        }
        let part = parts.last_mut().expect("there is one from the start");
        part.push(byte);
        if quoted && byte == b'\\' {
            part.extend(bytes.next());
        }
        quoted ^= byte == b'"';
    }
    parts
}
