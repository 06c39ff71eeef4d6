//! PROXY headers over a real socket: right ones in every cut, and those that close the connection without an answer.

use super::network::{self, CLIENT, OUTER, PROXY, SWAGIP};
use super::support::Answer;
use super::{PROXIES, clients, swagip, swagip_with};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use swagip::net::Limits;

const REQUESTS: &[u8] = b"GET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n\
    GET /port HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close\r\n\r\n";

const LOCAL: u8 = 0x20;
const PROXIED: u8 = 0x21;
const UNSPEC: u8 = 0x00;
const TCP4: u8 = 0x11;
const UDP4: u8 = 0x12;
const TCP6: u8 = 0x21;
const UNIX: u8 = 0x31;

/// 203.0.113.9:54321 to 10.0.0.80:80.
const BLOCK_4: [u8; 12] = [203, 0, 113, 9, 10, 0, 0, 80, 0xd4, 0x31, 0, 80];

/// 2001:db8:b::9, port 54321.
fn block_6() -> Vec<u8> {
    let IpAddr::V6(source) = CLIENT[1] else { unreachable!() };
    [&source.octets()[..], &[0; 16], &[0xd4, 0x31, 0, 80]].concat()
}

fn v2(command: u8, family: u8, length: usize, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(length).unwrap().to_be_bytes();
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length, block].concat()
}

fn v2_whole(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    v2(command, family, block.len(), block)
}

/// What an AWS balancer appends: a CRC, its endpoint's name, and padding.
const VECTORS: [u8; 20] = [3, 0, 4, 1, 2, 3, 4, 0xea, 0, 5, 1, b'v', b'p', b'c', b'e', 4, 0, 2, 0, 0];

fn connect(source: IpAddr) -> TcpStream {
    clients::Connection::open(source, SocketAddr::new(SWAGIP[usize::from(source.is_ipv6())], 81)).into()
}

/// Everything up to the end; a reset is an end too.
fn read_to_end(mut stream: TcpStream) -> Vec<u8> {
    let mut answers = Vec::new();
    match stream.read_to_end(&mut answers) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => answers,
    }
}

#[test]
fn headers_are_taken_however_they_are_cut() {
    network::alone("headers::headers_are_taken_however_they_are_cut", || {
        let _swagip = swagip(PROXIES, "x-forwarded-for");
        let known = Some(("203.0.113.9\n", "54321\n"));
        let known_6 = Some(("2001:db8:b::9\n", "54321\n"));
        for (header, expected) in [
            (b"PROXY TCP4 203.0.113.9 10.0.0.80 54321 80\r\n".to_vec(), known),
            (b"PROXY TCP6 2001:db8:b::9 2001:db8:a::80 54321 80\r\n".to_vec(), known_6),
            (b"PROXY TCP6 ::ffff:203.0.113.9 ::ffff:10.0.0.80 54321 80\r\n".to_vec(), known),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN 203.0.113.9 10.0.0.80 54321 80\r\n".to_vec(), None),
            (v2_whole(PROXIED, TCP4, &BLOCK_4), known),
            (v2_whole(PROXIED, UDP4, &BLOCK_4), known),
            (v2_whole(PROXIED, TCP6, &block_6()), known_6),
            (v2_whole(PROXIED, TCP4, &[&BLOCK_4[..], &VECTORS].concat()), known),
            (v2_whole(PROXIED, TCP6, &[&block_6()[..], &VECTORS].concat()), known_6),
            (v2_whole(PROXIED, UNSPEC, &[]), None),
            (v2_whole(PROXIED, UNSPEC, &VECTORS), None),
            (v2_whole(PROXIED, UNIX, &[b'/'; 216]), None),
        ] {
            for source in PROXY {
                taken(source, &header, expected);
            }
        }
    });
}

/// All at once, the header by itself, and byte by byte.
fn taken(source: IpAddr, header: &[u8], expected: Option<(&str, &str)>) {
    let all = [header, REQUESTS].concat();
    for piece in [all.len(), header.len(), 1] {
        let mut stream = connect(source);
        for piece in all.chunks(piece) {
            stream.write_all(piece).unwrap();
            thread::sleep(Duration::from_micros(100));
        }
        let answers: Vec<_> = Answer::all(&read_to_end(stream)).iter().map(|answer| (answer.status, answer.text())).collect();
        let expected = match expected {
            Some((ip, port)) => [(200, ip.to_owned()), (200, port.to_owned())],
            None => [(404, String::new()), (404, String::new())],
        };
        assert_eq!(answers, expected, "{} in pieces of {piece}", header.escape_ascii());
    }
}

#[test]
fn local_leaves_the_sockets_address() {
    network::alone("headers::local_leaves_the_sockets_address", || {
        let _swagip = swagip(PROXIES, "x-forwarded-for");
        for (family, block) in [(UNSPEC, &[][..]), (TCP4, &BLOCK_4), (TCP6, &VECTORS)] {
            for source in PROXY {
                let mut stream = connect(source);
                let port = stream.local_addr().unwrap().port();
                // HAProxy sends LOCAL for clients of a Unix socket, too, and what they claim is not believed.
                let request = "GET /all HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close\r\n\r\n";
                stream.write_all(&[&v2_whole(LOCAL, family, block), request.as_bytes()].concat()).unwrap();
                let answer = &Answer::all(&read_to_end(stream))[0];
                let expected = format!("\"Source-IP\":\"{source}\",\"Source-Port\":{port},");
                assert!(answer.text().contains(&expected), "{}", answer.text());
            }
        }
    });
}

