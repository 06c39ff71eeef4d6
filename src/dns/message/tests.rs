use super::*;

const ID: u16 = 0x1234;

fn name(text: &str) -> Name {
    let mut bytes = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    Name::read(&bytes, 0).unwrap().0
}

fn question(text: &str, kind: Kind) -> Question {
    Question { name: name(text), kind }
}

/// The reply to a question with these records, each with its owner, its kind and its data, and this in place of the usual flags.
fn reply(question: &Question, flags: u16, records: &[(&str, Kind, Vec<u8>)]) -> Vec<u8> {
    let mut message = query(ID, question);
    message[2..4].copy_from_slice(&(IS_REPLY | flags).to_be_bytes());
    message[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    for (owner, kind, data) in records {
        message.extend_from_slice(name(owner).as_bytes());
        message.extend_from_slice(&(*kind as u16).to_be_bytes());
        message.extend_from_slice(&[0, 1, 0, 0, 0, 9]);
        message.extend_from_slice(&(data.len() as u16).to_be_bytes());
        message.extend_from_slice(data);
    }
    message
}

fn wire(text: &str) -> Vec<u8> {
    name(text).as_bytes().to_vec()
}

fn names(records: Option<Records>) -> Option<Vec<String>> {
    records.map(|records| records.names.iter().map(|name| name.text().unwrap()).collect())
}

#[test]
fn a_question_is_as_rfc_1035_has_it() {
    let expected = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x0c\x00\x01";
    assert_eq!(query(ID, &question("a.example", Kind::Ptr)), expected);
    let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
    assert_eq!(query(ID, &question(&longest, Kind::A)).len(), QUERY_MAX);
}

#[test]
fn what_is_the_reply_to_a_question() {
    let asked = question("9.113.0.203.in-addr.arpa", Kind::Ptr);
    let right = reply(&asked, 0, &[("9.113.0.203.in-addr.arpa", Kind::Ptr, wire("a.example"))]);
    assert_eq!(names(read(&right, ID, &asked)), Some(vec!["a.example".to_owned()]));
    assert_eq!(read(&right, ID + 1, &asked), None, "its id");
    for (other, what) in [
        (question("8.113.0.203.in-addr.arpa", Kind::Ptr), "its name"),
        (question("9.113.0.203.in-addr.arpa", Kind::A), "its kind"),
    ] {
        assert_eq!(read(&right, ID, &other), None, "{what}");
    }
    let mut upper = right.clone();
    upper.make_ascii_uppercase();
    assert_eq!(names(read(&upper, ID, &asked)), Some(vec!["A.EXAMPLE".to_owned()]), "names have no case");
    // The place of a byte, and what stands there in its stead.
    for (place, byte, what) in [
        (2, 0x01, "a question"),
        (2, 0x89, "another opcode"),
        (5, 0, "no question"),
        (5, 2, "two questions"),
        (HEADER + asked.name.as_bytes().len() + 3, 3, "class CHAOS"),
    ] {
        let mut wrong = right.clone();
        wrong[place] = byte;
        assert_eq!(read(&wrong, ID, &asked), None, "{what}");
    }
}

#[test]
fn what_answers_nothing() {
    let asked = question("a.example", Kind::A);
    let records = &[("a.example", Kind::A, vec![192, 0, 2, 1])][..];
    assert_eq!(read(&reply(&asked, 0, records), ID, &asked).unwrap().addresses, [IpAddr::from([192, 0, 2, 1])]);
    for (flags, what) in [(IS_TRUNCATED, "truncated"), (1, "FORMERR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED")] {
        assert_eq!(read(&reply(&asked, flags, records), ID, &asked), Some(Records::default()), "{what}");
    }
    for (records, what) in [
        (vec![], "no records"),
        (vec![("b.example", Kind::A, vec![192, 0, 2, 1])], "another name's"),
        (vec![("a.example", Kind::Aaaa, vec![0; 16])], "another kind"),
        (vec![("a.example", Kind::A, vec![192, 0, 2])], "too short"),
        (vec![("a.example", Kind::A, vec![192, 0, 2, 1]), ("b.example", Kind::Ptr, vec![1])], "malformed elsewhere"),
        (vec![("a.example", Kind::A, vec![192, 0, 2, 1]), ("b.example", Kind::Ptr, vec![0, 0])], "bytes after a name"),
    ] {
        assert_eq!(read(&reply(&asked, 0, &records), ID, &asked), Some(Records::default()), "{what}");
    }
    let whole = reply(&asked, 0, records);
    let head = query(ID, &asked).len();
    for length in head..whole.len() {
        assert_eq!(read(&whole[..length], ID, &asked), Some(Records::default()), "cut after {length} bytes");
    }
    assert!((0..head).all(|length| read(&whole[..length], ID, &asked).is_none()));
}

#[test]
fn cnames_are_followed_and_loops_are_not() {
    let asked = question("9.113.0.203.in-addr.arpa", Kind::Ptr);
    let delegated = [
        ("9.113.0.203.in-addr.arpa", Kind::Cname, wire("9.0-15.113.0.203.in-addr.arpa")),
        ("9.0-15.113.0.203.in-addr.arpa", Kind::Ptr, wire("a.example")),
        ("9.0-15.113.0.203.in-addr.arpa", Kind::Ptr, wire("b.example")),
    ];
    assert_eq!(
        names(read(&reply(&asked, 0, &delegated), ID, &asked)),
        Some(vec!["a.example".to_owned(), "b.example".to_owned()])
    );
    let mut backwards = delegated.to_vec();
    backwards.reverse();
    assert_eq!(read(&reply(&asked, 0, &backwards), ID, &asked).unwrap().names.len(), 2, "in any order");
    let alone = read(&reply(&asked, 0, &delegated[..1]), ID, &asked);
    assert_eq!(alone, Some(Records::default()), "a CNAME that leads nowhere");

    let asked = question("0.example", Kind::A);
    let chain = |length: usize, last: &str| -> Vec<u8> {
        let owners: Vec<String> = (0..length).map(|index| format!("{index}.example")).collect();
        let target = |index: usize| if index + 1 < length { format!("{}.example", index + 1) } else { last.to_owned() };
        let mut records: Vec<_> =
            owners.iter().enumerate().map(|(index, owner)| (owner.as_str(), Kind::Cname, wire(&target(index)))).collect();
        records.push(("end.example", Kind::A, vec![192, 0, 2, 1]));
        reply(&asked, 0, &records)
    };
    assert_eq!(read(&chain(CNAMES_MAX, "end.example"), ID, &asked).unwrap().addresses.len(), 1);
    assert_eq!(read(&chain(CNAMES_MAX + 1, "end.example"), ID, &asked), Some(Records::default()));
    for (length, last) in [(1, "0.example"), (2, "0.example"), (3, "1.example")] {
        assert_eq!(read(&chain(length, last), ID, &asked), Some(Records::default()), "{length} {last}");
    }
}
