//! stand-in
use super::Inquiry;
/// stand-in
pub const SECURITY_POLICY: &str = "Content-Security-Policy: default-src 'none'";
/// stand-in
pub fn render(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) {
    let _ = inquiry;
    content.extend_from_slice(b"<!doctype html><title>SwagIP</title><h1>SwagIP</h1>\n");
}
