//! Responses, from heads laid out in advance.
//!
//! Nearly all of a head is known before the first request: it is laid out once, and the date is updated once a second. An answer is
//! four copies: that template, the length, the end of the head, the content. The fields that vary come last:
//!
//! ```text
//! HTTP/1.1 200 OK ⏎ …fixed fields… ⏎ X-Served-By ⏎ Date ⏎ Content-Length: │ 10 │ ⏎ Connection: close ⏎⏎ │ content
//!                                         template                        │    │   by persistence       │
//! ```

use super::facts::Persistence;

/// The bytes of an IMF-fixdate (RFC 9110 §5.6.7), `Sun, 06 Nov 1994 08:49:37 GMT`.
pub type Date = [u8; 29];

/// The parts of a head: the status code with its phrase, and the fixed fields without line ends.
#[derive(Clone, Copy, Debug)]
pub struct HeadText<'a> {
    /// `200 OK`
    pub status: &'static str,
    /// `Content-Type: text/plain`, …
    pub fields: &'a [&'a str],
}

impl HeadText<'_> {
    /// The status as a number.
    pub const fn code(&self) -> u16 {
        let &[hundreds, tens, ones, ..] = self.status.as_bytes() else { return 0 };
        (hundreds - b'0') as u16 * 100 + (tens - b'0') as u16 * 10 + (ones - b'0') as u16
    }

    /// Whether a response with this status has content, even if empty (RFC 9110 §8.6).
    fn has_content(&self) -> bool {
        !self.status.starts_with("204") && !self.status.starts_with("304")
    }
}

/// The templates of all heads, with the date of this second.
#[derive(Clone, Debug)]
pub struct Heads {
    templates: Vec<Template>,
    served_by: Vec<u8>,
    date: Date,
}

/// A head up to its length.
#[derive(Clone, Debug)]
struct Template {
    bytes: Vec<u8>,
    /// The offset of the date.
    date: usize,
    has_length: bool,
}

/// Plain text.
pub const TEXT: &str = "Content-Type: text/plain; charset=utf-8";
/// Every answer is for one request only.
pub const NO_STORE: &str = "Cache-Control: no-store";
/// Browsers must not guess another type.
pub const NO_SNIFF: &str = "X-Content-Type-Options: nosniff";
/// What no other origin may read, none may embed either: so it never enters another site's process (Fetch §3.7).
pub const SAME_ORIGIN: &str = "Cross-Origin-Resource-Policy: same-origin";

impl Heads {
    /// Lays out all heads; [`answer`](Heads::answer) takes their indices.
    pub fn new<'a>(texts: impl IntoIterator<Item = HeadText<'a>>, served_by: Option<&str>) -> Heads {
        let served_by = served_by.map_or(Vec::new(), |id| format!("X-Served-By: {id}\r\n").into_bytes());
        let mut heads = Heads { templates: Vec::new(), served_by, date: *b"Thu, 01 Jan 1970 00:00:00 GMT" };
        heads.templates = texts.into_iter().map(|text| heads.lay_out(text)).collect();
        heads
    }

    fn lay_out(&self, text: HeadText<'_>) -> Template {
        let has_length = text.has_content();
        let mut bytes = [b"HTTP/1.1 ", text.status.as_bytes(), b"\r\n"].concat();
        for field in text.fields {
            bytes.extend_from_slice(field.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(&self.served_by);
        bytes.extend_from_slice(b"Date: ");
        let date = bytes.len();
        bytes.extend_from_slice(&self.date);
        bytes.extend_from_slice(if has_length { b"\r\nContent-Length: " } else { b"" });
        Template { bytes, date, has_length }
    }

    /// Updates the date in all templates.
    pub fn set_date(&mut self, date: Date) {
        self.date = date;
        for template in &mut self.templates {
            template.bytes[template.date..][..date.len()].copy_from_slice(&date);
        }
    }

    /// Appends the head up to and including the value of Content-Length; [`end`] completes it.
    fn begin(&self, output: &mut Vec<u8>, index: usize, length: usize) {
        let template = &self.templates[index];
        output.extend_from_slice(&template.bytes);
        if template.has_length {
            decimal(output, length as u64);
        }
    }

    /// Appends a whole answer, without its content if the method is HEAD.
    #[inline(always)] // 20 instructions a request.
    pub fn answer(&self, output: &mut Vec<u8>, index: usize, persistence: Persistence, content: &[u8], is_head: bool) {
        let template = &self.templates[index];
        match (persistence, content.len()) {
            // An address, and nearly every other text here: the compiler knows the size of length and end, 47 instructions a request.
            (Persistence::Default, length @ 10..100) => {
                debug_assert!(template.has_length, "a status without content has some");
                output.extend_from_slice(&template.bytes);
                let [tens, ones] = TWO_DIGITS[length];
                output.extend_from_slice(&[tens, ones, b'\r', b'\n', b'\r', b'\n']);
            }
            _ => {
                self.begin(output, index, content.len());
                output.extend_from_slice(end(persistence));
            }
        }
        if !is_head {
            output.extend_from_slice(content);
        }
    }
}

/// Completes a head after [`Heads::begin`].
fn end(persistence: Persistence) -> &'static [u8] {
    match persistence {
        Persistence::Default => b"\r\n\r\n",
        Persistence::KeepAlive => b"\r\nConnection: keep-alive\r\n\r\n",
        Persistence::Close => b"\r\nConnection: close\r\n\r\n",
    }
}

