//! The request's fields: one by its name, or all of them, sorted.

use super::{Context, ResponseHead, address};
use crate::http::field::FIELDS_MAX;
use crate::http::response::decimal;
use std::cmp::Ordering;
use std::net::IpAddr;

/// `/headers/<name>`, and `/<name>` if no resource has that name: the field's value, lines joined with `, `.
pub fn named(context: &Context<'_>, is_name: impl Fn(&str) -> bool, content: &mut Vec<u8>) -> ResponseHead {
    let mut lines = context.request.fields.iter().filter(|field| is_name(field.name));
    let Some(first) = lines.next().filter(|field| !context.site.hides(field.name)) else { return ResponseHead::NotFound };
    content.extend_from_slice(first.value);
    for line in lines {
        content.extend_from_slice(b", ");
        content.extend_from_slice(line.value);
    }
    context.end_text(content);
    ResponseHead::Text
}

/// `/all` as text: `Key: value` lines in the order of the JSON.
pub fn all_as_text(context: &Context<'_>, content: &mut Vec<u8>) {
    for (index, row) in Listing::all(context).rows().enumerate() {
        if index > 0 {
            content.push(b'\n');
        }
        content.extend(row.key());
        content.extend_from_slice(b": ");
        match row.value() {
            Value::Address(ip) => address::write(content, &ip),
            Value::Port(port) => decimal(content, port.into()),
            Value::Lines(lines) => {
                for (index, line) in lines.enumerate() {
                    content.extend_from_slice(if index > 0 { b", " } else { b"" });
                    content.extend_from_slice(line);
                }
            }
        }
    }
    context.end_text(content);
}

/// The fields of a request, sorted by the bytes of their names in Train-Case, one row for each name. Sorting and grouping need no heap.
pub struct Listing<'a> {
    context: &'a Context<'a>,
    order: [u8; ROWS_MAX],
    length: usize,
    /// The lines of each row.
    rows: [u8; ROWS_MAX],
    row_count: usize,
}

/// A row for each field, the address and the port.
pub const ROWS_MAX: usize = FIELDS_MAX + 2;

/// The client's address and port have these numbers among the fields, whose own are below [`FIELDS_MAX`].
const ADDRESS: u8 = 254;
const PORT: u8 = 255;
const ADDRESS_KEY: &str = "Source-IP";
const PORT_KEY: &str = "Source-Port";

