//! JSON (RFC 8259): strings from bytes, and the documents.

use super::address::NoAddress;
use super::fields::{Listing, Value};
use super::{Context, ResponseHead, address, place};
use crate::http::response::decimal;
use crate::mmdb::{Place, Text};
use crate::swar;
use memchr::memchr;
use std::net::IpAddr;

/// Appends a field's value as a JSON string: as UTF-8 if it is valid UTF-8, else as Latin-1.
pub fn string(content: &mut Vec<u8>, value: &[u8]) {
    content.push(b'"');
    escape(content, value);
    content.push(b'"');
}

fn escape(content: &mut Vec<u8>, value: &[u8]) {
    // Nearly all values are.
    if swar::is_printable(value, [b'"', b'\\']) {
        return content.extend_from_slice(value);
    }
    escape_special(content, value, std::str::from_utf8(value).is_ok());
}

/// Escapes a bufferful at a time, because appending byte by byte costs five times as much. `is_utf8`: else it is Latin-1.
#[inline(never)] // 360 instructions of /json with databases.
fn escape_special(content: &mut Vec<u8>, value: &[u8], is_utf8: bool) {
    const PIECE: usize = 40;
    /// `\u001f`
    const ESCAPED_MAX: usize = 6;
    let mut buffer = [0; PIECE * ESCAPED_MAX];
    for piece in value.chunks(PIECE) {
        let mut length = 0;
        for &byte in piece {
            let mut put = |bytes: &[u8]| {
                buffer[length..length + bytes.len()].copy_from_slice(bytes);
                length += bytes.len();
            };
            match byte {
                b'"' | b'\\' => put(&[b'\\', byte]),
                b'\t' => put(b"\\t"),
                // Not in a field value (RFC 9110 §5.5), but a decoded name may contain one.
                ..b' ' => {
                    let digits = b"0123456789abcdef";
                    let (high, low) = (digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]);
                    put(&[b'\\', b'u', b'0', b'0', high, low]);
                }
                0x80.. if !is_utf8 => put(&[0xc0 | byte >> 6, 0x80 | byte & 0x3f]),
                _ => put(&[byte]),
            }
        }
        content.extend_from_slice(&buffer[..length]);
    }
}

/// `/json`: the client, or with `?ip=` what is known of another address.
pub fn answer(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    match address::asked(context) {
        Ok(other) => document(context, other, content),
        Err(NoAddress) => return address::no_address(context, content),
    }
    ResponseHead::OpenJson
}

/// The client, with keys as echoip has them; `other` in its place leaves out what is the client's.
pub fn document(context: &Context<'_>, other: Option<IpAddr>, content: &mut Vec<u8>) {
    let client = context.client;
    let address = other.or(client.address);
    content.extend_from_slice(b"{\n  \"ip\": ");
    match address {
        Some(ip) => {
            content.push(b'"');
            address::write(content, &ip);
            content.extend_from_slice(b"\",\n  \"ip_decimal\": ");
            address::write_decimal(content, ip);
        }
        None => content.extend_from_slice(b"null,\n  \"ip_decimal\": null"),
    }
    if other.is_none() {
        content.extend_from_slice(b",\n  \"port\": ");
        match client.port {
            Some(port) => decimal(content, port.into()),
            None => content.extend_from_slice(b"null"),
        }
    }
    if let (Some(databases), Some(address)) = (context.databases, address) {
        members(&databases.place(address), content);
    }
    if let Some(agent) = context.shown_user_agent().filter(|_| other.is_none()) {
        user_agent(agent, content);
    }
    content.extend_from_slice(b"\n}\n");
}

