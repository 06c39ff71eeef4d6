//! Embedded files, with a validator computed from their bytes.

use super::{Context, ResponseHead};
use crate::http::field;

/// An embedded file.
pub struct File {
    bytes: &'static [u8],
    /// `ETag: "0123456789abcdef"`
    etag: [u8; 24],
}

/// `/favicon.ico`
pub static ICON: File = File::new(include_bytes!("../../assets/favicon.ico"));
/// `/favicon.svg`
pub static ICON_SVG: File = File::new(include_bytes!("../../assets/favicon.svg"));
/// `/robots.txt`
pub static ROBOTS: File = File::new(include_bytes!("../../assets/robots.txt"));
/// `/openapi.json`
pub static OPENAPI: File = File::new(include_bytes!("../../assets/openapi.json"));

impl File {
    /// The validator is a 64-bit FNV-1a hash of the content: it need only differ between releases.
    const fn new(bytes: &'static [u8]) -> File {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut index = 0;
        while index < bytes.len() {
            hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            index += 1;
        }
        let mut etag = *b"ETag: \"0123456789abcdef\"";
        let mut digit = 0;
        while digit < 16 {
            etag[7 + digit] = b"0123456789abcdef"[(hash >> (60 - 4 * digit) & 15) as usize];
            digit += 1;
        }
        File { bytes, etag }
    }

    /// The field line of the validator.
    pub const fn etag_line(&'static self) -> &'static str {
        match std::str::from_utf8(&self.etag) {
            Ok(line) => line,
            Err(_) => "",
        }
    }

    fn answer(&self, context: &Context<'_>, whole: ResponseHead, same: ResponseHead, content: &mut Vec<u8>) -> ResponseHead {
        // RFC 9110 §13.1.2: the comparison is weak, and `*` matches any.
        let (_, validator) = self.etag.split_at("ETag: ".len());
        let is_same = |tag: &[u8]| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == validator;
        if field::values(context.request.fields, b"if-none-match").flat_map(field::elements).any(is_same) {
            return same;
        }
        content.extend_from_slice(self.bytes);
        whole
    }
}

/// `/favicon.ico`
pub fn icon(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    ICON.answer(context, ResponseHead::Icon, ResponseHead::IconNotModified, content)
}

/// `/favicon.svg`
pub fn icon_svg(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    ICON_SVG.answer(context, ResponseHead::IconSvg, ResponseHead::IconSvgNotModified, content)
}

/// `/robots.txt`
pub fn robots(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    ROBOTS.answer(context, ResponseHead::Robots, ResponseHead::RobotsNotModified, content)
}

/// `/openapi.json`
pub fn openapi(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    OPENAPI.answer(context, ResponseHead::OpenApi, ResponseHead::OpenApiNotModified, content)
}
