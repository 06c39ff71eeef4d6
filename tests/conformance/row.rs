//! What a row is.
//!
//! ```text
//! MUST "9112 3.2" "no Host": "GET / HTTP/1.1\r\n\r\n" => refused(HOST_MISSING);
//! │     │          │          │                           └ what comes back
//! │     │          │          └ what the client sends, to the byte
//! │     │          └ the row's name
//! │     └ the RFC and its section
//! └ what the RFC calls it; OURS: it leaves the choice, and this is ours
//! ```
//!
//! A row that is refused ends at the byte that decides; what stands after that byte is never looked at.

use crate::support::Answer;
use std::fmt;
use swagip::http::Refusal;
use swagip::resource::ResponseHead;

/// How binding it is, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Must,
    Should,
    Ours,
}

pub use Level::{Must as MUST, Ours as OURS, Should as SHOULD};

pub struct Row {
    pub level: Level,
    /// The number of the RFC and the section; several RFCs are separated by commas.
    pub section: &'static str,
    pub name: String,
    pub bytes: Vec<u8>,
    pub expected: Expected,
}

/// What comes back.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The statuses of all answers but a refusal's; `| HEAD` where it answers a HEAD.
    pub statuses: Vec<u16>,
    pub ending: Ending,
    /// All answers say `Connection: keep-alive`.
    pub keeps_alive: bool,
    /// The refusal answers a HEAD.
    pub to_head: bool,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// It stays open for another request.
    Stays,
    /// The last answer says `Connection: close`, and nothing more is served.
    Closes,
    /// One more answer: this refusal; it closes.
    Refused(Refusal),
    /// More is waited for; when the client's FIN comes instead, this is said, or nothing.
    Cut(Option<Refusal>),
}

/// Marks the status of an answer to HEAD, which has a Content-Length and no content.
pub const HEAD: u16 = 0x8000;

/// All are answered, and the connection stays open.
pub fn stays<const N: usize>(statuses: [u16; N]) -> Expected {
    Expected { statuses: statuses.into(), ending: Ending::Stays, keeps_alive: false, to_head: false }
}

/// All are answered, and the last answer closes the connection.
pub fn closes<const N: usize>(statuses: [u16; N]) -> Expected {
    Expected { ending: Ending::Closes, ..stays(statuses) }
}

/// Refused, which closes the connection.
pub fn refused(refusal: Refusal) -> Expected {
    Expected { ending: Ending::Refused(refusal), ..stays([]) }
}

/// Not complete; at the client's FIN it is refused.
pub fn cut(refusal: Refusal) -> Expected {
    Expected { ending: Ending::Cut(Some(refusal)), ..stays([]) }
}

/// Nothing that would need an answer.
pub fn nothing() -> Expected {
    Expected { ending: Ending::Cut(None), ..stays([]) }
}

impl Expected {
    /// These answers come first.
    pub fn after<const N: usize>(self, statuses: [u16; N]) -> Expected {
        Expected { statuses: statuses.into(), ..self }
    }

    /// It is a 1.0 connection that stays open, and is told so.
    pub fn keeping_alive(self) -> Expected {
        Expected { keeps_alive: true, ..self }
    }

    /// The refusal answers a HEAD.
    pub fn for_head(self) -> Expected {
        Expected { to_head: true, ..self }
    }
}

/// A part of the table.
macro_rules! rows {
    ($($level:ident $section:literal $name:literal : $bytes:expr => $expected:expr ;)*) => {
        /// This part of the table.
        pub fn rows() -> Vec<Row> {
            vec![$(Row {
                level: $level,
                section: $section,
                name: concat!(module_path!(), ": ", $name).to_owned(),
                bytes: Vec::from($bytes),
                expected: $expected,
            }),*]
        }
    };
}
pub(crate) use rows;

/// A GET with these field lines, each with its line end, besides Host.
pub fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// `start`, filled up with `byte` and ended by `end`, `length` bytes in all.
pub fn filled(start: &str, byte: char, end: &str, length: usize) -> String {
    let fill = byte.to_string().repeat(length - start.len() - end.len());
    [start, &fill, end].concat()
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.bytes[..self.bytes.len().min(300)];
        write!(formatter, "{} ({:?}, RFC {}) {:?}", self.name, self.level, self.section, String::from_utf8_lossy(shown))
    }
}

