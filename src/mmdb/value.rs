//! The values of a data section in MaxMind DB format 2.0: one after another, or as pointers to values elsewhere in it.
//!
//! Reading always ends: values are read forward, a pointer leads to no other pointer, and at most [`VALUES_MAX`] values of a record are
//! read. Nothing is allocated.

use std::ops::ControlFlow;

/// The most values that are read for one record; the largest ones, of Enterprise databases, have about 300.
const VALUES_MAX: u32 = 1024;

const POINTER: u8 = 1;
const TEXT: u8 = 2;
const DOUBLE: u8 = 3;
const BYTES: u8 = 4;
const U16: u8 = 5;
const U32: u8 = 6;
const MAP: u8 = 7;
const I32: u8 = 8;
const U64: u8 = 9;
const U128: u8 = 10;
const LIST: u8 = 11;
const FLAG: u8 = 14;
const FLOAT: u8 = 15;

/// The largest size that is in a header itself.
const SIZE_MAX: u8 = 28;

/// Added to pointers of three and four bytes; shorter ones reach everything below.
const POINTER_3: usize = 2048;
const POINTER_4: usize = 526_336;

/// The bytes are no values, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// A value that is neither a map nor a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'f> {
    /// UTF-8, which is not checked here.
    Text(&'f [u8]),
    /// An unsigned number of at most 64 bits.
    Unsigned(u64),
    /// A signed number of 32 bits.
    Signed(i32),
    /// A float or a double.
    Float(f64),
    /// True or false.
    Flag(bool),
    /// Anything else. It was skipped.
    Other,
}

/// Where reading is in a section.
pub struct Cursor<'f> {
    section: &'f [u8],
    at: usize,
    /// How many more values may be read.
    left: u32,
}

/// What a value begins with. `back`: where reading goes on after it, if a pointer led to it.
struct Header {
    kind: u8,
    size: usize,
    back: Option<usize>,
}

/// What the first byte of a value tells: how many bytes the value takes, without the values inside it, and how many of those follow. A
/// length of 0: the first byte is not enough.
#[derive(Clone, Copy)]
struct Extent {
    length: u8,
    values: u8,
}

/// By first byte. Skipping values with this table saves 420 instructions of `/json`.
static EXTENTS: [Extent; 256] = {
    let mut extents = [Extent { length: 0, values: 0 }; 256];
    let mut first = 0;
    while first < 256 {
        let (kind, size) = ((first >> 5) as u8, (first & 0x1f) as u8);
        extents[first] = match kind {
            POINTER => Extent { length: 2 + (size >> 3), values: 0 },
            TEXT | DOUBLE | BYTES | U16 | U32 if size <= SIZE_MAX => Extent { length: 1 + size, values: 0 },
            MAP if size <= SIZE_MAX => Extent { length: 1, values: 2 * size },
            _ => Extent { length: 0, values: 0 },
        };
        first += 1;
    }
    extents
};