impl<'a> Listing<'a> {
    /// The request's fields alone.
    pub fn fields(context: &'a Context<'a>) -> Listing<'a> {
        Listing::new(context, |name| !context.site.hides(name), [None, None])
    }

    /// The address and port of the client, if known, and the request's fields. A field of the same name is left out: it could be mistaken
    /// for ours.
    pub fn all(context: &'a Context<'a>) -> Listing<'a> {
        let is_ours = |name: &str| name.eq_ignore_ascii_case(ADDRESS_KEY) || name.eq_ignore_ascii_case(PORT_KEY);
        Listing::new(
            context,
            |name| !is_ours(name) && !context.site.hides(name),
            [context.client.address.and(Some(ADDRESS)), context.client.port.and(Some(PORT))],
        )
    }

    fn new(context: &'a Context<'a>, keep: impl Fn(&str) -> bool, more: [Option<u8>; 2]) -> Listing<'a> {
        let mut listing = Listing { context, order: [0; ROWS_MAX], length: 0, rows: [0; ROWS_MAX], row_count: 0 };
        let kept = (0..).zip(context.request.fields).filter(|(_, field)| keep(field.name)).map(|(index, _)| index);
        // Most keys differ in their first bytes, which compare as one number.
        let mut keys = [(0, 0); ROWS_MAX];
        for (place, index) in keys.iter_mut().zip(more.into_iter().flatten().chain(kept)) {
            *place = (listing.beginning(index), index);
            listing.length += 1;
        }
        let keys = &mut keys[..listing.length];
        // If the number ends in a zero, it is the whole key.
        let rest = |number: u64, a, b| if number as u8 == 0 { Ordering::Equal } else { listing.compare(a, b) };
        keys.sort_unstable_by(|&(one, a), &(other, b)| one.cmp(&other).then_with(|| rest(one, a, b)).then(a.cmp(&b)));
        for (place, (_, index)) in listing.order.iter_mut().zip(keys) {
            *place = *index;
        }
        listing.group();
        listing
    }

    fn group(&mut self) {
        for place in 0..self.length {
            let is_same = |before: usize| {
                let (name, other) = (self.name(self.order[place]), self.name(self.order[before]));
                name.eq_ignore_ascii_case(other)
            };
            if !place.checked_sub(1).is_some_and(is_same) {
                self.row_count += 1;
            }
            self.rows[self.row_count - 1] += 1;
        }
    }

    /// The rows, sorted.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut rest = &self.order[..self.length];
        self.rows[..self.row_count].iter().map(move |&count| {
            let (lines, others) = rest.split_at(usize::from(count));
            rest = others;
            Row { listing: self, lines }
        })
    }

    fn name(&self, index: u8) -> &'a str {
        match index {
            ADDRESS => ADDRESS_KEY,
            PORT => PORT_KEY,
            index => self.context.request.fields[usize::from(index)].name,
        }
    }

    /// The first bytes of a key as a number that compares as they do.
    fn beginning(&self, index: u8) -> u64 {
        let mut bytes = [0; 8];
        for (place, byte) in bytes.iter_mut().zip(self.key(index)) {
            *place = byte;
        }
        u64::from_be_bytes(bytes)
    }

    /// Compares two keys. A prefix that is equal without regard to case is equal in Train-Case.
    fn compare(&self, a: u8, b: u8) -> Ordering {
        let (one, other) = (self.name(a).as_bytes(), self.name(b).as_bytes());
        // Words first, because a hundred names of 150 bytes may differ only in their last bytes.
        let is_same = |(one, other): &(&[u8; 8], &[u8; 8])| one == other || one.eq_ignore_ascii_case(&other[..]);
        let (words, other_words) = (one.as_chunks().0, other.as_chunks().0);
        let same = 8 * words.iter().zip(other_words).take_while(is_same).count();
        let differ = |(one, other): (&u8, &u8)| one != other && !one.eq_ignore_ascii_case(other);
        match one[same..].iter().zip(&other[same..]).position(differ) {
            Some(place) => self.key_byte(a, same + place).cmp(&self.key_byte(b, same + place)),
            None => one.len().cmp(&other.len()),
        }
    }

    /// One byte of a key.
    fn key_byte(&self, index: u8, place: usize) -> u8 {
        let name = self.name(index).as_bytes();
        match place.checked_sub(1).map(|before| name[before]) {
            _ if index == ADDRESS => name[place],
            None | Some(b'-') => name[place].to_ascii_uppercase(),
            Some(_) => name[place].to_ascii_lowercase(),
        }
    }

    fn key(&self, index: u8) -> impl Iterator<Item = u8> + 'a {
        let is_verbatim = index == ADDRESS;
        let mut begins = true;
        self.name(index).bytes().map(move |byte| {
            let cased = match begins {
                _ if is_verbatim => byte,
                true => byte.to_ascii_uppercase(),
                false => byte.to_ascii_lowercase(),
            };
            begins = byte == b'-';
            cased
        })
    }
}

/// One name and its value.
#[derive(Clone, Copy)]
pub struct Row<'l> {
    listing: &'l Listing<'l>,
    lines: &'l [u8],
}

/// The value of a name.
pub enum Value<I> {
    /// The client's address.
    Address(IpAddr),
    /// The client's port.
    Port(u16),
    /// The values of a field's lines.
    Lines(I),
}

impl<'l> Row<'l> {
    /// The name as the client wrote it in the first line.
    pub fn name(&self) -> &'l str {
        self.listing.name(self.lines[0])
    }

    /// The name in Train-Case: `Dnt`, `Sec-Ch-Ua`; `Source-IP` for the address.
    pub fn key(&self) -> impl Iterator<Item = u8> + 'l {
        self.listing.key(self.lines[0])
    }

    /// The value.
    pub fn value(&self) -> Value<impl Iterator<Item = &'l [u8]> + Clone + 'l> {
        let Listing { context, .. } = self.listing;
        match (self.lines[0], context.client.address, context.client.port) {
            (ADDRESS, Some(ip), _) => Value::Address(ip),
            (PORT, _, Some(port)) => Value::Port(port),
            _ => Value::Lines(self.lines.iter().map(|&index| context.request.fields[usize::from(index)].value)),
        }
    }
}
