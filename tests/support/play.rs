//! A connection without a socket: pieces of input go straight to the exchange, where every cut is exact and costs microseconds. And
//! the same over a socket.

use super::{TestServer, settings};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, SystemTime};
use swagip::client::{Peer, Rule};
use swagip::exchange::{Next, ProxyFault, Service, State};

/// The date of all answers: the exchange's is set to it, a server's are replaced by it.
pub const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// A server without sockets.
pub struct Pure {
    pub service: Service,
    pub peer: Peer,
}

/// One connection to it.
#[derive(Debug, Default)]
pub struct Client {
    pub state: State,
    /// Sent but not consumed.
    pub kept: Vec<u8>,
    pub answers: Vec<u8>,
    /// Closed by the server; whether it lingers.
    pub closed: Option<bool>,
    /// Why it was closed without an answer.
    pub fault: Option<ProxyFault>,
}

impl Pure {
    pub fn new() -> Pure {
        Pure::with(Rule::default(), [127, 0, 0, 1])
    }

    /// With this rule, for a client at this address.
    pub fn with(rule: Rule, client: [u8; 4]) -> Pure {
        let peer = rule.peer((client, 54321).into());
        let mut service = Service::new(rule, settings().site);
        service.set_date(*DATE);
        Pure { service, peer }
    }

    /// Some bytes arrive.
    pub fn send(&mut self, client: &mut Client, bytes: &[u8]) {
        client.kept.extend_from_slice(bytes);
        while client.closed.is_none() {
            let mut output = Vec::new();
            let served = self.service.serve(&mut client.state, &mut self.peer, &client.kept, false, &mut output);
            client.kept.drain(..served.consumed);
            client.answers.append(&mut output);
            match served.next {
                Next::Again => {}
                Next::Read | Next::Wait => break,
                Next::Close { linger } => client.closed = Some(linger),
                Next::Abort(fault) => (client.closed, client.fault) = (Some(false), Some(fault)),
            }
        }
    }

    /// The client's FIN arrives.
    pub fn end(&mut self, client: &mut Client) {
        if client.closed.is_none() {
            self.service.end(&mut client.state, &self.peer, &client.kept, &mut client.answers);
        }
    }

    /// What it waited for did not come in time.
    pub fn expire(&mut self, client: &mut Client) {
        if client.closed.is_none() {
            self.service.expire(&mut client.state, &self.peer, &client.kept, &mut client.answers);
        }
    }

    /// All answers to these pieces, and whether the connection is closed.
    pub fn play<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, bool) {
        let mut client = Client::default();
        for piece in pieces {
            self.send(&mut client, piece);
        }
        (String::from_utf8_lossy(&client.answers).into_owned(), client.closed.is_some())
    }

    /// How many of the pieces a client may send before the answer that closes the connection, as it asked. Anything after that is
    /// reset, so whether the client still reads the answer would be luck.
    pub fn welcome(&mut self, pieces: &[&[u8]]) -> usize {
        let mut client = Client::default();
        let is_last = |piece: &&[u8]| {
            self.send(&mut client, piece);
            client.closed == Some(false)
        };
        pieces.iter().position(is_last).map_or(pieces.len(), |last| last + 1)
    }

    /// All answers to these pieces and the FIN after them.
    pub fn play_to_the_end<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut client = Client::default();
        for piece in pieces {
            self.send(&mut client, piece);
        }
        self.end(&mut client);
        String::from_utf8_lossy(&client.answers).into_owned()
    }
}

/// Sends the pieces one by one, then the FIN if `fin`; reads to the end, which must come without a reset.
pub fn over_a_socket(server: &TestServer, pieces: &[&[u8]], fin: bool) -> String {
    let mut stream = server.connect();
    for piece in pieces {
        stream.write_all(piece).unwrap();
    }
    if fin {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).unwrap();
    replace_dates(&mut answers);
    String::from_utf8_lossy(&answers).into_owned()
}

/// Checks that all dates are now.
fn replace_dates(answers: &mut [u8]) {
    const NAME: &[u8] = b"\r\nDate: ";
    let mut at = 0;
    while let Some(found) = answers[at..].windows(NAME.len()).position(|window| window == NAME) {
        at += found + NAME.len();
        let date = &mut answers[at..at + DATE.len()];
        let time = httpdate::parse_http_date(std::str::from_utf8(date).unwrap()).unwrap();
        let distance = SystemTime::now().duration_since(time).unwrap_or_else(|ahead| ahead.duration());
        assert!(distance < Duration::from_secs(5), "the date is {distance:?} off");
        date.copy_from_slice(DATE);
    }
}
