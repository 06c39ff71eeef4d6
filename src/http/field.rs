//! Request fields: names are compared without regard to case, values are bytes (RFC 9110 §5).

use super::Refusal;

/// One field line of a request; the value without the white space around it.
pub use httparse::Header as Field;

/// The most field lines of a request, and of a trailer section. Browsers send about 15, a chain of proxies adds about as many. Apache allows
/// 100 (`LimitRequestFields`), HAProxy 101 (`tune.http.maxhdr`).
pub const FIELDS_MAX: usize = 100;

/// The values of all lines of the field `name`, given in lower case, in the order received. Names are compared without regard to case.
pub fn values<'f, 'b>(fields: &'f [Field<'b>], name: &'f [u8]) -> impl DoubleEndedIterator<Item = &'b [u8]> + Clone + 'f {
    // HAProxy sends names in lower case, as HTTP/2 does, and equal bytes are found faster than equal letters.
    let is_named = move |field: &&Field<'b>| field.name.as_bytes() == name || field.name.as_bytes().eq_ignore_ascii_case(name);
    fields.iter().filter(is_named).map(|field| field.value)
}

/// The value of the first line of the field `name`, given in lower case, in a head that may be partial or malformed: for the log line of
/// a refused request. The first line of `head` is the request line.
pub fn sent_value<'b>(head: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    let lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
        let (sent, value) = line.split_at(memchr::memchr(b':', line)?);
        sent.eq_ignore_ascii_case(name).then(|| value[1..].trim_ascii())
    })
}

/// The elements of a comma-separated list without quoted strings (RFC 9110 §5.6.1): trimmed, empty ones left out.
pub fn elements(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// Whether a field's name is this one, given in lower case. Names are compared in words of four bytes, of which the last may overlap the
/// one before. Setting the bit of lower case in each byte is safe: no other byte of a token becomes a letter or a hyphen by it.
pub fn is_name<const LENGTH: usize>(name: &str, lower: &[u8; LENGTH]) -> bool {
    const WORD: usize = 4;
    const { assert!(LENGTH >= WORD) }
    let word = |bytes: &[u8; LENGTH], at: usize| {
        let mut word = [0; WORD];
        word.copy_from_slice(&bytes[at..at + WORD]);
        u32::from_le_bytes(word)
    };
    let Ok(name): Result<&[u8; LENGTH], _> = name.as_bytes().try_into() else { return false };
    let mut difference = 0;
    for at in (0..LENGTH).step_by(WORD) {
        let at = at.min(LENGTH - WORD);
        difference |= (word(name, at) | u32::from_le_bytes([b' '; WORD])) ^ word(lower, at);
    }
    difference == 0
}

/// Whether a token may contain this byte (RFC 9110 §5.6.2).
pub const fn is_token(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Whether a field value may contain this byte (RFC 9110 §5.5): HTAB, SP, visible ASCII, and obs-text.
pub const fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

const TOKEN: [bool; 256] = alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// Which bytes are letters, digits or one of these.
pub(super) const fn alphanumeric_and(marks: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < marks.len() {
        table[marks[index] as usize] = true;
        index += 1;
    }
    table
}

/// A section of field lines up to the empty line that ends it, read byte by byte: a request's fields or a trailer section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Section {
    place: Place,
    lines: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    Name,
    Value,
    ValueCr,
    EndCr,
}

impl Section {
    /// Takes the next byte; true when it ended the section.
    ///
    /// # Errors
    /// The refusal of the first byte that no well-formed section has at this place.
    pub fn take(&mut self, byte: u8) -> Result<bool, Refusal> {
        self.place = match (self.place, byte) {
            (Place::LineStart, b'\r') => Place::EndCr,
            (Place::LineStart, b' ' | b'\t') => return Err(Refusal::FIELD_FOLDED),
            (Place::LineStart, byte) if is_token(byte) => {
                if usize::from(self.lines) == FIELDS_MAX {
                    return Err(Refusal::FIELDS_LARGE);
                }
                self.lines += 1;
                Place::Name
            }
            (Place::Name, b':') => Place::Value,
            (Place::Name, b' ' | b'\t') => return Err(Refusal::FIELD_SPACE),
            (Place::Name, b'\r') => return Err(Refusal::FIELD_COLON),
            (Place::Name, byte) if is_token(byte) => Place::Name,
            (Place::Value, b'\r') => Place::ValueCr,
            (Place::Value, byte) if is_value(byte) => Place::Value,
            (Place::ValueCr, b'\n') => Place::LineStart,
            (Place::EndCr, b'\n') => return Ok(true),
            (Place::ValueCr | Place::EndCr, _) => return Err(Refusal::BARE_CR),
            (_, b'\n') => return Err(Refusal::BARE_LF),
            (Place::Value, _) => return Err(Refusal::FIELD_VALUE),
            (Place::LineStart | Place::Name, _) => return Err(Refusal::FIELD_NAME),
        };
        Ok(false)
    }
}
