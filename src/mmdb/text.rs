//! A text of a record.

use crate::swar;
use std::fmt;

/// The most bytes of a text; a longer one is not known. The longest names of organizations have about 100. `/json` has eight texts: with
/// every byte escaped, 4 KiB.
pub const TEXT_MAX: usize = 256;

/// A text that can be told: UTF-8 of 1 to [`TEXT_MAX`] bytes, without control characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'f>(&'f [u8]);

impl<'f> Text<'f> {
    /// These bytes, where they are such a text.
    pub fn new(bytes: &'f [u8]) -> Option<Text<'f>> {
        // First, because a broken file may have 16 MB here, and each of its values may lead to them.
        let is_text = (1..=TEXT_MAX).contains(&bytes.len()) && (swar::is_printable(bytes, []) || has_no_control(bytes));
        is_text.then_some(Text(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(self) -> &'f [u8] {
        self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(self.0))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.0), formatter)
    }
}

/// Whether bytes are UTF-8 without a control character. Looks at many of them at a time: character by character takes ten times as long.
fn has_no_control(bytes: &[u8]) -> bool {
    let has_c0 = bytes.iter().fold(false, |has_c0, &byte| has_c0 | (byte < b' ') | (byte == 0x7f));
    // U+0080 to U+009F
    let has_c1 = || memchr::memchr_iter(0xc2, bytes).any(|at| bytes[at + 1] < 0xa0);
    !has_c0 && std::str::from_utf8(bytes).is_ok() && !has_c1()
}