/// What is known of an address.
fn members(known: &Place<'_>, content: &mut Vec<u8>) {
    if let Some(country) = known.country {
        text_member(content, b",\n  \"country\": \"", country.name);
        text_member(content, b",\n  \"country_iso\": \"", country.iso_code);
        content.extend_from_slice(b",\n  \"country_eu\": ");
        content.extend_from_slice(if country.is_in_european_union { b"true" } else { b"false" });
    }
    if let Some(region) = known.region {
        text_member(content, b",\n  \"region_name\": \"", region.name);
        text_member(content, b",\n  \"region_code\": \"", region.iso_code);
    }
    if let Some(code) = known.metro_code {
        content.extend_from_slice(b",\n  \"metro_code\": ");
        decimal(content, code.into());
    }
    text_member(content, b",\n  \"zip_code\": \"", known.postal_code);
    text_member(content, b",\n  \"city\": \"", known.city);
    if let Some(point) = known.coordinates {
        content.extend_from_slice(b",\n  \"latitude\": ");
        place::write_degrees(content, point.latitude, 0);
        content.extend_from_slice(b",\n  \"longitude\": ");
        place::write_degrees(content, point.longitude, 0);
    }
    text_member(content, b",\n  \"time_zone\": \"", known.time_zone);
    if let Some(network) = known.network {
        if let Some(number) = network.number {
            content.extend_from_slice(b",\n  \"asn\": \"");
            place::write_asn(content, number);
            content.push(b'"');
        }
        text_member(content, b",\n  \"asn_org\": \"", network.organization);
    }
}

/// Appends a member, where its text is known; the key is written so, the quotation mark before the text included.
fn text_member(content: &mut Vec<u8>, key: &[u8], text: Option<Text<'_>>) {
    if let Some(text) = text {
        content.extend_from_slice(key);
        escape(content, text.as_bytes());
        content.push(b'"');
    }
}

/// Splits a User-Agent as echoip does: `product/version comment`; a version begins with a digit.
fn user_agent(agent: &[u8], content: &mut Vec<u8>) {
    let (product, version, comment): (&[u8], &[u8], &[u8]) = match memchr(b'/', agent) {
        Some(slash) => {
            let rest = &agent[slash + 1..];
            match memchr(b' ', rest) {
                _ if !rest.first().is_some_and(u8::is_ascii_digit) => (&agent[..slash], b"", rest),
                Some(space) => (&agent[..slash], &rest[..space], &rest[space + 1..]),
                None => (&agent[..slash], rest, b""),
            }
        }
        None => match memchr(b' ', agent) {
            Some(space) => (&agent[..space], b"", &agent[space + 1..]),
            None => (agent, b"", b""),
        },
    };
    // A part is in the encoding of the whole.
    let part = |content: &mut Vec<u8>, key: &[u8], part: &[u8]| {
        content.extend_from_slice(key);
        match swar::is_printable(part, [b'"', b'\\']) {
            true => content.extend_from_slice(part),
            false => escape_special(content, part, std::str::from_utf8(agent).is_ok()),
        }
        content.push(b'"');
    };
    part(content, b",\n  \"user_agent\": {\n    \"product\": \"", product);
    part(content, b",\n    \"version\": \"", version);
    part(content, b",\n    \"comment\": \"", comment);
    part(content, b",\n    \"raw_value\": \"", agent);
    content.extend_from_slice(b"\n  }");
}

/// `/all` as JSON: everything, in one compact object with sorted keys.
pub fn all(context: &Context<'_>, content: &mut Vec<u8>) {
    object(&Listing::all(context), content);
    content.push(b'\n');
}

/// `/headers`: like httpbin's.
pub fn headers(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    content.extend_from_slice(b"{\"headers\":");
    object(&Listing::fields(context), content);
    content.extend_from_slice(b"}\n");
    ResponseHead::Json
}

fn object(listing: &Listing<'_>, content: &mut Vec<u8>) {
    content.push(b'{');
    for (index, row) in listing.rows().enumerate() {
        content.extend_from_slice(if index > 0 { b",\"" } else { b"\"" });
        content.extend(row.key());
        content.extend_from_slice(b"\":");
        match row.value() {
            Value::Address(ip) => {
                content.push(b'"');
                address::write(content, &ip);
                content.push(b'"');
            }
            Value::Port(port) => decimal(content, port.into()),
            Value::Lines(lines) => joined(content, lines),
        }
    }
    content.push(b'}');
}

/// The lines of a field as one string, each read as UTF-8 or Latin-1 by itself.
fn joined<'a>(content: &mut Vec<u8>, lines: impl Iterator<Item = &'a [u8]>) {
    content.push(b'"');
    for (index, line) in lines.enumerate() {
        content.extend_from_slice(if index > 0 { b", " } else { b"" });
        escape(content, line);
    }
    content.push(b'"');
}
