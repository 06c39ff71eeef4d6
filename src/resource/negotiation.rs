//! Which representation of `/` a client gets: browsers the page, clients that ask for it JSON, all others text.

use super::Context;
use crate::http::Request;
use crate::http::media::{self, MediaType};

/// The representation of `/`, by the first of these rules that applies:
///
/// 1. `?format=` names one.
/// 2. `text/html` in the Accept of some programs is ignored, because it says nothing about what their users want.
/// 3. Accept names one.
/// 4. A browser that sends no Accept gets the page.
/// 5. Everyone else gets text.
#[inline(always)] // 7 instructions a request.
pub fn representation(context: &Context<'_>) -> MediaType {
    let request = context.request;
    if let Some(media) = format(request).or_else(|| accepted(context)) {
        return media;
    }
    if request.accept().is_none() && request.user_agent().is_some_and(is_browser) { MediaType::Html } else { MediaType::Text }
}

/// The media type that Accept prefers; `None` if it names none of the three.
pub fn accepted(context: &Context<'_>) -> Option<MediaType> {
    match context.request.accept()? {
        // What nearly every tool sends.
        b"*/*" if !context.request.is_accept_repeated() => None,
        line => preferred(context.request, line),
    }
}

#[inline(never)] // With the other two here, 45 instructions a request: the usual one needs none of them.
fn preferred(request: &Request<'_, '_>, line: &[u8]) -> Option<MediaType> {
    let offered: &[MediaType] =
        if request.user_agent().is_some_and(always_accepts_html) { &MediaType::DATA } else { &MediaType::ALL };
    match request.is_accept_repeated() {
        false => media::preferred([line].into_iter(), offered),
        true => media::preferred(request.values(b"accept"), offered),
    }
}

/// User-Agents of programs whose default Accept begins with `text/html`, whatever their users want: GNU Wget2, which is `wget` on Fedora,
/// and Java's URLConnection.
const ALWAYS_ACCEPT_HTML: [&[u8]; 3] = [b"Wget/2", b"wget2/", b"Java/"];

fn always_accepts_html(agent: &[u8]) -> bool {
    ALWAYS_ACCEPT_HTML.iter().any(|prefix| agent.starts_with(prefix))
}

/// Chromium, Firefox and Safari always send Accept; this is for other browsers.
fn is_browser(agent: &[u8]) -> bool {
    agent.starts_with(b"Mozilla/") && !is_powershell(agent)
}

/// What the first `format=` of the query names, in any case.
fn format(request: &Request<'_, '_>) -> Option<MediaType> {
    request.target.query.and_then(|_| named_format(request))
}

#[inline(never)] // See `preferred`.
fn named_format(request: &Request<'_, '_>) -> Option<MediaType> {
    let value = request.target.parameter(b"format")?;
    let named = [(&b"text"[..], MediaType::Text), (b"json", MediaType::Json), (b"html", MediaType::Html)];
    named.iter().find(|(name, _)| value.eq_ignore_ascii_case(name)).map(|&(_, media)| media)
}

/// Whether the User-Agent is one of PowerShell's.
pub fn is_powershell(agent: &[u8]) -> bool {
    // Few other names are as long and contain a P.
    agent.len() >= b"PowerShell/".len() && has_powershell(agent)
}

#[inline(never)] // See `preferred`.
fn has_powershell(agent: &[u8]) -> bool {
    memchr::memchr_iter(b'P', agent).any(|start| begins_powershell(agent, start))
}

fn begins_powershell(agent: &[u8], start: usize) -> bool {
    let rest = &agent[start..];
    rest.starts_with(b"PowerShell/") || (rest.starts_with(b"PowerShell") && agent[..start].ends_with(b"Windows"))
}
