//! Checks eight bytes at a time (SWAR: SIMD within a register). Most texts in an answer are about that short; the code that the compiler
//! makes of a loop over bytes suits long ones, and takes three times as many instructions.

/// A word whose eight bytes are all 1.
const ONES: u64 = u64::MAX / 255;
const HIGH_BITS: u64 = ONES * 0x80;

/// Whether all bytes are printable ASCII (0x20 to 0x7e), and none is one of `others`. These must not include the space, with which
/// short texts are padded.
pub fn is_printable<const N: usize>(bytes: &[u8], others: [u8; N]) -> bool {
    let is_right = |word: u64| {
        // A high bit is set in a byte that is wrong, and else only in those after it.
        let wrong = word | word.wrapping_add(ONES) | word.wrapping_sub(ONES * 0x20);
        let wrong = others.iter().fold(wrong, |wrong, &other| {
            let difference = word ^ (ONES * u64::from(other));
            wrong | difference.wrapping_sub(ONES) & !difference
        });
        wrong & HIGH_BITS == 0
    };
    let last = match (bytes.last_chunk(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(last), ..) => u64::from_ne_bytes(*last),
        (_, Some(first), Some(last)) => u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last)),
        _ => bytes.iter().fold(ONES * u64::from(b' '), |word, &byte| word << 8 | u64::from(byte)),
    };
    is_right(last) && bytes.as_chunks().0.iter().all(|&word| is_right(u64::from_ne_bytes(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_at_each_place() {
        for length in 0..20 {
            assert!(is_printable(&vec![b'~'; length], [b'"', b'\\']));
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; length];
                    bytes[at] = byte;
                    let is_ascii = matches!(byte, b' '..=b'~');
                    assert_eq!(is_printable(&bytes, []), is_ascii, "{byte:#x} at {at} of {length}");
                    assert_eq!(is_printable(&bytes, [b'"', b'\\']), is_ascii && byte != b'"' && byte != b'\\', "{byte:#x}");
                }
            }
        }
    }
}
