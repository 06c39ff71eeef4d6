//! What a line of the access log must be, whatever was asked: one line, read back by naive readers as what was sent.

use std::cell::Cell;
use swagip::exchange::{Record, Recorder};
use swagip::http::{Method, Request};
use swagip::observe::access_log::{FIELD_MAX, Format, Formatter, LINE_MAX, METHOD_MAX, Options, TARGET_MAX};

const CUT: &str = "...";

/// Checks the lines of each answer, in all formats or a chosen one.
pub struct Reader {
    formatters: Vec<(Options, Formatter)>,
    chosen: Cell<Option<usize>>,
}

impl Reader {
    pub fn new() -> Reader {
        let options =
            [Format::Combined, Format::Json].map(|format| [false, true].map(|mask| Options { format, health: true, mask }));
        let formatters = options.into_iter().flatten().map(|options| (options, Formatter::new(options, Some("web-1"))));
        Reader { formatters: formatters.collect(), chosen: Cell::new(None) }
    }

    /// Has it look at this one of the four formats only, which is four times as fast.
    #[allow(dead_code)] // Tests look at all.
    pub fn choose(&self, index: usize) {
        self.chosen.set(Some(index));
    }
}

impl Recorder for Reader {
    fn keep(&self, _: &Request<'_, '_>, head: &[u8]) -> Box<[u8]> {
        head.into()
    }

    fn record(&mut self, record: &Record<'_>) {
        let chosen = self.chosen.get();
        let formatters = self.formatters.iter().enumerate().filter(|(index, _)| chosen.is_none_or(|chosen| chosen == *index));
        for (_, (options, formatter)) in formatters {
            let mut line = b"before\n".to_vec();
            formatter.write(&mut line, record);
            let line = line.strip_prefix(b"before\n").expect("what was there stays");
            assert!(line.len() <= LINE_MAX, "{} bytes", line.len());
            let (end, visible) = line.split_last().expect("a line");
            assert!(*end == b'\n' && visible.iter().all(|byte| (b' '..0x7f).contains(byte)), "{}", line.escape_ascii());
            let line = std::str::from_utf8(visible).expect("ASCII");
            match options.format {
                Format::Combined => read_combined(line, record, options.mask),
                Format::Json => read_json(line, record, options.mask),
            }
        }
    }
}

/// A head without the empty lines before it.
fn head<'r>(record: &Record<'r>) -> &'r [u8] {
    (0..4).fold(record.sent, |sent, _| sent.strip_prefix(b"\r\n").unwrap_or(sent))
}

/// The line that it begins with.
fn request_line<'r>(record: &Record<'r>) -> &'r [u8] {
    head(record).split(|byte| b"\r\n".contains(byte)).next().expect("there is always one")
}

/// The value of the first field of that name.
fn field<'r>(record: &Record<'r>, name: &str) -> Option<&'r [u8]> {
    if let Some(request) = record.request {
        return request.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value);
    }
    let lines = head(record).split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut lines = lines.skip(1).take_while(|line| !line.is_empty());
    lines.find_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        line[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
    })
}

fn client(record: &Record<'_>, mask: bool) -> Option<String> {
    let address = record.client?.address?;
    let length = match (mask, address.is_ipv4()) {
        (false, _) => return Some(address.to_string()),
        (true, true) => 24,
        (true, false) => 48,
    };
    // Bit by bit, as nobody would write it twice.
    let clear = |octets: &mut [u8]| (length..8 * octets.len()).for_each(|bit| octets[bit / 8] &= !(128 >> (bit % 8)));
    Some(match address {
        std::net::IpAddr::V4(ip) => {
            let mut octets = ip.octets();
            clear(&mut octets);
            std::net::Ipv4Addr::from(octets).to_string()
        }
        std::net::IpAddr::V6(ip) => {
            let mut octets = ip.octets();
            clear(&mut octets);
            std::net::Ipv6Addr::from(octets).to_string()
        }
    })
}

fn bytes(record: &Record<'_>) -> u64 {
    if record.method == Some(Method::Head) { 0 } else { record.length as u64 }
}

fn read_combined(line: &str, record: &Record<'_>, mask: bool) {
    let (address, rest) = line.split_once(" - - [").expect("an address");
    assert_eq!(address, client(record, mask).as_deref().unwrap_or("-"));
    let (time, rest) = rest.split_once("] \"").expect("a time");
    assert_eq!(time, "01/Jan/1970:00:00:00 +0000");
    let (asked, rest) = unquoted(rest);
    check_request_line(&asked, request_line(record));
    let (status, rest) = rest.strip_prefix(' ').and_then(|rest| rest.split_once(' ')).expect("a status");
    assert_eq!(status, record.head.status().to_string());
    let (sent, rest) = rest.split_once(" \"").expect("a number of bytes");
    assert_eq!(
        sent,
        match bytes(record) {
            0 => "-".to_owned(),
            bytes => bytes.to_string(),
        }
    );
    let (referer, rest) = unquoted(rest);
    check_value(&referer, field(record, "referer").unwrap_or(b"-"), FIELD_MAX);
    let (user_agent, rest) = unquoted(rest.strip_prefix(" \"").expect("a quote"));
    check_value(&user_agent, field(record, "user-agent").unwrap_or(b"-"), FIELD_MAX);
    assert_eq!(rest, "");
}

