//! Liveness, readiness, and which replica this is.

use super::{Context, ResponseHead};

/// `/health`, `/healthz`, `/livez`: the process lives.
pub fn health(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    content.extend_from_slice(b"ok");
    context.end_text(content);
    ResponseHead::OpenText
}

/// `/ready`: 404 while draining, which HAProxy's `http-check disable-on-404` understands.
pub fn ready(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    readiness(context, ResponseHead::OpenNotFound, content)
}

/// `/readyz`: 503 while draining, as everybody else expects.
pub fn readyz(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    readiness(context, ResponseHead::OpenUnavailable, content)
}

fn readiness(context: &Context<'_>, draining: ResponseHead, content: &mut Vec<u8>) -> ResponseHead {
    content.extend_from_slice(if context.draining { b"draining" } else { b"ready" });
    context.end_text(content);
    if context.draining { draining } else { ResponseHead::OpenText }
}

/// `/replica`: the id of this replica.
pub fn replica(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    let Some(id) = &context.site.served_by else { return ResponseHead::NotFound };
    content.extend_from_slice(id.as_bytes());
    context.end_text(content);
    ResponseHead::Text
}
