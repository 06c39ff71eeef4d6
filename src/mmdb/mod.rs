//! What databases know of an address: the country, the city, the network.
//!
//! The databases are MaxMind DB files, from MaxMind, DB-IP or anyone whose records have the same fields. Only their bytes are known here;
//! `net` opens and maps the files.

mod value;

mod text;

mod tree;

mod record;

pub mod database;

pub use database::{Database, Fault, Subject};
pub use text::{TEXT_MAX, Text};

use std::fmt;
use std::net::IpAddr;

/// The language of names where nobody asked for another, and where a name is missing in the other.
pub const ENGLISH: &str = "en";

/// The most databases of a server: each of them is asked for `/json`.
pub const DATABASES_MAX: usize = 8;

/// The databases of a server, in the order in which they were named.
#[derive(Debug)]
pub struct Databases {
    files: Vec<Database>,
    /// The language of names, as in `pt-BR`.
    language: String,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place<'f> {
    /// Where the address is used; where nobody knows that, where it is registered.
    pub country: Option<Country<'f>>,
    /// The largest part of the country that it is in.
    pub region: Option<Region<'f>>,
    /// Of the United States' market areas, its number.
    pub metro_code: Option<u32>,
    /// The postal code, or its beginning.
    pub postal_code: Option<Text<'f>>,
    /// The name of the city.
    pub city: Option<Text<'f>>,
    /// Where about it is.
    pub coordinates: Option<Coordinates>,
    /// As in `Europe/Berlin`.
    pub time_zone: Option<Text<'f>>,
    /// The network that announces it.
    pub network: Option<Network<'f>>,
}

/// A country; at least one of its texts is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country<'f> {
    /// In the language that was asked for.
    pub name: Option<Text<'f>>,
    /// As in `DE` (ISO 3166-1).
    pub iso_code: Option<Text<'f>>,
    /// Whether it is a member of the European Union.
    pub is_in_european_union: bool,
}

/// A part of a country; at least one of its texts is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region<'f> {
    /// In the language that was asked for.
    pub name: Option<Text<'f>>,
    /// As in `BE` (ISO 3166-2, without the country).
    pub iso_code: Option<Text<'f>>,
}

/// A point on the globe, in degrees; both are on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    /// From -90 to 90, positive in the north.
    pub latitude: f64,
    /// From -180 to 180, positive in the east.
    pub longitude: f64,
}

/// An autonomous system; at least one of the two is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<'f> {
    /// Its number.
    pub number: Option<u32>,
    /// Whose it is.
    pub organization: Option<Text<'f>>,
}

impl Databases {
    /// Databases, those first that are asked first; names are in this language where they have it, else in English.
    pub fn new(files: Vec<Database>, language: String) -> Databases {
        Databases { files, language }
    }

    /// In their order.
    pub fn files(&self) -> &[Database] {
        &self.files
    }

    /// Whether any of them knows something of this kind.
    pub fn know(&self, subject: Subject) -> bool {
        self.files.iter().any(|file| file.knows(subject))
    }

    /// Whether any of them has names in the language that was asked for, or says nothing of languages.
    pub fn have_language(&self) -> bool {
        self.files.iter().any(|file| file.languages().is_empty() || file.languages().contains(&self.language))
    }

    /// All that is known of an address. Each part is that of the first database that knows it: parts of two databases are never mixed.
    /// One look-up in each.
    pub fn place(&self, address: IpAddr) -> Place<'_> {
        let Some((first, others)) = self.files.split_first() else { return Place::default() };
        let mut known = first.place(address, &self.language);
        for file in others {
            known = known.or(file.place_beside(address, &self.language, &known));
        }
        known
    }
}

/// What they call themselves, and when they were made, as in `GeoLite2-City of 2026-11-20 and GeoLite2-ASN of 2026-11-19`.
impl fmt::Display for Databases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, file) in self.files.iter().enumerate() {
            let and = if index > 0 { " and " } else { "" };
            write!(formatter, "{and}{} of {}", file.kind().escape_debug(), file.date())?;
        }
        Ok(())
    }
}

impl<'f> Place<'f> {
    fn or(self, other: Place<'f>) -> Place<'f> {
        Place {
            country: self.country.or(other.country),
            region: self.region.or(other.region),
            metro_code: self.metro_code.or(other.metro_code),
            postal_code: self.postal_code.or(other.postal_code),
            city: self.city.or(other.city),
            coordinates: self.coordinates.or(other.coordinates),
            time_zone: self.time_zone.or(other.time_zone),
            network: self.network.or(other.network),
        }
    }
}
