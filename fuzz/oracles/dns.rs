//! A DNS reply (RFC 1035 §4), read naively: recursively, and into lists of labels.

use std::net::IpAddr;
use swagip::dns::Question;

type Labels = Vec<Vec<u8>>;

/// The names and the addresses that a message says of what was asked; `None` where it is not the reply to that.
pub fn read(message: &[u8], id: u16, question: &Question) -> Option<(Vec<Labels>, Vec<IpAddr>)> {
    let kind = question.kind as u16;
    let (asked, rest) = name(message, 12)?;
    let is_asked = same(&asked, &name(question.name.as_bytes(), 0)?.0) && word(message, rest)? == kind && word(message, rest + 2)? == 1;
    let flags = word(message, 2)?;
    // QR set, opcode 0.
    if word(message, 0)? != id || flags >> 11 != 0b10000 || word(message, 4)? != 1 || !is_asked {
        return None;
    }
    // TC clear, RCODE 0.
    let records = if flags & 0x020f == 0 { records(message, rest + 4) } else { None };
    Some(answers(&records.unwrap_or_default(), &asked, kind, 8))
}

/// Owner, type, class, and the data: a name or an address, where it is of a kind that has one.
type Record = (Labels, u16, u16, Option<Result<Labels, IpAddr>>);

fn records(message: &[u8], mut at: usize) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    for _ in 0..word(message, 6)? {
        let (owner, rest) = name(message, at)?;
        let (kind, class, start) = (word(message, rest)?, word(message, rest + 2)?, rest + 10);
        at = start + word(message, rest + 8)? as usize;
        let bytes = message.get(start..at)?;
        let data = match (class, kind) {
            (1, 1) => Some(Err(IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?))),
            (1, 28) => Some(Err(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?))),
            (1, 5 | 12) => Some(Ok(name(message, start).filter(|(_, end)| *end == at)?.0)),
            _ => None,
        };
        records.push((owner, kind, class, data));
    }
    Some(records)
}

fn answers(records: &[Record], owner: &Labels, kind: u16, cnames: usize) -> (Vec<Labels>, Vec<IpAddr>) {
    let of = |wanted: u16| {
        let is_wanted = move |record: &&Record| same(&record.0, owner) && record.1 == wanted && record.2 == 1;
        records.iter().filter(is_wanted).filter_map(|record| record.3.clone())
    };
    let names = of(kind).filter_map(Result::ok).collect::<Vec<_>>();
    let addresses = of(kind).filter_map(Result::err).collect::<Vec<_>>();
    match of(5).last() {
        Some(Ok(target)) if names.is_empty() && addresses.is_empty() && cnames > 0 => answers(records, &target, kind, cnames - 1),
        _ => (names, addresses),
    }
}

/// The labels of a name, and where what follows it begins.
fn name(message: &[u8], at: usize) -> Option<(Labels, usize)> {
    let (labels, end) = part(message, at, at)?;
    let length = labels.iter().map(|label| 1 + label.len()).sum::<usize>() + 1;
    (length <= 255).then_some((labels, end))
}

/// The same from the middle of a name on. `bound`: where its pointers must lead before.
fn part(message: &[u8], at: usize, bound: usize) -> Option<(Labels, usize)> {
    let length = usize::from(*message.get(at)?);
    match length {
        0 => Some((Vec::new(), at + 1)),
        1..64 => {
            let label = message.get(at + 1..at + 1 + length)?.to_vec();
            let (mut labels, end) = part(message, at + 1 + length, bound)?;
            labels.insert(0, label);
            Some((labels, end))
        }
        _ => {
            let target = usize::from(word(message, at)?.checked_sub(0xc000)?);
            let (labels, _) = (target < bound).then(|| part(message, target, target))??;
            Some((labels, at + 2))
        }
    }
}

fn same(one: &Labels, other: &Labels) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

fn word(message: &[u8], at: usize) -> Option<u16> {
    message.get(at..at + 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
}
