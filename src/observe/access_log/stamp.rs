//! The time of an answer, as each format has it. It is given once a second, as the Date field of answers, and in each turn the
//! milliseconds: so no line formats a time.

use super::Format;
use crate::http::response::Date;

/// The text of this millisecond, and what stands around it in every line: one copy instead of three.
#[derive(Debug)]
pub struct Stamp {
    format: Format,
    combined: [u8; 35],
    json: [u8; 45],
}

/// Where in it the time stands.
const COMBINED: usize = b" - - [".len();
const JSON: usize = b"{\"time\":\"".len();
/// Where in the time the milliseconds stand.
const MILLISECONDS: usize = b"2026-11-27T10:00:00.".len();

const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

impl Stamp {
    /// Before it is given a time it is the beginning of 1970.
    pub fn new(format: Format) -> Stamp {
        let combined = *b" - - [01/Jan/1970:00:00:00 +0000] \"";
        let json = *b"{\"time\":\"1970-01-01T00:00:00.000Z\",\"client\":\"";
        Stamp { format, combined, json }
    }

    /// What stands between the client and the request line.
    pub fn combined(&self) -> &[u8; 35] {
        &self.combined
    }

    /// What stands before the client's address, a quote included.
    pub fn json(&self) -> &[u8; 45] {
        &self.json
    }

    /// A new second.
    pub fn set_date(&mut self, date: &Date) {
        let [_, _, _, _, _, d, e, _, m, n, o, _, y, z, x, w, _, time @ ..] = *date;
        let [h, i, _, k, l, _, s, t, ..] = time;
        match self.format {
            Format::Combined => {
                let text = [d, e, b'/', m, n, o, b'/', y, z, x, w, b':', h, i, b':', k, l, b':', s, t];
                self.combined[COMBINED..][..text.len()].copy_from_slice(&text);
            }
            Format::Json => {
                let month = MONTHS.chunks(3).position(|month| month == [m, n, o]).unwrap_or_default() + 1;
                let [tens, ones] = [b'0' + (month / 10) as u8, b'0' + (month % 10) as u8];
                let text = [y, z, x, w, b'-', tens, ones, b'-', d, e, b'T', h, i, b':', k, l, b':', s, t, b'.'];
                self.json[JSON..][..text.len()].copy_from_slice(&text);
            }
        }
    }

    /// A new turn, this many milliseconds after the second began; at most 999.
    pub fn set_milliseconds(&mut self, milliseconds: u16) {
        if self.format == Format::Json {
            let digit = |value: u16| b'0' + (value % 10) as u8;
            let digits = [digit(milliseconds / 100), digit(milliseconds / 10), digit(milliseconds)];
            self.json[JSON + MILLISECONDS..][..digits.len()].copy_from_slice(&digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_both_formats() {
        for (date, milliseconds, combined, json) in [
            (b"Fri, 27 Nov 2026 10:00:00 GMT", 7, "27/Nov/2026:10:00:00 +0000", "2026-11-27T10:00:00.007Z"),
            (b"Sun, 06 Nov 1994 08:49:37 GMT", 999, "06/Nov/1994:08:49:37 +0000", "1994-11-06T08:49:37.999Z"),
            (b"Fri, 31 Dec 2100 23:59:59 GMT", 120, "31/Dec/2100:23:59:59 +0000", "2100-12-31T23:59:59.120Z"),
            (b"Sat, 01 Jan 2028 00:00:00 GMT", 0, "01/Jan/2028:00:00:00 +0000", "2028-01-01T00:00:00.000Z"),
        ] {
            let [in_combined, in_json] = [Format::Combined, Format::Json].map(|format| {
                let mut stamp = Stamp::new(format);
                stamp.set_date(date);
                stamp.set_milliseconds(milliseconds);
                stamp
            });
            assert_eq!(String::from_utf8_lossy(in_combined.combined()), format!(" - - [{combined}] \""));
            assert_eq!(String::from_utf8_lossy(in_json.json()), format!("{{\"time\":\"{json}\",\"client\":\""));
        }
    }
}
