//! What databases know of an address, one thing at a time.

use super::address::{self, NoAddress};
use super::{Context, ResponseHead};
use crate::http::response::{TWO_DIGITS, decimal};
use crate::mmdb::{Coordinates, Place, Text};

/// `/country`: its name.
pub fn country(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    text(context, content, |place| place.country?.name)
}

/// `/country-iso`: its code.
pub fn country_iso(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    text(context, content, |place| place.country?.iso_code)
}

/// `/city`: its name.
pub fn city(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    text(context, content, |place| place.city)
}

/// `/coordinates`: latitude and longitude, as maps take them.
pub fn coordinates(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    part(context, content, |place| place.coordinates, write_coordinates)
}

/// `/time-zone`: as in IANA's list.
pub fn time_zone(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    text(context, content, |place| place.time_zone)
}

/// `/asn`: the number of the autonomous system.
pub fn asn(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    part(context, content, |place| place.network?.number, write_asn)
}

/// `/asn-org`: whose it is.
pub fn asn_org(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    text(context, content, |place| place.network?.organization)
}

fn text<'a>(context: &Context<'a>, content: &mut Vec<u8>, find: impl Fn(&Place<'a>) -> Option<Text<'a>>) -> ResponseHead {
    part(context, content, find, |content, text| content.extend_from_slice(text.as_bytes()))
}

/// Answers with a part of what is known of the address that is asked about.
fn part<'a, T>(
    context: &Context<'a>,
    content: &mut Vec<u8>,
    find: impl Fn(&Place<'a>) -> Option<T>,
    write: impl Fn(&mut Vec<u8>, T),
) -> ResponseHead {
    let address = match address::asked(context) {
        Ok(named) => named.or(context.client.address),
        Err(NoAddress) => return address::no_address(context, content),
    };
    let known = context.databases.zip(address).and_then(|(databases, address)| find(&databases.place(address)));
    let Some(known) = known else { return ResponseHead::OpenNotFound };
    write(content, known);
    context.end_text(content);
    ResponseHead::OpenText
}

/// Appends a point as latitude and longitude, with at least four decimal places: about 10 meters.
pub fn write_coordinates(content: &mut Vec<u8>, point: Coordinates) {
    write_degrees(content, point.latitude, 4);
    content.push(b',');
    write_degrees(content, point.longitude, 4);
}

/// Appends the number of an autonomous system as `AS64500` (RFC 5396, asplain).
pub fn write_asn(content: &mut Vec<u8>, number: u32) {
    content.extend_from_slice(b"AS");
    decimal(content, number.into());
}

/// Appends an angle of at most 180 degrees in decimal, rounded to six places. Trailing zeros are left out, except among the first
/// `places_min` places. `Display` would write as many digits as a broken file supplies.
pub fn write_degrees(content: &mut Vec<u8>, degrees: f64, places_min: usize) {
    const SCALE: u64 = 1_000_000;
    let scaled = (degrees.abs() * SCALE as f64).round() as u64;
    if degrees < 0.0 && scaled > 0 {
        content.push(b'-');
    }
    decimal(content, scaled / SCALE);
    let rest = (scaled % SCALE) as usize;
    let mut places = [0; 6];
    for (pair, number) in places.as_chunks_mut().0.iter_mut().zip([rest / 10_000, rest / 100 % 100, rest % 100]) {
        *pair = TWO_DIGITS[number];
    }
    let length = places.iter().rposition(|&place| place != b'0').map_or(0, |last| last + 1).max(places_min);
    if length > 0 {
        content.push(b'.');
        content.extend_from_slice(&places[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_as_they_are_written() {
        for (degrees, short, long) in [
            (52.52, "52.52", "52.5200"),
            (-122.0, "-122", "-122.0000"),
            (0.0, "0", "0.0000"),
            (-0.0, "0", "0.0000"),
            (-0.000_000_4, "0", "0.0000"),
            (-0.000_001, "-0.000001", "-0.000001"),
            (13.404_954_123, "13.404954", "13.404954"),
            (179.999_999_9, "180", "180.0000"),
            (1e-300, "0", "0.0000"),
        ] {
            for (places, expected) in [(0, short), (4, long)] {
                let mut content = Vec::new();
                write_degrees(&mut content, degrees, places);
                assert_eq!(String::from_utf8_lossy(&content), expected, "{degrees}");
            }
        }
    }
}