impl Row {
    /// Checks all that came back.
    pub fn check(&self, answers: &[u8], closed: bool) {
        let rest = self.check_start(answers);
        assert!(rest.is_empty(), "{self}: one answer too many: {:?}", String::from_utf8_lossy(rest));
        let closes = matches!(self.expected.ending, Ending::Closes | Ending::Refused(_));
        assert_eq!(closed, closes, "{self}: whether it closes");
    }

    /// Checks what comes back first, and hands back what follows it.
    pub fn check_start<'a>(&self, mut answers: &'a [u8]) -> &'a [u8] {
        for (index, status) in self.expected.statuses.iter().enumerate() {
            let is_last = index + 1 == self.expected.statuses.len() && matches!(self.expected.ending, Ending::Closes);
            assert!(!answers.is_empty(), "{self}: {index} answers, expected {:?}", self.expected);
            answers = self.check_answer(answers, *status, is_last);
        }
        match self.expected.ending {
            Ending::Refused(refusal) => {
                let length = answers.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |end| end + 4);
                let length = length + if self.expected.to_head { 0 } else { refusal.reason.len() };
                let (answer, rest) = answers.split_at(length.min(answers.len()));
                self.check_refusal(answer, refusal);
                rest
            }
            _ => answers,
        }
    }

    fn check_answer<'a>(&self, answers: &'a [u8], status: u16, is_last: bool) -> &'a [u8] {
        let (answer, rest) = Answer::head(answers);
        assert_eq!(answer.status, status & !HEAD, "{self}: expected {:?}", self.expected);
        self.check_date(&answer);
        let connection = if is_last { Some("close") } else { self.expected.keeps_alive.then_some("keep-alive") };
        assert_eq!(answer.field("Connection"), connection, "{self}");
        let has_content = !matches!(answer.status, 204 | 304);
        assert_eq!(answer.field("Content-Length").is_some(), has_content, "{self}: Content-Length of {}", answer.status);
        assert_eq!(answer.field("Transfer-Encoding"), None, "{self}");
        let is_allowed = answer.field("Allow") == Some("GET, HEAD, OPTIONS");
        assert_eq!(is_allowed, matches!(answer.status, 405 | 204), "{self}: Allow on {}", answer.status);
        let length = answer.field("Content-Length").map_or(0, |length| length.parse().unwrap());
        assert!(length > 0 || !matches!(answer.status, 405 | 501), "{self}: says nothing");
        let sent = if status & HEAD == 0 { length } else { 0 };
        assert!(rest.len() >= sent, "{self}: the content is cut");
        &rest[sent..]
    }

    /// Checks that an answer is this refusal, whole: a date, what was wrong, and the end of the connection.
    pub fn check_refusal(&self, bytes: &[u8], refusal: Refusal) {
        assert!(!bytes.is_empty(), "{self}: not refused");
        let line = format!("HTTP/1.1 {}\r\n", ResponseHead::refused(refusal.status).text().status);
        assert!(bytes.starts_with(line.as_bytes()), "{self}: {:?}, expected {refusal:?}", String::from_utf8_lossy(bytes));
        let (answer, content) = Answer::head(bytes);
        self.check_date(&answer);
        assert_eq!(answer.field("Connection"), Some("close"), "{self}");
        assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"), "{self}");
        assert_eq!(answer.field("Cross-Origin-Resource-Policy"), Some("same-origin"), "{self}");
        assert_eq!(answer.field("Content-Length"), Some(refusal.reason.len().to_string().as_str()), "{self}");
        let reason = if self.expected.to_head { "" } else { refusal.reason };
        assert_eq!(String::from_utf8_lossy(content), reason, "{self}");
    }

    fn check_date(&self, answer: &Answer) {
        let date = answer.field("Date").unwrap_or_else(|| panic!("{self}: no Date"));
        assert_eq!(date.len(), 29, "{self}: {date}");
    }
}
