//! How much of each name and value the page shows, so that it stays within its limit.
//!
//! A client can send 16 KiB, and the page has a value up to three times: in its row, again under the heading of what browsers send, and
//! in the JSON; escaping can make six bytes of one. So the page shows only the first bytes of each name and value, as many as fit, and a
//! link to the rest. The page of a usual request is far from these limits.

use super::command::{beginnings_length, encoded_length};
use super::rows::{Facts, Rows};
use crate::resource::fields::{Row, Value};

/// The most bytes of a page, whatever the request.
pub const PAGE_MAX: usize = 128 * 1024;

/// The most bytes of a name, and of a value, that are shown. Cookies are the longest usual values, and matter more to programs, which
/// can follow the link.
pub const SHOWN_MAX: usize = 1024;

/// At least this many bytes of a name or value are shown, if it has them: so the largest table fits.
pub const SHOWN_MIN: usize = 8;

/// The most bytes of a page without its rows and the operator's words; half of them are style and script.
pub const FRAME_MAX: usize = 12 * 1024;

/// The markup of a row and its share of the JSON, without the beginnings of its commands.
const ROW: usize = 112;

/// The markup that a row of browsers' fields takes besides, because it comes twice and may be folded up.
const ROW_TWICE: usize = 160;

/// `<a href="">… 16384 bytes more</a>`
const MORE: usize = 40;

/// How many bytes of each name and value are shown: as many as let all rows fit into `room`.
pub fn shown(rows: &Rows<'_>, room: usize) -> usize {
    let mut shown = SHOWN_MAX;
    while shown > SHOWN_MIN && size(rows, shown, room) > room {
        shown /= 2;
    }
    shown
}

/// An upper bound on the bytes of all rows; if they exceed `room`, any number above it.
pub fn size(rows: &Rows<'_>, shown: usize, room: usize) -> usize {
    let beginnings = beginnings_length(rows.base());
    let mut size = 0;
    for (row, facts) in rows.iter() {
        size += if facts.is_of_browsers { 0 } else { beginnings } + row_size(&row, facts, shown);
        if size > room {
            break;
        }
    }
    size
}

fn row_size(row: &Row<'_>, facts: Facts, shown: usize) -> usize {
    let name = row.name().as_bytes();
    let shown_name = &name[..name.len().min(shown)];
    let is_name_cut = shown_name.len() < name.len();
    let (copies, name_table, value) = if facts.is_of_browsers { (2, &NAME_TWICE, &VALUE_TWICE) } else { (1, &NAME, &VALUE) };
    let mut size = ROW + PATH + sum(shown_name, name_table);
    if is_name_cut {
        size += (copies + 1) * MORE + copies * PATH;
    }
    if copies > 1 {
        size += ROW_TWICE;
    }
    if facts.length > shown {
        let path = PATH + if is_name_cut { 0 } else { sum(name, &ENCODED) };
        size += copies * (MORE + path) + MORE;
    }
    let Value::Lines(lines) = row.value() else { return size };
    let mut room = shown;
    for line in lines {
        let shown_line = &line[..line.len().min(room)];
        size += sum(shown_line, value) + (copies + 1) * SEPARATOR.min(room);
        room = room.saturating_sub(shown_line.len() + SEPARATOR);
    }
    size
}

/// The sum of a table's entries for these bytes.
fn sum(bytes: &[u8], table: &[u8; 256]) -> usize {
    bytes.iter().map(|&byte| usize::from(table[usize::from(byte)])).sum()
}

/// The bytes between two lines of a field, `, `.
const SEPARATOR: usize = 2;

/// `/headers/`, before a name.
const PATH: usize = 9;

/// What a byte of a name becomes: it stands in the row, in the JSON, and in a path.
const NAME: [u8; 256] = table(2, 0, 1);

/// The same of a row that comes twice, without a path.
const NAME_TWICE: [u8; 256] = table(3, 0, 0);

/// What a byte of a path becomes.
const ENCODED: [u8; 256] = table(0, 0, 1);

/// What a byte of a value becomes: it stands in the row and in the JSON.
const VALUE: [u8; 256] = table(1, 1, 0);

/// The same of a row that comes twice.
const VALUE_TWICE: [u8; 256] = table(2, 1, 0);

const fn table(in_html: u8, in_json: u8, in_path: u8) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = in_html * html(byte as u8) + in_json * json(byte as u8) + in_path * encoded_length(byte as u8, b"");
        byte += 1;
    }
    table
}

/// The most bytes that a byte becomes in HTML: `&#34;`, or two for a character of Latin-1.
const fn html(byte: u8) -> u8 {
    match byte {
        b'"' | b'&' | b'\'' | b'<' | b'>' => 5,
        0x80.. => 2,
        _ => 1,
    }
}

/// The same in JSON in HTML: `\&#34;`, or `\u061c`, which is two bytes of UTF-8.
const fn json(byte: u8) -> u8 {
    match byte {
        b'"' => 6,
        b'\\' | b'\t' => 2,
        0x80.. => 3,
        _ => html(byte),
    }
}
