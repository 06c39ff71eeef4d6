//! stand-in
use super::Inquiry;
/// stand-in
pub fn text(_: &Inquiry<'_>, _: &mut Vec<u8>) {}
/// stand-in
pub fn json(_: &Inquiry<'_>, _: &mut Vec<u8>) {}