/// Appends a number in decimal digits.
pub fn decimal(output: &mut Vec<u8>, number: u64) {
    match number {
        10..100 => output.extend_from_slice(&TWO_DIGITS[number as usize]),
        _ => digits(output, number),
    }
}

/// The numbers below 100 in two digits.
pub const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut number = 0;
    while number < table.len() {
        table[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    table
};

/// Two digits at a time: half as many divisions.
fn digits(output: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    while number >= 10 {
        start -= 2;
        digits[start..start + 2].copy_from_slice(&TWO_DIGITS[(number % 100) as usize]);
        number /= 100;
    }
    if number > 0 || start == digits.len() {
        start -= 1;
        digits[start] = b'0' + number as u8;
    }
    output.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_template_with_date_length_end_and_content() {
        let texts = [HeadText { status: "200 OK", fields: &["A: b"] }, HeadText { status: "204 No Content", fields: &["C: d"] }];
        let mut heads = Heads::new(texts, Some("one"));
        heads.set_date(*b"Sun, 06 Nov 1994 08:49:37 GMT");
        let rest = "X-Served-By: one\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        // 10 to 99 bytes have a path of their own.
        for length in [0, 9, 10, 99, 100, 12_345] {
            let content = "x".repeat(length);
            for (persistence, connection) in [
                (Persistence::Default, ""),
                (Persistence::KeepAlive, "Connection: keep-alive\r\n"),
                (Persistence::Close, "Connection: close\r\n"),
            ] {
                for (is_head, sent) in [(false, content.as_str()), (true, "")] {
                    let mut output = b"before".to_vec();
                    heads.answer(&mut output, 0, persistence, content.as_bytes(), is_head);
                    let head = format!("HTTP/1.1 200 OK\r\nA: b\r\n{rest}Content-Length: {length}\r\n{connection}\r\n");
                    assert_eq!(String::from_utf8_lossy(&output), format!("before{head}{sent}"));
                }
            }
        }
        let mut output = Vec::new();
        heads.answer(&mut output, 1, Persistence::Close, b"", false);
        let expected = format!("HTTP/1.1 204 No Content\r\nC: d\r\n{rest}Connection: close\r\n\r\n");
        assert_eq!(String::from_utf8_lossy(&output), expected);
    }

    #[test]
    fn numbers() {
        for number in [0, 1, 9, 10, 99, 100, 65535, u64::MAX] {
            let mut output = Vec::new();
            decimal(&mut output, number);
            assert_eq!(String::from_utf8_lossy(&output), number.to_string());
        }
    }
}
