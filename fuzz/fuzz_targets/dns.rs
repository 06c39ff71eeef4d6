//! A DNS reply is what a naive reader makes of it, and a name in it that is text can stand in any answer.
//!
//! The first byte says what was asked, and whether the rest is the whole message or what follows the question, with the header's flags and
//! its count of answers before that.
#![no_main]

#[path = "../oracles/dns.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use std::net::Ipv4Addr;
use swagip::dns::{Kind, NAME_MAX, Name, Question, query, read};

const ID: u16 = 0x1234;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let kind = [Kind::Ptr, Kind::A, Kind::Aaaa, Kind::Ptr][usize::from(first & 3)];
    let question = Question { name: Name::of_address(Ipv4Addr::new(203, 0, 113, 9).into()), kind };
    let message = match rest {
        [high, low, count, rest @ ..] if first & 4 == 0 => {
            let mut message = query(ID, &question);
            message[2..4].copy_from_slice(&[high | 0x80, *low]);
            message[7] = *count;
            message.extend_from_slice(rest);
            message
        }
        _ => rest.to_vec(),
    };
    let found = read(&message, ID, &question);
    for text in found.iter().flat_map(|records| &records.names).filter_map(Name::text) {
        assert!(text.len() <= NAME_MAX - 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    }
    let wire = |labels: &Vec<Vec<u8>>| {
        let labels = labels.iter().map(|label| [&[label.len() as u8], label.as_slice()].concat());
        labels.chain([vec![0]]).collect::<Vec<_>>().concat()
    };
    let expected = oracle::read(&message, ID, &question);
    let expected = expected.map(|(names, addresses)| (names.iter().map(wire).collect::<Vec<_>>(), addresses));
    let found = found.map(|records| (records.names.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>(), records.addresses));
    assert_eq!(found, expected);
});
