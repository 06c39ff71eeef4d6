//! Resources that must ask elsewhere before they can answer: what the client's address is called, and whether it can be reached.
//!
//! They give a [`Lookup`] in place of a head, and are asked for the answer when the reply has come.

use super::negotiation::accepted;
use super::{Context, ResponseHead, address, json};
use crate::http::media::MediaType;
use crate::http::response::decimal;
use crate::http::target::decoded;
use std::net::IpAddr;

/// What a resource answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This, and the content that it has appended.
    Now(ResponseHead),
    /// Nothing before there is a reply. Boxed, so that answers at once stay small: 10 instructions.
    Later(Box<Lookup>),
}

impl From<ResponseHead> for Answer {
    fn from(head: ResponseHead) -> Answer {
        Answer::Now(head)
    }
}

/// A question, and what its answer is to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// What is to be found out.
    pub question: Question,
    is_json: bool,
    ends_in_line_feed: bool,
}

/// What is to be found out, always of the client's own address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What the address is called.
    Hostname(IpAddr),
    /// Whether a connection to this port of it can be made.
    Port(IpAddr, u16),
}

impl Question {
    /// The client's address.
    pub fn address(&self) -> IpAddr {
        match *self {
            Question::Hostname(address) | Question::Port(address, _) => address,
        }
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The name of an address, as text: no bytes but letters, digits, `-`, `_` and `.`.
    Hostname {
        /// Without the dot at its end.
        name: String,
        /// The name leads back to the address. Whoever owns an address may call it anything.
        is_confirmed: bool,
    },
    /// Whether a connection was made.
    Port {
        /// It was.
        is_open: bool,
    },
    /// This machine has no way to the address, so its port was not tried.
    NoRoute,
    /// There is no such thing.
    Unknown,
    /// Nothing came in time: answered as what is not known, or not open.
    TimedOut,
    /// Too much is being asked already.
    Busy,
}

/// Of which addresses names are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReverseDns {
    /// None.
    #[default]
    Off,
    /// Public ones: what is private means nothing to a public resolver, which would learn of it.
    Public,
    /// All, because the resolver is the operator's own.
    All,
}

/// `/hostname`: the name of the client's address, confirmed.
pub fn hostname(context: &Context<'_>, content: &mut Vec<u8>) -> Answer {
    let Some(ip) = context.client.address else {
        if accepted(context) != Some(MediaType::Json) {
            return ResponseHead::NegotiatedUnknown.into();
        }
        content.extend_from_slice(b"{\n  \"ip\": null,\n  \"confirmed\": false\n}\n");
        return ResponseHead::NegotiatedUnknownJson.into();
    };
    let is_asked = context.site.reverse_dns == ReverseDns::All || address::kind(ip).is_none();
    let lookup = Lookup::new(Question::Hostname(ip), context);
    if is_asked { Answer::Later(lookup.into()) } else { lookup.answer(&Reply::Unknown, content).into() }
}

/// A port, 1 to 65535, in digits that may be percent-encoded.
fn port_number(segment: &[u8]) -> Option<u16> {
    let add = |number: u16, byte: u8| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u16::from(byte - b'0')),
        _ => None,
    };
    decoded(segment).try_fold(0, add).filter(|&port| port > 0)
}

/// `/port/N`: whether that port of the client's address can be reached from here.
pub fn port(context: &Context<'_>, segment: &[u8], content: &mut Vec<u8>) -> Answer {
    let mut refuse = |head, sentence| context.sentence(head, sentence, content).into();
    let Some(port) = port_number(segment) else {
        return refuse(ResponseHead::BadRequest, "a port is a number from 1 to 65535");
    };
    let Some(ip) = context.client.address else {
        return refuse(ResponseHead::Forbidden, "your address is not known, so its ports are not tested");
    };
    // Else it would make connections inside the operator's own network for anybody who asks.
    if !address::is_global(ip) {
        return refuse(ResponseHead::Forbidden, "only ports of public addresses are tested, and yours is not public");
    }
    if context.rule.trusts(ip) {
        return refuse(
            ResponseHead::Forbidden,
            "your address is one of the proxies in front of this server, whose ports are not tested",
        );
    }
    Answer::Later(Lookup::new(Question::Port(ip, port), context).into())
}

impl Lookup {
    fn new(question: Question, context: &Context<'_>) -> Lookup {
        let is_json = accepted(context) == Some(MediaType::Json);
        Lookup { question, is_json, ends_in_line_feed: context.ends_in_line_feed() }
    }

    /// Appends the content of the answer, and names its head.
    pub fn answer(&self, reply: &Reply, content: &mut Vec<u8>) -> ResponseHead {
        match (reply, self.question) {
            (Reply::Busy, _) => self.text(content, "too many look-ups at once: try again", ResponseHead::Busy),
            // Not 503: to try again is of no use.
            (Reply::NoRoute, _) => {
                self.text(content, "not known: this server has no route to your address", ResponseHead::NegotiatedUnknown)
            }
            (Reply::Port { is_open }, Question::Port(ip, port)) => self.reachable(ip, port, *is_open, content),
            (_, Question::Port(ip, port)) => self.reachable(ip, port, false, content),
            (reply, Question::Hostname(ip)) => self.name(ip, reply, content),
        }
    }

    fn name(&self, ip: IpAddr, reply: &Reply, content: &mut Vec<u8>) -> ResponseHead {
        let (name, is_confirmed) = match reply {
            Reply::Hostname { name, is_confirmed } => (Some(name), *is_confirmed),
            _ => (None, false),
        };
        if self.is_json {
            open(ip, content);
            if let Some(name) = name {
                content.extend_from_slice(b",\n  \"hostname\": ");
                json::string(content, name.as_bytes());
            }
            content.extend_from_slice(b",\n  \"confirmed\": ");
            close(is_confirmed, content);
            return if name.is_some() { ResponseHead::NegotiatedJson } else { ResponseHead::NegotiatedUnknownJson };
        }
        match name.filter(|_| is_confirmed) {
            Some(name) => self.text(content, name, ResponseHead::NegotiatedText),
            None => ResponseHead::NegotiatedUnknown,
        }
    }

    fn reachable(&self, ip: IpAddr, port: u16, is_open: bool, content: &mut Vec<u8>) -> ResponseHead {
        if !self.is_json {
            return self.text(content, if is_open { "open" } else { "closed" }, ResponseHead::NegotiatedText);
        }
        open(ip, content);
        content.extend_from_slice(b",\n  \"port\": ");
        decimal(content, port.into());
        content.extend_from_slice(b",\n  \"reachable\": ");
        close(is_open, content);
        ResponseHead::NegotiatedJson
    }

    fn text(&self, content: &mut Vec<u8>, text: &str, head: ResponseHead) -> ResponseHead {
        content.extend_from_slice(text.as_bytes());
        content.extend_from_slice(if self.ends_in_line_feed { b"\n" } else { b"" });
        head
    }
}

/// Begins a JSON object.
fn open(ip: IpAddr, content: &mut Vec<u8>) {
    content.extend_from_slice(b"{\n  \"ip\": \"");
    address::write(content, &ip);
    content.push(b'"');
}

/// Ends it with the value of its last key.
fn close(value: bool, content: &mut Vec<u8>) {
    content.extend_from_slice(if value { b"true" } else { b"false" });
    content.extend_from_slice(b"\n}\n");
}
