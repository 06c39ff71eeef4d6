//! Which representation of `/` a client gets, and the User-Agents that this hangs on.

use super::Inquiry;
use crate::http::media::{self, Media};

/// The representation of `/`: of the rules below, the first that applies.
pub fn representation(inquiry: &Inquiry<'_>) -> Media {
    let request = inquiry.request;
    let named = || request.target.query.and_then(format).or_else(|| accepted(inquiry));
    let is_text = || match (request.user_agent(), request.accept()) {
        // The tools that print what they get, by name.
        (Some(agent), _) if is_tool(agent) => true,
        // A script in a page.
        _ if request.values(b"sec-fetch-dest").next() == Some(b"empty") => true,
        // Some other program that knows what it takes, and it is none of the three.
        (agent, Some(_)) => !agent.is_some_and(|agent| agent.starts_with(b"Mozilla/")),
        // wrk as it is typed, nc, monitors; browsers always send both.
        (None, None) => true,
        (Some(_), None) => false,
    };
    named().unwrap_or_else(|| if is_text() { Media::Text } else { Media::Html })
}

/// What Accept names, by weight; `None` where it names none of the three.
#[inline]
pub fn accepted(inquiry: &Inquiry<'_>) -> Option<Media> {
    match inquiry.request.accept()? {
        // What nearly every tool sends.
        b"*/*" if !inquiry.request.is_accept_repeated() => None,
        line => preferred(inquiry, line),
    }
}

#[inline(never)]
fn preferred(inquiry: &Inquiry<'_>, line: &[u8]) -> Option<Media> {
    match inquiry.request.is_accept_repeated() {
        false => media::preferred([line].into_iter()),
        true => media::preferred(inquiry.request.values(b"accept")),
    }
}

/// `?format=`, the first that there is.
fn format(query: &[u8]) -> Option<Media> {
    let value = query.split(|&byte| byte == b'&').find_map(|pair| pair.strip_prefix(b"format="))?;
    match value {
        b"text" => Some(Media::Text),
        b"json" => Some(Media::Json),
        b"html" => Some(Media::Html),
        _ => None,
    }
}

/// Names by which tools are known: SwagIP's four, then those that came since.
const TOOLS: [&[u8]; 18] = [
    b"curl",
    b"Wget",
    b"fetch",
    b"WindowsPowerShell",
    b"PowerShell/",
    b"HTTPie",
    b"httpie-go",
    b"xh/",
    b"aria2",
    b"Go-http-client",
    b"ddclient",
    b"Mikrotik",
    b"OpenBSD ftp",
    b"libwww-perl",
    b"lwp-request",
    b"python-requests",
    b"Python-urllib",
    b"python-httpx",
];

/// The first bytes of [`TOOLS`], so that one look at each byte of a User-Agent finds where a name may begin.
const TOOL_STARTS: [bool; 256] = {
    let mut table = [false; 256];
    let mut index = 0;
    while index < TOOLS.len() {
        table[TOOLS[index][0] as usize] = true;
        index += 1;
    }
    table
};

fn is_tool(agent: &[u8]) -> bool {
    let may_begin = |&(_, &byte): &(usize, &u8)| TOOL_STARTS[usize::from(byte)];
    agent.iter().enumerate().filter(may_begin).any(|(start, _)| begins_tool(&agent[start..]))
}

#[inline(never)]
fn begins_tool(agent: &[u8]) -> bool {
    TOOLS.iter().any(|tool| agent.starts_with(tool))
}

/// Whether the User-Agent is one of PowerShell's.
#[inline]
pub fn is_powershell(agent: &[u8]) -> bool {
    // Few other names are as long and have its first letter.
    agent.len() >= b"PowerShell/".len() && has_powershell(agent)
}

#[inline(never)]
fn has_powershell(agent: &[u8]) -> bool {
    memchr::memchr_iter(b'P', agent).any(|start| begins_powershell(agent, start))
}

fn begins_powershell(agent: &[u8], start: usize) -> bool {
    let rest = &agent[start..];
    rest.starts_with(b"PowerShell/") || (rest.starts_with(b"PowerShell") && agent[..start].ends_with(b"Windows"))
}
