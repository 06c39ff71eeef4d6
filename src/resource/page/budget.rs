//! How much of each name and value the page shows, so that it is never larger than it may be.
//!
//! A client can write 16 KiB, and the page says a value up to three times: in its row, once more under the heading of what
//! browsers send, and in the JSON; escaped, a byte may become six. So of each name and of each value only the first bytes are
//! shown, as many as fit, and a link to the rest. The page of a usual request is far from any of these limits.

use super::command::encoded_length;
use super::row::Row;
use crate::resource::fields::{Listing, Value};

/// The most bytes of a page, whatever comes.
pub const PAGE_MAX: usize = 128 * 1024;

/// The most bytes of a name, and of a value, that are shown. Cookies are the longest of usual values, and have more to say to
/// programs, which have the link.
pub const SHOWN_MAX: usize = 1024;

/// The fewest bytes of a name or value that are shown where it has as many: with them, the largest table fits.
pub const SHOWN_MIN: usize = 8;

/// The most bytes of a page without its rows and the operator's words; half of them are style and script.
pub const FRAME_MAX: usize = 12 * 1024;

/// The markup of a row and its share of the JSON, without the beginnings of its commands.
const ROW: usize = 112;

/// What a row of browsers' fields takes besides, because it stands twice; or, if its value is secret, because it is folded up.
const ROW_TWICE: usize = 160;

/// `<a href="">… 16384 bytes more</a>`
const MORE: usize = 40;

/// How many bytes of each name and value are shown: as many as let all rows fit into `room`, where each row's commands begin
/// with `command` bytes.
pub fn shown(listing: &Listing<'_>, command: usize, room: usize) -> usize {
    let mut shown = SHOWN_MAX;
    while shown > SHOWN_MIN && size(listing, shown, command) > room {
        shown /= 2;
    }
    shown
}

/// No less than the bytes of all rows.
pub fn size(listing: &Listing<'_>, shown: usize, command: usize) -> usize {
    listing.rows().map(|row| Row { row, shown }).map(|row| command + row_size(&row)).sum()
}

fn row_size(row: &Row<'_>) -> usize {
    let name = row.row.name().as_bytes();
    let shown = &name[..name.len().min(row.shown)];
    let is_name_cut = shown.len() < name.len();
    let path = "/headers/".len() + if is_name_cut { 0 } else { sum(shown, |byte| encoded_length(byte, b"")) };
    let copies = if row.is_of_browsers() { 2 } else { 1 };
    let mut size = ROW + path + 2 * sum(shown, html);
    if is_name_cut {
        size += 2 * MORE + path;
    }
    if copies > 1 {
        size += ROW_TWICE;
    }
    let Value::Lines(lines) = row.row.value() else { return size };
    let (mut room, mut length) = (row.shown, 0);
    for line in lines {
        let shown = &line[..line.len().min(room)];
        size += copies * sum(shown, html) + sum(shown, json) + (copies + 1) * ", ".len();
        length += line.len() + ", ".len();
        room = row.shown.saturating_sub(length);
    }
    if length > row.shown {
        size += copies * (MORE + path) + MORE;
    }
    size
}

/// What the bytes come to.
fn sum(bytes: &[u8], each: impl Fn(u8) -> usize) -> usize {
    bytes.iter().map(|&byte| each(byte)).sum()
}

/// The most bytes that a byte becomes in HTML: `&#34;`, or two for a character of Latin-1.
fn html(byte: u8) -> usize {
    match byte {
        b'"' | b'&' | b'\'' | b'<' | b'>' => 5,
        0x80.. => 2,
        _ => 1,
    }
}

/// The same in JSON in HTML: `\\&#34;`, or `\\u061c`, which is two bytes of UTF-8.
fn json(byte: u8) -> usize {
    match byte {
        b'"' => 6,
        b'\\' | b'\t' => 2,
        0x80.. => 3,
        _ => html(byte),
    }
}