#[test]
fn behind_a_header_that_names_a_proxy_its_field_is_read() {
    network::alone("headers::behind_a_header_that_names_a_proxy_its_field_is_read", || {
        let _swagip = swagip(PROXIES, "x-forwarded-for");
        let mut stream = connect(PROXY[0]);
        stream.write_all(&[b"PROXY TCP4 10.0.0.2 10.0.0.80 54321 80\r\n", REQUESTS].concat()).unwrap();
        let answers = Answer::all(&read_to_end(stream));
        assert_eq!((answers[0].text(), answers[1].status), ("6.6.6.6\n".to_owned(), 404), "{} is trusted", OUTER[0]);
    });
}

#[test]
fn whoever_may_not_send_one_or_sends_none_gets_no_answer() {
    network::alone("headers::whoever_may_not_send_one_or_sends_none_gets_no_answer", || {
        let _swagip = swagip(PROXIES, "x-forwarded-for");
        let long_line = format!("PROXY UNKNOWN {}\r\n", " ".repeat(107));
        for header in [
            // Missing.
            &b""[..],
            b"\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"POST / HTTP/1.1\r\n",
            // Malformed.
            b"proxy TCP4 203.0.113.9 10.0.0.80 54321 80\r\n",
            b"PROXY TCP4 203.0.113.9 10.0.0.80 54321\r\n",
            b"PROXY TCP4 203.0.113.9 10.0.0.80 54321 80\n",
            b"PROXY TCP4 203.0.113.256 10.0.0.80 54321 80\r\n",
            b"PROXY TCP4 203.0.113.9 10.0.0.80 65536 80\r\n",
            b"PROXY TCP4 2001:db8:b::9 10.0.0.80 54321 80\r\n",
            b"PROXY TCP5 203.0.113.9 10.0.0.80 54321 80\r\n",
            b"PROXY  TCP4 203.0.113.9 10.0.0.80 54321 80\r\n",
            &v2_whole(0x31, TCP4, &BLOCK_4),
            &v2_whole(0x11, TCP4, &BLOCK_4),
            &v2_whole(0x22, TCP4, &BLOCK_4),
            &v2(PROXIED, TCP4, 11, &BLOCK_4),
            &v2(PROXIED, TCP6, 12, &BLOCK_4),
            b"\r\n\r\n\0\r\nQUIT\r\n",
            // Too long.
            long_line.as_bytes(),
            &v2(PROXIED, TCP4, 4081, &BLOCK_4),
            &v2(LOCAL, UNSPEC, 0xffff, b""),
        ] {
            refused(PROXY[0], header);
        }
        for source in CLIENT {
            refused(source, b"PROXY TCP4 203.0.113.9 10.0.0.80 54321 80\r\n");
            refused(source, b"PROXY UNKNOWN\r\n");
            refused(source, &v2_whole(PROXIED, TCP4, &BLOCK_4));
            refused(source, &v2_whole(PROXIED, UNSPEC, &[]));
            refused(source, &v2_whole(LOCAL, UNSPEC, &[]));
            refused(source, b"");
        }
    });
}

/// Closed at once, long before any deadline.
pub fn refused(source: IpAddr, header: &[u8]) {
    let began = Instant::now();
    let mut stream = connect(source);
    stream.write_all(&[header, REQUESTS].concat()).unwrap();
    assert_eq!(read_to_end(stream).escape_ascii().to_string(), "", "to {} from {source}", header.escape_ascii());
    assert!(began.elapsed() < Duration::from_secs(5), "{}", header.escape_ascii());
}

#[test]
fn the_header_is_due_within_the_heads_deadline() {
    const DEADLINE: Duration = Duration::from_secs(1);
    network::alone("headers::the_header_is_due_within_the_heads_deadline", || {
        let limits = Limits { head: DEADLINE, ..Limits::default() };
        let _swagip = swagip_with(PROXIES, "x-forwarded-for", |settings| settings.limits = limits);
        // Drips in time, and nothing after them.
        for header in [v2_whole(PROXIED, TCP4, &[&BLOCK_4[..], &VECTORS].concat()), b"PROXY UNKNOWN\r\n".to_vec()] {
            let mut stream = connect(PROXY[0]);
            drip(&mut stream, &[&header[..], REQUESTS].concat()[..header.len() + 5], DEADLINE / 4);
            stream.write_all(&REQUESTS[5..]).unwrap();
            assert_eq!(Answer::all(&read_to_end(stream)).len(), 2);

            // A header alone, half a header, and drips that take longer.
            for (bytes, time) in [(&header[..], Duration::ZERO), (&header[..10], Duration::ZERO), (&header[..], 5 * DEADLINE)] {
                let began = Instant::now();
                let stream = connect(PROXY[0]);
                let mut sending = stream.try_clone().unwrap();
                let taken = thread::scope(|scope| {
                    scope.spawn(|| drip(&mut sending, bytes, time));
                    assert_eq!(read_to_end(stream).escape_ascii().to_string(), "");
                    began.elapsed()
                });
                // A worker takes the time once a turn, so a wait may begin some moments before its connection.
                assert!(taken > DEADLINE * 9 / 10 && taken < 4 * DEADLINE, "{taken:?}");
            }
        }
    });
}

/// Sends byte after byte for so long, or until the other end has closed.
fn drip(stream: &mut TcpStream, bytes: &[u8], time: Duration) {
    let rest = time / u32::try_from(bytes.len()).unwrap();
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        thread::sleep(rest);
    }
}
