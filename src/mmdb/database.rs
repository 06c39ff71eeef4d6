//! One database: the bytes of a MaxMind DB file.

use super::tree::{SEPARATOR, Tree};
use super::value::{Broken, Cursor, Scalar};
use super::{ENGLISH, Place, record};
use memchr::memmem;
use std::fmt;
use std::net::IpAddr;

/// Where the metadata is: in the last bytes of a file (MaxMind DB 2.0, "Database Metadata"). What has none there is not read any further.
const METADATA_MAX: usize = 128 * 1024;
const METADATA_MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// How many bytes of the records are searched for names of fields. Writers store each name where it is first used.
const SEARCHED_MAX: usize = 256 * 1024;

/// A database that answers.
pub struct Database {
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    tree: Tree,
    /// Where its records end.
    end: usize,
    metadata: Metadata,
    subjects: [bool; Subject::ALL.len()],
}

/// What a file says of itself.
#[derive(Debug, Default)]
struct Metadata {
    format: u64,
    node_count: u64,
    record_size: u64,
    ip_version: u64,
    /// Seconds from 1970.
    epoch: u64,
    kind: String,
    description: Option<String>,
    languages: Vec<String>,
}

/// What a database may know something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The country.
    Country,
    /// The city, and what is known where that is: the region, the coordinates, the time zone.
    City,
    /// The autonomous system.
    Network,
}

impl Subject {
    const ALL: [Subject; 3] = [Subject::Country, Subject::City, Subject::Network];

    /// The names of its fields as keys of a map: a type, a length, and the name.
    fn keys(self) -> &'static [&'static [u8]] {
        match self {
            Subject::Country => &[b"\x47country", b"\x52registered_country"],
            Subject::City => &[b"\x44city", b"\x48location", b"\x4csubdivisions"],
            Subject::Network => &[b"\x58autonomous_system_number", b"\x5d\x01autonomous_system_organization"],
        }
    }
}

/// Why a file can't be used as a database; displays as the rest of a sentence that begins with the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is something else, or its end is missing.
    NoMetadata,
    /// It is in another version of the format than the one that is read here.
    OtherVersion,
    /// It contradicts itself; how.
    Broken(&'static str),
    /// It is a MaxMind DB file of this type, and has nothing that is told here.
    OtherFields(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoMetadata => formatter.write_str("is not a MaxMind DB file, or is truncated"),
            Fault::OtherVersion => formatter.write_str("is not in version 2 of the MaxMind DB format"),
            Fault::Broken(reason) => write!(formatter, "is broken: {reason}"),
            Fault::OtherFields(kind) => write!(formatter, "is of the type {kind:?}, which has no countries, cities or networks"),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("tree", &self.tree).field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

impl Database {
    /// The database in these bytes.
    ///
    /// # Errors
    /// They are none, or one without places and networks. Only the metadata, the tree's size and the names of fields are checked: where a
    /// look-up meets malformed bytes later, nothing is known of the address.
    pub fn new(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Database, Fault> {
        let all = bytes.as_ref();
        let last = all.len().saturating_sub(METADATA_MAX);
        let end = last + memmem::rfind(&all[last..], METADATA_MARK).ok_or(Fault::NoMetadata)?;
        let metadata =
            Metadata::read(&all[end + METADATA_MARK.len()..]).map_err(|Broken| Fault::Broken("its metadata is malformed"))?;
        if metadata.format != 2 {
            return Err(Fault::OtherVersion);
        }
        let Metadata { node_count, record_size, ip_version, .. } = metadata;
        let tree = Tree::new(&all[..end], node_count, record_size, ip_version);
        let tree = tree.ok_or(Fault::Broken("its search tree contradicts its metadata"))?;
        let records = &all[tree.length() + SEPARATOR..end];
        let fields = &records[..records.len().min(SEARCHED_MAX)];
        let subjects = Subject::ALL.map(|subject| subject.keys().iter().any(|key| memmem::find(fields, key).is_some()));
        if subjects == [false; Subject::ALL.len()] {
            return Err(Fault::OtherFields(metadata.kind));
        }
        Ok(Database { bytes: Box::new(bytes), tree, end, metadata, subjects })
    }

    /// Whether it knows something of this kind.
    pub fn knows(&self, subject: Subject) -> bool {
        self.subjects[subject as usize]
    }

    /// What its maker calls it, as in `GeoLite2-City`.
    pub fn kind(&self) -> &str {
        &self.metadata.kind
    }

    /// What its maker says of it in English; its [kind](Self::kind) where that is nothing.
    pub fn description(&self) -> &str {
        self.metadata.description.as_deref().unwrap_or(self.kind())
    }

    /// The day on which it was made, as in `2026-11-27`.
    pub fn date(&self) -> Date {
        Date::of_day(self.metadata.epoch / (24 * 60 * 60))
    }

    /// The languages of its names.
    pub fn languages(&self) -> &[String] {
        &self.metadata.languages
    }

    /// What it knows of an address, with names in this language or in English. Nothing, where it is broken there.
    pub fn place(&self, address: IpAddr, language: &str) -> Place<'_> {
        self.place_beside(address, language, &Place::default())
    }

    /// The same, but may leave out what is `known` already.
    pub fn place_beside(&self, address: IpAddr, language: &str, known: &Place<'_>) -> Place<'_> {
        let bytes = (*self.bytes).as_ref();
        let Some(place) = self.tree.find(bytes, address) else { return Place::default() };
        // Always `Some`: `new` sliced the same bytes.
        let Some(records) = bytes.get(self.tree.length() + SEPARATOR..self.end) else { return Place::default() };
        record::place(&mut Cursor::new(records, place), language, known).unwrap_or_default()
    }
}

impl Metadata {
    fn read(bytes: &[u8]) -> Result<Metadata, Broken> {
        let mut metadata = Metadata::default();
        Cursor::new(bytes, 0).map(|cursor, key| {
            match key {
                b"binary_format_major_version" => metadata.format = number(cursor)?,
                b"node_count" => metadata.node_count = number(cursor)?,
                b"record_size" => metadata.record_size = number(cursor)?,
                b"ip_version" => metadata.ip_version = number(cursor)?,
                b"build_epoch" => metadata.epoch = number(cursor)?,
                b"database_type" => metadata.kind = text(cursor)?.unwrap_or_default(),
                b"description" => cursor.map(|cursor, key| match key == ENGLISH.as_bytes() {
                    true => text(cursor).map(|text| metadata.description = text),
                    false => cursor.skip(),
                })?,
                b"languages" => cursor.list(|cursor, _| text(cursor).map(|text| metadata.languages.extend(text)))?,
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        Ok(metadata)
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<u64, Broken> {
    let Scalar::Unsigned(number) = cursor.scalar()? else { return Err(Broken) };
    Ok(number)
}

/// A text that can be shown.
fn text(cursor: &mut Cursor<'_>) -> Result<Option<String>, Broken> {
    let text = record::text(cursor)?;
    Ok(text.map(|text| text.to_string()))
}

/// A day of the Gregorian calendar, written as ISO 8601 wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    /// The day that is this many days after 1970-01-01.
    fn of_day(day: u64) -> Date {
        // Years begin in March here, so that the day that some of them lack is their last. 400 years are 146,097 days, and the
        // months from March on have as many days as (153 month + 2) / 5 grows by.
        let day = day + 719_468;
        let (era, day) = (day / 146_097, day % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, years_on) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Date { year: 400 * era + year + years_on, month, day }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