impl<'f> Cursor<'f> {
    /// Before the value at this place of a section.
    pub fn new(section: &'f [u8], at: usize) -> Cursor<'f> {
        Cursor { section, at, left: VALUES_MAX }
    }

    /// Reads a map: for each key, `entry` reads exactly one value. A value of another type is skipped.
    ///
    /// # Errors
    /// The bytes are malformed, or `entry` fails.
    pub fn map(&mut self, mut entry: impl FnMut(&mut Self, &'f [u8]) -> Result<(), Broken>) -> Result<(), Broken> {
        self.map_until(|cursor, key| entry(cursor, key).map(ControlFlow::Continue))
    }

    /// The same, until `entry` breaks off: the rest of the map is skipped without a look at its keys.
    ///
    /// # Errors
    /// The bytes are malformed, or `entry` fails.
    pub fn map_until(
        &mut self,
        mut entry: impl FnMut(&mut Self, &'f [u8]) -> Result<ControlFlow<()>, Broken>,
    ) -> Result<(), Broken> {
        let Some((size, back)) = self.begin_container(MAP)? else { return Ok(()) };
        for rest in (0..size).rev() {
            let key = self.key()?;
            if entry(self, key)?.is_break() {
                if back.is_none() {
                    self.skip_values(2 * rest)?;
                }
                break;
            }
        }
        self.end(back);
        Ok(())
    }

    /// Reads a list: for each index, `item` reads exactly one value. A value of another type is skipped.
    ///
    /// # Errors
    /// The bytes are malformed, or `item` fails.
    pub fn list(&mut self, mut item: impl FnMut(&mut Self, usize) -> Result<(), Broken>) -> Result<(), Broken> {
        let Some((size, back)) = self.begin_container(LIST)? else { return Ok(()) };
        for index in 0..size {
            item(self, index)?;
        }
        self.end(back);
        Ok(())
    }

    /// Reads a value without others in it. A map or list is skipped, and is [`Scalar::Other`].
    ///
    /// # Errors
    /// The bytes are malformed.
    pub fn scalar(&mut self) -> Result<Scalar<'f>, Broken> {
        let Header { kind, size, back } = self.begin()?;
        let scalar = match kind {
            TEXT => Scalar::Text(self.take(size)?),
            U16 | U32 | U64 => Scalar::Unsigned(self.number(size)?),
            FLAG => Scalar::Flag(size != 0),
            _ => self.rare_scalar(kind, size)?,
        };
        self.end(back);
        Ok(scalar)
    }

    /// The key of a map.
    fn key(&mut self) -> Result<&'f [u8], Broken> {
        self.text()?.ok_or(Broken)
    }

    /// Reads a text; something else is skipped, and is `None`. It is UTF-8, which is not checked here.
    ///
    /// # Errors
    /// The bytes are no value.
    #[inline(always)] // 550 instructions of /json: what is short is given in registers.
    pub fn text(&mut self) -> Result<Option<&'f [u8]>, Broken> {
        if let Some(text) = self.short_text() {
            return Ok(Some(text));
        }
        match self.scalar()? {
            Scalar::Text(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// What nearly all keys are, and most texts: at most 28 bytes, here or where a pointer of two to four bytes leads. Anything else, and
    /// what is in the last bytes of a section, is `None` and is not read: 830 instructions less of `/json`.
    fn short_text(&mut self) -> Option<&'f [u8]> {
        let &[first, a, b, c] = self.section.get(self.at..)?.first_chunk()?;
        let (high, [a, b, c]) = (usize::from(first & 7), [a, b, c].map(usize::from));
        // A type and two bits that say how long a pointer is.
        let (place, length) = match (first >> 3).wrapping_sub(POINTER << 2) {
            0 => (high << 8 | a, 2),
            1 => ((high << 16 | a << 8 | b) + POINTER_3, 3),
            2 => ((high << 24 | a << 16 | b << 8 | c) + POINTER_4, 4),
            _ => (self.at, 1 + usize::from(first & 0x1f)),
        };
        let (&header, text) = self.section.get(place..)?.split_first()?;
        let size = header.wrapping_sub(TEXT << 5);
        if size > SIZE_MAX {
            return None;
        }
        let text = text.get(..size.into())?;
        self.left = self.left.checked_sub(1)?;
        self.at += length;
        Some(text)
    }

    fn rare_scalar(&mut self, kind: u8, size: usize) -> Result<Scalar<'f>, Broken> {
        match kind {
            DOUBLE => self.take(size)?.try_into().map(|bytes| Scalar::Float(f64::from_be_bytes(bytes))).map_err(|_| Broken),
            FLOAT => self.take(size)?.try_into().map(|bytes| Scalar::Float(f32::from_be_bytes(bytes).into())).map_err(|_| Broken),
            // With fewer than four bytes it is not negative.
            I32 if size <= 4 => self.number(size).map(|number| Scalar::Signed(number as u32 as i32)),
            _ => self.skip_rest(kind, size).map(|()| Scalar::Other),
        }
    }

    /// Reads a value and drops it. Pointers are not followed.
    ///
    /// # Errors
    /// The bytes are no value.
    pub fn skip(&mut self) -> Result<(), Broken> {
        self.skip_values(1)
    }

    /// Skips what follows the header of a value, all that is in it included.
    fn skip_rest(&mut self, kind: u8, size: usize) -> Result<(), Broken> {
        let values = self.skip_own(kind, size)?;
        self.skip_values(values)
    }

    fn skip_values(&mut self, mut values: usize) -> Result<(), Broken> {
        while values > 0 {
            self.count()?;
            let &first = self.section.get(self.at).ok_or(Broken)?;
            let Extent { length, values: own } = EXTENTS[usize::from(first)];
            values -= 1;
            if length > 0 {
                self.at += usize::from(length);
                values += usize::from(own);
            } else {
                let (kind, size) = self.header()?;
                values += self.skip_own(kind, size)?;
            }
        }
        Ok(())
    }

    /// Skips the bytes of a value itself. Gives the number of those in it, which follow.
    fn skip_own(&mut self, kind: u8, size: usize) -> Result<usize, Broken> {
        match kind {
            POINTER => self.pointer(size).map(|_| 0),
            TEXT | DOUBLE | BYTES | U16 | U32 | I32 | U64 | U128 | FLOAT => self.take(size).map(|_| 0),
            FLAG => Ok(0),
            MAP => Ok(2 * size),
            LIST => Ok(size),
            _ => Err(Broken),
        }
    }

    /// Begins a map or a list: how many entries it has, and where reading goes on after it. `None`: something else was there, and is skipped.
    #[inline(always)] // 330 instructions of /json.
    fn begin_container(&mut self, wanted: u8) -> Result<Option<(usize, Option<usize>)>, Broken> {
        // Nearly all maps are here, and have fewer entries.
        if let Some(&first) = self.section.get(self.at)
            && first >> 5 == wanted
            && first & 0x1f <= SIZE_MAX
        {
            self.count()?;
            self.at += 1;
            return Ok(Some(((first & 0x1f).into(), None)));
        }
        self.begin_rare_container(wanted)
    }

    fn begin_rare_container(&mut self, wanted: u8) -> Result<Option<(usize, Option<usize>)>, Broken> {
        let Header { kind, size, back } = self.begin()?;
        if kind == wanted {
            return Ok(Some((size, back)));
        }
        self.skip_rest(kind, size)?;
        self.end(back);
        Ok(None)
    }

    /// Begins a value, here or where a pointer leads.
    fn begin(&mut self) -> Result<Header, Broken> {
        self.count()?;
        let (kind, size) = self.header()?;
        if kind != POINTER {
            return Ok(Header { kind, size, back: None });
        }
        let target = self.pointer(size)?;
        let back = Some(std::mem::replace(&mut self.at, target));
        let (kind, size) = self.header()?;
        if kind == POINTER { Err(Broken) } else { Ok(Header { kind, size, back }) }
    }

    /// Ends a value that was begun.
    fn end(&mut self, back: Option<usize>) {
        self.at = back.unwrap_or(self.at);
    }

    fn count(&mut self) -> Result<(), Broken> {
        self.left = self.left.checked_sub(1).ok_or(Broken)?;
        Ok(())
    }

    /// The type of a value and its size, or what a pointer has in the place of that.
    fn header(&mut self) -> Result<(u8, usize), Broken> {
        let first = self.byte()?;
        let kind = match first >> 5 {
            0 => self.byte()?.checked_add(MAP).ok_or(Broken)?,
            kind => kind,
        };
        let size = first & 0x1f;
        if size <= SIZE_MAX || kind == POINTER {
            return Ok((kind, size.into()));
        }
        self.long_size(size - SIZE_MAX).map(|size| (kind, size))
    }

    /// A size stored in `length` bytes of its own, 1 to 3.
    fn long_size(&mut self, length: u8) -> Result<usize, Broken> {
        let length = usize::from(length);
        let base = [29, 285, 65_821][length - 1];
        Ok(base + self.number(length)? as usize)
    }

    /// Where a pointer leads.
    fn pointer(&mut self, size: usize) -> Result<usize, Broken> {
        let (high, length) = (size & 7, (size >> 3) + 1);
        let rest = self.number(length)? as usize;
        Ok(match length {
            1 => high << 8 | rest,
            2 => (high << 16 | rest) + POINTER_3,
            3 => (high << 24 | rest) + POINTER_4,
            _ => rest,
        })
    }

    /// A big-endian number of `length` bytes.
    fn number(&mut self, length: usize) -> Result<u64, Broken> {
        if length > 8 {
            return Err(Broken);
        }
        Ok(self.take(length)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let &byte = self.section.get(self.at).ok_or(Broken)?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, length: usize) -> Result<&'f [u8], Broken> {
        // The position is within the file or 32 bits, and a size has 25 bits: the sum does not overflow.
        let bytes = self.section.get(self.at..self.at + length).ok_or(Broken)?;
        self.at += length;
        Ok(bytes)
    }
}
