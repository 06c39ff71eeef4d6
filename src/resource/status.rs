//! How this server is, and which one it is.

use super::{Inquiry, ResponseHead};

/// `/health`, `/healthz`, `/livez`: the process lives.
pub fn health(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> ResponseHead {
    content.extend_from_slice(b"ok");
    inquiry.end_text(content);
    ResponseHead::OpenText
}

/// `/ready`: 404 while draining, which is what HAProxy's `http-check disable-on-404` goes by.
pub fn ready(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> ResponseHead {
    readiness(inquiry, ResponseHead::OpenNotFound, content)
}

/// `/readyz`: 503 while draining, which is everybody else's convention.
pub fn readyz(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> ResponseHead {
    readiness(inquiry, ResponseHead::OpenUnavailable, content)
}

fn readiness(inquiry: &Inquiry<'_>, draining: ResponseHead, content: &mut Vec<u8>) -> ResponseHead {
    content.extend_from_slice(if inquiry.draining { b"draining" } else { b"ready" });
    inquiry.end_text(content);
    if inquiry.draining { draining } else { ResponseHead::OpenText }
}

/// `/replica`: the id of the one that answers.
pub fn replica(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> ResponseHead {
    let Some(id) = &inquiry.site.served_by else { return ResponseHead::NotFound };
    content.extend_from_slice(id.as_bytes());
    inquiry.end_text(content);
    ResponseHead::Text
}
