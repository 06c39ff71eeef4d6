//! Over real sockets, with a resolver of the test's own that lies, and a clock turned by hand.
#![allow(clippy::unwrap_used)]

mod stage;

use crate::net::deadlines::NEVER;
use crate::net::queries::QUERIES_MAX;
use crate::resource::{Question, Reply};
use stage::{Asked, PATIENCE, Stage, name};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const AAAA: u16 = 28;

const CLIENT: [u8; 4] = [203, 0, 113, 9];
const OWN: &str = "9.113.0.203.in-addr.arpa";

/// Makes a reply to what was asked.
type Lie = fn(&Asked) -> Vec<u8>;
type Said<'a> = &'a dyn Fn(&Asked) -> Vec<u8>;

fn named(name: &str, is_confirmed: bool) -> Reply {
    Reply::Hostname { name: name.to_owned(), is_confirmed }
}

#[test]
fn a_name_that_leads_back_is_confirmed() {
    for (address, own, kind, data) in [
        ("203.0.113.9", OWN, A, vec![203, 0, 113, 9]),
        (
            "2001:db8::1",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            AAAA,
            "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec(),
        ),
    ] {
        let mut stage = Stage::new();
        stage.ask(Question::Hostname(address.parse().unwrap()));
        let asked = stage.hear();
        assert_eq!(asked.bytes[2..], [&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &name(own)[..], &[0, 12, 0, 1]].concat());
        stage.say(&asked, &asked.reply(0, &[(own, PTR, name("Host-1.a_b.example"))]));
        let second = stage.next_asked();
        assert_eq!(second.bytes[12..], [&name("Host-1.a_b.example")[..], &[0, kind as u8, 0, 1]].concat());
        assert_ne!(second.from, asked.from, "over a socket of its own");
        // Through a CNAME, and among others.
        let records = [
            ("host-1.a_b.example", CNAME, name("b.example")),
            ("b.example", kind, vec![9; data.len()]),
            ("b.example", kind, data),
        ];
        stage.say(&second, &second.reply(0, &records));
        stage.say(&second, &second.reply(0, &records));
        assert_eq!(stage.reply(), named("Host-1.a_b.example", true));
        assert_eq!((stage.turn(), stage.queries.len()), (None, 0), "it is said once, though it came twice");
    }
}

#[test]
fn what_is_not_the_reply_changes_nothing() {
    let lies: [(&str, Lie); 8] = [
        ("another id", |asked| {
            let mut reply = asked.names(&["liar.example"]);
            reply[1] ^= 1;
            reply
        }),
        ("another name", |asked| {
            let mut reply = asked.names(&["liar.example"]);
            reply[13] ^= 1;
            reply
        }),
        ("another kind", |asked| {
            let mut reply = asked.names(&["liar.example"]);
            reply[asked.bytes.len() - 3] ^= 1;
            reply
        }),
        ("a question", |asked| asked.bytes.clone()),
        ("no question", |asked| [&asked.id()[..], &[0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]].concat()),
        ("nothing", |_| Vec::new()),
        ("too little", |asked| asked.id().to_vec()),
        ("garbage", |asked| [&asked.id()[..], &[0xc0; 300]].concat()),
    ];
    for (what, lie) in lies {
        let mut stage = Stage::new();
        let asked = stage.ask_for_name();
        stage.say(&asked, &lie(&asked));
        stage.say(&asked, &asked.names(&["a.example"]));
        let second = stage.next_asked();
        stage.say(&second, &lie(&second));
        stage.say(&second, &second.reply(0, &[("a.example", A, CLIENT.to_vec())]));
        assert_eq!(stage.reply(), named("a.example", true), "{what}");
    }
}

#[test]
fn nobody_else_can_reply() {
    let mut stage = Stage::new();
    let asked = stage.ask_for_name();
    let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // Its own port refuses it: the kernel knows no such socket.
    let _ = other.send_to(&asked.names(&["liar.example"]), asked.from);
    stage.say(&asked, &asked.names(&["a.example"]));
    let second = stage.next_asked();
    assert_eq!(second.bytes[12..23], name("a.example"));
}

