//! A record of a database, and what it says.
//!
//! What it says is borrowed from its bytes. A field of the wrong type counts as missing.

use super::text::Text;
use super::value::{Broken, Cursor, Scalar};
use super::{Coordinates, Country, ENGLISH, Network, Place, Region};
use std::ops::ControlFlow;

/// Reads a record of a City, Country, Enterprise, ASN or ISP database. Fields that clients are never told are skipped, and so is what is
/// `known` already, except inside `location`.
///
/// # Errors
/// The bytes are malformed.
pub fn place<'f>(cursor: &mut Cursor<'f>, language: &str, known: &Place<'_>) -> Result<Place<'f>, Broken> {
    let mut place = Place::default();
    let (mut registered, mut network) = (None, Network { number: None, organization: None });
    cursor.map(|cursor, key| {
        match key {
            b"city" if known.city.is_none() => place.city = Area::read(cursor, language)?.name,
            b"country" if known.country.is_none() => place.country = Area::read(cursor, language)?.country(),
            // Writers sort keys, so the country nearly always came first, and this is not needed.
            b"registered_country" if known.country.is_none() && place.country.is_none() => {
                registered = Area::read(cursor, language)?.country();
            }
            b"subdivisions" if known.region.is_none() => place.region = region(cursor, language)?,
            b"location" => location(cursor, &mut place)?,
            b"postal" if known.postal_code.is_none() => cursor.map(|cursor, key| match key {
                b"code" => text(cursor).map(|code| place.postal_code = code),
                _ => cursor.skip(),
            })?,
            b"city" | b"country" | b"registered_country" | b"subdivisions" | b"postal" => cursor.skip()?,
            _ if known.network.is_some() => cursor.skip()?,
            // Enterprise databases have the network here, others at the top level.
            b"traits" => cursor.map(|cursor, key| system(cursor, key, &mut network))?,
            _ => system(cursor, key, &mut network)?,
        }
        Ok(())
    })?;
    place.country = place.country.or(registered);
    place.network = (network.number.is_some() || network.organization.is_some()).then_some(network);
    Ok(place)
}

/// A country, a part of one, or a city.
#[derive(Default)]
struct Area<'f> {
    name: Option<Text<'f>>,
    iso_code: Option<Text<'f>>,
    is_in_european_union: bool,
}

impl<'f> Area<'f> {
    fn read(cursor: &mut Cursor<'f>, language: &str) -> Result<Area<'f>, Broken> {
        let mut area = Area::default();
        cursor.map(|cursor, key| {
            match key {
                b"names" => area.name = name(cursor, language)?,
                b"iso_code" => area.iso_code = text(cursor)?,
                b"is_in_european_union" => area.is_in_european_union = cursor.scalar()? == Scalar::Flag(true),
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        Ok(area)
    }

    fn country(self) -> Option<Country<'f>> {
        let Area { name, iso_code, is_in_european_union } = self;
        (name.is_some() || iso_code.is_some()).then_some(Country { name, iso_code, is_in_european_union })
    }
}

/// The first of a country's parts is the largest.
fn region<'f>(cursor: &mut Cursor<'f>, language: &str) -> Result<Option<Region<'f>>, Broken> {
    let mut region = None;
    cursor.list(|cursor, index| {
        if index > 0 {
            return cursor.skip();
        }
        let Area { name, iso_code, .. } = Area::read(cursor, language)?;
        region = (name.is_some() || iso_code.is_some()).then_some(Region { name, iso_code });
        Ok(())
    })?;
    Ok(region)
}

fn location<'f>(cursor: &mut Cursor<'f>, place: &mut Place<'f>) -> Result<(), Broken> {
    let (mut latitude, mut longitude) = (None, None);
    cursor.map(|cursor, key| {
        match key {
            b"latitude" => latitude = degrees(cursor)?,
            b"longitude" => longitude = degrees(cursor)?,
            b"metro_code" => place.metro_code = number(cursor)?.filter(|&code| code > 0),
            b"time_zone" => place.time_zone = text(cursor)?,
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    // NaN fails both comparisons.
    let is_on_globe = |&(latitude, longitude): &(f64, f64)| latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    let point = latitude.zip(longitude).filter(is_on_globe);
    place.coordinates = point.map(|(latitude, longitude)| Coordinates { latitude, longitude });
    Ok(())
}

fn system<'f>(cursor: &mut Cursor<'f>, key: &[u8], network: &mut Network<'f>) -> Result<(), Broken> {
    match key {
        b"autonomous_system_number" => network.number = number(cursor)?,
        b"autonomous_system_organization" => network.organization = text(cursor)?,
        _ => cursor.skip()?,
    }
    Ok(())
}

/// A name in this language, or else in English.
fn name<'f>(cursor: &mut Cursor<'f>, language: &str) -> Result<Option<Text<'f>>, Broken> {
    let (mut name, mut english) = (None, None);
    cursor.map_until(|cursor, key| {
        if key == language.as_bytes() {
            name = text(cursor)?;
            return Ok(if name.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        }
        if key == ENGLISH.as_bytes() {
            english = text(cursor)?;
        } else {
            cursor.skip()?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(name.or(english))
}

/// A text, where it is one that can be told.
///
/// # Errors
/// The bytes are no value.
pub fn text<'f>(cursor: &mut Cursor<'f>) -> Result<Option<Text<'f>>, Broken> {
    Ok(cursor.text()?.and_then(Text::new))
}

fn number(cursor: &mut Cursor<'_>) -> Result<Option<u32>, Broken> {
    Ok(match cursor.scalar()? {
        Scalar::Unsigned(number) => number.try_into().ok(),
        Scalar::Signed(number) => number.try_into().ok(),
        _ => None,
    })
}

/// Some files have whole degrees as whole numbers.
fn degrees(cursor: &mut Cursor<'_>) -> Result<Option<f64>, Broken> {
    Ok(match cursor.scalar()? {
        Scalar::Float(degrees) => Some(degrees),
        Scalar::Signed(degrees) => Some(degrees.into()),
        Scalar::Unsigned(degrees) => Some(degrees as f64),
        _ => None,
    })
}