/// The value of a string up to its closing quote, and what comes after that.
fn unquoted(text: &str) -> (Vec<u8>, &str) {
    let mut value = Vec::new();
    let mut rest = text.bytes().enumerate();
    while let Some((index, byte)) = rest.next() {
        let mut next = || rest.next().expect("a string has an end").1;
        value.push(match byte {
            b'"' => return (value, &text[index + 1..]),
            b'\\' => match next() {
                b'x' => {
                    let digits = [next(), next()].map(|digit| char::from(digit).to_digit(16).expect("a digit") as u8);
                    digits[0] << 4 | digits[1]
                }
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'v' => 11,
                byte @ (b'"' | b'\\') => byte,
                byte => panic!("an escape that nobody knows: {byte}"),
            },
            byte => byte,
        });
    }
    panic!("a string without an end");
}

/// It is what was sent, or the beginning of it, if that was long.
fn check_value(told: &[u8], sent: &[u8], max: usize) {
    if told != sent {
        let beginning = told.strip_suffix(CUT.as_bytes()).expect("it was cut, and says so");
        assert!(sent.starts_with(beginning) && 6 * sent.len() > max, "{} for {}", told.escape_ascii(), sent.escape_ascii());
    }
}

fn check_request_line(told: &[u8], sent: &[u8]) {
    match sent {
        b"" => assert_eq!(told, b"-"),
        _ if told == sent => {}
        _ => match told.strip_suffix(b" HTTP/1.1") {
            Some(beginning) if sent.ends_with(b" HTTP/1.1") => check_value(beginning, sent, TARGET_MAX),
            // Any other version, and nothing else, has the same place.
            _ => {
                let cut = told.windows(3).rposition(|three| three == CUT.as_bytes()).expect("it was cut, and says so");
                assert!(told.len() - cut <= CUT.len() + " HTTP/1.1".len() && sent.ends_with(&told[cut + CUT.len()..]));
                check_value(&told[..cut + CUT.len()], sent, TARGET_MAX);
            }
        },
    }
}

fn read_json(line: &str, record: &Record<'_>, mask: bool) {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).expect("an object");
    let text = |key: &str| object[key].as_str().map(str::to_owned);
    assert_eq!(text("time").as_deref(), Some("1970-01-01T00:00:00.000Z"));
    assert_eq!(text("client"), client(record, mask));
    let port = record.client.and_then(|client| client.port).filter(|_| !mask);
    assert_eq!(object["port"].as_u64(), port.map(u64::from));
    let peer = record.peer.address.filter(|address| record.client.and_then(|client| client.address) != Some(*address));
    let told = object.get("peer").and_then(serde_json::Value::as_str);
    assert_eq!(told, peer.map(|address| address.to_string()).as_deref());
    assert_eq!(object["status"].as_u64(), Some(record.head.status().into()));
    assert_eq!(object["bytes"].as_u64(), Some(bytes(record)));
    for (key, name) in [("user_agent", "user-agent"), ("referer", "referer")] {
        check_text(text(key), field(record, name), FIELD_MAX);
    }
    assert_eq!(text("scheme").as_deref(), record.client.and_then(|client| client.scheme).map(|scheme| scheme.name()));
    assert_eq!(text("replica").as_deref(), Some("web-1"));
    check_parts(&text, request_line(record));
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 12 + usize::from(object.contains_key("peer")), "{keys:?}");
}

/// The request line is what its parts make together.
fn check_parts(text: &impl Fn(&str) -> Option<String>, sent: &[u8]) {
    let (mut rest, mut method) = (sent, None);
    let space = sent.iter().position(|&byte| byte == b' ');
    if let Some(space) = space.filter(|_| text("method").is_some()) {
        (method, rest) = (Some(&sent[..space]), &sent[space + 1..]);
    }
    assert!(method.is_some() || !sent.starts_with(b"GET "));
    check_text(text("method"), method, METHOD_MAX);
    let protocol = text("protocol");
    if let Some(protocol) = &protocol {
        rest = rest.strip_suffix(protocol.as_bytes()).and_then(|rest| rest.strip_suffix(b" ")).expect("it ends in its protocol");
    }
    assert!(protocol.is_some() || !rest.ends_with(b" HTTP/1.1"));
    check_text(text("target"), Some(rest).filter(|rest| !rest.is_empty()), TARGET_MAX);
}

/// As product texts have it: UTF-8 where it is valid, else Latin-1.
fn check_text(told: Option<String>, sent: Option<&[u8]>, max: usize) {
    let latin_1 = |sent: &[u8]| sent.iter().copied().map(char::from).collect::<String>();
    let read = sent.map(|sent| String::from_utf8(sent.to_vec()).unwrap_or_else(|_| latin_1(sent)));
    match (told, read) {
        (Some(told), Some(read)) => check_value(told.as_bytes(), read.as_bytes(), max),
        (told, read) => assert_eq!(told, read),
    }
}