#[test]
fn what_is_not_known() {
    let loops = [(OWN, CNAME, name("a.example")), ("a.example", CNAME, name(OWN))];
    let long = ["a".repeat(63).as_str(); 4].join(".") + "." + &"b".repeat(43);
    assert_eq!(name(&long).len(), 301);
    let rows: [(&str, Said<'_>); 13] = [
        ("NXDOMAIN", &|asked| asked.reply(3, &[])),
        ("SERVFAIL", &|asked| asked.reply(2, &[])),
        ("REFUSED", &|asked| asked.reply(5, &[(OWN, PTR, name("a.example"))])),
        ("no records", &|asked| asked.reply(0, &[])),
        ("truncated", &|asked| asked.reply(0x200, &[(OWN, PTR, name("a.example"))])),
        ("a loop of CNAMEs", &|asked| asked.reply(0, &loops)),
        ("a CNAME alone", &|asked| asked.reply(0, &loops[..1])),
        ("a name of 301 bytes", &|asked| asked.names(&[&long])),
        ("a name with a space", &|asked| asked.names(&["a b.example"])),
        ("a name with a quote", &|asked| asked.names(&["a\".example"])),
        ("a name that ends a line", &|asked| asked.names(&["a\n.example"])),
        ("the root", &|asked| asked.names(&["."])),
        ("a reply that was cut", &|asked| {
            let reply = asked.names(&["a.example"]);
            reply[..reply.len() - 1].to_vec()
        }),
    ];
    for (what, reply) in rows {
        let mut stage = Stage::new();
        let asked = stage.ask_for_name();
        stage.say(&asked, &reply(&asked));
        assert_eq!(stage.reply(), Reply::Unknown, "{what}");
        assert!(stage.hears_nothing(), "{what}");
    }
}

#[test]
fn a_name_that_does_not_lead_back_is_not_confirmed() {
    let loops = [("a.example", CNAME, name("b.example")), ("b.example", CNAME, name("a.example"))];
    let rows: [(&str, Said<'_>); 5] = [
        ("another address", &|asked| asked.reply(0, &[("a.example", A, vec![203, 0, 113, 8])])),
        ("another name's", &|asked| asked.reply(0, &[("b.example", A, CLIENT.to_vec())])),
        ("no such name", &|asked| asked.reply(3, &[])),
        ("truncated", &|asked| asked.reply(0x200, &[("a.example", A, CLIENT.to_vec())])),
        ("a loop", &|asked| asked.reply(0, &loops)),
    ];
    for (what, reply) in rows {
        let mut stage = Stage::new();
        let asked = stage.ask_for_name();
        stage.say(&asked, &asked.names(&["a.example"]));
        let second = stage.next_asked();
        stage.say(&second, &reply(&second));
        assert_eq!(stage.reply(), named("a.example", false), "{what}");
    }
}

#[test]
fn of_several_names_the_first_that_leads_back_counts_and_few_are_tried() {
    let all = ["a b.example", "a.example", "b.example", "c.example", "d.example"];
    for (confirmed, expected) in [("b.example", named("b.example", true)), ("d.example", named("a.example", false))] {
        let mut stage = Stage::new();
        let asked = stage.ask_for_name();
        stage.say(&asked, &asked.names(&all));
        for tried in &all[1..4] {
            let asked = stage.next_asked();
            assert_eq!(asked.bytes[12..23], name(tried));
            let address = if *tried == confirmed { CLIENT } else { [192, 0, 2, 1] };
            stage.say(&asked, &asked.reply(0, &[(tried, A, address.to_vec())]));
            if *tried == confirmed {
                break;
            }
        }
        assert_eq!(stage.reply(), expected);
        assert!(stage.hears_nothing());
    }
}

#[test]
fn what_is_lost_is_asked_again_and_a_late_reply_is_one() {
    let mut stage = Stage::new();
    let first = stage.ask_for_name();
    assert_eq!(stage.queries.due(), stage.now + 1000);
    assert_eq!(stage.after(999), None);
    assert!(stage.hears_nothing());
    assert_eq!(stage.after(1), None);
    let again = stage.hear();
    assert_eq!((&again.bytes, again.from), (&first.bytes, first.from));
    stage.say(&first, &first.names(&["a.example"]));
    let second = stage.next_asked();
    // 2.4 seconds in all: the second question has its two tries no more.
    assert_eq!(stage.after(1000), None);
    assert_eq!(stage.hear().bytes, second.bytes);
    assert_eq!(stage.after(399), None);
    assert_eq!(stage.after(1), Some(named("a.example", false)), "before the worker gives up");
    assert_eq!((stage.queries.len(), stage.turn(), stage.queries.due()), (0, None, NEVER));
}

#[test]
fn a_resolver_that_says_nothing_is_given_up_after_two_tries() {
    let mut stage = Stage::new();
    stage.ask_for_name();
    assert_eq!(stage.after(1000), None);
    stage.hear();
    assert_eq!((stage.after(999), stage.after(1)), (None, Some(Reply::TimedOut)));
    assert!(stage.hears_nothing());
}

#[test]
fn where_no_resolver_is_the_kernel_says_so() {
    let mut stage = Stage::new();
    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    stage.resolver = free;
    stage.ask(Question::Hostname(CLIENT.into()));
    assert_eq!(stage.reply(), Reply::Unknown, "no time has passed");
}

#[test]
fn whoever_guesses_is_not_listened_to_for_long() {
    let mut stage = Stage::new();
    let asked = stage.ask_for_name();
    let mut lie = asked.names(&["liar.example"]);
    lie[0] ^= 1;
    (0..31).for_each(|_| stage.say(&asked, &lie));
    stage.turn();
    assert_eq!(stage.queries.len(), 1);
    stage.say(&asked, &lie);
    assert_eq!(stage.reply(), Reply::Unknown);
}

#[test]
fn ids_and_ports_cannot_be_foreseen() {
    let mut stage = Stage::new();
    let asked = (0..64).map(|index| {
        stage.ask(Question::Hostname(IpAddr::from([9, 9, 9, index])));
        stage.hear()
    });
    let asked: Vec<Asked> = asked.collect();
    let ids: BTreeSet<[u8; 2]> = asked.iter().map(Asked::id).collect();
    let ports: BTreeSet<u16> = asked.iter().map(|asked| asked.from.port()).collect();
    assert!(ids.len() > 60 && ports.len() == 64, "{ids:?} {ports:?}");
    let steps = |numbers: Vec<u16>| numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect::<BTreeSet<_>>();
    assert!(steps(asked.iter().map(|asked| u16::from_be_bytes(asked.id())).collect()).len() > 50);
    assert!(steps(asked.iter().map(|asked| asked.from.port()).collect()).len() > 20);
}

/// The kernel refuses what is sent to a socket that is closed.
fn is_closed(stage: &Stage, asked: &Asked) -> bool {
    stage.resolver.connect(asked.from).unwrap();
    let end = Instant::now() + PATIENCE;
    stage.resolver.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    loop {
        let error = stage.resolver.send(b"x").and_then(|_| stage.resolver.recv(&mut [0])).unwrap_err();
        if error.kind() == ErrorKind::ConnectionRefused {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
    }
}

#[test]
fn a_question_whose_time_is_up_has_no_socket_any_more_and_its_place_serves_another() {
    let mut stage = Stage::new();
    let ticket = stage.ask(Question::Hostname(CLIENT.into()));
    let asked = stage.hear();
    stage.say(&asked, &asked.names(&["a.example"]));
    stage.queries.cancel(ticket);
    assert_eq!((stage.turn(), stage.after(5000), stage.queries.len()), (None, None, 0));
    let other = stage.ask_for_name();
    assert!(is_closed(&stage, &asked));
    assert_ne!(asked.from, other.from);
    stage.queries.cancel(ticket);
    assert_eq!(stage.queries.len(), 1, "an old ticket cancels nothing");
}

#[test]
fn a_source_whose_connection_is_gone_has_one_question_under_way_until_it_ends() {
    let mut stage = Stage::new();
    let question = Question::Hostname(CLIENT.into());
    let ask = |stage: &mut Stage| stage.queries.ask(0, question, stage.poll.registry(), stage.now);
    let ticket = stage.ask(question);
    let asked = stage.hear();
    for _ in 0..20 {
        stage.queries.abandon(ticket);
        assert_eq!((stage.turn(), ask(&mut stage)), (None, None));
    }
    assert!(stage.hears_nothing());
    // It goes on: what has come already is not asked for again.
    stage.say(&asked, &asked.names(&["a.example"]));
    let second = stage.next_asked();
    assert_eq!(ask(&mut stage), None);
    stage.say(&second, &second.reply(0, &[("a.example", A, CLIENT.to_vec())]));
    let end = Instant::now() + PATIENCE;
    while stage.queries.len() > 0 && Instant::now() < end {
        assert_eq!(stage.turn(), None, "nobody waits for it");
    }
    let other = stage.ask_for_name();
    assert_ne!(other.from, asked.from);

    let ticket = ask(&mut stage);
    assert_eq!(ticket, None);
    stage.after(1000);
    stage.after(1000);
    assert!(ask(&mut stage).is_some(), "it has run out");
}

#[test]
fn as_many_as_there_may_be_are_all_given_up_in_time() {
    let mut stage = Stage::new();
    let address = |index: usize| IpAddr::from([9, 9, (index / 256) as u8, (index % 256) as u8]);
    for index in 0..QUERIES_MAX {
        stage.ask(Question::Hostname(address(index)));
    }
    assert!(stage.queries.ask(0, Question::Hostname(address(QUERIES_MAX)), stage.poll.registry(), stage.now).is_none());
    assert_eq!(stage.after(1000), None);
    stage.now += 1000;
    let replies = std::iter::from_fn(|| stage.turn()).filter(|reply| *reply == Reply::TimedOut).count();
    assert_eq!((replies, stage.queries.len(), stage.queries.due()), (QUERIES_MAX, 0, NEVER));
}

#[test]
fn a_port_is_open_where_somebody_listens_and_the_connection_is_closed_at_once() {
    let mut stage = Stage::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!() };
    stage.ask(Question::Port((*address.ip()).into(), address.port()));
    assert_eq!(stage.reply(), Reply::Port { is_open: true });
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let ended = std::io::Read::read(&mut stream, &mut [0]).map_err(|error| error.kind());
    assert!(matches!(ended, Ok(0) | Err(ErrorKind::ConnectionReset)), "{ended:?}");
    drop((stream, listener));
    stage.ask(Question::Port((*address.ip()).into(), address.port()));
    assert_eq!(stage.reply(), Reply::Port { is_open: false });
}

#[test]
fn a_port_that_accepts_and_resets_is_open() {
    for has_sent_a_fin in [false, true] {
        let mut stage = Stage::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        stage.ask(Question::Port(address.ip(), address.port()));
        let (stream, _) = listener.accept().unwrap();
        if has_sent_a_fin {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        assert_eq!(stage.reply(), Reply::Port { is_open: true }, "with a FIN: {has_sent_a_fin}");
    }
}

#[test]
fn a_port_that_says_nothing_is_closed_after_two_seconds() {
    let mut stage = Stage::new();
    // A queue that is full: the kernel drops what else wants to connect.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address.into());
            socket
        })
        .collect();
    stage.ask(Question::Port(address.ip(), address.port()));
    assert_eq!(stage.queries.due(), stage.now + 2000);
    assert_eq!(stage.after(1999), None);
    assert_eq!(stage.after(1), Some(Reply::TimedOut));
    drop(waiting);
}
