//! Messages: a question as it is sent, and what a reply to it says.

use super::name::{NAME_MAX, Name};
use super::{Kind, Question};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const HEADER: usize = 12;

/// The most bytes of a question as it is sent.
pub const QUERY_MAX: usize = HEADER + NAME_MAX + 4;

/// The most bytes of a UDP message without EDNS (RFC 1035 §4.2.1). A name needs no more.
pub const REPLY_MAX: usize = 512;

/// The most CNAMEs that are followed; resolvers follow about as many.
const CNAMES_MAX: usize = 8;

const CLASS_IN: u16 = 1;

// The header's second word (RFC 1035 §4.1.1).
const IS_REPLY: u16 = 1 << 15;
const OPCODE: u16 = 15 << 11;
const IS_TRUNCATED: u16 = 1 << 9;
const RECURSION_DESIRED: u16 = 1 << 8;
const RESPONSE_CODE: u16 = 15;

/// What a reply says of the name asked for, in the reply's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Its PTR records.
    pub names: Vec<Name>,
    /// Its A or AAAA records.
    pub addresses: Vec<IpAddr>,
}

/// Writes a question for a resolver.
pub fn query(id: u16, question: &Question) -> Vec<u8> {
    let mut message = Vec::with_capacity(QUERY_MAX);
    for word in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
        message.extend_from_slice(&word.to_be_bytes());
    }
    message.extend_from_slice(question.name.as_bytes());
    message.extend_from_slice(&(question.kind as u16).to_be_bytes());
    message.extend_from_slice(&CLASS_IN.to_be_bytes());
    message
}

/// Reads a message that should be the reply to a question. `None` if it is not: someone else's, late, or forged. The records are empty if
/// the reply is an error, truncated or malformed, or its CNAMEs are too many or lead nowhere.
pub fn read(message: &[u8], id: u16, question: &Question) -> Option<Records> {
    let (found_id, flags, questions, answers) = (word(message, 0)?, word(message, 2)?, word(message, 4)?, word(message, 6)?);
    if found_id != id || flags & (IS_REPLY | OPCODE) != IS_REPLY || questions != 1 {
        return None;
    }
    let (name, after) = Name::read(message, HEADER)?;
    let (kind, class) = (word(message, after)?, word(message, after + 2)?);
    if name != question.name || kind != question.kind as u16 || class != CLASS_IN {
        return None;
    }
    if flags & (IS_TRUNCATED | RESPONSE_CODE) != 0 {
        return Some(Records::default());
    }
    Some(answer(message, after + 4, answers).map(|records| follow(&records, question)).unwrap_or_default())
}

/// A record of the section of answers.
struct Record {
    owner: Name,
    kind: u16,
    data: Data,
}

enum Data {
    Name(Name),
    Address(IpAddr),
    /// Of a kind or a class that was not asked for.
    Other,
}

/// The records of the section of answers, which begins at `at`; `None` where one of them is malformed.
fn answer(message: &[u8], mut at: usize, count: u16) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    for _ in 0..count {
        let (owner, after) = Name::read(message, at)?;
        let [kind, class] = [word(message, after)?, word(message, after + 2)?];
        // After the time to live.
        let start = after + 10;
        at = start + usize::from(word(message, after + 8)?);
        let bytes = message.get(start..at)?;
        let data = if class == CLASS_IN { data(message, start, kind, bytes)? } else { Data::Other };
        records.push(Record { owner, kind, data });
    }
    Some(records)
}

/// What a record says; `None` where it is malformed. `bytes`: what the message has from `start` on.
fn data(message: &[u8], start: usize, kind: u16, bytes: &[u8]) -> Option<Data> {
    const A: u16 = Kind::A as u16;
    const CNAME: u16 = Kind::Cname as u16;
    const PTR: u16 = Kind::Ptr as u16;
    const AAAA: u16 = Kind::Aaaa as u16;
    Some(match kind {
        A => Data::Address(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        AAAA => Data::Address(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
        CNAME | PTR => Data::Name(Name::read(message, start).filter(|(_, end)| *end == start + bytes.len())?.0),
        _ => Data::Other,
    })
}

/// The records of the type asked for, under the name asked for or the one that its CNAMEs lead to: the holder of part of a /24 has its PTR
/// records under names of its own (RFC 2317).
fn follow(records: &[Record], question: &Question) -> Records {
    let mut name = &question.name;
    for _ in 0..=CNAMES_MAX {
        let mut found = Records::default();
        let mut alias = None;
        for record in records.iter().filter(|record| record.owner == *name) {
            match &record.data {
                Data::Name(target) if record.kind == question.kind as u16 => found.names.push(target.clone()),
                Data::Address(address) if record.kind == question.kind as u16 => found.addresses.push(*address),
                Data::Name(target) if record.kind == Kind::Cname as u16 => alias = Some(target),
                _ => {}
            }
        }
        match alias {
            Some(target) if found == Records::default() => name = target,
            _ => return found,
        }
    }
    Records::default()
}

fn word(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
